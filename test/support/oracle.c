#include "support/oracle.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* A rule holds at an event; of a correlation, for a group. */
struct occurrence {
    uint32_t event;
    const char *group[ORACLE_NAMES]; /* NULL: none */
    size_t inner;                    /* occurrence of the part that it holds by */
    uint32_t part;
};

/* An occurrence of a part, as it enters a group. */
struct entry {
    uint32_t event;
    uint32_t part;
    size_t occurrence; /* of that part's rule */
    const char *group[ORACLE_NAMES];
    char key[ORACLE_KEY];
};

struct judged {
    struct occurrence *occurrences;
    size_t count, room;
    struct entry *entries;
    size_t entry_count, entry_room;
};

struct oracle {
    const struct oracle_scene *scene;
    struct judged rules[ORACLE_RULES];
    bool every;
    struct oracle_findings *out;
};

struct texts {
    const char *at[ORACLE_VALUES];
    uint32_t count;
};

/* ---- words --------------------------------------------------------------------------------- */

void oracle_key(char *key, const char *const *values, uint32_t count)
{
    size_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        n += (size_t)snprintf(
                key + n, ORACLE_KEY - n, values[i] ? "[%s]" : "-", values[i] ? values[i] : "");
    }
    key[n] = 0;
    for (size_t i = 0; i < n; i++) {
        key[i] = (char)(key[i] >= 'A' && key[i] <= 'Z' ? key[i] + 32 : key[i]);
    }
}

static bool hidden_by(const struct oracle_rule *r, uint32_t rule, bool generate)
{
    for (uint32_t p = 0; !r->base && p < r->part_count; p++) {
        if (r->parts[p] == rule && r->generate == generate) {
            return true;
        }
    }
    return false;
}

bool oracle_visible(const struct oracle_scene *scene, uint32_t rule)
{
    bool hidden = false, shown = false;
    for (uint32_t i = 0; i < scene->rule_count; i++) {
        hidden = hidden || hidden_by(&scene->rules[i], rule, false);
        shown = shown || hidden_by(&scene->rules[i], rule, true);
    }
    return !hidden || shown;
}

/* ---- values -------------------------------------------------------------------------------- */

static struct texts of_event(const struct oracle_event *event, const char *name)
{
    struct texts t = {0};
    if (name[0] == 'f' && name[1] >= '0' && name[1] < '0' + ORACLE_FIELDS && !name[2]) {
        uint32_t field = (uint32_t)(name[1] - '0');
        t.count = event->value_count[field];
        memcpy(t.at, event->values[field], sizeof t.at);
    }
    return t;
}

static const char *means(const struct oracle_rule *r, uint32_t part, const char *name)
{
    for (uint32_t i = 0; i < r->alias_count; i++) {
        if (r->aliases[i].part == part && strcmp(r->aliases[i].name, name) == 0) {
            return r->aliases[i].field;
        }
    }
    return name;
}

/* What `name` is in an occurrence of a rule. */
static struct texts ask(const struct oracle *o, uint32_t rule, size_t at, const char *name)
{
    for (;;) {
        const struct oracle_rule *r = &o->scene->rules[rule];
        const struct occurrence *c = &o->rules[rule].occurrences[at];
        if (r->base) {
            return of_event(&o->scene->events[c->event], name);
        }
        for (uint32_t g = 0; g < r->group_count; g++) {
            if (strcmp(r->names[g], name) == 0) {
                return (struct texts){{c->group[g]}, c->group[g] != NULL};
            }
        }
        name = means(r, c->part, name);
        rule = r->parts[c->part];
        at = c->inner;
    }
}

/* The index-th tuple of some names; false: there are fewer. Missing ones are NULL. */
static bool tuple(const struct texts *texts, uint32_t count, uint32_t index, const char **out)
{
    for (uint32_t i = count; i-- > 0;) {
        uint32_t n = texts[i].count ? texts[i].count : 1;
        out[i] = texts[i].count ? texts[i].at[index % n] : NULL;
        index /= n;
    }
    return index == 0;
}

/* ---- entries ------------------------------------------------------------------------------- */

static enum err add_entries(struct oracle *o, uint32_t rule, uint32_t part, size_t occurrence)
{
    const struct oracle_rule *r = &o->scene->rules[rule];
    struct judged *j = &o->rules[rule];
    uint32_t from = r->parts[part];
    struct texts texts[ORACLE_NAMES];
    struct entry e = {.part = part, .occurrence = occurrence};
    e.event = o->rules[from].occurrences[occurrence].event;
    for (uint32_t g = 0; g < r->group_count; g++) {
        texts[g] = ask(o, from, occurrence, means(r, part, r->names[g]));
    }
    for (uint32_t i = 0; tuple(texts, r->group_count, i, e.group); i++) {
        oracle_key(e.key, e.group, r->group_count);
        if (!memory_grow(&j->entries, &j->entry_room, j->entry_count + 1, sizeof e)) {
            return ERR_MEMORY;
        }
        j->entries[j->entry_count++] = e;
    }
    return OK;
}

