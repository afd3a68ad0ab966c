/* message_pairs: messages of name=value pairs: netfilter's, Postfix's, firewalls'.
 *
 *     [UFW BLOCK] IN=eth0 OUT= MAC=... SRC=192.0.2.1 DST=... PROTO=TCP SPT=4711 DPT=22 SYN
 *         the kernel's names, source.ip and its like, rule.name "UFW BLOCK"
 *     date=2024-03-01 time=12:00:00 devname="fw-1" srcip=192.0.2.1 msg="a \"b\""
 *         each name as it stands, values without quotes */
#pragma once

#include "decode/message.h"

bool message_pairs_kernel(struct fields_sink *sink, struct slice program, struct slice text);
/* "4F9D195432: to=<a@example.org>, relay=..., status=sent (250 OK)" */
bool message_pairs_postfix(struct fields_sink *sink, struct slice program, struct slice text);

/* Any message that begins with a pair and has at least two. Between pairs stand blanks, commas,
 * semicolons, bars or tabs: whatever stands behind the first value. Quotes are double or single;
 * a backslash in them escapes a quote and itself. Where pairs are divided by more than a blank, a
 * value without quotes may hold blanks. */
bool message_pairs(struct fields_sink *sink, struct slice text);
/* The same from where pairs begin, without counting. */
void message_pairs_put(struct fields_sink *sink, struct slice text);
