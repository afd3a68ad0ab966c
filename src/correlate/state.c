#include "correlate/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sigma/rule.h"

enum { PART_WORDS = CORRELATION_RULES / 64 };

static bool has_sum(const struct correlation *c)
{
    return c->type == CORRELATION_VALUE_SUM || c->type == CORRELATION_VALUE_AVG;
}

static bool has_ranks(const struct correlation *c)
{
    return c->type == CORRELATION_VALUE_PERCENTILE || c->type == CORRELATION_VALUE_MEDIAN;
}

void state_fini(const struct correlation *c, struct state *s)
{
    ring_fini(&s->ring);
    switch (c->type) {
    case CORRELATION_VALUE_SUM:
    case CORRELATION_VALUE_AVG:
        memory_free(s->sum);
        break;
    case CORRELATION_VALUE_PERCENTILE:
    case CORRELATION_VALUE_MEDIAN:
        ranks_fini(&s->ranks);
        break;
    case CORRELATION_VALUE_COUNT:
        distinct_fini(&s->values);
        break;
    case CORRELATION_TEMPORAL:
        memory_free(s->lasts);
        break;
    case CORRELATION_TEMPORAL_ORDERED:
        sequence_free(s->sequence);
        break;
    default:
        break;
    }
    *s = (struct state){0};
}

/* ---- adding -------------------------------------------------------------------------------- */

bool state_add_event(const struct correlation *c, struct state *s, const struct match_id *event)
{
    (void)c;
    s->events++;
    return ring_add(&s->ring, event, NULL);
}

static void add_to_sum(struct exact *sum, const struct ring_number *n, int sign)
{
    if (n->is_whole) {
        exact_add_whole(sum, n->whole, sign);
    } else {
        exact_add(sum, n->real, sign);
    }
}

bool state_add_number(const struct correlation *c, struct state *s, const struct match_id *event,
        const struct ring_number *number, bool again)
{
    struct ring_number n = *number;
    n.again = again;
    if (has_sum(c) && !s->sum) {
        s->sum = memory_alloc(sizeof *s->sum);
        if (!s->sum) {
            return false;
        }
    }
    if (has_ranks(c) && !ranks_add(&s->ranks, n.real)) {
        return false;
    }
    if (!ring_add(&s->ring, event, &n)) {
        return false;
    }
    s->events += !again;
    if (has_sum(c)) {
        add_to_sum(s->sum, &n, 1);
    }
    return true;
}

bool state_add_value(const struct correlation *c, struct state *s, const struct match_id *event,
        struct slice value)
{
    (void)c;
    return distinct_add(&s->values, value, event);
}

static bool add_lasts(const struct correlation *c, struct state *s, const struct match_id *event,
        const uint64_t *parts)
{
    if (!s->lasts) {
        s->lasts = memory_alloc_array(c->part_count, sizeof *s->lasts);
        if (!s->lasts) {
            return false;
        }
    }
    for (uint32_t i = 0; i < c->part_count; i++) {
        if (parts[i >> 6] >> (i & 63) & 1) {
            s->lasts[i] = *event;
            s->lasts[i].rule = c->parts[i].rule->number;
        }
    }
    return true;
}

bool state_add_parts(const struct correlation *c, struct state *s, const struct match_id *event,
        const uint64_t *parts)
{
    if (c->type == CORRELATION_TEMPORAL) {
        return add_lasts(c, s, event, parts);
    }
    if (!s->sequence) {
        s->sequence = sequence_new(c->part_count);
        if (!s->sequence) {
            return false;
        }
    }
    sequence_add(s->sequence, (uint32_t)parts[0], event);
    return true;
}

/* ---- forgetting ---------------------------------------------------------------------------- */

void state_expire(const struct correlation *c, struct state *s, int64_t from_ns)
{
    if (c->type == CORRELATION_VALUE_COUNT) {
        distinct_expire(&s->values, from_ns);
        return;
    }
    while (s->ring.count && ring_first(&s->ring)->time_ns < from_ns) {
        const struct ring_number *n = s->ring.numbers ? ring_first_number(&s->ring) : NULL;
        if (n && has_sum(c)) {
            add_to_sum(s->sum, n, -1);
        } else if (n) {
            ranks_take(&s->ranks, n->real);
        }
        s->events -= !(n && n->again);
        ring_drop(&s->ring);
    }
}

/* ---- asking -------------------------------------------------------------------------------- */

static bool is_there(const struct match_id *last, int64_t from_ns)
{
    return last->record > 0 && last->time_ns >= from_ns;
}

static uint32_t count_parts(
        const struct correlation *c, const struct state *s, int64_t from_ns, uint64_t *parts)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->part_count; i++) {
        if (is_there(&s->lasts[i], from_ns)) {
            parts[i >> 6] |= (uint64_t)1 << (i & 63);
            count++;
        }
    }
    return count;
}

