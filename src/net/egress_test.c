#include "net/egress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A receiver that gives one answer to a connection, whatever it is sent, and closes. */
struct receiver {
    const char *const *answers; /* of each connection; NULL ends them */
    int listening;
    unsigned port;
    size_t taken;
    char last[4096]; /* what came by the last one */
    pthread_t thread;
};

static const char *body_of(const char *request)
{
    const char *end = strstr(request, "\r\n\r\n");
    return end ? end + 4 : NULL;
}

/* Until the body "finding" is there, or the other side closes. */
static void read_request(struct receiver *r, int link)
{
    size_t size = 0;
    const char *body;
    do {
        ssize_t got = recv(link, r->last + size, sizeof r->last - 1 - size, 0);
        if (got <= 0) {
            break;
        }
        size += (size_t)got;
        r->last[size] = 0;
        body = body_of(r->last);
    } while (!body || strcmp(body, "finding") != 0);
}

static void *receive(void *context)
{
    struct receiver *r = context;
    for (; r->answers[r->taken]; r->taken++) {
        const char *answer = r->answers[r->taken];
        int link = accept(r->listening, NULL, NULL);
        read_request(r, link);
        send(link, answer, strlen(answer), MSG_NOSIGNAL);
        close(link);
    }
    return NULL;
}

