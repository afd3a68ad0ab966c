/* hunt_rules: history judged by rules, with the evaluator that judges live.
 *
 *     return hunt_rules_run(&request);        // request->rules; findings on stdout; the exit code
 *
 * A backtest counts what is found, and writes a row for each rule. Files are judged as `merlon
 * detect` judges them, a centre's log as `merlon replay` does: by time of receipt, tenant by
 * tenant. */
#pragma once

#include "cli/hunt.h"

int hunt_rules_run(const struct hunt_request *request);