/* All of the rule's entries, in order of events, then parts. */
static enum err enter(struct oracle *o, uint32_t rule)
{
    const struct oracle_rule *r = &o->scene->rules[rule];
    for (uint32_t event = 0; event < o->scene->event_count; event++) {
        for (uint32_t p = 0; p < r->part_count; p++) {
            const struct judged *from = &o->rules[r->parts[p]];
            for (size_t i = 0; i < from->count; i++) {
                if (from->occurrences[i].event == event) {
                    TRY(add_entries(o, rule, p, i));
                }
            }
        }
    }
    return OK;
}

/* ---- a window ------------------------------------------------------------------------------ */

/* What a window holds, and its events in order without repetition. */
struct window {
    const struct entry *entries[4096];
    size_t count;
    uint32_t events[256];
    uint32_t event_count;
    long double numbers[1024]; /* whole ones of 64 bits as they are, others as doubles */
    uint32_t number_count;
    uint32_t last[ORACLE_PARTS]; /* of each part, plus 1 */
    char tuples[1024][ORACLE_KEY];
    uint32_t tuple_last[1024]; /* events */
    uint32_t tuple_count;
};

static bool is_number(const char *text, long double *number)
{
    char *end;
    if (!(*text == '-' || (*text >= '0' && *text <= '9'))) {
        return false;
    }
    *number = strtoll(text, &end, 10);
    if (*end) {
        *number = strtod(text, &end);
    }
    return *end == 0 && end != text && isfinite(*number);
}

static void add_event(struct window *w, uint32_t event)
{
    if (w->event_count == 0 || w->events[w->event_count - 1] != event) {
        w->events[w->event_count++] = event;
    }
}

static void add_tuples(const struct oracle *o, const struct oracle_rule *r, const struct entry *e,
        struct window *w)
{
    struct texts texts[ORACLE_NAMES];
    const char *values[ORACLE_NAMES];
    for (uint32_t f = 0; f < r->field_count; f++) {
        const char *name = means(r, e->part, r->names[r->group_count + f]);
        texts[f] = ask(o, r->parts[e->part], e->occurrence, name);
        if (texts[f].count == 0) {
            return;
        }
    }
    for (uint32_t i = 0; tuple(texts, r->field_count, i, values); i++) {
        char key[ORACLE_KEY] = "";
        uint32_t at = 0;
        oracle_key(key, values, r->field_count);
        while (at < w->tuple_count && strcmp(w->tuples[at], key) != 0) {
            at++;
        }
        memcpy(w->tuples[at], key, ORACLE_KEY);
        w->tuple_last[at] = e->event;
        w->tuple_count += at == w->tuple_count;
    }
}

/* The numbers of an event are those of its first entry that has some. */
static void add_numbers(const struct oracle *o, const struct oracle_rule *r, const struct entry *e,
        struct window *w)
{
    const char *name = means(r, e->part, r->names[r->group_count]);
    struct texts t = ask(o, r->parts[e->part], e->occurrence, name);
    if (w->event_count && w->events[w->event_count - 1] == e->event) {
        return;
    }
    for (uint32_t i = 0; i < t.count; i++) {
        long double number;
        if (is_number(t.at[i], &number)) {
            w->numbers[w->number_count++] = number;
            add_event(w, e->event);
        }
    }
}

static void look(const struct oracle *o, uint32_t rule, const struct entry *now, struct window *w)
{
    const struct oracle_rule *r = &o->scene->rules[rule];
    const struct judged *j = &o->rules[rule];
    int64_t from = o->scene->events[now->event].time_ns - r->span_s * 1000000000;
    memset(w, 0, sizeof *w);
    for (size_t i = 0; i < j->entry_count; i++) {
        const struct entry *e = &j->entries[i];
        if (e->event > now->event || o->scene->events[e->event].time_ns < from ||
                strcmp(e->key, now->key) != 0) {
            continue;
        }
        assert(w->count < sizeof w->entries / sizeof *w->entries);
        w->entries[w->count++] = e;
        w->last[e->part] = e->event + 1;
        if (r->type >= ORACLE_SUM) {
            add_numbers(o, r, e, w);
        } else if (r->type == ORACLE_DISTINCT) {
            add_tuples(o, r, e, w);
        } else {
            add_event(w, e->event);
        }
    }
}

