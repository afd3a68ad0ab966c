#include "detect/survey.h"

#include "base/hash.h"
#include "base/memory.h"
#include "detect/survey_parts.h"

enum { FIRST_SLOTS = 1 << 12 };

/* ---- life ---- */

enum err survey_new(struct engine *engine, struct survey **out)
{
    struct survey *s = memory_alloc(sizeof *s);
    if (!s) {
        return ERR_MEMORY;
    }
    s->engine = engine;
    intern_init(&s->paths, SURVEY_PATHS);
    s->classes = memory_alloc_array(ENGINE_CLASSES, sizeof *s->classes);
    s->slots = memory_alloc_array(FIRST_SLOTS, sizeof *s->slots);
    s->slot_mask = FIRST_SLOTS - 1;
    if (!s->classes || !s->slots) {
        survey_free(s);
        return ERR_MEMORY;
    }
    *out = s;
    return OK;
}

static void free_facts(struct survey *s)
{
    for (uint32_t i = 0; s->classes && i < ENGINE_CLASSES; i++) {
        memory_free(s->classes[i].facts);
        s->classes[i] = (struct survey_class){0};
    }
}

void survey_free(struct survey *survey)
{
    if (!survey) {
        return;
    }
    free_facts(survey);
    memory_free(survey->classes);
    memory_free(survey->pairs);
    memory_free(survey->slots);
    intern_fini(&survey->paths);
    judge_free(survey->judge);
    buf_fini(&survey->scratch);
    memory_free(survey);
}

void survey_clear(struct survey *survey)
{
    free_facts(survey);
    intern_fini(&survey->paths);
    intern_init(&survey->paths, SURVEY_PATHS);
    memset(survey->slots, 0, ((size_t)survey->slot_mask + 1) * sizeof *survey->slots);
    survey->pair_count = 0;
    survey->events = 0;
    survey->untold = 0;
}

/* ---- fields that rules name ---- */

static bool compares_number(const struct predicate *p)
{
    return p->op >= OP_NUMBER && p->op <= OP_GREATER_EQUAL;
}

static enum err make_facts(struct survey *s, uint32_t number)
{
    struct survey_class *c = &s->classes[number];
    const struct class *class = &s->engine->classes[number]->class;
    c->facts = memory_alloc_array(field_count(s->engine->fields) + 1, sizeof *c->facts);
    if (!c->facts) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < class->test_count; i++) {
        if (class->tests[i].field != FIELD_NONE && compares_number(class->tests[i].predicate)) {
            c->facts[class->tests[i].field].asks_number = true;
        }
    }
    return OK;
}

static void count_value(struct survey *s, struct survey_fact *fact, const struct value *value)
{
    double number;
    int64_t integer;
    bool whole;
    fact->kinds |= SURVEY_KIND(value->kind);
    if (!fact->asks_number || fact->has_number || value->kind == VALUE_NULL ||
            value->kind == VALUE_OBJECT) {
        return;
    }
    struct slice text = value_slice(value, &s->scratch);
    fact->has_number = predicate_parse_number(text, &number, &whole, &integer);
}

static void count_fields(struct survey *s, const struct event *event, struct survey_class *c)
{
    for (uint32_t w = 0; w < event->present_words; w++) {
        for (uint64_t bits = event->present[w]; bits; bits &= bits - 1) {
            uint32_t field = w * 64 + (uint32_t)__builtin_ctzll(bits);
            struct survey_fact *fact = &c->facts[field];
            bool valued = false;
            const struct value *v = event_value(event, field);
            for (; v; v = event_next(event, v)) {
                count_value(s, fact, v);
                valued = valued || v->kind != VALUE_NULL;
            }
            fact->there++;
            fact->valued += valued;
        }
    }
}

/* ---- all fields ---- */

static uint64_t pair_hash(uint32_t class, uint32_t path)
{
    return hash_mix((uint64_t) class << 32 | path, 0x9E3779B97F4A7C15u);
}

