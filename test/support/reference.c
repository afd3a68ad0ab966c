#include "support/reference.h"

#include <limits.h>
#include <stdlib.h>

#include "base/memory.h"
#include "support/reference_leaf.h"

#define EVENT_MEMORY ((size_t)1 << 30)
#define RULES_MEMORY ((size_t)256 << 20)
enum { KEYS = 4096 };
/* An object gives way to whatever else is found: {"#text":1} is 1, with attributes or without. */
#define OBJECT_RANK UINT_MAX

/* A value of the record, and the keys that lead to it. */
struct place {
    struct reference_value value;
    struct slice path;  /* keys joined by dots */
    const size_t *ends; /* of each key in `path` */
    size_t keys;
};

/* The values of one name: those of the lowest rank. */
struct found {
    struct slice name;
    unsigned rank;
    const struct reference_value **values;
    size_t count;
};

/* What rules of one logsource share: of each entry all alternatives. */
struct group {
    struct logsource logsource;
    const struct taxonomy_case **cases[TAXONOMY_TERMS];
    size_t case_count[TAXONOMY_TERMS];
    size_t terms; /* 0: nothing maps it */
    bool active;  /* for this record */
    const struct taxonomy_case *seen[TAXONOMY_TERMS];
};

struct reference {
    const struct ruleset *set;
    const struct taxonomy *taxonomy;
    bool any_source;
    struct arena rules; /* memory of what stays */
    struct arena event; /* of one record */
    struct regex_cache *cache;
    struct found *names; /* those of the ruleset by field number, then others */
    size_t name_count;
    size_t *by_name; /* sorted */
    struct group *groups;
    size_t group_count;
    size_t *group_of; /* by rule */
    struct place *places;
    size_t place_count, place_room;
};

/* ---- logsources ---------------------------------------------------------------------------- */

static bool same_part(struct arena *arena, struct slice a, struct slice b)
{
    struct slice x, y;
    if (!a.at || !b.at) {
        return !a.at && !b.at;
    }
    return reference_leaf_fold(arena, a, &x) == OK && reference_leaf_fold(arena, b, &y) == OK &&
           slice_equal(x, y);
}

/* The list also has what the taxonomy made of entries of several products: that is not written in a
 * file, and found here in its own way. */
static bool is_written(const struct taxonomy_entry *entries, size_t count, size_t i)
{
    for (size_t k = 0; k < count && !entries[i].logsource.product.at; k++) {
        if (entries[k].logsource.product.at && entries[k].line == entries[i].line &&
                slice_equal(entries[k].file, entries[i].file)) {
            return false;
        }
    }
    return true;
}

/* Adds the alternatives of the entries that are written for just these parts (any_product: and some
 * product). Returns how many. */
static size_t add_cases(
        struct reference *r, struct group *g, const struct logsource *wanted, bool any_product)
{
    size_t count, added = 0, room = 0;
    const struct taxonomy_entry *entries = taxonomy_entries(r->taxonomy, &count);
    for (size_t i = 0; i < count; i++) {
        room += entries[i].count;
    }
    const struct taxonomy_case **cases = ARENA_ARRAY(&r->rules, const struct taxonomy_case *, room);
    for (size_t i = 0; cases && i < count; i++) {
        const struct logsource *l = &entries[i].logsource;
        bool product = any_product ? l->product.at != NULL
                                   : same_part(&r->event, l->product, wanted->product);
        if (product && is_written(entries, count, i) &&
                same_part(&r->event, l->category, wanted->category) &&
                same_part(&r->event, l->service, wanted->service)) {
            for (size_t c = 0; c < entries[i].count; c++) {
                cases[added++] = &entries[i].any_of[c];
            }
        }
    }
    if (added) {
        g->cases[g->terms] = cases;
        g->case_count[g->terms++] = added;
    }
    return added;
}

/* The entry that is written for these parts; where they name no product, all that have one. */
static bool add_entry(struct reference *r, struct group *g, const struct logsource *wanted)
{
    return add_cases(r, g, wanted, false) ||
           (!wanted->product.at && (wanted->category.at || wanted->service.at) &&
                   add_cases(r, g, wanted, true));
}

