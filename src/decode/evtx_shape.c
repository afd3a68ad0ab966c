#include "decode/evtx_shape.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "decode/evtx_text.h"

#define NONE UINT32_MAX

enum {
    LEVELS = 3 * EVTX_DEPTH_LIMIT + 8, /* an element opens three at most */
    NAMES_LEAST = 256,
};

/* A name that a child of the element number `serial` had. */
struct evtx_shape_name {
    uint64_t serial;
    struct slice name;
    uint32_t first; /* the children that had it */
    uint32_t last;
    uint32_t count;
};

enum level_kind {
    MEMBERS, /* the children of an element */
    CHAIN,   /* Data elements that are one list */
    WRAP,    /* an object around what has been visited above it */
};

struct level {
    enum level_kind kind;
    uint32_t at;
    uint32_t end;
    uint64_t serial;
    bool container;                    /* Data elements are keys */
    bool named;                        /* some Data has a name */
    uint32_t plain_first, plain_count; /* Data without one */
};

struct visit {
    struct evtx_shape *shape;
    const struct evtx_node *nodes;
    uint32_t count;
    struct evtx_sink *sink;
    uint32_t *links; /* by node: the next Data of the same list */
    uint32_t level_count;
    struct level levels[LEVELS];
};

void evtx_shape_fini(struct evtx_shape *shape)
{
    memory_free(shape->names);
    *shape = (struct evtx_shape){0};
}

bool evtx_shape_value(uint8_t type, struct slice bytes, struct arena *texts, struct value *value)
{
    *value = (struct value){.kind = VALUE_STRING, .form = FORM_UTF16, .text = bytes};
    if (type == EVTX_STRING) {
        return true;
    }
    char *to = arena_alloc(texts, evtx_text_room(type, bytes.size), 1);
    if (!to) {
        return false;
    }
    value->form = FORM_TEXT;
    value->kind = (uint8_t)evtx_text_kind(type, bytes);
    value->text = slice_of(to, evtx_text_write(type, bytes, to));
    return true;
}

/* ---- names ------------------------------------------------------------------------------- */

static bool grow_names(struct evtx_shape *shape)
{
    uint32_t room = shape->room ? shape->room * 2 : NAMES_LEAST;
    struct evtx_shape_name *names = memory_alloc_array(room, sizeof *names);
    if (!names) {
        return false;
    }
    for (uint32_t i = 0; i < shape->room; i++) {
        const struct evtx_shape_name *old = &shape->names[i];
        if (old->serial < shape->record) {
            continue;
        }
        uint32_t to = (uint32_t)hash_bytes(old->name, old->serial) & (room - 1);
        while (names[to].serial) {
            to = (to + 1) & (room - 1);
        }
        names[to] = *old;
    }
    memory_free(shape->names);
    shape->names = names;
    shape->room = room;
    return true;
}

/* The entry for a name among the children of an element: count 0 when it is new. */
static struct evtx_shape_name *find_name(struct visit *v, uint64_t serial, struct slice name)
{
    struct evtx_shape *shape = v->shape;
    if (shape->used >= shape->room / 2 && !grow_names(shape)) {
        return NULL;
    }
    uint32_t i = (uint32_t)hash_bytes(name, serial) & (shape->room - 1);
    struct evtx_shape_name *entry;
    for (;; i = (i + 1) & (shape->room - 1)) {
        entry = &shape->names[i];
        if (entry->serial < shape->record) {
            shape->used++;
            *entry = (struct evtx_shape_name){.serial = serial, .name = name};
            return entry;
        }
        if (entry->serial == serial && slice_equal(entry->name, name)) {
            return entry;
        }
    }
}

/* ---- texts ------------------------------------------------------------------------------- */

static size_t piece_room(const struct evtx_node *node)
{
    return node->kind == EVTX_TEXT ? node->text.size : evtx_text_room(node->type, node->text.size);
}

static bool join_texts(struct visit *v, uint32_t from, uint32_t end, struct slice *text)
{
    size_t room = 0;
    for (uint32_t i = from; i < end; i = v->nodes[i].end) {
        room += v->nodes[i].kind == EVTX_ELEMENT ? 0 : piece_room(&v->nodes[i]);
    }
    char *to = arena_alloc(v->shape->texts, room, 1);
    if (!to) {
        return false;
    }
    size_t n = 0;
    for (uint32_t i = from; i < end; i = v->nodes[i].end) {
        const struct evtx_node *node = &v->nodes[i];
        if (node->kind == EVTX_TEXT) {
            memcpy(to + n, node->text.at, node->text.size);
            n += node->text.size;
        } else if (node->kind == EVTX_VALUE) {
            n += evtx_text_write(node->type, node->text, to + n);
        }
    }
    *text = slice_of(to, n);
    return true;
}

/* What texts and values from `from` to `end` are together, elements left out. One value alone keeps
 * its type. *pieces: how many there were; 0: *value is null. */
