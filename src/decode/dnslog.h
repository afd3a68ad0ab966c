/* dnslog: what the log messages of name servers say: BIND 9, Unbound, dnsmasq.
 *
 *     client @0x7f62 192.0.2.1#555 (a.example): query: a.example IN AAAA +E(0) (192.0.2.53)
 *         action query, src_ip, src_port, query a.example, class IN, record_type AAAA, flags,
 * dst_ip [17265:13] info: 192.0.2.1 a.example. A IN NOERROR 0.0 1 45 action reply, pid, tid, level,
 * src_ip, query a.example, record_type A, class IN, rcode reply a.example is 192.0.2.7 action
 * reply, query a.example, answer 192.0.2.7
 *
 * The functions are message_parsers (decode/message.h) for what syslog carries, and serve the
 * servers' own files (decode/dns.h). Names of the root and of its own go without the last dot, as
 * Sigma's rules have them. false: nothing was put. */
#pragma once

#include <stdbool.h>

#include "base/slice.h"
#include "decode/fields.h"

bool dnslog_bind(struct fields_sink *sink, struct slice program, struct slice text);
bool dnslog_unbound(struct fields_sink *sink, struct slice program, struct slice text);
bool dnslog_dnsmasq(struct fields_sink *sink, struct slice program, struct slice text);

/* "queries: info: " in front of BIND's messages; *text is then behind it. false: it is not there.
 */
bool dnslog_bind_front(struct slice *text, struct slice *category, struct slice *severity);
/* "[17265:13] info: " in front of Unbound's. */
bool dnslog_unbound_front(
        struct slice *text, struct slice *pid, struct slice *tid, struct slice *level);
