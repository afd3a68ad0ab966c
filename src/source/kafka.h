/* kafka: topics as an input: a member of a consumer group, by librdkafka, which is loaded when it
 * is first needed and not linked.
 *
 *     TRY(kafka_load(diag));                                 // before the seal
 *     struct kafka_options options = {.intake = &intake, .input = input, ...};
 *     TRY(kafka_new(&options, &kafka, diag));                // behind it: threads
 *     while (!*stop) kafka_step(kafka, 100);
 *     kafka_close(kafka, 3000);
 *
 * The source is "NAME/TOPIC/PARTITION", the key "TOPIC/PARTITION/FROM-TO": place and records stand
 * in one frame. An offset is committed to the brokers when all below it is on disk in the log; a
 * partition that is assigned begins at the higher of what was committed and of what the log has, so
 * that a commit that was lost doubles nothing. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "source/intake.h"

struct kafka_options {
    struct intake *intake;
    const struct intake_input *input; /* address: the brokers; paths: the topics; group */
    const char *instance;             /* tells this member from others, over restarts */
    /* The offset behind what the log has of a source; false: it has nothing. */
    bool (*stored)(void *context, struct slice source, uint64_t *offset);
    void *context;
    const volatile sig_atomic_t *stop;
};

struct kafka;

/* ERR_UNSUPPORTED: the library is not installed. */
enum err kafka_load(struct diag *diag) MUST_CHECK;
enum err kafka_new(
        const struct kafka_options *options, struct kafka **out, struct diag *diag) MUST_CHECK;
/* Takes what comes within `wait_ms`, and commits what can be. */
void kafka_step(struct kafka *kafka, int wait_ms);
/* Commits what is on disk before `ms` are over, and leaves. */
void kafka_close(struct kafka *kafka, int ms);
/* What a key says; false: it is none of ours. */
bool kafka_read_key(struct slice key, uint64_t *to);
