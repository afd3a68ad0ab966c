/* serve_load KIND ADDRESS PORT FILE RATE SECONDS [CONNECTIONS [BATCH [TOKEN [PROBES [EVERY]]]]] -
 * sends the lines of a file, over and over, at a steady rate, and says what became of them.
 *
 * KIND: http (POST /api/v1/ingest, BATCH lines each), tcp, udp (RFC 5424 with the line as message).
 * RATE 0: as fast as it goes; for tcp and udp SECONDS 0: the file once. PROBES: so many events a
 * second hold the time at which they are sent ("merlon-probe NANOSECONDS"), for whoever looks for
 * findings. The time of an answer is counted from when its request was due, not from when it could
 * be sent: a sender that is held up cannot hide it. The result is one line of JSON; EVERY so many
 * seconds, one is said of these alone. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 256, DATAGRAMS = 64, SLOTS = 200000, SLOT_US = 50, LARGEST = 1 << 16 };

struct lines {
    char *at;
    size_t *starts; /* count + 1 of them */
    size_t count;
};

struct part {
    const char *at;
    size_t size;
};

struct sender {
    pthread_t thread;
    unsigned number;
    int fd;
    _Atomic uint64_t sent, acked, refused, failed;
    _Atomic uint64_t probes;
};

static struct {
    const char *kind, *token;
    struct sockaddr_in to;
    double rate, seconds;
    unsigned connections;
    size_t batch;
    double probes;
    double every;
    struct lines lines;
    double begin;
} load;

static _Atomic uint32_t waits[SLOTS]; /* answers by their time, SLOT_US each */

static void die(const char *what)
{
    fprintf(stderr, "serve_load: %s: %s\n", what, strerror(errno));
    exit(2);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sleep_until(double when)
{
    double left = when - now();
    if (left > 0) {
        struct timespec t = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
        nanosleep(&t, NULL);
    }
}

/* ---- the file ----------------------------------------------------------------------------------
 */

static void load_lines(const char *path, const char *prefix)
{
    int fd = open(path, O_RDONLY);
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) != 0) {
        die(path);
    }
    char *text = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    size_t size = (size_t)stat.st_size, count = 0, ahead = strlen(prefix), out = 0;
    if (text == MAP_FAILED) {
        die(path);
    }
    for (size_t i = 0; i < size; i++) {
        count += text[i] == '\n';
    }
    struct lines *lines = &load.lines;
    lines->at = malloc(size + count * ahead + 1);
    lines->starts = malloc((count + 1) * sizeof *lines->starts);
    if (!lines->at || !lines->starts) {
        die("memory");
    }
    for (const char *line = text, *end; lines->count < count; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text + size - line));
        lines->starts[lines->count++] = out;
        memcpy(lines->at + out, prefix, ahead);
        memcpy(lines->at + out + ahead, line, (size_t)(end + 1 - line));
        out += ahead + (size_t)(end + 1 - line);
    }
    lines->starts[count] = out;
    munmap(text, size);
    close(fd);
}

static size_t probe(char *out, size_t size, const char *prefix)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    int n = snprintf(out, size,
            "%s{\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"Provider_Name\":"
            "\"Microsoft-Windows-Sysmon\",\"EventID\":1,\"Image\":\"C:\\\\probe.exe\","
            "\"CommandLine\":\"merlon-probe %lld\"}\n",
            prefix, (long long)t.tv_sec * 1000000000 + t.tv_nsec);
    return (size_t)n;
}

/* ---- sockets -----------------------------------------------------------------------------------
 */

static int reach(int type)
{
    int one = 1, fd = socket(AF_INET, type, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&load.to, sizeof load.to) != 0) {
        die("connect");
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static bool send_all(int fd, const char *at, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, at, size, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        at += n;
        size -= (size_t)n;
    }
    return true;
}

/* The status of the answer, read to its end; 0: none came. */
static int answer(int fd)
{
    static _Thread_local char text[LARGEST];
    size_t have = 0, whole = 0;
    while (whole == 0 || have < whole) {
        ssize_t n = recv(fd, text + have, sizeof text - 1 - have, 0);
        if (n <= 0) {
            return 0;
        }
        have += (size_t)n;
        text[have] = 0;
        char *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "content-length: ");
        if (end && length && length < end) {
            whole = (size_t)(end + 4 - text) + strtoul(length + 16, NULL, 10);
        }
    }
    return (int)strtol(text + 9, NULL, 10);
}

