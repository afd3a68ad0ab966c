/* notebook: a hunt of a hunt book: a Markdown file with front matter and queries in fenced blocks.
 *
 *     ---
 *     title: Trails that were stopped
 *     hypothesis: Somebody switches logging off before the theft.
 *     attack: [T1562.008]
 *     ---
 *     ```merlon-hunt Who stopped one
 *     eventName: StopLogging | count by sourceIPAddress
 *     ```
 *
 *     struct notebook book;
 *     TRY(notebook_read(&arena, text, &book, diag));      // diag: line and column of the file
 *     for (size_t i = 0; i < book.count; i++) ... book.blocks[i].query
 *     notebook_write(text, &book, regions, &out);         // the results behind each block replaced
 *
 * Fences are those of CommonMark 0.31 (4.5) at the top level. Everything borrows the text or lives
 * in the arena. doc/hunt.md tells what the keys mean. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"

enum {
    NOTEBOOK_BYTES = 1 << 20,
    NOTEBOOK_BLOCKS = 64,
    NOTEBOOK_LIST = 64, /* members of attack, of references */
    NOTEBOOK_FRONT = 64 << 10,
};

/* What stands between these lines is the program's, the rest is the analyst's. */
#define NOTEBOOK_BEGIN "<!-- merlon-hunt results -->"
#define NOTEBOOK_END "<!-- merlon-hunt end -->"

struct notebook_block {
    struct slice name;  /* behind the fence's word, or empty */
    struct slice query; /* as it stands */
    uint32_t line;      /* of the query's first line, from 1 */
    /* Of the file: results stand in [from, to), with their markers and the last newline; where
     * there are none, from == to, just behind the fence. */
    size_t from, to;
    bool there;
};

struct notebook_list {
    struct slice at[NOTEBOOK_LIST];
    size_t count;
};

struct notebook {
    struct slice title, hypothesis, owner, outcome, status;
    struct notebook_list attack, references;
    bool crlf; /* lines end so */
    struct notebook_block blocks[NOTEBOOK_BLOCKS];
    size_t count;
};

/* ERR_NOT_FOUND: neither front matter nor a query: some other text. ERR_SYNTAX, ERR_LIMIT and
 * ERR_UNSUPPORTED have their place. `out` is untouched on failure. */
enum err notebook_read(
        struct arena *arena, struct slice text, struct notebook *out, struct diag *diag) MUST_CHECK;
/* The file again with regions[i] (whole lines ended by \n, without markers; .at NULL: as it was)
 * behind block i. Not a byte else differs. */
void notebook_write(struct slice text, const struct notebook *book, const struct slice *regions,
        struct buf *out);
/* Text of logs as Markdown that shows it, and does nothing else: no sign of Markdown or HTML, no
 * link and no control byte is left in it, so that it cannot end a cell, a line or the results. */
void notebook_escape(struct slice text, struct buf *out);
