#include "source/syslog_listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "source/syslog_peer.h"
#include "source/syslog_udp.h"

enum {
    EVENTS = 256,     /* of a round */
    ACCEPTS = 32,     /* of one input in a round */
    HANDSHAKES = 8,   /* steps of a round */
    KEEPALIVE_S = 60, /* of silence until the other side is asked whether it is there */
    KEEPALIVE_EVERY_S = 15,
    KEEPALIVE_TRIES = 4,
};

/* What a connection or a socket of datagrams waits for. */
enum waits { WAITS_FREE, WAITS_READ, WAITS_WRITE, WAITS_TURN, WAITS_ROOM };

/* An input. */
struct port {
    const struct intake_input *input;
    struct syslog_udp *udp; /* or NULL */
    struct syslog_tls *tls; /* or NULL */
    enum waits waits;
    int64_t pause_ms; /* until then nothing is accepted; 0: none */
};

struct line {
    struct syslog_conn *conn;
    int socket;
    bool watched; /* by epoll */
};

struct syslog_listen {
    struct syslog_listen_options options;
    struct syslog_listen_figures figures;
    int epoll;
    int reserve; /* a descriptor to give up where none is left, so that somebody can be refused */
    struct port *ports;
    struct line *lines;        /* options.connections of them */
    struct syslog_peer *peers; /* theirs, together: they are searched */
    unsigned char *waits;      /* theirs: enum waits */
    uint32_t used;             /* lines below it may be in use */
    uint32_t waiting[WAITS_ROOM + 1];
    int64_t ticked_ms, retried_ms;
    bool stopping;
    struct syslog_desk desk;
};

static int64_t system_ms(void *context)
{
    (void)context;
    return clock_steady_ns() / 1000000;
}

static int64_t look_at_clock(struct syslog_listen *l)
{
    l->desk.now_ms = l->options.now_ms(l->options.context);
    return l->desk.now_ms;
}

/* Ports and lines stand in epoll's data as their numbers, ports first. */
static bool watch(struct syslog_listen *l, int operation, int socket, uint32_t events, uint64_t as)
{
    struct epoll_event event = {.events = events, .data.u64 = as};
    return epoll_ctl(l->epoll, operation, socket, &event) == 0;
}

static enum err open_port(struct syslog_listen *l, size_t i, struct diag *diag)
{
    const struct intake_input *input = &l->options.inputs[i];
    struct port *port = &l->ports[i];
    port->input = input;
    if (slice_equal(input->kind, SLICE("syslog-udp"))) {
        TRY(syslog_udp_new(input, l->options.intake, &port->udp, diag));
    } else if (slice_equal(input->kind, SLICE("syslog-tls"))) {
        struct diag why = {0};
        enum err e = syslog_tls_new(input, &port->tls, &why);
        if (e != OK) {
            return diag_say(diag, e, "input %.*s: %s", SLICE_ARG(input->name), why.words);
        }
    } else if (!slice_equal(input->kind, SLICE("syslog-tcp"))) {
        return diag_say(diag, ERR_USAGE, "input %.*s: '%.*s' is not syslog", SLICE_ARG(input->name),
                SLICE_ARG(input->kind));
    }
    port->waits = WAITS_READ;
    return watch(l, EPOLL_CTL_ADD, input->listener, EPOLLIN, i)
                   ? OK
                   : diag_say(diag, ERR_IO, "input %.*s: cannot be listened to",
                             SLICE_ARG(input->name));
}

static enum err make(struct syslog_listen *l, struct diag *diag)
{
    uint32_t n = l->options.connections;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->reserve = eventfd(0, EFD_CLOEXEC);
    l->ports = memory_alloc_array(l->options.input_count, sizeof *l->ports);
    l->lines = memory_alloc_array(n, sizeof *l->lines);
    l->peers = memory_alloc_array(n, sizeof *l->peers);
    l->waits = memory_alloc_array(n, 1);
    if ((!l->ports && l->options.input_count > 0) || !l->lines || !l->peers || !l->waits) {
        return diag_say(diag, ERR_MEMORY, "no memory for %u connections", n);
    }
    if (l->epoll < 0 || l->reserve < 0) {
        return diag_say(diag, ERR_IO, "no descriptors to listen with");
    }
    for (size_t i = 0; i < l->options.input_count; i++) {
        TRY(open_port(l, i, diag));
    }
    return OK;
}

