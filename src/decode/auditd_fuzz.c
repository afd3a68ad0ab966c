/* Any bytes as an audit log. The first byte chooses the size of pieces. Held true, by the rig:
 * rules and people see the same values, ordinals grow, nothing is lost; and the pieces in which a
 * stream comes change nothing. */
#include <stdint.h>
#include <stdlib.h>

#include "decode/auditd.h"
#include "support/records_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole = {0}, pieces = {0};
    if (size == 0) {
        return 0;
    }
    struct slice stream = slice_of((const char *)data + 1, size - 1);
    records_rig_read(&auditd_decoder, stream, size + 1, 4096, &whole);
    records_rig_read(&auditd_decoder, stream, (size_t)data[0] + 1, 4096, &pieces);
    if (!slice_equal(buf_slice(&whole), buf_slice(&pieces))) {
        abort();
    }
    buf_fini(&whole);
    buf_fini(&pieces);
    return 0;
}
