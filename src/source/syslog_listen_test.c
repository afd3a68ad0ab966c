#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "source/syslog_listen.h"
#include "source/syslog_peer.h"
#include "support/harbour.h"

enum { UDP, TCP, UDP6, TCP6, PORTS, ROUNDS = 2000 };

static const char *const addresses[] = {"127.0.0.1:0", "127.0.0.1:0", "[::1]:0", "[::]:0"};

struct rig {
    struct harbour h;
    struct intake_input inputs[PORTS];
    struct sockaddr_storage names[PORTS];
    struct syslog_listen_options options;
    struct syslog_listen *listen;
    int64_t now_ms;
};

static int64_t rig_now(void *context)
{
    return ((struct rig *)context)->now_ms;
}

static bool bind_all(struct rig *r)
{
    for (int i = 0; i < PORTS; i++) {
        bool udp = i == UDP || i == UDP6;
        socklen_t size = sizeof r->names[i];
        r->inputs[i] = (struct intake_input){.name = udp ? SLICE("u") : SLICE("c"),
                .kind = udp ? SLICE("syslog-udp") : SLICE("syslog-tcp"),
                .tenant = SLICE("t"),
                .record_bytes = 100000};
        if (syslog_peer_bind(slice_text(addresses[i]), udp ? SOCK_DGRAM : SOCK_STREAM,
                    &r->inputs[i].listener, NULL) != OK) {
            return false;
        }
        getsockname(r->inputs[i].listener, (struct sockaddr *)&r->names[i], &size);
    }
    return true;
}

static int make_with(void **state, size_t channel_bytes)
{
    struct rig *r = calloc(1, sizeof *r);
    struct diag diag = {0};
    if (!r || !harbour_init(&r->h, channel_bytes) || !bind_all(r)) {
        return -1;
    }
    r->now_ms = 1000;
    r->options = (struct syslog_listen_options)SYSLOG_LISTEN_OPTIONS;
    r->options.intake = &r->h.intake;
    r->options.inputs = r->inputs;
    r->options.input_count = PORTS;
    r->options.connections = 6;
    r->options.address_connections = 4;
    r->options.idle_ms = 600000;
    r->options.now_ms = rig_now;
    r->options.context = r;
    if (syslog_listen_new(&r->options, &r->listen, &diag) != OK) {
        fprintf(stderr, "%s\n", diag.words);
        return -1;
    }
    *state = r;
    return 0;
}

static int make(void **state)
{
    return make_with(state, 1 << 20);
}

static int make_small(void **state)
{
    return make_with(state, 256 << 10);
}

static int drop(void **state)
{
    struct rig *r = *state;
    syslog_listen_free(r->listen);
    for (int i = 0; i < PORTS; i++) {
        close(r->inputs[i].listener);
    }
    harbour_fini(&r->h);
    free(r);
    return 0;
}

static int client(struct rig *r, int port)
{
    int type = port == UDP || port == UDP6 ? SOCK_DGRAM : SOCK_STREAM;
    int fd = socket(r->names[port].ss_family, type, 0);
    struct sockaddr_storage name = r->names[port];
    if (port == TCP6) {
        ((struct sockaddr_in6 *)&name)->sin6_addr = in6addr_loopback;
    }
    socklen_t size =
            name.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, size), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Rounds until what was seen is as expected. */
static void expect(struct rig *r, const char *expected)
{
    for (int i = 0; i < ROUNDS; i++) {
        assert_true(harbour_take(&r->h));
        if (strcmp(harbour_seen(&r->h), expected) == 0) {
            buf_clear(&r->h.seen);
            return;
        }
        syslog_listen_step(r->listen, 10);
    }
    assert_string_equal(harbour_seen(&r->h), expected);
}

/* Rounds until so many connections are open. */
static void expect_open(struct rig *r, uint32_t open)
{
    for (int i = 0; i < ROUNDS && syslog_listen_figures(r->listen).open != open; i++) {
        syslog_listen_step(r->listen, 10);
    }
    assert_int_equal(syslog_listen_figures(r->listen).open, open);
}

