#include "correlate/machine.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "correlate/machine_parts.h"
#include "sigma/correlation.h"
#include "sigma/rule.h"

#define MACHINE_MEMORY ((size_t)1 << 30)
#define NO_UNIT UINT32_MAX

/* ---- making -------------------------------------------------------------------------------- */

static int by_rank(const void *a, const void *b)
{
    const struct machine_unit *x = a, *y = b;
    return x->c->rank < y->c->rank ? -1 : x->c->rank > y->c->rank;
}

static enum err make_units(struct machine *m)
{
    const struct ruleset *set = m->setting.set;
    m->units = ARENA_ARRAY(&m->arena, struct machine_unit, set->rule_count);
    if (!m->units) {
        return ERR_MEMORY;
    }
    for (uint32_t r = 0; r < set->rule_count; r++) {
        const struct rule *rule = set->rules[r];
        if (!rule->correlation || (m->setting.judged && !m->setting.judged[r])) {
            continue;
        }
        struct machine_unit *u = &m->units[m->unit_count++];
        *u = (struct machine_unit){.rule = rule, .c = rule->correlation, .until_ns = INT64_MIN};
        u->visible = !m->setting.visible || m->setting.visible[r];
        u->report.rule = rule;
    }
    qsort(m->units, m->unit_count, sizeof *m->units, by_rank);
    for (uint32_t i = 0; i < m->unit_count; i++) {
        m->units[i].report.inexact = &m->units[i].inexact;
    }
    return OK;
}

static int32_t slot_of(const struct rule *rule, uint32_t field)
{
    for (uint32_t i = 0; i < rule->wanted_count; i++) {
        if (rule->wanted[i] == field) {
            return (int32_t)i;
        }
    }
    return -1;
}

static enum err make_slots(struct machine *m, struct machine_unit *u)
{
    uint32_t names = u->c->group_count + u->c->field_count;
    u->slots = ARENA_ARRAY(&m->arena, int32_t *, u->c->part_count);
    if (!u->slots) {
        return ERR_MEMORY;
    }
    for (uint32_t p = 0; p < u->c->part_count; p++) {
        const struct correlation_part *part = &u->c->parts[p];
        u->slots[p] = ARENA_ARRAY(&m->arena, int32_t, names);
        if (!u->slots[p]) {
            return ERR_MEMORY;
        }
        for (uint32_t n = 0; n < names; n++) {
            u->slots[p][n] = part->rule->correlation ? -1 : slot_of(part->rule, part->fields[n]);
        }
    }
    return OK;
}

static enum err make_edges(struct machine *m)
{
    uint32_t rules = m->setting.set->rule_count;
    size_t total = 0;
    m->first_edge = ARENA_ARRAY(&m->arena, uint32_t, (size_t)rules + 2);
    if (!m->first_edge) {
        return ERR_MEMORY;
    }
    for (uint32_t u = 0; u < m->unit_count; u++) {
        for (uint32_t p = 0; p < m->units[u].c->part_count; p++) {
            m->first_edge[m->units[u].c->parts[p].rule->number + 2]++;
            total++;
        }
    }
    for (uint32_t r = 1; r < rules + 2; r++) {
        m->first_edge[r] += m->first_edge[r - 1];
    }
    m->edges = ARENA_ARRAY(&m->arena, struct machine_edge, total);
    if (!m->edges) {
        return ERR_MEMORY;
    }
    for (uint32_t u = 0; u < m->unit_count; u++) {
        for (uint32_t p = 0; p < m->units[u].c->part_count; p++) {
            uint32_t rule = m->units[u].c->parts[p].rule->number;
            m->edges[m->first_edge[rule + 1]++] = (struct machine_edge){u, p};
        }
    }
    return OK;
}

