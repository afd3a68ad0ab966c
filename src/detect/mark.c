#include "detect/mark.h"

#include <stdlib.h>

#include "base/fold.h"
#include "base/utf8.h"

/* A text with, for each byte, the place in the original that it came from. */
struct mapped {
    struct slice text;
    const uint32_t *from; /* text.size + 1 of them; NULL: the same place */
};

static void put(struct mark_list *list, size_t at, size_t end)
{
    if (list->count < MARK_PARTS && end > at) {
        list->parts[list->count++] = (struct mark_part){at, end - at};
    }
}

static void put_mapped(struct mark_list *list, const struct mapped *m, size_t at, size_t end)
{
    if (m->from) {
        at = m->from[at];
        end = m->from[end];
    }
    put(list, at, end);
}

/* The fold of `text` with its map, in scratch; false: no memory. */
static bool fold(struct slice text, struct buf *scratch, struct mapped *out)
{
    buf_clear(scratch);
    size_t most = 2 * text.size; /* see fold_text */
    uint32_t *from = (void *)buf_reserve(scratch, (most + 1) * sizeof *from + most);
    if (!from) {
        return false;
    }
    char *to = (char *)(from + most + 1);
    size_t size = 0;
    for (size_t i = 0; i < text.size;) {
        size_t n = utf8_sequence(text.at + i, text.size - i);
        size_t made = 1;
        if (n == 0) {
            to[size] = text.at[i];
            n = 1;
        } else {
            made = utf8_encode(fold_code(utf8_decode(text.at + i, &n)), to + size);
        }
        for (size_t k = 0; k < made; k++) {
            from[size + k] = (uint32_t)i;
        }
        size += made;
        i += n;
    }
    from[size] = (uint32_t)text.size;
    *out = (struct mapped){slice_of(to, size), from};
    return true;
}

/* ---- literals -------------------------------------------------------------------------------- */

static void add_places(struct mark_list *list, const struct mapped *m, struct slice literal)
{
    size_t at = 0;
    for (int i = 0; i < MARK_PLACES; i++) {
        size_t found = slice_find(slice_of(m->text.at + at, m->text.size - at), literal);
        if (found == SIZE_MAX) {
            return;
        }
        put_mapped(list, m, at + found, at + found + literal.size);
        at += found + literal.size;
    }
}

/* ---- patterns with wildcards ----------------------------------------------------------------- */

/* Where the piece ends when it stands at `at`; SIZE_MAX: it does not stand there. */
static size_t stands_at(struct slice piece, struct slice text, size_t at, size_t *work)
{
    for (size_t i = 0; i < piece.size; i++, (*work)++) {
        if (at >= text.size) {
            return SIZE_MAX;
        }
        if (piece.at[i] == PATTERN_ONE) {
            size_t n = utf8_sequence(text.at + at, text.size - at);
            at += n ? n : 1;
        } else if (piece.at[i] != text.at[at]) {
            return SIZE_MAX;
        } else {
            at++;
        }
    }
    return at;
}

struct piece {
    struct slice text;
    bool first; /* it must begin where the text does */
    bool last;  /* it must end where the text does */
};

/* The first place at or after *at; sets *at and *end. */
static bool find_piece(
        const struct piece *piece, struct slice text, size_t *at, size_t *end, size_t *work)
{
    for (size_t i = *at; i <= text.size && *work < MARK_WORK; i++, (*work)++) {
        size_t stop = stands_at(piece->text, text, i, work);
        if (stop != SIZE_MAX && (!piece->last || stop == text.size)) {
            *at = i;
            *end = stop;
            return true;
        }
        if (piece->first) {
            return false;
        }
    }
    return false;
}

/* The pieces between the `*`, each at its first place. */
static void add_pattern(struct mark_list *list, const struct mapped *m, struct slice pattern)
{
    struct mark_list found = {0};
    struct piece piece = {.first = true};
    size_t at = 0, end = 0, work = 0;
    while (!piece.last) {
        size_t cut = slice_find_byte(pattern, PATTERN_MANY);
        piece.text = slice_of(pattern.at, cut);
        piece.last = cut == pattern.size;
        if (!find_piece(&piece, m->text, &at, &end, &work)) {
            if (work >= MARK_WORK) {
                put_mapped(list, m, 0, m->text.size);
            }
            return;
        }
        put_mapped(&found, m, at, end);
        at = end;
        pattern = piece.last ? pattern : slice_of(pattern.at + cut + 1, pattern.size - cut - 1);
        piece.first = false;
    }
    for (size_t i = 0; i < found.count; i++) {
        put(list, found.parts[i].at, found.parts[i].at + found.parts[i].size);
    }
}

/* ---- regexes --------------------------------------------------------------------------------- */

