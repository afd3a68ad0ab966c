#include "sigma/correlation_link.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/intern.h"
#include "base/memory.h"
#include "sigma/correlation_meaning.h"

#define NOWHERE UINT32_MAX
enum { TEXTS = 1 << 22, KINDS = 3 };

/* Rules by one kind of text: the first that has it, and for each rule the next. */
struct index {
    struct intern texts;
    uint32_t *first; /* by text */
    uint32_t *next;  /* by draft */
};

struct linker {
    const struct correlation_link *link;
    struct arena scratch;
    struct index by[KINDS]; /* id, name, title */
    uint32_t **parts;       /* by draft, then part: the draft it means */
    uint32_t *levels;       /* by draft: of a ranked correlation, from 1 */
    uint32_t *order;        /* ranked correlations */
    uint32_t ranked;
    uint32_t **wanted; /* by draft: fields asked of it */
    uint32_t *wanted_count;
    size_t *wanted_room;
    struct buf folded;
};

static struct draft *draft_at(const struct linker *l, uint32_t i)
{
    return l->link->drafts[i];
}

static bool is_correlation(const struct draft *d)
{
    return d->kind == DRAFT_RULE && d->correlation;
}

/* ---- refusing ------------------------------------------------------------------------------ */

__attribute__((format(printf, 5, 6))) static enum err refuse(struct linker *l, uint32_t i,
        const struct correlation_part *at, enum err e, const char *format, ...)
{
    struct draft *d = draft_at(l, i);
    struct diag diag = {0};
    char words[DIAG_WORDS];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(words, sizeof words, format, list);
    va_end(list);
    diag_say(&diag, e, "correlation: %s", words);
    struct slice reason = arena_copy(l->link->arena, slice_text(diag.words));
    d->kind = DRAFT_PROBLEM;
    d->problem = (struct ruleset_problem){.file = d->rule.file,
            .id = d->rule.id,
            .title = d->rule.title,
            .line = at ? at->line : d->rule.line,
            .column = at ? at->column : 1,
            .reason = reason,
            .err = e};
    return reason.at ? OK : ERR_MEMORY;
}

/* ---- finding rules ------------------------------------------------------------------------- */

static struct slice fold_ascii(struct linker *l, struct slice text)
{
    buf_clear(&l->folded);
    for (size_t i = 0; i < text.size; i++) {
        char c = text.at[i];
        buf_byte(&l->folded, (char)(c >= 'A' && c <= 'Z' ? c + 32 : c));
    }
    return buf_slice(&l->folded);
}

static struct slice text_of(struct linker *l, const struct draft *d, int kind)
{
    bool problem = d->kind == DRAFT_PROBLEM;
    switch (kind) {
    case 0:
        return fold_ascii(l, problem ? d->problem.id : d->rule.id);
    case 1:
        return d->name;
    default:
        return problem ? d->problem.title : d->rule.title;
    }
}

/* From the last to the first, so that lists are in order. */
static enum err make_index(struct linker *l, int kind)
{
    struct index *x = &l->by[kind];
    uint32_t count = l->link->count, id;
    intern_init(&x->texts, TEXTS);
    x->first = ARENA_ARRAY(&l->scratch, uint32_t, count);
    x->next = ARENA_ARRAY(&l->scratch, uint32_t, count);
    if (!x->first || !x->next) {
        return ERR_MEMORY;
    }
    for (uint32_t i = count; i-- > 0;) {
        const struct draft *d = draft_at(l, i);
        struct slice text = text_of(l, d, kind);
        bool fresh;
        x->next[i] = NOWHERE;
        if (d->kind == DRAFT_FILTER || text.size == 0) {
            continue;
        }
        TRY(intern_put(&x->texts, text, &id, &fresh));
        x->next[i] = fresh ? NOWHERE : x->first[id];
        x->first[id] = i;
    }
    return OK;
}

/* How many rules of this kind's text there are; *found: the one, or the one of the same file, or
 * one of several. *refused: there are only documents that were refused. */
struct finding {
    uint32_t found;
    uint32_t other; /* a second one, where it cannot be told which is meant */
    bool refused;
};

static bool find_by(struct linker *l, uint32_t from, const struct correlation_part *part, int kind,
        struct finding *out)
{
    struct slice text = kind == 0 ? fold_ascii(l, part->reference) : part->reference;
    uint32_t id = intern_find(&l->by[kind].texts, text), all = 0, near = 0;
    uint32_t first = NOWHERE, second = NOWHERE, neighbour = NOWHERE;
    for (uint32_t i = id == INTERN_NONE ? NOWHERE : l->by[kind].first[id]; i != NOWHERE;
            i = l->by[kind].next[i]) {
        const struct draft *d = draft_at(l, i);
        if (d->kind == DRAFT_PROBLEM) {
            out->refused = true;
            continue;
        }
        second = all == 1 ? i : second;
        first = all++ == 0 ? i : first;
        if (slice_equal(d->rule.file, draft_at(l, from)->rule.file)) {
            neighbour = i;
            near++;
        }
    }
    *out = (struct finding){first, second, out->refused};
    if (near == 1) {
        *out = (struct finding){neighbour, NOWHERE, false};
    }
    return all > 0;
}

