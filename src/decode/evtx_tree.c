#include "decode/evtx_tree.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "decode/evtx_text.h"

/* Tokens, [MS-EVEN6] 2.2.12; 0x40 says that more of the kind follow. */
enum {
    TOKEN_END = 0x00,
    TOKEN_OPEN = 0x01,
    TOKEN_CLOSE_START = 0x02,
    TOKEN_CLOSE_EMPTY = 0x03,
    TOKEN_END_ELEMENT = 0x04,
    TOKEN_VALUE = 0x05,
    TOKEN_ATTRIBUTE = 0x06,
    TOKEN_CDATA = 0x07,
    TOKEN_CHAR = 0x08,
    TOKEN_ENTITY = 0x09,
    TOKEN_PI_TARGET = 0x0a,
    TOKEN_PI_DATA = 0x0b,
    TOKEN_INSTANCE = 0x0c,
    TOKEN_SLOT = 0x0d,
    TOKEN_OPTIONAL_SLOT = 0x0e,
    TOKEN_FRAGMENT = 0x0f,
    TOKEN_MORE = 0x40,
};

struct reading {
    const struct evtx_source *source;
    struct evtx_nodes *nodes;
    struct evtx_places *places;
    struct evtx_fault *fault;
    uint32_t at;
    uint32_t depth;
    bool in_start;      /* between the name of an element and the end of its start */
    uint32_t attribute; /* the open one; UINT32_MAX: none */
    uint32_t open[EVTX_DEPTH_LIMIT];
};

struct evtx_node *evtx_tree_add(struct evtx_nodes *nodes)
{
    if (nodes->count == nodes->room) {
        uint32_t room = nodes->room ? nodes->room * 2 : 256;
        struct evtx_node *at =
                room > EVTX_NODES_LIMIT ? NULL : memory_resize(nodes->at, room * sizeof *nodes->at);
        if (!at) {
            return NULL;
        }
        nodes->at = at;
        nodes->room = room;
    }
    struct evtx_node *node = &nodes->at[nodes->count++];
    *node = (struct evtx_node){.end = nodes->count};
    return node;
}

void evtx_tree_fini(struct evtx_nodes *nodes)
{
    memory_free(nodes->at);
    *nodes = (struct evtx_nodes){0};
}

static bool fail(struct reading *r, const char *what)
{
    *r->fault = (struct evtx_fault){what, r->at};
    return false;
}

static bool take(struct reading *r, uint32_t size, const char **bytes)
{
    if (size > r->source->end - r->at) {
        return fail(r, "BinXml ends too early");
    }
    *bytes = r->source->chunk.at + r->at;
    r->at += size;
    return true;
}

static bool add(struct reading *r, enum evtx_node_kind kind, struct slice text)
{
    struct evtx_node *node = evtx_tree_add(r->nodes);
    if (!node) {
        return fail(r, "too many nodes in one record");
    }
    node->kind = (uint8_t)kind;
    node->text = text;
    return true;
}

static bool add_text(struct reading *r, struct slice text)
{
    return text.size == 0 || add(r, EVTX_TEXT, text);
}

/* UTF-16LE to UTF-8 in an arena. */
static bool keep(struct reading *r, struct arena *arena, struct slice wide, struct slice *text)
{
    char *to = arena_alloc(arena, wide.size / 2 * 3, 1);
    if (!to) {
        return fail(r, "no memory for texts");
    }
    *text = slice_of(to, utf8_from_utf16(wide, to));
    return true;
}

struct slice evtx_tree_name(struct slice chunk, uint32_t at)
{
    if (at < EVTX_CHUNK_HEADER || at > chunk.size || chunk.size - at < EVTX_NAME_ENTRY) {
        return (struct slice){0};
    }
    size_t size = 2 * (size_t)evtx_u16(chunk.at + at + 6);
    if (size > chunk.size - at - EVTX_NAME_ENTRY) {
        return (struct slice){0};
    }
    return slice_of(chunk.at + at + EVTX_NAME_ENTRY, size);
}

