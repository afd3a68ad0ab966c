#include "base/yaml_plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "support/yaml_same.h"

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

static bool reads(struct slice text, const struct yaml_limits *limits)
{
    struct yaml_document *plain = NULL, *any = NULL;
    struct diag diag = {0};
    if (!yaml_plain_read(&arena, text, limits, &plain)) {
        assert_null(plain);
        return false;
    }
    if (yaml_read_any(&arena, text, limits, &any, &diag) != OK || !yaml_same(plain, any)) {
        fail_msg("libyaml reads otherwise (%s):\n%.*s", diag.words, SLICE_ARG(text));
    }
    return true;
}

static void plain_yaml_is_read_as_libyaml_does(void **state)
{
    (void)state;
    static const char *const cases[] = {
            "a: 1\n",
            "# c\n\na: b c  # d\n  # e\nb: 'it''s' # f\n",
            "---\na: x#y\nb: \"q: 'r' #s\"\n---\nc: d\n",
            "a:\n    b: c\n    d:\n        - e\n        - f: g\n          h: i\nj: k\n",
            "a:\n- b\n- c: d\n  e:\n  - f\n  - '-g'\nh: -i\n",
            "a:\n  -   b: c\n      d: e\n  - f\n",
            "a: |\n  b\n\n    c\n   \n  d: #e\n\nf: |-\n    g\n    h\n",
            "a:\n  - |\n    b\n  - c\n",
            "a: |\n\n\n b\n# c\nd: 1\n",
            "'a' : b\n\"c\": 'd'\ne f: g\n",
            "a: null\nb: 0x1F\nc: 1.5\nd: TRUE\ne: ~\nf: '~'\n",
            "a: \\x\nb: /y\nc: .z\nd: $w\ne: ^v\nf: (u)\ng: +1\nh: =t\ni: ;s\nj: <r\n",
            "a: b:c\nd: e - f ? g\nh: i,[j]{k}\n",
            "a:  \n   b: c\n",
            "a: ''\nb: \"\"\n",
            "a: '''x'''\n",
            "a: |\n   b  \n   \n     \nc: d\n",
    };
    const struct yaml_limits limits = YAML_LIMITS;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (!reads(slice_text(cases[i]), &limits)) {
            fail_msg("left alone:\n%s", cases[i]);
        }
    }
}

static void what_is_odd_or_wrong_is_left_alone(void **state)
{
    (void)state;
    static const char *const cases[] = {"", "\n", "# c\n", "a", "a: b", "- a\n", " a: b\n", "a:\n",
            "a:\nb: c\n", "a: b\n  c\n", "a: b\n\n  c: d\n", "a: b: c\n", "a: [b]\n", "a: {b: c}\n",
            "a: &b c\n", "a: *b\n", "a: !!str b\n", "? a\n", "a: >\n  b\n", "a: |+\n  b\n",
            "a: |2\n   b\n", "a: |\nb: c\n", "a: |\n  \n b\n", "a: | # c\n  b\n", "a: \"\\n\"\n",
            "a: 'b\n  c'\n", "a: 'b'c\n", "a: 'b'#c\n", "a: b\na: c\n", "<<: a\n", "a : b\n",
            "a:\n  - - b\n", "a:\n  -\n    b\n", "a:\n  - b\n c: d\n", "a:\n    b: c\n  d: e\n",
            "a: b\n- c\n", "---\n", "---\n---\na: b\n", "a: b\n---\n", "--- a\n", "...\n",
            "a: b\n...\n", "... : b\n", "%A\n---\na: b\n", "a: \tb\n", "a: \xC3\xA4\n", "a: b\r\n",
            "a: b\x7F\n", "a: @b\n", "a: `b\n", "a: %b\n", "a: ,b\n", "a: --b\n", "a: - b\n",
            "a:\n  - # b\n", "a:b\n", "a\n"};
    const struct yaml_limits limits = YAML_LIMITS;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (reads(slice_text(cases[i]), &limits)) {
            fail_msg("taken:\n%s", cases[i]);
        }
    }
}

static void limits_hold_at_n_and_leave_n_plus_1(void **state)
{
    (void)state;
    const char *text = "a:\n  b:\n    - c\n"; /* 3 lists and maps, 3 scalars */
    assert_true(reads(slice_text(text), &(struct yaml_limits){100, 3, 6}));
    assert_false(reads(slice_text(text), &(struct yaml_limits){100, 2, 6}));
    assert_false(reads(slice_text(text), &(struct yaml_limits){100, 3, 5}));
}

static bool reads_depth(int depth)
{
    const struct yaml_limits limits = YAML_LIMITS;
    struct buf text = {0};
    for (int i = 0; i < depth; i++) {
        buf_format(&text, "%*sa:%s\n", i, "", i + 1 == depth ? " b" : "");
    }
    bool read = reads(buf_slice(&text), &limits);
    buf_fini(&text);
    return read;
}

static bool reads_sized(size_t key, size_t value)
{
    const struct yaml_limits limits = YAML_LIMITS;
    struct buf text = {0};
    for (size_t i = 0; i < key; i++) {
        buf_byte(&text, 'k');
    }
    buf_add(&text, SLICE(": "));
    for (size_t i = 0; i < value; i++) {
        buf_byte(&text, 'v');
    }
    buf_byte(&text, '\n');
    bool read = reads(buf_slice(&text), &limits);
    buf_fini(&text);
    return read;
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    assert_true(reads_depth(YAML_PLAIN_DEPTH));
    assert_false(reads_depth(YAML_PLAIN_DEPTH + 1));
    assert_true(reads_sized(999, 5000));
    assert_false(reads_sized(1000, 1));
    assert_true(reads_sized(1, YAML_PLAIN_BYTES - 4));
    assert_false(reads_sized(1, YAML_PLAIN_BYTES - 3));
}

static void a_full_arena_leaves_it_alone(void **state)
{
    (void)state;
    const struct yaml_limits limits = YAML_LIMITS;
    bool read = false;
    for (size_t cap = 0; cap < 4000; cap += 16) {
        struct arena small;
        struct yaml_document *d = NULL;
        arena_init(&small, cap);
        read = yaml_plain_read(&small, SLICE("a:\n  - |\n    b\n  - 'c'\nd: e\n"), &limits, &d);
        assert_int_equal(read, d != NULL);
        arena_fini(&small);
    }
    assert_true(read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(plain_yaml_is_read_as_libyaml_does),
            cmocka_unit_test(what_is_odd_or_wrong_is_left_alone),
            cmocka_unit_test(limits_hold_at_n_and_leave_n_plus_1),
            cmocka_unit_test(sizes_are_bounded),
            cmocka_unit_test(a_full_arena_leaves_it_alone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
