#include "cli/backtest.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/time.h"

enum { DATE = 10, SLOTS_FIRST = 1 << 12, SHOWN = 512 };

/* ---- counting ---------------------------------------------------------------------------------
 */

static uint64_t hash_of(uint32_t rule, bool day, struct slice text)
{
    uint64_t hash = ((uint64_t)rule << 1 | day) * 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < text.size; i++) {
        hash = (hash ^ (unsigned char)text.at[i]) * 0x100000001B3u;
    }
    return hash ^ hash >> 29;
}

static bool make_room(struct backtest *b)
{
    if (!memory_grow(&b->counts, &b->room, b->count + 1, sizeof *b->counts)) {
        return false;
    }
    if (b->slots && b->count * 2 < b->mask) {
        return true;
    }
    uint32_t size = b->slots ? (b->mask + 1) * 2 : SLOTS_FIRST;
    uint32_t *slots = memory_alloc_array(size, sizeof *slots);
    if (!slots) {
        return false;
    }
    memory_free(b->slots);
    b->slots = slots;
    b->mask = size - 1;
    for (size_t i = 0; i < b->count; i++) {
        uint32_t slot = (uint32_t)b->counts[i].hash & b->mask;
        while (slots[slot]) {
            slot = (slot + 1) & b->mask;
        }
        slots[slot] = (uint32_t)i + 1;
    }
    return true;
}

static void count_text(struct backtest *b, uint32_t rule, bool day, struct slice text)
{
    uint64_t hash = hash_of(rule, day, text);
    if (!make_room(b)) {
        b->full = true;
        return;
    }
    uint32_t slot = (uint32_t)hash & b->mask;
    for (; b->slots[slot]; slot = (slot + 1) & b->mask) {
        struct backtest_count *c = &b->counts[b->slots[slot] - 1];
        if (c->hash == hash && c->rule == rule && c->day == day && slice_equal(c->text, text)) {
            c->count++;
            return;
        }
    }
    struct backtest_count *c = &b->counts[b->count];
    *c = (struct backtest_count){hash, rule, day, arena_copy(&b->arena, text), 1};
    if (!c->text.at) {
        b->full = true;
        return;
    }
    b->slots[slot] = (uint32_t)++b->count;
    b->rules[rule].days += day;
    b->rules[rule].hosts += !day;
}

static void count_finding(struct backtest *b, uint32_t number, struct slice time, struct slice host)
{
    struct backtest_rule *rule = &b->rules[number];
    int64_t ns;
    rule->findings++;
    if (host.size > 0) {
        count_text(b, number, false, host);
    }
    if (time_parse(time, &ns)) {
        rule->first_ns = ns < rule->first_ns ? ns : rule->first_ns;
        rule->last_ns = ns > rule->last_ns ? ns : rule->last_ns;
        count_text(b, number, true, slice_of(time.at, time.size < DATE ? time.size : DATE));
    }
}

static void take_finding(const struct output *o, struct output_finding *f, struct buf *out)
{
    struct backtest *b = o->setting.backtest;
    (void)out;
    if (f->hit->rule->number < b->rule_count) {
        count_finding(b, f->hit->rule->number, f->time, f->host);
    }
}

static void take_correlation(
        const struct output *o, const struct output_correlation *shown, struct buf *out)
{
    struct backtest *b = o->setting.backtest;
    struct buf time = {0};
    (void)out;
    time_format(&time, shown->finding->time_ns);
    if (shown->finding->rule->number < b->rule_count) {
        count_finding(b, shown->finding->rule->number, buf_slice(&time), shown->finding->host);
    }
    buf_fini(&time);
}

