#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "source/inputs.h"
#include "source/stream.h"

static char root[64];

static void write_file(const char *name, const char *text, size_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, size, f), size);
    fclose(f);
}

static int make_tree(void **state)
{
    (void)state;
    char path[256];
    snprintf(root, sizeof root, "/tmp/inputs_test.XXXXXX");
    if (!mkdtemp(root)) {
        return -1;
    }
    static const char *const folders[] = {"b", "b/deep", "b/deep/er", "empty"};
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", root, folders[i]);
        if (mkdir(path, 0700) != 0) {
            return -1;
        }
    }
    write_file("a", "1", 1);
    write_file("b/x", "22", 2);
    write_file("b/deep/er/y", "333", 3);
    write_file("b.z", "4444", 4);
    snprintf(path, sizeof path, "%s/b/loop", root);
    return symlink("..", path);
}

static int remove_tree(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

/* The paths below the root, each after a blank, for arguments below the root. */
static void lists(const char *const *arguments, const char *expected)
{
    struct inputs *inputs;
    struct buf got = {0};
    char path[256];
    assert_int_equal(inputs_new(&inputs), OK);
    for (; *arguments; arguments++) {
        snprintf(path, sizeof path, "%s/%s", root, *arguments);
        assert_int_equal(inputs_add(inputs, path), OK);
    }
    assert_int_equal(inputs_finish(inputs), OK);
    for (size_t i = 0; i < inputs->count; i++) {
        struct slice p = inputs->files[i].path;
        buf_byte(&got, inputs->files[i].named ? '!' : ' ');
        buf_add(&got, slice_of(p.at + strlen(root) + 1, p.size - strlen(root) - 1));
    }
    for (size_t i = 0; i < inputs->problem_count; i++) {
        buf_format(&got, " (%.*s)", SLICE_ARG(inputs->problems[i].reason));
    }
    buf_byte(&got, 0);
    assert_string_equal(got.at, expected);
    buf_fini(&got);
    inputs_free(inputs);
}
#define LISTS(expected, ...) lists((const char *[]){__VA_ARGS__, NULL}, expected)

static void files_come_in_byte_order_of_their_paths(void **state)
{
    (void)state;
    LISTS(" a b.z b/deep/er/y b/x", "");
    LISTS("!a!b.z b/deep/er/y b/x", "b", "b.z", "a");
    LISTS("!a!b.z b/deep/er/y b/x", "a", "b.z", "b/");
}

static void a_path_reached_twice_is_read_once(void **state)
{
    (void)state;
    LISTS("!a", "a", "a");
    LISTS("!./a", "a", "./a");
    LISTS(" b/deep/er/y!b/x", "b", "b/x", "b//");
}

static void what_is_not_there_is_named_and_the_rest_is_listed(void **state)
{
    (void)state;
    LISTS("!a (No such file or directory)", "nothing", "a");
    LISTS("", "empty");
}

static void a_link_in_a_folder_is_counted_and_one_named_is_followed(void **state)
{
    (void)state;
    struct inputs *inputs;
    char path[256];
    assert_int_equal(inputs_new(&inputs), OK);
    assert_int_equal(inputs_add(inputs, root), OK);
    assert_int_equal(inputs_finish(inputs), OK);
    assert_int_equal(inputs->links, 1);
    assert_int_equal(inputs->count, 4);
    assert_int_equal(inputs->bytes, 10);
    inputs_free(inputs);
    assert_int_equal(inputs_new(&inputs), OK);
    snprintf(path, sizeof path, "%s/b/loop", root);
    assert_int_equal(inputs_add(inputs, path), OK);
    assert_int_equal(inputs_finish(inputs), OK);
    assert_int_equal(inputs->count, 4);
    inputs_free(inputs);
}

/* Everything that a stream gives of the one input, in rooms of `room` bytes. */
static enum err stream_all(const char *path, size_t room, struct buf *out, struct diag *diag)
{
    struct inputs *inputs;
    struct stream *s;
    assert_int_equal(inputs_new(&inputs), OK);
    assert_int_equal(inputs_add(inputs, path), OK);
    assert_int_equal(inputs_finish(inputs), OK);
    assert_int_equal(inputs->count, 1);
    enum err e = stream_open(&inputs->files[0], NULL, &s, diag);
    assert_int_equal(e, OK);
    while (e == OK) {
        struct unpack_room to = {buf_reserve(out, room), room, 0};
        e = stream_read(s, &to, diag);
        assert_true(e != OK || to.used == room);
        out->size += to.used;
    }
    stream_close(s);
    inputs_free(inputs);
    return e;
}

static void a_file_is_read_whole_whatever_the_rooms(void **state)
{
    (void)state;
    static char text[600000];
    char path[256];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)('a' + i % 23);
    }
    static const size_t sizes[] = {
            0, 1, 3, 4, STREAM_BLOCK - 1, STREAM_BLOCK, STREAM_BLOCK + 1, sizeof text};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        static const size_t rooms[] = {1000, STREAM_BLOCK, 700000};
        write_file("stream", text, sizes[i]);
        snprintf(path, sizeof path, "%s/stream", root);
        for (size_t r = 0; r < 3; r++) {
            struct buf out = {0};
            assert_int_equal(stream_all(path, rooms[r], &out, NULL), ERR_END);
            assert_true(slice_equal(buf_slice(&out), slice_of(text, sizes[i])));
            buf_fini(&out);
        }
    }
}

static void a_pipe_is_read_to_its_end(void **state)
{
    (void)state;
    int ends[2];
    char path[64];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "one\ntwo\n", 8), 8);
    close(ends[1]);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    struct buf out = {0};
    assert_int_equal(stream_all(path, 100, &out, NULL), ERR_END);
    assert_true(slice_equal(buf_slice(&out), SLICE("one\ntwo\n")));
    buf_fini(&out);
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(files_come_in_byte_order_of_their_paths),
            cmocka_unit_test(a_path_reached_twice_is_read_once),
            cmocka_unit_test(what_is_not_there_is_named_and_the_rest_is_listed),
            cmocka_unit_test(a_link_in_a_folder_is_counted_and_one_named_is_followed),
            cmocka_unit_test(a_file_is_read_whole_whatever_the_rooms),
            cmocka_unit_test(a_pipe_is_read_to_its_end),
    };
    return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
