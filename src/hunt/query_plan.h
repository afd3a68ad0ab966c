/* query_plan: a query as it will be run: pipes of stages, every field a slot of a row.
 *
 *     Image: 'a' | stack CommandLine by Computer | rare 20
 *         pipe: rule, columns [CommandLine, Computer, _time]
 *         STAGE_STACK fields [0] by [1] -> [CommandLine, count, Computer_count, first, last]
 *         STAGE_RARE limit 20, orders [2, 1, 0]
 *
 * A pipe's rows are open as long as they are events: any field may be asked for, and becomes a
 * slot. A stage that makes rows of its own closes them. Immutable once made, shared by runs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "detect/engine.h"
#include "hunt/query_rule.h"
#include "hunt/row.h"

enum {
    QUERY_STAGES = 32,   /* of one pipe */
    QUERY_FIELDS = 32,   /* named by one stage */
    QUERY_COLUMNS = 256, /* of one row */
    QUERY_PIPES = 5,     /* the main one, and those of its joins */
    QUERY_ROWS = 1000000 /* most that head, top, rare, first and last may be asked for */
};

enum stage_kind {
    STAGE_WHERE,
    STAGE_FIELDS,
    STAGE_COUNT,
    STAGE_STACK,
    STAGE_DISTINCT,
    STAGE_TIMECHART,
    STAGE_TOP,
    STAGE_RARE,
    STAGE_SORT,
    STAGE_FIRST,
    STAGE_LAST,
    STAGE_FIRSTSEEN,
    STAGE_BEACON,
    STAGE_HEAD,
    STAGE_SINCE,
    STAGE_UNTIL,
    STAGE_JOIN,
    STAGE_KINDS
};

enum stage_as { AS_IS, AS_NUMBER, AS_TIME, AS_TEXT };

struct stage_order {
    uint32_t slot;
    enum stage_as as;
    bool descending;
};

/* Rows judged by a rule once they are no events any more. */
struct stage_filter {
    struct ruleset *set;
    struct engine *engine;
    uint32_t *fields; /* by slot: its number in the set, or FIELD_NONE */
    uint32_t count;
};

struct stage_plan {
    enum stage_kind kind;
    size_t at;        /* offset in the query */
    uint32_t *fields; /* slots of the rows that come in */
    uint32_t field_count;
    uint32_t *by; /* the same */
    uint32_t by_count;
    uint64_t limit;  /* rows; 0: all; STAGE_BEACON: fewest moments */
    int64_t time_ns; /* STAGE_SINCE, STAGE_UNTIL, STAGE_FIRSTSEEN */
    int64_t span_ns, zone_ns;
    uint32_t time_slot; /* FIELD_NONE: rows have no _time */
    struct stage_order *orders;
    uint32_t order_count;
    uint32_t rank_count; /* of the orders, at the front: what top and rare rank by */
    struct stage_filter *filter;
    uint32_t pipe;   /* STAGE_JOIN: which gives the other rows */
    uint32_t *right; /* slots of the other rows: [0] is compared, the rest is added;
                        STAGE_FIRSTSEEN: _source and _id of the rows that come in */
    uint32_t right_count;
    uint32_t *added; /* where that goes, right_count - 1 slots */
    bool inverse;    /* join not */
    uint32_t width;  /* slots of the rows that come in */
    uint32_t out;    /* slots of the rows that go on */
    struct stage_plan *next;
};

enum column_origin { ORIGIN_FIELD, ORIGIN_TIME, ORIGIN_ID, ORIGIN_SOURCE, ORIGIN_RAW, ORIGIN_JOIN };

/* A slot of rows that are events. */
struct query_column {
    struct row_column column;
    enum column_origin origin;
    uint32_t wanted; /* of ORIGIN_FIELD: index into the rule's */
};

/* The columns that a stage sees. */
struct query_scope {
    bool open;  /* those of the pipe, and any field may be added */
    bool event; /* nothing but selections so far: another one joins the rule */
    struct row_column *columns;
    uint32_t count;
    uint32_t ranks[QUERY_FIELDS + 1]; /* what top and rare rank by */
    uint32_t rank_count;
};

struct query_pipe {
    struct query_rule rule;
    struct logsource source;
    struct query_column *columns;
    uint32_t column_count;
    struct query_scope scope;
    struct stage_plan *first, *last;
    uint32_t stage_count;
    int64_t from_ns, to_ns; /* INT64_MIN and INT64_MAX where there is no bound */
    struct ruleset *set;
    struct engine *engine;
    uint32_t time_field;
};

/* What is shared while a query is read. */
struct query_reader {
    struct query_lexer lexer;
    struct arena *arena;
    const struct taxonomy *bare; /* without any entry: for filters of rows */
    struct query_pipe *pipe;     /* the one that is being read */
    struct stage_plan *join;     /* waits for its other query; the lexer stands in its bracket */
    struct slice join_on;        /* the field of that query */
    size_t join_place;
    bool inner; /* `pipe` is a join's other query */
};