/* Rounds until nothing has happened for some. */
static void settle(struct rig *r)
{
    for (int i = 0; i < 5; i++) {
        syslog_listen_step(r->listen, 2);
    }
}

static void datagrams_are_messages_of_their_sender(void **state)
{
    struct rig *r = *state;
    int a = client(r, UDP), b = client(r, UDP6);
    say(a, "<1>one");
    say(a, "<1>two\n");
    expect(r, "u/127.0.0.1|<1>one\nu/127.0.0.1|<1>two\n");
    say(b, "<1>six");
    expect(r, "u/::1|<1>six\n");
    assert_int_equal(counts_totals(harbour_counts(&r->h, "u/127.0.0.1")).received, 2);
    close(a);
    close(b);
}

static void datagrams_of_one_sender_are_one_frame(void **state)
{
    struct rig *r = *state;
    int a = client(r, UDP);
    for (int i = 0; i < 100; i++) {
        say(a, "<1>x");
    }
    for (int i = 0; i < ROUNDS && r->h.records < 100; i++) {
        syslog_listen_step(r->listen, 10);
        assert_true(harbour_take(&r->h));
    }
    assert_int_equal(r->h.records, 100);
    assert_int_equal(r->h.frames, 1);
    close(a);
}

static void streams_are_cut_and_their_pieces_kept(void **state)
{
    struct rig *r = *state;
    int a = client(r, TCP), b = client(r, TCP6);
    say(a, "<1>one\n6 <1>two<1>th");
    expect(r, "c/127.0.0.1|<1>one\nc/127.0.0.1|<1>two\n");
    say(a, "ree\n");
    expect(r, "c/127.0.0.1|<1>three\n");
    say(b, "<1>v6\n");
    expect(r, "c/::1|<1>v6\n");
    say(a, "<1>fou");
    close(a);
    expect(r, "!c/127.0.0.1|framing: the connection ended within a message|<1>fou\n");
    assert_int_equal(syslog_listen_figures(r->listen).cut, 1);
    close(b);
    expect_open(r, 0);
    assert_int_equal(syslog_listen_figures(r->listen).cut, 1);
}

static void what_is_too_long_is_rejected_and_the_rest_goes_on(void **state)
{
    struct rig *r = *state;
    r->h.quiet = true;
    int a = client(r, TCP);
    static char big[100002];
    memset(big, 'x', sizeof big);
    big[100000] = '\n';
    assert_int_equal(send(a, big, 100001, 0), 100001);
    big[100000] = 'x';
    big[100001] = '\n';
    assert_int_equal(send(a, big, 100002, 0), 100002);
    say(a, "<1>next\n");
    for (int i = 0; i < ROUNDS && r->h.records < 2; i++) {
        syslog_listen_step(r->listen, 10);
        assert_true(harbour_take(&r->h));
    }
    assert_int_equal(r->h.records, 2);
    assert_int_equal(harbour_counts(&r->h, "c/127.0.0.1")->rejected[COUNTS_TOO_LONG], 1);
    assert_int_equal(counts_totals(harbour_counts(&r->h, "c/127.0.0.1")).received, 3);
    close(a);
}

/* Sends messages of 1,000 bytes until the kernel takes no more; a last part is left out. */
static int fill(struct rig *r, int fd)
{
    int sent = 0;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (int idle = 0; idle < 20;) {
        char message[1001];
        snprintf(message, sizeof message, "%0999d", sent);
        message[999] = '\n';
        ssize_t n = send(fd, message, 1000, MSG_NOSIGNAL);
        sent += n == 1000;
        if (n > 0 && n < 1000) {
            break;
        }
        idle = n > 0 ? 0 : idle + 1;
        syslog_listen_step(r->listen, n > 0 ? 0 : 1);
    }
    return sent;
}

