/* unarchive: the rule files of an archive, unpacked behind a seal.
 *
 *     TRY(unarchive_read("sigma.tar.gz", app, &content, diag));
 *
 * A child process reads the archive, gives up everything else (as `merlon detect` does), unpacks it
 * in memory and hands the files over a pipe; what comes out of it is checked anew. */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "cli/verb.h"
#include "packs/content.h"

/* ERR_UNSUPPORTED: it is no archive. `content` is initialised, and not finished. */
enum err unarchive_read(const char *path, const struct verb_app *app, struct content *content,
        struct diag *diag) MUST_CHECK;
