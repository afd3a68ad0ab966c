/* Any bytes as a file of indicators: what is added is found by its own text. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "intel/ioc_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void say(void *context, struct slice file, uint32_t line, const char *words)
{
    (void)context;
    if (file.size != 1 || line > UINT32_MAX - 1 || !words[0]) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct indicators_limits limits = {1000, 1 << 20};
    struct ioc_load load = {.say = say, .file = SLICE("f")};
    struct diag diag;
    if (indicators_new(&limits, &load.set) != OK) {
        return 0;
    }
    enum err e = ioc_file_bytes(&load, slice_of((const char *)data, size), &diag);
    if (e == OK && indicators_close(load.set, &diag) != OK) {
        abort();
    }
    for (size_t i = 0; e == OK && i < indicators_count(load.set); i++) {
        const struct indicator *it = indicators_at(load.set, i);
        const struct observable of = {.kind = (enum observable_kind)it->kind, .key = it->key};
        if (!indicators_maybe(load.set, &of)) {
            abort();
        }
    }
    ioc_load_fini(&load);
    indicators_free(load.set);
    return 0;
}
