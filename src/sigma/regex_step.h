/* regex_step: one step of the simulation of a whole program: from the places that are possible
 * before a symbol to those after it.
 *
 *     regex_step_begin(step, program);                    // nothing possible yet
 *     bool matched = regex_step_take(step, &context, symbol);
 *
 * A search that is not anchored may begin at every place; the step itself adds the beginning. Both
 * ways to search stand on it: the automaton remembers what it answered, the simulation does not. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sigma/regex_program.h"

/* Instructions by number. Words outside of low..high are zero. */
struct regex_set {
    uint64_t *words;
    uint32_t low, high; /* half open */
};

struct regex_step {
    const struct regex_program *program;
    struct regex_set now;  /* what is possible, looks not yet resolved */
    struct regex_set then; /* empty between steps */
    uint32_t *stack;
    uint32_t room; /* instructions that fit */
    uint64_t work; /* instructions looked at, ever */
};

void regex_step_fini(struct regex_step *step);
/* Makes room for the program and empties the set. ERR_MEMORY. */
enum err regex_step_begin(struct regex_step *step, const struct regex_program *program) MUST_CHECK;
/* Takes one symbol. true: a match ends here or before it. */
bool regex_step_take(struct regex_step *step, uint8_t *context, unsigned symbol);
void regex_step_clear(struct regex_set *set);
/* Adds an instruction that is not a split. */
void regex_step_put(struct regex_set *set, uint32_t pc);
/* What is before the first symbol. */
uint8_t regex_step_context(const struct regex_program *program);
