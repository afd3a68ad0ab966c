#include "sigma/regex_class.h"

#include <stdlib.h>
#include <string.h>

#include "base/fold.h"

enum err regex_class_add(struct arena *arena, struct regex_class *set, uint32_t low, uint32_t high)
{
    if (set->count == set->room) {
        uint32_t room = set->room ? set->room * 2 : 4;
        struct regex_range *grown = ARENA_ARRAY(arena, struct regex_range, room);
        if (!grown) {
            return ERR_MEMORY;
        }
        if (set->count) {
            memcpy(grown, set->at, set->count * sizeof *grown);
        }
        set->at = grown;
        set->room = room;
    }
    set->at[set->count++] = (struct regex_range){low, high};
    return OK;
}

enum err regex_class_join(
        struct arena *arena, struct regex_class *set, const struct regex_class *more)
{
    for (uint32_t i = 0; i < more->count; i++) {
        TRY(regex_class_add(arena, set, more->at[i].low, more->at[i].high));
    }
    return OK;
}

static int range_compare(const void *a, const void *b)
{
    const struct regex_range *x = a, *y = b;
    if (x->low != y->low) {
        return x->low < y->low ? -1 : 1;
    }
    return x->high < y->high ? -1 : x->high > y->high;
}

static bool ordered(const struct regex_class *set)
{
    for (uint32_t i = 1; i < set->count; i++) {
        uint32_t after = set->at[i - 1].high + 1;
        if (set->at[i].low <= after && set->at[i].low != REGEX_INVALID) {
            return false;
        }
    }
    return true;
}

void regex_class_order(struct regex_class *set)
{
    if (ordered(set)) {
        return;
    }
    qsort(set->at, set->count, sizeof *set->at, range_compare);
    uint32_t kept = 0;
    for (uint32_t i = 1; i < set->count; i++) {
        struct regex_range *last = &set->at[kept];
        /* REGEX_INVALID is never merged into its neighbour: it is no code point. */
        if (set->at[i].low <= last->high ||
                (set->at[i].low == last->high + 1 && set->at[i].low != REGEX_INVALID)) {
            last->high = set->at[i].high > last->high ? set->at[i].high : last->high;
        } else {
            set->at[++kept] = set->at[i];
        }
    }
    set->count = kept + 1;
}

enum err regex_class_negate(struct arena *arena, struct regex_class *set)
{
    struct regex_class out = {0};
    regex_class_order(set);
    uint32_t count = set->count;
    bool invalid = count > 0 && set->at[count - 1].high == REGEX_INVALID;
    uint32_t next = 0;
    for (uint32_t i = 0; i < count - invalid; i++) {
        if (set->at[i].low > next) {
            TRY(regex_class_add(arena, &out, next, set->at[i].low - 1));
        }
        next = set->at[i].high + 1;
    }
    if (next < REGEX_INVALID) {
        TRY(regex_class_add(arena, &out, next, REGEX_INVALID - 1));
    }
    if (!invalid) {
        TRY(regex_class_add(arena, &out, REGEX_INVALID, REGEX_INVALID));
    }
    *set = out;
    return OK;
}

bool regex_class_has(const struct regex_class *set, uint32_t code)
{
    uint32_t low = 0, high = set->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (set->at[middle].high < code) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < set->count && set->at[low].low <= code;
}

/* ---- case ------------------------------------------------------------------------------------ */

/* Where the code points stand that have a simple fold (the test checks that none is outside). */
static const struct regex_range FOLD_BLOCKS[] = {
        {0x41, 0x5A},
        {0xB5, 0x5FF},
        {0x10A0, 0x10FF},
        {0x13A0, 0x13FF},
        {0x1C80, 0x1CBF},
        {0x1E00, 0x1FFF},
        {0x2100, 0x218F},
        {0x24B0, 0x24FF},
        {0x2C00, 0x2D2F},
        {0xA640, 0xA7FF},
        {0xAB30, 0xABBF},
        {0xFB00, 0xFB06},
        {0xFF21, 0xFF5A},
        {0x10400, 0x105FF},
        {0x10C80, 0x10CFF},
        {0x10D50, 0x10D8F},
        {0x118A0, 0x118DF},
        {0x16E40, 0x16EDF},
        {0x1E900, 0x1E95F},
};

static enum err folds_build(struct arena *arena, struct regex_class_folds *folds)
{
    struct regex_class pairs = {0};
    for (size_t b = 0; b < sizeof FOLD_BLOCKS / sizeof *FOLD_BLOCKS; b++) {
        for (uint32_t code = FOLD_BLOCKS[b].low; code <= FOLD_BLOCKS[b].high; code++) {
            uint32_t fold = fold_code(code);
            if (fold != code) {
                TRY(regex_class_add(arena, &pairs, fold, code));
            }
        }
    }
    if (pairs.count) {
        qsort(pairs.at, pairs.count, sizeof *pairs.at, range_compare);
    }
    folds->pairs = pairs.at;
    folds->count = pairs.count;
    return OK;
}

static enum err fold_ascii(struct arena *arena, struct regex_class *set)
{
    uint32_t count = set->count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t low = set->at[i].low, high = set->at[i].high;
        for (uint32_t code = low; code <= high && code < 0x80; code++) {
            uint32_t lower = code | 0x20;
            if (lower < 'a' || lower > 'z') {
                continue;
            }
            TRY(regex_class_add(arena, set, code ^ 0x20, code ^ 0x20));
            if (lower == 'k') {
                TRY(regex_class_add(arena, set, 0x212A, 0x212A)); /* KELVIN SIGN */
            } else if (lower == 's') {
                TRY(regex_class_add(arena, set, 0x17F, 0x17F)); /* LONG S */
            }
        }
    }
    return OK;
}

