#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "api/api_feed.h"
#include "api/api_record.h"
#include "base/json_text.h"
#include "base/time.h"
#include "net/http.h"
#include "support/web.h"
#include "wal/wal.h"

/* ---- a server over a log of findings -----------------------------------------------------------
 */

static const char *const tenants[] = {"", "sg", "sg/moh", "sg/mof", "sg/mofa"};
enum { TENANTS = sizeof tenants / sizeof *tenants };

static struct {
    char directory[40], records[50];
    struct counts *counts;
    struct kept *kept;
    struct sent *sent;
    struct standing *standing;
    struct held held, late;
    struct api_figures figures;
    struct api_reload reload;
    uint64_t reloads; /* asked for */
    struct api *api;
    struct http_table table;
    struct http *http;
    struct wal *wal, *stored;
    _Atomic uint64_t committed, stored_committed;
    int port;
    char tokens[TENANTS][AUTHORIZE_ROLES][200];
    _Atomic int64_t now_ns;
} s;

static int64_t wall_ns(void)
{
    return s.now_ns;
}

static void read_figures(void *context, struct api_figures *out)
{
    (void)context;
    *out = s.figures;
    out->findings = s.committed;
    out->committed = s.stored_committed > 0 ? s.stored_committed : out->committed;
}

static uint64_t ask_reload(void *context)
{
    (void)context;
    return ++s.reloads;
}

static void read_reload(void *context, struct api_reload *out)
{
    (void)context;
    *out = s.reload;
}

static struct tokens *make_tokens(void)
{
    struct tokens *tokens;
    char text[TOKENS_TEXT];
    assert_int_equal(tokens_new(&tokens), OK);
    for (size_t t = 0; t < TENANTS; t++) {
        for (enum authorize_role role = 0; role < AUTHORIZE_ROLES; role++) {
            const struct tokens_wish wish = {
                    .name = SLICE("t"), .tenant = slice_text(tenants[t]), .role = role};
            assert_int_equal(tokens_add(tokens, &wish, wall_ns(), text, NULL), OK);
            snprintf(s.tokens[t][role], sizeof s.tokens[t][role], "Authorization: Bearer %s\r\n",
                    text);
        }
    }
    return tokens;
}

static void find(const char *tenant, const char *json)
{
    struct frame frame = {.kind = FRAME_FINDINGS, .receipt_ns = 1};
    struct frame_records records = {0};
    frame.attribute[FRAME_TENANT] = slice_text(tenant);
    if (json) {
        frame_records_add(&records, slice_text(json));
        assert_int_equal(frame_take(&frame, &records), OK);
    } else {
        frame_take_empty(&frame);
    }
    assert_int_equal(wal_append(s.wal, &frame, NULL), OK);
    assert_int_equal(wal_commit(s.wal, NULL), OK);
    frame_records_fini(&records);
}

static void set_aside(const char *tenant)
{
    struct frame frame = {.kind = FRAME_UNREAD, .receipt_ns = 1};
    struct frame_records records = {0};
    char words[100];
    snprintf(words, sizeof words, "<%s>", tenant);
    frame.attribute[FRAME_TENANT] = slice_text(tenant);
    frame.attribute[FRAME_SOURCE] = SLICE("tcp0/10.1.2.3");
    frame.attribute[FRAME_REASON] = SLICE(UNREAD_UNDECODABLE);
    unread_add(&records, 17, slice_text(words));
    assert_int_equal(frame_take(&frame, &records), OK);
    assert_int_equal(wal_append(s.wal, &frame, NULL), OK);
    assert_int_equal(wal_commit(s.wal, NULL), OK);
    frame_records_fini(&records);
}

/* Two records of a source, one frame. */
static void store(const char *tenant, const char *source, const char *first, const char *second)
{
    struct frame frame = {.kind = FRAME_RECORDS, .receipt_ns = 1700000000 * TIME_SECOND};
    struct frame_records records = {0};
    frame.attribute[FRAME_TENANT] = slice_text(tenant);
    frame.attribute[FRAME_SOURCE] = slice_text(source);
    frame_records_add(&records, slice_text(first));
    frame_records_add(&records, slice_text(second));
    assert_int_equal(frame_take(&frame, &records), OK);
    assert_int_equal(wal_append(s.stored, &frame, NULL), OK);
    assert_int_equal(wal_commit(s.stored, NULL), OK);
    frame_records_fini(&records);
}

