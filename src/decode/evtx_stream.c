#include "decode/evtx_stream.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "decode/evtx_out.h"
#include "decode/evtx_shape.h"
#include "decode/evtx_text.h"

enum { KEY_ROOM = 600 };

/* The tokens that are covered, [MS-EVEN6] 2.2.12; 0x40: more follow. */
enum {
    TOKEN_END = 0x00,
    TOKEN_OPEN = 0x01,
    TOKEN_CLOSE_START = 0x02,
    TOKEN_CLOSE_EMPTY = 0x03,
    TOKEN_END_ELEMENT = 0x04,
    TOKEN_VALUE = 0x05,
    TOKEN_ATTRIBUTE = 0x06,
    TOKEN_FRAGMENT = 0x0f,
    TOKEN_MORE = 0x40,
};

/* A value as it stands in the chunk; size 0: none. */
struct piece {
    uint8_t type;
    bool filled;
    struct slice bytes;
};

struct level {
    struct slice name;
    const struct path_edge *edge; /* of the element; NULL: leads nowhere */
    bool data;                    /* a Data element of a container */
    bool resolved;                /* its key is known */
    bool attributes;              /* one is set */
    bool elements;
    bool container;
    bool plain_data; /* a Data child without a name was met */
    struct piece text;
    /* Names of children so far, and how often. */
    uint32_t name_count;
    struct slice names[EVTX_STREAM_NAMES];
    uint32_t counts[EVTX_STREAM_NAMES];
};

struct streaming {
    const struct evtx_stream *stream;
    struct event *event;
    uint32_t at;
    uint32_t end;
    uint32_t depth; /* levels[0] is the record */
    bool in_start;
    bool in_attribute;
    struct slice attribute;
    struct piece value; /* of the attribute */
    struct level levels[EVTX_STREAM_DEPTH + 1];
};

static bool take(struct streaming *s, uint32_t size, const char **bytes)
{
    if (size > s->end - s->at) {
        return false;
    }
    *bytes = s->stream->chunk.at + s->at;
    s->at += size;
    return true;
}

/* A name, empty where nobody asks for it. */
static bool take_name(struct streaming *s, bool asked, struct slice *name)
{
    const char *bytes;
    if (!take(s, 4, &bytes)) {
        return false;
    }
    uint32_t name_at = evtx_u32(bytes);
    if (name_at == s->at || !asked) {
        struct slice wide = evtx_tree_name(s->stream->chunk, name_at);
        if (!wide.at ||
                (name_at == s->at && !take(s, EVTX_NAME_ENTRY + (uint32_t)wide.size + 2, &bytes))) {
            return false;
        }
    }
    *name = (struct slice){0};
    return !asked || evtx_tree_name_text(s->stream->names, s->stream->chunk, name_at, name);
}

static bool leads_on(const struct path_edge *edge)
{
    return edge && edge->child != PATHS_NONE;
}

static const struct path_edge *below(
        const struct streaming *s, const struct path_edge *edge, struct slice key)
{
    const struct paths *paths = s->stream->paths;
    return leads_on(edge) ? paths_find(paths, edge->child, key) : NULL;
}

static bool put_piece(struct streaming *s, const struct path_edge *edge, const struct piece *piece)
{
    struct value value;
    if (!edge || edge->field[0] == FIELD_NONE) {
        return true;
    }
    if (!evtx_shape_value(piece->type, piece->bytes, &s->event->scratch, &value)) {
        return false;
    }
    event_put(s->event, edge, &value);
    return true;
}

static void put_object(struct streaming *s, const struct path_edge *edge)
{
    if (edge && edge->field[0] != FIELD_NONE) {
        evtx_out_put_object(s->event, edge);
    }
}

/* How many siblings of the name came before. False: too many names. */
static bool count_name(struct level *parent, struct slice name, uint32_t *before)
{
    uint32_t i = 0;
    while (i < parent->name_count && !slice_equal(parent->names[i], name)) {
        i++;
    }
    if (i == EVTX_STREAM_NAMES) {
        return false;
    }
    if (i == parent->name_count) {
        parent->names[i] = name;
        parent->counts[i] = 0;
        parent->name_count++;
    }
    *before = parent->counts[i]++;
    return true;
}

