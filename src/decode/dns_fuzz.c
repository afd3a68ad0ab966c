/* Any bytes as a log of BIND, Unbound and dnsmasq. Held true, by the rig: rules and
 * people see the same values, ordinals grow, nothing is lost, and the pieces in which a stream
 * comes change nothing. */
#include <stdint.h>

#include "decode/dns.h"
#include "decode/syslog.h"
#include "support/records_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    records_rig_fuzz(&dns_bind_decoder, data, size);
    records_rig_fuzz(&dns_unbound_decoder, data, size);
    records_rig_fuzz(&syslog_decoder, data, size);
    return 0;
}
