#include "app/serve_standing.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/time.h"
#include "detect/judge.h"
#include "detect/reach_set.h"

enum {
    KINDS = 4096, /* of events; further ones count as one */
    TURN_NS = 1000000000,
};

_Static_assert((int)STANDING_PARTS == (int)REACH_PARTS, "one for each");

static uint32_t rule_count(const struct serve_standing *s)
{
    uint32_t count = s->set->loaded.set->rule_count;
    return count < STANDING_RULES ? count : STANDING_RULES;
}

static void forget(struct serve_standing *s)
{
    for (uint32_t i = 0; i < STANDING_TENANTS; i++) {
        survey_free(s->tenants[i].survey);
        memory_free(s->tenants[i].kinds);
        s->tenants[i] = (struct serve_standing_tenant){0};
    }
    s->at = s->turn = 0;
}

void serve_standing_set(struct serve_standing *s, struct serve_set *set)
{
    forget(s);
    s->set = set;
    if (!set) {
        return;
    }
    standing_write(s->shared);
    standing_clear(s->shared, set->hash);
    for (uint32_t i = 0; i < rule_count(s); i++) {
        const struct rule *rule = set->loaded.set->rules[i];
        struct standing_rule *to = &s->shared->rules[i];
        standing_text(to->id, sizeof to->id, rule->id);
        standing_text(to->title, sizeof to->title, rule->title);
        standing_text(to->level, sizeof to->level, level_name(rule->level));
        to->exception = rule->exception.at != NULL;
    }
    s->shared->rule_count = rule_count(s);
    standing_written(s->shared);
    if (judge_watch(set->judge) != OK) {
        s->set = NULL; /* no figures are better than none at all to judge by */
    }
}

/* ---- what tenants send ------------------------------------------------------------------------
 */

static uint32_t add_tenant(struct serve_standing *s, struct slice name, int64_t receipt_ns)
{
    struct standing *shared = s->shared;
    uint32_t i = shared->tenant_count;
    struct serve_standing_tenant *t = &s->tenants[i];
    if (survey_new(s->set->engine, &t->survey) != OK ||
            !(t->kinds = memory_alloc_array(KINDS, sizeof *t->kinds))) {
        survey_free(t->survey);
        t->survey = NULL;
        return STANDING_TENANTS;
    }
    standing_write(shared);
    standing_text(shared->tenants[i].name, STANDING_NAME, name);
    shared->tenants[i].since_ns = receipt_ns;
    shared->tenant_count = i + 1;
    standing_written(shared);
    return i;
}

/* STANDING_TENANTS: it has no place. */
static uint32_t find_tenant(struct serve_standing *s, struct slice name, int64_t receipt_ns)
{
    name.size = name.size < STANDING_NAME ? name.size : STANDING_NAME - 1;
    uint32_t count = s->shared->tenant_count;
    for (uint32_t n = 0; n < count; n++) {
        uint32_t i = (s->at + n) % count;
        if (slice_equal(slice_text(s->shared->tenants[i].name), name)) {
            return i;
        }
    }
    return count < STANDING_TENANTS ? add_tenant(s, name, receipt_ns) : STANDING_TENANTS;
}

static bool is_wanted(const struct serve_standing *s, struct serve_standing_tenant *t, uint64_t n)
{
    uint32_t kind = judge_seat(s->set->judge);
    kind = kind < KINDS ? kind : KINDS - 1;
    if (t->kinds[kind] < SERVE_STANDING_FIRST) {
        t->kinds[kind]++;
        return true;
    }
    return n % SERVE_STANDING_ONE_OF == 0;
}

void serve_standing_event(struct serve_standing *s, struct slice tenant, int64_t receipt_ns)
{
    if (!s->set) {
        return;
    }
    uint32_t i = find_tenant(s, tenant, receipt_ns);
    if (i == STANDING_TENANTS) {
        atomic_fetch_add_explicit(&s->shared->not_looked_at, 1, memory_order_relaxed);
        return;
    }
    s->at = i;
    struct serve_standing_tenant *t = &s->tenants[i];
    uint64_t n = atomic_fetch_add_explicit(&s->shared->tenants[i].events, 1, memory_order_relaxed);
    if (is_wanted(s, t, n) && survey_judged(t->survey, s->set->judge, &s->set->event) == OK) {
        t->looked_at++;
    }
}

/* ---- for others to see ------------------------------------------------------------------------
 */

static void show_costs(struct serve_standing *s)
{
    const struct judge_cost *costs = judge_costs(s->set->judge);
    for (uint32_t i = 0; i < rule_count(s); i++) {
        struct standing_rule *to = &s->shared->rules[i];
        atomic_store_explicit(&to->asked, costs[i].asked, memory_order_relaxed);
        atomic_store_explicit(&to->held, costs[i].held, memory_order_relaxed);
        atomic_store_explicit(&to->timed, costs[i].timed, memory_order_relaxed);
        atomic_store_explicit(&to->timed_ns, costs[i].timed_ns, memory_order_relaxed);
    }
}

static void show_verdicts(struct serve_standing *s, uint32_t tenant)
{
    struct standing_tenant *to = &s->shared->tenants[tenant];
    struct reach *reaches;
    if (reach_set(s->tenants[tenant].survey, &reaches) != OK) {
        return; /* those before stay, with their time */
    }
    standing_write(s->shared);
    for (uint32_t i = 0; i < rule_count(s); i++) {
        struct slice field =
                reaches[i].fault_count > 0 ? reaches[i].faults[0].field : (struct slice){0};
        to->verdicts[i].why = (uint8_t)reaches[i].why;
        standing_text(to->verdicts[i].field, STANDING_FIELD, field);
    }
    to->made_ns = clock_wall_ns();
    atomic_store(&to->looked_at, s->tenants[tenant].looked_at);
    standing_written(s->shared);
    s->tenants[tenant].concluded = s->tenants[tenant].looked_at;
    memory_free(reaches);
}

/* One tenant a turn: it takes as long as some thousand events. */
void serve_standing_turn(struct serve_standing *s)
{
    int64_t now_ns = clock_steady_ns();
    if (!s->set || now_ns < s->due_ns) {
        return;
    }
    s->due_ns = now_ns + TURN_NS;
    show_costs(s);
    for (uint32_t n = 0; n < s->shared->tenant_count; n++) {
        uint32_t i = s->turn++ % s->shared->tenant_count;
        if (s->tenants[i].looked_at > s->tenants[i].concluded) {
            show_verdicts(s, i);
            return;
        }
    }
}

void serve_standing_fini(struct serve_standing *s)
{
    forget(s);
    s->set = NULL;
}