enum err syslog_listen_new(
        const struct syslog_listen_options *options, struct syslog_listen **out, struct diag *diag)
{
    struct syslog_listen *l = memory_alloc(sizeof *l);
    if (!l) {
        return diag_say(diag, ERR_MEMORY, "no memory to listen");
    }
    l->options = *options;
    l->options.now_ms = options->now_ms ? options->now_ms : system_ms;
    l->desk.intake = options->intake;
    l->desk.idle_ms = options->idle_ms;
    l->desk.message_ms = options->message_ms;
    l->desk.handshake_ms = options->handshake_ms;
    l->desk.buffered_limit = options->buffered_bytes;
    l->ticked_ms = l->retried_ms = look_at_clock(l);
    enum err e = make(l, diag);
    if (e != OK) {
        syslog_listen_free(l);
        return e;
    }
    *out = l;
    return OK;
}

static void set_waits(struct syslog_listen *l, uint32_t i, enum waits waits)
{
    l->waiting[l->waits[i]]--;
    l->waiting[waits]++;
    l->waits[i] = (unsigned char)waits;
}

static void drop_line(struct syslog_listen *l, uint32_t i)
{
    /* What is closed leaves epoll by itself. */
    syslog_conn_free(l->lines[i].conn);
    l->lines[i] = (struct line){0};
    l->peers[i] = (struct syslog_peer){0};
    set_waits(l, i, WAITS_FREE);
    while (l->used > 0 && l->waits[l->used - 1] == WAITS_FREE) {
        l->used--;
    }
}

void syslog_listen_free(struct syslog_listen *l)
{
    if (!l) {
        return;
    }
    while (l->lines && l->used > 0) {
        drop_line(l, l->used - 1);
    }
    for (size_t i = 0; l->ports && i < l->options.input_count; i++) {
        syslog_udp_free(l->ports[i].udp);
        syslog_tls_free(l->ports[i].tls);
    }
    frame_records_fini(&l->desk.batch.records);
    memory_free(l->ports);
    memory_free(l->lines);
    memory_free(l->peers);
    memory_free(l->waits);
    if (l->epoll >= 0) {
        close(l->epoll);
    }
    if (l->reserve >= 0) {
        close(l->reserve);
    }
    memory_free(l);
}

/* ---- connections ------------------------------------------------------------------------------
 */

/* A line that waits for room or its turn is not watched: epoll would tell of its end for ever. */
static void keep_watch(struct syslog_listen *l, uint32_t i, enum waits waits)
{
    struct line *line = &l->lines[i];
    bool wanted = waits == WAITS_READ || waits == WAITS_WRITE;
    if (waits == l->waits[i] && wanted == line->watched) {
        return;
    }
    int operation = !wanted ? EPOLL_CTL_DEL : line->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (wanted || line->watched) {
        uint32_t events = waits == WAITS_WRITE ? EPOLLOUT : EPOLLIN;
        bool done = watch(l, operation, line->socket, events, l->options.input_count + i);
        line->watched = wanted && done;
        /* Not watched for want of memory: it is looked at again like those that wait for room. */
        waits = wanted && !done ? WAITS_ROOM : waits;
    }
    set_waits(l, i, waits);
}

static void take_turn(struct syslog_listen *l, uint32_t i)
{
    static const enum waits after[] = {
            [SYSLOG_CONN_READ_ON] = WAITS_READ,
            [SYSLOG_CONN_WRITE_ON] = WAITS_WRITE,
            [SYSLOG_CONN_MORE] = WAITS_TURN,
            [SYSLOG_CONN_HELD] = WAITS_ROOM,
    };
    enum syslog_conn_state state = syslog_conn_go(l->lines[i].conn);
    if (state == SYSLOG_CONN_ENDED) {
        drop_line(l, i);
        return;
    }
    if (l->stopping && (state == SYSLOG_CONN_READ_ON || state == SYSLOG_CONN_WRITE_ON)) {
        if (syslog_conn_is_dry(l->lines[i].conn)) {
            syslog_conn_end(l->lines[i].conn);
        }
        state = SYSLOG_CONN_MORE;
    }
    keep_watch(l, i, after[state]);
}

static uint32_t count_near(const struct syslog_listen *l, const struct syslog_peer *peer)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < l->used; i++) {
        count += l->waits[i] != WAITS_FREE && syslog_peer_near(&l->peers[i], peer);
    }
    return count;
}

static void settle_socket(int socket)
{
    int on = 1, idle = KEEPALIVE_S, every = KEEPALIVE_EVERY_S, tries = KEEPALIVE_TRIES;
    (void)setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    (void)setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
    (void)setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof tries);
}

