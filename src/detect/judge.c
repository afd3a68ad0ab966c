#include "detect/judge.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "detect/engine_parts.h"
#include "detect/evaluate.h"
#include "detect/explain.h"
#include "detect/judge_parts.h"
#include "detect/texts.h"
#include "detect/value_cache.h"

enum { ASKED = 32 }; /* values looked up in the cache together */
enum { REGEX_MEMORY = 16 << 20 };

/* ---- life ---- */

enum err judge_new(struct engine *engine, struct judge **out)
{
    struct judge *j = memory_alloc(sizeof *j);
    if (!j) {
        return ERR_MEMORY;
    }
    j->engine = engine;
    j->seats = memory_alloc_array(ENGINE_CLASSES, sizeof *j->seats);
    j->routes = memory_alloc_array(JUDGE_ROUTES, sizeof *j->routes);
    j->hits = memory_alloc_array(engine->set->rule_count + 1, sizeof *j->hits);
    j->awake = memory_alloc_array(engine->set->rule_count + 1, sizeof *j->awake);
    j->named = memory_alloc_array(field_count(engine->fields) + 1, sizeof *j->named);
    j->regexes = regex_cache_new(REGEX_MEMORY);
    enum err e = texts_init(&j->texts, field_count(engine->fields));
    if (e == OK && !engine->options.no_value_cache) {
        e = value_cache_new(&j->cache);
    }
    if (e != OK || !j->seats || !j->routes || !j->hits || !j->awake || !j->named || !j->regexes) {
        judge_free(j);
        return ERR_MEMORY;
    }
    *out = j;
    return OK;
}

static void free_seat(struct seat *seat)
{
    memory_free(seat->memo);
    memory_free(seat->woken);
    learn_free(seat->lessons);
    memory_free(seat);
}

void judge_free(struct judge *judge)
{
    if (!judge) {
        return;
    }
    for (uint32_t i = 0; judge->seats && i < ENGINE_CLASSES && judge->seats[i]; i++) {
        free_seat(judge->seats[i]);
    }
    memory_free(judge->seats);
    memory_free(judge->routes);
    memory_free(judge->hits);
    memory_free(judge->awake);
    memory_free(judge->named);
    memory_free(judge->costs);
    memory_free(judge->verdicts);
    memory_free(judge->scan.stamps);
    memory_free(judge->scan.ids);
    value_cache_free(judge->cache);
    keywords_fini(&judge->keywords);
    regex_cache_free(judge->regexes);
    texts_fini(&judge->texts);
    memory_free(judge);
}

struct judge_counts judge_counts(const struct judge *judge)
{
    return judge->counts;
}

uint32_t judge_seat(const struct judge *judge)
{
    return judge->seat->class->number;
}

enum err judge_watch(struct judge *judge)
{
    if (!judge->costs) {
        judge->costs = memory_alloc_array(judge->engine->set->rule_count + 1, sizeof *judge->costs);
    }
    return judge->costs ? OK : ERR_MEMORY;
}

const struct judge_cost *judge_costs(const struct judge *judge)
{
    return judge->costs;
}

void judge_matched(
        struct judge *judge, const struct event *event, const struct hit *hit, struct buf *out)
{
    explain_matched(judge, event, hit, out);
}

const struct value *judge_wanted(
        const struct judge *judge, const struct event *event, const struct hit *hit, uint32_t index)
{
    return event_value(event, judge->seat->class->class.rules[hit->place].wanted[index]);
}

enum err judge_explain(struct judge *judge, struct event *event, uint32_t rule, struct buf *out)
{
    const struct hit *hits;
    size_t count;
    struct diag diag;
    event_finish(event);
    TRY(judge_event(judge, event, &hits, &count, &diag));
    return explain_rule(judge, event, rule, out);
}

/* ---- the event's class ---- */

