/* auditd_calls: the names of Linux' system calls by number, per machine (the kernel's
 * asm/unistd.h).
 *
 *     auditd_calls_x86_64.names[59]        // "execve"; NULL where no call has the number */
#pragma once

#include <stddef.h>

struct auditd_calls {
    const char *const *names;
    size_t count;
};

extern const struct auditd_calls auditd_calls_x86_64;
extern const struct auditd_calls auditd_calls_i386;
extern const struct auditd_calls auditd_calls_aarch64;
