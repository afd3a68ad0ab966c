/* otlp_proto: protocol buffers read a field at a time, and messages of OTLP written as JSON.
 *
 *     while (otlp_proto_next(&rest, &field)) ...       // field.number, .bytes
 *     rest.size > 0                                    // it ended at something broken
 *
 *     TRY(otlp_proto_write(&otlp_proto_record, message, &out)) */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct otlp_proto_field {
    uint32_t number;
    uint32_t wire;      /* 0 varint, 1 eight bytes, 2 bytes, 5 four bytes */
    uint64_t value;     /* of 0, 1 and 5 */
    struct slice bytes; /* of 2 */
};

struct otlp_proto_message;
extern const struct otlp_proto_message otlp_proto_resource, otlp_proto_scope, otlp_proto_record;

/* false: the end, or something broken, at which *rest stays. */
bool otlp_proto_next(struct slice *rest, struct otlp_proto_field *field);
/* ERR_SYNTAX: broken; ERR_LIMIT: over OTLP_DEPTH; ERR_MEMORY. What was appended before stays. */
enum err otlp_proto_write(
        const struct otlp_proto_message *kind, struct slice message, struct buf *out) MUST_CHECK;
