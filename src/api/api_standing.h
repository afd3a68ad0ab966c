/* api_standing: GET /api/v1/rules: what each rule costs, and which cannot fire on what tenants
 * send; the same as counters for /metrics. */
#pragma once

#include "api/api_parts.h"

void api_standing_rules(struct http_request *r, void *context);
void api_standing_metrics(struct http_request *r, const struct standing *standing, struct buf *out);
