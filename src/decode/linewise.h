/* linewise: the reader of formats whose records are lines, each read by itself.
 *
 *     static const struct linewise kind = {.forms = {&form}};
 *     static enum err reader_new(const struct paths *paths, const struct decode_limits *limits,
 *             struct reader **out)
 *     {
 *         return linewise_new(&kind, paths, limits, out);
 *     }
 *     const struct decoder example_decoder = {.name = "example", .about = "...",
 *             .recognise = recognise, .reader_new = reader_new, LINEWISE_CALLS};
 *
 * decode/lines.h says what a line is, decode/fields.h what a form is. */
#pragma once

#include <stddef.h>

#include "decode/fields.h"
#include "decode/lines.h"
#include "event/decoder.h"

enum { LINEWISE_FORMS = 2 };

/* Static storage. */
struct linewise {
    const struct fields_form *forms[LINEWISE_FORMS];
    /* Which of them a line has; NULL: the first. */
    size_t (*choose)(struct slice line);
};

enum err linewise_new(const struct linewise *kind, const struct paths *paths,
        const struct decode_limits *limits, struct reader **out) MUST_CHECK;
void linewise_free(struct reader *reader);
void linewise_begin(struct reader *reader, struct slice block, struct slice header);
enum err linewise_next(struct reader *reader, struct event *event, struct diag *diag) MUST_CHECK;

#define LINEWISE_CALLS                                                                             \
    .cut = lines_cut, .reader_free = linewise_free, .begin = linewise_begin, .next = linewise_next

/* For recognise: how sure a format that has a grammar of its own is. */
int linewise_sure(struct slice head, bool whole, bool (*is)(struct slice line));