static bool resolve_element(struct streaming *s, struct level *level)
{
    char room[KEY_ROOM];
    struct level *parent = level - 1;
    struct slice key = level->name;
    uint32_t before;
    if (!count_name(parent, key, &before)) {
        return false;
    }
    if (before) {
        if (key.size > KEY_ROOM - 16) {
            return false;
        }
        key.size = (size_t)snprintf(room, sizeof room, "%.*s_%u", SLICE_ARG(key), before);
        key.at = room;
    }
    level->resolved = true;
    if (s->depth == 1) {
        const struct paths *paths = s->stream->paths;
        level->edge = paths ? paths_find(paths, PATHS_ROOT, key) : NULL;
    } else {
        level->edge = below(s, parent->edge, key);
    }
    return true;
}

/* A Data element of a container: its key is its name. */
static bool resolve_data(struct streaming *s, struct level *level, const struct piece *name)
{
    struct level *parent = level - 1;
    char room[KEY_ROOM];
    level->resolved = true;
    if (name && name->filled) {
        if (name->type != EVTX_STRING || name->bytes.size > KEY_ROOM / 2) {
            return false;
        }
        struct slice key = slice_of(room, utf8_from_utf16(name->bytes, room));
        level->edge = below(s, parent->edge, key);
        return true;
    }
    const struct path_edge *data = below(s, parent->edge, SLICE("Data"));
    if (!parent->plain_data) {
        parent->plain_data = true;
        put_object(s, data);
    }
    level->edge = below(s, data, SLICE("#text"));
    return true;
}

static bool open_element(struct streaming *s, bool attributes)
{
    const char *bytes;
    struct slice name;
    struct level *parent = &s->levels[s->depth];
    if (s->in_start || parent->text.filled || s->depth == EVTX_STREAM_DEPTH ||
            s->depth == s->stream->depth || (s->depth && parent->data)) {
        return false;
    }
    /* Below what leads nowhere, names do not matter. */
    bool asked = s->depth == 0 || leads_on(parent->edge);
    if (!take(s, 4, &bytes) || !take_name(s, asked, &name) || (attributes && !take(s, 4, &bytes))) {
        return false;
    }
    parent->elements = true;
    struct level *level = &s->levels[++s->depth];
    level->name = name;
    level->edge = NULL;
    level->data = parent->container && slice_equal(name, SLICE("Data"));
    level->resolved = !asked;
    level->attributes = false;
    level->elements = false;
    level->container = false;
    level->plain_data = false;
    level->text.filled = false;
    level->name_count = 0;
    s->in_start = true;
    s->in_attribute = false;
    return level->data || level->resolved || resolve_element(s, level);
}

static bool end_attribute(struct streaming *s)
{
    struct level *level = &s->levels[s->depth];
    if (!s->in_attribute) {
        return true;
    }
    s->in_attribute = false;
    if (level->data) {
        /* The first attribute of this name counts. */
        bool names = !level->resolved && slice_equal(s->attribute, SLICE("Name"));
        return !names || resolve_data(s, level, &s->value);
    }
    if (!s->value.filled) {
        return true;
    }
    level->attributes = true;
    const struct path_edge *all = below(s, level->edge, SLICE("#attributes"));
    return put_piece(s, below(s, all, s->attribute), &s->value);
}

static bool open_attribute(struct streaming *s)
{
    const struct level *level = &s->levels[s->depth];
    if (!s->in_start || !end_attribute(s) ||
            !take_name(s, level->data || leads_on(level->edge), &s->attribute)) {
        return false;
    }
    s->in_attribute = true;
    s->value.filled = false;
    return true;
}

static bool take_value(struct streaming *s)
{
    const char *bytes;
    struct piece *to = s->in_start ? &s->value : &s->levels[s->depth].text;
    if ((s->in_start && !s->in_attribute) || s->depth == 0 || !take(s, 3, &bytes) ||
            bytes[0] != EVTX_STRING) {
        return false;
    }
    uint32_t size = 2u * evtx_u16(bytes + 1);
    if (!take(s, size, &bytes)) {
        return false;
    }
    struct slice wide = utf8_until_nul(slice_of(bytes, size));
    if (wide.size == 0) {
        return true;
    }
    bool alone = !to->filled && !(!s->in_start && s->levels[s->depth].elements);
    *to = (struct piece){EVTX_STRING, true, wide};
    return alone;
}

static bool end_start(struct streaming *s)
{
    struct level *level = &s->levels[s->depth];
    if (!s->in_start || !end_attribute(s)) {
        return false;
    }
    s->in_start = false;
    level->container = !level->data && (slice_equal(level->name, SLICE("EventData")) ||
                                               slice_equal(level->name, SLICE("UserData")));
    return level->resolved || resolve_data(s, level, NULL);
}

