/* How a shape is made of a record: shape.h. */
#include "archive/shape_parts.h"

/* A word is not cut through: what differs in it, differs as a whole. */
static bool inside_word(const char *at, size_t i, size_t size)
{
    return i > 0 && i < size && (unsigned char)at[i - 1] > ' ' && (unsigned char)at[i] > ' ' &&
           at[i - 1] != '"' && at[i] != '"' && at[i - 1] != ',' && at[i] != ',';
}

static size_t common_start(struct slice text, const char *at, size_t size)
{
    size_t n = 0;
    while (n < size && n < text.size && text.at[n] == at[n]) {
        n++;
    }
    while (n > 0 && (inside_word(text.at, n, text.size) || inside_word(at, n, size))) {
        n--;
    }
    /* No character is cut through either. */
    while (n > 0 && n < text.size && ((unsigned char)text.at[n] & 0xC0) == 0x80) {
        n--;
    }
    return n;
}

static size_t common_end(struct slice text, const char *at, size_t size)
{
    size_t n = 0;
    while (n < size && n < text.size && text.at[text.size - 1 - n] == at[size - 1 - n]) {
        n++;
    }
    while (n > 0 &&
            (inside_word(text.at, text.size - n, text.size) || inside_word(at, size - n, size))) {
        n--;
    }
    while (n > 0 && ((unsigned char)text.at[text.size - n] & 0xC0) == 0x80) {
        n--;
    }
    return n;
}

/* Makes `piece`, which fits the text, fit `other` as well. */
static void widen(struct shape_piece *piece, struct slice text, const struct shape_piece *other)
{
    size_t fixed = (size_t)other->before + other->after;
    if (!piece->open && !other->open && fixed == text.size &&
            memcmp(other->at, text.at, fixed) == 0) {
        return;
    }
    size_t start = other->open ? other->before : fixed;
    size_t end = other->open ? other->after : fixed;
    size_t before = common_start(text, other->at, start);
    size_t after = common_end(text, other->at + fixed - end, end);
    size_t least = !other->open && fixed < text.size ? fixed : text.size;
    before = before < piece->before ? before : piece->before;
    if (piece->open) {
        after = after < piece->after ? after : piece->after;
    }
    after = after < least - before ? after : least - before;
    *piece = (struct shape_piece){text.at, (uint32_t)before, (uint32_t)after, true};
}

/* The piece for the record's text before its i-th hole: as it stands while the columns have few
 * shapes, later as wide as all of those together, at last anything where they differ. */
static struct shape_piece piece_for(
        const struct shape_set *set, const struct shape_group *group, size_t i)
{
    struct slice text = shape_between(set, i);
    struct shape_piece piece = {text.at, (uint32_t)text.size, 0, false};
    if (group->count < SHAPE_ALTERNATIVES) {
        return piece;
    }
    for (uint32_t at = group->first; at; at = set->shapes[at - 1].next) {
        widen(&piece, text, &set->shapes[at - 1].pieces[i]);
    }
    if (piece.open && group->count + 1 >= SHAPE_WIDENED) {
        piece.before = piece.after = 0;
    }
    return piece;
}

/* Copies the bytes that stay, which are not next to one another in the record. */
static bool piece_keep(struct shape_set *set, struct shape_piece *piece, struct slice text)
{
    size_t size = (size_t)piece->before + piece->after;
    char *to = arena_alloc(&set->memory, size, 1);
    if (!to) {
        return false;
    }
    memcpy(to, text.at, piece->before);
    memcpy(to + piece->before, text.at + text.size - piece->after, piece->after);
    piece->at = to;
    return true;
}

static bool quoted(const struct shape_set *set, const struct shape_item *item)
{
    size_t end = (size_t)item->from + item->size;
    return item->from > 0 && end < set->raw.size && set->raw.at[item->from - 1] == '"' &&
           set->raw.at[end] == '"';
}

static bool written_so(struct shape_set *set, const struct shape_item *item, uint8_t how)
{
    struct slice inside = slice_of(set->raw.at + item->from, item->size);
    buf_clear(&set->made);
    char *to = buf_reserve(&set->made, item->text.size * SHAPE_ESCAPE_GROWTH + SHAPE_ESCAPE_SLACK);
    return to && slice_equal(slice_of(to, shape_escape(item->text, how, to)), inside);
}

/* How a value is written: `common` as the whole record is, where that fits. SHAPE_HOW: in no way
 * that we know. */
