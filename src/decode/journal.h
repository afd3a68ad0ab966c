/* journal: systemd's journal as `journalctl -o export` writes it ("Journal Export Formats").
 *
 *     __REALTIME_TIMESTAMP=1709287200000000
 *     SYSLOG_IDENTIFIER=sshd
 *     MESSAGE=Failed password for root from 192.0.2.1 port 22 ssh2
 *                                                       (an empty line ends the entry)
 *
 * A field's value is text up to the end of its line, or binary: the name alone on a line, the size
 * as 64 bits (little endian), so many bytes, and a newline. Fields have the journal's names; what
 * decode/message.h finds in MESSAGE stands beside them. `-o json` is JSON. */
#pragma once

#include "event/decoder.h"

extern const struct decoder journal_decoder;

/* Bytes of the entry at the front, its empty line included; 0: it does not end in `bytes`. */
size_t journal_entry(struct slice bytes);
