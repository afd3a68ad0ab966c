/* Queries over records in JSON lines: what comes out, as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "event/decoder.h"
#include "hunt/query_run.h"

static struct taxonomy *taxonomy;

static const char records[] =
        "{\"EventID\":1,\"Image\":\"C:\\\\a.exe\",\"User\":\"eve\",\"N\":\"10\","
        "\"@timestamp\":\"2026-01-05T00:30:00Z\"}\n"
        "{\"EventID\":1,\"Image\":\"C:\\\\b.exe\",\"User\":\"bob\",\"N\":\"9\","
        "\"@timestamp\":\"2026-01-05T02:10:00Z\"}\n"
        "{\"EventID\":1,\"Image\":\"C:\\\\a.exe\",\"User\":\"bob\",\"N\":\"x\","
        "\"@timestamp\":\"2026-01-05T00:10:00Z\"}\n"
        "{\"EventID\":3,\"Image\":\"C:\\\\A.EXE\",\"Ip\":[\"10.0.0.1\",\"10.0.0.2\",\"10.0.0.1\"],"
        "\"@timestamp\":\"2026-01-11T23:59:59Z\"}\n"
        "{\"EventID\":3,\"Image\":null,\"Ip\":\"10.0.0.2\",\"N\":\"-1.5\"}\n";

static enum err add_row(
        void *context, const struct row_cell *cells, uint32_t width, struct diag *diag)
{
    struct buf *out = context;
    (void)diag;
    for (uint32_t i = 0; i < width; i++) {
        buf_add(out, i ? SLICE(" ") : SLICE(""));
        buf_add(out, cells[i].count ? SLICE("") : SLICE("-"));
        for (uint32_t k = 0; k < cells[i].count; k++) {
            buf_add(out, k ? SLICE("+") : SLICE(""));
            row_write(&cells[i].values[k], out);
        }
    }
    buf_byte(out, '\n');
    return OK;
}

static const struct decoder *json(void)
{
    for (size_t i = 0; i < decoders_count; i++) {
        if (strcmp(decoders[i]->name, "json") == 0) {
            return decoders[i];
        }
    }
    fail();
    return NULL;
}

static enum err run_pass(
        struct query_run *run, const struct query_scan *scan, const char *lines, struct diag *diag)
{
    struct decode_limits limits = DECODE_LIMITS;
    const struct decoder *decoder = json();
    struct reader *reader;
    struct event event;
    struct buf bytes = {0};
    buf_add(&bytes, slice_text(lines));
    size_t size = bytes.size;
    for (int i = 0; i < 64; i++) {
        buf_byte(&bytes, 0);
    }
    assert_int_equal(decoder->reader_new(scan->paths, &limits, &reader), OK);
    assert_int_equal(event_init(&event, scan->field_count), OK);
    decoder->begin(reader, slice_of(bytes.at, size), (struct slice){0});
    enum err e = OK;
    for (int n = 1; e == OK && decoder->next(reader, &event, NULL) == OK; n++) {
        char id[16];
        snprintf(id, sizeof id, "%d", n);
        struct query_event row = {&event, slice_text(id), SLICE("f")};
        e = query_run_event(run, &row, diag);
    }
    event_fini(&event);
    decoder->reader_free(reader);
    buf_fini(&bytes);
    return e == ERR_END ? OK : e;
}

/* The rows, then "! " and the notes or what failed. */
static void run_over(const char *text, const char *lines, size_t memory_bytes, struct buf *out)
{
    struct query *query = NULL;
    struct query_run *run = NULL;
    struct diag diag = {0};
    struct query_run_options options = {memory_bytes, add_row, out, false};
    enum err e = query_new(slice_text(text), taxonomy, &query, &diag);
    if (e == OK) {
        e = query_run_new(query, &options, &run, &diag);
    }
    for (uint32_t pass = 0; e == OK && pass < query_passes(query); pass++) {
        e = query_run_begin(run, pass, &diag);
        e = e == OK ? run_pass(run, query_scan(query, pass), lines, &diag) : e;
        e = e == OK ? query_run_end(run, &diag) : e;
    }
    if (e != OK) {
        buf_format(out, "! %u: %s\n", diag.column, diag.words);
    } else if (query_run_notes(run).size) {
        buf_add(out, SLICE("! "));
        buf_add(out, query_run_notes(run));
    }
    query_run_free(run);
    query_free(query);
    buf_byte(out, 0);
}

