#include "event/taxonomy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/memory.h"

static const char small[] =
        "paths: {'*': ['*', a.*]}\n"
        "weak: {Image: [x.image, y.image]}\n"
        "route: {channel: [Channel, c], event_id: EventID}\n"
        "time: [t, '@timestamp']\n"
        "logsources:\n"
        "  - {product: windows, when: {channel: '*'}}\n"
        "  - {product: windows, category: Proc, when: [{channel: SYSMON, event_id: 1},\n"
        "      {channel: Security, event_id: [4688, 4689], fields: {\n"
        "        Image: NewProcessName, User: [A, B],\n"
        "        Level: {field: Label, map: {S-1: Low}}}}]}\n"
        "  - {product: linux, category: proc, when: {event_id: 59}}\n"
        "  - {product: windows, service: sysmon, when: {channel: Micro*}}\n"
        "  - {category: antivirus, when: {event_id: 1116}}\n"
        "  - {service: apache, when: {event_id: 2}}\n";

/* Six are listed; proc and sysmon without product; the one that always holds. */
enum { SMALL_ENTRIES = 9 };

static struct taxonomy *with(const char *text)
{
    struct taxonomy *t = NULL;
    struct diag diag = {0};
    assert_int_equal(taxonomy_new(&t), OK);
    enum err e = taxonomy_add(t, SLICE("a.yml"), slice_text(text), &diag);
    if (e != OK) {
        print_error("%u:%u: %s\n", diag.line, diag.column, diag.words);
    }
    assert_int_equal(e, OK);
    return t;
}

static struct slice part(const char *text)
{
    return text ? slice_text(text) : (struct slice){0};
}

static size_t resolve(const struct taxonomy *t, const char *const parts[3],
        const struct taxonomy_entry *out[TAXONOMY_TERMS])
{
    const struct logsource l = {
            .product = part(parts[0]), .category = part(parts[1]), .service = part(parts[2])};
    return taxonomy_resolve(t, &l, out);
}

static void test_patterns_and_routes_are_as_written(void **state)
{
    (void)state;
    struct taxonomy *t = with(small);
    size_t count;
    const struct path_pattern *p = taxonomy_patterns(t, &count);
    static const struct {
        const char *pattern, *name;
        bool weak;
    } rows[] = {
            {"*", "*", false},
            {"a.*", "*", false},
            {"x.image", "Image", true},
            {"y.image", "Image", true},
            {"Channel", "\001channel", true},
            {"c", "\001channel", true},
            {"EventID", "\001event_id", true},
            {"t", "\001time", true},
            {"@timestamp", "\001time", true},
    };
    assert_int_equal(count, sizeof rows / sizeof *rows);
    for (size_t i = 0; i < count; i++) {
        assert_true(slice_equal(p[i].pattern, slice_text(rows[i].pattern)));
        assert_true(slice_equal(p[i].name, slice_text(rows[i].name)));
        assert_int_equal(p[i].weak, rows[i].weak);
    }
    taxonomy_routes(t, &count);
    assert_int_equal(count, 2);
    assert_true(slice_equal(taxonomy_route_field(t, 0), SLICE("\001channel")));
    assert_true(slice_equal(taxonomy_route_field(t, 1), SLICE("\001event_id")));
    assert_true(slice_equal(taxonomy_time_field(), SLICE("\001time")));
    taxonomy_free(t);
}

