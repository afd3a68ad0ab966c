/* marked: the values of a finding's event, with the parts that made the rule true.
 *
 *     TRY(marked_fields(judge, event, hit, show, context));   // what "matched" names, as the rule
 *                                                             // names it
 *     TRY(marked_event(judge, event, hit, show, context));    // every value of the event
 *
 * After judge_event of the same event. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"
#include "detect/judge.h"
#include "detect/mark.h"
#include "event/event.h"

/* MARKED_TESTS: of one rule that are looked at; further ones mark nothing. MARKED_WORK: bytes of
 * values, once for each test, that are looked at in one event; values behind them have no marks. */
enum { MARKED_TESTS = 256, MARKED_WORK = 8 << 20 };

struct marked {
    struct slice name; /* the rule's field, or the value's path in the record */
    uint8_t kind;      /* enum value_kind */
    struct slice text; /* UTF-8, or what the record had for it; of null and objects empty */
    const struct mark_list *marks;
    bool keyword; /* not a value: the words of a keyword test that holds */
};

/* Everything is borrowed until it returns. Return false to stop. */
typedef bool marked_show(void *context, const struct marked *marked);

enum err marked_fields(struct judge *judge, const struct event *event, const struct hit *hit,
        marked_show *show, void *context) MUST_CHECK;
enum err marked_event(struct judge *judge, const struct event *event, const struct hit *hit,
        marked_show *show, void *context) MUST_CHECK;
