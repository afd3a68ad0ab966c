/* A small server for trying senders: listens, and writes what comes out of the channel.
 *
 *     senders OUT [-q] [-c CERTIFICATE -k KEY [-a AUTHORITY]] [KIND=ADDRESS | files=PATTERN]...
 *
 * Each record is a line "SOURCE<tab>RECORD" in OUT, rejected ones "!SOURCE<tab>REASON<tab>BYTES";
 * with -q only their number. Addresses that were bound are told on standard output, a line each,
 * then "ready". Ends by SIGTERM or SIGINT, when it has taken what has arrived; then the figures. */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "source/follow.h"
#include "source/syslog_listen.h"
#include "source/syslog_peer.h"

enum { INPUTS = 16, CHANNEL = 64 << 20 };

struct server {
    struct intake intake;
    struct intake_input inputs[INPUTS];
    size_t input_count;
    struct intake_input files;
    struct slice patterns[INPUTS];
    size_t pattern_count;
    struct slice certificate, key, authority;
    bool quiet;
    FILE *out;
    uint64_t records, frames, bytes;
    atomic_bool done;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static int64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void write_frame(struct server *s, const struct frame *frame)
{
    struct frame_walk walk = {0};
    bool rejected = frame->kind == FRAME_REJECTED;
    s->frames++;
    s->records += rejected ? 0 : frame->count;
    s->bytes += frame->lines.size;
    while (!s->quiet && frame_next(frame, &walk)) {
        fputs(rejected ? "!" : "", s->out);
        fwrite(frame->attribute[FRAME_SOURCE].at, 1, frame->attribute[FRAME_SOURCE].size, s->out);
        if (rejected) {
            fputc('\t', s->out);
            fwrite(frame->attribute[FRAME_REASON].at, 1, frame->attribute[FRAME_REASON].size,
                    s->out);
        }
        fputc('\t', s->out);
        fwrite(walk.record.at, 1, walk.record.size, s->out);
        fputc('\n', s->out);
    }
}

/* The other side: what a log would append. */
static void *consume(void *context)
{
    struct server *s = context;
    struct buf copy = {0};
    for (bool last = false;;) {
        uint64_t position;
        if (channel_take(s->intake.channel, &copy, &position) != OK) {
            if (last) {
                break;
            }
            last = s->done;
            fflush(s->out);
            usleep(last ? 0 : 1000);
            continue;
        }
        struct frame frame;
        size_t size;
        if (frame_read(buf_slice(&copy), &frame, &size, NULL) != OK) {
            fputs("senders: no frame\n", stderr);
            exit(1);
        }
        write_frame(s, &frame);
        channel_finish(s->intake.channel, position);
    }
    fflush(s->out);
    buf_fini(&copy);
    return NULL;
}

static void refuse(const char *words)
{
    fprintf(stderr, "senders: %s\n", words);
    exit(2);
}

static void add_input(struct server *s, const char *kind, size_t kind_size, const char *address)
{
    struct intake_input *input = &s->inputs[s->input_count++];
    struct diag diag;
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    *input = (struct intake_input){.name = slice_of(kind, kind_size), .tenant = SLICE("t")};
    input->kind = input->name;
    input->certificate = s->certificate;
    input->key = s->key;
    input->authority = s->authority;
    bool udp = slice_equal(input->kind, SLICE("syslog-udp"));
    if (syslog_peer_bind(slice_text(address), udp ? SOCK_DGRAM : SOCK_STREAM, &input->listener,
                &diag) != OK) {
        refuse(diag.words);
    }
    getsockname(input->listener, (struct sockaddr *)&name, &size);
    printf("%.*s %u\n", SLICE_ARG(input->kind),
            ntohs(name.ss_family == AF_INET ? ((struct sockaddr_in *)&name)->sin_port
                                            : ((struct sockaddr_in6 *)&name)->sin6_port));
}

static void read_arguments(struct server *s, int count, char **arguments)
{
    for (int i = 2; i < count; i++) {
        const char *a = arguments[i], *equals = strchr(a, '=');
        if (strcmp(a, "-q") == 0) {
            s->quiet = true;
        } else if (a[0] == '-' && i + 1 < count) {
            struct slice *to = a[1] == 'c'   ? &s->certificate
                               : a[1] == 'k' ? &s->key
                                             : &s->authority;
            *to = slice_text(arguments[++i]);
        } else if (!equals || s->input_count == INPUTS || s->pattern_count == INPUTS) {
            refuse(a);
        } else if (strncmp(a, "files=", 6) == 0) {
            s->patterns[s->pattern_count++] = slice_text(equals + 1);
        } else {
            add_input(s, a, (size_t)(equals - a), equals + 1);
        }
    }
}

static struct follow *start_following(struct server *s)
{
    struct follow_options options = FOLLOW_OPTIONS;
    struct follow *follow = NULL;
    struct diag diag;
    s->files = (struct intake_input){.name = SLICE("files"), .tenant = SLICE("t")};
    options.intake = &s->intake;
    options.input = &s->files;
    options.patterns = s->patterns;
    options.count = s->pattern_count;
    if (s->pattern_count > 0 && follow_new(&options, &follow, &diag) != OK) {
        refuse(diag.words);
    }
    return follow;
}

static void serve(struct server *s, struct syslog_listen *listen)
{
    struct follow *follow = start_following(s);
    while (!stopped) {
        if (s->input_count > 0) {
            syslog_listen_step(listen, follow ? 10 : 1000);
        }
        if (follow) {
            follow_step(follow, s->input_count > 0 ? 0 : 1000);
        }
    }
    syslog_listen_stop(listen);
    while (!syslog_listen_is_done(listen)) {
        syslog_listen_step(listen, 10);
    }
    while (follow && follow_step(follow, 0)) {
    }
    follow_free(follow);
}

static void report(const struct server *s, const struct syslog_listen *listen)
{
    struct syslog_listen_figures f = syslog_listen_figures(listen);
    struct rusage used;
    uint64_t kernel = 0, received = 0;
    getrusage(RUSAGE_SELF, &used);
    for (size_t i = 0; i < counts_size(s->intake.counts); i++) {
        const struct counts_source *c = counts_at(s->intake.counts, i);
        kernel += c ? c->dropped[COUNTS_KERNEL] : 0;
        received += c ? counts_totals(c).received : 0;
    }
    printf("records=%llu frames=%llu bytes=%llu received=%llu kernel_dropped=%llu accepted=%llu "
           "cut=%llu cpu_s=%.2f\n",
            (unsigned long long)s->records, (unsigned long long)s->frames,
            (unsigned long long)s->bytes, (unsigned long long)received, (unsigned long long)kernel,
            (unsigned long long)f.accepted, (unsigned long long)f.cut,
            (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                    (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    for (int i = 0; i < SYSLOG_TLS_FAILURES; i++) {
        if (f.tls_failed[i] > 0) {
            printf("tls_failed_%s=%llu\n", syslog_tls_failure_name((enum syslog_tls_failure)i),
                    (unsigned long long)f.tls_failed[i]);
        }
    }
}

int main(int count, char **arguments)
{
    static struct server server;
    struct channel *channel = NULL;
    struct counts *counts = NULL;
    struct syslog_listen *listen = NULL;
    struct diag diag = {0};
    pthread_t consumer;
    server.out = count > 1 ? fopen(arguments[1], "wb") : NULL;
    if (!server.out || channel_new(CHANNEL, &channel, &diag) != OK ||
            counts_new(&counts, &diag) != OK) {
        refuse("usage: senders OUT [-q] [-c CERTIFICATE -k KEY [-a AUTHORITY]] KIND=ADDRESS...");
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    intake_init(&server.intake, channel, counts, wall_ns);
    read_arguments(&server, count, arguments);
    struct syslog_listen_options options = SYSLOG_LISTEN_OPTIONS;
    options.intake = &server.intake;
    options.inputs = server.inputs;
    options.input_count = server.input_count;
    if (syslog_listen_new(&options, &listen, &diag) != OK) {
        refuse(diag.words);
    }
    pthread_create(&consumer, NULL, consume, &server);
    puts("ready");
    fflush(stdout);
    serve(&server, listen);
    server.done = true;
    pthread_join(consumer, NULL);
    report(&server, listen);
    syslog_listen_free(listen);
    intake_fini(&server.intake);
    counts_free(counts);
    channel_free(channel);
    fclose(server.out);
    return 0;
}
