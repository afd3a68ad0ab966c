#include <stdio.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "differential/differential.h"
#include "property/dice.h"
#include "support/archive.h"
#include "support/tree.h"

/* Rules made of what stands in the records themselves, so that the rare forms of values (constants
 * of a template, numbers, times, GUIDs, addresses, binary) are searched for in all their places:
 * keywords, and tests of the member that the value stands in. */
enum { RULES = 40, RECORDS = 200, VALUES = 4000, FILES_STEP = 5, TEXT_LIMIT = 60 };

struct value_seen {
    struct slice key;
    struct slice text;
};

struct derivation {
    struct corpus *corpus;
    struct dice dice;
    struct arena arena; /* of the trees that the values stand in */
    struct buf json;    /* of RECORDS records, a line each */
    uint64_t records;
    struct value_seen values[VALUES];
    size_t value_count;
    struct rig rig;
    bool evtx; /* which form is judged now */
    struct slice lines;
};

static enum err collect_json(void *context, struct pump *pump, const struct hit *hits, size_t count)
{
    struct derivation *d = context;
    (void)hits;
    (void)count;
    if (d->records++ < RECORDS) {
        pump->event.form->write_json(&pump->event, &d->json);
        buf_byte(&d->json, '\n');
    }
    return d->json.failed ? ERR_MEMORY : OK;
}

/* Recursion is bounded by TREE_DEPTH. */
static void collect_values(struct derivation *d, const struct tree *t, struct slice key)
{
    bool scalar = t->kind == TREE_STRING || t->kind == TREE_NUMBER || t->kind == TREE_BOOL;
    if (scalar && t->text.size) {
        /* All values have the same chance to stay. */
        size_t at = d->value_count++;
        at = at < VALUES ? at : dice_below(&d->dice, (uint32_t)d->value_count);
        if (at < VALUES) {
            d->values[at] = (struct value_seen){key, t->text};
        }
    }
    for (const struct tree *child = t->first; child; child = child->next) {
        collect_values(d, child, child->key.at ? child->key : key);
    }
}

/* A piece that begins and ends between characters; sometimes all of it. */
static struct slice piece(struct dice *dice, struct slice text)
{
    size_t from = 0, to = text.size;
    if (text.size > TEXT_LIMIT || !dice_one_in(dice, 4)) {
        from = dice_below(dice, (uint32_t)text.size);
        to = from + 1 + dice_below(dice, 14);
        to = to < text.size ? to : text.size;
    }
    while (from < to && ((unsigned char)text.at[from] & 0xC0) == 0x80) {
        from++;
    }
    while (to > from && to < text.size && ((unsigned char)text.at[to] & 0xC0) == 0x80) {
        to--;
    }
    return slice_of(text.at + from, to - from);
}

/* As a YAML scalar, wildcards escaped. */
static void put_literal(struct slice text, struct buf *yaml)
{
    buf_byte(yaml, '"');
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c == '*' || c == '?' || c == '\\') {
            buf_add(yaml, SLICE("\\\\"));
        }
        if (c == '"' || c == '\\') {
            buf_byte(yaml, '\\');
        }
        if (c < 0x20 || c == 0x7F) {
            buf_format(yaml, "\\x%02X", c);
        } else {
            buf_byte(yaml, (char)c);
        }
    }
    buf_byte(yaml, '"');
}

static void derive_rule(struct derivation *d, uint32_t number, struct buf *yaml)
{
    static const char *const modifiers[] = {"", "|contains", "|startswith", "|endswith"};
    size_t count = d->value_count < VALUES ? d->value_count : VALUES;
    const struct value_seen *v = &d->values[dice_below(&d->dice, (uint32_t)count)];
    struct slice text = piece(&d->dice, v->text);
    buf_format(
            yaml, "title: d%u\nid: 00000000-0000-4000-8000-%012u\nstatus: test\n", number, number);
    buf_add(yaml, SLICE("logsource: {category: test}\ndetection:\n  s:\n"));
    if (number % 2 || v->key.size == 0) {
        buf_add(yaml, SLICE("    - "));
    } else {
        buf_add(yaml, SLICE("    \""));
        buf_json(yaml, v->key);
        buf_format(yaml, "%s\": ", modifiers[dice_below(&d->dice, 4)]);
    }
    put_literal(text, yaml);
    buf_format(yaml, "\n  condition: %s\n", dice_one_in(&d->dice, 6) ? "not s" : "s");
}

