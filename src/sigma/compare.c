#include "sigma/compare.h"

#include <stdlib.h>

#include "base/memory.h"

static struct slice key_of(const struct rule *rule)
{
    return rule->id.size > 0 ? rule->id : rule->title;
}

static int key_compare(const struct rule *a, const struct rule *b)
{
    bool a_id = a->id.size > 0, b_id = b->id.size > 0;
    return a_id != b_id ? (a_id ? -1 : 1) : slice_compare(key_of(a), key_of(b));
}

/* Files and lines of a set are in the order of the rules' numbers. */
static int by_key(const void *a, const void *b)
{
    const struct rule *x = *(const struct rule *const *)a, *y = *(const struct rule *const *)b;
    int order = key_compare(x, y);
    return order ? order : x->number < y->number ? -1 : 1;
}

static enum err sorted(const struct ruleset *set, const struct rule ***out)
{
    const struct rule **list = memory_alloc_array((size_t)set->rule_count + 1, sizeof(void *));
    if (!list) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < set->rule_count; i++) {
        list[i] = set->rules[i];
    }
    qsort(list, set->rule_count, sizeof *list, by_key);
    *out = list;
    return OK;
}

static void add(struct compare *c, struct compare_change change)
{
    c->changes[c->count++] = change;
    c->counts[change.kind]++;
}

static void add_pair(struct compare *c, const struct rule *before, const struct rule *after)
{
    unsigned what = 0;
    what |= memcmp(before->hash, after->hash, sizeof before->hash) == 0 ? 0 : COMPARE_MEANING;
    what |= before->level == after->level ? 0 : COMPARE_LEVEL;
    what |= slice_equal(before->title, after->title) ? 0 : COMPARE_TITLE;
    what |= slice_equal(before->status, after->status) ? 0 : COMPARE_STATUS;
    what |= slice_equal(before->file, after->file) ? 0 : COMPARE_FILE;
    if (what == 0) {
        c->same++;
        return;
    }
    enum compare_kind kind = what == COMPARE_FILE ? COMPARE_RENAMED : COMPARE_CHANGED;
    add(c, (struct compare_change){kind, what, before, after});
}

static int by_kind(const void *a, const void *b)
{
    const struct compare_change *x = a, *y = b;
    const struct rule *r = x->after ? x->after : x->before;
    const struct rule *s = y->after ? y->after : y->before;
    return x->kind != y->kind ? (int)x->kind - (int)y->kind : r->number < s->number ? -1 : 1;
}

static void merge(struct compare *c, const struct ruleset *before, const struct ruleset *after,
        const struct rule *const *old, const struct rule *const *new)
{
    uint32_t i = 0, k = 0;
    while (i < before->rule_count || k < after->rule_count) {
        int order = i == before->rule_count  ? 1
                    : k == after->rule_count ? -1
                                             : key_compare(old[i], new[k]);
        if (order == 0) {
            add_pair(c, old[i++], new[k++]);
        } else if (order < 0) {
            add(c, (struct compare_change){COMPARE_REMOVED, 0, old[i++], NULL});
        } else {
            add(c, (struct compare_change){COMPARE_ADDED, 0, NULL, new[k++]});
        }
    }
}

enum err compare_rulesets(
        const struct ruleset *before, const struct ruleset *after, struct compare *out)
{
    struct compare c = {0};
    const struct rule **old = NULL, **new = NULL;
    c.changes = memory_alloc_array(
            (size_t)before->rule_count + after->rule_count + 1, sizeof *c.changes);
    enum err e = c.changes ? sorted(before, &old) : ERR_MEMORY;
    e = e == OK ? sorted(after, &new) : e;
    if (e == OK) {
        merge(&c, before, after, old, new);
        qsort(c.changes, c.count, sizeof *c.changes, by_kind);
        *out = c;
    } else {
        memory_free(c.changes);
    }
    memory_free(old);
    memory_free(new);
    return e;
}

void compare_fini(struct compare *compare)
{
    memory_free(compare->changes);
    *compare = (struct compare){0};
}
