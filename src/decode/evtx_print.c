#include "decode/evtx_print.h"

#include <stdalign.h>
#include <string.h>

#include "decode/evtx_out.h"
#include "decode/evtx_text.h"

enum {
    NODES = 1024, /* of a template that gets a program */
    DEPTH = 128,
    FRAMES = 8,
    USES = 4, /* of one slot */
};

enum step_kind {
    STEP_LITERAL,
    STEP_ELEMENT,    /* the value of an element without elements in it */
    STEP_DATA,       /* the same of a Data element */
    STEP_ITEM,       /* of a Data element in a list */
    STEP_ATTRIBUTES, /* in front of an element's elements */
    STEP_FRAGMENT,   /* a slot beside elements */
};

enum content { CONTENT_NONE, CONTENT_SLOT, CONTENT_CONSTANT };

struct step {
    uint8_t kind;
    uint8_t content;
    bool first;   /* a fragment before the first element */
    bool crowded; /* the slot stands in other places, too */
    uint16_t slot;
    uint16_t attribute; /* the first one of the program's, and how many */
    uint16_t attributes;
    uint16_t sibling;
    uint16_t siblings;
    struct slice text; /* STEP_LITERAL; CONTENT_CONSTANT: a value in JSON */
};

struct attribute {
    struct slice text; /* "Name":"value", or "Name": in front of a slot's value */
    uint16_t slot;
    bool constant;
};

struct evtx_program {
    struct evtx_program *next;
    bool container; /* the root stands in EventData or UserData */
    bool covered;
    uint16_t step_count;
    uint16_t slots; /* that `listed` has */
    struct slice root;
    const struct step *steps;
    const struct attribute *attributes;
    const struct slice *siblings;
    const bool *listed; /* by slot: an array here is a list */
};

/* ---- making ------------------------------------------------------------------------------ */

struct making {
    struct evtx_templates *templates;
    const struct evtx_node *nodes;
    uint32_t count;
    struct evtx_program *program;
    struct step *steps;
    struct attribute *attributes;
    struct slice *siblings;
    bool *listed;
    uint8_t *uses;
    uint32_t step_count, attribute_count, sibling_count;
    struct buf literal; /* not yet a step */
    struct {
        uint32_t end;
        bool container;
        uint32_t plain; /* Data elements without a name that were written; UINT32_MAX: none */
        uint32_t start; /* of the content */
    } open[DEPTH];
    uint32_t depth;
};

static struct step *add_step(struct making *m, enum step_kind kind)
{
    struct step *step = &m->steps[m->step_count++];
    *step = (struct step){.kind = (uint8_t)kind};
    return step;
}

static struct slice keep(struct making *m, struct slice text)
{
    char *to = evtx_template_alloc(m->templates, text.size + 1, 1);
    if (!to) {
        m->literal.failed = true;
        return (struct slice){0};
    }
    if (text.size) {
        memcpy(to, text.at, text.size);
    }
    return slice_of(to, text.size);
}

static void end_literal(struct making *m)
{
    if (m->literal.size) {
        add_step(m, STEP_LITERAL)->text = keep(m, buf_slice(&m->literal));
        m->literal.size = 0;
    }
}

static void put_quoted(struct buf *out, struct slice text)
{
    buf_byte(out, '"');
    buf_json(out, text);
    buf_byte(out, '"');
}

static void put_constant(struct buf *out, const struct evtx_node *node)
{
    if (node->kind == EVTX_TEXT) {
        put_quoted(out, node->text);
    } else {
        evtx_out_value(out, node->type, node->text);
    }
}

struct contents {
    uint32_t elements, slots, constants, slot, constant;
};

static struct contents look(const struct making *m, uint32_t from, uint32_t end)
{
    struct contents c = {0};
    for (uint32_t i = from; i < end; i = m->nodes[i].end) {
        uint8_t kind = m->nodes[i].kind;
        c.elements += kind == EVTX_ELEMENT;
        c.slots += kind == EVTX_SLOT;
        c.slot = kind == EVTX_SLOT ? i : c.slot;
        c.constants += kind == EVTX_TEXT || kind == EVTX_VALUE;
        c.constant = kind == EVTX_TEXT || kind == EVTX_VALUE ? i : c.constant;
    }
    return c;
}

