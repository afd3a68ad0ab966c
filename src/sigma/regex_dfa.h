/* regex_dfa: the automaton of a program, made as texts ask for it, in bounded memory.
 *
 *     struct regex_dfa_run run;
 *     regex_dfa_start(&run, pool, program, id);
 *     end = regex_dfa_bytes(&run, bytes);          // any number of times
 *     end = regex_dfa_symbol(&run, program->end);
 *
 * A state is a set of places in the program and what came before. Memory is shared by all programs
 * of a pool; when it is full, programs that were not used lately lose theirs, then this one's
 * states are forgotten. When that happens too often for the bytes that were read, the run goes on
 * by simulation. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "sigma/regex_program.h"
#include "sigma/regex_step.h"

struct regex_dfa;

/* Of one thread. */
struct regex_dfa_pool {
    size_t limit; /* bytes that the automata may take; 0: simulation alone */
    size_t used;
    struct regex_dfa **buckets; /* by id */
    uint32_t bucket_count;      /* a power of two */
    uint32_t count;
    uint32_t hand; /* bucket at which eviction goes on */
    struct regex_step step;
    uint64_t work_limit;
};

enum regex_dfa_end {
    REGEX_DFA_ON, /* nothing decided yet */
    REGEX_DFA_MATCH,
    REGEX_DFA_DEAD,  /* no match can follow */
    REGEX_DFA_LIMIT, /* too much work, or no memory */
};

struct regex_dfa_run {
    struct regex_dfa_pool *pool;
    const struct regex_program *program;
    struct regex_dfa *dfa; /* NULL: simulation */
    uint32_t state;
    uint8_t context; /* simulation */
    uint64_t work_end;
};

void regex_dfa_fini(struct regex_dfa_pool *pool);
/* ERR_MEMORY. */
enum err regex_dfa_start(struct regex_dfa_run *run, struct regex_dfa_pool *pool,
        const struct regex_program *program, uint64_t id) MUST_CHECK;
enum regex_dfa_end regex_dfa_bytes(struct regex_dfa_run *run, struct slice bytes);
enum regex_dfa_end regex_dfa_symbol(struct regex_dfa_run *run, unsigned symbol);
