#include "archive/shape.h"

#include <stdlib.h>

#include "archive/shape_bytes.h"
#include "archive/shape_parts.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/utf8.h"

enum {
    MEMORY_CAP = 64 << 20,
    TEXTS_CAP = 64 << 20,
    SEARCH_BYTES = 4096, /* in which a value is looked for that the decoder made */
    EARLY_SHAPES = 256,  /* are made of the first record that has their columns, later ones of the
                            second */
    GROUPS = SHAPE_LIMIT * 2,
    SEEN = SHAPE_LIMIT * 4,
};

enum err shape_new(struct shape_set **out)
{
    struct shape_set *set = memory_alloc(sizeof *set);
    if (!set) {
        return ERR_MEMORY;
    }
    intern_init(&set->paths, SHAPE_COLUMNS);
    arena_init(&set->memory, MEMORY_CAP);
    arena_init(&set->texts, TEXTS_CAP);
    set->columns = memory_alloc_array(SHAPE_COLUMNS, sizeof *set->columns);
    set->path_column = memory_alloc_array(SHAPE_COLUMNS, sizeof *set->path_column);
    set->literal_columns = memory_alloc_array(SHAPE_HOLES + 1, sizeof *set->literal_columns);
    set->items = memory_alloc_array(SHAPE_VALUES, sizeof *set->items);
    set->order = memory_alloc_array(SHAPE_VALUES, sizeof *set->order);
    set->hole_texts = memory_alloc_array(2 * SHAPE_HOLES + 1, sizeof *set->hole_texts);
    set->out = memory_alloc_array(SHAPE_VALUES + SHAPE_HOLES + 1, sizeof *set->out);
    if (!set->columns || !set->path_column || !set->literal_columns || !set->items || !set->order ||
            !set->hole_texts || !set->out) {
        shape_free(set);
        return ERR_MEMORY;
    }
    *out = set;
    return OK;
}

void shape_free(struct shape_set *set)
{
    if (!set) {
        return;
    }
    intern_fini(&set->paths);
    arena_fini(&set->memory);
    arena_fini(&set->texts);
    buf_fini(&set->made);
    memory_free(set->columns);
    memory_free(set->path_column);
    memory_free(set->literal_columns);
    memory_free(set->items);
    memory_free(set->order);
    memory_free(set->hole_texts);
    memory_free(set->out);
    memory_free(set);
}

uint32_t shape_count(const struct shape_set *set)
{
    return set->count;
}

uint32_t shape_columns(const struct shape_set *set)
{
    return set->column_count;
}

struct shape_column shape_column(const struct shape_set *set, uint32_t column)
{
    return (struct shape_column){set->columns[column].path, set->columns[column].place};
}

const uint32_t *shape_holes(const struct shape_set *set, uint32_t shape, size_t *count)
{
    *count = set->shapes[shape].hole_count;
    return set->shapes[shape].holes;
}

/* ---- columns --------------------------------------------------------------------------------- */

static uint32_t column_new(struct shape_set *set, struct shape_known known)
{
    if (set->column_count >= SHAPE_COLUMNS) {
        return SHAPE_NONE;
    }
    set->columns[set->column_count] = known;
    return set->column_count++;
}

/* The column of the first value of a path; SHAPE_NONE: it can have none. */
static uint32_t column_first(struct shape_set *set, struct slice path)
{
    uint32_t guess = set->previous < set->column_count ? set->columns[set->previous].after : 0;
    if (guess < set->column_count && set->columns[guess].path.size == path.size &&
            shape_bytes_same(set->columns[guess].path.at, path.at, path.size)) {
        return guess;
    }
    uint32_t number;
    bool fresh = false;
    if (path.size > SHAPE_PATH || slice_equal(path, SLICE(SHAPE_LITERAL)) || !utf8_valid(path) ||
            (set->column_count >= SHAPE_COLUMNS && intern_find(&set->paths, path) == INTERN_NONE) ||
            intern_put(&set->paths, path, &number, &fresh) != OK) {
        return SHAPE_NONE;
    }
    if (fresh) {
        struct shape_known known = {.path = intern_text(&set->paths, number), .place = 1};
        known.first = set->column_count;
        set->path_column[number] = column_new(set, known);
    }
    return set->path_column[number];
}

/* The column of the next value of the path whose first one is `first`. */
static uint32_t column_of_value(struct shape_set *set, uint32_t first)
{
    struct shape_known *head = &set->columns[first];
    if (head->seen != set->record) {
        head->seen = set->record;
        head->last = first;
        return first;
    }
    struct shape_known *last = &set->columns[head->last];
    if (!last->again) {
        struct shape_known known = {.path = head->path, .place = last->place + 1, .first = first};
        uint32_t column = column_new(set, known);
        if (column == SHAPE_NONE) {
            return SHAPE_NONE;
        }
        last->again = column + 1;
    }
    head->last = last->again - 1;
    return head->last;
}

