/* syslog_udp: datagrams of one socket into the intake, each a message (RFC 5426).
 *
 *     TRY(syslog_udp_new(input, intake, &udp, diag));      // input->listener is bound
 *     switch (syslog_udp_read(udp)) ...                    // when readable
 *     syslog_udp_tick(udp);                                // each second, and at the end
 *
 * What follows one another of one sender is one batch. Where the intake has no room nothing is read
 * and the kernel's queue holds; what it drops then is counted, for "NAME/(any)": a datagram that
 * was dropped does not say whose it was. */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "source/intake.h"

enum {
    SYSLOG_UDP_BATCH = 128,      /* datagrams a system call */
    SYSLOG_UDP_ROUNDS = 16,      /* calls before others have their turn */
    SYSLOG_UDP_BYTES = 65536,    /* of a datagram: more cannot come */
    SYSLOG_UDP_FRAME = 256 << 10 /* bytes collected at most before they are handed over */
};

enum syslog_udp_state {
    SYSLOG_UDP_IDLE, /* the queue is empty */
    SYSLOG_UDP_MORE, /* it is not, but others have their turn */
    SYSLOG_UDP_HELD, /* the intake has no room: read again later */
};

struct syslog_udp;

/* Owner of *out: the caller, by syslog_udp_free; the socket stays the caller's. */
enum err syslog_udp_new(const struct intake_input *input, struct intake *intake,
        struct syslog_udp **out, struct diag *diag) MUST_CHECK;
void syslog_udp_free(struct syslog_udp *udp);
enum syslog_udp_state syslog_udp_read(struct syslog_udp *udp);
/* Counts what the kernel dropped, also where nothing comes any more that would tell. */
void syslog_udp_tick(struct syslog_udp *udp);
