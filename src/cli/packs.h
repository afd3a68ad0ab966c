/* packs: installed rule packs, as the verbs use them (packs/store.h).
 *
 *     TRY(packs_folder(option, &dir, diag));           // --data, MERLON_DATA, XDG_DATA_HOME, HOME
 *     TRY(packs_read_source(path, app, &content, diag));
 *     TRY(packs_load(&content, SLICE("sigma"), set, diag));    // rules named sigma/PATH */
#pragma once

#include <limits.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "cli/verb.h"
#include "packs/content.h"
#include "packs/store.h"
#include "sigma/ruleset.h"

/* The data directory; `option`: the value of --data, or NULL. */
enum err packs_folder(const char *option, struct buf *out, struct diag *diag) MUST_CHECK;
/* The absolute path of a source, without links. */
enum err packs_source_path(const char *path, char out[PATH_MAX], struct diag *diag) MUST_CHECK;
/* A rule file, a folder of them, or an archive. Initialised by the caller; finished. */
enum err packs_read_source(const char *path, const struct verb_app *app, struct content *content,
        struct diag *diag) MUST_CHECK;
/* Gives the rule files to a set, not those with tests of rules. `name` may be empty. */
enum err packs_load(const struct content *content, struct slice name, struct ruleset *set,
        struct diag *diag) MUST_CHECK;
/* A set of these alone, finished. Owner of *out: the caller, by ruleset_free. */
enum err packs_ruleset(const struct content *content, struct slice name, struct ruleset **out,
        struct diag *diag) MUST_CHECK;
/* Takes a rule file: `name` as packs_load has it. */
struct packs_sink {
    enum err (*take)(void *context, struct slice name, struct slice bytes, struct diag *diag);
    void *context;
};
/* Gives each rule file of all installed packs to `sink`; else as packs_load_all. */
enum err packs_each(const char *option, const struct packs_sink *sink, size_t *unreadable,
        struct diag *diag) MUST_CHECK;
/* Gives all installed packs to a set. A pack that was changed on disk, or cannot be read, is named
 * on stderr, and counted in *unreadable. ERR_NOT_FOUND: there is none. */
enum err packs_load_all(
        const char *option, struct ruleset *set, size_t *unreadable, struct diag *diag) MUST_CHECK;
