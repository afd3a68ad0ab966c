#include "decode/journal.h"

#include <string.h>

#include "base/memory.h"
#include "decode/fields.h"
#include "decode/message.h"

struct reader {
    struct fields_reader fields;
    struct decode_limits limits;
    struct slice block;
    size_t at;
};

/* ---- entries --------------------------------------------------------------------------------- */

enum taken { TAKEN_FIELD, TAKEN_END, TAKEN_NOTHING };

static uint64_t read_size(const char *at)
{
    uint64_t size = 0;
    for (int i = 7; i >= 0; i--) {
        size = size << 8 | (unsigned char)at[i];
    }
    return size;
}

/* The field at the front, or the empty line (TAKEN_END); *text is then behind it. TAKEN_NOTHING: it
 * does not end here. */
static enum taken take_field(struct slice *text, struct slice *name, struct slice *value)
{
    size_t newline = slice_find_byte(*text, '\n');
    if (newline == text->size) {
        return TAKEN_NOTHING;
    }
    struct slice line = slice_of(text->at, newline);
    size_t equals = slice_find_byte(line, '=');
    *name = slice_of(line.at, equals);
    if (line.size == 0 || equals < line.size) {
        *value = equals < line.size ? slice_from(line, equals + 1) : line;
        *text = slice_from(*text, newline + 1);
        return line.size == 0 ? TAKEN_END : TAKEN_FIELD;
    }
    struct slice data = slice_from(*text, newline + 1);
    if (data.size < 9) {
        return TAKEN_NOTHING;
    }
    uint64_t size = read_size(data.at);
    if (size > data.size - 9) {
        return TAKEN_NOTHING;
    }
    *value = slice_of(data.at + 8, size);
    *text = slice_from(data, (size_t)size + 8 + (data.at[8 + size] == '\n'));
    return TAKEN_FIELD;
}

size_t journal_entry(struct slice bytes)
{
    struct slice text = bytes, name, value;
    for (;;) {
        switch (take_field(&text, &name, &value)) {
        case TAKEN_END:
            return bytes.size - text.size;
        case TAKEN_NOTHING:
            return 0;
        default:
            break;
        }
    }
}

static size_t skip_newlines(struct slice bytes, size_t at)
{
    while (at < bytes.size && bytes.at[at] == '\n') {
        at++;
    }
    return at;
}

/* ---- cut ------------------------------------------------------------------------------------- */

/* In the middle of an entry that is too long (c->b): to the next empty line. */
static void skip_entry(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    size_t end = slice_find(bytes, SLICE("\n\n"));
    c->b = end == SIZE_MAX && !last;
    out->skip = end != SIZE_MAX ? end + 2 : last || bytes.size == 0 ? bytes.size : bytes.size - 1;
    if (!c->b) {
        out->rejected = 1;
        (void)diag_say(diag, ERR_LIMIT, "record longer than %zu bytes", c->limits.record_bytes);
    }
}

static enum err cut(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    *out = (struct cut){0};
    if (c->b) {
        skip_entry(c, bytes, last, out, diag);
        return OK;
    }
    out->skip = skip_newlines(bytes, 0);
    size_t at = out->skip;
    while (at < bytes.size) {
        size_t size = journal_entry(slice_from(bytes, at));
        if (size == 0) {
            break;
        }
        out->records++;
        at = skip_newlines(bytes, at + size);
    }
    if (last && at < bytes.size) { /* the stream may end without its last empty line */
        out->records++;
        at = bytes.size;
    }
    out->size = at - out->skip;
    if (out->size == 0 && bytes.size - out->skip > c->limits.record_bytes) {
        skip_entry(c, bytes, last, out, diag);
    }
    return OK;
}

/* ---- records --------------------------------------------------------------------------------- */

static enum err parse(void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    struct slice name, value, message = {0}, program = {0};
    (void)context;
    while (take_field(&text, &name, &value) == TAKEN_FIELD) {
        fields_named(sink, name, value);
        if (slice_equal(name, SLICE("MESSAGE"))) {
            message = value;
        } else if (slice_equal(name, SLICE("SYSLOG_IDENTIFIER")) ||
                   (program.size == 0 && slice_equal(name, SLICE("_COMM")))) {
            program = value;
        }
    }
    if (text.size > 0 && slice_find_byte(text, '\n') < text.size && *text.at != '\n') {
        return diag_say(diag, ERR_SYNTAX, "a field's bytes end before its size");
    }
    if (text.size > 0 && *text.at != '\n') { /* the last line of a stream, without its newline */
        size_t equals = slice_find_byte(text, '=');
        if (equals == text.size) {
            return diag_say(diag, ERR_SYNTAX, "expected '=' in a field");
        }
        fields_named(sink, slice_of(text.at, equals), slice_from(text, equals + 1));
    }
    message_read(sink, program, message);
    return OK;
}

static const struct fields_form form = FIELDS_FORM("journal", message_names, parse);

static int recognise(struct slice head, bool whole)
{
    (void)whole;
    size_t at = skip_newlines(head, 0);
    head = slice_from(head, at);
    if (slice_starts(head, SLICE("__CURSOR="))) {
        return 95;
    }
    /* Some tools drop the cursor. */
    size_t line = slice_find_byte(head, '\n'), equals = slice_find_byte(head, '=');
    bool named = equals > 1 && equals < line && line < head.size;
    for (size_t i = 0; named && i < equals; i++) {
        char c = head.at[i];
        named = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    }
    return named && slice_find(head, SLICE("\n__REALTIME_TIMESTAMP=")) != SIZE_MAX ? 80 : 0;
}

/* ---- decoder --------------------------------------------------------------------------------- */

static void reader_free(struct reader *r)
{
    if (r) {
        fields_fini(&r->fields);
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
    if (fields_init(&r->fields, &form, paths, r) != OK) {
        reader_free(r);
        return ERR_MEMORY;
    }
    *out = r;
    return OK;
}

static void begin(struct reader *r, struct slice block, struct slice header)
{
    (void)header;
    r->block = block;
    r->at = 0;
}

static enum err next(struct reader *r, struct event *event, struct diag *diag)
{
    r->at = skip_newlines(r->block, r->at);
    if (r->at == r->block.size) {
        return ERR_END;
    }
    struct slice rest = slice_from(r->block, r->at);
    size_t size = journal_entry(rest);
    struct slice entry = slice_of(rest.at, size ? size : rest.size);
    r->at += entry.size;
    if (entry.size > r->limits.record_bytes) {
        event_begin(event, entry);
        return diag_say(diag, ERR_LIMIT, "record longer than %zu bytes", r->limits.record_bytes);
    }
    return fields_read(&r->fields, entry, event, diag);
}

const struct decoder journal_decoder = {
        .name = "journal",
        .about = "systemd's journal, as journalctl -o export writes it",
        .recognise = recognise,
        .cut = cut,
        .reader_new = reader_new,
        .reader_free = reader_free,
        .begin = begin,
        .next = next,
};
