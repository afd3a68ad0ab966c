#include "detect/engine.h"

#include "base/memory.h"
#include "detect/engine_parts.h"
#include "sigma/correlation.h"

#define ENGINE_MEMORY ((size_t)1 << 30)

/* ---- fields ---- */

static enum err copy_fields(struct engine *e)
{
    uint32_t id;
    e->fields = field_table_new();
    if (!e->fields) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < field_count(e->set->fields); i++) {
        TRY(field_intern(e->fields, field_name(e->set->fields, i), &id));
    }
    return OK;
}

/* Names that no rule and no record can have, for fields that are filled from others. */
static enum err new_hidden_field(struct engine *e, uint32_t *id)
{
    struct buf name = {0};
    buf_format(&name, "\x02%u", field_count(e->fields));
    enum err err = name.failed ? ERR_MEMORY : field_intern(e->fields, buf_slice(&name), id);
    buf_fini(&name);
    return err;
}

static enum err add_alias(
        struct engine *e, const struct field_alias *alias, uint32_t *pair, struct fill *fill)
{
    uint32_t *from = ARENA_ARRAY(&e->arena, uint32_t, alias->from_count);
    if (!from) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < alias->from_count; i++) {
        TRY(field_intern(e->fields, alias->from[i], &from[i]));
    }
    if (alias->from_count == 1 && alias->map_count == 0) {
        pair[1] = from[0];
        return OK;
    }
    TRY(new_hidden_field(e, &pair[1]));
    *fill = (struct fill){pair[1], from, alias->from_count, alias->map, alias->map_count};
    return OK;
}

static enum err make_lens(struct engine *e, const struct taxonomy_case *k, struct engine_lens *lens)
{
    uint32_t *pairs = ARENA_ARRAY(&e->arena, uint32_t, k->alias_count * 2);
    struct fill *fills = ARENA_ARRAY(&e->arena, struct fill, k->alias_count);
    if (!pairs || !fills) {
        return ERR_MEMORY;
    }
    lens->pairs = pairs;
    lens->fills = fills;
    for (size_t i = 0; i < k->alias_count; i++) {
        uint32_t field = field_find(e->set->fields, k->aliases[i].name);
        if (field == FIELD_NONE) {
            continue; /* no rule asks for it */
        }
        struct fill fill = {0};
        uint32_t *pair = &pairs[lens->pair_count * 2];
        pair[0] = field;
        TRY(add_alias(e, &k->aliases[i], pair, &fill));
        lens->pair_count++;
        if (fill.from) {
            fills[lens->fill_count++] = fill;
        }
    }
    return OK;
}

static enum err make_lenses(struct engine *e)
{
    const struct taxonomy_entry *entries = taxonomy_entries(e->taxonomy, &e->entry_count);
    e->lenses = ARENA_ARRAY(&e->arena, struct engine_lens *, e->entry_count);
    if (!e->lenses) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < e->entry_count; i++) {
        e->lenses[i] = ARENA_ARRAY(&e->arena, struct engine_lens, entries[i].count);
        if (!e->lenses[i]) {
            return ERR_MEMORY;
        }
        for (size_t c = 0; c < entries[i].count; c++) {
            TRY(make_lens(e, &entries[i].any_of[c], &e->lenses[i][c]));
        }
    }
    return OK;
}

/* ---- rules ---- */

static enum err place_rules(struct engine *e)
{
    size_t count;
    const struct taxonomy_entry *first = taxonomy_entries(e->taxonomy, &count);
    e->rules = ARENA_ARRAY(&e->arena, struct engine_rule, e->set->rule_count);
    if (!e->rules) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < e->set->rule_count; i++) {
        const struct taxonomy_entry *terms[TAXONOMY_TERMS];
        struct engine_rule *r = &e->rules[i];
        r->rule = e->set->rules[i];
        r->excluded = r->rule->correlation || (e->options.excluded && e->options.excluded[i]);
        r->entry_count = (uint8_t)taxonomy_resolve(e->taxonomy, &r->rule->logsource, terms);
        for (uint8_t t = 0; t < r->entry_count; t++) {
            r->entries[t] = (uint16_t)(terms[t] - first);
        }
    }
    return OK;
}

/* Where the fields stand, or why that cannot be told: a taxonomy may ask for too much. */
static enum err build_paths(struct engine *e, struct diag *diag)
{
    size_t patterns;
    const struct path_pattern *list = taxonomy_patterns(e->taxonomy, &patterns);
    enum err err = paths_build(e->fields, list, patterns, &e->paths);
    if (err == ERR_LIMIT) {
        return diag_say(diag, err,
                "the taxonomy has over %d fields at one path, or over 255 weak patterns of one "
                "field",
                PATHS_TARGETS);
    }
    if (err == ERR_UNSUPPORTED) {
        return diag_say(diag, err, "more than one '?' of the taxonomy's patterns covers one path");
    }
    return err == OK ? OK : diag_say(diag, err, "no memory for the fields' places");
}

