#include "decode/evtx_build.h"

#include <string.h>

#include "base/utf8.h"
#include "decode/evtx_text.h"

/* One array of a repeated element. */
struct loop {
    uint32_t slot_at; /* the slot's node in the source */
    uint8_t type;
    struct slice bytes;
    struct slice item; /* the current one */
    uint32_t next;     /* evtx_text_item's place behind it */
};

struct loops {
    struct loop at[EVTX_LOOPS_LIMIT];
    uint32_t count;
};

/* Nodes that are being copied. */
struct frame {
    const struct evtx_node *nodes;
    uint32_t at;
    uint32_t end;
    bool filled; /* a template's instance */
    struct evtx_instance instance;
};

/* An element or attribute that is not complete. */
struct open {
    uint32_t out;  /* its node in the result */
    uint32_t from; /* its node in the source */
    uint32_t end;
    uint32_t frame;
    struct loops *loops; /* NULL: once */
};

enum { OPEN_LIMIT = EVTX_DEPTH_LIMIT + 2 };

struct build {
    struct evtx_builder *builder;
    struct evtx_fault *fault;
    uint32_t frame_count;
    uint32_t open_count;
    struct frame frames[EVTX_NESTING_LIMIT];
    struct open opens[OPEN_LIMIT];
};

void evtx_build_init(struct evtx_builder *builder, uint32_t depth)
{
    *builder = (struct evtx_builder){.depth = depth < EVTX_DEPTH_LIMIT ? depth : EVTX_DEPTH_LIMIT};
    arena_init(&builder->texts, EVTX_TEXTS_LIMIT);
    arena_init(&builder->names.arena, EVTX_TEXTS_LIMIT);
}

void evtx_build_fini(struct evtx_builder *builder)
{
    evtx_tree_fini(&builder->nodes);
    evtx_tree_fini(&builder->parsed);
    arena_fini(&builder->texts);
    arena_fini(&builder->names.arena);
}

void evtx_build_chunk(struct evtx_builder *builder, struct slice chunk)
{
    builder->chunk = chunk;
    builder->chunk_nodes = 0;
    evtx_tree_forget_names(&builder->names);
}

static bool fail(struct build *b, const char *what)
{
    *b->fault = (struct evtx_fault){what, b->fault->at};
    return false;
}

static struct evtx_node *emit(struct build *b, const struct evtx_node *node)
{
    struct evtx_builder *builder = b->builder;
    builder->bytes += node->text.size;
    struct evtx_node *out = NULL;
    if (builder->bytes > EVTX_BYTES_LIMIT) {
        fail(b, "the record grows over 16 MiB");
    } else if (builder->chunk_nodes++ >= EVTX_CHUNK_NODES) {
        fail(b, "the chunk's records take too much work");
    } else {
        out = evtx_tree_add(&builder->nodes);
        if (!out) {
            fail(b, "too many nodes in one record");
        }
    }
    if (out) {
        out->kind = node->kind;
        out->type = node->type;
        out->text = node->text;
    }
    return out;
}

static bool push_frame(struct build *b, struct frame frame)
{
    if (b->frame_count == EVTX_NESTING_LIMIT) {
        return fail(b, "fragments nested too deeply");
    }
    b->frames[b->frame_count++] = frame;
    return true;
}

static bool push_instance(struct build *b, struct evtx_place place)
{
    struct evtx_builder *builder = b->builder;
    struct frame frame = {.filled = true};
    if (!evtx_template_instance(
                builder->templates, place, builder->values, &frame.instance, b->fault)) {
        return false;
    }
    frame.nodes = frame.instance.template->nodes;
    frame.end = frame.instance.template->count;
    if (!push_frame(b, frame)) {
        builder->values->used = frame.instance.first;
        return false;
    }
    return true;
}

static bool parse(struct build *b, struct evtx_place place)
{
    struct evtx_builder *builder = b->builder;
    struct evtx_source source = {.chunk = builder->chunk,
            .at = place.at,
            .end = place.end,
            .depth = builder->depth,
            .texts = &builder->texts,
            .names = &builder->names};
    builder->parsed.count = 0;
    return evtx_tree_read(&source, &builder->parsed, b->fault);
}

/* Goes on with the nodes just parsed. */
static bool push_parsed(struct build *b)
{
    struct evtx_builder *builder = b->builder;
    uint32_t count = builder->parsed.count;
    struct evtx_node *nodes = ARENA_ARRAY(&builder->texts, struct evtx_node, count);
    if (!nodes) {
        return fail(b, "the record's fragments take too much memory");
    }
    if (count) {
        memcpy(nodes, builder->parsed.at, count * sizeof *nodes);
    }
    return push_frame(b, (struct frame){.nodes = nodes, .end = count});
}

