#include "intel/ioc_file.h"

#include "base/files.h"
#include "intel/ioc_csv.h"
#include "intel/ioc_json.h"
#include "intel/ioc_text.h"

/* A text may begin with [2001:db8::1]. */
static bool is_list(struct slice text)
{
    struct slice inside = slice_trim(slice_from(text, 1));
    return inside.size > 0 && (inside.at[0] == '{' || inside.at[0] == ']');
}

enum err ioc_file_bytes(struct ioc_load *load, struct slice bytes, struct diag *diag)
{
    if (slice_starts(bytes, SLICE("\xEF\xBB\xBF"))) {
        bytes = slice_from(bytes, 3);
    }
    struct slice text = slice_trim(bytes);
    if (text.size > 0 && (text.at[0] == '{' || (text.at[0] == '[' && is_list(text)))) {
        return ioc_json_read(load, bytes, diag);
    }
    return ioc_csv_is(bytes) ? ioc_csv_read(load, bytes, diag) : ioc_text_read(load, bytes, diag);
}

enum err ioc_file_read(struct ioc_load *load, const char *path, struct diag *diag)
{
    struct buf bytes = {0};
    load->file = slice_text(path);
    enum err e = files_read(path, IOC_FILE_LIMIT, &bytes, diag);
    e = e == OK ? ioc_file_bytes(load, buf_slice(&bytes), diag) : e;
    buf_fini(&bytes);
    return e;
}
