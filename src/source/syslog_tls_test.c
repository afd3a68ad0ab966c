#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "source/syslog_listen.h"
#include "source/syslog_peer.h"
#include "support/certificates.h"
#include "support/harbour.h"

enum { ROUNDS = 3000 };

struct rig {
    struct harbour h;
    struct certificate authority, server, relay, stranger;
    struct intake_input input;
    struct sockaddr_storage name;
    struct syslog_listen *listen;
    SSL_CTX *context;
    int64_t now_ms;
};

static int64_t rig_now(void *context)
{
    return ((struct rig *)context)->now_ms;
}

static int make_with(void **state, bool mutual)
{
    struct rig *r = calloc(1, sizeof *r);
    socklen_t size = sizeof r->name;
    if (!r || !harbour_init(&r->h, 1 << 20) ||
            !certificate_make(&r->authority, "authority", NULL) ||
            !certificate_make(&r->server, "centre", &r->authority) ||
            !certificate_make(&r->relay, "relay7", &r->authority) ||
            !certificate_make(&r->stranger, "stranger", NULL)) {
        return -1;
    }
    r->input = (struct intake_input){.name = SLICE("s"),
            .kind = SLICE("syslog-tls"),
            .tenant = SLICE("t"),
            .certificate = buf_slice(&r->server.pem),
            .key = buf_slice(&r->server.key_pem),
            .record_bytes = 300000};
    if (mutual) {
        r->input.authority = buf_slice(&r->authority.pem);
    }
    if (syslog_peer_bind(SLICE("127.0.0.1:0"), SOCK_STREAM, &r->input.listener, NULL) != OK) {
        return -1;
    }
    getsockname(r->input.listener, (struct sockaddr *)&r->name, &size);
    struct syslog_listen_options options = SYSLOG_LISTEN_OPTIONS;
    options.intake = &r->h.intake;
    options.inputs = &r->input;
    options.input_count = 1;
    options.now_ms = rig_now;
    options.context = r;
    r->now_ms = 1000;
    r->context = SSL_CTX_new(TLS_client_method());
    *state = r;
    return syslog_listen_new(&options, &r->listen, NULL) == OK && r->context ? 0 : -1;
}

static int make(void **state)
{
    return make_with(state, false);
}

static int make_mutual(void **state)
{
    return make_with(state, true);
}

static int drop(void **state)
{
    struct rig *r = *state;
    syslog_listen_free(r->listen);
    close(r->input.listener);
    SSL_CTX_free(r->context);
    certificate_fini(&r->authority);
    certificate_fini(&r->server);
    certificate_fini(&r->relay);
    certificate_fini(&r->stranger);
    harbour_fini(&r->h);
    free(r);
    return 0;
}

static int client(struct rig *r)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&r->name, sizeof(struct sockaddr_in)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void use(struct rig *r, const struct certificate *own)
{
    SSL_CTX_use_certificate(r->context, own->x509);
    SSL_CTX_use_PrivateKey(r->context, own->key);
}

