/* archive_add: old logs sealed into the archive of a data directory, without a server.
 *
 *     return archive_add_run(&request);      // the exit code
 *
 * Each input is a log of its own in the archive: its id begins the SHA-256 of its bytes, so that it
 * is told when it comes again. Offsets are the records' ordinals in it, the time of receipt is when
 * it was last written. */
#pragma once

#include "cli/archive.h"

int archive_add_run(const struct archive_request *request);
