/* zeek_header: the # lines of a Zeek log, which say what the columns of its rows are.
 *
 *     #separator \x09
 *     #set_separator	,
 *     #empty_field	(empty)
 *     #unset_field	-
 *     #path	conn
 *     #fields	ts	uid	id.orig_h
 *     #types	time	string	addr
 *
 *     zeek_header_keep(&header.text, line);             // each # line
 *     TRY(zeek_header_read(&header, paths, diag));      // before the next row
 *
 * What a line does not say is as Zeek writes by default. A later line of a name replaces the
 * earlier one, and #separator all of them: logs that were joined go on. (Zeek, "ASCII Log Writer".)
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "decode/columns.h"
#include "event/paths.h"

enum { ZEEK_HEADER_MARK = 16 }; /* bytes of #separator, at most */

enum zeek_type { ZEEK_TEXT, ZEEK_NUMBER, ZEEK_BOOL };
enum { ZEEK_LIST = 4 }; /* set or vector of it: added to a type */

struct zeek_header {
    struct buf text; /* the lines in force */
    struct columns columns;
    struct slice separator; /* of columns; these borrow from `text` and `mark` */
    struct slice between;   /* elements of sets and vectors */
    struct slice empty;
    struct slice unset;
    struct slice path; /* .at NULL: not said */
    struct buf made;   /* texts of each record that do not stand in it */
    char mark[ZEEK_HEADER_MARK];
};

void zeek_header_fini(struct zeek_header *h);
/* A # line, without its end: kept if it is one of a header's. Over DECODE_HEADER_LIMIT bytes all
 * are forgotten. */
void zeek_header_keep(struct buf *text, struct slice line);
/* Reads h->text. ERR_NOT_FOUND: it names no columns; ERR_SYNTAX; ERR_LIMIT, ERR_MEMORY. */
enum err zeek_header_read(
        struct zeek_header *h, const struct paths *paths, struct diag *diag) MUST_CHECK;
/* Zeek's escapes at `at`, a backslash: \\ and \xHH. Moves *at behind it and returns the byte; -1:
 * it is none of them. */
int zeek_header_escape(const char **at, const char *end);