/* First pair whose fold is at least `fold`. */
static uint32_t folds_find(const struct regex_class_folds *folds, uint32_t fold)
{
    uint32_t low = 0, high = folds->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (folds->pairs[middle].low < fold) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static enum err add_folds(
        struct arena *arena, struct regex_class *set, const struct regex_class_folds *folds)
{
    if (set->count == 1 && set->at[0].low == set->at[0].high) {
        uint32_t fold = fold_code(set->at[0].low);
        return fold == set->at[0].low ? OK : regex_class_add(arena, set, fold, fold);
    }
    uint32_t count = set->count;
    for (uint32_t i = 0; i < folds->count; i++) {
        struct regex_class old = {.at = set->at, .count = count};
        if (regex_class_has(&old, folds->pairs[i].high)) {
            TRY(regex_class_add(arena, set, folds->pairs[i].low, folds->pairs[i].low));
        }
    }
    return OK;
}

enum err regex_class_fold(
        struct arena *arena, struct regex_class *set, struct regex_class_folds *folds)
{
    regex_class_order(set);
    if (set->count == 0) {
        return OK;
    }
    if (set->at[set->count - 1].high < 0x80) {
        TRY(fold_ascii(arena, set));
        regex_class_order(set);
        return OK;
    }
    if (!folds->pairs) {
        TRY(folds_build(arena, folds));
    }
    TRY(add_folds(arena, set, folds));
    regex_class_order(set);
    /* Now every fold of a member is a member: add all that fold to a member. */
    uint32_t count = set->count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t high = set->at[i].high;
        uint32_t j = folds_find(folds, set->at[i].low);
        for (; j < folds->count && folds->pairs[j].low <= high; j++) {
            TRY(regex_class_add(arena, set, folds->pairs[j].high, folds->pairs[j].high));
        }
    }
    regex_class_order(set);
    return OK;
}

/* ---- named sets ------------------------------------------------------------------------------ */

struct named {
    const char *name;
    uint8_t count;
    struct regex_range at[11];
};

static const struct named ESCAPES[] = {
        {"d", 1, {{'0', '9'}}},
        {"s", 2, {{'\t', '\r'}, {' ', ' '}}},
        {"w", 4, {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
        {"h", 8,
                {{'\t', '\t'}, {' ', ' '}, {0xA0, 0xA0}, {0x1680, 0x1680}, {0x180E, 0x180E},
                        {0x2000, 0x200A}, {0x202F, 0x202F}, {0x205F, 0x205F}}},
        {"v", 3, {{'\n', '\r'}, {0x85, 0x85}, {0x2028, 0x2029}}},
        {"n", 1, {{'\n', '\n'}}},
};

static const struct named POSIX[] = {
        {"alpha", 2, {{'A', 'Z'}, {'a', 'z'}}},
        {"lower", 1, {{'a', 'z'}}},
        {"upper", 1, {{'A', 'Z'}}},
        {"alnum", 3, {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
        {"ascii", 1, {{0, 0x7F}}},
        {"blank", 2, {{'\t', '\t'}, {' ', ' '}}},
        {"cntrl", 2, {{0, 0x1F}, {0x7F, 0x7F}}},
        {"digit", 1, {{'0', '9'}}},
        {"graph", 1, {{0x21, 0x7E}}},
        {"print", 1, {{0x20, 0x7E}}},
        {"punct", 4, {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
        {"space", 2, {{'\t', '\r'}, {' ', ' '}}},
        {"word", 4, {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
        {"xdigit", 3, {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
};

static enum err add_named(
        struct arena *arena, struct regex_class *set, const struct named *named, bool negate)
{
    struct regex_class own = {0};
    for (uint32_t i = 0; i < named->count; i++) {
        TRY(regex_class_add(arena, &own, named->at[i].low, named->at[i].high));
    }
    if (named->name[0] == 'h' && named->name[1] == '\0') {
        TRY(regex_class_add(arena, &own, 0x3000, 0x3000)); /* IDEOGRAPHIC SPACE */
    }
    if (negate) {
        TRY(regex_class_negate(arena, &own));
    }
    return regex_class_join(arena, set, &own);
}

enum err regex_class_add_escape(struct arena *arena, struct regex_class *set, char letter)
{
    char lower = (char)(letter | 0x20);
    bool negate = letter != lower;
    if (lower == 'n' && !negate) {
        return ERR_NOT_FOUND; /* \n is a character, \N all others */
    }
    for (size_t i = 0; i < sizeof ESCAPES / sizeof *ESCAPES; i++) {
        if (ESCAPES[i].name[0] == lower) {
            return add_named(arena, set, &ESCAPES[i], negate);
        }
    }
    return ERR_NOT_FOUND;
}

enum err regex_class_add_posix(
        struct arena *arena, struct regex_class *set, struct slice name, bool negate, bool nocase)
{
    if (nocase && (slice_equal(name, SLICE("upper")) || slice_equal(name, SLICE("lower")))) {
        name = SLICE("alpha");
    }
    for (size_t i = 0; i < sizeof POSIX / sizeof *POSIX; i++) {
        if (slice_equal(name, slice_text(POSIX[i].name))) {
            return add_named(arena, set, &POSIX[i], negate);
        }
    }
    return ERR_NOT_FOUND;
}
