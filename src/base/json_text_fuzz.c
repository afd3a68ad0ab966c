#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every value that walking finds in a text that was accepted is a whole value itself. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice s = {(const char *)data, size};
    struct diag diag = {0};
    struct buf out = {0};
    size_t used = 0;
    enum err e = json_text_check(s, 32, &used, &diag);
    if (e != OK && e != ERR_END && diag.words[0] == 0) {
        abort();
    }
    if (e == OK) {
        struct json_text_members m = json_text_open(slice_of(s.at, used));
        while (json_text_next(&m)) {
            if (json_text_check_whole(m.value, 32, NULL) != OK) {
                abort();
            }
            json_text_add(&out, m.value);
        }
    }
    buf_fini(&out);
    return 0;
}
