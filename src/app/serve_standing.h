/* serve_standing: the judge's figures of rules: what each costs, and which cannot fire on what a
 * tenant sends, for others to read (event/standing.h).
 *
 *     serve_standing_set(&s, set);                   // NULL before a set goes
 *     serve_standing_event(&s, tenant, receipt_ns);  // each event of set->judge, judged
 *     serve_standing_turn(&s);                       // now and then
 *     serve_standing_fini(&s);
 *
 * Of each tenant the first events of each kind are looked at, and then one of
 * SERVE_STANDING_ONE_OF: no kind of event is missed, a field that few events of a kind have may be.
 */
#pragma once

#include "app/serve_set.h"
#include "detect/survey.h"
#include "event/standing.h"

enum {
    SERVE_STANDING_FIRST = 100,
    SERVE_STANDING_ONE_OF = 64,
};

struct serve_standing_tenant {
    struct survey *survey;
    uint32_t *kinds; /* by kind of event: how many of the first were looked at */
    uint64_t looked_at;
    uint64_t concluded; /* looked_at when its verdicts were made */
};

struct serve_standing {
    struct standing *shared;
    struct serve_set *set;
    struct serve_standing_tenant tenants[STANDING_TENANTS]; /* as shared->tenants */
    uint32_t at;                                            /* the tenant of the event before */
    uint32_t turn;                                          /* whose verdicts are made next */
    int64_t due_ns;                                         /* of the next turn */
};

void serve_standing_set(struct serve_standing *s, struct serve_set *set);
void serve_standing_event(struct serve_standing *s, struct slice tenant, int64_t receipt_ns);
void serve_standing_turn(struct serve_standing *s);
void serve_standing_fini(struct serve_standing *s);
