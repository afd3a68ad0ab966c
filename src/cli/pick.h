/* pick: one record of a file, by its ordinal, decoded.
 *
 *     struct pick pick;
 *     pick_init(&pick, paths, NULL);                       // format by content
 *     TRY(pick_record(&pick, &input, 4711, &event, diag)); // valid until pick_fini
 *     pick_fini(&pick);
 *
 * The file is read in blocks, and no further than the record. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "event/decoder.h"
#include "source/inputs.h"

struct stream;

struct pick {
    const struct paths *paths;
    const struct decoder *decoder; /* NULL: recognised */
    struct reader *reader;
    struct stream *stream;
    struct cutter cutter;
    struct buf header; /* in force where the block begins */
    char *bytes;
    size_t room;
    size_t size;
    bool ended;
    enum err read; /* what ended the reading: ERR_END, or why there is no more */
};

void pick_init(struct pick *pick, const struct paths *paths, const struct decoder *decoder);
void pick_fini(struct pick *pick);
/* ERR_NOT_FOUND: the file has fewer records; others: the record, or the file before it, cannot be
 * read. Once a pick. */
enum err pick_record(struct pick *pick, const struct input *input, uint64_t ordinal,
        struct event *event, struct diag *diag) MUST_CHECK;
