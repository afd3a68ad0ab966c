/* Any bytes as an access log of Amazon's: the same records in pieces as in one, and JSON that can
 * be read. The first byte is the size of the pieces. */
#include <stdio.h>
#include <stdlib.h>

#include "decode/awsaccess.h"
#include "support/pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"c-ip", "cs-host", "cs-uri-query", "request"};
    static struct pieces pieces;
    struct buf whole = {0}, parts = {0};
    if (size == 0) {
        return 0;
    }
    if (!pieces.reader) {
        if (pieces_init(&pieces, &awsaccess_decoder, names, 4) != OK) {
            abort();
        }
        pieces.limits.record_bytes = 600;
        pieces.decoder->reader_free(pieces.reader);
        if (awsaccess_decoder.reader_new(pieces.paths, &pieces.limits, &pieces.reader) != OK) {
            abort();
        }
    }
    struct slice stream = slice_of((const char *)data + 1, size - 1);
    pieces_read(&pieces, stream, 1 << 20, &whole);
    pieces_read(&pieces, stream, data[0] + 1u, &parts);
    if (!slice_equal(buf_slice(&whole), buf_slice(&parts))) {
        fprintf(stderr, "whole:\n%.*s\npieces:\n%.*s\n", SLICE_ARG(buf_slice(&whole)),
                SLICE_ARG(buf_slice(&parts)));
        abort();
    }
    (void)awsaccess_decoder.recognise(stream, true);
    buf_fini(&whole);
    buf_fini(&parts);
    return 0;
}
