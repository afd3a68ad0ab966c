#include "api/api_findings.h"

#include "api/api_feed.h"
#include "api/api_parts.h"
#include "base/memory.h"
#include "base/time.h"

enum { PAGE = 1000 };

/* What is fed, by its kind: the answer's member, and the event of a stream. */
static const struct {
    const char *member, *event;
} names[] = {[API_FEED_FINDINGS] = {"findings", "finding"},
        [API_FEED_QUARANTINE] = {"quarantine", "quarantine"},
        [API_FEED_RECORDS] = {"records", "record"}};

/* One that asks for findings. In the list while it waits or streams. */
struct api_client {
    struct api *api;
    struct http_request *r;
    struct api_feed feed;
    struct buf found; /* a page's findings, or what a stream has not sent yet */
    size_t sent;
    uint64_t limit, count;
    int64_t until_ns; /* 0: does not wait */
    uint64_t beats, ends, gap;
    bool more; /* a page: the end of what is committed was not reached */
    bool stream, listed;
    struct api_client *next, **place;
};

/* The mutex is held. */
static void unlist(struct api_client *client)
{
    if (client->listed) {
        *client->place = client->next;
        if (client->next) {
            client->next->place = client->place;
        }
        client->listed = false;
        client->api->client_count--;
    }
}

/* Below it all is on disk. */
static uint64_t committed_of(const struct api_client *client, const struct api_figures *f)
{
    return client->feed.kind == API_FEED_RECORDS ? f->committed : f->findings;
}

static bool enlist(struct api_client *client)
{
    struct api *api = client->api;
    pthread_mutex_lock(&api->mutex);
    bool room = api->client_count < API_WAITING;
    if (room) {
        client->next = api->first;
        client->place = &api->first;
        if (client->next) {
            client->next->place = &client->next;
        }
        api->first = client;
        client->listed = true;
        api->client_count++;
    }
    pthread_mutex_unlock(&api->mutex);
    return room;
}

static void end_client(void *kept)
{
    struct api_client *client = kept;
    struct api *api = client->api;
    pthread_mutex_lock(&api->mutex);
    unlist(client);
    pthread_mutex_unlock(&api->mutex);
    api_feed_fini(&client->feed);
    buf_fini(&client->found);
    memory_free(client);
}

/* ---- a page ------------------------------------------------------------------------------------
 */

/* Adds what there is; ERR_END: up to all that is committed. */
static enum err fill_page(struct api_client *client, struct diag *diag)
{
    const struct api_figures f = api_parts_figures(client->api);
    struct slice finding;
    enum err e = OK;
    client->feed.budget = API_LOOK;
    while (client->count < client->limit && client->found.size < API_PAGE_BYTES) {
        e = api_feed_next(&client->feed, committed_of(client, &f), &finding, diag);
        if (e != OK) {
            break;
        }
        if (client->count++ > 0) {
            buf_add(&client->found, SLICE(",\n"));
        }
        buf_add(&client->found, finding);
    }
    client->more = e != ERR_END;
    return e == ERR_LIMIT || e == ERR_END ? OK : e;
}

static void answer_page(struct api_client *client, enum err e, const struct diag *diag)
{
    struct http_request *r = client->r;
    struct buf *out = http_request_out(r);
    if (e != OK) {
        http_request_refuse(r, HTTP_FAULT, slice_text(diag->words));
        return;
    }
    buf_format(out, "{\"%s\":[", names[client->feed.kind].member);
    buf_add(out, buf_slice(&client->found));
    buf_format(out, "],\"next\":%llu,\"more\":%s", (unsigned long long)client->feed.next,
            client->more ? "true" : "false");
    if (client->feed.unreadable > 0) {
        buf_format(out, ",\"unreadable\":%llu", (unsigned long long)client->feed.unreadable);
    }
    buf_add(out, SLICE("}\n"));
    out->failed |= client->found.failed;
    http_request_answer(r, 200, "application/json");
}

/* Answers when there is something, or the time is over. The mutex is held, so that the request does
 * not end meanwhile. */
static void look_again(struct api_client *client, const struct api_figures *f, int64_t now_ns)
{
    struct diag diag = {0};
    bool over = now_ns >= client->until_ns;
    if (!over && client->feed.next >= committed_of(client, f)) {
        return;
    }
    enum err e = fill_page(client, &diag);
    if (e == OK && !over && client->count == 0 && !client->more) {
        return;
    }
    unlist(client);
    if (http_request_claim(client->r)) { /* the server may be stopping */
        answer_page(client, e, &diag);
    }
}

/* ---- a stream ----------------------------------------------------------------------------------
 */

static void add_event(struct api_client *client, struct slice finding)
{
    buf_format(&client->found, "id: %llu\nevent: %s\ndata: ", (unsigned long long)client->feed.next,
            names[client->feed.kind].event);
    buf_add(&client->found, finding);
    buf_add(&client->found, SLICE("\n\n"));
}