static enum err resolve_part(
        struct linker *l, uint32_t from, const struct correlation_part *part, uint32_t *to)
{
    struct finding f = {NOWHERE, NOWHERE, false};
    for (int kind = 0; kind < KINDS && !find_by(l, from, part, kind, &f); kind++) {
    }
    *to = f.found;
    if (f.found == NOWHERE) {
        return refuse(l, from, part, ERR_NOT_FOUND,
                f.refused ? "rule '%.*s' was refused" : "no rule has the id, name or title '%.*s'",
                SLICE_ARG(part->reference));
    }
    if (f.other != NOWHERE) {
        const struct draft *a = draft_at(l, f.found), *b = draft_at(l, f.other);
        return refuse(l, from, part, ERR_SYNTAX, "'%.*s' may be the rule of %.*s:%u or of %.*s:%u",
                SLICE_ARG(part->reference), SLICE_ARG(a->rule.file), a->rule.line,
                SLICE_ARG(b->rule.file), b->rule.line);
    }
    return OK;
}

static enum err resolve_aliases(struct linker *l, uint32_t from)
{
    struct correlation *c = draft_at(l, from)->correlation;
    for (uint32_t a = 0; a < c->alias_count; a++) {
        struct correlation_alias *alias = &c->aliases[a];
        struct correlation_part at = {
                .reference = alias->reference, .line = alias->line, .column = alias->column};
        uint32_t to = NOWHERE;
        alias->part = NOWHERE;
        for (uint32_t i = 0; i < c->part_count; i++) {
            if (slice_equal(c->parts[i].reference, alias->reference)) {
                alias->part = i;
            }
        }
        if (alias->part == NOWHERE) {
            TRY(resolve_part(l, from, &at, &to));
        }
        for (uint32_t i = 0; i < c->part_count && alias->part == NOWHERE; i++) {
            alias->part = to != NOWHERE && l->parts[from][i] == to ? i : NOWHERE;
        }
        if (draft_at(l, from)->kind == DRAFT_PROBLEM) {
            return OK;
        }
        if (alias->part == NOWHERE) {
            return refuse(l, from, &at, ERR_SYNTAX,
                    "alias '%.*s': '%.*s' is none of the correlation's rules",
                    SLICE_ARG(alias->name), SLICE_ARG(alias->reference));
        }
    }
    return OK;
}

static enum err resolve(struct linker *l, uint32_t i)
{
    struct correlation *c = draft_at(l, i)->correlation;
    l->parts[i] = ARENA_ARRAY(&l->scratch, uint32_t, c->part_count);
    if (!l->parts[i]) {
        return ERR_MEMORY;
    }
    for (uint32_t p = 0; p < c->part_count; p++) {
        TRY(resolve_part(l, i, &c->parts[p], &l->parts[i][p]));
        if (draft_at(l, i)->kind == DRAFT_PROBLEM) {
            return OK;
        }
        for (uint32_t k = 0; k < p; k++) {
            if (l->parts[i][k] == l->parts[i][p]) {
                return refuse(l, i, &c->parts[p], ERR_SYNTAX, "'%.*s' and '%.*s' are the same rule",
                        SLICE_ARG(c->parts[k].reference), SLICE_ARG(c->parts[p].reference));
            }
        }
    }
    return resolve_aliases(l, i);
}

/* ---- order, cycles ------------------------------------------------------------------------- */

/* The level of a correlation whose parts all have one; 0: not yet. *bad: a refused part. */
static uint32_t level_of(const struct linker *l, uint32_t i, uint32_t *bad)
{
    const struct correlation *c = draft_at(l, i)->correlation;
    uint32_t level = 1;
    *bad = NOWHERE;
    for (uint32_t p = 0; p < c->part_count; p++) {
        uint32_t to = l->parts[i][p];
        const struct draft *d = draft_at(l, to);
        if (d->kind == DRAFT_PROBLEM) {
            *bad = p;
            return 0;
        }
        if (d->correlation && l->levels[to] == 0) {
            level = 0;
        } else if (level && d->correlation && l->levels[to] >= level) {
            level = l->levels[to] + 1;
        }
    }
    return level;
}