static void check(const char *query, const char *want)
{
    struct buf out = {0};
    run_over(query, records, 1 << 20, &out);
    if (strcmp(out.at, want) != 0) {
        print_error("%s\n-- want:\n%s-- have:\n%s", query, want, out.at);
        fail();
    }
    buf_fini(&out);
}

static void a_selection_means_what_sigma_means(void **state)
{
    (void)state;
    check("Image|endswith: '\\A.exe' | fields _id", "1\n3\n4\n");
    check("Image: 'c:\\\\?.exe' and not User: [bob, x] | fields _id", "1\n4\n");
    check("not (EventID: 1 or Ip: 10.0.0.1) | fields _id", "5\n");
    check("'BOB' | fields _id", "2\n3\n");
    check("['eve', '10.0.0.1'] | fields _id", "1\n4\n");
    check("|all: ['eve', 'a.exe'] | fields _id", "1\n");
    check("Image: null | fields _id", "5\n");
    check("N|gt: 9 | fields _id", "1\n");
    check("Ip|cidr: 10.0.0.0/31 | fields _id", "4\n");
    check("User|exists: true and N|re: '^\\d+$' | where EventID: 1 | fields _id", "1\n2\n");
    check("EventID: 3 or EventID: 1 and User: eve | fields _id", "1\n4\n5\n");
    check("* | fields _id", "1\n2\n3\n4\n5\n");
    check("| count", "5\n");
    check("EventID: 77 | count", "0\n");
    check("'C:\\a.exe' # free text\n | fields _id", "1\n3\n4\n");
}

static void stages_count_exactly(void **state)
{
    (void)state;
    check("* | count by Image", "C:\\a.exe 2\nC:\\A.EXE 1\nC:\\b.exe 1\n- 1\n");
}

static void groups_have_an_order_of_their_own(void **state)
{
    (void)state;
    check("* | count by EventID, User", "1 bob 2\n3 - 2\n1 eve 1\n");
    check("* | distinct Ip", "10.0.0.1\n10.0.0.2\n-\n");
    check("* | count by Ip", "- 3\n10.0.0.2 2\n10.0.0.1 1\n");
    check("EventID: 1 | stack Image by User",
            "C:\\a.exe 2 2 2026-01-05T00:10:00Z 2026-01-05T00:30:00Z\n"
            "C:\\b.exe 1 1 2026-01-05T02:10:00Z 2026-01-05T02:10:00Z\n");
    check("EventID: 1 | stack User by Image, N | rare 1 | fields User, Image_count, N_count",
            "eve 1 1\n");
}

static void a_chart_fills_empty_spans(void **state)
{
    (void)state;
    check("EventID: 1 | timechart 1h",
            "2026-01-05T00:00:00Z 2\n2026-01-05T01:00:00Z 0\n2026-01-05T02:00:00Z 1\n");
    check("* | timechart 1w", "2026-01-05T00:00:00Z 4\n- 1\n");
    check("* | timechart 1d zone +05:30 by User", "! 30: expected '|' or the end of the query, "
                                                  "found 'by'\n");
    check("User: bob | timechart 1d by User zone -01:00",
            "2026-01-04T01:00:00Z bob 1\n2026-01-05T01:00:00Z bob 1\n");
}

static size_t chart_lines(const char *last)
{
    struct buf lines = {0}, out = {0};
    buf_format(
            &lines, "{\"@timestamp\":\"2026-01-01T00:00:00Z\"}\n{\"@timestamp\":\"%s\"}\n", last);
    buf_byte(&lines, 0);
    run_over("* | timechart 1s", lines.at, 1 << 20, &out);
    size_t count = 0;
    for (const char *at = out.at; *at; at++) {
        count += *at == '\n';
    }
    buf_fini(&lines);
    buf_fini(&out);
    return count;
}

static void a_chart_has_at_most_100000_spans(void **state)
{
    (void)state;
    assert_int_equal(chart_lines("2026-01-02T03:46:39Z"), 100000);
    assert_int_equal(chart_lines("2026-01-02T03:46:40Z"), 1); /* what failed */
}