static uint32_t content_start(const struct making *m, uint32_t element)
{
    uint32_t i = element + 1;
    while (i < m->nodes[element].end && m->nodes[i].kind == EVTX_ATTRIBUTE) {
        i = m->nodes[i].end;
    }
    return i;
}

/* Notes the attributes of an element for a step. False: text mixed with slots. */
static bool make_attributes(struct making *m, uint32_t element, uint32_t start, struct step *step)
{
    struct buf text = {0};
    step->attribute = (uint16_t)m->attribute_count;
    for (uint32_t i = element + 1; i < start; i = m->nodes[i].end) {
        struct contents c = look(m, i + 1, m->nodes[i].end);
        if (c.slots + c.constants > 1) {
            buf_fini(&text);
            return false;
        }
        if (c.slots + c.constants == 0) {
            continue;
        }
        struct attribute *a = &m->attributes[m->attribute_count++];
        step->attributes++;
        buf_clear(&text);
        put_quoted(&text, m->nodes[i].text);
        buf_byte(&text, ':');
        a->constant = c.constants == 1;
        a->slot = c.slots ? m->nodes[c.slot].slot : 0;
        if (a->constant) {
            put_constant(&text, &m->nodes[c.constant]);
        }
        m->literal.failed |= text.failed;
        a->text = keep(m, buf_slice(&text));
    }
    buf_fini(&text);
    return true;
}

static void put_key(struct making *m, struct slice key, unsigned number)
{
    buf_byte(&m->literal, '"');
    buf_json(&m->literal, key);
    if (number) {
        buf_format(&m->literal, "_%u", number);
    }
    buf_add(&m->literal, SLICE("\":"));
}

/* The value of an element without elements. */
static bool make_leaf(struct making *m, uint32_t element, uint32_t start, const struct contents *c)
{
    if (c->slots + c->constants > 1) {
        return false;
    }
    if (start == element + 1 && c->slots == 0) {
        if (c->constants) {
            put_constant(&m->literal, &m->nodes[c->constant]);
        } else {
            buf_add(&m->literal, SLICE("null"));
        }
        return true;
    }
    end_literal(m);
    struct step *step = add_step(m, STEP_ELEMENT);
    if (c->slots) {
        step->content = CONTENT_SLOT;
        step->slot = m->nodes[c->slot].slot;
        step->crowded = m->uses[step->slot] != 1;
    } else if (c->constants) {
        struct buf text = {0};
        put_constant(&text, &m->nodes[c->constant]);
        step->content = CONTENT_CONSTANT;
        step->text = keep(m, buf_slice(&text));
        m->literal.failed |= text.failed;
        buf_fini(&text);
    }
    return make_attributes(m, element, start, step);
}

/* The value of one Data element. */
static bool make_data_value(struct making *m, uint32_t element, enum step_kind kind)
{
    uint32_t start = content_start(m, element);
    struct contents c = look(m, start, m->nodes[element].end);
    if (c.elements || c.slots + c.constants > 1) {
        return false;
    }
    if (c.slots) {
        end_literal(m);
        struct step *step = add_step(m, kind);
        step->slot = m->nodes[c.slot].slot;
        m->listed[step->slot] |= m->uses[step->slot] == 1;
    } else if (c.constants) {
        put_constant(&m->literal, &m->nodes[c.constant]);
    } else {
        buf_add(&m->literal, SLICE("\"\""));
    }
    return true;
}

static bool is_data(const struct making *m, uint32_t i)
{
    return m->nodes[i].kind == EVTX_ELEMENT && slice_equal(m->nodes[i].text, SLICE("Data"));
}

/* The constant name of a Data element, empty without one. False: made of values. */
static bool data_name(const struct making *m, uint32_t element, struct slice *name)
{
    uint32_t start = content_start(m, element);
    *name = (struct slice){0};
    for (uint32_t i = element + 1; i < start; i = m->nodes[i].end) {
        if (slice_equal(m->nodes[i].text, SLICE("Name"))) {
            if (m->nodes[i].end == i + 2 && m->nodes[i + 1].kind == EVTX_TEXT) {
                *name = m->nodes[i + 1].text;
            }
            return m->nodes[i].end == i + 1 || name->size;
        }
    }
    return true;
}

