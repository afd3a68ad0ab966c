#include "decode/json_form.h"

#include <string.h>

#include "decode/json_walk.h"

void json_form_put_object(struct event *event, const struct path_edge *edge)
{
    struct value value = {.kind = VALUE_OBJECT};
    for (int i = 0; i < PATHS_TARGETS && edge->field[i] != FIELD_NONE; i++) {
        event_put_field(event, edge->field[i], &value, UINT8_MAX);
    }
}

bool json_form_is_plain(struct slice raw)
{
    const char *end = raw.at + raw.size;
    const char *at = raw.at;
    while ((at = memchr(at, '\\', (size_t)(end - at))) && end - at >= 2) {
        if (at[1] == 'u' || at[1] == '/') {
            return false;
        }
        at += 2;
    }
    return true;
}

/* ---- walk ------------------------------------------------------------------------------------ */

/* The path of what is open, and how long it was before each level. */
struct trail {
    struct buf path;
    struct buf sizes;  /* size_t each: the path's size outside of a level; arrays as well */
    struct buf arrays; /* a byte a level: 1 for an array */
};

static size_t outer_size(const struct trail *trail)
{
    size_t size = 0;
    if (trail->sizes.size) {
        memcpy(&size, trail->sizes.at + trail->sizes.size - sizeof size, sizeof size);
    }
    return size;
}

static bool in_array(const struct trail *trail)
{
    return trail->arrays.size > 0 && trail->arrays.at[trail->arrays.size - 1] == 1;
}

static void trail_open(struct trail *trail, bool array)
{
    size_t size = trail->path.size;
    buf_add(&trail->sizes, slice_of((const char *)&size, sizeof size));
    buf_byte(&trail->arrays, array);
}

static void trail_close(struct trail *trail)
{
    trail->sizes.size -= sizeof(size_t);
    trail->arrays.size--;
    trail->path.size = outer_size(trail);
}

/* The end of the string whose inside begins at `at`: its closing quote. */
static const char *string_close(const char *at)
{
    while (*at != '"') {
        at += *at == '\\' ? 2 : 1;
    }
    return at;
}

static void trail_key(struct trail *trail, struct slice key)
{
    trail->path.size = outer_size(trail);
    if (trail->path.size) {
        buf_byte(&trail->path, '.');
    }
    char *to = key.size ? buf_reserve(&trail->path, key.size) : NULL;
    if (to) {
        trail->path.size += value_unescape(key, to);
    }
}

static size_t scalar_size(const char *at, const char *end)
{
    const char *p = at;
    while (p < end && !strchr(",]} \t\r\n", *p)) {
        p++;
    }
    return (size_t)(p - at);
}

/* The scalar at `at`; returns the byte behind it. */
static const char *scalar(const char *at, const char *end, struct value *value)
{
    *value = (struct value){0};
    if (*at == '"') {
        const char *close = string_close(at + 1);
        value->kind = VALUE_STRING;
        value->text = slice_of(at + 1, (size_t)(close - at - 1));
        value->form = memchr(at + 1, '\\', value->text.size) ? FORM_JSON : FORM_TEXT;
        return close + 1;
    }
    value->text = slice_of(at, scalar_size(at, end));
    value->kind = *at == 'n' ? VALUE_NULL : *at == 't' || *at == 'f' ? VALUE_BOOL : VALUE_NUMBER;
    at += value->text.size;
    if (value->kind == VALUE_NULL) {
        value->text = (struct slice){0};
    }
    return at;
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n')) {
        at++;
    }
    return at;
}

/* A key and its colon; returns the byte behind. */
static const char *take_key(struct trail *trail, const char *at, const char *end)
{
    const char *close = string_close(at + 1);
    trail_key(trail, slice_of(at + 1, (size_t)(close - at - 1)));
    at = skip_blanks(close + 1, end);
    return skip_blanks(at + 1, end);
}

static enum err walk_record(
        struct trail *trail, struct slice raw, event_visit *visit, void *context)
{
    const char *at = raw.at, *end = raw.at + raw.size;
    bool key = false; /* a key comes next */
    for (at = skip_blanks(at, end); at < end; at = skip_blanks(at, end)) {
        if (*at == '}' || *at == ']') {
            trail_close(trail);
            key = false;
            at++;
            continue;
        }
        if (*at == ',') {
            key = !in_array(trail);
            at++;
            continue;
        }
        if (key) {
            at = take_key(trail, at, end);
            key = false;
        }
        struct value value = {.kind = VALUE_OBJECT};
        if (*at == '{' || *at == '[') {
            const char *inside = skip_blanks(at + 1, end);
            if (*inside != '}' && *inside != ']') {
                trail_open(trail, *at == '[');
                key = *at == '{';
                at++;
                continue;
            }
            at = inside + 1;
        } else {
            at = scalar(at, end, &value);
        }
        if (trail->path.failed || trail->sizes.failed || trail->arrays.failed) {
            return ERR_MEMORY;
        }
        if (trail->arrays.size && !visit(context, buf_slice(&trail->path), &value)) {
            return OK;
        }
    }
    return OK;
}

static enum err walk(const struct event *event, event_visit *visit, void *context)
{
    struct trail trail = {0};
    enum err e = walk_record(&trail, event->raw, visit, context);
    buf_fini(&trail.path);
    buf_fini(&trail.sizes);
    buf_fini(&trail.arrays);
    return e;
}

/* ---- write ----------------------------------------------------------------------------------- */

static void write_json(const struct event *event, struct buf *out)
{
    const char *at = event->raw.at, *end = at + event->raw.size;
    const char *from = at; /* not yet written */
    /* Most records are one line already, and findings write them often: blanks may stay. */
    if (!memchr(at, '\n', event->raw.size) && !memchr(at, '\r', event->raw.size)) {
        buf_add(out, event->raw);
        return;
    }
    while (at < end) {
        if (*at == '"') {
            at = string_close(at + 1) + 1;
        } else if (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n') {
            buf_add(out, slice_of(from, (size_t)(at - from)));
            at = skip_blanks(at, end);
            from = at;
        } else {
            at++;
        }
    }
    buf_add(out, slice_of(from, (size_t)(at - from)));
}

const struct event_form json_form = {.name = "json", .walk = walk, .write_json = write_json};
