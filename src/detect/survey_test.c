#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "detect/judge.h"
#include "detect/reach_near.h"
#include "detect/reach_set.h"
#include "detect/survey.h"
#include "detect/survey_list.h"
#include "event/event.h"

/* A record of fields that the test names, without a decoder. */
struct pair {
    const char *path;
    const char *text; /* NULL: null */
};

static const struct pair *record;
static size_t record_size;
static struct buf long_path; /* where the test needs many names: of each a number is the path */
static size_t numbered;

static enum err walk(const struct event *event, event_visit *visit, void *context)
{
    (void)event;
    for (size_t i = 0; i < record_size; i++) {
        struct value v = {.kind = record[i].text ? VALUE_STRING : VALUE_NULL};
        v.text = record[i].text ? slice_text(record[i].text) : (struct slice){0};
        if (!visit(context, slice_text(record[i].path), &v)) {
            return OK;
        }
    }
    struct buf name = {0};
    for (size_t i = 0; i < numbered; i++) {
        struct value v = {.kind = VALUE_STRING, .text = SLICE("x")};
        buf_clear(&name);
        buf_format(&name, "f%zu", i);
        visit(context, buf_slice(&name), &v);
    }
    buf_fini(&name);
    if (long_path.size > 0) {
        struct value v = {.kind = VALUE_STRING, .text = SLICE("x")};
        visit(context, buf_slice(&long_path), &v);
    }
    return OK;
}

static const struct event_form form = {.name = "test", .walk = walk};

struct bench {
    struct ruleset *set;
    struct taxonomy *taxonomy;
    struct engine *engine;
    struct survey *survey;
    struct event event;
    struct judge *judge;   /* judges each event first, */
    struct survey *beside; /* and this survey counts what it judged */
};

static void bench_init(struct bench *b, const char *rules)
{
    const struct ruleset_options options = {0};
    const struct engine_options plain = {0};
    static const char map[] = "paths:\n  '*': ['*']\nroute:\n  kind: [kind]\n"
                              "logsources:\n  - product: red\n    when: [{kind: red}]\n"
                              "  - product: blue\n    when: [{kind: blue}]\n";
    *b = (struct bench){0};
    assert_int_equal(ruleset_new(&options, &b->set, NULL), OK);
    assert_int_equal(ruleset_load_text(b->set, SLICE("r.yml"), slice_text(rules), NULL), OK);
    assert_int_equal(ruleset_finish(b->set, NULL), OK);
    assert_int_equal(b->set->problem_count, 0);
    assert_int_equal(taxonomy_new(&b->taxonomy), OK);
    assert_int_equal(taxonomy_add(b->taxonomy, SLICE("t.yml"), slice_text(map), NULL), OK);
    assert_int_equal(engine_new(b->set, b->taxonomy, &plain, &b->engine, NULL), OK);
    assert_int_equal(survey_new(b->engine, &b->survey), OK);
    assert_int_equal(event_init(&b->event, engine_field_count(b->engine)), OK);
    assert_int_equal(judge_new(b->engine, &b->judge), OK);
    assert_int_equal(survey_new(b->engine, &b->beside), OK);
}

/* Both surveys come to the same. */
static void assert_same_reach(const struct bench *b)
{
    struct reach *of_all, *of_fields;
    assert_int_equal(reach_set(b->survey, &of_all), OK);
    assert_int_equal(reach_set(b->beside, &of_fields), OK);
    for (uint32_t i = 0; i < b->set->rule_count; i++) {
        assert_int_equal(of_all[i].why, of_fields[i].why);
        assert_int_equal(of_all[i].events, of_fields[i].events);
        assert_int_equal(of_all[i].fault_count, of_fields[i].fault_count);
    }
    memory_free(of_all);
    memory_free(of_fields);
}

static void bench_fini(struct bench *b)
{
    assert_same_reach(b);
    survey_free(b->beside);
    judge_free(b->judge);
    event_fini(&b->event);
    survey_free(b->survey);
    engine_free(b->engine);
    taxonomy_free(b->taxonomy);
    ruleset_free(b->set);
    buf_fini(&long_path);
    long_path = (struct buf){0};
    numbered = 0;
}

static enum err count(struct bench *b, const struct pair *pairs, size_t size)
{
    record = pairs;
    record_size = size;
    event_begin(&b->event, SLICE("raw"));
    b->event.form = &form;
    for (size_t i = 0; i < size; i++) {
        const struct path_edge *edge =
                paths_find(engine_paths(b->engine), PATHS_ROOT, slice_text(pairs[i].path));
        struct value v = {.kind = pairs[i].text ? VALUE_STRING : VALUE_NULL};
        v.text = pairs[i].text ? slice_text(pairs[i].text) : (struct slice){0};
        if (edge) {
            event_put(&b->event, edge, &v);
        }
    }
    const struct hit *hits;
    size_t hit_count;
    if (judge_event(b->judge, &b->event, &hits, &hit_count, NULL) != OK ||
            survey_judged(b->beside, b->judge, &b->event) != OK) {
        return ERR_MEMORY;
    }
    return survey_event(b->survey, &b->event, NULL);
}

