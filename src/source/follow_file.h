/* follow_file: one followed file: what is new in it, as lines into the intake.
 *
 *     TRY(follow_file_new(path, &file));                     // opened
 *     switch (follow_file_read(file, desk)) ...
 *     follow_file_finish(file, desk)                         // it will not grow any more
 *     follow_file_free(file);
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "source/follow_mark.h"
#include "source/headed.h"
#include "source/intake.h"

enum follow_file_state {
    FOLLOW_FILE_IDLE, /* nothing new */
    FOLLOW_FILE_MORE, /* there is, but others have their turn */
    FOLLOW_FILE_HELD, /* the intake has no room */
};

struct follow_file {
    struct buf path; /* where it is, with a NUL */
    struct buf name; /* where it was found: its records' source, with a NUL */
    dev_t device;
    ino_t inode;
    int fd;
    struct follow_mark mark; /* what was handed over */
    uint64_t size;           /* when it was last read */
    uint64_t scanned;        /* bytes behind the mark without a line feed */
    struct buf rest;         /* the first of them, in case that the file is truncated */
    struct headed headed;    /* where its records need lines before them, at the mark */
    bool looked;             /* that is known */
    bool seen;               /* at the last look its path led to it */
    bool rotated;            /* it did not, or another one's did */
    bool beside;             /* rotated, and later ones of its name were looked for */
    int64_t quiet_ms;        /* since when it has not grown */
};

/* What the files share. */
struct follow_desk {
    struct intake *intake;
    const struct intake_input *input;
    struct buf bytes;  /* read at a time */
    struct buf source; /* of the file at hand */
    struct buf key;
    struct buf header;          /* in force for the batch */
    struct headed saved, start; /* of the file at hand: before the record, before the batch */
    const struct decoder *(*find)(const struct intake_input *input, struct slice head);
    struct intake_batch batch;
    int64_t now_ms;
    uint64_t truncated;
};

/* Follows links; ERR_IO: cannot be opened, ERR_UNSUPPORTED: no regular file. */
enum err follow_file_new(const char *path, struct follow_file **out) MUST_CHECK;
void follow_file_free(struct follow_file *file);
enum follow_file_state follow_file_read(struct follow_file *file, struct follow_desk *desk);
/* The last line needs no line feed. false: no room. */
bool follow_file_finish(struct follow_file *file, struct follow_desk *desk) MUST_CHECK;