/* Who came is let in, or refused and counted. */
static void admit(struct syslog_listen *l, struct port *port, int socket,
        const struct sockaddr_storage *address)
{
    struct syslog_conn_from from = {port->input, port->tls, socket, syslog_peer_of(address)};
    struct syslog_conn *conn = NULL;
    uint64_t *refused = NULL;
    uint32_t i = 0;
    while (i < l->used && l->waits[i] != WAITS_FREE) {
        i++;
    }
    if (i == l->options.connections) {
        refused = &l->figures.refused_connections;
    } else if (count_near(l, &from.peer) >= l->options.address_connections) {
        refused = &l->figures.refused_address;
    } else if (syslog_conn_new(&l->desk, &from, &conn) != OK) {
        refused = &l->figures.refused_memory;
    }
    if (refused) {
        (*refused)++;
        close(socket);
        return;
    }
    settle_socket(socket);
    l->figures.accepted++;
    l->lines[i] = (struct line){.conn = conn, .socket = socket};
    l->peers[i] = from.peer;
    l->used = i < l->used ? l->used : i + 1;
    l->waiting[WAITS_FREE]++;
    set_waits(l, i, WAITS_TURN);
}

/* No descriptor is left: the reserve is given up for as long as it takes to refuse one, or else the
 * connection would stay in the queue and wake us for ever. accept() says EMFILE also where the
 * queue is empty: *empty. false: not even that can be done. */
static bool refuse_one(struct syslog_listen *l, int listener, bool *empty)
{
    if (l->reserve < 0) {
        return false;
    }
    close(l->reserve);
    int socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    *empty = socket < 0 && errno == EAGAIN;
    if (socket >= 0) {
        close(socket);
        l->figures.refused_descriptors++;
    }
    l->reserve = eventfd(0, EFD_CLOEXEC);
    return socket >= 0 || *empty;
}

static void pause_port(struct syslog_listen *l, struct port *port)
{
    (void)watch(l, EPOLL_CTL_DEL, port->input->listener, 0, 0);
    port->pause_ms = l->desk.now_ms + SYSLOG_LISTEN_PAUSE_MS;
}

static void accept_some(struct syslog_listen *l, struct port *port)
{
    for (int i = 0; i < ACCEPTS; i++) {
        struct sockaddr_storage address;
        socklen_t size = sizeof address;
        int listener = port->input->listener;
        bool empty = false;
        int socket =
                accept4(listener, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket >= 0) {
            admit(l, port, socket, &address);
        } else if (errno == EAGAIN) {
            return;
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            if (errno != EMFILE || !refuse_one(l, listener, &empty)) {
                pause_port(l, port);
                return;
            }
            if (empty) {
                return;
            }
        } /* anything else is the trouble of the connection that came, not ours: accept(2) */
    }
}

/* ---- datagrams --------------------------------------------------------------------------------
 */

static void read_port(struct syslog_listen *l, size_t i)
{
    struct port *port = &l->ports[i];
    enum syslog_udp_state state = syslog_udp_read(port->udp);
    enum waits waits = state == SYSLOG_UDP_HELD   ? WAITS_ROOM
                       : state == SYSLOG_UDP_MORE ? WAITS_TURN
                                                  : WAITS_READ;
    if (l->stopping) {
        syslog_udp_tick(port->udp);
        port->waits = waits == WAITS_READ ? WAITS_FREE : waits;
        return;
    }
    if ((waits == WAITS_READ) != (port->waits == WAITS_READ)) {
        int operation = waits == WAITS_READ ? EPOLL_CTL_ADD : EPOLL_CTL_DEL;
        bool done = watch(l, operation, port->input->listener, EPOLLIN, i);
        waits = waits == WAITS_READ && !done ? WAITS_ROOM : waits;
    }
    port->waits = waits;
}

/* ---- rounds -----------------------------------------------------------------------------------
 */

static void tick(struct syslog_listen *l)
{
    l->ticked_ms = l->desk.now_ms;
    for (size_t i = 0; i < l->options.input_count; i++) {
        if (l->ports[i].udp) {
            syslog_udp_tick(l->ports[i].udp);
        }
    }
    for (uint32_t i = 0; i < l->used; i++) {
        enum syslog_conn_end end =
                l->waits[i] == WAITS_FREE ? SYSLOG_CONN_STAYS : syslog_conn_late(l->lines[i].conn);
        if (end != SYSLOG_CONN_STAYS) {
            l->figures.ended[end]++;
            l->desk.tls_failed[SYSLOG_TLS_SLOW] += end == SYSLOG_CONN_HANDSHAKE;
            syslog_conn_end(l->lines[i].conn);
            keep_watch(l, i, WAITS_TURN);
        }
    }
}

