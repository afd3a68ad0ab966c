#include "decode/message_cef.h"

#include <string.h>

/* ---- escapes --------------------------------------------------------------------------------- */

static char escaped_byte(char c)
{
    return c == 'n' ? '\n' : c == 'r' ? '\r' : c;
}

static bool is_escape(struct slice text, size_t at)
{
    return text.at[at] == '\\' && at + 1 < text.size && strchr("=\\|nr", text.at[at + 1]) &&
           text.at[at + 1];
}

static struct slice unescape(struct fields_sink *sink, struct slice text)
{
    char *to = arena_alloc(sink->scratch, text.size, 1);
    size_t size = 0;
    for (size_t i = 0; to && i < text.size; i++) {
        if (is_escape(text, i)) {
            to[size++] = escaped_byte(text.at[++i]);
        } else {
            to[size++] = text.at[i];
        }
    }
    return to ? slice_of(to, size) : text;
}

static bool has_escape(struct slice text)
{
    return text.size > 0 && memchr(text.at, '\\', text.size);
}

/* ---- header ---------------------------------------------------------------------------------- */

bool message_cef_header(struct fields_sink *sink, struct slice *text, int name)
{
    size_t i = 0;
    while (i < text->size && text->at[i] != '|') {
        i += text->at[i] == '\\' ? 2 : 1;
    }
    if (i >= text->size) {
        return false;
    }
    struct slice part = slice_trim(slice_of(text->at, i));
    *text = slice_from(*text, i + 1);
    if (name == MESSAGE_NOTHING) {
        return true;
    }
    if (has_escape(part)) {
        fields_made(sink, (size_t)name, unescape(sink, part));
    } else {
        fields_put(sink, (size_t)name, part);
    }
    return true;
}

/* ---- extension ------------------------------------------------------------------------------- */

struct pair {
    struct slice name, value;
};

/* Letters, digits, "_.-[]". */
static bool is_name_byte(char c)
{
    static const uint64_t bytes[4] = {0x03FF600000000000u, 0x07FFFFFEAFFFFFFEu};
    unsigned char byte = (unsigned char)c;
    return bytes[byte >> 6] >> (byte & 63) & 1;
}

/* Where the name that ends before `equals` begins; SIZE_MAX: none stands there, after a blank. */
static size_t name_start(struct slice text, size_t equals)
{
    size_t start = equals;
    while (start > 0 && is_name_byte(text.at[start - 1])) {
        start--;
    }
    bool first = start == 0 || text.at[start - 1] == ' ' || text.at[start - 1] == '\t' ||
                 text.at[start - 1] == '\n';
    return start < equals && first ? start : SIZE_MAX;
}

/* The next '=' at or behind `at` that a name stands before and no backslash escapes; its name's
 * start is *start. text.size: none. */
static size_t next_equals(struct slice text, size_t at, size_t *start)
{
    while (at < text.size) {
        const char *found = memchr(text.at + at, '=', text.size - at);
        if (!found) {
            break;
        }
        at = (size_t)(found - text.at);
        *start = name_start(text, at);
        if (*start != SIZE_MAX) {
            return at;
        }
        at++;
    }
    *start = text.size;
    return text.size;
}

/* Pairs one after another, each '=' looked for once. */
struct pairs {
    struct slice text;
    size_t start, equals; /* of the next pair; text.size: there is none */
};

static struct pairs pairs_of(struct slice text)
{
    struct pairs p = {.text = text};
    p.equals = next_equals(text, 0, &p.start);
    return p;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* false: there is none. */
static bool take_pair(struct pairs *p, struct pair *pair)
{
    size_t behind, from = p->equals + 1;
    const char *at = p->text.at;
    if (p->equals == p->text.size) {
        return false;
    }
    size_t equals = next_equals(p->text, from, &behind);
    pair->name = slice_of(at + p->start, p->equals - p->start);
    size_t end = behind;
    while (end > from && is_blank(at[end - 1])) {
        end--;
    }
    pair->value = slice_of(at + from, end - from);
    p->start = behind;
    p->equals = equals;
    return true;
}

static void put_pair(struct fields_sink *sink, struct slice name, struct slice value)
{
    if (has_escape(value)) {
        message_named_made(sink, name, unescape(sink, value));
    } else {
        message_named_text(sink, name, value);
    }
}

enum { LABELS = 32, CEF_LABEL_PAIRS = 256 }; /* labels beyond these name nothing */

/* A label that names what somebody looks for; escapes and reserved names are not looked into. */
static bool is_label(const struct fields_sink *sink, const struct pair *pair)
{
    struct slice name = pair->name;
    return name.size > 5 && name.at[name.size - 1] == 'l' && slice_ends(name, SLICE("Label")) &&
           (has_escape(pair->value) || message_reserved(pair->value) ||
                   fields_wants(sink, pair->value));
}

/* cs1Label's text is the name of cs1's value, wherever both stand. */
static void put_labelled(
        struct fields_sink *sink, const struct pair *pair, const struct pair *labels, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t base = labels[i].name.size - 5;
        if (pair->name.size == base && *pair->name.at == *labels[i].name.at &&
                memcmp(pair->name.at, labels[i].name.at, base) == 0 && labels[i].value.size > 0) {
            struct slice label = labels[i].value;
            put_pair(sink, has_escape(label) ? unescape(sink, label) : label, pair->value);
        }
    }
}

void message_cef_extension(struct fields_sink *sink, struct slice text)
{
    struct pair pair, labels[LABELS], first[CEF_LABEL_PAIRS];
    struct pairs pairs = pairs_of(text);
    size_t count = 0, firsts = 0;
    while (take_pair(&pairs, &pair)) {
        put_pair(sink, pair.name, pair.value);
        if (count < LABELS && is_label(sink, &pair)) {
            labels[count++] = pair;
        }
        if (firsts < CEF_LABEL_PAIRS) {
            first[firsts++] = pair;
        }
    }
    for (size_t i = 0; count > 0 && i < firsts; i++) {
        put_labelled(sink, &first[i], labels, count);
    }
}

bool message_cef(struct fields_sink *sink, struct slice text)
{
    static const int header[] = {MESSAGE_CEF_VERSION, MESSAGE_DEVICE_VENDOR, MESSAGE_DEVICE_PRODUCT,
            MESSAGE_DEVICE_VERSION, MESSAGE_DEVICE_CLASS, MESSAGE_EVENT_NAME,
            MESSAGE_DEVICE_SEVERITY};
    if (!slice_starts(text, SLICE("CEF:"))) {
        return false;
    }
    text = slice_from(text, 4);
    for (size_t i = 0; i < sizeof header / sizeof *header; i++) {
        if (!message_cef_header(sink, &text, header[i])) {
            return i > 1;
        }
    }
    message_cef_extension(sink, text);
    return true;
}
