#include "app/live.h"

#include <stdlib.h>
#include <string.h>

#include "app/live_doubt.h"
#include "app/live_queue.h"
#include "app/serve_tenants.h"
#include "base/digest.h"
#include "base/intern.h"
#include "base/memory.h"
#include "base/time.h"
#include "sigma/correlation.h"
#include "sigma/rule.h"

enum { BUCKETS = 8, SOURCE_BITS = 16, SIZE_BYTES = 4 };

struct shape {
    char name[LIVE_SHAPE];
    uint32_t rule;
};

/* How far its events lay behind their receipt, lately. */
struct lag {
    uint64_t bucket;
    int64_t ns;
};

struct live_tenant {
    struct live *live;
    char *name;
    struct machine *machine;
    uint64_t *late;   /* by correlation: what was told of it */
    int64_t floor_ns; /* behind the last match that was judged: what comes before it is late */
    struct lag lags[BUCKETS + 2];
    struct live_queue waiting;
    struct intern sources;
};

struct live {
    struct live_setting setting;
    struct shape *by_name; /* in order of names */
    char (*by_rule)[LIVE_SHAPE];
    uint32_t shape_count;
    struct live_tenant **tenants; /* in order of names */
    size_t tenant_count, tenant_room;
    int64_t now_ns;
    int64_t due_ns;
    int64_t horizon_ns;
    bool muted;
    struct live_doubts doubts;
    struct live_figures figures;
};

static int64_t plus(int64_t a, int64_t b)
{
    int64_t sum;
    return !__builtin_add_overflow(a, b, &sum) ? sum : b < 0 ? INT64_MIN : INT64_MAX;
}

/* ---- shapes --------------------------------------------------------------------------------- */

static int by_shape(const void *a, const void *b)
{
    return memcmp(((const struct shape *)a)->name, ((const struct shape *)b)->name, LIVE_SHAPE);
}

/* The rule's meaning and the fields that are kept, in their order: what is stored under this name
 * can be read by whoever has the same. */
void live_shape_name(const struct ruleset *set, const struct rule *rule, char out[LIVE_SHAPE])
{
    struct digest digest;
    unsigned char bytes[DIGEST_SIZE];
    digest_init(&digest);
    digest_add(&digest, slice_text(rule->hash));
    for (uint32_t i = 0; i < rule->wanted_count; i++) {
        digest_add(&digest, SLICE("\n"));
        digest_add(&digest, field_name(set->fields, rule->wanted[i]));
    }
    digest_bytes(&digest, bytes);
    memcpy(out, bytes, LIVE_SHAPE);
}

static enum err make_shapes(struct live *live)
{
    const struct ruleset *set = live->setting.set;
    live->by_name = memory_alloc_array((size_t)set->rule_count + 1, sizeof *live->by_name);
    live->by_rule = memory_alloc_array((size_t)set->rule_count + 1, sizeof *live->by_rule);
    if (!live->by_name || !live->by_rule) {
        return ERR_MEMORY;
    }
    for (uint32_t r = 0; r < set->rule_count; r++) {
        if (!set->rules[r]->correlation) {
            struct shape *shape = &live->by_name[live->shape_count++];
            shape->rule = r;
            live_shape_name(set, set->rules[r], shape->name);
            memcpy(live->by_rule[r], shape->name, LIVE_SHAPE);
        }
    }
    qsort(live->by_name, live->shape_count, sizeof *live->by_name, by_shape);
    return OK;
}

struct slice live_shape(const struct live *live, uint32_t rule)
{
    return slice_of(live->by_rule[rule], LIVE_SHAPE);
}

/* What a correlation holds true rests on the time before it that its rules' timespans cover; that
 * it went on being true, on its own once more. */
