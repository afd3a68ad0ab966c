#include "app/live_doubt.h"

#include <stdlib.h>
#include <string.h>

#include "app/serve_tenants.h"
#include "base/memory.h"
#include "net/authorize.h"
#include "sigma/correlation.h"
#include "sigma/filter.h"
#include "sigma/rule.h"

#define MEMORY ((size_t)256 << 20)

/* Tenants that the same rows of both sets are for: those below this name, and below none longer. */
struct class
{
    struct slice name;
    uint32_t *rules; /* matches of these may be missing */
    uint32_t count;
};

struct live_doubt {
    struct live_doubt *next;
    struct live_doubt_time time;
    struct class *classes;
    size_t class_count;
};

struct kept {
    char name[LIVE_SHAPE];
    const struct rule *rule;
};

/* Of one change. */
struct change {
    const struct live_before *now, *before; /* before NULL: not known */
    uint32_t *bases;                        /* rules of `now` that correlations are made of */
    uint32_t base_count;
    struct kept *kept; /* in order of names */
    size_t kept_count;
    const struct rule **was; /* by place in bases: the same in `before`; NULL: there is none */
};

static int by_name(const void *a, const void *b)
{
    return memcmp(((const struct kept *)a)->name, ((const struct kept *)b)->name, LIVE_SHAPE);
}

static enum err find_bases(struct change *c, struct arena *scratch)
{
    const struct ruleset *set = c->now->set;
    bool *is_base = ARENA_ARRAY(scratch, bool, (size_t)set->rule_count + 1);
    c->bases = ARENA_ARRAY(scratch, uint32_t, (size_t)set->rule_count + 1);
    if (!is_base || !c->bases) {
        return ERR_MEMORY;
    }
    for (uint32_t r = 0; r < set->rule_count; r++) {
        const struct correlation *of = set->rules[r]->correlation;
        for (uint32_t p = 0; of && p < of->part_count; p++) {
            is_base[of->parts[p].rule->number] |= !of->parts[p].rule->correlation;
        }
    }
    for (uint32_t r = 0; r < set->rule_count; r++) {
        if (is_base[r]) {
            c->bases[c->base_count++] = r;
        }
    }
    return OK;
}

static enum err find_kept(struct change *c, struct arena *scratch)
{
    c->was = ARENA_ARRAY(scratch, const struct rule *, (size_t)c->base_count + 1);
    if (!c->was || !c->before) {
        return c->was ? OK : ERR_MEMORY;
    }
    const struct ruleset *set = c->before->set;
    c->kept = ARENA_ARRAY(scratch, struct kept, (size_t)set->rule_count + 1);
    if (!c->kept) {
        return ERR_MEMORY;
    }
    for (uint32_t r = 0; r < set->rule_count; r++) {
        if (!set->rules[r]->correlation && c->before->needed[r]) {
            struct kept *kept = &c->kept[c->kept_count++];
            kept->rule = set->rules[r];
            live_shape_name(set, set->rules[r], kept->name);
        }
    }
    qsort(c->kept, c->kept_count, sizeof *c->kept, by_name);
    for (uint32_t b = 0; b < c->base_count; b++) {
        struct kept wanted;
        live_shape_name(c->now->set, c->now->set->rules[c->bases[b]], wanted.name);
        const struct kept *kept =
                bsearch(&wanted, c->kept, c->kept_count, sizeof *c->kept, by_name);
        c->was[b] = kept ? kept->rule : NULL;
    }
    return OK;
}

/* Is there an exception of the same meaning still, for the tenant and the rule? */
static bool is_still(const struct ruleset *set, struct slice tenant, const struct rule *rule,
        const struct rule *exception)
{
    for (uint32_t r = 0; r < set->rule_count; r++) {
        const struct rule *x = set->rules[r];
        if (x->exception.at && strcmp(x->hash, exception->hash) == 0 &&
                authorize_covers(x->exception, tenant) && filter_excepts(x, rule)) {
            return true;
        }
    }
    return false;
}

