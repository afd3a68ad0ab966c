/* syslog_listen: syslog of any number of inputs in one thread: UDP, TCP and TLS, IPv4 and IPv6
 * (RFC 3164, 5424 to 5426, 6587). What is taken goes to the intake.
 *
 *     struct syslog_listen_options options = SYSLOG_LISTEN_OPTIONS;
 *     options.intake = intake, options.inputs = inputs, options.input_count = n;
 *     TRY(syslog_listen_new(&options, &listen, diag));       // reads the certificates
 *     while (!stop) syslog_listen_step(listen, 1000);        // waits for at most a second
 *     syslog_listen_stop(listen);                            // takes what has arrived
 *     while (!syslog_listen_is_done(listen) && patience) syslog_listen_step(listen, 100);
 *     syslog_listen_free(listen);
 *
 * Each input's `listener` is bound (syslog_peer_bind) and stays the caller's; its kind is
 * "syslog-udp", "syslog-tcp" or "syslog-tls". The process ignores SIGPIPE.
 *
 * Nothing is acknowledged in these protocols. Lost without a trace, in a crash of this process, is
 * what the kernel had taken and we had not handed over; while it runs, only what is counted. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "source/intake.h"
#include "source/syslog_conn.h"
#include "source/syslog_tls.h"

struct syslog_listen_options {
    struct intake *intake;
    const struct intake_input *inputs; /* borrowed */
    size_t input_count;
    uint32_t connections;         /* at most, of all inputs */
    uint32_t address_connections; /* at most of one address, or IPv6 network of 64 bits */
    int64_t idle_ms;    /* 0: no limit. A sender that is closed loses what it sends then */
    int64_t message_ms; /* from a message's first byte to its last */
    int64_t handshake_ms;
    size_t buffered_bytes;            /* of messages begun, of all connections */
    int64_t (*now_ms)(void *context); /* monotonic; NULL: the system's */
    void *context;
};
#define SYSLOG_LISTEN_OPTIONS                                                                      \
    {                                                                                              \
        .connections = 4096, .address_connections = 512, .idle_ms = 24 * 3600 * 1000,              \
        .message_ms = 60000, .handshake_ms = 10000, .buffered_bytes = 64 << 20                     \
    }

enum {
    SYSLOG_LISTEN_TICK_MS = 1000, /* between looks at limits of time and at the kernel's drops */
    SYSLOG_LISTEN_RETRY_MS = 5,   /* between tries where the intake has no room */
    SYSLOG_LISTEN_PAUSE_MS =
            100, /* without accepting, where the system has nothing to accept with */
};

struct syslog_listen_figures {
    uint64_t accepted;
    uint64_t refused_connections; /* closed at once: too many in all */
    uint64_t refused_address;     /* too many of one address */
    uint64_t refused_descriptors; /* no descriptor was left */
    uint64_t refused_memory;
    uint64_t ended[SYSLOG_CONN_ENDS]; /* by us, and why */
    uint64_t cut;                     /* ended within a message */
    uint64_t tls_failed[SYSLOG_TLS_FAILURES];
    uint32_t open, held; /* connections at present; of them waiting for room */
};

struct syslog_listen;

/* ERR_SYNTAX: a certificate or key, ERR_USAGE: a kind, that cannot be used; diag names the input.
 */
enum err syslog_listen_new(const struct syslog_listen_options *options, struct syslog_listen **out,
        struct diag *diag) MUST_CHECK;
/* Connections that are open are closed; what they had begun is lost. */
void syslog_listen_free(struct syslog_listen *listen);
/* One round: all that is ready has a turn. */
void syslog_listen_step(struct syslog_listen *listen, int wait_ms);
/* No more is accepted; what has arrived is taken; each connection ends. */
void syslog_listen_stop(struct syslog_listen *listen);
bool syslog_listen_is_done(const struct syslog_listen *listen);
struct syslog_listen_figures syslog_listen_figures(const struct syslog_listen *listen);
