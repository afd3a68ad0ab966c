/* names: the segments of a directory, in order.
 *
 *     struct names names = {0};
 *     TRY(names_list(&names, disk, "data/log", diag));
 *     names.at[0]                 // the first offset that is kept, where names.count > 0
 *     names_fini(&names); */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/disk.h"

enum { NAMES_BYTES = 1 << 30 }; /* that reading a directory may take */

struct names {
    uint64_t *at;
    size_t count, room;
    size_t unfinished; /* files that were to become segments: BASE.new */
};

/* Anew. ERR_NOT_FOUND: no such directory. What is in `names` stays when it fails. */
enum err names_list(struct names *names, const struct disk *disk, const char *directory,
        struct diag *diag) MUST_CHECK;
void names_fini(struct names *names);
/* The last whose offset is not above `offset`; 0 where none is. */
size_t names_find(const struct names *names, uint64_t offset);
