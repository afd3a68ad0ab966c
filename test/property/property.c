/* property: generated rules over generated events. The engine says what the reference evaluator
 * says; and nothing that must not matter changes what it says: the value cache, other rules beside,
 * the order of rules, how the stream is cut, what came before. And no rule fires of which a survey
 * of the same events says that it cannot.
 *
 *     build/test/property                          MERLON_ROUNDS rounds (600) from MERLON_SEED (1)
 *     MERLON_SEED=17 MERLON_ROUNDS=1 build/test/property      one round again
 *
 * A failure prints its seed, the rule and the event, cut down as far as it still fails. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "detect/reach.h"
#include "property/make_event.h"
#include "property/make_rule.h"
#include "support/rig.h"

enum { SURVEYED = 6 }; /* events of a survey */
enum { RULES = 24, EVENTS = 220, LONG_EVERY = 50, LONG_REPEATS = 30, SHOWN = 3, ROUNDS = 600 };

/* What holds for the first of a round's streams must hold for all others. */
enum check {
    CHECK_REFERENCE,
    CHECK_NO_CACHE,
    CHECK_FEWER_RULES,
    CHECK_AGAIN,
    CHECK_CUT,
    CHECK_REACH,
    CHECKS
};
static const char *const check_names[CHECKS] = {"engine and reference agree",
        "the value cache changes nothing", "other rules and their order change nothing",
        "what came before changes nothing", "how the stream is cut changes nothing",
        "no rule fires that is said to be unable to"};

struct totals {
    uint64_t failures[CHECKS];
    uint64_t rules, refused;
    uint64_t events, pairs, hits;
    uint64_t silent, unable; /* rules that fired on no event of a survey; and were said unable to */
    char refusal[300];       /* the last */
};

struct round {
    uint64_t seed;
    bool routed;
    struct words words;
    struct buf rules[RULES];
    struct buf events;
    size_t ends[EVENTS]; /* of each event in `events` */
    uint8_t said[EVENTS][RULES];
    struct totals *totals;
};

/* ---- one stream through one engine --------------------------------------------------------- */

struct pass {
    struct round *round;
    struct rig *rig;
    enum check check;
    uint64_t kept; /* rules of the engine, a bit each */
    uint64_t seen;
    bool first;            /* its answers are kept */
    struct survey *survey; /* of CHECK_REACH */
    bool stop;
    uint32_t failed_rule;
    uint32_t failed_event;
};

/* The rule's number in its round: the last digits of its id. */
static uint32_t number_of(const struct rule *rule)
{
    uint32_t n = 0;
    for (size_t i = rule->id.size - 4; i < rule->id.size; i++) {
        n = n * 10 + (uint32_t)(rule->id.at[i] - '0');
    }
    return n;
}

static struct slice event_of(const struct round *round, size_t i)
{
    size_t start = i ? round->ends[i - 1] : 0;
    return slice_of(round->events.at + start, round->ends[i] - start);
}

static void note(struct pass *pass, uint32_t rule, size_t event)
{
    if (!pass->stop) {
        pass->stop = true;
        pass->failed_rule = rule;
        pass->failed_event = (uint32_t)event;
    }
}

/* The rules of which the survey of the events up to this one says that they cannot fire did not. */
static enum err check_reach(struct pass *pass, size_t event, uint64_t fired)
{
    for (uint32_t i = 0; i < pass->rig->set->rule_count; i++) {
        struct reach reach;
        uint32_t number = number_of(pass->rig->set->rules[i]);
        TRY(reach_rule(pass->survey, i, &reach));
        if (reach.why != REACH_CAN && (fired >> number & 1)) {
            note(pass, number, event);
        }
        pass->round->totals->silent += !(fired >> number & 1);
        pass->round->totals->unable += reach.why != REACH_CAN;
    }
    survey_clear(pass->survey);
    return OK;
}

static enum err survey_one(struct pass *pass, struct event *event, size_t number)
{
    const struct round *round = pass->round;
    uint64_t fired = 0;
    TRY(survey_event(pass->survey, event, NULL));
    if (survey_events(pass->survey) < SURVEYED && number + 1 < EVENTS) {
        return OK;
    }
    for (size_t e = number + 1 - (size_t)survey_events(pass->survey); e <= number; e++) {
        for (uint32_t i = 0; i < RULES; i++) {
            fired |= (uint64_t)(round->said[e][i] == 1) << i;
        }
    }
    return check_reach(pass, number, fired);
}

