/* serve_judge: the process that judges the log: reads what is committed, decodes, matches, and
 * hands the findings over, each with how far the log was judged. It can read the log and nothing
 * else.
 *
 *     serve_judge_run(&setting);      // in a process of its own
 *
 * One result frame for each frame of the log that gave findings; one now and then for those that
 * did not. A result is on disk together with the place up to which it holds: a judge that dies is
 * replaced by one that goes on from there, and nothing is found twice or not at all. With it stands
 * the set of rules that is in force there; a RULES frame in the log puts another in its place. */
#pragma once

#include <signal.h>
#include <stdint.h>

#include "app/serve_shared.h"

struct serve_judge_setting {
    struct serve_shared *shared;
    const char *data;
    int64_t lateness_ns, wait_ns; /* of correlations; see live.h */
    const volatile sig_atomic_t *stop;
    const uint64_t *killers; /* offsets that killed judges, and one: they are passed over */
    size_t killer_count;
};

int serve_judge_run(const struct serve_judge_setting *setting);
