/* evtx_template: the templates of one thread, compiled once and used again in later chunks; and
 * their instances.
 *
 *     evtx_template_chunk(templates, chunk);               // at each chunk
 *     struct evtx_instance instance;
 *     if (!evtx_template_instance(templates, &place, &values, &instance, &fault)) ...
 *
 * A chunk stores each template that its records use; the next chunk stores it again. A stored one
 * is taken for one seen before when GUID, size, all bytes and all names agree: the offsets of names
 * differ from chunk to chunk, the names must not. The cache is bounded and forgets as a whole. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "decode/evtx_tree.h"
#include "decode/evtx_values.h"

enum {
    EVTX_CACHE_SOFT = 16 << 20,  /* bytes of templates at which all are forgotten */
    EVTX_CACHE_HARD = 64 << 20,  /* bytes that one record may bring the cache to */
    EVTX_CHUNK_TEMPLATES = 700,  /* different ones in a chunk; real chunks have under 100 */
    EVTX_CHUNK_WORK = 1 << 20,   /* bytes of templates read or compared for one chunk */
    EVTX_VALUES_LIMIT = 1 << 15, /* of all instances open at a time */
};

struct evtx_plan;
struct evtx_program;
struct evtx_layout;

struct evtx_template {
    const struct evtx_node *nodes;
    uint32_t count;
    struct evtx_plan *plans;       /* decode/evtx_plan.h */
    struct evtx_program *programs; /* decode/evtx_print.h */
    struct slice constants;        /* its texts that are values, UTF-8, a NUL behind each */
    struct slice around;           /* the constants of the templates that an instance stood in, */
    struct slice joined;           /* and both together; decode/evtx_plan_run.c */
    struct evtx_layout *layout;    /* types that its instances' values had */
    /* What it is recognised by. */
    char guid[16];
    struct slice body;
    const char *mask;                     /* of the body: zero bits where chunks differ */
    const struct evtx_name_place *places; /* names: own copies */
    uint32_t place_count;
    struct evtx_template *next; /* in the same bucket */
};

struct evtx_templates;

struct evtx_templates *evtx_template_cache_new(void); /* NULL: no memory */
void evtx_template_cache_free(struct evtx_templates *templates);
/* Later instances are in this chunk. */
void evtx_template_chunk(struct evtx_templates *templates, struct slice chunk);
/* Called when no template is in use: forgets all when they have grown too many. */
void evtx_template_tidy(struct evtx_templates *templates);
/* Zeroed memory that lives as long as the templates; NULL when the cap is reached. */
void *evtx_template_alloc(struct evtx_templates *templates, size_t size, size_t align);
uint64_t evtx_template_compiled(const struct evtx_templates *templates); /* so far, for measuring */

/* Values of the instances that are open, the innermost last. */
struct evtx_values {
    uint32_t used;
    struct evtx_value at[EVTX_VALUES_LIMIT + EVTX_VALUES_SLACK];
};

struct evtx_instance {
    struct evtx_template *template;
    uint32_t first; /* of its values in struct evtx_values */
    uint32_t count;
    struct evtx_placed placed;
};

/* Reads the instance at `at` (behind its token) that must end by `end`; its values are added to
 * `values`. */
struct evtx_place {
    uint32_t at;
    uint32_t end;
};
bool evtx_template_instance(struct evtx_templates *templates, struct evtx_place place,
        struct evtx_values *values, struct evtx_instance *instance, struct evtx_fault *fault);
/* The instance's token when the stretch holds one instance and nothing else (the usual record):
 * the offset behind the token, else 0. [MS-EVEN6] 2.2.12 has the tokens. */
static inline uint32_t evtx_template_lone(struct slice chunk, struct evtx_place place)
{
    enum { TOKEN_INSTANCE = 0x0c, TOKEN_FRAGMENT = 0x0f };
    uint32_t at = place.at;
    if (place.end - at >= 5 && chunk.at[at] == TOKEN_FRAGMENT) {
        at += 4;
    }
    return at < place.end && chunk.at[at] == TOKEN_INSTANCE ? at + 1 : 0;
}
