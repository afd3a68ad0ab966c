/* syslog_framing: messages out of a stream of bytes (RFC 6587): "5 <13>a" counted, or each ended by
 * a line feed or NUL.
 *
 *     struct syslog_framing framing = {.record_bytes = 16 << 20};
 *     while ((what = syslog_framing_next(&framing, bytes, &step)) != SYSLOG_FRAMING_MORE) {
 *         ...                                       // step.message; what says what it is
 *         bytes = slice_from(bytes, step.used);
 *     }
 *     bytes = slice_from(bytes, step.used);         // keep the rest, come back with more behind it
 *     at the stream's end: syslog_framing_is_cut(bytes)
 *
 * Told apart message by message: digits, a blank and '<' begin a counted one (section 3.4.1); once
 * a connection has counted, digits and a blank do. Anything else goes up to its trailer (3.4.2).
 * What comes out is the same however the bytes were cut. A message is without its trailer: LF, CR
 * LF or NUL, one of which is taken off a counted message too. Empty messages are none.
 *
 * The state is a plain value: a copy made before a call takes the call back. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum {
    SYSLOG_FRAMING_RECORD = 16 << 20, /* longest message, unless said otherwise */
    SYSLOG_FRAMING_PIECE = 8 << 10,   /* of a message that is too long, its first bytes are told */
    SYSLOG_FRAMING_DIGITS = 9,        /* of a count */
};

enum syslog_framing_what {
    SYSLOG_FRAMING_MORE,     /* no whole message is left */
    SYSLOG_FRAMING_MESSAGE,  /* step.message */
    SYSLOG_FRAMING_TOO_LONG, /* step.message is its first bytes; the rest will be skipped */
};

struct syslog_framing {
    size_t record_bytes; /* 0: SYSLOG_FRAMING_RECORD */
    size_t searched;     /* bytes of the message at hand that hold no trailer */
    size_t skip;         /* bytes of a counted message that was too long */
    bool skip_line;      /* up to the trailer of a message that was too long */
    bool counted;        /* the last message was: a count needs no '<' behind it */
};

struct syslog_framing_step {
    struct slice message; /* within the bytes given */
    size_t used;          /* bytes that are done with, to be dropped from the front */
};

enum syslog_framing_what syslog_framing_next(
        struct syslog_framing *framing, struct slice bytes, struct syslog_framing_step *step);
/* The stream ends here and `rest` is what the last call left: a message has begun and is not whole.
 * (One that was too long has been told.) */
bool syslog_framing_is_cut(struct slice rest);
/* A message of its own (a datagram, a counted one) without one LF, CR LF or NUL at its end. */
struct slice syslog_framing_trim(struct slice message);
