#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "source/http_splunk.h"
#include "support/sink.h"
#include "support/web.h"

static const struct slice NOTHING = {0};
#define CHANNEL "X-Splunk-Request-Channel: FE0ECFAD-13D5-401B-847D-77833BD77131\r\n"

static void ask(struct sink *sink, const char *line, const char *headers, struct slice body,
        const char *want)
{
    struct web_answer a = {0};
    char got[400], all[600];
    snprintf(all, sizeof all, "%s%s", sink->token, headers);
    if (!web_ask(sink->port, line, headers[0] == 'A' ? headers : all, body, &a)) {
        fail_msg("%s: no answer", line);
    }
    snprintf(got, sizeof got, "%d %.*s", a.status, SLICE_ARG(web_body(&a)));
    if (strcmp(got, want) != 0) {
        fail_msg("%.*s: %s, wanted %s", SLICE_ARG(body), got, want);
    }
    web_fini(&a);
}

static const char *const SUCCESS = "200 {\"text\":\"Success\",\"code\":0}";

static void envelopes_are_stored_as_received(void **state)
{
    (void)state;
    struct sink sink;
    sink_open(&sink, NULL);
    static const char *const records[] = {"{\"event\":\"a\",\"time\":1.5,\"fields\":{\"x\":\"y\"}}",
            "{\"event\":{\"EventID\":1}}", "{ \"event\" : [1],\n \"host\" : \"h\" }",
            "{\"event\":0}", "{\"event\":\" \"}"};
    static const char *const between[] = {"", "\n", " \r\n\t"};
    size_t seen = 0;
    for (size_t s = 0; s < 3; s++) {
        struct buf body = {0};
        for (size_t i = 0; i < 5; i++) {
            buf_add(&body, slice_text(records[i]));
            buf_add(&body, slice_text(between[s]));
        }
        ask(&sink, s == 1 ? "POST /services/collector" : "POST /services/collector/event/1.0", "",
                buf_slice(&body), SUCCESS);
        buf_fini(&body);
        for (size_t i = 0; i < 5; i++) {
            const struct sink_record *r = sink_record(&sink, FRAME_RECORDS, seen++);
            assert_true(slice_equal(r->bytes, slice_text(records[i])));
            assert_true(slice_equal(r->format, SLICE("json")));
        }
    }
    assert_int_equal(sink_count(&sink, FRAME_RECORDS), 15);
    sink_close(&sink);
}

static void one_bad_event_refuses_its_batch(void **state)
{
    (void)state;
    static const struct {
        const char *body, *want;
    } cases[] = {
            {"{\"event\":1}{\"event\":2", "400 {\"text\":\"Invalid data format\",\"code\":6,"
                                          "\"invalid-event-number\":1}"},
            {"x", "400 {\"text\":\"Invalid data format\",\"code\":6,\"invalid-event-number\":0}"},
            {"[{\"event\":1}]",
                    "400 {\"text\":\"Invalid data format\",\"code\":6,\"invalid-event-number\":0}"},
            {"{\"event\":1},{\"event\":2}",
                    "400 {\"text\":\"Invalid data format\",\"code\":6,\"invalid-event-number\":1}"},
            {"{\"event\":1}{\"time\":2}{\"event\":3}",
                    "400 {\"text\":\"Event field is required\",\"code\":12,"
                    "\"invalid-event-number\":1}"},
            {"{\"event\":null}", "400 {\"text\":\"Event field is required\",\"code\":12,"
                                 "\"invalid-event-number\":0}"},
            {"{\"event\":\"\"}", "400 {\"text\":\"Event field cannot be blank\",\"code\":13,"
                                 "\"invalid-event-number\":0}"},
            {"{\"event\":\"\xFF\"}",
                    "400 {\"text\":\"Invalid data format\",\"code\":6,\"invalid-event-number\":0}"},
            {"{\"event\":1}{\"event\":\"01234567890123456789\"}",
                    "400 {\"text\":\"Invalid data format\",\"code\":6,\"invalid-event-number\":1}"},
    };
    struct sink sink;
    struct sink_options o = {.record_bytes = 30};
    sink_open(&sink, &o);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ask(&sink, "POST /services/collector/event", "", slice_text(cases[i].body), cases[i].want);
        const struct sink_record *r = sink_record(&sink, FRAME_REJECTED, i);
        assert_true(slice_equal(r->bytes, slice_text(cases[i].body)));
        assert_true(slice_starts(r->reason, SLICE("syntax: event ")));
    }
    assert_int_equal(sink_count(&sink, FRAME_RECORDS), 0);
    ask(&sink, "POST /services/collector/event", "", SLICE(""),
            "400 {\"text\":\"No data\",\"code\":5}");
    ask(&sink, "POST /services/collector/event", "", SLICE(" \n"),
            "400 {\"text\":\"No data\",\"code\":5}");
    ask(&sink, "POST /services/collector/raw", "", SLICE("\n"),
            "400 {\"text\":\"No data\",\"code\":5}");
    assert_int_equal(sink_count(&sink, FRAME_REJECTED), sizeof cases / sizeof *cases);
    sink_close(&sink);
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    struct sink sink;
    sink_open(&sink, NULL);
    for (size_t n = HTTP_INTAKE_DEPTH; n <= HTTP_INTAKE_DEPTH + 1; n++) {
        struct buf body = {0};
        buf_add(&body, SLICE("{\"event\":"));
        for (size_t i = 1; i < n; i++) {
            buf_byte(&body, '[');
        }
        for (size_t i = 1; i < n; i++) {
            buf_byte(&body, ']');
        }
        buf_byte(&body, '}');
        ask(&sink, "POST /services/collector", "", buf_slice(&body),
                n > HTTP_INTAKE_DEPTH ? "400 {\"text\":\"Invalid data format\",\"code\":6,"
                                        "\"invalid-event-number\":0}"
                                      : SUCCESS);
        buf_fini(&body);
    }
    sink_close(&sink);
}

