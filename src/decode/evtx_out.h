/* evtx_out: where a record's values go: a line of JSON, a visitor, or the fields that rules name.
 *
 *     evtx_out_json(&shape, &builder->nodes, out);      // {"Event":{"#attributes":{...
 *
 * All three see the same keys and values: what a rule matches on is what the JSON shows. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "decode/evtx_shape.h"
#include "event/event.h"
#include "event/paths.h"

/* Adds one object, without a newline. */
bool evtx_out_json(struct evtx_shape *shape, const struct evtx_nodes *nodes, struct buf *out);
/* `path` is scratch for the path of keys. False also when the visitor stopped. */
bool evtx_out_walk(struct evtx_shape *shape, const struct evtx_nodes *nodes, struct buf *path,
        event_visit *visit, void *context);
/* Gives the event's fields their values. */
bool evtx_out_put(struct evtx_shape *shape, const struct evtx_nodes *nodes,
        const struct paths *paths, struct event *event);
/* An object stands at an edge: present without text, giving way to any text. */
void evtx_out_put_object(struct event *event, const struct path_edge *edge);
/* A typed value that is not empty, as JSON. */
void evtx_out_value(struct buf *out, uint8_t type, struct slice bytes);
/* The text as the inside of a JSON string: UTF-16LE, lone surrogates become U+FFFD. */
void evtx_out_utf16(struct buf *out, struct slice wide);
