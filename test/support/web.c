#include "support/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static struct sockaddr_in loopback(int port, const char *address)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, address, &a.sin_addr);
    return a;
}

int web_listen(int *port)
{
    struct sockaddr_in a = loopback(0, "127.0.0.1");
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, size) != 0 || listen(fd, 1024) != 0 ||
            getsockname(fd, (struct sockaddr *)&a, &size) != 0) {
        abort();
    }
    *port = ntohs(a.sin_port);
    return fd;
}

int web_connect_from(int port, const char *address)
{
    struct sockaddr_in from = loopback(0, address), to = loopback(port, "127.0.0.1");
    struct timeval wait = {.tv_sec = WEB_WAIT_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof from) != 0 ||
            connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        abort();
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    return fd;
}

int web_connect(int port)
{
    return web_connect_from(port, "127.0.0.1");
}

bool web_send(int fd, struct slice bytes)
{
    while (bytes.size > 0) {
        ssize_t n = send(fd, bytes.at, bytes.size, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        bytes = slice_from(bytes, (size_t)n);
    }
    return true;
}

bool web_request(int fd, const char *line, const char *headers, struct slice body)
{
    struct buf out = {0};
    buf_add(&out, slice_text(line));
    buf_add(&out, SLICE(" HTTP/1.1\r\nHost: test\r\n"));
    buf_add(&out, slice_text(headers));
    if (body.at) {
        buf_add(&out, SLICE("Content-Length: "));
        buf_u64(&out, body.size);
        buf_add(&out, SLICE("\r\n"));
    }
    buf_add(&out, SLICE("\r\n"));
    buf_add(&out, body);
    bool sent = !out.failed && web_send(fd, buf_slice(&out));
    buf_fini(&out);
    return sent;
}

static bool more(int fd, struct buf *to)
{
    char *room = buf_reserve(to, 65536);
    ssize_t n = room ? recv(fd, room, 65536, 0) : -1;
    to->size += n > 0 ? (size_t)n : 0;
    return n > 0;
}

bool web_read_head(int fd, struct web_answer *answer)
{
    buf_clear(&answer->bytes);
    size_t end;
    while ((end = slice_find(buf_slice(&answer->bytes), SLICE("\r\n\r\n"))) == SIZE_MAX) {
        if (!more(fd, &answer->bytes)) {
            return false;
        }
    }
    answer->body = end + 4;
    answer->status = (int)strtol(answer->bytes.at + 9, NULL, 10);
    return true;
}

/* Chunks, joined in place behind the head. */
static bool read_chunks(int fd, struct web_answer *answer)
{
    struct buf *b = &answer->bytes;
    size_t from = answer->body, to = answer->body;
    for (;;) {
        size_t line;
        while ((line = slice_find(slice_from(buf_slice(b), from), SLICE("\r\n"))) == SIZE_MAX) {
            if (!more(fd, b)) {
                return false;
            }
        }
        size_t size = strtoul(b->at + from, NULL, 16);
        from += line + 2;
        while (b->size < from + size + 2) {
            if (!more(fd, b)) {
                return false;
            }
        }
        memmove(b->at + to, b->at + from, size);
        to += size;
        from += size + 2;
        if (size == 0) {
            b->size = to;
            return true;
        }
    }
}

bool web_read(int fd, struct web_answer *answer)
{
    if (!web_read_head(fd, answer)) {
        return false;
    }
    if (answer->status == 100) {
        return web_read(fd, answer);
    }
    if (web_header(answer, "Transfer-Encoding").at) {
        return read_chunks(fd, answer);
    }
    struct slice size = web_header(answer, "Content-Length");
    size_t want = answer->body + (size.at ? strtoul(size.at, NULL, 10) : 0);
    while (answer->bytes.size < want) {
        if (!more(fd, &answer->bytes)) {
            return false;
        }
    }
    return true;
}

bool web_ask(int port, const char *line, const char *headers, struct slice body,
        struct web_answer *answer)
{
    int fd = web_connect(port);
    bool answered = web_request(fd, line, headers, body) && web_read(fd, answer);
    close(fd);
    return answered;
}

struct slice web_body(const struct web_answer *answer)
{
    return slice_from(buf_slice(&answer->bytes), answer->body);
}

struct slice web_header(const struct web_answer *answer, const char *name)
{
    struct slice head = slice_of(answer->bytes.at, answer->body);
    while (head.size > 0) {
        struct slice value = slice_cut(&head, '\n');
        struct slice key = slice_cut(&value, ':');
        if (slice_equal_nocase(key, slice_text(name))) {
            return slice_trim(value);
        }
    }
    return (struct slice){0};
}

bool web_closed(int fd)
{
    char bytes[4096];
    ssize_t n;
    do {
        n = recv(fd, bytes, sizeof bytes, 0);
    } while (n > 0);
    return n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

void web_fini(struct web_answer *answer)
{
    buf_fini(&answer->bytes);
}
