#include "decode/json.h"

#include <string.h>

#include "base/memory.h"
#include "decode/json_cut.h"
#include "decode/json_form.h"
#include "decode/json_inner.h"
#include "decode/json_pairs.h"
#include "decode/json_scan.h"
#include "decode/json_shape.h"
#include "decode/json_span.h"
#include "decode/json_walk.h"

/* The fewest bytes that a key can need: "":0, and so the most keys that a record can have. */
enum { KEY_BYTES = 5 };

#define INLINE inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))

struct reader {
    struct json_scan scan;
    struct json_walk walk;
    struct json_shape shape;
    struct json_inner inner;
    uint32_t pairs;               /* the field that is there where a record has lists of pairs */
    struct json_shape_step loose; /* a step that was not learned */
    struct decode_limits limits;
    size_t at;
    bool fast;        /* AVX2 and BMI2 are there */
    bool lines;       /* the block is lines; otherwise values with blanks and commas between */
    bool shape_lines; /* what the shapes were learned from: a newline is a blank only in values */
    bool rough;       /* look for control bytes in each string, since there are some outside */
    bool failed;      /* no memory for the block: its records are rejected */
};

/* A record on its known way. */
struct run {
    size_t at;
    struct json_shape_step *before; /* the last step */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The walk takes a step behind a stop. */
static struct json_shape_step *walk_step(struct reader *r, struct run *run)
{
    struct json_walk *walk = &r->walk;
    uint32_t state = run->before->to;
    if (state != JSON_SHAPE_NOWHERE) { /* otherwise the walk went the last step too */
        json_shape_restore(&r->shape, state, walk);
    }
    struct json_stop stop;
    walk->at = run->at;
    if (json_walk_step(walk, &stop) != OK) {
        return NULL;
    }
    if (state != JSON_SHAPE_NOWHERE) {
        struct slice bytes = slice_of(r->scan.block.at + run->at, walk->at - run->at);
        struct json_shape_step *step = json_shape_learn(&r->shape, state, bytes, walk, &stop);
        if (step) {
            run->before->next = (uint32_t)(step - r->shape.steps);
            return step;
        }
    }
    json_shape_missed(&r->shape);
    run->at = walk->at;
    r->loose = json_shape_loose(&stop);
    return &r->loose;
}

/* The step from here when it is not the one that was expected; NULL: the walk refuses. */
static NOINLINE struct json_shape_step *other_step(struct reader *r, struct run *run)
{
    struct json_shape_step *steps = r->shape.steps;
    const char *at = r->scan.block.at + run->at;
    size_t left = r->scan.block.size - run->at;
    if (run->before->to != JSON_SHAPE_NOWHERE) {
        uint16_t *first = &r->shape.states[run->before->to].first;
        for (uint16_t *link = first; *link; link = &steps[*link].other) {
            struct json_shape_step *step = &steps[*link];
            if (json_shape_is(step, r->shape.text, at, left, json_shape_same_portable) &&
                    step->size <= left && json_shape_fits(step, at)) {
                uint16_t i = *link; /* the next time it is tried first */
                *link = step->other;
                step->other = *first;
                *first = i;
                run->before->next = i;
                return step;
            }
        }
    }
    return walk_step(r, run);
}

/* What a value is beside its text: enum value_kind, enum value_form << 8, weak << 16. */
typedef uint32_t value_tag;

static NOINLINE void put_again(
        struct event *event, uint32_t field, const char *at, size_t size, value_tag tag)
{
    struct value value = {
            .text = slice_of(at, size), .kind = (uint8_t)tag, .form = (uint8_t)(tag >> 8)};
    event_put_again(event, field, &value, (uint8_t)(tag >> 16));
}

/* event_put_field, written out: a struct copied right after it was built waits for its own
 * stores. */
static INLINE void put_field(
        struct event *event, uint32_t field, const char *at, size_t size, value_tag tag)
{
    uint64_t bit = (uint64_t)1 << (field & 63);
    uint64_t *present = &event->present[field >> 6], before = *present;
    if (__builtin_expect((before & bit) != 0, 0)) {
        put_again(event, field, at, size, tag);
        return;
    }
    *present = before | bit;
    struct value *to = &event->values[field];
    to->text.at = at;
    to->text.size = size;
    to->kind = (uint8_t)tag;
    to->form = (uint8_t)(tag >> 8);
    to->weak = (uint8_t)(tag >> 16);
    to->next = 0;
}

static NOINLINE void put_more(struct event *event, const struct path_edge *edge, const char *at,
        size_t size, value_tag tag)
{
    for (int i = 1; i < PATHS_TARGETS && edge->field[i] != FIELD_NONE; i++) {
        put_field(event, edge->field[i], at, size, tag | (value_tag)edge->weak[i] << 16);
    }
}

/* Gives the fields of a step a value; the tag without its weakness. */
static INLINE void put(struct event *event, const struct json_shape_step *step, const char *at,
        size_t size, value_tag tag)
{
    put_field(event, step->field, at, size, tag | (value_tag)step->weak << 16);
    if (__builtin_expect(step->more, 0)) {
        put_more(event, step->edge, at, size, tag);
    }
}

/* Digits at the front of 8 bytes: the index of the first byte that is none. */
static INLINE size_t count_digits(uint64_t word)
{
    uint64_t digits = word ^ 0x3030303030303030u; /* 0 to 9 */
    uint64_t others = ((digits + 0x7676767676767676u) | digits) & 0x8080808080808080u;
    return others ? (size_t)__builtin_ctzll(others) >> 3 : 8;
}

/* The end of the number at `at`; 0: there is none. 8 bytes are readable. */
static INLINE size_t number_end(const char *bytes, size_t at, size_t end)
{
    uint64_t word;
    memcpy(&word, bytes + at, sizeof word);
    size_t size = count_digits(word);
    char next = bytes[at + size];
    if (__builtin_expect(at + 8 > end || size == 0 || size == 8 || (bytes[at] == '0' && size > 1) ||
                                 (next != ',' && next != '}'),
                0)) {
        size_t wrong;
        return json_walk_number(bytes, at, end, &wrong);
    }
    return at + size;
}

static NOINLINE bool run_word(const struct json_shape_step *step, struct event *event)
{
    static const struct value values[] = {
            [JSON_NULL] = {.kind = VALUE_NULL},
            [JSON_TRUE] = {.kind = VALUE_BOOL, .text = {"true", 4}},
            [JSON_FALSE] = {.kind = VALUE_BOOL, .text = {"false", 5}},
    };
    if (step->kind == JSON_EMPTY || step->kind == JSON_OPEN) {
        json_form_put_object(event, step->edge);
        return true;
    }
    if (step->kind < JSON_NULL || step->kind > JSON_FALSE) {
        return false;
    }
    event_put(event, step->edge, &values[step->kind]);
    return true;
}

/* Copies, so that stores to the event do not make the compiler load all of it again. */
struct sight {
    const char *bytes;
    const uint64_t *quotes, *backslashes;
    size_t size;  /* of the block */
    size_t known; /* bytes of it that are scanned */
};

/* Over the string whose inside begins at *at; false: the exact walk must say what is wrong. */
static INLINE bool run_string(struct reader *r, struct sight *sight, struct event *event,
        const struct json_shape_step *step, size_t *at)
{
    size_t start = *at;
    uint64_t window = json_scan_window(sight->quotes, start);
    size_t end = start + (window ? (unsigned)__builtin_ctzll(window) : JSON_SCAN_STEP);
    if (__builtin_expect(window == 0, 0) || __builtin_expect(end >= sight->known, 0)) {
        end = json_walk_quote(&r->scan, start);
        sight->known = json_scan_known(&r->scan);
        if (end == SIZE_MAX) {
            return false;
        }
    }
    if (step->field != FIELD_NONE) {
        bool escapes = json_scan_any(sight->backslashes, start, end);
        put(event, step, sight->bytes + start, end - start,
                VALUE_STRING | (uint32_t)(escapes ? FORM_JSON : FORM_TEXT) << 8);
    }
    *at = end + 1;
    return true;
}

/* Over the number at *at; false: there is none. */
static INLINE bool run_number(const struct sight *sight, struct event *event,
        const struct json_shape_step *step, size_t *at)
{
    size_t end = number_end(sight->bytes, *at, sight->size);
    if (__builtin_expect(end == 0, 0)) {
        return false;
    }
    if (step->field != FIELD_NONE) {
        put(event, step, sight->bytes + *at, end - *at, VALUE_NUMBER);
    }
    *at = end;
    return true;
}

/* Over what a step leads to, from run->at behind its bytes. */
static INLINE bool run_value(struct reader *r, struct sight *sight, struct event *event,
        const struct json_shape_step *step, size_t *at)
{
    if (step->kind == JSON_STRING) {
        return run_string(r, sight, event, step, at);
    }
    if (*at > sight->size) {
        return false;
    }
    return step->kind == JSON_NUMBER ? run_number(sight, event, step, at) : run_word(step, event);
}

/* To the record's end, run->at; false: the exact walk must say what is wrong. */
static INLINE bool run_record(
        struct reader *r, struct run *run, struct event *event, json_shape_same *same, bool rough)
{
    struct json_shape_step *const steps = r->shape.steps;
    const char *const text = r->shape.text;
    struct sight sight = {.bytes = r->scan.block.at,
            .quotes = r->scan.quotes,
            .backslashes = r->scan.backslashes,
            .size = r->scan.block.size,
            .known = json_scan_known(&r->scan)};
    size_t at = run->at;
    struct json_shape_step *before = &steps[0], *step = &steps[before->next];
    for (;;) {
        const char *here = sight.bytes + at;
        if (__builtin_expect(!json_shape_is(step, text, here, sight.size - at, same), 0) ||
                __builtin_expect(!json_shape_fits(step, here), 0)) {
            run->at = at;
            run->before = before;
            step = other_step(r, run);
            if (!step) {
                return false;
            }
            at = run->at;
        }
        at += step->size;
        size_t inside = at;
        if (!run_value(r, &sight, event, step, &at)) {
            run->at = at;
            return step->kind == JSON_END && at <= sight.size;
        }
        if (rough && json_scan_any(r->scan.controls, inside, at)) {
            return false;
        }
        before = step;
        step = &steps[step->next];
    }
}

/* run_record for what the processor has and the block needs. */
#if defined(__x86_64__)
#define BETTER __attribute__((target("avx2,bmi,bmi2")))

BETTER static bool run_avx2(struct reader *r, struct run *run, struct event *event)
{
    return run_record(r, run, event, json_shape_same_avx2, false);
}

BETTER static bool run_avx2_rough(struct reader *r, struct run *run, struct event *event)
{
    return run_record(r, run, event, json_shape_same_avx2, true);
}
#endif

static bool run_portable(struct reader *r, struct run *run, struct event *event)
{
    return run_record(r, run, event, json_shape_same_portable, r->rough);
}

static bool run_best(struct reader *r, struct run *run, struct event *event)
{
#if defined(__x86_64__)
    if (r->fast) {
        return r->rough ? run_avx2_rough(r, run, event) : run_avx2(r, run, event);
    }
#endif
    return run_portable(r, run, event);
}

/* The end of the line or the value's surroundings behind a record that ends at `at`; SIZE_MAX:
 * something stands there that should not. */
static size_t behind_record(const struct reader *r, size_t at)
{
    const char *bytes = r->scan.block.at;
    size_t i = at, size = r->scan.block.size;
    while (i < size && is_blank(bytes[i])) {
        i++;
    }
    if (i == size || bytes[i] == '\n') {
        return i;
    }
    bool value = bytes[i] == ',' || bytes[i] == '{' || bytes[i] == '[';
    return !r->lines && value && i - at <= JSON_SPAN_BLANKS ? i : SIZE_MAX;
}

/* Whether the coarse checks of the scan found nothing in a record. */
static bool clean(struct reader *r, size_t start, size_t end, struct event *event)
{
    struct json_scan *scan = &r->scan;
    json_scan_upto(scan, end);
    size_t first = start / JSON_SCAN_STEP, last = end / JSON_SCAN_STEP + 1;
    if (json_scan_any(scan->suspect, first, last)) {
        return false;
    }
    if (!r->rough && json_scan_any(scan->controls, start, end)) {
        return false;
    }
    /* The first and the last step are shared with other records. */
    event->plain_text = !json_scan_any(scan->unplain, first, last) ||
                        json_form_is_plain(slice_of(scan->block.at + start, end - start));
    return true;
}

/* On the known way from `start`; true: done, *end is behind the record. */
static bool read_known(struct reader *r, size_t start, struct event *event, size_t *end)
{
    struct run run = {.at = start};
    r->walk.exact = false;
    r->walk.keys = 0;
    r->walk.diag = NULL;
    r->walk.start = start;
    r->walk.end = r->scan.block.size;
    if (r->scan.block.at[start] != '{' || !run_best(r, &run, event)) {
        return false;
    }
    size_t behind = behind_record(r, run.at);
    if (behind == SIZE_MAX || behind - start > r->limits.record_bytes ||
            (run.at - start) / KEY_BYTES > r->limits.keys || event->truncated ||
            !clean(r, start, run.at, event)) {
        return false;
    }
    event->raw = slice_of(r->scan.block.at + start, run.at - start);
    *end = behind;
    return true;
}

static enum err read_exactly(
        struct reader *r, size_t start, size_t end, struct event *event, struct diag *diag)
{
    struct json_walk *walk = &r->walk;
    walk->exact = true;
    walk->diag = diag;
    walk->start = start;
    walk->end = end;
    while (walk->end > start && (is_blank(r->scan.block.at[walk->end - 1]) ||
                                        r->scan.block.at[walk->end - 1] == '\n')) {
        walk->end--;
    }
    walk->at = start;
    json_walk_begin(walk);
    if (end - start > r->limits.record_bytes) {
        return diag_set(
                diag, ERR_LIMIT, 0, 0, "record longer than %zu bytes", r->limits.record_bytes);
    }
    for (;;) {
        struct json_stop stop;
        struct value value;
        TRY(json_walk_step(walk, &stop));
        if (stop.kind == JSON_END) {
            break;
        }
        TRY(json_walk_value(walk, &stop, &value));
        if (stop.edge && value.kind == VALUE_OBJECT) {
            json_form_put_object(event, stop.edge);
        } else if (stop.edge) {
            event_put(event, stop.edge, &value);
        }
    }
    event->raw = slice_of(r->scan.block.at + start, walk->at - start);
    TRY(json_walk_close(walk));
    if (event->truncated) {
        return diag_set(diag, ERR_LIMIT, 0, 0, "more than %d values", EVENT_MORE_LIMIT);
    }
    event->plain_text = json_form_is_plain(event->raw);
    return OK;
}

/* The end of the record that begins at `start`, whatever it holds. */
static size_t record_end(const struct reader *r, size_t start)
{
    struct slice block = r->scan.block;
    if (r->lines) {
        return start + slice_find_byte(slice_of(block.at + start, block.size - start), '\n');
    }
    struct json_span span = {0};
    size_t end = start;
    json_span_over(&span, block, &end);
    return end;
}

/* What a record says in other forms. */
static enum err add_more(struct reader *r, struct event *event, struct diag *diag)
{
    enum err e = json_inner_put(&r->inner, event);
    if (e == OK && r->pairs != FIELD_NONE && event_value(event, r->pairs)) {
        e = json_pairs_put(event, r->walk.paths);
    }
    if (e != OK) {
        return diag_say(diag, e, "no memory for the record's inner values");
    }
    if (event->truncated) {
        return diag_set(diag, ERR_LIMIT, 0, 0, "more than %d values", EVENT_MORE_LIMIT);
    }
    return OK;
}

static enum err next(struct reader *r, struct event *event, struct diag *diag)
{
    struct slice block = r->scan.block;
    /* A block begins with a value, if it is values: a comma there is a broken one. */
    bool comma = !r->lines && r->at > 0;
    while (r->at < block.size && (is_blank(block.at[r->at]) || block.at[r->at] == '\n' ||
                                         (comma && block.at[r->at] == ','))) {
        r->at++;
    }
    if (r->at >= block.size) {
        return ERR_END;
    }
    size_t start = r->at;
    event_begin(event, slice_of(block.at + start, 0));
    event->form = &json_form;
    if (!r->failed && read_known(r, start, event, &r->at)) {
        return add_more(r, event, diag);
    }
    r->at = record_end(r, start);
    event_begin(event, slice_of(block.at + start, r->at - start));
    if (r->failed) {
        return diag_say(diag, ERR_MEMORY, "no memory to read a block of %zu bytes", block.size);
    }
    enum err e = read_exactly(r, start, r->at, event, diag);
    /* Control bytes between the tokens: from here on it is strings that are looked at. */
    r->rough |= e == OK;
    return e == OK ? add_more(r, event, diag) : e;
}

static void begin(struct reader *r, struct slice block, struct slice header)
{
    (void)header;
    r->lines = block.size > 0 && block.at[block.size - 1] == '\n';
    r->rough = !r->lines;
    if (r->lines != r->shape_lines) {
        json_shape_forget(&r->shape);
        r->shape_lines = r->lines;
    }
    r->walk.lines = r->lines;
    r->at = 0;
    r->failed = json_scan_begin(&r->scan, block) != OK;
    r->scan.block = block;
}

static void reader_free(struct reader *r)
{
    if (r) {
        json_scan_fini(&r->scan);
        json_walk_fini(&r->walk);
        json_shape_fini(&r->shape);
        json_inner_fini(&r->inner);
        memory_free(r);
    }
}

static enum err reader_new(
        const struct paths *paths, const struct decode_limits *limits, struct reader **out)
{
    struct reader *r = memory_alloc(sizeof *r);
    if (!r) {
        return ERR_MEMORY;
    }
    r->limits = *limits;
    r->fast = json_scan_is_fast();
    r->walk.paths = paths;
    r->walk.scan = &r->scan;
    r->walk.limits = *limits;
    r->pairs = json_pairs_field(paths);
    if (json_walk_init(&r->walk) != OK || json_shape_init(&r->shape) != OK ||
            json_inner_init(&r->inner, paths, limits) != OK) {
        reader_free(r);
        return ERR_MEMORY;
    }
    *out = r;
    return OK;
}

const struct decoder json_decoder = {
        .name = "json",
        .about = "JSON: an object a line, arrays of objects, objects over several lines",
        .recognise = json_cut_recognise,
        .cut = json_cut,
        .reader_new = reader_new,
        .reader_free = reader_free,
        .begin = begin,
        .next = next,
};