/* One level more; *moved: something was ranked or refused. */
static enum err rank_pass(struct linker *l, uint32_t pass, bool *moved)
{
    *moved = false;
    for (uint32_t i = 0; i < l->link->count; i++) {
        struct draft *d = draft_at(l, i);
        uint32_t bad;
        if (!is_correlation(d) || l->levels[i]) {
            continue;
        }
        uint32_t level = level_of(l, i, &bad);
        if (bad != NOWHERE) {
            *moved = true;
            TRY(refuse(l, i, &d->correlation->parts[bad], ERR_NOT_FOUND, "rule '%.*s' was refused",
                    SLICE_ARG(d->correlation->parts[bad].reference)));
        } else if (level == pass && level > CORRELATION_CHAIN) {
            *moved = true;
            TRY(refuse(l, i, NULL, ERR_LIMIT, "a chain of more correlations than the limit of %d",
                    (int)CORRELATION_CHAIN));
        } else if (level == pass) {
            *moved = true;
            l->levels[i] = level;
            d->correlation->rank = l->ranked;
            l->order[l->ranked++] = i;
        }
    }
    return OK;
}

/* The first part of an unranked correlation that is unranked itself. */
static uint32_t unranked_part(const struct linker *l, uint32_t i)
{
    const struct correlation *c = draft_at(l, i)->correlation;
    for (uint32_t p = 0; p < c->part_count; p++) {
        uint32_t to = l->parts[i][p];
        if (draft_at(l, to)->correlation && l->levels[to] == 0) {
            return p;
        }
    }
    return NOWHERE;
}

/* From a correlation that cannot be ranked along its first such parts: does it come back? */
static bool write_cycle(struct linker *l, uint32_t start, struct buf *words)
{
    uint32_t at = start;
    for (uint32_t n = 0; n <= l->link->count; n++) {
        buf_add(words, draft_at(l, at)->rule.title);
        if (n > 0 && at == start) {
            return true;
        }
        uint32_t p = unranked_part(l, at);
        if (p == NOWHERE) {
            return false;
        }
        buf_add(words, SLICE(" -> "));
        at = l->parts[at][p];
    }
    return false;
}

static enum err refuse_cycle(struct linker *l, uint32_t i)
{
    struct buf words = {0};
    const struct correlation *c = draft_at(l, i)->correlation;
    uint32_t p = unranked_part(l, i);
    enum err e = OK;
    if (write_cycle(l, i, &words)) {
        e = refuse(l, i, &c->parts[p], ERR_SYNTAX, "a cycle: %.*s", SLICE_ARG(buf_slice(&words)));
    } else {
        e = refuse(l, i, &c->parts[p], ERR_SYNTAX, "rule '%.*s' leads into a cycle",
                SLICE_ARG(c->parts[p].reference));
    }
    buf_fini(&words);
    return e;
}

static enum err rank(struct linker *l)
{
    bool moved = true;
    for (uint32_t pass = 1; moved; pass++) {
        TRY(rank_pass(l, pass, &moved));
    }
    /* What is left runs in circles; the words are found before any becomes a problem. */
    for (uint32_t i = 0; i < l->link->count; i++) {
        if (is_correlation(draft_at(l, i)) && l->levels[i] == 0) {
            TRY(refuse_cycle(l, i));
        }
    }
    return OK;
}

/* ---- fields -------------------------------------------------------------------------------- */

static enum err want(struct linker *l, uint32_t i, uint32_t field)
{
    for (uint32_t k = 0; k < l->wanted_count[i]; k++) {
        if (l->wanted[i][k] == field) {
            return OK;
        }
    }
    if (!memory_grow(
                &l->wanted[i], &l->wanted_room[i], l->wanted_count[i] + 1, sizeof *l->wanted[i])) {
        return ERR_MEMORY;
    }
    l->wanted[i][l->wanted_count[i]++] = field;
    return OK;
}

/* Numbers for the names and the aliases, and for each part what a name means there. */
static enum err number_fields(struct linker *l, uint32_t i)
{
    struct correlation *c = draft_at(l, i)->correlation;
    uint32_t count = c->group_count + c->field_count;
    uint32_t *ids = ARENA_ARRAY(l->link->arena, uint32_t, count);
    if (!ids) {
        return ERR_MEMORY;
    }
    for (uint32_t n = 0; n < count; n++) {
        TRY(field_intern(l->link->fields, c->names[n], &ids[n]));
    }
    c->name_ids = ids;
    for (uint32_t a = 0; a < c->alias_count; a++) {
        TRY(field_intern(l->link->fields, c->aliases[a].name, &c->aliases[a].name_id));
        TRY(field_intern(l->link->fields, c->aliases[a].field, &c->aliases[a].field_id));
    }
    for (uint32_t p = 0; p < c->part_count; p++) {
        uint32_t *fields = ARENA_ARRAY(l->link->arena, uint32_t, count);
        if (!fields) {
            return ERR_MEMORY;
        }
        for (uint32_t n = 0; n < count; n++) {
            fields[n] = correlation_field(c, p, ids[n]);
        }
        c->parts[p].fields = fields;
        c->parts[p].rule = &draft_at(l, l->parts[i][p])->rule;
    }
    return OK;
}

