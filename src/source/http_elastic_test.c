#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "source/http_bulk.h"
#include "source/http_elastic.h"
#include "support/sink.h"
#include "support/web.h"

static const struct slice NOTHING = {0};

/* Begins with status and body as wanted, and says who we are. */
static void ask(struct sink *sink, const char *line, struct slice body, const char *want)
{
    struct web_answer a = {0};
    if (!web_ask(sink->port, line, sink->token, body, &a)) {
        fail_msg("%s: no answer", line);
    }
    struct buf got = {0};
    buf_format(&got, "%d ", a.status);
    buf_add(&got, web_body(&a));
    if (!slice_starts(buf_slice(&got), slice_text(want))) {
        fail_msg("%s %.*s: %.*s", line, SLICE_ARG(body), SLICE_ARG(buf_slice(&got)));
    }
    assert_true(slice_equal(web_header(&a, "X-Elastic-Product"), SLICE("Elasticsearch")));
    buf_fini(&got);
    web_fini(&a);
}

static void expect_rejected(struct sink *sink, size_t i, const char *bytes)
{
    const struct sink_record *r = sink_record(sink, FRAME_REJECTED, i);
    assert_non_null(r);
    if (!slice_equal(r->bytes, slice_text(bytes))) {
        fail_msg("%zu: %.*s", i, SLICE_ARG(r->bytes));
    }
    assert_true(slice_starts(r->reason, SLICE("syntax: ")));
}

static void expect_counts(struct sink *sink, uint64_t received, uint64_t rejected)
{
    const struct counts_source *counts =
            counts_source(sink->counts, SLICE("sg/health"), SLICE("web/127.0.0.1"));
    assert_int_equal(counts_totals(counts).received, received);
    assert_int_equal(counts->rejected[COUNTS_SYNTAX], rejected);
    assert_int_equal(sink_count(sink, FRAME_REJECTED), rejected);
}

#define FINE                                                                                       \
    "\"_version\":1,\"result\":\"created\",\"_shards\":{\"total\":1,\"successful\":1,"             \
    "\"failed\":0},\"_seq_no\":0,\"_primary_term\":1,\"status\":201}"

static void items_are_answered_in_order(void **state)
{
    (void)state;
    struct sink sink;
    sink_open(&sink, NULL);
    ask(&sink, "POST /logs/_bulk",
            SLICE("{\"index\":{\"_id\":\"1\"}}\n{\"a\":1}\n"
                  "{\"create\":{\"_index\":\"x\",\"_id\":\"2\"}}\n {\"b\":2}\r\n"
                  "{\"update\":{\"_id\":\"1\"}}\n{\"doc\":{}}\n"
                  "{\"delete\":{\"_id\":\"1\"}}\n"
                  "{\"index\":{\"_id\":\"3\"}}\n{\"a\":\n"
                  "{\"index\":{\"_id\":\"\"}}\n{}\n"
                  "{\"index\":{\"_id\":4}}\n{\"c\":3}\n"),
            "200 {\"took\":1,\"errors\":true,\"items\":["
            "{\"index\":{\"_index\":\"logs\",\"_id\":\"1\"," FINE "},"
            "{\"create\":{\"_index\":\"x\",\"_id\":\"2\"," FINE "},"
            "{\"update\":{\"_index\":\"logs\",\"_id\":\"1\",\"status\":400,\"error\":{\"type\":"
            "\"illegal_argument_exception\",\"reason\":\"only index and create are supported\"}}},"
            "{\"delete\":{\"_index\":\"logs\",\"_id\":\"1\",\"status\":400,\"error\":{\"type\":"
            "\"illegal_argument_exception\",\"reason\":\"only index and create are supported\"}}},"
            "{\"index\":{\"_index\":\"logs\",\"_id\":\"3\",\"status\":400,\"error\":{\"type\":"
            "\"document_parsing_exception\",\"reason\":\"not valid JSON\"}}},"
            "{\"index\":{\"_index\":\"logs\",\"_id\":\"\",\"status\":400,\"error\":{\"type\":"
            "\"illegal_argument_exception\",\"reason\":\"if _id is specified it must not be "
            "empty\"}}},"
            "{\"index\":{\"_index\":\"logs\",\"_id\":\"4\"," FINE "}]}");
    static const char *const want[][2] = {
            {"{\"a\":1}", "logs/1"}, {" {\"b\":2}", "x/2"}, {"{\"c\":3}", "logs/4"}};
    for (size_t i = 0; i < 3; i++) {
        const struct sink_record *r = sink_record(&sink, FRAME_RECORDS, i);
        assert_true(slice_equal(r->bytes, slice_text(want[i][0])));
        assert_true(slice_equal(r->key, slice_text(want[i][1])));
        assert_true(slice_equal(r->format, SLICE("json")));
    }
    assert_int_equal(sink_count(&sink, FRAME_RECORDS), 3);
    /* What the answer says is rejected is counted and in quarantine. */
    static const char *const rejected[] = {
            "{\"doc\":{}}", "{\"delete\":{\"_id\":\"1\"}}", "{\"a\":", "{}"};
    for (size_t i = 0; i < 4; i++) {
        expect_rejected(&sink, i, rejected[i]);
    }
    expect_counts(&sink, 7, 4);
    sink_close(&sink);
}

static void documents_without_ids_have_no_key(void **state)
{
    (void)state;
    struct sink sink;
    sink_open(&sink, NULL);
    ask(&sink, "PUT /_bulk", SLICE("{\"index\":{\"_index\":\"a\"}}\n{}\n{\"index\":{}}\n{}\n"),
            "200 {\"took\":1,\"errors\":true,\"items\":[{\"index\":{\"_index\":\"a\",\"_id\":\"");
    assert_int_equal(sink_count(&sink, FRAME_RECORDS), 1);
    assert_int_equal(sink_record(&sink, FRAME_RECORDS, 0)->key.size, 0);
    sink_close(&sink);
}

