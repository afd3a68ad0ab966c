#include "app/hunt_near.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/hunt_source.h"
#include "app/run.h"
#include "base/arena.h"
#include "base/memory.h"
#include "base/time.h"
#include "cli/figures.h"
#include "cli/load.h"
#include "detect/near.h"

enum { COLUMNS = 12, SLOTS_FIRST = 1 << 12 };

/* Events that miss the same rule in the same way. */
struct miss {
    uint64_t hash;
    const struct rule *rule;
    const struct node *part;
    bool excluded;
    uint32_t held;
    struct slice label, words, field, value;
    struct slice source, id; /* of the first one as they were read */
    int64_t count;
    int64_t first_ns, last_ns; /* first > last: none has a time */
};

struct hunt_near {
    const struct hunt_request *request;
    struct loaded loaded;
    struct engine *engine;
    struct judge *judge;
    struct near_bench bench;
    struct hunt_source source;
    struct hunt_pass pass;
    struct row_column columns[COLUMNS];
    struct hunt_rows rows;
    struct progress progress;
    bool draw;
    /* What was missed. */
    struct arena arena;
    struct miss **misses;
    size_t count, room;
    uint32_t *slots; /* open addressing; number and one */
    uint32_t mask;
    uint64_t unjudged;
    /* The event at hand. */
    const struct query_event *event;
    int64_t ns; /* INT64_MIN: it has no time */
    struct buf value, words, scratch;
    struct diag *diag;
};

/* ---- misses -----------------------------------------------------------------------------------
 */

static uint64_t hash_of(const struct near *near, struct slice value)
{
    uint64_t hash = (uint64_t)(uintptr_t)near->part * 0x9E3779B97F4A7C15u + near->rule->number;
    for (size_t i = 0; i < value.size; i++) {
        hash = (hash ^ (unsigned char)value.at[i]) * 0x100000001B3u;
    }
    return hash ^ hash >> 29;
}

static uint32_t find_slot(
        const struct hunt_near *h, const struct near *near, uint64_t hash, struct slice value)
{
    uint32_t slot = (uint32_t)hash & h->mask;
    for (; h->slots[slot]; slot = (slot + 1) & h->mask) {
        const struct miss *miss = h->misses[h->slots[slot] - 1];
        if (miss->hash == hash && miss->rule == near->rule && miss->part == near->part &&
                miss->excluded == near->excluded && slice_equal(miss->value, value)) {
            break;
        }
    }
    return slot;
}

static enum err grow(struct hunt_near *h)
{
    if (!memory_grow(&h->misses, &h->room, h->count + 1, sizeof(struct miss *))) {
        return ERR_MEMORY;
    }
    if (h->slots && h->count * 2 < h->mask) {
        return OK;
    }
    uint32_t size = h->slots ? (h->mask + 1) * 2 : SLOTS_FIRST;
    uint32_t *slots = memory_alloc_array(size, sizeof *slots);
    if (!slots) {
        return ERR_MEMORY;
    }
    memory_free(h->slots);
    h->slots = slots;
    h->mask = size - 1;
    for (size_t i = 0; i < h->count; i++) {
        uint32_t slot = (uint32_t)h->misses[i]->hash & h->mask;
        while (slots[slot]) {
            slot = (slot + 1) & h->mask;
        }
        slots[slot] = (uint32_t)i + 1;
    }
    return OK;
}

static enum err full(struct hunt_near *h)
{
    return diag_say(h->diag, ERR_LIMIT,
            "near misses of %zu kinds are more than --state-limit allows: fewer rules, or a "
            "shorter "
            "span",
            h->count);
}

static enum err add_miss(
        struct hunt_near *h, const struct near *near, uint64_t hash, struct miss **out)
{
    struct miss *miss = ARENA_NEW(&h->arena, struct miss);
    buf_clear(&h->words);
    near_part(near, &h->words);
    if (!miss || h->words.failed) {
        return full(h);
    }
    *miss = (struct miss){.hash = hash,
            .rule = near->rule,
            .part = near->part,
            .excluded = near->excluded,
            .held = near->held,
            .label = near->label,
            .field = near_field(near),
            .words = arena_copy(&h->arena, buf_slice(&h->words)),
            .value = arena_copy(&h->arena, buf_slice(&h->value)),
            .source = arena_copy(&h->arena, h->event->source),
            .id = arena_copy(&h->arena, h->event->id),
            .first_ns = INT64_MAX,
            .last_ns = INT64_MIN};
    h->misses[h->count] = miss;
    *out = miss;
    return miss->words.at && miss->value.at && miss->source.at && miss->id.at ? OK : full(h);
}

