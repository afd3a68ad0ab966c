#include "correlate/sequence.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

/* best(rule, length): its events, `length` of them; there where lengths[rule] has the bit. */
struct sequence {
    uint32_t rules;
    size_t bytes;
    uint32_t lengths[32];
    struct match_id events[];
};

static struct match_id *best(const struct sequence *s, uint32_t rule, uint32_t length)
{
    size_t at = ((size_t)rule * s->rules + length - 1) * s->rules;
    return (struct match_id *)s->events + at;
}

struct sequence *sequence_new(uint32_t rules)
{
    size_t bytes =
            sizeof(struct sequence) + (size_t)rules * rules * rules * sizeof(struct match_id);
    struct sequence *s = memory_alloc(bytes);
    if (s) {
        s->rules = rules;
        s->bytes = bytes;
    }
    return s;
}

void sequence_free(struct sequence *s)
{
    memory_free(s);
}

static bool has(const struct sequence *s, uint32_t rule, uint32_t length)
{
    return s->lengths[rule] >> (length - 1) & 1;
}

/* The sequence of `length` rules before `rule` that began last; NULL: there is none. */
static const struct match_id *before(const struct sequence *s, uint32_t rule, uint32_t length)
{
    const struct match_id *found = NULL;
    for (uint32_t r = 0; r < rule; r++) {
        if (has(s, r, length) && (!found || best(s, r, length)->time_ns > found->time_ns)) {
            found = best(s, r, length);
        }
    }
    return found;
}

static void extend(struct sequence *s, uint32_t rule, const struct match_id *event)
{
    for (uint32_t length = rule + 1; length > 1; length--) {
        const struct match_id *from = before(s, rule, length - 1);
        struct match_id *to = best(s, rule, length);
        if (from) {
            memcpy(to, from, (length - 1) * sizeof *to);
            to[length - 1] = *event;
            s->lengths[rule] |= 1u << (length - 1);
        }
    }
    *best(s, rule, 1) = *event;
    s->lengths[rule] |= 1;
}

void sequence_add(struct sequence *s, uint32_t steps, const struct match_id *event)
{
    /* The last rule first: an event must not follow itself. */
    for (uint32_t rule = s->rules; rule-- > 0;) {
        if (steps >> rule & 1) {
            extend(s, rule, event);
        }
    }
}

uint32_t sequence_longest(const struct sequence *s, int64_t from_ns, const struct match_id **events)
{
    for (uint32_t length = s->rules; length > 0; length--) {
        for (uint32_t rule = s->rules; rule-- > length - 1;) {
            if (has(s, rule, length) && best(s, rule, length)->time_ns >= from_ns) {
                *events = best(s, rule, length);
                return length;
            }
        }
    }
    *events = NULL;
    return 0;
}

size_t sequence_bytes(const struct sequence *s)
{
    return s->bytes;
}