/* ---- sending -----------------------------------------------------------------------------------
 */

static void count_wait(double seconds)
{
    double slot = seconds * 1e6 / SLOT_US;
    atomic_fetch_add(&waits[slot < 0 ? 0 : slot < SLOTS ? (size_t)slot : SLOTS - 1], 1);
}

static bool request(struct sender *s, struct part body, struct part more)
{
    char head[512];
    int n = snprintf(head, sizeof head,
            "POST /api/v1/ingest HTTP/1.1\r\nHost: load\r\nAuthorization: Bearer %s\r\n"
            "Content-Type: application/x-ndjson\r\nContent-Length: %zu\r\n\r\n",
            load.token, body.size + more.size);
    return send_all(s->fd, head, (size_t)n) && send_all(s->fd, body.at, body.size) &&
           send_all(s->fd, more.at, more.size);
}

static void send_request(struct sender *s, struct part body, struct part more, double due)
{
    uint64_t events = load.batch + (more.size > 0);
    s->sent += events;
    int status = request(s, body, more) ? answer(s->fd) : 0;
    if (status == 0) {
        s->failed += events;
        close(s->fd);
        s->fd = reach(SOCK_STREAM);
    } else if (status != 200) {
        s->refused += events;
    } else {
        s->acked += events;
        count_wait(now() - due);
    }
}

static void send_datagrams(struct sender *s, size_t first)
{
    struct mmsghdr messages[DATAGRAMS] = {0};
    struct iovec parts[DATAGRAMS];
    const struct lines *lines = &load.lines;
    for (size_t i = 0; i < load.batch; i += DATAGRAMS) {
        unsigned n = (unsigned)(load.batch - i < DATAGRAMS ? load.batch - i : DATAGRAMS);
        for (unsigned k = 0; k < n; k++) {
            size_t at = lines->starts[first + i + k], end = lines->starts[first + i + k + 1];
            parts[k] = (struct iovec){lines->at + at, end - at - 1};
            messages[k].msg_hdr.msg_iov = &parts[k];
            messages[k].msg_hdr.msg_iovlen = 1;
        }
        for (unsigned done = 0; done < n;) {
            int sent = sendmmsg(s->fd, messages + done, n - done, 0);
            if (sent <= 0) {
                die("sendmmsg");
            }
            done += (unsigned)sent;
            s->sent += (unsigned)sent;
        }
    }
}

static void send_batch(struct sender *s, size_t first, double due)
{
    const struct lines *lines = &load.lines;
    const char *body = lines->at + lines->starts[first];
    size_t size = lines->starts[first + load.batch] - lines->starts[first], rest = 0;
    char more[512];
    if (load.probes > 0 &&
            (double)s->probes < (now() - load.begin) * load.probes / load.connections) {
        rest = probe(more, sizeof more, load.kind[0] == 'h' ? "" : "<134>1 - load load - - - ");
        s->probes++;
    }
    if (load.kind[0] == 'h') {
        send_request(s, (struct part){body, size}, (struct part){more, rest}, due);
    } else if (load.kind[0] == 'u') {
        send_datagrams(s, first);
    } else if (send_all(s->fd, body, size) && send_all(s->fd, more, rest)) {
        s->sent += load.batch + (rest > 0);
    } else {
        die("send");
    }
}

static void *run(void *context)
{
    struct sender *s = context;
    size_t share = load.lines.count / load.connections, first = share * s->number, done = 0;
    double step = load.rate > 0 ? (double)load.batch * load.connections / load.rate : 0;
    double due = load.begin + step * s->number / load.connections;
    bool once = load.seconds <= 0;
    while (once ? done + load.batch <= share : due < load.begin + load.seconds) {
        if (step > 0) {
            sleep_until(due);
        } else {
            due = now();
        }
        if (first + load.batch > load.lines.count) {
            first = 0;
        }
        send_batch(s, first, due);
        first += load.batch;
        done += load.batch;
        due += step;
    }
    close(s->fd);
    return NULL;
}

/* ---- what became of it -------------------------------------------------------------------------
 */

static uint32_t told[SLOTS]; /* of waits, what was said already */

struct sum {
    uint64_t sent, acked, refused, failed, probes;
};

static double wait_ms(double part)
{
    uint64_t total = 0, seen = 0;
    for (size_t i = 0; i < SLOTS; i++) {
        total += waits[i] - told[i];
    }
    for (size_t i = 0; i < SLOTS; i++) {
        seen += waits[i] - told[i];
        if (total > 0 && (double)seen >= part * (double)total) {
            return (double)(i + 1) * SLOT_US / 1000;
        }
    }
    return 0;
}

