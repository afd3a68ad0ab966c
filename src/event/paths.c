#include "event/paths.h"

#include "base/buf.h"
#include "base/memory.h"

/* `?` in the text of a node: no name of a rule can hold it by chance and matter. */
#define ANY_KEY SLICE("\x02")

/* A path's text, collected in a nondeterministic automaton whose nodes are texts; then `?` is
 * resolved: a key that an edge names is any key as well, so the node it leads to `also` has the
 * edges below the `?`. Links instead of copies: the names below would be squared. */

struct build_edge {
    uint32_t from;
    uint32_t to;
    uint32_t next; /* of the same `from`; PATHS_NONE: last */
};

struct build_node {
    uint32_t field[PATHS_TARGETS];
    uint8_t weak[PATHS_TARGETS];
    uint32_t first; /* edge */
    uint32_t any;   /* node behind `?`, or PATHS_NONE */
};

struct build {
    struct intern *texts;
    struct build_node *nodes;
    size_t node_room;
    struct build_edge *edges;
    size_t edge_count;
    size_t edge_room;
    struct paths *paths;
};

/* A path divided into its keys: ends[i] is the text's size up to key i. */
struct divided {
    struct slice text;
    size_t ends[PATHS_COMPONENTS + 1];
    size_t count;
    size_t after_any; /* keys up to the last `?`: no key with dots reaches over it */
};

struct target {
    uint32_t field;
    uint8_t weak;
};

/* ---- collecting ------------------------------------------------------------------------------ */

static enum err node_put(struct build *b, struct slice text, uint32_t *id, bool *fresh)
{
    TRY(intern_put(b->texts, text, id, fresh));
    if (!*fresh) {
        return OK;
    }
    if (!memory_grow(&b->nodes, &b->node_room, b->texts->count, sizeof *b->nodes)) {
        return ERR_MEMORY;
    }
    struct build_node *node = &b->nodes[*id];
    *node = (struct build_node){.first = PATHS_NONE, .any = PATHS_NONE};
    memset(node->field, 0xff, sizeof node->field);
    return OK;
}

static enum err edge_put(struct build *b, uint32_t from, uint32_t to)
{
    if (!memory_grow(&b->edges, &b->edge_room, b->edge_count + 1, sizeof *b->edges)) {
        return ERR_MEMORY;
    }
    b->edges[b->edge_count] = (struct build_edge){from, to, b->nodes[from].first};
    b->nodes[from].first = (uint32_t)b->edge_count++;
    return OK;
}

/* Gives a node a field, stronger of two when it has it already. */
static enum err target_put(struct build_node *node, struct target target)
{
    for (int i = 0; i < PATHS_TARGETS; i++) {
        if (node->field[i] == FIELD_NONE) {
            node->field[i] = target.field;
            node->weak[i] = target.weak;
            return OK;
        }
        if (node->field[i] == target.field) {
            if (target.weak < node->weak[i]) {
                node->weak[i] = target.weak;
            }
            return OK;
        }
    }
    return ERR_LIMIT;
}

static void divide(struct divided *d)
{
    size_t start = 0;
    for (size_t i = 0; i <= d->text.size; i++) {
        bool end = i == d->text.size;
        if (!end && (d->text.at[i] != '.' || d->count == PATHS_COMPONENTS - 1)) {
            continue;
        }
        d->ends[++d->count] = i;
        if (slice_equal(slice_of(d->text.at + start, i - start), ANY_KEY)) {
            d->after_any = d->count;
        }
        start = i + 1;
    }
}

/* The key that leads from the end of key i to the end of key j. */
static struct slice path_part(const struct divided *d, size_t i, size_t j)
{
    size_t start = i ? d->ends[i] + 1 : 0;
    return slice_of(d->text.at + start, d->ends[j] - start);
}

/* The edges to the node of the first j keys, which is new. */
static enum err edges_to(struct build *b, const struct divided *d, const uint32_t *nodes, size_t j)
{
    if (slice_equal(path_part(d, j - 1, j), ANY_KEY)) {
        b->nodes[nodes[j - 1]].any = nodes[j];
        return OK;
    }
    size_t first = j > d->after_any ? d->after_any : 0;
    for (size_t i = first; i < j; i++) {
        TRY(edge_put(b, nodes[i], nodes[j]));
    }
    return OK;
}