/* What stands in the log and cannot be read is said, not left out in silence. */
static void add_gap(struct api_client *client)
{
    if (client->feed.unreadable > client->gap) {
        buf_format(&client->found, "id: %llu\nevent: unreadable\ndata: {\"unreadable\":%llu}\n\n",
                (unsigned long long)client->feed.next,
                (unsigned long long)(client->feed.unreadable - client->gap));
        client->gap = client->feed.unreadable;
    }
}

/* An event without data is shown to nobody, and its id is kept: where a client goes on from. */
static void add_beat(struct api_client *client)
{
    uint64_t beats = atomic_load(&client->api->beats);
    if (client->found.size == 0 && client->beats != beats) {
        buf_format(&client->found, "id: %llu\n\n", (unsigned long long)client->feed.next);
    }
    client->beats = beats;
}

/* false: it ends. */
static bool fill_stream(struct api_client *client, size_t room)
{
    const struct api_figures f = api_parts_figures(client->api);
    struct slice finding;
    struct diag diag = {0};
    enum err e = OK;
    buf_clear(&client->found);
    client->sent = 0;
    while (client->found.size < room) {
        client->feed.budget = API_LOOK;
        e = api_feed_next(&client->feed, committed_of(client, &f), &finding, &diag);
        add_gap(client);
        if (e == OK) {
            add_event(client, finding);
        } else if (e != ERR_LIMIT) {
            break;
        }
    }
    add_beat(client);
    return (e == OK || e == ERR_END) && !client->found.failed;
}

static size_t read_stream(void *context, char *to, size_t room)
{
    struct api_client *client = context;
    if (client->sent == client->found.size) {
        if (atomic_load(&client->api->ends) != client->ends || !fill_stream(client, room)) {
            return HTTP_STREAM_END;
        }
    }
    size_t left = client->found.size - client->sent, n = left < room ? left : room;
    if (n > 0) {
        memcpy(to, client->found.at + client->sent, n);
        client->sent += n;
    }
    return n;
}

static void start_stream(struct api_client *client)
{
    struct http_request *r = client->r;
    const struct http_stream stream = {read_stream, client};
    client->stream = true;
    client->ends = atomic_load(&client->api->ends);
    client->beats = atomic_load(&client->api->beats) - 1; /* one at once */
    if (!enlist(client)) {
        http_request_refuse(r, HTTP_BUSY, SLICE("too many are waiting"));
        return;
    }
    http_request_add_header(r, "Cache-Control", "no-store");
    http_request_stream(r, 200, "text/event-stream", &stream);
}

/* ---- a request ---------------------------------------------------------------------------------
 */

/* Whose findings: the token's, or of one below it that is asked for. */
static bool choose_tenant(struct api_client *client)
{
    struct http_request *r = client->r;
    struct slice own = slice_text(http_request_actor(r)->tenant);
    struct slice wanted = http_request_query(r, "tenant");
    if (wanted.at && !authorize(http_request_actor(r), wanted, AUTHORIZE_READ)) {
        http_request_refuse(r, HTTP_FORBIDDEN, SLICE("not a tenant of this token"));
        return false;
    }
    struct slice tenant = wanted.at ? wanted : own;
    memcpy(client->feed.tenant, tenant.at, tenant.size); /* both are valid, so short */
    return true;
}

static bool choose_level(struct api_client *client)
{
    struct slice level = http_request_query(client->r, "level");
    client->feed.level = level.at ? api_feed_level(level) : 0;
    if (client->feed.level == API_FEED_LEVELS) {
        http_request_refuse(client->r, HTTP_BAD_REQUEST,
                SLICE("level is informational, low, medium, high or critical"));
        return false;
    }
    return true;
}

static bool choose_cursor(struct api_client *client)
{
    struct http_request *r = client->r;
    const struct api_figures f = api_parts_figures(client->api);
    struct slice last = http_request_header(r, "Last-Event-ID");
    if (!api_parts_number(r, "after", &client->feed.next)) {
        return false;
    }
    if (last.at && !api_parts_read_number(last, &client->feed.next)) {
        http_request_refuse(r, HTTP_BAD_REQUEST, SLICE("Last-Event-ID is none of ours"));
        return false;
    }
    if (client->feed.next > committed_of(client, &f)) {
        http_request_refuse(r, f.ready ? HTTP_BAD_REQUEST : HTTP_BUSY,
                f.ready ? SLICE("the cursor is behind the end: it is of another log")
                        : SLICE("the logs are not open yet"));
        return false;
    }
    return true;
}

