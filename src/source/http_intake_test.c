#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/sink.h"
#include "support/web.h"

enum { TURNS = 2000 }; /* of a millisecond: until who waits is answered */

static _Atomic int64_t steady;

static int64_t steady_ns(void)
{
    return steady;
}

static const struct slice NOTHING = {0};

/* The answer's status; its body begins with `want`. */
static int ask(struct sink *sink, const char *line, struct slice body, const char *want)
{
    struct web_answer a = {0};
    if (!web_ask(sink->port, line, sink->token, body, &a)) {
        fail_msg("%s: no answer", line);
    }
    if (!slice_starts(web_body(&a), slice_text(want))) {
        fail_msg("%s: %d %.*s", line, a.status, SLICE_ARG(web_body(&a)));
    }
    int status = a.status;
    web_fini(&a);
    return status;
}

static void expect_record(struct sink *sink, enum frame_kind kind, size_t i, const char *bytes)
{
    const struct sink_record *r = sink_record(sink, kind, i);
    assert_non_null(r);
    if (!slice_equal(r->bytes, slice_text(bytes))) {
        fail_msg("%zu: %.*s", i, SLICE_ARG(r->bytes));
    }
}

static void lines_are_stored_and_told(void **state)
{
    (void)state;
    struct sink sink;
    sink_open(&sink, NULL);
    assert_int_equal(
            ask(&sink, "POST /api/v1/ingest",
                    SLICE("{\"a\":1}\r\n\n [1]\n{\"b\":2}\nx\n{\"c\":\"\0\"}\n {\"d\":3} "),
                    "{\"accepted\":3,\"rejected\":3}"),
            200);
    expect_record(&sink, FRAME_RECORDS, 0, "{\"a\":1}");
    expect_record(&sink, FRAME_RECORDS, 1, "{\"b\":2}");
    expect_record(&sink, FRAME_RECORDS, 2, " {\"d\":3} ");
    expect_record(&sink, FRAME_REJECTED, 0, " [1]");
    expect_record(&sink, FRAME_REJECTED, 1, "x");
    assert_int_equal(sink_record(&sink, FRAME_REJECTED, 2)->bytes.size, 9);
    const struct sink_record *r = sink_record(&sink, FRAME_RECORDS, 0);
    assert_true(slice_equal(r->tenant, SLICE("sg/health")));
    assert_true(slice_equal(r->source, SLICE("web/127.0.0.1")));
    assert_true(slice_equal(r->format, SLICE("json")));
    assert_true(slice_starts(
            sink_record(&sink, FRAME_REJECTED, 0)->reason, SLICE("syntax: expected a JSON")));
    const struct counts_source *counts =
            counts_source(sink.counts, SLICE("sg/health"), SLICE("web/127.0.0.1"));
    assert_int_equal(counts_totals(counts).received, 6);
    assert_int_equal(counts->rejected[COUNTS_SYNTAX], 3);
    assert_int_equal(
            ask(&sink, "POST /api/v1/ingest", SLICE(""), "{\"accepted\":0,\"rejected\":0}"), 200);
    sink_close(&sink);
}

static void a_request_names_format_and_tenant(void **state)
{
    (void)state;
    struct sink sink;
    sink_open(&sink, NULL);
    const char *one = "{\"accepted\":1,\"rejected\":0}";
    assert_int_equal(ask(&sink, "POST /api/v1/ingest?format=syslog&tenant=sg%2Fhealth%2Fmoh",
                             SLICE("<34>Oct 11 22:14:15 a su: x"), one),
            200);
    const struct sink_record *r = sink_record(&sink, FRAME_RECORDS, 0);
    assert_true(slice_equal(r->format, SLICE("syslog")));
    assert_true(slice_equal(r->tenant, SLICE("sg/health/moh")));
    static const struct {
        const char *query;
        int status;
    } refused[] = {{"?format=brew", 400}, {"?format=", 400}, {"?tenant=sg", 403}, {"?tenant=", 403},
            {"?tenant=sg/transport", 403}, {"?tenant=sg/health/", 403}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char line[100];
        snprintf(line, sizeof line, "POST /api/v1/ingest%s", refused[i].query);
        assert_int_equal(ask(&sink, line, SLICE("{}"), "{\"error\""), refused[i].status);
    }
    assert_int_equal(sink_count(&sink, FRAME_RECORDS), 1);
    sink_close(&sink);
}