static void without_room_nothing_is_read_and_nothing_lost(void **state)
{
    struct rig *r = *state;
    r->h.quiet = true;
    int a = client(r, TCP);
    int sent = fill(r, a);
    assert_true(sent > 100);
    assert_int_equal(syslog_listen_figures(r->listen).held, 1);
    close(a);
    r->now_ms += 300000; /* limits do not run while we are the ones who are late */
    settle(r);
    for (int i = 0; i < ROUNDS && r->h.records < (uint64_t)sent; i++) {
        assert_true(harbour_take(&r->h));
        r->now_ms += SYSLOG_LISTEN_RETRY_MS;
        syslog_listen_step(r->listen, 10);
    }
    assert_int_equal(r->h.records, sent);
}

static void a_held_connection_keeps_nobody_else_waiting(void **state)
{
    struct rig *r = *state;
    int a = client(r, TCP), b = client(r, TCP);
    fill(r, a);
    say(b, "<1>b\n");
    settle(r);
    for (int i = 0; i < ROUNDS; i++) {
        r->now_ms += SYSLOG_LISTEN_RETRY_MS;
        syslog_listen_step(r->listen, 10);
        assert_true(harbour_take(&r->h));
        if (strstr(harbour_seen(&r->h), "|<1>b\n")) {
            break;
        }
    }
    assert_non_null(strstr(harbour_seen(&r->h), "|<1>b\n"));
    close(a);
    close(b);
}

static void without_room_the_kernel_drops_datagrams_and_all_are_counted(void **state)
{
    struct rig *r = *state;
    r->h.quiet = true;
    int small = 65536, a = client(r, UDP);
    setsockopt(r->inputs[UDP].listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    char message[500];
    memset(message, 'x', sizeof message);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(send(a, message, sizeof message, 0), sizeof message);
        if (i % 50 == 0) {
            syslog_listen_step(r->listen, 0);
        }
    }
    for (int i = 0; i < 200; i++) {
        r->now_ms += 100;
        syslog_listen_step(r->listen, 1);
        assert_true(harbour_take(&r->h));
    }
    const struct counts_source *lost = harbour_counts(&r->h, "u/(any)");
    assert_true(lost->dropped[COUNTS_KERNEL] > 0);
    assert_int_equal(r->h.records + lost->dropped[COUNTS_KERNEL], 1000);
    assert_int_equal(counts_totals(lost).received +
                             counts_totals(harbour_counts(&r->h, "u/127.0.0.1")).received,
            1000);
    close(a);
}

static void connections_are_limited_in_all_and_for_each_address(void **state)
{
    struct rig *r = *state;
    int fds[10];
    for (int i = 0; i < 5; i++) {
        fds[i] = client(r, TCP);
    }
    expect_open(r, 4);
    for (int i = 5; i < 10; i++) {
        fds[i] = client(r, TCP6);
    }
    expect_open(r, 6);
    for (int i = 0; i < ROUNDS; i++) {
        struct syslog_listen_figures f = syslog_listen_figures(r->listen);
        if (f.refused_address == 1 && f.refused_connections == 3) {
            break;
        }
        syslog_listen_step(r->listen, 10);
    }
    struct syslog_listen_figures f = syslog_listen_figures(r->listen);
    assert_int_equal(f.refused_address, 1);
    assert_int_equal(f.refused_connections, 3);
    for (int i = 0; i < 10; i++) {
        close(fds[i]);
    }
    expect_open(r, 0);
    int again = client(r, TCP);
    expect_open(r, 1);
    close(again);
}

static void who_is_slow_or_idle_goes(void **state)
{
    struct rig *r = *state;
    int slow = client(r, TCP), idle = client(r, TCP), busy = client(r, TCP);
    say(slow, "<1>o");
    expect_open(r, 3);
    settle(r);
    r->now_ms += 60000;
    settle(r);
    expect_open(r, 3);
    r->now_ms += 1001;
    say(slow, "n");
    expect(r, "!c/127.0.0.1|framing: the connection ended within a message|<1>on\n");
    expect_open(r, 2);
    say(busy, "<1>a\n");
    expect(r, "c/127.0.0.1|<1>a\n");
    r->now_ms += 600001 - 61001;
    settle(r);
    expect_open(r, 1);
    assert_int_equal(syslog_listen_figures(r->listen).ended[SYSLOG_CONN_SLOW], 1);
    assert_int_equal(syslog_listen_figures(r->listen).ended[SYSLOG_CONN_IDLE], 1);
    close(slow);
    close(idle);
    close(busy);
}

