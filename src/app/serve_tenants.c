#include "app/serve_tenants.h"

#include "base/memory.h"
#include "cli/config_tenants.h"
#include "cli/verb.h"
#include "net/authorize.h"
#include "sigma/filter.h"

#define MEMORY ((size_t)64 << 20)

struct serve_tenants {
    struct arena arena;
    struct config_tenants rows;
    bool **takes;     /* by row, by rule number */
    struct hit *kept; /* of the event at hand */
};

static enum err fill(struct serve_tenants *t, const struct loaded *loaded, struct diag *diag)
{
    const struct ruleset *set = loaded->set;
    TRY(config_tenants_parse(buf_slice(&loaded->tenants), &t->arena, &t->rows, diag));
    t->takes = ARENA_ARRAY(&t->arena, bool *, t->rows.count);
    t->kept = ARENA_ARRAY(&t->arena, struct hit, (size_t)set->rule_count + 1);
    for (size_t i = 0; i < t->rows.count && t->takes; i++) {
        t->takes[i] = ARENA_ARRAY(&t->arena, bool, (size_t)set->rule_count + 1);
        for (uint32_t r = 0; r < set->rule_count && t->takes[i]; r++) {
            t->takes[i][r] = config_tenants_takes(&t->rows.at[i], set->rules[r]);
        }
        if (!t->takes[i]) {
            return ERR_MEMORY;
        }
    }
    return t->takes && t->kept ? OK : ERR_MEMORY;
}

enum err serve_tenants_new(
        const struct loaded *loaded, struct serve_tenants **out, struct diag *diag)
{
    *out = NULL;
    if (loaded->tenants.size == 0) {
        return OK;
    }
    struct serve_tenants *t = memory_alloc(sizeof *t);
    if (!t) {
        return diag_say(diag, ERR_MEMORY, "no memory for the rules");
    }
    arena_init(&t->arena, MEMORY);
    enum err e = fill(t, loaded, diag);
    if (e != OK) {
        serve_tenants_free(t);
        return e == ERR_MEMORY ? diag_say(diag, e, "no memory for the rules") : e;
    }
    *out = t;
    return OK;
}

void serve_tenants_free(struct serve_tenants *tenants)
{
    if (tenants) {
        arena_fini(&tenants->arena);
        memory_free(tenants);
    }
}

size_t serve_tenants_count(const struct serve_tenants *tenants)
{
    return tenants ? tenants->rows.count : 0;
}

struct slice serve_tenants_name(const struct serve_tenants *tenants, size_t row)
{
    return tenants->rows.at[row].tenant;
}

bool serve_tenants_shows(
        const struct serve_tenants *tenants, struct slice tenant, const struct rule *rule)
{
    for (size_t i = 0; tenants && i < tenants->rows.count; i++) {
        if (!tenants->takes[i][rule->number] &&
                authorize_covers(tenants->rows.at[i].tenant, tenant)) {
            return false;
        }
    }
    return true;
}

/* An exception that a limit stopped holds nothing back. */
static bool is_excepted(
        struct slice tenant, const struct hit *hits, size_t count, const struct rule *rule)
{
    for (size_t i = 0; i < count; i++) {
        const struct rule *exception = hits[i].rule;
        if (exception->exception.at && !hits[i].undetermined &&
                authorize_covers(exception->exception, tenant) && filter_excepts(exception, rule)) {
            return true;
        }
    }
    return false;
}

/* No finding of this tenant: of an exception only that a limit stopped it is told, to its own. */
static bool is_left_out(
        const struct serve_tenants *tenants, struct slice tenant, const struct hit *hit)
{
    if (!hit->rule->exception.at) {
        return !serve_tenants_shows(tenants, tenant, hit->rule);
    }
    return !hit->undetermined || !authorize_covers(hit->rule->exception, tenant);
}

const struct hit *serve_tenants_filter(struct serve_tenants *tenants, struct slice tenant,
        const struct hit *hits, size_t *count, struct held *held)
{
    size_t kept = 0;
    if (!tenants) {
        return hits;
    }
    for (size_t i = 0; i < *count; i++) {
        const struct rule *rule = hits[i].rule;
        if (is_left_out(tenants, tenant, &hits[i])) {
            continue;
        }
        if (!hits[i].undetermined && is_excepted(tenant, hits, *count, rule)) {
            held_add(held, tenant, rule->id.size > 0 ? rule->id : rule->title, 1);
            continue;
        }
        tenants->kept[kept++] = hits[i];
    }
    *count = kept;
    return tenants->kept;
}

void serve_tenants_say(const struct ruleset *set)
{
    struct buf words = {0};
    load_missing(set, &words);
    for (struct slice rest = buf_slice(&words); rest.size > 0;) {
        struct slice line = slice_cut(&rest, '\n');
        verb_say("rules: %.*s", SLICE_ARG(line));
    }
    buf_fini(&words);
}
