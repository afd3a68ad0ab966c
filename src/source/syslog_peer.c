#include "source/syslog_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool is_ipv4(const struct syslog_peer *peer)
{
    return memcmp(peer->at, mapped, sizeof mapped) == 0;
}

struct syslog_peer syslog_peer_of(const struct sockaddr_storage *address)
{
    struct syslog_peer peer = {0};
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        memcpy(peer.at, mapped, sizeof mapped);
        memcpy(peer.at + sizeof mapped, &in->sin_addr, 4);
    } else if (address->ss_family == AF_INET6) {
        memcpy(peer.at, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
    }
    return peer;
}

void syslog_peer_text(const struct syslog_peer *peer, char out[SYSLOG_PEER_TEXT])
{
    bool four = is_ipv4(peer);
    out[0] = '\0';
    (void)inet_ntop(four ? AF_INET : AF_INET6, peer->at + (four ? 12 : 0), out, SYSLOG_PEER_TEXT);
}

bool syslog_peer_equal(const struct syslog_peer *a, const struct syslog_peer *b)
{
    return memcmp(a->at, b->at, sizeof a->at) == 0;
}

bool syslog_peer_near(const struct syslog_peer *a, const struct syslog_peer *b)
{
    return memcmp(a->at, b->at, is_ipv4(a) ? 16 : 8) == 0;
}

static bool read_port(struct slice text, in_port_t *port)
{
    unsigned value = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (!slice_is_digit(text.at[i]) || i == 5) {
            return false;
        }
        value = value * 10 + (unsigned)(text.at[i] - '0');
    }
    *port = htons((in_port_t)value);
    return text.size > 0 && value <= 65535;
}

/* The host's text with a NUL, without brackets; the port is what stands behind the last colon. */
static bool split(struct slice text, char host[SYSLOG_PEER_TEXT], in_port_t *port)
{
    size_t colon = text.size;
    while (colon > 0 && text.at[colon - 1] != ':') {
        colon--;
    }
    if (colon == 0 || !read_port(slice_from(text, colon), port)) {
        return false;
    }
    struct slice name = slice_of(text.at, colon - 1);
    if (slice_starts(name, SLICE("[")) && slice_ends(name, SLICE("]"))) {
        name = slice_of(name.at + 1, name.size - 2);
    }
    if (name.size >= SYSLOG_PEER_TEXT || memchr(name.at, '\0', name.size)) {
        return false;
    }
    memcpy(host, name.at, name.size);
    host[name.size] = '\0';
    return true;
}

static bool parse(struct slice text, struct sockaddr_storage *out, socklen_t *size)
{
    char host[SYSLOG_PEER_TEXT];
    in_port_t port;
    struct sockaddr_in *four = (struct sockaddr_in *)out;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
    memset(out, 0, sizeof *out);
    if (!split(text, host, &port)) {
        return false;
    }
    if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = port;
        *size = sizeof *four;
        return true;
    }
    six->sin6_family = AF_INET6;
    six->sin6_port = port;
    *size = sizeof *six;
    return inet_pton(AF_INET6, host, &six->sin6_addr) == 1;
}

/* The kernel's limit on queues may be passed only by who may set it (CAP_NET_ADMIN). */
static void widen(int fd)
{
    int size = SYSLOG_PEER_QUEUE;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
}

enum err syslog_peer_bind(struct slice address, int type, int *out, struct diag *diag)
{
    struct sockaddr_storage name;
    socklen_t size;
    int off = 0, on = 1;
    if (!parse(address, &name, &size)) {
        return diag_say(diag, ERR_SYNTAX, "'%.*s' is no address and port: 127.0.0.1:514, [::]:6514",
                SLICE_ARG(address));
    }
    int fd = socket(name.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return diag_say(diag, ERR_IO, "%.*s: %s", SLICE_ARG(address), strerror(errno));
    }
    if (type == SOCK_DGRAM) {
        widen(fd);
    } else {
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    }
    if (name.ss_family == AF_INET6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    if (bind(fd, (const struct sockaddr *)&name, size) != 0 ||
            (type == SOCK_STREAM && listen(fd, SYSLOG_PEER_BACKLOG) != 0)) {
        enum err why = errno == EADDRINUSE ? ERR_LIMIT : ERR_IO;
        enum err e = diag_say(diag, why, "%.*s: %s", SLICE_ARG(address), strerror(errno));
        close(fd);
        return e;
    }
    *out = fd;
    return OK;
}
