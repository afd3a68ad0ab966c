/* evtx_plan_parts: what a plan is made of, shared by its maker (evtx_plan.c) and its runner
 * (evtx_plan_run.c).
 *
 *     const struct evtx_plan *plan = evtx_plan_for(run, template, PATHS_ROOT, false);
 *     for (uint32_t i = 0; i < plan->op_count; i++) ... plan->ops[i] */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "decode/evtx_plan.h"
#include "event/value.h"

enum op_kind {
    OP_ATTRIBUTE, /* a slot that is an attribute's value */
    OP_LEAF,      /* a slot that is all of an element's content */
    OP_DATA,      /* the same for Data, which shows no attributes and never is null */
    OP_CONSTANT,  /* a text of the template */
    OP_EMPTY,     /* an element without content */
    OP_OBJECT,    /* an element with elements */
    OP_FRAGMENT,  /* a slot beside elements */
};

struct op {
    uint8_t kind;
    uint8_t depth;  /* of the element, in the template */
    uint8_t guards; /* attributes that are slots: with one of them set, the element is an
                       object, and its text stands at `text` */
    bool object;    /* it has a constant attribute, hence is one always */
    uint8_t type;   /* of the slot, as the template expects it */
    uint16_t slot;
    uint16_t guard;   /* the first of the plan's guards */
    bool container;   /* of what a fragment holds: the element is EventData or UserData */
    bool crowded;     /* a fragment here has other slots beside it, or stands in two places */
    uint16_t sibling; /* the first of the names beside a fragment */
    uint16_t siblings;
    uint32_t child;               /* where the keys of a fragment are looked up */
    const struct path_edge *edge; /* NULL: leads nowhere */
    const struct path_edge *text;
    struct value constant;
};

/* What a value that is not set leaves behind. */
enum unset { UNSET_NOTHING, UNSET_NULL, UNSET_EMPTY };

enum step_kind {
    STEP_PLAIN,   /* puts the slot's value */
    STEP_GUARDED, /* the same, when the value of the slot `guard` is not set */
    STEP_OTHER,   /* what the operation says */
};

/* No value has it: evtx_text_fits. */
enum { STEP_NO_TYPE = 0xFF };

/* A part of an operation that hardly ever needs to be looked at as a whole: a slot's value goes to
 * a field. */
struct step {
    struct value as; /* a value of the usual type, but for its text */
    uint32_t field;
    uint16_t slot;
    uint16_t guard;
    uint16_t op;   /* the operation */
    uint8_t kind;  /* enum step_kind */
    uint8_t type;  /* the usual one, as the template says, or STEP_NO_TYPE */
    uint8_t unset; /* enum unset */
    uint8_t left;  /* steps of the operation behind this one */
};

/* Fields that steps of a plan put: bits of a word of event->present. */
struct step_fields {
    uint32_t word;
    uint64_t bits;
};

struct evtx_plan {
    struct evtx_plan *next;
    uint32_t node;  /* where the root's key is looked up */
    bool container; /* the root stands in EventData or UserData */
    bool covered;   /* else: the tree */
    uint8_t deep;
    struct slice root;
    uint16_t op_count;
    uint16_t slots; /* that `listed` has */
    const struct op *ops;
    const struct step *steps; /* of all operations */
    uint32_t step_count;
    uint32_t first; /* that puts a value */
    const struct step_fields *fields;
    uint32_t field_words;
    bool apart; /* no two steps put the same field */
    const uint16_t *guards;
    const struct slice *siblings;
    const bool *listed; /* by slot: an array here is a list at a Data element, else the tree */
};

/* The kind and form in which a typed value is put as it is; form FORM_TEXT: it is made text. */
struct lazy {
    uint8_t kind;
    uint8_t form;
};
struct lazy evtx_plan_lazy(uint8_t type);

/* The template's plan for a place, made when it is new; NULL: no memory, or too many places. */
const struct evtx_plan *evtx_plan_for(const struct evtx_plan_run *run,
        struct evtx_template *template, uint32_t node, bool container);
