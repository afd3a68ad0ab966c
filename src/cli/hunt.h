/* hunt: the words of `merlon hunt`.
 *
 *     merlon hunt 'EventID: 4625 | count by IpAddress' logs/   ->   struct hunt_request
 *     merlon hunt --rule new-rules/ logs/
 *     merlon hunt --ioc feed.txt logs/ */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/hunt_input.h"
#include "cli/hunt_rows.h"
#include "cli/output.h"
#include "cli/verb.h"

struct hunt_request {
    const char *query;  /* NULL: rules or indicators are hunted with */
    struct words rules; /* --rule; of a query none */
    struct words iocs;  /* --ioc: files of indicators; of anything else none */
    const char *config; /* of the centre whose log they judge; NULL: the defaults */
    struct hunt_input input;
    bool near;                          /* what the rules miss in one condition */
    bool backtest;                      /* how often they fire, where, and at what cost */
    enum hunt_form form;                /* of a query's rows */
    const struct output_format *format; /* of findings, by rules */
    size_t state_limit;                 /* bytes that a stage may keep */
    bool quiet;
};

extern const struct verb hunt_verb;

/* For verbs that are hunts. */
struct hunt_start {
    const struct verb *verb;
    const struct verb_app *app;
};
/* The form is a table on a terminal, JSON otherwise. */
struct hunt_request hunt_defaults(void);
/* --output and --state-limit. ERR_USAGE: diag says what is wrong with the value. */
enum err hunt_take_form(
        struct hunt_request *request, const char *value, struct diag *diag) MUST_CHECK;
enum err hunt_take_state(
        struct hunt_request *request, const char *value, struct diag *diag) MUST_CHECK;
/* Runs what was `parsed` (OK, or why not, in diag's words), and gives the request's words back. The
 * exit code. */
int hunt_start(struct hunt_request *request, const struct hunt_start *start, enum err parsed,
        const struct diag *diag);
