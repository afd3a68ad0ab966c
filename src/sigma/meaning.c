#include "sigma/meaning.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/memory.h"

/* The text of a tree is made from the leaves up in one buffer. A group's pieces lie at its end
 * until the group is complete; then they are sorted and bracketed. */
struct piece {
    uint32_t at;
    uint32_t size;
};

struct frame {
    const struct node *node;
    uint32_t next;   /* child to visit */
    uint32_t pieces; /* where the group's pieces begin */
    uint32_t at;     /* and their bytes */
};

struct meaning {
    const struct pool *pool;
    struct buf *text;
    struct arena *scratch;
    struct piece *pieces;
    uint32_t piece_count;
    uint32_t piece_room;
};

enum { DEPTH = 512 }; /* brackets, times and, or, not, and what a selection adds */

/* Length first, so that no two lists of texts look the same. */
static void add_text(struct buf *out, struct slice text)
{
    buf_u64(out, text.size);
    buf_byte(out, ':');
    buf_add(out, text);
}

static void add_leaf(struct meaning *w, uint32_t id)
{
    const struct predicate *p = &w->pool->predicates[id];
    struct buf *out = w->text;
    buf_byte(out, 'p');
    buf_u64(out, p->op);
    buf_byte(out, p->cased ? 'C' : 'c');
    if (p->field == FIELD_NONE) {
        buf_byte(out, '*');
    } else {
        add_text(out, field_name(w->pool->fields, p->field));
    }
    buf_byte(out, ' ');
    if (p->op == OP_REGEX) {
        buf_u64(out, p->regex_flags);
        buf_byte(out, ' ');
    }
    add_text(out, p->text);
}

static bool add_piece(struct meaning *w, uint32_t at)
{
    if (w->piece_count == w->piece_room) {
        uint32_t room = w->piece_room ? w->piece_room * 2 : 256;
        struct piece *pieces = memory_resize(w->pieces, room * sizeof *pieces);
        if (!pieces) {
            return false;
        }
        w->pieces = pieces;
        w->piece_room = room;
    }
    w->pieces[w->piece_count++] = (struct piece){at, (uint32_t)w->text->size - at};
    return true;
}

static int compare_pieces(const void *a, const void *b, void *text)
{
    const struct piece *x = a, *y = b;
    const char *at = text;
    return slice_compare(slice_of(at + x->at, x->size), slice_of(at + y->at, y->size));
}

/* Moves the sorted pieces without repetition to the front; returns how many. */
static uint32_t unite(struct piece *pieces, uint32_t count, const char *text, uint32_t from)
{
    uint32_t n = 0;
    struct slice last = {0};
    for (uint32_t i = 0; i < count; i++) {
        struct slice piece = slice_of(text + (pieces[i].at - from), pieces[i].size);
        if (n == 0 || !slice_equal(piece, last)) {
            pieces[n++] = pieces[i];
            last = piece;
        }
    }
    return n;
}

/* Replaces the group's pieces by the group. */
static bool close_group(struct meaning *w, const struct frame *frame)
{
    struct piece *pieces = w->pieces + frame->pieces;
    uint32_t count = w->piece_count - frame->pieces;
    const struct node *node = frame->node;
    size_t size = w->text->size - frame->at;
    char *copy = arena_alloc(w->scratch, size + 1, 1);
    if (!copy) {
        return false;
    }
    qsort_r(pieces, count, sizeof *pieces, compare_pieces, w->text->at);
    memcpy(copy, w->text->at + frame->at, size);
    w->text->size = frame->at;
    /* Equal ones are one, but where they are counted. */
    uint32_t unique = count;
    if (node->kind != NODE_AT_LEAST) {
        unique = unite(pieces, count, copy, frame->at);
    }
    bool bare = unique == 1 && (node->kind == NODE_AND || node->kind == NODE_OR);
    if (!bare) {
        buf_byte(w->text, "aont"[node->kind]);
        buf_u64(w->text, node->threshold);
        buf_byte(w->text, '(');
    }
    for (uint32_t i = 0; i < unique; i++) {
        buf_add(w->text, slice_of(copy + (pieces[i].at - frame->at), pieces[i].size));
    }
    if (!bare) {
        buf_byte(w->text, ')');
    }
    w->piece_count = frame->pieces;
    return add_piece(w, frame->at);
}

/* A group in a group of its own kind says the same without brackets. */
static bool dissolves(const struct frame *frame, const struct frame *parent)
{
    enum node_kind kind = frame->node->kind;
    return parent && parent->node->kind == kind && (kind == NODE_AND || kind == NODE_OR);
}

/* A leaf is a piece at once, a group opens a frame. */
static bool enter(struct meaning *w, const struct node *node, struct frame *frames, uint32_t *depth)
{
    uint32_t at = (uint32_t)w->text->size;
    if (node->kind == NODE_PREDICATE) {
        add_leaf(w, node->predicate);
    } else if (node->count == 0) {
        buf_byte(w->text, node->kind == NODE_FALSE ? 'F' : 'T');
    }
    if (node->count == 0) {
        return !w->text->failed && add_piece(w, at);
    }
    if (*depth == DEPTH) {
        return false;
    }
    frames[(*depth)++] = (struct frame){node, 0, w->piece_count, at};
    return true;
}

static bool write_tree(struct meaning *w, const struct node *root)
{
    struct frame frames[DEPTH];
    uint32_t depth = 0;
    if (!enter(w, root, frames, &depth)) {
        return false;
    }
    while (depth > 0) {
        struct frame *top = &frames[depth - 1];
        if (top->next < top->node->count) {
            if (!enter(w, top->node->children[top->next++], frames, &depth)) {
                return false;
            }
            continue;
        }
        depth--;
        if (!dissolves(top, depth ? top - 1 : NULL) && !close_group(w, top)) {
            return false;
        }
    }
    return !w->text->failed;
}

enum err meaning_hash(struct maker *m, const struct pool *pool, const struct node *condition,
        const struct logsource *logsource, char out[65])
{
    struct meaning w = {.pool = pool, .text = &m->meaning, .scratch = &m->scratch};
    buf_clear(&m->meaning);
    m->meaning.cap = MEANING_BYTES;
    buf_add(&m->meaning, SLICE("merlon rule 1\n"));
    add_text(&m->meaning, logsource->product);
    add_text(&m->meaning, logsource->category);
    add_text(&m->meaning, logsource->service);
    bool whole = write_tree(&w, condition);
    memory_free(w.pieces);
    if (!whole || m->meaning.failed) {
        return diag_say(m->diag, ERR_LIMIT,
                "condition, written out, longer than the limit of %d "
                "bytes",
                (int)MEANING_BYTES);
    }
    struct digest digest;
    digest_init(&digest);
    digest_add(&digest, buf_slice(&m->meaning));
    digest_hex(&digest, out);
    return OK;
}