/* Rules come in the order of their numbers, before any finding. */
static void take_rule(const struct output *o, const struct rule *rule, struct buf *out)
{
    struct backtest *b = o->setting.backtest;
    if (!memory_grow(&b->rules, &b->rule_room, rule->number + 1, sizeof *b->rules)) {
        out->failed = true;
        return;
    }
    struct slice level = level_name(rule->level);
    b->rules[rule->number] = (struct backtest_rule){.title = arena_copy(&b->arena, rule->title),
            .id = arena_copy(&b->arena, rule->id),
            .level = arena_copy(&b->arena, level),
            .first_ns = INT64_MAX,
            .last_ns = INT64_MIN};
    b->rule_count = rule->number + 1;
    out->failed |= !b->rules[rule->number].level.at;
}

const struct output_format backtest_format = {.name = "backtest",
        .finding = take_finding,
        .correlation = take_correlation,
        .rule = take_rule};

void backtest_add_costs(struct backtest *b, const struct judge_cost *costs)
{
    for (size_t i = 0; costs && i < b->rule_count; i++) {
        struct judge_cost *sum = &b->rules[i].cost;
        sum->asked += costs[i].asked;
        sum->held += costs[i].held;
        sum->timed += costs[i].timed;
        sum->timed_ns += costs[i].timed_ns;
    }
}

/* ---- rows -------------------------------------------------------------------------------------
 */

enum {
    RULE,
    ID,
    LEVEL,
    FINDINGS,
    DAYS,
    BUSIEST,
    HOSTS,
    TOP_HOSTS,
    FIRST,
    LAST,
    EVALUATED,
    HELD,
    CPU,
};

static const struct {
    const char *name;
    uint8_t kind; /* enum row_kind */
} names[BACKTEST_COLUMNS] = {
        [RULE] = {"rule", ROW_TEXT},
        [ID] = {"id", ROW_TEXT},
        [LEVEL] = {"level", ROW_TEXT},
        [FINDINGS] = {"findings", ROW_NUMBER},
        [DAYS] = {"days", ROW_NUMBER},
        [BUSIEST] = {"busiest_day", ROW_TEXT},
        [HOSTS] = {"hosts", ROW_NUMBER},
        [TOP_HOSTS] = {"top_hosts", ROW_TEXT},
        [FIRST] = {"first", ROW_TIME},
        [LAST] = {"last", ROW_TIME},
        [EVALUATED] = {"evaluated", ROW_NUMBER},
        [HELD] = {"held", ROW_NUMBER},
        [CPU] = {"cpu_us", ROW_NUMBER},
};

enum err backtest_begin(struct backtest *b, struct hunt_rows *rows, struct diag *diag)
{
    for (uint32_t i = 0; i < BACKTEST_COLUMNS; i++) {
        b->columns[i] = (struct row_column){slice_text(names[i].name), names[i].kind};
    }
    return hunt_rows_begin(rows, b->columns, BACKTEST_COLUMNS, diag);
}

/* By rule; of a rule, hosts before days, greatest first. */
static int compare_counts(const void *a, const void *b)
{
    const struct backtest_count *x = a, *y = b;
    if (x->rule != y->rule) {
        return x->rule < y->rule ? -1 : 1;
    }
    if (x->day != y->day) {
        return x->day ? 1 : -1;
    }
    if (x->count != y->count) {
        return x->count > y->count ? -1 : 1;
    }
    return slice_compare(x->text, y->text);
}

static uint64_t cpu_us(const struct judge_cost *cost)
{
    double each = cost->timed > 0 ? (double)cost->timed_ns / (double)cost->timed : 0;
    return (uint64_t)(each * (double)cost->asked / 1000);
}

/* "WS1 (12)" */
static struct row_value counted(const struct backtest_count *count, char shown[SHOWN])
{
    struct buf out = {0};
    buf_add(&out, count->text);
    buf_format(&out, " (%lld)", (long long)count->count);
    struct slice text = buf_slice(&out);
    text.size = text.size < SHOWN ? text.size : SHOWN;
    memcpy(shown, text.at ? text.at : "", text.size);
    buf_fini(&out);
    return (struct row_value){.kind = ROW_TEXT, .text = slice_of(shown, text.size)};
}

static struct row_value text_of(struct slice text)
{
    return (struct row_value){.kind = ROW_TEXT, .text = text};
}

