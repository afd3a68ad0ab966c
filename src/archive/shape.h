/* shape: a record as a skeleton and the texts that stand in it, and back, to the byte.
 *
 *     struct shape_set *set;
 *     TRY(shape_new(&set));
 *     shape_begin(set, event->raw);                        // {"User":"eve","Port":22}
 *     TRY(event->form->walk(event, shape_value, set));     // User eve, Port 22
 *     const struct shape_row *row = shape_end(set);        // shape 0; User: eve, Port: 22
 *
 *     shape_holes(set, row->shape, &count);                // the columns of {"User":"_","Port":_}
 *     TRY(shape_join(set, row->shape, texts, &out));       // the record again
 *
 * Any text format: the values that its decoder shows are found in the record, by where their bytes
 * stand or by a search behind the value before; what lies between is literal. A column is a path
 * and which of the row's values of that path it is. Records with the same columns share a shape
 * where the literals between are the same too; where they differ in more than a few ways, what
 * differs becomes a hole of a column of its own (path SHAPE_LITERAL). A row has a shape only if the
 * record that is made of it is equal to the one that it came from.
 *
 * What is bounded: see below. A record beyond that has no shape and must be kept whole. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "event/value.h"

#define SHAPE_NONE UINT32_MAX
#define SHAPE_LITERAL "_lit"

enum {
    SHAPE_LIMIT = 4096,            /* shapes of a set */
    SHAPE_HOLES = 1024,            /* holes of a shape */
    SHAPE_VALUES = 4096,           /* values of a record; those behind are left out */
    SHAPE_COLUMNS = 32768,         /* columns of a set */
    SHAPE_PATH = 1024,             /* bytes of a path */
    SHAPE_SKELETON = 64 << 10,     /* literal bytes of a shape */
    SHAPE_LITERAL_BYTES = 4 << 20, /* of a set */
    SHAPE_PIECES = 1 << 19,        /* holes and literals of all shapes of a set */
    SHAPE_ALTERNATIVES = 4,        /* shapes of the same columns before literals become holes */
    SHAPE_WIDENED = 12,            /* shapes of the same columns */
    SHAPE_TEXT = 32 << 20,         /* bytes of a value, unescaped */
};

struct shape_set;

struct shape_text {
    uint32_t column;
    struct slice text; /* UTF-8 */
};

/* Borrowed until the next shape_begin; texts from the record also end with it. */
struct shape_row {
    uint32_t shape;                 /* SHAPE_NONE: the record must be kept whole */
    const struct shape_text *texts; /* no column twice; with those of literals, if it has a shape */
    size_t count;
    bool cut; /* texts are missing or not quite the record's: a search must read the record */
};

struct shape_column {
    struct slice path;
    uint32_t place; /* 1: the row's first value of the path, 2: its second ... */
};

/* Owner: the caller, by shape_free. */
enum err shape_new(struct shape_set **out) MUST_CHECK;
void shape_free(struct shape_set *set);

/* `raw` stays until after shape_end. */
void shape_begin(struct shape_set *set, struct slice raw);
/* An event_visit; `context`: the set. */
bool shape_value(void *context, struct slice path, const struct value *value);
/* Never NULL. Memory that is refused makes a row without a shape. */
const struct shape_row *shape_end(struct shape_set *set);

uint32_t shape_count(const struct shape_set *set);
uint32_t shape_columns(const struct shape_set *set);
/* Requires column < shape_columns. */
struct shape_column shape_column(const struct shape_set *set, uint32_t column);
/* Columns by hole, in the order of the record. Requires shape < shape_count. */
const uint32_t *shape_holes(const struct shape_set *set, uint32_t shape, size_t *count);
/* Appends the record. texts: by hole. ERR_MEMORY. */
enum err shape_join(const struct shape_set *set, uint32_t shape, const struct slice *texts,
        struct buf *out) MUST_CHECK;

/* All shapes and the names of their columns, as JSON (doc/archive.md). `name` makes a column's name
 * in the file. */
typedef void shape_name(struct shape_column column, struct buf *out);
enum err shape_write(const struct shape_set *set, shape_name *name, struct buf *out) MUST_CHECK;