/* Did an exception that is gone keep matches of the rule from the tenant? */
static bool was_held(
        const struct change *c, struct slice tenant, const struct rule *was, const struct rule *is)
{
    const struct ruleset *set = c->before->set;
    for (uint32_t r = 0; serve_tenants_count(c->before->tenants) > 0 && r < set->rule_count; r++) {
        const struct rule *x = set->rules[r];
        if (x->exception.at && authorize_covers(x->exception, tenant) && filter_excepts(x, was) &&
                !is_still(c->now->set, tenant, is, x)) {
            return true;
        }
    }
    return false;
}

static enum err add_class(struct live_doubts *d, struct live_doubt *doubt, const struct change *c,
        struct slice tenant)
{
    struct class *class = &doubt->classes[doubt->class_count++];
    char *name = ARENA_ARRAY(&d->arena, char, tenant.size + 1);
    class->rules = ARENA_ARRAY(&d->arena, uint32_t, (size_t)c->base_count + 1);
    if (!name || !class->rules) {
        return ERR_MEMORY;
    }
    memcpy(name, tenant.at ? tenant.at : "", tenant.size);
    class->name = slice_of(name, tenant.size);
    for (uint32_t b = 0; b < c->base_count; b++) {
        const struct rule *is = c->now->set->rules[c->bases[b]], *was = c->was[b];
        if (!was || !serve_tenants_shows(c->before->tenants, tenant, was) ||
                was_held(c, tenant, was, is)) {
            class->rules[class->count++] = is->number;
        }
    }
    return OK;
}

static enum err fill(struct live_doubts *d, struct live_doubt *doubt, const struct change *c)
{
    const struct serve_tenants *sets[] = {c->now->tenants, c->before ? c->before->tenants : NULL};
    size_t rows = serve_tenants_count(sets[0]) + serve_tenants_count(sets[1]);
    doubt->classes = ARENA_ARRAY(&d->arena, struct class, rows + 1);
    if (!doubt->classes) {
        return ERR_MEMORY;
    }
    TRY(add_class(d, doubt, c, SLICE("")));
    for (size_t s = 0; s < 2; s++) {
        for (size_t i = 0; i < serve_tenants_count(sets[s]); i++) {
            TRY(add_class(d, doubt, c, serve_tenants_name(sets[s], i)));
        }
    }
    return OK;
}

enum err live_doubt_add(struct live_doubts *d, const struct live_before *now,
        const struct live_before *before, struct live_doubt_time time)
{
    struct change change = {.now = now, .before = before};
    struct arena scratch;
    if (!d->first) {
        arena_init(&d->arena, MEMORY);
    }
    struct live_doubt *doubt = ARENA_NEW(&d->arena, struct live_doubt);
    if (!doubt) {
        return ERR_MEMORY;
    }
    arena_init(&scratch, MEMORY);
    doubt->time = time;
    *(d->last ? &d->last->next : &d->first) = doubt;
    d->last = doubt;
    enum err e = find_bases(&change, &scratch);
    e = e == OK ? find_kept(&change, &scratch) : e;
    e = e == OK ? fill(d, doubt, &change) : e;
    arena_fini(&scratch);
    return e;
}

/* The rows that are for a tenant are those that are for the longest name above it. */
static const struct class *class_of(const struct live_doubt *doubt, struct slice tenant)
{
    const struct class *best = &doubt->classes[0];
    for (size_t i = 1; i < doubt->class_count; i++) {
        const struct class *class = &doubt->classes[i];
        if (class->name.size >= best->name.size && authorize_covers(class->name, tenant)) {
            best = class;
        }
    }
    return best;
}

void live_doubt_tell(const struct live_doubts *d, struct slice tenant, struct machine *machine)
{
    for (const struct live_doubt *doubt = d->first; doubt; doubt = doubt->next) {
        const struct class *class = class_of(doubt, tenant);
        for (uint32_t i = 0; i < class->count; i++) {
            machine_doubt(machine, class->rules[i], doubt->time.from_ns, doubt->time.to_ns);
        }
    }
}

void live_doubt_fini(struct live_doubts *d)
{
    if (d->first) {
        arena_fini(&d->arena);
    }
    *d = (struct live_doubts){0};
}