static struct sum add_up(const struct sender *senders)
{
    struct sum sum = {0};
    for (unsigned i = 0; i < load.connections; i++) {
        sum.sent += senders[i].sent;
        sum.acked += senders[i].acked;
        sum.refused += senders[i].refused;
        sum.failed += senders[i].failed;
        sum.probes += senders[i].probes;
    }
    return sum;
}

/* What came since old, in so many seconds. */
static void show(struct sum sum, struct sum old, double took)
{
    printf("{\"kind\":\"%s\",\"sent\":%llu,\"acknowledged\":%llu,\"refused\":%llu,\"failed\":%llu,"
           "\"probes\":%llu,\"seconds\":%.3f,\"rate\":%.0f",
            load.kind, (unsigned long long)(sum.sent - old.sent),
            (unsigned long long)(sum.acked - old.acked),
            (unsigned long long)(sum.refused - old.refused),
            (unsigned long long)(sum.failed - old.failed),
            (unsigned long long)(sum.probes - old.probes), took,
            (double)(sum.sent - old.sent) / took);
    if (sum.acked > old.acked) {
        printf(",\"ack_ms\":{\"p50\":%.2f,\"p99\":%.2f,\"p999\":%.2f,\"max\":%.2f}", wait_ms(0.5),
                wait_ms(0.99), wait_ms(0.999), wait_ms(1));
    }
    puts("}");
    fflush(stdout);
}

static void show_as_it_goes(const struct sender *senders)
{
    struct sum old = {0};
    double last = load.begin, end = load.begin + load.seconds;
    while (load.every > 0 && last + load.every <= end) {
        sleep_until(last + load.every);
        struct sum sum = add_up(senders);
        double at = now();
        show(sum, old, at - last);
        for (size_t i = 0; i < SLOTS; i++) {
            told[i] = waits[i];
        }
        old = sum;
        last = at;
    }
    memset(told, 0, sizeof told);
}

static void take_arguments(int count, char **arguments)
{
    load.kind = arguments[1];
    load.to.sin_family = AF_INET;
    load.to.sin_port = htons((uint16_t)strtoul(arguments[3], NULL, 10));
    load.rate = strtod(arguments[5], NULL);
    load.seconds = strtod(arguments[6], NULL);
    load.connections = count > 7 ? (unsigned)strtoul(arguments[7], NULL, 10) : 4;
    load.batch = count > 8 ? strtoul(arguments[8], NULL, 10) : 100;
    load.token = count > 9 ? arguments[9] : "";
    load.probes = count > 10 ? strtod(arguments[10], NULL) : 0;
    load.every = count > 11 ? strtod(arguments[11], NULL) : 0;
    if (inet_pton(AF_INET, arguments[2], &load.to.sin_addr) != 1 || load.batch == 0 ||
            load.connections == 0 || load.connections > CONNECTIONS) {
        errno = EINVAL;
        die("arguments");
    }
    load_lines(arguments[4],
            load.kind[0] == 'h' ? "" : "<134>1 2026-01-01T00:00:00.000Z relay history - - - ");
    if (load.lines.count < load.batch * load.connections) {
        errno = EINVAL;
        die("the file has too few lines");
    }
}

int main(int count, char **arguments)
{
    static struct sender senders[CONNECTIONS];
    if (count < 7) {
        fputs("usage: serve_load KIND ADDRESS PORT FILE RATE SECONDS [CONNECTIONS [BATCH [TOKEN "
              "[PROBES [EVERY]]]]]\n",
                stderr);
        return 2;
    }
    take_arguments(count, arguments);
    for (unsigned i = 0; i < load.connections; i++) {
        senders[i] = (struct sender){
                .number = i, .fd = reach(load.kind[0] == 'u' ? SOCK_DGRAM : SOCK_STREAM)};
    }
    load.begin = now();
    for (unsigned i = 0; i < load.connections; i++) {
        if (pthread_create(&senders[i].thread, NULL, run, &senders[i]) != 0) {
            die("thread");
        }
    }
    show_as_it_goes(senders);
    for (unsigned i = 0; i < load.connections; i++) {
        pthread_join(senders[i].thread, NULL);
    }
    show(add_up(senders), (struct sum){0}, now() - load.begin);
    return 0;
}