static void test_an_entry_holds_what_its_map_says(void **state)
{
    (void)state;
    struct taxonomy *t = with(small);
    const struct taxonomy_entry *out[TAXONOMY_TERMS];
    assert_int_equal(resolve(t, (const char *[]){"WINDOWS", "proc", NULL}, out), 1);
    assert_int_equal(out[0]->count, 2);
    assert_int_equal(out[0]->line, 7);
    const struct taxonomy_case *c = out[0]->any_of;
    assert_int_equal(c[0].count, 2);
    assert_int_equal(c[0].alias_count, 0);
    assert_int_equal(c[0].all_of[0].route, 0);
    assert_int_equal(c[0].all_of[0].any_of[0].match, ROUTE_EQUAL);
    assert_true(slice_equal(c[0].all_of[0].any_of[0].text, SLICE("sysmon")));
    assert_true(slice_equal(c[0].all_of[1].any_of[0].text, SLICE("1")));
    assert_int_equal(c[1].all_of[1].count, 2);
    assert_true(slice_equal(c[1].all_of[1].any_of[1].text, SLICE("4689")));
    assert_int_equal(c[1].alias_count, 3);
    assert_true(slice_equal(c[1].aliases[0].name, SLICE("Image")));
    assert_true(slice_equal(c[1].aliases[0].from[0], SLICE("NewProcessName")));
    assert_int_equal(c[1].aliases[1].from_count, 2);
    assert_int_equal(c[1].aliases[2].map_count, 1);
    assert_true(slice_equal(c[1].aliases[2].map[0], SLICE("s-1")));
    assert_true(slice_equal(c[1].aliases[2].map[1], SLICE("Low")));
    assert_int_equal(resolve(t, (const char *[]){"windows", NULL, NULL}, out), 1);
    assert_int_equal(out[0]->any_of[0].all_of[0].any_of[0].match, ROUTE_PRESENT);
    assert_int_equal(resolve(t, (const char *[]){"windows", NULL, "sysmon"}, out), 1);
    assert_int_equal(out[0]->any_of[0].all_of[0].any_of[0].match, ROUTE_PREFIX);
    assert_true(slice_equal(out[0]->any_of[0].all_of[0].any_of[0].text, SLICE("micro")));
    taxonomy_free(t);
}

