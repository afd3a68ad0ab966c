/* texts: an event's values as texts, converted and folded when first asked for.
 *
 *     texts_begin(&texts, event);
 *     struct slice folded = texts_folded(&texts, field, value);
 *
 * The first value of a field is remembered for the event; further values are converted anew. What
 * is returned stays valid until the next texts_begin. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "event/event.h"

struct text {
    uint32_t plain_epoch;
    uint32_t folded_epoch;
    struct slice plain;
    struct slice folded;
    bool ascii; /* of folded: no byte of 0x80 or more */
};

struct texts {
    struct text *slots; /* by field */
    uint32_t field_count;
    uint32_t epoch;
    const struct value *values; /* of this event */
    char *room;                 /* of this event's converted texts */
    size_t used, size;
    char **retired; /* rooms that became too small during this event */
    uint32_t retired_count, retired_room;
    bool failed; /* memory was refused: the event's answer must not be used */
};

enum err texts_init(struct texts *texts, uint32_t field_count) MUST_CHECK;
void texts_fini(struct texts *texts);
void texts_begin(struct texts *texts, const struct event *event);
/* The value's text in UTF-8; empty for null and objects. */
struct slice texts_plain(struct texts *texts, uint32_t field, const struct value *value);
/* Its fold: LITERAL_SLACK readable bytes stand behind it (detect/literal.h). */
struct slice texts_folded(struct texts *texts, uint32_t field, const struct value *value);
/* The fold with the ascii mark (its plain text need not be there); field FIELD_NONE: a value of no
 * named field. Borrowed until the next call or texts_begin. */
const struct text *texts_get(
        struct texts *texts, uint32_t field, const struct value *value, struct text *spare);
/* A folded copy of any text; *ascii may be NULL. */
struct slice texts_fold(struct texts *texts, struct slice text, bool *ascii);
/* A copy that stays until the next texts_begin. */
struct slice texts_copy(struct texts *texts, struct slice text);
