#include "event/value.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Resolving never grows the text, and what has no backslash stays as it is. Valid UTF-8 gives valid
 * UTF-8. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char to[4096];
    if (size > sizeof to) {
        return 0;
    }
    struct slice json = slice_of((const char *)data, size);
    size_t n = value_unescape(json, to);
    assert(n <= size);
    if (slice_find_byte(json, '\\') == size) {
        assert(slice_equal(json, slice_of(to, n)));
    }
    const struct value value = {.text = json, .kind = VALUE_STRING, .form = FORM_JSON};
    struct buf scratch = {0};
    assert(slice_equal(value_slice(&value, &scratch), slice_of(to, n)));
    buf_fini(&scratch);
    return 0;
}
