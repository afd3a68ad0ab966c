/* backtest: what rules would have found, counted: an output of findings that writes none.
 *
 *     struct backtest b; backtest_init(&b, bytes);
 *     request.format = &backtest_format; request.backtest = &b;      // detect or replay, one
 * thread TRY(backtest_begin(&b, &rows, diag)); TRY(backtest_end(&b, &rows, diag));   // a row a
 * rule backtest_fini(&b);
 *
 * Exact: over its memory it fails, and says so. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "cli/hunt_rows.h"
#include "cli/output.h"
#include "detect/judge.h"

enum { BACKTEST_COLUMNS = 13, BACKTEST_HOSTS = 5 /* shown of a rule */ };

struct backtest_rule {
    struct slice title, id, level;
    int64_t findings, hosts, days;
    int64_t first_ns, last_ns; /* first > last: no finding has a time */
    struct judge_cost cost;
};

/* How often something was seen of a rule. */
struct backtest_count {
    uint64_t hash;
    uint32_t rule;
    bool day; /* else a host */
    struct slice text;
    int64_t count;
};

struct backtest {
    struct arena arena;
    struct backtest_rule *rules; /* by rule number */
    size_t rule_count, rule_room;
    struct backtest_count *counts;
    size_t count, room;
    uint32_t *slots; /* open addressing; number and one */
    uint32_t mask;
    bool full; /* something could not be kept */
    struct row_column columns[BACKTEST_COLUMNS];
};

extern const struct output_format backtest_format;

void backtest_init(struct backtest *b, size_t bytes);
void backtest_fini(struct backtest *b);
/* Of one thread that judged; by rule number. */
void backtest_add_costs(struct backtest *b, const struct judge_cost *costs);
enum err backtest_begin(struct backtest *b, struct hunt_rows *rows, struct diag *diag) MUST_CHECK;
/* The rows, rules with most findings first. ERR_LIMIT: they would not be exact. */
enum err backtest_end(struct backtest *b, struct hunt_rows *rows, struct diag *diag) MUST_CHECK;
