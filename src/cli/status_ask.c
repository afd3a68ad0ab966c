#include "cli/status_ask.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct address {
    char host[256], port[16];
};

/* "http://127.0.0.1:8080", "http://[::1]:8080/", "http://centre". */
static enum err take_address(const char *url, struct address *out, struct diag *diag)
{
    struct slice rest = slice_text(url), host, port = SLICE("80");
    if (slice_starts(rest, SLICE("https://"))) {
        return diag_say(diag, ERR_USAGE, "HTTPS is not spoken here: ask with another client");
    }
    if (slice_starts(rest, SLICE("http://"))) {
        rest = slice_from(rest, 7);
    }
    if (slice_ends(rest, SLICE("/"))) {
        rest.size--;
    }
    if (slice_starts(rest, SLICE("["))) {
        rest = slice_from(rest, 1);
        host = slice_cut(&rest, ']');
        rest = slice_starts(rest, SLICE(":")) ? slice_from(rest, 1) : rest;
    } else {
        host = slice_cut(&rest, ':');
    }
    port = rest.size > 0 ? rest : port;
    if (host.size == 0 || host.size >= sizeof out->host || port.size >= sizeof out->port) {
        return diag_say(diag, ERR_USAGE, "no address of an API: '%.80s'", url);
    }
    memcpy(out->host, host.at, host.size);
    out->host[host.size] = 0;
    memcpy(out->port, port.at, port.size);
    out->port[port.size] = 0;
    return OK;
}

static enum err reach(const struct address *address, int *out, struct diag *diag)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    const struct timeval patience = {.tv_sec = STATUS_ASK_WAIT_S};
    struct addrinfo *found;
    int fd = -1, why = getaddrinfo(address->host, address->port, &hints, &found);
    if (why != 0) {
        return diag_say(diag, ERR_IO, "%s: %s", address->host, gai_strerror(why));
    }
    for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) {
            continue;
        }
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        if (connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
            why = errno;
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    *out = fd;
    return fd >= 0 ? OK
                   : diag_say(diag, ERR_IO, "%s port %s: %s", address->host, address->port,
                             strerror(why));
}

static enum err send_all(int fd, struct slice bytes, struct diag *diag)
{
    while (bytes.size > 0) {
        ssize_t n = send(fd, bytes.at, bytes.size, MSG_NOSIGNAL);
        if (n <= 0) {
            return diag_say(diag, ERR_IO, "the centre: %s", strerror(errno));
        }
        bytes = slice_from(bytes, (size_t)n);
    }
    return OK;
}

static enum err receive_all(int fd, struct buf *out, struct diag *diag)
{
    enum { PIECE = 64 << 10 };
    for (;;) {
        char *to = out->size < STATUS_ASK_BYTES ? buf_reserve(out, PIECE) : NULL;
        if (!to) {
            return diag_say(diag, ERR_LIMIT, "the answer is too long");
        }
        ssize_t n = read(fd, to, PIECE);
        if (n < 0) {
            return diag_say(diag, ERR_IO, "the centre: %s", strerror(errno));
        }
        if (n == 0) {
            return OK;
        }
        out->size += (size_t)n;
    }
}

/* As the head promises it; 0: it does not. Names of headers are of any case (RFC 9110, 5.1). */
static size_t body_size(struct slice head)
{
    static const char name[] = "content-length:";
    size_t value = 0;
    while (head.size > 0) {
        struct slice line = slice_cut(&head, '\n');
        if (line.size < sizeof name || strncasecmp(line.at, name, sizeof name - 1) != 0) {
            continue;
        }
        struct slice digits = slice_trim(slice_from(line, sizeof name - 1));
        for (size_t i = 0; i < digits.size && i < 18 && slice_is_digit(digits.at[i]); i++) {
            value = value * 10 + (size_t)(digits.at[i] - '0');
        }
    }
    return value;
}

/* Leaves the body alone. HTTP/1.0 was asked for: no chunks. */
static enum err open_answer(struct buf *answer, struct diag *diag)
{
    struct slice all = buf_slice(answer);
    size_t head = slice_find(all, SLICE("\r\n\r\n"));
    struct slice line = slice_of(all.at, slice_find_byte(all, '\r'));
    if (head == SIZE_MAX) {
        return diag_say(
                diag, ERR_IO, all.size == 0 ? "no answer" : "the answer ends in its middle");
    }
    if (!slice_starts(line, SLICE("HTTP/1.")) || line.size < 12) {
        return diag_say(diag, ERR_UNSUPPORTED, "that is no HTTP answer");
    }
    struct slice status = slice_of(line.at + 9, 3);
    if (!slice_equal(status, SLICE("200"))) {
        const char *words = slice_equal(status, SLICE("401")) ? ": the token is not known" : "";
        words = slice_equal(status, SLICE("403")) ? ": the token may not do that" : words;
        bool later = slice_equal(status, SLICE("503"));
        return diag_say(diag, later ? ERR_IO : ERR_UNSUPPORTED, "the centre answers %.3s%s",
                status.at, words);
    }
    if (all.size - head - 4 < body_size(slice_of(all.at, head))) {
        return diag_say(diag, ERR_IO, "the answer ends in its middle");
    }
    answer->size -= head + 4;
    memmove(answer->at, answer->at + head + 4, answer->size);
    return OK;
}

enum err status_ask(
        const char *url, const char *path, const char *token, struct buf *body, struct diag *diag)
{
    struct address address;
    struct buf request = {0};
    int fd = -1;
    TRY(take_address(url, &address, diag));
    TRY(reach(&address, &fd, diag));
    buf_format(&request, "GET %s HTTP/1.0\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", path,
            address.host, token);
    buf_clear(body);
    enum err e = request.failed ? ERR_MEMORY : send_all(fd, buf_slice(&request), diag);
    if (e == OK) {
        e = receive_all(fd, body, diag);
    }
    close(fd);
    buf_fini(&request);
    return e == OK ? open_answer(body, diag) : e;
}
