#include <assert.h>
#include <math.h>

#include "base/memory.h"
#include "correlate/machine_parts.h"
#include "sigma/correlation.h"
#include "sigma/predicate.h"
#include "sigma/rule.h"

/* ---- the group ----------------------------------------------------------------------------- */

static struct slice key_of(const struct machine *m, const struct machine_entry *entry)
{
    return slice_of(m->keys.at ? m->keys.at + entry->key_at : "", entry->key_size);
}

static bool same_key(
        const struct machine *m, const struct machine_entry *a, const struct machine_entry *b)
{
    return a->hash == b->hash && slice_equal(key_of(m, a), key_of(m, b));
}

/* A group that comes to be while the unit is inexact may have been there before: what it held is
 * not known. */
static struct group *find_group(
        struct machine *m, struct machine_unit *u, const struct machine_entry *entry)
{
    uint32_t unit = (uint32_t)(u - m->units);
    struct slice key = key_of(m, entry);
    struct group *g = groups_find(&m->groups, unit, entry->hash, key);
    if (!g) {
        const struct groups_new made = {.unit = unit,
                .hash = entry->hash,
                .key = key,
                .shown = m->shown + entry->shown,
                .shown_count = u->c->group_count};
        g = groups_add(&m->groups, &made);
        if (g) {
            g->epoch = m->event.time_ns > u->until_ns ? u->epoch : u->epoch - 1;
        }
    }
    return g;
}

/* ---- the event enters it ------------------------------------------------------------------- */

/* What one event brings to one group. */
struct arrival {
    struct machine *m;
    struct machine_unit *u;
    const struct machine_entry *first;
    struct group *group; /* NULL: not asked for yet */
    struct match_id event;
    uint64_t taken;
};

static struct state *state_of(struct arrival *a)
{
    if (!a->group) {
        int64_t from;
        a->group = find_group(a->m, a->u, a->first);
        if (__builtin_sub_overflow(a->event.time_ns, a->u->c->timespan_ns, &from)) {
            from = INT64_MIN;
        }
        if (a->group) {
            state_expire(a->u->c, &a->group->state, from);
        }
    }
    return a->group ? &a->group->state : NULL;
}

static enum err take_value(void *context, struct slice tuple)
{
    struct arrival *a = context;
    struct state *s = state_of(a);
    a->taken++;
    return s && state_add_value(a->u->c, s, &a->event, tuple) ? OK : ERR_MEMORY;
}

/* What is no number, or none that a double can hold, is passed over. */
static enum err take_number(void *context, struct slice text)
{
    struct arrival *a = context;
    struct ring_number n = {0};
    if (!predicate_parse_number(text, &n.real, &n.is_whole, &n.whole) || !isfinite(n.real)) {
        return OK;
    }
    n.real = n.is_whole ? (double)n.whole : n.real;
    struct state *s = state_of(a);
    bool again = a->taken++ > 0;
    return s && state_add_number(a->u->c, s, &a->event, &n, again) ? OK : ERR_MEMORY;
}

static enum err enter_values(struct arrival *a, struct machine_entry *entry)
{
    if (a->u->c->type == CORRELATION_VALUE_COUNT) {
        return machine_join_tuples(a->m, a->u, entry, take_value, a);
    }
    /* An event's numbers count once: by the first of its rules that has some. */
    return a->taken ? OK : machine_join_texts(a->m, a->u, entry, take_number, a);
}

static enum err enter(struct arrival *a, size_t first)
{
    const struct correlation *c = a->u->c;
    uint64_t parts[CORRELATION_RULES / 64] = {0};
    bool values = c->type == CORRELATION_VALUE_COUNT || c->type >= CORRELATION_VALUE_SUM;
    for (size_t i = first; i < a->m->entry_count; i++) {
        struct machine_entry *entry = &a->m->entries[i];
        if (entry->done || !same_key(a->m, entry, a->first)) {
            continue;
        }
        entry->done = true;
        parts[entry->part >> 6] |= (uint64_t)1 << (entry->part & 63);
        if (values) {
            TRY(enter_values(a, entry));
        }
    }
    if (values) {
        return OK;
    }
    struct state *s = state_of(a);
    a->taken++;
    bool added =
            s && (c->type == CORRELATION_EVENT_COUNT ? state_add_event(c, s, &a->event)
                                                     : state_add_parts(c, s, &a->event, parts));
    return added ? OK : ERR_MEMORY;
}

/* ---- findings ------------------------------------------------------------------------------ */

