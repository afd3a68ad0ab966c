/* http_batch: the records of one request on their way into the log; for http_*.c of this folder.
 *
 *     struct http_batch *b = http_batch_new(h, r);           // refused already where NULL
 *     http_batch_add(b, record);                             // for each
 *     http_batch_reject(b, line, COUNTS_SYNTAX, "no JSON");
 *     http_batch_send(b, finish);       // finish(b, HTTP_BATCH_STORED) when all is on disk
 *
 * Everything that is added stays where it is until the request ends (its body, its arena, b->text).
 * All functions here belong to http_batch.c, which guards the list of those that wait. */
#pragma once

#include <pthread.h>

#include "source/http_intake.h"

enum http_batch_outcome {
    HTTP_BATCH_STORED,
    HTTP_BATCH_BUSY,    /* nothing was put, or what b->put says */
    HTTP_BATCH_UNKNOWN, /* put, and not known to be on disk */
};

struct http_batch_item {
    struct slice bytes;
    size_t made;       /* where it stands in b->text, and 1 more; 0: bytes.at is set */
    struct slice key;  /* or empty */
    const char *wrong; /* why it goes to quarantine; NULL: it is a record */
    enum counts_rejection why;
};

struct http_batch {
    struct http_batch *next;
    struct http_intake *h;
    struct http_request *r;
    struct intake_input input; /* ours, with the format that the request names */
    struct intake_batch batch;
    struct buf source;
    struct buf text; /* of records and keys that are made */
    struct http_batch_item *items;
    size_t count, room;
    size_t rejected;    /* of them */
    size_t put;         /* items that are in the channel */
    bool failed;        /* too many items, or no memory */
    struct slice wrong; /* the whole body is rejected: why; ends with a NUL */
    enum http_refusal refusal;
    bool waits; /* in the list */
    uint64_t position;
    int64_t since_ns;
    enum http_batch_outcome outcome; /* once it has left the list */
    void (*finish)(struct http_batch *b, enum http_batch_outcome outcome);
    void *more; /* the protocol's */
    void (*end)(struct http_batch *b);
};

/* Those that wait, in the order in which they came. */
struct http_batch_list {
    pthread_mutex_t mutex; /* guards the list and putting */
    struct http_batch *first, **last;
    size_t crowded; /* of them without room: who comes later stands behind them */
};

/* NULL: the request was refused: no memory. */
struct http_batch *http_batch_new(struct http_intake *h, struct http_request *r);
void http_batch_add(struct http_batch *b, struct slice record);
/* The record is what stands in b->text from there on. */
void http_batch_add_made(struct http_batch *b, size_t from);
void http_batch_reject(
        struct http_batch *b, struct slice bytes, enum counts_rejection why, const char *wrong);
/* Forgets all items: the body goes to quarantine as one record, and `finish` refuses the request by
 * b->refusal and b->wrong when it is there. HTTP_TOO_LARGE counts as too long, others as syntax. */
void http_batch_reject_whole(struct http_batch *b, enum http_refusal refusal, struct slice words);
/* Answers by `finish`, now or later; `finish` answers the request. */
void http_batch_send(struct http_batch *b,
        void (*finish)(struct http_batch *b, enum http_batch_outcome outcome));
/* Lines without their ends, blank ones left out; each is `check`ed: NULL or why it is wrong. */
void http_batch_add_lines(
        struct http_batch *b, struct slice body, const char *(*check)(struct slice line));
/* As `check`: whether it is one JSON object. */
const char *http_batch_check_object(struct slice line);
/* All of the list: who is done is answered. */
void http_batch_turn(struct http_intake *h, bool closing);

/* What http_intake.c gives the protocols. */
struct http_intake {
    struct http_intake_options options;
    struct http_batch_list list;
    struct http_splunk *splunk;
    uint64_t boot;         /* random */
    _Atomic uint64_t made; /* _ids */
    struct http_route *routes;
    size_t route_count;
};
