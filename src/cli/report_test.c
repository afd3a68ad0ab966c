/* A report counts every finding, shows a bounded number of them, and nothing of a log is markup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/time.h"
#include "cli/report_html.h"
#include "cli/report_line.h"
#include "cli/report_names.h"
#include "cli/report_parts.h"
#include "cli/report_techniques.h"

enum { RULES = 40 };

/* Rule r has level r modulo 5, plus one. */
static struct rule rules[RULES];
static const struct rule *list[RULES];
static const struct ruleset set = {.rules = list, .rule_count = RULES};
static const struct report_scope all;

static struct report *make(void)
{
    struct report *report;
    for (uint32_t r = 0; r < RULES; r++) {
        rules[r] =
                (struct rule){.number = r, .level = (enum level)(r % 5 + 1), .title = SLICE("t")};
        list[r] = &rules[r];
    }
    assert_int_equal(report_new(&set, &all, &report), OK);
    return report;
}

static void take(struct report *report, uint32_t rule, struct slice piece)
{
    struct report_mark mark = {.rule = rule};
    bool wanted = report_wants(report, rule);
    assert_int_equal(report_take(report, &mark, wanted ? piece : (struct slice){0}), OK);
}

static void of_one_rule_so_many_are_shown(void **state)
{
    (void)state;
    struct report *report = make();
    for (uint32_t i = 1; i <= REPORT_A_RULE + 10; i++) {
        take(report, 0, SLICE("x"));
        assert_int_equal(report->rules[0].findings, i);
        assert_int_equal(report->rules[0].count, i < REPORT_A_RULE ? i : REPORT_A_RULE);
        assert_int_equal(report_wants(report, 0), i < REPORT_A_RULE);
    }
    report_free(report);
}

static void past_the_limit_of_all_the_lowest_level_gives_way(void **state)
{
    (void)state;
    struct report *report = make();
    uint32_t n = 0;
    for (uint32_t i = 0; i < REPORT_A_RULE && n < REPORT_FINDINGS; i++) {
        for (uint32_t r = 0; r < RULES && n < REPORT_FINDINGS; r++, n++) {
            take(report, r, SLICE("x"));
        }
    }
    assert_int_equal(report->shown, REPORT_FINDINGS);
    assert_int_equal(report->rules[0].count, REPORT_FINDINGS / RULES);
    /* One more: what a level's rules keep is halved until it fits, informational first. */
    take(report, 4, SLICE("x"));
    assert_true(report->shown <= REPORT_FINDINGS);
    for (uint32_t r = 0; r < RULES; r++) {
        uint32_t level = rules[r].level;
        assert_true(report->rules[r].count <= report->keep[level]);
        assert_true(level == LEVEL_INFORMATIONAL || report->keep[level] >= report->keep[level - 1]);
        assert_int_equal(report->rules[r].findings, REPORT_FINDINGS / RULES + (r == 4));
    }
    assert_true(report->keep[LEVEL_INFORMATIONAL] < REPORT_FINDINGS / RULES);
    assert_true(report->rules[4].count >= 64);
    report_free(report);
}

static void past_the_limit_of_bytes_one_of_each_rule_stays(void **state)
{
    (void)state;
    struct report *report = make();
    size_t size = REPORT_BYTES / RULES * 2; /* too much even so */
    char *text = memory_alloc(size);
    assert_non_null(text);
    for (uint32_t i = 0; i < 3; i++) {
        for (uint32_t r = 0; r < RULES; r++) {
            take(report, r, slice_of(text, size));
        }
    }
    for (uint32_t r = 0; r < RULES; r++) {
        assert_int_equal(report->rules[r].count, 1);
        assert_int_equal(report->rules[r].findings, 3);
    }
    memory_free(text);
    report_free(report);
}

static void without_memory_it_fails_and_frees(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 12; n++) {
        struct report *report = NULL;
        memory_fail_after(n);
        enum err e = report_new(&set, &all, &report);
        if (e == OK) {
            struct report_mark mark = {.rule = 1, .host = SLICE("h"), .user = SLICE("u")};
            e = report_take(report, &mark, SLICE("x"));
        }
        memory_fail_after(0);
        assert_true(e == ERR_MEMORY || n > 5);
        report_free(report);
    }
}

/* ---- text ------------------------------------------------------------------------------------ */

