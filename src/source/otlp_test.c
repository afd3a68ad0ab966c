#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_text.h"
#include "source/otlp.h"
#include "source/otlp_proto.h"

struct seen {
    struct buf out;
    size_t records, faults;
    size_t from[16];
    const char *words;
};

static void on_record(void *context, size_t from)
{
    struct seen *seen = context;
    assert_true(seen->records < 16);
    seen->from[seen->records++] = from;
}

static void on_fault(void *context, struct slice bytes, const char *words)
{
    struct seen *seen = context;
    (void)bytes;
    seen->faults++;
    seen->words = words;
}

static enum err read_as(struct seen *seen, bool proto, struct slice body)
{
    struct otlp_use use = {on_record, on_fault, seen};
    struct diag diag = {0};
    enum err e = proto ? otlp_read_proto(body, &seen->out, &use, &diag)
                       : otlp_read_json(body, &seen->out, &use, &diag);
    assert_int_equal(e == OK, diag.words[0] == 0);
    return e;
}

static void add(struct buf *to, uint32_t number, struct slice bytes)
{
    buf_byte(to, (char)(number << 3 | 2));
    assert_true(bytes.size < 1 << 14);
    buf_byte(to, (char)(0x80 | (bytes.size & 0x7F)));
    buf_byte(to, (char)(bytes.size >> 7));
    buf_add(to, bytes);
}

/* Wraps; the inner buffer is freed. */
static struct buf in(uint32_t number, struct buf inner)
{
    struct buf outer = {0};
    add(&outer, number, buf_slice(&inner));
    buf_fini(&inner);
    return outer;
}

static void records_of_json_stay_as_written(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct slice body =
            SLICE("{\"resourceLogs\":[{\"resource\":{\"attributes\":[1.50]},\"scopeLogs\":["
                  "{\"scope\":{\"name\":\"s\"},\"logRecords\":[{\"body\" : 1},7,{\"body\":2}]},"
                  "{\"logRecords\":[{}]}]},{\"scopeLogs\":3},{}]}");
    assert_int_equal(read_as(&seen, false, body), OK);
    assert_int_equal(seen.records, 3);
    assert_int_equal(seen.faults, 1);
    assert_true(slice_equal(buf_slice(&seen.out),
            SLICE("{\"resource\":{\"attributes\":[1.50]},\"scope\":{\"name\":\"s\"},\"record\":"
                  "{\"body\" : 1}}"
                  "{\"resource\":{\"attributes\":[1.50]},\"scope\":{\"name\":\"s\"},\"record\":"
                  "{\"body\":2}}"
                  "{\"resource\":{\"attributes\":[1.50]},\"scope\":{},\"record\":{}}")));
    static const char *const bad[] = {"", "[]", "x", "{\"resourceLogs\":[}", "{} {}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(read_as(&seen, false, slice_text(bad[i])), ERR_SYNTAX);
    }
    assert_int_equal(read_as(&seen, false, SLICE("{\"resourceLogs\":{}}")), OK);
    assert_int_equal(seen.records, 3);
    buf_fini(&seen.out);
}