static enum err take_near(void *context, const struct near *near)
{
    struct hunt_near *h = context;
    struct miss *miss = NULL;
    buf_clear(&h->value);
    near_value(near, h->event->event, &h->value);
    if (h->value.failed || grow(h) != OK) {
        return diag_say(h->diag, ERR_MEMORY, "no memory to hunt");
    }
    uint64_t hash = hash_of(near, buf_slice(&h->value));
    uint32_t slot = find_slot(h, near, hash, buf_slice(&h->value));
    if (h->slots[slot]) {
        miss = h->misses[h->slots[slot] - 1];
    } else {
        TRY(add_miss(h, near, hash, &miss));
        h->slots[slot] = (uint32_t)++h->count;
    }
    miss->count++;
    miss->held = near->held > miss->held ? near->held : miss->held;
    if (h->ns != INT64_MIN) {
        miss->first_ns = h->ns < miss->first_ns ? h->ns : miss->first_ns;
        miss->last_ns = h->ns > miss->last_ns ? h->ns : miss->last_ns;
    }
    return OK;
}

/* ---- events -----------------------------------------------------------------------------------
 */

static enum err take_event(void *context, const struct query_event *event, struct diag *diag)
{
    struct hunt_near *h = context;
    const struct hit *hits;
    size_t count;
    struct diag why = {0};
    if (judge_event(h->judge, event->event, &hits, &count, &why) != OK) {
        h->unjudged++;
        return OK;
    }
    const struct value *time = event_value(event->event, h->loaded.time_field);
    h->ns = INT64_MIN;
    if (time && !time_parse(value_slice(time, &h->scratch), &h->ns)) {
        h->ns = INT64_MIN;
    }
    h->event = event;
    h->diag = diag;
    return near_event(&h->bench, h->judge, event->event, take_near, h);
}

/* ---- rows -------------------------------------------------------------------------------------
 */

static int compare(const void *a, const void *b)
{
    const struct miss *x = *(struct miss *const *)a, *y = *(struct miss *const *)b;
    if (x->held != y->held) {
        return x->held > y->held ? -1 : 1;
    }
    if (x->count != y->count) {
        return x->count < y->count ? -1 : 1;
    }
    if (x->rule != y->rule) {
        return x->rule->number < y->rule->number ? -1 : 1;
    }
    int order = slice_compare(x->words, y->words);
    order = order ? order : (int)x->excluded - (int)y->excluded;
    return order ? order : slice_compare(x->value, y->value);
}

static const struct {
    const char *name;
    uint8_t kind; /* enum row_kind */
} names[COLUMNS] = {
        {"rule", ROW_TEXT},
        {"id", ROW_TEXT},
        {"held", ROW_NUMBER},
        {"missed", ROW_TEXT},
        {"selection", ROW_TEXT},
        {"field", ROW_TEXT},
        {"value", ROW_TEXT},
        {"count", ROW_NUMBER},
        {"first", ROW_TIME},
        {"last", ROW_TIME},
        {"_source", ROW_TEXT},
        {"_id", ROW_TEXT},
};

static struct row_value text_of(struct slice text)
{
    return (struct row_value){.kind = ROW_TEXT, .text = text};
}

static enum err write_row(struct hunt_near *h, const struct miss *miss, struct diag *diag)
{
    bool timed = miss->first_ns <= miss->last_ns;
    buf_clear(&h->words);
    buf_add(&h->words, miss->excluded ? SLICE("not ") : SLICE(""));
    buf_byte(&h->words, '(');
    buf_add(&h->words, miss->words);
    buf_byte(&h->words, ')');
    struct slice words = buf_slice(&h->words);
    words = miss->excluded ? words : slice_of(words.at + 1, words.size - 2);
    const struct row_value values[COLUMNS] = {text_of(miss->rule->title), text_of(miss->rule->id),
            {.kind = ROW_NUMBER, .integer = miss->held}, text_of(words), text_of(miss->label),
            text_of(miss->field), text_of(miss->value),
            {.kind = ROW_NUMBER, .integer = miss->count},
            {.kind = ROW_TIME, .integer = miss->first_ns},
            {.kind = ROW_TIME, .integer = miss->last_ns}, text_of(miss->source), text_of(miss->id)};
    struct row_cell cells[COLUMNS];
    for (uint32_t i = 0; i < COLUMNS; i++) {
        bool there = values[i].kind == ROW_TIME   ? timed
                     : values[i].kind == ROW_TEXT ? values[i].text.size > 0
                                                  : true;
        cells[i] = (struct row_cell){&values[i], there};
    }
    return hunt_rows_add(&h->rows, cells, COLUMNS, diag);
}

