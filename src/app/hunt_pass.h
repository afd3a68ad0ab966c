/* hunt_pass: bytes of records, decoded and given to whoever hunts: what hunts over files and over a
 * log share. One reading of the input.
 *
 *     struct hunt_pass pass = {.paths = paths, .field_count = n, .take = take, .context = it,
 *             .limits = &limits, .stop = stop, .progress = &progress};
 *     TRY(hunt_pass_open(&pass, diag));
 *     while (!pass.done && there are bytes)
 *         TRY(hunt_pass_bytes(&pass, &bytes, diag));
 *     hunt_pass_close(&pass); */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/progress.h"
#include "event/decoder.h"
#include "hunt/query_run.h"

enum {
    HUNT_PASS_DECODERS = 64,
    HUNT_PASS_TOLD = 20, /* records that could not be read: named, each; the others are counted */
};

/* An event. ERR_END: no more are wanted. */
typedef enum err hunt_pass_take(void *context, const struct query_event *event, struct diag *diag);

struct hunt_pass {
    /* Set before. */
    const struct paths *paths; /* what decoders look for */
    uint32_t field_count;
    hunt_pass_take *take;
    void *context;
    const struct decode_limits *limits;
    const atomic_bool *stop;
    struct progress *progress;
    bool told;      /* by a pass before: problems are not said again */
    uint64_t bytes; /* read so far, for the progress: kept by the caller */
    /* Kept from pass to pass. */
    uint64_t events, rejected;
    /* Of one. */
    bool done; /* no more is wanted */
    struct event event;
    struct reader *readers[HUNT_PASS_DECODERS];
};

struct hunt_bytes {
    const struct decoder *decoder; /* NULL: none knows them */
    struct slice bytes, header;
    struct decode_place place;
    uint64_t first;      /* the number of the first record */
    uint64_t count;      /* of records, where there is no decoder */
    uint64_t from, to;   /* the numbers that are wanted, `to` not */
    struct slice source; /* as events show it */
    const char *number;  /* what it is: "record", "offset" */
};

enum err hunt_pass_open(struct hunt_pass *pass, struct diag *diag) MUST_CHECK;
enum err hunt_pass_bytes(
        struct hunt_pass *pass, const struct hunt_bytes *bytes, struct diag *diag) MUST_CHECK;
void hunt_pass_close(struct hunt_pass *pass);
/* A line on stderr, unless a pass before said it. */
void hunt_pass_say(const struct hunt_pass *pass, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
