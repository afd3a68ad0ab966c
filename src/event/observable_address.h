/* observable_address: addresses of IPv4 and IPv6 (RFC 4291 section 2.2), as bytes.
 *
 *     unsigned char bytes[16];
 *     size_t size = observable_address(SLICE("::ffff:192.0.2.1"), bytes);    // 4: c0 00 02 01
 *
 * Decimal numbers have no leading zeros: with one, systems disagree about what it means. */
#pragma once

#include <stddef.h>

#include "base/slice.h"

/* 4 or 16 bytes; their number, 0: the text is no address. */
size_t observable_address(struct slice text, unsigned char bytes[16]);
