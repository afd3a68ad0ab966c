/* replay: the words of `merlon replay`. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/output.h"
#include "cli/verb.h"
#include "cli/words.h"

/* A place in the log: an offset, or the first record received at that time or later. */
struct replay_place {
    bool timed;
    uint64_t offset;
    int64_t ns;
};

struct backtest;

struct replay_request {
    const char *config; /* -c; NULL: the defaults */
    const char *data;   /* --data; NULL: the configuration's */
    struct words rules; /* -r; none: those that the log names */
    struct replay_place from, to;
    /* Of a hunt, with rules of its own. */
    struct words taxonomies;            /* besides the configuration's */
    const char *tenant;                 /* its findings and those of tenants below; NULL: all */
    const struct output_format *format; /* NULL: JSON */
    struct backtest *backtest;          /* what its format counts, and costs */
    unsigned columns;                   /* of the terminal; 0: stdout is none */
    struct replay_facts *facts;         /* where to put what was searched; NULL: nobody asks */
};

/* What was judged of the log. */
struct replay_facts {
    uint64_t records, findings;
    uint64_t unread;       /* in quarantine: not judged */
    uint64_t undetermined; /* a limit stopped the evaluation of a rule on an event */
    uint64_t left_out;     /* matches and groups of correlations that a limit left out */
    uint64_t late;         /* matches that came too late for their correlation */
    uint32_t damaged;      /* stretches of the log, each named on stderr */
    uint32_t rules, refused;
    int64_t first_ns, last_ns; /* of their receipt; records 0: none */
};

/* The value of the option --NAME. ERR_USAGE: it is neither. */
enum err replay_take_place(const char *value, const char *name, struct replay_place *out,
        struct diag *diag) MUST_CHECK;
extern const struct verb replay_verb;