/* All Data elements without a name, where the first one stands. */
static bool make_plain_data(struct making *m, uint32_t first)
{
    uint32_t end = m->open[m->depth].end, count = 0;
    struct slice name;
    for (uint32_t i = first; i < end; i = m->nodes[i].end) {
        if (is_data(m, i)) {
            if (!data_name(m, i, &name)) {
                return false;
            }
            count += name.size == 0;
        }
    }
    buf_add(&m->literal,
            count > 1 ? SLICE("\"Data\":{\"#text\":[") : SLICE("\"Data\":{\"#text\":"));
    for (uint32_t i = first, done = 0; i < end; i = m->nodes[i].end) {
        if (!is_data(m, i) || !data_name(m, i, &name) || name.size) {
            continue;
        }
        if (done++) {
            buf_byte(&m->literal, ',');
        }
        if (!make_data_value(m, i, count > 1 ? STEP_ITEM : STEP_DATA)) {
            return false;
        }
    }
    buf_add(&m->literal, count > 1 ? SLICE("]}") : SLICE("}"));
    return true;
}

/* A comma unless it is the first member. */
static void begin_member(struct making *m, bool *any)
{
    if (*any) {
        buf_byte(&m->literal, ',');
    }
    *any = true;
}

static bool make_fragment(
        struct making *m, uint32_t slot_at, uint32_t start, uint32_t end, bool first)
{
    struct contents c = look(m, start, end);
    end_literal(m);
    struct step *step = add_step(m, STEP_FRAGMENT);
    step->slot = m->nodes[slot_at].slot;
    step->crowded = m->uses[step->slot] != 1;
    step->first = first;
    step->sibling = (uint16_t)m->sibling_count;
    for (uint32_t i = start; i < end; i = m->nodes[i].end) {
        if (m->nodes[i].kind == EVTX_ELEMENT) {
            m->siblings[m->sibling_count++] = m->nodes[i].text;
            step->siblings++;
        }
    }
    return c.slots == 1;
}

static unsigned same_before(const struct making *m, uint32_t start, uint32_t element)
{
    unsigned before = 0;
    for (uint32_t i = start; i < element; i = m->nodes[i].end) {
        before += m->nodes[i].kind == EVTX_ELEMENT &&
                  slice_equal(m->nodes[i].text, m->nodes[element].text);
    }
    return before;
}

/* An element under its key; one with elements stays open. */
static bool make_element(struct making *m, uint32_t element, uint32_t parent_start)
{
    const struct evtx_node *node = &m->nodes[element];
    uint32_t start = content_start(m, element);
    struct contents c = look(m, start, node->end);
    put_key(m, node->text, same_before(m, parent_start, element));
    if (c.elements == 0) {
        return make_leaf(m, element, start, &c);
    }
    if (c.constants || m->depth + 1 == DEPTH) {
        return false;
    }
    buf_byte(&m->literal, '{');
    if (start > element + 1) {
        end_literal(m);
        if (!make_attributes(m, element, start, add_step(m, STEP_ATTRIBUTES))) {
            return false;
        }
    }
    m->depth++;
    m->open[m->depth].end = node->end;
    m->open[m->depth].start = start;
    m->open[m->depth].plain = UINT32_MAX;
    m->open[m->depth].container = slice_equal(node->text, SLICE("EventData")) ||
                                  slice_equal(node->text, SLICE("UserData"));
    return true;
}

/* A Data element of a container. */
static bool make_data(struct making *m, uint32_t element, bool *any)
{
    struct slice name;
    if (!data_name(m, element, &name)) {
        return false;
    }
    if (name.size == 0) {
        if (m->open[m->depth].plain != UINT32_MAX) {
            return true; /* with the first */
        }
        m->open[m->depth].plain = element;
        begin_member(m, any);
        return make_plain_data(m, element);
    }
    if (m->nodes[element].slot != EVTX_ALONE) {
        return false;
    }
    begin_member(m, any);
    put_key(m, name, 0);
    return make_data_value(m, element, STEP_DATA);
}

