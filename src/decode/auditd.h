/* auditd: the Linux audit log: lines that name the same event are read as one.
 *
 *     type=SYSCALL msg=audit(1493129355.852:624): arch=c000003e syscall=59 ... exe="/bin/ls"
 *     type=EXECVE msg=audit(1493129355.852:624): argc=2 a0="ls" a1="-l"
 *
 * is one event, whose `type` is SYSCALL and EXECVE. Each line is an ordinal; an event has that of
 * its first line. Its raw bytes are its lines; where lines of other events stand between them, a
 * copy without those. decode/auditd_parse.h says what its fields are, decode/auditd_cut.h how far
 * apart its lines may stand. */
#pragma once

#include "event/decoder.h"

extern const struct decoder auditd_decoder;
