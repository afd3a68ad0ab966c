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

#include "source/follow.h"
#include "source/follow_mark.h"
#include "support/harbour.h"

enum { LIMIT = 100000 };

struct rig {
    struct harbour h;
    char root[64];
    char pattern[128];
    struct slice patterns[1];
    struct intake_input input;
    struct follow_options options;
    struct follow *follow;
    int64_t now_ms;
    struct buf log; /* what a log would have: "SOURCE KEY\n" */
};

static int64_t rig_now(void *context)
{
    return ((struct rig *)context)->now_ms;
}

static void start(struct rig *r)
{
    assert_int_equal(follow_new(&r->options, &r->follow, NULL), OK);
}

static int make_with(void **state, const char *pattern)
{
    struct rig *r = calloc(1, sizeof *r);
    if (!r || !harbour_init(&r->h, 1 << 20)) {
        return -1;
    }
    snprintf(r->root, sizeof r->root, "/tmp/follow_test.XXXXXX");
    if (!mkdtemp(r->root)) {
        return -1;
    }
    snprintf(r->pattern, sizeof r->pattern, "%s%s", r->root, pattern);
    r->patterns[0] = slice_text(r->pattern);
    r->input = (struct intake_input){.name = SLICE("f"),
            .kind = SLICE("files"),
            .tenant = SLICE("t"),
            .record_bytes = LIMIT};
    r->options = (struct follow_options)FOLLOW_OPTIONS;
    r->options.intake = &r->h.intake;
    r->options.input = &r->input;
    r->options.patterns = r->patterns;
    r->options.count = 1;
    r->options.only_poll = true;
    r->options.now_ms = rig_now;
    r->options.context = r;
    r->now_ms = 1000;
    *state = r;
    return follow_new(&r->options, &r->follow, NULL) == OK ? 0 : -1;
}

static int make_glob(void **state)
{
    return make_with(state, "/*.log");
}

static int make_file(void **state)
{
    return make_with(state, "/x.log");
}

static int make_folder(void **state)
{
    return make_with(state, "");
}

static int drop(void **state)
{
    struct rig *r = *state;
    char command[128];
    follow_free(r->follow);
    harbour_fini(&r->h);
    snprintf(command, sizeof command, "rm -rf '%s'", r->root);
    buf_fini(&r->log);
    free(r);
    return system(command);
}

static const char *at(struct rig *r, const char *name)
{
    static char paths[2][128];
    static int which;
    which = !which;
    snprintf(paths[which], sizeof paths[which], "%s/%s", r->root, name);
    return paths[which];
}

