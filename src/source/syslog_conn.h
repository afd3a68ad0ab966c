/* syslog_conn: one connection of syslog, plain or TLS: bytes read, cut into messages, handed over.
 *
 *     struct syslog_conn_from from = {input, tls, socket, peer};
 *     TRY(syslog_conn_new(&desk, &from, &conn));
 *     switch (syslog_conn_go(conn)) ...                 // whenever its socket is ready
 *     syslog_conn_late(conn, now_ms)                    // each second: why it has to go
 *     syslog_conn_free(conn);
 *
 * A turn reads once, at most SYSLOG_CONN_READ bytes, so that none keeps others waiting. Where the
 * intake has no room the connection is held: nothing is read from it and nothing is lost. A
 * connection that ends within a message leaves the piece to quarantine. Memory for messages that
 * have begun is shared by all connections; over the limit one at a time may have more of it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "source/intake.h"
#include "source/syslog_peer.h"
#include "source/syslog_tls.h"

enum { SYSLOG_CONN_READ = 64 << 10 };

enum syslog_conn_state {
    SYSLOG_CONN_READ_ON,  /* wait until its socket is readable */
    SYSLOG_CONN_WRITE_ON, /* or writable: TLS has something to say */
    SYSLOG_CONN_MORE,     /* go again, without waiting, after the others */
    SYSLOG_CONN_HELD,     /* go again when there may be room */
    SYSLOG_CONN_ENDED,    /* all that it sent is handed over: free it */
};

/* Why a connection is closed by us; each is counted. */
enum syslog_conn_end {
    SYSLOG_CONN_STAYS,
    SYSLOG_CONN_IDLE,      /* nothing came for idle_ms */
    SYSLOG_CONN_SLOW,      /* a message that began was not whole within message_ms */
    SYSLOG_CONN_HANDSHAKE, /* TLS: likewise */
    SYSLOG_CONN_ENDS,
};

struct syslog_conn;

/* What the connections of a loop share. */
struct syslog_desk {
    struct intake *intake;
    int64_t now_ms;          /* of this round, monotonic */
    int64_t idle_ms;         /* 0: no limit */
    int64_t message_ms;      /* 0: no limit */
    int64_t handshake_ms;    /* 0: no limit */
    size_t buffered_limit;   /* bytes of messages begun, of all connections */
    size_t buffered;         /* bytes at present */
    struct syslog_conn *big; /* who may have more than is left */
    unsigned handshakes;     /* that may go on in this round: each may cost a millisecond */
    uint64_t cut;            /* connections that ended within a message */
    uint64_t tls_failed[SYSLOG_TLS_FAILURES];
    struct intake_batch batch; /* of the connection whose turn it is */
    char bytes[SYSLOG_CONN_READ];
};

struct syslog_conn_from {
    const struct intake_input *input;
    struct syslog_tls *tls; /* NULL: plain */
    int socket;             /* the connection's once it is made */
    struct syslog_peer peer;
};

/* Owner of *out: the caller, by syslog_conn_free. */
enum err syslog_conn_new(struct syslog_desk *desk, const struct syslog_conn_from *from,
        struct syslog_conn **out) MUST_CHECK;
void syslog_conn_free(struct syslog_conn *conn);
enum syslog_conn_state syslog_conn_go(struct syslog_conn *conn);
/* The last turn found nothing to read. */
bool syslog_conn_is_dry(const struct syslog_conn *conn);
enum syslog_conn_end syslog_conn_late(const struct syslog_conn *conn);
/* No more is read; what it has begun goes to quarantine. Go until it ends. */
void syslog_conn_end(struct syslog_conn *conn);
