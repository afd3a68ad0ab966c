#include "support/sink.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "support/web.h"

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void must(bool fine)
{
    if (!fine) {
        abort();
    }
}

/* Offsets first: the memory moves while it grows. */
static void keep_texts(struct sink_record *r, const struct slice *from)
{
    struct slice *to[] = {&r->bytes, &r->tenant, &r->source, &r->format, &r->key, &r->reason};
    for (size_t i = 0; i < 6; i++) {
        buf_add(&r->memory, from[i]);
    }
    must(!r->memory.failed);
    for (size_t i = 0, at = 0; i < 6; i++) {
        *to[i] = slice_of(r->memory.at + at, from[i].size);
        at += from[i].size;
    }
}

static void keep(struct sink *sink, const struct frame *frame, struct slice record)
{
    struct sink_record *r = memory_alloc(sizeof *r);
    must(r != NULL);
    r->kind = frame->kind;
    const struct slice texts[] = {record, frame->attribute[FRAME_TENANT],
            frame->attribute[FRAME_SOURCE], frame->attribute[FRAME_FORMAT],
            frame->attribute[FRAME_KEY], frame->attribute[FRAME_REASON]};
    keep_texts(r, texts);
    pthread_mutex_lock(&sink->mutex);
    *sink->last = r;
    sink->last = &r->next;
    pthread_mutex_unlock(&sink->mutex);
    if (sink->copy) {
        fprintf(sink->copy, "%s\t%.*s\t%.*s\t%.*s\t%.*s\t%.*s\n", frame_kind_name(frame->kind),
                SLICE_ARG(r->tenant), SLICE_ARG(r->source), SLICE_ARG(r->key), SLICE_ARG(r->reason),
                SLICE_ARG(r->bytes));
        fflush(sink->copy);
    }
}

static void take(struct sink *sink, struct buf *copy, uint64_t *position)
{
    while (!sink->stuck && channel_take(sink->channel, copy, position) == OK) {
        struct frame frame;
        struct frame_walk walk = {0};
        size_t size;
        must(frame_read(buf_slice(copy), &frame, &size, NULL) == OK);
        while (frame_next(&frame, &walk)) {
            keep(sink, &frame, walk.record);
        }
    }
    if (!sink->hold) {
        channel_finish(sink->channel, *position);
    }
}

static void *run(void *context)
{
    struct sink *sink = context;
    struct buf copy = {0};
    uint64_t position = 0, count;
    struct pollfd fds[] = {{channel_data_fd(sink->channel), POLLIN, 0},
            {channel_done_fd(sink->channel), POLLIN, 0}, {sink->wake, POLLIN, 0}};
    while (!sink->stop) {
        poll(fds, 3, 500);
        for (int i = 0; i < 3; i++) {
            if (fds[i].revents) {
                must(read(fds[i].fd, &count, 8) == 8);
            }
        }
        take(sink, &copy, &position);
        http_intake_turn(sink->h);
        http_sweep(sink->http);
    }
    buf_fini(&copy);
    return NULL;
}

void sink_add_token(struct tokens *tokens, struct slice tenant, enum authorize_role role,
        struct slice input, char header[200])
{
    char text[TOKENS_TEXT];
    struct tokens_wish wish = {SLICE("test"), tenant, input, role, 0};
    must(tokens_add(tokens, &wish, now_ns(), text, NULL) == OK);
    snprintf(header, 200, "Authorization: Bearer %s\r\n", text);
}

static bool is_format(struct slice name)
{
    return slice_equal(name, SLICE("syslog"));
}

void sink_open(struct sink *sink, const struct sink_options *options)
{
    static const struct sink_options none = {0};
    const struct sink_options *o = options ? options : &none;
    *sink = (struct sink){.last = &sink->first, .copy = o->copy};
    sink->input = (struct intake_input){.name = SLICE("web"),
            .kind = SLICE("http"),
            .tenant = SLICE("sg"),
            .record_bytes = o->record_bytes ? o->record_bytes : 1 << 20};
    must(channel_new(o->channel_bytes ? o->channel_bytes : 8 << 20, &sink->channel, NULL) == OK);
    must(counts_new(&sink->counts, NULL) == OK);
    intake_init(&sink->intake, sink->channel, sink->counts, now_ns);
    struct http_intake_options h = {.intake = &sink->intake,
            .input = &sink->input,
            .is_format = is_format,
            .steady_ns = o->steady_ns};
    must(http_intake_new(&h, &sink->h, NULL) == OK);
    sink->table = http_intake_table(sink->h);
    struct http_options web = {.listener = o->listener ? o->listener : web_listen(&sink->port),
            .input = sink->input.name,
            .tables = &sink->table,
            .table_count = 1};
    must(http_start(&web, &sink->http, NULL) == OK);
    must(tokens_new(&sink->tokens) == OK);
    sink_add_token(sink->tokens, SLICE("sg/health"), AUTHORIZE_INGESTER, SLICE(""), sink->token);
    snprintf(sink->text, sizeof sink->text, "%.*s", TOKENS_TEXT - 1, sink->token + 22);
    http_use_tokens(sink->http, sink->tokens);
    pthread_mutex_init(&sink->mutex, NULL);
    sink->wake = eventfd(0, EFD_CLOEXEC);
    must(sink->wake >= 0 && pthread_create(&sink->thread, NULL, run, sink) == 0);
}

void sink_wake(struct sink *sink)
{
    uint64_t one = 1;
    must(write(sink->wake, &one, 8) == 8);
}

const struct sink_record *sink_record(struct sink *sink, enum frame_kind kind, size_t i)
{
    pthread_mutex_lock(&sink->mutex);
    const struct sink_record *r = sink->first;
    while (r && (r->kind != kind || i-- > 0)) {
        r = r->next;
    }
    pthread_mutex_unlock(&sink->mutex);
    return r;
}

size_t sink_count(struct sink *sink, enum frame_kind kind)
{
    size_t n = 0;
    while (sink_record(sink, kind, n)) {
        n++;
    }
    return n;
}

void sink_close(struct sink *sink)
{
    sink->stop = true;
    sink_wake(sink);
    pthread_join(sink->thread, NULL);
    http_intake_close(sink->h);
    http_stop(sink->http);
    http_intake_free(sink->h);
    intake_fini(&sink->intake);
    counts_free(sink->counts);
    channel_free(sink->channel);
    close(sink->wake);
    while (sink->first) {
        struct sink_record *r = sink->first;
        sink->first = r->next;
        buf_fini(&r->memory);
        memory_free(r);
    }
    pthread_mutex_destroy(&sink->mutex);
}
