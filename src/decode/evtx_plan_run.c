#include "decode/evtx_plan.h"

#include <string.h>

#include "decode/evtx_out.h"
#include "decode/evtx_plan_parts.h"
#include "decode/evtx_shape.h"
#include "decode/evtx_text.h"

struct frame {
    const struct evtx_plan *plan;
    struct evtx_instance instance;
    uint32_t step;
    bool complete;      /* the instance has all slots of the plan */
    bool fresh;         /* no field of the steps to come is present; their bits are set already */
    uint32_t fragments; /* met so far */
    uint32_t depth;     /* of elements around it */
};

struct running {
    const struct evtx_plan_run *run;
    struct event *event;
    uint32_t nodes; /* that the tree would have, at most */
    bool wide;      /* see struct event */
    uint32_t frame_count;
    struct frame frames[EVTX_PLAN_DEPTH];
};

static struct slice bytes_of(const struct running *r, const struct evtx_value *value)
{
    return slice_of(r->run->chunk.at + value->at, value->size);
}

static const struct evtx_value *slot_of(
        const struct running *r, const struct frame *frame, uint16_t slot)
{
    static const struct evtx_value unset = {0};
    return slot < frame->instance.count ? &r->run->values->at[frame->instance.first + slot]
                                        : &unset;
}

/* The texts of templates that stand outside the record. Most templates stand in one other only:
 * what both have is kept. */
static bool add_constants(struct running *r, struct evtx_template *template)
{
    struct slice *all = &r->event->constants;
    struct slice own = template->constants;
    if (own.size == 0 || all->size == 0) {
        *all = own.size ? own : *all;
        return true;
    }
    if (template->around.at == all->at && template->around.size == all->size) {
        *all = template->joined;
        return true;
    }
    size_t size = all->size + own.size;
    bool kept = template->around.at == NULL;
    char *to = kept ? evtx_template_alloc(r->run->templates, size, 1)
                    : arena_alloc(&r->event->scratch, size, 1);
    if (!to) {
        return false;
    }
    memcpy(to, all->at, all->size);
    memcpy(to + all->size, own.at, own.size);
    if (kept) {
        template->around = *all;
        template->joined = slice_of(to, size);
    }
    *all = slice_of(to, size);
    return true;
}

/* Arrays repeat the element they stand in, which is simple for Data only. */
static bool arrays_listed(const struct running *r, const struct frame *frame)
{
    const struct evtx_value *values = &r->run->values->at[frame->instance.first];
    for (uint32_t i = 0; i < frame->instance.count; i++) {
        if ((values[i].type & EVTX_ARRAY) && (i >= frame->plan->slots || !frame->plan->listed[i])) {
            return false;
        }
    }
    return true;
}

/* The plan of an instance just read fits it, and the whole stays in bounds. */
static bool covered(struct running *r, const struct frame *frame)
{
    const struct evtx_plan *plan = frame->plan;
    return plan && plan->covered && frame->depth + plan->deep + 2u <= r->run->depth &&
           r->nodes <= EVTX_PLAN_RECORD_NODES &&
           (!frame->instance.placed.arrays || arrays_listed(r, frame)) &&
           add_constants(r, frame->instance.template);
}

/* Goes on with the instance at a place; `op`: the operation that met it. */
static bool push(struct running *r, struct evtx_place place, const struct op *op, uint32_t depth)
{
    const struct evtx_plan_run *run = r->run;
    uint32_t at = evtx_template_lone(run->chunk, place);
    if (!at || r->frame_count == EVTX_PLAN_DEPTH) {
        return false;
    }
    struct frame *frame = &r->frames[r->frame_count++];
    struct evtx_fault fault; /* the tree will find it again */
    place.at = at;
    if (!evtx_template_instance(run->templates, place, run->values, &frame->instance, &fault)) {
        return false;
    }
    uint32_t end = frame->instance.placed.end;
    if (end < place.end && run->chunk.at[end] != 0) {
        return false; /* something stands behind the instance */
    }
    frame->plan = evtx_plan_for(
            run, frame->instance.template, op ? op->child : PATHS_ROOT, op && op->container);
    frame->step = 0;
    frame->fresh = false;
    frame->fragments = 0;
    frame->depth = depth;
    frame->complete = frame->plan && frame->instance.count >= frame->plan->slots;
    r->nodes += frame->instance.template->count;
    r->wide = r->wide && !frame->instance.placed.ansi;
    return covered(r, frame);
}