#define COUNT(bench, ...)                                                                          \
    do {                                                                                           \
        static const struct pair pairs_[] = {__VA_ARGS__};                                         \
        assert_int_equal(count(bench, pairs_, sizeof pairs_ / sizeof *pairs_), OK);                \
    } while (0)

static const char rule[] = "title: R\nlogsource: {product: red}\n"
                           "detection: {s: {UserName: bob}, condition: s}\n";

static void fields_are_counted_once_a_record(void **state)
{
    struct bench b;
    struct survey_field *fields;
    size_t n;
    (void)state;
    bench_init(&b, rule);
    COUNT(&b, {"kind", "red"}, {"a", "1"}, {"a", "2"}, {"b", ""}, {"c", NULL});
    COUNT(&b, {"kind", "blue"}, {"a", "1"}, {"c", NULL}, {"c", "x"});
    assert_int_equal(survey_list_fields(b.survey, &fields, &n), OK);
    assert_int_equal(n, 4);
    assert_true(slice_equal(fields[0].path, SLICE("a")));
    assert_int_equal(fields[0].filled, 2);
    assert_true(slice_equal(fields[1].path, SLICE("kind")));
    assert_true(slice_equal(fields[2].path, SLICE("c")));
    assert_int_equal(fields[2].there, 2);
    assert_int_equal(fields[2].filled, 1);
    assert_int_equal(fields[2].kinds, SURVEY_KIND(VALUE_NULL) | SURVEY_KIND(VALUE_STRING));
    assert_int_equal(fields[3].there, 1);
    assert_int_equal(fields[3].filled, 0);
    memory_free(fields);
    survey_clear(b.survey);
    survey_clear(b.beside);
    assert_int_equal(survey_list_fields(b.survey, &fields, &n), OK);
    assert_int_equal(n, 0);
    memory_free(fields);
    bench_fini(&b);
}

static void logsources_are_counted(void **state)
{
    struct bench b;
    struct survey_source *sources;
    size_t n;
    (void)state;
    bench_init(&b, rule);
    COUNT(&b, {"kind", "red"});
    COUNT(&b, {"kind", "blue"});
    COUNT(&b, {"kind", "blue"});
    COUNT(&b, {"kind", "green"});
    assert_int_equal(survey_list_sources(b.survey, &sources, &n), OK);
    assert_int_equal(n, 2);
    assert_true(slice_equal(sources[0].logsource->product, SLICE("blue")));
    assert_int_equal(sources[0].events, 2);
    assert_int_equal(sources[1].events, 1);
    assert_int_equal(survey_list_unmapped(b.survey), 1);
    memory_free(sources);
    bench_fini(&b);
}

static void names_past_the_limits_are_counted_not_told_apart(void **state)
{
    struct bench b;
    struct survey_field *fields;
    size_t n;
    (void)state;
    bench_init(&b, rule);
    numbered = SURVEY_PATHS - 1;
    COUNT(&b, {"kind", "red"});
    assert_int_equal(survey_untold(b.survey), 0);
    numbered = SURVEY_PATHS;
    COUNT(&b, {"kind", "red"});
    assert_int_equal(survey_untold(b.survey), 1);
    assert_int_equal(survey_list_fields(b.survey, &fields, &n), OK);
    assert_int_equal(n, SURVEY_PATHS);
    memory_free(fields);
    survey_clear(b.survey);
    survey_clear(b.beside);
    numbered = 0;
    for (int i = 0; i < SURVEY_PATH_BYTES; i++) {
        buf_byte(&long_path, 'p');
    }
    COUNT(&b, {"kind", "red"});
    assert_int_equal(survey_untold(b.survey), 0);
    buf_byte(&long_path, 'p');
    COUNT(&b, {"kind", "red"});
    assert_int_equal(survey_untold(b.survey), 1);
    bench_fini(&b);
}

