#include "decode/evtx_out.h"

#include "base/utf8.h"

enum { STACK = 4 * EVTX_DEPTH_LIMIT };

/* ---- JSON -------------------------------------------------------------------------------- */

struct json_sink {
    struct evtx_sink sink;
    struct buf *out;
    uint32_t depth;
    bool filled;          /* something stands before in the innermost object or list */
    bool list[STACK + 1]; /* by depth */
};

static void json_key(struct json_sink *json, struct slice key)
{
    if (json->filled) {
        buf_byte(json->out, ',');
    }
    json->filled = true;
    if (!json->list[json->depth]) {
        buf_byte(json->out, '"');
        buf_json(json->out, key);
        buf_add(json->out, SLICE("\":"));
    }
}

static bool json_open(struct evtx_sink *sink, struct slice key, bool list)
{
    struct json_sink *json = (struct json_sink *)sink;
    if (json->depth == STACK) {
        return false;
    }
    json_key(json, key);
    json->list[++json->depth] = list;
    json->filled = false;
    buf_byte(json->out, list ? '[' : '{');
    return true;
}

static bool json_close(struct evtx_sink *sink)
{
    struct json_sink *json = (struct json_sink *)sink;
    buf_byte(json->out, json->list[json->depth--] ? ']' : '}');
    json->filled = true;
    return true;
}

/* UTF-16 units that stand for themselves in a JSON string and are one byte of UTF-8. */
static bool plain(unsigned unit)
{
    return unit >= 0x20 && unit < 0x7f && unit != '"' && unit != '\\';
}

void evtx_out_utf16(struct buf *out, struct slice wide)
{
    size_t i = 0;
    while (i + 1 < wide.size) {
        size_t start = i;
        char *to = buf_reserve(out, (wide.size - i) / 2);
        if (!to) {
            return;
        }
        for (; i + 1 < wide.size && plain(evtx_u16(wide.at + i)); i += 2) {
            *to++ = wide.at[i];
        }
        out->size += (i - start) / 2;
        start = i;
        while (i + 1 < wide.size && !plain(evtx_u16(wide.at + i))) {
            i += 2;
        }
        char text[192];
        for (size_t at = start; at < i;) {
            size_t size = i - at < 96 ? i - at : 96;
            unsigned last = evtx_u16(wide.at + at + size - 2);
            if (size == 96 && last >= 0xD800 && last < 0xDC00) {
                size -= 2; /* a pair stays together */
            }
            buf_json(out, slice_of(text, utf8_from_utf16(slice_of(wide.at + at, size), text)));
            at += size;
        }
    }
}

static bool json_leaf(struct evtx_sink *sink, struct slice key, const struct value *value)
{
    struct json_sink *json = (struct json_sink *)sink;
    json_key(json, key);
    if (value->kind == VALUE_NULL) {
        buf_add(json->out, SLICE("null"));
        return true;
    }
    bool quoted = value->kind == VALUE_STRING;
    if (!quoted) {
        buf_add(json->out, value->text);
        return true;
    }
    buf_byte(json->out, '"');
    if (value->form == FORM_UTF16) {
        evtx_out_utf16(json->out, value->text);
    } else {
        buf_json(json->out, value->text);
    }
    buf_byte(json->out, '"');
    return true;
}

bool evtx_out_json(struct evtx_shape *shape, const struct evtx_nodes *nodes, struct buf *out)
{
    struct json_sink json;
    json.sink = (struct evtx_sink){json_open, json_close, json_leaf};
    json.out = out;
    json.depth = 0;
    json.filled = false;
    json.list[0] = false;
    buf_byte(out, '{');
    bool ok = evtx_shape_visit(shape, nodes, &json.sink);
    buf_byte(out, '}');
    return ok && !out->failed;
}

/* ---- visitor ----------------------------------------------------------------------------- */

struct walk_sink {
    struct evtx_sink sink;
    struct buf *path;
    event_visit *visit;
    void *context;
    uint32_t depth;
    bool list[STACK + 1];
    size_t sizes[STACK + 1]; /* of the path, by depth */
};