/* Instead of a cursor: so many of the last ones. */
static bool choose_last(struct api_client *client)
{
    struct http_request *r = client->r;
    const struct api_figures f = api_parts_figures(client->api);
    struct diag diag = {0};
    uint64_t n = 0;
    if (!http_request_query(r, "last").at || http_request_header(r, "Last-Event-ID").at) {
        return true;
    }
    if (!api_parts_number(r, "last", &n)) {
        return false;
    }
    if (n > API_PAGE || !f.ready) {
        http_request_refuse(r, f.ready ? HTTP_BAD_REQUEST : HTTP_BUSY,
                f.ready ? SLICE("last is at most 10000") : SLICE("the logs are not open yet"));
        return false;
    }
    enum err e = api_feed_last(&client->feed, committed_of(client, &f), n, API_LOOK, &diag);
    if (e != OK) {
        http_request_refuse(r, HTTP_FAULT, slice_text(diag.words));
    }
    return e == OK;
}

static bool choose_size(struct api_client *client, uint64_t *wait_s)
{
    struct http_request *r = client->r;
    client->limit = PAGE;
    *wait_s = 0;
    if (!api_parts_number(r, "limit", &client->limit) || !api_parts_number(r, "wait", wait_s)) {
        return false;
    }
    if (client->limit == 0 || client->limit > API_PAGE || *wait_s > API_WAIT_S) {
        http_request_refuse(
                r, HTTP_BAD_REQUEST, SLICE("limit is 1 to 10000, wait at most 60 seconds"));
        return false;
    }
    return true;
}

static void answer_or_wait(struct api_client *client, uint64_t wait_s)
{
    struct http_request *r = client->r;
    struct diag diag = {0};
    enum err e = fill_page(client, &diag);
    if (e != OK || client->count > 0 || client->more || wait_s == 0) {
        answer_page(client, e, &diag);
        return;
    }
    client->until_ns = client->api->options.wall_ns() + (int64_t)wait_s * TIME_SECOND;
    http_request_wait(r);
    if (!enlist(client) && http_request_claim(r)) {
        http_request_refuse(r, HTTP_BUSY, SLICE("too many are waiting"));
    }
}

static void choose_kind(struct api_client *client, enum api_feed_kind kind)
{
    const struct api_options *options = &client->api->options;
    client->feed.kind = kind;
    client->feed.directory = kind == API_FEED_RECORDS ? options->records : options->findings;
    client->feed.disk = options->disk;
    if (kind == API_FEED_QUARANTINE) {
        client->feed.wanted.reason = http_request_query(client->r, "reason");
    } else {
        client->feed.contains = http_request_query(client->r, "contains");
    }
    if (kind != API_FEED_FINDINGS) {
        client->feed.wanted.source = http_request_query(client->r, "source");
    }
}

static void start(struct http_request *r, struct api *api, enum api_feed_kind kind)
{
    struct slice accept = http_request_header(r, "Accept");
    struct api_client *client = memory_alloc(sizeof *client);
    uint64_t wait_s;
    if (!client) {
        http_request_refuse(r, HTTP_BUSY, SLICE("no memory"));
        return;
    }
    client->api = api;
    client->r = r;
    http_request_keep(r, end_client, client);
    choose_kind(client, kind);
    if (!choose_tenant(client) || (kind == API_FEED_FINDINGS && !choose_level(client)) ||
            !choose_cursor(client) || !choose_size(client, &wait_s) || !choose_last(client)) {
        return;
    }
    if (accept.at && slice_find(accept, SLICE("text/event-stream")) != SIZE_MAX) {
        start_stream(client);
    } else {
        answer_or_wait(client, wait_s);
    }
}

void api_findings(struct http_request *r, void *context)
{
    start(r, context, API_FEED_FINDINGS);
}

void api_findings_quarantine(struct http_request *r, void *context)
{
    start(r, context, API_FEED_QUARANTINE);
}

void api_findings_records(struct http_request *r, void *context)
{
    start(r, context, API_FEED_RECORDS);
}

/* ---- from outside ------------------------------------------------------------------------------
 */

void api_findings_wake(struct api *api)
{
    pthread_mutex_lock(&api->mutex);
    for (struct api_client *client = api->first; client; client = client->next) {
        if (client->stream) {
            http_request_wake(client->r);
        }
    }
    pthread_mutex_unlock(&api->mutex);
}

void api_findings_turn(struct api *api)
{
    const struct api_figures f = api_parts_figures(api);
    int64_t now_ns = api->options.wall_ns();
    pthread_mutex_lock(&api->mutex);
    bool beat = now_ns - api->beat_ns >= API_BEAT_S * TIME_SECOND || now_ns < api->beat_ns;
    uint64_t seen = f.findings + f.committed; /* neither goes back */
    bool news = seen != api->seen || beat;
    api->seen = seen;
    if (beat) {
        api->beat_ns = now_ns;
        atomic_fetch_add(&api->beats, 1);
    }
    for (struct api_client *client = api->first, *next; client; client = next) {
        next = client->next;
        if (!client->stream) {
            look_again(client, &f, now_ns);
        } else if (news) {
            http_request_wake(client->r);
        }
    }
    pthread_mutex_unlock(&api->mutex);
}
