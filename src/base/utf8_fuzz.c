#include "base/utf8.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* UTF-16 always becomes valid UTF-8; what is valid comes back from its code points. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char to[3 * 4096];
    if (size > 4096) {
        return 0;
    }
    struct slice from = slice_of((const char *)data, size);
    size_t n = utf8_from_utf16(from, to);
    assert(n <= size / 2 * 3 && utf8_valid(slice_of(to, n)));
    size_t prefix = utf8_valid_prefix(from);
    assert(prefix <= size &&
            (prefix == size || utf8_sequence(from.at + prefix, size - prefix) == 0));
    for (size_t i = 0; i < prefix;) {
        size_t length = 0;
        uint32_t code = utf8_decode(from.at + i, &length);
        assert(utf8_encode(code, to) == length && memcmp(to, from.at + i, length) == 0);
        i += length;
    }
    return 0;
}