static void append(struct rig *r, const char *name, const char *text)
{
    int fd = open(at(r, name), O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* Looks at all again, and reads all that is new. */
static void look(struct rig *r)
{
    r->now_ms += r->options.poll_ms;
    do {
        assert_true(harbour_take(&r->h));
    } while (follow_step(r->follow, 0));
    assert_true(harbour_take(&r->h));
}

/* What was seen, without the folder's name; then it is forgotten. */
static void expect(struct rig *r, const char *expected)
{
    struct buf out = {0};
    struct slice rest = slice_text(harbour_seen(&r->h));
    while (rest.size > 0) {
        size_t hit = slice_find(rest, slice_text(r->root));
        buf_add(&out, slice_of(rest.at, hit == SIZE_MAX ? rest.size : hit));
        rest = hit == SIZE_MAX ? slice_of(NULL, 0) : slice_from(rest, hit + strlen(r->root));
    }
    buf_byte(&out, '\0');
    assert_string_equal(out.at, expected);
    buf_fini(&out);
    buf_clear(&r->h.seen);
}

/* As after a crash: another process, which knows the keys that are in the log. */
static void restart(struct rig *r, const char *name)
{
    char source[200];
    snprintf(source, sizeof source, "f%s", at(r, name));
    follow_free(r->follow);
    start(r);
    struct slice rest = buf_slice(&r->h.keys);
    while (rest.size > 0) {
        struct slice line = slice_cut(&rest, '\n');
        follow_resume(r->follow, slice_text(source), slice_cut(&line, ' '));
    }
}

static void lines_come_as_they_are_written(void **state)
{
    struct rig *r = *state;
    look(r);
    append(r, "x.log", "one\ntwo\r\n\nthr");
    look(r);
    expect(r, "f/x.log|one\nf/x.log|two\n");
    append(r, "x.log", "ee\nfour\n");
    look(r);
    expect(r, "f/x.log|three\nf/x.log|four\n");
    look(r);
    expect(r, "");
    assert_int_equal(counts_totals(harbour_counts(&r->h, "nobody")).received, 0);
}

static void inotify_tells_sooner(void **state)
{
    struct rig *r = *state;
    follow_free(r->follow);
    r->options.only_poll = false;
    start(r);
    look(r);
    append(r, "x.log", "one\n"); /* the clock stands still: no look is due */
    for (int i = 0; i < 100 && r->h.records < 1; i++) {
        follow_step(r->follow, 100);
        assert_true(harbour_take(&r->h));
    }
    expect(r, "f/x.log|one\n");
    append(r, "x.log", "two\n");
    for (int i = 0; i < 100 && r->h.records < 2; i++) {
        follow_step(r->follow, 100);
        assert_true(harbour_take(&r->h));
    }
    expect(r, "f/x.log|two\n");
}

static void a_renamed_file_is_read_to_its_end(void **state)
{
    struct rig *r = *state;
    append(r, "x.log", "one\n");
    look(r);
    append(r, "x.log", "two\nlast");
    assert_int_equal(rename(at(r, "x.log"), at(r, "x.log.1")), 0);
    append(r, "x.log", "new\n");
    look(r);
    append(r, "x.log.1", " words"); /* the writer has not noticed yet */
    look(r);
    expect(r, "f/x.log|one\nf/x.log|two\nf/x.log|new\n");
    r->now_ms += 5000;
    look(r);
    look(r);
    expect(r, "f/x.log|last words\n");
    assert_int_equal(follow_figures(r->follow).files, 1);
    assert_int_equal(follow_figures(r->follow).rotated, 1);
}

static void a_file_renamed_within_the_pattern_is_not_read_twice(void **state)
{
    struct rig *r = *state;
    append(r, "x.log", "one\n");
    look(r);
    assert_int_equal(rename(at(r, "x.log"), at(r, "old.log")), 0);
    append(r, "x.log", "new\n");
    look(r);
    r->now_ms += 5000;
    look(r);
    expect(r, "f/x.log|one\nf/x.log|new\n");
}

static void a_truncated_file_begins_again(void **state)
{
    struct rig *r = *state;
    append(r, "x.log", "one\ntwo\nhal");
    look(r);
    assert_int_equal(truncate(at(r, "x.log"), 0), 0);
    look(r);
    append(r, "x.log", "3\n");
    look(r);
    expect(r, "f/x.log|one\nf/x.log|two\nf/x.log|hal\nf/x.log|3\n");
    assert_int_equal(follow_figures(r->follow).truncated, 1);
}

static void a_file_truncated_and_grown_past_the_place_begins_again(void **state)
{
    struct rig *r = *state;
    append(r, "x.log", "one\n");
    look(r);
    assert_int_equal(truncate(at(r, "x.log"), 0), 0);
    append(r, "x.log", "other\nlines\n");
    look(r);
    expect(r, "f/x.log|one\nf/x.log|other\nf/x.log|lines\n");
}

static void a_deleted_file_is_read_to_its_end(void **state)
{
    struct rig *r = *state;
    append(r, "x.log", "one\n");
    look(r);
    append(r, "x.log", "two\nlast");
    assert_int_equal(unlink(at(r, "x.log")), 0);
    look(r);
    r->now_ms += 5000;
    look(r);
    expect(r, "f/x.log|one\nf/x.log|two\nf/x.log|last\n");
    assert_int_equal(follow_figures(r->follow).files, 0);
}

static void of_a_folder_all_files_but_packed_and_hidden_ones_are_read(void **state)
{
    struct rig *r = *state;
    append(r, "a", "1\n");
    append(r, "b.log", "2\n");
    append(r, ".c", "3\n");
    append(r, "d.log.1.GZ", "4\n");
    mkdir(at(r, "e"), 0700);
    append(r, "e/f", "5\n");
    look(r);
    expect(r, "f/a|1\nf/b.log|2\n");
}

static void a_line_that_is_too_long_is_rejected(void **state)
{
    struct rig *r = *state;
    static char big[LIMIT * 3];
    r->h.quiet = true;
    memset(big, 'x', sizeof big - 1);
    append(r, "x.log", big);
    look(r);
    append(r, "x.log", big);
    look(r);
    append(r, "x.log", "\nnext\n");
    big[LIMIT] = '\0';
    append(r, "x.log", big);
    append(r, "x.log", "\r\n");
    append(r, "x.log", big);
    append(r, "x.log", "x\n.\n");
    look(r);
    char source[200];
    snprintf(source, sizeof source, "f%s", at(r, "x.log"));
    assert_int_equal(r->h.records, 3);
    assert_int_equal(counts_totals(harbour_counts(&r->h, source)).received, 5);
    assert_int_equal(harbour_counts(&r->h, source)->rejected[COUNTS_TOO_LONG], 2);
}

static void without_room_the_file_holds_it(void **state)
{
    struct rig *r = *state;
    r->h.quiet = true;
    static char lines[41 * 1000 + 1];
    for (int i = 0; i < 1000; i++) {
        snprintf(lines + i * 41, 42, "%040d\n", i);
    }
    for (int i = 0; i < 40; i++) {
        append(r, "x.log", lines);
    }
    for (int i = 0; i < 20; i++) {
        r->now_ms += r->options.poll_ms;
        follow_step(r->follow, 0);
    }
    assert_true(follow_step(r->follow, 0));
    look(r);
    assert_int_equal(r->h.records, 40000);
}

static void a_restart_goes_on_where_the_log_ends(void **state)
{
    struct rig *r = *state;
    append(r, "x.log", "one\ntwo\nthr");
    look(r);
    expect(r, "f/x.log|one\nf/x.log|two\n");
    append(r, "x.log", "ee\n");
    restart(r, "x.log");
    look(r);
    expect(r, "f/x.log|three\n");
    restart(r, "x.log");
    look(r);
    expect(r, "");
    assert_int_equal(follow_figures(r->follow).missed, 0);
}

static void a_restart_finds_a_file_that_was_rotated_meanwhile(void **state)
{
    struct rig *r = *state;
    append(r, "x.log", "one\n");
    look(r);
    append(r, "x.log", "two\n");
    rename(at(r, "x.log"), at(r, "x.log.1"));
    append(r, "x.log", "new\n");
    restart(r, "x.log");
    look(r);
    expect(r, "f/x.log|one\nf/x.log|two\nf/x.log|new\n");
    r->now_ms += 5000;
    look(r);
    assert_int_equal(follow_figures(r->follow).files, 1);
    restart(r, "x.log");
    look(r);
    expect(r, "");
}

static void a_restart_finds_a_copy_of_a_truncated_file(void **state)
{
    struct rig *r = *state;
    append(r, "x.log", "one\n");
    look(r);
    append(r, "x.log.1", "one\ntwo\n");
    truncate(at(r, "x.log"), 0);
    append(r, "x.log", "new\n");
    restart(r, "x.log");
    look(r);
    expect(r, "f/x.log|one\nf/x.log|two\nf/x.log|new\n");
}

static void what_a_restart_does_not_find_is_counted(void **state)
{
    struct rig *r = *state;
    append(r, "x.log", "one\n");
    look(r);
    unlink(at(r, "x.log"));
    append(r, "x.log", "new\n");
    restart(r, "x.log");
    look(r);
    expect(r, "f/x.log|one\nf/x.log|new\n");
    assert_int_equal(follow_figures(r->follow).missed, 1);
}

static void from_the_end_only_what_comes_is_read(void **state)
{
    struct rig *r = *state;
    follow_free(r->follow);
    r->options.from_end = true;
    append(r, "x.log", "old\n");
    start(r);
    look(r);
    append(r, "x.log", "one\n");
    look(r);
    expect(r, "f/x.log|one\n");
    restart(r, "x.log");
    append(r, "x.log", "two\n");
    look(r);
    expect(r, "f/x.log|two\n");
}

static void keys_are_read_back_and_others_are_not(void **state)
{
    (void)state;
    struct follow_mark mark = {.generation = 7};
    struct follow_place place;
    struct buf key = {0};
    follow_mark_add(&mark, SLICE("abc\n"));
    follow_mark_add(&mark, SLICE("defg\n"));
    follow_mark_write(&mark, 4, &key);
    assert_int_equal(follow_mark_read(buf_slice(&key), &place), OK);
    assert_int_equal(place.generation, 7);
    assert_int_equal(place.from, 4);
    assert_int_equal(place.to, 9);
    assert_true(key.size <= FOLLOW_MARK_KEY);
    for (size_t i = 0; i < key.size; i++) {
        assert_int_equal(follow_mark_read(slice_of(key.at, i), &place), ERR_SYNTAX);
        char old = key.at[i];
        key.at[i] = 'x';
        assert_int_equal(follow_mark_read(buf_slice(&key), &place), ERR_SYNTAX);
        key.at[i] = old;
    }
    buf_fini(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(lines_come_as_they_are_written, make_glob, drop),
            cmocka_unit_test_setup_teardown(inotify_tells_sooner, make_glob, drop),
            cmocka_unit_test_setup_teardown(a_renamed_file_is_read_to_its_end, make_file, drop),
            cmocka_unit_test_setup_teardown(
                    a_file_renamed_within_the_pattern_is_not_read_twice, make_glob, drop),
            cmocka_unit_test_setup_teardown(a_truncated_file_begins_again, make_file, drop),
            cmocka_unit_test_setup_teardown(
                    a_file_truncated_and_grown_past_the_place_begins_again, make_file, drop),
            cmocka_unit_test_setup_teardown(a_deleted_file_is_read_to_its_end, make_glob, drop),
            cmocka_unit_test_setup_teardown(
                    of_a_folder_all_files_but_packed_and_hidden_ones_are_read, make_folder, drop),
            cmocka_unit_test_setup_teardown(a_line_that_is_too_long_is_rejected, make_file, drop),
            cmocka_unit_test_setup_teardown(without_room_the_file_holds_it, make_file, drop),
            cmocka_unit_test_setup_teardown(a_restart_goes_on_where_the_log_ends, make_file, drop),
            cmocka_unit_test_setup_teardown(
                    a_restart_finds_a_file_that_was_rotated_meanwhile, make_file, drop),
            cmocka_unit_test_setup_teardown(
                    a_restart_finds_a_copy_of_a_truncated_file, make_file, drop),
            cmocka_unit_test_setup_teardown(
                    what_a_restart_does_not_find_is_counted, make_file, drop),
            cmocka_unit_test_setup_teardown(from_the_end_only_what_comes_is_read, make_file, drop),
            cmocka_unit_test(keys_are_read_back_and_others_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