static bool note_place(struct reading *r, uint32_t at, uint32_t size, struct slice name)
{
    struct evtx_places *places = r->places;
    if (!places) {
        return true;
    }
    if (places->count == places->room) {
        return fail(r, "too many names in a template");
    }
    places->at[places->count++] = (struct evtx_name_place){at - r->source->at, size, name};
    return true;
}

void evtx_tree_forget_names(struct evtx_names *names)
{
    if (names->arena.used) {
        arena_reset(&names->arena);
    }
    if (++names->chunk == 0) {
        memset(names->slots, 0, sizeof names->slots);
        names->chunk = 1;
    }
}

bool evtx_tree_name_text(
        struct evtx_names *names, struct slice chunk, uint32_t at, struct slice *text)
{
    uint32_t i = (at * 0x9E3779B1u >> 16) % EVTX_NAMES;
    if (names->slots[i].at != at || names->slots[i].chunk != names->chunk) {
        struct slice wide = evtx_tree_name(chunk, at);
        if (!wide.at) {
            return false;
        }
        wide = utf8_until_nul(wide);
        char *to = arena_alloc(&names->arena, wide.size / 2 * 3, 1);
        if (!to) {
            return false;
        }
        names->slots[i].name = slice_of(to, utf8_from_utf16(wide, to));
        names->slots[i].at = at;
        names->slots[i].chunk = names->chunk;
    }
    *text = names->slots[i].name;
    return true;
}

static bool keep_name(struct reading *r, uint32_t name_at, struct slice wide, struct slice *text)
{
    struct evtx_names *names = r->source->names;
    if (!names) {
        return keep(r, r->source->texts, wide, text);
    }
    return evtx_tree_name_text(names, r->source->chunk, name_at, text) ||
           fail(r, "no memory for names");
}

/* A name is an offset into the chunk; where the chunk meets it first it stands right behind. */
static bool read_name(struct reading *r, struct slice *text)
{
    const char *bytes;
    uint32_t at = r->at;
    if (!take(r, 4, &bytes)) {
        return false;
    }
    uint32_t name_at = evtx_u32(bytes);
    struct slice name = evtx_tree_name(r->source->chunk, name_at);
    if (!name.at) {
        return fail(r, "name outside the chunk");
    }
    uint32_t size = 0;
    if (name_at == r->at) {
        size = EVTX_NAME_ENTRY + (uint32_t)name.size + 2;
        if (!take(r, size, &bytes)) {
            return false;
        }
    }
    return note_place(r, at, size, name) && keep_name(r, name_at, utf8_until_nul(name), text);
}

static bool read_string(struct reading *r, struct slice *wide)
{
    const char *bytes;
    if (!take(r, 2, &bytes)) {
        return false;
    }
    uint32_t size = 2u * evtx_u16(bytes);
    if (!take(r, size, &bytes)) {
        return false;
    }
    *wide = utf8_until_nul(slice_of(bytes, size));
    return true;
}

static bool read_text(struct reading *r)
{
    struct slice wide, text;
    if (!read_string(r, &wide)) {
        return false;
    }
    if (r->source->template) {
        return keep(r, r->source->texts, wide, &text) && add_text(r, text);
    }
    if (wide.size == 0) {
        return true;
    }
    if (!add(r, EVTX_VALUE, wide)) {
        return false;
    }
    r->nodes->at[r->nodes->count - 1].type = EVTX_STRING;
    return true;
}

static void end_attribute(struct reading *r)
{
    if (r->attribute != UINT32_MAX) {
        r->nodes->at[r->attribute].end = r->nodes->count;
        r->attribute = UINT32_MAX;
    }
}

static bool read_open(struct reading *r, bool attributes)
{
    const char *bytes;
    struct slice name;
    if (r->in_start) {
        return fail(r, "element inside the start of another");
    }
    if (r->depth == r->source->depth || r->depth == EVTX_DEPTH_LIMIT) {
        return fail(r, "elements nested too deeply");
    }
    if (!take(r, r->source->template ? 6 : 4, &bytes) || !read_name(r, &name) ||
            (attributes && !take(r, 4, &bytes))) {
        return false;
    }
    r->open[r->depth++] = r->nodes->count;
    r->in_start = true;
    return add(r, EVTX_ELEMENT, name);
}

