/* live: correlation of what the log brings, frame by frame, with nothing but the log as its clock.
 *
 *     TRY(live_new(&setting, &live));
 *     for each frame of the log:
 *         live_begin(live, frame.receipt_ns);
 *         for each base match of it:
 *             t = live_time(live, tenant, receipt_ns, own, &flags);      // where it is put in time
 *         TRY(live_take(live, &matches));         // a frame of them, which is made durable too
 *         TRY(live_advance(live, frame.receipt_ns));       // gives findings
 *
 * After a restart the stored frames of matches are taken again (live_restore.h): what follows is
 * what would have followed. Each tenant has a machine of its own: nothing joins two tenants, and
 * none makes another wait. doc/serve.md, "Correlation", says what is exact. One user at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "correlate/machine.h"
#include "event/frame.h"
#include "sigma/ruleset.h"

enum {
    LIVE_SHAPE = 16,      /* bytes that name a base rule and what is kept of its matches */
    LIVE_FLAGS = 1,       /* behind them, before the match with its size */
    LIVE_MOVED = 1,       /* flag: its own time was not to be believed */
    LIVE_TENANTS = 1024,  /* those of further ones are counted, and not correlated */
    LIVE_SOURCES = 65535, /* that are told apart, of a tenant */
    LIVE_AHEAD_S = 300,   /* what lies further behind its receipt is put there */
};
#define LIVE_STATE ((size_t)64 << 20) /* usual bytes of a tenant */
#define LIVE_NONE INT64_MIN           /* no time yet */

struct live;
struct live_tenant;
struct serve_tenants;

struct live_finding {
    struct slice tenant;
    const struct live_tenant *of; /* for live_place */
    const struct machine_finding *finding;
};

struct live_setting {
    const struct ruleset *set;
    const bool *judged, *visible; /* by rule number; as in machine_setting */
    /* NULL: all rules are all tenants'. */
    const struct serve_tenants *tenants;
    int64_t lateness_ns; /* an event lies at most so long before its receipt */
    int64_t wait_ns;     /* for which events are waited that come out of order */
    size_t state_limit;  /* bytes, of a tenant */
    enum err (*fired)(void *context, const struct live_finding *finding);
    void *context;
};

/* A set that was in force before. */
struct live_before {
    const struct ruleset *set;
    const bool *needed; /* by rule number: matches of these were kept */
    const struct serve_tenants *tenants;
};

/* Since it was made. */
struct live_figures {
    uint64_t taken, late, moved, crowded, forced, strange, evicted;
};

enum err live_new(const struct live_setting *setting, struct live **out) MUST_CHECK;
void live_free(struct live *live);
/* What names the matches of this rule in frames. */
struct slice live_shape(const struct live *live, uint32_t rule);
void live_shape_name(const struct ruleset *set, const struct rule *rule, char name[LIVE_SHAPE]);
/* What was received before at_ns was judged by that set; NULL: nobody knows by which. What rests on
 * matches that it did not ask for is inexact for a while. Before any frame, in order of at_ns. */
enum err live_after(struct live *live, const struct live_before *before, int64_t at_ns) MUST_CHECK;
void live_begin(struct live *live, int64_t receipt_ns);
/* All that waited before it is judged: when a frame is taken, for live_take to know again. */
int64_t live_clock(const struct live *live, struct slice tenant);
/* own: what the event says, NULL: nothing. */
int64_t live_time(const struct live *live, struct slice tenant, int64_t receipt_ns,
        const int64_t *own, uint8_t *flags);
/* A frame of kind FRAME_MATCHES: tenant, source, clock and the receipt of the frame judged. */
enum err live_take(struct live *live, const struct frame *frame) MUST_CHECK;
enum err live_advance(struct live *live, int64_t receipt_ns) MUST_CHECK;
/* The latest receipt, or LIVE_NONE. */
int64_t live_now(const struct live *live);
/* When the next match that waits can be judged; INT64_MAX: none waits. */
int64_t live_due(const struct live *live);
/* What was received before does not matter to what is received now. */
int64_t live_since(const struct live *live, int64_t now_ns);
/* Nothing is given while it is on. */
void live_mute(struct live *live, bool on);
void live_figures(const struct live *live, struct live_figures *out);
/* Of each tenant's correlations: what came too late for them since the last call. tell NULL: that
 * is for nobody. */
typedef void live_tell_late(
        void *context, struct slice tenant, const struct rule *rule, uint64_t count);
void live_late(struct live *live, live_tell_late *tell, void *context);
/* The offset and the source of an event of a finding. */
uint64_t live_place(
        const struct live_tenant *tenant, const struct match_id *event, struct slice *source);
