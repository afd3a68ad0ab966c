/* serve_kafka: the process that is a member of Kafka's consumer groups, for the inputs of kind
 * `kafka`: it has the network, no files.
 *
 *     serve_kafka_run(&setting);         // in a process of its own */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "app/serve_shared.h"
#include "cli/config.h"

struct serve_kafka_setting {
    struct serve_shared *shared;
    const struct config *config;
    const volatile sig_atomic_t *stop;
};

/* Is there anything for it to do? */
bool serve_kafka_wanted(const struct config *config);
int serve_kafka_run(const struct serve_kafka_setting *setting);