static enum err path_put(struct build *b, const struct divided *d, struct target target)
{
    uint32_t nodes[PATHS_COMPONENTS + 1] = {PATHS_ROOT};
    bool fresh = false;
    for (size_t j = 1; j <= d->count; j++) {
        TRY(node_put(b, slice_of(d->text.at, d->ends[j]), &nodes[j], &fresh));
        if (fresh) {
            TRY(edges_to(b, d, nodes, j));
        }
    }
    uint32_t leaf = nodes[d->count];
    TRY(target_put(&b->nodes[leaf], target));
    struct buf text = {0};
    buf_add(&text, d->text);
    buf_add(&text, SLICE(".#text"));
    uint32_t inner = 0;
    enum err e = text.failed ? ERR_MEMORY : node_put(b, buf_slice(&text), &inner, &fresh);
    buf_fini(&text);
    if (e == OK && fresh) {
        e = edge_put(b, leaf, inner);
    }
    return e == OK ? target_put(&b->nodes[inner], target) : e;
}

/* ---- patterns -------------------------------------------------------------------------------- */

static bool is_inner(struct slice name)
{
    return name.size && name.at[0] == '\x01';
}

/* Puts one path: the pattern's keys, the last replaced by `star` when that is not NULL. */
static enum err pattern_put(
        struct build *b, struct slice pattern, const struct slice *star, struct target target)
{
    struct buf text = {0};
    struct slice rest = pattern;
    for (bool more = true; more;) {
        more = slice_find_byte(rest, '.') < rest.size;
        struct slice key = slice_cut(&rest, '.');
        bool last = star && !more;
        buf_add(&text, last ? *star : slice_equal(key, SLICE("?")) ? ANY_KEY : key);
        if (more) {
            buf_byte(&text, '.');
        }
    }
    struct divided d = {.text = text.size ? buf_slice(&text) : SLICE("")};
    divide(&d);
    enum err e = text.failed ? ERR_MEMORY : path_put(b, &d, target);
    buf_fini(&text);
    return e;
}

static enum err pattern_put_all(
        struct build *b, const struct fields *fields, struct slice pattern, uint8_t weak)
{
    uint32_t count = field_count(fields);
    for (uint32_t i = 0; i < count; i++) {
        struct slice name = field_name(fields, i);
        if (!is_inner(name) && slice_find(name, ANY_KEY) == SIZE_MAX) {
            TRY(pattern_put(b, pattern, &name, (struct target){i, weak}));
        }
    }
    return OK;
}

/* The pattern's place among the weak ones that can give the same name; 0: it is not weak. */
static enum err pattern_rank(const struct path_pattern *patterns, size_t at, uint8_t *ranks)
{
    ranks[at] = patterns[at].weak;
    bool star = slice_equal(patterns[at].name, SLICE("*"));
    for (size_t i = 0; patterns[at].weak && i < at; i++) {
        bool same = star || slice_equal(patterns[i].name, patterns[at].name) ||
                    slice_equal(patterns[i].name, SLICE("*"));
        if (!same || !patterns[i].weak || ranks[i] < ranks[at]) {
            continue;
        }
        if (ranks[i] == UINT8_MAX) {
            return ERR_LIMIT;
        }
        ranks[at] = (uint8_t)(ranks[i] + 1);
    }
    return OK;
}

static enum err collect(struct build *b, struct fields *fields, const struct path_pattern *patterns,
        size_t count, uint8_t *ranks)
{
    for (size_t i = 0; i < count; i++) {
        if (is_inner(patterns[i].name)) {
            uint32_t id;
            TRY(field_intern(fields, patterns[i].name, &id));
        }
    }
    uint32_t root;
    bool fresh;
    TRY(node_put(b, SLICE(""), &root, &fresh));
    for (size_t i = 0; i < count; i++) {
        const struct path_pattern *p = &patterns[i];
        TRY(pattern_rank(patterns, i, ranks));
        if (slice_equal(p->name, SLICE("*"))) {
            TRY(pattern_put_all(b, fields, p->pattern, ranks[i]));
            continue;
        }
        uint32_t id = field_find(fields, p->name);
        if (id != FIELD_NONE) {
            TRY(pattern_put(b, p->pattern, NULL, (struct target){id, ranks[i]}));
        }
    }
    return OK;
}