static bool make_member(struct making *m, uint32_t i, bool *any)
{
    uint32_t start = m->open[m->depth].start, end = m->open[m->depth].end;
    if (m->nodes[i].kind == EVTX_SLOT) {
        return make_fragment(m, i, start, end, !*any);
    }
    if (m->open[m->depth].container && is_data(m, i)) {
        return make_data(m, i, any);
    }
    begin_member(m, any);
    return make_element(m, i, start);
}

static bool make_steps(struct making *m)
{
    bool any[DEPTH] = {false}; /* by depth: a member was written */
    uint32_t i = 0;
    m->open[0].end = m->count;
    m->open[0].plain = UINT32_MAX;
    for (;;) {
        while (m->depth && i >= m->open[m->depth].end) {
            m->depth--;
            buf_byte(&m->literal, '}');
        }
        if (i >= m->count) {
            end_literal(m);
            return true;
        }
        uint32_t depth = m->depth;
        if (!make_member(m, i, &any[depth])) {
            return false;
        }
        if (m->depth > depth) {
            any[m->depth] = false;
            i = m->open[m->depth].start;
        } else {
            i = m->nodes[i].end;
        }
    }
}

static bool count_uses(struct making *m)
{
    for (uint32_t i = 0; i < m->count; i++) {
        if (m->nodes[i].kind == EVTX_SLOT && ++m->uses[m->nodes[i].slot] > USES) {
            return false;
        }
    }
    return true;
}

static bool make_room(struct making *m, uint32_t slots)
{
    struct evtx_templates *t = m->templates;
    /* A slot or attribute list makes a step, and a literal in front of it. */
    m->steps = evtx_template_alloc(t, (2 * m->count + 4) * sizeof *m->steps, alignof(struct step));
    m->attributes =
            evtx_template_alloc(t, m->count * sizeof *m->attributes, alignof(struct attribute));
    m->siblings = evtx_template_alloc(t, m->count * sizeof *m->siblings, alignof(struct slice));
    m->listed = evtx_template_alloc(t, slots, 1);
    m->uses = evtx_template_alloc(t, slots, 1);
    return m->steps && m->attributes && m->siblings && m->listed && m->uses;
}

static bool one_root(const struct evtx_template *template, bool container)
{
    const struct evtx_node *root = template->nodes;
    return template->count && template->count <= NODES && root->kind == EVTX_ELEMENT &&
           root->end == template->count && !(container && slice_equal(root->text, SLICE("Data")));
}

static struct evtx_program *make_program(
        struct evtx_templates *templates, struct evtx_template *template, bool container)
{
    struct evtx_program *program =
            evtx_template_alloc(templates, sizeof *program, alignof(struct evtx_program));
    if (!program) {
        return NULL;
    }
    *program = (struct evtx_program){.next = template->programs, .container = container};
    struct making m = {.templates = templates,
            .nodes = template->nodes,
            .count = template->count,
            .program = program};
    uint32_t slots = 0;
    for (uint32_t i = 0; i < m.count; i++) {
        bool more = m.nodes[i].kind == EVTX_SLOT && m.nodes[i].slot >= slots;
        slots = more ? m.nodes[i].slot + 1u : slots;
    }
    if (one_root(template, container) && make_room(&m, slots) && count_uses(&m) && make_steps(&m) &&
            !m.literal.failed) {
        program->covered = true;
        program->root = template->nodes[0].text;
        program->steps = m.steps;
        program->step_count = (uint16_t)m.step_count;
        program->attributes = m.attributes;
        program->siblings = m.siblings;
        program->listed = m.listed;
        program->slots = (uint16_t)slots;
    }
    buf_fini(&m.literal);
    template->programs = program;
    return program;
}

static const struct evtx_program *program_for(
        struct evtx_templates *templates, struct evtx_template *template, bool container)
{
    for (const struct evtx_program *p = template->programs; p; p = p->next) {
        if (p->container == container) {
            return p;
        }
    }
    return make_program(templates, template, container);
}