/* Those that epoll does not tell of: who has more, and who waits for room where it is time. */
static void serve_waiting(struct syslog_listen *l, bool retry)
{
    for (size_t i = 0; i < l->options.input_count; i++) {
        struct port *port = &l->ports[i];
        if (port->udp && (port->waits == WAITS_TURN || (retry && port->waits == WAITS_ROOM))) {
            read_port(l, i);
        }
        if (port->pause_ms > 0 && l->desk.now_ms >= port->pause_ms && !l->stopping &&
                watch(l, EPOLL_CTL_ADD, port->input->listener, EPOLLIN, i)) {
            port->pause_ms = 0;
        }
    }
    for (uint32_t i = 0, n = l->used; i < n; i++) {
        if (l->waits[i] == WAITS_TURN || (retry && l->waits[i] == WAITS_ROOM)) {
            take_turn(l, i);
        }
    }
}

/* How long a round may wait for events. */
static int patience(const struct syslog_listen *l, int wait_ms)
{
    bool turn = l->waiting[WAITS_TURN] > 0, room = l->waiting[WAITS_ROOM] > 0, paused = false;
    for (size_t i = 0; i < l->options.input_count; i++) {
        turn |= l->ports[i].waits == WAITS_TURN;
        room |= l->ports[i].waits == WAITS_ROOM;
        paused |= l->ports[i].pause_ms > 0;
    }
    int64_t left = l->ticked_ms + SYSLOG_LISTEN_TICK_MS - l->desk.now_ms;
    left = paused && left > SYSLOG_LISTEN_PAUSE_MS ? SYSLOG_LISTEN_PAUSE_MS : left;
    left = room && left > SYSLOG_LISTEN_RETRY_MS ? SYSLOG_LISTEN_RETRY_MS : left;
    left = turn || left < 0 ? 0 : left;
    return left < wait_ms ? (int)left : wait_ms;
}

static void serve_ready(struct syslog_listen *l, int wait_ms)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(l->epoll, events, EVENTS, wait_ms);
    look_at_clock(l);
    for (int e = 0; e < n; e++) {
        uint64_t as = events[e].data.u64;
        if (as >= l->options.input_count) {
            take_turn(l, (uint32_t)(as - l->options.input_count));
        } else if (l->ports[as].udp) {
            read_port(l, (size_t)as);
        } else {
            accept_some(l, &l->ports[as]);
        }
    }
}

void syslog_listen_step(struct syslog_listen *l, int wait_ms)
{
    look_at_clock(l);
    l->desk.handshakes = HANDSHAKES;
    serve_ready(l, patience(l, wait_ms));
    bool retry = l->desk.now_ms - l->retried_ms >= SYSLOG_LISTEN_RETRY_MS || l->stopping;
    if (retry) {
        l->retried_ms = l->desk.now_ms;
    }
    serve_waiting(l, retry);
    if (l->desk.now_ms - l->ticked_ms >= SYSLOG_LISTEN_TICK_MS) {
        tick(l);
    }
}

void syslog_listen_stop(struct syslog_listen *l)
{
    l->stopping = true;
    for (size_t i = 0; i < l->options.input_count; i++) {
        struct port *port = &l->ports[i];
        (void)watch(l, EPOLL_CTL_DEL, port->input->listener, 0, 0);
        port->waits = port->udp ? WAITS_TURN : WAITS_FREE;
        port->pause_ms = 0;
    }
    for (uint32_t i = 0; i < l->used; i++) {
        if (l->waits[i] == WAITS_READ || l->waits[i] == WAITS_WRITE) {
            keep_watch(l, i, WAITS_TURN);
        }
    }
}

bool syslog_listen_is_done(const struct syslog_listen *l)
{
    bool done = l->stopping && l->used == 0;
    for (size_t i = 0; i < l->options.input_count; i++) {
        done &= l->ports[i].waits == WAITS_FREE;
    }
    return done;
}

struct syslog_listen_figures syslog_listen_figures(const struct syslog_listen *l)
{
    struct syslog_listen_figures figures = l->figures;
    figures.cut = l->desk.cut;
    memcpy(figures.tls_failed, l->desk.tls_failed, sizeof figures.tls_failed);
    figures.held = l->waiting[WAITS_ROOM];
    figures.open = 0;
    for (uint32_t i = 0; i < l->used; i++) {
        figures.open += l->waits[i] != WAITS_FREE;
    }
    return figures;
}
