/* syslog: lines of syslog daemons, files and senders, with what their messages say.
 *
 *     extern const struct decoder syslog_decoder;        // a row of decode/decoders.c
 *     <38>1 2026-11-22T16:02:33.3Z web-01 sshd 341 - - Failed password for root from 192.0.2.1 ...
 *         timestamp, host, facility auth, severity info, program sshd, pid 341, message, and what
 *         decode/message.h finds in it; sd.ID.PARAM for each parameter of structured data
 *
 * A line that is no syslog at all is a record with a message alone: a stack trace in a log must not
 * be lost, and it may be CEF, LEEF or pairs without an envelope. The headers: decode/syslog_head.h;
 * the times: decode/syslog_time.h; doc/formats.md has the whole. */
#pragma once

#include "event/decoder.h"

extern const struct decoder syslog_decoder;
