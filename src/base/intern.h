/* intern: numbers for texts: the same text always gets the same number, 0, 1, 2...
 *
 *     struct intern names;
 *     intern_init(&names, 65000);
 *     TRY(intern_put(&names, SLICE("CommandLine"), &id, NULL));
 *     intern_text(&names, id)                     // borrowed until intern_fini
 *
 * The bytes are copied. Not shared between threads while it grows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

#define INTERN_NONE UINT32_MAX

struct intern {
    struct arena arena;
    struct slice *texts; /* by number */
    uint32_t *slots;     /* open addressing, power of two; number plus 1, 0: free */
    uint32_t mask;       /* slots minus 1; 0: none yet */
    uint32_t count;
    uint32_t room;
    uint32_t limit; /* most texts */
};

/* limit: at most 2^30. */
void intern_init(struct intern *in, uint32_t limit);
void intern_fini(struct intern *in);
/* The text's number, a new one when it was not there (*fresh, if asked for, says which). ERR_LIMIT
 * when the table is full, ERR_MEMORY. */
enum err intern_put(struct intern *in, struct slice text, uint32_t *id, bool *fresh) MUST_CHECK;
/* INTERN_NONE when it is not there. */
uint32_t intern_find(const struct intern *in, struct slice text);
/* Requires id < in->count. Never NULL, not even for the empty text. */
struct slice intern_text(const struct intern *in, uint32_t id);