static enum err add_seat(struct judge *j, struct engine_class *class, struct seat **out)
{
    for (uint32_t i = 0; i < j->seat_count; i++) {
        if (j->seats[i]->class == class) {
            *out = j->seats[i];
            return OK;
        }
    }
    struct seat *s = memory_alloc(sizeof *s);
    if (!s || j->seat_count == ENGINE_CLASSES) {
        memory_free(s);
        return ERR_MEMORY;
    }
    s->class = class;
    s->memo = memory_alloc_array(class->class.test_count + 1, sizeof *s->memo);
    s->woken = memory_alloc_array(class->class.rule_count + 1, sizeof *s->woken);
    if (!s->memo || !s->woken) {
        free_seat(s);
        return ERR_MEMORY;
    }
    j->seats[j->seat_count++] = s;
    *out = s;
    return OK;
}

/* Keys are a few words: calls to hash and compare them would take longer. */
static uint64_t hash_key(const uint32_t *key, size_t count)
{
    uint64_t hash = count;
    for (size_t i = 0; i < count; i++) {
        hash = (hash ^ key[i]) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 32;
    }
    return hash;
}

static bool is_key(const struct route_slot *slot, const uint32_t *key, size_t count)
{
    uint32_t difference = 0;
    for (size_t i = 0; i < count; i++) {
        difference |= slot->key[i] ^ key[i];
    }
    return slot->seat && slot->count == count && difference == 0;
}

/* A known combination of symbols leads to its seat; others go the long way once. */
static enum err find_seat(struct judge *j, const struct event *event, struct seat **out)
{
    uint32_t key[ROUTE_LIMIT];
    uint16_t symbols[ROUTE_LIMIT];
    const struct router *router = j->engine->symbol_count ? j->engine->router : NULL;
    size_t count = router ? route_key(router, &j->memo, event, &j->texts, key) : 0;
    struct route_slot *slot = &j->routes[hash_key(key, count) & (JUDGE_ROUTES - 1)];
    if (is_key(slot, key, count)) {
        *out = slot->seat;
        return OK;
    }
    if (router) {
        route_symbols(router, key, count, symbols);
    }
    struct engine_class *class;
    TRY(engine_class_for(j->engine, symbols, &class));
    TRY(add_seat(j, class, out));
    memcpy(slot->key, key, count * sizeof *key);
    slot->count = count;
    slot->seat = *out;
    return OK;
}

/* ---- fields that are filled from others ---- */

static void map_value(struct judge *j, const struct fill *fill, struct value *value)
{
    struct slice folded = texts_folded(&j->texts, FIELD_NONE, value);
    for (size_t i = 0; i < fill->map_count; i++) {
        if (slice_equal(fill->map[2 * i], folded)) {
            value->text = fill->map[2 * i + 1];
            value->kind = VALUE_STRING;
            value->form = FORM_TEXT;
            return;
        }
    }
}

/* The values of one field, mapped, to another. Adding a value may move event->more, so each is
 * copied and the next is found by its number. */
static void fill_field(
        struct judge *j, struct event *event, const struct fill *fill, const struct value *from)
{
    struct value copy = *from;
    for (;;) {
        uint32_t next = copy.next;
        map_value(j, fill, &copy);
        event_put_field(event, fill->to, &copy, 0);
        if (next == 0) {
            return;
        }
        copy = event->more[next - 1];
    }
}

static void fill_fields(struct judge *j, struct event *event, const struct class *class)
{
    for (uint32_t i = 0; i < class->fill_count; i++) {
        const struct fill *fill = &class->fills[i];
        for (size_t f = 0; f < fill->from_count; f++) {
            const struct value *from = event_value(event, fill->from[f]);
            if (from) {
                fill_field(j, event, fill, from);
                break;
            }
        }
    }
}

/* ---- searching ---- */

static enum err make_scan_room(struct judge *j, const struct plan *plan)
{
    if (plan->trigger_count <= j->scan.room && j->scan.stamps) {
        return OK;
    }
    uint32_t room = plan->trigger_count + 64;
    uint32_t *stamps = memory_alloc_array(room, sizeof *stamps);
    uint32_t *ids = memory_alloc_array(room, sizeof *ids);
    if (!stamps || !ids) {
        memory_free(stamps);
        memory_free(ids);
        return ERR_MEMORY;
    }
    memory_free(j->scan.stamps);
    memory_free(j->scan.ids);
    j->scan = (struct scan){.stamps = stamps, .ids = ids, .room = room};
    return OK;
}

