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
    frame->fragments = 0;
    frame->depth = depth;
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

/* Types whose values are put as they are, with the kind and the form that they have. The others are
 * made text. */
struct lazy {
    uint8_t kind;
    uint8_t form; /* FORM_TEXT: none */
};

#define LAZY(type, kind) [EVTX_##type] = {VALUE_##kind, FORM_TYPED + EVTX_##type}
static const struct lazy lazy[256] = {LAZY(INT8, NUMBER), LAZY(UINT8, NUMBER), LAZY(INT16, NUMBER),
        LAZY(UINT16, NUMBER), LAZY(INT32, NUMBER), LAZY(UINT32, NUMBER), LAZY(INT64, NUMBER),
        LAZY(UINT64, NUMBER), LAZY(GUID, STRING), LAZY(FILETIME, STRING), LAZY(SYSTEMTIME, STRING),
        LAZY(SID, STRING), LAZY(HEX32, STRING), LAZY(HEX64, STRING),
        LAZY(SIZE, STRING), [EVTX_STRING] = {VALUE_STRING, FORM_UTF16}};

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
    const struct lazy *as = &lazy[type];
    if (evtx_text_unset(type, bytes)) {
        return false;
    }
    if (as->form != FORM_TEXT) {
        event_put(
                r->event, edge, &(struct value){.kind = as->kind, .form = as->form, .text = bytes});
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
    if (evtx_text_item(value->type, bytes_of(r, value), &at, &item) && at == value->size) {
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

/* Where values go. Copies of the event's pointers: the stores of a value's single bytes could, for
 * all that the compiler knows, change the event's own. */
struct target {
    struct event *event;
    struct value *values;
    uint64_t *present;
};

static inline void put_value_of(
        const struct target *to, const struct step *step, struct slice text, struct lazy as)
{
    uint64_t bit = (uint64_t)1 << (step->field & 63);
    uint64_t *present = &to->present[step->field >> 6];
    struct value *value = &to->values[step->field];
    if (__builtin_expect((*present & bit) != 0, 0)) {
        const struct value again = {.text = text, .kind = as.kind, .form = as.form};
        event_put_again(to->event, step->field, &again, step->weak);
        return;
    }
    *present |= bit;
    value->text = text;
    value->kind = as.kind;
    value->form = as.form;
    value->weak = step->weak;
    value->next = 0;
}

/* Puts the value of a plain step. False: its type needs the operation. */
static inline bool run_plain(
        const struct target *to, const struct step *step, uint8_t type, struct slice bytes)
{
    const struct lazy as = lazy[type];
    bool unset = bytes.size == 0;
    if (as.form == FORM_UTF16) {
        unset = bytes.size < 2 || evtx_u16(bytes.at) == 0;
    }
    if (__builtin_expect(!unset, 1)) {
        if (as.form == FORM_TEXT) {
            return false;
        }
        put_value_of(to, step, bytes, as);
    } else if (step->unset != UNSET_NOTHING) {
        const struct lazy none = {step->unset == UNSET_NULL ? VALUE_NULL : VALUE_STRING, FORM_TEXT};
        put_value_of(to, step, (struct slice){0}, none);
    }
    return true;
}

/* Goes on with the frame's steps until it is done or another frame stands on it. */
static bool run_frame(struct running *r, struct frame *frame)
{
    const struct evtx_plan *plan = frame->plan;
    const struct evtx_value *values = &r->run->values->at[frame->instance.first];
    const char *chunk = r->run->chunk.at;
    const struct target to = {r->event, r->event->values, r->event->present};
    bool complete = frame->instance.count >= plan->slots;
    uint32_t frames = r->frame_count;
    const struct step *end = plan->steps + plan->step_count;
    for (const struct step *step = plan->steps + frame->step; step != end; step++) {
        bool plain = step->kind == STEP_PLAIN ||
                     (step->kind == STEP_GUARDED && complete && values[step->guard].size == 0);
        if (__builtin_expect(plain && complete, 1)) {
            const struct evtx_value v = values[step->slot];
            if (run_plain(&to, step, v.type, slice_of(chunk + v.at, v.size))) {
                continue;
            }
        }
        const struct op *op = &plan->ops[step->op];
        step += step->left;
        frame->step = (uint32_t)(step + 1 - plan->steps);
        if (!run_op(r, frame, op)) {
            return false;
        }
        if (r->frame_count != frames) {
            return true;
        }
    }
    frame->step = plan->step_count;
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
        struct frame *frame = &r.frames[r.frame_count - 1];
        if (frame->step < frame->plan->step_count) {
            ok = run_frame(&r, frame);
            continue;
        }
        if (frame->fragments != frame->instance.placed.fragments) {
            return false; /* one stands where none is expected */
        }
        run->values->used = frame->instance.first;
        r.frame_count--;
    }
    event->wide_text = r.wide;
    return ok;
}