/* ---- resolving `?` --------------------------------------------------------------------------- */

struct pair {
    uint32_t node; /* stands for itself and ... */
    uint32_t any;  /* ... for this one too */
};

struct pairs {
    struct pair *at;
    size_t count;
    size_t room;
};

static enum err pair_put(struct pairs *pairs, uint32_t node, uint32_t any)
{
    if (!memory_grow(&pairs->at, &pairs->room, pairs->count + 1, sizeof *pairs->at)) {
        return ERR_MEMORY;
    }
    pairs->at[pairs->count++] = (struct pair){node, any};
    return OK;
}

static struct slice edge_key(const struct build *b, const struct build_edge *e)
{
    struct slice from = intern_text(b->texts, e->from);
    struct slice to = intern_text(b->texts, e->to);
    size_t skip = e->from == PATHS_ROOT ? 0 : from.size + 1;
    return slice_of(to.at + skip, to.size - skip);
}

/* The node's own edge for a key, or NULL. */
static const struct path_edge *find_own(const struct paths *p, uint32_t node, struct slice key)
{
    uint64_t hash = paths_hash(node, key);
    for (uint32_t i = (uint32_t)hash & p->mask; p->slots[i].key.at; i = (i + 1) & p->mask) {
        const struct path_edge *e = &p->slots[i];
        if (e->hash == hash && e->node == node && slice_equal(e->key, key)) {
            return e;
        }
    }
    return NULL;
}

/* All that holds below pair.any holds below pair.node. */
static enum err pair_join(struct build *b, struct pair pair, struct pairs *pairs)
{
    uint32_t *also = &b->paths->also[pair.node];
    if (*also == pair.any) {
        return OK;
    }
    if (*also != PATHS_NONE) {
        return ERR_UNSUPPORTED;
    }
    *also = pair.any;
    struct build_node *node = &b->nodes[pair.node];
    const struct build_node *any = &b->nodes[pair.any];
    for (int i = 0; i < PATHS_TARGETS && any->field[i] != FIELD_NONE; i++) {
        TRY(target_put(node, (struct target){any->field[i], any->weak[i]}));
    }
    for (uint32_t i = node->first; i != PATHS_NONE; i = b->edges[i].next) {
        const struct path_edge *same = find_own(b->paths, pair.any, edge_key(b, &b->edges[i]));
        if (same) {
            TRY(pair_put(pairs, b->edges[i].to, same->child));
        }
    }
    bool both = node->any != PATHS_NONE && any->any != PATHS_NONE;
    return both ? pair_put(pairs, node->any, any->any) : OK;
}

static enum err resolve(struct build *b, struct pairs *pairs)
{
    for (size_t i = 0; i < b->edge_count; i++) {
        const struct build_edge *e = &b->edges[i];
        uint32_t any = b->nodes[e->from].any;
        struct slice key = edge_key(b, e);
        if (any != PATHS_NONE && slice_find_byte(key, '.') == key.size) {
            TRY(pair_put(pairs, e->to, any));
        }
    }
    for (size_t i = 0; i < pairs->count; i++) {
        TRY(pair_join(b, pairs->at[i], pairs));
    }
    return OK;
}

/* ---- the table ------------------------------------------------------------------------------- */

