#include "decode/json_pairs.h"

#include <string.h>

#include "decode/json_form.h"
#include "decode/json_inner.h"

static const char *const names[] = {"name", "Name", "key", "Key", "displayName"};
static const char *const values[] = {
        "value", "Value", "newValue", "NewValue", "multiValue", "boolValue", "intValue"};

/* OpenTelemetry's: {"key":"a","value":{"stringValue":"x"}}. */
static const char *const typed[] = {"stringValue", "boolValue", "intValue", "doubleValue"};

enum { PAIRS_PENDING = 16 };

/* One list at a time. */
struct pairs {
    struct event *event;
    const struct paths *paths;
    struct buf list; /* its path */
    struct buf name; /* the one that values go to, as text; for value_slice */
    struct slice key;
    bool names_first;
    bool values_first;
    bool failed;
    /* Values whose name is still to come; more of one element are left out. */
    struct value pending[PAIRS_PENDING];
    size_t count;
};

static bool is_one_of(struct slice key, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(key, slice_text(words[i]))) {
            return true;
        }
    }
    return false;
}

/* The edge at the list's path and a name, or NULL. */
static const struct path_edge *find(const struct pairs *p, struct slice name)
{
    uint32_t node = PATHS_ROOT;
    struct slice rest = buf_slice(&p->list);
    while (rest.size) {
        const struct path_edge *edge = paths_find(p->paths, node, slice_cut(&rest, '.'));
        if (!edge || edge->child == PATHS_NONE) {
            return NULL;
        }
        node = edge->child;
    }
    return paths_find(p->paths, node, name);
}

static void put(struct pairs *p, const struct value *value)
{
    const struct path_edge *edge = p->key.size ? find(p, p->key) : NULL;
    if (!edge || value->kind == VALUE_OBJECT) {
        return;
    }
    struct value kept = *value;
    if (p->event->form != &json_form && kept.text.size) { /* texts of the walk end with it */
        kept.text = arena_copy(&p->event->scratch, kept.text);
        p->failed |= !kept.text.at;
    }
    if (!p->failed) {
        event_put(p->event, edge, &kept);
    }
}

static void begin_list(struct pairs *p, struct slice path)
{
    buf_clear(&p->list);
    buf_add(&p->list, path);
    p->names_first = p->values_first = false;
    p->key = (struct slice){0};
    p->count = 0;
}

static void take_name(struct pairs *p, const struct value *value)
{
    p->values_first = p->values_first || (!p->names_first && p->count > 0);
    p->names_first = !p->values_first;
    p->key = value->kind == VALUE_STRING ? value_slice(value, &p->name) : (struct slice){0};
    for (size_t i = 0; i < p->count; i++) {
        put(p, &p->pending[i]);
    }
    p->count = 0;
}

static void take_value(struct pairs *p, const struct value *value)
{
    if (p->names_first) {
        put(p, value);
    } else if (p->count < PAIRS_PENDING) {
        p->pending[p->count++] = *value;
    }
}

static bool visit(void *context, struct slice path, const struct value *value)
{
    struct pairs *p = context;
    const char *dot = path.size ? memrchr(path.at, '.', path.size) : NULL;
    if (!dot) {
        return true;
    }
    struct slice list = slice_of(path.at, (size_t)(dot - path.at));
    struct slice key = slice_of(dot + 1, path.size - list.size - 1);
    if (slice_ends(list, SLICE(".value")) && is_one_of(key, typed, sizeof typed / sizeof *typed)) {
        list.size -= strlen(".value");
        key = SLICE("value");
    }
    bool name = is_one_of(key, names, sizeof names / sizeof *names);
    if (!name && !is_one_of(key, values, sizeof values / sizeof *values)) {
        return true;
    }
    if (!slice_equal(list, buf_slice(&p->list))) {
        begin_list(p, list);
    }
    if (name) {
        take_name(p, value);
    } else {
        take_value(p, value);
    }
    return true;
}

uint32_t json_pairs_field(const struct paths *paths)
{
    return json_inner_route(paths, SLICE("\x01"
                                         "pairs"));
}

enum err json_pairs_put(struct event *event, const struct paths *paths)
{
    struct pairs p = {.event = event, .paths = paths};
    enum err e = event->form->walk(event, visit, &p);
    e = e == OK && (p.list.failed || p.name.failed || p.failed) ? ERR_MEMORY : e;
    buf_fini(&p.list);
    buf_fini(&p.name);
    return e;
}
