/* otlp: log records of the OpenTelemetry protocol (opentelemetry-proto 1.x, logs.proto), each made
 * a JSON object of its own.
 *
 *     {"resource":{"attributes":[...]},"scope":{"name":"x"},"record":{"timeUnixNano":"17",...}}
 *
 *     struct otlp_use use = {on_record, on_fault, context};
 *     TRY(otlp_read_json(body, &out, &use, diag));      // or otlp_read_proto
 *
 * What stood in JSON stays as it was written. Protocol buffers become what OTLP's JSON encoding
 * has for them: 64-bit numbers and times as texts, ids in hex, other bytes in base64. No recursion.
 * Fields that we do not know are left out. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

enum {
    OTLP_DEPTH = 64,      /* of messages within a resource, scope or record */
    OTLP_TEXT = 96 << 20, /* bytes of all records that one request becomes */
};

struct otlp_use {
    /* A record stands in out from `from` on. */
    void (*record)(void *context, size_t from);
    /* A record that cannot be told; the bytes are of the body. */
    void (*fault)(void *context, struct slice bytes, const char *words);
    void *context;
};

/* ERR_SYNTAX: the whole is none; what was used before does not count. ERR_LIMIT: OTLP_TEXT.
 * ERR_MEMORY. */
enum err otlp_read_json(struct slice body, struct buf *out, const struct otlp_use *use,
        struct diag *diag) MUST_CHECK;
enum err otlp_read_proto(struct slice body, struct buf *out, const struct otlp_use *use,
        struct diag *diag) MUST_CHECK;
