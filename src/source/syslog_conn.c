#include "source/syslog_conn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "source/handover.h"
#include "source/syslog_framing.h"

enum { NAME_SIZE = 240, KEPT = 4 << 10 };

struct syslog_conn {
    struct syslog_desk *desk;
    const struct intake_input *input;
    int socket;
    struct ssl_st *session; /* NULL: plain */
    bool shaking;           /* the handshake goes on */
    bool ended;             /* nothing more is to be read */
    bool stuck;             /* the intake had no room */
    bool dry;               /* the last reading found nothing */
    struct syslog_framing framing;
    struct buf rest;          /* read, and not yet handed over */
    struct intake_batch held; /* cut, and not yet handed over */
    int64_t active_ms;        /* when bytes last came */
    int64_t begun_ms;         /* when the message at hand began, or the handshake */
    struct slice source;      /* in `name` */
    char name[NAME_SIZE];
};

/* "NAME/10.1.2.3", and who it says it is where it has shown it. */
static void name_source(struct syslog_conn *c, const struct syslog_peer *peer, struct slice subject)
{
    char text[SYSLOG_PEER_TEXT];
    if (peer) {
        syslog_peer_text(peer, text);
        int size = snprintf(c->name, NAME_SIZE, "%.*s/%s", SLICE_ARG(c->input->name), text);
        c->source = slice_of(c->name, size < NAME_SIZE ? (size_t)size : NAME_SIZE - 1);
    }
    if (subject.size > 0 && c->source.size + 1 + subject.size < NAME_SIZE) {
        c->name[c->source.size] = '/';
        memcpy(c->name + c->source.size + 1, subject.at, subject.size);
        c->source.size += 1 + subject.size;
    }
}

enum err syslog_conn_new(
        struct syslog_desk *desk, const struct syslog_conn_from *from, struct syslog_conn **out)
{
    struct syslog_conn *c = memory_alloc(sizeof *c);
    if (!c) {
        return ERR_MEMORY;
    }
    *c = (struct syslog_conn){.desk = desk,
            .input = from->input,
            .socket = from->socket,
            .shaking = from->tls != NULL,
            .framing.record_bytes = from->input->record_bytes,
            .active_ms = desk->now_ms,
            .begun_ms = desk->now_ms};
    if (from->tls && syslog_tls_accept(from->tls, from->socket, &c->session) != OK) {
        memory_free(c);
        return ERR_MEMORY;
    }
    name_source(c, &from->peer, slice_of(NULL, 0));
    *out = c;
    return OK;
}

/* Accounts for the memory of the rest; a large one is given back as soon as it is empty. */
static void account(struct syslog_conn *c, size_t room_before)
{
    if (c->rest.size == 0 && c->rest.room > KEPT) {
        buf_fini(&c->rest);
        c->rest = (struct buf){0};
    }
    c->desk->buffered += c->rest.room;
    c->desk->buffered -= room_before;
    if (c->desk->big == c && (c->rest.room == 0 || c->desk->buffered <= c->desk->buffered_limit)) {
        c->desk->big = NULL;
    }
}

void syslog_conn_free(struct syslog_conn *c)
{
    if (c) {
        size_t room = c->rest.room;
        buf_clear(&c->rest);
        account(c, room);
        c->desk->buffered -= c->rest.room;
        c->desk->big = c->desk->big == c ? NULL : c->desk->big;
        buf_fini(&c->rest);
        frame_records_fini(&c->held.records);
        syslog_tls_close(c->session);
        close(c->socket);
        memory_free(c);
    }
}

/* May the rest grow by `size` bytes (and double, as buffers do)? */
static bool may_grow(struct syslog_conn *c, size_t size)
{
    struct syslog_desk *desk = c->desk;
    if (size <= c->rest.room - c->rest.size) {
        return true;
    }
    size_t more = size > c->rest.room ? size : c->rest.room;
    if (desk->buffered + more <= desk->buffered_limit || desk->big == c) {
        return true;
    }
    if (desk->big) {
        return false;
    }
    desk->big = c;
    return true;
}

/* Hands over what was collected; false: it is held. */
static bool flush(struct syslog_conn *c)
{
    struct intake_batch *batch = &c->desk->batch;
    batch->input = c->input;
    batch->tenant = c->input->tenant;
    batch->source = c->source;
    if (handover_put(c->desk->intake, batch)) {
        return true;
    }
    c->held = *batch;
    *batch = (struct intake_batch){0};
    return false;
}