static int start(void **unused)
{
    (void)unused;
    const struct wal_options log = {.disk = &disk_real, .committed = &s.committed};
    static const struct api_silence silences[] = {
            {{"fast", 4}, TIME_SECOND}, {{"slow", 4}, 100 * TIME_SECOND}};
    const struct api_options options = {.figures = read_figures,
            .silent_ns = 90 * TIME_SECOND,
            .silences = silences,
            .silence_count = 2,
            .reload = ask_reload,
            .reloaded = read_reload,
            .findings = s.directory,
            .records = s.records,
            .disk = &disk_real,
            .wall_ns = wall_ns};
    snprintf(s.directory, sizeof s.directory, "/tmp/merlon-api-XXXXXX");
    s.now_ns = 1700000000 * TIME_SECOND;
    s.figures = (struct api_figures){.ready = true,
            .watching = true,
            .writable = true,
            .started_ns = 1600000000 * TIME_SECOND,
            .committed = 12,
            .through = 5};
    s.reload = (struct api_reload){.answered = UINT64_MAX, .good = true, .told = true};
    s.committed = 0;
    assert_non_null(mkdtemp(s.directory));
    assert_int_equal(wal_open(s.directory, &log, &s.wal, NULL), OK);
    const struct wal_options received = {.disk = &disk_real, .committed = &s.stored_committed};
    snprintf(s.records, sizeof s.records, "%s/log", s.directory);
    s.stored_committed = 0;
    assert_int_equal(wal_open(s.records, &received, &s.stored, NULL), OK);
    assert_int_equal(counts_new(&s.counts, NULL), OK);
    struct api_options with_counts = options;
    assert_int_equal(kept_new(&s.kept, NULL), OK);
    with_counts.counts = s.counts;
    with_counts.kept = s.kept;
    assert_int_equal(sent_new(&s.sent, NULL), OK);
    with_counts.sent = s.sent;
    assert_int_equal(standing_new(&s.standing, NULL), OK);
    with_counts.standing = s.standing;
    with_counts.held = &s.held;
    with_counts.late = &s.late;
    s.late = (struct held){0};
    held_add(&s.late, SLICE("sg/moh"), SLICE("rule \"2\""), 5);
    s.held = (struct held){0};
    held_add(&s.held, SLICE("sg/moh"), SLICE("rule \"1\""), 1);
    assert_int_equal(api_new(&with_counts, &s.api, NULL), OK);
    s.table = api_table(s.api);
    const struct http_options server = {.listener = web_listen(&s.port),
            .input = SLICE("api"),
            .tables = &s.table,
            .table_count = 1,
            .tokens = make_tokens(),
            .wall_ns = wall_ns};
    assert_int_equal(http_start(&server, &s.http, NULL), OK);
    return 0;
}

static int stop(void **unused)
{
    (void)unused;
    char command[100];
    http_stop(s.http);
    api_free(s.api);
    counts_free(s.counts);
    kept_free(s.kept);
    sent_free(s.sent);
    standing_free(s.standing);
    wal_close(s.wal);
    wal_close(s.stored);
    snprintf(command, sizeof command, "rm -r %s", s.directory);
    return system(command);
}

/* The body stays until the next call. */
static struct web_answer last;

static int ask(const char *path, const char *headers)
{
    char line[300];
    snprintf(line, sizeof line, "%s%s", path[0] == '/' ? "GET " : "", path);
    assert_true(web_ask(s.port, line, headers, (struct slice){0}, &last));
    return last.status;
}

static bool says(const char *words)
{
    return slice_find(web_body(&last), slice_text(words)) != SIZE_MAX;
}

static void assert_body(const char *text)
{
    struct slice body = slice_trim(web_body(&last));
    if (!slice_equal(body, slice_text(text))) {
        fail_msg("%.*s", SLICE_ARG(body));
    }
}

#define ADMIN s.tokens[0][AUTHORIZE_ADMIN]

/* ---- who may what ------------------------------------------------------------------------------
 */

/* Every route of the table, by every role of every tenant: as authorize() has it, which has tests
 * of its own; here, that the table names the permission that doc/serve.md promises, that a body of
 * one tenant never reaches another. */