static void without_descriptors_who_comes_is_refused(void **state)
{
    struct rig *r = *state;
    int a = client(r, TCP), b = client(r, TCP);
    int highest = dup(0);
    struct rlimit before, none;
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = (rlim_t)highest; /* the one that dup gave is the first that is not allowed */
    close(highest);
    setrlimit(RLIMIT_NOFILE, &none);
    for (int i = 0; i < ROUNDS && syslog_listen_figures(r->listen).refused_descriptors < 2; i++) {
        syslog_listen_step(r->listen, 10);
    }
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(syslog_listen_figures(r->listen).refused_descriptors, 2);
    int c = client(r, TCP);
    say(c, "<1>c\n");
    expect(r, "c/127.0.0.1|<1>c\n");
    close(a);
    close(b);
    close(c);
}

static void at_the_end_what_has_arrived_is_taken(void **state)
{
    struct rig *r = *state;
    int a = client(r, TCP), u = client(r, UDP);
    say(a, "<1>one\n");
    expect(r, "c/127.0.0.1|<1>one\n");
    say(a, "<1>two\n<1>thr");
    say(u, "<1>u");
    syslog_listen_stop(r->listen);
    for (int i = 0; i < ROUNDS && !syslog_listen_is_done(r->listen); i++) {
        syslog_listen_step(r->listen, 10);
    }
    assert_true(syslog_listen_is_done(r->listen));
    assert_true(harbour_take(&r->h));
    assert_non_null(strstr(harbour_seen(&r->h), "u/127.0.0.1|<1>u\n"));
    assert_non_null(strstr(harbour_seen(&r->h), "c/127.0.0.1|<1>two\n"));
    assert_non_null(strstr(harbour_seen(&r->h), "within a message|<1>thr\n"));
    close(a);
    close(u);
}

static void at_the_end_all_that_the_kernel_has_is_taken(void **state)
{
    struct rig *r = *state;
    static char lines[400001];
    r->h.quiet = true;
    memset(lines, 'x', sizeof lines - 1);
    for (size_t i = 99; i < sizeof lines; i += 100) {
        lines[i] = '\n';
    }
    int a = client(r, TCP);
    say(a, "<1>one\n");
    for (int i = 0; i < ROUNDS && r->h.records < 1; i++) {
        syslog_listen_step(r->listen, 10);
        assert_true(harbour_take(&r->h));
    }
    fcntl(a, F_SETFL, O_NONBLOCK);
    ssize_t sent = send(a, lines, sizeof lines - 1, 0);
    assert_true(sent > 2 * SYSLOG_CONN_READ);
    close(a);
    syslog_listen_stop(r->listen);
    for (int i = 0; i < ROUNDS && !syslog_listen_is_done(r->listen); i++) {
        syslog_listen_step(r->listen, 10);
        assert_true(harbour_take(&r->h));
    }
    assert_int_equal(r->h.records, 1 + sent / 100);
}