static bool reject(
        struct syslog_conn *c, struct slice bytes, enum counts_rejection why, const char *words)
{
    return flush(c) && handover_reject(c->desk->intake, &c->desk->batch, bytes, why, words);
}

/* Cuts the bytes and hands messages over; *used of them are done with. false: there is no room. */
static bool cut(struct syslog_conn *c, struct slice bytes, size_t *used)
{
    for (*used = 0;;) {
        struct syslog_framing before = c->framing;
        struct syslog_framing_step step;
        struct slice rest = slice_from(bytes, *used);
        enum syslog_framing_what what = syslog_framing_next(&c->framing, rest, &step);
        if (what == SYSLOG_FRAMING_MORE) {
            *used += step.used;
            return flush(c);
        }
        if (what == SYSLOG_FRAMING_TOO_LONG) {
            if (!reject(c, step.message, COUNTS_TOO_LONG, "message over record_bytes")) {
                c->framing = before;
                return false;
            }
        } else {
            frame_records_add(&c->desk->batch.records, step.message);
        }
        *used += step.used;
        if (c->desk->batch.records.lines.size >= INTAKE_BATCH && !flush(c)) {
            return false;
        }
    }
}

/* What was held, then what was read before. false: there is still no room. */
static bool deliver(struct syslog_conn *c)
{
    if (c->held.records.count > 0) {
        if (!handover_put(c->desk->intake, &c->held)) {
            return false;
        }
        frame_records_fini(&c->held.records);
        c->held = (struct intake_batch){0};
    }
    size_t used = 0, room = c->rest.room;
    bool good = c->rest.size == 0 || cut(c, buf_slice(&c->rest), &used);
    if (used > 0) {
        memmove(c->rest.at, c->rest.at + used, c->rest.size - used);
        c->rest.size -= used;
        c->begun_ms = c->desk->now_ms;
    }
    account(c, room);
    return good;
}

/* The end: what had begun goes to quarantine. */
static enum syslog_conn_state finish(struct syslog_conn *c)
{
    struct slice rest = buf_slice(&c->rest);
    if (syslog_framing_is_cut(rest)) {
        if (!reject(c, rest, COUNTS_FRAMING, "the connection ended within a message")) {
            c->stuck = true;
            return SYSLOG_CONN_HELD;
        }
        c->desk->cut++;
        c->rest.size = 0;
    }
    return SYSLOG_CONN_ENDED;
}

/* Reads once; *got bytes. false: nothing came, *state says what to do. */
static bool receive(struct syslog_conn *c, char *at, size_t *got, enum syslog_conn_state *state)
{
    enum syslog_tls_state s = SYSLOG_TLS_OK;
    *state = SYSLOG_CONN_READ_ON;
    if (c->session) {
        s = syslog_tls_read(c->session, at, SYSLOG_CONN_READ, got);
    } else {
        ssize_t n = recv(c->socket, at, SYSLOG_CONN_READ, MSG_DONTWAIT);
        bool again = n < 0 && (errno == EAGAIN || errno == EINTR);
        s = again ? SYSLOG_TLS_WANT_READ : n <= 0 ? SYSLOG_TLS_ENDED : SYSLOG_TLS_OK;
        *got = n > 0 ? (size_t)n : 0;
    }
    c->ended |= s == SYSLOG_TLS_ENDED;
    c->dry = s != SYSLOG_TLS_OK;
    *state = s == SYSLOG_TLS_WANT_WRITE ? SYSLOG_CONN_WRITE_ON : SYSLOG_CONN_READ_ON;
    return s == SYSLOG_TLS_OK;
}

/* Bytes behind those that a message began with. */
static bool receive_behind(struct syslog_conn *c, enum syslog_conn_state *state)
{
    size_t room = c->rest.room, got;
    char *at = may_grow(c, SYSLOG_CONN_READ) ? buf_reserve(&c->rest, SYSLOG_CONN_READ) : NULL;
    c->rest.failed = false;
    if (!at) {
        *state = SYSLOG_CONN_HELD;
        c->begun_ms = c->desk->now_ms; /* the time is ours, not the sender's */
        account(c, room);
        return false;
    }
    bool good = receive(c, at, &got, state);
    c->rest.size += good ? got : 0;
    account(c, room);
    return good;
}

