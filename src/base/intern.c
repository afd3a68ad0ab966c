#include "base/intern.h"

#include <assert.h>

#include "base/hash.h"
#include "base/memory.h"

enum { FIRST_ROOM = 64 };

/* Texts are names, short: this is out of reach before the count's limit is. */
static const size_t TEXT_CAP = (size_t)1 << 32;

void intern_init(struct intern *in, uint32_t limit)
{
    assert(limit <= (uint32_t)1 << 30);
    *in = (struct intern){.limit = limit};
    arena_init(&in->arena, TEXT_CAP);
}

void intern_fini(struct intern *in)
{
    arena_fini(&in->arena);
    memory_free(in->texts);
    memory_free(in->slots);
    *in = (struct intern){0};
}

/* The slot that holds the text, or the free one where it would stand. */
static uint32_t slot_of(
        const uint32_t *slots, uint32_t mask, const struct slice *texts, struct slice text)
{
    uint32_t i = (uint32_t)hash_bytes(text, 0) & mask;
    while (slots[i] && !slice_equal(texts[slots[i] - 1], text)) {
        i = (i + 1) & mask;
    }
    return i;
}

static enum err grow(struct intern *in)
{
    uint32_t room = in->room ? in->room * 2 : FIRST_ROOM;
    struct slice *texts = memory_alloc_array(room, sizeof *texts);
    uint32_t *slots = memory_alloc_array((size_t)room * 2, sizeof *slots);
    if (!texts || !slots) {
        memory_free(texts);
        memory_free(slots);
        return ERR_MEMORY;
    }
    uint32_t mask = room * 2 - 1;
    for (uint32_t i = 0; i < in->count; i++) {
        texts[i] = in->texts[i];
        slots[slot_of(slots, mask, texts, texts[i])] = i + 1;
    }
    memory_free(in->texts);
    memory_free(in->slots);
    in->texts = texts;
    in->slots = slots;
    in->mask = mask;
    in->room = room;
    return OK;
}

enum err intern_put(struct intern *in, struct slice text, uint32_t *id, bool *fresh)
{
    uint32_t old = intern_find(in, text);
    if (old == INTERN_NONE) {
        if (in->count >= in->limit) {
            return ERR_LIMIT;
        }
        if (in->count == in->room) {
            TRY(grow(in));
        }
        struct slice copy = arena_copy(&in->arena, text);
        if (!copy.at) {
            return ERR_MEMORY;
        }
        in->slots[slot_of(in->slots, in->mask, in->texts, text)] = in->count + 1;
        in->texts[in->count] = copy;
        *id = in->count++;
    } else {
        *id = old;
    }
    if (fresh) {
        *fresh = old == INTERN_NONE;
    }
    return OK;
}

uint32_t intern_find(const struct intern *in, struct slice text)
{
    if (!in->mask) {
        return INTERN_NONE;
    }
    uint32_t number = in->slots[slot_of(in->slots, in->mask, in->texts, text)];
    return number ? number - 1 : INTERN_NONE;
}

struct slice intern_text(const struct intern *in, uint32_t id)
{
    assert(id < in->count);
    return in->texts[id];
}
