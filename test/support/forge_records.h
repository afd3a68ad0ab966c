/* forge_records: records of every kind that the format has, and the JSON that each is.
 *
 *     for (size_t i = 0; i < forge_record_count; i++) {
 *         forge_record(&forge); forge_record_kinds[i].make(&forge); forge_end_record(&forge);
 *         ... must be forge_record_kinds[i].json
 *     }
 *
 * Unit tests read them, and the seeds of the fuzzer are made of them. */
#pragma once

#include <stddef.h>

#include "support/forge.h"

struct forge_record_kind {
    const char *name;
    forge_body *make;
    const char *json;
};

extern const struct forge_record_kind forge_record_kinds[];
extern const size_t forge_record_count;