static void ties_are_told(void **state)
{
    (void)state;
    check("* | top 1 Image", "C:\\a.exe 2\n");
    check("* | rare 1 EventID, User", "1 eve 1\n"); /* two tie at first, and are beaten */
    check("* | rare 1 Image", "C:\\A.EXE 1\n! rare 1: 2 more rows rank as the last one shown "
                              "does\n");
    check("* | rare 2 Image", "C:\\A.EXE 1\nC:\\b.exe 1\n! rare 2: 1 more rows rank as the last "
                              "one shown does\n");
    check("* | rare 4 Image", "C:\\A.EXE 1\nC:\\b.exe 1\n- 1\nC:\\a.exe 2\n");
}

static void sorting_says_how(void **state)
{
    (void)state;
    check("* | sort N | fields N", "-1.5\n10\n9\nx\n-\n");
    check("* | sort N as number | fields N", "-1.5\n9\n10\nx\n-\n");
    check("* | sort N as number desc | fields N", "10\n9\n-1.5\nx\n-\n");
    check("* | sort EventID desc, N as number | fields _id | head 3", "5\n4\n2\n");
    check("* | sort _time | fields _id", "3\n1\n2\n4\n5\n");
    check("* | sort User | head 2 | fields _id", "2\n3\n");
}

static void first_and_last_go_by_time(void **state)
{
    (void)state;
    check("* | first | fields _id", "3\n! first: 1 events without a time are left out\n");
    check("EventID: 1 | last 2 | fields _id", "2\n1\n");
    check("EventID: 1 | first by Image | fields _id, User", "3 bob\n2 bob\n");
    check("Ip|exists: true | first 1 by Ip | fields _id",
            "4\n! first: 1 events without a time are left out\n");
    check("* | since 2026-01-05T00:30:00Z | until 2026-01-11T23:59:59Z | fields _id",
            "1\n2\n! since, until: 1 events without a time are left out\n");
}

static void what_was_first_seen_is_told(void **state)
{
    (void)state;
    check("EventID: 1 | firstseen Image",
            "C:\\a.exe 2026-01-05T00:10:00Z 2 f 3\nC:\\b.exe 2026-01-05T02:10:00Z 1 f 2\n");
    check("* | firstseen User by EventID",
            "bob 1 2026-01-05T00:10:00Z 2 f 3\neve 1 2026-01-05T00:30:00Z 1 f 1\n"
            "- 3 2026-01-11T23:59:59Z 1 f 4\n"
            "! firstseen: 1 events without a time are left out\n");
    check("EventID: 1 | firstseen User since 2026-01-05T00:30:00Z",
            "eve 2026-01-05T00:30:00Z 1 f 1\n");
    check("EventID: 1 | firstseen User since 2026-01-05T00:30:01Z | count", "0\n");
    check("EventID: 7 | firstseen Ip", "");
    check("Ip: 10.0.0.1 | firstseen Ip | fields Ip, count", "10.0.0.1 1\n10.0.0.2 1\n");
    check("* | timechart 1d by EventID | firstseen EventID | rare 1",
            "1 2026-01-05T00:00:00Z 1\n! firstseen: 1 events without a time are left out\n"
            "rare 1: 1 more rows rank as the last one shown does\n");
    check("* | count by Image | firstseen Image",
            "! 22: firstseen needs _time, which these rows do not have\n");
    check("* | firstseen User since noon",
            "! 26: expected a time, as 2026-01-31T08:00:00Z (UTC where no zone is given)\n");
}

static void rarity_may_be_that_of_a_group(void **state)
{
    (void)state;
    check("EventID: 1 | rare 1 User by Image, N | fields User, Image_count, N_count", "eve 1 1\n");
    check("EventID: 1 | top 1 Image by User | fields Image, User_count, count", "C:\\a.exe 2 2\n");
}

/* `count` events of one pair, every `step` seconds. */
static void write_beats(struct buf *lines, const char *ip, int count, int step)
{
    for (int i = 0; i < count; i++) {
        long long at = (long long)i * step;
        buf_format(lines,
                "{\"Ip\":\"%s\",\"@timestamp\":\"2026-01-%02lldT%02lld:%02lld:%02lldZ\"}\n", ip,
                1 + at / 86400, at / 3600 % 24, at / 60 % 60, at % 60);
    }
}

