/* shape_parts: the inside of a shape_set, for shape*.c alone. */
#pragma once

#include "archive/shape.h"
#include "archive/shape_escape.h"
#include "base/arena.h"
#include "base/intern.h"

/* What stands before a hole or at the end: `before` bytes, a literal's hole if it has one, `after`
 * bytes. */
struct shape_piece {
    const char *at; /* before + after bytes */
    uint32_t before, after;
    bool open; /* a hole stands between them */
};

struct shape {
    const uint32_t *values;           /* columns of values, by hole */
    const uint8_t *how;               /* how each is written; enum of shape_escape.h */
    const struct shape_piece *pieces; /* one more than values */
    const uint32_t *holes;            /* columns of all holes */
    uint32_t count;                   /* of values */
    uint32_t hole_count;
    uint32_t next; /* of the same columns, plus 1; 0: none */
    size_t literal_bytes;
};

/* Shapes of the same columns of values. */
struct shape_group {
    uint64_t key;
    uint32_t first; /* shape plus 1, the one used last; 0: free */
    uint32_t count;
};

struct shape_known {
    struct slice path;
    uint32_t place;
    uint32_t first; /* the column of the path's first value */
    uint32_t again; /* the column of the next value of the path, plus 1; 0: none yet */
    uint32_t after; /* the first column of the path that came next the last time */
    uint32_t last;  /* of first ones: the latest of this record */
    uint64_t seen;  /* of first ones: the record in which it came last */
};

/* A value of the record. */
struct shape_item {
    uint32_t column;
    uint32_t from, size; /* its bytes in the record; SHAPE_NOWHERE: not found */
    uint8_t escaped;     /* they are JSON's, with escapes */
    struct slice text;
};
#define SHAPE_NOWHERE UINT32_MAX

struct shape_set {
    struct shape shapes[SHAPE_LIMIT];
    struct shape_group groups[SHAPE_LIMIT * 2];
    uint32_t seen[SHAPE_LIMIT * 4]; /* of columns that came once: a piece of their key */
    struct shape_known *columns;
    uint32_t *path_column; /* by number of a path: the column of its first value */
    struct intern paths;
    struct arena memory; /* of shapes */
    struct arena texts;  /* of the record's values */
    uint32_t count;
    uint32_t column_count;
    uint32_t *literal_columns; /* by ordinal */
    uint32_t literal_count;
    size_t literal_bytes;
    size_t piece_count;
    /* The record. */
    struct slice raw;
    uint64_t record;
    uint32_t previous; /* first column of the path before */
    struct shape_item *items;
    size_t item_count;
    uint32_t *order; /* items that stand in the record, by place: the values of holes */
    size_t order_count;
    bool cut;
    struct slice *hole_texts;
    struct shape_text *out;
    struct buf made; /* the record, joined */
    struct shape_row row;
};

/* shape_make.c: a new shape of the record's holes, where the set has room; SHAPE_NONE. */
uint32_t shape_make(struct shape_set *set, struct shape_group *group, uint64_t key);
/* Values of the record whose escapes are of no way that we know are no holes any more. Says whether
 * there were any. */
bool shape_make_literal(struct shape_set *set);
/* shape.c: literal bytes of the record before its i-th hole. */
struct slice shape_between(const struct shape_set *set, size_t i);
/* The column of the n-th literal's hole, from 0; SHAPE_NONE. */
uint32_t shape_literal_column(struct shape_set *set, uint32_t n);