static void each_route_asks_for_its_permission(void **unused)
{
    (void)unused;
    static const struct {
        const char *path;
        bool may[AUTHORIZE_ROLES]; /* ingest, reader, analyst, admin */
        bool open, whole;          /* whole: for tokens of the whole tree alone */
    } promised[] = {{"/healthz", {true, true, true, true}, true, false},
            {"/readyz", {true, true, true, true}, true, false},
            {"/metrics", {false, true, true, true}, false, false},
            {"/api/v1/status", {false, true, true, true}, false, false},
            {"/api/v1/findings", {false, true, true, true}, false, false},
            {"/api/v1/quarantine", {false, true, true, true}, false, false},
            {"/api/v1/rules", {false, true, true, true}, false, false},
            {"/api/v1/records", {false, true, true, true}, false, false},
            {"POST /api/v1/rules/reload", {false, false, false, true}, false, true}};
    char json[100];
    assert_int_equal(s.table.count, sizeof promised / sizeof *promised);
    for (size_t t = 1; t < TENANTS; t++) {
        snprintf(json, sizeof json, "{\"of\":\"<%s>\"}", tenants[t]);
        find(tenants[t], json);
        set_aside(tenants[t]);
        snprintf(json, sizeof json, "<%s>", tenants[t]);
        store(tenants[t], "tcp0/10.1.2.3", json, "second");
        counts_add(&counts_source(s.counts, slice_text(tenants[t]), slice_text(json))->taken, 1);
        snprintf(s.standing->tenants[t - 1].name, STANDING_NAME, "%s/%s", tenants[t], json);
        s.standing->tenants[t - 1].made_ns = 1;
        s.standing->tenant_count = (uint32_t)t;
    }
    for (size_t i = 0; i < s.table.count; i++) {
        const char *path = promised[i].path;
        assert_string_equal(s.table.routes[i].path, strchr(path, '/'));
        assert_int_equal(ask(path, ""), promised[i].open ? 200 : 401);
        for (size_t t = 0; t < TENANTS; t++) {
            for (enum authorize_role role = 0; role < AUTHORIZE_ROLES; role++) {
                bool may = promised[i].may[role] && (t == 0 || !promised[i].whole);
                assert_int_equal(ask(path, s.tokens[t][role]), may ? 200 : 403);
                for (size_t other = 1; other < TENANTS; other++) {
                    bool seen =
                            authorize_covers(slice_text(tenants[t]), slice_text(tenants[other]));
                    snprintf(json, sizeof json, "<%s>", tenants[other]);
                    bool shown = !promised[i].open && !promised[i].whole && promised[i].may[role] &&
                                 seen;
                    assert_int_equal(says(json), shown);
                }
            }
        }
    }
}

/* ---- rules -------------------------------------------------------------------------------------
 */

static void rules_stand_as_the_judge_says(void **unused)
{
    (void)unused;
    struct standing *standing = s.standing;
    standing_write(standing);
    standing_clear(standing, "abc");
    standing->rule_count = 3;
    standing->rules[2].exception = true;
    standing_text(standing->rules[0].id, STANDING_ID, SLICE("r-0"));
    standing_text(standing->rules[0].title, STANDING_NAME, SLICE("A \"title\""));
    standing_text(standing->rules[0].level, sizeof standing->rules[0].level, SLICE("high"));
    standing_text(standing->rules[1].id, STANDING_ID, SLICE("r-1"));
    standing->rules[0].asked = 10;
    standing->rules[0].held = 3;
    standing->rules[0].timed = 2;
    standing->rules[0].timed_ns = 4000;
    standing->tenant_count = 1;
    standing_text(standing->tenants[0].name, STANDING_NAME, SLICE("sg/moh"));
    standing->tenants[0].events = 7;
    standing->tenants[0].looked_at = 5;
    standing->tenants[0].made_ns = standing->tenants[0].since_ns = 1600000000 * TIME_SECOND;
    standing->tenants[0].verdicts[1].why = STANDING_TESTS;
    standing->tenants[0].verdicts[2].why = STANDING_UNSEEN;
    standing_text(standing->tenants[0].verdicts[1].field, STANDING_FIELD, SLICE("Image"));
    assert_int_equal(ask("/api/v1/rules", ADMIN), 503); /* being changed */
    assert_int_equal(ask("/metrics", ADMIN), 200);
    assert_false(says("merlon_rules"));
    standing_written(standing);
    assert_int_equal(ask("/api/v1/rules", ADMIN), 200);
    assert_body(
            "{\"ruleset\":\"abc\",\"rules\":2,\"tenants\":[{\"tenant\":\"sg/moh\",\"events\":7,"
            "\"looked_at\":5,\"since\":\"2020-09-13T12:26:40Z\",\"as_of\":\"2020-09-13T12:26:40Z\","
            "\"rules\":{\"can\":1,\"unmapped\":0,\"unseen\":0,\"never\":0,\"tests\":1,\"parts\":0}}"
            "],"
            "\"not_looked_at\":0,\"costs\":[{\"id\":\"r-0\",\"title\":\"A \\\"title\\\"\","
            "\"level\":\"high\",\"evaluated\":10,\"matched\":3,\"spent_us\":20}]}");
    assert_int_equal(ask("/api/v1/rules?tenant=sg/moh", s.tokens[1][AUTHORIZE_READER]), 200);
    assert_true(
            says("\"cannot_fire\":[{\"id\":\"r-1\",\"title\":\"\",\"level\":\"\",\"why\":\"tests\","
                 "\"field\":\"Image\"}]"));
    assert_false(says("costs"));
    assert_int_equal(ask("/api/v1/rules?tenant=sg/moh", s.tokens[3][AUTHORIZE_READER]), 403);
    assert_int_equal(ask("/metrics", ADMIN), 200);
    assert_true(
            says("merlon_rule_seconds_total{rule=\"r-0\",title=\"A \\\"title\\\"\"} 0.000020\n"));
    assert_true(says("merlon_rules{tenant=\"sg/moh\",fire=\"tests\"} 1\n"));
    /* Whatever stands there, nothing is read beyond its place. */
    memset(standing->rules[0].title, 'x', STANDING_NAME);
    memset(standing->tenants[0].name, 's', STANDING_NAME);
    memset(&standing->tenants[0].verdicts[1], 0xFF, sizeof standing->tenants[0].verdicts[1]);
    standing->tenant_count = standing->rule_count = UINT32_MAX;
    assert_int_equal(ask("/api/v1/rules", ADMIN), 200);
    assert_int_equal(ask("/metrics", ADMIN), 200);
}