static enum err build(struct machine *m)
{
    TRY(make_units(m));
    for (uint32_t i = 0; i < m->unit_count; i++) {
        TRY(make_slots(m, &m->units[i]));
    }
    TRY(make_edges(m));
    m->touched = ARENA_ARRAY(&m->arena, uint64_t, m->unit_count / 64 + 1);
    m->ends = ARENA_ARRAY(&m->arena, int64_t, m->unit_count);
    m->reached = ARENA_ARRAY(&m->arena, bool, m->unit_count);
    m->in_order = ARENA_ARRAY(&m->arena, uint32_t, m->unit_count);
    if (!m->touched || !m->ends || !m->reached || !m->in_order) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < m->unit_count; i++) {
        uint32_t before = 0;
        for (uint32_t k = 0; k < m->unit_count; k++) {
            before += m->units[k].rule->number < m->units[i].rule->number;
        }
        m->in_order[before] = i;
    }
    return groups_init(&m->groups, m->unit_count) ? OK : ERR_MEMORY;
}

enum err machine_new(const struct machine_setting *setting, struct machine **out)
{
    struct machine *m = memory_alloc(sizeof *m);
    if (!m) {
        return ERR_MEMORY;
    }
    m->setting = *setting;
    m->mark_ns = INT64_MIN;
    arena_init(&m->arena, MACHINE_MEMORY);
    arena_init(&m->hit_memory, MACHINE_MEMORY);
    enum err e = build(m);
    if (e != OK) {
        machine_free(m);
        return e;
    }
    *out = m;
    return OK;
}

void machine_free(struct machine *m)
{
    if (!m) {
        return;
    }
    while (m->groups.oldest) {
        const struct correlation *c = m->units[m->groups.oldest->unit].c;
        groups_remove(&m->groups, c, m->groups.oldest);
    }
    groups_fini(&m->groups);
    for (uint32_t i = 0; m->units && i < m->unit_count; i++) {
        memory_free(m->units[i].inputs);
    }
    buf_fini(&m->records);
    buf_fini(&m->keys);
    buf_fini(&m->value);
    memory_free(m->matches);
    memory_free(m->hits);
    memory_free(m->shown);
    memory_free(m->entries);
    arena_fini(&m->hit_memory);
    arena_fini(&m->arena);
    memory_free(m);
}

/* ---- what is not exact --------------------------------------------------------------------- */

static int64_t later(int64_t time_ns, int64_t by_ns)
{
    int64_t sum;
    return __builtin_add_overflow(time_ns, by_ns, &sum) ? INT64_MAX : sum;
}

/* What the unit holds true may be wrong from then to then; and with it what is made of it, as far
 * as an event of that time reaches. Ranks grow upwards, so one pass is enough. */
static void mark_inexact(struct machine *m, uint32_t unit, int64_t from_ns, int64_t to_ns)
{
    int64_t *ends = m->ends;
    bool *hit = m->reached;
    memset(hit, 0, m->unit_count * sizeof *hit);
    ends[unit] = to_ns;
    hit[unit] = true;
    for (uint32_t i = unit; i < m->unit_count; i++) {
        struct machine_unit *u = &m->units[i];
        if (!hit[i]) {
            continue;
        }
        span_add(&u->inexact, from_ns, ends[i]);
        u->until_ns = ends[i] > u->until_ns ? ends[i] : u->until_ns;
        u->epoch += i != unit;
        uint32_t r = u->rule->number;
        for (uint32_t e = m->first_edge[r]; e < m->first_edge[r + 1]; e++) {
            uint32_t outer = m->edges[e].unit;
            int64_t end = later(ends[i], m->units[outer].c->timespan_ns);
            ends[outer] = !hit[outer] || end > ends[outer] ? end : ends[outer];
            hit[outer] = true;
        }
    }
}

/* The window of an event that this group had has passed: it cannot matter any more. */
static bool has_passed(const struct machine *m, const struct group *g, int64_t now_ns)
{
    return later(g->last_ns, m->units[g->unit].c->timespan_ns) < now_ns;
}

static enum err drop_group(struct machine *m, struct group *g)
{
    enum err e = machine_fire_close(m, g);
    groups_remove(&m->groups, m->units[g->unit].c, g);
    return e;
}

