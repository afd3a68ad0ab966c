#include "source/otlp_proto.h"

#include <stdio.h>

#include "base/base64.h"
#include "source/otlp.h"

/* ---- fields (protobuf.dev, "Encoding") ---------------------------------------------------------
 */

static bool take_varint(struct slice *rest, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < rest->size && i < 10; i++) {
        uint64_t byte = (unsigned char)rest->at[i];
        *value |= (byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            *rest = slice_from(*rest, i + 1);
            return i < 9 || byte < 2;
        }
    }
    return false;
}

static bool take_fixed(struct slice *rest, size_t size, uint64_t *value)
{
    if (rest->size < size) {
        return false;
    }
    *value = 0;
    for (size_t i = size; i-- > 0;) {
        *value = *value << 8 | (unsigned char)rest->at[i];
    }
    *rest = slice_from(*rest, size);
    return true;
}

static bool take_value(struct slice *rest, struct otlp_proto_field *field)
{
    switch (field->wire) {
    case 0:
        return take_varint(rest, &field->value);
    case 1:
        return take_fixed(rest, 8, &field->value);
    case 5:
        return take_fixed(rest, 4, &field->value);
    case 2:
        if (!take_varint(rest, &field->value) || field->value > rest->size) {
            return false;
        }
        field->bytes = slice_of(rest->at, (size_t)field->value);
        *rest = slice_from(*rest, (size_t)field->value);
        return true;
    default:
        return false;
    }
}

bool otlp_proto_next(struct slice *rest, struct otlp_proto_field *field)
{
    struct slice s = *rest;
    struct otlp_proto_field found = {0};
    uint64_t tag;
    if (s.size == 0 || !take_varint(&s, &tag) || tag > UINT32_MAX || tag >> 3 == 0) {
        return false;
    }
    found.number = (uint32_t)(tag >> 3);
    found.wire = (uint32_t)(tag & 7);
    if (!take_value(&s, &found)) {
        return false;
    }
    *field = found;
    *rest = s;
    return true;
}

/* ---- messages (opentelemetry-proto: common.proto, resource.proto, logs.proto) -------------------
 */

enum form { TEXT, BYTES, HEX, BOOL, INT64, NUMBER, FIXED64, FIXED32, DOUBLE, MESSAGE };

static const uint32_t wires[] = {[TEXT] = 2,
        [BYTES] = 2,
        [HEX] = 2,
        [BOOL] = 0,
        [INT64] = 0,
        [NUMBER] = 0,
        [FIXED64] = 1,
        [FIXED32] = 5,
        [DOUBLE] = 1,
        [MESSAGE] = 2};

struct member {
    uint32_t number;
    const char *name;
    enum form form;
    bool repeated;
    const struct otlp_proto_message *message;
};

struct otlp_proto_message {
    const struct member *members;
    size_t count;
};

#define MEMBERS(list)                                                                              \
    {                                                                                              \
        list, sizeof list / sizeof *list                                                           \
    }

static const struct otlp_proto_message any, key_value, array, list;

static const struct member any_members[] = {{1, "stringValue", TEXT, false, NULL},
        {2, "boolValue", BOOL, false, NULL}, {3, "intValue", INT64, false, NULL},
        {4, "doubleValue", DOUBLE, false, NULL}, {5, "arrayValue", MESSAGE, false, &array},
        {6, "kvlistValue", MESSAGE, false, &list}, {7, "bytesValue", BYTES, false, NULL}};
static const struct member key_value_members[] = {
        {1, "key", TEXT, false, NULL}, {2, "value", MESSAGE, false, &any}};
static const struct member array_members[] = {{1, "values", MESSAGE, true, &any}};
static const struct member list_members[] = {{1, "values", MESSAGE, true, &key_value}};
static const struct member resource_members[] = {{1, "attributes", MESSAGE, true, &key_value},
        {2, "droppedAttributesCount", NUMBER, false, NULL}};
static const struct member scope_members[] = {{1, "name", TEXT, false, NULL},
        {2, "version", TEXT, false, NULL}, {3, "attributes", MESSAGE, true, &key_value},
        {4, "droppedAttributesCount", NUMBER, false, NULL}};
static const struct member record_members[] = {{1, "timeUnixNano", FIXED64, false, NULL},
        {11, "observedTimeUnixNano", FIXED64, false, NULL},
        {2, "severityNumber", NUMBER, false, NULL}, {3, "severityText", TEXT, false, NULL},
        {12, "eventName", TEXT, false, NULL}, {5, "body", MESSAGE, false, &any},
        {6, "attributes", MESSAGE, true, &key_value},
        {7, "droppedAttributesCount", NUMBER, false, NULL}, {8, "flags", FIXED32, false, NULL},
        {9, "traceId", HEX, false, NULL}, {10, "spanId", HEX, false, NULL}};