static struct row_value number_of(int64_t n)
{
    return (struct row_value){.kind = ROW_NUMBER, .integer = n};
}

static struct row_value time_of(int64_t ns)
{
    return (struct row_value){.kind = ROW_TIME, .integer = ns};
}

static enum err write_rule(struct hunt_rows *rows, const struct backtest_rule *rule,
        const struct backtest_count *counts, struct diag *diag)
{
    char shown[BACKTEST_HOSTS + 1][SHOWN];
    struct row_value hosts[BACKTEST_HOSTS],
            values[BACKTEST_COLUMNS] = {[RULE] = text_of(rule->title),
                    [ID] = text_of(rule->id),
                    [LEVEL] = text_of(rule->level),
                    [FINDINGS] = number_of(rule->findings),
                    [DAYS] = number_of(rule->days),
                    [HOSTS] = number_of(rule->hosts),
                    [FIRST] = time_of(rule->first_ns),
                    [LAST] = time_of(rule->last_ns),
                    [EVALUATED] = number_of((int64_t)rule->cost.asked),
                    [HELD] = number_of((int64_t)rule->cost.held),
                    [CPU] = number_of((int64_t)cpu_us(&rule->cost))};
    struct row_cell cells[BACKTEST_COLUMNS];
    uint32_t host_count = rule->hosts < BACKTEST_HOSTS ? (uint32_t)rule->hosts : BACKTEST_HOSTS;
    for (uint32_t i = 0; i < BACKTEST_COLUMNS; i++) {
        bool there = values[i].kind == ROW_TEXT ? values[i].text.size > 0 : true;
        cells[i] = (struct row_cell){&values[i], there};
    }
    for (uint32_t i = 0; i < host_count; i++) {
        hosts[i] = counted(&counts[i], shown[i]);
    }
    cells[TOP_HOSTS] = (struct row_cell){hosts, host_count};
    if (rule->days > 0) {
        values[BUSIEST] = counted(&counts[rule->hosts], shown[BACKTEST_HOSTS]);
    }
    cells[BUSIEST].count = rule->days > 0;
    cells[FIRST].count = cells[LAST].count = rule->first_ns <= rule->last_ns;
    return hunt_rows_add(rows, cells, BACKTEST_COLUMNS, diag);
}

struct place {
    const struct backtest_rule *rule;
    const struct backtest_count *counts;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->rule->findings != y->rule->findings) {
        return x->rule->findings > y->rule->findings ? -1 : 1;
    }
    return x->rule < y->rule ? -1 : x->rule > y->rule;
}

enum err backtest_end(struct backtest *b, struct hunt_rows *rows, struct diag *diag)
{
    if (b->full) {
        return diag_say(diag, ERR_LIMIT,
                "hosts and days of findings take more than --state-limit: fewer rules, or a "
                "shorter span");
    }
    struct place *places = memory_alloc_array(b->rule_count + 1, sizeof *places);
    if (!places) {
        return diag_say(diag, ERR_MEMORY, "no memory for the result");
    }
    if (b->count > 0) {
        qsort(b->counts, b->count, sizeof *b->counts, compare_counts);
    }
    const struct backtest_count *at = b->counts;
    for (size_t i = 0; i < b->rule_count; i++) {
        places[i] = (struct place){&b->rules[i], at};
        at += b->rules[i].hosts + b->rules[i].days;
    }
    qsort(places, b->rule_count, sizeof *places, compare_places);
    enum err e = OK;
    for (size_t i = 0; e == OK && i < b->rule_count; i++) {
        e = write_rule(rows, places[i].rule, places[i].counts, diag);
    }
    memory_free(places);
    return e == OK ? hunt_rows_end(rows, diag) : e;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

void backtest_init(struct backtest *b, size_t bytes)
{
    *b = (struct backtest){0};
    arena_init(&b->arena, bytes);
}

void backtest_fini(struct backtest *b)
{
    arena_fini(&b->arena);
    memory_free(b->rules);
    memory_free(b->counts);
    memory_free(b->slots);
}
