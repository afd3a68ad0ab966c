#include "sigma/regex_literal.h"

#include <assert.h>
#include <string.h>

#include "base/fold.h"
#include "base/utf8.h"
#include "sigma/regex.h"

enum {
    TREE_DEPTH = 3 * (REGEX_GROUP_DEPTH + 1) + 1,
    LENGTH_LIMIT = 40, /* bytes of a literal */
    LENGTH_ENOUGH = 8, /* longer is not better: fewer are */
    CLASS_LIMIT = 16,  /* folded members of a class that is written out */
    COPIES_LIMIT = 40, /* of a repetition */
    MEMORY_LIMIT = 32 << 20
};

/* Texts of which one stands somewhere. `at` NULL: nothing is known. */
struct set {
    const struct slice *at;
    uint32_t count;
};

struct info {
    bool exact;        /* the part matches `begin` and nothing else; `end` is the same */
    struct set begin;  /* each match begins with one of these; {""}: with anything */
    struct set end;    /* each match ends with one of these */
    struct set needed; /* one of these stands in each match */
};

struct finder {
    struct arena *arena;
    size_t arena_end; /* arena->used at which to stop */
    bool failed;      /* no memory, or too much work: nothing is known */
    struct frame {
        const struct regex_tree *tree;
        const struct regex_tree *child;
        struct info info;
        bool any; /* a child has been taken up */
    } * frames;
    uint32_t depth;
    struct info done;
};

static const struct slice NOTHING[] = {{"", 0}};
static const struct set EMPTY_ONLY = {NOTHING, 1};

/* ---- sets ------------------------------------------------------------------------------------ */

static size_t shortest(struct set set)
{
    size_t least = SIZE_MAX;
    for (uint32_t i = 0; i < set.count; i++) {
        least = set.at[i].size < least ? set.at[i].size : least;
    }
    return set.at && set.count ? least : 0;
}

/* The contract: the shortest as long as possible. Past LENGTH_ENOUGH, fewer; then longer again. */
static struct set better(struct set a, struct set b)
{
    size_t la = shortest(a), lb = shortest(b);
    if (la == 0 || lb == 0) {
        return la >= lb ? a : b;
    }
    size_t ca = la < LENGTH_ENOUGH ? la : LENGTH_ENOUGH;
    size_t cb = lb < LENGTH_ENOUGH ? lb : LENGTH_ENOUGH;
    if (ca != cb) {
        return ca > cb ? a : b;
    }
    if (a.count != b.count) {
        return a.count < b.count ? a : b;
    }
    return la >= lb ? a : b;
}

static bool set_has(const struct slice *at, uint32_t count, struct slice text)
{
    for (uint32_t i = 0; i < count; i++) {
        if (slice_equal(at[i], text)) {
            return true;
        }
    }
    return false;
}

static void *take(struct finder *f, size_t size)
{
    void *at = f->arena->used + size > f->arena_end ? NULL : arena_alloc(f->arena, size, 8);
    f->failed = f->failed || !at;
    return at;
}

/* Either of two sets; at NULL: too many, or one of them is not known. */
static struct set either(struct finder *f, struct set a, struct set b)
{
    if (!a.at || !b.at || a.count + b.count > 2 * REGEX_LITERALS) {
        return (struct set){0};
    }
    struct slice *at = take(f, (a.count + b.count) * sizeof *at);
    if (!at) {
        return (struct set){0};
    }
    uint32_t count = a.count;
    memcpy(at, a.at, a.count * sizeof *at);
    for (uint32_t i = 0; i < b.count; i++) {
        if (!set_has(at, count, b.at[i])) {
            at[count++] = b.at[i];
        }
    }
    return count > REGEX_LITERALS ? (struct set){0} : (struct set){at, count};
}

static struct slice joined(struct finder *f, struct slice a, struct slice b)
{
    if (a.size == 0 || b.size == 0) {
        return a.size ? a : b;
    }
    char *at = take(f, a.size + b.size);
    if (!at) {
        return (struct slice){0};
    }
    memcpy(at, a.at, a.size);
    memcpy(at + a.size, b.at, b.size);
    return slice_of(at, a.size + b.size);
}

/* Each of a followed by each of b; at NULL: too many or too long. */
static struct set cross(struct finder *f, struct set a, struct set b)
{
    if (!a.at || !b.at || a.count * b.count > REGEX_LITERALS) {
        return (struct set){0};
    }
    struct slice *at = take(f, a.count * b.count * sizeof *at);
    if (!at) {
        return (struct set){0};
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < a.count; i++) {
        for (uint32_t j = 0; j < b.count; j++) {
            if (a.at[i].size + b.at[j].size > LENGTH_LIMIT) {
                return (struct set){0};
            }
            struct slice text = joined(f, a.at[i], b.at[j]);
            if (f->failed) {
                return (struct set){0};
            }
            if (!set_has(at, count, text)) {
                at[count++] = text;
            }
        }
    }
    return (struct set){at, count};
}

/* ---- parts ----------------------------------------------------------------------------------- */

static struct info info_exact(struct set set)
{
    return (struct info){.exact = true, .begin = set, .end = set, .needed = set};
}

static struct info info_anything(void)
{
    return (struct info){.begin = EMPTY_ONLY, .end = EMPTY_ONLY};
}

/* A part that is all of `a`, possibly with something between its beginning and its end. */
static struct info opened(struct info a)
{
    a.exact = false;
    return a;
}

static struct info info_cat(struct finder *f, struct info a, struct info b)
{
    struct set middle = cross(f, a.end, b.begin);
    struct info out = {.begin = a.begin, .end = b.end};
    if (a.exact && b.exact && middle.at) {
        return info_exact(middle);
    }
    out.needed = better(better(a.needed, b.needed), middle);
    if (a.exact && middle.at) {
        out.begin = middle;
    }
    if (b.exact && middle.at) {
        out.end = middle;
    }
    return out;
}

