#include "source/syslog_tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/files.h"
#include "base/memory.h"

struct syslog_tls {
    SSL_CTX *context;
};

/* The PEM text itself, or the file that it names. */
static enum err read_pem(struct slice text, BIO **out, struct diag *diag)
{
    struct buf path = {0}, file = {0};
    enum err e = OK;
    if (slice_find(text, SLICE("-----BEGIN ")) != SIZE_MAX) {
        buf_add(&file, text);
    } else {
        buf_add(&path, text);
        buf_byte(&path, '\0');
        e = path.failed ? ERR_MEMORY : files_read(path.at, SYSLOG_TLS_PEM, &file, diag);
    }
    if (e == OK && !file.failed) {
        *out = BIO_new(BIO_s_mem());
        if (!*out || BIO_write(*out, file.at, (int)file.size) != (int)file.size) {
            BIO_free(*out);
            e = ERR_MEMORY;
        }
    }
    e = e == OK && file.failed ? ERR_MEMORY : e;
    if (file.at) {
        OPENSSL_cleanse(file.at, file.size);
    }
    buf_fini(&path);
    buf_fini(&file);
    return e;
}

static enum err refuse(struct diag *diag, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    return diag_say(diag, ERR_SYNTAX, "%s: %s", what, reason ? reason : "nothing that can be used");
}

/* The certificate, and those that lead from it to its authority. */
static enum err use_chain(SSL_CTX *context, struct slice text, struct diag *diag)
{
    BIO *bio;
    TRY(read_pem(text, &bio, diag));
    X509 *own = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
    bool good = own && SSL_CTX_use_certificate(context, own) == 1;
    enum err e = good ? OK : refuse(diag, "certificate");
    X509_free(own);
    X509 *next;
    while (good && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        if (SSL_CTX_add0_chain_cert(context, next) != 1) {
            X509_free(next);
            e = ERR_MEMORY;
            break;
        }
    }
    BIO_free(bio);
    return e;
}

/* Nobody sits there to type a pass phrase. */
static int no_phrase(char *at, int size, int writing, void *context)
{
    (void)at, (void)size, (void)writing, (void)context;
    return 0;
}

static enum err use_key(SSL_CTX *context, struct slice text, struct diag *diag)
{
    BIO *bio;
    TRY(read_pem(text, &bio, diag));
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_phrase, NULL);
    bool good = key && SSL_CTX_use_PrivateKey(context, key) == 1 &&
                SSL_CTX_check_private_key(context) == 1;
    enum err e = good ? OK : refuse(diag, "key");
    EVP_PKEY_free(key);
    BIO_free(bio);
    return e;
}

static enum err use_authority(SSL_CTX *context, struct slice text, struct diag *diag)
{
    BIO *bio;
    TRY(read_pem(text, &bio, diag));
    size_t count = 0;
    for (X509 *next; (next = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL; count++) {
        bool good = X509_STORE_add_cert(SSL_CTX_get_cert_store(context), next) == 1 &&
                    SSL_CTX_add_client_CA(context, next) == 1;
        X509_free(next);
        if (!good) {
            count = 0;
            break;
        }
    }
    BIO_free(bio);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return count > 0 ? OK : refuse(diag, "authority");
}

enum err syslog_tls_new(
        const struct intake_input *input, struct syslog_tls **out, struct diag *diag)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    struct syslog_tls *tls = memory_alloc(sizeof *tls);
    enum err e = context && tls ? OK : ERR_MEMORY;
    if (e == OK) {
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
        SSL_CTX_set_options(context,
                SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        /* A sender that says its piece and goes would answer a ticket with a reset, and with it
         * the bytes that we have not read are gone. */
        SSL_CTX_set_num_tickets(context, 0);
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        ERR_clear_error();
        e = use_chain(context, input->certificate, diag);
    }
    if (e == OK) {
        e = use_key(context, input->key, diag);
    }
    if (e == OK && input->authority.size > 0) {
        e = use_authority(context, input->authority, diag);
    }
    ERR_clear_error();
    if (e != OK) {
        SSL_CTX_free(context);
        memory_free(tls);
        return e;
    }
    tls->context = context;
    *out = tls;
    return OK;
}

void syslog_tls_free(struct syslog_tls *tls)
{
    if (tls) {
        SSL_CTX_free(tls->context);
        memory_free(tls);
    }
}

enum err syslog_tls_accept(struct syslog_tls *tls, int socket, struct ssl_st **out)
{
    SSL *session = SSL_new(tls->context);
    if (!session || SSL_set_fd(session, socket) != 1) {
        SSL_free(session);
        ERR_clear_error();
        return ERR_MEMORY;
    }
    SSL_set_accept_state(session);
    *out = session;
    return OK;
}

void syslog_tls_close(struct ssl_st *session)
{
    if (session) {
        ERR_clear_error();
        if (SSL_is_init_finished(session)) {
            (void)SSL_shutdown(session);
        }
        SSL_free(session);
        ERR_clear_error();
    }
}

static enum syslog_tls_failure explain(const SSL *session)
{
    unsigned long e = ERR_peek_error();
    if (e == 0) {
        return SYSLOG_TLS_CLOSED;
    }
    switch (ERR_GET_REASON(e)) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return SYSLOG_TLS_NO_CERTIFICATE;
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
        return SYSLOG_TLS_UNTRUSTED;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
        return SYSLOG_TLS_VERSION;
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_BAD_PACKET_LENGTH:
        return SYSLOG_TLS_NO_TLS;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
        return SYSLOG_TLS_CLOSED;
    default:
        return ERR_GET_REASON(e) > SSL_AD_REASON_OFFSET && !SSL_is_init_finished(session)
                       ? SYSLOG_TLS_CLOSED
                       : SYSLOG_TLS_OTHER;
    }
}

