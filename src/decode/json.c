#include "decode/json.h"

#include <string.h>

#include "base/memory.h"
#include "decode/json_cut.h"
#include "decode/json_form.h"
#include "decode/json_scan.h"
#include "decode/json_shape.h"
#include "decode/json_walk.h"

struct reader {
    struct json_scan scan;
    struct json_walk walk;
    struct json_shape shape;
    struct json_shape_step loose; /* a step that was not learned */
    struct decode_limits limits;
    size_t at;
    bool lines;       /* the block is lines; otherwise values with blanks and commas between */
    bool shape_lines; /* what the shapes were learned from: a newline is a blank only in values */
    bool rough;       /* look for control bytes in each string, since there are some outside */
    bool failed;      /* no memory for the block: its records are rejected */
};

/* A record on its known way. */
struct run {
    size_t at;
    uint32_t state; /* where the last step has led; JSON_SHAPE_NONE: only the walk knows */
    uint32_t keys;
    bool walked; /* the walk did the last step, its stack is right */
    struct json_shape_step *before;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The walk takes a step from the run's state. */
static struct json_shape_step *walk_step(struct reader *r, struct run *run)
{
    struct json_walk *walk = &r->walk;
    if (!run->walked) {
        json_shape_restore(&r->shape, run->state, walk);
        walk->keys = 0;
    }
    uint32_t keys = walk->keys;
    struct json_stop stop;
    walk->at = run->at;
    if (json_walk_step(walk, &stop) != OK) {
        return NULL;
    }
    run->walked = true;
    struct json_shape_step *step = NULL;
    if (run->state != JSON_SHAPE_NONE) {
        struct slice bytes = slice_of(r->scan.block.at + run->at, walk->at - run->at);
        step = json_shape_learn(&r->shape, run->state, bytes, walk, &stop);
        if (step) {
            step->keys = (uint8_t)(walk->keys - keys);
            return step;
        }
    }
    json_shape_missed(&r->shape);
    run->keys += walk->keys - keys;
    run->at = walk->at;
    r->loose = (struct json_shape_step){
            .kind = (uint8_t)stop.kind, .edge = stop.edge, .to = JSON_SHAPE_NONE};
    return &r->loose;
}

/* The step from here when it is not the one that was expected; NULL: the walk refuses. */
static struct json_shape_step *other_step(struct reader *r, struct run *run)
{
    struct json_shape_step *steps = r->shape.steps;
    const char *bytes = r->scan.block.at;
    if (run->state != JSON_SHAPE_NONE) {
        uint32_t i = r->shape.states[run->state].first;
        for (; i; i = steps[i].other) {
            if (json_shape_is(&steps[i], bytes + run->at, r->scan.block.size - run->at)) {
                run->before->next = i;
                run->walked = false;
                return &steps[i];
            }
        }
    }
    return walk_step(r, run);
}

static inline size_t string_end(struct json_scan *scan, size_t at)
{
    if (__builtin_expect(at < scan->done, 1)) {
        size_t quote = json_scan_next(scan->quotes, at);
        if (__builtin_expect(quote < scan->done && quote < scan->block.size, 1)) {
            return quote;
        }
    }
    return json_walk_quote(scan, at);
}

static inline bool run_string(
        struct reader *r, struct run *run, const struct path_edge *edge, struct event *event)
{
    size_t at = run->at, end = string_end(&r->scan, at);
    if (end == SIZE_MAX || (r->rough && json_scan_any(r->scan.controls, at, end))) {
        return false;
    }
    if (edge) {
        bool escapes = json_scan_any(r->scan.backslashes, at, end);
        struct value value = {.text = slice_of(r->scan.block.at + at, end - at),
                .kind = VALUE_STRING,
                .form = escapes ? FORM_JSON : FORM_TEXT};
        event_put(event, edge, &value);
    }
    run->at = end + 1;
    return true;
}

/* Digits at the front of 8 bytes: the index of the first byte that is none. */
static inline size_t count_digits(uint64_t word)
{
    uint64_t digits = word ^ 0x3030303030303030u; /* 0 to 9 */
    uint64_t others = ((digits + 0x7676767676767676u) | digits) & 0x8080808080808080u;
    return others ? (size_t)__builtin_ctzll(others) >> 3 : 8;
}

static inline bool run_number(
        struct reader *r, struct run *run, const struct path_edge *edge, struct event *event)
{
    const char *at = r->scan.block.at + run->at;
    uint64_t word;
    memcpy(&word, at, sizeof word);
    size_t size = count_digits(word);
    if (size == 0 || size == 8 || (at[0] == '0' && size > 1) ||
            (at[size] != ',' && at[size] != '}')) {
        size_t wrong;
        size_t end = json_walk_number(r->scan.block.at, run->at, r->scan.block.size, &wrong);
        if (end == 0) {
            return false;
        }
        size = end - run->at;
    }
    if (edge) {
        struct value value = {.text = slice_of(at, size), .kind = VALUE_NUMBER};
        event_put(event, edge, &value);
    }
    run->at += size;
    return true;
}

static bool run_word(const struct json_shape_step *step, struct event *event)
{
    struct value value = {0};
    switch (step->kind) {
    case JSON_NULL:
        value.kind = VALUE_NULL;
        break;
    case JSON_TRUE:
        value.kind = VALUE_BOOL;
        value.text = SLICE("true");
        break;
    case JSON_FALSE:
        value.kind = VALUE_BOOL;
        value.text = SLICE("false");
        break;
    case JSON_EMPTY:
    case JSON_OPEN:
        json_form_put_object(event, step->edge);
        return true;
    default:
        return false;
    }
    event_put(event, step->edge, &value);
    return true;
}

/* To the record's end, run->at; false: the exact walk must say what is wrong. */
static bool run_record(struct reader *r, struct run *run, struct event *event)
{
    struct json_shape_step *const steps = r->shape.steps;
    const char *bytes = r->scan.block.at;
    struct json_shape_step *step = &steps[steps[0].next];
    run->before = &steps[0];
    for (;;) {
        if (__builtin_expect(
                    !json_shape_is(step, bytes + run->at, r->scan.block.size - run->at), 0)) {
            step = other_step(r, run);
            if (!step) {
                return false;
            }
        } else {
            run->walked = false;
        }
        run->at += step->size;
        run->keys += step->keys;
        run->state = step->to;
        run->before = step;
        bool fine;
        if (step->kind == JSON_STRING) {
            fine = run_string(r, run, step->edge, event);
        } else if (step->kind == JSON_NUMBER) {
            fine = run_number(r, run, step->edge, event);
        } else if (step->kind == JSON_END) {
            return true;
        } else {
            fine = run_word(step, event);
        }
        if (!fine) {
            return false;
        }
        step = &steps[step->next];
    }
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
    event->plain_text = !json_scan_any(scan->unplain, first, last);
    return true;
}

/* On the known way from `start`; true: done, *end is behind the record. */
static bool read_known(struct reader *r, size_t start, struct event *event, size_t *end)
{
    struct run run = {.at = start};
    r->walk.exact = false;
    r->walk.diag = NULL;
    r->walk.start = start;
    r->walk.end = r->scan.block.size;
    if (r->scan.block.at[start] != '{' || !run_record(r, &run, event)) {
        return false;
    }
    size_t behind = behind_record(r, run.at);
    if (behind == SIZE_MAX || run.keys > r->limits.keys ||
            behind - start > r->limits.record_bytes || event->truncated ||
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
    while (walk->end > start && is_blank(r->scan.block.at[walk->end - 1])) {
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
    json_cut_span(&span, block, &end);
    return end;
}

static enum err next(struct reader *r, struct event *event, struct diag *diag)
{
    struct slice block = r->scan.block;
    while (r->at < block.size && (is_blank(block.at[r->at]) || block.at[r->at] == '\n' ||
                                         (block.at[r->at] == ',' && !r->lines))) {
        r->at++;
    }
    if (r->at >= block.size) {
        return ERR_END;
    }
    size_t start = r->at;
    event_begin(event, slice_of(block.at + start, 0));
    event->form = &json_form;
    if (!r->failed && read_known(r, start, event, &r->at)) {
        return OK;
    }
    r->at = record_end(r, start);
    event_begin(event, slice_of(block.at + start, r->at - start));
    if (r->failed) {
        return diag_say(diag, ERR_MEMORY, "no memory to read a block of %zu bytes", block.size);
    }
    enum err e = read_exactly(r, start, r->at, event, diag);
    /* Control bytes between the tokens: from here on it is strings that are looked at. */
    r->rough |= e == OK;
    return e;
}

static void begin(struct reader *r, struct slice block)
{
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
    r->walk.paths = paths;
    r->walk.scan = &r->scan;
    r->walk.limits = *limits;
    if (json_walk_init(&r->walk) != OK || json_shape_init(&r->shape) != OK) {
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
