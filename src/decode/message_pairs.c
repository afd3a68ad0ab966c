#include "decode/message_pairs.h"

#include <string.h>

/* ---- any pairs ------------------------------------------------------------------------------- */

static bool is_divider(char c)
{
    return c == ',' || c == ';' || c == '|' || c == '\t';
}

/* Does a pair begin at this text? */
static bool begins_pair(struct slice text)
{
    struct slice name;
    return message_pair_name(&text, &name);
}

/* The inside of quotes at the front; false: they do not close. *escaped: a backslash is in it. */
static bool take_quoted(struct slice *text, struct slice *value, bool *escaped)
{
    char quote = *text->at;
    *escaped = false;
    for (size_t i = 1; i < text->size; i++) {
        if (text->at[i] == quote) {
            *value = slice_of(text->at + 1, i - 1);
            *text = slice_from(*text, i + 1);
            return true;
        }
        if (text->at[i] == '\\' && i + 1 < text->size &&
                (text->at[i + 1] == quote || text->at[i + 1] == '\\')) {
            *escaped = true;
            i++;
        }
    }
    return false;
}

/* Up to the divider that another pair follows, or all. */
static struct slice take_bare(struct slice *text, char divider)
{
    size_t end = slice_find_byte(*text, divider);
    while (end < text->size && divider != ' ' && divider != '\t' &&
            !begins_pair(slice_from(*text, end + 1))) {
        end += 1 + slice_find_byte(slice_from(*text, end + 1), divider);
    }
    struct slice value = slice_of(text->at, end);
    *text = slice_from(*text, end);
    return slice_trim(value);
}

/* Quotes and backslashes lose the backslash in front. */
static struct slice unescape(struct fields_sink *sink, struct slice text)
{
    char *to = arena_alloc(sink->scratch, text.size, 1);
    size_t size = 0;
    for (size_t i = 0; to && i < text.size; i++) {
        if (text.at[i] == '\\' && i + 1 < text.size && strchr("\"'\\", text.at[i + 1])) {
            i++;
        }
        to[size++] = text.at[i];
    }
    return to ? slice_of(to, size) : text;
}

/* What divides the pairs: the first of ,;|\t behind a value and in front of a pair; else a blank.
 */
static char divider_of(struct slice text)
{
    struct slice name, value;
    bool escaped;
    if (!message_pair_name(&text, &name) || text.size == 0) {
        return ' ';
    }
    if ((*text.at == '"' || *text.at == '\'') && take_quoted(&text, &value, &escaped)) {
        return text.size > 0 && is_divider(*text.at) ? *text.at : ' ';
    }
    for (size_t i = 0; i < text.size && text.at[i] != ' '; i++) {
        if (is_divider(text.at[i]) && begins_pair(slice_from(text, i + 1))) {
            return text.at[i];
        }
    }
    return ' ';
}

/* To the next pair; what stands in front of it is nobody's. */
static bool find_pair(struct slice *text, struct slice *name)
{
    while (text->size > 0) {
        while (text->size > 0 && (*text->at == ' ' || is_divider(*text->at))) {
            *text = slice_from(*text, 1);
        }
        if (message_pair_name(text, name)) {
            return true;
        }
        size_t end = 0;
        while (end < text->size && text->at[end] != ' ' && !is_divider(text->at[end])) {
            end++;
        }
        *text = slice_from(*text, end);
    }
    return false;
}

void message_pairs_put(struct fields_sink *sink, struct slice text)
{
    char divider = divider_of(text);
    struct slice name, value;
    while (find_pair(&text, &name)) {
        bool escaped = false;
        struct slice quoted = text;
        while (quoted.size > 0 && *quoted.at == ' ') { /* "msg= 'text'" */
            quoted = slice_from(quoted, 1);
        }
        bool quote = quoted.size > 0 && (*quoted.at == '"' || *quoted.at == '\'');
        if (quote && take_quoted(&quoted, &value, &escaped)) {
            text = quoted;
        } else {
            value = take_bare(&text, divider);
        }
        if (escaped) {
            message_named_made(sink, name, unescape(sink, value));
        } else {
            message_named_text(sink, name, value);
        }
    }
}

bool message_pairs(struct fields_sink *sink, struct slice text)
{
    struct slice look = text, name;
    if (!message_pair_name(&look, &name)) {
        return false;
    }
    /* Another one must follow: one '=' alone is everywhere. */
    const char *equals = look.size ? memchr(look.at, '=', look.size) : NULL;
    if (!equals) {
        return false;
    }
    message_pairs_put(sink, text);
    return true;
}

/* ---- netfilter ------------------------------------------------------------------------------- */

