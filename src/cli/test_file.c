#include "cli/test_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/yaml.h"
#include "cli/formats.h"
#include "cli/yaml_json.h"

#define MEMORY ((size_t)256 << 20)

struct reading {
    struct test_file *file;
    struct diag *diag;
};

static enum err wrong(struct reading *r, const struct yaml_node *node, const char *words)
{
    return diag_set(r->diag, ERR_SYNTAX, node->line, node->column, "%s", words);
}

static enum err no_memory(struct reading *r)
{
    return diag_say(r->diag, ERR_MEMORY, "no memory for the tests");
}

static bool is_text(const struct yaml_node *node)
{
    return node->kind != YAML_LIST && node->kind != YAML_MAP && node->kind != YAML_NULL;
}

/* ---- paths ----------------------------------------------------------------------------------- */

/* Relative to the folder of the test file. */
static enum err path_beside(struct reading *r, const struct yaml_node *node, const char **out)
{
    if (!is_text(node) || node->text.size == 0 || memchr(node->text.at, 0, node->text.size)) {
        return wrong(r, node, "not a path");
    }
    const char *slash = strrchr(r->file->path, '/');
    struct buf path = {0};
    if (slash && node->text.at[0] != '/') {
        buf_add(&path, slice_of(r->file->path, (size_t)(slash - r->file->path) + 1));
    }
    buf_add(&path, node->text);
    struct slice copy =
            path.failed ? (struct slice){0} : arena_copy(&r->file->arena, buf_slice(&path));
    buf_fini(&path);
    *out = copy.at;
    return copy.at ? OK : no_memory(r);
}

static enum err name_rule_file(struct reading *r)
{
    const char *path = r->file->path;
    size_t end = strlen(path);
    while (path[end - 1] != '.') { /* .yml or .yaml */
        end--;
    }
    size_t stem = end - sizeof ".test"; /* before ".test." */
    struct buf text = {0};
    buf_add(&text, slice_of(path, stem));
    buf_byte(&text, '.');
    buf_add(&text, slice_text(path + end));
    struct slice copy = arena_copy(&r->file->arena, buf_slice(&text));
    bool good = !text.failed && copy.at;
    buf_fini(&text);
    r->file->rule_path = copy.at;
    return good ? OK : no_memory(r);
}

/* ---- one case -------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static enum err read_records(
        struct reading *r, const struct yaml_node *node, struct test_case *test)
{
    uint64_t *records = ARENA_ARRAY(&r->file->arena, uint64_t, node->count);
    if (!records) {
        return no_memory(r);
    }
    for (const struct yaml_node *n = node->first; n; n = n->next) {
        if (n->kind != YAML_INT || n->integer < 1) {
            return wrong(r, n, "match: not the number of a record, from 1");
        }
        records[test->record_count++] = (uint64_t)n->integer;
    }
    qsort(records, test->record_count, sizeof *records, ascending);
    test->records = records;
    test->match = TEST_MATCH_RECORDS;
    return OK;
}

static enum err read_match(struct reading *r, const struct yaml_node *node, struct test_case *test)
{
    if (node->kind == YAML_LIST) {
        return read_records(r, node, test);
    }
    test->match = TEST_MATCH_COUNT;
    if (node->kind == YAML_INT && node->integer >= 0) {
        test->count = (uint64_t)node->integer;
        return OK;
    }
    if (node->kind == YAML_STRING && slice_equal(node->text, SLICE("all"))) {
        test->match = TEST_MATCH_ALL;
        return OK;
    }
    return node->kind == YAML_STRING && slice_equal(node->text, SLICE("none"))
                   ? OK
                   : wrong(r, node, "match: expected all, none, a number or a list of records");
}

static enum err read_events(struct reading *r, const struct yaml_node *node, struct test_case *test)
{
    struct buf text = {0};
    enum err e = OK;
    if (node->kind != YAML_LIST || node->count == 0) {
        return wrong(r, node, "events: expected a list of maps");
    }
    for (const struct yaml_node *n = node->first; n && e == OK; n = n->next) {
        e = n->kind == YAML_MAP ? yaml_json_write(n, &text, r->diag)
                                : wrong(r, n, "events: expected a map");
        buf_byte(&text, '\n');
        test->events++;
    }
    if (e == OK) {
        test->bytes = arena_copy(&r->file->arena, buf_slice(&text));
        e = text.failed || !test->bytes.at ? no_memory(r) : OK;
    }
    buf_fini(&text);
    return e;
}

static enum err read_what(struct reading *r, const struct yaml_node *node, struct test_case *test)
{
    struct slice key = node->key->text;
    if (slice_equal(key, SLICE("events"))) {
        return read_events(r, node, test);
    }
    if (slice_equal(key, SLICE("file"))) {
        return path_beside(r, node, &test->file);
    }
    if (!is_text(node)) {
        return wrong(r, node, "lines: expected a text");
    }
    test->bytes = arena_copy(&r->file->arena, node->text);
    return test->bytes.at ? OK : no_memory(r);
}

static enum err read_format(struct reading *r, const struct yaml_node *node, struct test_case *test)
{
    char name[64] = {0};
    if (is_text(node) && node->text.size < sizeof name) {
        memcpy(name, node->text.at, node->text.size);
        test->decoder = formats_find(name);
    }
    return test->decoder ? OK : wrong(r, node, "format: none that is known");
}

static enum err read_text(struct reading *r, const struct yaml_node *node, struct slice *out)
{
    if (!is_text(node)) {
        return wrong(r, node, "expected a text");
    }
    *out = arena_copy(&r->file->arena, node->text);
    return out->at ? OK : no_memory(r);
}

static enum err read_year(struct reading *r, const struct yaml_node *node, struct test_case *test)
{
    if (node->kind != YAML_INT || node->integer < 1970 || node->integer > 2200) {
        return wrong(r, node, "year: expected one from 1970 to 2200");
    }
    test->year = (uint16_t)node->integer;
    return OK;
}

/* What a key of a case is read by. */
static const struct {
    const char *key;
    enum err (*read)(struct reading *r, const struct yaml_node *node, struct test_case *test);
} keys[] = {{"match", read_match}, {"events", read_what}, {"lines", read_what}, {"file", read_what},
        {"format", read_format}, {"year", read_year}};

