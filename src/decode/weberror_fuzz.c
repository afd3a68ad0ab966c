/* Any bytes as an error log of Apache and of nginx. Held true, by the rig: rules and
 * people see the same values, ordinals grow, nothing is lost, and the pieces in which a stream
 * comes change nothing. */
#include <stdint.h>

#include "decode/weberror.h"
#include "support/records_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    records_rig_fuzz(&weberror_apache_decoder, data, size);
    records_rig_fuzz(&weberror_nginx_decoder, data, size);
    return 0;
}