/* The common names for netfilter's. */
static void put_common(struct fields_sink *sink, struct slice name, struct slice value)
{
    static const struct {
        const char *name;
        uint8_t to;
    } names[] = {
            {"SRC", MESSAGE_SOURCE_IP},
            {"DST", MESSAGE_DESTINATION_IP},
            {"SPT", MESSAGE_SOURCE_PORT},
            {"DPT", MESSAGE_DESTINATION_PORT},
            {"PROTO", MESSAGE_TRANSPORT},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (slice_equal(name, slice_text(names[i].name))) {
            fields_put(sink, names[i].to, value);
            return;
        }
    }
}

/* "[49787.970285] " in front: seconds since the start. */
static struct slice skip_uptime(struct slice text)
{
    size_t close;
    if (text.size == 0 || *text.at != '[' || (close = slice_find_byte(text, ']')) > 24) {
        return text;
    }
    for (size_t i = 1; i < close; i++) {
        if (!strchr("0123456789. ", text.at[i])) {
            return text;
        }
    }
    return slice_trim(slice_from(text, close + 1));
}

bool message_pairs_kernel(struct fields_sink *sink, struct slice program, struct slice text)
{
    (void)program;
    text = skip_uptime(text);
    size_t in = slice_find(text, SLICE("IN="));
    if (in == SIZE_MAX || in > 128 || slice_find(text, SLICE(" SRC=")) == SIZE_MAX) {
        return message_pairs(sink, text);
    }
    struct slice rule = slice_trim(slice_of(text.at, in)), name;
    if (rule.size > 2 && *rule.at == '[' && rule.at[rule.size - 1] == ']') {
        rule = slice_of(rule.at + 1, rule.size - 2);
    }
    if (rule.size > 0) {
        fields_put(sink, MESSAGE_RULE_NAME, rule);
    }
    text = slice_from(text, in);
    bool inner = false; /* an ICMP error quotes the packet it is about: [SRC=... ] */
    while (find_pair(&text, &name)) {
        size_t end = slice_find_byte(text, ' ');
        struct slice value = slice_of(text.at, end);
        text = slice_from(text, end);
        inner |= slice_find(text, SLICE("[")) == 1;
        fields_named(sink, name, value);
        if (!inner && value.size > 0) {
            put_common(sink, name, value);
        }
    }
    return true;
}

/* ---- Postfix --------------------------------------------------------------------------------- */

static bool is_queue_id(struct slice text)
{
    if (text.size < 6 || text.size > 20) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        char c = text.at[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))) {
            return false;
        }
    }
    return true;
}

bool message_pairs_postfix(struct fields_sink *sink, struct slice program, struct slice text)
{
    static const struct message_sentence sentences[] = {
            {"\1: reject: \2 from \3[\4]: \5",
                    {MESSAGE_QUEUE_ID, MESSAGE_NOTHING | MESSAGE_ANY, MESSAGE_SOURCE_HOST,
                            MESSAGE_SOURCE_IP, MESSAGE_REASON | MESSAGE_ANY},
                    MESSAGE_TEXT("reject"), MESSAGE_TEXT("failure")},
            {"connect from \1[\2]\7", {MESSAGE_SOURCE_HOST, MESSAGE_SOURCE_IP},
                    MESSAGE_TEXT("connect"), {0}},
            {"disconnect from \1[\2]\7", {MESSAGE_SOURCE_HOST, MESSAGE_SOURCE_IP},
                    MESSAGE_TEXT("disconnect"), {0}},
            {"lost connection after \1 from \2[\3]\7",
                    {MESSAGE_REASON | MESSAGE_ANY, MESSAGE_SOURCE_HOST, MESSAGE_SOURCE_IP},
                    MESSAGE_TEXT("disconnect"), {0}},
            {"warning: \1[\2]: SASL \3 authentication failed: \4",
                    {MESSAGE_SOURCE_HOST, MESSAGE_SOURCE_IP, MESSAGE_NOTHING,
                            MESSAGE_REASON | MESSAGE_ANY},
                    MESSAGE_TEXT("authentication"), MESSAGE_TEXT("failure")},
    };
    (void)program;
    if (message_match(sink, text, sentences, sizeof sentences / sizeof *sentences)) {
        size_t pairs = slice_find(text, SLICE("from=<"));
        if (pairs != SIZE_MAX) {
            message_pairs_put(sink, slice_from(text, pairs));
        }
        return true;
    }
    size_t colon = slice_find(text, SLICE(": "));
    if (colon == SIZE_MAX || !is_queue_id(slice_of(text.at, colon))) {
        return false;
    }
    fields_put(sink, MESSAGE_QUEUE_ID, slice_of(text.at, colon));
    (void)message_pairs(sink, slice_from(text, colon + 2));
    return true;
}