static void another_tenant_may_not_be_asked_for(void **unused)
{
    (void)unused;
    char path[100];
    for (size_t t = 0; t < TENANTS; t++) {
        for (size_t other = 0; other < TENANTS; other++) {
            bool covered = authorize_covers(slice_text(tenants[t]), slice_text(tenants[other]));
            snprintf(path, sizeof path, "/api/v1/findings?tenant=%s", tenants[other]);
            assert_int_equal(ask(path, s.tokens[t][AUTHORIZE_READER]), covered ? 200 : 403);
            snprintf(path, sizeof path, "/api/v1/records?last=9&tenant=%s", tenants[other]);
            assert_int_equal(ask(path, s.tokens[t][AUTHORIZE_READER]), covered ? 200 : 403);
        }
    }
    assert_int_equal(ask("/api/v1/findings?tenant=a%2F%2Fb", ADMIN), 403);
}

/* ---- findings ----------------------------------------------------------------------------------
 */

static void pages_follow_each_other(void **unused)
{
    (void)unused;
    find("sg", "{\"n\":1}");
    find("sg", NULL);
    find("sg/moh", "{\"n\":2}");
    find("sg", "{\"n\":3}");
    assert_int_equal(ask("/api/v1/findings", ADMIN), 200);
    assert_body("{\"findings\":[{\"n\":1},\n{\"n\":2},\n{\"n\":3}],\"next\":4,\"more\":false}");
    assert_int_equal(ask("/api/v1/findings?limit=1", ADMIN), 200);
    assert_body("{\"findings\":[{\"n\":1}],\"next\":1,\"more\":true}");
    assert_int_equal(ask("/api/v1/findings?limit=1&after=1", ADMIN), 200);
    assert_body("{\"findings\":[{\"n\":2}],\"next\":3,\"more\":true}");
    assert_int_equal(ask("/api/v1/findings?after=4&tenant=sg", ADMIN), 200);
    assert_body("{\"findings\":[],\"next\":4,\"more\":false}");
    assert_int_equal(ask("/api/v1/findings?tenant=sg/moh", ADMIN), 200);
    assert_body("{\"findings\":[{\"n\":2}],\"next\":4,\"more\":false}");
}

static void what_is_not_committed_is_not_given(void **unused)
{
    (void)unused;
    find("sg", "{\"n\":1}");
    find("sg", "{\"n\":2}");
    s.committed = 1;
    assert_int_equal(ask("/api/v1/findings", ADMIN), 200);
    assert_body("{\"findings\":[{\"n\":1}],\"next\":1,\"more\":false}");
    s.committed = 2;
    assert_int_equal(ask("/api/v1/findings?after=1", ADMIN), 200);
    assert_body("{\"findings\":[{\"n\":2}],\"next\":2,\"more\":false}");
}

static void levels_are_a_floor(void **unused)
{
    (void)unused;
    static const char *const levels[] = {"informational", "low", "medium", "high", "critical"};
    char text[100];
    for (int i = 0; i < 5; i++) {
        snprintf(text, sizeof text, "{\"rule\":{\"level\":\"%s\"},\"n\":%d}", levels[i], i);
        find("sg", text);
    }
    find("sg", "{\"rule\":{\"level\":null},\"n\":5}");
    for (int floor = 0; floor < 5; floor++) {
        snprintf(text, sizeof text, "/api/v1/findings?level=%s", levels[floor]);
        assert_int_equal(ask(text, ADMIN), 200);
        for (int i = 0; i < 6; i++) {
            snprintf(text, sizeof text, "\"n\":%d}", i);
            assert_int_equal(says(text), i == 5 ? floor == 0 : i >= floor);
        }
    }
}

