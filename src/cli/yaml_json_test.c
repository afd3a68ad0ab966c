#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/yaml_json.h"

static enum err convert(struct arena *arena, struct slice yaml, struct buf *out)
{
    const struct yaml_limits limits = YAML_LIMITS;
    struct yaml_document *documents;
    assert_int_equal(yaml_read(arena, yaml, &limits, &documents, NULL), OK);
    buf_clear(out);
    return yaml_json_write(documents->root, out, NULL);
}

static void yaml_becomes_json(void **state)
{
    static const char *const cases[][2] = {{"a: 1", "{\"a\":1}"}, {"[]", "[]"}, {"{}", "{}"},
            {"[[], {}, [[]]]", "[[],{},[[]]]"}, {"x", "\"x\""},
            {"{a: [1, {b: 2}, 3], c: 4}", "{\"a\":[1,{\"b\":2},3],\"c\":4}"},
            {"{a: null, b: ~, c: true, d: False, e: yes}",
                    "{\"a\":null,\"b\":null,\"c\":true,\"d\":false,\"e\":\"yes\"}"},
            {"[1.5, -0.0, 1e3, +1, 01, 0x1F, .5, 1., .inf, -7]",
                    "[1.5,-0.0,1e3,\"+1\",\"01\",\"0x1F\",\".5\",\"1.\",\".inf\",-7]"},
            {"['1', \"a\\n\\\"b\\\\\", 'true']", "[\"1\",\"a\\n\\\"b\\\\\",\"true\"]"},
            {"{1: a, 'b c': d}", "{\"1\":\"a\",\"b c\":\"d\"}"},
            {"- a:\n    b:\n      - c\n- d", "[{\"a\":{\"b\":[\"c\"]}},\"d\"]"}};
    struct arena arena;
    struct buf out = {0};
    (void)state;
    arena_init(&arena, 1 << 24);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(convert(&arena, slice_text(cases[i][0]), &out), OK);
        if (!slice_equal(buf_slice(&out), slice_text(cases[i][1]))) {
            fail_msg("%s: %.*s", cases[i][0], SLICE_ARG(buf_slice(&out)));
        }
    }
    buf_fini(&out);
    arena_fini(&arena);
}

static void depth_is_limited(void **state)
{
    const struct yaml_limits limits = {.bytes = 1000, .depth = 100, .nodes = 1000};
    struct arena arena;
    struct buf yaml = {0}, out = {0};
    (void)state;
    arena_init(&arena, 1 << 24);
    for (int depth = YAML_JSON_DEPTH; depth <= YAML_JSON_DEPTH + 1; depth++) {
        struct yaml_document *documents;
        buf_clear(&yaml);
        for (int i = 0; i < depth; i++) {
            buf_byte(&yaml, '[');
        }
        for (int i = 0; i < depth; i++) {
            buf_byte(&yaml, ']');
        }
        assert_int_equal(yaml_read(&arena, buf_slice(&yaml), &limits, &documents, NULL), OK);
        assert_int_equal(yaml_json_write(documents->root, &out, NULL),
                depth == YAML_JSON_DEPTH ? OK : ERR_LIMIT);
    }
    buf_fini(&yaml);
    buf_fini(&out);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(yaml_becomes_json),
            cmocka_unit_test(depth_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