static void what_is_rejected_waits_for_room_too(void **state)
{
    struct rig *r = *state;
    static char big[100005];
    memset(big, 'x', sizeof big - 1);
    struct intake_batch batch = {.input = r->inputs, .source = SLICE("filler")};
    uint64_t position;
    do {
        frame_records_add(&batch.records, SLICE("filler"));
    } while (intake_put(&r->h.intake, &batch, &position) == OK);
    frame_records_fini(&batch.records);
    big[100001] = '\n';
    int a = client(r, TCP);
    assert_int_equal(send(a, big, 100002, 0), 100002);
    say(a, "<1>b\n");
    for (int i = 0; i < 20; i++) {
        r->now_ms += SYSLOG_LISTEN_RETRY_MS;
        syslog_listen_step(r->listen, 1);
    }
    assert_int_equal(syslog_listen_figures(r->listen).held, 1);
    assert_true(harbour_take(&r->h));
    buf_clear(&r->h.seen);
    for (int i = 0; i < ROUNDS && !strstr(harbour_seen(&r->h), "|<1>b\n"); i++) {
        r->now_ms += SYSLOG_LISTEN_RETRY_MS;
        syslog_listen_step(r->listen, 1);
        assert_true(harbour_take(&r->h));
    }
    assert_non_null(strstr(harbour_seen(&r->h), "\nc/127.0.0.1|<1>b\n"));
    assert_int_equal(harbour_counts(&r->h, "c/127.0.0.1")->rejected[COUNTS_TOO_LONG], 1);
    assert_int_equal(counts_totals(harbour_counts(&r->h, "c/127.0.0.1")).received, 2);
    close(a);
}

static void addresses_are_numbers_with_a_port(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "127.0.0.1", "localhost:514", "127.0.0.1:", ":514",
            "127.0.0.1:65536", "127.0.0.1:x", "[::1:514", "[::1]514", "1.2.3:5",
            "127.0.0.1:000001"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int fd = -1;
        enum err e = syslog_peer_bind(slice_text(bad[i]), SOCK_DGRAM, &fd, NULL);
        assert_int_equal(e, ERR_SYNTAX);
        assert_int_equal(fd, -1);
    }
}

static void an_address_that_somebody_has_is_told_from_a_wrong_one(void **state)
{
    struct rig *r = *state;
    const struct sockaddr_in *name = (const struct sockaddr_in *)&r->names[UDP];
    char address[32];
    int fd = -1;
    snprintf(address, sizeof address, "127.0.0.1:%u", ntohs(name->sin_port));
    assert_int_equal(syslog_peer_bind(slice_text(address), SOCK_DGRAM, &fd, NULL), ERR_LIMIT);
    assert_int_equal(fd, -1);
    assert_int_equal(syslog_peer_bind(SLICE("192.0.2.1:0"), SOCK_DGRAM, &fd, NULL), ERR_IO);
    assert_int_equal(fd, -1);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(datagrams_are_messages_of_their_sender, make, drop),
            cmocka_unit_test_setup_teardown(datagrams_of_one_sender_are_one_frame, make, drop),
            cmocka_unit_test_setup_teardown(streams_are_cut_and_their_pieces_kept, make, drop),
            cmocka_unit_test_setup_teardown(
                    what_is_too_long_is_rejected_and_the_rest_goes_on, make, drop),
            cmocka_unit_test_setup_teardown(
                    without_room_nothing_is_read_and_nothing_lost, make_small, drop),
            cmocka_unit_test_setup_teardown(
                    a_held_connection_keeps_nobody_else_waiting, make_small, drop),
            cmocka_unit_test_setup_teardown(
                    without_room_the_kernel_drops_datagrams_and_all_are_counted, make_small, drop),
            cmocka_unit_test_setup_teardown(
                    connections_are_limited_in_all_and_for_each_address, make, drop),
            cmocka_unit_test_setup_teardown(who_is_slow_or_idle_goes, make, drop),
            cmocka_unit_test_setup_teardown(without_descriptors_who_comes_is_refused, make, drop),
            cmocka_unit_test_setup_teardown(at_the_end_what_has_arrived_is_taken, make, drop),
            cmocka_unit_test_setup_teardown(
                    at_the_end_all_that_the_kernel_has_is_taken, make, drop),
            cmocka_unit_test_setup_teardown(what_is_rejected_waits_for_room_too, make_small, drop),
            cmocka_unit_test_setup_teardown(
                    an_address_that_somebody_has_is_told_from_a_wrong_one, make, drop),
            cmocka_unit_test(addresses_are_numbers_with_a_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
