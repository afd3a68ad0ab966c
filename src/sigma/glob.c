#include "sigma/glob.h"

#include <string.h>

#include "base/utf8.h"
#include "sigma/predicate.h"

/* One character; a byte that is no part of one counts as one. */
static size_t step_over(struct slice text, size_t at)
{
    size_t size = utf8_sequence(text.at + at, text.size - at);
    return size ? size : 1;
}

static size_t step_back(struct slice text, size_t at)
{
    for (size_t back = 2; back <= 4 && back <= at; back++) {
        if (utf8_sequence(text.at + at - back, back) == back) {
            return back;
        }
    }
    return 1;
}

/* The piece at the front of text from `at` on; SIZE_MAX: it does not fit, else the place behind. */
static size_t fit_front(struct slice piece, struct slice text, size_t at)
{
    for (size_t i = 0; i < piece.size; i++) {
        if (at >= text.size) {
            return SIZE_MAX;
        }
        if (piece.at[i] == PATTERN_ONE) {
            at += step_over(text, at);
        } else if (piece.at[i] == text.at[at]) {
            at++;
        } else {
            return SIZE_MAX;
        }
    }
    return at;
}

/* The piece at the end of the text; SIZE_MAX: it does not fit, else where it begins. */
static size_t fit_back(struct slice piece, struct slice text)
{
    size_t at = text.size;
    for (size_t i = piece.size; i > 0; i--) {
        if (at == 0) {
            return SIZE_MAX;
        }
        if (piece.at[i - 1] == PATTERN_ONE) {
            at -= step_back(text, at);
        } else if (piece.at[i - 1] == text.at[at - 1]) {
            at--;
        } else {
            return SIZE_MAX;
        }
    }
    return at;
}

/* First place from *at on where the piece fits; *at becomes the place behind it. The piece does not
 * begin with ONE. */
static enum verdict search(struct slice piece, struct slice text, size_t *at, uint64_t *work)
{
    size_t run = slice_find_byte(piece, PATTERN_ONE);
    size_t from = *at;
    for (;;) {
        const char *found =
                from <= text.size ? memmem(text.at + from, text.size - from, piece.at, run) : NULL;
        if (!found) {
            return VERDICT_NO;
        }
        size_t place = (size_t)(found - text.at);
        uint64_t cost = place - from + piece.size;
        if (cost > *work) {
            return VERDICT_UNDETERMINED;
        }
        *work -= cost;
        size_t end = fit_front(piece, text, place);
        if (end != SIZE_MAX) {
            *at = end;
            return VERDICT_YES;
        }
        from = place + 1;
    }
}

/* Cuts the piece before the first MANY off the pattern; *last: there was none. */
static struct slice cut(struct slice *pattern, bool *last)
{
    size_t end = slice_find_byte(*pattern, PATTERN_MANY);
    struct slice piece = slice_of(pattern->at, end);
    *last = end == pattern->size;
    size_t skip = *last ? end : end + 1;
    *pattern = slice_of(pattern->at + skip, pattern->size - skip);
    return piece;
}

enum verdict glob_match_within(struct slice pattern, struct slice text, uint64_t work)
{
    bool last;
    struct slice piece = cut(&pattern, &last);
    size_t at = fit_front(piece, text, 0);
    if (at == SIZE_MAX || (last && at != text.size)) {
        return VERDICT_NO;
    }
    while (!last) {
        piece = cut(&pattern, &last);
        if (last) {
            size_t start = fit_back(piece, text);
            return start != SIZE_MAX && start >= at ? VERDICT_YES : VERDICT_NO;
        }
        enum verdict v = search(piece, text, &at, &work);
        if (v != VERDICT_YES) {
            return v;
        }
    }
    return VERDICT_YES;
}

enum verdict glob_match(struct slice pattern, struct slice text)
{
    return glob_match_within(pattern, text, GLOB_WORK);
}
