#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "hunt/notebook.h"

#define FRONT "---\ntitle: T\nhypothesis: H\n---\n"
#define BLOCK "```merlon-hunt\n* | count\n```\n"

static enum err read_text(
        struct arena *arena, struct slice text, struct notebook *book, struct diag *diag)
{
    *diag = (struct diag){0};
    arena_init(arena, 8 << 20);
    return notebook_read(arena, text, book, diag);
}

static void a_hunt_gives_its_keys_and_queries(void **state)
{
    (void)state;
    static struct notebook book;
    struct arena arena;
    struct diag diag;
    struct slice text =
            SLICE("---\ntitle: T\nhypothesis: H\nattack: [T1562.008, T1078]\n"
                  "status: ready\nreferences: [a, b]\n---\n~~~text\n```merlon-hunt\n~~~\n"
                  "````merlon-hunt Who did\na: 1\n```\n| count\n````\nend");
    assert_int_equal(read_text(&arena, text, &book, &diag), OK);
    assert_true(slice_equal(book.title, SLICE("T")));
    assert_int_equal(book.attack.count, 2);
    assert_int_equal(book.references.count, 2);
    assert_int_equal(book.count, 1);
    assert_true(slice_equal(book.blocks[0].name, SLICE("Who did")));
    assert_true(slice_equal(book.blocks[0].query, SLICE("a: 1\n```\n| count\n")));
    assert_int_equal(book.blocks[0].line, 12);
    arena_fini(&arena);
}

static void what_is_no_hunt_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err e;
        uint32_t line;
        const char *words;
    } cases[] = {
            {"", ERR_NOT_FOUND, 0, "no hunt"},
            {"# Read me\n```sh\nls\n```\n", ERR_NOT_FOUND, 0, "no hunt"},
            {BLOCK, ERR_SYNTAX, 1, "no front matter"},
            {FRONT, ERR_SYNTAX, 4, "no query"},
            {"---\ntitle: T\n", ERR_SYNTAX, 1, "does not end"},
            {"---\ntitle: T\n---\n" BLOCK, ERR_SYNTAX, 1, "no hypothesis"},
            {"---\nhypothesis: T\n---\n" BLOCK, ERR_SYNTAX, 1, "no title"},
            {"---\n- a\n---\n" BLOCK, ERR_SYNTAX, 1, "no map"},
            {"---\ntitle: T\nhypothesis: H\nseverity: high\n---\n" BLOCK, ERR_UNSUPPORTED, 4,
                    "'severity' is no key"},
            {"---\ntitle: T\ntitle: H\n---\n" BLOCK, ERR_SYNTAX, 3, ""},
            {"---\ntitle: [T]\n---\n" BLOCK, ERR_SYNTAX, 2, "a text is wanted"},
            {"---\ntitle: T\nattack: T1562\n---\n" BLOCK, ERR_SYNTAX, 3, "a list of texts"},
            {"---\ntitle: T\nattack: [X1562]\n---\n" BLOCK, ERR_SYNTAX, 3, "no technique"},
            {"---\ntitle: T\nstatus: open\n---\n" BLOCK, ERR_SYNTAX, 3, "no draft"},
            {FRONT "```merlon-hunt\n*\n", ERR_SYNTAX, 5, "not closed"},
            {FRONT "```merlon-hunt\n*\n~~~\n", ERR_SYNTAX, 5, "not closed"},
            {FRONT BLOCK "```\n", ERR_SYNTAX, 8, "not closed"},
            {FRONT "- ```merlon-hunt\n", ERR_UNSUPPORTED, 5, "begins its line"},
            {FRONT "> ```merlon-hunt\n", ERR_UNSUPPORTED, 5, "begins its line"},
            {FRONT "    ```merlon-hunt\n", ERR_UNSUPPORTED, 5, "begins its line"},
            {FRONT BLOCK NOTEBOOK_BEGIN "\nx\n", ERR_SYNTAX, 8, "do not end"},
            {FRONT BLOCK NOTEBOOK_BEGIN "\n" BLOCK NOTEBOOK_END "\n", ERR_SYNTAX, 8, "do not end"},
            {FRONT BLOCK "x\n" NOTEBOOK_BEGIN "\n", ERR_SYNTAX, 9, "directly behind no hunt"},
            {FRONT BLOCK NOTEBOOK_END "\n", ERR_SYNTAX, 8, "directly behind no hunt"},
            {FRONT "\xff\n" BLOCK, ERR_SYNTAX, 5, "not UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct notebook book;
        struct arena arena;
        struct diag diag;
        enum err e = read_text(&arena, slice_text(cases[i].text), &book, &diag);
        if (e != cases[i].e || diag.line != cases[i].line || !strstr(diag.words, cases[i].words)) {
            fail_msg("%zu: %s, line %u: %s", i, err_name(e), diag.line, diag.words);
        }
        arena_fini(&arena);
    }
}

