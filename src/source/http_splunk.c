#include "source/http_splunk.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/json_text.h"
#include "base/memory.h"

/* ---- texts and codes ---------------------------------------------------------------------------
 */

enum {
    SUCCESS = 0,
    DISABLED = 1,
    NO_TOKEN = 2,
    BAD_HEADER = 3,
    BAD_TOKEN = 4,
    NO_DATA = 5,
    BAD_FORMAT = 6,
    FAULT = 8,
    BUSY = 9,
    NO_CHANNEL = 10,
    BAD_CHANNEL = 11,
    NO_EVENT = 12,
    BLANK_EVENT = 13,
    HEALTHY = 17,
    UNHEALTHY = 18,
};

static const struct answer {
    int code, status;
    const char *text;
} answers[] = {
        {SUCCESS, 200, "Success"},
        {DISABLED, 403, "Token disabled"},
        {NO_TOKEN, 401, "Token is required"},
        {BAD_HEADER, 401, "Invalid authorization"},
        {BAD_TOKEN, 403, "Invalid token"},
        {NO_DATA, 400, "No data"},
        {BAD_FORMAT, 400, "Invalid data format"},
        {FAULT, 500, "Internal server error"},
        {BUSY, 503, "Server is busy"},
        {NO_CHANNEL, 400, "Data channel is missing"},
        {BAD_CHANNEL, 400, "Invalid data channel"},
        {NO_EVENT, 400, "Event field is required"},
        {BLANK_EVENT, 400, "Event field cannot be blank"},
        {HEALTHY, 200, "HEC is healthy"},
        {UNHEALTHY, 503, "HEC is unhealthy, queues are full"},
};

static const struct answer *answer_of(int code)
{
    const struct answer *found = answers;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        found = answers[i].code == code ? &answers[i] : found;
    }
    return found;
}

/* `more`: further members with a comma before them, or "". */
static void say(struct http_request *r, int code, int status, const char *more)
{
    const struct answer *a = answer_of(code);
    buf_clear(http_request_out(r));
    buf_format(http_request_out(r), "{\"text\":\"%s\",\"code\":%d%s}", a->text, a->code, more);
    if (status == 503) {
        http_request_add_header(r, "Retry-After", "5");
    }
    http_request_answer(r, status, "application/json; charset=UTF-8");
}

static void refuse(struct http_request *r, enum http_refusal why, struct slice words)
{
    static const int codes[HTTP_REFUSALS] = {[HTTP_NO_TOKEN] = NO_TOKEN,
            [HTTP_BAD_HEADER] = BAD_HEADER,
            [HTTP_WRONG_TOKEN] = BAD_TOKEN,
            [HTTP_REVOKED_TOKEN] = DISABLED,
            [HTTP_FORBIDDEN] = BAD_TOKEN,
            [HTTP_BAD_REQUEST] = BAD_FORMAT,
            [HTTP_TOO_LARGE] = BAD_FORMAT,
            [HTTP_BAD_ENCODING] = BAD_FORMAT,
            [HTTP_LONG_HEADERS] = BAD_FORMAT,
            [HTTP_BUSY] = BUSY,
            [HTTP_FAULT] = FAULT};
    (void)words;
    int status = http_request_refusal_status(why);
    bool token = why == HTTP_WRONG_TOKEN || why == HTTP_REVOKED_TOKEN;
    say(r, codes[why], token ? 403 : status, "");
}

/* ---- channels ----------------------------------------------------------------------------------
 */

enum { WAYS = 8, SETS = HTTP_SPLUNK_CHANNELS / WAYS, CHANNEL_TEXT = 36 };

/* How many acks a token's channel has been given. One that is forgotten begins anew: what it gave
 * out is not known any more, and its sender sends again. */
struct channel_row {
    char token[AUTHORIZE_NAME];
    char channel[CHANNEL_TEXT];
    uint64_t next;
    uint64_t used; /* when, by the clock below */
};

struct http_splunk {
    pthread_mutex_t mutex; /* guards the rest */
    uint64_t clock;
    struct channel_row rows[SETS][WAYS];
};

enum err http_splunk_new(struct http_splunk **out)
{
    struct http_splunk *s = memory_alloc(sizeof *s);
    if (!s) {
        return ERR_MEMORY;
    }
    pthread_mutex_init(&s->mutex, NULL);
    *out = s;
    return OK;
}

void http_splunk_free(struct http_splunk *s)
{
    if (s) {
        pthread_mutex_destroy(&s->mutex);
        memory_free(s);
    }
}

/* A GUID: 32 hex digits in groups. */
static bool is_channel(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char low = (char)(text.at[i] | 0x20);
        bool hex = slice_is_digit(text.at[i]) || (low >= 'a' && low <= 'f');
        if (dash ? text.at[i] != '-' : !hex) {
            return false;
        }
    }
    return text.size == CHANNEL_TEXT;
}