static uint8_t how_of(struct shape_set *set, const struct shape_item *item, uint8_t common)
{
    if (!item->escaped && !quoted(set, item)) {
        return SHAPE_PLAIN;
    }
    uint8_t own = shape_escape_guess(slice_of(set->raw.at + item->from, item->size));
    const uint8_t tries[] = {common, own, SHAPE_JSON};
    for (size_t i = 0; i < sizeof tries; i++) {
        if (written_so(set, item, tries[i])) {
            return tries[i];
        }
    }
    return item->escaped ? SHAPE_HOW : SHAPE_PLAIN;
}

static uint8_t common_way(const struct shape_set *set)
{
    uint8_t common = SHAPE_JSON;
    for (size_t i = 0; i < set->order_count; i++) {
        const struct shape_item *item = &set->items[set->order[i]];
        if (item->escaped) {
            common |= shape_escape_guess(slice_of(set->raw.at + item->from, item->size));
        }
    }
    return common;
}

bool shape_make_literal(struct shape_set *set)
{
    uint8_t common = common_way(set);
    bool any = false;
    for (size_t i = 0; i < set->order_count; i++) {
        struct shape_item *item = &set->items[set->order[i]];
        if (item->escaped && how_of(set, item, common) == SHAPE_HOW) {
            item->from = SHAPE_NOWHERE;
            any = true;
        }
    }
    return any;
}

static bool fill_values(struct shape_set *set, struct shape *shape)
{
    uint32_t *values = ARENA_ARRAY(&set->memory, uint32_t, set->order_count);
    uint8_t *how = ARENA_ARRAY(&set->memory, uint8_t, set->order_count);
    if (!values || !how) {
        return false;
    }
    uint8_t common = common_way(set);
    for (size_t i = 0; i < set->order_count; i++) {
        const struct shape_item *item = &set->items[set->order[i]];
        values[i] = item->column;
        how[i] = how_of(set, item, common);
        if (how[i] == SHAPE_HOW) {
            return false;
        }
    }
    shape->values = values;
    shape->how = how;
    shape->count = (uint32_t)set->order_count;
    return true;
}

static bool fill_pieces(struct shape_set *set, const struct shape_group *group, struct shape *shape)
{
    size_t count = set->order_count + 1, open = 0;
    struct shape_piece *pieces = ARENA_ARRAY(&set->memory, struct shape_piece, count);
    for (size_t i = 0; pieces && i < count; i++) {
        pieces[i] = piece_for(set, group, i);
        shape->literal_bytes += (size_t)pieces[i].before + pieces[i].after;
        open += pieces[i].open;
        if (shape->literal_bytes > SHAPE_SKELETON ||
                set->literal_bytes + shape->literal_bytes > SHAPE_LITERAL_BYTES ||
                !piece_keep(set, &pieces[i], shape_between(set, i))) {
            return false;
        }
    }
    uint32_t *holes = ARENA_ARRAY(&set->memory, uint32_t, set->order_count + open);
    if (!pieces || !holes) {
        return false;
    }
    uint32_t literals = 0;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].open) {
            uint32_t column = shape_literal_column(set, literals++);
            if (column == SHAPE_NONE) {
                return false;
            }
            holes[shape->hole_count++] = column;
        }
        if (i < set->order_count) {
            holes[shape->hole_count++] = shape->values[i];
        }
    }
    shape->holes = holes;
    shape->pieces = pieces;
    return true;
}

/* Two lists of columns may have one key. */
static bool same_columns(const struct shape_set *set, const struct shape_group *group)
{
    const struct shape *first = group->first ? &set->shapes[group->first - 1] : NULL;
    if (!first) {
        return true;
    }
    bool same = first->count == set->order_count;
    for (size_t i = 0; same && i < first->count; i++) {
        same = first->values[i] == set->items[set->order[i]].column;
    }
    return same;
}

uint32_t shape_make(struct shape_set *set, struct shape_group *group, uint64_t key)
{
    size_t pieces = 2 * set->order_count + 1;
    struct shape shape = {.next = group->first};
    if (set->count >= SHAPE_LIMIT || group->count >= SHAPE_WIDENED ||
            set->piece_count + pieces > SHAPE_PIECES || !same_columns(set, group) ||
            !fill_values(set, &shape) || !fill_pieces(set, group, &shape)) {
        return SHAPE_NONE;
    }
    set->piece_count += pieces;
    set->literal_bytes += shape.literal_bytes;
    set->shapes[set->count] = shape;
    group->key = key;
    group->first = set->count + 1;
    group->count++;
    return set->count++;
}
