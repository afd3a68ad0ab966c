/* visible: hostile text made fit for a terminal.
 *
 *     visible_add(&out, value, 40);      // at most 40 columns, the last an ellipsis when cut
 *
 * Control bytes (C0, DEL, C1), bytes that are not UTF-8 and characters that hide or turn text
 * around (bidirectional controls, zero width, line and paragraph separators) are written as
 * \xHH or \u{HHHH}, so that log content can neither steer the terminal nor fake a line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

#define VISIBLE_ANY SIZE_MAX

/* Adds at most `columns` columns; returns how many were used. */
size_t visible_add(struct buf *out, struct slice text, size_t columns);
/* Adds whole lines, each made visible; CR before LF is dropped. */
void visible_lines(struct buf *out, struct slice text);
/* The columns that the text would take. */
size_t visible_width(struct slice text);

/* One character as it is shown. */
struct visible_glyph {
    char text[16];
    size_t size;
    size_t columns;
    size_t taken; /* bytes of the input */
    bool spelled; /* as \xHH or \u{HHHH} */
};
/* The first character of a text that is not empty. `marks`, 0 at first: combining characters in a
 * row so far; many are no script but a way to smear a screen. */
struct visible_glyph visible_next(struct slice text, unsigned *marks);
