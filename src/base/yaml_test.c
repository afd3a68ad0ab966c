#include "base/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 256 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static const struct yaml_node *root_of(const char *text)
{
    struct yaml_limits limits = YAML_LIMITS;
    struct yaml_document *documents = NULL;
    struct diag diag = {0};
    enum err e = yaml_read(&arena, slice_text(text), &limits, &documents, &diag);
    if (e != OK) {
        print_error("%u:%u %s\n", diag.line, diag.column, diag.words);
    }
    assert_int_equal(e, OK);
    assert_non_null(documents);
    return documents->root;
}

static void scalars_resolve_by_the_core_schema(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum yaml_kind kind;
        double number;
    } cases[] = {{"~", YAML_NULL, 0}, {"null", YAML_NULL, 0}, {"NULL", YAML_NULL, 0},
            {"nULL", YAML_STRING, 0}, {"true", YAML_BOOL, 0}, {"False", YAML_BOOL, 0},
            {"yes", YAML_STRING, 0}, {"on", YAML_STRING, 0}, {"0", YAML_INT, 0},
            {"-17", YAML_INT, -17}, {"+17", YAML_INT, 17}, {"0x1F", YAML_INT, 31},
            {"0o17", YAML_INT, 15}, {"017", YAML_INT, 17}, {"-0x1", YAML_STRING, 0},
            {"1_000", YAML_STRING, 0}, {"1:30", YAML_STRING, 0}, {"1.", YAML_FLOAT, 1},
            {".5", YAML_FLOAT, 0.5}, {"-1.5e3", YAML_FLOAT, -1500}, {"1e", YAML_STRING, 0},
            {"1e5", YAML_FLOAT, 100000}, {".", YAML_STRING, 0}, {"+", YAML_STRING, 0},
            {".inf", YAML_FLOAT, __builtin_inf()}, {"0x+1", YAML_STRING, 0}, {"0x", YAML_STRING, 0},
            {"0o8", YAML_STRING, 0}, {"2019-01-01", YAML_STRING, 0},
            {"9223372036854775807", YAML_INT, 9223372036854775807.0},
            {"9223372036854775808", YAML_INT, 9223372036854775808.0},
            {"-9223372036854775808", YAML_INT, -9223372036854775808.0},
            {"127.0.0.1", YAML_STRING, 0}, {"'1'", YAML_STRING, 0}, {"\"~\"", YAML_STRING, 0},
            {"!!str 1", YAML_STRING, 0}, {"! 1", YAML_STRING, 0}, {"!!int '7'", YAML_INT, 7},
            {"!!float 7", YAML_FLOAT, 7}, {"|\n  1", YAML_STRING, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64] = "a: ";
        memcpy(text + 3, cases[i].text, strlen(cases[i].text) + 1);
        const struct yaml_node *node = yaml_get(root_of(text), SLICE("a"));
        assert_non_null(node);
        if (node->kind != cases[i].kind || node->number != cases[i].number) {
            fail_msg("%s: kind %d, number %g", cases[i].text, (int)node->kind, node->number);
        }
    }
}

static void integers_that_fit_are_exact(void **state)
{
    (void)state;
    const struct yaml_node *list =
            root_of("[9223372036854775807, -9223372036854775808, 9223372036854775808]");
    assert_true(list->first->integer == INT64_MAX);
    assert_true(list->first->next->integer == INT64_MIN);
    assert_int_equal(list->first->next->next->integer, 0);
}

static void the_tree_keeps_order_and_places(void **state)
{
    (void)state;
    const struct yaml_node *root = root_of("title: x\nlist:\n  - a\n  - b: 1\n    c: 2\n");
    assert_int_equal(root->count, 2);
    const struct yaml_node *list = yaml_get(root, SLICE("list"));
    assert_int_equal(list->kind, YAML_LIST);
    assert_int_equal(list->count, 2);
    assert_int_equal(list->first->line, 3);
    assert_int_equal(list->first->column, 5);
    const struct yaml_node *c = yaml_get(list->first->next, SLICE("c"));
    assert_int_equal(c->line, 5);
    assert_int_equal(c->column, 8);
    assert_int_equal(c->key->column, 5);
    assert_null(yaml_get(root, SLICE("nothing")));
    assert_null(yaml_get(list, SLICE("a")));
    assert_null(yaml_get(NULL, SLICE("a")));
}

static void documents_stand_in_order(void **state)
{
    (void)state;
    struct yaml_limits limits = YAML_LIMITS;
    struct yaml_document *d;
    assert_int_equal(yaml_read(&arena, SLICE("a: 1\n---\nb: 2\n---\n"), &limits, &d, NULL), OK);
    assert_non_null(yaml_get(d->root, SLICE("a")));
    assert_non_null(yaml_get(d->next->root, SLICE("b")));
    assert_int_equal(d->next->next->root->kind, YAML_NULL);
    assert_int_equal(yaml_read(&arena, SLICE(""), &limits, &d, NULL), OK);
    assert_null(d);
}