static void check_beats(const char *query, int count, int step, const char *want)
{
    struct buf lines = {0}, out = {0};
    write_beats(&lines, "a", count, step);
    buf_byte(&lines, 0);
    run_over(query, lines.at, 64 << 20, &out);
    assert_string_equal(out.at, want);
    buf_fini(&lines);
    buf_fini(&out);
}

static void of_equal_times_the_first_that_came_is_first(void **state)
{
    (void)state;
    check_beats("* | firstseen Ip", 3, 0, "a 2026-01-01T00:00:00Z 3 f 1\n");
}

static void beacons_are_scored(void **state)
{
    static const char ten[] =
            "a 1.000 10 10 60.000 60.000 0.000 2026-01-01T00:00:00Z 2026-01-01T00:09:00Z\n";
    (void)state;
    check_beats("* | beacon Ip", 10, 60, ten);
    check_beats("* | beacon Ip | where score|gte: 0.95 | top 1", 10, 60, ten);
    check_beats("* | beacon Ip", 9, 60,
            "! beacon: 1 groups came at fewer than 10 moments: they are not shown\n");
    check_beats("* | beacon Ip min 4 | fields count, score", 4, 60, "4 1.000\n");
    check_beats(
            "* | beacon Ip min 3", 4, 60, "! 19: expected a number of moments from 4 to 100000\n");
    check_beats("* | beacon Ip min 100001", 4, 60,
            "! 19: expected a number of moments from 4 to 100000\n");
    check("* | beacon Ip", "! beacon: 1 events without a time are left out\n"
                           "beacon: 3 groups came at fewer than 10 moments: they are not shown\n");
}

static void times_over_100000_of_a_group_are_told(void **state)
{
    (void)state;
    check_beats("* | beacon Ip min 100000 | fields count, measured, mean_s", 100000, 1,
            "100000 100000 1.000\n");
    check_beats("* | beacon Ip min 100000 | fields count, measured, mean_s", 100001, 1,
            "100001 100000 1.000\n! beacon: 1 groups have over 100000 events: of these the score "
            "and "
            "the intervals tell of the first ones that came alone\n");
}

static void rows_can_be_chosen_by_their_columns(void **state)
{
    (void)state;
    check("* | count by Image | where count|gt: 1 or Image: null", "C:\\a.exe 2\n- 1\n");
    check("* | count by Image | where 'B.EXE'", "C:\\b.exe 1\n");
    check("* | head 4 | where User: bob | fields _id", "2\n3\n");
    check("* | head 4 | where 'bob'",
            "! 14: free text is looked for in events: put this before the stages that keep rows\n");
    check("* | count by Image | where Imge: x", "! 28: no column 'Imge' here; did you mean "
                                                "'Image'?\n");
}

static void joins_compare_without_case(void **state)
{
    (void)state;
    check("EventID: 1 | join on Image (EventID: 3 | fields Image, Ip) | fields _id, Ip",
            "1 10.0.0.1+10.0.0.2+10.0.0.1\n3 10.0.0.1+10.0.0.2+10.0.0.1\n");
    check("EventID: 1 | join not on Image (EventID: 3) | fields _id", "2\n");
    check("EventID: 1 | count by Image | join on Image = App (EventID: 3 | fields Image as App, "
          "_id as other)",
            "C:\\a.exe 2 4\n");
    check("EventID: 3 | join on Ip (EventID: 3 | fields Ip, _id as other) | fields _id, other",
            "4 4\n4 5\n5 4\n5 5\n");
    check("* | join on A (* | join on B (*))", "! 20: a join in the query of another join\n");
}

static void events_show_where_they_stand(void **state)
{
    (void)state;
    check("EventID: 3 and N|exists: true",
            "- f 5 {\"EventID\":3,\"Image\":null,\"Ip\":\"10.0.0.2\",\"N\":\"-1.5\"}\n");
    check("* | head 1 | fields _time, _source as s", "2026-01-05T00:30:00Z f\n");
}

