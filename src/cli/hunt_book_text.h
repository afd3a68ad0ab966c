/* hunt_book_text: what a hunt of a book found, as Markdown and as JSON.
 *
 *     hunt_book_text_result(&result, &region);           // what stands between the marked lines
 *     hunt_book_text_report(&result, &out);              // with its hunt, for a person
 *     hunt_book_text_json(&result, &out);                // one line
 *
 * What came from logs is escaped: it can end no cell, line, block or marked region. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "cli/hunt_frames.h"
#include "hunt/notebook.h"
#include "hunt/query.h"

enum { HUNT_BOOK_TEXT_CELL = 300 }; /* columns of a cell of a table */

struct hunt_book_result {
    const char *file;
    const struct notebook *book;
    const struct notebook_block *block;
    const struct query *query;
    struct slice inputs; /* what was searched, in words */
    int64_t run_ns;      /* when, wall clock */
    struct slice rows;   /* frames' cells, a row behind the other, of `kept` rows */
    uint64_t kept;
    bool ended; /* `end` is set: it ran to its end */
    struct hunt_frames_end end;
    struct slice notes; /* lines that it said: what was left out */
    bool complete;
};

void hunt_book_text_result(const struct hunt_book_result *result, struct buf *out);
/* The head of a file's hunts. */
void hunt_book_text_head(const char *file, const struct notebook *book, struct buf *out);
void hunt_book_text_report(const struct hunt_book_result *result, struct buf *out);
void hunt_book_text_json(const struct hunt_book_result *result, struct buf *out);
