#include "detect/route.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/memory.h"
#include "detect/value_cache.h"

enum { ABSENT = 0, OTHER = 1, FIRST_SYMBOL = 2, SYMBOL_LIMIT = 60000 };
#define ROUTER_MEMORY ((size_t)64 << 20)

/* A text that some entry asks for. */
struct constant {
    struct slice text;
    bool prefix;
};

/* The constants of one route; symbol = index + FIRST_SYMBOL. */
struct table {
    uint32_t field;
    struct constant *constants;
    uint32_t count;
    uint32_t *slots; /* of the constants that are no prefixes: index plus 1 */
    uint32_t mask;
};

/* Some fields of a bitmap. */
struct field_word {
    uint32_t word;
    uint64_t bits;
};

struct router {
    struct arena arena;
    const struct taxonomy *taxonomy;
    const struct taxonomy_entry *entries;
    size_t entry_count;
    struct table *tables; /* by route */
    size_t route_count;
    struct field_word *words; /* of the fields in which routes' values stand */
    uint32_t word_count;
    uint8_t *route_at; /* by field */
};

static uint32_t *slot_of(const struct table *t, struct slice text)
{
    uint32_t i = (uint32_t)hash_bytes(text, 1) & t->mask;
    while (t->slots[i] && !slice_equal(t->constants[t->slots[i] - 1].text, text)) {
        i = (i + 1) & t->mask;
    }
    return &t->slots[i];
}

/* ---- building ---- */

/* Calls `visit` for each value of each term of each case of each entry. */
typedef enum err visit_value(
        struct router *r, const struct route_term *term, const struct route_value *value);

static enum err each_value(struct router *r, visit_value *visit)
{
    for (size_t e = 0; e < r->entry_count; e++) {
        for (size_t c = 0; c < r->entries[e].count; c++) {
            const struct taxonomy_case *k = &r->entries[e].any_of[c];
            for (size_t t = 0; t < k->count; t++) {
                for (size_t v = 0; v < k->all_of[t].count; v++) {
                    TRY(visit(r, &k->all_of[t], &k->all_of[t].any_of[v]));
                }
            }
        }
    }
    return OK;
}

static enum err count_constant(
        struct router *r, const struct route_term *term, const struct route_value *value)
{
    if (term->route >= r->route_count) {
        return ERR_LIMIT;
    }
    r->tables[term->route].count += value->match != ROUTE_PRESENT;
    return OK;
}

static enum err add_constant(
        struct router *r, const struct route_term *term, const struct route_value *value)
{
    struct table *t = &r->tables[term->route];
    if (value->match == ROUTE_PREFIX) {
        for (uint32_t i = 0; i < t->count; i++) {
            if (t->constants[i].prefix && slice_equal(t->constants[i].text, value->text)) {
                return OK;
            }
        }
        t->constants[t->count++] = (struct constant){value->text, true};
    } else if (value->match == ROUTE_EQUAL) {
        uint32_t *slot = slot_of(t, value->text);
        if (*slot == 0) {
            t->constants[t->count++] = (struct constant){value->text, false};
            *slot = t->count;
        }
    }
    return OK;
}

static enum err make_tables(struct router *r)
{
    TRY(each_value(r, count_constant));
    for (size_t i = 0; i < r->route_count; i++) {
        struct table *t = &r->tables[i];
        uint32_t room = 16;
        while (room < t->count * 2) {
            room *= 2;
        }
        if (t->count > SYMBOL_LIMIT) {
            return ERR_LIMIT;
        }
        t->constants = ARENA_ARRAY(&r->arena, struct constant, t->count);
        t->slots = ARENA_ARRAY(&r->arena, uint32_t, room);
        if (!t->constants || !t->slots) {
            return ERR_MEMORY;
        }
        t->mask = room - 1;
        t->count = 0;
    }
    return each_value(r, add_constant);
}

static enum err index_fields(struct router *r, uint32_t fields)
{
    uint32_t words = fields / 64 + 1;
    uint64_t *bits = ARENA_ARRAY(&r->arena, uint64_t, words);
    r->words = ARENA_ARRAY(&r->arena, struct field_word, words);
    r->route_at = ARENA_ARRAY(&r->arena, uint8_t, fields + 1);
    if (!bits || !r->words || !r->route_at) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < r->route_count; i++) {
        uint32_t field = r->tables[i].field;
        bits[field >> 6] |= (uint64_t)1 << (field & 63);
        r->route_at[field] = (uint8_t)i;
    }
    for (uint32_t w = 0; w < words; w++) {
        if (bits[w]) {
            r->words[r->word_count++] = (struct field_word){w, bits[w]};
        }
    }
    return OK;
}

static enum err build(struct router *r, struct fields *fields, struct diag *diag)
{
    taxonomy_routes(r->taxonomy, &r->route_count);
    r->entries = taxonomy_entries(r->taxonomy, &r->entry_count);
    if (r->route_count > ROUTE_LIMIT) {
        return diag_say(diag, ERR_LIMIT, "over %d routes in the taxonomy", ROUTE_LIMIT);
    }
    for (size_t e = 0; e < r->entry_count; e++) {
        if (r->entries[e].count >= ROUTE_INACTIVE) {
            return diag_set(diag, ERR_LIMIT, r->entries[e].line, 0,
                    "over %d alternatives in a taxonomy entry", ROUTE_INACTIVE - 1);
        }
    }
    r->tables = ARENA_ARRAY(&r->arena, struct table, r->route_count);
    if (!r->tables) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < r->route_count; i++) {
        TRY(field_intern(fields, taxonomy_route_field(r->taxonomy, i), &r->tables[i].field));
    }
    TRY(index_fields(r, field_count(fields)));
    return make_tables(r);
}