/* ---- the condition ------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    long double x = *(const long double *)a, y = *(const long double *)b;
    return x < y ? -1 : x > y;
}

static double percentile(struct window *w, double p)
{
    qsort(w->numbers, w->number_count, sizeof *w->numbers, by_number);
    double place = (w->number_count - 1) * (p / 100);
    uint32_t low = (uint32_t)place;
    double rest = place - low;
    double x = (double)w->numbers[low];
    return rest > 0 ? x + rest * ((double)w->numbers[low + 1] - x) : x;
}

/* The numbers of the tests are small: 113 bits hold their sum. */
static double sum(const struct window *w)
{
    __extension__ __float128 all = 0;
    for (uint32_t i = 0; i < w->number_count; i++) {
        all += w->numbers[i];
    }
    return (double)all;
}

/* Are the parts of a set matched by events one after another? The earliest that fits is as good as
 * any. */
static bool in_order(const struct window *w, uint32_t set)
{
    size_t at = 0;
    int64_t event = -1;
    for (uint32_t p = 0; p < ORACLE_PARTS; p++) {
        if (!(set >> p & 1)) {
            continue;
        }
        while (at < w->count &&
                (w->entries[at]->part != p || (int64_t)w->entries[at]->event <= event)) {
            at++;
        }
        if (at == w->count) {
            return false;
        }
        event = w->entries[at]->event;
        at = 0;
    }
    return true;
}

static double longest(const struct window *w)
{
    int most = 0;
    for (uint32_t set = 0; set < 1u << ORACLE_PARTS; set++) {
        int size = __builtin_popcount(set);
        if (size > most && in_order(w, set)) {
            most = size;
        }
    }
    return most;
}

static double value_of(const struct oracle_rule *r, struct window *w)
{
    double parts = 0;
    for (int p = 0; p < ORACLE_PARTS; p++) {
        parts += w->last[p] > 0;
    }
    switch (r->type) {
    case ORACLE_EVENTS:
        return w->event_count;
    case ORACLE_DISTINCT:
        return w->tuple_count;
    case ORACLE_TEMPORAL:
        return parts;
    case ORACLE_ORDERED:
        return longest(w);
    case ORACLE_SUM:
        return sum(w);
    case ORACLE_AVG:
        return sum(w) / w->number_count;
    default:
        return percentile(w, r->type == ORACLE_MEDIAN ? 50 : r->percentile);
    }
}

static bool compares(enum oracle_op op, double value, double number)
{
    const bool answers[] = {[ORACLE_GT] = value > number,
            [ORACLE_GTE] = value >= number,
            [ORACLE_LT] = value < number,
            [ORACLE_LTE] = value <= number,
            [ORACLE_EQ] = value == number,
            [ORACLE_NEQ] = value != number};
    return answers[op];
}

static bool expression(const struct oracle_rule *r, const struct window *w)
{
    bool stack[ORACLE_TOKENS];
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->token_count; i++) {
        char t = r->tokens[i];
        if (t == '!') {
            stack[n - 1] = !stack[n - 1];
        } else if (t == '&' || t == '|') {
            n--;
            stack[n - 1] = t == '&' ? stack[n - 1] && stack[n] : stack[n - 1] || stack[n];
        } else {
            stack[n++] = w->last[(int)t] > 0;
        }
    }
    return stack[0];
}

static bool condition(const struct oracle_rule *r, const struct window *w, double value)
{
    if (r->type == ORACLE_TEMPORAL && r->token_count) {
        return expression(r, w);
    }
    if (r->bound_count == 0) {
        return value >= r->part_count;
    }
    for (uint32_t i = 0; i < r->bound_count; i++) {
        if (!compares(r->ops[i], value, r->numbers[i])) {
            return false;
        }
    }
    return true;
}

/* ---- firing -------------------------------------------------------------------------------- */

/* The events behind a finding: of values the last of each, of rules too, of an order its chain. */
static uint64_t behind(const struct oracle_rule *r, const struct window *w, double value)
{
    switch (r->type) {
    case ORACLE_DISTINCT:
        return w->tuple_count;
    case ORACLE_TEMPORAL:
    case ORACLE_ORDERED:
        return (uint64_t)value;
    default:
        return w->event_count;
    }
}

/* The finding that was open for this key, if its condition was true at the last event. */
struct track {
    bool held;
    int64_t held_ns;
    size_t finding;
};

static enum err fire(struct oracle *o, uint32_t rule, const struct entry *now,
        struct oracle_finding *f, struct track *track)
{
    const struct oracle_event *event = &o->scene->events[now->event];
    int64_t span = o->scene->rules[rule].span_s * 1000000000;
    bool goes_on = !o->every && track->held && event->time_ns - track->held_ns <= span;
    track->held = true;
    track->held_ns = event->time_ns;
    if (!oracle_visible(o->scene, rule)) {
        return OK;
    }
    if (goes_on) {
        o->out->at[track->finding].to_ns = event->time_ns;
        o->out->at[track->finding].events++;
        return OK;
    }
    if (!memory_grow(&o->out->at, &o->out->room, o->out->count + 1, sizeof *f)) {
        return ERR_MEMORY;
    }
    f->rule = rule;
    f->event = now->event;
    f->to_ns = event->time_ns;
    memcpy(f->key, now->key, sizeof f->key);
    track->finding = o->out->count;
    o->out->at[o->out->count++] = *f;
    return OK;
}