static void a_body_that_is_none_is_refused_whole(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "\n", "{}\n", "{\"index\":{}}\n", "{\"index\":{}}\n{}",
            "{\"index\":1}\n{}\n", "{\"grow\":{}}\n{}\n", "x\n{}\n", "[]\n{}\n",
            "{\"index\":{},\"create\":{}}\n{}\n", "{\"index\":{\"_id\":\"1\"}}\n{}\n{\"a\":1}\n"};
    struct sink sink;
    sink_open(&sink, NULL);
    const size_t count = sizeof bad / sizeof *bad;
    for (size_t i = 0; i < count; i++) {
        ask(&sink, "POST /a/_bulk", slice_text(bad[i]),
                "400 {\"error\":{\"root_cause\":[{\"type\"");
    }
    assert_int_equal(sink_count(&sink, FRAME_RECORDS), 0);
    for (size_t i = 1; i < count; i++) { /* the first is empty: nothing came */
        expect_rejected(&sink, i - 1, bad[i]);
    }
    expect_counts(&sink, count - 1, count - 1);
    sink_close(&sink);
}

static void single_documents_are_stored(void **state)
{
    (void)state;
    struct sink sink;
    sink_open(&sink, NULL);
    ask(&sink, "POST /logs/_doc", SLICE("{\"a\":\n1}"), "201 {\"_index\":\"logs\",\"_id\":\"");
    ask(&sink, "PUT /l%22g/_doc/7", SLICE("{}"), "201 {\"_index\":\"l\\\"g\",\"_id\":\"7\"," FINE);
    ask(&sink, "PUT /logs/_create/a%22b", SLICE("{}"), "400 {\"error\"");
    ask(&sink, "PUT /logs/_create/a", SLICE("[]"), "400 {\"error\"");
    assert_int_equal(sink_count(&sink, FRAME_RECORDS), 2);
    assert_true(slice_equal(sink_record(&sink, FRAME_RECORDS, 0)->bytes, SLICE("{\"a\":\n1}")));
    expect_rejected(&sink, 1, "[]");
    expect_counts(&sink, 4, 2);
    sink_close(&sink);
}

static void ids_and_items_have_limits(void **state)
{
    (void)state;
    char id[HTTP_BULK_ID + 1];
    memset(id, 'a', sizeof id);
    assert_null(http_bulk_check_id(slice_of(id, HTTP_BULK_ID)));
    assert_non_null(http_bulk_check_id(slice_of(id, HTTP_BULK_ID + 1)));
    assert_non_null(http_bulk_check_id(SLICE("a\0b")));
    assert_non_null(http_bulk_check_id(SLICE("\xFF")));
    struct sink sink;
    struct buf body = {0};
    sink_open(&sink, NULL);
    for (int i = 0; i < HTTP_ELASTIC_ITEMS; i++) {
        buf_add(&body, SLICE("{\"index\":{}}\n{}\n"));
    }
    ask(&sink, "POST /a/_bulk", buf_slice(&body), "200 {\"took\":1,\"errors\":false,");
    buf_add(&body, SLICE("{\"index\":{}}\n{}\n"));
    ask(&sink, "POST /a/_bulk", buf_slice(&body), "413 {\"error\"");
    assert_true(slice_starts(sink_record(&sink, FRAME_REJECTED, 0)->reason,
            SLICE("too_long: too many items in one request")));
    buf_fini(&body);
    sink_close(&sink);
}

static void what_clients_ask_at_their_start_is_answered(void **state)
{
    (void)state;
    struct sink sink;
    sink_open(&sink, NULL);
    ask(&sink, "GET /", NOTHING, "200 {\"name\":\"merlon\"");
    ask(&sink, "GET /_license?human=false", NOTHING, "200 {\"license\":{\"status\":\"active\"");
    ask(&sink, "GET /_xpack", NOTHING, "200 {\"build\"");
    ask(&sink, "GET /_cluster/health", NOTHING, "200 {\"cluster_name\"");
    ask(&sink, "PUT /_index_template/filebeat", SLICE("{}"), "200 {\"acknowledged\":true}");
    ask(&sink, "GET /_ilm/policy/filebeat", NOTHING, "200 {}");
    ask(&sink, "PUT /logs-1", SLICE("{}"), "200 {\"acknowledged\":true}");
    struct web_answer a = {0};
    assert_true(web_ask(sink.port, "GET /", "", NOTHING, &a));
    assert_int_equal(a.status, 401);
    assert_true(slice_starts(
            web_body(&a), SLICE("{\"error\":{\"root_cause\":[{\"type\":\"security_exception\"")));
    char headers[400];
    snprintf(headers, sizeof headers,
            "%sAccept: application/vnd.elasticsearch+json; compatible-with=9\r\n", sink.token);
    assert_true(web_ask(sink.port, "GET /", headers, NOTHING, &a));
    assert_true(slice_equal(web_header(&a, "Content-Type"),
            SLICE("application/vnd.elasticsearch+json;compatible-with=9")));
    web_fini(&a);
    sink_close(&sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(items_are_answered_in_order),
            cmocka_unit_test(documents_without_ids_have_no_key),
            cmocka_unit_test(a_body_that_is_none_is_refused_whole),
            cmocka_unit_test(single_documents_are_stored),
            cmocka_unit_test(ids_and_items_have_limits),
            cmocka_unit_test(what_clients_ask_at_their_start_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