static enum err visit(void *context, struct pump *pump, const struct hit *hits, size_t count)
{
    struct pass *pass = context;
    struct round *round = pass->round;
    size_t event = pass->seen++ % EVENTS;
    uint8_t fired[RULES] = {0};
    for (size_t i = 0; i < count; i++) {
        fired[number_of(hits[i].rule)] = hits[i].undetermined ? 2 : 1;
    }
    if (pass->check == CHECK_REFERENCE) {
        TRY(rig_compare_text(pass->rig, event_of(round, event), hits, count));
        for (uint32_t i = 0; i < pass->rig->set->rule_count; i++) {
            if (pass->rig->fired[i] != pass->rig->said[i]) {
                note(pass, number_of(pass->rig->set->rules[i]), event);
            }
        }
        if (pass->rig->words.size && count) {
            note(pass, number_of(hits[0].rule), event); /* hits out of order */
        }
    }
    if (pass->check == CHECK_REACH) {
        return survey_one(pass, &pump->event, event);
    }
    if (pass->first) {
        memcpy(round->said[event], fired, sizeof fired);
        return OK;
    }
    for (uint32_t i = 0; i < RULES; i++) {
        if ((pass->kept >> i & 1) && fired[i] != round->said[event][i]) {
            note(pass, i, event);
        }
    }
    return OK;
}

/* Rules of the round in the given order; each is a file of its own, and files are judged in the
 * order of their names. */
static enum err load(
        struct round *round, struct rig *rig, uint64_t kept, bool backwards, struct diag *diag)
{
    TRY(rig_begin(rig, SLICE(""), diag));
    for (uint32_t i = 0; i < RULES; i++) {
        char name[40];
        if (!(kept >> i & 1)) {
            continue;
        }
        snprintf(name, sizeof name, "%02u.yml", backwards ? RULES - i : i);
        TRY(ruleset_load_text(rig->set, slice_text(name), buf_slice(&round->rules[i]), diag));
    }
    return OK;
}

struct variant {
    enum check check;
    uint64_t kept;
    bool backwards;
    bool no_cache;
    size_t window; /* bytes offered to the decoder; 0: as usual */
    unsigned repeats;
    bool first;
};

static void add_totals(struct totals *t, const struct rig *rig)
{
    t->rules += rig->set->rule_count;
    t->refused += rig->set->problem_count;
    t->events += rig->events;
    t->pairs += rig->pairs;
    t->hits += rig->hits;
    if (rig->set->problem_count) {
        struct slice reason = rig->set->problems[0].reason;
        snprintf(t->refusal, sizeof t->refusal, "%.*s", SLICE_ARG(reason));
    }
}

static enum err run_variant(
        struct round *round, const struct variant *v, struct pass *pass, struct diag *diag)
{
    struct rig rig;
    struct pump pump = {0};
    struct engine_options options = {.any_source = !round->routed, .no_value_cache = v->no_cache};
    *pass = (struct pass){
            .round = round, .rig = &rig, .check = v->check, .kept = v->kept, .first = v->first};
    enum err e = load(round, &rig, v->kept, v->backwards, diag);
    if (e == OK) {
        e = rig_build(&rig, options, diag);
    }
    if (e == OK) {
        e = pump_init(&pump, rig.engine, "json", diag);
    }
    if (e == OK && v->check == CHECK_REACH) {
        e = survey_new(rig.engine, &pass->survey);
    }
    if (e == OK && v->window) {
        pump.window = v->window;
    }
    for (unsigned i = 0; e == OK && i < v->repeats && !pass->stop; i++) {
        e = pump_bytes(&pump, buf_slice(&round->events), visit, pass, diag);
    }
    if (e == OK && (pump.rejected || pass->seen % EVENTS)) {
        e = diag_say(diag, ERR_SYNTAX, "%llu records rejected: %s",
                (unsigned long long)pump.rejected, pump.last_reason);
    }
    if (e == OK && v->check == CHECK_REFERENCE) {
        add_totals(round->totals, &rig);
    }
    survey_free(pass->survey);
    pump_fini(&pump);
    rig_fini(&rig);
    return e;
}

/* ---- cutting a failure down ---------------------------------------------------------------- */