static bool push_fragment(struct build *b, struct evtx_place place)
{
    return parse(b, place) && push_parsed(b);
}

static struct evtx_place place_of(const struct build *b, struct slice text)
{
    uint32_t at = (uint32_t)(text.at - b->builder->chunk.at);
    return (struct evtx_place){at, at + (uint32_t)text.size};
}

static struct slice value_bytes(const struct build *b, const struct evtx_value *value)
{
    return slice_of(b->builder->chunk.at + value->at, value->size);
}

static const struct evtx_value *slot_value(
        const struct build *b, const struct frame *frame, uint16_t slot)
{
    return frame->filled && slot < frame->instance.count
                   ? &b->builder->values->at[frame->instance.first + slot]
                   : NULL;
}

/* Adds the array of a slot to the loops when it has two items or more. */
static bool add_loop(struct build *b, const struct frame *frame, uint32_t at, struct loops *loops)
{
    const struct evtx_value *value = slot_value(b, frame, frame->nodes[at].slot);
    if (!value || !(value->type & EVTX_ARRAY)) {
        return true;
    }
    struct loop loop = {.slot_at = at, .type = value->type, .bytes = value_bytes(b, value)};
    struct slice second;
    if (!evtx_text_item(loop.type, loop.bytes, &loop.next, &loop.item)) {
        return true;
    }
    uint32_t next = loop.next;
    if (!evtx_text_item(loop.type, loop.bytes, &next, &second)) {
        return true;
    }
    if (loops->count == EVTX_LOOPS_LIMIT) {
        return fail(b, "too many arrays in one element");
    }
    loops->at[loops->count++] = loop;
    return true;
}

/* The arrays directly in an element, those of its content before those of its attributes. */
static bool find_loops(struct build *b, const struct frame *frame, uint32_t at, struct loops *loops)
{
    const struct evtx_node *nodes = frame->nodes;
    uint32_t content = at + 1;
    while (content < nodes[at].end && nodes[content].kind == EVTX_ATTRIBUTE) {
        content = nodes[content].end;
    }
    for (uint32_t i = content; i < nodes[at].end; i = nodes[i].end) {
        if (nodes[i].kind == EVTX_SLOT && !add_loop(b, frame, i, loops)) {
            return false;
        }
    }
    for (uint32_t i = at + 1; i < content; i++) {
        if (nodes[i].kind == EVTX_SLOT && !add_loop(b, frame, i, loops)) {
            return false;
        }
    }
    return true;
}

static bool open_node(struct build *b, struct frame *frame, struct loops *loops)
{
    const struct evtx_node *node = &frame->nodes[frame->at];
    if (b->open_count >= b->builder->depth + 1) {
        return fail(b, "elements nested too deeply");
    }
    struct evtx_node *out = emit(b, node);
    if (!out) {
        return false;
    }
    /* Arrays repeat elements: then none is known to be alone. */
    out->slot = frame->filled && !frame->instance.placed.arrays ? node->slot : 0;
    b->opens[b->open_count++] = (struct open){.out = b->builder->nodes.count - 1,
            .from = frame->at,
            .end = node->end,
            .frame = b->frame_count,
            .loops = loops};
    frame->at++;
    return true;
}

static bool open_element(struct build *b, struct frame *frame)
{
    if (b->open_count &&
            b->builder->nodes.at[b->opens[b->open_count - 1].out].kind == EVTX_ATTRIBUTE) {
        return fail(b, "element inside an attribute");
    }
    struct loops *kept = NULL;
    if (frame->filled && frame->instance.placed.arrays) {
        struct loops loops = {.count = 0};
        if (!find_loops(b, frame, frame->at, &loops)) {
            return false;
        }
        if (loops.count) {
            kept = ARENA_NEW(&b->builder->texts, struct loops);
            if (!kept) {
                return fail(b, "the record's arrays take too much memory");
            }
            *kept = loops;
        }
    }
    return open_node(b, frame, kept);
}

/* Sets the loops to their next combination of items; false behind the last. */
static bool advance(struct loops *loops)
{
    for (uint32_t i = loops->count; i-- > 0;) {
        struct loop *loop = &loops->at[i];
        if (evtx_text_item(loop->type, loop->bytes, &loop->next, &loop->item)) {
            return true;
        }
        loop->next = 0;
        evtx_text_item(loop->type, loop->bytes, &loop->next, &loop->item);
    }
    return false;
}

