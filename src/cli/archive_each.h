/* archive_each: what the verbs share that go through the files of an archive.
 *
 *     static bool show(struct archive_each *it, const struct catalog_entry *entry);
 *     struct archive_each it = {.each = show};
 *     return archive_each_run(verb, &it, argc, argv);          // the exit code */
#pragma once

#include <stdbool.h>

#include "archive/check.h"
#include "cli/data.h"
#include "cli/verb.h"

struct archive_each {
    /* false: no more are wanted; something could not be written. */
    bool (*each)(struct archive_each *it, const struct catalog_entry *entry);
    /* Set by the run. */
    const char *data, *tenant;
    bool json, terminal;
    char archive[DATA_PATH];
    struct catalog catalog;
    struct buf out;
    bool partial; /* something was not as it should be; said */
};

/* --tenant, --data, --output; and without the last. */
extern const struct option_row archive_each_options[];
extern const struct option_row archive_each_no_output[];
int archive_each_run(const struct verb *verb, struct archive_each *it, int argc, char *const *argv);
/* Writes what stands in it->out. */
bool archive_each_flush(struct archive_each *it);
/* A line, or an object, of a file; result and wrong: NULL, or what a check has given. */
void archive_each_add(struct archive_each *it, const struct catalog_entry *entry,
        const struct check_result *result, const char *wrong);
