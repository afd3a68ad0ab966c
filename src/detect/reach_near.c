#include "detect/reach_near.h"

#include "base/arena.h"
#include "base/memory.h"
#include "base/near.h"
#include "detect/survey_parts.h"

#define MEMORY ((size_t)256 << 20)
enum { NAMES = 8 }; /* by which one path can be asked for */

/* The names by which rules reach one path. */
struct names {
    struct slice at[NAMES];
    size_t count;
};

struct reach_near {
    const struct survey *survey;
    struct arena arena;
    struct names *names; /* by path */
};

/* ---- names of a path ------------------------------------------------------------------------- */

/* Does the pattern lead to the path? *rest: what its last `*` stands for. */
static bool leads_to(struct slice pattern, struct slice path, struct slice *rest)
{
    *rest = (struct slice){0};
    while (pattern.size > 0) {
        if (path.size == 0) {
            return false;
        }
        struct slice key = slice_cut(&pattern, '.');
        if (key.size == 1 && key.at[0] == '*' && pattern.size == 0) {
            *rest = path;
            return true;
        }
        struct slice part = slice_cut(&path, '.');
        if (!(key.size == 1 && key.at[0] == '?') && !slice_equal(key, part)) {
            return false;
        }
    }
    return path.size == 0;
}

static void add_name(struct names *names, struct slice name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (slice_equal(names->at[i], name)) {
            return;
        }
    }
    if (names->count < NAMES && name.size > 0 && name.at[0] != '\x01') {
        names->at[names->count++] = name;
    }
}

static void name_path(struct names *names, const struct taxonomy *taxonomy, struct slice path)
{
    size_t count;
    const struct path_pattern *patterns = taxonomy_patterns(taxonomy, &count);
    for (size_t i = 0; i < count; i++) {
        const struct path_pattern *p = &patterns[i];
        struct slice rest;
        if (leads_to(p->pattern, path, &rest)) {
            add_name(names, slice_equal(p->name, SLICE("*")) ? rest : p->name);
        }
    }
}

enum err reach_near_new(const struct survey *survey, struct reach_near **out)
{
    struct reach_near *near = memory_alloc(sizeof *near);
    if (!near) {
        return ERR_MEMORY;
    }
    near->survey = survey;
    arena_init(&near->arena, MEMORY);
    near->names = ARENA_ARRAY(&near->arena, struct names, survey->paths.count);
    if (!near->names) {
        reach_near_free(near);
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < survey->paths.count; i++) {
        name_path(&near->names[i], survey->engine->taxonomy, intern_text(&survey->paths, i));
    }
    *out = near;
    return OK;
}

void reach_near_free(struct reach_near *near)
{
    if (near) {
        arena_fini(&near->arena);
        memory_free(near);
    }
}

/* ---- how near -------------------------------------------------------------------------------- */

enum { FAR = 1000, SAME_LETTERS = 0, SAME_WORD = 1, SLIPS = 2 };

static bool ends_at_word(struct slice whole, struct slice word)
{
    return whole.size > word.size && word.size >= 4 && slice_ends(whole, word) &&
           whole.at[whole.size - word.size - 1] == '.';
}

/* 0: the same letters; 1: one is the other's last part; more: slips; FAR: it is another name. */
static unsigned rank(struct slice wanted, struct slice name)
{
    if (near_letters(wanted, name)) {
        return SAME_LETTERS;
    }
    if (ends_at_word(name, wanted) || ends_at_word(wanted, name)) {
        return SAME_WORD;
    }
    size_t most = wanted.size / 4 > 3 ? 3 : wanted.size / 4;
    size_t slips = near_slips(wanted, name);
    return slips <= most ? SLIPS + (unsigned)slips : FAR;
}

static bool takes(const struct reach_near *near, uint32_t class, uint32_t rule)
{
    return engine_place(near->survey->engine->classes[class], rule) != NULL;
}

/* Events of the rule in which the path is filled. */
static uint64_t events_with(const struct reach_near *near, uint32_t path, uint32_t rule)
{
    uint64_t events = 0;
    for (uint32_t i = 0; i < near->survey->pair_count; i++) {
        const struct survey_pair *p = &near->survey->pairs[i];
        if (p->path == path && takes(near, p->class, rule)) {
            events += p->filled;
        }
    }
    return events;
}

/* Of equals the name decides: the order in which events came may not. */
static bool better(unsigned rank_a, const struct reach_near_hit *a, unsigned rank_b,
        const struct reach_near_hit *b)
{
    if (rank_a != rank_b) {
        return rank_a < rank_b;
    }
    return a->events != b->events ? a->events > b->events : slice_compare(a->name, b->name) < 0;
}

static bool leads_there(const struct names *names, struct slice field)
{
    for (size_t i = 0; i < names->count; i++) {
        if (slice_equal(names->at[i], field)) {
            return true;
        }
    }
    return false;
}

bool reach_near_find(
        struct reach_near *near, uint32_t rule, struct slice field, struct reach_near_hit *out)
{
    static const char *const words[] = {"the same letters", "the same last part"};
    unsigned best = FAR;
    for (uint32_t path = 0; path < near->survey->paths.count; path++) {
        const struct names *names = &near->names[path];
        if (leads_there(names, field)) {
            continue; /* the field itself, of other events of the rule */
        }
        for (size_t i = 0; i < names->count; i++) {
            unsigned r = rank(field, names->at[i]);
            uint64_t events = r < FAR && r <= best ? events_with(near, path, rule) : 0;
            struct reach_near_hit hit = {
                    names->at[i], events, r < SLIPS ? words[r] : "a similar name"};
            if (events > 0 && (best == FAR || better(r, &hit, best, out))) {
                best = r;
                *out = hit;
            }
        }
    }
    return best < FAR;
}
