/* Any bytes as an archive: what comes out has only paths that go downwards, within the limits. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "packs/extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct content content;
    struct diag diag = {0};
    content_init(&content);
    enum err e = extract_archive(slice_of((const char *)data, size), &content, &diag);
    if (e != OK && e != ERR_MEMORY && !diag.words[0]) {
        abort();
    }
    content_strip(&content);
    for (size_t i = 0; i < content.count; i++) {
        struct slice path = content.files[i].path;
        if (path.size == 0 || path.at[0] == '/' || !content_is_rule(path) ||
                slice_find(path, SLICE("../")) == 0 ||
                slice_find(path, SLICE("/../")) != SIZE_MAX) {
            abort();
        }
    }
    (void)!content_finish(&content, NULL);
    content_fini(&content);
    return 0;
}
