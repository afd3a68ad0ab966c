/* intake: where all listeners hand over what they received: one lock, one channel, one count.
 *
 *     struct intake_batch batch = {.input = input, .tenant = tenant, .source = source};
 *     frame_records_add(&batch.records, line);             // for each
 *     e = intake_put(intake, &batch, &position);
 *     e == ERR_LIMIT: no room at present: hold the sender back (TCP, HTTP), or drop and count (UDP)
 *     intake_done(intake) >= position: it is on disk: acknowledge
 *
 * What is rejected goes the same way, in frames of its own (quarantine), and is acknowledged too.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/channel.h"
#include "base/err.h"
#include "event/counts.h"
#include "event/frame.h"

/* One of the configuration's `inputs`. Texts are borrowed. */
struct intake_input {
    struct slice name; /* "syslog" */
    struct slice
            kind; /* "syslog-udp", "syslog-tcp", "syslog-tls", "http", "file", "drop", "kafka" */
    struct slice tenant;  /* "sg/health"; where senders have tokens, theirs stands instead */
    struct slice format;  /* a decoder's name; empty: recognised by content */
    struct slice address; /* "127.0.0.1:5514" */
    struct slice certificate, key,
            authority;         /* PEM files; authority: senders must have one of it */
    size_t record_bytes;       /* longer records are rejected */
    int64_t silent_ns;         /* its sources are silent after; 0: as all others */
    int listener;              /* bound by the parent, before any right was given up */
    const struct slice *paths; /* what is followed: files, folders, globs; absolute */
    size_t path_count;
    bool remove; /* of a drop folder: what was taken is removed */
    /* Of Kafka, whose address has the brokers and whose paths are topics. */
    struct slice group, mechanism, user, password;
};

struct intake_batch;

struct intake {
    struct channel *channel;
    struct counts *counts;
    int64_t (*now_ns)(void); /* wall clock */
    pthread_mutex_t mutex;   /* guards the scratch */
    struct buf scratch;
    /* Set by who wants them, after intake_init. */
    size_t share; /* bytes that may wait in the channel when this one puts; 0: all of it */
    void (*noted)(void *context, const struct intake_batch *batch, uint64_t position); /* was put */
    void *context;
};

/* Records of one source. */
struct intake_batch {
    const struct intake_input *input;
    struct slice tenant; /* empty: the input's */
    struct slice source; /* "syslog/10.1.2.3" */
    struct slice key;    /* where they stand at the sender, or empty */
    struct slice format; /* a decoder's name; empty: the input's */
    struct slice header; /* lines that name the columns in force, or empty */
    struct frame_records records;
};

void intake_init(struct intake *intake, struct channel *channel, struct counts *counts,
        int64_t (*now_ns)(void));
void intake_fini(struct intake *intake);
/* Puts the records as one frame, empties the batch, counts them as received; *position is where
 * they are acknowledged. ERR_LIMIT: no room at present; the batch stays as it was. ERR_MEMORY
 * likewise. ERR_USAGE: more in one batch than a frame holds (INTAKE_BATCH keeps below that). Any
 * thread. */
enum err intake_put(
        struct intake *intake, struct intake_batch *batch, uint64_t *position) MUST_CHECK;
/* Puts bytes that are no record into quarantine, with the reason in words; over INTAKE_BATCH they
 * are cut, and the reason says so. Counts them as one received and rejected. */
enum err intake_reject(struct intake *intake, const struct intake_batch *from, struct slice bytes,
        enum counts_rejection why, const char *words) MUST_CHECK;
/* From here on the rules of this set hold: a RULES frame, between the records. */
enum err intake_rules(struct intake *intake, struct slice hash, uint64_t *position) MUST_CHECK;
/* Up to where everything is on disk. */
uint64_t intake_done(const struct intake *intake);
/* The counters of the batch's source. */
struct counts_source *intake_counts(const struct intake *intake, const struct intake_batch *batch);

/* A batch should be put when its records take up so many bytes; no record may be longer than a
 * frame's limit less that. */
enum { INTAKE_BATCH = 1 << 20, INTAKE_RECORD = FRAME_LIMIT - INTAKE_BATCH - (128 << 10) };