static void a_long_record_is_rejected_alone(void **state)
{
    (void)state;
    struct sink sink;
    struct sink_options o = {.record_bytes = 20};
    sink_open(&sink, &o);
    assert_int_equal(ask(&sink, "POST /api/v1/ingest",
                             SLICE("{\"a\":\"12345678901\"}\n{\"a\":\"1234567890123\"}\n"
                                   "{\"a\":\"123456789012\"}\n"),
                             "{\"accepted\":2,\"rejected\":1}"),
            200);
    assert_true(slice_starts(sink_record(&sink, FRAME_REJECTED, 0)->reason, SLICE("too_long: ")));
    sink_close(&sink);
}

static void a_body_of_telemetry_that_is_none_is_rejected_whole(void **state)
{
    (void)state;
    static const char *const bad[] = {
            "x", "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{}"};
    struct sink sink;
    sink_open(&sink, NULL);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(ask(&sink, "POST /v1/logs", slice_text(bad[i]), "{\"code\":3"), 400);
        expect_record(&sink, FRAME_REJECTED, i, bad[i]);
    }
    assert_int_equal(sink_count(&sink, FRAME_RECORDS), 0);
    const struct counts_source *counts =
            counts_source(sink.counts, SLICE("sg/health"), SLICE("web/127.0.0.1"));
    assert_int_equal(counts_totals(counts).received, 2);
    assert_int_equal(counts->rejected[COUNTS_SYNTAX], 2);
    sink_close(&sink);
}

static void items_have_a_limit(void **state)
{
    (void)state;
    struct sink sink;
    struct buf body = {0};
    sink_open(&sink, NULL);
    for (int i = 0; i < HTTP_INTAKE_ITEMS; i++) {
        buf_add(&body, SLICE("{}\n"));
    }
    assert_int_equal(ask(&sink, "POST /api/v1/ingest", buf_slice(&body),
                             "{\"accepted\":200000,\"rejected\":0}"),
            200);
    buf_add(&body, SLICE("{}\n"));
    assert_int_equal(ask(&sink, "POST /api/v1/ingest", buf_slice(&body), "{\"error\""), 413);
    const struct sink_record *r = sink_record(&sink, FRAME_REJECTED, 0);
    assert_true(slice_starts(r->bytes, SLICE("{}\n{}\n")));
    assert_true(slice_starts(r->reason, SLICE("too_long: too many lines in one request")));
    sink_close(&sink);
    buf_fini(&body);
}

/* Three requests wait; nobody is answered before the commit. */
static void answers_wait_for_the_commit(void **state)
{
    (void)state;
    struct sink sink;
    struct web_answer a = {0};
    int fd[3];
    sink_open(&sink, NULL);
    sink.hold = true;
    for (int i = 0; i < 3; i++) {
        fd[i] = web_connect(sink.port);
        assert_true(web_request(fd[i], "POST /api/v1/ingest", sink.token, SLICE("{}")));
    }
    while (sink_count(&sink, FRAME_RECORDS) < 3) {
        assert_int_equal(ask(&sink, "POST /api/v1/ingest", SLICE(""), "{\"accepted\":0"), 200);
    }
    char byte;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(recv(fd[i], &byte, 1, MSG_DONTWAIT), -1);
    }
    sink.hold = false;
    sink_wake(&sink);
    for (int i = 0; i < 3; i++) {
        assert_true(web_read(fd[i], &a));
        assert_int_equal(a.status, 200);
        close(fd[i]);
    }
    web_fini(&a);
    sink_close(&sink);
}

static void who_is_not_committed_in_time_is_told(void **state)
{
    (void)state;
    struct sink sink;
    struct sink_options o = {.steady_ns = steady_ns};
    struct web_answer a = {0};
    steady = 0;
    sink_open(&sink, &o);
    sink.hold = true;
    int fd = web_connect(sink.port);
    assert_true(web_request(fd, "POST /api/v1/ingest", sink.token, SLICE("{}")));
    while (sink_count(&sink, FRAME_RECORDS) < 1) {
        sink_wake(&sink);
    }
    char byte;
    steady = (int64_t)HTTP_INTAKE_DONE_MS * 1000000 - 1;
    http_intake_turn(sink.h);
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
    steady = (int64_t)HTTP_INTAKE_DONE_MS * 1000000;
    http_intake_turn(sink.h);
    assert_true(web_read(fd, &a));
    assert_int_equal(a.status, 503);
    assert_true(web_header(&a, "Retry-After").at != NULL);
    /* Closing answers who waits. */
    assert_true(web_request(fd, "POST /api/v1/ingest", sink.token, SLICE("{}")));
    while (sink_count(&sink, FRAME_RECORDS) < 2) {
        sink_wake(&sink);
    }
    sink_close(&sink);
    assert_true(web_read(fd, &a));
    assert_int_equal(a.status, 503);
    close(fd);
    web_fini(&a);
}