static enum err drop_passed(struct machine *m, uint32_t unit, int64_t now_ns)
{
    struct group *g;
    while ((g = m->groups.units[unit].oldest) && has_passed(m, g, now_ns)) {
        TRY(drop_group(m, g));
    }
    return OK;
}

static enum err keep_limit(struct machine *m)
{
    int64_t now = m->judged.time_ns;
    while (m->setting.state_limit && m->groups.bytes > m->setting.state_limit && m->groups.oldest) {
        struct group *g = m->groups.oldest;
        if (!has_passed(m, g, now)) {
            struct machine_unit *u = &m->units[g->unit];
            u->report.evicted++;
            mark_inexact(m, g->unit, now, later(g->last_ns, u->c->timespan_ns));
            if (g->open) {
                g->open->inexact = true;
            }
        }
        TRY(drop_group(m, g));
    }
    return OK;
}

/* ---- one event ----------------------------------------------------------------------------- */

static enum err add_input(struct machine *m, const struct machine_edge *edge, uint32_t hit)
{
    struct machine_unit *u = &m->units[edge->unit];
    if (!memory_grow(&u->inputs, &u->input_room, u->input_count + 1, sizeof *u->inputs)) {
        return ERR_MEMORY;
    }
    size_t at = u->input_count++;
    for (; at > 0 && u->inputs[at - 1].part > edge->part; at--) {
        u->inputs[at] = u->inputs[at - 1];
    }
    u->inputs[at] = (struct machine_input){edge->part, hit};
    m->touched[edge->unit >> 6] |= (uint64_t)1 << (edge->unit & 63);
    return OK;
}

/* A rule that holds goes to every correlation that it is a part of. */
static enum err add_hit(struct machine *m, const struct machine_hit *hit)
{
    uint32_t r = hit->rule->number;
    if (m->first_edge[r] == m->first_edge[r + 1]) {
        return OK;
    }
    if (!memory_grow(&m->hits, &m->hit_room, m->hit_count + 1, sizeof *m->hits)) {
        return ERR_MEMORY;
    }
    struct machine_hit *kept = ARENA_NEW(&m->hit_memory, struct machine_hit);
    if (!kept) {
        return ERR_MEMORY;
    }
    *kept = *hit;
    uint32_t at = (uint32_t)m->hit_count++;
    m->hits[at] = kept;
    for (uint32_t e = m->first_edge[r]; e < m->first_edge[r + 1]; e++) {
        TRY(add_input(m, &m->edges[e], at));
    }
    return OK;
}

static enum err run_unit(struct machine *m, uint32_t unit)
{
    struct machine_unit *u = &m->units[unit];
    TRY(drop_passed(m, unit, m->event.time_ns));
    TRY(machine_join(m, u));
    u->input_count = 0;
    u->report.events++;
    for (size_t i = 0; i < m->entry_count; i++) {
        struct group *group;
        bool held = false;
        if (m->entries[i].done) {
            continue;
        }
        TRY(machine_fire(m, u, i, &group, &held));
        if (group && held) {
            const struct machine_hit *inner = m->hits[m->entries[i].hit];
            const struct machine_hit hit = {.rule = u->rule,
                    .match = inner->match,
                    .group = group,
                    .inner = inner,
                    .part = m->entries[i].part};
            TRY(add_hit(m, &hit));
        }
    }
    return OK;
}

/* The lowest unit with inputs, or NO_UNIT. A correlation that holds only touches higher ones. */
static uint32_t next_touched(struct machine *m)
{
    for (uint32_t w = 0; w <= m->unit_count / 64; w++) {
        if (m->touched[w]) {
            uint32_t bit = (uint32_t)__builtin_ctzll(m->touched[w]);
            m->touched[w] &= m->touched[w] - 1;
            return w * 64 + bit;
        }
    }
    return NO_UNIT;
}

