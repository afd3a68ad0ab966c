#include "sigma/regex_program.h"

#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "sigma/regex.h"

/* Levels of a tree: a group may be a repetition of alternatives of sequences. */
enum { TREE_DEPTH = 3 * (REGEX_GROUP_DEPTH + 1) + 1 };

/* A tree that is being written, from its end to its beginning: `cur` is where what is written so
 * far begins, `next` where it goes on. */
struct frame {
    const struct regex_tree *tree;
    const struct regex_tree *child; /* of TREE_CAT and TREE_ALT: the one at hand */
    uint32_t next;
    uint32_t cur;
    uint32_t left; /* of TREE_REPEAT: copies */
    uint32_t optional;
    uint32_t split; /* of an endless repetition */
};

struct writer {
    struct regex_inst *at;
    uint32_t count;
    uint32_t room;
    struct frame *frames;
    uint32_t depth;
    uint32_t entry; /* where the tree that was written last begins */
};

static uint32_t put(struct writer *w, struct regex_inst inst)
{
    assert(w->count < w->room);
    w->at[w->count] = inst;
    return w->count++;
}

static uint32_t put_bytes(struct writer *w, uint32_t code, uint32_t next)
{
    char bytes[4];
    size_t n = utf8_encode(code, bytes);
    while (n > 0) {
        uint8_t byte = (uint8_t)bytes[--n];
        next = put(w,
                (struct regex_inst){.op = REGEX_OP_RANGE, .low = byte, .high = byte, .next = next});
    }
    return next;
}

static uint32_t put_class(struct writer *w, const struct regex_shared *shared, uint32_t next)
{
    uint32_t first = w->count;
    for (uint32_t i = 0; i < shared->count; i++) {
        (void)put(w,
                (struct regex_inst){.op = REGEX_OP_NODE, .next = next, .other = shared->node + i});
    }
    return first;
}

static void push(struct writer *w, const struct regex_tree *tree, uint32_t next)
{
    assert(w->depth < TREE_DEPTH);
    struct frame *f = &w->frames[w->depth++];
    *f = (struct frame){.tree = tree, .next = next, .cur = next, .child = tree->last};
    if (tree->kind == TREE_ALT) {
        f->cur = UINT32_MAX;
    }
    if (tree->kind == TREE_REPEAT) {
        bool endless = tree->high == TREE_ENDLESS;
        f->left = endless ? (tree->low ? tree->low : 1) : tree->high;
        f->optional = endless ? 0 : tree->high - tree->low;
        if (tree->last->size == 0) {
            f->left = 0;
        } else if (endless) {
            f->split = put(w, (struct regex_inst){.op = REGEX_OP_SPLIT, .next = next});
            f->cur = f->split;
        }
    }
}

/* The leaves at once; true: the tree was one. */
static bool leaf(struct writer *w, const struct regex_tree *tree, uint32_t next)
{
    switch (tree->kind) {
    case TREE_EMPTY:
        w->entry = next;
        return true;
    case TREE_BYTES:
        w->entry = put_bytes(w, tree->code, next);
        return true;
    case TREE_CLASS:
        w->entry = put_class(w, tree->shared, next);
        return true;
    case TREE_ASSERT:
        w->entry = put(w, (struct regex_inst){
                                  .op = REGEX_OP_LOOK, .look = (uint8_t)tree->look, .next = next});
        return true;
    default:
        return false;
    }
}

/* A copy of a repetition has been written and begins at w->entry. */
static void copy_done(struct writer *w, struct frame *f)
{
    bool endless = f->tree->high == TREE_ENDLESS;
    if (endless && f->cur == f->split) {
        /* The last copy, which may come again. */
        w->at[f->split].other = w->entry;
        f->cur = f->tree->low ? w->entry : f->split;
    } else if (f->optional > 0) {
        f->cur = put(
                w, (struct regex_inst){.op = REGEX_OP_SPLIT, .next = f->next, .other = w->entry});
        f->optional--;
    } else {
        f->cur = w->entry;
    }
    f->left--;
}

/* Takes up the child that was just written. */
static void child_done(struct writer *w, struct frame *f)
{
    switch (f->tree->kind) {
    case TREE_CAT:
        f->cur = w->entry;
        f->child = f->child->before;
        break;
    case TREE_ALT:
        f->cur = f->cur == UINT32_MAX
                         ? w->entry
                         : put(w, (struct regex_inst){
                                          .op = REGEX_OP_SPLIT, .next = f->cur, .other = w->entry});
        f->child = f->child->before;
        break;
    default:
        copy_done(w, f);
        break;
    }
}

static void write_tree(struct writer *w, const struct regex_tree *root, uint32_t next)
{
    if (leaf(w, root, next)) {
        return;
    }
    push(w, root, next);
    while (w->depth > 0) {
        struct frame *f = &w->frames[w->depth - 1];
        bool repeats = f->tree->kind == TREE_REPEAT;
        if (repeats ? f->left == 0 : f->child == NULL) {
            w->entry = f->cur;
            if (--w->depth > 0) {
                child_done(w, &w->frames[w->depth - 1]);
            }
            continue;
        }
        uint32_t after = f->tree->kind == TREE_ALT ? f->next : f->cur;
        if (leaf(w, f->child, after)) {
            child_done(w, f);
        } else {
            push(w, f->child, after);
        }
    }
}

