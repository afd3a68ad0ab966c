#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/headed.h"

/* A format: "#NAMES" lines, and records that end with ";\n", so that some have several lines. */
static enum err toy_cut(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    (void)last;
    (void)diag;
    *out = (struct cut){0};
    while (out->size < bytes.size) {
        struct slice rest = slice_from(bytes, out->size);
        const char *end = memmem(rest.at, rest.size, ";\n", 2);
        if (rest.at[0] == '#') {
            size_t size = slice_find_byte(rest, '\n');
            buf_clear(&c->header);
            buf_add(&c->header, slice_of(rest.at, size));
            out->size += size + 1;
        } else if (end) {
            out->size += (size_t)(end - rest.at) + 2;
            out->records++;
        } else {
            break;
        }
    }
    return OK;
}
static const struct decoder toy = {.name = "toy", .headed = true, .cut = toy_cut};

static const char stream[] = "#one\n"
                             "1;\n"
                             "2\n2;\n"
                             "#two\n"
                             "#three\n"
                             "3;\n"
                             "#three\n"
                             "4;\n";
/* Each record with what is in force, and '!' for each change before it. */
static const char wanted[] = "!one=1; one=2\n2; !!three=3; three=4; ";

static void tell(struct headed *h, size_t from, char *out, size_t room)
{
    struct slice bytes = slice_from(slice_text(stream), from);
    struct headed_piece piece;
    size_t size = strlen(out);
    while (bytes.size > 0 && headed_next(h, bytes, &piece)) {
        size += (size_t)snprintf(out + size, room - size, "%s", piece.changed ? "!" : "");
        if (piece.record.size > 0) {
            struct slice force = slice_from(buf_slice(&h->cutter.header), 1);
            size += (size_t)snprintf(out + size, room - size, "%.*s=%.*s ", SLICE_ARG(force),
                    SLICE_ARG(piece.record));
        }
        bytes = slice_from(bytes, piece.size);
    }
    assert_int_equal(bytes.size, 0);
}

static void each_record_has_the_lines_before_it(void **unused)
{
    (void)unused;
    struct headed h = {0};
    char out[200] = "";
    headed_begin(&h, &toy);
    tell(&h, 0, out, sizeof out);
    assert_string_equal(out, wanted);
    headed_fini(&h);
}

static void half_a_record_waits(void **unused)
{
    (void)unused;
    struct headed h = {0};
    struct headed_piece piece;
    headed_begin(&h, &toy);
    assert_false(headed_next(&h, SLICE("#on"), &piece));
    assert_false(headed_next(&h, SLICE("1\n2"), &piece));
    assert_false(headed_next(&h, SLICE("1\n2\n"), &piece));
    assert_true(headed_next(&h, SLICE("1\n2;\n3"), &piece));
    assert_int_equal(piece.size, 5);
    headed_fini(&h);
}

static void who_comes_later_knows_what_went_by(void **unused)
{
    (void)unused;
    static const size_t places[] = {0, 5, 8, 13, 18, 25, 28, 35, 38};
    char path[] = "/tmp/merlon-headed-XXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    assert_int_equal(write(fd, stream, sizeof stream - 1), sizeof stream - 1);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct headed h = {0};
        char after[200] = "";
        headed_begin(&h, &toy);
        assert_true(headed_catch_up(&h, fd, places[i]));
        tell(&h, places[i], after, sizeof after);
        /* The end of what one reader saw who read it all. */
        const char *end = wanted + strlen(wanted) - strlen(after);
        assert_string_equal(end, after);
        headed_fini(&h);
    }
    struct headed h = {0};
    headed_begin(&h, &toy);
    assert_false(headed_catch_up(&h, fd, sizeof stream + 10));
    headed_fini(&h);
    close(fd);
}

static void a_copy_goes_its_own_way(void **unused)
{
    (void)unused;
    struct headed h = {0}, copy = {0};
    struct headed_piece piece;
    headed_begin(&h, &toy);
    assert_true(headed_next(&h, SLICE("#one\n"), &piece));
    assert_true(headed_copy(&copy, &h));
    assert_true(headed_next(&h, SLICE("#two\n"), &piece) && piece.changed);
    assert_true(slice_equal(buf_slice(&copy.cutter.header), SLICE("#one")));
    assert_true(headed_next(&copy, SLICE("#one\n"), &piece) && !piece.changed);
    headed_fini(&h);
    headed_fini(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(each_record_has_the_lines_before_it),
            cmocka_unit_test(half_a_record_waits),
            cmocka_unit_test(who_comes_later_knows_what_went_by),
            cmocka_unit_test(a_copy_goes_its_own_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