/* Can so many of its rules ever be true together with what its condition asks? */
static bool may_route(const struct engine *e, const struct correlation *c)
{
    uint32_t able = 0;
    for (uint32_t p = 0; p < c->part_count; p++) {
        able += e->rules[c->parts[p].rule->number].entry_count > 0;
    }
    bool temporal = c->type == CORRELATION_TEMPORAL || c->type == CORRELATION_TEMPORAL_ORDERED;
    if (able == 0 || !temporal || c->step_count) {
        return able > 0;
    }
    for (uint32_t n = 1; n <= able; n++) {
        if (correlation_within(c, n)) {
            return true;
        }
    }
    return false;
}

/* A correlation of rules that nothing maps is one itself; through chains, a link at a time. */
static void place_correlations(struct engine *e)
{
    bool moved = true;
    for (int depth = 0; moved && depth <= CORRELATION_CHAIN; depth++) {
        moved = false;
        for (uint32_t i = 0; i < e->set->rule_count; i++) {
            struct engine_rule *r = &e->rules[i];
            if (r->rule->correlation && r->entry_count && !may_route(e, r->rule->correlation)) {
                r->entry_count = 0;
                moved = true;
            }
        }
    }
}

static enum err build(struct engine *e, struct diag *diag)
{
    TRY(copy_fields(e));
    TRY(make_lenses(e));
    TRY(route_new(e->taxonomy, e->fields, &e->router, diag));
    if (e->entry_count > UINT16_MAX) {
        return diag_say(diag, ERR_LIMIT, "over %d logsources in the taxonomy", UINT16_MAX);
    }
    TRY(place_rules(e));
    place_correlations(e);
    TRY(build_paths(e, diag));
    e->classes = ARENA_ARRAY(&e->arena, struct engine_class *, ENGINE_CLASSES);
    e->symbol_count = e->options.any_source ? 0 : route_count(e->router);
    e->handles = ARENA_ARRAY(&e->arena, struct handle, e->set->predicate_count);
    return e->classes && e->handles ? OK : ERR_MEMORY;
}

enum err engine_new(const struct ruleset *set, const struct taxonomy *taxonomy,
        const struct engine_options *options, struct engine **out, struct diag *diag)
{
    struct engine *e = memory_alloc(sizeof *e);
    if (!e) {
        return ERR_MEMORY;
    }
    arena_init(&e->arena, ENGINE_MEMORY);
    e->set = set;
    e->taxonomy = taxonomy;
    e->options = *options;
    if (pthread_mutex_init(&e->lock, NULL) != 0) {
        arena_fini(&e->arena);
        memory_free(e);
        return ERR_MEMORY;
    }
    enum err err = build(e, diag);
    if (err != OK) {
        engine_free(e);
        return err;
    }
    *out = e;
    return OK;
}

static void free_class(struct engine_class *c)
{
    for (int i = 0; i < c->kept_count; i++) {
        plan_free(c->kept[i]);
    }
    class_fini(&c->class);
    memory_free(c->active);
    memory_free(c);
}

void engine_free(struct engine *engine)
{
    if (!engine) {
        return;
    }
    for (uint32_t i = 0; i < engine->class_count; i++) {
        free_class(engine->classes[i]);
    }
    route_free(engine->router);
    paths_free(engine->paths);
    field_table_free(engine->fields);
    pthread_mutex_destroy(&engine->lock);
    arena_fini(&engine->arena);
    memory_free(engine);
}

const struct paths *engine_paths(const struct engine *engine)
{
    return engine->paths;
}

uint32_t engine_field_count(const struct engine *engine)
{
    return field_count(engine->fields);
}

bool engine_routable(const struct engine *engine, uint32_t rule, struct diag *reason)
{
    const struct engine_rule *r = &engine->rules[rule];
    if (r->entry_count) {
        return true;
    }
    const struct logsource *l = &r->rule->logsource;
    if (r->rule->correlation) {
        diag_say(reason, ERR_NOT_FOUND, "too many of its rules are unroutable");
        return false;
    }
    diag_say(reason, ERR_NOT_FOUND,
            "no taxonomy entry for logsource product '%.*s' category '%.*s' service '%.*s'",
            SLICE_ARG(l->product), SLICE_ARG(l->category), SLICE_ARG(l->service));
    return false;
}

