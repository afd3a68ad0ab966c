/* channel: pieces of bytes from one process to another through shared memory, kept until the taker
 * has finished them: the listeners' to the log, the judges' to the findings.
 *
 *     TRY(channel_new(64 << 20, &channel, diag));      // before fork: both sides inherit it
 *
 *     channel_put(channel, bytes, &position)           // false: no room, come back later
 *     channel_done(channel) >= position                // what was put is finished
 *
 *     while (channel_take(channel, &copy, &position) == OK)    // into memory of its own
 *         append(copy)
 *     commit(); channel_finish(channel, position);     // gives the room back, and tells
 *
 * Any process and thread puts, one thread takes. Positions count bytes and never go back. Neither
 * side trusts the other: sizes are checked, pieces are copied before they are looked at. What was
 * put outlives the processes, as long as their parent holds it.
 *
 * Pieces may be counted as they are put, each once, whoever dies at whatever instruction:
 *
 *     channel_sums_in(channel, memory, size);          // shared memory with the counters
 *     const struct channel_sum sums[CHANNEL_SUMS] = {{&source->records, 3}, {&source->bytes, 90}};
 *     channel_put_counted(channel, bytes, sums, &position) */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

struct channel;

enum channel_refusal {
    CHANNEL_OPEN,
    CHANNEL_NO_ROOM,  /* the taker's disk is full */
    CHANNEL_BAD_DISK, /* it refuses */
};

/* `bytes`: a power of two of at least 4,096. */
enum err channel_new(size_t bytes, struct channel **out, struct diag *diag) MUST_CHECK;
void channel_free(struct channel *channel);
/* A random number that tells this channel from others, of other runs. */
uint64_t channel_id(const struct channel *channel);

/* The side that puts. `bytes` is at most half of the channel; more is never taken. */
bool channel_put(struct channel *channel, struct slice bytes, uint64_t *position) MUST_CHECK;
/* The same, and adds to counters, CHANNEL_SUMS of them, NULL: to none. Only what is put through
 * this channel may change them. */
enum { CHANNEL_SUMS = 2 };
struct channel_sum {
    _Atomic uint64_t *at; /* NULL: none */
    uint64_t add;
};
bool channel_put_counted(struct channel *channel, struct slice bytes,
        const struct channel_sum *sums, uint64_t *position) MUST_CHECK;
/* Where the counters lie: in each process that puts, before it does. What one that died had put and
 * not counted is counted now. */
void channel_sums_in(struct channel *channel, void *memory, size_t size);
/* Up to where all is finished. */
uint64_t channel_done(const struct channel *channel);
/* Behind what was put last. */
uint64_t channel_head(const struct channel *channel);
/* Why the taker cannot go on at present; who can refuse a sender should. */
enum channel_refusal channel_refusing(const struct channel *channel);
/* Readable when channel_done or channel_refusing has moved; read 8 bytes to wait anew. */
int channel_done_fd(const struct channel *channel);

/* The side that takes. Replaces the content of `copy` with the next piece; *position stands behind
 * it. ERR_END: none. ERR_SYNTAX: what stands there cannot have been put by channel_put; everything
 * up to the head was passed over. ERR_MEMORY: nothing was taken. */
enum err channel_take(struct channel *channel, struct buf *copy, uint64_t *position) MUST_CHECK;
/* The piece that was taken last is taken again by the next channel_take. */
void channel_again(struct channel *channel);
void channel_finish(struct channel *channel, uint64_t position);
void channel_refuse(struct channel *channel, enum channel_refusal why);
/* Readable when something was put; read 8 bytes to wait anew. */
int channel_data_fd(const struct channel *channel);
/* A taker that begins anew, in another process than the last: pieces up to `position` are finished,
 * all others are taken (again). */
void channel_resume(struct channel *channel, uint64_t position);
/* Tests: bytes over what stands at a position, as a putter that was taken over could. */
void channel_tamper(struct channel *channel, uint64_t position, struct slice bytes);
