#include "event/event.h"

#include "base/memory.h"

enum { FIRST_MORE = 64 };
enum { CLEARED = 8 }; /* words of the bitmap that are cleared together */

enum err event_init(struct event *event, uint32_t field_count)
{
    uint32_t fields = field_count ? field_count : 1;
    uint32_t words = (fields + 63) / 64;
    uint32_t room = (words + CLEARED - 1) / CLEARED * CLEARED;
    struct event e = {
            .values = memory_alloc_array(fields, sizeof *e.values),
            .present = memory_alloc_array(room, sizeof *e.present),
            .last = memory_alloc_array(fields, sizeof *e.last),
            .more = memory_alloc_array(FIRST_MORE, sizeof *e.more),
            .more_room = FIRST_MORE,
            .field_count = field_count,
            .present_words = words,
    };
    if (!e.values || !e.present || !e.last || !e.more) {
        event_fini(&e);
        return ERR_MEMORY;
    }
    arena_init(&e.scratch, EVENT_SCRATCH_LIMIT);
    *event = e;
    return OK;
}

void event_fini(struct event *event)
{
    memory_free(event->values);
    memory_free(event->present);
    memory_free(event->last);
    memory_free(event->more);
    arena_fini(&event->scratch);
    *event = (struct event){0};
}

void event_begin(struct event *event, struct slice raw)
{
    /* Most rule sets need one round; a call, or a repeated store, takes longer to begin. */
    for (uint32_t w = 0; w < event->present_words; w += CLEARED) {
        memset(event->present + w, 0, CLEARED * sizeof *event->present);
    }
    event->more_count = 0;
    event->truncated = false;
    event->plain_text = false;
    event->wide_text = false;
    event->constants = (struct slice){0};
    event->late = NULL;
    event->raw = raw;
    if (event->scratch.used) {
        arena_reset(&event->scratch);
    }
}

/* Room for one more of event->more. */
static bool more_grow(struct event *event)
{
    if (event->more_count < event->more_room) {
        return true;
    }
    if (event->more_room >= EVENT_MORE_LIMIT) {
        return false;
    }
    uint32_t room = event->more_room * 2;
    struct value *more = memory_resize(event->more, room * sizeof *more);
    if (!more) {
        return false;
    }
    event->more = more;
    event->more_room = room;
    return true;
}

void event_put_again(struct event *event, uint32_t field, const struct value *value, uint8_t weak)
{
    struct value *head = &event->values[field];
    if (weak > head->weak) {
        return;
    }
    if (weak < head->weak) {
        *head = *value;
        head->weak = weak;
        head->next = 0;
        return;
    }
    if (!more_grow(event)) {
        event->truncated = true;
        return;
    }
    struct value *added = &event->more[event->more_count++];
    *added = *value;
    added->weak = weak;
    added->next = 0;
    struct value *before = head->next ? &event->more[event->last[field] - 1] : head;
    before->next = event->more_count;
    event->last[field] = event->more_count;
}