/* Both sides in turn until the client has sent all; NULL: it was refused. */
static SSL *talk(struct rig *r, int fd, const char *text, size_t size)
{
    SSL *session = SSL_new(r->context);
    SSL_set_fd(session, fd);
    SSL_set_connect_state(session);
    SSL_set_mode(session, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    for (int i = 0; i < ROUNDS && size > 0; i++) {
        int n = SSL_write(session, text, (int)size);
        int e = n > 0 ? 0 : SSL_get_error(session, n);
        if (e != 0 && e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE) {
            SSL_free(session);
            return NULL;
        }
        text += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
        syslog_listen_step(r->listen, 1);
        assert_true(harbour_take(&r->h));
    }
    assert_int_equal(size, 0);
    return session;
}

static void expect(struct rig *r, const char *expected)
{
    for (int i = 0; i < ROUNDS && strcmp(harbour_seen(&r->h), expected) != 0; i++) {
        syslog_listen_step(r->listen, 10);
        assert_true(harbour_take(&r->h));
    }
    assert_string_equal(harbour_seen(&r->h), expected);
}

static uint64_t failed(struct rig *r, enum syslog_tls_failure why)
{
    for (int i = 0; i < ROUNDS && syslog_listen_figures(r->listen).tls_failed[why] == 0; i++) {
        syslog_listen_step(r->listen, 10);
    }
    return syslog_listen_figures(r->listen).tls_failed[why];
}

static void messages_come_over_tls(void **state)
{
    struct rig *r = *state;
    int fd = client(r);
    const char *text = "6 <1>one6 <1>two6 <1>th";
    SSL *session = talk(r, fd, text, strlen(text));
    assert_non_null(session);
    expect(r, "s/127.0.0.1|<1>one\ns/127.0.0.1|<1>two\n");
    buf_clear(&r->h.seen);
    SSL_shutdown(session);
    close(fd);
    SSL_free(session);
    expect(r, "!s/127.0.0.1|framing: the connection ended within a message|6 <1>th\n");
}

static void what_was_sent_before_closing_is_taken(void **state)
{
    struct rig *r = *state;
    static char big[200000];
    r->h.quiet = true;
    memset(big, 'x', sizeof big);
    for (size_t i = 99; i < sizeof big; i += 100) {
        big[i] = '\n';
    }
    int fd = client(r);
    SSL *session = talk(r, fd, big, sizeof big);
    assert_non_null(session);
    close(fd); /* without a word */
    SSL_free(session);
    for (int i = 0; i < ROUNDS && r->h.records < 2000; i++) {
        syslog_listen_step(r->listen, 10);
        assert_true(harbour_take(&r->h));
    }
    assert_int_equal(r->h.records, 2000);
}

static void the_certificate_is_part_of_the_source(void **state)
{
    struct rig *r = *state;
    int fd = client(r);
    use(r, &r->relay);
    SSL *session = talk(r, fd, "<1>a\n", 5);
    assert_non_null(session);
    expect(r, "s/127.0.0.1/CN=relay7|<1>a\n");
    SSL_free(session);
    close(fd);
}

static void a_long_subject_ends_with_a_digest(void **state)
{
    struct rig *r = *state;
    struct certificate other;
    char name[65];
    memset(name, '\"', 64); /* escaped: twice as long */
    name[64] = '\0';
    assert_true(certificate_make(&other, name, &r->authority));
    int fd = client(r);
    use(r, &other);
    SSL *session = talk(r, fd, "<1>a\n", 5);
    assert_non_null(session);
    for (int i = 0; i < ROUNDS && r->h.records == 0; i++) {
        syslog_listen_step(r->listen, 10);
        assert_true(harbour_take(&r->h));
    }
    assert_int_equal(strlen(harbour_seen(&r->h)), strlen("s/127.0.0.1/") + SYSLOG_TLS_SUBJECT + 6);
    SSL_free(session);
    close(fd);
    certificate_fini(&other);
}

static void without_a_certificate_nobody_comes_in(void **state)
{
    struct rig *r = *state;
    int fd = client(r);
    SSL *session = talk(r, fd, "<1>a\n", 5);
    assert_int_equal(failed(r, SYSLOG_TLS_NO_CERTIFICATE), 1);
    assert_int_equal(r->h.frames, 0);
    SSL_free(session);
    close(fd);
}

static void a_strangers_certificate_is_refused(void **state)
{
    struct rig *r = *state;
    int fd = client(r);
    use(r, &r->stranger);
    SSL *session = talk(r, fd, "<1>a\n", 5);
    assert_int_equal(failed(r, SYSLOG_TLS_UNTRUSTED), 1);
    assert_int_equal(r->h.frames, 0);
    SSL_free(session);
    close(fd);
}

static void old_versions_are_refused(void **state)
{
    struct rig *r = *state;
    int fd = client(r);
    SSL_CTX_set_security_level(r->context, 0);
    SSL_CTX_set_min_proto_version(r->context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(r->context, TLS1_1_VERSION);
    assert_null(talk(r, fd, "<1>a\n", 5));
    assert_int_equal(failed(r, SYSLOG_TLS_VERSION), 1);
    close(fd);
}

static void what_is_no_tls_is_refused_by_name(void **state)
{
    struct rig *r = *state;
    int a = client(r), b = client(r);
    assert_int_equal(send(a, "<1>plain syslog\n<1>more\n", 24, 0), 24);
    assert_int_equal(failed(r, SYSLOG_TLS_NO_TLS), 1);
    syslog_listen_step(r->listen, 10);
    close(b);
    assert_int_equal(failed(r, SYSLOG_TLS_CLOSED), 1);
    close(a);
}

static void a_handshake_that_takes_too_long_is_ended(void **state)
{
    struct rig *r = *state;
    int fd = client(r);
    for (int i = 0; i < ROUNDS && syslog_listen_figures(r->listen).open == 0; i++) {
        syslog_listen_step(r->listen, 10);
    }
    r->now_ms += 10001;
    assert_int_equal(failed(r, SYSLOG_TLS_SLOW), 1);
    syslog_listen_step(r->listen, 10);
    assert_int_equal(syslog_listen_figures(r->listen).open, 0);
    close(fd);
}

static void bad_certificates_are_named_at_the_start(void **state)
{
    struct rig *r = *state;
    struct syslog_listen_options options = SYSLOG_LISTEN_OPTIONS;
    struct intake_input input = r->input;
    struct syslog_listen *listen = NULL;
    struct diag diag;
    options.intake = &r->h.intake;
    options.inputs = &input;
    options.input_count = 1;
    input.key = buf_slice(&r->relay.key_pem);
    assert_int_equal(syslog_listen_new(&options, &listen, &diag), ERR_SYNTAX);
    assert_non_null(strstr(diag.words, "input s: key: "));
    input = r->input;
    input.certificate = SLICE("/nowhere/to/be/found.pem");
    assert_int_equal(syslog_listen_new(&options, &listen, &diag), ERR_IO);
    input.certificate = SLICE("-----BEGIN nothing");
    assert_int_equal(syslog_listen_new(&options, &listen, &diag), ERR_SYNTAX);
    input = r->input;
    input.authority = SLICE("-----BEGIN nothing");
    assert_int_equal(syslog_listen_new(&options, &listen, &diag), ERR_SYNTAX);
    assert_null(listen);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(messages_come_over_tls, make, drop),
            cmocka_unit_test_setup_teardown(what_was_sent_before_closing_is_taken, make, drop),
            cmocka_unit_test_setup_teardown(
                    the_certificate_is_part_of_the_source, make_mutual, drop),
            cmocka_unit_test_setup_teardown(a_long_subject_ends_with_a_digest, make_mutual, drop),
            cmocka_unit_test_setup_teardown(
                    without_a_certificate_nobody_comes_in, make_mutual, drop),
            cmocka_unit_test_setup_teardown(a_strangers_certificate_is_refused, make_mutual, drop),
            cmocka_unit_test_setup_teardown(old_versions_are_refused, make, drop),
            cmocka_unit_test_setup_teardown(what_is_no_tls_is_refused_by_name, make, drop),
            cmocka_unit_test_setup_teardown(a_handshake_that_takes_too_long_is_ended, make, drop),
            cmocka_unit_test_setup_teardown(bad_certificates_are_named_at_the_start, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
