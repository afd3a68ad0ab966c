/* places: how far each source was read, for processes that begin anew: what the log's frames say,
 * kept in a file so that not all of the log need be read again.
 *
 *     TRY(places_open("data/files", &places, diag));     // the newest whole table that is there
 *     from = places_offset(places);                      // frames of the log from there on ...
 *     places_note(places, &place);                       // ... and what is handed over later
 *     TRY(places_save(places, log, offset, diag));       // all that is noted is on disk below it
 *
 * The log is the truth: a table may only say what is on disk in the log, else records would be lost
 * in a crash. It lies in two files, written in turn, each with a number and a sum: what a crash
 * leaves half written is passed over, and the other one holds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

enum { PLACES_SOURCES = 1 << 17, PLACES_KEPT = 8, PLACES_KEY = 300 };

/* One of a source's: the newest PLACES_KEPT by their numbers are kept, each the highest rank. */
struct places_place {
    struct slice source; /* FRAME_SOURCE */
    struct slice key;    /* FRAME_KEY, at most PLACES_KEY bytes */
    uint64_t number;     /* of a file: its generation */
    uint64_t rank;       /* how far: bytes, messages */
};

struct places;

/* Opens or makes the two files in a directory that is there; later nothing is opened. */
enum err places_open(const char *directory, struct places **out, struct diag *diag) MUST_CHECK;
void places_close(struct places *places);
/* What the table was true for: of this log ("": there was none), all below this offset. */
const char *places_log(const struct places *places);
uint64_t places_offset(const struct places *places);
/* All noted is forgotten: it was of another log. */
void places_clear(struct places *places);
/* ERR_LIMIT: too many sources that are not forgotten; ERR_MEMORY. */
enum err places_note(struct places *places, const struct places_place *place) MUST_CHECK;
/* It is done with, and saved no more. */
void places_forget(struct places *places, struct slice source);
/* Forgets those for which it says so. */
void places_sweep(struct places *places, bool (*is_gone)(const void *context, struct slice source),
        const void *context);
/* Each one, a source's by rising numbers; *at is 0 at first. false: no more. */
bool places_next(const struct places *places, uint64_t *at, struct places_place *out);
enum err places_save(
        struct places *places, const char *log, uint64_t offset, struct diag *diag) MUST_CHECK;
