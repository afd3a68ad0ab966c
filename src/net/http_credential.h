/* http_credential: the token in a request's Authorization, whatever form a sender knows.
 *
 *     Bearer merlon_...            RFC 6750
 *     Splunk merlon_...            HTTP event collectors
 *     Basic base64(any:merlon_...) RFC 7617; Elasticsearch's and others' user and password
 *     ApiKey base64(id:merlon_...) Elasticsearch; also the token itself
 *
 * Names of schemes are compared without regard to case (RFC 9110 section 11.1). */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum { HTTP_CREDENTIAL_LIMIT = 1024 }; /* bytes of the header */

struct http_credential {
    struct slice token;
    struct slice id; /* that the token must have; empty: any */
};

/* ERR_SYNTAX: no form of these; ERR_MEMORY. Slices are of the header or in the arena. */
enum err http_credential_read(
        struct slice header, struct arena *arena, struct http_credential *out) MUST_CHECK;
