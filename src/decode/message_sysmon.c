#include "decode/message_sysmon.h"

#include <string.h>

#include "base/utf8.h"

enum { NAME_LIMIT = 128 }; /* bytes of a field's name made of two */

/* Goes over the message; sink NULL: only to see that it is well formed. */
struct xml {
    struct fields_sink *sink;
    struct slice rest;
    bool system; /* inside of <System> */
};

/* An element's start: <tag name="value" .../> */
struct start {
    struct slice tag;
    struct slice attributes; /* as written */
    bool empty;
};

static bool take(struct xml *x, struct slice literal)
{
    if (!slice_starts(x->rest, literal)) {
        return false;
    }
    x->rest = slice_of(x->rest.at + literal.size, x->rest.size - literal.size);
    return true;
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':';
}

static struct slice take_name(struct slice *text)
{
    size_t size = 0;
    while (size < text->size && is_name_byte(text->at[size])) {
        size++;
    }
    struct slice name = slice_of(text->at, size);
    *text = slice_of(text->at + size, text->size - size);
    return name;
}

/* The next attribute; false: there is none, or it is no attribute. */
static bool take_attribute(struct slice *text, struct slice *name, struct slice *value)
{
    *text = slice_trim(*text);
    *name = take_name(text);
    if (name->size == 0 || text->size < 3 || text->at[0] != '=' ||
            (text->at[1] != '"' && text->at[1] != '\'')) {
        return false;
    }
    const char *close = memchr(text->at + 2, text->at[1], text->size - 2);
    if (!close) {
        return false;
    }
    *value = slice_of(text->at + 2, (size_t)(close - text->at) - 2);
    *text = slice_of(close + 1, text->size - (size_t)(close + 1 - text->at));
    return true;
}

/* '<' of a start was seen. */
static bool take_start(struct xml *x, struct start *out)
{
    out->tag = take_name(&x->rest);
    size_t end = 0;
    char quote = '\0';
    while (end < x->rest.size && (quote || x->rest.at[end] != '>')) {
        char c = x->rest.at[end++];
        quote = quote ? (c == quote ? '\0' : quote) : c == '"' || c == '\'' ? c : '\0';
    }
    if (out->tag.size == 0 || end == x->rest.size) {
        return false;
    }
    out->empty = end > 0 && x->rest.at[end - 1] == '/';
    out->attributes = slice_of(x->rest.at, end - out->empty);
    x->rest = slice_of(x->rest.at + end + 1, x->rest.size - end - 1);
    struct slice check = out->attributes, name, value;
    while (take_attribute(&check, &name, &value)) {
    }
    return check.size == 0 && name.size == 0;
}

/* ---- references ------------------------------------------------------------------------------ */

