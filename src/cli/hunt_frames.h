/* hunt_frames: the rows of a hunt, as a sealed process sends them to the one that started it.
 *
 *     hunt_frames_row(&out, cells, count);                       // each row
 *     hunt_frames_end(&out, &end);                               // once, when all has been read
 *
 *     while ((e = hunt_frames_next(&bytes, &frame, diag)) == OK)   // ERR_END: more bytes are
 * wanted if (frame.row) ... hunt_frames_cell(&frame.cells, &cell) ... else frame.end
 *
 * Values are cut at HUNT_FRAMES_VALUE bytes and cells at HUNT_FRAMES_VALUES of them; a cell says
 * so. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "hunt/query_run.h"

enum { HUNT_FRAMES_VALUE = 4096, HUNT_FRAMES_VALUES = 64, HUNT_FRAMES_MOST = 128 << 20 };

struct hunt_frames_end {
    struct query_run_counts counts;
    uint64_t events; /* read, of one pass */
};

struct hunt_frames_value {
    bool number;
    struct slice text; /* as row_write writes it, cut */
};

struct hunt_frames_cell {
    struct hunt_frames_value values[HUNT_FRAMES_VALUES];
    uint32_t count;
    bool cut; /* values, or some of one */
};

struct hunt_frame {
    bool row;
    struct slice cells; /* of a row; borrows the bytes */
    struct hunt_frames_end end;
};

void hunt_frames_row(struct buf *out, const struct row_cell *cells, uint32_t count);
void hunt_frames_end(struct buf *out, const struct hunt_frames_end *end);
/* Cuts a frame off the front of *bytes. ERR_END: it is not there whole. ERR_SYNTAX: no frame. */
enum err hunt_frames_next(
        struct slice *bytes, struct hunt_frame *out, struct diag *diag) MUST_CHECK;
/* Cuts a cell off the front of *cells. ERR_SYNTAX. */
enum err hunt_frames_cell(
        struct slice *cells, struct hunt_frames_cell *out, struct diag *diag) MUST_CHECK;
