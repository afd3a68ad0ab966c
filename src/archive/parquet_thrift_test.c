#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "archive/parquet_thrift.h"

struct inner {
    uint32_t has;
    bool yes;
    int64_t wide;
};

struct outer {
    uint32_t has;
    int32_t number;
    struct slice text;
    struct inner inner;
    struct parquet_thrift_list numbers, texts, inners;
};

static const struct parquet_thrift_row inner_rows[] = {
        {1, PARQUET_THRIFT_BOOL, true, offsetof(struct inner, yes), "yes", NULL},
        {9, PARQUET_THRIFT_I64, false, offsetof(struct inner, wide), "wide", NULL},
};
static const struct parquet_thrift_table inner_table =
        PARQUET_THRIFT_TABLE("Inner", inner_rows, inner);
static const struct parquet_thrift_row outer_rows[] = {
        {1, PARQUET_THRIFT_I32, true, offsetof(struct outer, number), "number", NULL},
        {2, PARQUET_THRIFT_BINARY, false, offsetof(struct outer, text), "text", NULL},
        {3, PARQUET_THRIFT_STRUCT, false, offsetof(struct outer, inner), "inner", &inner_table},
        {5, PARQUET_THRIFT_I32S, false, offsetof(struct outer, numbers), "numbers", NULL},
        {6, PARQUET_THRIFT_BINARYS, false, offsetof(struct outer, texts), "texts", NULL},
        {7, PARQUET_THRIFT_STRUCTS, false, offsetof(struct outer, inners), "inners", &inner_table},
};
static const struct parquet_thrift_table outer_table =
        PARQUET_THRIFT_TABLE("Outer", outer_rows, outer);

static enum err read_outer(struct slice bytes, struct outer *to, struct diag *diag)
{
    struct arena arena;
    arena_init(&arena, 4096);
    struct parquet_thrift_in in = {bytes, &arena, diag};
    enum err e = parquet_thrift_read(&outer_table, &in, to);
    arena_fini(&arena);
    return e == OK && in.left.size ? ERR_END : e;
}

static void all_kinds_come_back(void **state)
{
    (void)state;
    int32_t numbers[20] = {0, -1, INT32_MIN, INT32_MAX};
    struct slice texts[2] = {{"", 0}, {"two", 3}};
    struct inner inners[2] = {{0, true, 0}, {2, false, INT64_MIN}};
    struct outer from = {.has = 0x3E,
            .number = -5,
            .text = SLICE("text"),
            .inner = {2, true, 77},
            .numbers = {numbers, 20},
            .texts = {texts, 2},
            .inners = {inners, 2}};
    struct outer to;
    struct buf out = {0};
    struct arena arena;
    arena_init(&arena, 4096);
    parquet_thrift_write(&outer_table, &from, &out);
    struct parquet_thrift_in in = {buf_slice(&out), &arena, NULL};
    assert_int_equal(parquet_thrift_read(&outer_table, &in, &to), OK);
    assert_true(in.left.size == 0 && to.has == 0x3F && to.number == -5);
    assert_true(slice_equal(to.text, SLICE("text")));
    assert_true(to.inner.has == 3 && to.inner.yes && to.inner.wide == 77);
    assert_int_equal(to.numbers.count, 20);
    assert_memory_equal(to.numbers.at, numbers, sizeof numbers);
    assert_true(to.texts.count == 2 && slice_equal(((struct slice *)to.texts.at)[1], texts[1]));
    const struct inner *second = (const struct inner *)to.inners.at + 1;
    assert_true(to.inners.count == 2 && !second->yes && second->wide == INT64_MIN);
    for (size_t size = 0; size < out.size; size++) {
        struct diag diag = {0};
        assert_int_equal(read_outer(slice_of(out.at, size), &to, &diag), ERR_SYNTAX);
        assert_true(diag.words[0] != '\0');
    }
    arena_fini(&arena);
    buf_fini(&out);
}

/* thrift-compact-protocol.md: the difference of ids and the kind in one byte; zigzag; stop. */
static void bytes_are_those_of_the_specification(void **state)
{
    (void)state;
    struct outer from = {.has = 4, .number = 1, .inner = {0, false, 0}};
    struct buf out = {0};
    parquet_thrift_write(&outer_table, &from, &out);
    assert_int_equal(out.size, 6);
    assert_memory_equal(out.at, "\x15\x02\x2C\x12\x00\x00", 6);
    buf_fini(&out);
}

static void what_no_row_names_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct slice bytes;
        enum err e;
        const char *words;
    } bad[] = {
            {{"\x00", 1}, ERR_SYNTAX, "parquet: number of Outer is missing"},
            {{"\x15\x02\x35\x02\x00", 5}, ERR_UNSUPPORTED,
                    "parquet: field 4 of Outer is none that is written here"},
            {{"\x15\x02\x05\x02\x02\x00", 6}, ERR_UNSUPPORTED,
                    "parquet: field 1 of Outer is none that is written here"},
            {{"\x16\x02\x00", 3}, ERR_UNSUPPORTED,
                    "parquet: number of Outer is of another kind (6)"},
            {{"\x15\x80\x80\x80\x80\x20\x00", 7}, ERR_SYNTAX,
                    "parquet: number is cut short or damaged"},
            {{"\x15\x02\x18\x05"
              "abcd",
                     8},
                    ERR_SYNTAX, "parquet: text is cut short or damaged"},
            {{"\x15\x02\x49\x36\x02\x04\x06\x00", 8}, ERR_UNSUPPORTED,
                    "parquet: numbers is a list of another kind (6)"},
            {{"\x15\x02\x49\xF5\xFF\xFF\xFF\xFF\x0F\x00", 10}, ERR_SYNTAX,
                    "parquet: numbers says that it has 4294967295 elements"},
            {{"\x15\x02\x69\x3C\x11\x00\x11\x00\x11", 9}, ERR_SYNTAX,
                    "parquet: inners says that it has 3 elements"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct outer to;
        struct diag diag = {0};
        assert_int_equal(read_outer(bad[i].bytes, &to, &diag), bad[i].e);
        assert_string_equal(diag.words, bad[i].words);
    }
}

static void lists_take_no_more_memory_than_there_is(void **state)
{
    (void)state;
    char bytes[5000] = "\x15\x02\x49\xF5\x80\x08"; /* 1,024 numbers: 4,096 bytes */
    struct outer to;
    struct diag diag = {0};
    assert_int_equal(read_outer(slice_of(bytes, 6 + 1024 + 1), &to, &diag), OK);
    bytes[4] = (char)0x81;
    assert_int_equal(read_outer(slice_of(bytes, 6 + 1025 + 1), &to, &diag), ERR_LIMIT);
    struct parquet_thrift_in in = {slice_of(bytes, 2000), NULL, &diag};
    assert_int_equal(parquet_thrift_read(&outer_table, &in, &to), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(all_kinds_come_back),
            cmocka_unit_test(bytes_are_those_of_the_specification),
            cmocka_unit_test(what_no_row_names_is_refused),
            cmocka_unit_test(lists_take_no_more_memory_than_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
