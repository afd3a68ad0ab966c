#include "decode/json_inner.h"

#include <string.h>

/* Behind every rank that the record's own values have. */
enum { RANK = 128, BEHIND = 64 };

uint32_t json_inner_route(const struct paths *paths, struct slice path)
{
    const struct path_edge *edge = paths_find(paths, PATHS_ROOT, path);
    return edge && slice_equal(edge->key, path) ? edge->field[0] : FIELD_NONE;
}

enum err json_inner_init(
        struct json_inner *inner, const struct paths *paths, const struct decode_limits *limits)
{
    *inner = (struct json_inner){.field = json_inner_route(paths, SLICE("\x01"
                                                                        "json"))};
    inner->walk.paths = paths;
    inner->walk.scan = &inner->scan;
    inner->walk.limits = *limits;
    inner->walk.exact = true;
    return inner->field == FIELD_NONE ? OK : json_walk_init(&inner->walk);
}

void json_inner_fini(struct json_inner *inner)
{
    json_scan_fini(&inner->scan);
    json_walk_fini(&inner->walk);
}

static void put(struct event *event, const struct path_edge *edge, const struct value *value)
{
    for (int i = 0; i < PATHS_TARGETS && edge->field[i] != FIELD_NONE; i++) {
        uint8_t rank =
                value->kind == VALUE_OBJECT ? UINT8_MAX : (uint8_t)(RANK + edge->weak[i] / 2);
        event_put_field(event, edge->field[i], value, rank);
    }
}

/* Over the text that is in inner->scan; event NULL: to see whether it is one valid object. */
static enum err walk_text(struct json_inner *inner, struct event *event)
{
    struct json_walk *walk = &inner->walk;
    walk->start = walk->at = 0;
    walk->end = inner->scan.block.size;
    json_walk_begin(walk);
    for (;;) {
        struct json_stop stop;
        struct value value;
        TRY(json_walk_step(walk, &stop));
        if (stop.kind == JSON_END) {
            return json_walk_close(walk);
        }
        TRY(json_walk_value(walk, &stop, &value));
        if (event && stop.edge) {
            put(event, stop.edge, &value);
        }
    }
}

/* Whether a text may be an object at all: nearly all others are told by their first byte. */
static bool may_be_object(const struct value *value)
{
    struct slice text = slice_trim(value->text);
    return value->kind == VALUE_STRING && value->form <= FORM_JSON && text.size > 1 &&
           (text.at[0] == '{' || text.at[0] == '\\') && text.at[text.size - 1] != ']';
}

static enum err put_text(struct json_inner *inner, struct event *event, const struct value *value)
{
    char *text = arena_alloc(&event->scratch, value->text.size + BEHIND, 1);
    if (!text) {
        return ERR_MEMORY;
    }
    size_t size = value->text.size;
    if (value->form == FORM_JSON) {
        size = value_unescape(value->text, text);
    } else {
        memcpy(text, value->text.at, size);
    }
    struct slice trimmed = slice_trim(slice_of(text, size));
    memset(text + size, '\n', BEHIND);
    if (trimmed.size == 0 || trimmed.at[0] != '{') {
        return OK;
    }
    TRY(json_scan_begin(&inner->scan, trimmed));
    inner->scan.block = trimmed;
    return walk_text(inner, NULL) == OK ? walk_text(inner, event) : OK;
}

enum err json_inner_put(struct json_inner *inner, struct event *event)
{
    const struct value *found =
            inner->field == FIELD_NONE ? NULL : event_value(event, inner->field);
    if (!found) {
        return OK;
    }
    struct value value = *found; /* adding values may move the others */
    for (;;) {
        uint32_t next = value.next;
        if (may_be_object(&value)) {
            TRY(put_text(inner, event, &value));
        }
        if (next == 0) {
            return OK;
        }
        value = event->more[next - 1];
    }
}
