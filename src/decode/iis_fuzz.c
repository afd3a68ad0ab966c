/* Any bytes as a log file of IIS. Held true, by the rig: rules and
 * people see the same values, ordinals grow, nothing is lost, and the pieces in which a stream
 * comes change nothing. */
#include <stdint.h>

#include "decode/iis.h"
#include "support/records_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    records_rig_fuzz(&iis_decoder, data, size);
    return 0;
}
