/* near: rules that an event misses in exactly one condition.
 *
 *     TRY(judge_event(judge, &event, &hits, &count, diag));
 *     TRY(near_event(&bench, judge, &event, take, context));     // take() for each such rule
 *     near_fini(&bench);
 *
 * A rule is near where one part of its condition, a test or alternatives of which any would do,
 * keeps it from holding, and where some test that it asks for holds: that an event is of the
 * logsource alone says nothing. A filter that holds is such a part too. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "detect/judge.h"

struct near {
    const struct rule *rule;
    uint32_t held;  /* conditions beside it that are as the rule asks */
    bool excluded;  /* the part holds, and must not */
    uint32_t field; /* of the event, which the part looks at; FIELD_NONE: several, or keywords */
    struct slice label; /* the search identifier of the part, or empty */
    /* For near_part and near_value. */
    struct judge *judge;
    const struct node *part;
};

typedef enum err near_take(void *context, const struct near *near);

struct near_bench {
    uint8_t *make, *spoil; /* by step: what it takes to have it true, or false; 2: more than one */
    uint32_t room;
    uint64_t undetermined; /* rules that a limit stopped */
};

/* After judge_event of the same event, with nothing judged between. What take() returns but OK ends
 * it. */
enum err near_event(struct near_bench *bench, struct judge *judge, const struct event *event,
        near_take *take, void *context) MUST_CHECK;
void near_fini(struct near_bench *bench);
/* The part in words: "CommandLine contains ' -enc '". */
void near_part(const struct near *near, struct buf *out);
/* The name of its field; empty where it has none of its own. */
struct slice near_field(const struct near *near);
/* The values of its field, with commas between; nothing where it has none. */
void near_value(const struct near *near, const struct event *event, struct buf *out);
