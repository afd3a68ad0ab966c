/* evtx_stream: a record that has no template, straight to the fields that rules name.
 *
 *     if (!evtx_stream_run(&stream, place, event)) ... the tree
 *
 * Forwarded and converted logs hold such records: plain elements, attributes and strings. Anything
 * else (fragments, entities, text beside elements) is left to the tree (decode/evtx_build.h), as
 * is whatever is broken. */
#pragma once

#include <stdbool.h>

#include "decode/evtx_template.h"
#include "decode/evtx_tree.h"
#include "event/event.h"
#include "event/paths.h"

enum {
    EVTX_STREAM_DEPTH = 16,
    EVTX_STREAM_NAMES = 24, /* different names among the children of an element */
};

/* Where the names of Data elements lead: the same ones come again and again. */
enum { EVTX_STREAM_KEYS = 256, EVTX_STREAM_KEY_BYTES = 80 };
struct evtx_stream_key {
    const struct path_edge *edge;
    uint32_t node;                     /* that the edge leaves */
    uint16_t size;                     /* 0: free */
    char bytes[EVTX_STREAM_KEY_BYTES]; /* UTF-16LE */
};
struct evtx_stream_memo {
    uint32_t chunk;   /* of the names: where these two stand in it, as far as is known */
    uint32_t data_at; /* "Data" */
    uint32_t name_at; /* "Name" */
    struct evtx_stream_key keys[EVTX_STREAM_KEYS];
};

struct evtx_stream {
    const struct paths *paths; /* NULL: nothing is named */
    struct slice chunk;
    struct evtx_names *names;      /* borrowed */
    struct evtx_stream_memo *memo; /* borrowed; made with these paths */
    uint32_t depth;                /* of elements */
};

/* False: not covered; begin the event again and build the tree. */
bool evtx_stream_run(
        const struct evtx_stream *stream, struct evtx_place place, struct event *event);
