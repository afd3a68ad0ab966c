#include "decode/zeek_header.h"

#include <string.h>

#include "event/decoder.h"

void zeek_header_fini(struct zeek_header *h)
{
    buf_fini(&h->text);
    buf_fini(&h->made);
    columns_fini(&h->columns);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int zeek_header_escape(const char **at, const char *end)
{
    const char *p = *at;
    if (end - p >= 2 && p[1] == '\\') {
        *at = p + 2;
        return '\\';
    }
    if (end - p < 4 || p[1] != 'x' || hex_digit(p[2]) < 0 || hex_digit(p[3]) < 0) {
        return -1;
    }
    *at = p + 4;
    return hex_digit(p[2]) << 4 | hex_digit(p[3]);
}

static const struct slice words[] = {
        {"#separator", 10},
        {"#set_separator", 14},
        {"#empty_field", 12},
        {"#unset_field", 12},
        {"#path", 5},
        {"#fields", 7},
        {"#types", 6},
};
enum { SEPARATOR, SET_SEPARATOR, EMPTY_FIELD, UNSET_FIELD, PATH, FIELDS, TYPES, WORDS };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || c == '_';
}

/* Which word a line begins with; WORDS: none. */
static size_t word_of(struct slice line)
{
    size_t size = 1;
    while (size < line.size && is_letter(line.at[size])) {
        size++;
    }
    for (size_t i = 0; i < WORDS; i++) {
        if (slice_equal(slice_of(line.at, size), words[i])) {
            return i;
        }
    }
    return WORDS;
}

/* Takes the line that begins with a word out of the text. */
static void drop_word(struct buf *text, size_t word)
{
    struct slice rest = buf_slice(text);
    while (rest.size > 0) {
        struct slice line = slice_cut(&rest, '\n');
        if (word_of(line) == word) {
            char *to = text->at + (line.at - text->at);
            memmove(to, rest.at, rest.size);
            text->size -= line.size + 1;
            return;
        }
    }
}

void zeek_header_keep(struct buf *text, struct slice line)
{
    size_t word = word_of(line);
    if (word == WORDS) {
        return;
    }
    if (word == SEPARATOR) {
        buf_clear(text);
    }
    drop_word(text, word);
    if (text->size + line.size + 1 > DECODE_HEADER_LIMIT) {
        buf_clear(text);
        return;
    }
    buf_add(text, line);
    buf_byte(text, '\n');
}

/* ---- reading --------------------------------------------------------------------------------- */

static void read_separator(struct zeek_header *h, struct slice line)
{
    const char *at = line.at + words[SEPARATOR].size, *end = line.at + line.size;
    size_t size = 0;
    at += at < end; /* always a blank */
    while (at < end && size < ZEEK_HEADER_MARK) {
        int byte = *at == '\\' ? zeek_header_escape(&at, end) : -1;
        h->mark[size++] = byte >= 0 ? (char)byte : *at++;
    }
    if (size > 0) {
        h->separator = slice_of(h->mark, size);
    }
}

/* The part of *rest before the separator; moves on behind it. */
static struct slice cut_part(struct slice *rest, struct slice separator)
{
    size_t at = slice_find(*rest, separator);
    struct slice part = slice_of(rest->at, at == SIZE_MAX ? rest->size : at);
    size_t used = at == SIZE_MAX ? rest->size : at + separator.size;
    *rest = slice_of(rest->at + used, rest->size - used);
    return part;
}

static uint32_t type_of(struct slice text)
{
    static const struct {
        struct slice name;
        uint32_t type;
    } types[] = {
            {{"count", 5}, ZEEK_NUMBER},
            {{"int", 3}, ZEEK_NUMBER},
            {{"counter", 7}, ZEEK_NUMBER},
            {{"port", 4}, ZEEK_NUMBER},
            {{"double", 6}, ZEEK_NUMBER},
            {{"time", 4}, ZEEK_NUMBER},
            {{"interval", 8}, ZEEK_NUMBER},
            {{"bool", 4}, ZEEK_BOOL},
    };
    size_t open = slice_find_byte(text, '[');
    if (open < text.size && text.at[text.size - 1] == ']') {
        struct slice inner = slice_of(text.at + open + 1, text.size - open - 2);
        return ZEEK_LIST + (slice_find_byte(inner, '[') < inner.size ? ZEEK_TEXT : type_of(inner));
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (slice_equal(text, types[i].name)) {
            return types[i].type;
        }
    }
    return ZEEK_TEXT;
}

static enum err read_fields(
        struct zeek_header *h, struct slice names, const struct paths *paths, struct diag *diag)
{
    do {
        TRY(columns_add(&h->columns, paths, cut_part(&names, h->separator), diag));
    } while (names.size > 0);
    return OK;
}

static void read_types(struct zeek_header *h, struct slice types)
{
    for (size_t i = 0; i < h->columns.count && types.size > 0; i++) {
        h->columns.at[i].type = type_of(cut_part(&types, h->separator));
    }
}

/* What a line says behind its word and the separator. */
static struct slice value_of(const struct zeek_header *h, struct slice line, size_t word)
{
    struct slice rest = slice_of(line.at + words[word].size, line.size - words[word].size);
    if (slice_starts(rest, h->separator)) {
        return slice_of(rest.at + h->separator.size, rest.size - h->separator.size);
    }
    return slice_of(rest.at + (rest.size > 0), rest.size - (rest.size > 0));
}

static void remember(struct zeek_header *h)
{
    bool bools = false;
    for (size_t i = 0; i < h->columns.count; i++) {
        bools |= (h->columns.at[i].type & ~(uint32_t)ZEEK_LIST) == ZEEK_BOOL;
    }
    buf_clear(&h->made);
    buf_add(&h->made, h->path);
    if (bools) {
        buf_add(&h->made, SLICE("\0true\0false"));
    }
}

enum err zeek_header_read(struct zeek_header *h, const struct paths *paths, struct diag *diag)
{
    struct slice lines[WORDS] = {0};
    if (h->text.failed) {
        return diag_say(diag, ERR_MEMORY, "no memory for a header");
    }
    for (struct slice rest = buf_slice(&h->text); rest.size > 0;) {
        struct slice line = slice_cut(&rest, '\n');
        size_t word = word_of(line);
        if (word < WORDS) {
            lines[word] = line;
        }
    }
    columns_clear(&h->columns);
    h->separator = SLICE("\t");
    h->between = SLICE(",");
    h->empty = SLICE("(empty)");
    h->unset = SLICE("-");
    h->path = (struct slice){0};
    if (lines[SEPARATOR].at) {
        read_separator(h, lines[SEPARATOR]);
    }
    struct slice *const texts[WORDS] = {[SET_SEPARATOR] = &h->between,
            [EMPTY_FIELD] = &h->empty,
            [UNSET_FIELD] = &h->unset,
            [PATH] = &h->path};
    for (size_t i = 0; i < WORDS; i++) {
        if (texts[i] && lines[i].at) {
            *texts[i] = value_of(h, lines[i], i);
        }
    }
    if (!lines[FIELDS].at) {
        return diag_say(diag, ERR_NOT_FOUND, "no #fields line before it");
    }
    TRY(read_fields(h, value_of(h, lines[FIELDS], FIELDS), paths, diag));
    if (lines[TYPES].at) {
        read_types(h, value_of(h, lines[TYPES], TYPES));
    }
    remember(h);
    return h->made.failed ? diag_say(diag, ERR_MEMORY, "no memory for a header") : OK;
}
