#include <stdio.h>

#include "base/memory.h"
#include "differential/differential.h"
#include "support/archive.h"
#include "support/tree.h"

#define EXPECTED_MEMORY ((size_t)1 << 30)

struct stream {
    struct corpus *corpus;
    struct answers *answers;       /* what fires, for the caller; or NULL */
    struct slice lines;            /* JSON: not yet seen */
    struct expectations *expected; /* EVTX: or NULL */
    size_t first, end, next;       /* of the expected ones of this file */
    struct buf json;
    struct arena arena;
    uint64_t start; /* events of the corpus before this stream */
    uint64_t seen;
};

static enum err collect(void *context, struct pump *pump, const struct hit *hits, size_t count)
{
    struct corpus *corpus = context;
    (void)pump;
    return answers_add(&corpus->plain, hits, count);
}

/* Both engines agree on every event; the reference looks at some. */
static enum err check(struct stream *s, struct slice record, const struct hit *hits, size_t count)
{
    struct corpus *c = s->corpus;
    struct rig *rig = &c->pair->rig;
    if (!answers_equal(&c->plain, s->seen, hits, count)) {
        differential_fail(c, s->start + s->seen + 1, "the value cache changes the answer");
    }
    bool sampled = (s->start + s->seen) % c->step == 0;
    s->seen++;
    if (!sampled) {
        return OK;
    }
    uint64_t before = rig->differences;
    TRY(rig_compare_text(rig, record, hits, count));
    if (rig->differences != before) {
        buf_byte(&rig->words, '\0');
        differential_fail(c, s->start + s->seen, rig->words.failed ? "?" : rig->words.at);
    }
    return OK;
}

/* ---- JSON lines ---------------------------------------------------------------------------- */

static struct slice next_line(struct slice *lines)
{
    struct slice line = {0};
    while (lines->size && line.size == 0) {
        line = slice_trim(slice_cut(lines, '\n'));
    }
    return line;
}

static enum err visit_json(void *context, struct pump *pump, const struct hit *hits, size_t count)
{
    struct stream *s = context;
    (void)pump;
    if (s->answers) {
        TRY(answers_add(s->answers, hits, count));
    }
    return check(s, next_line(&s->lines), hits, count);
}

enum err differential_json(
        struct corpus *corpus, struct slice bytes, struct answers *answers, struct diag *diag)
{
    struct pair *pair = corpus->pair;
    struct stream s = {
            .corpus = corpus, .answers = answers, .lines = bytes, .start = corpus->events};
    uint64_t rejected = pair->json.rejected;
    answers_clear(&corpus->plain);
    TRY(pump_bytes(&pair->plain_json, bytes, collect, corpus, diag));
    TRY(pump_bytes(&pair->json, bytes, visit_json, &s, diag));
    corpus->events += s.seen;
    if (next_line(&s.lines).size || s.seen != corpus->plain.count) {
        differential_fail(corpus, corpus->events, "lines were lost");
    }
    if (pair->json.rejected != rejected) {
        differential_fail(corpus, corpus->events, pair->json.last_reason);
    }
    return OK;
}

/* ---- EVTX ---------------------------------------------------------------------------------- */

static struct slice record_id(const struct tree *event)
{
    const struct tree *id = tree_get(tree_get(event, "System"), "EventRecordID");
    return id && id->kind == TREE_OBJECT ? tree_text(id, "#text") : id ? id->text : SLICE("");
}

