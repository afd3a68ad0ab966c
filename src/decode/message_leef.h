/* message_leef: the Log Event Extended Format (IBM QRadar, LEEF 1.0 and 2.0).
 *
 *     LEEF:1.0|Vendor|Product|1.0|100|src=192.0.2.1<tab>usrName=alice
 *     LEEF:2.0|Vendor|Product|1.0|100|x5E|src=192.0.2.1^usrName=alice
 *         leefVersion, deviceVendor, deviceProduct, deviceVersion, eventID; src, usrName
 *
 * 2.0 names the divider: one character, or x or 0x and its number in hex. Where it names none, and
 * in 1.0, it is a tab; syslog daemons that write a tab as #011 are understood, and so are senders
 * that put blanks there. */
#pragma once

#include "decode/message.h"

bool message_leef(struct fields_sink *sink, struct slice text);