static const struct otlp_proto_message any = MEMBERS(any_members);
static const struct otlp_proto_message key_value = MEMBERS(key_value_members);
static const struct otlp_proto_message array = MEMBERS(array_members);
static const struct otlp_proto_message list = MEMBERS(list_members);
const struct otlp_proto_message otlp_proto_resource = MEMBERS(resource_members);
const struct otlp_proto_message otlp_proto_scope = MEMBERS(scope_members);
const struct otlp_proto_message otlp_proto_record = MEMBERS(record_members);

/* ---- writing -----------------------------------------------------------------------------------
 */

static void write_double(struct buf *out, uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof number);
    if (number != number) {
        buf_add(out, SLICE("\"NaN\""));
    } else if (number - number != 0) {
        buf_add(out, number > 0 ? SLICE("\"Infinity\"") : SLICE("\"-Infinity\""));
    } else {
        buf_format(out, "%.17g", number);
    }
}

static void write_hex(struct buf *out, struct slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size; i++) {
        buf_byte(out, digits[(unsigned char)bytes.at[i] >> 4]);
        buf_byte(out, digits[bytes.at[i] & 15]);
    }
}

static void write_quoted(struct buf *out, enum form form, const struct otlp_proto_field *field)
{
    buf_byte(out, '"');
    if (form == TEXT) {
        buf_json(out, field->bytes);
    } else if (form == BYTES) {
        base64_add(out, field->bytes);
    } else if (form == HEX) {
        write_hex(out, field->bytes);
    } else if (form == INT64) {
        buf_i64(out, (int64_t)field->value);
    } else {
        buf_u64(out, field->value);
    }
    buf_byte(out, '"');
}

static void write_scalar(struct buf *out, enum form form, const struct otlp_proto_field *field)
{
    switch (form) {
    case BOOL:
        buf_add(out, field->value ? SLICE("true") : SLICE("false"));
        break;
    case NUMBER:
    case FIXED32:
        buf_u64(out, field->value & UINT32_MAX);
        break;
    case DOUBLE:
        write_double(out, field->value);
        break;
    default:
        write_quoted(out, form, field);
    }
}

struct level {
    const struct otlp_proto_message *kind;
    struct slice message;
    size_t member;     /* that is being written */
    struct slice rest; /* of the message, while an array is written */
    bool array;
    bool any; /* a comma goes before the next one */
};

struct writer {
    struct level levels[OTLP_DEPTH];
    size_t depth;
    struct buf *out;
};

static enum err push(struct writer *w, const struct otlp_proto_message *kind, struct slice message)
{
    struct slice rest = message;
    struct otlp_proto_field field;
    if (w->depth == OTLP_DEPTH) {
        return ERR_LIMIT;
    }
    while (otlp_proto_next(&rest, &field)) {
    }
    if (rest.size > 0) {
        return ERR_SYNTAX;
    }
    w->levels[w->depth++] = (struct level){.kind = kind, .message = message};
    buf_byte(w->out, '{');
    return OK;
}

static bool find(struct slice *rest, const struct member *member, struct otlp_proto_field *field)
{
    while (otlp_proto_next(rest, field)) {
        if (field->number == member->number && field->wire == wires[member->form]) {
            return true;
        }
    }
    return false;
}

static enum err write_value(
        struct writer *w, const struct member *member, const struct otlp_proto_field *field)
{
    if (member->form == MESSAGE) {
        return push(w, member->message, field->bytes);
    }
    write_scalar(w->out, member->form, field);
    return OK;
}

static void comma(struct writer *w, struct level *level)
{
    if (level->any) {
        buf_byte(w->out, ',');
    }
    level->any = true;
}

static enum err write_element(struct writer *w, struct level *level)
{
    const struct member *member = &level->kind->members[level->member];
    struct otlp_proto_field field;
    if (find(&level->rest, member, &field)) {
        comma(w, level);
        return write_value(w, member, &field);
    }
    buf_byte(w->out, ']');
    level->array = false;
    level->any = true;
    level->member++;
    return OK;
}

/* The last of equal fields counts ("Last One Wins"). */
static enum err write_member(struct writer *w, struct level *level)
{
    const struct member *member = &level->kind->members[level->member];
    struct slice rest = level->message;
    struct otlp_proto_field field, last;
    if (!find(&rest, member, &last)) {
        level->member++;
        return OK;
    }
    comma(w, level);
    buf_format(w->out, "\"%s\":", member->name);
    if (member->repeated) {
        buf_byte(w->out, '[');
        level->array = true;
        level->any = false;
        level->rest = level->message;
        return OK;
    }
    while (find(&rest, member, &field)) {
        last = field;
    }
    level->member++;
    return write_value(w, member, &last);
}

enum err otlp_proto_write(
        const struct otlp_proto_message *kind, struct slice message, struct buf *out)
{
    struct writer w = {.out = out};
    TRY(push(&w, kind, message));
    while (w.depth > 0) {
        struct level *level = &w.levels[w.depth - 1];
        if (level->array) {
            TRY(write_element(&w, level));
        } else if (level->member < level->kind->count) {
            TRY(write_member(&w, level));
        } else {
            buf_byte(out, '}');
            w.depth--;
        }
    }
    return out->failed ? ERR_MEMORY : OK;
}