enum syslog_tls_state syslog_tls_handshake(struct ssl_st *session, enum syslog_tls_failure *failure)
{
    ERR_clear_error();
    int result = SSL_do_handshake(session);
    if (result == 1) {
        return SYSLOG_TLS_OK;
    }
    switch (SSL_get_error(session, result)) {
    case SSL_ERROR_WANT_READ:
        return SYSLOG_TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return SYSLOG_TLS_WANT_WRITE;
    default:
        *failure = explain(session);
        ERR_clear_error();
        return SYSLOG_TLS_ENDED;
    }
}

enum syslog_tls_state syslog_tls_read(struct ssl_st *session, char *at, size_t size, size_t *got)
{
    ERR_clear_error();
    if (SSL_read_ex(session, at, size, got) == 1) {
        return SYSLOG_TLS_OK;
    }
    switch (SSL_get_error(session, 0)) {
    case SSL_ERROR_WANT_READ:
        return SYSLOG_TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return SYSLOG_TLS_WANT_WRITE;
    default:
        ERR_clear_error();
        return SYSLOG_TLS_ENDED;
    }
}

bool syslog_tls_has_more(const struct ssl_st *session)
{
    return SSL_has_pending(session) == 1;
}

struct slice syslog_tls_subject(const struct ssl_st *session, char out[SYSLOG_TLS_SUBJECT])
{
    enum { DIGITS = 16 };
    X509 *certificate = SSL_get0_peer_certificate(session);
    BIO *bio = certificate ? BIO_new(BIO_s_mem()) : NULL;
    char *text = NULL;
    long size = 0;
    /* Escapes control bytes and what is no ASCII, so that it may stand in a name. */
    if (bio &&
            X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0) {
        size = BIO_get_mem_data(bio, &text);
    }
    size_t kept = size > 0 ? (size_t)size : 0;
    if (kept > SYSLOG_TLS_SUBJECT) {
        struct digest digest;
        char hex[DIGEST_HEX];
        digest_init(&digest);
        digest_add(&digest, slice_of(text, kept));
        digest_hex(&digest, hex);
        kept = SYSLOG_TLS_SUBJECT;
        memcpy(out + kept - DIGITS, hex, DIGITS);
        memcpy(out, text, kept - DIGITS);
    } else if (kept > 0) {
        memcpy(out, text, kept);
    }
    BIO_free(bio);
    return slice_of(out, kept);
}

const char *syslog_tls_failure_name(enum syslog_tls_failure failure)
{
    static const char *const names[SYSLOG_TLS_FAILURES] = {
            [SYSLOG_TLS_CLOSED] = "closed",
            [SYSLOG_TLS_SLOW] = "slow",
            [SYSLOG_TLS_NO_TLS] = "no_tls",
            [SYSLOG_TLS_VERSION] = "version",
            [SYSLOG_TLS_NO_CERTIFICATE] = "no_certificate",
            [SYSLOG_TLS_UNTRUSTED] = "untrusted",
            [SYSLOG_TLS_OTHER] = "other",
    };
    return names[failure];
}
