/* pieces: a stream through a decoder that gets it piece by piece, written down.
 *
 *     struct pieces p;
 *     TRY(pieces_init(&p, &zeek_decoder, names, count));    // names: the fields that rules name
 *     pieces_read(&p, stream, 7, &out);                     // pieces of 7 bytes
 *     pieces_fini(&p);
 *
 * A line for each record: its ordinal, the values that rules see (name=text in the order of
 * `names`), and the record as JSON; for a rejected one its ordinal, "!" and why. Whatever the
 * pieces, it must say the same. Checks on the way that ordinals agree with the cuts, that nothing
 * is left over, and that what walk() shows holds the values that rules see. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "event/decoder.h"
#include "event/event.h"
#include "event/field.h"
#include "event/paths.h"

struct pieces {
    const struct decoder *decoder;
    struct decode_limits limits;
    struct fields *fields;
    struct paths *paths;
    struct event event;
    struct reader *reader;
    const char *const *names;
    size_t count;
    size_t wider; /* windows after a piece that gave nothing */
    bool quiet;   /* values only, no JSON */
};

enum err pieces_init(struct pieces *p, const struct decoder *decoder, const char *const *names,
        size_t count) MUST_CHECK;
void pieces_fini(struct pieces *p);
/* Asserts what it checks. */
void pieces_read(struct pieces *p, struct slice stream, size_t piece, struct buf *out);
/* The same as pieces of each size up to the stream's own; asserts that all agree. */
void pieces_read_all(struct pieces *p, struct slice stream, struct buf *out);
/* For a fuzz target of its own program: data as a stream, as one piece and in pieces as long as its
 * first byte says. Records over record_bytes are too long. */
void pieces_fuzz(const struct decoder *decoder, const char *const *names, size_t count,
        size_t record_bytes, struct slice data);
