#include "app/choose.h"

#include <stdlib.h>

#include "base/memory.h"
#include "sigma/correlation.h"

static bool names_rule(const char *name, const struct rule *rule)
{
    struct slice text = slice_text(name);
    struct slice file = rule->file;
    bool end = slice_ends(file, text) &&
               (file.size == text.size || file.at[file.size - text.size - 1] == '/');
    return slice_equal_nocase(text, rule->id) || slice_equal_nocase(text, rule->title) || end;
}

/* Marks the rules that --level and --exclude-rule leave. */
static void choose_named(
        const struct detect_request *request, const struct ruleset *set, struct choice *choice)
{
    for (uint32_t r = 0; r < set->rule_count; r++) {
        bool out = request->level != LEVEL_NONE && !load_level(set->rules[r], request->level);
        for (size_t i = 0; i < request->excluded.count; i++) {
            if (names_rule(request->excluded.at[i], set->rules[r])) {
                out = true;
                choice->named[i] = true;
            }
        }
        choice->chosen[r] = !out;
        choice->kept += !out;
    }
}

/* The highest rank first: what a correlation needs has a lower one. */
static int by_rank(const void *a, const void *b)
{
    const struct rule *const *x = a, *const *y = b;
    uint32_t i = (*x)->correlation->rank, k = (*y)->correlation->rank;
    return i < k ? 1 : i > k ? -1 : 0;
}

/* hidden, shown: by rule, what the correlations of it say. */
static void need_parts(const struct rule *rule, struct choice *choice, bool *hidden, bool *shown)
{
    const struct correlation *c = rule->correlation;
    for (uint32_t p = 0; p < c->part_count; p++) {
        uint32_t part = c->parts[p].rule->number;
        choice->needed[part] = true;
        (c->generate ? shown : hidden)[part] = true;
    }
}

static void choose_rule(struct choice *choice, uint32_t r, bool silent)
{
    choice->visible[r] = choice->chosen[r] && !silent;
    choice->judged[r] = choice->chosen[r] || choice->needed[r];
    choice->excluded[r] = !choice->judged[r];
}

static enum err need_all(const struct ruleset *set, struct choice *choice)
{
    uint32_t count = 0;
    const struct rule **rules = memory_alloc_array((size_t)set->rule_count + 1, sizeof *rules);
    bool *hidden = memory_alloc_array((size_t)set->rule_count + 1, sizeof *hidden);
    bool *shown = memory_alloc_array((size_t)set->rule_count + 1, sizeof *shown);
    enum err e = rules && hidden && shown ? OK : ERR_MEMORY;
    for (uint32_t r = 0; e == OK && r < set->rule_count; r++) {
        if (set->rules[r]->correlation) {
            rules[count++] = set->rules[r];
        }
    }
    if (count) {
        qsort(rules, count, sizeof *rules, by_rank);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t r = rules[i]->number;
        if (choice->chosen[r] || choice->needed[r]) {
            choice->correlates = true;
            need_parts(rules[i], choice, hidden, shown);
        }
    }
    for (uint32_t r = 0; e == OK && r < set->rule_count; r++) {
        choose_rule(choice, r, (hidden[r] && !shown[r]) || set->rules[r]->exception.at);
    }
    memory_free(rules);
    memory_free(hidden);
    memory_free(shown);
    return e;
}

static bool make_room(struct choice *choice, size_t rules, size_t words)
{
    bool **const lists[] = {
            &choice->chosen, &choice->needed, &choice->judged, &choice->excluded, &choice->visible};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        *lists[i] = memory_alloc_array(rules + 1, sizeof(bool));
        if (!*lists[i]) {
            return false;
        }
    }
    choice->named = memory_alloc_array(words + 1, sizeof(bool));
    return choice->named;
}

enum err choose_rules(const struct detect_request *request, const struct ruleset *set,
        struct choice *out, struct diag *diag)
{
    struct choice choice = {0};
    enum err e = make_room(&choice, set->rule_count, request->excluded.count) ? OK : ERR_MEMORY;
    if (e == OK) {
        choose_named(request, set, &choice);
        e = need_all(set, &choice);
    }
    if (e != OK) {
        choose_fini(&choice);
        return diag_say(diag, e, "no memory for the rules");
    }
    *out = choice;
    return OK;
}

void choose_fini(struct choice *choice)
{
    memory_free(choice->chosen);
    memory_free(choice->needed);
    memory_free(choice->judged);
    memory_free(choice->excluded);
    memory_free(choice->visible);
    memory_free(choice->named);
    *choice = (struct choice){0};
}
