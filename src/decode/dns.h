/* dns: the files that name servers write by themselves: BIND 9, Unbound.
 *
 *     28-Nov-2024 15:26:27.498 queries: info: client @0x7f62 192.0.2.1#555 (a): query: a IN A + ()
 *     [1570526945] unbound[17265:13] info: 192.0.2.1 a.example. A IN
 *
 * The time and category in front may be missing, as they are configured. What a message says:
 * decode/dnslog.h; the text itself is `message`. In syslog (dnsmasq writes nothing else) the same
 * is read by decode/syslog.h. */
#pragma once

#include "event/decoder.h"

extern const struct decoder dns_bind_decoder;
extern const struct decoder dns_unbound_decoder;
