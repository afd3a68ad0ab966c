#include <stdlib.h>

#include "base/json_text.h"
#include "source/http_splunk.h"

struct sum {
    size_t count;
    const char *end;
};

/* Each envelope is an object with an event, behind the last one. */
static void use(void *context, struct slice envelope)
{
    struct sum *sum = context;
    if (json_text_check_whole(envelope, HTTP_INTAKE_DEPTH, NULL) != OK ||
            !json_text_get(envelope, SLICE("event")).at || (sum->end && envelope.at < sum->end)) {
        abort();
    }
    sum->end = envelope.at + envelope.size;
    sum->count++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sum sum = {0};
    struct http_splunk_fault fault = {0};
    bool fine = http_splunk_read(slice_of((const char *)data, size), use, &sum, &fault);
    if (fine ? sum.count == 0 : fault.code == 0 || !fault.words || fault.event != sum.count) {
        abort();
    }
    return 0;
}