static void test_each_part_of_a_logsource_must_be_known(void **state)
{
    (void)state;
    struct taxonomy *t = with(small);
    static const struct {
        const char *parts[3]; /* product, category, service */
        size_t terms;
        size_t alternatives; /* of the first */
    } rows[] = {
            {{"windows", NULL, NULL}, 1, 1},
            {{"windows", "proc", NULL}, 1, 2},
            {{"windows", "proc", "sysmon"}, 2, 2},
            {{NULL, "proc", NULL}, 1, 3}, /* windows and linux */
            {{NULL, "proc", "sysmon"}, 2, 3},
            {{NULL, NULL, "sysmon"}, 1, 1},
            {{"windows", "antivirus", NULL}, 2, 1}, /* and windows itself */
            {{NULL, "antivirus", NULL}, 1, 1},
            {{NULL, NULL, "apache"}, 1, 1},
            {{NULL, NULL, NULL}, 1, 1},
            {{"linux", NULL, NULL}, 0, 0},
            {{"linux", "antivirus", NULL}, 0, 0},
            {{"linux", "proc", "sysmon"}, 0, 0},
            {{"windows", "proc", "sshd"}, 0, 0},
            {{"windows", "proc", ""}, 0, 0},
            {{"macos", "proc", NULL}, 0, 0},
            {{NULL, "other", NULL}, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct taxonomy_entry *out[TAXONOMY_TERMS] = {0};
        size_t n = resolve(t, rows[i].parts, out), all;
        const struct taxonomy_entry *first = taxonomy_entries(t, &all);
        for (size_t k = 0; k < n; k++) {
            assert_true(out[k] >= first && out[k] < first + all);
        }
        if (n != rows[i].terms || (n && out[0]->count != rows[i].alternatives)) {
            fail_msg("row %zu: %zu terms, %zu alternatives", i, n, n ? out[0]->count : 0);
        }
    }
    const struct taxonomy_entry *out[TAXONOMY_TERMS];
    resolve(t, (const char *[]){NULL, NULL, NULL}, out);
    assert_int_equal(out[0]->any_of[0].count, 0);
    taxonomy_free(t);
}

static void test_a_later_file_replaces_or_extends(void **state)
{
    (void)state;
    struct taxonomy *t = with(small);
    const char *more =
            "route: {channel: Log}\n"
            "logsources:\n"
            "  - {product: windows, service: sysmon, when: {channel: Other}}\n"
            "  - {product: windows, category: proc, extend: true, when: {channel: Third}}\n"
            "  - {product: macos, category: proc, extend: true, when: {channel: Mac}}\n";
    assert_int_equal(taxonomy_add(t, SLICE("b.yml"), slice_text(more), NULL), OK);
    const struct taxonomy_entry *out[TAXONOMY_TERMS];
    assert_int_equal(resolve(t, (const char *[]){"windows", NULL, "sysmon"}, out), 1);
    assert_int_equal(out[0]->count, 1);
    assert_true(slice_equal(out[0]->file, SLICE("b.yml")));
    assert_true(slice_equal(out[0]->any_of[0].all_of[0].any_of[0].text, SLICE("other")));
    assert_int_equal(resolve(t, (const char *[]){"windows", "proc", NULL}, out), 1);
    assert_int_equal(out[0]->count, 3);
    assert_true(slice_equal(out[0]->any_of[2].all_of[0].any_of[0].text, SLICE("third")));
    assert_int_equal(resolve(t, (const char *[]){NULL, "proc", NULL}, out), 1);
    assert_int_equal(out[0]->count, 5);
    size_t count;
    taxonomy_routes(t, &count);
    assert_int_equal(count, 2);
    taxonomy_free(t);
}

static const struct {
    const char *text;
    unsigned line, column;
    const char *words;
} wrong[] = {
        {"path: {}\n", 1, 1, "not 'path'"},
        {"- a\n", 1, 1, "expected a map"},
        {"paths: [a]\n", 1, 8, "expected a map"},
        {"paths: {Image: 'a.*'}\n", 1, 16, "'a.*'"},
        {"paths:\n  '*': a.b\n", 2, 8, "'a.b'"},
        {"paths:\n  '*': a.*.b\n", 2, 8, "last place"},
        {"paths: {Image: {a: b}}\n", 1, 16, "expected a pattern"},
        {"paths: {Image: null}\n", 1, 16, "expected a pattern"},
        {"route: {fields: a}\n", 1, 9, "'fields'"},
        {"route: {time: a}\n", 1, 9, "'time'"},
        {"logsources: {}\n", 1, 13, "expected a list"},
        {"logsources:\n  - {product: a}\n", 2, 5, "'when'"},
        {"route: {c: x}\nlogsources:\n  - {when: {c: 1}}\n", 3, 5, "product, category or"},
        {"logsources:\n  - {product: a, when: {chanel: 1}}\n", 2, 25, "'chanel'"},
        {"route: {c: x}\nlogsources:\n  - {product: a, when: {c: []}}\n", 3, 28, "a value"},
        {"route: {c: x}\nlogsources:\n  - {product: a, when: {c: a*b}}\n", 3, 28, "'a*b'"},
        {"route: {c: x}\nlogsources:\n  - {product: a, when: []}\n", 3, 24, "alternatives"},
        {"logsources:\n  - {product: a, when: {fields: {a: b}}}\n", 2, 24, "told apart"},
        {"route: {c: x}\nlogsources:\n  - {product: a, when: {c: 1, fields: {F: {map: {}}}}}\n", 3,
                43, "'field'"},
        {"route: {c: x}\nlogsources:\n  - {product: a, when: {c: 1}}\n"
         "  - {product: A, when: {c: 2}}\n",
                4, 0, "line 3"},
        {"route: {c: x}\nlogsources:\n  - {product: a, extend: 1, when: {c: 1}}\n", 3, 18,
                "'extend'"},
        {"route: {c: x}\nlogsources:\n  - {product: windows, service: sysmon, when: {c: 1}}\n"
         "  - {product: a, when: {c: 1}}\n  - {product: A, when: {c: 2}}\n",
                5, 0, "line 4"},
        {"a: [\n", 0, 0, "bad.yml"},
        {"", 0, 0, "one document"},
        {"paths: {}\n---\npaths: {}\n", 0, 0, "one document"},
};

static void test_what_is_wrong_is_named_with_its_place(void **state)
{
    (void)state;
    struct taxonomy *t = with(small);
    unsigned char before[32], after[32];
    taxonomy_hash(t, before);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct diag diag = {0};
        enum err e = taxonomy_add(t, SLICE("bad.yml"), slice_text(wrong[i].text), &diag);
        if (e != ERR_SYNTAX || (wrong[i].line && diag.line != wrong[i].line) ||
                (wrong[i].column && diag.column != wrong[i].column) ||
                !strstr(diag.words, wrong[i].words) || !strstr(diag.words, "bad.yml")) {
            fail_msg("row %zu: %s, %u:%u: %s", i, err_name(e), diag.line, diag.column, diag.words);
        }
    }
    /* Nothing of them stayed. */
    size_t count;
    taxonomy_patterns(t, &count);
    assert_int_equal(count, 9);
    taxonomy_routes(t, &count);
    assert_int_equal(count, 2);
    const struct taxonomy_entry *entries = taxonomy_entries(t, &count);
    assert_int_equal(count, SMALL_ENTRIES);
    for (size_t i = 0; i + 1 < count; i++) {
        assert_true(slice_equal(entries[i].file, SLICE("a.yml")));
    }
    taxonomy_hash(t, after);
    assert_memory_equal(before, after, 32);
    taxonomy_free(t);
}

