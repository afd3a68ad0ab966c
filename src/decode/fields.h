/* fields: the named values of a text record: one parser a format, for rules and for people.
 *
 *     enum { HOST, USER };
 *     static const char *const names[] = {[HOST] = "host", [USER] = "user"};
 *     static enum err parse(void *context, struct slice text, struct fields_sink *sink,
 *             struct diag *diag)
 *     {
 *         fields_put(sink, HOST, host);             // bytes of the record
 *         fields_made(sink, USER, SLICE("root"));   // text that the record's bytes do not hold
 *         fields_named(sink, key, value);           // a name that the record gives
 *         return OK;
 *     }
 *     static const struct fields_form form = FIELDS_FORM("example", names, parse);
 *
 *     TRY(fields_init(&r->fields, &form, paths, r));        // reader_new
 *     return fields_read(&r->fields, line, event, diag);    // next
 *
 * fields_read runs the parser with a sink that keeps only what rules name; walk and write_json of
 * event->form run it again over event->raw, with one that keeps everything. So a parser depends on
 * its text and on what stays as it is while the block is read (a header), and what it hands over
 * stands in the text, in static storage, or in sink->scratch.
 *
 * A name with dots is one name; rules reach it by the same text. A name that comes twice has two
 * values. Records need not be UTF-8: bytes that are not stay as they are, and become U+FFFD where
 * JSON is written.
 *
 * The format's name stands as a value at the path FIELDS_FORMAT, which only a taxonomy can name
 * (the route `format`): `when: {format: squid}`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "event/event.h"
#include "event/paths.h"
#include "event/value.h"

#define FIELDS_FORMAT                                                                              \
    "\x01"                                                                                         \
    "format"
enum { FIELDS_NAMES = 1024 }; /* fixed names of one format */

struct fields_sink;
typedef enum err fields_parse(
        void *context, struct slice text, struct fields_sink *sink, struct diag *diag);

typedef void fields_late(struct fields_sink *sink, struct slice text);

/* A format; static storage. */
struct fields_form {
    struct event_form event; /* .name is the value of the route `format` */
    const char *const *names;
    size_t count;
    fields_parse *parse;
    uint16_t late_first, late_count; /* names that fields_later may put off */
};
#define FIELDS_FORM(format, fixed, parser)                                                         \
    {                                                                                              \
        .event = {.name = (format), .walk = fields_walk, .write_json = fields_write_json},         \
        .names = (fixed), .count = sizeof(fixed) / sizeof *(fixed), .parse = (parser)              \
    }

/* Part of a decoder's reader. */
struct fields_reader {
    const struct fields_form *form;
    void *context; /* the parser's */
    const struct paths *paths;
    const struct path_edge **edges; /* by fixed name; NULL: no rule names it */
    const struct path_edge *format; /* of FIELDS_FORMAT */
    struct buf made; /* texts that the record's bytes do not hold, for the search of keywords */
    /* What fields_later put off. */
    uint64_t *late_bits; /* NULL: nobody names such a field */
    fields_late *late;
    struct slice late_text, late_constants;
};

/* Where a parser's values go. */
struct fields_sink {
    struct arena *scratch; /* for texts that the parser makes */
    /* Private. */
    const struct fields_reader *reader;
    struct event *event; /* NULL: everything goes to `visit` */
    struct buf *made;
    event_visit *visit;
    void *context;
    bool stopped; /* by the visitor */
    bool last;    /* the parser says: what it puts now is the last of the record */
    struct slice format;
};

/* Owner of what it allocates: the caller, by fields_fini, also after a failure. */
enum err fields_init(struct fields_reader *r, const struct fields_form *form,
        const struct paths *paths, void *context) MUST_CHECK;
void fields_fini(struct fields_reader *r);
/* Makes the event out of a record. What the parser returns is returned. */
enum err fields_read(struct fields_reader *r, struct slice raw, struct event *event,
        struct diag *diag) MUST_CHECK;

/* For struct event_form. */
enum err fields_walk(const struct event *event, event_visit *visit, void *context);
/* An object with the names as keys, dots and all, in order; several values of a name become an
 * array at the first one's place. */
void fields_write_json(const struct event *event, struct buf *out);

/* ---- for parsers ----------------------------------------------------------------------------- */

/* Hands a value to the visitor. */
void fields_show(struct fields_sink *sink, struct slice name, const struct value *value);
/* Remembers a text that is not in the record's bytes. */
void fields_remember(struct fields_sink *sink, struct slice text);

/* A fixed name's value, of any kind and form. A string of FORM_TEXT must stand in the record. */
static inline void fields_put_value(
        struct fields_sink *sink, size_t name, const struct value *value)
{
    if (!sink->event) {
        fields_show(sink, slice_text(sink->reader->form->names[name]), value);
    } else if (sink->reader->edges[name]) {
        event_put(sink->event, sink->reader->edges[name], value);
    }
}

/* Text that stands in the record's bytes. */
static inline void fields_put(struct fields_sink *sink, size_t name, struct slice text)
{
    struct value value = {.text = text, .kind = VALUE_STRING};
    fields_put_value(sink, name, &value);
}

/* Text that does not: from a table, or made in sink->scratch. */
static inline void fields_made(struct fields_sink *sink, size_t name, struct slice text)
{
    fields_remember(sink, text);
    fields_put(sink, name, text);
}

/* A name that the record gives. No name, or one that no rule could write ('\x01' first): dropped
 * where rules look. */
void fields_named_value(struct fields_sink *sink, struct slice name, const struct value *value);
/* Does anybody look for it? Else the values of that name need not be made. */
bool fields_wants(const struct fields_sink *sink, struct slice name);
void fields_named(struct fields_sink *sink, struct slice name, struct slice text);
void fields_named_made(struct fields_sink *sink, struct slice name, struct slice text);
/* Values stand in the record in another form than keywords are searched in (\u escapes). */
void fields_unplain(struct fields_sink *sink);
/* Puts off the last of what a record gives, until somebody wants a field of it: `parse` puts names
 * of the form's late ones alone. `constants`: all that it could remember, with a NUL between;
 * static storage. false: the parser must go on itself. */
bool fields_later(
        struct fields_sink *sink, fields_late *parse, struct slice text, struct slice constants);
/* The record is of this format, not of the one that the form names. Static storage. */
void fields_format(struct fields_sink *sink, struct slice format);
