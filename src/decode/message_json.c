#include "decode/message_json.h"

#include <string.h>

#include "decode/json_scan.h"
#include "decode/json_walk.h"
#include "event/value.h"

/* One walk over the object: first with `sink` NULL, to see whether it is valid. */
struct walk {
    struct fields_sink *sink;
    const char *at, *end;
    char name[MESSAGE_JSON_NAME];
    size_t name_size;
    size_t outer[MESSAGE_JSON_DEPTH]; /* the name's size outside of each level */
    bool array[MESSAGE_JSON_DEPTH];
    int depth;
};

static void skip_blanks(struct walk *w)
{
    while (w->at < w->end &&
            (*w->at == ' ' || *w->at == '\t' || *w->at == '\r' || *w->at == '\n')) {
        w->at++;
    }
}

/* The inside of a string whose opening quote is at the front. */
static bool take_string(struct walk *w, struct slice *inside)
{
    const char *start = ++w->at;
    while (w->at < w->end && *w->at != '"') {
        w->at += *w->at == '\\' && w->end - w->at > 1 ? 2 : 1;
    }
    if (w->at >= w->end) {
        return false;
    }
    *inside = slice_of(start, (size_t)(w->at - start));
    w->at++;
    return w->sink || json_scan_valid_prefix(*inside) == inside->size;
}

/* Adds a key to the name. */
static bool take_key(struct walk *w)
{
    struct slice key;
    if (w->at == w->end || *w->at != '"' || !take_string(w, &key) ||
            w->name_size + key.size + 1 > MESSAGE_JSON_NAME) {
        return false;
    }
    if (w->name_size > 0) {
        w->name[w->name_size++] = '.';
    }
    w->name_size += key.size ? value_unescape(key, w->name + w->name_size) : 0;
    skip_blanks(w);
    if (w->at == w->end || *w->at != ':') {
        return false;
    }
    w->at++;
    skip_blanks(w);
    return true;
}

static bool take_word(struct walk *w, struct value *value)
{
    static const struct {
        struct slice text;
        enum value_kind kind;
    } words[] = {{{"true", 4}, VALUE_BOOL}, {{"false", 5}, VALUE_BOOL}, {{"null", 4}, VALUE_NULL}};
    struct slice rest = slice_of(w->at, (size_t)(w->end - w->at));
    for (size_t i = 0; i < 3; i++) {
        if (slice_starts(rest, words[i].text)) {
            value->kind = (uint8_t)words[i].kind;
            value->text = value->kind == VALUE_NULL ? (struct slice){0}
                                                    : slice_of(w->at, words[i].text.size);
            w->at += words[i].text.size;
            return true;
        }
    }
    return false;
}

/* A string, a number or a word. */
static bool take_scalar(struct walk *w)
{
    struct value value = {.kind = VALUE_STRING};
    size_t wrong, end;
    if (*w->at == '"') {
        if (!take_string(w, &value.text)) {
            return false;
        }
        value.form = value.text.size && memchr(value.text.at, '\\', value.text.size) ? FORM_JSON
                                                                                     : FORM_TEXT;
    } else if (*w->at == '-' || (*w->at >= '0' && *w->at <= '9')) {
        end = json_walk_number(w->at, 0, (size_t)(w->end - w->at), &wrong);
        value.kind = VALUE_NUMBER;
        value.text = slice_of(w->at, end);
        w->at += end;
        if (end == 0) {
            return false;
        }
    } else if (!take_word(w, &value)) {
        return false;
    }
    if (w->sink) {
        message_named(w->sink, slice_of(w->name, w->name_size), &value);
    }
    return true;
}

/* An opening bracket. true: with something in it, which comes next. */
static bool open_level(struct walk *w, bool *wrong)
{
    bool array = *w->at++ == '[';
    struct value empty = {.kind = VALUE_OBJECT};
    skip_blanks(w);
    if (w->at < w->end && *w->at == (array ? ']' : '}')) {
        w->at++;
        if (w->sink && w->depth > 0) {
            message_named(w->sink, slice_of(w->name, w->name_size), &empty);
        }
        return false;
    }
    if (w->depth == MESSAGE_JSON_DEPTH) {
        *wrong = true;
        return false;
    }
    w->outer[w->depth] = w->name_size;
    w->array[w->depth++] = array;
    *wrong = !array && !take_key(w);
    return !*wrong;
}

/* Behind a value: closing brackets, and a comma with what comes before the next value. */
static bool close_levels(struct walk *w)
{
    while (w->depth > 0) {
        bool array = w->array[w->depth - 1];
        skip_blanks(w);
        if (w->at == w->end) {
            return false;
        }
        w->name_size = w->outer[w->depth - 1];
        char c = *w->at++;
        if (c == ',') {
            skip_blanks(w);
            return array || take_key(w);
        }
        if (c != (array ? ']' : '}')) {
            return false;
        }
        w->depth--;
    }
    return true;
}

static bool walk_object(struct walk *w)
{
    do {
        bool wrong = false;
        if (w->at == w->end) {
            return false;
        }
        if (*w->at == '{' || *w->at == '[') {
            if (open_level(w, &wrong)) {
                continue;
            }
        } else {
            wrong = !take_scalar(w);
        }
        if (wrong || !close_levels(w)) {
            return false;
        }
    } while (w->depth > 0);
    skip_blanks(w);
    return w->at == w->end;
}

bool message_json(struct fields_sink *sink, struct slice text)
{
    static const struct slice cookie = {"@cee:", 5};
    if (slice_starts(text, cookie)) {
        text = slice_trim(slice_of(text.at + cookie.size, text.size - cookie.size));
    }
    if (text.size < 2 || *text.at != '{') {
        return false;
    }
    struct walk w;
    for (int pass = 0; pass < 2; pass++) {
        w.sink = pass ? sink : NULL;
        w.at = text.at;
        w.end = text.at + text.size;
        w.name_size = 0;
        w.depth = 0;
        if (!walk_object(&w)) {
            return false;
        }
    }
    if (slice_find(text, SLICE("\\u")) != SIZE_MAX || slice_find(text, SLICE("\\/")) != SIZE_MAX) {
        fields_unplain(sink);
    }
    return true;
}