static enum err read_key(struct reading *r, const struct yaml_node *node, struct test_case *test)
{
    struct slice key = node->key->text;
    if (slice_equal(key, SLICE("name"))) {
        return read_text(r, node, &test->name);
    }
    if (slice_equal(key, SLICE("rule"))) {
        return read_text(r, node, &test->rule);
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (slice_equal(key, slice_text(keys[i].key))) {
            return keys[i].read(r, node, test);
        }
    }
    return wrong(
            r, node->key, "expected one of name, rule, match, events, lines, file, format, year");
}

static enum err read_case(struct reading *r, const struct yaml_node *node, struct test_case *test)
{
    *test = (struct test_case){.line = node->line};
    bool match = false;
    size_t sources = 0;
    if (node->kind != YAML_MAP) {
        return wrong(r, node, "a test is a map");
    }
    for (const struct yaml_node *n = node->first; n; n = n->next) {
        struct slice key = n->key->text;
        match = match || slice_equal(key, SLICE("match"));
        sources += slice_equal(key, SLICE("events")) || slice_equal(key, SLICE("lines")) ||
                   slice_equal(key, SLICE("file"));
        TRY(read_key(r, n, test));
    }
    if (!match) {
        return wrong(r, node, "a test without match");
    }
    return sources == 1 ? OK : wrong(r, node, "a test has one of events, lines and file");
}

/* ---- the file -------------------------------------------------------------------------------- */

static enum err read_rules(struct reading *r, const struct yaml_node *node)
{
    if (node->kind != YAML_LIST || node->count > TEST_FILE_RULES) {
        return wrong(r, node, "rules: expected a list of at most 64 paths");
    }
    for (const struct yaml_node *n = node->first; n; n = n->next) {
        TRY(path_beside(r, n, &r->file->rules[r->file->rule_count++]));
    }
    return OK;
}

static enum err read_root(struct reading *r, const struct yaml_node *root)
{
    const struct yaml_node *tests = yaml_get(root, SLICE("tests"));
    if (!tests || tests->kind != YAML_LIST || tests->count == 0) {
        return wrong(r, tests ? tests : root, "expected a list `tests`");
    }
    if (tests->count > TEST_FILE_CASES) {
        return diag_set(r->diag, ERR_LIMIT, tests->line, tests->column, "over %d tests",
                (int)TEST_FILE_CASES);
    }
    for (const struct yaml_node *n = root->first; n; n = n->next) {
        if (slice_equal(n->key->text, SLICE("rules"))) {
            TRY(read_rules(r, n));
        } else if (n != tests) {
            return wrong(r, n->key, "expected tests or rules");
        }
    }
    r->file->cases = ARENA_ARRAY(&r->file->arena, struct test_case, tests->count);
    if (!r->file->cases) {
        return no_memory(r);
    }
    for (const struct yaml_node *n = tests->first; n; n = n->next) {
        TRY(read_case(r, n, &r->file->cases[r->file->count++]));
    }
    return OK;
}

static enum err read_file(struct reading *r, struct arena *scratch, struct buf *text)
{
    const struct yaml_limits limits = YAML_LIMITS;
    struct yaml_document *documents;
    struct slice path = arena_copy(&r->file->arena, slice_text(r->file->path));
    if (!path.at) {
        return no_memory(r);
    }
    r->file->path = path.at;
    TRY(name_rule_file(r));
    TRY(files_read(path.at, TEST_FILE_BYTES, text, r->diag));
    TRY(yaml_read(scratch, buf_slice(text), &limits, &documents, r->diag));
    if (!documents || !documents->root || documents->next || documents->root->kind != YAML_MAP) {
        return diag_say(r->diag, ERR_SYNTAX, "expected one document, a map");
    }
    return read_root(r, documents->root);
}

enum err test_file_read(const char *path, struct test_file *out, struct diag *diag)
{
    struct test_file file = {.path = path};
    struct reading r = {&file, diag};
    struct arena scratch;
    struct buf text = {0};
    arena_init(&file.arena, MEMORY);
    arena_init(&scratch, MEMORY);
    enum err e = read_file(&r, &scratch, &text);
    buf_fini(&text);
    arena_fini(&scratch);
    if (e != OK) {
        arena_fini(&file.arena);
        return e;
    }
    *out = file;
    return OK;
}

void test_file_fini(struct test_file *file)
{
    arena_fini(&file->arena);
}