static enum err derive_rules(struct derivation *d, struct diag *diag)
{
    const struct engine_options options = {.any_source = true};
    struct buf yaml = {0};
    enum err e = rig_begin(&d->rig, SLICE(""), diag);
    for (uint32_t i = 0; e == OK && i < RULES; i++) {
        char name[20];
        snprintf(name, sizeof name, "%02u.yml", i);
        buf_clear(&yaml);
        derive_rule(d, i, &yaml);
        e = ruleset_load_text(d->rig.set, slice_text(name), buf_slice(&yaml), diag);
    }
    buf_fini(&yaml);
    return e == OK ? rig_build(&d->rig, options, diag) : e;
}

static enum err compare(void *context, struct pump *pump, const struct hit *hits, size_t count)
{
    struct derivation *d = context;
    uint64_t before = d->rig.differences;
    d->corpus->events++;
    if (d->evtx) {
        buf_clear(&d->json);
        pump->event.form->write_json(&pump->event, &d->json);
        TRY(rig_compare_text(&d->rig, buf_slice(&d->json), hits, count));
    } else {
        TRY(rig_compare_text(&d->rig, slice_cut(&d->lines, '\n'), hits, count));
    }
    if (d->rig.differences != before) {
        struct buf *words = &d->rig.words;
        for (uint32_t i = 0; i < d->rig.set->rule_count; i++) {
            if (d->rig.fired[i] != d->rig.said[i]) {
                const struct predicate *p = d->rig.set->predicates;
                uint32_t n = d->rig.set->rules[i]->condition->predicate;
                if (d->rig.set->rules[i]->condition->kind == NODE_PREDICATE) {
                    predicate_write(&p[n], d->rig.set->fields, words);
                }
            }
        }
        buf_byte(words, '\0');
        differential_fail(d->corpus, d->corpus->events, words->failed ? "?" : words->at);
    }
    return OK;
}

static enum err judge_form(
        struct derivation *d, const char *format, struct slice bytes, struct diag *diag)
{
    struct pump pump;
    TRY(pump_init(&pump, d->rig.engine, format, diag));
    enum err e = pump_bytes(&pump, bytes, compare, d, diag);
    pump_fini(&pump);
    return e;
}

static enum err read_values(struct derivation *d, struct slice file, struct diag *diag)
{
    d->value_count = 0;
    d->records = 0;
    buf_clear(&d->json);
    arena_reset(&d->arena);
    TRY(pump_bytes(&d->corpus->pair->evtx, file, collect_json, d, diag));
    struct slice rest = d->json.size ? arena_copy(&d->arena, buf_slice(&d->json)) : SLICE("");
    d->lines = rest;
    while (rest.size) {
        struct tree *record = NULL;
        TRY(tree_read(&d->arena, slice_cut(&rest, '\n'), NULL, &record));
        collect_values(d, record, SLICE(""));
    }
    return OK;
}

static enum err derive_file(struct derivation *d, struct slice file, struct diag *diag)
{
    TRY(read_values(d, file, diag));
    if (d->value_count == 0) {
        return OK;
    }
    enum err e = derive_rules(d, diag);
    if (e == OK) {
        d->evtx = false;
        e = judge_form(d, "json", d->lines, diag);
    }
    if (e == OK) {
        d->evtx = true;
        e = judge_form(d, "evtx", file, diag);
    }
    d->corpus->pair->rig.events += d->rig.events;
    d->corpus->pair->rig.hits += d->rig.hits;
    d->corpus->pair->rig.pairs += d->rig.pairs;
    rig_fini(&d->rig);
    return e;
}

enum err differential_derived(struct corpus *corpus, struct slice tar, struct diag *diag)
{
    struct derivation *d = memory_alloc(sizeof *d);
    struct archive all = {.rest = tar};
    struct slice name, content;
    enum err e = d ? OK : ERR_MEMORY;
    if (!d) {
        return e;
    }
    d->corpus = corpus;
    arena_init(&d->arena, (size_t)1 << 30);
    for (uint64_t n = 0; e == OK && archive_next(&all, &name, &content); n++) {
        d->dice = dice_of(n);
        if (n % differential_step(FILES_STEP) == 0) {
            e = derive_file(d, content, diag);
        }
    }
    buf_fini(&d->json);
    arena_fini(&d->arena);
    memory_free(d);
    return e;
}
