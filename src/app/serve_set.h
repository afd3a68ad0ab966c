/* serve_set: a set of rules ready to judge by: the engine, and all that was made for it. The judge
 * holds one at a time, and changes it where the log says so.
 *
 *     struct serve_set *set;
 *     TRY(serve_set_new(&loaded, hash, &set, diag));     // takes the loaded rules over
 *     judge_event(set->judge, &set->event, ...)
 *     serve_set_free(set);
 *
 * Whatever is numbered by a set's rules, fields or paths stands here and goes with it. */
#pragma once

#include "app/choose.h"
#include "app/serve_tenants.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/err.h"
#include "cli/load.h"
#include "cli/output.h"
#include "detect/engine.h"
#include "event/decoder.h"

enum { SERVE_SET_DECODERS = 64 };

struct serve_set {
    char hash[DIGEST_HEX]; /* its name */
    struct loaded loaded;
    struct choice choice;
    struct serve_tenants *tenants; /* NULL: all rules are all tenants' */
    struct engine *engine;
    struct output *output;
    struct judge *judge;
    struct event event;
    struct reader *readers[SERVE_SET_DECODERS]; /* by place in decoders */
};

/* `hash` names it. On failure *loaded stays the caller's. */
enum err serve_set_new(struct loaded *loaded, const char *hash, struct serve_set **out,
        struct diag *diag) MUST_CHECK;
void serve_set_free(struct serve_set *set);
/* NULL: there is none, or none was recognised. */
struct reader *serve_set_reader(const struct serve_set *set, const struct decoder *decoder);