static void what_cannot_be_meant_is_refused(void **unused)
{
    (void)unused;
    static const char *const queries[] = {"after=x", "after=-1", "after=18446744073709551616",
            "after=", "limit=0", "limit=10001", "limit=1k", "wait=61", "level=loud", "after=1"};
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        char path[100];
        snprintf(path, sizeof path, "/api/v1/findings?%s", queries[i]);
        assert_int_equal(ask(path, ADMIN), 400);
    }
    assert_int_equal(ask("/api/v1/findings?limit=10000&wait=0", ADMIN), 200);
    s.figures.ready = false;
    assert_int_equal(ask("/api/v1/findings?after=1", ADMIN), 503);
}

#define RECORD(n, tenant, source, text)                                                            \
    "{\"offset\":" #n ",\"received\":\"2023-11-14T22:13:20Z\",\"tenant\":\"" tenant                \
    "\",\"source\":\"" source "\"," text "}"

static void records_are_told_as_they_were_stored(void **unused)
{
    (void)unused;
    store("sg/moh", "tcp0/10.1.2.3", "a \"b\"\n\033[2J", "\xff\x01");
    store("sg/mof", "web", "c", "");
    assert_int_equal(ask("/api/v1/records", ADMIN), 200);
    assert_body("{\"records\":[" RECORD(
            0, "sg/moh", "tcp0/10.1.2.3", "\"record\":\"a \\\"b\\\"\\n\\u001b[2J\"") ",\n" RECORD(1,
            "sg/moh", "tcp0/10.1.2.3", "\"base64\":\"/wE=\"") ",\n" RECORD(2, "sg/mof", "web",
            "\"record\":\"c\"") ",\n" RECORD(3, "sg/mof", "web",
            "\"record\":\"\"") "],\"next\":4,\"more\":false}");
    assert_int_equal(ask("/api/v1/records?source=tcp0&contains=%22b", ADMIN), 200);
    assert_true(says("\"offset\":0,") && !says("\"offset\":1,") && !says("\"offset\":2,"));
    assert_int_equal(ask("/api/v1/records?tenant=sg/mof&after=3", ADMIN), 200);
    assert_true(says("\"offset\":3,") && !says("\"offset\":1,") && !says("\"offset\":2,"));
}

static void the_last_ones_can_be_asked_for(void **unused)
{
    (void)unused;
    for (int i = 0; i < 600; i++) { /* further back than the first look */
        store(i == 2 ? "sg/moh" : "sg", i == 5 ? "tcp0" : "web", i == 7 ? "seen" : "a", "b");
    }
    assert_int_equal(ask("/api/v1/records?last=1", ADMIN), 200);
    assert_true(says("\"offset\":1199,") && !says("\"offset\":1198,"));
    assert_int_equal(ask("/api/v1/records?last=0", ADMIN), 200);
    assert_body("{\"records\":[],\"next\":1200,\"more\":false}");
    assert_int_equal(ask("/api/v1/records?last=1&tenant=sg/moh", ADMIN), 200);
    assert_true(says("\"offset\":5,") && !says("\"offset\":4,") && says("\"next\":1200,"));
    assert_int_equal(ask("/api/v1/records?last=9&source=tcp0", ADMIN), 200);
    assert_true(says("\"offset\":10,") && says("\"offset\":11,") && !says("\"offset\":12,"));
    assert_int_equal(ask("/api/v1/records?last=9&contains=seen", ADMIN), 200);
    assert_true(says("\"offset\":14,") && !says("\"offset\":15,"));
    assert_int_equal(ask("/api/v1/records?last=10001", ADMIN), 400);
    find("sg", "{\"n\":1}");
    find("sg", "{\"n\":2}");
    assert_int_equal(ask("/api/v1/findings?last=1", ADMIN), 200);
    assert_body("{\"findings\":[{\"n\":2}],\"next\":2,\"more\":false}");
    s.figures.ready = false;
    assert_int_equal(ask("/api/v1/records?last=1", ADMIN), 503);
}

static void what_is_too_long_is_cut(void **unused)
{
    (void)unused;
    size_t size = API_RECORD_SHOWN + 10;
    char *text = calloc(1, size + 1);
    memset(text, 'x', size);
    memcpy(text + API_RECORD_SHOWN - 1, "\xc3\xa9", 2); /* a character at the cut */
    store("sg", "web", text, "short");
    assert_int_equal(ask("/api/v1/records?limit=1", ADMIN), 200);
    assert_true(says("\"size\":1048586,\"record\":\"xxx"));
    assert_int_equal(slice_find(web_body(&last), SLICE("\xc3")), SIZE_MAX);
    assert_int_equal(ask("/api/v1/records?after=1", ADMIN), 200);
    assert_false(says("\"size\""));
    free(text);
}