static struct slice channel_of(struct http_request *r)
{
    struct slice header = http_request_header(r, "X-Splunk-Request-Channel");
    return header.at ? header : http_request_query(r, "channel");
}

/* The mutex is held. The row of a channel, or the one that was not used for longest. */
static struct channel_row *find_row(struct http_splunk *s, const char *token, struct slice channel)
{
    uint64_t hash = hash_bytes(channel, hash_bytes(slice_text(token), 0));
    struct channel_row *set = s->rows[hash % SETS], *oldest = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].used && strcmp(set[i].token, token) == 0 &&
                memcmp(set[i].channel, channel.at, CHANNEL_TEXT) == 0) {
            return &set[i];
        }
        oldest = set[i].used < oldest->used ? &set[i] : oldest;
    }
    *oldest = (struct channel_row){0};
    snprintf(oldest->token, sizeof oldest->token, "%s", token);
    memcpy(oldest->channel, channel.at, CHANNEL_TEXT);
    return oldest;
}

/* How many there were before; `more` are given out. */
static uint64_t give_acks(struct http_batch *b, struct slice channel, uint64_t more)
{
    struct http_splunk *s = b->h->splunk;
    pthread_mutex_lock(&s->mutex);
    struct channel_row *row = find_row(s, http_request_actor(b->r)->id, channel);
    uint64_t before = row->next;
    row->next += more;
    row->used = ++s->clock;
    pthread_mutex_unlock(&s->mutex);
    return before;
}

/* ---- events ------------------------------------------------------------------------------------
 */

static int fault_of(struct slice envelope)
{
    struct slice event = json_text_get(envelope, SLICE("event"));
    if (!json_text_is_object(envelope)) {
        return BAD_FORMAT;
    }
    if (!event.at || slice_equal(event, SLICE("null"))) {
        return NO_EVENT;
    }
    return slice_equal(event, SLICE("\"\"")) ? BLANK_EVENT : SUCCESS;
}

bool http_splunk_read(struct slice body, void (*use)(void *context, struct slice envelope),
        void *context, struct http_splunk_fault *fault)
{
    struct diag diag = {0};
    for (size_t n = 0;; n++) {
        size_t size;
        body = slice_trim(body);
        enum err e = json_text_check(body, HTTP_INTAKE_DEPTH, &size, &diag);
        if (e == ERR_END) {
            *fault = (struct http_splunk_fault){.code = NO_DATA, .words = "no data"};
            return n > 0;
        }
        struct slice envelope = slice_of(body.at, e == OK ? size : 0);
        int code = e == OK ? fault_of(envelope) : BAD_FORMAT;
        if (code != SUCCESS) {
            *fault = (struct http_splunk_fault){code, n, answer_of(code)->text};
            return false;
        }
        use(context, envelope);
        body = slice_from(body, size);
    }
}

static void add(void *context, struct slice envelope)
{
    http_batch_add(context, envelope);
}

/* Kept in the request's arena. */
struct wish {
    struct slice channel; /* .at NULL: none */
    struct http_splunk_fault fault;
};

static void finish(struct http_batch *b, enum http_batch_outcome outcome)
{
    const struct wish *wish = b->more;
    char more[60] = "";
    if (outcome != HTTP_BATCH_STORED) {
        say(b->r, BUSY, 503, "");
        return;
    }
    if (b->refusal == HTTP_TOO_LARGE) {
        refuse(b->r, b->refusal, b->wrong);
        return;
    }
    if (wish->fault.code == BAD_FORMAT || wish->fault.code == NO_EVENT ||
            wish->fault.code == BLANK_EVENT) {
        snprintf(more, sizeof more, ",\"invalid-event-number\":%zu", wish->fault.event);
    } else if (wish->channel.at) {
        snprintf(more, sizeof more, ",\"ackId\":%llu",
                (unsigned long long)give_acks(b, wish->channel, 1));
    }
    int code = wish->fault.code;
    say(b->r, code, answer_of(code)->status, more);
}

/* NULL: answered already. */
static struct http_batch *open_batch(struct http_request *r, void *context, bool channel_needed)
{
    struct slice channel = channel_of(r);
    if (!channel.at && channel_needed) {
        say(r, NO_CHANNEL, 400, "");
        return NULL;
    }
    if (channel.at && !is_channel(channel)) {
        say(r, BAD_CHANNEL, 400, "");
        return NULL;
    }
    struct wish *wish = ARENA_NEW(http_request_arena(r), struct wish);
    struct http_batch *b = wish ? http_batch_new(context, r) : NULL;
    if (!wish) {
        refuse(r, HTTP_BUSY, (struct slice){0});
    }
    if (b) {
        wish->channel = channel;
        b->more = wish;
    }
    return b;
}

