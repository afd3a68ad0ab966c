#include "decode/json_walk.h"

#include <string.h>

#include "base/memory.h"

enum err json_walk_init(struct json_walk *walk)
{
    walk->stack = memory_alloc_array(walk->limits.depth + (size_t)1, sizeof *walk->stack);
    return walk->stack ? OK : ERR_MEMORY;
}

void json_walk_fini(struct json_walk *walk)
{
    memory_free(walk->stack);
    buf_fini(&walk->unescaped);
}

void json_walk_begin(struct json_walk *walk)
{
    walk->depth = 0;
    walk->keys = 0;
    walk->expect = JSON_WANT_VALUE;
    walk->edge = NULL;
    walk->node = PATHS_ROOT;
    walk->key = (struct slice){0};
    walk->object = walk->at < walk->end && walk->scan->block.at[walk->at] == '{';
}

/* What stands at `at`, in words. */
static const char *found(const struct json_walk *walk, size_t at, char room[16])
{
    if (at >= walk->end) {
        return "the end of the record";
    }
    static const char hex[] = "0123456789ABCDEF";
    unsigned char c = (unsigned char)walk->scan->block.at[at];
    if (c > 0x20 && c < 0x7F) {
        const char text[] = {'\'', (char)c, '\'', '\0'};
        memcpy(room, text, sizeof text);
    } else {
        const char text[] = {'b', 'y', 't', 'e', ' ', '0', 'x', hex[c >> 4], hex[c & 15], '\0'};
        memcpy(room, text, sizeof text);
    }
    return room;
}

static enum err fail(const struct json_walk *walk, size_t at, const char *wanted)
{
    char room[16];
    return diag_set(walk->diag, ERR_SYNTAX, 0, (uint32_t)(at - walk->start + 1),
            "expected %s, found %s", wanted, found(walk, at, room));
}

/* The byte at `at`, or -1 at the record's end. */
static int peek(const struct json_walk *walk)
{
    return walk->at < walk->end ? (unsigned char)walk->scan->block.at[walk->at] : -1;
}

static int skip_blanks(struct json_walk *walk)
{
    for (;;) {
        int c = peek(walk);
        if (c != ' ' && c != '\t' && c != '\r' && (c != '\n' || walk->lines)) {
            return c;
        }
        walk->at++;
    }
}

size_t json_walk_quote(struct json_scan *scan, size_t at)
{
    while (at < scan->block.size) {
        json_scan_upto(scan, at);
        size_t quote = json_scan_next(scan->quotes, at);
        if (quote < scan->done) {
            return quote < scan->block.size ? quote : SIZE_MAX;
        }
        if (!json_scan_more(scan)) {
            break;
        }
    }
    return SIZE_MAX;
}

/* The inside of a string, looked at byte by byte. */
static enum err check_string(const struct json_walk *walk, struct slice inside)
{
    size_t valid = json_scan_valid_prefix(inside);
    if (valid == inside.size) {
        return OK;
    }
    unsigned char c = (unsigned char)inside.at[valid];
    size_t at = (size_t)(inside.at - walk->scan->block.at) + valid;
    const char *words = c < 0x20    ? "an escape for the control byte in a string"
                        : c == '\\' ? "one of the escapes of RFC 8259 in a string"
                                    : "UTF-8 in a string";
    return fail(walk, at, words);
}

/* The string whose inside begins at walk->at; the walk stays there. */
static enum err take_string(struct json_walk *walk, struct slice *inside)
{
    const char *bytes = walk->scan->block.at;
    size_t quote = json_walk_quote(walk->scan, walk->at);
    bool closed = quote < walk->end;
    size_t end = closed ? quote : walk->end;
    *inside = slice_of(bytes + walk->at, end - walk->at);
    if (walk->exact) {
        TRY(check_string(walk, *inside));
    }
    if (!closed) {
        return fail(walk, walk->end, "'\"' at the end of a string");
    }
    if (!walk->exact && json_scan_any(walk->scan->controls, walk->at, quote)) {
        return ERR_SYNTAX;
    }
    return OK;
}

static size_t digits(const char *bytes, size_t at, size_t end)
{
    while (at < end && bytes[at] >= '0' && bytes[at] <= '9') {
        at++;
    }
    return at;
}

size_t json_walk_number(const char *bytes, size_t at, size_t end, size_t *stop)
{
    size_t i = at + (at < end && bytes[at] == '-');
    size_t next = digits(bytes, i, end);
    *stop = i;
    if (next == i) {
        return 0;
    }
    *stop = i + 1;
    if (bytes[i] == '0' && next > i + 1) {
        return 0;
    }
    i = next;
    if (i < end && bytes[i] == '.') {
        next = digits(bytes, i + 1, end);
        *stop = next;
        if (next == i + 1) {
            return 0;
        }
        i = next;
    }
    if (i < end && (bytes[i] == 'e' || bytes[i] == 'E')) {
        i++;
        i += i < end && (bytes[i] == '+' || bytes[i] == '-');
        next = digits(bytes, i, end);
        *stop = next;
        if (next == i) {
            return 0;
        }
        i = next;
    }
    return i;
}

