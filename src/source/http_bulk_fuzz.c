#include <stdlib.h>

#include "base/json_text.h"
#include "source/http_bulk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is to be stored is one object; what is not has words; ids may stand in quotes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_bulk bulk = {.rest = slice_of((const char *)data, size)};
    struct http_bulk_item item;
    size_t items = 0;
    while (http_bulk_next(&bulk, &item)) {
        items++;
        if (!item.wrong && (!json_text_is_object(slice_trim(item.source)) ||
                                   json_text_check_whole(item.source, 128, NULL) != OK ||
                                   (item.id.at && http_bulk_check_id(item.id)))) {
            abort();
        }
    }
    if (bulk.line > 2 * items + 2 || (bulk.rest.size > 0 && !bulk.wrong)) {
        abort();
    }
    return 0;
}
