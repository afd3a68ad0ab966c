/* follow: files as they grow, through rotation: renamed and made anew, copied and truncated,
 * removed, there only later.
 *
 *     struct follow_options options = FOLLOW_OPTIONS;
 *     options.intake = intake, options.input = input, options.patterns = SLICES, options.count = n;
 *     TRY(follow_new(&options, &follow, diag));
 *     follow_resume(follow, source, key);            // for each frame in the log that is of it
 *     while (!stop) follow_step(follow, 1000);
 *     follow_free(follow);
 *
 * A pattern is a file, a directory (the files in it) or a glob (glob(7)). Records are lines; the
 * last one without a line feed waits until it has one, or until its file was rotated. The source is
 * the input's name and the path ("files/var/log/auth.log"), the key of follow_mark.h: place and
 * records stand in one frame, so that after a restart nothing is missed and nothing doubled. The
 * file holds what the intake has no room for.
 *
 * Files that look packed (.gz, .zst, .xz, .bz2, .zip, .lz4) and hidden ones are left out. What a
 * writer wrote to a file between its copy and its truncation is lost to us as to everybody. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "event/decoder.h"
#include "source/intake.h"

enum {
    FOLLOW_FILES = 4096, /* open at a time */
    FOLLOW_WINDOW = 256 << 10,
    FOLLOW_PIECE = 8 << 10, /* of a line that is too long, its first bytes are kept */
    FOLLOW_TURN = 16,       /* windows of one file before others have their turn */
};

struct follow_options {
    struct intake *intake;
    const struct intake_input *input; /* borrowed */
    const struct slice *patterns;     /* borrowed until follow_new returns */
    size_t count;
    /* The decoder of a stream by its first bytes, if its records need lines before them (struct
     * decoder, headed), else NULL. May be NULL. */
    const struct decoder *(*find)(const struct intake_input *input, struct slice head);
    int64_t poll_ms;   /* between looks at everything; inotify tells sooner */
    int64_t rotate_ms; /* a rotated file is done when it has not grown for so long */
    bool only_poll;    /* no inotify */
    bool from_end;     /* of files that are there at the first look and not known: what comes */
    int64_t (*now_ms)(void *context); /* monotonic; NULL: the system's */
    void *context;
};
#define FOLLOW_OPTIONS                                                                             \
    {                                                                                              \
        .poll_ms = 1000, .rotate_ms = 5000                                                         \
    }

struct follow_figures {
    uint64_t files;      /* open */
    uint64_t rotated;    /* followed to their end */
    uint64_t truncated;  /* begun again */
    uint64_t unreadable; /* tries at files that cannot be opened, or are too many */
    uint64_t missed;     /* places to resume from whose file was not found any more */
};

struct follow;

enum err follow_new(
        const struct follow_options *options, struct follow **out, struct diag *diag) MUST_CHECK;
void follow_free(struct follow *follow);
/* Before the first step, in the order of the log: FRAME_SOURCE and FRAME_KEY of a frame. What is
 * not of this input is passed over. */
void follow_resume(struct follow *follow, struct slice source, struct slice key);
/* Waits until something changes, at most `wait_ms`, and reads what is new. true: there is more. */
bool follow_step(struct follow *follow, int wait_ms);
/* For who follows several, and steps each without waiting: how long it may sleep, in ms; *fd, if
 * not -1, is readable when there is something before. */
int follow_rest(const struct follow *follow, int *fd);
struct follow_figures follow_figures(const struct follow *follow);