static enum err write_rows(struct hunt_near *h, struct diag *diag)
{
    if (h->count > 0) {
        qsort(h->misses, h->count, sizeof(struct miss *), compare);
    }
    for (size_t i = 0; i < h->count; i++) {
        TRY(write_row(h, h->misses[i], diag));
    }
    return hunt_rows_end(&h->rows, diag);
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static enum err prepare(struct hunt_near *h, struct diag *diag)
{
    const struct load_request load = {
            .rules = h->request->rules, .taxonomies = h->request->input.taxonomies};
    const struct engine_options options = {0};
    TRY(load_rules(&load, &h->loaded, diag));
    load_say_problems(h->loaded.set);
    if (h->loaded.set->rule_count == 0) {
        return diag_say(diag, ERR_NOT_FOUND, "no rule to hunt with");
    }
    TRY(engine_new(h->loaded.set, h->loaded.taxonomy, &options, &h->engine, diag));
    TRY(judge_new(h->engine, &h->judge));
    arena_init(&h->arena, h->request->state_limit);
    TRY(hunt_source_open(&h->source, &h->request->input, false, diag));
    hunt_source_progress(&h->source, false, h->draw, &h->progress);
    h->rows.form = h->request->form;
    h->rows.progress = &h->progress;
    h->pass = (struct hunt_pass){.paths = engine_paths(h->engine),
            .field_count = engine_field_count(h->engine),
            .take = take_event,
            .context = h,
            .limits = &h->request->input.limits,
            .stop = run_catch_signals(),
            .progress = &h->progress};
    for (uint32_t i = 0; i < COLUMNS; i++) {
        h->columns[i] = (struct row_column){slice_text(names[i].name), names[i].kind};
    }
    return hunt_rows_begin(&h->rows, h->columns, COLUMNS, diag);
}

static bool say_left_out(const struct hunt_near *h)
{
    bool partial = hunt_source_partial(&h->source, &h->pass);
    if (h->bench.undetermined + h->unjudged > 0) {
        verb_say("not complete: evaluations of a rule that a limit stopped: %llu",
                (unsigned long long)(h->bench.undetermined + h->unjudged));
        partial = true;
    }
    return partial || h->loaded.set->problem_count > 0 || h->loaded.unreadable > 0;
}

static void free_near(struct hunt_near *h)
{
    near_fini(&h->bench);
    judge_free(h->judge);
    engine_free(h->engine);
    hunt_source_fini(&h->source);
    hunt_rows_fini(&h->rows);
    arena_fini(&h->arena);
    memory_free(h->misses);
    memory_free(h->slots);
    buf_fini(&h->value);
    buf_fini(&h->words);
    buf_fini(&h->scratch);
    load_fini(&h->loaded);
}

int hunt_near_run(const struct hunt_request *request)
{
    static struct hunt_near near;
    struct hunt_near *h = &near;
    struct diag diag = {0};
    int code = VERB_SOME;
    h->request = request;
    h->rows.terminal = run_columns();
    h->draw = !request->quiet && isatty(STDERR_FILENO);
    enum err e = prepare(h, &diag);
    e = e == OK ? hunt_source_read(&h->source, &h->pass, &diag) : e;
    e = e == OK ? write_rows(h, &diag) : e;
    progress_wipe(&h->progress);
    if (e == OK) {
        code = say_left_out(h) ? VERB_SOME : VERB_DONE;
        if (!request->quiet) {
            verb_say("%zu kinds of near misses by %u rules, of %llu events", h->count,
                    h->loaded.set->rule_count, (unsigned long long)h->pass.events);
        }
    } else {
        verb_say("%s", diag.words[0] ? diag.words : err_name(e));
    }
    free_near(h);
    return code;
}