static void an_alias_stands_for_its_anchor(void **state)
{
    (void)state;
    const struct yaml_node *root = root_of("a: &x [1, 2]\nb: *x\nc: &x 3\nd: *x\n");
    const struct yaml_node *b = yaml_get(root, SLICE("b"));
    assert_int_equal(b->count, 2);
    assert_int_equal(b->line, 2);
    assert_int_equal(b->first->next->integer, 2);
    assert_int_equal(yaml_get(root, SLICE("d"))->integer, 3);
    assert_int_equal(yaml_get(root, SLICE("a"))->next, b);
}

static void what_is_wrong_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err e;
        uint32_t line, column;
        const char *words;
    } cases[] = {
            {"a: 1\nb: [1, 2\nc: 3", ERR_SYNTAX, 3, 2, ""},
            {"a: 1\nb: 2\na: 3\n", ERR_SYNTAX, 3, 1, "'a' stands twice"},
            {"a: 1\n'a': 3\n", ERR_SYNTAX, 2, 1, "stands twice"},
            {"? [a]\n: 1\n", ERR_SYNTAX, 1, 5, "must be a scalar"},
            {"a: *b\n", ERR_SYNTAX, 1, 4, "without an anchor"},
            {"a: &a [*a]\n", ERR_SYNTAX, 1, 8, "inside of its own"},
            {"a: 1\nb: \xFF\n", ERR_SYNTAX, 2, 4, "UTF-8"},
            {"a: \x01\n", ERR_SYNTAX, 1, 4, "control characters"},
            {"a: !!python/object:os.system x\n", ERR_UNSUPPORTED, 1, 4, "tag"},
            {"a: !!int x\n", ERR_SYNTAX, 1, 4, "not of its tag"},
            {"a: !!map x\n", ERR_UNSUPPORTED, 1, 4, "tag"},
            {"b: &b {x: 1}\na:\n  <<: *b\n", ERR_UNSUPPORTED, 3, 3, "merge key"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct yaml_limits limits = YAML_LIMITS;
        struct yaml_document mark, *d = &mark;
        struct diag diag = {0};
        enum err e = yaml_read(&arena, slice_text(cases[i].text), &limits, &d, &diag);
        if (e != cases[i].e || diag.line != cases[i].line || diag.column != cases[i].column ||
                !strstr(diag.words, cases[i].words)) {
            fail_msg("%s: %s at %u:%u: %s", cases[i].text, err_name(e), diag.line, diag.column,
                    diag.words);
        }
        assert_ptr_equal(d, &mark);
    }
}

static void documents_before_a_fault_can_be_had(void **state)
{
    (void)state;
    struct yaml_limits limits = YAML_LIMITS;
    struct yaml_document *d;
    assert_int_equal(
            yaml_read_part(&arena, SLICE("a: 1\n---\nb: ]\n"), &limits, &d, NULL), ERR_SYNTAX);
    assert_non_null(d);
    assert_non_null(yaml_get(d->root, SLICE("a")));
    assert_null(d->next);
}

static enum err read_limited(struct slice text, struct yaml_limits limits, struct diag *diag)
{
    struct yaml_document *d;
    struct arena own;
    arena_init(&own, 64 << 20);
    enum err e = yaml_read(&own, text, &limits, &d, diag);
    arena_fini(&own);
    return e;
}

static void limits_hold_at_n_and_break_at_n_plus_1(void **state)
{
    (void)state;
    struct yaml_limits limits = {.bytes = 100, .depth = 3, .nodes = 6};
    struct diag diag;
    assert_int_equal(read_limited(SLICE("[[[1]]]"), limits, &diag), OK);
    assert_int_equal(read_limited(SLICE("[[[[]]]]"), limits, &diag), ERR_LIMIT);
    assert_non_null(strstr(diag.words, "deeper"));
    assert_int_equal(read_limited(SLICE("[1, 2, 3, 4, 5]"), limits, &diag), OK);
    assert_int_equal(read_limited(SLICE("[1, 2, 3, 4, 5, 6]"), limits, &diag), ERR_LIMIT);
    assert_non_null(strstr(diag.words, "nodes"));
    /* aliases: [ [a], alias of two nodes ] are five nodes, one more alias of one makes six */
    assert_int_equal(read_limited(SLICE("[&x [1], *x, &y 2]"), limits, &diag), OK);
    assert_int_equal(read_limited(SLICE("[&x [1], *x, *x]"), limits, &diag), ERR_LIMIT);
    assert_int_equal(read_limited(SLICE("[&x [[]], [*x]]"), limits, &diag), ERR_LIMIT);
    assert_non_null(strstr(diag.words, "deeper"));
    limits.bytes = 3;
    assert_int_equal(read_limited(SLICE("[1]"), limits, &diag), OK);
    assert_int_equal(read_limited(SLICE("[10]"), limits, &diag), ERR_LIMIT);
    assert_non_null(strstr(diag.words, "limit of 3"));
}

