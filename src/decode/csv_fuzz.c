/* Any bytes as a table: the same records in pieces as in one, and JSON that can be read. The
 * first byte is the size of the pieces. */
#include "decode/csv.h"
#include "support/pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"a", "b", "c", "Operation"};
    pieces_fuzz(&csv_decoder, names, 4, 200, slice_of((const char *)data, size));
    return 0;
}
