/* columns: the named columns of a table, whose rows are lines of separated values.
 *
 *     TRY(columns_add(&c, paths, SLICE("id.orig_h"), diag));       // once a header
 *     ...
 *     size_t parts = columns_split(&c, line, '\t');                // once a row
 *     if (parts != c.count) ...
 *     columns_put(sink, &c.at[i], &value);                         // value of columns_part(&c, i)
 *
 * For parsers of fields.h whose names come from the stream: a name is looked up once a header, not
 * once a value. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "decode/fields.h"

enum { COLUMNS_LIMIT = 4096 }; /* of one table */

struct column {
    struct slice name;            /* borrowed from the header */
    const struct path_edge *edge; /* NULL: no rule names it */
    uint32_t type;                /* the format's own */
};

struct columns {
    struct column *at;
    size_t count;
    size_t room;
    uint32_t *wanted; /* the columns with an edge */
    size_t wanted_count;
    size_t wanted_room;
    uint32_t *ends; /* of the parts of the line last split */
    size_t ends_room;
    struct slice line; /* last split */
    bool portable;     /* for tests: no AVX2 */
};

void columns_fini(struct columns *c);
/* No columns again; memory is kept. */
void columns_clear(struct columns *c);
/* ERR_LIMIT, ERR_MEMORY. A name that no rule could write ('\x01' first, or empty) has no edge. */
enum err columns_add(struct columns *c, const struct paths *paths, struct slice name,
        struct diag *diag) MUST_CHECK;
/* How many parts the line has; c->count + 1 for any number over c->count. Lines are under 4 GiB; 64
 * bytes behind the line can be read. */
size_t columns_split(struct columns *c, struct slice line, char separator);

static inline struct slice columns_part(const struct columns *c, size_t i)
{
    size_t from = i ? (size_t)c->ends[i - 1] + 1 : 0;
    return slice_of(c->line.at + from, c->ends[i] - from);
}

/* Text of FORM_TEXT must stand in the record, or be made with fields_remember. An object or an
 * empty list gives way to any text. */
void columns_put_object(struct fields_sink *sink, const struct column *column);
static inline void columns_put(
        struct fields_sink *sink, const struct column *column, const struct value *value)
{
    if (!sink->event) {
        fields_show(sink, column->name, value);
    } else if (column->edge) {
        event_put(sink->event, column->edge, value);
    }
}

/* Whether a text is a number after JSON's grammar (RFC 8259 section 6). */
bool columns_is_number(struct slice text);