static bool run_fragment(
        struct running *r, struct frame *frame, const struct op *op, const struct evtx_value *value)
{
    frame->fragments++;
    if (op->crowded) {
        return false;
    }
    struct evtx_place place = {value->at, value->at + value->size};
    bool ok = push(r, place, op, frame->depth + op->depth);
    for (uint32_t i = 0; ok && i < op->siblings; i++) {
        /* The fragment's root would be numbered. */
        if (slice_equal(r->frames[r->frame_count - 1].plan->root,
                    frame->plan->siblings[op->sibling + i])) {
            return false;
        }
    }
    return ok;
}

static bool put_made(
        struct running *r, const struct path_edge *edge, uint8_t type, struct slice bytes)
{
    struct value value;
    if (!evtx_shape_value(type, bytes, &r->event->scratch, &value)) {
        return false;
    }
    event_put(r->event, edge, &value);
    return true;
}

/* Puts a value that is set. False when it is not; *ok is cleared when there was no memory. */
static inline bool put_value(
        struct running *r, const struct path_edge *edge, uint8_t type, struct slice bytes, bool *ok)
{
    const struct lazy as = evtx_plan_lazy(type);
    if (evtx_text_unset(type, bytes)) {
        return false;
    }
    if (as.form != FORM_TEXT) {
        event_put(r->event, edge, &(struct value){.kind = as.kind, .form = as.form, .text = bytes});
        return true;
    }
    *ok = put_made(r, edge, type, bytes);
    return true;
}

/* An array of one is text, as the tree has it. */
static bool put_list(struct running *r, const struct op *op, const struct evtx_value *value)
{
    uint32_t at = 0;
    struct slice item;
    uint8_t element = value->type & (EVTX_ARRAY - 1);
    const struct value empty = {.kind = VALUE_STRING};
    if (element != EVTX_STRING && evtx_text_item(value->type, bytes_of(r, value), &at, &item) &&
            at == value->size) {
        return put_made(r, op->edge, value->type, bytes_of(r, value));
    }
    at = 0;
    while (evtx_text_item(value->type, bytes_of(r, value), &at, &item)) {
        bool ok = true;
        r->nodes += 4;
        if (evtx_text_unset(element, item)) {
            event_put(r->event, op->edge, &empty);
        } else {
            uint8_t type = evtx_text_fits(element, item) ? element : EVTX_BINARY;
            put_value(r, op->edge, type, item, &ok);
        }
        if (!ok) {
            return false;
        }
    }
    if (at == 0) {
        event_put(r->event, op->edge, &empty);
    }
    return r->nodes <= EVTX_PLAN_RECORD_NODES;
}

/* With an attribute that is set, an element is an object and its text stands deeper. */
static const struct path_edge *edge_now(
        const struct running *r, const struct frame *frame, const struct op *op, bool *object)
{
    *object = op->object;
    for (uint32_t i = 0; i < op->guards && !*object; i++) {
        const struct evtx_value *guard = slot_of(r, frame, frame->plan->guards[op->guard + i]);
        *object = !evtx_text_unset(guard->type, bytes_of(r, guard));
    }
    if (*object && op->edge) {
        evtx_out_put_object(r->event, op->edge);
    }
    return *object ? op->text : op->edge;
}

static bool run_leaf(
        struct running *r, struct frame *frame, const struct op *op, const struct evtx_value *value)
{
    bool object;
    if (value->type == EVTX_BINXML && value->size) {
        if (op->edge) {
            evtx_out_put_object(r->event, op->edge);
        }
        return run_fragment(r, frame, op, value);
    }
    const struct path_edge *edge = edge_now(r, frame, op, &object);
    if (!edge) {
        return true;
    }
    bool ok = true;
    if (!put_value(r, edge, value->type, bytes_of(r, value), &ok) && !object) {
        const struct value null = {.kind = VALUE_NULL};
        event_put(r->event, edge, &null);
    }
    return ok;
}