/* A category or service of its own: with the product, or without. */
static bool add_part(struct reference *r, struct group *g, struct logsource part, bool *product)
{
    if (add_entry(r, g, &part)) {
        *product = *product || part.product.at;
        return true;
    }
    part.product = (struct slice){0};
    return add_cases(r, g, &part, false);
}

/* event/taxonomy.h, taxonomy_resolve. */
static void resolve(struct reference *r, struct group *g)
{
    static const struct taxonomy_case always = {0};
    static const struct taxonomy_case *always_list[] = {&always};
    const struct logsource *l = &g->logsource;
    const struct slice none = {0};
    bool product = false;
    if (!l->product.at && !l->category.at && !l->service.at) {
        g->cases[0] = always_list;
        g->case_count[0] = 1;
        g->terms = 1;
        return;
    }
    if (add_entry(r, g, l)) {
        return;
    }
    bool whole = true;
    if (l->category.at) {
        whole = add_part(r, g, (struct logsource){l->product, l->category, none}, &product);
    }
    if (whole && l->service.at) {
        whole = add_part(r, g, (struct logsource){l->product, none, l->service}, &product);
    }
    if (whole && l->product.at && !product) {
        whole = add_entry(r, g, &(struct logsource){l->product, none, none});
    }
    if (!whole) {
        g->terms = 0;
    }
}

static size_t group_for(struct reference *r, const struct logsource *logsource)
{
    for (size_t i = 0; i < r->group_count; i++) {
        const struct logsource *l = &r->groups[i].logsource;
        if (same_part(&r->event, l->product, logsource->product) &&
                same_part(&r->event, l->category, logsource->category) &&
                same_part(&r->event, l->service, logsource->service)) {
            return i;
        }
    }
    r->groups[r->group_count] = (struct group){.logsource = *logsource};
    resolve(r, &r->groups[r->group_count]);
    return r->group_count++;
}

/* ---- names --------------------------------------------------------------------------------- */

static const struct reference *sorting;

static int by_name(const void *a, const void *b)
{
    return slice_compare(
            sorting->names[*(const size_t *)a].name, sorting->names[*(const size_t *)b].name);
}

