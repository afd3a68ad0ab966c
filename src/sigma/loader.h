/* loader: rule files made into drafts, by several threads at once.
 *
 *     struct loader_input { path or text } -> struct draft list
 *
 * Each thread has a maker of its own and takes the next input until there is none. What comes out
 * of an input does not depend on the others, nor on the thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "sigma/draft.h"

enum {
    LOADER_THREADS = 64,
    LOADER_DOCUMENTS = 50000 /* in one file; what stands behind them is not read */
};

struct loader_input {
    const char *path;    /* read from here, unless there is a text */
    struct slice name;   /* as problems and rules name it */
    struct slice text;   /* .at NULL: read the path */
    struct slice tenant; /* .at NULL: ordinary rules; else exceptions of this tenant */
    struct draft *first; /* out: what its documents are, in order */
    uint32_t worker;     /* out: index of the maker */
};

/* Fails for want of memory alone. makers: `count` of them, ready. */
enum err loader_run(struct loader_input *inputs, uint32_t input_count, struct maker *makers,
        uint32_t count) MUST_CHECK;