/* The whole body goes to quarantine, and the answer waits for that. */
static void send_fault(struct http_batch *b)
{
    struct wish *wish = b->more;
    struct buf words = {0};
    buf_format(&words, "event %zu: %s", wish->fault.event, wish->fault.words);
    http_batch_reject_whole(b, HTTP_BAD_REQUEST, buf_slice(&words));
    buf_fini(&words);
    http_batch_send(b, finish);
}

static void send_events(struct http_batch *b)
{
    struct wish *wish = b->more;
    if (b->failed) {
        http_batch_reject_whole(b, HTTP_TOO_LARGE, SLICE("too many events in one request"));
        http_batch_send(b, finish);
        return;
    }
    for (size_t i = 0; i < b->count && b->rejected; i++) {
        if (b->items[i].wrong) {
            wish->fault = (struct http_splunk_fault){BAD_FORMAT, i, b->items[i].wrong};
            send_fault(b);
            return;
        }
    }
    http_batch_send(b, finish);
}

static void take_events(struct http_request *r, void *context)
{
    struct http_batch *b = open_batch(r, context, false);
    if (!b) {
        return;
    }
    struct wish *wish = b->more;
    struct http_splunk_fault fault = {0};
    if (!http_splunk_read(http_request_body(r), add, b, &fault)) {
        if (fault.code == NO_DATA) {
            say(r, NO_DATA, 400, "");
            return;
        }
        wish->fault = fault;
        send_fault(b);
        return;
    }
    send_events(b);
}

static void take_raw(struct http_request *r, void *context)
{
    struct http_batch *b = open_batch(r, context, false);
    if (!b) {
        return;
    }
    b->input.format = b->h->options.input->format;
    http_batch_add_lines(b, http_request_body(r), NULL);
    if (b->count == 0 && !b->failed) {
        say(r, NO_DATA, 400, "");
        return;
    }
    send_events(b);
}

/* ---- acks and health ---------------------------------------------------------------------------
 */

static bool read_number(struct slice text, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (!slice_is_digit(text.at[i]) || i == 18) {
            return false;
        }
        *number = *number * 10 + (uint64_t)(text.at[i] - '0');
    }
    return text.size > 0;
}

static bool add_acks(struct buf *out, struct slice body, uint64_t given)
{
    struct json_text_members m = json_text_open(json_text_get(body, SLICE("acks")));
    size_t n = 0;
    buf_clear(out);
    buf_add(out, SLICE("{\"acks\":{"));
    for (; m.array && json_text_next(&m); n++) {
        uint64_t id;
        if (!read_number(m.value, &id) || n == HTTP_SPLUNK_ACKS) {
            return false;
        }
        buf_format(out, "%s\"%llu\":%s", n ? "," : "", (unsigned long long)id,
                id < given ? "true" : "false");
    }
    buf_add(out, SLICE("}}"));
    return n > 0;
}

static void take_ack(struct http_request *r, void *context)
{
    struct http_batch *b = open_batch(r, context, true);
    struct slice body = http_request_body(r);
    if (!b) {
        return;
    }
    struct buf *out = http_request_out(r);
    if (json_text_check_whole(body, 4, NULL) != OK || !json_text_is_object(slice_trim(body)) ||
            !add_acks(out, body, give_acks(b, channel_of(r), 0))) {
        say(r, BAD_FORMAT, 400, "");
        return;
    }
    http_request_answer(r, 200, "application/json; charset=UTF-8");
}

static void take_health(struct http_request *r, void *context)
{
    struct http_intake *h = context;
    bool open = channel_refusing(h->options.intake->channel) == CHANNEL_OPEN;
    say(r, open ? HEALTHY : UNHEALTHY, open ? 200 : 503, "");
}

#define EVENTS(path)                                                                               \
    {                                                                                              \
        HTTP_POST, path, AUTHORIZE_INGEST, HTTP_INTAKE_BODY, take_events, refuse                   \
    }
#define RAW(path)                                                                                  \
    {                                                                                              \
        HTTP_POST, path, AUTHORIZE_INGEST, HTTP_INTAKE_BODY, take_raw, refuse                      \
    }
#define HEALTH(path)                                                                               \
    {                                                                                              \
        HTTP_GET, path, AUTHORIZE_PUBLIC, 0, take_health, refuse                                   \
    }

const struct http_route http_splunk_routes[] = {
        EVENTS("/services/collector"),
        EVENTS("/services/collector/event"),
        EVENTS("/services/collector/event/1.0"),
        RAW("/services/collector/raw"),
        RAW("/services/collector/raw/1.0"),
        {HTTP_POST, "/services/collector/ack", AUTHORIZE_INGEST, 1 << 20, take_ack, refuse},
        HEALTH("/services/collector/health"),
        HEALTH("/services/collector/health/1.0"),
};
const size_t http_splunk_route_count = sizeof http_splunk_routes / sizeof *http_splunk_routes;