static enum err too_deep(const struct json_walk *walk)
{
    return diag_set(walk->diag, ERR_LIMIT, 0, (uint32_t)(walk->at - walk->start + 1),
            "nested deeper than %u levels", walk->limits.depth);
}

/* Behind the bracket that opens. */
static enum err push(struct json_walk *walk, bool array)
{
    if (walk->depth >= walk->limits.depth) {
        return too_deep(walk);
    }
    struct json_level *level = &walk->stack[walk->depth++];
    level->edge = array ? walk->edge : NULL;
    level->node = walk->node;
    level->array = array;
    level->context = UINT32_MAX;
    walk->key = (struct slice){0};
    walk->expect = array ? JSON_WANT_VALUE_OR_CLOSE : JSON_WANT_KEY_OR_CLOSE;
    walk->at++;
    return OK;
}

/* The field's edge of the value to come: where an event has something to put. */
static const struct path_edge *target(const struct json_walk *walk)
{
    return walk->edge && walk->edge->field[0] != FIELD_NONE ? walk->edge : NULL;
}

/* Behind an opening bracket or brace that has a field: whether it closes at once. */
static bool closes_at_once(struct json_walk *walk, char close)
{
    size_t at = walk->at;
    walk->at++;
    if (skip_blanks(walk) == close) {
        walk->at++;
        return true;
    }
    walk->at = at;
    return false;
}

static enum err open_value(
        struct json_walk *walk, bool array, struct json_stop *stop, bool *stopped)
{
    const struct path_edge *edge = target(walk);
    if (edge && walk->depth < walk->limits.depth && closes_at_once(walk, array ? ']' : '}')) {
        walk->expect = JSON_WANT_COMMA_OR_CLOSE;
        *stop = (struct json_stop){JSON_EMPTY, edge};
        *stopped = true;
        return OK;
    }
    TRY(push(walk, array));
    if (edge && !array) {
        *stop = (struct json_stop){JSON_OPEN, edge};
        *stopped = true;
    }
    return OK;
}

static enum err word_value(
        struct json_walk *walk, enum json_stop_kind kind, struct json_stop *stop, bool *stopped)
{
    static const char *const words[] = {
            [JSON_NULL] = "null", [JSON_TRUE] = "true", [JSON_FALSE] = "false"};
    for (const char *w = words[kind]; *w; w++, walk->at++) {
        if (peek(walk) != *w) {
            return fail(walk, walk->at, words[kind]);
        }
    }
    walk->expect = JSON_WANT_COMMA_OR_CLOSE;
    if (target(walk)) {
        *stop = (struct json_stop){kind, walk->edge};
        *stopped = true;
    }
    return OK;
}

static enum err want_value(struct json_walk *walk, int c, struct json_stop *stop, bool *stopped)
{
    switch (c) {
    case '{':
    case '[':
        return open_value(walk, c == '[', stop, stopped);
    case 'n':
        return word_value(walk, JSON_NULL, stop, stopped);
    case 't':
        return word_value(walk, JSON_TRUE, stop, stopped);
    case 'f':
        return word_value(walk, JSON_FALSE, stop, stopped);
    default:
        break;
    }
    if (c != '"' && c != '-' && (c < '0' || c > '9')) {
        return fail(walk, walk->at, "a value");
    }
    *stop = (struct json_stop){c == '"' ? JSON_STRING : JSON_NUMBER, target(walk)};
    *stopped = true;
    walk->at += c == '"';
    walk->expect = JSON_WANT_COMMA_OR_CLOSE;
    return OK;
}

/* Finds out where the key leads. */
static enum err resolve_key(struct json_walk *walk, uint32_t node)
{
    walk->edge = NULL;
    walk->node = PATHS_NONE;
    if (node == PATHS_NONE) {
        return OK;
    }
    struct slice key = walk->key;
    if (memchr(key.at, '\\', key.size)) {
        if (!walk->exact) {
            TRY(check_string(walk, key));
        }
        buf_clear(&walk->unescaped);
        char *to = buf_reserve(&walk->unescaped, key.size);
        if (!to) {
            return diag_say(walk->diag, ERR_MEMORY, "no memory for a key of %zu bytes", key.size);
        }
        key = slice_of(to, value_unescape(key, to));
    }
    walk->edge = paths_find(walk->paths, node, key);
    if (walk->edge) {
        walk->node = walk->edge->child;
    }
    return OK;
}