uint32_t shape_literal_column(struct shape_set *set, uint32_t n)
{
    while (set->literal_count <= n) {
        struct shape_known known = {.path = SLICE(SHAPE_LITERAL), .place = set->literal_count + 1};
        uint32_t column = column_new(set, known);
        if (column == SHAPE_NONE) {
            return SHAPE_NONE;
        }
        set->literal_columns[set->literal_count++] = column;
    }
    return set->literal_columns[n];
}

/* ---- values ---------------------------------------------------------------------------------- */

void shape_begin(struct shape_set *set, struct slice raw)
{
    set->raw = raw;
    set->record++;
    set->previous = SHAPE_NONE;
    set->item_count = 0;
    set->order_count = 0;
    set->cut = false;
    arena_reset(&set->texts);
}

/* The text in UTF-8: bytes of the record or a copy, since others may be gone after the walk. */
static bool text_of(struct shape_set *set, const struct value *value, struct shape_item *item)
{
    if (value->kind == VALUE_OBJECT) {
        item->text = (struct slice){0};
        return true;
    }
    if (value->form == FORM_JSON) {
        char *to = arena_alloc(&set->texts, value->text.size, 1);
        if (to) {
            item->text = slice_of(to, value_unescape(value->text, to));
        }
        return to != NULL;
    }
    if (value->form == FORM_TEXT) {
        item->text =
                item->from != SHAPE_NOWHERE ? value->text : arena_copy(&set->texts, value->text);
        return item->text.at != NULL;
    }
    struct buf text = {.cap = SHAPE_TEXT};
    value_text(value, &text);
    item->text = arena_copy(&set->texts, buf_slice(&text));
    bool good = !text.failed && item->text.at;
    buf_fini(&text);
    return good;
}

/* Where the value's bytes stand in the record, if they are some of the record's. */
static void place(const struct shape_set *set, const struct value *value, struct shape_item *item)
{
    uintptr_t from = (uintptr_t)set->raw.at, at = (uintptr_t)value->text.at;
    bool inside = value->text.at && value->kind != VALUE_OBJECT && value->form <= FORM_JSON &&
                  at >= from && at - from <= set->raw.size &&
                  value->text.size <= set->raw.size - (at - from);
    item->from = inside ? (uint32_t)(at - from) : SHAPE_NOWHERE;
    item->size = inside ? (uint32_t)value->text.size : 0;
    item->escaped = inside && value->form == FORM_JSON;
}

bool shape_value(void *context, struct slice path, const struct value *value)
{
    struct shape_set *set = context;
    if (value->kind == VALUE_NULL) {
        return true;
    }
    uint32_t first = set->item_count < SHAPE_VALUES ? column_first(set, path) : SHAPE_NONE;
    uint32_t column = first == SHAPE_NONE ? SHAPE_NONE : column_of_value(set, first);
    struct shape_item *item = &set->items[set->item_count];
    if (column != SHAPE_NONE) {
        place(set, value, item);
    }
    if (column == SHAPE_NONE || !text_of(set, value, item)) {
        set->cut = true;
        return set->item_count < SHAPE_VALUES;
    }
    if (set->previous != SHAPE_NONE) {
        set->columns[set->previous].after = first;
    }
    set->previous = first;
    item->column = column;
    set->item_count++;
    return true;
}

/* ---- holes ----------------------------------------------------------------------------------- */

