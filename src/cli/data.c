#include "cli/data.h"

#include <stdio.h>
#include <stdlib.h>

const char *data_directory(const char *named)
{
    const char *usual = getenv("MERLON_DATA");
    if (named) {
        return named;
    }
    return usual && *usual ? usual : "merlon-data";
}

enum err data_path(const char *named, const char *name, char path[DATA_PATH], struct diag *diag)
{
    int size = snprintf(path, DATA_PATH, "%s/%s", data_directory(named), name);
    return size >= 0 && size < DATA_PATH ? OK : diag_say(diag, ERR_LIMIT, "the path is too long");
}
