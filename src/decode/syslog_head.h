/* syslog_head: the header of a syslog line, in all the dialects that logs have.
 *
 *     struct syslog_head head;
 *     syslog_head_read(line, &memory, &head);
 *     "<38>Nov 22 16:02:33 web-01 sshd[341]: Failed password for root"
 *         pri 38, time "Nov 22 16:02:33", host "web-01", program "sshd", pid "341",
 *         message "Failed password for root"
 *
 * RFC 5424 where the line follows its grammar to the end of the structured data (`version` is set
 * then); where only the structured data does not, the header counts and the rest is the message.
 * Everything else is read as RFC 3164 section 5.4 and common sense allow: each part may be
 * missing, and what is none of them is the message. Nothing is refused.
 *
 *     <34>Oct 11 22:14:15 host su[1]: m     RFC 3164, also without <PRI>, as files have it
 *     2024-03-01T12:00:00.5+01:00 host su: m    rsyslog's and syslog-ng's ISO 8601, in files and
 * sent Mar 22 2024 10:00:00 host : %ASA-6-302013: m      Cisco: a year, a lone colon, a mnemonic
 *     364241: *Mar  1 18:46:11.123 UTC: %SYS-5-CONFIG_I: m       a number, an unset clock, a zone
 *     Mar  1 10:00:00 sshd[1]: m            no host; Mar  1 10:00:00 su: m
 *     Mar  1 10:00:00 <auth.info> host su: m     FreeBSD; host notice apmd[1]: m     F5
 *     121 <34>1 ...                         a length in front (RFC 6587) */
#pragma once

#include <stdbool.h>

#include "base/slice.h"
#include "decode/syslog_time.h"

struct syslog_head {
    int pri;              /* 0 to 191; -1: none */
    struct slice version; /* size 0: not RFC 5424 to the letter */
    struct syslog_time time;
    struct slice host; /* size 0: none, as for all that follow */
    struct slice program;
    struct slice module; /* in parentheses behind the program: "pam_unix" */
    struct slice pid;
    struct slice msgid;
    struct slice data; /* structured data, brackets and all; valid */
    struct slice message;
};

/* `memory` makes it faster; the result does not depend on it. */
void syslog_head_read(
        struct slice line, struct syslog_time_memory *memory, struct syslog_head *head);

/* An element of valid structured data: its name, and what stands behind it up to the bracket. */
bool syslog_head_element(struct slice *data, struct slice *id, struct slice *params);
/* A parameter: `value` is the inside of its quotes, with escapes (RFC 5424 section 6.3.3). */
bool syslog_head_param(struct slice *params, struct slice *name, struct slice *value);
