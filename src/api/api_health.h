/* api_health: whether the centre runs (/healthz), and whether it does all that it is for (/readyz):
 *
 *     503 {"ready":false,"missing":["the judge has not loaded its rules"]} */
#pragma once

#include "net/http_request.h"

void api_health_live(struct http_request *r, void *context);
void api_health_ready(struct http_request *r, void *context);
