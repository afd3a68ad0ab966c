/* rig: some rules under the engine and under the reference evaluator, side by side.
 *
 *     struct rig rig;
 *     TRY(rig_begin(&rig, SLICE(""), diag));
 *     TRY(ruleset_load_text(rig.set, file, text, diag));
 *     TRY(rig_build(&rig, (struct engine_options){.any_source = true}, diag));
 *     TRY(rig_intake(&rig, "json", bytes, visit, context, diag));
 *     ... in visit: rig_compare(rig, record, hits, count) -> how many rules they differ in
 *     rig_fini(&rig);
 *
 * The taxonomy is the program's own, read once. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "detect/engine.h"
#include "sigma/ruleset.h"
#include "support/pump.h"
#include "support/reference.h"

struct rig {
    struct ruleset *set;
    struct engine *engine;
    struct reference *reference;
    enum verdict *said;  /* by the reference, of the record last compared; by rule */
    enum verdict *fired; /* by the engine */
    struct arena arena;  /* of the record last compared */
    struct buf words;    /* of the last comparison that failed */
    uint64_t events;     /* compared */
    uint64_t pairs;      /* rule and event, where the logsource took the event */
    uint64_t hits;       /* by the engine */
    uint64_t undetermined;
    uint64_t differences; /* rules and events in which they differ */
};

/* Rules of $MERLON_SHARED's SigmaHQ archive whose path in it starts with `prefix`. */
enum err rig_load_sigmahq(struct rig *rig, const char *prefix, struct diag *diag) MUST_CHECK;
/* placeholders: the text of a file of them, or empty. Borrowed until rig_build. */
enum err rig_begin(struct rig *rig, struct slice placeholders, struct diag *diag) MUST_CHECK;
enum err rig_build(struct rig *rig, struct engine_options options, struct diag *diag) MUST_CHECK;
void rig_fini(struct rig *rig);
const struct taxonomy *rig_taxonomy(void);
/* Adds a file to it, for tests of routing. Before the first rig_build. */
enum err rig_add_taxonomy(struct slice file, struct slice text, struct diag *diag) MUST_CHECK;
/* The engine's answer is in hits, the reference's is found from the record; rig->words says where
 * they differ. */
enum err rig_compare(struct rig *rig, const struct tree *record, const struct hit *hits,
        size_t count) MUST_CHECK;
/* The same, of a record as text. */
enum err rig_compare_text(
        struct rig *rig, struct slice json, const struct hit *hits, size_t count) MUST_CHECK;
/* One record of JSON through the decoder, the engine and the reference: fills fired and said.
 * ERR_SYNTAX when it is rejected. */
enum err rig_judge_json(
        struct rig *rig, struct pump *pump, struct slice json, struct diag *diag) MUST_CHECK;
