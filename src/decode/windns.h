/* windns: the debug log of Microsoft's DNS server (dns.log), its PACKET lines.
 *
 *     6/5/2013 10:00:32 AM 0E70 PACKET  00000000033397A0 UDP Rcv 192.0.2.1  5b47   Q [0001   D   \
 *             NOERROR] A      (1)a(7)example(0)
 *         timestamp 2013-06-05T10:00:32, thread, packet, protocol UDP, direction Rcv, src_ip, xid,
 *         action query, opcode Q, flags_hex, flags, rcode NOERROR, record_type A, query a.example
 *
 * A received packet has the peer at src_ip, a sent one at dst_ip. Every other line is a record with
 * a message alone. A date with blanks and AM or PM behind it has the month first; without these the
 * day, unless that is over 12. */
#pragma once

#include "event/decoder.h"

extern const struct decoder windns_decoder;
