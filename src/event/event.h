/* event: one record, decoded as far as the rules need it: values by field number.
 *
 *     event_begin(event, raw);
 *     event_put(event, edge, &value);                 // the decoder
 *     const struct value *v = event_value(event, id); // the matcher; NULL: absent
 *
 * A worker owns one and uses it again for each record: values are borrowed from the record's
 * block and are gone with event_begin. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "event/paths.h"
#include "event/value.h"

struct event;

/* Called for each scalar leaf of a record (and for empty objects and arrays as VALUE_OBJECT), in
 * order. `path`: keys joined by dots, as in the record, array indexes left out. Return false to
 * stop. */
typedef bool event_visit(void *context, struct slice path, const struct value *value);

/* What a decoder can do with a record beyond the fields that rules name. */
struct event_form {
    const char *name; /* "json", "evtx" */
    /* Visits every value of the record, whether rules name it or not. */
    enum err (*walk)(const struct event *event, event_visit *visit, void *context);
    /* Adds the whole record as one line of JSON, without a newline. */
    void (*write_json)(const struct event *event, struct buf *out);
};

struct event {
    struct value *values; /* by field number; valid where `present` has the bit */
    uint64_t *present;    /* bitmap of field_count bits */
    uint32_t *last;       /* by field number, where it has several: the last, as value.next */
    uint32_t field_count;
    uint32_t present_words;
    struct value *more; /* further values of fields that have several */
    uint32_t more_count;
    uint32_t more_room;
    bool truncated;         /* EVENT_MORE_LIMIT was hit: the record must be rejected */
    bool plain_text;        /* raw holds string values as plain bytes but for \" \\ \b \f \n \r \t:
                               no \u escapes, no \/, no UTF-16: a literal can be searched in it;
                               but for `constants` */
    bool wide_text;         /* raw holds every string value as UTF-16LE, but for `constants` */
    struct slice constants; /* with either: texts that stand outside raw (a template's, a name for
                               a number), UTF-8, any byte that is no text between them */
    struct slice raw;       /* the record's bytes, borrowed from the block */
    const struct event_form *form;
    const void *decoder; /* the decoder's own, for form->... */
    /* Puts the values that the decoder left out so far, since few rules ask for them: see
     * event_finish. NULL: there are none. */
    void (*late)(struct event *event);
    const uint64_t *late_bits;   /* fields that they may be of, as `present`; the reader's */
    struct slice late_constants; /* all that they may add to `constants`; static storage */
    struct arena scratch;        /* texts made while decoding; emptied by event_begin */
};

enum { EVENT_MORE_LIMIT = 1 << 20, EVENT_SCRATCH_LIMIT = 64 << 20 };

/* Room for fields 0..field_count-1. Owner: the caller, by event_fini. */
enum err event_init(struct event *event, uint32_t field_count) MUST_CHECK;
void event_fini(struct event *event);
/* Forgets the last record. */
void event_begin(struct event *event, struct slice raw);

/* Puts what is left of the values. Whoever reads fields must have called it, but where none of
 * late_bits is read. `constants` may grow. */
static inline void event_finish(struct event *event)
{
    void (*late)(struct event *) = event->late;
    event->late = NULL;
    if (late) {
        late(event);
    }
}

static inline const struct value *event_value(const struct event *event, uint32_t field)
{
    if (!(event->present[field >> 6] >> (field & 63) & 1)) {
        return NULL;
    }
    return &event->values[field];
}

/* The value after `value` of the same field, or NULL. */
static inline const struct value *event_next(const struct event *event, const struct value *value)
{
    return value->next ? &event->more[value->next - 1] : NULL;
}

/* Slow path of event_put_field: the field is there already. */
void event_put_again(struct event *event, uint32_t field, const struct value *value, uint8_t weak);

/* Gives a field a value. weak: 0, or the rank of a weak pattern. Values of the same rank add up
 * (elements of an array; several elements of one name); a lower rank replaces what is there, a
 * higher one is dropped: the order of a record's keys does not matter. */
static inline void event_put_field(
        struct event *event, uint32_t field, const struct value *value, uint8_t weak)
{
    uint64_t bit = (uint64_t)1 << (field & 63);
    if (event->present[field >> 6] & bit) {
        event_put_again(event, field, value, weak);
        return;
    }
    event->present[field >> 6] |= bit;
    event->values[field] = *value;
    event->values[field].weak = weak;
    event->values[field].next = 0;
}

static inline void event_put(
        struct event *event, const struct path_edge *edge, const struct value *value)
{
    for (int i = 0; i < PATHS_TARGETS && edge->field[i] != FIELD_NONE; i++) {
        event_put_field(event, edge->field[i], value, edge->weak[i]);
    }
}
