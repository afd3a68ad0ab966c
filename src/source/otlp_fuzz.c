#include <stdlib.h>

#include "base/json_text.h"
#include "source/otlp.h"

struct seen {
    struct buf out;
    size_t last;
};

static void on_record(void *context, size_t from)
{
    struct seen *seen = context;
    struct slice record = slice_from(buf_slice(&seen->out), from);
    if (from < seen->last || json_text_check_whole(record, JSON_TEXT_DEPTH, NULL) != OK) {
        abort();
    }
    seen->last = from;
}

static void on_fault(void *context, struct slice bytes, const char *words)
{
    (void)context, (void)bytes;
    if (!words[0]) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each record is valid JSON. The first byte tells the encoding. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct seen seen = {0};
    struct otlp_use use = {on_record, on_fault, &seen};
    struct slice body = slice_of((const char *)data + 1, size - 1);
    struct diag diag = {0};
    enum err e = data[0] & 1 ? otlp_read_proto(body, &seen.out, &use, &diag)
                             : otlp_read_json(body, &seen.out, &use, &diag);
    if ((e == OK) == (diag.words[0] != 0)) {
        abort();
    }
    buf_fini(&seen.out);
    return 0;
}