static bool is_character(uint32_t code)
{
    return code > 0 && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

/* A reference by number, `&#233;` or `&#xE9;`: its size; 0: it is none, or of no character. */
static size_t number(struct slice text, uint32_t *code)
{
    bool hex = text.size > 2 && text.at[2] == 'x';
    const char *digits = "0123456789abcdef";
    size_t first = hex ? 3 : 2, at = first;
    *code = 0;
    for (; at < text.size && text.at[at] != ';' && at - first < 7; at++) {
        const char *digit = memchr(digits, text.at[at] | (hex ? 0x20 : 0), hex ? 16 : 10);
        if (!digit) {
            return 0;
        }
        *code = *code * (hex ? 16 : 10) + (uint32_t)(digit - digits);
    }
    bool closed = at > first && at < text.size && text.at[at] == ';';
    return closed && is_character(*code) ? at + 1 : 0;
}

/* The character of a reference `&...;` and its size; 0: it is none. */
static size_t reference(struct slice text, char *to, size_t *written)
{
    static const struct {
        struct slice text;
        char byte;
    } known[] = {{MESSAGE_TEXT("&lt;"), '<'}, {MESSAGE_TEXT("&gt;"), '>'},
            {MESSAGE_TEXT("&amp;"), '&'}, {MESSAGE_TEXT("&quot;"), '"'},
            {MESSAGE_TEXT("&apos;"), '\''}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (slice_starts(text, known[i].text)) {
            *to = known[i].byte;
            *written = 1;
            return known[i].text.size;
        }
    }
    uint32_t code;
    size_t size = slice_starts(text, SLICE("&#")) ? number(text, &code) : 0;
    if (size) {
        *written = utf8_encode(code, to);
    }
    return size;
}

/* Puts a value; what references stand for is no longer than they are. */
static void put(struct xml *x, struct slice name, struct slice text)
{
    if (!x->sink) {
        return;
    }
    if (!memchr(text.at, '&', text.size)) {
        message_named_text(x->sink, name, text);
        return;
    }
    char *made = arena_alloc(x->sink->scratch, text.size + 4, 1);
    size_t size = 0;
    for (size_t i = 0; made && i < text.size;) {
        size_t written = 0;
        struct slice rest = slice_of(text.at + i, text.size - i);
        size_t used = text.at[i] == '&' ? reference(rest, made + size, &written) : 0;
        if (used == 0) {
            made[size] = text.at[i];
            used = written = 1;
        }
        i += used;
        size += written;
    }
    if (made) {
        message_named_made(x->sink, name, slice_of(made, size));
    }
}

/* ---- the event ------------------------------------------------------------------------------- */

/* NAME_ATTRIBUTE, in scratch: it must live as long as the event. */
static void put_attributes(struct xml *x, const struct start *start)
{
    struct slice rest = start->attributes, name, value;
    while (take_attribute(&rest, &name, &value)) {
        size_t size = start->tag.size + 1 + name.size;
        char *made = x->sink && size <= NAME_LIMIT ? arena_alloc(x->sink->scratch, size, 1) : NULL;
        if (made) {
            memcpy(made, start->tag.at, start->tag.size);
            made[start->tag.size] = '_';
            memcpy(made + start->tag.size + 1, name.at, name.size);
            put(x, slice_of(made, size), value);
        }
    }
}

/* The text of an element that has no others, and its end. */
static bool take_text(struct xml *x, const struct start *start, struct slice *out)
{
    size_t size = slice_find_byte(x->rest, '<');
    *out = slice_of(x->rest.at, size);
    x->rest = slice_of(x->rest.at + size, x->rest.size - size);
    return take(x, SLICE("</")) && take(x, start->tag) && take(x, SLICE(">"));
}

/* An element of <System>, or <Data Name="...">. */
static bool take_leaf(struct xml *x, const struct start *start)
{
    struct slice text = {"", 0}, name, value, rest = start->attributes;
    if (!start->empty && !take_text(x, start, &text)) {
        return false;
    }
    if (x->system) {
        put_attributes(x, start);
        if (!start->empty) {
            put(x, start->tag, text);
        }
        return true;
    }
    if (slice_equal(start->tag, SLICE("Data")) && take_attribute(&rest, &name, &value) &&
            slice_equal(name, SLICE("Name"))) {
        put(x, value, text);
        return true;
    }
    return false;
}

static void skip_blanks(struct xml *x)
{
    while (x->rest.size && strchr(" \t\r\n", x->rest.at[0]) && x->rest.at[0]) {
        x->rest = slice_of(x->rest.at + 1, x->rest.size - 1);
    }
}

/* The elements of <System> or <EventData>, up to its end. */
static bool take_part(struct xml *x, const struct start *part)
{
    x->system = slice_equal(part->tag, SLICE("System"));
    if (!x->system && !slice_equal(part->tag, SLICE("EventData"))) {
        return false;
    }
    while (!part->empty) {
        struct start start;
        skip_blanks(x);
        if (take(x, SLICE("</"))) {
            return take(x, part->tag) && take(x, SLICE(">"));
        }
        if (!take(x, SLICE("<")) || !take_start(x, &start) || !take_leaf(x, &start)) {
            return false;
        }
    }
    return true;
}

static bool take_event(struct xml x)
{
    struct start event, part;
    if (!take(&x, SLICE("<")) || !take_start(&x, &event) ||
            !slice_equal(event.tag, SLICE("Event")) || event.empty) {
        return false;
    }
    for (;;) {
        skip_blanks(&x);
        if (take(&x, SLICE("</Event>"))) {
            return x.rest.size == 0;
        }
        if (!take(&x, SLICE("<")) || !take_start(&x, &part) || !take_part(&x, &part)) {
            return false;
        }
    }
}

bool message_sysmon(struct fields_sink *sink, struct slice program, struct slice text)
{
    (void)program;
    struct slice trimmed = slice_trim(text);
    return take_event((struct xml){.rest = trimmed}) &&
           take_event((struct xml){.sink = sink, .rest = trimmed});
}
