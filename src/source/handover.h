/* handover: a listener's batch into the intake: taken, or there is no room and it stays.
 *
 *     if (!handover_put(intake, &batch)) ... hold the sender back, and try again later
 *
 * Records for which memory could not be had are dropped and counted (COUNTS_BUSY), so that nobody
 * tries for ever. */
#pragma once

#include <stdbool.h>

#include "source/intake.h"

bool handover_put(struct intake *intake, struct intake_batch *batch) MUST_CHECK;
/* One message that cannot be a record, to quarantine; of the same source as the batch. */
bool handover_reject(struct intake *intake, const struct intake_batch *of, struct slice bytes,
        enum counts_rejection why, const char *words) MUST_CHECK;