static size_t find_name(const struct reference *r, struct slice name)
{
    size_t low = 0, high = r->name_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = slice_compare(name, r->names[r->by_name[middle]].name);
        if (order == 0) {
            return r->by_name[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return SIZE_MAX;
}

static void sort_names(struct reference *r)
{
    sorting = r;
    qsort(r->by_name, r->name_count, sizeof *r->by_name, by_name);
}

static void add_name(struct reference *r, struct slice name)
{
    if (find_name(r, name) == SIZE_MAX) {
        r->names[r->name_count].name = name;
        r->by_name[r->name_count] = r->name_count;
        r->name_count++;
        sort_names(r);
    }
}

/* Fields of the rules, routes, and fields of events that aliases lead to. */
static enum err collect_names(struct reference *r)
{
    size_t entries, routes, room = field_count(r->set->fields);
    const struct taxonomy_entry *e = taxonomy_entries(r->taxonomy, &entries);
    taxonomy_routes(r->taxonomy, &routes);
    room += routes;
    for (size_t i = 0; i < entries; i++) {
        for (size_t c = 0; c < e[i].count; c++) {
            for (size_t a = 0; a < e[i].any_of[c].alias_count; a++) {
                room += e[i].any_of[c].aliases[a].from_count;
            }
        }
    }
    r->names = ARENA_ARRAY(&r->rules, struct found, room + 1);
    r->by_name = ARENA_ARRAY(&r->rules, size_t, room + 1);
    if (!r->names || !r->by_name) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < field_count(r->set->fields); i++) {
        r->names[i].name = field_name(r->set->fields, i);
        r->by_name[i] = i;
        r->name_count++;
    }
    sort_names(r);
    for (size_t i = 0; i < routes; i++) {
        add_name(r, taxonomy_route_field(r->taxonomy, i));
    }
    for (size_t i = 0; i < entries; i++) {
        for (size_t c = 0; c < e[i].count; c++) {
            for (size_t a = 0; a < e[i].any_of[c].alias_count; a++) {
                const struct field_alias *alias = &e[i].any_of[c].aliases[a];
                for (size_t f = 0; f < alias->from_count; f++) {
                    add_name(r, alias->from[f]);
                }
            }
        }
    }
    return OK;
}

enum err reference_new(const struct ruleset *set, const struct taxonomy *taxonomy, bool any_source,
        struct reference **out)
{
    struct reference *r = memory_alloc(sizeof *r);
    if (!r) {
        return ERR_MEMORY;
    }
    *r = (struct reference){.set = set, .taxonomy = taxonomy, .any_source = any_source};
    arena_init(&r->rules, RULES_MEMORY);
    arena_init(&r->event, EVENT_MEMORY);
    r->cache = regex_cache_new((size_t)16 << 20);
    r->groups = ARENA_ARRAY(&r->rules, struct group, set->rule_count + 1);
    r->group_of = ARENA_ARRAY(&r->rules, size_t, set->rule_count + 1);
    r->place_room = 1024;
    r->places = memory_alloc_array(r->place_room, sizeof *r->places);
    if (!r->cache || !r->groups || !r->group_of || !r->places || collect_names(r) != OK) {
        reference_free(r);
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < set->rule_count; i++) {
        r->group_of[i] = group_for(r, &set->rules[i]->logsource);
    }
    *out = r;
    return OK;
}

void reference_free(struct reference *reference)
{
    if (reference) {
        regex_cache_free(reference->cache);
        memory_free(reference->places);
        arena_fini(&reference->event);
        arena_fini(&reference->rules);
        memory_free(reference);
    }
}

/* ---- a record's values --------------------------------------------------------------------- */

struct trail {
    size_t keys;
    struct slice key[KEYS];
};

static enum err add_place(struct reference *r, const struct trail *trail, const struct tree *t)
{
    size_t size = 0;
    for (size_t i = 0; i < trail->keys; i++) {
        size += trail->key[i].size + 1;
    }
    char *path = arena_alloc(&r->event, size + 1, 1);
    size_t *ends = ARENA_ARRAY(&r->event, size_t, trail->keys + 1);
    if (r->place_count == r->place_room) {
        struct place *more = memory_resize(r->places, r->place_room * 2 * sizeof *more);
        if (!more) {
            return ERR_MEMORY;
        }
        r->places = more;
        r->place_room *= 2;
    }
    if (!path || !ends) {
        return ERR_MEMORY;
    }
    struct place *p = &r->places[r->place_count++];
    *p = (struct place){.ends = ends, .keys = trail->keys};
    size = 0;
    for (size_t i = 0; i < trail->keys; i++) {
        if (i) {
            path[size++] = '.';
        }
        memcpy(path + size, trail->key[i].at, trail->key[i].size);
        size += trail->key[i].size;
        ends[i] = size;
    }
    p->path = slice_of(path, size);
    bool scalar = t->kind == TREE_STRING || t->kind == TREE_NUMBER || t->kind == TREE_BOOL;
    p->value.kind = scalar                 ? REFERENCE_TEXT
                    : t->kind == TREE_NULL ? REFERENCE_NULL
                                           : REFERENCE_OBJECT;
    p->value.text = scalar ? t->text : SLICE("");
    return reference_leaf_fold(&r->event, p->value.text, &p->value.folded);
}

/* An array's elements stand where it stands itself; an object is a value without a text, and so is
 * an array without elements. Recursion is bounded by TREE_DEPTH. */
static enum err add_places(struct reference *r, struct trail *trail, const struct tree *t)
{
    if (trail->keys && (t->kind != TREE_ARRAY || !t->first)) {
        TRY(add_place(r, trail, t));
    }
    if (t->kind != TREE_ARRAY && t->kind != TREE_OBJECT) {
        return OK;
    }
    for (const struct tree *child = t->first; child; child = child->next) {
        bool keyed = t->kind == TREE_OBJECT;
        if (keyed) {
            trail->key[trail->keys++] = child->key;
        }
        TRY(add_places(r, trail, child));
        trail->keys -= keyed;
    }
    return OK;
}

/* ---- patterns ------------------------------------------------------------------------------ */

/* Where key i of a path begins. */
static size_t key_start(const struct place *p, size_t i)
{
    return i ? p->ends[i - 1] + 1 : 0;
}

/* Do the keys of a place, from key `first` on, fit the pattern? A `?` takes one whole key; what
 * stands between two of them is compared as text, so that a key may hold dots. *star gets what a
 * last `*` stands for. */
static bool fits(const struct place *p, size_t first, struct slice pattern, struct slice *star)
{
    struct slice before = pattern, rest = pattern, key;
    bool any = false;
    for (bool more = true; more && !any;) {
        more = slice_find_byte(rest, '.') < rest.size;
        before.size = (size_t)(rest.at - pattern.at);
        key = slice_cut(&rest, '.');
        any = slice_equal(key, SLICE("?"));
    }
    struct slice path = {0};
    if (first < p->keys) {
        path = slice_of(p->path.at + key_start(p, first), p->path.size - key_start(p, first));
    } else if (first > 0) {
        return false;
    }
    if (!any) {
        if (!slice_ends(pattern, SLICE("*"))) {
            return slice_equal(path, pattern);
        }
        struct slice head = slice_of(pattern.at, pattern.size - 1);
        *star = slice_starts(path, head) ? slice_of(path.at + head.size, path.size - head.size)
                                         : (struct slice){0};
        return slice_starts(path, head);
    }
    /* `before` ends with a dot, or is empty. */
    if (!slice_starts(path, before)) {
        return false;
    }
    for (size_t i = first; i < p->keys; i++) {
        if (key_start(p, i) == key_start(p, first) + before.size) {
            bool last = rest.at == NULL || rest.size == 0;
            return last ? i + 1 == p->keys : i + 1 < p->keys && fits(p, i + 1, rest, star);
        }
    }
    return false;
}

static enum err found_put(
        struct reference *r, size_t name, unsigned rank, const struct reference_value *value)
{
    struct found *f = &r->names[name];
    if (f->count && rank > f->rank) {
        return OK;
    }
    if (!f->count || rank < f->rank) {
        f->count = 0;
        f->rank = rank;
    }
    for (size_t i = 0; i < f->count; i++) {
        if (f->values[i] == value) {
            return OK;
        }
    }
    if ((f->count & (f->count - 1)) == 0) {
        const struct reference_value **more =
                ARENA_ARRAY(&r->event, const struct reference_value *, f->count ? f->count * 2 : 1);
        if (!more) {
            return ERR_MEMORY;
        }
        if (f->count) {
            memcpy(more, f->values, f->count * sizeof *more);
        }
        f->values = more;
    }
    f->values[f->count++] = value;
    return OK;
}

/* The place's value is that of every name for which a pattern leads to it. */
static enum err name_place(struct reference *r, const struct place *p, struct place *without_text)
{
    size_t count;
    const struct path_pattern *patterns = taxonomy_patterns(r->taxonomy, &count);
    for (size_t i = 0; i < count; i++) {
        for (int inner = 0; inner < 2; inner++) {
            const struct place *place = inner ? without_text : p;
            struct slice star = {0};
            if (!place || !fits(place, 0, patterns[i].pattern, &star)) {
                continue;
            }
            struct slice name = star.at ? star : patterns[i].name;
            bool hidden = star.at && star.size && star.at[0] == '\x01';
            size_t n = hidden ? SIZE_MAX : find_name(r, name);
            if (n != SIZE_MAX) {
                unsigned rank = patterns[i].weak ? (unsigned)i + 1 : 0;
                bool object = p->value.kind == REFERENCE_OBJECT;
                TRY(found_put(r, n, object ? OBJECT_RANK : rank, &p->value));
            }
        }
    }
    return OK;
}

/* Every pattern also holds with ".#text" after it. */
static enum err name_places(struct reference *r)
{
    for (size_t i = 0; i < r->place_count; i++) {
        const struct place *p = &r->places[i];
        struct place inner = *p;
        bool text = slice_ends(p->path, SLICE(".#text"));
        if (text) {
            inner.path.size -= sizeof ".#text" - 1;
            bool alone = p->keys > 1 && p->ends[p->keys - 2] == inner.path.size;
            inner.keys -= alone;
        }
        TRY(name_place(r, p, text ? &inner : NULL));
    }
    return OK;
}

/* ---- routing ------------------------------------------------------------------------------- */

static bool route_value_holds(const struct route_value *wanted, struct slice folded)
{
    switch (wanted->match) {
    case ROUTE_EQUAL:
        return slice_equal(folded, wanted->text);
    case ROUTE_PREFIX:
        return slice_starts(folded, wanted->text);
    default:
        return true;
    }
}

/* Of several values the first counts. */
static bool term_holds(const struct reference *r, const struct route_term *term)
{
    const struct found *f = &r->names[find_name(r, taxonomy_route_field(r->taxonomy, term->route))];
    if (!f->count || f->values[0]->kind != REFERENCE_TEXT) {
        return false;
    }
    for (size_t i = 0; i < term->count; i++) {
        if (route_value_holds(&term->any_of[i], f->values[0]->folded)) {
            return true;
        }
    }
    return false;
}

static bool case_holds(const struct reference *r, const struct taxonomy_case *k)
{
    for (size_t i = 0; i < k->count; i++) {
        if (!term_holds(r, &k->all_of[i])) {
            return false;
        }
    }
    return true;
}

/* Each entry must hold; the first of its alternatives that does says where fields stand. */
static void route(struct reference *r, struct group *g)
{
    g->active = g->terms > 0;
    for (size_t t = 0; t < g->terms; t++) {
        g->seen[t] = NULL;
        for (size_t c = 0; c < g->case_count[t] && !g->seen[t]; c++) {
            if (case_holds(r, g->cases[t][c])) {
                g->seen[t] = g->cases[t][c];
            }
        }
        g->active = g->active && g->seen[t];
    }
}

/* ---- evaluation ---------------------------------------------------------------------------- */

static const struct field_alias *alias_of(
        const struct reference *r, const struct group *g, struct slice name)
{
    for (size_t t = 0; !r->any_source && t < g->terms; t++) {
        for (size_t a = 0; g->seen[t] && a < g->seen[t]->alias_count; a++) {
            if (slice_equal(g->seen[t]->aliases[a].name, name)) {
                return &g->seen[t]->aliases[a];
            }
        }
    }
    return NULL;
}

/* The values through an alias's map. */
static struct found mapped(
        struct reference *r, const struct field_alias *alias, const struct found *f)
{
    struct found out = {.count = f->count};
    out.values = ARENA_ARRAY(&r->event, const struct reference_value *, f->count);
    for (size_t i = 0; out.values && i < f->count; i++) {
        out.values[i] = f->values[i];
        for (size_t m = 0; m < alias->map_count; m++) {
            if (f->values[i]->kind == REFERENCE_TEXT &&
                    slice_equal(f->values[i]->folded, alias->map[2 * m])) {
                struct reference_value *v = ARENA_NEW(&r->event, struct reference_value);
                if (v) {
                    v->kind = REFERENCE_TEXT;
                    v->text = alias->map[2 * m + 1];
                    (void)!reference_leaf_fold(&r->event, v->text, &v->folded);
                    out.values[i] = v;
                }
                break;
            }
        }
    }
    return out;
}

static struct found field_values(struct reference *r, const struct group *g, uint32_t field)
{
    const struct found *f = &r->names[field];
    const struct field_alias *alias = alias_of(r, g, f->name);
    if (!alias) {
        return *f;
    }
    for (size_t i = 0; i < alias->from_count; i++) {
        f = &r->names[find_name(r, alias->from[i])];
        if (f->count) {
            return alias->map_count ? mapped(r, alias, f) : *f;
        }
    }
    return (struct found){0};
}

static enum verdict either(enum verdict a, enum verdict b)
{
    if (a == VERDICT_YES || b == VERDICT_YES) {
        return VERDICT_YES;
    }
    return a == VERDICT_UNDETERMINED ? a : b;
}

/* `*` asks for any value at all: a text, if only an empty one. */
static enum verdict test_keyword(struct reference *r, const struct predicate *p)
{
    enum verdict v = VERDICT_NO;
    for (size_t i = 0; i < r->place_count; i++) {
        if (p->op == OP_PRESENT && r->places[i].value.kind == REFERENCE_TEXT) {
            return VERDICT_YES;
        }
        v = either(v, reference_leaf_test(p, &r->places[i].value, r->cache));
    }
    return v;
}

static enum verdict test_fields(
        const struct predicate *p, const struct found *f, const struct found *other)
{
    for (size_t i = 0; i < f->count; i++) {
        for (size_t k = 0; k < other->count; k++) {
            const struct reference_value *a = f->values[i], *b = other->values[k];
            if (a->kind == REFERENCE_TEXT && b->kind == REFERENCE_TEXT &&
                    reference_leaf_texts(p->op, p->cased ? a->text : a->folded,
                            p->cased ? b->text : b->folded)) {
                return VERDICT_YES;
            }
        }
    }
    return VERDICT_NO;
}

/* Of several values, one that is not null is enough. */
static bool any_present(const struct found *f)
{
    for (size_t i = 0; i < f->count; i++) {
        if (f->values[i]->kind != REFERENCE_NULL) {
            return true;
        }
    }
    return false;
}

static enum verdict test(struct reference *r, const struct group *g, const struct predicate *p)
{
    if (p->field == FIELD_NONE) {
        return test_keyword(r, p);
    }
    struct found f = field_values(r, g, p->field);
    struct found other;
    switch (p->op) {
    case OP_NULL:
        return any_present(&f) ? VERDICT_NO : VERDICT_YES;
    case OP_PRESENT:
        return any_present(&f) ? VERDICT_YES : VERDICT_NO;
    case OP_EXISTS:
        return f.count ? VERDICT_YES : VERDICT_NO;
    case OP_FIELD_EQUAL:
    case OP_FIELD_PREFIX:
    case OP_FIELD_SUFFIX:
    case OP_FIELD_CONTAINS:
        other = field_values(r, g, p->other);
        return test_fields(p, &f, &other);
    default:
        break;
    }
    enum verdict v = VERDICT_NO;
    for (size_t i = 0; i < f.count; i++) {
        v = either(v, reference_leaf_test(p, f.values[i], r->cache));
    }
    return v;
}

/* Kleene's strong logic. The rules' reader bounds the depth of a condition. */
static enum verdict evaluate(struct reference *r, const struct group *g, const struct node *node)
{
    if (node->kind == NODE_PREDICATE) {
        return test(r, g, &r->set->predicates[node->predicate]);
    }
    if (node->kind == NODE_TRUE || node->kind == NODE_FALSE) {
        return node->kind == NODE_TRUE ? VERDICT_YES : VERDICT_NO;
    }
    uint32_t wanted = node->kind == NODE_AND        ? node->count
                      : node->kind == NODE_AT_LEAST ? node->threshold
                                                    : 1;
    uint32_t yes = 0, open = node->count;
    uint32_t maybe = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        enum verdict v = evaluate(r, g, node->children[i]);
        yes += v == VERDICT_YES;
        maybe += v == VERDICT_UNDETERMINED;
        open--;
        if (node->kind != NODE_NOT && (yes >= wanted || yes + maybe + open < wanted)) {
            break; /* what is left cannot change it */
        }
    }
    enum verdict v = yes >= wanted                  ? VERDICT_YES
                     : yes + maybe + open >= wanted ? VERDICT_UNDETERMINED
                                                    : VERDICT_NO;
    return node->kind == NODE_NOT ? verdict_not(v) : v;
}

enum verdict reference_rule(struct reference *reference, uint32_t rule)
{
    const struct group *g = &reference->groups[reference->group_of[rule]];
    return evaluate(reference, g, reference->set->rules[rule]->condition);
}

bool reference_routed(const struct reference *reference, uint32_t rule)
{
    return reference->any_source || reference->groups[reference->group_of[rule]].active;
}

enum err reference_judge(
        struct reference *reference, const struct tree *record, enum verdict *verdicts)
{
    static struct trail trail;
    struct reference *r = reference;
    arena_reset(&r->event);
    r->place_count = 0;
    trail.keys = 0;
    for (size_t i = 0; i < r->name_count; i++) {
        r->names[i].count = 0;
    }
    TRY(add_places(r, &trail, record));
    TRY(name_places(r));
    for (size_t i = 0; i < r->group_count; i++) {
        route(r, &r->groups[i]);
    }
    for (uint32_t i = 0; i < r->set->rule_count; i++) {
        verdicts[i] = reference_routed(r, i) ? reference_rule(r, i) : VERDICT_NO;
    }
    return OK;
}