static void test_the_hash_tells_files_apart(void **state)
{
    (void)state;
    unsigned char hash[4][32];
    const char *const files[4][2] = {{"paths: {}\n", NULL}, {"paths: {} \n", NULL},
            {"paths: {}\n", "weak: {}\n"}, {"weak: {}\n", "paths: {}\n"}};
    for (int i = 0; i < 4; i++) {
        struct taxonomy *t = with(files[i][0]);
        if (files[i][1]) {
            assert_int_equal(taxonomy_add(t, SLICE("b.yml"), slice_text(files[i][1]), NULL), OK);
        }
        taxonomy_hash(t, hash[i]);
        for (int j = 0; j < i; j++) {
            assert_memory_not_equal(hash[i], hash[j], 32);
        }
        taxonomy_free(t);
    }
}

static void test_the_hash_tells_names_of_files_apart(void **state)
{
    (void)state;
    unsigned char hash[2][32];
    for (int i = 0; i < 2; i++) {
        struct taxonomy *t = NULL;
        assert_int_equal(taxonomy_new(&t), OK);
        struct slice name = i ? SLICE("b.yml") : SLICE("a.yml");
        assert_int_equal(taxonomy_add(t, name, SLICE("weak: {}\n"), NULL), OK);
        taxonomy_hash(t, hash[i]);
        taxonomy_free(t);
    }
    assert_memory_not_equal(hash[0], hash[1], 32);
}

static void add_routes(struct buf *text, int from, int count)
{
    buf_clear(text);
    buf_add(text, SLICE("route:\n"));
    for (int i = 0; i < count; i++) {
        buf_format(text, "  r%d: p%d\n", from + i, from + i);
    }
    assert_false(text->failed);
}

