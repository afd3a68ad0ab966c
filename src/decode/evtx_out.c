#include "decode/evtx_out.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/utf8.h"
#include "decode/evtx_text.h"

enum { STACK = 4 * EVTX_DEPTH_LIMIT };

/* ---- JSON -------------------------------------------------------------------------------- */

struct json_sink {
    struct evtx_sink sink;
    struct buf *out;
    uint32_t depth;
    bool filled;          /* something stands before in the innermost object or list */
    bool list[STACK + 1]; /* by depth */
};

/* Units and bytes that stand for themselves in a JSON string and are one byte of UTF-8. */
static bool plain(unsigned unit)
{
    return unit >= 0x20 && unit < 0x7f && unit != '"' && unit != '\\';
}

static size_t plain_prefix(struct slice text)
{
    size_t i = 0;
    while (i < text.size && plain((unsigned char)text.at[i])) {
        i++;
    }
    return i;
}

static void json_text(struct buf *out, struct slice text)
{
    size_t size = plain_prefix(text);
    buf_add(out, slice_of(text.at, size));
    if (size < text.size) {
        buf_json(out, slice_of(text.at + size, text.size - size));
    }
}

static void json_key(struct json_sink *json, struct slice key)
{
    bool list = json->list[json->depth];
    char *to = buf_reserve(json->out, key.size + 4);
    if (!to) {
        return;
    }
    size_t n = 0;
    if (json->filled) {
        to[n++] = ',';
    }
    json->filled = true;
    if (!list && plain_prefix(key) == key.size) {
        to[n++] = '"';
        memcpy(to + n, key.at, key.size);
        n += key.size;
        to[n++] = '"';
        to[n++] = ':';
    }
    json->out->size += n;
    if (!list && n < key.size + 3) {
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

/* One character that does not stand for itself: at `at`, of two units when it is a pair. */
static size_t odd_unit(struct slice wide, size_t *at, char *to)
{
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    uint32_t code = evtx_u16(wide.at + *at);
    *at += 2;
    if (code < 0x80) {
        for (const char *s = shorts; *s; s += 2) {
            if ((unsigned char)s[0] == code) {
                to[0] = '\\';
                to[1] = s[1];
                return 2;
            }
        }
        if (code >= 0x20) {
            to[0] = (char)code; /* DEL */
            return 1;
        }
        memcpy(to, "\\u00", 4);
        to[4] = (char)('0' + (code >> 4));
        to[5] = "0123456789abcdef"[code & 15];
        return 6;
    }
    if (code >= 0xD800 && code < 0xDC00 && *at + 1 < wide.size) {
        uint32_t low = evtx_u16(wide.at + *at);
        if (low >= 0xDC00 && low < 0xE000) {
            *at += 2;
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    return utf8_encode(code, to);
}

void evtx_out_utf16(struct buf *out, struct slice wide)
{
    char *start = buf_reserve(out, 3 * wide.size + 8); /* \u0000 for two bytes */
    if (!start) {
        return;
    }
    char *to = start;
    size_t i = 0;
    while (i + 1 < wide.size) {
#ifdef __SSE2__
        while (i + 16 <= wide.size) {
            __m128i units = _mm_loadu_si128((const __m128i *)(const void *)(wide.at + i));
            __m128i odd = _mm_or_si128(_mm_cmplt_epi16(units, _mm_set1_epi16(0x20)),
                    _mm_cmpgt_epi16(units, _mm_set1_epi16(0x7e)));
            odd = _mm_or_si128(odd, _mm_cmpeq_epi16(units, _mm_set1_epi16('"')));
            odd = _mm_or_si128(odd, _mm_cmpeq_epi16(units, _mm_set1_epi16('\\')));
            unsigned mask = (unsigned)_mm_movemask_epi8(odd);
            _mm_storel_epi64((__m128i *)(void *)to, _mm_packus_epi16(units, units));
            if (mask) {
                size_t good = (size_t)__builtin_ctz(mask);
                to += good / 2;
                i += good;
                break;
            }
            to += 8;
            i += 16;
        }
#endif
        if (i + 1 >= wide.size) {
            break;
        }
        if (plain(evtx_u16(wide.at + i))) {
            *to++ = wide.at[i];
            i += 2;
        } else {
            to += odd_unit(wide, &i, to);
        }
    }
    out->size += (size_t)(to - start);
}

/* May its text have characters that JSON escapes? */
static bool needs_escapes(uint8_t type)
{
    uint8_t element = type & (EVTX_ARRAY - 1);
    return element == EVTX_ANSI || element == EVTX_STRING;
}

void evtx_out_value(struct buf *out, uint8_t type, struct slice bytes)
{
    if (type == EVTX_STRING) {
        buf_byte(out, '"');
        evtx_out_utf16(out, utf8_until_nul(bytes));
        buf_byte(out, '"');
        return;
    }
    char *to = buf_reserve(out, evtx_text_room(type, bytes.size) + 2);
    if (!to) {
        return;
    }
    bool quoted = evtx_text_kind(type, bytes) == VALUE_STRING;
    size_t size = evtx_text_write(type, bytes, to + quoted);
    if (needs_escapes(type)) {
        struct buf text = {0};
        json_text(&text, slice_of(to + 1, size));
        buf_byte(out, '"');
        buf_add(out, buf_slice(&text));
        buf_byte(out, '"');
        out->failed |= text.failed;
        buf_fini(&text);
        return;
    }
    if (quoted) {
        to[0] = '"';
        to[size + 1] = '"';
    }
    out->size += size + (quoted ? 2 : 0);
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
        json_text(json->out, value->text);
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