static void walk_key(struct walk_sink *walk, struct slice key)
{
    walk->path->size = walk->sizes[walk->depth];
    if (!walk->list[walk->depth]) {
        if (walk->path->size) {
            buf_byte(walk->path, '.');
        }
        buf_add(walk->path, key);
    }
}

static bool walk_open(struct evtx_sink *sink, struct slice key, bool list)
{
    struct walk_sink *walk = (struct walk_sink *)sink;
    if (walk->depth == STACK) {
        return false;
    }
    walk_key(walk, key);
    walk->depth++;
    walk->list[walk->depth] = list;
    walk->sizes[walk->depth] = walk->path->size;
    return !walk->path->failed;
}

static bool walk_close(struct evtx_sink *sink)
{
    struct walk_sink *walk = (struct walk_sink *)sink;
    walk->depth--;
    return true;
}

static bool walk_leaf(struct evtx_sink *sink, struct slice key, const struct value *value)
{
    struct walk_sink *walk = (struct walk_sink *)sink;
    walk_key(walk, key);
    return !walk->path->failed && walk->visit(walk->context, buf_slice(walk->path), value);
}

bool evtx_out_walk(struct evtx_shape *shape, const struct evtx_nodes *nodes, struct buf *path,
        event_visit *visit, void *context)
{
    struct walk_sink walk;
    walk.sink = (struct evtx_sink){walk_open, walk_close, walk_leaf};
    walk.path = path;
    walk.visit = visit;
    walk.context = context;
    walk.depth = 0;
    walk.list[0] = false;
    walk.sizes[0] = 0;
    buf_clear(path);
    return evtx_shape_visit(shape, nodes, &walk.sink);
}

/* ---- fields ------------------------------------------------------------------------------ */

struct put_sink {
    struct evtx_sink sink;
    const struct paths *paths;
    struct event *event;
    uint32_t depth;
    /* By depth: where keys are looked up, and for a list the edge that its items belong to. */
    uint32_t node[STACK + 1];
    const struct path_edge *items[STACK + 1];
    bool list[STACK + 1];
};

static const struct path_edge *put_key(const struct put_sink *put, struct slice key)
{
    if (put->list[put->depth]) {
        return put->items[put->depth];
    }
    uint32_t node = put->node[put->depth];
    return node == PATHS_NONE ? NULL : paths_find(put->paths, node, key);
}

void evtx_out_put_object(struct event *event, const struct path_edge *edge)
{
    const struct value value = {.kind = VALUE_OBJECT};
    for (int i = 0; i < PATHS_TARGETS && edge->field[i] != FIELD_NONE; i++) {
        event_put_field(event, edge->field[i], &value, UINT8_MAX);
    }
}

static bool put_open(struct evtx_sink *sink, struct slice key, bool list)
{
    struct put_sink *put = (struct put_sink *)sink;
    if (put->depth == STACK) {
        return false;
    }
    const struct path_edge *edge = put_key(put, key);
    if (edge && !list) {
        evtx_out_put_object(put->event, edge);
    }
    put->depth++;
    put->node[put->depth] = edge ? edge->child : PATHS_NONE;
    put->items[put->depth] = edge;
    put->list[put->depth] = list;
    return true;
}

static bool put_close(struct evtx_sink *sink)
{
    struct put_sink *put = (struct put_sink *)sink;
    put->depth--;
    return true;
}

static bool put_leaf(struct evtx_sink *sink, struct slice key, const struct value *value)
{
    struct put_sink *put = (struct put_sink *)sink;
    const struct path_edge *edge = put_key(put, key);
    if (edge) {
        event_put(put->event, edge, value);
    }
    return true;
}

bool evtx_out_put(struct evtx_shape *shape, const struct evtx_nodes *nodes,
        const struct paths *paths, struct event *event)
{
    struct put_sink put;
    put.sink = (struct evtx_sink){put_open, put_close, put_leaf};
    put.paths = paths;
    put.event = event;
    put.depth = 0;
    put.node[0] = PATHS_ROOT;
    put.list[0] = false;
    return evtx_shape_visit(shape, nodes, &put.sink);
}
