/* address: IP addresses and networks for |cidr.
 *
 *     struct cidr net;
 *     address_network(SLICE("10.0.0.0/8"), &net) && address_within(&net, SLICE("10.1.2.3"))
 *
 * IPv4 as four decimal numbers without leading zeros, IPv6 as in RFC 4291 section 2.2; a zone
 * (RFC 4007) is left out of account. The families are apart: ::ffff:10.1.2.3 is not in 10.0.0.0/8.
 * Bits of the network's address behind the prefix do not count. */
#pragma once

#include <stdbool.h>

#include "base/slice.h"
#include "sigma/predicate.h"

/* false: it is none. Without a prefix: the address alone. */
bool address_network(struct slice text, struct cidr *out);
bool address_within(const struct cidr *network, struct slice text);
/* "10.0.0.0/8" in its canonical form. to: at least ADDRESS_TEXT bytes. */
enum { ADDRESS_TEXT = 64 };
struct slice address_write(const struct cidr *network, char *to);
