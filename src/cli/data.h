/* data: where a centre keeps everything, for the verbs that look into it.
 *
 *     char path[DATA_PATH];
 *     TRY(data_path(request->data, "findings", path, diag));     // "/var/lib/merlon/findings" */
#pragma once

#include "base/diag.h"
#include "base/err.h"

enum { DATA_PATH = 4096 }; /* bytes of a path, NUL included */

/* The directory: `named` (--data), else MERLON_DATA, else ./merlon-data. */
const char *data_directory(const char *named);
/* What is called `name` in it. ERR_LIMIT: over DATA_PATH. */
enum err data_path(
        const char *named, const char *name, char path[DATA_PATH], struct diag *diag) MUST_CHECK;