static enum err find_horizon(struct live *live)
{
    const struct ruleset *set = live->setting.set;
    int64_t *reach = memory_alloc_array((size_t)set->rule_count + 1, sizeof *reach), most = 0;
    if (!reach) {
        return ERR_MEMORY;
    }
    for (int depth = 0; depth < CORRELATION_CHAIN; depth++) {
        for (uint32_t r = 0; r < set->rule_count; r++) {
            const struct correlation *c = set->rules[r]->correlation;
            int64_t inner = 0;
            for (uint32_t p = 0; c && p < c->part_count; p++) {
                int64_t part = reach[c->parts[p].rule->number];
                inner = part > inner ? part : inner;
            }
            reach[r] = c ? plus(inner, c->timespan_ns) : 0;
            int64_t all = c ? plus(reach[r], c->timespan_ns) : 0;
            most = all > most ? all : most;
        }
    }
    memory_free(reach);
    int64_t slack = 2 * live->setting.lateness_ns + live->setting.wait_ns;
    live->horizon_ns = plus(most, plus(slack, LIVE_AHEAD_S * TIME_SECOND));
    return OK;
}

/* ---- tenants -------------------------------------------------------------------------------- */

static enum err give(void *context, const struct machine_finding *finding)
{
    const struct live_tenant *t = context;
    const struct live_setting *s = &t->live->setting;
    const struct live_finding live = {slice_text(t->name), t, finding};
    return t->live->muted ? OK : s->fired(s->context, &live);
}

static void free_tenant(struct live_tenant *t)
{
    if (t) {
        machine_free(t->machine);
        live_queue_fini(&t->waiting);
        intern_fini(&t->sources);
        memory_free(t->late);
        memory_free(t->name);
        memory_free(t);
    }
}