static void test_limits_hold_at_n_and_break_at_n_plus_1(void **state)
{
    (void)state;
    struct taxonomy *t = NULL;
    assert_int_equal(taxonomy_new(&t), OK);
    struct buf text = {0};
    add_routes(&text, 0, TAXONOMY_ROUTES);
    assert_int_equal(taxonomy_add(t, SLICE("a"), buf_slice(&text), NULL), OK);
    add_routes(&text, TAXONOMY_ROUTES, 1);
    struct diag diag = {0};
    assert_int_equal(taxonomy_add(t, SLICE("b"), buf_slice(&text), &diag), ERR_LIMIT);
    assert_non_null(strstr(diag.words, "TAXONOMY_ROUTES"));
    buf_clear(&text);
    buf_add(&text, SLICE("logsources:\n"));
    for (int i = 0; i < TAXONOMY_ENTRIES; i++) {
        buf_format(&text, "  - {service: s%d, when: {r1: 1}}\n", i);
    }
    assert_int_equal(taxonomy_add(t, SLICE("c"), buf_slice(&text), NULL), OK);
    const char *one = "logsources:\n  - {service: more, when: {r1: 1}}\n";
    assert_int_equal(taxonomy_add(t, SLICE("d"), slice_text(one), &diag), ERR_LIMIT);
    assert_non_null(strstr(diag.words, "TAXONOMY_ENTRIES"));
    buf_clear(&text);
    while (text.size < TAXONOMY_FILE_BYTES) {
        buf_byte(&text, text.size % 80 ? ' ' : '\n');
    }
    memcpy(text.at, "time: a\n#", 9);
    assert_int_equal(taxonomy_add(t, SLICE("e"), buf_slice(&text), NULL), OK);
    buf_byte(&text, '\n');
    assert_int_equal(taxonomy_add(t, SLICE("f"), buf_slice(&text), NULL), ERR_LIMIT);
    buf_fini(&text);
    taxonomy_free(t);
}

static void test_failing_memory_changes_nothing(void **state)
{
    (void)state;
    struct taxonomy *t = NULL;
    assert_int_equal(taxonomy_new(&t), OK);
    enum err e = ERR_MEMORY;
    int failures = 0;
    for (uint64_t n = 1; e != OK && n < 10000; n++) {
        size_t count;
        memory_fail_after(n);
        e = taxonomy_add(t, SLICE("a.yml"), slice_text(small), NULL);
        memory_fail_after(0);
        taxonomy_entries(t, &count);
        assert_int_equal(count, e == OK ? SMALL_ENTRIES : 1);
        failures += e != OK;
    }
    assert_int_equal(e, OK);
    assert_true(failures >= 4);
    taxonomy_free(t);
}

static void test_the_built_in_files_load_and_map_windows(void **state)
{
    (void)state;
    struct taxonomy *t = NULL;
    struct diag diag = {0};
    assert_int_equal(taxonomy_new(&t), OK);
    enum err e = taxonomy_add_builtin(t, &diag);
    if (e != OK) {
        fail_msg("%u:%u: %s", diag.line, diag.column, diag.words);
    }
    const struct taxonomy_entry *out[TAXONOMY_TERMS];
    assert_int_equal(resolve(t, (const char *[]){"windows", "process_creation", NULL}, out), 1);
    assert_true(out[0]->count >= 2);
    assert_int_equal(resolve(t, (const char *[]){"windows", NULL, "security"}, out), 1);
    struct fields *fields = field_table_new();
    assert_non_null(fields);
    uint32_t id;
    assert_int_equal(field_intern(fields, SLICE("CommandLine"), &id), OK);
    size_t count;
    const struct path_pattern *patterns = taxonomy_patterns(t, &count);
    struct paths *paths = NULL;
    assert_int_equal(paths_build(fields, patterns, count, &paths), OK);
    assert_non_null(paths_find(paths, PATHS_ROOT, SLICE("CommandLine")));
    paths_free(paths);
    field_table_free(fields);
    taxonomy_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_patterns_and_routes_are_as_written),
            cmocka_unit_test(test_an_entry_holds_what_its_map_says),
            cmocka_unit_test(test_each_part_of_a_logsource_must_be_known),
            cmocka_unit_test(test_a_later_file_replaces_or_extends),
            cmocka_unit_test(test_what_is_wrong_is_named_with_its_place),
            cmocka_unit_test(test_the_hash_tells_files_apart),
            cmocka_unit_test(test_the_hash_tells_names_of_files_apart),
            cmocka_unit_test(test_limits_hold_at_n_and_break_at_n_plus_1),
            cmocka_unit_test(test_failing_memory_changes_nothing),
            cmocka_unit_test(test_the_built_in_files_load_and_map_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
