/* evtx_shape: the shape that a record has as JSON: which keys, which values.
 *
 *     struct evtx_sink sink = {.open = ..., .close = ..., .leaf = ...};
 *     evtx_shape_visit(&shape, &builder->nodes, &sink)     // "Event" {"#attributes" {"xmlns" ...
 *
 * Elements are keys. Attributes stand under "#attributes", text beside attributes or elements under
 * "#text"; an element with nothing but text is that text, an empty one is null. Siblings of one
 * name get _1, _2 behind it. <Data Name="X"> in EventData and UserData is the key X; Data without a
 * name is {"Data":{"#text": text or list}}. Data elements of one name are one key with a list. Of
 * several elements in the place of one, all are there. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "decode/evtx_tree.h"
#include "event/value.h"

/* What visits. Each returns false to stop. Keys of what stands in an array are empty. */
struct evtx_sink {
    bool (*open)(struct evtx_sink *sink, struct slice key, bool array);
    bool (*close)(struct evtx_sink *sink);
    bool (*leaf)(struct evtx_sink *sink, struct slice key, const struct value *value);
};

struct evtx_shape_name;

struct evtx_shape {
    struct arena *texts;           /* borrowed; values' texts are made here */
    struct evtx_shape_name *names; /* owned: which names an element's children had */
    uint32_t room;
    uint32_t used;
    uint64_t serial; /* of elements, over all records */
    uint64_t record; /* the first of this record */
};

void evtx_shape_fini(struct evtx_shape *shape);
/* False: the sink stopped, or there was no memory. */
bool evtx_shape_visit(
        struct evtx_shape *shape, const struct evtx_nodes *nodes, struct evtx_sink *sink);

/* The value of a typed value that is not empty; its text is in the bytes, or made in `texts`.
 * False: no memory. */
bool evtx_shape_value(uint8_t type, struct slice bytes, struct arena *texts, struct value *value);
