/* report_line: findings over time, by level, as a plot for a page.
 *
 *     report_line_add(&line, time_ns, level);
 *     report_line_write(&line, &out);
 *
 * Seconds that have findings are kept, REPORT_LINE_BINS of them; where there are more, each bin
 * becomes twice as wide. What was added decides, not its order. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "sigma/rule.h"

enum { REPORT_LINE_BINS = 1 << 15, REPORT_LINE_SLOTS = 1 << 16 };

struct report_bin {
    int64_t number; /* its first second is number * width_s */
    bool used;
    uint64_t counts[LEVEL_COUNT];
};

struct report_line {
    struct report_bin *bins; /* REPORT_LINE_SLOTS, open addressing */
    uint32_t used;
    int64_t width_s;
    uint64_t findings;
};

enum err report_line_init(struct report_line *line) MUST_CHECK;
void report_line_fini(struct report_line *line);
void report_line_add(struct report_line *line, int64_t time_ns, enum level level);
/* The plot with its axis and a table of its figures; once, at the end. */
void report_line_write(struct report_line *line, struct buf *out);
