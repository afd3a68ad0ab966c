/* api_held: what the exceptions of tenants held back, and what came too late for correlations, for
 * /metrics and /api/v1/status: of the token's tenant and those below it. */
#pragma once

#include "api/api_parts.h"

void api_held_metrics(struct http_request *r, const struct api_options *options, struct buf *out);
/* ,"held_back":[...],"late":[...] */
void api_held_status(struct http_request *r, const struct api_options *options, struct buf *out);
