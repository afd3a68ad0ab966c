#include "decode/json_shape.h"

#include "base/hash.h"
#include "base/memory.h"

enum { STATE_SLOTS = JSON_SHAPE_STATES * 2, CONTEXT_SLOTS = JSON_SHAPE_CONTEXTS * 2 };

/* Step 0 never matches: no byte of a value's neighbourhood is 0xFF, and if one is, the step leads
 * to the walk all the same (kind JSON_START). */
void json_shape_forget(struct json_shape *shape)
{
    memset(shape->state_slots, 0, STATE_SLOTS * sizeof *shape->state_slots);
    memset(shape->context_slots, 0, CONTEXT_SLOTS * sizeof *shape->context_slots);
    shape->steps[0] =
            (struct json_shape_step){.mask = UINT32_MAX, .kind = JSON_START, .field = FIELD_NONE};
    memset(shape->steps[0].head, 0xFF, JSON_SHAPE_HEAD);
    shape->states[0] =
            (struct json_shape_state){.context = JSON_SHAPE_NONE, .kind = JSON_START, .key = ""};
    shape->step_count = 1;
    shape->state_count = 1;
    shape->context_count = 0;
    shape->text_size = 0;
    shape->full = false;
    shape->unknown = 0;
}

enum err json_shape_init(struct json_shape *shape)
{
    *shape = (struct json_shape){
            .steps = memory_alloc_array(JSON_SHAPE_STEPS, sizeof *shape->steps),
            .states = memory_alloc_array(JSON_SHAPE_STATES, sizeof *shape->states),
            .contexts = memory_alloc_array(JSON_SHAPE_CONTEXTS, sizeof *shape->contexts),
            .state_slots = memory_alloc_array(STATE_SLOTS, sizeof *shape->state_slots),
            .context_slots = memory_alloc_array(CONTEXT_SLOTS, sizeof *shape->context_slots),
            .text = memory_alloc(JSON_SHAPE_TEXT),
    };
    if (!shape->steps || !shape->states || !shape->contexts || !shape->state_slots ||
            !shape->context_slots || !shape->text) {
        json_shape_fini(shape);
        return ERR_MEMORY;
    }
    json_shape_forget(shape);
    return OK;
}

void json_shape_fini(struct json_shape *shape)
{
    memory_free(shape->steps);
    memory_free(shape->states);
    memory_free(shape->contexts);
    memory_free(shape->state_slots);
    memory_free(shape->context_slots);
    memory_free(shape->text);
    *shape = (struct json_shape){0};
}

void json_shape_missed(struct json_shape *shape)
{
    if (shape->full && ++shape->unknown > JSON_SHAPE_PATIENCE) {
        json_shape_forget(shape);
    }
}

/* A copy of the bytes; NULL: full. */
static const char *keep(struct json_shape *shape, struct slice bytes)
{
    if (bytes.size > JSON_SHAPE_TEXT - shape->text_size) {
        shape->full = true;
        return NULL;
    }
    char *to = shape->text + shape->text_size;
    if (bytes.size) {
        memcpy(to, bytes.at, bytes.size);
    }
    shape->text_size += (uint32_t)bytes.size;
    return to;
}

static uint32_t intern_context(
        struct json_shape *shape, uint32_t parent, uint32_t depth, const struct json_level *level)
{
    uint64_t hash = hash_mix(((uint64_t)parent << 32 | level->node) ^ 0x9E3779B97F4A7C15u,
            (uint64_t)(uintptr_t)level->edge * 2 + level->array + 0xD1B54A32D192ED03u);
    uint32_t slot = (uint32_t)hash & (CONTEXT_SLOTS - 1);
    for (; shape->context_slots[slot]; slot = (slot + 1) & (CONTEXT_SLOTS - 1)) {
        uint32_t id = shape->context_slots[slot] - 1;
        const struct json_shape_context *c = &shape->contexts[id];
        if (c->hash == hash && c->parent == parent && c->node == level->node &&
                c->edge == level->edge && c->array == level->array) {
            return id;
        }
    }
    if (shape->context_count == JSON_SHAPE_CONTEXTS) {
        shape->full = true;
        return JSON_SHAPE_NONE;
    }
    uint32_t id = shape->context_count++;
    shape->contexts[id] = (struct json_shape_context){.edge = level->edge,
            .parent = parent,
            .node = level->node,
            .depth = depth,
            .array = level->array,
            .hash = hash};
    shape->context_slots[slot] = id + 1;
    return id;
}

/* The context of all that is open; false: full. */
static bool open_contexts(struct json_shape *shape, struct json_walk *walk, uint32_t *context)
{
    uint32_t id = JSON_SHAPE_NONE;
    for (uint32_t i = 0; i < walk->depth; i++) {
        struct json_level *level = &walk->stack[i];
        if (level->context == UINT32_MAX) {
            level->context = intern_context(shape, id, i + 1, level);
            if (level->context == JSON_SHAPE_NONE) {
                return false;
            }
        }
        id = level->context;
    }
    *context = id;
    return true;
}