static bool content(struct visit *v, uint32_t from, uint32_t end, struct value *value)
{
    uint32_t pieces = 0, only = from;
    for (uint32_t i = from; i < end; i = v->nodes[i].end) {
        if (v->nodes[i].kind != EVTX_ELEMENT) {
            pieces++;
            only = i;
        }
    }
    *value = (struct value){.kind = VALUE_NULL};
    if (pieces == 0) {
        return true;
    }
    const struct evtx_node *node = &v->nodes[only];
    if (pieces == 1 && node->kind == EVTX_VALUE) {
        return evtx_shape_value(node->type, node->text, v->shape->texts, value);
    }
    *value = (struct value){.kind = VALUE_STRING, .text = node->text};
    return pieces == 1 || join_texts(v, from, end, &value->text);
}

/* ---- elements ---------------------------------------------------------------------------- */

static uint32_t content_start(const struct visit *v, uint32_t element)
{
    uint32_t i = element + 1;
    while (i < v->nodes[element].end && v->nodes[i].kind == EVTX_ATTRIBUTE) {
        i = v->nodes[i].end;
    }
    return i;
}

static bool has_attributes(const struct visit *v, uint32_t element, uint32_t start)
{
    for (uint32_t i = element + 1; i < start; i = v->nodes[i].end) {
        if (v->nodes[i].end > i + 1) {
            return true;
        }
    }
    return false;
}

static bool has_elements(const struct visit *v, uint32_t from, uint32_t end)
{
    for (uint32_t i = from; i < end; i = v->nodes[i].end) {
        if (v->nodes[i].kind == EVTX_ELEMENT) {
            return true;
        }
    }
    return false;
}

static bool is_data(const struct visit *v, uint32_t i)
{
    return v->nodes[i].kind == EVTX_ELEMENT && slice_equal(v->nodes[i].text, SLICE("Data"));
}

/* The text of a Data element's attribute Name; empty: none. */
static bool data_name(struct visit *v, uint32_t element, struct slice *name)
{
    *name = (struct slice){0};
    uint32_t start = content_start(v, element);
    for (uint32_t i = element + 1; i < start; i = v->nodes[i].end) {
        if (!slice_equal(v->nodes[i].text, SLICE("Name"))) {
            continue;
        }
        if (v->nodes[i].end == i + 1) {
            return true;
        }
        if (v->nodes[i].end == i + 2 && v->nodes[i + 1].kind == EVTX_TEXT) {
            *name = v->nodes[i + 1].text;
            return true;
        }
        return join_texts(v, i + 1, v->nodes[i].end, name);
    }
    return true;
}

static bool link_data(struct visit *v, uint32_t from, uint32_t to)
{
    if (!v->links) {
        v->links = ARENA_ARRAY(v->shape->texts, uint32_t, v->count);
        if (!v->links) {
            return false;
        }
    }
    v->links[from] = to;
    v->links[to] = NONE;
    return true;
}

/* Finds the names of a container's Data elements, and which form one list. */
static bool survey_data(struct visit *v, struct level *level)
{
    uint32_t plain_last = NONE;
    level->plain_first = NONE;
    for (uint32_t i = level->at; i < level->end; i = v->nodes[i].end) {
        struct slice name;
        if (!is_data(v, i)) {
            continue;
        }
        if (!data_name(v, i, &name)) {
            return false;
        }
        if (name.size == 0) {
            if (level->plain_count++ && !link_data(v, plain_last, i)) {
                return false;
            }
            level->plain_first = plain_last == NONE ? i : level->plain_first;
            plain_last = i;
            continue;
        }
        if (v->nodes[i].slot == EVTX_ALONE) {
            continue;
        }
        struct evtx_shape_name *entry = find_name(v, level->serial, name);
        if (!entry || (entry->count && !link_data(v, entry->last, i))) {
            return false;
        }
        entry->first = entry->count++ ? entry->first : i;
        entry->last = i;
    }
    return true;
}

static struct level *push(struct visit *v, enum level_kind kind)
{
    if (v->level_count == LEVELS) {
        return NULL;
    }
    struct level *level = &v->levels[v->level_count++];
    *level = (struct level){.kind = kind};
    return level;
}

/* Names of children count per element; those of Data in a container by themselves, so that a name
 * "Data" cannot meet an element's. */
static bool push_members(struct visit *v, uint32_t from, uint32_t end, bool container)
{
    struct level *level = push(v, MEMBERS);
    if (!level) {
        return false;
    }
    v->shape->serial += 2;
    level->at = from;
    level->end = end;
    level->serial = v->shape->serial;
    level->container = container;
    return !container || survey_data(v, level);
}

static bool visit_attributes(struct visit *v, uint32_t element, uint32_t start)
{
    struct evtx_sink *sink = v->sink;
    if (!sink->open(sink, SLICE("#attributes"), false)) {
        return false;
    }
    for (uint32_t i = element + 1; i < start; i = v->nodes[i].end) {
        struct value value;
        if (v->nodes[i].end == i + 1) {
            continue;
        }
        if (!content(v, i + 1, v->nodes[i].end, &value) ||
                !sink->leaf(sink, v->nodes[i].text, &value)) {
            return false;
        }
    }
    return sink->close(sink);
}