static bool end_start(struct reading *r)
{
    if (!r->in_start) {
        return fail(r, "end of a start that was not open");
    }
    end_attribute(r);
    r->in_start = false;
    return true;
}

static bool end_element(struct reading *r)
{
    if (r->depth == 0 || r->in_start) {
        return fail(r, "end of an element that was not open");
    }
    r->nodes->at[r->open[--r->depth]].end = r->nodes->count;
    return true;
}

static bool read_attribute(struct reading *r)
{
    struct slice name;
    if (!r->in_start) {
        return fail(r, "attribute outside the start of an element");
    }
    end_attribute(r);
    if (!read_name(r, &name)) {
        return false;
    }
    r->attribute = r->nodes->count;
    return add(r, EVTX_ATTRIBUTE, name);
}

/* What stands in an element or attribute. */
static bool content_allowed(struct reading *r)
{
    if (r->in_start ? r->attribute == UINT32_MAX : r->depth == 0) {
        return fail(r, "content outside an element");
    }
    return true;
}

static bool read_fragment_value(struct reading *r)
{
    const char *bytes;
    if (r->source->template || r->in_start) {
        return fail(r, "BinXml inside a template or an attribute");
    }
    if (!take(r, 2, &bytes)) {
        return false;
    }
    uint32_t size = evtx_u16(bytes);
    return take(r, size, &bytes) && (size == 0 || add(r, EVTX_FRAGMENT, slice_of(bytes, size)));
}

static bool read_value(struct reading *r)
{
    const char *bytes;
    if (!content_allowed(r) || !take(r, 1, &bytes)) {
        return false;
    }
    uint8_t type = (uint8_t)bytes[0];
    if (type == EVTX_STRING) {
        return read_text(r);
    }
    if (type == EVTX_BINXML) {
        return read_fragment_value(r);
    }
    static const uint8_t sizes[EVTX_HEX64 + 1] = {
            0, 0, 0, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 4, 0, 16, 0, 8, 16, 0, 4, 8};
    if (type == EVTX_NULL) {
        return true;
    }
    if (type > EVTX_HEX64 || sizes[type] == 0) {
        return fail(r, "value of a type that has no size here");
    }
    if (!take(r, sizes[type], &bytes)) {
        return false;
    }
    struct slice value = slice_of(bytes, sizes[type]);
    if (r->source->template) {
        value = arena_copy(r->source->texts, value); /* it outlives the chunk */
    }
    if (!value.at) {
        return fail(r, "no memory for texts");
    }
    if (!add(r, EVTX_VALUE, value)) {
        return false;
    }
    r->nodes->at[r->nodes->count - 1].type = type;
    return true;
}

static bool read_char(struct reading *r)
{
    const char *bytes;
    if (!content_allowed(r) || !take(r, 2, &bytes)) {
        return false;
    }
    char *to = arena_alloc(r->source->texts, 4, 1);
    if (!to) {
        return fail(r, "no memory for texts");
    }
    return add_text(r, slice_of(to, utf8_encode(evtx_u16(bytes), to)));
}

static bool read_entity(struct reading *r)
{
    static const struct {
        struct slice name, text;
    } known[] = {{{"quot", 4}, {"\"", 1}}, {{"apos", 4}, {"'", 1}}, {{"amp", 3}, {"&", 1}},
            {{"lt", 2}, {"<", 1}}, {{"gt", 2}, {">", 1}}};
    struct slice name;
    if (!content_allowed(r) || !read_name(r, &name)) {
        return false;
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (slice_equal(name, known[i].name)) {
            return add_text(r, known[i].text);
        }
    }
    return add_text(r, SLICE("&")) && add_text(r, name) && add_text(r, SLICE(";"));
}