static void who_may_not_is_told_in_splunks_words(void **state)
{
    (void)state;
    struct sink sink;
    sink_open(&sink, NULL);
    struct slice e = SLICE("{\"event\":1}");
    ask(&sink, "POST /services/collector", "Accept: */*\r\n", e,
            "401 {\"text\":\"Token is required\",\"code\":2}");
    ask(&sink, "POST /services/collector", "Authorization: x\r\n", e,
            "401 {\"text\":\"Invalid authorization\",\"code\":3}");
    ask(&sink, "POST /services/collector", "Authorization: Splunk x\r\n", e,
            "403 {\"text\":\"Invalid token\",\"code\":4}");
    char header[200];
    snprintf(header, sizeof header, "Authorization: Splunk %s\r\n", sink.text);
    ask(&sink, "POST /services/collector", header, e, SUCCESS);
    ask(&sink, "GET /services/collector/health/1.0", "Accept: */*\r\n", NOTHING,
            "200 {\"text\":\"HEC is healthy\",\"code\":17}");
    sink_close(&sink);
}

static void raw_lines_are_records(void **state)
{
    (void)state;
    struct sink sink;
    sink_open(&sink, NULL);
    ask(&sink, "POST /services/collector/raw?sourcetype=x", "", SLICE("one\r\n\ntwo {\n"), SUCCESS);
    assert_true(slice_equal(sink_record(&sink, FRAME_RECORDS, 0)->bytes, SLICE("one")));
    assert_true(slice_equal(sink_record(&sink, FRAME_RECORDS, 1)->bytes, SLICE("two {")));
    assert_int_equal(sink_record(&sink, FRAME_RECORDS, 1)->format.size, 0);
    sink_close(&sink);
}

static void channels_have_acks(void **state)
{
    (void)state;
    struct sink sink;
    sink_open(&sink, NULL);
    struct slice e = SLICE("{\"event\":1}");
    const char *channel = CHANNEL;
    ask(&sink, "POST /services/collector", channel, e,
            "200 {\"text\":\"Success\",\"code\":0,\"ackId\":0}");
    ask(&sink, "POST /services/collector/raw?channel=FE0ECFAD-13D5-401B-847D-77833BD77131", "", e,
            "200 {\"text\":\"Success\",\"code\":0,\"ackId\":1}");
    ask(&sink, "POST /services/collector/ack", channel, SLICE("{\"acks\":[0,1,2]}"),
            "200 {\"acks\":{\"0\":true,\"1\":true,\"2\":false}}");
    ask(&sink, "POST /services/collector/ack?channel=00000000-0000-0000-0000-000000000000", "",
            SLICE("{\"acks\":[0]}"), "200 {\"acks\":{\"0\":false}}");
    ask(&sink, "POST /services/collector/ack", "", SLICE("{\"acks\":[0]}"),
            "400 {\"text\":\"Data channel is missing\",\"code\":10}");
    ask(&sink, "POST /services/collector/ack?channel=x", "", SLICE("{\"acks\":[0]}"),
            "400 {\"text\":\"Invalid data channel\",\"code\":11}");
    ask(&sink, "POST /services/collector?channel=FE0ECFAD-13D5-401B-847D-77833BD7713z", "", e,
            "400 {\"text\":\"Invalid data channel\",\"code\":11}");
    static const char *const bad[] = {"", "{}", "[]", "{\"acks\":0}", "{\"acks\":[\"0\"]}",
            "{\"acks\":[]}", "{\"acks\":[-1]}", "{\"acks\":[1.0]}",
            "{\"acks\":[1000000000000000000]}", "{\"acks\":[0]} x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ask(&sink, "POST /services/collector/ack", channel, slice_text(bad[i]),
                "400 {\"text\":\"Invalid data format\",\"code\":6}");
    }
    struct buf acks = {0};
    for (int n = HTTP_SPLUNK_ACKS; n <= HTTP_SPLUNK_ACKS + 1; n++) {
        buf_clear(&acks);
        buf_add(&acks, SLICE("{\"acks\":[7"));
        for (int i = 1; i < n; i++) {
            buf_add(&acks, SLICE(",7"));
        }
        buf_add(&acks, SLICE("]}"));
        struct web_answer a = {0};
        char headers[400];
        snprintf(headers, sizeof headers, "%s%s", sink.token, channel);
        assert_true(
                web_ask(sink.port, "POST /services/collector/ack", headers, buf_slice(&acks), &a));
        assert_int_equal(a.status, n > HTTP_SPLUNK_ACKS ? 400 : 200);
        web_fini(&a);
    }
    buf_fini(&acks);
    sink_close(&sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(envelopes_are_stored_as_received),
            cmocka_unit_test(one_bad_event_refuses_its_batch),
            cmocka_unit_test(nesting_has_a_limit),
            cmocka_unit_test(who_may_not_is_told_in_splunks_words),
            cmocka_unit_test(raw_lines_are_records),
            cmocka_unit_test(channels_have_acks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