static void check_text(struct slice text, const char *wanted, const char *attribute)
{
    struct buf out = {0};
    report_html_text(&out, text);
    buf_byte(&out, 0);
    assert_string_equal(out.at, wanted);
    buf_clear(&out);
    report_html_attribute(&out, text);
    buf_byte(&out, 0);
    assert_string_equal(out.at, attribute);
    buf_fini(&out);
}

static void text_is_never_markup(void **state)
{
    (void)state;
    check_text(SLICE("a<b>&\"'c"), "a&lt;b&gt;&amp;&quot;&#39;c", "a&lt;b&gt;&amp;&quot;&#39;c");
    check_text(SLICE("\n\x00\x7F"), "<i>\\x0A</i><i>\\x00</i><i>\\x7F</i>", "\\x0A\\x00\\x7F");
    check_text(SLICE("\xFF<\xC3(\xE2\x80"), "<i>\\xFF</i>&lt;<i>\\xC3</i>(<i>\\xE2</i><i>\\x80</i>",
            "\\xFF&lt;\\xC3(\\xE2\\x80");
    check_text(SLICE("\xE2\x80\xAE\xC3\xA4\xE2\x80\xA8"),
            "<i>\\u{202E}</i>\xC3\xA4<i>\\u{2028}</i>", "\\u{202E}\xC3\xA4\\u{2028}");
}

static void check_value(
        const char *text, const struct mark_list *marks, size_t most, const char *wanted)
{
    struct buf out = {0};
    report_html_value(&out, slice_text(text), marks, most);
    buf_byte(&out, 0);
    assert_string_equal(out.at, wanted);
    buf_fini(&out);
}

static void long_values_are_cut_around_what_is_marked(void **state)
{
    (void)state;
    static const struct mark_list none, early = {.parts = {{1, 2}, {6, 2}}, .count = 2};
    check_value("abcdefgh", &none, 8, "abcdefgh");
    check_value("abcdefghi", &none, 8,
            "abcdefgh<i> \xE2\x80\xA6"
            "1 byte left out</i>");
    check_value("a<cdef\r\nh", &early, 100, "a<mark>&lt;c</mark>def<mark>\n</mark>h");
    check_value("abcdefgh", &early, 7,
            "a<mark>bc</mark>def<mark>g</mark><i> \xE2\x80\xA6"
            "1 byte left out</i>");
    check_value("abc\xC3\xA4xyz", &none, 4,
            "abc<i> \xE2\x80\xA6"
            "5 bytes left out</i>");
    char *text = memory_alloc(6001);
    assert_non_null(text);
    memset(text, 'x', 6000);
    memcpy(text + 4000, "HERE", 4);
    struct mark_list far = {.parts = {{4000, 4}}, .count = 1};
    struct buf out = {0};
    report_html_value(&out, slice_of(text, 6000), &far, 2000);
    assert_true(slice_starts(buf_slice(&out), SLICE("<i>3,744 bytes left out")));
    assert_true(slice_find(buf_slice(&out), SLICE("<mark>HERE</mark>x")) != SIZE_MAX);
    assert_true(slice_ends(buf_slice(&out), SLICE("256 bytes left out</i>")));
    buf_fini(&out);
    memory_free(text);
}

/* ---- plots and tables ------------------------------------------------------------------------ */

/* What is written of the line, which ends with it. */
static void check_line(struct report_line *line, const char *words, const char *far)
{
    struct buf out = {0};
    report_line_write(line, &out);
    assert_false(out.failed);
    buf_byte(&out, 0);
    if (!strstr(out.at, words)) {
        fail_msg("no '%s' in %s", words, strstr(out.at, "Each bar"));
    }
    assert_true((strstr(out.at, "not drawn") != NULL) == (far != NULL));
    assert_non_null(strstr(out.at, far ? far : ""));
    buf_fini(&out);
    report_line_fini(line);
}

static void add(struct report_line *line, int64_t s, int count)
{
    for (int i = 0; i < count; i++) {
        report_line_add(line, s * TIME_SECOND, LEVEL_LOW);
    }
}

static void every_span_of_time_can_be_drawn(void **state)
{
    (void)state;
    static const struct {
        int64_t first, last;
        const char *words;
    } spans[] = {{0, 0, "stands for 1 second;"}, {-1, 3, "stands for 1 second;"},
            {0, 600, "stands for 30 seconds;"}, {0, 86400, "stands for 30 minutes;"},
            {-86400, 40 * 86400, "stands for 12 hours;"}, {0, 1000 * 86400, "stands for 1 month;"},
            {-9223372036, 9223372036, "stands for 5 years;"}};
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        struct report_line line;
        assert_int_equal(report_line_init(&line), OK);
        add(&line, spans[i].first, 3);
        add(&line, spans[i].last, 3);
        check_line(&line, spans[i].words, NULL);
    }
}