/* Bytes where nothing has begun: what is not a whole message is kept. */
static bool receive_fresh(struct syslog_conn *c, enum syslog_conn_state *state)
{
    size_t room = c->rest.room, got, used;
    if (!may_grow(c, SYSLOG_CONN_READ)) {
        *state = SYSLOG_CONN_HELD;
        return false;
    }
    if (!receive(c, c->desk->bytes, &got, state)) {
        return false;
    }
    c->stuck = !cut(c, slice_of(c->desk->bytes, got), &used);
    buf_add(&c->rest, slice_of(c->desk->bytes + used, got - used));
    if (c->rest.failed) {
        /* No memory for a piece that was read: the message that it belongs to is lost with it. */
        struct intake_batch of = {.input = c->input, .source = c->source};
        struct counts_source *s = intake_counts(c->desk->intake, &of);
        counts_add(&s->dropped[COUNTS_BUSY], 1);
        c->ended = true;
        c->rest.failed = false;
    }
    c->begun_ms = c->desk->now_ms;
    account(c, room);
    return true;
}

static enum syslog_conn_state shake(struct syslog_conn *c)
{
    enum syslog_tls_failure failure = SYSLOG_TLS_OTHER;
    char subject[SYSLOG_TLS_SUBJECT];
    if (c->desk->handshakes == 0) {
        return SYSLOG_CONN_MORE;
    }
    c->desk->handshakes--;
    switch (syslog_tls_handshake(c->session, &failure)) {
    case SYSLOG_TLS_OK:
        c->shaking = false;
        c->active_ms = c->desk->now_ms;
        name_source(c, NULL, syslog_tls_subject(c->session, subject));
        return SYSLOG_CONN_MORE;
    case SYSLOG_TLS_WANT_READ:
        return SYSLOG_CONN_READ_ON;
    case SYSLOG_TLS_WANT_WRITE:
        return SYSLOG_CONN_WRITE_ON;
    case SYSLOG_TLS_ENDED:
        break;
    }
    c->desk->tls_failed[failure]++;
    return SYSLOG_CONN_ENDED;
}

enum syslog_conn_state syslog_conn_go(struct syslog_conn *c)
{
    enum syslog_conn_state state;
    if (c->shaking) {
        return c->ended ? SYSLOG_CONN_ENDED : shake(c);
    }
    if (c->stuck) {
        c->stuck = !deliver(c);
        c->active_ms = c->begun_ms = c->desk->now_ms; /* the time was ours, not the sender's */
        return c->stuck ? SYSLOG_CONN_HELD : c->ended ? finish(c) : SYSLOG_CONN_MORE;
    }
    if (c->ended) {
        return finish(c);
    }
    bool begun = c->rest.size > 0;
    if (!(begun ? receive_behind(c, &state) : receive_fresh(c, &state))) {
        return c->ended ? finish(c) : state;
    }
    c->active_ms = c->desk->now_ms;
    if (begun) {
        c->stuck = !deliver(c);
    }
    if (c->stuck) {
        return SYSLOG_CONN_HELD;
    }
    return c->session && syslog_tls_has_more(c->session) ? SYSLOG_CONN_MORE : SYSLOG_CONN_READ_ON;
}

bool syslog_conn_is_dry(const struct syslog_conn *c)
{
    return c->dry || c->shaking;
}

void syslog_conn_end(struct syslog_conn *c)
{
    c->ended = true;
}

static bool is_over(int64_t since, int64_t now, int64_t limit)
{
    return limit > 0 && now - since > limit;
}

enum syslog_conn_end syslog_conn_late(const struct syslog_conn *c)
{
    const struct syslog_desk *desk = c->desk;
    if (c->stuck || c->ended) {
        return SYSLOG_CONN_STAYS;
    }
    if (c->shaking) {
        return is_over(c->begun_ms, desk->now_ms, desk->handshake_ms) ? SYSLOG_CONN_HANDSHAKE
                                                                      : SYSLOG_CONN_STAYS;
    }
    if (c->rest.size > 0 && is_over(c->begun_ms, desk->now_ms, desk->message_ms)) {
        return SYSLOG_CONN_SLOW;
    }
    return is_over(c->active_ms, desk->now_ms, desk->idle_ms) ? SYSLOG_CONN_IDLE
                                                              : SYSLOG_CONN_STAYS;
}