static void damage_is_said(void **unused)
{
    (void)unused;
    char path[100];
    find("sg", "{\"n\":1}");
    find("sg", "{\"n\":2}");
    find("sg", "{\"n\":3}");
    snprintf(path, sizeof path, "%s/00000000000000000000.seg", s.directory);
    FILE *file = fopen(path, "r+b");
    char bytes[4096];
    size_t size = fread(bytes, 1, sizeof bytes, file);
    size_t at = slice_find(slice_of(bytes, size), SLICE("{\"n\":2}"));
    assert_int_not_equal(at, SIZE_MAX);
    fseek(file, (long)at, SEEK_SET);
    fputc('X', file);
    fclose(file);
    assert_int_equal(ask("/api/v1/findings", ADMIN), 200);
    assert_body("{\"findings\":[{\"n\":1},\n{\"n\":3}],\"next\":3,\"more\":false,"
                "\"unreadable\":1}");
}

/* The request is with the server when another one that came later was answered. */
static int ask_later(const char *path)
{
    char line[300];
    int fd = web_connect(s.port);
    snprintf(line, sizeof line, "GET %s", path);
    assert_true(web_request(fd, line, ADMIN, (struct slice){0}));
    assert_int_equal(ask("/healthz", ""), 200);
    return fd;
}

static void who_waits_is_answered(void **unused)
{
    (void)unused;
    int fd = ask_later("/api/v1/findings?wait=30");
    api_turn(s.api);
    find("sg", "{\"n\":1}");
    api_turn(s.api);
    assert_true(web_read(fd, &last));
    assert_body("{\"findings\":[{\"n\":1}],\"next\":1,\"more\":false}");
    close(fd);
}

static void who_waits_for_records_is_answered(void **unused)
{
    (void)unused;
    store("sg", "web", "a", "b");
    int fd = ask_later("/api/v1/records?wait=30&after=2&tenant=sg/moh");
    store("sg", "web", "c", "d");
    api_turn(s.api);
    store("sg/moh", "web", "e", "f");
    api_turn(s.api);
    assert_true(web_read(fd, &last));
    assert_true(says("\"offset\":4,") && says("\"offset\":5,") && !says("\"offset\":3,"));
    close(fd);
}

/* Reads a stream on until it holds these words. */
static void read_until(int fd, struct buf *text, const char *words)
{
    char bytes[1000];
    while (slice_find(buf_slice(text), slice_text(words)) == SIZE_MAX) {
        ssize_t n = read(fd, bytes, sizeof bytes);
        assert_true(n > 0);
        buf_add(text, slice_of(bytes, (size_t)n));
    }
}

static void a_stream_tells_and_goes_on(void **unused)
{
    (void)unused;
    struct buf text = {0};
    char headers[400];
    find("sg", "{\"n\":1}");
    int fd = web_connect(s.port);
    snprintf(headers, sizeof headers, "%sAccept: text/event-stream\r\n", ADMIN);
    assert_true(web_request(fd, "GET /api/v1/findings", headers, (struct slice){0}));
    read_until(fd, &text, "id: 1\nevent: finding\ndata: {\"n\":1}\n\n");
    find("sg", "{\"n\":2}");
    api_turn(s.api);
    read_until(fd, &text, "id: 2\nevent: finding\ndata: {\"n\":2}\n\n");
    buf_clear(&text);
    s.now_ns += (API_BEAT_S + 1) * TIME_SECOND;
    api_turn(s.api);
    read_until(fd, &text, "id: 2\n\n");
    api_end_streams(s.api);
    read_until(fd, &text, "\r\n0\r\n");
    close(fd);
    buf_clear(&text);
    fd = web_connect(s.port);
    snprintf(headers, sizeof headers, "%sAccept: text/event-stream\r\nLast-Event-ID: 1\r\n", ADMIN);
    assert_true(web_request(fd, "GET /api/v1/findings", headers, (struct slice){0}));
    read_until(fd, &text, "data: {\"n\":2}\n\n");
    assert_int_equal(slice_find(buf_slice(&text), SLICE("{\"n\":1}")), SIZE_MAX);
    close(fd);
    buf_fini(&text);
}

/* ---- figures -----------------------------------------------------------------------------------
 */