/* Ends what is complete; an element with arrays starts again. */
static bool close_nodes(struct build *b, struct frame *frame)
{
    while (b->open_count) {
        struct open *open = &b->opens[b->open_count - 1];
        if (open->frame != b->frame_count || open->end != frame->at) {
            break;
        }
        b->builder->nodes.at[open->out].end = b->builder->nodes.count;
        b->open_count--;
        if (open->loops && advance(open->loops)) {
            frame->at = open->from;
            return open_node(b, frame, open->loops);
        }
    }
    return true;
}

static const struct loop *current_loop(const struct build *b, uint32_t slot_at)
{
    for (uint32_t i = b->open_count; i-- > 0 && b->opens[i].frame == b->frame_count;) {
        const struct loops *loops = b->opens[i].loops;
        for (uint32_t k = 0; loops && k < loops->count; k++) {
            if (loops->at[k].slot_at == slot_at) {
                return &loops->at[k];
            }
        }
    }
    return NULL;
}

static bool emit_value(struct build *b, uint8_t type, struct slice bytes)
{
    if (evtx_text_unset(type, bytes)) {
        return true;
    }
    if (type == EVTX_STRING) {
        bytes = utf8_until_nul(bytes);
    }
    if (!evtx_text_fits(type, bytes)) {
        type = EVTX_BINARY; /* an item of an array that is no such value */
    }
    struct evtx_node node = {.kind = EVTX_VALUE, .type = type, .text = bytes};
    return emit(b, &node) != NULL;
}

static bool fill_slot(struct build *b, struct frame *frame)
{
    uint32_t at = frame->at++;
    const struct evtx_value *value = slot_value(b, frame, frame->nodes[at].slot);
    if (!value) {
        return true;
    }
    b->fault->at = value->at;
    if (value->type == EVTX_BINXML && value->size) {
        if (b->open_count &&
                b->builder->nodes.at[b->opens[b->open_count - 1].out].kind == EVTX_ATTRIBUTE) {
            return fail(b, "element inside an attribute");
        }
        struct evtx_place place = {value->at, value->at + value->size};
        return push_fragment(b, place);
    }
    const struct loop *loop = (value->type & EVTX_ARRAY) ? current_loop(b, at) : NULL;
    if (loop) {
        return emit_value(b, loop->type & (EVTX_ARRAY - 1), loop->item);
    }
    return emit_value(b, value->type, value_bytes(b, value));
}

static bool step(struct build *b, struct frame *frame)
{
    const struct evtx_node *node = &frame->nodes[frame->at];
    switch ((enum evtx_node_kind)node->kind) {
    case EVTX_ELEMENT:
        return open_element(b, frame);
    case EVTX_ATTRIBUTE:
        return open_node(b, frame, NULL);
    case EVTX_SLOT:
        return fill_slot(b, frame);
    case EVTX_INSTANCE:
        frame->at++;
        return push_instance(b, place_of(b, node->text));
    case EVTX_FRAGMENT:
        frame->at++;
        return push_fragment(b, place_of(b, node->text));
    case EVTX_TEXT:
    case EVTX_VALUE:
        frame->at++;
        return emit(b, node) != NULL;
    }
    return false;
}

static bool run(struct build *b)
{
    while (b->frame_count) {
        struct frame *frame = &b->frames[b->frame_count - 1];
        if (!close_nodes(b, frame)) {
            return false;
        }
        if (frame->at < frame->end) {
            if (!step(b, frame)) {
                return false;
            }
            continue;
        }
        if (frame->filled) {
            b->builder->values->used = frame->instance.first;
        }
        b->frame_count--;
    }
    return true;
}

/* Nothing is to be filled in: a record without templates. */
static bool is_complete(const struct evtx_nodes *nodes)
{
    for (uint32_t i = 0; i < nodes->count; i++) {
        if (nodes->at[i].kind == EVTX_INSTANCE || nodes->at[i].kind == EVTX_FRAGMENT) {
            return false;
        }
    }
    return true;
}

static bool take_parsed(struct build *b)
{
    struct evtx_builder *builder = b->builder;
    struct evtx_nodes parsed = builder->parsed;
    builder->parsed = builder->nodes;
    builder->nodes = parsed;
    builder->chunk_nodes += parsed.count;
    return builder->chunk_nodes <= EVTX_CHUNK_NODES ||
           fail(b, "the chunk's records take too much work");
}

bool evtx_build_record(
        struct evtx_builder *builder, struct evtx_place place, struct evtx_fault *fault)
{
    struct build b;
    b.builder = builder;
    b.fault = fault;
    b.frame_count = 0;
    b.open_count = 0;
    builder->nodes.count = 0;
    builder->bytes = 0;
    builder->values->used = 0;
    arena_reset(&builder->texts);
    fault->at = place.at;
    if (!parse(&b, place)) {
        return false;
    }
    return is_complete(&builder->parsed) ? take_parsed(&b) : push_parsed(&b) && run(&b);
}