static bool end_element(struct streaming *s)
{
    struct level *level = &s->levels[s->depth];
    const struct path_edge *edge = level->edge;
    if (s->depth == 0 || s->in_start) {
        return false;
    }
    s->depth--;
    if (level->elements || level->attributes) {
        put_object(s, edge);
        edge = below(s, edge, SLICE("#text"));
    }
    if (level->text.filled) {
        return put_piece(s, edge, &level->text);
    }
    if (!level->elements && !level->attributes && edge && edge->field[0] != FIELD_NONE) {
        struct value empty = {.kind = level->data ? VALUE_STRING : VALUE_NULL};
        event_put(s->event, edge, &empty);
    }
    return true;
}

/* ---- the usual elements, token after token without a look at the state ------------------- */

/* What follows an element's name: its text, up to its end. */
struct plain_text {
    struct slice bytes;
    uint32_t end; /* behind the element */
};

/* The end of an element's start, one string or none, the end of the element. False: anything
 * else. */
static bool look_at_text(const struct streaming *s, uint32_t at, struct plain_text *text)
{
    const char *bytes = s->stream->chunk.at;
    *text = (struct plain_text){0};
    if (s->end - at < 2 || bytes[at] != TOKEN_CLOSE_START) {
        return false;
    }
    at++;
    if (bytes[at] == TOKEN_VALUE) {
        if (s->end - at < 5 || bytes[at + 1] != EVTX_STRING) {
            return false;
        }
        uint32_t size = 2u * evtx_u16(bytes + at + 2);
        at += 4;
        if (size >= s->end - at) {
            return false;
        }
        text->bytes = slice_of(bytes + at, size);
        at += size;
    }
    text->end = at + 1;
    return bytes[at] == TOKEN_END_ELEMENT;
}

/* Puts a text, or what an element without one leaves behind. */
static void put_text(struct streaming *s, const struct path_edge *edge, struct slice wide,
        enum value_kind without)
{
    struct value value = {.kind = (uint8_t)without};
    if (!edge || edge->field[0] == FIELD_NONE) {
        return;
    }
    if (!evtx_text_unset(EVTX_STRING, wide)) {
        value = (struct value){.text = wide, .kind = VALUE_STRING, .form = FORM_UTF16};
    }
    event_put(s->event, edge, &value);
}

/* At `at` a name is used that was defined before: `name`, seen last at *known. */
static bool is_name(const struct streaming *s, const char *at, struct slice name, uint32_t *known)
{
    struct slice found;
    uint32_t name_at = evtx_u32(at);
    if (name_at == 0 || name_at == (uint32_t)(at - s->stream->chunk.at) + 4) {
        return false;
    }
    if (name_at != *known) {
        if (!evtx_tree_name_text(s->stream->names, s->stream->chunk, name_at, &found) ||
                !slice_equal(found, name)) {
            return false;
        }
        *known = name_at;
    }
    return true;
}

/* <Data Name= */
static bool names_data(const struct streaming *s, const char *element, const char *attribute)
{
    struct evtx_stream_memo *memo = s->stream->memo;
    if (memo->chunk != s->stream->names->chunk) {
        memo->chunk = s->stream->names->chunk;
        memo->data_at = 0; /* no name stands in the header */
        memo->name_at = 0;
    }
    return is_name(s, element, SLICE("Data"), &memo->data_at) &&
           is_name(s, attribute, SLICE("Name"), &memo->name_at);
}

/* Where the key of a Data element leads. False: not a plain one. */
static bool find_key(
        struct streaming *s, uint32_t node, struct slice wide, const struct path_edge **edge)
{
    uint64_t hash = hash_bytes(wide, node);
    struct evtx_stream_key *key = &s->stream->memo->keys[hash % EVTX_STREAM_KEYS];
    if (key->size == wide.size && key->node == node &&
            memcmp(key->bytes, wide.at, wide.size) == 0) {
        *edge = key->edge;
        return true;
    }
    char room[EVTX_STREAM_KEY_BYTES / 2 * 3];
    if (utf8_until_nul(wide).size != wide.size) {
        return false;
    }
    *edge = paths_find(s->stream->paths, node, slice_of(room, utf8_from_utf16(wide, room)));
    key->edge = *edge;
    key->node = node;
    key->size = (uint16_t)wide.size;
    memcpy(key->bytes, wide.at, wide.size);
    return true;
}