enum err route_new(const struct taxonomy *taxonomy, struct fields *fields, struct router **out,
        struct diag *diag)
{
    struct router *r = memory_alloc(sizeof *r);
    if (!r) {
        return ERR_MEMORY;
    }
    arena_init(&r->arena, ROUTER_MEMORY);
    r->taxonomy = taxonomy;
    enum err e = build(r, fields, diag);
    if (e != OK) {
        route_free(r);
        return e;
    }
    *out = r;
    return OK;
}

void route_free(struct router *router)
{
    if (router) {
        arena_fini(&router->arena);
        memory_free(router);
    }
}

size_t route_count(const struct router *router)
{
    return router->route_count;
}

size_t route_entry_count(const struct router *router)
{
    return router->entry_count;
}

uint32_t route_field(const struct router *router, size_t route)
{
    return router->tables[route].field;
}

bool route_reads(const struct router *router, const uint64_t *bits)
{
    bool reads = false;
    for (uint32_t i = 0; i < router->word_count; i++) {
        reads = reads || (router->words[i].bits & bits[router->words[i].word]);
    }
    return reads;
}

/* ---- an event's symbols ---- */

static uint16_t symbol_of(const struct table *t, struct slice text)
{
    uint32_t found = *slot_of(t, text);
    if (found) {
        return (uint16_t)(found - 1 + FIRST_SYMBOL);
    }
    uint16_t symbol = OTHER;
    size_t longest = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct constant *c = &t->constants[i];
        if (c->prefix && slice_starts(text, c->text) && c->text.size >= longest) {
            longest = c->text.size;
            symbol = (uint16_t)(i + FIRST_SYMBOL);
        }
    }
    return symbol;
}

static uint16_t value_symbol(const struct router *router, struct route_memo *memo, size_t route,
        const struct value *v, struct texts *texts)
{
    const struct table *t = &router->tables[route];
    size_t size = v->text.size;
    if (t->count == 0) {
        return OTHER; /* no entry asks for more than whether it is there */
    }
    if (size == 0 || size > ROUTE_MEMO) {
        return symbol_of(t, texts_folded(texts, t->field, v));
    }
    /* Event ids differ in their last digit or (binary) first byte, channels in their length. */
    unsigned ends = (unsigned char)v->text.at[0] + (unsigned)(unsigned char)v->text.at[size - 1];
    size_t place = (ends + size) % ROUTE_REMEMBERED;
    struct route_memory *m = &memo->last[route][place];
    if (size == m->size && v->kind == m->kind && v->form == m->form &&
            value_cache_same(m->bytes, v->text.at, size)) {
        return m->symbol;
    }
    m->symbol = symbol_of(t, texts_folded(texts, t->field, v));
    m->size = (uint8_t)size;
    m->kind = v->kind;
    m->form = v->form;
    memcpy(m->bytes, v->text.at, size);
    return m->symbol;
}

size_t route_key(const struct router *router, struct route_memo *memo, const struct event *event,
        struct texts *texts, uint32_t *key)
{
    size_t count = 0;
    for (uint32_t i = 0; i < router->word_count; i++) {
        const struct field_word *w = &router->words[i];
        uint64_t bits = w->bits & event->present[w->word];
        for (; bits; bits &= bits - 1) {
            uint32_t field = w->word * 64 + (uint32_t)__builtin_ctzll(bits);
            const struct value *v = &event->values[field];
            if (v->kind != VALUE_NULL && v->kind != VALUE_OBJECT) {
                uint32_t route = router->route_at[field];
                key[count++] = route << 16 | value_symbol(router, memo, route, v, texts);
            }
        }
    }
    return count;
}

void route_symbols(
        const struct router *router, const uint32_t *key, size_t count, uint16_t *symbols)
{
    memset(symbols, 0, router->route_count * sizeof *symbols); /* ABSENT */
    for (size_t i = 0; i < count; i++) {
        symbols[key[i] >> 16] = (uint16_t)key[i];
    }
}

/* ---- from symbols to entries ---- */

static bool value_holds(const struct table *t, uint16_t symbol, const struct route_value *value)
{
    if (symbol == ABSENT) {
        return false;
    }
    if (value->match == ROUTE_PRESENT) {
        return true;
    }
    if (symbol == OTHER) {
        return false;
    }
    /* Of a value that is no constant itself, every prefix that it has is a prefix of its longest.
     */
    const struct constant *c = &t->constants[symbol - FIRST_SYMBOL];
    return value->match == ROUTE_PREFIX ? slice_starts(c->text, value->text)
                                        : !c->prefix && slice_equal(c->text, value->text);
}

static bool case_holds(
        const struct router *r, const struct taxonomy_case *k, const uint16_t *symbols)
{
    for (size_t t = 0; t < k->count; t++) {
        const struct route_term *term = &k->all_of[t];
        bool any = false;
        for (size_t v = 0; v < term->count && !any; v++) {
            any = value_holds(&r->tables[term->route], symbols[term->route], &term->any_of[v]);
        }
        if (!any) {
            return false;
        }
    }
    return true;
}

void route_active(const struct router *router, const uint16_t *symbols, uint8_t *active)
{
    for (size_t e = 0; e < router->entry_count; e++) {
        const struct taxonomy_entry *entry = &router->entries[e];
        active[e] = ROUTE_INACTIVE;
        for (size_t c = 0; c < entry->count; c++) {
            if (case_holds(router, &entry->any_of[c], symbols)) {
                active[e] = (uint8_t)c;
                break;
            }
        }
    }
}