static enum err add_occurrence(struct oracle *o, uint32_t rule, const struct entry *now)
{
    struct judged *j = &o->rules[rule];
    struct occurrence c = {.event = now->event, .inner = now->occurrence, .part = now->part};
    memcpy(c.group, now->group, sizeof c.group);
    /* A group shows the values that it was first seen with, as long as it is there: folded they
     * are the same. */
    if (!memory_grow(&j->occurrences, &j->room, j->count + 1, sizeof c)) {
        return ERR_MEMORY;
    }
    j->occurrences[j->count++] = c;
    return OK;
}

/* Only the first entry of an event into a group is asked; the others are in the window with it. */
static bool is_first(const struct judged *j, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (j->entries[i].event == j->entries[at].event &&
                strcmp(j->entries[i].key, j->entries[at].key) == 0) {
            return false;
        }
    }
    return true;
}

static struct track *track_of(struct track *tracks, const struct judged *j, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (strcmp(j->entries[i].key, j->entries[at].key) == 0) {
            return &tracks[i];
        }
    }
    return &tracks[at];
}

/* Did the event bring something into the window? Values that do not count leave it out. */
static bool counts(const struct oracle_rule *r, const struct window *w, uint32_t event)
{
    if (r->type == ORACLE_DISTINCT) {
        for (uint32_t i = 0; i < w->tuple_count; i++) {
            if (w->tuple_last[i] == event) {
                return true;
            }
        }
        return false;
    }
    return w->event_count && w->events[w->event_count - 1] == event;
}

static enum err judge(struct oracle *o, uint32_t rule, struct window *w, struct track *tracks)
{
    const struct oracle_rule *r = &o->scene->rules[rule];
    struct judged *j = &o->rules[rule];
    for (size_t i = 0; i < j->entry_count; i++) {
        const struct entry *now = &j->entries[i];
        if (!is_first(j, i)) {
            continue;
        }
        /* Entries of the same event stand behind this one: the window has them, too. */
        look(o, rule, now, w);
        if (!counts(r, w, now->event)) {
            continue;
        }
        struct track *track = track_of(tracks, j, i);
        struct oracle_finding f = {.value = value_of(r, w)};
        if (!condition(r, w, f.value)) {
            track->held = false;
            continue;
        }
        f.events = behind(r, w, f.value);
        TRY(fire(o, rule, now, &f, track));
        TRY(add_occurrence(o, rule, now));
    }
    return OK;
}

static enum err run_rule(struct oracle *o, uint32_t rule, struct window *w)
{
    const struct oracle_rule *r = &o->scene->rules[rule];
    for (uint32_t i = 0; r->base && i < o->scene->event_count; i++) {
        const struct entry now = {.event = i};
        if (o->scene->events[i].matched >> rule & 1) {
            TRY(add_occurrence(o, rule, &now));
        }
    }
    if (r->base) {
        return OK;
    }
    TRY(enter(o, rule));
    struct track *tracks = memory_alloc_array(o->rules[rule].entry_count + 1, sizeof *tracks);
    enum err e = tracks ? judge(o, rule, w, tracks) : ERR_MEMORY;
    memory_free(tracks);
    return e;
}

static int by_event(const void *a, const void *b)
{
    const struct oracle_finding *x = a, *y = b;
    if (x->event != y->event) {
        return x->event < y->event ? -1 : 1;
    }
    if (x->rule != y->rule) {
        return x->rule < y->rule ? -1 : 1;
    }
    return strcmp(x->key, y->key);
}

enum err oracle_run(const struct oracle_scene *scene, bool every, struct oracle_findings *out)
{
    struct oracle *o = memory_alloc(sizeof *o);
    struct window *w = memory_alloc(sizeof *w);
    enum err e = o && w ? OK : ERR_MEMORY;
    if (e == OK) {
        *o = (struct oracle){.scene = scene, .every = every, .out = out};
    }
    for (uint32_t i = 0; e == OK && i < scene->rule_count; i++) {
        e = run_rule(o, i, w);
    }
    for (uint32_t i = 0; o && i < scene->rule_count; i++) {
        memory_free(o->rules[i].occurrences);
        memory_free(o->rules[i].entries);
    }
    memory_free(o);
    memory_free(w);
    if (out->count) {
        qsort(out->at, out->count, sizeof *out->at, by_event);
    }
    return e;
}

void oracle_fini(struct oracle_findings *findings)
{
    memory_free(findings->at);
    *findings = (struct oracle_findings){0};
}
