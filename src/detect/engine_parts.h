/* engine_parts: what the engine and its judges share, and nobody else sees.
 *
 *     struct engine_class *class;
 *     TRY(engine_class_for(engine, symbols, &class));     // built when first asked for
 *     const struct plan *plan = atomic_load(&class->plan);
 *
 * Classes and plans are only added while the engine lives: a judge may hold on to what it has. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "detect/class.h"
#include "detect/engine.h"
#include "detect/plan.h"
#include "detect/route.h"

enum { ENGINE_CLASSES = 4096, ENGINE_STAGES = 3 };

struct engine_class {
    struct class class;
    _Atomic(struct plan *) plan; /* the one to use now */
    struct plan *kept[ENGINE_STAGES + 1];
    int kept_count;
    int stage;         /* of that plan: how often it was tuned */
    _Atomic int begun; /* the stage whose plan was begun last */
    uint8_t *active;   /* by entry: what makes it this class */
    uint32_t number;   /* index into engine->classes */
};

/* How one case of one entry sees the fields: pairs (rule's field, event's field). */
struct engine_lens {
    const uint32_t *pairs;
    uint32_t pair_count;
    const struct fill *fills;
    uint32_t fill_count;
};

struct engine_rule {
    const struct rule *rule;
    uint16_t entries[TAXONOMY_TERMS];
    uint8_t entry_count; /* 0: unroutable */
    bool excluded;
};

struct engine {
    struct arena arena;
    const struct ruleset *set;
    const struct taxonomy *taxonomy;
    struct engine_options options;
    struct fields *fields;
    struct paths *paths;
    struct router *router;
    struct engine_rule *rules;
    struct engine_lens **lenses; /* by entry, then case; NULL: no aliases */
    size_t entry_count;
    size_t symbol_count;  /* routes; 0 under any_source */
    pthread_mutex_t lock; /* guards what follows, and the making of classes */
    struct engine_class **classes;
    struct handle *handles; /* by predicate, made when first asked for */
    uint32_t class_count;
};

/* The class of events with these symbols. ERR_LIMIT: over ENGINE_CLASSES. */
enum err engine_class_for(
        struct engine *engine, const uint16_t *symbols, struct engine_class **out) MUST_CHECK;
/* A class with this one rule alone, seen as `class` sees it or, where it is not there, as itself:
 * for `rules explain`. Owner of *out: the caller, by class_fini. */
enum err engine_class_of_rule(struct engine *engine, const struct engine_class *class,
        uint32_t rule, struct class *out) MUST_CHECK;
const struct class_rule *engine_place(const struct engine_class *class, uint32_t rule);
/* Makes the class's plan anew with what was seen; does nothing when another judge
 * was there first for this stage. */
enum err engine_tune(struct engine *engine, struct engine_class *class, int stage,
        const struct plan_facts *facts) MUST_CHECK;
