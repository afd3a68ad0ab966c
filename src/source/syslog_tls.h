/* syslog_tls: TLS under a connection of syslog (RFC 5425), by OpenSSL: 1.2 or newer.
 *
 *     TRY(syslog_tls_new(input, &tls, diag));            // certificate, key, authority: PEM, or
 * paths TRY(syslog_tls_accept(tls, socket, &session)); switch (syslog_tls_handshake(session,
 * &failure)) ...       // until SYSLOG_TLS_OK switch (syslog_tls_read(session, at, size, &got)) ...
 *     syslog_tls_subject(session, text, sizeof text)     // "CN=relay7,O=moh" where it was asked
 * for
 *
 * Never blocks. With an authority, senders need a certificate that it signed. Whoever calls this
 * ignores SIGPIPE. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/err.h"
#include "source/intake.h"

struct ssl_st;
struct syslog_tls;

enum { SYSLOG_TLS_PEM = 1 << 20, SYSLOG_TLS_SUBJECT = 80 };

enum syslog_tls_state {
    SYSLOG_TLS_OK,
    SYSLOG_TLS_WANT_READ,
    SYSLOG_TLS_WANT_WRITE,
    SYSLOG_TLS_ENDED, /* the other side closed, cleanly or not */
};

/* Why a handshake failed. */
enum syslog_tls_failure {
    SYSLOG_TLS_CLOSED,         /* the other side went away, or refused our certificate */
    SYSLOG_TLS_SLOW,           /* it took too long */
    SYSLOG_TLS_NO_TLS,         /* what came is not TLS */
    SYSLOG_TLS_VERSION,        /* no version in common */
    SYSLOG_TLS_NO_CERTIFICATE, /* none was sent, and one is needed */
    SYSLOG_TLS_UNTRUSTED,      /* the one that was sent does not hold */
    SYSLOG_TLS_OTHER,
    SYSLOG_TLS_FAILURES,
};

enum err syslog_tls_new(
        const struct intake_input *input, struct syslog_tls **out, struct diag *diag) MUST_CHECK;
void syslog_tls_free(struct syslog_tls *tls);
enum err syslog_tls_accept(struct syslog_tls *tls, int socket, struct ssl_st **out) MUST_CHECK;
/* Says goodbye where it can be said without waiting. */
void syslog_tls_close(struct ssl_st *session);
enum syslog_tls_state syslog_tls_handshake(
        struct ssl_st *session, enum syslog_tls_failure *failure);
enum syslog_tls_state syslog_tls_read(struct ssl_st *session, char *at, size_t size, size_t *got);
/* There are bytes that no event of the socket will tell of. */
bool syslog_tls_has_more(const struct ssl_st *session);
/* The subject of the sender's certificate (RFC 2253), of which the end is replaced by a digest
 * where it is long; empty where there is none. At most SYSLOG_TLS_SUBJECT bytes. */
struct slice syslog_tls_subject(const struct ssl_st *session, char out[SYSLOG_TLS_SUBJECT]);
const char *syslog_tls_failure_name(enum syslog_tls_failure failure); /* "no_certificate" */