static int bound(int type, unsigned *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, type, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void start(struct receiver *r, const char *const *answers)
{
    *r = (struct receiver){.answers = answers};
    r->listening = bound(SOCK_STREAM, &r->port);
    assert_int_equal(listen(r->listening, 8), 0);
    assert_int_equal(pthread_create(&r->thread, NULL, receive, r), 0);
}

static void end(struct receiver *r)
{
    pthread_join(r->thread, NULL);
    close(r->listening);
}

static struct egress *opened(enum egress_kind kind, const char *scheme, unsigned port)
{
    char url[64];
    struct diag diag = {0};
    struct egress *egress;
    snprintf(url, sizeof url, "%s://127.0.0.1:%u/in", scheme, port);
    const struct egress_options options = {.kind = kind, .url = url};
    assert_int_equal(egress_open(&options, &egress, &diag), OK);
    return egress;
}

static const struct egress_load load = {.bytes = {"finding", 7}, .headers = {"Merlon-Cursor: 1-1"}};

static void only_2xx_is_delivered(void **unused)
{
    (void)unused;
    static const struct {
        const char *answer;
        enum err e;
    } rows[] = {
            {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", OK},
            {"HTTP/1.1 204 None\r\n\r\n", OK},
            {"HTTP/1.1 299 ?\r\nContent-Length: 2\r\n\r\nok", OK},
            {"HTTP/1.1 300 ?\r\nContent-Length: 0\r\n\r\n", ERR_IO},
            {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
                    ERR_IO},
            {"HTTP/1.1 429 Slowly\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", ERR_IO},
            {"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", ERR_IO},
            {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", ERR_IO},
            {"HTTP/1.1 200 OK\r\nContent-Le", ERR_IO},
            {"", ERR_IO},
            {"220 mail ready\r\n", ERR_IO},
            {"HTTP/1.1 100 Continue\r\n\r\n", ERR_IO},
    };
    enum { ROWS = sizeof rows / sizeof *rows };
    for (size_t i = 0; i < ROWS; i++) {
        const char *const answers[] = {rows[i].answer, NULL};
        struct receiver r;
        struct diag diag = {0};
        start(&r, answers);
        struct egress *egress = opened(EGRESS_HTTP, "http", r.port);
        enum err e = egress_deliver(egress, &load, &diag);
        egress_close(egress);
        end(&r);
        if (e != rows[i].e) {
            print_error("%s: %s\n", rows[i].answer, diag.words);
        }
        assert_int_equal(e, rows[i].e);
        assert_true(e == OK || diag.words[0]);
        assert_non_null(strstr(r.last, "POST /in HTTP/1.1\r\n"));
        assert_non_null(strstr(r.last, "\r\nMerlon-Cursor: 1-1\r\n"));
        assert_string_equal(body_of(r.last), "finding");
    }
}

static void the_same_egress_delivers_after_failures(void **unused)
{
    (void)unused;
    static const char *const answers[] = {
            "HTTP/1.1 500 Oh\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "",
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", NULL};
    struct receiver r;
    struct diag diag = {0};
    start(&r, answers);
    struct egress *egress = opened(EGRESS_HTTP, "http", r.port);
    assert_int_equal(egress_deliver(egress, &load, &diag), ERR_IO);
    assert_int_equal(egress_deliver(egress, &load, &diag), ERR_IO);
    assert_int_equal(egress_deliver(egress, &load, &diag), OK);
    end(&r);
    assert_int_equal(egress_deliver(egress, &load, &diag), ERR_IO); /* nobody is there */
    egress_close(egress);
}

static int open_files(void)
{
    int count = 0;
    for (int file = 0; file < 1024; file++) {
        count += fcntl(file, F_GETFD) >= 0;
    }
    return count;
}

static void a_stream_that_was_closed_is_made_anew(void **unused)
{
    (void)unused;
    char got[32];
    unsigned port;
    struct diag diag = {0};
    int listening = bound(SOCK_STREAM, &port);
    assert_int_equal(listen(listening, 8), 0);
    struct egress *egress = opened(EGRESS_STREAM, "tcp", port);
    int before = open_files();
    for (int i = 0; i < 20; i++) {
        assert_int_equal(egress_deliver(egress, &load, &diag), OK);
        int link = accept(listening, NULL, NULL);
        assert_int_equal(egress_deliver(egress, &load, &diag), OK); /* by the same one */
        assert_int_equal(recv(link, got, 14, MSG_WAITALL), 14);
        assert_memory_equal(got, "findingfinding", 14);
        close(link);
    }
    assert_in_range(open_files(), before, before + 5); /* none for each that broke */
    close(listening);
    assert_int_equal(egress_deliver(egress, &load, &diag), ERR_IO);
    egress_close(egress);
    assert_int_equal(open_files(), before - 1);
}

static void a_datagram_has_a_limit(void **unused)
{
    (void)unused;
    static char large[EGRESS_DATAGRAM_BYTES + 1], got[EGRESS_DATAGRAM_BYTES + 1];
    unsigned port;
    struct diag diag = {0};
    int receiving = bound(SOCK_DGRAM, &port);
    struct egress *egress = opened(EGRESS_DATAGRAM, "udp", port);
    const struct egress_load most = {.bytes = {large, EGRESS_DATAGRAM_BYTES}};
    const struct egress_load over = {.bytes = {large, EGRESS_DATAGRAM_BYTES + 1}};
    assert_int_equal(egress_deliver(egress, &most, &diag), OK);
    assert_int_equal(egress_deliver(egress, &over, &diag), ERR_LIMIT);
    assert_int_equal(egress_deliver(egress, &load, &diag), OK);
    assert_int_equal(recv(receiving, got, sizeof got, 0), EGRESS_DATAGRAM_BYTES);
    assert_int_equal(recv(receiving, got, sizeof got, 0), 7);
    egress_close(egress);
    close(receiving);
}

static void what_is_no_url_is_refused(void **unused)
{
    (void)unused;
    static const char *const urls[] = {"", "http://", "tcp://127.0.0.1", "tcp://127.0.0.1:x"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct egress *egress;
        struct diag diag = {0};
        const struct egress_options options = {
                .kind = i < 2 ? EGRESS_HTTP : EGRESS_STREAM, .url = urls[i]};
        assert_int_equal(egress_open(&options, &egress, &diag), ERR_SYNTAX);
    }
}

static int set_up(void **unused)
{
    (void)unused;
    struct diag diag = {0};
    return egress_start(&diag) != OK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(only_2xx_is_delivered),
            cmocka_unit_test(the_same_egress_delivers_after_failures),
            cmocka_unit_test(a_stream_that_was_closed_is_made_anew),
            cmocka_unit_test(a_datagram_has_a_limit),
            cmocka_unit_test(what_is_no_url_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
