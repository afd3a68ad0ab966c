/* look: inputs read into a survey, without judging, for verbs that say what there is.
 *
 *     struct look_bench bench;
 *     TRY(look_open(&request, app, &bench, diag));     // rules, engine, inputs; then the seal
 *     bench.look.file_done = done;                     // called after each input
 *     TRY(app->look(&bench.look, diag));
 *     look_close(&bench);
 *
 * One thread reads: the order of records is that of the file, and clocks are looked at in it. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "cli/clocks.h"
#include "cli/load.h"
#include "cli/verb.h"
#include "detect/survey.h"
#include "event/decoder.h"
#include "source/inputs.h"

enum { LOOK_REASONS = 3 };

/* Why a record was rejected. */
struct look_reason {
    uint64_t record;
    char words[DIAG_WORDS];
};

/* What was read of one input. */
struct look_file {
    struct slice path;
    const char *format; /* NULL: none that is known, or nothing was read */
    uint64_t records;   /* counted in the survey */
    uint64_t rejected;
    uint32_t reason_count;
    struct look_reason reasons[LOOK_REASONS]; /* the first */
    bool unreadable;                          /* all or a part, named on stderr */
    bool skipped;                             /* of a folder, of no known format */
    struct clocks clocks;
};

struct look {
    /* Set before. */
    struct inputs *inputs;
    const struct decoder *decoder; /* NULL: by content */
    struct decode_limits limits;
    struct engine *engine;
    const struct loaded *loaded;
    struct survey *survey;
    const atomic_bool *stop;
    int64_t now_ns;
    /* After each input; may be NULL. Anything but OK ends the reading. */
    enum err (*file_done)(struct look *look, const struct look_file *file, struct diag *diag);
    void *context; /* file_done's */
    /* Filled. */
    uint64_t files; /* of a known format */
    uint64_t skipped;
    uint64_t unreadable;
    uint64_t records;
    uint64_t rejected;
};

struct look_request {
    struct load_request load;
    struct words inputs;
    const struct decoder *decoder;
    struct decode_limits limits;
    bool any_source;
};

/* All that such a verb owns. */
struct look_bench {
    struct loaded loaded;
    struct engine *engine;
    struct inputs *inputs;
    struct look look;
};

/* Problems of rules and inputs are named on stderr. Owner: the caller, by look_close. */
enum err look_open(const struct look_request *request, const struct verb_app *app,
        struct look_bench *out, struct diag *diag) MUST_CHECK;
void look_close(struct look_bench *bench);
/* What was named, as a list of files; each problem is said on stderr. */
enum err look_inputs(const struct words *paths, struct inputs **out, struct diag *diag) MUST_CHECK;
/* Was everything read, rules included? */
bool look_whole(const struct look_bench *bench);
