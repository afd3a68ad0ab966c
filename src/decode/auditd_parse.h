/* auditd_parse: the fields of one audit event, which is one line or several of the same stamp.
 *
 *     type=SYSCALL msg=audit(1493129355.852:624): arch=c000003e syscall=59 success=yes
 * exe="/bin/ls" type=EXECVE msg=audit(1493129355.852:624): argc=2 a0="ls" a1="-l" type=CWD
 * msg=audit(1493129355.852:624): cwd="/root"
 *
 * gives type (SYSCALL, EXECVE and CWD), arch, syscall, success, exe, argc, a0, a1, cwd, ... as they
 * stand there, hexadecimal text decoded, and what auditd adds when it enriches a record (ARCH,
 * SYSCALL, saddr_fam, laddr, lport, path) also where it did not. Of our own are `cmdline`, the
 * words of EXECVE joined by blanks, and `file_created` and `file_deleted`, the absolute names of
 * PATH records. Where there are words of EXECVE, a0 to a3 are those; the four numbers of the
 * SYSCALL record are then syscall_a0 to syscall_a3. */
#pragma once

#include "decode/fields.h"

extern const struct fields_form auditd_parse_form;

/* A record by itself, as the text of a message of syslog: `type=CWD msg=audit(1.2:3): ...` or
 * `CWD cwd=...`. A message_parser (decode/message.h): false: it is none. */
bool auditd_parse_message(struct fields_sink *sink, struct slice program, struct slice text);