static void the_nearest_field_is_of_the_rules_own_events(void **state)
{
    static const struct {
        const char *asked;
        const char *name; /* NULL: none */
    } cases[] = {{"UserName", "user_name"}, {"user-name", "user_name"}, {"Usernames", "user_name"},
            {"image", "process.image"}, {"colour", NULL}, {"hue", NULL}, {"user_name", NULL},
            {"exact", NULL}};
    struct bench b;
    struct reach_near *near;
    (void)state;
    bench_init(&b, rule);
    COUNT(&b, {"kind", "red"}, {"user_name", "bob"}, {"process.image", "x"}, {"exacts", ""});
    COUNT(&b, {"kind", "blue"}, {"UserName", "bob"}, {"color", "x"});
    assert_int_equal(reach_near_new(b.survey, &near), OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reach_near_hit hit;
        bool found = reach_near_find(near, 0, slice_text(cases[i].asked), &hit);
        assert_int_equal(found, cases[i].name != NULL);
        if (found) {
            assert_true(slice_equal(hit.name, slice_text(cases[i].name)));
            assert_int_equal(hit.events, 1);
        }
    }
    reach_near_free(near);
    bench_fini(&b);
}

static void a_verdict_is_of_the_rules_own_events(void **state)
{
    struct bench b;
    struct reach reach;
    (void)state;
    bench_init(&b, rule);
    assert_int_equal(reach_rule(b.survey, 0, &reach), OK);
    assert_int_equal(reach.why, REACH_UNSEEN);
    COUNT(&b, {"kind", "blue"}, {"UserName", "bob"});
    assert_int_equal(reach_rule(b.survey, 0, &reach), OK);
    assert_int_equal(reach.why, REACH_UNSEEN);
    COUNT(&b, {"kind", "red"}, {"username", "bob"});
    assert_int_equal(reach_rule(b.survey, 0, &reach), OK);
    assert_int_equal(reach.why, REACH_TESTS);
    assert_int_equal(reach.events, 1);
    assert_int_equal(reach.fault_count, 1);
    assert_int_equal(reach.faults[0].kind, REACH_ABSENT);
    COUNT(&b, {"kind", "red"}, {"UserName", NULL});
    assert_int_equal(reach_rule(b.survey, 0, &reach), OK);
    assert_int_equal(reach.faults[0].kind, REACH_NO_VALUE);
    COUNT(&b, {"kind", "red"}, {"UserName", "alice"});
    assert_int_equal(reach_rule(b.survey, 0, &reach), OK);
    assert_int_equal(reach.why, REACH_CAN);
    assert_int_equal(reach.fault_count, 0);
    bench_fini(&b);
}

static void faults_past_the_limit_are_more(void **state)
{
    struct bench b;
    struct reach reach;
    struct buf text = {0};
    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        buf_clear(&text);
        buf_add(&text, SLICE("title: R\nlogsource: {product: red}\ndetection:\n  s:\n"));
        for (int i = 0; i < REACH_FAULTS + extra; i++) {
            buf_format(&text, "    field%d: x\n", i);
        }
        buf_add(&text, SLICE("  condition: s\n"));
        buf_byte(&text, '\0');
        bench_init(&b, text.at);
        COUNT(&b, {"kind", "red"});
        assert_int_equal(reach_rule(b.survey, 0, &reach), OK);
        assert_int_equal(reach.fault_count, REACH_FAULTS);
        assert_int_equal(reach.more, extra == 1);
        bench_fini(&b);
    }
    buf_fini(&text);
}

static void what_rules_cost_is_counted_where_it_is_asked_for(void **unused)
{
    (void)unused;
    struct bench b;
    bench_init(&b,
            "title: A\nlogsource: {product: red}\ndetection:\n  s: {x: here}\n  condition: s\n---\n"
            "title: B\nlogsource: {product: blue}\ndetection:\n  s: {x: here}\n  condition: s\n");
    assert_null(judge_costs(b.judge));
    assert_int_equal(judge_watch(b.judge), OK);
    for (int i = 0; i < 2 * JUDGE_TIMED; i++) {
        if (i % 2) {
            COUNT(&b, {"kind", "red"}, {"x", "here"});
        } else {
            COUNT(&b, {"kind", "red"}, {"x", "there"});
        }
    }
    const struct judge_cost *costs = judge_costs(b.judge);
    assert_int_equal(costs[0].held, JUDGE_TIMED);
    assert_in_range(costs[0].asked, JUDGE_TIMED, 2 * JUDGE_TIMED);
    assert_in_range(costs[0].timed, 1, 2);
    assert_int_equal(costs[1].asked + costs[1].held + costs[1].timed, 0);
    bench_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(fields_are_counted_once_a_record),
            cmocka_unit_test(logsources_are_counted),
            cmocka_unit_test(names_past_the_limits_are_counted_not_told_apart),
            cmocka_unit_test(the_nearest_field_is_of_the_rules_own_events),
            cmocka_unit_test(a_verdict_is_of_the_rules_own_events),
            cmocka_unit_test(faults_past_the_limit_are_more),
            cmocka_unit_test(what_rules_cost_is_counted_where_it_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
