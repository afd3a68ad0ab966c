/* parquet_thrift: structs of C read and written by a table as structs of Thrift's compact protocol,
 * in which Parquet's footer and page headers stand.
 *
 *     static const struct parquet_thrift_row rows[] = {
 *             {1, PARQUET_THRIFT_BINARY, true, offsetof(struct pair, key), "key", NULL},
 *     };
 *     static const struct parquet_thrift_table table = PARQUET_THRIFT_TABLE("KeyValue", rows,
 * pair); parquet_thrift_write(&table, &pair, &out); TRY(parquet_thrift_read(&table, &in, &pair));
 * // pair.key points into in.left
 *
 * Each struct begins with `uint32_t has`: bit i tells that row i, not a must, is there. What no row
 * names, what is out of order or of another kind is refused by name. Tables nest at most
 * PARQUET_THRIFT_DEPTH deep and no table holds itself: input cannot make the reader go deeper. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/slice.h"

enum { PARQUET_THRIFT_DEPTH = 8 };

enum parquet_thrift_kind {
    PARQUET_THRIFT_BOOL,    /* bool */
    PARQUET_THRIFT_I32,     /* int32_t */
    PARQUET_THRIFT_I64,     /* int64_t */
    PARQUET_THRIFT_BINARY,  /* struct slice */
    PARQUET_THRIFT_STRUCT,  /* the struct of row->of */
    PARQUET_THRIFT_I32S,    /* struct parquet_thrift_list of int32_t */
    PARQUET_THRIFT_BINARYS, /* of struct slice */
    PARQUET_THRIFT_STRUCTS, /* of the struct of row->of */
};

struct parquet_thrift_list {
    void *at;
    uint32_t count;
};

struct parquet_thrift_table;
struct parquet_thrift_row {
    uint8_t id; /* rows stand in the order of their ids */
    uint8_t kind;
    bool must;
    uint16_t offset;
    const char *name;
    const struct parquet_thrift_table *of;
};

struct parquet_thrift_table {
    const char *name; /* as the specification has it */
    const struct parquet_thrift_row *rows;
    uint32_t count;
    uint32_t size; /* of the C struct, bytes */
};

#define PARQUET_THRIFT_TABLE(name, rows, tag)                                                      \
    {                                                                                              \
        name, rows, sizeof rows / sizeof rows[0], sizeof(struct tag)                               \
    }

struct parquet_thrift_in {
    struct slice left;   /* what was read is cut off */
    struct arena *arena; /* of lists; NULL: lists are refused */
    struct diag *diag;
};

void parquet_thrift_write(
        const struct parquet_thrift_table *table, const void *from, struct buf *out);
/* Slices borrow from in->left. *to is zeroed first. ERR_SYNTAX, ERR_UNSUPPORTED, ERR_MEMORY. */
enum err parquet_thrift_read(const struct parquet_thrift_table *table, struct parquet_thrift_in *in,
        void *to) MUST_CHECK;
