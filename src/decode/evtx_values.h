/* evtx_values: where the values of a template's instance are.
 *
 *     struct evtx_placing in = {.chunk = chunk, .at = at, .end = end, .count = n, .values = room};
 *     if (!evtx_values_place(&in, &placed, &fault)) ...
 *
 * In front of the values stand their sizes and types, four bytes each. The instances of a template
 * hardly differ in types: a layout keeps those that were seen, and an instance that agrees is
 * checked and placed four values at a time. */
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "decode/evtx_bytes.h"

struct evtx_value {
    uint32_t at; /* in the chunk */
    uint16_t size;
    uint8_t type; /* enum evtx_type */
    uint8_t flags;
};

enum {
    EVTX_VALUES_SLACK = 4,    /* room behind the values, written but never read */
    EVTX_LAYOUT_VALUES = 256, /* more in an instance: no layout */
};

/* What is to be placed. The chunk has EVTX_VALUES_SLACK * 4 bytes more that can be read. */
struct evtx_placing {
    struct slice chunk;
    uint32_t at;    /* of the first size and type; count of them fit in front of `end` */
    uint32_t end;   /* of the record */
    uint32_t count; /* of values */
    struct evtx_layout *layout; /* NULL: none */
    struct evtx_value *values;  /* room for count + EVTX_VALUES_SLACK */
};

struct evtx_placed {
    uint32_t end;       /* of the values */
    uint32_t fragments; /* values that are BinXml and not empty */
    bool arrays;        /* some value is one */
    bool ansi;          /* some value is an ANSI string */
};

/* False: a value is longer than the record, has a wrong size or an unknown type. */
bool evtx_values_place(
        const struct evtx_placing *in, struct evtx_placed *out, struct evtx_fault *fault);

/* Bytes of a layout for so many values, at most EVTX_LAYOUT_VALUES; zeroed, it is valid for any
 * template after evtx_values_layout. Aligned as EVTX_LAYOUT_ALIGN. */
enum { EVTX_LAYOUT_ALIGN = 16 };
size_t evtx_values_layout_size(uint32_t count);
void evtx_values_layout(struct evtx_layout *layout, uint32_t count);