static bool run_data(struct running *r, const struct op *op, const struct evtx_value *value)
{
    bool ok = true;
    if (value->type & EVTX_ARRAY) {
        return put_list(r, op, value);
    }
    if (value->type == EVTX_BINXML && value->size) {
        return false;
    }
    if (!put_value(r, op->edge, value->type, bytes_of(r, value), &ok)) {
        const struct value empty = {.kind = VALUE_STRING};
        event_put(r->event, op->edge, &empty);
    }
    return ok;
}

static bool run_attribute(struct running *r, const struct op *op, const struct evtx_value *value)
{
    bool ok = value->type != EVTX_BINXML || value->size == 0;
    if (ok) {
        put_value(r, op->edge, value->type, bytes_of(r, value), &ok);
    }
    return ok;
}

static void run_constant(struct running *r, struct frame *frame, const struct op *op)
{
    bool object;
    const struct path_edge *edge = edge_now(r, frame, op, &object);
    if (edge && (op->kind == OP_CONSTANT || !object)) {
        event_put(r->event, edge, &op->constant);
    }
}

static bool run_op(struct running *r, struct frame *frame, const struct op *op)
{
    const struct evtx_value *value = slot_of(r, frame, op->slot);
    switch ((enum op_kind)op->kind) {
    case OP_LEAF:
        return run_leaf(r, frame, op, value);
    case OP_DATA:
        return run_data(r, op, value);
    case OP_FRAGMENT:
        if (value->type == EVTX_BINXML && value->size) {
            return run_fragment(r, frame, op, value);
        }
        return evtx_text_unset(value->type, bytes_of(r, value));
    case OP_ATTRIBUTE:
        return run_attribute(r, op, value);
    case OP_OBJECT:
        evtx_out_put_object(r->event, op->edge);
        return true;
    case OP_CONSTANT:
    case OP_EMPTY:
        run_constant(r, frame, op);
        return true;
    }
    return false;
}

/* Puts a step's value where no step before it can have put one. The bits of the fields are set. */
static inline void put_first(struct value *values, const struct step *step, struct slice text)
{
    struct value *value = &values[step->field];
    *value = step->as;
    value->text = text;
}

static void put_unset(struct event *event, const struct step *step)
{
    const struct value value = {.kind = step->unset == UNSET_NULL ? VALUE_NULL : VALUE_STRING};
    if (step->unset != UNSET_NOTHING) {
        event_put_field(event, step->field, &value, step->as.weak);
    }
}

/* Puts the value of a plain step of whatever type. False: it needs the operation. */
static bool run_plain(
        struct event *event, const struct step *step, uint8_t type, struct slice bytes)
{
    const struct lazy as = evtx_plan_lazy(type);
    if (bytes.size == 0 || (type == EVTX_STRING && evtx_text_unset(type, bytes))) {
        put_unset(event, step);
        return true;
    }
    if (as.form == FORM_TEXT) {
        return false;
    }
    const struct value value = {.text = bytes, .kind = as.kind, .form = as.form};
    event_put_field(event, step->field, &value, step->as.weak);
    return true;
}

/* Marks the fields of a plan as present, for put_first. False: some are already. */
static bool take_fields(struct event *event, const struct evtx_plan *plan)
{
    uint64_t taken = 0;
    for (uint32_t i = 0; i < plan->field_words; i++) {
        taken |= event->present[plan->fields[i].word] & plan->fields[i].bits;
    }
    if (taken || !plan->apart) {
        return false;
    }
    for (uint32_t i = 0; i < plan->field_words; i++) {
        event->present[plan->fields[i].word] |= plan->fields[i].bits;
    }
    return true;
}

static inline void leave_field(struct event *event, const struct step *step)
{
    event->present[step->field >> 6] &= ~((uint64_t)1 << (step->field & 63));
}

