/* status_rules: what a centre's rules cost, and whether they can fire on what tenants send, as
 * GET /api/v1/rules gives it, for a person.
 *
 *     status_rules_write(answer, &out); */
#pragma once

#include "base/buf.h"
#include "base/slice.h"

enum { STATUS_RULES_SHOWN = 20 }; /* of those that cost most */

/* `answer` has passed json_text_check. Where it lists a tenant's rules that cannot fire, these are
 * written; otherwise a line for each tenant, and the costs that it has. out->failed: no memory. */
void status_rules_write(struct slice answer, struct buf *out);
