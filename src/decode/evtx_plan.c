#include "decode/evtx_plan.h"

#include <stdio.h>
#include <string.h>

#include "decode/evtx_plan_parts.h"
#include "decode/evtx_text.h"

enum { DEPTH = 128, KEY_ROOM = 300 };

struct place {
    uint32_t end;  /* of the element */
    uint32_t node; /* where keys of its elements are looked up */
    bool container;
};

struct making {
    const struct evtx_plan_run *run;
    const struct evtx_node *nodes;
    uint32_t count;
    struct evtx_plan *plan;
    /* Room for as many as the template has nodes. */
    struct op *ops;
    uint16_t *guards;
    struct slice *siblings;
    uint32_t op_count, guard_count, sibling_count;
    bool *listed;
    uint8_t *uses; /* by slot */
    uint32_t depth;
    struct place open[DEPTH];
};

static const struct path_edge *find_edge(const struct making *m, uint32_t node, struct slice key)
{
    const struct paths *paths = m->run->paths;
    return !paths || node == PATHS_NONE ? NULL : paths_find(paths, node, key);
}

static uint32_t child_of(const struct path_edge *edge)
{
    return edge ? edge->child : PATHS_NONE;
}

static bool has_field(const struct path_edge *edge)
{
    return edge && edge->field[0] != FIELD_NONE;
}

static bool is_named(const struct evtx_node *node, const char *name)
{
    return node->kind == EVTX_ELEMENT && slice_equal(node->text, slice_text(name));
}

static struct op *add_op(struct making *m, enum op_kind kind)
{
    struct op *op = &m->ops[m->op_count++];
    *op = (struct op){.kind = (uint8_t)kind, .depth = (uint8_t)m->depth, .child = PATHS_NONE};
    return op;
}

/* What stands in an element or attribute. */
struct contents {
    uint32_t elements, slots, constants;
    uint32_t slot;     /* a slot's node */
    uint32_t constant; /* a constant's node */
};