/* The rule's place in a class, whose rules stand in order of their numbers; NULL: not there. */
const struct class_rule *engine_place(const struct engine_class *class, uint32_t rule)
{
    const struct class_rule *rules = class->class.rules;
    uint32_t low = 0, high = class->class.rule_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (rules[middle].rule->number < rule) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < class->class.rule_count && rules[low].rule->number == rule ? &rules[low] : NULL;
}

bool engine_seen(const struct engine *engine, uint32_t rule)
{
    for (uint32_t i = 0; i < engine->class_count; i++) {
        if (engine_place(engine->classes[i], rule)) {
            return true;
        }
    }
    return false;
}

/* ---- classes ---- */

/* A class in the making. */
struct draft {
    const struct engine *engine;
    const uint8_t *active;
    struct arena scratch;
    struct class_member *members;
    struct view *views;
    uint64_t *keys; /* by view: the entries whose lenses it is made of */
    bool forced;    /* the rules belong, whatever their logsource */
    struct fill *fills;
    struct class_source source;
};

static bool belongs(const struct draft *d, const struct engine_rule *r)
{
    if (d->engine->options.any_source) {
        return true;
    }
    for (uint8_t t = 0; t < r->entry_count; t++) {
        if (d->active[r->entries[t]] == ROUTE_INACTIVE) {
            return false;
        }
    }
    return r->entry_count > 0;
}

static const struct engine_lens *lens_of(const struct draft *d, const struct engine_rule *r, int t)
{
    if (d->engine->options.any_source || t >= r->entry_count) {
        return NULL;
    }
    uint8_t k = d->active[r->entries[t]];
    if (k == ROUTE_INACTIVE) {
        return NULL;
    }
    const struct engine_lens *lens = &d->engine->lenses[r->entries[t]][k];
    return lens->pair_count ? lens : NULL;
}

static enum err add_view(struct draft *d, const struct engine_lens *const *lenses)
{
    uint32_t count = field_count(d->engine->set->fields);
    uint32_t *fields = ARENA_ARRAY(&d->scratch, uint32_t, count + 1);
    if (!fields) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        fields[i] = i;
    }
    for (int t = TAXONOMY_TERMS - 1; t >= 0; t--) {
        for (uint32_t i = 0; lenses[t] && i < lenses[t]->pair_count; i++) {
            fields[lenses[t]->pairs[2 * i]] = lenses[t]->pairs[2 * i + 1];
        }
    }
    d->views[d->source.view_count++].fields = fields;
    return OK;
}

/* The view through a rule's lenses; 0: none. Made when first asked for. */
static enum err view_of(struct draft *d, const struct engine_rule *r, uint32_t *view)
{
    const struct engine_lens *lenses[TAXONOMY_TERMS];
    uint64_t key = 0;
    bool any = false;
    for (int t = 0; t < TAXONOMY_TERMS; t++) {
        lenses[t] = lens_of(d, r, t);
        any = any || lenses[t];
        key = key << 17 | (lenses[t] ? r->entries[t] + 1u : 0);
    }
    *view = 0;
    if (!any) {
        return OK;
    }
    for (uint32_t v = 1; v < d->source.view_count; v++) {
        if (d->keys[v] == key) {
            *view = v;
            return OK;
        }
    }
    *view = d->source.view_count;
    d->keys[*view] = key;
    return add_view(d, lenses);
}

static enum err draft_members(struct draft *d, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        const struct engine_rule *r = &d->engine->rules[i];
        if (!d->forced && (r->excluded || !belongs(d, r))) {
            continue;
        }
        struct class_member *m = &d->members[d->source.member_count++];
        m->rule = r->rule;
        TRY(view_of(d, r, &m->view));
    }
    return OK;
}

static void draft_fills(struct draft *d)
{
    for (size_t e = 0; e < d->engine->entry_count && !d->engine->options.any_source; e++) {
        if (d->active[e] == ROUTE_INACTIVE) {
            continue;
        }
        const struct engine_lens *lens = &d->engine->lenses[e][d->active[e]];
        for (uint32_t i = 0; i < lens->fill_count; i++) {
            d->fills[d->source.fill_count++] = lens->fills[i];
        }
    }
}