/* Until so many of four have an answer. A request that came after the first turn waits from then.
 */
static void wait_refused(struct sink *sink, const int fd[4], int wanted)
{
    char byte;
    int busy = 0;
    while (busy < wanted && steady < (int64_t)HTTP_INTAKE_DONE_MS * 1000000 / 2) {
        steady += (int64_t)HTTP_INTAKE_ROOM_MS * 1000000;
        for (int turn = 0; busy < wanted && turn < TURNS; turn++) {
            http_intake_turn(sink->h);
            poll(NULL, 0, 1);
            busy = 0;
            for (int i = 0; i < 4; i++) {
                busy += recv(fd[i], &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1;
            }
        }
    }
}

static void without_room_nothing_is_stored(void **state)
{
    (void)state;
    struct sink sink;
    struct sink_options o = {.steady_ns = steady_ns, .channel_bytes = 1 << 16};
    struct web_answer a = {0};
    struct buf body = {0};
    steady = 0;
    sink_open(&sink, &o);
    sink.stuck = true;
    sink.hold = true;
    while (body.size < 28000) {
        buf_add(&body, SLICE("{\"a\":\"0123456789012345678901234567890123456789\"}\n"));
    }
    int fd[4];
    for (int i = 0; i < 4; i++) { /* two fit; the others wait for room */
        fd[i] = web_connect(sink.port);
        assert_true(web_request(fd[i], "POST /api/v1/ingest", sink.token, buf_slice(&body)));
    }
    while (http_figures(sink.http).requests < 4) {
    }
    for (int i = 0; i < 100; i++) {
        http_intake_turn(sink.h);
    }
    steady = (int64_t)HTTP_INTAKE_ROOM_MS * 1000000 - 1;
    http_intake_turn(sink.h);
    char byte;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(recv(fd[i], &byte, 1, MSG_DONTWAIT), -1);
    }
    int stored = 0;
    wait_refused(&sink, fd, 2);
    sink.stuck = false;
    sink.hold = false;
    sink_wake(&sink);
    for (int i = 0; i < 4; i++) {
        assert_true(web_read(fd[i], &a));
        stored += a.status == 200;
        if (a.status == 503) {
            assert_true(slice_find(web_body(&a), SLICE("nothing was stored")) != SIZE_MAX);
        }
        close(fd[i]);
    }
    assert_int_equal(stored, 2);
    size_t lines = body.size / strlen("{\"a\":\"0123456789012345678901234567890123456789\"}\n");
    assert_int_equal(sink_count(&sink, FRAME_RECORDS), 2 * lines);
    buf_fini(&body);
    web_fini(&a);
    sink_close(&sink);
}

/* Of a request that is put in parts some are on disk, and the disk is full for the others: that is
 * no success, and neither is it said that nothing was stored. */
static void a_part_of_a_request_is_no_success(void **state)
{
    (void)state;
    struct sink sink;
    struct sink_options o = {.steady_ns = steady_ns, .channel_bytes = 1 << 22};
    struct web_answer a = {0};
    struct buf body = {0};
    static char filler[60000];
    memset(filler, '0', sizeof filler);
    steady = 0;
    sink_open(&sink, &o);
    sink.stuck = true;
    size_t lines = 0;
    for (; body.size < 6 * (size_t)INTAKE_BATCH; lines++) {
        buf_add(&body, SLICE("{\"a\":\""));
        buf_add(&body, slice_of(filler, sizeof filler));
        buf_add(&body, SLICE("\"}\n"));
    }
    int fd = web_connect(sink.port);
    assert_true(web_request(fd, "POST /api/v1/ingest", sink.token, buf_slice(&body)));
    while (channel_head(sink.channel) < 2 * (uint64_t)INTAKE_BATCH) {
        poll(NULL, 0, 1);
    }
    channel_refuse(sink.channel, CHANNEL_NO_ROOM);
    sink.stuck = false;
    while (channel_done(sink.channel) < channel_head(sink.channel)) {
        sink_wake(&sink);
    }
    size_t stored = sink_count(&sink, FRAME_RECORDS);
    assert_true(stored > 0 && stored < lines);
    steady = (int64_t)HTTP_INTAKE_DONE_MS * 1000000;
    http_intake_turn(sink.h);
    assert_true(web_read(fd, &a));
    assert_int_equal(a.status, 503);
    assert_true(slice_find(web_body(&a), SLICE("nothing was stored")) == SIZE_MAX);
    close(fd);
    buf_fini(&body);
    web_fini(&a);
    sink_close(&sink);
}

