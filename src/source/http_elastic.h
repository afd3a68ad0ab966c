/* http_elastic: as much of Elasticsearch as its senders ask for.
 *
 *     GET  /                    the version that clients look for
 *     POST /_bulk, /{index}/_bulk
 *     POST /{index}/_doc, PUT /{index}/_doc/{id}, /{index}/_create/{id}
 *
 * Templates, policies, pipelines and indexes that they set up at their start are said to be there.
 * A record is the document as received; index/_id, where the sender gives an _id, is its key. */
#pragma once

#include "net/http.h"

enum { HTTP_ELASTIC_ITEMS = 50000 }; /* of one _bulk */

extern const struct http_route http_elastic_routes[];
extern const size_t http_elastic_route_count;