static enum err want_key(struct json_walk *walk, int c)
{
    if (c != '"') {
        return fail(walk, walk->at,
                walk->expect == JSON_WANT_KEY ? "'\"' of a key" : "'\"' of a key, or '}'");
    }
    if (walk->keys >= walk->limits.keys) {
        return diag_set(walk->diag, ERR_LIMIT, 0, (uint32_t)(walk->at - walk->start + 1),
                "more than %u keys", walk->limits.keys);
    }
    walk->keys++;
    walk->at++;
    TRY(take_string(walk, &walk->key));
    TRY(resolve_key(walk, walk->stack[walk->depth - 1].node));
    walk->at += walk->key.size + 1;
    if (skip_blanks(walk) != ':') {
        return fail(walk, walk->at, "':' behind a key");
    }
    walk->at++;
    walk->expect = JSON_WANT_VALUE;
    return OK;
}

/* An array's elements stand where it stands itself. */
static void element(struct json_walk *walk)
{
    const struct json_level *level = &walk->stack[walk->depth - 1];
    walk->edge = level->edge;
    walk->node = level->node;
    walk->key = (struct slice){0};
    walk->expect = JSON_WANT_VALUE;
}

static enum err want_comma(struct json_walk *walk, int c)
{
    bool array = walk->stack[walk->depth - 1].array;
    if (c == ',') {
        walk->at++;
        if (array) {
            element(walk);
        } else {
            walk->expect = JSON_WANT_KEY;
        }
        return OK;
    }
    if (c != (array ? ']' : '}')) {
        return fail(walk, walk->at, array ? "',' or ']'" : "',' or '}'");
    }
    walk->at++;
    walk->depth--;
    return OK;
}

/* One piece of punctuation, key or value without a field. */
static enum err advance(struct json_walk *walk, struct json_stop *stop, bool *stopped)
{
    int c = skip_blanks(walk);
    switch (walk->expect) {
    case JSON_WANT_KEY:
        return want_key(walk, c);
    case JSON_WANT_KEY_OR_CLOSE:
    case JSON_WANT_VALUE_OR_CLOSE:
        if (c == (walk->expect == JSON_WANT_KEY_OR_CLOSE ? '}' : ']')) {
            walk->expect = JSON_WANT_COMMA_OR_CLOSE;
            return want_comma(walk, c);
        }
        if (walk->expect == JSON_WANT_KEY_OR_CLOSE) {
            return want_key(walk, c);
        }
        if (c == ',' || c == -1) {
            return fail(walk, walk->at, "a value, or ']'");
        }
        element(walk);
        return want_value(walk, c, stop, stopped);
    case JSON_WANT_COMMA_OR_CLOSE:
        return want_comma(walk, c);
    case JSON_WANT_VALUE:
    default:
        return want_value(walk, c, stop, stopped);
    }
}

enum err json_walk_step(struct json_walk *walk, struct json_stop *stop)
{
    bool stopped = false;
    do {
        if (walk->depth == 0 && walk->expect == JSON_WANT_COMMA_OR_CLOSE) {
            *stop = (struct json_stop){JSON_END, NULL};
            return OK;
        }
        TRY(advance(walk, stop, &stopped));
    } while (!stopped);
    return OK;
}

enum err json_walk_value(struct json_walk *walk, const struct json_stop *stop, struct value *value)
{
    const char *bytes = walk->scan->block.at;
    struct value v = {0};
    size_t wrong;
    switch (stop->kind) {
    case JSON_STRING:
        v.kind = VALUE_STRING;
        TRY(take_string(walk, &v.text));
        v.form = memchr(v.text.at, '\\', v.text.size) ? FORM_JSON : FORM_TEXT;
        walk->at += v.text.size + 1;
        break;
    case JSON_NUMBER: {
        v.kind = VALUE_NUMBER;
        size_t end = json_walk_number(bytes, walk->at, walk->end, &wrong);
        if (end == 0) {
            return fail(walk, wrong, "a number as RFC 8259 writes it");
        }
        v.text = slice_of(bytes + walk->at, end - walk->at);
        walk->at = end;
        break;
    }
    case JSON_TRUE:
    case JSON_FALSE:
        v.kind = VALUE_BOOL;
        v.text = stop->kind == JSON_TRUE ? SLICE("true") : SLICE("false");
        break;
    case JSON_NULL:
        v.kind = VALUE_NULL;
        break;
    default:
        v.kind = VALUE_OBJECT;
        break;
    }
    *value = v;
    return OK;
}

enum err json_walk_close(struct json_walk *walk)
{
    if (skip_blanks(walk) != -1) {
        return fail(walk, walk->at, "nothing more behind the record's value");
    }
    if (!walk->object) {
        return diag_set(walk->diag, ERR_SYNTAX, 0, 1, "not an object");
    }
    return OK;
}
