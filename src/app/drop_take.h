/* drop_take: a file of a drop folder into the intake, record by record: text and JSON in any form
 * that `merlon detect` reads, event logs by chunks, packed with gzip or zstd, in tar or zip.
 *
 *     TRY(drop_take_new(&take, diag));
 *     take->intake = intake, take->stop = &stop;              // once
 *     take->input = input, take->source = ..., take->identity = ..., take->skip = 17;
 *     e = drop_take_file(take, fd);       // ERR_END: told to stop; the rest is taken another time
 *     take->reasons.size > 0              // some of it could not be read, and why
 *     drop_take_free(take);
 *
 * A file's records have ordinals from 0, the same each time that it is read; the frames' keys are
 * "IDENTITY/FROM-TO" of these. Those below `skip` are in the log already. */
#pragma once

#include <signal.h>
#include <stdint.h>

#include "base/buf.h"
#include "event/decoder.h"
#include "source/headed.h"
#include "source/intake.h"

enum { DROP_TAKE_DECODERS = 64, DROP_TAKE_MEMBERS = 100000 };

struct drop_take {
    /* Set before use. */
    struct intake *intake;
    const volatile sig_atomic_t *stop;
    /* Set for each file; borrowed. */
    const struct intake_input *input;
    struct slice source, identity;
    uint64_t skip;
    /* What became of it. */
    uint64_t ordinal; /* records, and pieces that are none */
    struct buf reasons;
    /* Private. */
    struct fields *fields;
    struct paths *paths;
    struct event event;
    struct reader *readers[DROP_TAKE_DECODERS]; /* by place in decoders; NULL: not needed yet */
    const struct decoder *decoder;              /* of the member at hand */
    struct cutter cutter;
    struct headed headed;
    struct buf bytes; /* of the member, not yet cut */
    struct buf key, header;
    uint64_t from; /* ordinal of the batch's first */
    uint64_t packed, unpacked;
    bool ended;
    void *archive;
    struct intake_batch batch;
};

enum err drop_take_new(struct drop_take **out, struct diag *diag) MUST_CHECK;
void drop_take_free(struct drop_take *take);
enum err drop_take_file(struct drop_take *take, int fd) MUST_CHECK;