static bool read_slot(struct reading *r)
{
    const char *bytes;
    if (!r->source->template) {
        return fail(r, "slot outside a template");
    }
    if (!content_allowed(r) || !take(r, 3, &bytes) || !add(r, EVTX_SLOT, (struct slice){0})) {
        return false;
    }
    r->nodes->at[r->nodes->count - 1].slot = evtx_u16(bytes);
    r->nodes->at[r->nodes->count - 1].type = (uint8_t)bytes[2];
    return true;
}

/* Skips an instance: its size is the sum of its values' sizes. */
static bool read_instance(struct reading *r)
{
    const char *bytes;
    uint32_t start = r->at;
    if (r->source->template || r->in_start) {
        return fail(r, "instance inside a template or an attribute");
    }
    if (!take(r, 9, &bytes)) {
        return false;
    }
    if (evtx_u32(bytes + 5) == r->at &&
            (!take(r, EVTX_TEMPLATE_HEADER, &bytes) || !take(r, evtx_u32(bytes + 20), &bytes))) {
        return false;
    }
    if (!take(r, 4, &bytes)) {
        return false;
    }
    uint32_t count = evtx_u32(bytes);
    if (count > (r->source->end - r->at) / 4) {
        return fail(r, "more values than there is room for");
    }
    if (!take(r, 4 * count, &bytes)) {
        return false;
    }
    const char *skipped;
    for (uint32_t i = 0; i < count; i++) {
        if (!take(r, evtx_u16(bytes + 4 * i), &skipped)) {
            return false;
        }
    }
    return add(r, EVTX_INSTANCE, slice_of(r->source->chunk.at + start, r->at - start));
}

static bool read_ignored(struct reading *r, uint32_t size)
{
    const char *bytes;
    return take(r, size, &bytes);
}

static bool read_structure(struct reading *r, uint8_t token)
{
    struct slice ignored;
    switch (token & ~TOKEN_MORE) {
    case TOKEN_OPEN:
        return read_open(r, token & TOKEN_MORE);
    case TOKEN_ATTRIBUTE:
        return read_attribute(r);
    case TOKEN_CLOSE_START:
        return end_start(r);
    case TOKEN_CLOSE_EMPTY:
        return end_start(r) && end_element(r);
    case TOKEN_END_ELEMENT:
        return end_element(r);
    case TOKEN_PI_TARGET:
        return read_name(r, &ignored);
    case TOKEN_PI_DATA:
        return read_string(r, &ignored);
    case TOKEN_FRAGMENT:
        return read_ignored(r, 3); /* version and flags */
    default:
        r->at--;
        return fail(r, "unknown BinXml token");
    }
}

static bool read_token(struct reading *r, uint8_t token)
{
    switch (token & ~TOKEN_MORE) {
    case TOKEN_VALUE:
        return read_value(r);
    case TOKEN_CDATA:
        return content_allowed(r) && read_text(r);
    case TOKEN_CHAR:
        return read_char(r);
    case TOKEN_ENTITY:
        return read_entity(r);
    case TOKEN_INSTANCE:
        return read_instance(r);
    case TOKEN_SLOT:
    case TOKEN_OPTIONAL_SLOT:
        return read_slot(r);
    default:
        return read_structure(r, token);
    }
}

bool evtx_tree_read_placed(const struct evtx_source *source, struct evtx_nodes *nodes,
        struct evtx_places *places, struct evtx_fault *fault)
{
    struct reading r = {.source = source,
            .nodes = nodes,
            .places = places,
            .fault = fault,
            .at = source->at,
            .attribute = UINT32_MAX};
    while (r.at < source->end) {
        uint8_t token = (uint8_t)source->chunk.at[r.at++];
        if (token == TOKEN_END) {
            break;
        }
        if (!read_token(&r, token)) {
            return false;
        }
    }
    if (r.depth || r.in_start) {
        return fail(&r, "element without an end");
    }
    return true;
}

bool evtx_tree_read(
        const struct evtx_source *source, struct evtx_nodes *nodes, struct evtx_fault *fault)
{
    return evtx_tree_read_placed(source, nodes, NULL, fault);
}