static void readiness_names_what_is_missing(void **unused)
{
    (void)unused;
    assert_int_equal(ask("/readyz", ""), 200);
    s.figures.watching = false;
    assert_int_equal(ask("/readyz", ""), 503);
    assert_body("{\"ready\":false,\"missing\":[\"the judge has not loaded its rules\"]}");
    s.figures = (struct api_figures){0};
    assert_int_equal(ask("/readyz", ""), 503);
    assert_true(says("logs are not open") && says("the disk takes nothing"));
    assert_int_equal(ask("/healthz", ""), 200);
}

static void figures_add_up(void **unused)
{
    (void)unused;
    struct counts_source *source = counts_source(s.counts, SLICE("sg"), SLICE("a\"\\\n/1"));
    counts_add(&source->taken, 90);
    counts_add(&source->stored, 60);
    counts_add(&source->rejected[COUNTS_FRAMING], 7);
    counts_add(&source->dropped[COUNTS_CUT], 3);
    source->last_ns = s.now_ns - 90 * TIME_SECOND;
    assert_int_equal(ask("/metrics", ADMIN), 200);
#define LABELS "{tenant=\"sg\",source=\"a\\\"\\\\\\n/1\""
    assert_true(says("\nmerlon_received_records_total" LABELS "} 100\n"));
    assert_true(says("\nmerlon_stored_records_total" LABELS "} 60\n"));
    assert_true(says("\nmerlon_rejected_records_total" LABELS ",reason=\"framing\"} 7\n"));
    assert_true(says("\nmerlon_dropped_records_total" LABELS ",reason=\"cut\"} 3\n"));
    assert_true(says("\nmerlon_in_flight_records" LABELS "} 30\n"));
    assert_true(says("\nmerlon_judge_lag_records 7\n"));
    assert_true(says("\nprocess_start_time_seconds 1600000000.000\n"));
    assert_int_equal(ask("/api/v1/status", ADMIN), 200);
    struct slice body = web_body(&last);
    assert_int_equal(json_text_check_whole(body, 10, NULL), OK);
    assert_true(says("\"received\":100") && says("\"in_flight\":30") && says("\"rejected\":7"));
    assert_true(says("\"silent_seconds\":90") && says("\"judge_lag\":7"));
    assert_true(says("\"silent_after_seconds\":90,\"silent\":false"));
    source->last_ns = s.now_ns - 90 * TIME_SECOND - 1;
    assert_int_equal(ask("/api/v1/status", ADMIN), 200);
    assert_true(says("\"silent_after_seconds\":90,\"silent\":true"));
    assert_true(says("\"sources_forgotten\":0"));
    /* Another input has another measure; of one of whom nothing was heard nothing is expected. */
    struct counts_source *slow = counts_source(s.counts, SLICE("sg"), SLICE("slow/1"));
    slow->last_ns = source->last_ns;
    counts_source(s.counts, SLICE("sg"), SLICE("slow"))->last_ns = s.now_ns - 101 * TIME_SECOND;
    (void)counts_source(s.counts, SLICE("sg"), SLICE("slower/1"));
    assert_int_equal(ask("/metrics", ADMIN), 200);
    assert_true(says("\nmerlon_source_silent" LABELS "} 1\n"));
    assert_true(says("\nmerlon_source_silent{tenant=\"sg\",source=\"slow/1\"} 0\n"));
    assert_true(says("\nmerlon_source_silent{tenant=\"sg\",source=\"slow\"} 1\n"));
    assert_true(says("\nmerlon_source_silent{tenant=\"sg\",source=\"slower/1\"} 0\n"));
    assert_true(says("\nmerlon_forgotten_sources_total 0\n"));
    counts_add(&source->stored, 31); /* counted before its receipt */
    assert_int_equal(ask("/metrics", ADMIN), 200);
    assert_true(says("\nmerlon_in_flight_records" LABELS "} 0\n"));
    /* What is of no tenant is for the whole tree's tokens. */
    assert_int_equal(ask("/metrics", s.tokens[1][AUTHORIZE_ADMIN]), 200);
    assert_true(says("merlon_received_records_total{") && !says("merlon_judge_lag_records"));
    assert_int_equal(ask("/api/v1/status", s.tokens[1][AUTHORIZE_ADMIN]), 200);
    assert_true(says("\"sources\":[{") && !says("\"centre\""));
}