static void a_nul_and_a_great_file_are_refused(void **state)
{
    (void)state;
    static struct notebook book;
    static char great[(16 << 20) + 1];
    struct arena arena;
    struct diag diag;
    assert_int_equal(read_text(&arena, SLICE("---\ntitle\0: T\n"), &book, &diag), ERR_SYNTAX);
    assert_int_equal(diag.line, 2);
    assert_int_equal(diag.column, 6);
    arena_fini(&arena);
    memset(great, '`', sizeof great);
    assert_int_equal(read_text(&arena, slice_of(great, sizeof great), &book, &diag), ERR_LIMIT);
    arena_fini(&arena);
    assert_int_equal(read_text(&arena, slice_of(great, NOTEBOOK_BYTES), &book, &diag), ERR_SYNTAX);
    arena_fini(&arena);
}

static void rewrite(const char *text, const char *region, const char *expected)
{
    static struct notebook book;
    struct slice regions[NOTEBOOK_BLOCKS] = {0};
    struct buf out = {0};
    struct arena arena;
    struct diag diag;
    assert_int_equal(read_text(&arena, slice_text(text), &book, &diag), OK);
    regions[0] = slice_text(region);
    notebook_write(slice_text(text), &book, regions, &out);
    if (!slice_equal(buf_slice(&out), slice_text(expected))) {
        fail_msg("'%.*s' instead of '%s'", SLICE_ARG(buf_slice(&out)), expected);
    }
    buf_fini(&out);
    arena_fini(&arena);
}

static void results_are_replaced_and_nothing_else(void **state)
{
    (void)state;
    rewrite(FRONT BLOCK "\t tail \n", "r\n",
            FRONT BLOCK "\n" NOTEBOOK_BEGIN "\nr\n" NOTEBOOK_END "\n\t tail \n");
    rewrite(FRONT BLOCK "\n" NOTEBOOK_BEGIN "\nold\n" NOTEBOOK_END "\n\t tail", "new\n",
            FRONT BLOCK "\n" NOTEBOOK_BEGIN "\nnew\n" NOTEBOOK_END "\n\t tail");
    rewrite(FRONT "```merlon-hunt\n*\n```", "r\n",
            FRONT "```merlon-hunt\n*\n```\n\n" NOTEBOOK_BEGIN "\nr\n" NOTEBOOK_END "\n");
    /* A second block keeps what it has. */
    rewrite(FRONT BLOCK BLOCK NOTEBOOK_BEGIN "\nold\n" NOTEBOOK_END "\n", "r\n",
            FRONT BLOCK "\n" NOTEBOOK_BEGIN "\nr\n" NOTEBOOK_END "\n" BLOCK NOTEBOOK_BEGIN
                        "\nold\n" NOTEBOOK_END "\n");
    rewrite("---\r\ntitle: T\r\nhypothesis: H\r\n---\r\n```merlon-hunt\r\n*\r\n```\r\nx\n",
            "a\nb\n",
            "---\r\ntitle: T\r\nhypothesis: "
            "H\r\n---\r\n```merlon-hunt\r\n*\r\n```\r\n\r\n" NOTEBOOK_BEGIN
            "\r\na\r\nb\r\n" NOTEBOOK_END "\r\nx\n");
}

static void no_byte_of_a_log_is_markdown(void **state)
{
    (void)state;
    struct buf out = {0};
    notebook_escape(SLICE("a|b\n```<b>&lt; --> @x http://y www.z \\[l](m) $1$ ~~s~~"), &out);
    struct slice text = buf_slice(&out);
    static const char *const none[] = {"|", "\n", "`", "<", ">", "&lt;", "@", "://", "www."};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_true(slice_find(text, slice_text(none[i])) == SIZE_MAX);
    }
    assert_true(slice_find(text, SLICE("\\\\\\[l\\](m) \\$1\\$ \\~\\~s\\~\\~")) != SIZE_MAX);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_hunt_gives_its_keys_and_queries),
            cmocka_unit_test(what_is_no_hunt_is_refused_with_its_place),
            cmocka_unit_test(a_nul_and_a_great_file_are_refused),
            cmocka_unit_test(results_are_replaced_and_nothing_else),
            cmocka_unit_test(no_byte_of_a_log_is_markdown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