/* Where the tenant stands, or would. */
static size_t place_of(const struct live *live, struct slice name, bool *there)
{
    size_t low = 0, high = live->tenant_count;
    *there = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = slice_compare(slice_text(live->tenants[middle]->name), name);
        if (order == 0) {
            *there = true;
            return middle;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return low;
}

static struct live_tenant *find_tenant(const struct live *live, struct slice name)
{
    bool there;
    size_t at = place_of(live, name, &there);
    return there ? live->tenants[at] : NULL;
}

/* By rule number: what the tenant's machine runs. */
static bool *judged_by(const struct live *live, struct slice tenant)
{
    const struct ruleset *set = live->setting.set;
    bool *judged = memory_alloc_array((size_t)set->rule_count + 1, sizeof *judged);
    for (uint32_t r = 0; judged && r < set->rule_count; r++) {
        judged[r] = (!live->setting.judged || live->setting.judged[r]) &&
                    serve_tenants_shows(live->setting.tenants, tenant, set->rules[r]);
    }
    return judged;
}

static enum err make_tenant(struct live *live, struct slice name, struct live_tenant **out)
{
    struct live_tenant *t = memory_alloc(sizeof *t);
    if (!t) {
        return ERR_MEMORY;
    }
    t->live = live;
    t->floor_ns = LIVE_NONE;
    intern_init(&t->sources, LIVE_SOURCES - 1);
    t->name = memory_alloc(name.size + 1);
    bool *judged = judged_by(live, name);
    const struct machine_setting setting = {.set = live->setting.set,
            .judged = judged,
            .visible = live->setting.visible,
            .state_limit = live->setting.state_limit,
            .fired = give,
            .context = t};
    enum err e = t->name && judged ? machine_new(&setting, &t->machine) : ERR_MEMORY;
    memory_free(judged);
    if (e == OK) {
        t->late = memory_alloc_array((size_t)machine_count(t->machine) + 1, sizeof *t->late);
        e = t->late ? OK : ERR_MEMORY;
    }
    if (e != OK) {
        free_tenant(t);
        return e;
    }
    memcpy(t->name, name.at ? name.at : "", name.size);
    live_doubt_tell(&live->doubts, slice_text(t->name), t->machine);
    *out = t;
    return OK;
}

/* ERR_LIMIT: there are too many. */
static enum err take_tenant(struct live *live, struct slice name, struct live_tenant **out)
{
    bool there;
    size_t at = place_of(live, name, &there);
    if (!there) {
        if (live->tenant_count == LIVE_TENANTS) {
            return ERR_LIMIT;
        }
        if (!memory_grow(&live->tenants, &live->tenant_room, live->tenant_count + 1,
                    sizeof *live->tenants)) {
            return ERR_MEMORY;
        }
        TRY(make_tenant(live, name, out));
        memmove(live->tenants + at + 1, live->tenants + at,
                (live->tenant_count - at) * sizeof *live->tenants);
        live->tenants[at] = *out;
        live->tenant_count++;
    }
    *out = live->tenants[at];
    return OK;
}

static uint64_t evicted_of(const struct live_tenant *t)
{
    uint64_t evicted = 0;
    for (uint32_t u = 0; u < machine_count(t->machine); u++) {
        struct machine_report report;
        machine_report(t->machine, u, &report);
        evicted += report.evicted;
    }
    return evicted;
}

static void drop_tenants(struct live *live)
{
    for (size_t i = 0; i < live->tenant_count; i++) {
        live->figures.evicted += evicted_of(live->tenants[i]);
        free_tenant(live->tenants[i]);
    }
    live->tenant_count = 0;
    live->due_ns = INT64_MAX;
}

/* ---- clocks --------------------------------------------------------------------------------- */

static uint64_t bucket_of(const struct live *live, int64_t receipt_ns)
{
    int64_t width = live->setting.lateness_ns / BUCKETS + 1;
    return receipt_ns > 0 ? (uint64_t)(receipt_ns / width) : 0;
}

static void learn_lag(
        const struct live *live, struct live_tenant *t, int64_t receipt_ns, int64_t lag_ns)
{
    uint64_t bucket = bucket_of(live, receipt_ns);
    struct lag *lag = &t->lags[bucket % (BUCKETS + 2)];
    if (lag->bucket < bucket) {
        *lag = (struct lag){.bucket = bucket};
    }
    lag->ns = lag_ns > lag->ns ? lag_ns : lag->ns;
}

static int64_t lag_of(const struct live *live, const struct live_tenant *t)
{
    uint64_t now = bucket_of(live, live->now_ns);
    int64_t most = 0;
    for (size_t i = 0; i < BUCKETS + 2; i++) {
        const struct lag *lag = &t->lags[i];
        most = lag->bucket + BUCKETS >= now && lag->ns > most ? lag->ns : most;
    }
    return most;
}

static int64_t clock_of(const struct live *live, const struct live_tenant *t)
{
    if (live->now_ns == LIVE_NONE) {
        return LIVE_NONE;
    }
    int64_t behind = plus(live->setting.wait_ns, t ? lag_of(live, t) : 0);
    int64_t clock = plus(live->now_ns, -behind);
    return t && t->floor_ns > clock ? t->floor_ns : clock;
}

int64_t live_clock(const struct live *live, struct slice tenant)
{
    return clock_of(live, find_tenant(live, tenant));
}

int64_t live_time(const struct live *live, struct slice tenant, int64_t receipt_ns,
        const int64_t *own, uint8_t *flags)
{
    int64_t least = plus(receipt_ns, -live->setting.lateness_ns);
    int64_t most = plus(receipt_ns, LIVE_AHEAD_S * TIME_SECOND);
    int64_t clock;
    *flags = 0;
    if (!own) {
        return receipt_ns;
    }
    if (*own >= least && *own <= most) {
        return *own;
    }
    *flags = LIVE_MOVED;
    if (*own > most) {
        return most;
    }
    clock = live_clock(live, tenant);
    return clock > least ? clock : least;
}

/* Our own clock was put back: what it said before is forgotten, with the windows of that time. */
void live_begin(struct live *live, int64_t receipt_ns)
{
    int64_t step = live->setting.lateness_ns + LIVE_AHEAD_S * TIME_SECOND;
    if (live->now_ns != LIVE_NONE && receipt_ns < plus(live->now_ns, -step)) {
        drop_tenants(live);
        live->now_ns = receipt_ns;
    }
}

/* ---- matches -------------------------------------------------------------------------------- */

static void find_due(struct live *live)
{
    live->due_ns = INT64_MAX;
    for (size_t i = 0; i < live->tenant_count; i++) {
        const struct live_tenant *t = live->tenants[i];
        int64_t first;
        if (live_queue_first(&t->waiting, &first)) {
            int64_t due = plus(first, plus(live->setting.wait_ns, lag_of(live, t) + 1));
            live->due_ns = due < live->due_ns ? due : live->due_ns;
        }
    }
}

/* Everything before this time is judged. What lies behind it, and was not there to be judged, is
 * still in time: a source that lags is not late before its lag is known. */
static enum err release(struct live_tenant *t, int64_t clock_ns)
{
    struct slice record;
    int64_t first;
    while (live_queue_first(&t->waiting, &first) && first < clock_ns) {
        record = live_queue_peek(&t->waiting);
        enum err e = machine_match(t->machine, record);
        live_queue_drop(&t->waiting);
        TRY(e);
        t->floor_ns = first >= t->floor_ns ? plus(first, 1) : t->floor_ns;
    }
    return t->floor_ns > LIVE_NONE ? machine_advance(t->machine, t->floor_ns) : OK;
}

/* More waits than may: the first are judged before their time, and what comes behind is late. */
static enum err bound_waiting(struct live_tenant *t)
{
    int64_t first;
    while (t->live->setting.state_limit && t->waiting.bytes > t->live->setting.state_limit &&
            live_queue_first(&t->waiting, &first)) {
        t->live->figures.forced++;
        TRY(release(t, plus(first, 1)));
    }
    return OK;
}

/* NULL: nobody asks for such matches now, or it is none. */
static const struct rule *rule_of(const struct live *live, struct slice record)
{
    struct shape wanted;
    if (record.size < LIVE_SHAPE + LIVE_FLAGS + SIZE_BYTES + MATCH_KEY + 1) {
        return NULL;
    }
    memcpy(wanted.name, record.at, LIVE_SHAPE);
    const struct shape *shape =
            bsearch(&wanted, live->by_name, live->shape_count, sizeof *live->by_name, by_shape);
    if (!shape) {
        return NULL;
    }
    const struct rule *rule = live->setting.set->rules[shape->rule];
    struct slice match = slice_from(record, LIVE_SHAPE + LIVE_FLAGS);
    return live_queue_whole(match, rule->wanted_count) ? rule : NULL;
}

static enum err take_one(struct live_tenant *t, const struct frame *frame, struct slice stored,
        const struct rule *rule)
{
    struct live *live = t->live;
    struct slice match = slice_from(stored, LIVE_SHAPE + LIVE_FLAGS + SIZE_BYTES);
    struct slice source = frame->attribute[FRAME_SOURCE];
    struct match_id id;
    struct match read;
    uint32_t number;
    bool moved = stored.at[LIVE_SHAPE] & LIVE_MOVED;
    match_read(match, &read);
    id = read.id;
    if (intern_put(&t->sources, source, &number, NULL) != OK) {
        number = LIVE_SOURCES;
    }
    id.rule = rule->number;
    id.record = id.record << SOURCE_BITS | number;
    TRY(live_queue_add(&t->waiting, match, &id));
    live->figures.taken++;
    live->figures.moved += moved;
    if (!moved && id.time_ns < frame->receipt_ns) {
        int64_t lag = frame->receipt_ns - id.time_ns;
        learn_lag(live, t, frame->receipt_ns,
                lag < live->setting.lateness_ns ? lag : live->setting.lateness_ns);
    }
    live->figures.late += id.time_ns < t->floor_ns;
    return OK;
}

static int64_t clock_attribute(const struct frame *frame)
{
    struct slice clock = frame->attribute[FRAME_CLOCK];
    return clock.size == 8 ? (int64_t)frame_get64(clock.at) : LIVE_NONE;
}

enum err live_take(struct live *live, const struct frame *frame)
{
    struct live_tenant *t;
    enum err e = take_tenant(live, frame->attribute[FRAME_TENANT], &t);
    if (e == ERR_LIMIT) {
        live->figures.crowded += frame->count;
        return OK;
    }
    TRY(e);
    TRY(release(t, clock_attribute(frame)));
    for (struct frame_walk walk = {0}; frame_next(frame, &walk);) {
        const struct rule *rule = rule_of(live, walk.record);
        if (rule && serve_tenants_shows(live->setting.tenants, slice_text(t->name), rule)) {
            TRY(take_one(t, frame, walk.record, rule));
        } else {
            live->figures.strange++;
        }
    }
    TRY(release(t, t->floor_ns)); /* the late ones, to be counted */
    TRY(bound_waiting(t));
    find_due(live);
    return OK;
}

enum err live_advance(struct live *live, int64_t receipt_ns)
{
    live->now_ns = receipt_ns > live->now_ns ? receipt_ns : live->now_ns;
    if (live->now_ns < live->due_ns) {
        return OK;
    }
    for (size_t i = 0; i < live->tenant_count; i++) {
        struct live_tenant *t = live->tenants[i];
        int64_t clock = clock_of(live, t), first;
        if (live_queue_first(&t->waiting, &first) && first < clock) {
            TRY(release(t, clock));
        }
    }
    find_due(live);
    return OK;
}

/* ---- the whole ------------------------------------------------------------------------------ */

enum err live_new(const struct live_setting *setting, struct live **out)
{
    struct live *live = memory_alloc(sizeof *live);
    if (!live) {
        return ERR_MEMORY;
    }
    live->setting = *setting;
    live->now_ns = LIVE_NONE;
    live->due_ns = INT64_MAX;
    enum err e = make_shapes(live);
    e = e == OK ? find_horizon(live) : e;
    if (e != OK) {
        live_free(live);
        return e;
    }
    *out = live;
    return OK;
}

void live_free(struct live *live)
{
    if (live) {
        drop_tenants(live);
        live_doubt_fini(&live->doubts);
        memory_free(live->tenants);
        memory_free(live->by_name);
        memory_free(live->by_rule);
        memory_free(live);
    }
}

enum err live_after(struct live *live, const struct live_before *before, int64_t at_ns)
{
    const struct live_before now = {.set = live->setting.set, .tenants = live->setting.tenants};
    const struct live_doubt_time time = {
            plus(at_ns, -live->setting.lateness_ns), plus(at_ns, LIVE_AHEAD_S * TIME_SECOND)};
    return live_doubt_add(&live->doubts, &now, before, time);
}

int64_t live_now(const struct live *live)
{
    return live->now_ns;
}

int64_t live_due(const struct live *live)
{
    return live->due_ns;
}

int64_t live_since(const struct live *live, int64_t now_ns)
{
    return plus(now_ns, -live->horizon_ns);
}

void live_mute(struct live *live, bool on)
{
    live->muted = on;
}

void live_figures(const struct live *live, struct live_figures *out)
{
    *out = live->figures;
    for (size_t i = 0; i < live->tenant_count; i++) {
        out->evicted += evicted_of(live->tenants[i]);
    }
}

void live_late(struct live *live, live_tell_late *tell, void *context)
{
    for (size_t i = 0; i < live->tenant_count; i++) {
        struct live_tenant *t = live->tenants[i];
        for (uint32_t u = 0; u < machine_count(t->machine); u++) {
            struct machine_report report;
            machine_report(t->machine, u, &report);
            if (tell && report.late > t->late[u]) {
                tell(context, slice_text(t->name), report.rule, report.late - t->late[u]);
            }
            t->late[u] = report.late;
        }
    }
}

uint64_t live_place(const struct live_tenant *t, const struct match_id *event, struct slice *source)
{
    uint32_t number = event->record & (((uint32_t)1 << SOURCE_BITS) - 1);
    *source = number < t->sources.count ? intern_text(&t->sources, number) : SLICE("(others)");
    return (event->record >> SOURCE_BITS) - 1;
}