/* JSON_SHAPE_NONE: full. */
static uint32_t intern_state(
        struct json_shape *shape, uint32_t context, uint32_t kind, struct slice key)
{
    uint64_t hash = hash_bytes(key, (uint64_t)context << 8 | kind);
    uint32_t slot = (uint32_t)hash & (STATE_SLOTS - 1);
    for (; shape->state_slots[slot]; slot = (slot + 1) & (STATE_SLOTS - 1)) {
        uint32_t id = shape->state_slots[slot] - 1;
        const struct json_shape_state *s = &shape->states[id];
        if (s->hash == hash && s->context == context && s->kind == kind &&
                slice_equal(slice_of(s->key, s->key_size), key)) {
            return id;
        }
    }
    if (shape->state_count == JSON_SHAPE_STATES) {
        shape->full = true;
        return JSON_SHAPE_NONE;
    }
    const char *kept = keep(shape, key);
    if (!kept) {
        return JSON_SHAPE_NONE;
    }
    uint32_t id = shape->state_count++;
    shape->states[id] = (struct json_shape_state){.context = context,
            .kind = kind,
            .key = kept,
            .key_size = (uint32_t)key.size,
            .hash = hash};
    shape->state_slots[slot] = id + 1;
    return id;
}

/* The step of a state that was not taken for longest is its last. What still expects it as the next
 * one comes from the same state, and compares. */
static uint32_t drop_last(struct json_shape *shape, struct json_shape_state *state)
{
    uint16_t *link = &state->first;
    while (shape->steps[*link].other) {
        link = &shape->steps[*link].other;
    }
    uint32_t id = *link;
    *link = 0;
    state->count--;
    return id;
}

struct json_shape_step json_shape_loose(const struct json_stop *stop)
{
    struct json_shape_step step = {.kind = (uint8_t)stop->kind,
            .field = FIELD_NONE,
            .edge = stop->edge,
            .to = JSON_SHAPE_NOWHERE};
    if (stop->edge) {
        step.field = stop->edge->field[0];
        step.weak = stop->edge->weak[0];
        step.more = stop->edge->field[1] != FIELD_NONE;
    }
    return step;
}

static struct json_shape_step *add_step(struct json_shape *shape, uint32_t from, uint32_t to,
        struct slice bytes, const struct json_stop *stop)
{
    if (shape->step_count == JSON_SHAPE_STEPS) {
        shape->full = true;
        return NULL;
    }
    struct json_shape_step step = json_shape_loose(stop);
    step.size = (uint8_t)bytes.size;
    step.to = (uint16_t)to;
    size_t head = bytes.size < JSON_SHAPE_HEAD ? bytes.size : JSON_SHAPE_HEAD;
    memcpy(step.head, bytes.at, head);
    step.mask = (uint32_t)(((uint64_t)1 << head) - 1);
    if (bytes.size > JSON_SHAPE_HEAD) {
        const char *kept = keep(shape, bytes);
        if (!kept) {
            return NULL;
        }
        step.tail = (uint32_t)(kept - shape->text) + (uint32_t)(bytes.size - head);
    }
    struct json_shape_state *state = &shape->states[from];
    uint32_t id = state->count < JSON_SHAPE_FANOUT ? shape->step_count++ : drop_last(shape, state);
    step.other = state->first;
    shape->steps[id] = step;
    state->first = (uint16_t)id;
    state->count++;
    return &shape->steps[id];
}

struct json_shape_step *json_shape_learn(struct json_shape *shape, uint32_t state,
        struct slice bytes, struct json_walk *walk, const struct json_stop *stop)
{
    if (shape->full || bytes.size == 0 || bytes.size > JSON_SHAPE_BYTES) {
        return NULL;
    }
    uint32_t to = JSON_SHAPE_NOWHERE;
    if (stop->kind != JSON_END) {
        uint32_t context;
        if (!open_contexts(shape, walk, &context)) {
            return NULL;
        }
        to = intern_state(shape, context, stop->kind, walk->key);
        if (to == JSON_SHAPE_NONE) {
            return NULL;
        }
    }
    return add_step(shape, state, to, bytes, stop);
}

void json_shape_restore(const struct json_shape *shape, uint32_t state, struct json_walk *walk)
{
    const struct json_shape_state *s = &shape->states[state];
    uint32_t context = s->context;
    walk->depth = context == JSON_SHAPE_NONE ? 0 : shape->contexts[context].depth;
    for (uint32_t i = walk->depth; i-- > 0;) {
        const struct json_shape_context *c = &shape->contexts[context];
        walk->stack[i] = (struct json_level){
                .edge = c->edge, .node = c->node, .array = c->array, .context = context};
        context = c->parent;
    }
    walk->key = (struct slice){0};
    walk->expect = s->kind == JSON_OPEN    ? JSON_WANT_KEY_OR_CLOSE
                   : s->kind == JSON_START ? JSON_WANT_VALUE
                                           : JSON_WANT_COMMA_OR_CLOSE;
    walk->edge = NULL;
    walk->node = PATHS_ROOT;
}
