/* landing: a file that is there whole or not at all, written from behind the seal.
 *
 *     TRY(landing_open(&landing, "report.html", diag));       // before the seal and all threads
 *     TRY(landing_finish(&landing, bytes, diag));             // whenever; the file is there now
 *     landing_close(&landing);                                // always; not finished: no file
 *
 * The bytes go into a temporary file beside the path. Sealed, a process can neither rename nor
 * remove; so a small one is kept outside the seal, which knows nothing but that one file, reads one
 * byte and renames, or removes the temporary when this process ends without a word.
 *
 * An existing file is replaced only when it is empty or HTML, so that a slip of the keyboard never
 * costs a log or a rule; what is no regular file is refused. */
#pragma once

#include <stdbool.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

struct landing {
    int file;    /* the temporary; -1: none */
    int channel; /* to the one that renames; -1: none */
};

#define LANDING_NONE ((struct landing){.file = -1, .channel = -1})

/* ERR_USAGE: not to be replaced; ERR_IO: the system's words. */
enum err landing_open(struct landing *landing, const char *path, struct diag *diag) MUST_CHECK;
enum err landing_finish(struct landing *landing, struct slice bytes, struct diag *diag) MUST_CHECK;
void landing_close(struct landing *landing);
