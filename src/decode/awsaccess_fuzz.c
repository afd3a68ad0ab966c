/* Any bytes as an access log of Amazon's: the same records in pieces as in one, and JSON that can
 * be read. The first byte is the size of the pieces. */
#include "decode/awsaccess.h"
#include "support/pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"c-ip", "cs-host", "cs-uri-query", "request"};
    pieces_fuzz(&awsaccess_decoder, names, 4, 600, slice_of((const char *)data, size));
    return 0;
}
