#include "decode/zeek.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "decode/fields.h"
#include "decode/lines.h"
#include "decode/zeek_header.h"

struct reader {
    struct fields_reader fields;
    struct zeek_header header;
    const struct paths *paths;
    struct decode_limits limits;
    struct slice block;
    size_t at;
    bool changed; /* the header, since it was last read */
    enum err header_error;
    struct diag header_diag;
};

/* A row while it is read. */
struct row {
    const struct zeek_header *header;
    struct fields_sink *sink;
    bool escapes; /* a backslash stands somewhere in it */
    bool failed;  /* no memory */
};

enum { PATH_NAME };
static const char *const names[] = {[PATH_NAME] = "_path"};

/* ---- values ---------------------------------------------------------------------------------- */

/* The bytes of one well-formed UTF-8 sequence from *at on, each plain or escaped, the first one at
 * least 0x80. 0: they are none. */
static size_t take_sequence(const char **at, const char *end, char bytes[4])
{
    const char *p = *at;
    size_t size = 0;
    while (p < end && size < 4) {
        int byte = *p == '\\' ? zeek_header_escape(&p, end) : (unsigned char)*p++;
        if (byte < 0) {
            break;
        }
        bytes[size++] = (char)byte;
        if (utf8_sequence(bytes, size) == size) {
            *at = p;
            return size;
        }
    }
    return 0;
}

/* What Zeek writes as \xHH in JSON too: control bytes but \b \t \n \f \r. */
static bool stays_escaped(int byte)
{
    return (byte < 0x20 && !(byte >= '\b' && byte <= '\r' && byte != '\v')) || byte == 0x7F;
}

/* Resolves escapes into `to`, which has room for text.size bytes. */
static size_t unescape(struct slice text, char *to)
{
    const char *at = text.at, *end = at + text.size;
    char *start = to;
    while (at < end) {
        const char *next = at;
        int byte = *at == '\\' ? zeek_header_escape(&next, end) : -1;
        if (byte < 0 || stays_escaped(byte)) {
            *to++ = *at++;
        } else if (byte < 0x80) {
            *to++ = (char)byte;
            at = next;
        } else {
            char bytes[4];
            size_t size = take_sequence(&at, end, bytes);
            if (size == 0) { /* stays as it is written */
                memcpy(bytes, at, 4);
                size = 4;
                at += 4;
            }
            memcpy(to, bytes, size);
            to += size;
        }
    }
    return (size_t)(to - start);
}

static void put_text(struct row *row, const struct column *column, struct slice text)
{
    struct value value = {.text = text, .kind = VALUE_STRING};
    if (slice_equal(text, row->header->empty)) {
        value.text.size = 0;
    } else if (row->escapes && text.size > 0 && memchr(text.at, '\\', text.size)) {
        char *made = arena_alloc(row->sink->scratch, text.size, 1);
        row->failed |= !made;
        if (!made) {
            return;
        }
        value.text = slice_of(made, unescape(text, made));
        fields_remember(row->sink, value.text);
    }
    columns_put(row->sink, column, &value);
}

static void put_one(struct row *row, const struct column *column, uint32_t type, struct slice text)
{
    if (type == ZEEK_BOOL && text.size == 1 && (*text.at == 'T' || *text.at == 'F')) {
        struct value value = {.kind = VALUE_BOOL};
        value.text = *text.at == 'T' ? SLICE("true") : SLICE("false");
        columns_put(row->sink, column, &value);
    } else if (type == ZEEK_NUMBER && columns_is_number(text)) {
        columns_put(row->sink, column, &(struct value){.text = text, .kind = VALUE_NUMBER});
    } else {
        put_text(row, column, text);
    }
}

static void put_list(struct row *row, const struct column *column, struct slice text)
{
    const struct zeek_header *h = row->header;
    uint32_t type = column->type - ZEEK_LIST;
    if (slice_equal(text, h->empty)) {
        columns_put_object(row->sink, column);
        return;
    }
    for (;;) {
        size_t at = h->between.size == 1 ? slice_find_byte(text, h->between.at[0])
                    : h->between.size    ? slice_find(text, h->between)
                                         : SIZE_MAX;
        struct slice part = slice_of(text.at, at < text.size ? at : text.size);
        if (slice_equal(part, h->unset)) {
            columns_put(row->sink, column, &(struct value){.kind = VALUE_NULL});
        } else {
            put_one(row, column, type, part);
        }
        if (at >= text.size) {
            return;
        }
        text = slice_of(text.at + at + h->between.size, text.size - at - h->between.size);
    }
}

static void put_column(struct row *row, const struct column *column, struct slice text)
{
    if (slice_equal(text, row->header->unset)) {
        return;
    }
    if (column->type >= ZEEK_LIST) {
        put_list(row, column, text);
    } else {
        put_one(row, column, column->type, text);
    }
}

/* ---- rows ------------------------------------------------------------------------------------ */

static enum err wrong_count(struct diag *diag, size_t most)
{
    return diag_say(diag, ERR_SYNTAX, "not the %zu columns that #fields names", most);
}

