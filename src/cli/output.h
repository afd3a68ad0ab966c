/* output: how findings are written: a table of formats, one file a row.
 *
 *     const struct output_format *format = output_find("json");
 *     struct output *o; TRY(output_new(format, &setting, &o));
 *     output_begin(o, &out);                  // a header, where the format has one
 *     format->finding(o, &finding, &out);     // any thread
 *
 * An output is immutable once made, and shared by all workers. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "correlate/machine.h"
#include "detect/judge.h"
#include "event/event.h"
#include "sigma/ruleset.h"
#include "source/inputs.h"

struct backtest;

struct output_setting {
    const struct ruleset *set;
    struct slice name;         /* of the set, where it has one, for JSON; borrowed */
    struct backtest *backtest; /* of backtest_format; else NULL */
    unsigned columns;          /* of the terminal; 0: not a terminal, nothing is cut */
    bool colours;
};

/* What a finding is made of; borrowed from the worker. */
struct output_finding {
    struct judge *judge;
    const struct hit *hit;
    const struct event *event;
    struct slice time; /* RFC 3339, or empty */
    struct slice host;
    struct slice user; /* empty unless a report is made */
    struct slice file;
    struct slice file_json; /* the same as the inside of a JSON string */
    uint64_t record;
    /* Of a record of the log: the members of "source", in place of the file and the record. */
    struct slice place_json;
    /* Where in `out` the JSON of this event stands already, from its finding before; size 0:
     * nowhere yet. The format sets it. */
    size_t event_at;
    size_t event_size;
};

/* What a finding of a correlation is made of. */
struct output_correlation {
    const struct machine_finding *finding;
    const struct inputs *inputs; /* its events name files by their number here */
    /* In place of that: writes the members of an event's "source"; and gives what stands for its
     * file and record. */
    void (*place)(void *context, const struct match_id *event, struct buf *out);
    struct slice (*source)(void *context, const struct match_id *event, uint64_t *record);
    void *context;
    struct slice members; /* further JSON members of the finding, or empty */
};

struct output;

struct output_format {
    const char *name;
    /* NULL: nothing is written before the findings, or for them. */
    void (*begin)(const struct output *o, struct buf *out);
    void (*finding)(const struct output *o, struct output_finding *finding, struct buf *out);
    void (*correlation)(
            const struct output *o, const struct output_correlation *shown, struct buf *out);
    /* Makes o->rule_text: what is the same in all findings of a rule. May be NULL. */
    void (*rule)(const struct output *o, const struct rule *rule, struct buf *out);
};

struct output {
    const struct output_format *format;
    struct output_setting setting;
    struct slice *rule_text; /* by rule number */
    struct buf texts;        /* private */
};

/* NULL: there is none of that name. */
const struct output_format *output_find(const char *name);
/* "table, json, csv or summary", for messages. */
extern const char output_names[];
enum err output_new(const struct output_format *format, const struct output_setting *setting,
        struct output **out) MUST_CHECK;
void output_free(struct output *o);
