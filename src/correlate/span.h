/* span: stretches of time, kept few, in which a correlation's results may not be exact.
 *
 *     span_add(&list, from, to);      // from: not before that of the one before
 *     list.at[i].from_ns, .to_ns      // apart, in order, edges included */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SPAN_COUNT = 64 }; /* past it the last one grows over the gap */

struct span {
    int64_t from_ns, to_ns;
};

struct span_list {
    struct span at[SPAN_COUNT];
    uint32_t count;
};

static inline void span_add(struct span_list *list, int64_t from_ns, int64_t to_ns)
{
    struct span *last = list->count ? &list->at[list->count - 1] : NULL;
    if (last && (last->to_ns >= from_ns || list->count == SPAN_COUNT)) {
        last->to_ns = to_ns > last->to_ns ? to_ns : last->to_ns;
        last->from_ns = from_ns < last->from_ns ? from_ns : last->from_ns;
    } else {
        list->at[list->count++] = (struct span){from_ns, to_ns};
    }
}
