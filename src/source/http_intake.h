/* http_intake: records that come by HTTP: in, and answered when they are on disk.
 *
 *     struct http_intake_options o = {.intake = &intake, .input = &input};
 *     TRY(http_intake_new(&o, &h, diag));
 *     struct http_table table = http_intake_table(h);      // for http_start
 *     for (;;) {
 *         poll(channel_done_fd(intake.channel), 1 second);
 *         http_intake_turn(h);                              // answers whose records are on disk
 *         http_sweep(http);
 *     }
 *     http_intake_close(h); http_stop(http); http_intake_free(h);
 *
 * What each route takes, answers and means is in doc/inputs.md. A request whose records find no
 * room waits HTTP_INTAKE_ROOM_MS; then, or when the log refuses, it gets 503 with Retry-After and
 * nothing of it was stored. Where a part of it was put already, or the log is silent for
 * HTTP_INTAKE_DONE_MS, it gets 503 too: then its sender cannot know, and sends a second time. */
#pragma once

#include <stdint.h>

#include "net/http.h"
#include "source/intake.h"

enum {
    HTTP_INTAKE_BODY = 32 << 20, /* bytes, unpacked */
    HTTP_INTAKE_KEPT = 64 << 10, /* of a body that is longer, or damaged */
    HTTP_INTAKE_ITEMS = 200000,  /* of one request */
    HTTP_INTAKE_DEPTH = 100,     /* of JSON, a record's and what is around it */
    HTTP_INTAKE_ROOM_MS = 5000,
    HTTP_INTAKE_DONE_MS = 30000,
};

struct http_intake_options {
    struct intake *intake;
    const struct intake_input *input;
    bool (*is_format)(struct slice name); /* of decoders, for ?format=; NULL: json alone */
    int64_t (*steady_ns)(void);           /* NULL: the system's */
};

struct http_intake;

enum err http_intake_new(const struct http_intake_options *options, struct http_intake **out,
        struct diag *diag) MUST_CHECK;
struct http_table http_intake_table(struct http_intake *h);
/* Any thread. */
void http_intake_turn(struct http_intake *h);
/* Answers all who wait: before http_stop. */
void http_intake_close(struct http_intake *h);
void http_intake_free(struct http_intake *h);