static enum err draft_class(struct draft *d, uint32_t first, uint32_t end, struct class *out)
{
    const struct engine *e = d->engine;
    size_t fills = 0, views = end - first + 2;
    for (size_t i = 0; i < e->entry_count && !e->options.any_source; i++) {
        fills += d->active[i] == ROUTE_INACTIVE ? 0 : e->lenses[i][d->active[i]].fill_count;
    }
    d->members = ARENA_ARRAY(&d->scratch, struct class_member, end - first);
    d->views = ARENA_ARRAY(&d->scratch, struct view, views);
    d->keys = ARENA_ARRAY(&d->scratch, uint64_t, views);
    d->fills = ARENA_ARRAY(&d->scratch, struct fill, fills);
    if (!d->members || !d->views || !d->keys || !d->fills) {
        return ERR_MEMORY;
    }
    d->source.view_count = 1;
    TRY(draft_members(d, first, end));
    draft_fills(d);
    d->source.set = e->set;
    d->source.handles = e->handles;
    d->source.members = d->members;
    d->source.views = d->views;
    d->source.fills = d->fills;
    return class_build(&d->source, out);
}

static enum err make_class(const struct engine *engine, const uint8_t *active, struct class *out)
{
    struct draft d = {.engine = engine, .active = active};
    arena_init(&d.scratch, ENGINE_MEMORY);
    enum err e = draft_class(&d, 0, engine->set->rule_count, out);
    arena_fini(&d.scratch);
    return e;
}

enum err engine_class_of_rule(
        struct engine *engine, const struct engine_class *class, uint32_t rule, struct class *out)
{
    struct draft d = {.engine = engine, .active = class->active, .forced = true};
    arena_init(&d.scratch, ENGINE_MEMORY);
    pthread_mutex_lock(&engine->lock);
    enum err e = draft_class(&d, rule, rule + 1, out);
    pthread_mutex_unlock(&engine->lock);
    arena_fini(&d.scratch);
    return e;
}

static enum err first_plan(struct engine *engine, struct engine_class *c)
{
    struct plan *plan;
    TRY(plan_build(&c->class, NULL, field_count(engine->fields), &plan));
    c->kept[c->kept_count++] = plan;
    atomic_store(&c->plan, plan);
    return OK;
}

static enum err add_class(struct engine *engine, const uint8_t *active, struct engine_class **out)
{
    if (engine->class_count == ENGINE_CLASSES) {
        return ERR_LIMIT;
    }
    struct engine_class *c = memory_alloc(sizeof *c);
    if (!c) {
        return ERR_MEMORY;
    }
    c->active = memory_alloc(engine->entry_count + 1);
    enum err e = c->active ? OK : ERR_MEMORY;
    if (e == OK) {
        memcpy(c->active, active, engine->entry_count);
        e = make_class(engine, active, &c->class);
    }
    if (e == OK) {
        e = first_plan(engine, c);
    }
    if (e != OK) {
        free_class(c);
        return e;
    }
    c->number = engine->class_count;
    engine->classes[engine->class_count++] = c;
    *out = c;
    return OK;
}

static enum err find_or_add(
        struct engine *engine, const uint16_t *symbols, struct engine_class **out)
{
    uint8_t *active = memory_alloc(engine->entry_count + 1);
    if (!active) {
        return ERR_MEMORY;
    }
    if (engine->symbol_count) {
        route_active(engine->router, symbols, active);
    }
    enum err e = ERR_NOT_FOUND;
    for (uint32_t i = 0; i < engine->class_count && e != OK; i++) {
        if (memcmp(engine->classes[i]->active, active, engine->entry_count) == 0) {
            *out = engine->classes[i];
            e = OK;
        }
    }
    if (e != OK) {
        e = add_class(engine, active, out);
    }
    memory_free(active);
    return e;
}

enum err engine_class_for(struct engine *engine, const uint16_t *symbols, struct engine_class **out)
{
    pthread_mutex_lock(&engine->lock);
    enum err e = find_or_add(engine, symbols, out);
    pthread_mutex_unlock(&engine->lock);
    return e;
}

/* One judge makes the plan of a stage, outside the lock: others go on with the plan they have. */
enum err engine_tune(struct engine *engine, struct engine_class *class, int stage,
        const struct plan_facts *facts)
{
    struct plan *plan;
    int begun = atomic_load(&class->begun);
    do {
        if (begun >= stage || stage > ENGINE_STAGES) {
            return OK;
        }
    } while (!atomic_compare_exchange_weak(&class->begun, &begun, stage));
    TRY(plan_build(&class->class, facts, field_count(engine->fields), &plan));
    pthread_mutex_lock(&engine->lock);
    class->kept[class->kept_count++] = plan;
    if (class->stage < stage) {
        class->stage = stage;
        atomic_store(&class->plan, plan);
    }
    pthread_mutex_unlock(&engine->lock);
    return OK;
}
