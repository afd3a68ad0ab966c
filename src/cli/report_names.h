/* report_names: hosts or users, each with its findings by level.
 *
 *     TRY(report_names_add(&names, SLICE("DC01"), LEVEL_HIGH));
 *     report_names_write(&names, &(struct report_names_words){...}, &out);
 *
 * REPORT_NAMES_LIMIT names are told apart; findings of further ones are counted as others'. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/intern.h"
#include "sigma/rule.h"

enum { REPORT_NAMES_LIMIT = 50000, REPORT_NAMES_TOP = 12 };

struct report_name {
    uint64_t findings;
    uint64_t by_level[LEVEL_COUNT];
};

struct report_names {
    struct intern texts;
    struct report_name *counts; /* by number in texts */
    size_t room;
    uint64_t others;  /* findings of names past the limit */
    uint64_t without; /* findings that name none */
    uint64_t most;    /* of one name */
};

void report_names_init(struct report_names *names);
void report_names_fini(struct report_names *names);
/* An empty name: a finding that names none. ERR_MEMORY. */
enum err report_names_add(
        struct report_names *names, struct slice name, enum level level) MUST_CHECK;

struct report_names_words {
    const char *title;     /* "Hosts" */
    const char *one;       /* "host" */
    const char *attribute; /* what the page's script filters by: "host" */
};
/* The names with most findings as a table. ERR_MEMORY. */
enum err report_names_write(const struct report_names *names,
        const struct report_names_words *words, struct buf *out) MUST_CHECK;
/* A bar of `width` in 100 of a row, in parts by level, as SVG. `all`: what 100 stands for. */
void report_names_bar(struct buf *out, const uint64_t *by_level, uint64_t all);
