#include "event/paths.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/memory.h"

#define S(text)                                                                                    \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }
#define P(text, field, is_weak)                                                                    \
    {                                                                                              \
        .pattern = S(text), .name = S(field), .weak = (is_weak)                                    \
    }

static const struct path_pattern shapes[] = {
        P("*", "*", false),
        P("Event.EventData.*", "*", false),
        P("Event.UserData.?.*", "*", false),
        P("Event.System.Channel", "Channel", true),
        P("Event.System.Channel", "\001channel", false),
        P("Channel", "\001channel", false),
        P("Event.System.Computer", "Computer", true),
        P("winlog.event_data.*", "*", false),
        P("winlog.user_data.*", "*", false),
        P("winlog.user_data.?.*", "*", false),
        P("Event.System.Provider.#attributes.Name", "Provider_Name", true),
};

struct world {
    struct fields *fields;
    struct paths *paths;
};

static struct world world_new(const char *const *names, const struct path_pattern *p, size_t count)
{
    struct world w = {.fields = field_table_new()};
    assert_non_null(w.fields);
    for (; *names; names++) {
        uint32_t id;
        assert_int_equal(field_intern(w.fields, slice_text(*names), &id), OK);
    }
    assert_int_equal(paths_build(w.fields, p, count, &w.paths), OK);
    return w;
}

static void world_free(struct world *w)
{
    paths_free(w->paths);
    field_table_free(w->fields);
}

/* Walks keys divided by '/'; NULL when one leads nowhere. */
static const struct path_edge *walk(const struct world *w, const char *keys)
{
    struct slice rest = slice_text(keys);
    uint32_t node = PATHS_ROOT;
    const struct path_edge *e = NULL;
    for (bool more = true; more;) {
        more = slice_find_byte(rest, '/') < rest.size;
        struct slice key = slice_cut(&rest, '/');
        e = node == PATHS_NONE ? NULL : paths_find(w->paths, node, key);
        if (!e) {
            return NULL;
        }
        node = e->child;
    }
    return e;
}

/* The names of the fields at the end of the keys, "name" or "name~" if weak, joined by blanks. */
static const char *names_at(const struct world *w, const char *keys)
{
    static char text[400];
    const struct path_edge *e = walk(w, keys);
    size_t n = 0;
    text[0] = 0;
    for (int i = 0; e && i < PATHS_TARGETS && e->field[i] != FIELD_NONE; i++) {
        struct slice name = field_name(w->fields, e->field[i]);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%.*s%s", i ? " " : "", SLICE_ARG(name),
                e->weak[i] ? "~" : "");
    }
    return text;
}

static const char *const usual[] = {
        "CommandLine", "Channel", "a.b", "a.b.c", "Provider_Name", "winlog.event_data.Image", NULL};