/* <Data Name="key">text</Data> in a container. False, and nothing was done: the long way. */
static bool quick_data(struct streaming *s, const struct level *parent)
{
    enum { NAME = 4, ATTRIBUTE = 12, VALUE = 17, KEY = 21 };
    const char *bytes = s->stream->chunk.at + s->at;
    const struct path_edge *edge;
    struct plain_text text;
    if (s->end - s->at < KEY || bytes[ATTRIBUTE] != TOKEN_ATTRIBUTE ||
            bytes[VALUE] != TOKEN_VALUE || bytes[VALUE + 1] != EVTX_STRING) {
        return false;
    }
    uint32_t size = 2u * evtx_u16(bytes + VALUE + 2);
    if (size == 0 || size > EVTX_STREAM_KEY_BYTES || size > s->end - s->at - KEY ||
            !names_data(s, bytes + NAME, bytes + ATTRIBUTE + 1) ||
            !look_at_text(s, s->at + KEY + size, &text) ||
            !find_key(s, parent->edge->child, slice_of(bytes + KEY, size), &edge)) {
        return false;
    }
    put_text(s, edge, text.bytes, VALUE_STRING);
    s->at = text.end;
    return true;
}

/* <Key>text</Key>, the first of its name. */
static bool quick_leaf(struct streaming *s, struct level *parent)
{
    const char *bytes = s->stream->chunk.at + s->at;
    struct plain_text text;
    struct slice name;
    if (s->end - s->at < 8 || evtx_u32(bytes + 4) == s->at + 8 ||
            parent->name_count == EVTX_STREAM_NAMES || !look_at_text(s, s->at + 8, &text) ||
            !evtx_tree_name_text(s->stream->names, s->stream->chunk, evtx_u32(bytes + 4), &name) ||
            (parent->container && slice_equal(name, SLICE("Data")))) {
        return false;
    }
    for (uint32_t i = 0; i < parent->name_count; i++) {
        if (slice_equal(parent->names[i], name)) {
            return false;
        }
    }
    parent->names[parent->name_count] = name;
    parent->counts[parent->name_count++] = 1;
    put_text(s, below(s, parent->edge, name), text.bytes, VALUE_NULL);
    s->at = text.end;
    return true;
}

/* An element without elements in it, whose names were defined before. */
static bool quick_element(struct streaming *s, bool attributes)
{
    struct level *parent = &s->levels[s->depth];
    if (s->depth == 0 || s->in_start || parent->text.filled || parent->data ||
            s->depth == EVTX_STREAM_DEPTH || s->depth == s->stream->depth ||
            !leads_on(parent->edge)) {
        return false;
    }
    bool done = attributes ? parent->container && quick_data(s, parent) : quick_leaf(s, parent);
    parent->elements |= done;
    return done;
}

static bool step(struct streaming *s, uint8_t token)
{
    const char *bytes;
    switch (token & ~TOKEN_MORE) {
    case TOKEN_OPEN:
        return quick_element(s, token & TOKEN_MORE) || open_element(s, token & TOKEN_MORE);
    case TOKEN_ATTRIBUTE:
        return open_attribute(s);
    case TOKEN_VALUE:
        return take_value(s);
    case TOKEN_CLOSE_START:
        return end_start(s);
    case TOKEN_CLOSE_EMPTY:
        return end_start(s) && end_element(s);
    case TOKEN_END_ELEMENT:
        return end_element(s);
    case TOKEN_FRAGMENT:
        return take(s, 3, &bytes);
    default:
        return false;
    }
}

bool evtx_stream_run(const struct evtx_stream *stream, struct evtx_place place, struct event *event)
{
    struct streaming s;
    s.stream = stream;
    s.event = event;
    s.at = place.at;
    s.end = place.end;
    s.depth = 0;
    s.in_start = false;
    s.in_attribute = false;
    s.levels[0].name_count = 0;
    s.levels[0].text.filled = false;
    s.levels[0].container = false;
    s.levels[0].elements = false;
    while (s.at < s.end) {
        uint8_t token = (uint8_t)stream->chunk.at[s.at++];
        if (token == TOKEN_END) {
            break;
        }
        if (!step(&s, token)) {
            return false;
        }
    }
    event->wide_text = true;
    return s.depth == 0 && !s.in_start && s.levels[0].elements;
}