static char words[300]; /* of the last difference */

/* Do engine and reference differ in this one rule on this one event? */
static bool differs(const struct round *round, struct slice rule, struct slice event)
{
    struct rig rig;
    struct pump pump = {0};
    struct diag diag = {0};
    const struct engine_options options = {.any_source = !round->routed};
    words[0] = '\0';
    bool yes = rig_begin(&rig, SLICE(""), &diag) == OK &&
               ruleset_load_text(rig.set, SLICE("one.yml"), rule, &diag) == OK &&
               rig_build(&rig, options, &diag) == OK && rig.set->rule_count == 1 &&
               pump_init(&pump, rig.engine, "json", &diag) == OK &&
               rig_judge_json(&rig, &pump, event, &diag) == OK && rig.differences > 0;
    if (yes && rig.words.size) {
        snprintf(words, sizeof words, "%.*s", SLICE_ARG(buf_slice(&rig.words)));
    }
    pump_fini(&pump);
    rig_fini(&rig);
    return yes;
}

/* Without line `skip`; false when there is none. */
static bool without_line(struct slice text, size_t skip, struct buf *out)
{
    bool found = false;
    buf_clear(out);
    for (size_t i = 0; text.size; i++) {
        struct slice line = slice_cut(&text, '\n');
        if (i == skip) {
            found = true;
            continue;
        }
        buf_add(out, line);
        buf_byte(out, '\n');
    }
    return found;
}

static void cut_rule(const struct round *round, struct buf *rule, struct slice event)
{
    struct buf shorter = {0};
    for (size_t i = 0; without_line(buf_slice(rule), i, &shorter);) {
        if (differs(round, buf_slice(&shorter), event)) {
            struct buf swap = *rule;
            *rule = shorter;
            shorter = swap;
        } else {
            i++;
        }
    }
    buf_fini(&shorter);
}

/* Without the bytes of member `skip` of the object; false when there is none. */
static bool without_member(const struct tree *record, size_t skip, struct buf *out)
{
    bool found = false, first = true;
    buf_clear(out);
    buf_byte(out, '{');
    size_t i = 0;
    for (const struct tree *t = record->first; t; t = t->next, i++) {
        if (i == skip) {
            found = true;
            continue;
        }
        buf_add(out, first ? SLICE("\"") : SLICE(",\""));
        buf_json(out, t->key);
        buf_add(out, SLICE("\":"));
        buf_add(out, t->source);
        first = false;
    }
    buf_byte(out, '}');
    return found;
}

static void cut_event(const struct round *round, struct slice rule, struct buf *event)
{
    struct buf shorter = {0};
    struct arena arena;
    arena_init(&arena, (size_t)64 << 20);
    for (size_t i = 0;; i++) {
        struct tree *record = NULL;
        arena_reset(&arena);
        if (tree_read(&arena, buf_slice(event), NULL, &record) != OK ||
                !without_member(record, i, &shorter)) {
            break;
        }
        if (differs(round, rule, buf_slice(&shorter))) {
            buf_clear(event);
            buf_add(event, buf_slice(&shorter));
            i = (size_t)-1;
        }
    }
    buf_fini(&shorter);
    arena_fini(&arena);
}

static void show(const struct round *round, const struct pass *pass)
{
    struct buf rule = {0}, event = {0};
    buf_add(&rule, buf_slice(&round->rules[pass->failed_rule]));
    buf_add(&event, slice_trim(event_of(round, pass->failed_event)));
    bool alone = differs(round, buf_slice(&rule), buf_slice(&event));
    char said[sizeof words];
    memcpy(said, words, sizeof said);
    printf("FAIL not so: %s; MERLON_SEED=%llu MERLON_ROUNDS=1, rule %u, event %u%s\n",
            check_names[pass->check], (unsigned long long)round->seed, pass->failed_rule,
            pass->failed_event, alone ? "" : " (not with these two alone)");
    printf("%s", said);
    if (alone) {
        cut_event(round, buf_slice(&rule), &event);
        cut_rule(round, &rule, buf_slice(&event));
        cut_event(round, buf_slice(&rule), &event);
    }
    printf("%.*s%.*s\n", SLICE_ARG(buf_slice(&rule)), SLICE_ARG(buf_slice(&event)));
    buf_fini(&rule);
    buf_fini(&event);
}

