/* detect: the words of `merlon detect`, as a request to the pipeline.
 *
 *     merlon detect -r rules -o json logs/   ->   struct detect_request */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/load.h"
#include "cli/output.h"
#include "cli/verb.h"
#include "cli/words.h"
#include "event/decoder.h"
#include "sigma/rule.h"

enum { DETECT_JOBS = 256 };

struct backtest;
struct hunt_input;

struct detect_request {
    struct load_request load;
    struct words inputs;
    const struct hunt_input *archive; /* NULL: the inputs are read */
    struct words excluded;            /* a rule's id, title or file */
    const struct output_format *format;
    const struct decoder *decoder; /* --format; NULL: recognised by content */
    enum level level;              /* LEVEL_NONE: all */
    bool any_source;
    bool no_value_cache;
    bool quiet;
    const char *html;   /* where to put the report; NULL: none */
    bool fire_every;    /* --fire every */
    size_t state_limit; /* bytes for the state of correlations */
    size_t sort_memory; /* bytes for their events, before a temporary file is used */
    bool has_from;
    bool has_to;
    int64_t from_ns; /* inclusive */
    int64_t to_ns;   /* exclusive */
    unsigned jobs;
    struct backtest *backtest; /* what its format counts, and costs; NULL: of no other */
    uint64_t *events;          /* where to put how many were judged; NULL: nobody asks */
    struct decode_limits limits;
};

extern const struct verb detect_verb;
/* What holds where no option says otherwise. */
struct detect_request detect_defaults(void);
/* Threads for as many cores as the process may use. */
unsigned detect_cores(void);