static enum err read_matches(struct machine *m)
{
    struct slice rest = buf_slice(&m->records), record;
    m->match_count = 0;
    while (match_cut(&rest, &record)) {
        if (!memory_grow(&m->matches, &m->match_room, m->match_count + 1, sizeof *m->matches)) {
            return ERR_MEMORY;
        }
        match_read(record, &m->matches[m->match_count++]);
    }
    return OK;
}

static enum err judge_event(struct machine *m)
{
    uint32_t unit;
    m->has_event = false;
    m->hit_count = 0;
    arena_reset(&m->hit_memory);
    TRY(read_matches(m));
    for (size_t i = 0; i < m->match_count; i++) {
        const struct match *match = &m->matches[i];
        const struct machine_hit hit = {
                .rule = m->setting.set->rules[match->id.rule], .match = match};
        TRY(add_hit(m, &hit));
    }
    m->judged = m->event;
    m->begun = true;
    while ((unit = next_touched(m)) != NO_UNIT) {
        TRY(run_unit(m, unit));
    }
    buf_clear(&m->records);
    return keep_limit(m);
}

/* ---- the stream ---------------------------------------------------------------------------- */

static int compare_events(const struct match_id *a, const struct match_id *b)
{
    if (a->time_ns != b->time_ns) {
        return a->time_ns < b->time_ns ? -1 : 1;
    }
    if (a->file != b->file) {
        return a->file < b->file ? -1 : 1;
    }
    return a->record < b->record ? -1 : a->record > b->record;
}

/* Counted for all that it would have reached; from its time to the end of its window they may be
 * wrong. */
static void count_late(struct machine *m, const struct match_id *id)
{
    for (uint32_t e = m->first_edge[id->rule]; e < m->first_edge[id->rule + 1]; e++) {
        struct machine_unit *u = &m->units[m->edges[e].unit];
        u->report.late++;
        mark_inexact(m, m->edges[e].unit, id->time_ns, later(id->time_ns, u->c->timespan_ns));
        u->epoch++;
    }
}

void machine_doubt(struct machine *m, uint32_t rule, int64_t from_ns, int64_t to_ns)
{
    for (uint32_t e = m->first_edge[rule]; e < m->first_edge[rule + 1]; e++) {
        struct machine_unit *u = &m->units[m->edges[e].unit];
        mark_inexact(m, m->edges[e].unit, from_ns, later(to_ns, u->c->timespan_ns));
        u->epoch++;
    }
}

enum err machine_match(struct machine *m, struct slice record)
{
    struct match match;
    match_read(record, &match);
    if (m->has_event && compare_events(&match.id, &m->event) != 0) {
        TRY(judge_event(m));
    }
    bool late = match.id.time_ns < m->mark_ns;
    if (late || (m->begun && compare_events(&match.id, &m->judged) <= 0)) {
        count_late(m, &match.id);
        return OK;
    }
    m->has_event = true;
    m->event = match.id;
    for (int i = 3; i >= 0; i--) {
        buf_byte(&m->records, (char)(record.size >> 8 * i & 0xFF));
    }
    buf_add(&m->records, record);
    return m->records.failed ? ERR_MEMORY : OK;
}

enum err machine_advance(struct machine *m, int64_t time_ns)
{
    if (m->has_event && m->event.time_ns < time_ns) {
        TRY(judge_event(m));
    }
    m->mark_ns = time_ns > m->mark_ns ? time_ns : m->mark_ns;
    for (uint32_t i = 0; i < m->unit_count; i++) {
        TRY(drop_passed(m, i, time_ns));
    }
    return OK;
}

enum err machine_end(struct machine *m)
{
    if (m->has_event) {
        TRY(judge_event(m));
    }
    for (uint32_t i = 0; i < m->unit_count; i++) {
        while (m->groups.units[i].oldest) {
            TRY(drop_group(m, m->groups.units[i].oldest));
        }
    }
    return OK;
}

uint32_t machine_count(const struct machine *m)
{
    return m->unit_count;
}

void machine_report(const struct machine *m, uint32_t index, struct machine_report *out)
{
    *out = m->units[m->in_order[index]].report;
}
