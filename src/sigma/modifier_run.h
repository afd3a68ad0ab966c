/* modifier_run: the state of a chain at work on one value; for modifier*.c only.
 *
 *     static enum err apply_cased(struct modifier_run *run, const struct term *term)
 *     {
 *         struct term *out;
 *         TRY(modifier_run_put(run, term, &out));
 *         out->cased = true;
 *         return OK;
 *     } */
#pragma once

#include <stdarg.h>

#include "base/arena.h"
#include "base/err.h"
#include "sigma/modifier.h"

struct modifier_run {
    struct maker *maker;
    const struct modifier_chain *chain;
    const struct yaml_node *value;
    const struct modifier *step; /* at work */
    struct modifier_terms *out;  /* what the step at work has made */
};

typedef enum err modifier_step(struct modifier_run *run, const struct term *term);

struct modifier {
    struct slice name;
    unsigned takes;      /* bits 1 << enum term_kind */
    modifier_step *step; /* NULL: says something of the chain, nothing of a value */
    int argument;        /* the step's own */
};

/* Adds a copy of `term` to what the step makes. */
enum err modifier_run_put(
        struct modifier_run *run, const struct term *term, struct term **out) MUST_CHECK;
/* Scratch bytes for a term's new text. */
enum err modifier_run_text(struct modifier_run *run, size_t size, char **out) MUST_CHECK;
enum err modifier_run_fail(struct modifier_run *run, enum err e, const char *words);