static void anchors_are_limited(void **state)
{
    (void)state;
    struct yaml_limits limits = YAML_LIMITS;
    struct buf text = {0};
    for (int i = 0; i < YAML_ANCHORS; i++) {
        buf_format(&text, "- &a%d x\n", i);
    }
    assert_int_equal(read_limited(buf_slice(&text), limits, NULL), OK);
    buf_add(&text, SLICE("- &b x\n"));
    assert_int_equal(read_limited(buf_slice(&text), limits, NULL), ERR_LIMIT);
    buf_fini(&text);
}

static void directives_are_limited(void **state)
{
    (void)state;
    struct yaml_limits limits = YAML_LIMITS;
    struct buf text = {0};
    struct diag diag;
    for (int more = 0; more < 2; more++) {
        buf_clear(&text);
        for (int i = 0; i < YAML_DIRECTIVES + more; i++) {
            buf_format(&text, "%%TAG !a%d! x\n", i);
        }
        buf_add(&text, SLICE("--- x%y%z\n"));
        assert_int_equal(read_limited(buf_slice(&text), limits, &diag), more ? ERR_LIMIT : OK);
    }
    assert_non_null(strstr(diag.words, "limit of 100"));
    buf_fini(&text);
}

static void billions_of_laughs_are_refused(void **state)
{
    (void)state;
    struct yaml_limits limits = YAML_LIMITS;
    struct buf text = {0};
    struct diag diag;
    buf_add(&text, SLICE("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"));
    for (int i = 1; i < 20; i++) {
        buf_format(&text, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++) {
            buf_format(&text, "%s*a%d", k ? ", " : "", i - 1);
        }
        buf_add(&text, SLICE("]\n"));
    }
    assert_int_equal(read_limited(buf_slice(&text), limits, &diag), ERR_LIMIT);
    assert_non_null(strstr(diag.words, "aliases counted"));
    buf_fini(&text);
}

static void ten_million_brackets_are_refused(void **state)
{
    (void)state;
    struct yaml_limits limits = YAML_LIMITS;
    struct buf text = {0};
    char *to = buf_reserve(&text, 10000000);
    assert_non_null(to);
    memset(to, '[', 10000000);
    text.size = 10000000;
    assert_int_equal(read_limited(buf_slice(&text), limits, NULL), ERR_LIMIT);
    buf_fini(&text);
}

static void many_keys_are_compared_in_time(void **state)
{
    (void)state;
    struct yaml_limits limits = YAML_LIMITS;
    struct buf text = {0};
    struct diag diag;
    for (int i = 0; i < 100000; i++) {
        buf_format(&text, "k%d: 1\n", i);
    }
    assert_int_equal(read_limited(buf_slice(&text), limits, &diag), OK);
    buf_add(&text, SLICE("k77: 1\n"));
    assert_int_equal(read_limited(buf_slice(&text), limits, &diag), ERR_SYNTAX);
    assert_int_equal(diag.line, 100001);
    buf_fini(&text);
}

static void a_full_arena_is_an_error(void **state)
{
    (void)state;
    struct yaml_limits limits = YAML_LIMITS;
    for (size_t cap = 0; cap < 6000; cap += 64) {
        struct arena small;
        struct yaml_document *d;
        arena_init(&small, cap);
        enum err e = yaml_read(&small, SLICE("a: &x [1, {b: c}]\nd: *x\n"), &limits, &d, NULL);
        assert_true(e == OK || e == ERR_MEMORY);
        arena_fini(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(scalars_resolve_by_the_core_schema),
            cmocka_unit_test(integers_that_fit_are_exact),
            cmocka_unit_test(the_tree_keeps_order_and_places),
            cmocka_unit_test(documents_stand_in_order),
            cmocka_unit_test(an_alias_stands_for_its_anchor),
            cmocka_unit_test(what_is_wrong_is_refused_with_its_place),
            cmocka_unit_test(documents_before_a_fault_can_be_had),
            cmocka_unit_test(limits_hold_at_n_and_break_at_n_plus_1),
            cmocka_unit_test(anchors_are_limited),
            cmocka_unit_test(directives_are_limited),
            cmocka_unit_test(billions_of_laughs_are_refused),
            cmocka_unit_test(ten_million_brackets_are_refused),
            cmocka_unit_test(many_keys_are_compared_in_time),
            cmocka_unit_test(a_full_arena_is_an_error),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
