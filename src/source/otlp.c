#include "source/otlp.h"

#include "base/json_text.h"
#include "source/http_intake.h"
#include "source/otlp_proto.h"

/* ---- JSON --------------------------------------------------------------------------------------
 */

static enum err size_of(const struct buf *out, struct diag *diag)
{
    if (out->size > OTLP_TEXT) {
        return diag_say(
                diag, ERR_LIMIT, "the records of one request take over %d bytes", OTLP_TEXT);
    }
    return out->failed ? diag_say(diag, ERR_MEMORY, "no memory for records") : OK;
}

static struct slice object_or_empty(struct slice value)
{
    return json_text_is_object(value) ? value : SLICE("{}");
}

static enum err use_scope(struct slice resource, struct slice scope_logs, struct buf *out,
        const struct otlp_use *use, struct diag *diag)
{
    struct slice scope = object_or_empty(json_text_get(scope_logs, SLICE("scope")));
    struct json_text_members m = json_text_open(json_text_get(scope_logs, SLICE("logRecords")));
    while (m.array && json_text_next(&m)) {
        if (!json_text_is_object(m.value)) {
            use->fault(use->context, m.value, "a log record is no object");
            continue;
        }
        size_t from = out->size;
        buf_add(out, SLICE("{\"resource\":"));
        buf_add(out, resource);
        buf_add(out, SLICE(",\"scope\":"));
        buf_add(out, scope);
        buf_add(out, SLICE(",\"record\":"));
        buf_add(out, m.value);
        buf_byte(out, '}');
        TRY(size_of(out, diag));
        use->record(use->context, from);
    }
    return OK;
}

enum err otlp_read_json(
        struct slice body, struct buf *out, const struct otlp_use *use, struct diag *diag)
{
    TRY(json_text_check_whole(body, HTTP_INTAKE_DEPTH, diag));
    if (!json_text_is_object(slice_trim(body))) {
        return diag_say(diag, ERR_SYNTAX, "expected an object");
    }
    struct json_text_members r = json_text_open(json_text_get(body, SLICE("resourceLogs")));
    while (r.array && json_text_next(&r)) {
        struct slice resource = object_or_empty(json_text_get(r.value, SLICE("resource")));
        struct json_text_members s = json_text_open(json_text_get(r.value, SLICE("scopeLogs")));
        while (s.array && json_text_next(&s)) {
            TRY(use_scope(resource, s.value, out, use, diag));
        }
    }
    return OK;
}

/* ---- protocol buffers --------------------------------------------------------------------------
 */

/* The last field of that number; .at NULL: none. *whole: nothing is broken. */
static struct slice last_of(struct slice message, uint32_t number, bool *whole)
{
    struct otlp_proto_field field;
    struct slice found = {0};
    while (otlp_proto_next(&message, &field)) {
        if (field.number == number && field.wire == 2) {
            found = field.bytes;
        }
    }
    *whole = message.size == 0;
    return found;
}

static enum err broken(struct diag *diag)
{
    return diag_say(diag, ERR_SYNTAX, "the body is no message of protocol buffers");
}

/* {"resource":...,"scope":...,"record":...} */
static enum err write_record(const struct slice *parts, struct buf *out)
{
    static const struct otlp_proto_message *const kinds[] = {
            &otlp_proto_resource, &otlp_proto_scope, &otlp_proto_record};
    static const char *const names[] = {"{\"resource\":", ",\"scope\":", ",\"record\":"};
    for (size_t i = 0; i < 3; i++) {
        buf_add(out, slice_text(names[i]));
        TRY(otlp_proto_write(kinds[i], parts[i], out));
    }
    buf_byte(out, '}');
    return out->failed ? ERR_MEMORY : OK;
}

/* parts: resource and scope; the records stand in field 2. */
static enum err use_records(struct slice parts[3], struct slice scope_logs, struct buf *out,
        const struct otlp_use *use, struct diag *diag)
{
    struct otlp_proto_field field;
    while (otlp_proto_next(&scope_logs, &field)) {
        if (field.number != 2 || field.wire != 2) {
            continue;
        }
        size_t from = out->size;
        parts[2] = field.bytes;
        enum err e = write_record(parts, out);
        if (e == ERR_SYNTAX || e == ERR_LIMIT) {
            out->size = from;
            use->fault(use->context, field.bytes,
                    e == ERR_LIMIT ? "nested too deeply" : "no message of protocol buffers");
            continue;
        }
        TRY(size_of(out, diag));
        use->record(use->context, from);
    }
    return OK;
}

static enum err use_scopes(
        struct slice resource_logs, struct buf *out, const struct otlp_use *use, struct diag *diag)
{
    bool whole;
    struct otlp_proto_field field;
    struct slice parts[3] = {last_of(resource_logs, 1, &whole)};
    if (!whole) {
        return broken(diag);
    }
    while (otlp_proto_next(&resource_logs, &field)) {
        if (field.number != 2 || field.wire != 2) {
            continue;
        }
        parts[1] = last_of(field.bytes, 1, &whole);
        if (!whole) {
            return broken(diag);
        }
        TRY(use_records(parts, field.bytes, out, use, diag));
    }
    return OK;
}

enum err otlp_read_proto(
        struct slice body, struct buf *out, const struct otlp_use *use, struct diag *diag)
{
    struct otlp_proto_field field;
    while (otlp_proto_next(&body, &field)) {
        if (field.number == 1 && field.wire == 2) {
            TRY(use_scopes(field.bytes, out, use, diag));
        }
    }
    return body.size == 0 ? OK : broken(diag);
}
