#include "archive/shape_read.h"

#include "archive/shape_parts.h"
#include "base/json_text.h"
#include "base/memory.h"

enum {
    DEPTH = 3,
    LITERALS = SHAPE_PIECES * 2,
    HOLES = 2 * SHAPE_HOLES + 1, /* with those of literals */
    MEMORY_CAP = 128 << 20,
};

struct reading {
    struct shape_set *set;
    struct slice *literals;
    size_t literal_count;
    size_t literal_room;
    uint32_t *numbers; /* of the shape being read */
    struct buf text;
    struct diag *diag;
};

static enum err wrong(const struct reading *r, const char *what)
{
    return diag_say(r->diag, ERR_SYNTAX, "damaged shapes: %s", what);
}

static enum err too_many(const struct reading *r, const char *what)
{
    return diag_say(r->diag, ERR_LIMIT, "too many %s in a file's shapes", what);
}

/* A copy of a string's text; .at NULL: no memory. */
static struct slice text_of(struct reading *r, struct slice value)
{
    buf_clear(&r->text);
    json_text_add(&r->text, value);
    return r->text.failed ? (struct slice){0} : arena_copy(&r->set->memory, buf_slice(&r->text));
}

static enum err no_memory(const struct reading *r)
{
    return diag_say(r->diag, ERR_MEMORY, "no memory for a file's shapes");
}

static enum err read_columns(struct reading *r, struct slice array)
{
    struct json_text_members m = json_text_open(array);
    size_t room = 0;
    while (json_text_next(&m)) {
        struct shape_set *set = r->set;
        if (!json_text_is_string(m.value)) {
            return wrong(r, "a column is no string");
        }
        if (set->column_count >= SHAPE_COLUMNS) {
            return too_many(r, "columns");
        }
        if (set->column_count == room &&
                !memory_grow(&set->columns, &room, room + 1, sizeof *set->columns)) {
            return no_memory(r);
        }
        struct shape_known known = {.path = text_of(r, m.value), .place = 1};
        if (!known.path.at) {
            return no_memory(r);
        }
        set->columns[set->column_count++] = known;
    }
    return OK;
}

static enum err read_literals(struct reading *r, struct slice array)
{
    struct json_text_members m = json_text_open(array);
    while (json_text_next(&m)) {
        if (!json_text_is_string(m.value)) {
            return wrong(r, "a literal is no string");
        }
        if (r->literal_count >= LITERALS) {
            return too_many(r, "literals");
        }
        if (r->literal_count == r->literal_room &&
                !memory_grow(&r->literals, &r->literal_room, r->literal_count + 1,
                        sizeof *r->literals)) {
            return no_memory(r);
        }
        struct slice text = text_of(r, m.value);
        if (!text.at) {
            return no_memory(r);
        }
        r->literals[r->literal_count++] = text;
    }
    return OK;
}

/* Digits alone, below 2^32. */
static bool number_of(struct slice text, uint32_t *number)
{
    uint64_t n = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (!slice_is_digit(text.at[i]) || n > UINT32_MAX) {
            return false;
        }
        n = n * 10 + (uint64_t)(text.at[i] - '0');
    }
    *number = (uint32_t)n;
    return text.size > 0 && n <= UINT32_MAX;
}

static enum err read_numbers(struct reading *r, struct slice array, size_t *count)
{
    struct json_text_members m = json_text_open(array);
    size_t n = 0;
    while (json_text_next(&m)) {
        if (n >= 2 * HOLES + 1) {
            return too_many(r, "holes of a shape");
        }
        if (!number_of(m.value, &r->numbers[n])) {
            return wrong(r, "a shape has something that is no number");
        }
        n++;
    }
    if (n % 2 == 0) {
        return wrong(r, "a shape does not end with a literal");
    }
    *count = n;
    return OK;
}

static bool good_hole(const struct reading *r, uint32_t number)
{
    uint32_t how = number % SHAPE_HOW;
    return number / SHAPE_HOW < r->set->column_count && (how == SHAPE_PLAIN || how & SHAPE_JSON);
}

static enum err read_shape(struct reading *r, struct slice array)
{
    size_t count = 0;
    TRY(read_numbers(r, array, &count));
    size_t holes = count / 2;
    struct arena *memory = &r->set->memory;
    uint32_t *values = ARENA_ARRAY(memory, uint32_t, holes);
    uint8_t *how = ARENA_ARRAY(memory, uint8_t, holes);
    struct shape_piece *pieces = ARENA_ARRAY(memory, struct shape_piece, holes + 1);
    if (!values || !how || !pieces) {
        return no_memory(r);
    }
    struct shape shape = {.values = values, .how = how, .pieces = pieces, .holes = values};
    shape.count = shape.hole_count = (uint32_t)holes;
    for (size_t i = 0; i <= holes; i++) {
        uint32_t literal = r->numbers[2 * i];
        if (literal >= r->literal_count) {
            return wrong(r, "no such literal");
        }
        pieces[i] = (struct shape_piece){
                r->literals[literal].at, (uint32_t)r->literals[literal].size, 0, false};
        shape.literal_bytes += r->literals[literal].size;
        if (shape.literal_bytes > SHAPE_SKELETON) {
            return too_many(r, "bytes of a shape");
        }
        if (i < holes && !good_hole(r, r->numbers[2 * i + 1])) {
            return wrong(r, "no such hole");
        }
        if (i < holes) {
            values[i] = r->numbers[2 * i + 1] / SHAPE_HOW;
            how[i] = (uint8_t)(r->numbers[2 * i + 1] % SHAPE_HOW);
        }
    }
    r->set->shapes[r->set->count++] = shape;
    return OK;
}

static enum err read_shapes(struct reading *r, struct slice array)
{
    struct json_text_members m = json_text_open(array);
    while (json_text_next(&m)) {
        if (!json_text_is_array(m.value)) {
            return wrong(r, "a shape is no array");
        }
        if (r->set->count >= SHAPE_LIMIT) {
            return too_many(r, "shapes");
        }
        TRY(read_shape(r, m.value));
    }
    return OK;
}

static enum err read_all(struct reading *r, struct slice text)
{
    struct slice columns = json_text_get(text, SLICE("columns"));
    struct slice literals = json_text_get(text, SLICE("literals"));
    struct slice shapes = json_text_get(text, SLICE("shapes"));
    if (!json_text_is_array(columns) || !json_text_is_array(literals) ||
            !json_text_is_array(shapes)) {
        return wrong(r, "columns, literals or shapes are missing");
    }
    TRY(read_columns(r, columns));
    TRY(read_literals(r, literals));
    return read_shapes(r, shapes);
}

enum err shape_read(struct slice text, struct shape_set **out, struct diag *diag)
{
    TRY(json_text_check_whole(text, DEPTH, diag));
    struct reading r = {.set = memory_alloc(sizeof *r.set),
            .numbers = memory_alloc_array(2 * HOLES + 1, sizeof *r.numbers),
            .diag = diag};
    enum err e = ERR_MEMORY;
    if (r.set) {
        arena_init(&r.set->memory, MEMORY_CAP);
        arena_init(&r.set->texts, 1);
        intern_init(&r.set->paths, 1);
    }
    if (!r.set || !r.numbers) {
        e = no_memory(&r);
    } else {
        e = read_all(&r, text);
    }
    memory_free(r.literals);
    memory_free(r.numbers);
    buf_fini(&r.text);
    if (e != OK) {
        shape_free(r.set);
        return e;
    }
    *out = r.set;
    return OK;
}