static struct set or_anything(struct set set)
{
    return set.at ? set : EMPTY_ONLY;
}

static struct info info_alt(struct finder *f, struct info a, struct info b)
{
    struct set begin = either(f, a.begin, b.begin);
    if (a.exact && b.exact && begin.at) {
        return info_exact(begin);
    }
    return (struct info){.begin = or_anything(begin),
            .end = or_anything(either(f, a.end, b.end)),
            .needed = either(f, a.needed, b.needed)};
}

static struct info info_repeat(struct finder *f, const struct regex_tree *tree, struct info a)
{
    if (tree->high == 0) {
        return info_exact(EMPTY_ONLY);
    }
    if (tree->low == 0) {
        return tree->high == 1 ? info_alt(f, info_exact(EMPTY_ONLY), a) : info_anything();
    }
    struct info out = a;
    uint32_t copies = tree->low < COPIES_LIMIT ? tree->low : COPIES_LIMIT;
    for (uint32_t i = 1; i < copies; i++) {
        out = info_cat(f, out, a);
    }
    return copies == tree->high ? out : opened(out);
}

static struct set one_text(struct finder *f, uint32_t code)
{
    char *bytes = take(f, 4);
    struct slice *at = take(f, sizeof *at);
    if (!bytes || !at) {
        return (struct set){0};
    }
    *at = slice_of(bytes, utf8_encode(fold_code(code), bytes));
    return (struct set){at, 1};
}

static struct info info_class(struct finder *f, const struct regex_class *set)
{
    uint64_t members = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        members += set->at[i].high - set->at[i].low + 1;
    }
    if (members == 0 || members > 3 * CLASS_LIMIT ||
            set->at[set->count - 1].high == REGEX_INVALID) {
        return info_anything();
    }
    struct set out = {0};
    for (uint32_t i = 0; i < set->count; i++) {
        for (uint32_t code = set->at[i].low; code <= set->at[i].high; code++) {
            struct set one = one_text(f, code);
            out = out.at ? either(f, out, one) : one;
            if (!out.at || out.count > CLASS_LIMIT) {
                return info_anything();
            }
        }
    }
    return info_exact(out);
}

/* ---- the tree -------------------------------------------------------------------------------- */

static bool leaf(struct finder *f, const struct regex_tree *tree)
{
    switch (tree->kind) {
    case TREE_EMPTY:
    case TREE_ASSERT:
        f->done = info_exact(EMPTY_ONLY);
        return true;
    case TREE_BYTES:
        f->done = info_exact(one_text(f, tree->code));
        return true;
    case TREE_CLASS:
        f->done = info_class(f, &tree->shared->set);
        return true;
    default:
        return false;
    }
}

static void push(struct finder *f, const struct regex_tree *tree)
{
    assert(f->depth < TREE_DEPTH);
    f->frames[f->depth++] = (struct frame){.tree = tree, .child = tree->last};
}

/* Takes up f->done; children come from the last to the first. */
static void child_done(struct finder *f, struct frame *frame)
{
    frame->child = frame->child->before;
    if (frame->tree->kind == TREE_REPEAT) {
        frame->info = info_repeat(f, frame->tree, f->done);
    } else if (!frame->any) {
        frame->info = f->done;
    } else if (frame->tree->kind == TREE_CAT) {
        frame->info = info_cat(f, f->done, frame->info);
    } else {
        frame->info = info_alt(f, frame->info, f->done);
    }
    frame->any = true;
}

static void walk(struct finder *f, const struct regex_tree *root)
{
    if (leaf(f, root)) {
        return;
    }
    push(f, root);
    while (f->depth > 0 && !f->failed) {
        struct frame *frame = &f->frames[f->depth - 1];
        if (!frame->child) {
            f->done = frame->info;
            if (--f->depth > 0) {
                child_done(f, &f->frames[f->depth - 1]);
            }
        } else if (leaf(f, frame->child)) {
            child_done(f, frame);
        } else {
            push(f, frame->child);
        }
    }
}

/* Whatever holds a literal that holds another is found by the other. */
static uint32_t thin(struct slice *at, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool needless = false;
        for (uint32_t j = 0; j < count && !needless; j++) {
            needless = j != i && at[j].size < at[i].size && slice_find(at[i], at[j]) != SIZE_MAX;
        }
        if (!needless) {
            struct slice own = at[i];
            at[i] = at[kept];
            at[kept++] = own;
        }
    }
    return kept;
}

enum err regex_literal_find(struct arena *arena, struct arena *scratch,
        const struct regex_tree *root, const struct slice **out, size_t *count)
{
    struct finder f = {.arena = scratch,
            .arena_end = scratch->used + MEMORY_LIMIT,
            .frames = ARENA_ARRAY(scratch, struct frame, TREE_DEPTH)};
    if (!f.frames) {
        return ERR_MEMORY;
    }
    walk(&f, root);
    *out = NULL;
    *count = 0;
    if (f.failed || shortest(f.done.needed) == 0) {
        return OK;
    }
    struct set needed = f.done.needed;
    struct slice *at = ARENA_ARRAY(arena, struct slice, needed.count);
    if (!at) {
        return ERR_MEMORY;
    }
    memcpy(at, needed.at, needed.count * sizeof *at);
    uint32_t kept = thin(at, needed.count);
    for (uint32_t i = 0; i < kept; i++) {
        at[i] = arena_copy(arena, at[i]);
        if (!at[i].at) {
            return ERR_MEMORY;
        }
    }
    *out = at;
    *count = kept;
    return OK;
}
