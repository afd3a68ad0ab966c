/* api_status: /api/v1/status: all figures as one JSON object, for `merlon status` and dashboards.
 * `centre` is there for tokens of the whole tree alone. */
#pragma once

#include "net/http_request.h"

void api_status(struct http_request *r, void *context);