/* What a route of that table needs, told by its path alone. */
static bool is_public(const char *path)
{
    return strstr(path, "/health") && !strstr(path, "_cluster");
}

/* Every route x every role, and no token, and a token of another input: who gets past the door. */
static void routes_let_in_whom_they_should(void **state)
{
    (void)state;
    static const char *const methods[HTTP_METHODS] = {"GET", "HEAD", "POST", "PUT", "DELETE"};
    struct sink sink;
    struct tokens *tokens;
    char header[AUTHORIZE_ROLES + 2][200] = {{0}};
    sink_open(&sink, NULL);
    assert_int_equal(tokens_new(&tokens), OK);
    for (int role = 0; role < AUTHORIZE_ROLES; role++) {
        sink_add_token(tokens, SLICE("sg/a"), (enum authorize_role)role, SLICE(""), header[role]);
    }
    sink_add_token(tokens, SLICE("sg/a"), AUTHORIZE_ADMIN, SLICE("other"), header[AUTHORIZE_ROLES]);
    http_use_tokens(sink.http, tokens);
    for (size_t i = 0; i < sink.table.count; i++) {
        const struct http_route *route = &sink.table.routes[i];
        for (int who = 0; who < AUTHORIZE_ROLES + 2; who++) {
            char line[200];
            struct web_answer a = {0};
            bool may =
                    is_public(route->path) || who == AUTHORIZE_INGESTER || who == AUTHORIZE_ADMIN;
            snprintf(line, sizeof line, "%s %s", methods[route->method], route->path);
            for (char *c = line; *c; c++) {
                *c = *c == '{' || *c == '}' ? 'x' : *c;
            }
            assert_true(web_ask(sink.port, line, header[who], NOTHING, &a));
            if ((a.status != 401 && a.status != 403) != may) {
                fail_msg("%s as %d: %d", line, who, a.status);
            }
            web_fini(&a);
        }
    }
    assert_true(sink.table.count > 30);
    for (size_t i = 0; sink_record(&sink, FRAME_RECORDS, i); i++) {
        assert_true(slice_equal(sink_record(&sink, FRAME_RECORDS, i)->tenant, SLICE("sg/a")));
    }
    sink_close(&sink);
}

static void a_log_that_refuses_is_told_at_once(void **state)
{
    (void)state;
    struct sink sink;
    sink_open(&sink, NULL);
    channel_refuse(sink.channel, CHANNEL_NO_ROOM);
    assert_int_equal(
            ask(&sink, "GET /services/collector/health", NOTHING, "{\"text\":\"HEC is unhealthy"),
            503);
    uint64_t head = channel_head(sink.channel);
    assert_int_equal(ask(&sink, "POST /api/v1/ingest", SLICE("{}\n"),
                             "{\"error\":{\"code\":\"busy\",\"message\":\"the log has no room at "
                             "present; nothing was stored"),
            503);
    assert_int_equal(channel_head(sink.channel), head); /* nor is it held */
    sink.hold = true;
    sink.stuck = true;
    channel_refuse(sink.channel, CHANNEL_OPEN);
    assert_int_equal(ask(&sink, "GET /services/collector/health", NOTHING,
                             "{\"text\":\"HEC is healthy\",\"code\":17}"),
            200);
    sink_close(&sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(lines_are_stored_and_told),
            cmocka_unit_test(a_request_names_format_and_tenant),
            cmocka_unit_test(a_part_of_a_request_is_no_success),
            cmocka_unit_test(a_long_record_is_rejected_alone),
            cmocka_unit_test(a_body_of_telemetry_that_is_none_is_rejected_whole),
            cmocka_unit_test(items_have_a_limit),
            cmocka_unit_test(answers_wait_for_the_commit),
            cmocka_unit_test(who_is_not_committed_in_time_is_told),
            cmocka_unit_test(without_room_nothing_is_stored),
            cmocka_unit_test(routes_let_in_whom_they_should),
            cmocka_unit_test(a_log_that_refuses_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