/* Rows whose separator is more than one byte. */
static enum err parse_slowly(struct row *row, struct slice text, struct diag *diag)
{
    const struct zeek_header *h = row->header;
    size_t parts = 1, size = h->separator.size, at;
    for (struct slice rest = text; (at = slice_find(rest, h->separator)) != SIZE_MAX; parts++) {
        rest = slice_of(rest.at + at + size, rest.size - at - size);
    }
    if (parts != h->columns.count) {
        return wrong_count(diag, h->columns.count);
    }
    for (size_t i = 0; i < parts; i++) {
        at = i + 1 < parts ? slice_find(text, h->separator) : text.size;
        put_column(row, &h->columns.at[i], slice_of(text.at, at));
        if (i + 1 < parts) {
            text = slice_of(text.at + at + size, text.size - at - size);
        }
    }
    return OK;
}

static enum err parse(void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    struct reader *r = context;
    struct zeek_header *h = &r->header;
    struct columns *c = &h->columns;
    struct row row = {.header = h, .sink = sink};
    row.escapes = memchr(text.at, '\\', text.size) != NULL;
    if (h->made.size > 0) {
        fields_remember(sink, buf_slice(&h->made));
    }
    if (h->path.at) {
        fields_put(sink, PATH_NAME, h->path);
    }
    if (h->separator.size > 1) {
        TRY(parse_slowly(&row, text, diag));
    } else {
        if (columns_split(c, text, h->separator.at[0]) != c->count) {
            return wrong_count(diag, c->count);
        }
        /* What no rule names matters only where its text is not in the bytes. */
        bool all = !sink->event || row.escapes;
        size_t count = all ? c->count : c->wanted_count;
        for (size_t i = 0; i < count; i++) {
            size_t n = all ? i : c->wanted[i];
            put_column(&row, &c->at[n], columns_part(c, n));
        }
    }
    return row.failed ? diag_say(diag, ERR_MEMORY, "no memory for a record's texts") : OK;
}

static const struct fields_form form = FIELDS_FORM("zeek", names, parse);

/* ---- the decoder ----------------------------------------------------------------------------- */

static bool is_header(struct slice line, const struct decode_limits *limits)
{
    return line.at[0] == '#' && line.size <= limits->record_bytes;
}

static enum err next(struct reader *r, struct event *event, struct diag *diag)
{
    struct slice line;
    for (;;) {
        if (!lines_next(r->block, &r->at, &line)) {
            return ERR_END;
        }
        if (!is_header(line, &r->limits)) {
            break;
        }
        zeek_header_keep(&r->header.text, line);
        r->changed = true;
    }
    if (r->changed) {
        r->header_error = zeek_header_read(&r->header, r->paths, &r->header_diag);
        r->changed = false;
    }
    event_begin(event, line);
    TRY(lines_check(line, &r->limits, diag));
    if (r->header_error != OK) {
        return diag_say(diag, r->header_error, "%s", r->header_diag.words);
    }
    return fields_read(&r->fields, line, event, diag);
}

static void begin(struct reader *r, struct slice block, struct slice header)
{
    r->block = block;
    r->at = 0;
    buf_clear(&r->header.text);
    buf_add(&r->header.text, header);
    r->changed = true;
}

static void reader_free(struct reader *r)
{
    if (r) {
        fields_fini(&r->fields);
        zeek_header_fini(&r->header);
        memory_free(r);
    }
}

static enum err reader_new(
        const struct paths *paths, const struct decode_limits *limits, struct reader **out)
{
    struct reader *r = memory_alloc(sizeof *r);
    if (!r) {
        return ERR_MEMORY;
    }
    r->limits = *limits;
    r->paths = paths;
    if (fields_init(&r->fields, &form, paths, r) != OK) {
        reader_free(r);
        return ERR_MEMORY;
    }
    *out = r;
    return OK;
}

/* The # lines of a block go to the header, and are no records. */
static enum err cut(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    TRY(lines_cut(c, bytes, last, out, diag));
    const char *at = bytes.at + out->skip, *end = at + out->size, *start = at, *found;
    while (at < end && (found = memchr(at, '#', (size_t)(end - at)))) {
        size_t from = 0;
        struct slice line;
        at = found + 1;
        if ((found == start || found[-1] == '\n') &&
                lines_next(slice_of(found, (size_t)(end - found)), &from, &line)) {
            at = found + from;
            if (is_header(line, &c->limits)) {
                zeek_header_keep(&c->header, line);
                out->records--;
            }
        }
    }
    return OK;
}

/* #separator or #fields among the # lines that a Zeek log begins with. */
static int recognise(struct slice head, bool whole)
{
    size_t at = slice_starts(head, SLICE("\xEF\xBB\xBF")) ? 3 : 0;
    struct slice line;
    (void)whole;
    while (lines_next(head, &at, &line) && line.at[0] == '#') {
        if (slice_starts(line, SLICE("#separator ")) || slice_starts(line, SLICE("#fields\t"))) {
            return 95;
        }
    }
    return 0;
}

const struct decoder zeek_decoder = {
        .name = "zeek",
        .about = "Zeek: logs of separated values under # lines (Zeek's JSON logs are json)",
        .headed = true,
        .recognise = recognise,
        .cut = cut,
        .reader_new = reader_new,
        .reader_free = reader_free,
        .begin = begin,
        .next = next,
};