enum err differential_expectations(struct expectations *e, const char *path, struct diag *diag)
{
    struct arena arena;
    size_t room = 0;
    TRY(archive_read(path, &e->packed, diag));
    struct slice rest = buf_slice(&e->packed);
    enum err err = OK;
    arena_init(&arena, EXPECTED_MEMORY);
    while (err == OK && slice_trim(rest).size) {
        struct tree *record = NULL;
        err = tree_read(&arena, rest, &rest, &record);
        const struct tree *event = err == OK ? tree_get(record, "event") : NULL;
        if (e->count == room) {
            room = room ? room * 2 : 1024;
            struct expected *more = memory_resize(e->list, room * sizeof *more);
            err = more ? err : ERR_MEMORY;
            e->list = more ? more : e->list;
        }
        if (err == OK && event) {
            /* Texts without escapes point into the file: names of files and numbers have none. */
            e->list[e->count++] = (struct expected){
                    .file = tree_text(record, "file"), .record_id = record_id(event)};
            buf_add(&e->lines, SLICE("{\"Event\":"));
            buf_add(&e->lines, event->source);
            buf_add(&e->lines, SLICE("}\n"));
        }
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return err == OK && e->lines.failed ? ERR_MEMORY : err;
}

void differential_expectations_fini(struct expectations *e)
{
    memory_free(e->list);
    buf_fini(&e->packed);
    buf_fini(&e->lines);
    answers_fini(&e->answers);
    *e = (struct expectations){0};
}

/* The next expected record of the file with that id that has not been taken. */
static struct expected *take_expected(struct stream *s, struct slice id)
{
    for (size_t i = 0; i < s->end - s->first; i++) {
        size_t at = s->next + i;
        at = at < s->end ? at : at - s->end + s->first;
        struct expected *x = &s->expected->list[at];
        if (!x->taken && slice_equal(x->record_id, id)) {
            x->taken = true;
            s->next = at + 1 < s->end ? at + 1 : s->first;
            return x;
        }
    }
    return NULL;
}

static enum err check_expected(struct stream *s, const struct hit *hits, size_t count)
{
    struct tree *record = NULL;
    arena_reset(&s->arena);
    TRY(tree_read(&s->arena, buf_slice(&s->json), NULL, &record));
    struct expected *x = take_expected(s, record_id(tree_get(record, "Event")));
    size_t place = x ? (size_t)(x - s->expected->list) : 0;
    if (x && !answers_equal(&s->expected->answers, place, hits, count)) {
        struct buf words = {0};
        size_t n;
        const uint32_t *rules = answers_of(&s->expected->answers, place, &n);
        buf_format(&words, "%.*s: EVTX fires", SLICE_ARG(x->file));
        for (size_t i = 0; i < count; i++) {
            buf_format(&words, " %.*s", SLICE_ARG(hits[i].rule->id));
        }
        buf_add(&words, SLICE("; JSON fires"));
        for (size_t i = 0; i < n; i++) {
            buf_format(
                    &words, " %.*s", SLICE_ARG(s->corpus->pair->rig.set->rules[rules[i] / 2]->id));
        }
        buf_byte(&words, '\0');
        differential_fail(s->corpus, s->start + s->seen + 1, words.failed ? "?" : words.at);
        buf_fini(&words);
    }
    return OK;
}

static enum err visit_evtx(void *context, struct pump *pump, const struct hit *hits, size_t count)
{
    struct stream *s = context;
    buf_clear(&s->json);
    pump->event.form->write_json(&pump->event, &s->json);
    if (s->json.failed) {
        return ERR_MEMORY;
    }
    TRY(check_expected(s, hits, count));
    return check(s, buf_slice(&s->json), hits, count);
}

static enum err run_file(
        struct stream *s, struct slice name, struct slice content, struct diag *diag)
{
    struct corpus *c = s->corpus;
    struct pair *pair = c->pair;
    const struct expectations *x = s->expected;
    s->first = 0;
    while (s->first < x->count && !slice_equal(x->list[s->first].file, name)) {
        s->first++;
    }
    s->end = s->first;
    while (s->end < x->count && slice_equal(x->list[s->end].file, name)) {
        s->end++;
    }
    s->next = s->first;
    s->seen = 0;
    s->start = c->events;
    answers_clear(&c->plain);
    TRY(pump_bytes(&pair->plain_evtx, content, collect, c, diag));
    TRY(pump_bytes(&pair->evtx, content, visit_evtx, s, diag));
    c->events += s->seen;
    return OK;
}

enum err differential_evtx(
        struct corpus *corpus, struct slice tar, struct expectations *expected, struct diag *diag)
{
    struct stream s = {.corpus = corpus, .expected = expected};
    struct archive all = {.rest = tar};
    struct slice name, content;
    enum err e = OK;
    arena_init(&s.arena, EXPECTED_MEMORY);
    while (e == OK && archive_next(&all, &name, &content)) {
        e = run_file(&s, name, content, diag);
    }
    size_t missing = 0;
    for (size_t i = 0; i < expected->count; i++) {
        missing += !expected->list[i].taken;
    }
    printf("%s: %llu records read, %llu rejected, %zu of %zu expected ones not among them\n",
            corpus->name, (unsigned long long)corpus->events,
            (unsigned long long)corpus->pair->evtx.rejected, missing, expected->count);
    buf_fini(&s.json);
    arena_fini(&s.arena);
    return e;
}
