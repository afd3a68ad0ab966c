#include "cli/clocks.h"

#include <string.h>

static int64_t length(const struct clocks_gap *gap)
{
    return gap->to_ns - gap->from_ns; /* both lie between 2000 and 2262 */
}

/* Keeps the list sorted, the largest first; the smallest falls off its end. */
static void add_gap(struct clocks *c, struct clocks_gap gap)
{
    size_t at = c->gap_count;
    if (length(&gap) < CLOCKS_GAP) {
        return;
    }
    while (at > 0 && length(&c->gaps[at - 1]) < length(&gap)) {
        at--;
    }
    if (at == CLOCKS_GAPS) {
        return;
    }
    size_t kept = c->gap_count < CLOCKS_GAPS ? c->gap_count : CLOCKS_GAPS - 1;
    memmove(&c->gaps[at + 1], &c->gaps[at], (kept - at) * sizeof gap);
    c->gaps[at] = gap;
    c->gap_count = kept + 1;
}

/* A record that comes late stands within at most one gap. */
static void divide_gap(struct clocks *c, int64_t time_ns)
{
    for (size_t i = 0; i < c->gap_count; i++) {
        struct clocks_gap gap = c->gaps[i];
        if (time_ns <= gap.from_ns || time_ns >= gap.to_ns) {
            continue;
        }
        memmove(&c->gaps[i], &c->gaps[i + 1], (--c->gap_count - i) * sizeof gap);
        add_gap(c, (struct clocks_gap){gap.from_ns, time_ns});
        add_gap(c, (struct clocks_gap){time_ns, gap.to_ns});
        return;
    }
}

static bool is_odd(struct clocks *c, int64_t time_ns)
{
    if (time_ns < CLOCKS_EARLY) {
        c->earliest_ns = c->early == 0 || time_ns < c->earliest_ns ? time_ns : c->earliest_ns;
        c->early++;
        return true;
    }
    if (c->now_ns <= INT64_MAX - CLOCKS_LATE && time_ns > c->now_ns + CLOCKS_LATE) {
        c->latest_ns = c->late == 0 || time_ns > c->latest_ns ? time_ns : c->latest_ns;
        c->late++;
        return true;
    }
    return false;
}

void clocks_record(struct clocks *c, bool timed, int64_t time_ns)
{
    c->untimed += !timed;
    c->timed += timed;
    if (!timed || is_odd(c, time_ns)) {
        return;
    }
    if (!c->has_previous) {
        c->first_ns = time_ns;
        c->last_ns = time_ns;
    } else {
        c->ties += time_ns == c->previous_ns;
    }
    c->has_previous = true;
    c->previous_ns = time_ns;
    if (time_ns < c->last_ns) {
        int64_t back = c->last_ns - time_ns;
        c->back++;
        c->most_back_ns = back > c->most_back_ns ? back : c->most_back_ns;
        divide_gap(c, time_ns);
    } else {
        add_gap(c, (struct clocks_gap){c->last_ns, time_ns});
        c->last_ns = time_ns;
    }
    if (time_ns < c->first_ns) {
        add_gap(c, (struct clocks_gap){time_ns, c->first_ns});
        c->first_ns = time_ns;
    }
}