/* From here on the steps look whether their fields are present. */
static void leave_fields(struct event *event, struct frame *frame)
{
    const struct evtx_plan *plan = frame->plan;
    for (uint32_t i = frame->step; frame->fresh && i < plan->step_count; i++) {
        if (plan->steps[i].kind != STEP_OTHER) {
            leave_field(event, &plan->steps[i]);
        }
    }
    frame->fresh = false;
}

/* The operation of a step whose value is none of the usual ones. */
static bool run_whole(struct running *r, struct frame *frame, const struct step *step)
{
    for (uint32_t i = 0; i <= step->left && frame->fresh && step->kind != STEP_OTHER; i++) {
        leave_field(r->event, step + i);
    }
    frame->step = (uint32_t)(step - frame->plan->steps) + step->left + 1;
    return run_op(r, frame, &frame->plan->ops[step->op]);
}

/* Puts the usual values of plain steps, up to a step that is none or whose value is not usual. By
 * itself, so that the registers are its own. */
__attribute__((noinline)) static const struct step *put_usual(const struct step *step,
        const struct step *end, const struct evtx_value *slots, const char *chunk,
        struct value *values)
{
    for (; step != end && step->kind == STEP_PLAIN; step++) {
        const struct evtx_value *slot = &slots[step->slot];
        const char *at = chunk + slot->at;
        size_t size = slot->size;
        if (slot->type != step->type || size == 0 ||
                (step->as.form == FORM_UTF16 && (size < 2 || evtx_u16(at) == 0))) {
            break;
        }
        put_first(values, step, slice_of(at, size));
    }
    return step;
}

/* A step that puts a value of another type than usual, none, or more than a value. */
static bool run_step(struct running *r, struct frame *frame, const struct step *step)
{
    const struct evtx_value *slots = &r->run->values->at[frame->instance.first];
    const struct evtx_value *slot = &slots[step->slot];
    bool plain = frame->complete &&
                 (step->kind == STEP_PLAIN ||
                         (step->kind == STEP_GUARDED && slots[step->guard].size == 0));
    if (plain) {
        if (frame->fresh) {
            leave_field(r->event, step);
        }
        if (run_plain(r->event, step, slot->type, bytes_of(r, slot))) {
            frame->step = (uint32_t)(step - frame->plan->steps) + 1;
            return true;
        }
    }
    return run_whole(r, frame, step);
}

/* Goes on with the frame's steps until it is done or another frame stands on it. */
static bool run_frame(struct running *r, struct frame *frame)
{
    const struct evtx_plan *plan = frame->plan;
    const struct evtx_value *slots = &r->run->values->at[frame->instance.first];
    const char *chunk = r->run->chunk.at;
    struct value *values = r->event->values;
    uint32_t frames = r->frame_count;
    while (frame->step < plan->step_count) {
        if (frame->step == plan->first) {
            frame->fresh = frame->complete && take_fields(r->event, plan);
        }
        const struct step *step = plan->steps + frame->step;
        const struct step *end = plan->steps + (frame->fresh ? plan->step_count : frame->step);
        step = put_usual(step, end, slots, chunk, values);
        frame->step = (uint32_t)(step - plan->steps);
        if (frame->step == plan->step_count) {
            break;
        }
        if (!run_step(r, frame, step)) {
            return false;
        }
        if (r->frame_count != frames) {
            leave_fields(r->event, frame);
            return true;
        }
    }
    return true;
}

bool evtx_plan_run(const struct evtx_plan_run *run, struct evtx_place place, struct event *event)
{
    struct running r;
    r.run = run;
    r.event = event;
    r.nodes = 0;
    r.wide = true;
    r.frame_count = 0;
    run->values->used = 0;
    bool ok = push(&r, place, NULL, 0);
    while (ok && r.frame_count) {
        uint32_t frames = r.frame_count;
        struct frame *frame = &r.frames[frames - 1];
        ok = run_frame(&r, frame);
        if (ok && r.frame_count == frames) {
            ok = frame->fragments == frame->instance.placed.fragments; /* all where expected */
            run->values->used = frame->instance.first;
            r.frame_count--;
        }
    }
    event->wide_text = r.wide;
    return ok;
}
