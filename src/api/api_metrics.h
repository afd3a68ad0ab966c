/* api_metrics: /metrics, in Prometheus' text format 0.0.4:
 *
 *     merlon_received_records_total{tenant="sg/moh",source="tcp/10.1.2.3"} 17 */
#pragma once

#include "net/http_request.h"

void api_metrics(struct http_request *r, void *context);
/* For those who add theirs: the lines before a metric's values, and one label. */
void api_metrics_head(struct buf *out, const char *name, const char *type, const char *help);
void api_metrics_label(struct buf *out, const char *name, const char *value);
