/* run: what `merlon detect` does, from its request to its exit code: rules, engine, inputs, seal,
 * pipeline, summary.
 *
 *     const struct verb_app app = {.detect = run_detect, .seal = run_seal, .look = run_look}; */
#pragma once

#include <stdatomic.h>

#include "cli/verb.h"

int run_detect(const struct detect_request *request);
enum err run_seal(struct inputs *inputs, struct diag *diag);
enum err run_look(struct look *look, struct diag *diag);
/* The first interrupt sets what comes back, the second ends the process; no output's reader does.
 */
const atomic_bool *run_catch_signals(void);
/* Of the terminal that stdout is; 0: it is none. */
unsigned run_columns(void);