/* Does the pattern look at what stands around a match? Then a shorter text may match where the
 * whole does not. Errs on the side of yes. */
static bool looks_around(struct slice pattern)
{
    for (size_t i = 0; i < pattern.size; i++) {
        char c = pattern.at[i];
        char before = i > 0 ? pattern.at[i - 1] : 0;
        if (c == '\\' && i + 1 < pattern.size) {
            if (strchr("bBAzZG<>", pattern.at[i + 1])) {
                return true;
            }
            i++;
        } else if (c == '$' || (c == '^' && before != '[')) {
            return true;
        }
    }
    return false;
}

static bool matches(const struct predicate *p, struct slice text, const struct mark_tools *tools)
{
    return regex_search(p->regex, tools->regexes, text) == VERDICT_YES;
}

/* The end of the match that ends first, and of those the shortest: found by halving, because a
 * longer text matches whenever a part of it does. */
static void add_regex(struct mark_list *list, const struct predicate *p, struct slice text,
        const struct mark_tools *tools)
{
    if (!matches(p, text, tools)) {
        return;
    }
    if (looks_around(p->text)) {
        put(list, 0, text.size);
        return;
    }
    size_t low = 0, end = text.size;
    while (low < end) {
        size_t middle = low + (end - low) / 2;
        if (matches(p, slice_of(text.at, middle), tools)) {
            end = middle;
        } else {
            low = middle + 1;
        }
    }
    size_t start = 0, high = end;
    while (start < high) {
        size_t middle = start + (high - start + 1) / 2;
        if (matches(p, slice_of(text.at + middle, end - middle), tools)) {
            start = middle;
        } else {
            high = middle - 1;
        }
    }
    while (start > 0 && (text.at[start] & 0xC0) == 0x80) {
        start--; /* whole characters */
    }
    while (end < text.size && (text.at[end] & 0xC0) == 0x80) {
        end++;
    }
    put(list, start, end);
}

/* ---- one test -------------------------------------------------------------------------------- */

static void add_text_test(struct mark_list *list, const struct predicate *p, const struct mapped *m)
{
    size_t size = m->text.size;
    switch (p->op) {
    case OP_EQUAL:
        put_mapped(list, m, 0, slice_equal(m->text, p->text) ? size : 0);
        return;
    case OP_PREFIX:
        put_mapped(list, m, 0, slice_starts(m->text, p->text) ? p->text.size : 0);
        return;
    case OP_SUFFIX:
        put_mapped(list, m, slice_ends(m->text, p->text) ? size - p->text.size : size, size);
        return;
    case OP_CONTAINS:
        add_places(list, m, p->text);
        return;
    default:
        add_pattern(list, m, p->text);
    }
}

static bool is_whole(const struct predicate *p, struct slice text, const struct mark_tools *tools)
{
    switch (p->op) {
    case OP_NULL:
        return false;
    case OP_PRESENT:
    case OP_EXISTS:
    case OP_FIELD_EQUAL:
    case OP_FIELD_PREFIX:
    case OP_FIELD_SUFFIX:
    case OP_FIELD_CONTAINS:
        return true;
    default:
        return predicate_test_text(p, text, text, tools->regexes) == VERDICT_YES;
    }
}

void mark_add(struct mark_list *list, const struct predicate *p, struct slice text,
        const struct mark_tools *tools)
{
    struct mapped m = {.text = text};
    if (text.size > MARK_TEXT) {
        put(list, 0, text.size);
    } else if (p->op == OP_REGEX) {
        add_regex(list, p, text, tools);
    } else if (p->op > OP_PATTERN) {
        put(list, 0, is_whole(p, text, tools) ? text.size : 0);
    } else if (p->cased || fold(text, tools->scratch, &m)) {
        add_text_test(list, p, &m);
    } else {
        put(list, 0, text.size);
    }
}

static int by_place(const void *a, const void *b)
{
    const struct mark_part *x = a, *y = b;
    if (x->at != y->at) {
        return x->at < y->at ? -1 : 1;
    }
    return x->size < y->size ? 1 : x->size > y->size ? -1 : 0;
}

void mark_finish(struct mark_list *list)
{
    size_t kept = 0;
    qsort(list->parts, list->count, sizeof *list->parts, by_place);
    for (size_t i = 0; i < list->count; i++) {
        struct mark_part *last = kept > 0 ? &list->parts[kept - 1] : NULL;
        const struct mark_part *part = &list->parts[i];
        if (last && part->at <= last->at + last->size) {
            size_t end = part->at + part->size;
            size_t last_end = last->at + last->size;
            last->size = (end > last_end ? end : last_end) - last->at;
        } else {
            list->parts[kept++] = *part;
        }
    }
    list->count = kept;
}