static void records_of_protocol_buffers_become_the_same_json(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct buf text = {0}, pair = {0}, record = {0}, resource = {0}, scope = {0}, logs = {0},
               all = {0};
    add(&text, 1, SLICE("a\"\xFF")); /* AnyValue.string_value */
    add(&pair, 1, SLICE("k"));       /* KeyValue */
    add(&pair, 2, SLICE("\x18\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01")); /* -2 */
    buf_add(&record, SLICE("\x09\x01\0\0\0\0\0\0\x80")); /* time_unix_nano: 2^63 + 1 */
    buf_add(&record, SLICE("\x10\x09"));                 /* severity_number 9 */
    add(&record, 6, buf_slice(&pair));
    add(&record, 5, SLICE("\x0A\x01x")); /* the last of two bodies counts */
    add(&record, 5, buf_slice(&text));
    add(&record, 6, SLICE("\x0A\x01z\x12\x04\x3A\x02\xFB\xFF")); /* bytes */
    add(&record, 9, SLICE("\x01\xAB"));
    add(&record, 15, SLICE("unknown"));
    buf_add(&record, SLICE("\x45\x01\0\0\0")); /* flags */
    add(&resource, 1, buf_slice(&pair));
    add(&scope, 1, SLICE("lib"));
    add(&logs, 1, buf_slice(&scope));
    add(&logs, 2, buf_slice(&record));
    add(&logs, 2, SLICE(""));
    struct buf of_resource = {0};
    add(&of_resource, 2, buf_slice(&logs));
    add(&of_resource, 1, buf_slice(&resource));
    add(&all, 1, buf_slice(&of_resource));
    assert_int_equal(read_as(&seen, true, buf_slice(&all)), OK);
    struct slice head = SLICE("{\"resource\":{\"attributes\":[{\"key\":\"k\",\"value\":"
                              "{\"intValue\":\"-2\"}}]},\"scope\":{\"name\":\"lib\"},\"record\":");
    struct slice first = SLICE(
            "{\"timeUnixNano\":\"9223372036854775809\",\"severityNumber\":9,\"body\":"
            "{\"stringValue\":\"a\\\"\xEF\xBF\xBD\"},\"attributes\":[{\"key\":\"k\",\"value\":"
            "{\"intValue\":\"-2\"}},{\"key\":\"z\",\"value\":{\"bytesValue\":\"+/8=\"}}],"
            "\"flags\":1,\"traceId\":\"01ab\"}}");
    assert_int_equal(seen.records, 2);
    struct slice got = slice_of(seen.out.at, seen.from[1]);
    if (!slice_starts(got, head) || !slice_equal(slice_from(got, head.size), first)) {
        fail_msg("%.*s", SLICE_ARG(got));
    }
    for (size_t cut = 1; cut < all.size; cut++) { /* no cut is taken for a whole */
        assert_int_equal(read_as(&seen, true, slice_of(all.at, cut)), ERR_SYNTAX);
        seen.records = 0;
    }
    struct buf *bufs[] = {
            &text, &pair, &record, &resource, &scope, &logs, &all, &of_resource, &seen.out};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) {
        buf_fini(bufs[i]);
    }
}

static void a_broken_record_is_rejected_alone(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct buf logs = {0};
    add(&logs, 2, SLICE("\x10\x09"));
    add(&logs, 2, SLICE("\x10"));
    add(&logs, 2, SLICE("\x2A\x02\x0A\x05")); /* a body that is cut short */
    add(&logs, 2, SLICE("\x13"));             /* a group */
    add(&logs, 2, SLICE("\x00\x00"));         /* field 0 */
    struct buf all = in(1, in(2, logs));
    assert_int_equal(read_as(&seen, true, buf_slice(&all)), OK);
    assert_int_equal(seen.records, 1);
    assert_int_equal(seen.faults, 4);
    assert_true(slice_equal(buf_slice(&seen.out),
            SLICE("{\"resource\":{},\"scope\":{},\"record\":{\"severityNumber\":9}}")));
    buf_fini(&all);
    buf_fini(&seen.out);
}

/* A record (level 1) with a body (2) of an array (3) with a value (4) of an array... */
static void nesting_has_a_limit(void **state)
{
    (void)state;
    for (size_t n = OTLP_DEPTH; n <= OTLP_DEPTH + 1; n++) {
        struct buf message = {0}, out = {0};
        for (size_t outer = n - 1; outer > 0; outer--) {
            message = in(outer == 1 || outer % 2 == 0 ? 5 : 1, message);
        }
        enum err e = otlp_proto_write(&otlp_proto_record, buf_slice(&message), &out);
        assert_int_equal(e, n > OTLP_DEPTH ? ERR_LIMIT : OK);
        if (e == OK) {
            assert_int_equal(json_text_check_whole(buf_slice(&out), JSON_TEXT_DEPTH, NULL), OK);
        }
        buf_fini(&out);
        buf_fini(&message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(records_of_json_stay_as_written),
            cmocka_unit_test(records_of_protocol_buffers_become_the_same_json),
            cmocka_unit_test(a_broken_record_is_rejected_alone),
            cmocka_unit_test(nesting_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
