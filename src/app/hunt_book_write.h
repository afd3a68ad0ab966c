/* hunt_book_write: a file of a hunt book, replaced in one step.
 *
 *     TRY(hunt_book_write("hunts/a.md", as_it_was_read, text, diag));
 *
 * Readers see the old text or the new one, whatever happens, and the new one is on disk when it
 * returns. Mode and owner stay. A file that is no longer what was read, or that is a link, is left
 * alone: ERR_IO. Nothing is written where the texts are the same. */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

enum err hunt_book_write(
        const char *path, struct slice was, struct slice text, struct diag *diag) MUST_CHECK;