/* ---- rounds -------------------------------------------------------------------------------- */

static void make_round(struct round *round)
{
    struct dice dice = dice_of(round->seed);
    words_make(&round->words, &dice);
    round->routed = dice_one_in(&dice, 3);
    for (uint32_t i = 0; i < RULES; i++) {
        buf_clear(&round->rules[i]);
        make_rule(&dice, &round->words, i, round->routed, &round->rules[i]);
    }
    buf_clear(&round->events);
    for (size_t i = 0; i < EVENTS; i++) {
        make_event(&dice, &round->words, &round->events);
        round->ends[i] = round->events.size;
    }
}

static enum err run_round(struct round *round, bool is_long, struct diag *diag)
{
    const uint64_t all = ((uint64_t)1 << RULES) - 1;
    struct dice dice = dice_of(~round->seed);
    const struct variant variants[] = {
            {.check = CHECK_REFERENCE, .kept = all, .repeats = 1, .first = true},
            {.check = CHECK_NO_CACHE, .kept = all, .no_cache = true, .repeats = 1},
            {.check = CHECK_FEWER_RULES,
                    .kept = dice_next(&dice) & all,
                    .backwards = true,
                    .repeats = 1},
            {.check = CHECK_AGAIN, .kept = all, .repeats = is_long ? LONG_REPEATS : 3},
            {.check = CHECK_AGAIN,
                    .kept = all,
                    .no_cache = true,
                    .backwards = true,
                    .repeats = is_long ? LONG_REPEATS : 2},
            {.check = CHECK_CUT, .kept = all, .window = 64 + dice_below(&dice, 5000), .repeats = 1},
            {.check = CHECK_REACH, .kept = all, .repeats = 1},
    };
    make_round(round);
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        struct pass pass;
        TRY(run_variant(round, &variants[i], &pass, diag));
        if (pass.stop && round->totals->failures[pass.check]++ < SHOWN) {
            show(round, &pass);
        }
    }
    return OK;
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static int finish(const struct totals *totals, double seconds)
{
    unsigned passed = 0;
    for (int i = 0; i < CHECKS; i++) {
        printf("%s: %llu rounds failed\n", check_names[i], (unsigned long long)totals->failures[i]);
        passed += totals->failures[i] == 0;
    }
    printf("%llu rules (and %llu refused, the last: %s), %llu events, %llu of each together, %llu "
           "hits; %.1f s\n",
            (unsigned long long)totals->rules, (unsigned long long)totals->refused, totals->refusal,
            (unsigned long long)totals->events, (unsigned long long)totals->pairs,
            (unsigned long long)totals->hits, seconds);
    printf("of %llu times that a rule was silent over %d events, it was said unable in %llu\n",
            (unsigned long long)totals->silent, (int)SURVEYED, (unsigned long long)totals->unable);
    /* Rules that never fire, or always, would prove little. */
    bool useful = totals->hits * 50 > totals->pairs && totals->hits * 2 < totals->pairs &&
                  totals->refused * 10 < totals->rules && totals->unable * 20 > totals->silent;
    if (!useful) {
        printf("FAIL too few or too many hits, or rules refused, to prove anything\n");
    }
    passed += useful;
    printf("%u passed, %u failed\n", passed, CHECKS + 1 - passed);
    return passed != CHECKS + 1;
}

int main(void)
{
    static struct round round;
    struct totals totals = {0};
    struct diag diag = {0};
    uint64_t seed = number_from("MERLON_SEED", 1), rounds = number_from("MERLON_ROUNDS", ROUNDS);
    clock_t started = clock();
    enum err e = rig_add_taxonomy(SLICE("property.yml"), slice_text(make_rule_taxonomy), &diag);
    round.totals = &totals;
    for (uint64_t i = 0; e == OK && i < rounds; i++) {
        round.seed = seed + i;
        e = run_round(&round, i % LONG_EVERY == 0, &diag);
    }
    for (uint32_t i = 0; i < RULES; i++) {
        buf_fini(&round.rules[i]);
    }
    buf_fini(&round.events);
    if (e != OK) {
        printf("FAIL seed %llu: %s: %s\n0 passed, 1 failed\n", (unsigned long long)round.seed,
                err_name(e), diag.words);
        return 1;
    }
    return finish(&totals, (double)(clock() - started) / CLOCKS_PER_SEC);
}