static void what_is_kept_is_told_to_its_tenant(void **unused)
{
    (void)unused;
    struct kept_tenant *mine = kept_tenant(s.kept, SLICE("sg"));
    assert_ptr_equal(kept_tenant(s.kept, SLICE("sg")), mine);
    struct kept_tenant *other = kept_tenant(s.kept, SLICE("my"));
    mine->kinds[KEPT_RECORDS].bytes = 1000;
    mine->kinds[KEPT_RECORDS].records = 10;
    mine->kinds[KEPT_RECORDS].beyond = 300;
    mine->kinds[KEPT_RECORDS].oldest_ns = 1600000000 * TIME_SECOND;
    other->kinds[KEPT_FINDINGS].records = 7;
    const char *const own = s.tokens[1][AUTHORIZE_ADMIN];
    assert_int_equal(ask("/metrics", own), 200);
    assert_true(says("\nmerlon_kept_bytes{tenant=\"sg\",kind=\"records\"} 1000\n"));
    assert_true(says("\nmerlon_kept_beyond_bytes{tenant=\"sg\",kind=\"records\"} 300\n"));
    assert_true(
            says("\nmerlon_kept_oldest_time_seconds{tenant=\"sg\",kind=\"records\"} 1600000000\n"));
    assert_true(!says("\"my\""));
    held_add(&s.held, SLICE("my"), SLICE("r"), 1);
    assert_int_equal(ask("/metrics", own), 200);
    assert_true(says(
            "\nmerlon_held_back_matches_total{tenant=\"sg/moh\",rule=\"rule \\\"1\\\"\"} 1\n"));
    assert_true(!says("\"my\"") && !says("merlon_held_back_others_total"));
    assert_true(says("\nmerlon_late_matches_total{tenant=\"sg/moh\",rule=\"rule \\\"2\\\"\"} 5\n"));
    assert_int_equal(ask("/metrics", ADMIN), 200);
    assert_true(says("{tenant=\"my\",rule=\"r\"} 1\n"));
    assert_true(says("\nmerlon_held_back_others_total 0\n"));
    assert_int_equal(ask("/api/v1/status", own), 200);
    assert_true(says("\"held_back\":[{\"tenant\":\"sg/moh\",\"rule\":\"rule "
                     "\\\"1\\\"\",\"matches\":1}]"));
    assert_true(says("\"late\":[{\"tenant\":\"sg/moh\",\"rule\":\"rule "
                     "\\\"2\\\"\",\"matches\":5}]"));
    assert_int_equal(json_text_check_whole(web_body(&last), 10, NULL), OK);
    assert_true(says("\"kept\":[{\"tenant\":\"sg\",\"kind\":\"records\",\"bytes\":1000,"));
    assert_true(says("\"oldest\":\"2020-09-13T12:26:40") && !says("\"my\""));
    assert_int_equal(ask("/api/v1/status", ADMIN), 200);
    assert_true(says("{\"tenant\":\"my\",\"kind\":\"findings\",\"bytes\":0,\"records\":7"));
    /* More tenants than there are places share one, which is nobody's. */
    for (int i = 0; i < KEPT_TENANTS; i++) {
        char name[20];
        snprintf(name, sizeof name, "t%d", i);
        kept_tenant(s.kept, slice_text(name))->kinds[KEPT_RECORDS].records = 1;
    }
    assert_int_equal(kept_size(s.kept), KEPT_TENANTS + 1);
    assert_string_equal(kept_at(s.kept, KEPT_TENANTS)->name, "(others)");
    assert_string_equal(kept_at(s.kept, KEPT_TENANTS - 1)->name, "t1021");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(each_route_asks_for_its_permission, start, stop),
            cmocka_unit_test_setup_teardown(rules_stand_as_the_judge_says, start, stop),
            cmocka_unit_test_setup_teardown(another_tenant_may_not_be_asked_for, start, stop),
            cmocka_unit_test_setup_teardown(pages_follow_each_other, start, stop),
            cmocka_unit_test_setup_teardown(what_is_not_committed_is_not_given, start, stop),
            cmocka_unit_test_setup_teardown(levels_are_a_floor, start, stop),
            cmocka_unit_test_setup_teardown(what_cannot_be_meant_is_refused, start, stop),
            cmocka_unit_test_setup_teardown(damage_is_said, start, stop),
            cmocka_unit_test_setup_teardown(records_are_told_as_they_were_stored, start, stop),
            cmocka_unit_test_setup_teardown(the_last_ones_can_be_asked_for, start, stop),
            cmocka_unit_test_setup_teardown(who_waits_for_records_is_answered, start, stop),
            cmocka_unit_test_setup_teardown(what_is_too_long_is_cut, start, stop),
            cmocka_unit_test_setup_teardown(who_waits_is_answered, start, stop),
            cmocka_unit_test_setup_teardown(a_stream_tells_and_goes_on, start, stop),
            cmocka_unit_test_setup_teardown(readiness_names_what_is_missing, start, stop),
            cmocka_unit_test_setup_teardown(figures_add_up, start, stop),
            cmocka_unit_test_setup_teardown(what_is_kept_is_told_to_its_tenant, start, stop),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    web_fini(&last);
    return failed;
}