static inline void wake(struct judge *j, const uint32_t *rules, uint32_t count)
{
    struct seat *s = j->seat;
    for (uint32_t i = 0; i < count; i++) {
        if (s->woken[rules[i]] != j->epoch) {
            s->woken[rules[i]] = j->epoch;
            j->awake[j->awake_count++] = rules[i];
        }
    }
}

static inline void take_trigger(struct judge *j, uint32_t id)
{
    const struct trigger *t = &j->plan->triggers[id];
    learn_found(j->seat->lessons, t->test);
    uint32_t *memo = &j->seat->memo[t->test];
    if (t->exact) {
        *memo = j->epoch << 2 | VERDICT_YES;
    } else if (*memo >> 2 != j->epoch) {
        *memo = j->epoch << 2 | JUDGE_MAYBE;
    }
    wake(j, j->plan->wakes + t->first, t->count);
}

static inline void take_triggers(struct judge *j, const uint32_t *ids, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        take_trigger(j, ids[i]);
    }
}

static void scan_value(struct judge *j, const struct field_plan *f, const struct value *value)
{
    struct text spare;
    const struct text *text = texts_get(&j->texts, f->field, value, &spare);
    scan_start(&j->scan);
    if (f->anchors) {
        anchor_scan(f->anchors, text->folded, &j->scan);
    }
    if (f->literals) {
        literal_scan(f->literals, text->folded, &j->scan);
    }
    if (f->other_texts && !text->ascii) {
        literal_scan(f->other_texts, text->folded, &j->scan);
    }
}

static void scan_and_take(struct judge *j, uint32_t index, const struct value *value)
{
    scan_value(j, &j->plan->fields[index], value);
    take_triggers(j, j->scan.ids, j->scan.count);
}

/* A value that may be in the cache, on its way from memory. */
struct asked {
    const struct value *value;
    struct value_cache_entry *entry;
    uint64_t what;
    uint32_t field;
};

static void search_asked(struct judge *j, const struct asked *asked, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct asked *a = &asked[i];
        if (!value_cache_holds(a->entry, a->what, a->value)) {
            scan_and_take(j, a->field, a->value);
            value_cache_put(a->entry, a->what, a->value, j->scan.ids, j->scan.count);
            continue;
        }
        j->counts.cache_found++;
        for (uint32_t k = 0; k < a->entry->count; k++) {
            take_trigger(j, a->entry->ids[k]);
        }
    }
    j->counts.cache_asked += count;
}

static void search_fields(struct judge *j, const struct event *event)
{
    const struct plan *plan = j->plan;
    struct asked asked[ASKED];
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->word_count; i++) {
        uint32_t w = plan->words[i];
        uint64_t bits = event->present[w] & plan->field_bits[w];
        for (; bits; bits &= bits - 1) {
            uint32_t field = w * 64 + (uint32_t)__builtin_ctzll(bits);
            const struct value *v = &event->values[field];
            for (; v; v = event_next(event, v)) {
                if (v->kind == VALUE_NULL || v->kind == VALUE_OBJECT) {
                    continue;
                }
                uint16_t at = plan->field_at[field];
                if (!j->cache || !value_cache_fits(v)) {
                    scan_and_take(j, at, v);
                    continue;
                }
                if (count == ASKED) {
                    search_asked(j, asked, count);
                    count = 0;
                }
                uint64_t what = value_cache_what(plan->id, at, v);
                struct value_cache_entry *entry = value_cache_at(j->cache, what, v);
                asked[count++] = (struct asked){v, entry, what, at};
            }
        }
    }
    search_asked(j, asked, count);
}

/* What keywords stand in the event's late constants; NULL: too many to remember. */
static const struct constants_found *late_found(struct judge *j, struct slice text)
{
    size_t place = ((uintptr_t)text.at >> 4 ^ j->plan->id) & (JUDGE_CONSTANTS - 1);
    struct constants_found *f = &j->constants[place];
    if (f->at == text.at && f->plan == j->plan->id) {
        return f;
    }
    scan_start(&j->scan);
    f->whole = keyword_scan(j->plan->keywords, text, 1, &j->scan);
    f->count = j->scan.count;
    f->at = f->count > JUDGE_CONSTANT_IDS ? NULL : text.at;
    f->plan = j->plan->id;
    if (!f->at) {
        return NULL;
    }
    memcpy(f->ids, j->scan.ids, f->count * sizeof *f->ids);
    return f;
}

