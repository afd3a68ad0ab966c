#include "base/time.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read is written so that it is read as the same instant. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t ns = 0, again = 0;
    if (!time_parse(slice_of((const char *)data, size), &ns)) {
        assert(ns == 0);
        return 0;
    }
    struct buf out = {0};
    time_format(&out, ns);
    assert(!out.failed && time_parse(buf_slice(&out), &again) && again == ns);
    buf_fini(&out);
    return 0;
}
