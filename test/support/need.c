#include "support/need.h"

#include <assert.h>

#include "base/fold.h"
#include "base/memory.h"
#include "event/field.h"

static bool text_holds(const struct query_need *need, const struct value *value)
{
    struct buf text = {0};
    if (value->kind == VALUE_NULL || value->kind == VALUE_OBJECT) {
        return false;
    }
    value_text(value, &text);
    char *folded = memory_alloc(text.size * 2 + 1);
    assert(folded && !text.failed);
    struct slice have = slice_of(folded, fold_text(buf_slice(&text), folded));
    bool holds = need->kind == NEED_PRESENT  ? true
                 : need->kind == NEED_EQUAL  ? slice_equal(have, need->text)
                 : need->kind == NEED_PREFIX ? slice_starts(have, need->text)
                 : need->kind == NEED_SUFFIX ? slice_ends(have, need->text)
                                             : slice_find(have, need->text) != SIZE_MAX;
    memory_free(folded);
    buf_fini(&text);
    return holds;
}

struct search {
    const struct query_need *need;
    bool found;
};

static bool visit(void *context, struct slice path, const struct value *value)
{
    struct search *s = context;
    (void)path;
    s->found = text_holds(s->need, value);
    return !s->found;
}

static bool leaf_holds(const struct query_need *need, const struct event *event)
{
    if (need->number == FIELD_NONE) {
        struct search s = {need, false};
        assert(event->form->walk(event, visit, &s) == OK);
        return s.found;
    }
    const struct value *v = event_value(event, need->number);
    for (; v; v = event_next(event, v)) {
        if (text_holds(need, v)) {
            return true;
        }
    }
    return false;
}

/* Levels of a condition are limited (sigma/tree.h). */
static bool tree_holds(const struct query_need *need, const struct event *event)
{
    if (need->kind == NEED_NOTHING) {
        return true;
    }
    if (need->kind != NEED_AND && need->kind != NEED_OR) {
        return leaf_holds(need, event);
    }
    for (uint32_t i = 0; i < need->count; i++) {
        if (tree_holds(need->children[i], event) == (need->kind == NEED_OR)) {
            return need->kind == NEED_OR;
        }
    }
    return need->kind == NEED_AND;
}

bool need_holds(const struct query_need *need, struct event *event)
{
    event_finish(event);
    return tree_holds(need, event);
}