bool state_holds(const struct correlation *c, const struct state *s, int64_t from_ns, double *value)
{
    uint64_t parts[PART_WORDS] = {0};
    const struct match_id *events;
    switch (c->type) {
    case CORRELATION_EVENT_COUNT:
        *value = (double)s->ring.count;
        break;
    case CORRELATION_VALUE_COUNT:
        *value = (double)s->values.count;
        break;
    case CORRELATION_TEMPORAL:
        *value = count_parts(c, s, from_ns, parts);
        if (c->step_count) {
            return correlation_holds(c, parts);
        }
        break;
    case CORRELATION_TEMPORAL_ORDERED:
        *value = sequence_longest(s->sequence, from_ns, &events);
        break;
    case CORRELATION_VALUE_SUM:
        *value = exact_value(s->sum);
        break;
    case CORRELATION_VALUE_AVG:
        *value = exact_value(s->sum) / (double)s->ring.count;
        break;
    default:
        *value = ranks_percentile(&s->ranks, c->percentile);
    }
    return correlation_within(c, *value);
}

static void ring_evidence(const struct state *s, struct evidence *out)
{
    size_t count = s->ring.count, from = 0;
    const struct ring_number *numbers = s->ring.numbers;
    if (numbers || count <= 2 * EVIDENCE_SIDE) {
        for (size_t i = 0; i < count; i++) {
            size_t at = (s->ring.first + i) & (s->ring.room - 1);
            if (!numbers || !numbers[at].again) {
                evidence_add(out, &s->ring.events[at]);
            }
        }
        return;
    }
    for (; from < EVIDENCE_SIDE; from++) {
        evidence_add(out, ring_at(&s->ring, from));
    }
    evidence_skip(out, count - 2 * EVIDENCE_SIDE);
    for (from = count - EVIDENCE_SIDE; from < count; from++) {
        evidence_add(out, ring_at(&s->ring, from));
    }
}

static void distinct_evidence(const struct state *s, struct evidence *out)
{
    const struct distinct_value *v = s->values.oldest;
    for (size_t i = 0; v && i < EVIDENCE_SIDE; i++, v = v->newer) {
        evidence_add(out, &v->event);
    }
    if (s->values.count > 2 * EVIDENCE_SIDE) {
        evidence_skip(out, s->values.count - 2 * EVIDENCE_SIDE);
        v = s->values.newest;
        for (int i = 1; i < EVIDENCE_SIDE; i++) {
            v = v->older;
        }
    }
    for (; v; v = v->newer) {
        evidence_add(out, &v->event);
    }
}

static int by_event(const void *a, const void *b)
{
    const struct match_id *x = a, *y = b;
    if (x->time_ns != y->time_ns) {
        return x->time_ns < y->time_ns ? -1 : 1;
    }
    if (x->file != y->file) {
        return x->file < y->file ? -1 : 1;
    }
    if (x->record != y->record) {
        return x->record < y->record ? -1 : 1;
    }
    return x->rule < y->rule ? -1 : x->rule > y->rule;
}

static void lasts_evidence(
        const struct correlation *c, const struct state *s, int64_t from_ns, struct evidence *out)
{
    struct match_id events[CORRELATION_RULES];
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->part_count; i++) {
        if (is_there(&s->lasts[i], from_ns)) {
            events[count++] = s->lasts[i];
        }
    }
    qsort(events, count, sizeof *events, by_event);
    for (uint32_t i = 0; i < count; i++) {
        evidence_add(out, &events[i]);
    }
}

void state_evidence(
        const struct correlation *c, const struct state *s, int64_t from_ns, struct evidence *out)
{
    if (c->type == CORRELATION_VALUE_COUNT) {
        distinct_evidence(s, out);
    } else if (c->type == CORRELATION_TEMPORAL) {
        lasts_evidence(c, s, from_ns, out);
    } else if (c->type == CORRELATION_TEMPORAL_ORDERED) {
        const struct match_id *events;
        uint32_t count = sequence_longest(s->sequence, from_ns, &events);
        for (uint32_t i = 0; i < count; i++) {
            evidence_add(out, &events[i]);
        }
    } else {
        ring_evidence(s, out);
    }
}

size_t state_bytes(const struct correlation *c, const struct state *s)
{
    size_t bytes = ring_bytes(&s->ring);
    if (has_sum(c)) {
        bytes += s->sum ? sizeof *s->sum : 0;
    } else if (has_ranks(c)) {
        bytes += ranks_bytes(&s->ranks);
    } else if (c->type == CORRELATION_VALUE_COUNT) {
        bytes += s->values.bytes;
    } else if (c->type == CORRELATION_TEMPORAL) {
        bytes += s->lasts ? c->part_count * sizeof *s->lasts : 0;
    } else if (c->type == CORRELATION_TEMPORAL_ORDERED) {
        bytes += s->sequence ? sequence_bytes(s->sequence) : 0;
    }
    return bytes;
}