static enum err table_new(struct build *b)
{
    struct paths *p = b->paths;
    size_t slots = 16;
    while (slots < b->edge_count * 2) {
        slots *= 2;
    }
    p->node_count = b->texts->count;
    p->mask = (uint32_t)(slots - 1);
    p->slots = memory_alloc_array(slots, sizeof *p->slots);
    p->filter = memory_alloc_array(slots * PATHS_FILTER / 64, sizeof *p->filter);
    p->any = memory_alloc_array(p->node_count, sizeof *p->any);
    p->also = memory_alloc_array(p->node_count, sizeof *p->also);
    size_t any_count = 0;
    for (uint32_t i = 0; i < p->node_count; i++) {
        any_count += b->nodes[i].any != PATHS_NONE;
    }
    p->any_edges = memory_alloc_array(any_count + 1, sizeof *p->any_edges);
    if (!p->slots || !p->filter || !p->any || !p->also || !p->any_edges) {
        return ERR_MEMORY;
    }
    memset(p->any, 0xff, p->node_count * sizeof *p->any);
    memset(p->also, 0xff, p->node_count * sizeof *p->also);
    for (size_t i = 0; i < b->edge_count; i++) {
        const struct build_edge *e = &b->edges[i];
        struct slice key = edge_key(b, e);
        uint64_t hash = paths_hash(e->from, key), bit;
        uint64_t *word = paths_filter(p, hash, &bit); /* first: it sets bit */
        *word |= bit;
        uint32_t at = (uint32_t)hash & p->mask;
        while (p->slots[at].key.at) {
            at = (at + 1) & p->mask;
        }
        p->slots[at] =
                (struct path_edge){.key = key, .hash = hash, .node = e->from, .child = e->to};
    }
    return OK;
}

/* Fields and children of an edge, once all nodes are known in full. */
static void edge_finish(const struct build *b, struct path_edge *edge, uint32_t to)
{
    const struct build_node *node = &b->nodes[to];
    memcpy(edge->field, node->field, sizeof edge->field);
    memcpy(edge->weak, node->weak, sizeof edge->weak);
    bool leads = node->first != PATHS_NONE || node->any != PATHS_NONE ||
                 b->paths->also[to] != PATHS_NONE;
    edge->child = leads ? to : PATHS_NONE;
}

static void table_finish(struct build *b)
{
    struct paths *p = b->paths;
    for (size_t i = 0; i <= p->mask; i++) {
        if (p->slots[i].key.at) {
            edge_finish(b, &p->slots[i], p->slots[i].child);
        }
    }
    uint32_t any_count = 0;
    for (uint32_t i = 0; i < p->node_count; i++) {
        if (b->nodes[i].any != PATHS_NONE) {
            struct path_edge *edge = &p->any_edges[any_count];
            edge->node = i;
            edge_finish(b, edge, b->nodes[i].any);
            p->any[i] = any_count++;
        } else if (p->also[i] != PATHS_NONE) {
            p->any[i] = PATHS_ELSEWHERE;
        }
    }
}

enum err paths_build(struct fields *fields, const struct path_pattern *patterns, size_t count,
        struct paths **out)
{
    struct build b = {.paths = memory_alloc(sizeof *b.paths)};
    struct pairs pairs = {0};
    uint8_t *ranks = memory_alloc(count + 1);
    enum err e = ERR_MEMORY;
    if (!b.paths || !ranks) {
        goto out;
    }
    b.texts = &b.paths->texts;
    intern_init(b.texts, PATHS_NODES_LIMIT);
    e = collect(&b, fields, patterns, count, ranks);
    if (e == OK) {
        e = table_new(&b);
    }
    if (e == OK) {
        e = resolve(&b, &pairs);
    }
    if (e == OK) {
        table_finish(&b);
        b.paths->field_count = field_count(fields);
        *out = b.paths;
        b.paths = NULL;
    }
out:
    memory_free(b.nodes);
    memory_free(b.edges);
    memory_free(pairs.at);
    memory_free(ranks);
    paths_free(b.paths);
    return e;
}

void paths_free(struct paths *paths)
{
    if (paths) {
        memory_free(paths->slots);
        memory_free(paths->filter);
        memory_free(paths->any);
        memory_free(paths->any_edges);
        memory_free(paths->also);
        intern_fini(&paths->texts);
        memory_free(paths);
    }
}

const struct path_edge *paths_find_any(const struct paths *p, uint32_t node, struct slice key)
{
    for (uint32_t n = p->also[node]; n != PATHS_NONE; n = p->also[n]) {
        const struct path_edge *e = find_own(p, n, key);
        if (e) {
            return e;
        }
    }
    for (uint32_t n = node; n != PATHS_NONE; n = p->also[n]) {
        if (p->any[n] < PATHS_ELSEWHERE) {
            return &p->any_edges[p->any[n]];
        }
    }
    return NULL;
}
