#include "wal/retain.h"

#include "base/time.h"

/* 2020-01-01: a receipt time before is that of a machine whose clock was not set. */
#define PLAUSIBLE_NS (INT64_C(1577836800) * TIME_SECOND)
#define LEAP_NS (RETAIN_LEAP_S * TIME_SECOND)

/* All in a segment was received before what stands in later ones, whatever the clock said: the
 * least plausible time of those. */
static int64_t received_before(const struct holdings *h, size_t index)
{
    int64_t least = INT64_MAX;
    for (size_t s = index + 1; s < h->segment_count; s++) {
        const struct holdings_segment *segment = &h->segments[s];
        for (size_t i = 0; i < segment->count; i++) {
            int64_t at = segment->at[i].oldest_ns;
            least = at >= PLAUSIBLE_NS && at < least ? at : least;
        }
    }
    return least;
}

static bool is_old(const struct retain *retain, const struct holding *holding,
        struct retain_limit limit, int64_t before_ns)
{
    int64_t newest = holding->newest_ns >= PLAUSIBLE_NS ? holding->newest_ns : INT64_MAX, age;
    newest = newest < before_ns ? newest : before_ns;
    return limit.age_ns > 0 && !__builtin_sub_overflow(retain->now_ns, newest, &age) &&
           age >= limit.age_ns;
}

static struct retain_limit limit_of(const struct retain *retain, const struct holdings *h,
        uint32_t tenant, enum holdings_kind kind)
{
    const struct holdings_tenant *t = &h->tenants[tenant];
    if (kind == HOLDINGS_MATCHES) {
        return (struct retain_limit){.age_ns = retain->horizon_ns};
    }
    return retain->limit(retain->context, slice_of(t->name, t->size), kind);
}

uint64_t retain_below(const struct retain *retain, const struct holdings *h)
{
    if (h->segment_count < 2 || !h->segments[0].counted) {
        return 0;
    }
    const struct holdings_segment *first = &h->segments[0];
    uint64_t below = h->segments[1].base;
    if (below > retain->needed) {
        return 0;
    }
    int64_t before_ns = received_before(h, 0);
    for (size_t i = 0; i < first->count; i++) {
        const struct holding *holding = &first->at[i];
        struct retain_limit limit = limit_of(retain, h, holding->tenant, holding->kind);
        bool much =
                limit.bytes > 0 && h->tenants[holding->tenant].bytes[holding->kind] > limit.bytes;
        if (!much && !is_old(retain, holding, limit, before_ns)) {
            return 0;
        }
    }
    return below;
}

uint64_t retain_beyond(const struct retain *retain, const struct holdings *h, uint32_t tenant,
        enum holdings_kind kind)
{
    struct retain_limit limit = limit_of(retain, h, tenant, kind);
    uint64_t all = h->tenants[tenant].bytes[kind], old = 0;
    uint64_t much = limit.bytes > 0 && all > limit.bytes ? all - limit.bytes : 0;
    for (size_t s = 0; s < h->segment_count && limit.age_ns > 0; s++) {
        const struct holdings_segment *segment = &h->segments[s];
        for (size_t i = 0; i < segment->count; i++) {
            const struct holding *holding = &segment->at[i];
            bool ours = holding->tenant == tenant && holding->kind == kind;
            old += ours && is_old(retain, holding, limit, INT64_MAX) ? holding->bytes : 0;
        }
    }
    return old > much ? old : much;
}

int64_t retain_clock_now(struct retain_clock *clock, int64_t wall_ns, int64_t steady_ns)
{
    if (clock->trusted_ns == 0) {
        *clock = (struct retain_clock){wall_ns, steady_ns, 0};
    }
    if (clock->steady_ns != 0) {
        clock->trusted_ns += steady_ns - clock->steady_ns;
    }
    clock->steady_ns = steady_ns;
    int64_t ahead;
    if (__builtin_sub_overflow(wall_ns, clock->trusted_ns, &ahead) || ahead > LEAP_NS) {
        clock->leapt_ns = clock->leapt_ns ? clock->leapt_ns : steady_ns;
        if (steady_ns - clock->leapt_ns < LEAP_NS) {
            return clock->trusted_ns;
        }
    }
    clock->trusted_ns = wall_ns;
    clock->leapt_ns = 0;
    return wall_ns;
}