/* An element under its key: a leaf, or an object whose members come next. Data shows no attributes,
 * and is an empty string when it is empty. */
static bool visit_element(struct visit *v, uint32_t element, struct slice key, bool data)
{
    struct evtx_sink *sink = v->sink;
    const struct evtx_node *node = &v->nodes[element];
    uint32_t start = content_start(v, element);
    bool attributes = !data && has_attributes(v, element, start);
    bool elements = has_elements(v, start, node->end);
    struct value value;
    if (!content(v, start, node->end, &value)) {
        return false;
    }
    if (!attributes && !elements) {
        if (data && value.kind == VALUE_NULL) {
            value.kind = VALUE_STRING;
        }
        return sink->leaf(sink, key, &value);
    }
    if (!sink->open(sink, key, false) || (attributes && !visit_attributes(v, element, start)) ||
            (value.kind != VALUE_NULL && !sink->leaf(sink, SLICE("#text"), &value))) {
        return false;
    }
    bool container = !data && (slice_equal(node->text, SLICE("EventData")) ||
                                      slice_equal(node->text, SLICE("UserData")));
    return push_members(v, start, node->end, container);
}

/* ---- members ----------------------------------------------------------------------------- */

static bool visit_chain(struct visit *v, struct slice key, uint32_t first)
{
    struct level *level = push(v, CHAIN);
    if (!level || !v->sink->open(v->sink, key, true)) {
        return false;
    }
    level->at = first;
    return true;
}

static bool visit_plain_data(struct visit *v, const struct level *level)
{
    uint32_t first = level->plain_first, count = level->plain_count;
    if (!v->sink->open(v->sink, SLICE("Data"), false) || !push(v, WRAP)) {
        return false;
    }
    return count == 1 ? visit_element(v, first, SLICE("#text"), true)
                      : visit_chain(v, SLICE("#text"), first);
}

static bool visit_data(struct visit *v, const struct level *level, uint32_t element)
{
    struct slice name;
    if (!data_name(v, element, &name)) {
        return false;
    }
    if (name.size == 0) {
        return element != level->plain_first || visit_plain_data(v, level);
    }
    if (v->nodes[element].slot == EVTX_ALONE) {
        return visit_element(v, element, name, true);
    }
    const struct evtx_shape_name *entry = find_name(v, level->serial, name);
    if (!entry) {
        return false;
    }
    if (entry->first != element) {
        return true; /* a later one of a list */
    }
    return entry->count == 1 ? visit_element(v, element, name, true)
                             : visit_chain(v, name, element);
}

static bool visit_member(struct visit *v, struct level *level, uint32_t element)
{
    if (level->container && is_data(v, element)) {
        return visit_data(v, level, element);
    }
    struct slice key = v->nodes[element].text;
    if (v->nodes[element].slot == EVTX_ALONE) {
        return visit_element(v, element, key, false);
    }
    struct evtx_shape_name *entry = find_name(v, level->serial + 1, key);
    if (!entry) {
        return false;
    }
    uint32_t number = entry->count++;
    if (number) {
        size_t room = key.size + 12;
        char *to = arena_alloc(v->shape->texts, room, 1);
        if (!to) {
            return false;
        }
        key.size = (size_t)snprintf(to, room, "%.*s_%u", SLICE_ARG(key), number);
        key.at = to;
    }
    return visit_element(v, element, key, false);
}

static bool step(struct visit *v)
{
    struct level *level = &v->levels[v->level_count - 1];
    uint32_t at = level->at;
    if (level->kind == MEMBERS && at < level->end) {
        level->at = v->nodes[at].end;
        return v->nodes[at].kind != EVTX_ELEMENT || visit_member(v, level, at);
    }
    if (level->kind == CHAIN && at != NONE) {
        level->at = v->links[at];
        return visit_element(v, at, (struct slice){0}, true);
    }
    v->level_count--;
    return v->level_count == 0 || v->sink->close(v->sink);
}

bool evtx_shape_visit(
        struct evtx_shape *shape, const struct evtx_nodes *nodes, struct evtx_sink *sink)
{
    struct visit v;
    v.shape = shape;
    v.nodes = nodes->at;
    v.count = nodes->count;
    v.sink = sink;
    v.links = NULL;
    v.level_count = 0;
    shape->record = shape->serial + 2;
    shape->used = 0;
    if (!has_elements(&v, 0, v.count)) {
        const struct value null = {.kind = VALUE_NULL};
        return sink->leaf(sink, SLICE("Event"), &null);
    }
    if (!push_members(&v, 0, v.count, false)) {
        return false;
    }
    while (v.level_count) {
        if (!step(&v)) {
            return false;
        }
    }
    return true;
}
