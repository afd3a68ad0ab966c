/* Any bytes as a Zeek log: the same records in pieces as in one, and JSON that can be read. The
 * first byte is the size of the pieces. */
#include "decode/zeek.h"
#include "support/pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"_path", "a", "b", "ts"};
    pieces_fuzz(&zeek_decoder, names, 4, 200, slice_of((const char *)data, size));
    return 0;
}