static void test_a_field_is_found_in_each_shape(void **state)
{
    (void)state;
    struct world w = world_new(usual, shapes, sizeof shapes / sizeof *shapes);
    static const char *const rows[][2] = {
            {"CommandLine", "CommandLine"},
            {"Event/EventData/CommandLine", "CommandLine"},
            {"Event.EventData/CommandLine", "CommandLine"},
            {"Event/EventData.CommandLine", "CommandLine"},
            {"Event.EventData.CommandLine", "CommandLine"},
            {"Event/EventData/CommandLine/#text", "CommandLine"},
            {"winlog/event_data/Image", "winlog.event_data.Image"},
            {"a/b", "a.b"},
            {"a.b", "a.b"},
            {"a/b/c", "a.b.c"},
            {"a.b/c", "a.b.c"},
            {"a/b.c", "a.b.c"},
            {"a.b.c", "a.b.c"},
            {"Event/EventData/a/b.c", "a.b.c"},
            {"Event/System/Channel", "Channel~ \001channel"},
            {"Channel", "Channel \001channel"},
            {"Event/System/Provider/#attributes/Name", "Provider_Name~"},
            {"Event/UserData/LogFileCleared/CommandLine", "CommandLine"},
            {"Event/UserData/LogFileCleared/a/b", "a.b"},
            {"Event/UserData/x.y/CommandLine", "CommandLine"},
            {"winlog/user_data/CommandLine", "CommandLine"},
            {"winlog/user_data/CommandLine/#text", "CommandLine"},
            {"winlog/user_data/CommandLine/Channel", "Channel"},
            {"winlog/user_data/a/b", "a.b"},
            {"winlog/user_data/a/CommandLine", "CommandLine"},
            {"winlog/user_data/a/Channel/#text", "Channel"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(names_at(&w, rows[i][0]), rows[i][1]);
    }
    world_free(&w);
}

static void test_other_keys_lead_nowhere(void **state)
{
    (void)state;
    struct world w = world_new(usual, shapes, sizeof shapes / sizeof *shapes);
    static const char *const rows[] = {
            "commandline",
            "Event/CommandLine",
            "Event/EventData/Other",
            "Event/EventData/CommandLine/other",
            "Event/UserData/CommandLine",
            "Event/UserData/X/Y/CommandLine",
            "Event.UserData.X.CommandLine",
            "Event/System/Computer", /* named by no rule */
            "\001channel",
            "Event/EventData/\001channel",
            "",
            "*",
            "a",
            "winlog/user_data/a.b/CommandLine/b",
            "Event.UserData.\002.CommandLine",
            "Event/UserData.\002.CommandLine",
            "Event/UserData/\002.CommandLine",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(names_at(&w, rows[i]), "");
    }
    assert_int_equal(field_find(w.fields, SLICE("Computer")), FIELD_NONE);
    world_free(&w);
}

static void test_the_earlier_weak_pattern_has_the_lower_rank(void **state)
{
    (void)state;
    static const struct path_pattern p[] = {P("first", "X", true), P("second", "X", true),
            P("w.*", "*", true), P("third", "X", true), P("other", "Y", true),
            P("strong", "X", false)};
    const char *const names[] = {"X", "Y", NULL};
    struct world w = world_new(names, p, sizeof p / sizeof *p);
    static const struct {
        const char *keys;
        int rank;
    } rows[] = {{"first", 1}, {"second", 2}, {"w/X", 3}, {"w/Y", 3}, {"third", 4}, {"other", 4},
            {"strong", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct path_edge *e = walk(&w, rows[i].keys);
        assert_non_null(e);
        assert_int_equal(e->weak[0], rows[i].rank);
    }
    world_free(&w);
}

static enum err build_one(const char *const *names, const struct path_pattern *p, size_t count)
{
    struct fields *fields = field_table_new();
    assert_non_null(fields);
    for (; *names; names++) {
        uint32_t id;
        assert_int_equal(field_intern(fields, slice_text(*names), &id), OK);
    }
    struct paths *paths = NULL;
    enum err e = paths_build(fields, p, count, &paths);
    assert_true((e == OK) == (paths != NULL));
    paths_free(paths);
    field_table_free(fields);
    return e;
}

static void test_limits_hold_at_n_and_break_at_n_plus_1(void **state)
{
    (void)state;
    const char *const five[] = {"A", "B", "C", "D", "E", NULL};
    static const struct path_pattern p[] = {P("x", "A", false), P("x", "B", false),
            P("x", "C", false), P("x", "D", false), P("x", "E", false)};
    assert_int_equal(build_one(five, p, PATHS_TARGETS), OK);
    assert_int_equal(build_one(five, p, PATHS_TARGETS + 1), ERR_LIMIT);

    struct path_pattern weak[256];
    char keys[256][16];
    for (int i = 0; i < 256; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        weak[i] = (struct path_pattern){slice_text(keys[i]), SLICE("A"), true};
    }
    assert_int_equal(build_one(five, weak, 255), OK);
    assert_int_equal(build_one(five, weak, 256), ERR_LIMIT);
}

static void test_only_the_first_dots_divide(void **state)
{
    (void)state;
    static const struct path_pattern p[] = {P("*", "*", false)};
    const char *const names[] = {"1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16",
            "a.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17", NULL};
    struct world w = world_new(names, p, 1);
    assert_string_equal(names_at(&w, "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16"), names[0]);
    assert_string_equal(names_at(&w, "a/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16.17"), names[1]);
    assert_string_equal(names_at(&w, "a/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"), "");
    world_free(&w);
}

static void test_two_any_keys_over_one_path_are_refused(void **state)
{
    (void)state;
    static const struct path_pattern p[] = {
            P("a.?.c.*", "*", false), P("?.b.c.*", "*", false), P("a.b.c.*", "*", false)};
    const char *const names[] = {"X", NULL};
    assert_int_equal(build_one(names, p, 3), ERR_UNSUPPORTED);
    assert_int_equal(build_one(names, p, 1), OK);
}

static void test_an_any_key_below_another_is_found(void **state)
{
    (void)state;
    static const struct path_pattern p[] = {
            P("a.?.?.X", "X", false), P("a.b.c", "Y", false), P("a.b.?.Z", "Z", false)};
    const char *const names[] = {"X", "Y", "Z", NULL};
    struct world w = world_new(names, p, 3);
    assert_string_equal(names_at(&w, "a/q/r/X"), "X");
    assert_string_equal(names_at(&w, "a/b/r/X"), "X");
    assert_string_equal(names_at(&w, "a/b/c/X"), "X");
    assert_string_equal(names_at(&w, "a/b/c/Z"), "Z");
    assert_string_equal(names_at(&w, "a/b/c"), "Y");
    assert_string_equal(names_at(&w, "a/q/c"), "");
    world_free(&w);
}

static void test_failing_memory_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    struct fields *fields = field_table_new();
    uint32_t id;
    assert_int_equal(field_intern(fields, SLICE("X"), &id), OK);
    struct paths *paths = NULL;
    enum err e = ERR_MEMORY;
    int failures = 0;
    for (uint64_t n = 1; e != OK && n < 1000; n++) {
        memory_fail_after(n);
        e = paths_build(fields, shapes, sizeof shapes / sizeof *shapes, &paths);
        memory_fail_after(0);
        failures += e == ERR_MEMORY;
        assert_true(e == OK || e == ERR_MEMORY);
    }
    assert_int_equal(e, OK);
    assert_true(failures > 8);
    paths_free(paths);
    field_table_free(fields);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_a_field_is_found_in_each_shape),
            cmocka_unit_test(test_other_keys_lead_nowhere),
            cmocka_unit_test(test_the_earlier_weak_pattern_has_the_lower_rank),
            cmocka_unit_test(test_limits_hold_at_n_and_break_at_n_plus_1),
            cmocka_unit_test(test_only_the_first_dots_divide),
            cmocka_unit_test(test_two_any_keys_over_one_path_are_refused),
            cmocka_unit_test(test_an_any_key_below_another_is_found),
            cmocka_unit_test(test_failing_memory_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
