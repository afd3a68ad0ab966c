/* api_sent: how far each output has sent the findings, for /metrics and /api/v1/status, for tokens
 * of the whole tree. */
#pragma once

#include "api/api_parts.h"

/* `committed`: the findings there are. */
void api_sent_metrics(const struct sent *sent, uint64_t committed, struct buf *out);
/* ,"outputs":[...] */
void api_sent_status(const struct sent *sent, uint64_t committed, struct buf *out);