static bool groups_by(const struct correlation *c, uint32_t name)
{
    for (uint32_t g = 0; g < c->group_count; g++) {
        if (c->name_ids[g] == name) {
            return true;
        }
    }
    return false;
}

/* What a correlation is asked for, it has in its group, or asks of its own rules. */
static enum err pass_on(struct linker *l, uint32_t i)
{
    const struct correlation *c = draft_at(l, i)->correlation;
    for (uint32_t n = 0; n < c->group_count + c->field_count; n++) {
        TRY(want(l, i, c->name_ids[n]));
    }
    for (uint32_t w = 0; w < l->wanted_count[i]; w++) {
        for (uint32_t p = 0; p < c->part_count; p++) {
            uint32_t to = l->parts[i][p];
            uint32_t field = correlation_field(c, p, l->wanted[i][w]);
            const struct correlation *inner = draft_at(l, to)->correlation;
            if (!inner || !groups_by(inner, field)) {
                TRY(want(l, to, field));
            }
        }
    }
    return OK;
}

static enum err publish_wanted(struct linker *l)
{
    for (uint32_t i = 0; i < l->link->count; i++) {
        struct draft *d = draft_at(l, i);
        uint32_t count = l->wanted_count[i];
        if (d->kind != DRAFT_RULE || d->correlation || count == 0) {
            continue;
        }
        uint32_t *list = ARENA_ARRAY(l->link->arena, uint32_t, count);
        if (!list) {
            return ERR_MEMORY;
        }
        memcpy(list, l->wanted[i], count * sizeof *list);
        d->rule.wanted = list;
        d->rule.wanted_count = count;
    }
    return OK;
}

/* ---- the whole ----------------------------------------------------------------------------- */

/* Where the names do not fit any more, the correlation is refused, and those above it. */
static enum err number_all(struct linker *l)
{
    for (uint32_t r = 0; r < l->ranked; r++) {
        uint32_t i = l->order[r], bad;
        (void)level_of(l, i, &bad);
        enum err e = bad == NOWHERE ? number_fields(l, i) : ERR_LIMIT;
        if (e == ERR_LIMIT) {
            TRY(refuse(l, i, NULL, e, "more field names in all rules than the limit"));
        } else if (e != OK) {
            return e;
        }
    }
    return OK;
}

static enum err connect(struct linker *l)
{
    TRY(number_all(l));
    for (uint32_t r = l->ranked; r-- > 0;) {
        if (is_correlation(draft_at(l, l->order[r]))) {
            TRY(pass_on(l, l->order[r]));
        }
    }
    TRY(publish_wanted(l));
    for (uint32_t r = 0; r < l->ranked; r++) {
        struct draft *d = draft_at(l, l->order[r]);
        if (is_correlation(d)) {
            TRY(correlation_meaning(d->correlation, d->rule.hash));
        }
    }
    return OK;
}

static enum err link_all(struct linker *l)
{
    uint32_t count = l->link->count;
    l->parts = ARENA_ARRAY(&l->scratch, uint32_t *, count);
    l->levels = ARENA_ARRAY(&l->scratch, uint32_t, count);
    l->order = ARENA_ARRAY(&l->scratch, uint32_t, count);
    l->wanted = ARENA_ARRAY(&l->scratch, uint32_t *, count);
    l->wanted_count = ARENA_ARRAY(&l->scratch, uint32_t, count);
    l->wanted_room = ARENA_ARRAY(&l->scratch, size_t, count);
    if (!l->parts || !l->levels || !l->order || !l->wanted || !l->wanted_count || !l->wanted_room) {
        return ERR_MEMORY;
    }
    for (int kind = 0; kind < KINDS; kind++) {
        TRY(make_index(l, kind));
    }
    for (uint32_t i = 0; i < count; i++) {
        if (is_correlation(draft_at(l, i))) {
            TRY(resolve(l, i));
        }
    }
    TRY(rank(l));
    return connect(l);
}

enum err correlation_link(const struct correlation_link *link)
{
    struct linker l = {.link = link};
    bool any = false;
    for (uint32_t i = 0; i < link->count; i++) {
        any = any || is_correlation(link->drafts[i]);
    }
    if (!any) {
        return OK;
    }
    arena_init(&l.scratch, (size_t)1 << 30);
    enum err e = link_all(&l);
    for (uint32_t i = 0; l.wanted && i < link->count; i++) {
        memory_free(l.wanted[i]);
    }
    for (int kind = 0; kind < KINDS; kind++) {
        intern_fini(&l.by[kind].texts);
    }
    buf_fini(&l.folded);
    arena_fini(&l.scratch);
    return e;
}