static bool of_word(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

/* Looks for a made text between two places of the record, as a word of its own. */
static uint32_t look(const struct shape_set *set, struct slice text, size_t from, size_t to)
{
    if (to - from > SEARCH_BYTES) {
        to = from + SEARCH_BYTES;
    }
    const char *raw = set->raw.at;
    for (int tries = 0; tries < 8 && text.size > 0 && text.size <= to - from; tries++) {
        const char *at = memmem(raw + from, to - from, text.at, text.size);
        if (!at) {
            break;
        }
        size_t start = (size_t)(at - raw), end = start + text.size;
        if ((start == 0 || !of_word(raw[start - 1])) &&
                (end == set->raw.size || !of_word(raw[end]))) {
            return (uint32_t)start;
        }
        from = start + 1;
    }
    return SHAPE_NOWHERE;
}

/* Looks for values that are not bytes of the record between those before and behind them. */
static void find_made(struct shape_set *set)
{
    size_t cursor = 0, next = 0, ahead = set->raw.size;
    for (size_t i = 0; i < set->item_count; i++) {
        struct shape_item *item = &set->items[i];
        if (item->from != SHAPE_NOWHERE) {
            cursor = item->from + item->size;
            continue;
        }
        if (item->text.size == 0) {
            continue;
        }
        if (next <= i) {
            for (next = i + 1; next < set->item_count; next++) {
                if (set->items[next].from != SHAPE_NOWHERE) {
                    break;
                }
            }
            ahead = next < set->item_count ? set->items[next].from : set->raw.size;
        }
        size_t end = ahead >= cursor ? ahead : set->raw.size;
        uint32_t from = look(set, item->text, cursor, end);
        if (from != SHAPE_NOWHERE) {
            item->from = from;
            item->size = (uint32_t)item->text.size;
            item->escaped = false;
            cursor = from + item->size;
        }
    }
}

static int by_place(const void *a, const void *b, void *context)
{
    const struct shape_item *items = context;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    const struct shape_item *x = &items[i], *y = &items[j];
    if (x->from != y->from) {
        return x->from < y->from ? -1 : 1;
    }
    if (x->size != y->size) {
        return x->size > y->size ? -1 : 1;
    }
    return i < j ? -1 : 1;
}

/* The values that stand in the record, by place, each behind the one before. */
static void put_in_order(struct shape_set *set)
{
    size_t count = 0;
    bool sorted = true;
    for (size_t i = 0; i < set->item_count; i++) {
        if (set->items[i].from != SHAPE_NOWHERE) {
            sorted = sorted &&
                     (count == 0 ||
                             set->items[i].from >= set->items[set->order[count - 1]].from +
                                                           set->items[set->order[count - 1]].size);
            set->order[count++] = (uint32_t)i;
        }
    }
    set->order_count = count;
    if (sorted) {
        return;
    }
    qsort_r(set->order, count, sizeof *set->order, by_place, set->items);
    size_t kept = 0, end = 0;
    for (size_t i = 0; i < count; i++) {
        const struct shape_item *item = &set->items[set->order[i]];
        if (item->from >= end) {
            end = (size_t)item->from + item->size;
            set->order[kept++] = set->order[i];
        }
    }
    set->order_count = kept;
}

struct slice shape_between(const struct shape_set *set, size_t i)
{
    size_t from = 0, to = set->raw.size;
    if (i > 0) {
        const struct shape_item *before = &set->items[set->order[i - 1]];
        from = (size_t)before->from + before->size;
    }
    if (i < set->order_count) {
        to = set->items[set->order[i]].from;
    }
    return slice_of(set->raw.at + from, to - from);
}

/* ---- shapes of the record's columns ---------------------------------------------------------- */

static uint64_t key_of(const struct shape_set *set)
{
    const uint64_t k0 = 0x9E3779B97F4A7C15u, k1 = 0xD1B54A32D192ED03u;
    uint64_t key = k1 ^ set->order_count;
    for (size_t i = 0; i < set->order_count; i++) {
        key = hash_mix(key ^ k1, k0 + set->items[set->order[i]].column) + i;
    }
    return key;
}

static struct shape_group *group_find(struct shape_set *set, uint64_t key)
{
    struct shape_group *group = &set->groups[key % GROUPS];
    while (group->first && group->key != key) {
        group = group + 1 < set->groups + GROUPS ? group + 1 : set->groups;
    }
    return group;
}

/* Remembers the columns, and whether they came before. */
static bool seen(struct shape_set *set, uint64_t key)
{
    uint32_t mark = (uint32_t)(key >> 32) | 1;
    uint32_t *place = &set->seen[key % SEEN];
    bool before = *place == mark;
    *place = mark;
    return before || set->count < EARLY_SHAPES;
}

static bool piece_fits(const struct shape_piece *piece, struct slice text)
{
    size_t fixed = (size_t)piece->before + piece->after;
    if (piece->open ? text.size < fixed : text.size != fixed) {
        return false;
    }
    return shape_bytes_same(text.at, piece->at, piece->before) &&
           shape_bytes_same(
                   text.at + text.size - piece->after, piece->at + piece->before, piece->after);
}

static bool fits(const struct shape_set *set, const struct shape *shape)
{
    if (shape->count != set->order_count) {
        return false;
    }
    for (size_t i = 0; i < shape->count; i++) {
        const struct shape_item *item = &set->items[set->order[i]];
        if (item->column != shape->values[i] || (item->escaped && !shape->how[i]) ||
                !piece_fits(&shape->pieces[i], shape_between(set, i))) {
            return false;
        }
    }
    return piece_fits(&shape->pieces[shape->count], shape_between(set, shape->count));
}

/* Texts by hole, and the record made of them is the record. */
static bool rebuilds(struct shape_set *set, uint32_t number)
{
    const struct shape *shape = &set->shapes[number];
    struct slice *to = set->hole_texts;
    for (size_t i = 0; i <= shape->count; i++) {
        const struct shape_piece *piece = &shape->pieces[i];
        if (piece->open) {
            struct slice text = shape_between(set, i);
            *to++ = slice_of(text.at + piece->before, text.size - piece->before - piece->after);
        }
        if (i < shape->count) {
            *to++ = set->items[set->order[i]].text;
        }
    }
    buf_clear(&set->made);
    return shape_join(set, number, set->hole_texts, &set->made) == OK &&
           slice_equal(buf_slice(&set->made), set->raw);
}

static uint32_t known(struct shape_set *set, struct shape_group *group)
{
    uint32_t before = 0;
    for (uint32_t at = group->first; at; before = at, at = set->shapes[at - 1].next) {
        if (!fits(set, &set->shapes[at - 1]) || !rebuilds(set, at - 1)) {
            continue;
        }
        if (before) {
            set->shapes[before - 1].next = set->shapes[at - 1].next;
            set->shapes[at - 1].next = group->first;
            group->first = at;
        }
        return at - 1;
    }
    return SHAPE_NONE;
}

/* A shape that is there or can be made for the values as they stand in order. */
static uint32_t known_or_new(struct shape_set *set)
{
    put_in_order(set);
    if (set->order_count > SHAPE_HOLES) {
        return SHAPE_NONE;
    }
    uint64_t key = key_of(set);
    struct shape_group *group = group_find(set, key);
    uint32_t shape = known(set, group);
    if (shape != SHAPE_NONE || !seen(set, key)) {
        return shape;
    }
    shape = shape_make(set, group, key);
    return shape != SHAPE_NONE && rebuilds(set, shape) ? shape : SHAPE_NONE;
}

static uint32_t shape_of(struct shape_set *set)
{
    if (set->cut || set->raw.size >= SHAPE_NOWHERE || !utf8_valid(set->raw)) {
        set->cut = true;
        return SHAPE_NONE;
    }
    find_made(set);
    uint32_t shape = known_or_new(set);
    if (shape == SHAPE_NONE && set->order_count <= SHAPE_HOLES && shape_make_literal(set)) {
        shape = known_or_new(set);
    }
    return shape;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* What is no UTF-8 becomes U+FFFD. */
static struct slice mend(struct shape_set *set, struct slice text)
{
    if (utf8_valid(text)) {
        return text;
    }
    char *to = arena_alloc(&set->texts, text.size * 3, 1);
    if (!to) {
        return (struct slice){0};
    }
    size_t size = 0;
    for (size_t i = 0; i < text.size;) {
        size_t n = utf8_sequence(text.at + i, text.size - i);
        if (n) {
            memcpy(to + size, text.at + i, n);
        }
        size += n ? n : utf8_encode(0xFFFD, to + size);
        i += n ? n : 1;
    }
    return slice_of(to, size);
}

const struct shape_row *shape_end(struct shape_set *set)
{
    uint32_t shape = shape_of(set);
    size_t count = set->item_count;
    for (size_t i = 0; i < count; i++) {
        struct slice text = set->items[i].text;
        set->out[i] = (struct shape_text){
                set->items[i].column, shape == SHAPE_NONE ? mend(set, text) : text};
    }
    const struct shape *used = shape == SHAPE_NONE ? NULL : &set->shapes[shape];
    for (size_t hole = 0, i = 0; used && i <= used->count; i++, hole++) {
        if (used->pieces[i].open) {
            set->out[count++] = (struct shape_text){used->holes[hole], set->hole_texts[hole]};
            hole++;
        }
    }
    set->row = (struct shape_row){shape, set->out, count, set->cut};
    return &set->row;
}

/* ---- and back -------------------------------------------------------------------------------- */

/* Room for the record, whatever its texts hold. */
static size_t room_for(const struct shape *shape, const struct slice *texts)
{
    size_t room = shape->literal_bytes + SHAPE_ESCAPE_SLACK;
    for (size_t i = 0; i < shape->hole_count; i++) {
        size_t most;
        if (__builtin_mul_overflow(texts[i].size, (size_t)SHAPE_ESCAPE_GROWTH, &most) ||
                __builtin_add_overflow(room, most, &room)) {
            return SIZE_MAX;
        }
    }
    return room;
}

enum err shape_join(
        const struct shape_set *set, uint32_t number, const struct slice *texts, struct buf *out)
{
    const struct shape *shape = &set->shapes[number];
    size_t room = room_for(shape, texts);
    char *start = room == SIZE_MAX ? NULL : buf_reserve(out, room), *to = start;
    if (!start) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i <= shape->count; i++) {
        const struct shape_piece *piece = &shape->pieces[i];
        to = shape_bytes_copy(to, piece->at, piece->before);
        if (piece->open) {
            to += shape_escape(*texts++, SHAPE_PLAIN, to);
            to = shape_bytes_copy(to, piece->at + piece->before, piece->after);
        }
        if (i < shape->count) {
            to += shape_escape(*texts++, shape->how[i], to);
        }
    }
    out->size += (size_t)(to - start);
    return OK;
}
