#include "sigma/modifier_run.h"

#include <string.h>

enum err modifier_run_fail(struct modifier_run *run, enum err e, const char *words)
{
    if (!run->step) {
        return maker_fail(run->maker, run->value, e, "%s", words);
    }
    return maker_fail(
            run->maker, run->value, e, "modifier '%.*s': %s", SLICE_ARG(run->step->name), words);
}

enum err modifier_run_put(struct modifier_run *run, const struct term *term, struct term **out)
{
    struct modifier_terms *terms = run->out;
    if (terms->count == MODIFIER_TERMS) {
        return maker_fail(run->maker, run->value, ERR_LIMIT,
                "value expands to more than the limit of %d", (int)MODIFIER_TERMS);
    }
    if (terms->count == terms->room) {
        uint32_t room = terms->room ? terms->room * 4 : 8;
        struct term *items = ARENA_ARRAY(&run->maker->scratch, struct term, room);
        if (!items) {
            return maker_no_memory(run->maker);
        }
        if (terms->count) {
            memcpy(items, terms->items, terms->count * sizeof *items);
        }
        terms->items = items;
        terms->room = room;
    }
    terms->items[terms->count] = *term;
    *out = &terms->items[terms->count++];
    return OK;
}

enum err modifier_run_text(struct modifier_run *run, size_t size, char **out)
{
    if (size > MODIFIER_VALUE) {
        return maker_fail(run->maker, run->value, ERR_LIMIT,
                "value longer than the limit of %d bytes", (int)MODIFIER_VALUE);
    }
    if (size > MODIFIER_BYTES - run->out->bytes) {
        return maker_fail(run->maker, run->value, ERR_LIMIT,
                "value expands to more than the limit of %d bytes", (int)MODIFIER_BYTES);
    }
    char *text = arena_alloc(&run->maker->scratch, size + 1, 1);
    if (!text) {
        return maker_no_memory(run->maker);
    }
    run->out->bytes += size;
    *out = text;
    return OK;
}