/* The texts of a record, where they stand in its bytes. */
static bool scan_texts(struct judge *j, const struct event *event)
{
    const struct keyword_set *set = j->plan->keywords;
    const struct constants_found *late = NULL;
    if (event->late && !(late = late_found(j, event->late_constants))) {
        return false;
    }
    scan_start(&j->scan);
    for (uint32_t i = 0; late && i < late->count; i++) {
        scan_found(&j->scan, late->ids[i]);
    }
    return (!late || late->whole) &&
           keyword_scan(set, event->raw, event->wide_text ? 2 : 1, &j->scan) &&
           (event->constants.size == 0 || keyword_scan(set, event->constants, 1, &j->scan));
}

/* A record whose texts can be searched in its bytes is; in any other, every keyword may stand. */
static void search_keywords(struct judge *j, const struct event *event)
{
    const struct plan *plan = j->plan;
    bool whole = (event->plain_text || event->wide_text) && scan_texts(j, event);
    if (event->wide_text) {
        for (uint32_t i = 0; i < plan->bare_count; i++) {
            scan_found(&j->scan, plan->bare[i]);
        }
    }
    if (!whole) {
        take_triggers(j, plan->keyword_triggers, plan->keyword_trigger_count);
    } else {
        take_triggers(j, j->scan.ids, j->scan.count);
    }
}

/* ---- one event ---- */

static enum err search(struct judge *j, const struct event *event)
{
    const struct plan *plan = j->plan;
    TRY(make_scan_room(j, plan));
    j->awake_count = 0;
    search_fields(j, event);
    for (uint32_t i = 0; i < plan->direct_count; i++) {
        if (evaluate_test(j, event, plan->directs[i].test) != VERDICT_NO) {
            wake(j, plan->wakes + plan->directs[i].first, plan->directs[i].count);
        }
    }
    if (plan->keywords) {
        search_keywords(j, event);
    }
    wake(j, plan->always, plan->always_count);
    return OK;
}

static void sort_awake(struct judge *j)
{
    for (uint32_t i = 1; i < j->awake_count; i++) {
        uint32_t rule = j->awake[i], at = i;
        for (; at > 0 && j->awake[at - 1] > rule; at--) {
            j->awake[at] = j->awake[at - 1];
        }
        j->awake[at] = rule;
    }
}

static enum verdict evaluate_counted(
        struct judge *j, const struct event *event, const struct class_rule *rule)
{
    struct judge_cost *cost = &j->costs[rule->rule->number];
    enum verdict v;
    if (j->counts.events % JUDGE_TIMED == 0) {
        int64_t start_ns = clock_steady_ns();
        v = evaluate_rule(j, event, rule);
        cost->timed_ns += (uint64_t)(clock_steady_ns() - start_ns);
        cost->timed++;
    } else {
        v = evaluate_rule(j, event, rule);
    }
    cost->asked++;
    cost->held += v == VERDICT_YES;
    return v;
}

static void evaluate(struct judge *j, const struct event *event)
{
    const struct class *class = &j->seat->class->class;
    j->hit_count = 0;
    sort_awake(j);
    for (uint32_t i = 0; i < j->awake_count; i++) {
        const struct class_rule *rule = &class->rules[j->awake[i]];
        enum verdict v = __builtin_expect(j->costs != NULL, false)
                                 ? evaluate_counted(j, event, rule)
                                 : evaluate_rule(j, event, rule);
        if (v == VERDICT_NO) {
            continue;
        }
        bool undetermined = v == VERDICT_UNDETERMINED;
        j->hits[j->hit_count++] = (struct hit){rule->rule, undetermined, j->awake[i]};
        j->counts.undetermined += undetermined;
        j->counts.hits += !undetermined;
    }
    j->counts.candidates += j->awake_count;
}

/* ---- the whole ---- */

