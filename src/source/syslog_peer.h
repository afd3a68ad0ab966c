/* syslog_peer: who sends: addresses as they are compared, limited and named; sockets bound to one.
 *
 *     struct syslog_peer peer = syslog_peer_of(&address);      // from recvmsg or accept
 *     char text[SYSLOG_PEER_TEXT];
 *     syslog_peer_text(&peer, text);                           // "10.1.2.3", "2001:db8::1"
 *
 *     TRY(syslog_peer_bind(SLICE("[::]:6514"), SOCK_STREAM, &socket, diag));    // by the parent
 *
 * IPv4 by way of an IPv6 socket is IPv4. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

enum {
    SYSLOG_PEER_TEXT = 46,        /* with the NUL */
    SYSLOG_PEER_QUEUE = 64 << 20, /* bytes asked for as a datagram socket's queue */
    SYSLOG_PEER_BACKLOG = 1024,   /* connections not accepted yet */
};

struct syslog_peer {
    unsigned char at[16]; /* IPv6, or IPv4 mapped (RFC 4291, section 2.5.5.2) */
};

struct syslog_peer syslog_peer_of(const struct sockaddr_storage *address);
void syslog_peer_text(const struct syslog_peer *peer, char out[SYSLOG_PEER_TEXT]);
bool syslog_peer_equal(const struct syslog_peer *a, const struct syslog_peer *b);
/* For limits: one address, or one IPv6 network of 64 bits, all of which one sender may use. */
bool syslog_peer_near(const struct syslog_peer *a, const struct syslog_peer *b);

/* "127.0.0.1:514", "[::1]:514", "0.0.0.0:0"; numbers only. Bound, listening where `type` is
 * SOCK_STREAM, not blocking, closed on exec. "[::]" takes IPv4 too. ERR_SYNTAX: no such address;
 * ERR_LIMIT: somebody has it. */
enum err syslog_peer_bind(
        struct slice address, int type, int *socket, struct diag *diag) MUST_CHECK;