static void from_names_fields_as_rules_do(void **state)
{
    static const char lines[] =
            "{\"Channel\":\"Security\",\"EventID\":4688,\"NewProcessName\":\"C:\\\\x.exe\"}\n"
            "{\"Channel\":\"Security\",\"EventID\":4689,\"NewProcessName\":\"C:\\\\y.exe\"}\n";
    struct buf out = {0};
    (void)state;
    run_over("from product: windows category: process_creation | Image|endswith: .exe | count by "
             "Image",
            lines, 1 << 20, &out);
    run_over("from category: process_creation | count by Image", lines, 1 << 20, &out);
    run_over("Image|endswith: .exe | count", lines, 1 << 20, &out);
    struct slice text = buf_slice(&out);
    assert_true(slice_equal(slice_cut(&text, 0), SLICE("C:\\x.exe 1\n")));
    assert_true(slice_equal(slice_cut(&text, 0), SLICE("C:\\x.exe 1\n")));
    assert_true(slice_equal(slice_cut(&text, 0), SLICE("0\n")));
    buf_fini(&out);
}

/* A limit of N bytes ends the run with words or changes nothing at all. */
static void over_the_limit_is_an_error(void **state)
{
    static const char *const queries[] = {"* | count by _id", "* | stack Image by _id",
            "* | sort _raw", "* | first 3 by Ip", "* | join on _id (*) | fields _id",
            "* | top 2 Image", "* | firstseen _id", "* | beacon _id min 4"};
    (void)state;
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        struct buf all = {0};
        size_t limit = 0, refused = 0;
        run_over(queries[i], records, SIZE_MAX / 2, &all);
        for (bool same = false; !same; limit += 97) {
            struct buf out = {0};
            run_over(queries[i], records, limit, &out);
            same = strcmp(out.at, all.at) == 0;
            if (!same) {
                assert_non_null(strstr(out.at, "would keep more than the limit of"));
                refused++;
            }
            buf_fini(&out);
            assert_true(limit < 1 << 20);
        }
        assert_true(refused > 0);
        buf_fini(&all);
    }
}

/* Wherever memory is refused, the run says so or is not touched. */
static void refused_memory_is_told(void **state)
{
    static const char query[] = "* | join on Ip (EventID: 3 | fields Ip, N as M) | where M|lt: 3 | "
                                "stack Ip by _id | where count|gt: 0 | rare 2";
    struct buf all = {0};
    (void)state;
    run_over(query, records, 1 << 20, &all);
    for (uint64_t n = 1; n < 4000; n += n < 100 ? 1 : 37) {
        struct query *q = NULL;
        struct diag diag = {0};
        memory_fail_after(n);
        enum err e = query_new(slice_text(query), taxonomy, &q, &diag);
        memory_fail_after(0);
        assert_true(e == OK || (q == NULL && diag.words[0]));
        query_free(q);
    }
    buf_fini(&all);
}

static int begin(void **state)
{
    (void)state;
    return taxonomy_new(&taxonomy) == OK && taxonomy_add_builtin(taxonomy, NULL) == OK ? 0 : 1;
}

static int end(void **state)
{
    (void)state;
    taxonomy_free(taxonomy);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_selection_means_what_sigma_means),
            cmocka_unit_test(stages_count_exactly),
            cmocka_unit_test(groups_have_an_order_of_their_own),
            cmocka_unit_test(a_chart_fills_empty_spans),
            cmocka_unit_test(a_chart_has_at_most_100000_spans),
            cmocka_unit_test(ties_are_told),
            cmocka_unit_test(sorting_says_how),
            cmocka_unit_test(first_and_last_go_by_time),
            cmocka_unit_test(what_was_first_seen_is_told),
            cmocka_unit_test(rarity_may_be_that_of_a_group),
            cmocka_unit_test(of_equal_times_the_first_that_came_is_first),
            cmocka_unit_test(beacons_are_scored),
            cmocka_unit_test(times_over_100000_of_a_group_are_told),
            cmocka_unit_test(rows_can_be_chosen_by_their_columns),
            cmocka_unit_test(joins_compare_without_case),
            cmocka_unit_test(events_show_where_they_stand),
            cmocka_unit_test(from_names_fields_as_rules_do),
            cmocka_unit_test(over_the_limit_is_an_error),
            cmocka_unit_test(refused_memory_is_told),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
