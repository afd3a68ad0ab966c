/* sink: an HTTP intake with a log in memory behind it, for tests and for trying real senders.
 *
 *     struct sink sink;
 *     sink_open(&sink, NULL);                    // listens on sink.port, runs a thread
 *     web_ask(sink.port, "POST /api/v1/ingest", sink.token, body, &answer);
 *     sink_count(&sink, FRAME_RECORDS)           // records that were committed
 *     sink_record(&sink, FRAME_RECORDS, 0)       // their bytes
 *     sink_close(&sink);
 *
 * sink.hold: nothing is committed while it is true; sink.stuck: nothing is even taken. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include "source/http_intake.h"

struct sink_record {
    struct sink_record *next;
    enum frame_kind kind;
    struct slice bytes, tenant, source, format, key, reason;
    struct buf memory;
};

struct sink {
    struct channel *channel;
    struct counts *counts;
    struct intake intake;
    struct intake_input input;
    struct http_intake *h;
    struct http_table table;
    struct http *http;
    int port;
    char token[200]; /* a header line: a sender's of sg/health */
    char text[TOKENS_TEXT];
    struct tokens *tokens;
    pthread_t thread;
    int wake;
    atomic_bool hold, stuck, stop;
    FILE *copy;            /* records are printed there, too */
    pthread_mutex_t mutex; /* guards the records */
    struct sink_record *first, **last;
};

struct sink_options {
    int listener; /* 0: one of its own */
    size_t channel_bytes, record_bytes;
    int64_t (*steady_ns)(void);
    FILE *copy;
};

void sink_open(struct sink *sink, const struct sink_options *options);
/* After a change of hold or stuck. */
void sink_wake(struct sink *sink);
size_t sink_count(struct sink *sink, enum frame_kind kind);
/* NULL: there are not so many. */
const struct sink_record *sink_record(struct sink *sink, enum frame_kind kind, size_t i);
void sink_close(struct sink *sink);
/* A header line with a new token. */
void sink_add_token(struct tokens *tokens, struct slice tenant, enum authorize_role role,
        struct slice input, char header[200]);
