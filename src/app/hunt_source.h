/* hunt_source: what hunts read: files, the log of a centre, or an archive.
 *
 *     TRY(hunt_source_open(&source, &request->input, diag));     // then the process is sealed
 *     struct hunt_pass pass = {.paths = ..., .take = ..., ...};
 *     TRY(hunt_source_read(&source, &pass, diag));               // each reading: the same events
 *     if (hunt_source_partial(&source)) ...                      // said on stderr
 *     hunt_source_fini(&source); */
#pragma once

#include "app/hunt_archive.h"
#include "app/hunt_log.h"
#include "app/hunt_pass.h"
#include "cli/hunt_input.h"
#include "source/inputs.h"

struct hunt_source {
    const struct hunt_input *input;
    struct inputs *inputs; /* NULL: the log is read, or the archive */
    struct hunt_log log;
    struct hunt_archive archive;
    bool partial; /* of files: something could not be read; said */
};

/* `again`: they will be read more than once; an input that cannot be is an error. */
enum err hunt_source_open(struct hunt_source *source, const struct hunt_input *input, bool again,
        struct diag *diag) MUST_CHECK;
/* ERR_END: interrupted. */
enum err hunt_source_read(
        struct hunt_source *source, struct hunt_pass *pass, struct diag *diag) MUST_CHECK;
/* Says on stderr how much could not be read; true: something. */
bool hunt_source_partial(const struct hunt_source *source, const struct hunt_pass *pass);
/* For a progress over it: drawn where `draw`. */
void hunt_source_progress(
        const struct hunt_source *source, bool again, bool draw, struct progress *progress);
void hunt_source_fini(struct hunt_source *source);
