/* Any bytes as a pack's file: what is accepted is written again as the same bytes. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "packs/store_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_of((const char *)data, size);
    struct content content;
    struct store_pack pack;
    struct buf again = {0};
    content_init(&content);
    if (store_text_read(bytes, SLICE("p"), &pack, &content, NULL) == OK) {
        store_text_write(&pack, &content, &again);
        /* Only numbers may have been written with more digits. */
        if (again.size > bytes.size ||
                (again.size == bytes.size && !slice_equal(buf_slice(&again), bytes))) {
            abort();
        }
    }
    buf_fini(&again);
    content_fini(&content);
    return 0;
}
