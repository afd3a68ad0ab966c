/* http_otlp: OpenTelemetry's logs over HTTP (OTLP/HTTP, JSON and protocol buffers).
 *
 *     POST /v1/logs        Content-Type: application/json or application/x-protobuf
 *
 * One log record is one record: see otlp.h. The answer is in the encoding of the request; records
 * that were rejected are in partialSuccess. */
#pragma once

#include "net/http.h"

extern const struct http_route http_otlp_routes[];
extern const size_t http_otlp_route_count;