static void next_epoch(struct judge *j)
{
    if (++j->epoch < (1u << 30)) {
        return;
    }
    j->epoch = 1;
    for (uint32_t i = 0; i < j->seat_count; i++) {
        struct seat *s = j->seats[i];
        memset(s->memo, 0, s->class->class.test_count * sizeof *s->memo);
        memset(s->woken, 0, s->class->class.rule_count * sizeof *s->woken);
    }
    memset(j->named, 0, field_count(j->engine->fields) * sizeof *j->named);
    j->naming = 0;
}

/* Reads the class a field of those? */
static bool class_reads(const struct class *class, const uint64_t *bits)
{
#define HAS(f) ((f) != FIELD_NONE && (bits[(f) >> 6] >> ((f)&63) & 1))
    bool reads = false;
    for (uint32_t i = 0; i < class->test_count && !reads; i++) {
        const struct test *t = &class->tests[i];
        reads = HAS(t->field) || HAS(t->other);
    }
    for (uint32_t i = 0; i < class->fill_count && !reads; i++) {
        const struct fill *fill = &class->fills[i];
        reads = HAS(fill->to);
        for (size_t f = 0; f < fill->from_count && !reads; f++) {
            reads = HAS(fill->from[f]);
        }
    }
#undef HAS
    return reads;
}

/* Values that the decoder left out: they are put if a route or a rule's test reads such a field.
 * (With a finding they are put, too: see judge_event.) */
static void finish_if_read(struct judge *j, struct event *event, struct seat *seat)
{
    if (!seat) {
        if (j->late_bits != event->late_bits) {
            j->late_bits = event->late_bits;
            j->late_routes =
                    j->engine->symbol_count && route_reads(j->engine->router, event->late_bits);
        }
    } else if (seat->late_bits != event->late_bits) {
        seat->late_bits = event->late_bits;
        seat->late_read = class_reads(&seat->class->class, event->late_bits);
    }
    if (seat ? seat->late_read : j->late_routes) {
        event_finish(event);
    }
}

/* Begins on an event: its class, with the fields that the class fills. */
static enum err begin_event(struct judge *j, struct event *event, struct diag *diag)
{
    next_epoch(j);
    texts_begin(&j->texts, event);
    keywords_begin(&j->keywords);
    j->counts.events++;
    if (event->late) {
        finish_if_read(j, event, NULL);
    }
    if (find_seat(j, event, &j->seat) != OK) {
        return diag_say(diag, ERR_LIMIT, "no memory or place for another kind of event");
    }
    if (event->late) {
        finish_if_read(j, event, j->seat);
    }
    const struct class *class = &j->seat->class->class;
    if (class->rule_count > 0 && class->fill_count > 0) {
        fill_fields(j, event, class);
    }
    if (event->truncated) {
        return diag_say(diag, ERR_LIMIT, "over %d values of one record", EVENT_MORE_LIMIT);
    }
    return OK;
}

enum err judge_class(struct judge *judge, struct event *event, uint32_t *class, struct diag *diag)
{
    event_finish(event);
    TRY(begin_event(judge, event, diag));
    if (judge->texts.failed) {
        return diag_say(diag, ERR_MEMORY, "no memory to judge the record");
    }
    *class = judge->seat->class->number;
    return OK;
}

enum err judge_event(struct judge *judge, struct event *event, const struct hit **hits,
        size_t *count, struct diag *diag)
{
    struct judge *j = judge;
    *hits = j->hits;
    *count = 0;
    TRY(begin_event(j, event, diag));
    if (j->seat->class->class.rule_count == 0) {
        return OK;
    }
    j->counts.routed++;
    j->plan = atomic_load_explicit(&j->seat->class->plan, memory_order_acquire);
    TRY(search(j, event));
    evaluate(j, event);
    TRY(learn_event(j, event));
    if (j->texts.failed || j->keywords.failed) {
        return diag_say(diag, ERR_MEMORY, "no memory to judge the record");
    }
    if (j->hit_count > 0) {
        event_finish(event); /* what is told of a finding, and counted by, may read any field */
    }
    *count = j->hit_count;
    return OK;
}
