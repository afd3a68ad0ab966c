/* api_kept: what is kept of each tenant that the token covers, for /metrics and /api/v1/status. */
#pragma once

#include "api/api_parts.h"

void api_kept_metrics(struct http_request *r, const struct kept *kept, struct buf *out);
/* ,"kept":[...] */
void api_kept_status(struct http_request *r, const struct kept *kept, struct buf *out);
