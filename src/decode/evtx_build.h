/* evtx_build: a record as one tree: templates filled with their values, fragments set in.
 *
 *     if (!evtx_build_record(builder, item_at, item_end, &fault)) ...
 *     evtx_shape_visit(builder->nodes.at, builder->nodes.count, &sink);
 *
 * The tree has elements, attributes, texts and values only. An element with an array among its
 * values is repeated for each item ([MS-EVEN6] 3.1.4.7.5). All work is bounded: nodes and bytes of
 * a record, depth of fragments in fragments, nodes of a chunk. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "decode/evtx_template.h"
#include "decode/evtx_tree.h"

enum {
    EVTX_NESTING_LIMIT = 32,     /* of templates and fragments in values */
    EVTX_LOOPS_LIMIT = 4,        /* arrays in one element */
    EVTX_BYTES_LIMIT = 16 << 20, /* of the values of a record, each counted where it stands */
    EVTX_CHUNK_NODES = 1 << 20,  /* of all records of a chunk */
    EVTX_TEXTS_LIMIT = 64 << 20, /* of names and texts of a record's fragments */
};

struct evtx_builder {
    struct evtx_templates *templates; /* borrowed */
    struct evtx_values *values;       /* borrowed */
    struct slice chunk;
    struct evtx_nodes nodes; /* the record's; valid until the next evtx_build_record */
    struct evtx_nodes parsed;
    struct arena texts;
    struct evtx_names names;
    uint32_t depth; /* of elements */
    size_t bytes;
    uint32_t chunk_nodes; /* so far in this chunk */
};

void evtx_build_init(struct evtx_builder *builder, uint32_t depth);
void evtx_build_fini(struct evtx_builder *builder);
void evtx_build_chunk(struct evtx_builder *builder, struct slice chunk);
/* BinXml from `at` to `end` of the chunk. */
bool evtx_build_record(
        struct evtx_builder *builder, struct evtx_place place, struct evtx_fault *fault);