static enum err give(struct machine *m, const struct group *g, const struct group_open *open,
        enum err (*to)(void *context, const struct machine_finding *finding))
{
    const struct machine_finding finding = {.rule = m->units[g->unit].rule,
            .time_ns = open->time_ns,
            .from_ns = evidence_at(&open->evidence, 0)->time_ns,
            .to_ns = open->to_ns,
            .value = open->value,
            .group = g->shown,
            .evidence = &open->evidence,
            .host = slice_of(open->host, open->host_size),
            .trigger = open->trigger,
            .inexact = open->inexact};
    return to ? to(m->setting.context, &finding) : OK;
}

enum err machine_fire_close(struct machine *m, struct group *g)
{
    if (!g->open) {
        return OK;
    }
    enum err e = give(m, g, g->open, m->setting.finding);
    memory_free(g->open);
    g->open = NULL;
    return e;
}

static void fill_open(const struct machine *m, const struct machine_unit *u, const struct group *g,
        double value, struct group_open *open)
{
    int64_t now = m->event.time_ns, from;
    if (__builtin_sub_overflow(now, u->c->timespan_ns, &from)) {
        from = INT64_MIN;
    }
    struct slice host = m->matches[0].host;
    *open = (struct group_open){.time_ns = now,
            .to_ns = now,
            .value = value,
            .trigger = m->event,
            .inexact = m->unsure || now <= u->until_ns,
            .host_size = (uint8_t)host.size};
    memcpy(open->host, host.at, host.size);
    state_evidence(u->c, &g->state, from, &open->evidence);
}

static enum err fire_every(
        struct machine *m, const struct machine_unit *u, const struct group *g, double value)
{
    struct group_open open;
    fill_open(m, u, g, value, &open);
    return give(m, g, &open, m->setting.finding);
}

/* The condition is true: the finding of before goes on where it was true at the last event, and
 * that is not longer ago than the window; otherwise it is a new one. */
static enum err fire_once(
        struct machine *m, const struct machine_unit *u, struct group *g, double value)
{
    int64_t since;
    bool overflow = __builtin_sub_overflow(m->event.time_ns, g->held_ns, &since);
    if (g->holding && !overflow && since <= u->c->timespan_ns) {
        if (g->open) {
            g->open->to_ns = m->event.time_ns;
            g->open->inexact = g->open->inexact || m->event.time_ns <= u->until_ns;
            evidence_add(&g->open->evidence, &m->event);
        }
        return OK;
    }
    TRY(machine_fire_close(m, g));
    g->open = memory_alloc(sizeof *g->open);
    if (!g->open) {
        return ERR_MEMORY;
    }
    fill_open(m, u, g, value, g->open);
    return give(m, g, g->open, m->setting.fired);
}

static enum err fire(struct machine *m, struct machine_unit *u, struct group *g, double value)
{
    enum err e = OK;
    if (u->visible) {
        e = m->setting.every ? fire_every(m, u, g, value) : fire_once(m, u, g, value);
    }
    g->holding = true;
    g->held_ns = m->event.time_ns;
    return e;
}

/* After an inexact time a group's window is whole again, but whether it was firing is known only
 * when its condition was seen to be false, or by naming the event that may be no new finding. */
static void settle(struct machine *m, struct machine_unit *u, struct group *g, bool held)
{
    int64_t now = m->event.time_ns;
    m->unsure = false;
    if (now <= u->until_ns || g->epoch == u->epoch) {
        return;
    }
    if (held && !m->setting.every) {
        span_add(&u->inexact, now, now);
        m->unsure = true;
    }
    g->epoch = u->epoch;
}

enum err machine_fire(
        struct machine *m, struct machine_unit *u, size_t first, struct group **group, bool *held)
{
    struct arrival a = {.m = m, .u = u, .first = &m->entries[first], .event = m->event};
    const struct machine_entry copy = m->entries[first];
    double value;
    *group = NULL;
    a.first = &copy;
    a.event.rule = m->hits[copy.hit]->match->id.rule;
    TRY(enter(&a, first));
    if (a.taken == 0) {
        u->report.no_value++;
        return OK;
    }
    struct group *g = a.group;
    groups_touch(&m->groups, g, m->event.time_ns);
    int64_t from;
    if (__builtin_sub_overflow(m->event.time_ns, u->c->timespan_ns, &from)) {
        from = INT64_MIN;
    }
    *held = state_holds(u->c, &g->state, from, &value);
    settle(m, u, g, *held);
    *group = g;
    enum err e = OK;
    if (*held) {
        e = fire(m, u, g, value);
    } else {
        e = machine_fire_close(m, g);
        g->holding = false;
    }
    groups_charge(&m->groups, g, state_bytes(u->c, &g->state));
    return e;
}
