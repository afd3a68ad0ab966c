/* auditd_text: the values that the audit system writes in code: hexadecimal text, socket
 * addresses, numbers of system calls and machines.
 *
 *     struct slice text;
 *     if (auditd_text_is_hex(value)) text = auditd_text_from_hex(arena, value);  // 2F746D70: /tmp
 *
 * Text goes into the arena; .at is NULL when it refuses. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

/* An even number of upper-case hexadecimal digits, at least two: as the kernel writes text that
 * has blanks, quotes or control bytes (audit_log_n_hex). */
bool auditd_text_is_hex(struct slice value);
/* The bytes that it stands for, as they are. */
struct slice auditd_text_from_hex(struct arena *arena, struct slice hex);
/* The same, with the NUL bytes that divide a command line's words as blanks; those at the end are
 * dropped. */
struct slice auditd_text_title(struct arena *arena, struct slice hex);

/* saddr=: the struct sockaddr of a little-endian machine. Names as auditd's when it enriches. */
struct auditd_address {
    struct slice family; /* inet, inet6, local, netlink... */
    struct slice address;
    struct slice port;
    struct slice path; /* of a local socket; an abstract one's begins with '@' */
};
/* false: not hexadecimal, too short, an unknown family, or no memory. */
bool auditd_text_address(struct arena *arena, struct slice saddr, struct auditd_address *out);

/* arch=: "c000003e" is x86_64. Empty: not known. */
struct slice auditd_text_arch(struct slice arch);
/* syscall= of an arch=: execve. Empty: not known. */
struct slice auditd_text_syscall(struct slice arch, struct slice number);
