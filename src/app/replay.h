/* replay: the log of a centre judged again, by the code that judged it live.
 *
 *     return replay_run(&request);       // findings on stdout; the exit code
 *
 * It judges from so far before the first place that windows of correlations are what they were, and
 * says nothing of that. Where no rules are named, those of the log's RULES frames are in force.
 * request.facts is filled: a hunt by rules tells how far it has searched. */
#pragma once

#include "cli/replay.h"

int replay_run(const struct replay_request *request);