/* ---- what the search asks -------------------------------------------------------------------- */

/* cuts[b]: byte b begins a class. */
static void cut(bool *cuts, uint32_t low, uint32_t high)
{
    cuts[low] = true;
    cuts[high + 1] = true;
}

static void cut_look(struct regex_program *p, bool *cuts, uint8_t look)
{
    switch ((enum regex_look)look) {
    case LOOK_TEXT_START:
        p->contexts |= REGEX_AT_START;
        break;
    case LOOK_LINE_START:
        p->contexts |= REGEX_AT_START | REGEX_AFTER_NEWLINE;
        cut(cuts, '\n', '\n');
        break;
    case LOOK_LINE_END:
        cut(cuts, '\n', '\n');
        break;
    case LOOK_WORD:
    case LOOK_NOT_WORD:
        p->contexts |= REGEX_AFTER_WORD;
        p->wide = true;
        cut(cuts, '0', '9');
        cut(cuts, 'A', 'Z');
        cut(cuts, '_', '_');
        cut(cuts, 'a', 'z');
        break;
    case LOOK_TEXT_END:
    case LOOK_LAST_LINE:
        break;
    }
}

static void cut_classes(struct regex_program *p)
{
    bool cuts[257] = {[0] = true};
    /* A search never begins within a code point. */
    cut(cuts, 0x80, 0xBF);
    for (uint32_t i = 0; i < p->nodes.arc_count; i++) {
        cut(cuts, p->nodes.arcs[i].low, p->nodes.arcs[i].high);
        p->wide = p->wide || p->nodes.arcs[i].high >= 0x80;
    }
    for (uint32_t i = 0; i < p->count; i++) {
        if (p->at[i].op == REGEX_OP_RANGE) {
            cut(cuts, p->at[i].low, p->at[i].high);
        } else if (p->at[i].op == REGEX_OP_LOOK) {
            cut_look(p, cuts, p->at[i].look);
            p->looks = true;
        }
    }
    uint32_t class = 0;
    for (uint32_t byte = 0; byte < 256; byte++) {
        class += byte > 0 && cuts[byte];
        p->class_of[byte] = (uint8_t) class;
        p->byte_of[class] = (uint8_t)byte;
    }
    p->classes = (uint16_t)(class + 1);
    p->newline = p->classes;
    p->end = (uint16_t)(p->classes + 1);
    p->symbols = (uint16_t)(p->classes + 2);
}

/* Every way in goes through \A. */
static bool is_anchored(const struct regex_program *p, uint32_t *stack, bool *seen)
{
    uint32_t depth = 0;
    stack[depth++] = p->start;
    while (depth > 0) {
        uint32_t pc = stack[--depth];
        const struct regex_inst *inst = &p->at[pc];
        if (seen[pc]) {
            continue;
        }
        seen[pc] = true;
        if (inst->op == REGEX_OP_SPLIT) {
            stack[depth++] = inst->other;
            stack[depth++] = inst->next;
        } else if (inst->op == REGEX_OP_LOOK && inst->look != LOOK_TEXT_START) {
            stack[depth++] = inst->next;
        } else if (inst->op != REGEX_OP_LOOK) {
            return false;
        }
    }
    return true;
}

static enum err copy_nodes(
        struct arena *arena, const struct regex_nodes *from, struct regex_nodes *to)
{
    if (from->count == 0) {
        return OK;
    }
    struct regex_node *nodes = ARENA_ARRAY(arena, struct regex_node, from->count);
    struct regex_arc *arcs = ARENA_ARRAY(arena, struct regex_arc, from->arc_count + 1);
    if (!nodes || !arcs) {
        return ERR_MEMORY;
    }
    memcpy(nodes, from->at, from->count * sizeof *nodes);
    if (from->arc_count) {
        memcpy(arcs, from->arcs, from->arc_count * sizeof *arcs);
    }
    *to = (struct regex_nodes){.arcs = arcs,
            .at = nodes,
            .arc_count = from->arc_count,
            .arc_room = from->arc_count,
            .count = from->count,
            .room = from->count};
    return OK;
}

enum err regex_program_build(struct arena *arena, struct arena *scratch,
        const struct regex_parsed *parsed, struct regex_program *out)
{
    uint32_t room = parsed->root->size + 1;
    struct writer w = {.at = ARENA_ARRAY(arena, struct regex_inst, room),
            .room = room,
            .frames = ARENA_ARRAY(scratch, struct frame, TREE_DEPTH)};
    uint32_t *stack = ARENA_ARRAY(scratch, uint32_t, 2 * (size_t)room);
    bool *seen = ARENA_ARRAY(scratch, bool, room);
    if (!w.at || !w.frames || !stack || !seen) {
        return ERR_MEMORY;
    }
    *out = (struct regex_program){.at = w.at, .least = parsed->root->least};
    TRY(copy_nodes(arena, &parsed->nodes, &out->nodes));
    uint32_t match = put(&w, (struct regex_inst){.op = REGEX_OP_MATCH});
    write_tree(&w, parsed->root, match);
    assert(w.count == room);
    out->count = w.count;
    out->start = w.entry;
    cut_classes(out);
    out->anchored = is_anchored(out, stack, seen);
    return OK;
}