static uint32_t *slot_of(const struct survey *s, uint32_t class, uint32_t path)
{
    uint32_t at = (uint32_t)pair_hash(class, path) & s->slot_mask;
    while (s->slots[at] != 0) {
        const struct survey_pair *p = &s->pairs[s->slots[at] - 1];
        if (p->class == class && p->path == path) {
            break;
        }
        at = (at + 1) & s->slot_mask;
    }
    return &s->slots[at];
}

static bool grow_slots(struct survey *s)
{
    uint32_t mask = s->slot_mask * 2 + 1;
    uint32_t *slots = memory_alloc_array((size_t)mask + 1, sizeof *slots);
    if (!slots) {
        return false;
    }
    memory_free(s->slots);
    s->slots = slots;
    s->slot_mask = mask;
    for (uint32_t i = 0; i < s->pair_count; i++) {
        *slot_of(s, s->pairs[i].class, s->pairs[i].path) = i + 1;
    }
    return true;
}

static struct survey_pair *new_pair(struct survey *s, uint32_t class, uint32_t path)
{
    if (s->pair_count == SURVEY_PAIRS) {
        return NULL;
    }
    if ((s->pair_count + 1) * 2 > s->slot_mask && !grow_slots(s)) {
        return NULL;
    }
    if ((s->pair_count & (s->pair_count - 1)) == 0) { /* room is a power of two */
        size_t room = s->pair_count ? (size_t)s->pair_count * 2 : 1;
        struct survey_pair *pairs = memory_resize(s->pairs, room * sizeof *pairs);
        if (!pairs) {
            return NULL;
        }
        s->pairs = pairs;
    }
    struct survey_pair *p = &s->pairs[s->pair_count++];
    *p = (struct survey_pair){.class = class, .path = path};
    *slot_of(s, class, path) = s->pair_count;
    return p;
}

static struct survey_pair *pair_of(struct survey *s, struct slice path)
{
    uint32_t id;
    if (path.size > SURVEY_PATH_BYTES || intern_put(&s->paths, path, &id, NULL) != OK) {
        return NULL;
    }
    uint32_t slot = *slot_of(s, s->class, id);
    return slot ? &s->pairs[slot - 1] : new_pair(s, s->class, id);
}

static bool visit(void *context, struct slice path, const struct value *value)
{
    struct survey *s = context;
    struct survey_pair *p = pair_of(s, path);
    if (!p) {
        s->untold++;
        return true;
    }
    p->kinds |= SURVEY_KIND(value->kind);
    p->there += p->last != s->events;
    p->last = s->events;
    if (value->kind != VALUE_NULL && value->kind != VALUE_OBJECT && value->text.size > 0) {
        p->filled += p->last_filled != s->events;
        p->last_filled = s->events;
    }
    return true;
}

static enum err count_event(struct survey *survey, uint32_t number, const struct event *event)
{
    struct survey_class *c = &survey->classes[number];
    if (!c->facts) {
        TRY(make_facts(survey, number));
    }
    c->events++;
    survey->events++;
    survey->class = number;
    count_fields(survey, event, c);
    return OK;
}

enum err survey_event(struct survey *survey, struct event *event, struct diag *diag)
{
    uint32_t number;
    if (!survey->judge && judge_new(survey->engine, &survey->judge) != OK) {
        return diag_say(diag, ERR_MEMORY, "no memory for the survey");
    }
    TRY(judge_class(survey->judge, event, &number, diag));
    if (count_event(survey, number, event) != OK) {
        return diag_say(diag, ERR_MEMORY, "no memory for the survey");
    }
    enum err e = event->form->walk(event, visit, survey);
    return e == OK ? OK : diag_say(diag, e, "no memory to walk the record");
}

enum err survey_judged(struct survey *survey, const struct judge *judge, struct event *event)
{
    event_finish(event);
    return count_event(survey, judge_seat(judge), event);
}

uint64_t survey_events(const struct survey *survey)
{
    return survey->events;
}

uint64_t survey_untold(const struct survey *survey)
{
    return survey->untold;
}