/* ---- running ----------------------------------------------------------------------------- */

struct frame {
    const struct evtx_program *program;
    struct evtx_instance instance;
    uint32_t step;
    uint32_t fragments;
    struct slice tail; /* written when the frame ends */
};

struct running {
    const struct evtx_print *print;
    struct buf *out;
    uint32_t frame_count;
    struct frame frames[FRAMES];
};

static const struct evtx_value *slot_of(
        const struct running *r, const struct frame *frame, uint16_t slot)
{
    static const struct evtx_value unset = {0};
    return slot < frame->instance.count ? &r->print->values->at[frame->instance.first + slot]
                                        : &unset;
}

static struct slice bytes_of(const struct running *r, const struct evtx_value *value)
{
    return slice_of(r->print->chunk.at + value->at, value->size);
}

static bool is_unset(const struct running *r, const struct evtx_value *value)
{
    return evtx_text_unset(value->type, bytes_of(r, value));
}

static bool arrays_listed(const struct running *r, const struct frame *frame)
{
    const struct evtx_value *values = &r->print->values->at[frame->instance.first];
    for (uint32_t i = 0; i < frame->instance.count; i++) {
        if ((values[i].type & EVTX_ARRAY) &&
                (i >= frame->program->slots || !frame->program->listed[i])) {
            return false;
        }
    }
    return true;
}

static bool push(struct running *r, struct evtx_place place, bool container, struct slice tail)
{
    const struct evtx_print *print = r->print;
    struct evtx_fault fault;
    uint32_t at = evtx_template_lone(print->chunk, place);
    if (!at || r->frame_count == FRAMES) {
        return false;
    }
    struct frame *frame = &r->frames[r->frame_count++];
    place.at = at;
    if (!evtx_template_instance(print->templates, place, print->values, &frame->instance, &fault)) {
        return false;
    }
    uint32_t end = frame->instance.placed.end;
    frame->program = program_for(print->templates, frame->instance.template, container);
    frame->step = 0;
    frame->fragments = 0;
    frame->tail = tail;
    return (end >= place.end || print->chunk.at[end] == 0) && frame->program &&
           frame->program->covered && (!frame->instance.placed.arrays || arrays_listed(r, frame));
}

static bool push_value(struct running *r, struct frame *frame, const struct step *step,
        const struct evtx_value *value, struct slice tail)
{
    struct evtx_place place = {value->at, value->at + value->size};
    frame->fragments++;
    return !step->crowded && push(r, place, false, tail);
}

/* {"#attributes":{...} without what follows. False: none is set; *ok: they can be written. */
static bool put_attributes(
        struct running *r, const struct frame *frame, const struct step *step, bool *ok)
{
    bool any = false;
    for (uint32_t i = 0; i < step->attributes; i++) {
        const struct attribute *a = &frame->program->attributes[step->attribute + i];
        const struct evtx_value *value = a->constant ? NULL : slot_of(r, frame, a->slot);
        if (value && is_unset(r, value)) {
            continue;
        }
        buf_add(r->out, any ? SLICE(",") : SLICE("\"#attributes\":{"));
        any = true;
        buf_add(r->out, a->text);
        if (value) {
            *ok = *ok && value->type != EVTX_BINXML;
            evtx_out_value(r->out, value->type, bytes_of(r, value));
        }
    }
    if (any) {
        buf_byte(r->out, '}');
    }
    return any;
}

static bool run_element(struct running *r, struct frame *frame, const struct step *step)
{
    static const struct evtx_value unset = {0};
    bool ok = true;
    size_t start = r->out->size;
    buf_byte(r->out, '{');
    bool object = put_attributes(r, frame, step, &ok);
    const struct evtx_value *value =
            step->content == CONTENT_SLOT ? slot_of(r, frame, step->slot) : &unset;
    if (value->type == EVTX_BINXML && value->size) {
        buf_add(r->out, object ? SLICE(",") : SLICE(""));
        return ok && push_value(r, frame, step, value, SLICE("}"));
    }
    if (!object && !r->out->failed) {
        r->out->size = start;
    }
    bool set = step->content == CONTENT_CONSTANT || !is_unset(r, value);
    if (set) {
        buf_add(r->out, object ? SLICE(",\"#text\":") : SLICE(""));
        if (step->content == CONTENT_CONSTANT) {
            buf_add(r->out, step->text);
        } else {
            evtx_out_value(r->out, value->type, bytes_of(r, value));
        }
    }
    buf_add(r->out, object ? SLICE("}") : set ? SLICE("") : SLICE("null"));
    return ok;
}