static struct contents look(const struct making *m, uint32_t from, uint32_t end)
{
    struct contents c = {0};
    for (uint32_t i = from; i < end; i = m->nodes[i].end) {
        switch (m->nodes[i].kind) {
        case EVTX_ELEMENT:
            c.elements++;
            break;
        case EVTX_SLOT:
            c.slots++;
            c.slot = i;
            break;
        default:
            c.constants++;
            c.constant = i;
            break;
        }
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

static bool constant_value(const struct making *m, uint32_t i, struct value *value)
{
    const struct evtx_node *node = &m->nodes[i];
    if (node->kind == EVTX_TEXT) {
        *value = (struct value){.kind = VALUE_STRING, .text = node->text};
        return true;
    }
    /* The bytes are the chunk's, the text must outlive it. */
    size_t room = evtx_text_room(node->type, node->text.size);
    char *to = evtx_template_alloc(m->run->templates, room, 1);
    if (!to) {
        return false;
    }
    value->kind = (uint8_t)evtx_text_kind(node->type, node->text);
    value->form = FORM_TEXT;
    value->text = slice_of(to, evtx_text_write(node->type, node->text, to));
    return true;
}

/* Counts the uses of slots, so that a record's values cannot stand in too many places. */
static bool count_uses(struct making *m)
{
    for (uint32_t i = 0; i < m->count; i++) {
        const struct evtx_node *node = &m->nodes[i];
        if (node->kind != EVTX_SLOT) {
            continue;
        }
        uint8_t uses = ++m->uses[node->slot];
        if (uses > EVTX_PLAN_USES || (uses > 1 && node->type == EVTX_BINXML)) {
            return false;
        }
    }
    return true;
}

/* The key of an element among its siblings: _1 and so on behind a name that was there before. */
static bool element_key(const struct making *m, uint32_t parent_start, uint32_t element,
        char room[KEY_ROOM], struct slice *key)
{
    unsigned before = 0;
    *key = m->nodes[element].text;
    for (uint32_t i = parent_start; i < element; i = m->nodes[i].end) {
        before += m->nodes[i].kind == EVTX_ELEMENT && slice_equal(m->nodes[i].text, *key);
    }
    if (before) {
        if (key->size > KEY_ROOM - 16) {
            return false;
        }
        key->size = (size_t)snprintf(room, KEY_ROOM, "%.*s_%u", SLICE_ARG(*key), before);
        key->at = room;
    }
    return true;
}

/* The attributes of an element: operations for those that are named, guards for its text. */
static bool make_attributes(struct making *m, uint32_t element, uint32_t start,
        const struct path_edge *edge, struct op *guarded)
{
    const struct path_edge *all = find_edge(m, child_of(edge), SLICE("#attributes"));
    guarded->guard = (uint16_t)m->guard_count;
    for (uint32_t i = element + 1; i < start; i = m->nodes[i].end) {
        struct contents c = look(m, i + 1, m->nodes[i].end);
        const struct path_edge *to = find_edge(m, child_of(all), m->nodes[i].text);
        if (c.slots + c.constants > 1) {
            return false;
        }
        if (c.slots) {
            m->guards[m->guard_count++] = m->nodes[c.slot].slot;
            guarded->guards++;
            if (has_field(to)) {
                struct op *op = add_op(m, OP_ATTRIBUTE);
                op->slot = m->nodes[c.slot].slot;
                op->type = m->nodes[c.slot].type;
                op->edge = to;
            }
        }
        if (c.constants) {
            guarded->object = true;
            if (has_field(to)) {
                struct op *op = add_op(m, OP_CONSTANT);
                op->edge = to;
                if (!constant_value(m, c.constant, &op->constant)) {
                    return false;
                }
            }
        }
    }
    return guarded->guards < UINT8_MAX;
}

/* An element without elements in it. */
static bool make_leaf(struct making *m, const struct contents *c, const struct op *guarded,
        const struct path_edge *edge)
{
    const struct path_edge *text = find_edge(m, child_of(edge), SLICE("#text"));
    bool fragment = c->slots && m->nodes[c->slot].type == EVTX_BINXML;
    if (!has_field(edge) && !has_field(text) && !fragment) {
        return c->slots <= 1; /* of several slots one might hold a fragment */
    }
    if (c->slots + c->constants > 1) {
        return false;
    }
    struct op *op = add_op(m, c->slots ? OP_LEAF : c->constants ? OP_CONSTANT : OP_EMPTY);
    op->guard = guarded->guard;
    op->guards = guarded->guards;
    op->object = guarded->object;
    op->container = guarded->container;
    op->edge = has_field(edge) ? edge : NULL;
    op->text = has_field(text) ? text : NULL;
    op->child = child_of(edge);
    op->slot = c->slots ? m->nodes[c->slot].slot : 0;
    op->type = c->slots ? m->nodes[c->slot].type : 0;
    op->crowded = c->slots && m->uses[op->slot] != 1;
    return !c->constants || constant_value(m, c->constant, &op->constant);
}

/* The slot beside elements: a fragment, in real records. */
static void make_fragment(struct making *m, uint32_t element, uint32_t start,
        const struct place *inside, const struct contents *c)
{
    for (uint32_t i = start; i < m->nodes[element].end; i = m->nodes[i].end) {
        if (m->nodes[i].kind != EVTX_SLOT) {
            continue;
        }
        struct op *op = add_op(m, OP_FRAGMENT);
        op->slot = m->nodes[i].slot;
        op->child = inside->node;
        op->container = inside->container;
        op->crowded = c->slots > 1 || m->uses[op->slot] != 1;
        op->sibling = (uint16_t)m->sibling_count;
        for (uint32_t k = start; k < m->nodes[element].end && !op->crowded; k = m->nodes[k].end) {
            if (m->nodes[k].kind == EVTX_ELEMENT) {
                m->siblings[m->sibling_count++] = m->nodes[k].text;
                op->siblings++;
            }
        }
    }
}

/* The name of a Data element, empty when it has none. False: made of values. */
static bool data_name(const struct making *m, uint32_t element, struct slice *name)
{
    *name = (struct slice){0};
    uint32_t start = content_start(m, element);
    for (uint32_t i = element + 1; i < start; i = m->nodes[i].end) {
        if (!slice_equal(m->nodes[i].text, SLICE("Name"))) {
            continue;
        }
        struct contents c = look(m, i + 1, m->nodes[i].end);
        if (c.slots || c.constants > 1 || (c.constants && m->nodes[c.constant].kind != EVTX_TEXT)) {
            return false;
        }
        if (c.constants) {
            *name = m->nodes[c.constant].text;
        }
        return true;
    }
    return true;
}

static bool make_data(struct making *m, uint32_t element, uint32_t node)
{
    struct slice name;
    uint32_t start = content_start(m, element);
    struct contents c = look(m, start, m->nodes[element].end);
    if (!data_name(m, element, &name) || c.elements || c.slots + c.constants > 1) {
        return false;
    }
    if (c.slots && m->uses[m->nodes[c.slot].slot] == 1) {
        m->listed[m->nodes[c.slot].slot] = true;
    }
    const struct path_edge *edge = find_edge(m, node, name.size ? name : SLICE("Data"));
    if (name.size == 0) {
        if (has_field(edge)) {
            add_op(m, OP_OBJECT)->edge = edge;
        }
        edge = find_edge(m, child_of(edge), SLICE("#text"));
    }
    if (!has_field(edge)) {
        return true;
    }
    struct op *op = add_op(m, c.slots ? OP_DATA : OP_CONSTANT);
    op->edge = edge;
    op->slot = c.slots ? m->nodes[c.slot].slot : 0;
    op->type = c.slots ? m->nodes[c.slot].type : 0;
    op->constant = (struct value){.kind = VALUE_STRING}; /* an empty one is an empty string */
    return !c.constants || constant_value(m, c.constant, &op->constant);
}

/* One element: its operations; its elements come next when it has some. */
static bool make_element(
        struct making *m, uint32_t element, uint32_t parent_start, const struct place *parent)
{
    const struct evtx_node *node = &m->nodes[element];
    if (parent->container && is_named(node, "Data")) {
        m->open[m->depth] = (struct place){.end = node->end};
        return make_data(m, element, parent->node);
    }
    char room[KEY_ROOM];
    struct slice key;
    if (!element_key(m, parent_start, element, room, &key)) {
        return false;
    }
    const struct path_edge *edge = find_edge(m, parent->node, key);
    struct op guarded = {0};
    uint32_t start = content_start(m, element);
    struct contents c = look(m, start, node->end);
    struct place *inside = &m->open[m->depth];
    *inside = (struct place){.end = node->end, .node = child_of(edge)};
    inside->container = is_named(node, "EventData") || is_named(node, "UserData");
    if (c.elements && has_field(edge)) {
        add_op(m, OP_OBJECT)->edge = edge;
    }
    if (!make_attributes(m, element, start, edge, &guarded)) {
        return false;
    }
    if (!c.elements) {
        guarded.container = inside->container;
        return make_leaf(m, &c, &guarded, edge);
    }
    make_fragment(m, element, start, inside, &c);
    return c.constants == 0;
}

/* Walks the template's tree; siblings are found again from the parent's start. */
static bool make_ops(struct making *m)
{
    struct place root = {.end = m->count, .node = m->plan->node, .container = m->plan->container};
    uint32_t i = 0;
    m->open[0] = root;
    m->depth = 0;
    uint32_t starts[DEPTH] = {0};
    while (i < m->count) {
        while (m->depth && i >= m->open[m->depth].end) {
            m->depth--;
        }
        if (m->nodes[i].kind != EVTX_ELEMENT) {
            if (m->depth == 0) {
                return false;
            }
            i = m->nodes[i].end;
            continue;
        }
        if (m->depth + 1 == DEPTH) {
            return false;
        }
        struct place parent = m->open[m->depth];
        uint32_t parent_start = starts[m->depth];
        m->depth++;
        starts[m->depth] = content_start(m, i);
        m->plan->deep = m->depth > m->plan->deep ? (uint8_t)m->depth : m->plan->deep;
        if (!make_element(m, i, parent_start, &parent)) {
            return false;
        }
        i = starts[m->depth];
    }
    return true;
}

#define LAZY(type, kind) [EVTX_##type] = {VALUE_##kind, FORM_TYPED + EVTX_##type}

struct lazy evtx_plan_lazy(uint8_t type)
{
    static const struct lazy lazy[256] = {LAZY(INT8, NUMBER), LAZY(UINT8, NUMBER),
            LAZY(INT16, NUMBER), LAZY(UINT16, NUMBER), LAZY(INT32, NUMBER), LAZY(UINT32, NUMBER),
            LAZY(INT64, NUMBER), LAZY(UINT64, NUMBER), LAZY(GUID, STRING), LAZY(FILETIME, STRING),
            LAZY(SYSTEMTIME, STRING), LAZY(SID, STRING), LAZY(HEX32, STRING), LAZY(HEX64, STRING),
            LAZY(SIZE, STRING), [EVTX_STRING] = {VALUE_STRING, FORM_UTF16}};
    return lazy[type];
}

/* What the steps of an operation have in common. */
static struct step make_step(const struct making *m, uint32_t number)
{
    const struct op *op = &m->ops[number];
    struct step step = {.kind = STEP_OTHER, .slot = op->slot, .op = (uint16_t)number};
    bool leaf = op->kind == OP_LEAF && has_field(op->edge) && !op->object && op->guards <= 1;
    if (leaf || op->kind == OP_DATA || op->kind == OP_ATTRIBUTE) {
        /* Where a template expects a pointer's size, 64-bit systems write a HexInt64. */
        uint8_t type = op->type == EVTX_SIZE ? EVTX_HEX64 : op->type;
        const struct lazy as = evtx_plan_lazy(type);
        step.kind = STEP_PLAIN;
        step.unset = op->kind == OP_DATA ? UNSET_EMPTY : leaf ? UNSET_NULL : UNSET_NOTHING;
        step.type = as.form == FORM_TEXT ? STEP_NO_TYPE : type;
        step.as = (struct value){.kind = as.kind, .form = as.form};
    }
    if (leaf && op->guards) {
        step.kind = STEP_GUARDED;
        step.guard = m->guards[op->guard];
    }
    return step;
}

/* The steps of an operation: one for each field. Returns how many. */
static uint32_t add_steps(const struct making *m, uint32_t number, struct step *to)
{
    const struct path_edge *edge = m->ops[number].edge;
    to[0] = make_step(m, number);
    if (to[0].kind == STEP_OTHER) {
        return 1;
    }
    uint32_t n = 0;
    for (; n < PATHS_TARGETS && edge->field[n] != FIELD_NONE; n++) {
        to[n] = to[0];
        to[n].field = edge->field[n];
        to[n].as.weak = edge->weak[n];
    }
    for (uint32_t i = 0; i < n; i++) {
        to[i].left = (uint8_t)(n - 1 - i);
    }
    return n;
}

/* Is one of the fields that an edge leads to marked? */
static bool has_marked(const uint64_t *bits, const struct path_edge *edge)
{
    bool any = false;
    for (unsigned i = 0; edge && i < PATHS_TARGETS && edge->field[i] != FIELD_NONE; i++) {
        any = any || (bits[edge->field[i] >> 6] >> (edge->field[i] & 63) & 1);
    }
    return any;
}

static void mark_fields(uint64_t *bits, const struct path_edge *edge)
{
    for (unsigned i = 0; edge && i < PATHS_TARGETS && edge->field[i] != FIELD_NONE; i++) {
        bits[edge->field[i] >> 6] |= (uint64_t)1 << (edge->field[i] & 63);
    }
}

/* Which fields the steps put; whether no other operation puts any of them. */
static bool collect_fields(struct making *m)
{
    struct evtx_plan *plan = m->plan;
    uint32_t words = m->run->paths ? m->run->paths->field_count / 64 + 1 : 1;
    uint64_t *bits = evtx_template_alloc(m->run->templates, words * 8, alignof(uint64_t));
    struct step_fields *fields = evtx_template_alloc(
            m->run->templates, words * sizeof *fields, alignof(struct step_fields));
    if (!bits || !fields) {
        return false;
    }
    plan->apart = true;
    for (uint32_t i = 0; i < m->op_count; i++) {
        const struct op *op = &m->ops[i];
        plan->apart = plan->apart && !has_marked(bits, op->edge) && !has_marked(bits, op->text);
        mark_fields(bits, op->edge);
        mark_fields(bits, op->text);
    }
    memset(bits, 0, words * 8);
    for (uint32_t i = 0; i < plan->step_count; i++) {
        const struct step *step = &plan->steps[i];
        if (step->kind != STEP_OTHER) {
            bits[step->field >> 6] |= (uint64_t)1 << (step->field & 63);
        }
    }
    for (uint32_t w = 0; w < words; w++) {
        if (bits[w]) {
            fields[plan->field_words++] = (struct step_fields){w, bits[w]};
        }
    }
    plan->fields = fields;
    return true;
}

static bool make_steps(struct making *m)
{
    struct step *steps = evtx_template_alloc(
            m->run->templates, m->op_count * PATHS_TARGETS * sizeof *steps, alignof(struct step));
    if (!steps) {
        return false;
    }
    for (uint32_t i = 0; i < m->op_count; i++) {
        m->plan->step_count += add_steps(m, i, steps + m->plan->step_count);
    }
    m->plan->steps = steps;
    while (m->plan->first < m->plan->step_count && steps[m->plan->first].kind == STEP_OTHER) {
        m->plan->first++;
    }
    return collect_fields(m);
}

static bool one_root(const struct evtx_template *template, const struct evtx_plan *plan)
{
    return template->count && template->count <= EVTX_PLAN_NODES &&
           template->nodes[0].kind == EVTX_ELEMENT && template->nodes[0].end == template->count &&
           !(plan->container && is_named(&template->nodes[0], "Data"));
}

static bool make_room(struct making *m, uint32_t slots)
{
    struct evtx_templates *t = m->run->templates;
    /* An element adds two operations at most, an attribute and a slot one. */
    m->ops = evtx_template_alloc(t, (2 * m->count + 2) * sizeof *m->ops, alignof(struct op));
    m->guards = evtx_template_alloc(t, m->count * sizeof *m->guards, alignof(uint16_t));
    m->siblings = evtx_template_alloc(t, m->count * sizeof *m->siblings, alignof(struct slice));
    m->listed = evtx_template_alloc(t, slots, 1);
    m->uses = evtx_template_alloc(t, slots, 1);
    return m->ops && m->guards && m->siblings && m->listed && m->uses;
}

static struct evtx_plan *make_plan(const struct evtx_plan_run *run, struct evtx_template *template,
        uint32_t node, bool container)
{
    struct evtx_plan *plan =
            evtx_template_alloc(run->templates, sizeof *plan, alignof(struct evtx_plan));
    if (!plan) {
        return NULL;
    }
    *plan = (struct evtx_plan){.next = template->plans, .node = node, .container = container};
    struct making m = {
            .run = run, .nodes = template->nodes, .count = template->count, .plan = plan};
    uint32_t slots = 0;
    for (uint32_t i = 0; i < m.count; i++) {
        bool more = m.nodes[i].kind == EVTX_SLOT && m.nodes[i].slot >= slots;
        slots = more ? m.nodes[i].slot + 1u : slots;
    }
    if (one_root(template, plan) && make_room(&m, slots) && count_uses(&m) && make_ops(&m) &&
            make_steps(&m)) {
        plan->covered = true;
        plan->root = template->nodes[0].text;
        plan->ops = m.ops;
        plan->op_count = (uint16_t)m.op_count;
        plan->guards = m.guards;
        plan->siblings = m.siblings;
        plan->listed = m.listed;
        plan->slots = (uint16_t)slots;
    }
    template->plans = plan;
    return plan;
}

const struct evtx_plan *evtx_plan_for(const struct evtx_plan_run *run,
        struct evtx_template *template, uint32_t node, bool container)
{
    unsigned places = 0;
    for (const struct evtx_plan *plan = template->plans; plan; plan = plan->next) {
        if (plan->node == node && plan->container == container) {
            return plan;
        }
        places++;
    }
    return places < EVTX_PLAN_PLACES ? make_plan(run, template, node, container) : NULL;
}
