/* test_file: the tests that stand beside a rule: rule.test.yml beside rule.yml (doc/rules.md).
 *
 *     struct test_file file;
 *     TRY(test_file_read("rules/a.test.yml", &file, diag));
 *     file.cases[i].match, file.cases[i].bytes
 *     test_file_fini(&file); */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "event/decoder.h"

enum { TEST_FILE_CASES = 10000, TEST_FILE_BYTES = 16 << 20, TEST_FILE_RULES = 64 };

enum test_match {
    TEST_MATCH_ALL,     /* each record has a finding */
    TEST_MATCH_COUNT,   /* so many findings */
    TEST_MATCH_RECORDS, /* findings at just these records */
};

struct test_case {
    struct slice name;
    uint32_t line;
    struct slice rule; /* id or title; empty: any rule of the file */
    enum test_match match;
    uint64_t count;
    const uint64_t *records; /* ascending */
    size_t record_count;
    size_t events;                 /* of `events`: how many; else 0 */
    struct slice bytes;            /* what is read; .at NULL: `file` is */
    const char *file;              /* a path */
    const struct decoder *decoder; /* NULL: recognised */
    uint16_t year;                 /* of times that name none; 0: not given */
};

struct test_file {
    struct arena arena;
    const char *path;
    const char *rule_path; /* of the file that is tested */
    /* Further files of rules that judge with it: those that a correlation or a filter names. */
    const char *rules[TEST_FILE_RULES];
    size_t rule_count;
    struct test_case *cases;
    size_t count;
};

/* `path` ends as ruleset_is_test asks for. ERR_SYNTAX with the place. Owner: the caller, by
 * test_file_fini, on success. */
enum err test_file_read(const char *path, struct test_file *out, struct diag *diag) MUST_CHECK;
void test_file_fini(struct test_file *file);