/* The items of an array; an array of one is text. */
static void put_items(struct running *r, const struct evtx_value *value, bool in_list)
{
    uint32_t at = 0;
    struct slice item, bytes = bytes_of(r, value);
    uint8_t element = value->type & (EVTX_ARRAY - 1);
    if (evtx_text_item(value->type, bytes, &at, &item) && at == value->size) {
        evtx_out_value(r->out, value->type, bytes);
        return;
    }
    at = 0;
    buf_add(r->out, in_list ? SLICE("") : SLICE("["));
    for (bool first = true; evtx_text_item(value->type, bytes, &at, &item); first = false) {
        buf_add(r->out, first ? SLICE("") : SLICE(","));
        if (evtx_text_unset(element, item)) {
            buf_add(r->out, SLICE("\"\""));
        } else {
            bool fits = evtx_text_fits(element, item);
            evtx_out_value(r->out, fits ? element : EVTX_BINARY, item);
        }
    }
    buf_add(r->out, in_list ? SLICE("") : SLICE("]"));
}

static bool run_data(struct running *r, struct frame *frame, const struct step *step)
{
    const struct evtx_value *value = slot_of(r, frame, step->slot);
    if (value->type == EVTX_BINXML && value->size) {
        return false;
    }
    if (is_unset(r, value)) {
        buf_add(r->out, SLICE("\"\""));
        return true;
    }
    if (value->type & EVTX_ARRAY) {
        put_items(r, value, step->kind == STEP_ITEM);
    } else {
        evtx_out_value(r->out, value->type, bytes_of(r, value));
    }
    return true;
}

static bool run_fragment(struct running *r, struct frame *frame, const struct step *step)
{
    const struct evtx_value *value = slot_of(r, frame, step->slot);
    if (value->type != EVTX_BINXML || value->size == 0) {
        return is_unset(r, value);
    }
    buf_add(r->out, step->first ? SLICE("") : SLICE(","));
    bool ok = push_value(r, frame, step, value, step->first ? SLICE(",") : SLICE(""));
    for (uint32_t i = 0; ok && i < step->siblings; i++) {
        ok = !slice_equal(r->frames[r->frame_count - 1].program->root,
                frame->program->siblings[step->sibling + i]);
    }
    return ok;
}

static bool run_step(struct running *r, struct frame *frame, const struct step *step)
{
    bool ok = true;
    switch ((enum step_kind)step->kind) {
    case STEP_LITERAL:
        buf_add(r->out, step->text);
        return true;
    case STEP_ELEMENT:
        return run_element(r, frame, step);
    case STEP_DATA:
    case STEP_ITEM:
        return run_data(r, frame, step);
    case STEP_ATTRIBUTES:
        buf_add(r->out, put_attributes(r, frame, step, &ok) ? SLICE(",") : SLICE(""));
        return ok;
    case STEP_FRAGMENT:
        return run_fragment(r, frame, step);
    }
    return false;
}

bool evtx_print_run(const struct evtx_print *print, struct evtx_place place, struct buf *out)
{
    struct running r;
    r.print = print;
    r.out = out;
    r.frame_count = 0;
    print->values->used = 0;
    buf_byte(out, '{');
    bool ok = push(&r, place, false, SLICE("}"));
    while (ok && r.frame_count) {
        struct frame *frame = &r.frames[r.frame_count - 1];
        if (frame->step < frame->program->step_count) {
            ok = run_step(&r, frame, &frame->program->steps[frame->step++]);
            continue;
        }
        ok = frame->fragments == frame->instance.placed.fragments;
        buf_add(out, frame->tail);
        print->values->used = frame->instance.first;
        r.frame_count--;
    }
    return ok;
}
