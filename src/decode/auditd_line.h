/* auditd_line: one line of a Linux audit log taken apart: which event it belongs to, and its
 * fields.
 *
 *     struct auditd_line l;
 *     if (!auditd_line_parse(line, &l)) ... no audit record
 *     // node=web1 type=CWD msg=audit(1493129355.852:624): cwd="/root"
 *     // l.node = web1, l.type = CWD, l.stamp = 1493129355.852:624, l.body =  cwd="/root"
 *     struct auditd_fields f = auditd_line_fields(&l);
 *     struct auditd_field field;
 *     while (auditd_line_next(&f, &field)) ...
 *
 * Lines stand as auditd writes them, and in a syslog envelope (audispd's syslog plugin; the
 * kernel's own "audit: type=1300 audit(...):"). All is borrowed from the line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct auditd_line {
    struct slice node;  /* node=, or the envelope's host; empty: not said */
    struct slice type;  /* by name: a kernel's number that has one becomes it */
    bool numbered;      /* it was one */
    bool enveloped;     /* something stands before it */
    struct slice stamp; /* seconds.milliseconds:serial */
    struct slice body;  /* the fields, and what auditd adds to them when it enriches */
};

bool auditd_line_parse(struct slice line, struct auditd_line *out);

enum auditd_quote {
    AUDITD_BARE,
    AUDITD_QUOTED,  /* in double quotes, which are not part of it */
    AUDITD_ENRICHED /* behind the separator 0x1D, quoted or not: nothing is hexadecimal */
};

struct auditd_field {
    struct slice name;
    struct slice value;
    enum auditd_quote quote;
};

enum { AUDITD_PARTS = 4 };

/* A body being read: itself, then what msg='...' holds, then what was added, then its SADDR={...}.
 */
struct auditd_fields {
    struct slice parts[AUDITD_PARTS];
    bool enriched[AUDITD_PARTS];
    size_t part, count;
    bool avc; /* SELinux's "avc:  denied  { read } for" comes next */
};

struct auditd_fields auditd_line_fields(const struct auditd_line *line);
/* The next field: name=value, with words without a value left out. Of SELinux's sentence come
 * seresult and seperms, as ausearch calls them. false: no more. */
bool auditd_line_next(struct auditd_fields *fields, struct auditd_field *out);
