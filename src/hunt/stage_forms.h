/* stage_forms: the stages that have files of their own; stage.c's table.
 *
 *     TRY(stage_group_new(&stage));     // the plan is set afterwards by stage_new */
#pragma once

#include "hunt/stage.h"

/* count, stack, distinct, timechart */
enum err stage_group_new(const struct stage_plan *plan, struct stage **out) MUST_CHECK;
/* top, rare, sort, first, last */
enum err stage_keep_new(const struct stage_plan *plan, struct stage **out) MUST_CHECK;
enum { STAGE_TIMES = 100000 /* of one group of beacon */ };

/* beacon */
enum err stage_beacon_new(const struct stage_plan *plan, struct stage **out) MUST_CHECK;
/* firstseen */
enum err stage_seen_new(const struct stage_plan *plan, struct stage **out) MUST_CHECK;
enum err stage_where_new(const struct stage_plan *plan, struct stage **out) MUST_CHECK;
enum err stage_join_new(const struct stage_plan *plan, struct stage **out) MUST_CHECK;
/* A row of the join's other query. */
enum err stage_join_take(struct stage *s, const struct row_cell *cells, uint32_t width,
        struct diag *diag) MUST_CHECK;