static void few_times_far_off_are_said_and_not_drawn(void **state)
{
    (void)state;
    for (int far = 1; far <= 3; far++) {
        struct report_line line;
        assert_int_equal(report_line_init(&line), OK);
        add(&line, 1700000000, 50);
        add(&line, 1700000300, 50);
        add(&line, 4000000000, far);
        check_line(&line, far < 3 ? "for 5 seconds;" : "for 1 year;",
                far < 3 ? "(the last at 2096-10-02 07:06:40)</b> not drawn" : NULL);
    }
}

static void bins_widen_and_lose_nothing_whatever_the_order(void **state)
{
    (void)state;
    struct report_line a, b;
    assert_int_equal(report_line_init(&a), OK);
    assert_int_equal(report_line_init(&b), OK);
    for (int64_t i = 0; i < REPORT_LINE_BINS; i++) {
        add(&a, i - 100, 1);
        add(&b, REPORT_LINE_BINS - 1 - i - 100, 1);
    }
    assert_int_equal(a.width_s, 1);
    add(&a, REPORT_LINE_BINS - 100, 1);
    add(&b, REPORT_LINE_BINS - 100, 1);
    assert_int_equal(a.width_s, 2);
    assert_int_equal(b.width_s, 2);
    assert_int_equal(a.used, REPORT_LINE_BINS / 2 + 1);
    assert_int_equal(b.used, a.used);
    assert_int_equal(a.findings, REPORT_LINE_BINS + 1);
    report_line_fini(&a);
    report_line_fini(&b);
}

static void names_past_the_limit_are_counted(void **state)
{
    (void)state;
    struct report_names names;
    char name[32];
    report_names_init(&names);
    for (int i = 0; i < REPORT_NAMES_LIMIT + 1; i++) {
        snprintf(name, sizeof name, "host-%d", i);
        assert_int_equal(report_names_add(&names, slice_text(name), LEVEL_HIGH), OK);
        assert_int_equal(names.others, i == REPORT_NAMES_LIMIT);
    }
    assert_int_equal(report_names_add(&names, SLICE("host-1"), LEVEL_LOW), OK);
    assert_int_equal(report_names_add(&names, SLICE(""), LEVEL_LOW), OK);
    assert_int_equal(names.most, 2);
    assert_int_equal(names.without, 1);
    report_names_fini(&names);
}

static void techniques_are_found_by_number_and_tactics_by_tag(void **state)
{
    (void)state;
    assert_string_equal(report_techniques_find(1059)->name, "Command and Scripting Interpreter");
    assert_string_equal(report_techniques_find(1001)->name, "Data Obfuscation");
    assert_string_equal(report_techniques_find(1686)->name, "Disable or Modify System Firewall");
    assert_null(report_techniques_find(1000));
    assert_null(report_techniques_find(9999));
    uint32_t found = 0;
    for (uint32_t n = 0; n < 10000; n++) {
        found += report_techniques_find(n) != NULL;
    }
    assert_int_equal(found, 218); /* the table is in order */
    assert_string_equal(
            report_techniques_tactics[report_techniques_tactic(SLICE("Lateral_Movement"))].name,
            "Lateral Movement");
    assert_int_equal(report_techniques_tactic(SLICE("lateral")), -1);
    assert_int_equal(report_techniques_tactic(SLICE("")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(of_one_rule_so_many_are_shown),
            cmocka_unit_test(past_the_limit_of_all_the_lowest_level_gives_way),
            cmocka_unit_test(past_the_limit_of_bytes_one_of_each_rule_stays),
            cmocka_unit_test(without_memory_it_fails_and_frees),
            cmocka_unit_test(text_is_never_markup),
            cmocka_unit_test(long_values_are_cut_around_what_is_marked),
            cmocka_unit_test(every_span_of_time_can_be_drawn),
            cmocka_unit_test(few_times_far_off_are_said_and_not_drawn),
            cmocka_unit_test(bins_widen_and_lose_nothing_whatever_the_order),
            cmocka_unit_test(names_past_the_limit_are_counted),
            cmocka_unit_test(techniques_are_found_by_number_and_tactics_by_tag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
