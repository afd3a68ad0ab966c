#include "source/http_otlp.h"

#include "source/http_batch.h"
#include "source/otlp.h"

static const char PROTO[] = "application/x-protobuf";

static bool is_proto(const struct http_request *r)
{
    struct slice type = http_request_header(r, "Content-Type");
    return type.at && slice_equal_nocase(slice_trim(slice_cut(&type, ';')), slice_text(PROTO));
}

static void add_varint(struct buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        buf_byte(out, (char)(0x80 | (value & 0x7F)));
    }
    buf_byte(out, (char)value);
}

static void add_field(struct buf *out, uint32_t number, struct slice bytes)
{
    add_varint(out, number << 3 | 2);
    add_varint(out, bytes.size);
    buf_add(out, bytes);
}

/* google.rpc.Status: code 1, message 2. */
static void refuse(struct http_request *r, enum http_refusal why, struct slice words)
{
    int status = http_request_refusal_status(why);
    int code = status == 401 ? 16 : status == 403 ? 7 : status == 503 ? 14 : status == 500 ? 13 : 3;
    struct buf *out = http_request_out(r);
    buf_clear(out);
    if (is_proto(r)) {
        buf_byte(out, 1 << 3);
        add_varint(out, (uint64_t)code);
        add_field(out, 2, words);
    } else {
        buf_format(out, "{\"code\":%d,\"message\":\"", code);
        buf_json(out, words);
        buf_add(out, SLICE("\"}"));
    }
    if (status == 503) {
        http_request_add_header(r, "Retry-After", "5");
    }
    http_request_answer(r, status, is_proto(r) ? PROTO : "application/json");
}

/* ExportLogsServiceResponse: partial_success 1 with rejected_log_records 1, error_message 2. */
static void finish(struct http_batch *b, enum http_batch_outcome outcome)
{
    struct buf *out = http_request_out(b->r);
    struct slice words = SLICE("some records are malformed or longer than may be");
    bool proto = is_proto(b->r);
    if (outcome != HTTP_BATCH_STORED) {
        refuse(b->r, HTTP_BUSY, SLICE("the log does not take it at present: send again"));
        return;
    }
    if (b->wrong.at) {
        refuse(b->r, b->refusal, b->wrong);
        return;
    }
    if (b->rejected && proto) {
        struct buf part = {0};
        buf_byte(&part, 1 << 3);
        add_varint(&part, b->rejected);
        add_field(&part, 2, words);
        add_field(out, 1, buf_slice(&part));
        out->failed = out->failed || part.failed;
        buf_fini(&part);
    } else if (b->rejected) {
        buf_format(out,
                "{\"partialSuccess\":{\"rejectedLogRecords\":\"%zu\",\"errorMessage\":\"%.*s\"}}",
                b->rejected, SLICE_ARG(words));
    } else if (!proto) {
        buf_add(out, SLICE("{}"));
    }
    http_request_answer(b->r, 200, proto ? PROTO : "application/json");
}

static void on_record(void *context, size_t from)
{
    http_batch_add_made(context, from);
}

static void on_fault(void *context, struct slice bytes, const char *words)
{
    http_batch_reject(context, bytes, COUNTS_SYNTAX, words);
}

static void take_logs(struct http_request *r, void *context)
{
    struct http_batch *b = http_batch_new(context, r);
    struct diag diag = {0};
    if (!b) {
        return;
    }
    struct slice body = http_request_body(r);
    struct otlp_use use = {on_record, on_fault, b};
    b->text.cap = OTLP_TEXT;
    enum err e = is_proto(r) ? otlp_read_proto(body, &b->text, &use, &diag)
                             : otlp_read_json(body, &b->text, &use, &diag);
    if (e == ERR_SYNTAX) {
        http_batch_reject_whole(b, HTTP_BAD_REQUEST, slice_text(diag.words));
    } else if (e == ERR_MEMORY && b->text.size < OTLP_TEXT / 2) {
        refuse(r, HTTP_BUSY, slice_text(diag.words));
        return;
    } else if (e != OK || b->failed) {
        http_batch_reject_whole(
                b, HTTP_TOO_LARGE, SLICE("too many records, or too deep, in one request"));
    }
    http_batch_send(b, finish);
}

const struct http_route http_otlp_routes[] = {
        {HTTP_POST, "/v1/logs", AUTHORIZE_INGEST, HTTP_INTAKE_BODY, take_logs, refuse},
};
const size_t http_otlp_route_count = sizeof http_otlp_routes / sizeof *http_otlp_routes;
