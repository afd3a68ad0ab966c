#include "source/http_batch.h"

#include "base/json_text.h"
#include "base/memory.h"

static const int64_t MS = 1000000;

/* ---- making -----------------------------------------------------------------------------------
 */

/* The request has ended, whoever answered it. */
static void on_end(void *kept)
{
    struct http_batch *b = kept;
    struct http_batch_list *list = &b->h->list;
    pthread_mutex_lock(&list->mutex);
    if (b->waits) {
        struct http_batch **at = &list->first;
        while (*at != b) {
            at = &(*at)->next;
        }
        *at = b->next;
        list->last = b->next ? list->last : at;
        list->crowded -= b->put < b->count;
    }
    pthread_mutex_unlock(&list->mutex);
    if (b->end) {
        b->end(b);
    }
    frame_records_fini(&b->batch.records);
    buf_fini(&b->source);
    buf_fini(&b->text);
    memory_free(b->items);
    memory_free(b);
}

struct http_batch *http_batch_new(struct http_intake *h, struct http_request *r)
{
    struct http_batch *b = memory_alloc(sizeof *b);
    if (!b) {
        http_request_refuse(r, HTTP_BUSY, SLICE("no memory"));
        return NULL;
    }
    b->h = h;
    b->r = r;
    b->input = *h->options.input;
    b->input.format = SLICE("json");
    b->input.record_bytes = b->input.record_bytes ? b->input.record_bytes : INTAKE_RECORD;
    buf_add(&b->source, b->input.name);
    buf_byte(&b->source, '/');
    buf_add(&b->source, http_request_peer(r));
    b->batch.input = &b->input;
    b->batch.tenant = slice_text(http_request_actor(r)->tenant);
    b->batch.source = buf_slice(&b->source);
    b->failed = b->source.failed;
    http_request_keep(r, on_end, b);
    return b;
}

static void add_item(struct http_batch *b, struct http_batch_item item)
{
    if (b->failed || b->count == HTTP_INTAKE_ITEMS ||
            !memory_grow(&b->items, &b->room, b->count + 1, sizeof *b->items)) {
        b->failed = true;
        return;
    }
    b->items[b->count++] = item;
    b->rejected += item.wrong != NULL;
}

void http_batch_add(struct http_batch *b, struct slice record)
{
    if (record.size > b->input.record_bytes || record.size > INTAKE_RECORD) {
        http_batch_reject(b, record, COUNTS_TOO_LONG, "the record is longer than may be");
        return;
    }
    add_item(b, (struct http_batch_item){.bytes = record});
}

void http_batch_add_made(struct http_batch *b, size_t from)
{
    size_t before = b->count;
    http_batch_add(b, slice_of(NULL, b->text.size - from));
    if (b->count > before) {
        b->items[before].made = from + 1;
    }
}

/* b->text does not move any more. */
static void settle(struct http_batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        if (b->items[i].made) {
            b->items[i].bytes.at = b->text.at + (b->items[i].made - 1);
        }
    }
}

void http_batch_reject(
        struct http_batch *b, struct slice bytes, enum counts_rejection why, const char *wrong)
{
    add_item(b, (struct http_batch_item){.bytes = bytes, .wrong = wrong, .why = why});
}

void http_batch_reject_whole(struct http_batch *b, enum http_refusal refusal, struct slice words)
{
    struct slice kept = arena_copy(http_request_arena(b->r), words);
    bool large = refusal == HTTP_TOO_LARGE;
    b->count = 0;
    b->rejected = 0;
    b->failed = false;
    b->refusal = refusal;
    b->wrong = kept.at ? kept : SLICE("not well formed");
    http_batch_reject(
            b, http_request_body(b->r), large ? COUNTS_TOO_LONG : COUNTS_SYNTAX, b->wrong.at);
}

const char *http_batch_check_object(struct slice line)
{
    if (!json_text_is_object(line)) {
        return "expected a JSON object";
    }
    enum err e = json_text_check_whole(line, HTTP_INTAKE_DEPTH, NULL);
    return e == OK ? NULL : e == ERR_LIMIT ? "nested too deeply" : "not valid JSON";
}

void http_batch_add_lines(
        struct http_batch *b, struct slice body, const char *(*check)(struct slice line))
{
    while (body.size > 0) {
        struct slice line = slice_cut(&body, '\n');
        line.size -= line.size > 0 && line.at[line.size - 1] == '\r';
        if (slice_trim(line).size == 0) {
            continue;
        }
        bool fits = line.size <= b->input.record_bytes;
        const char *wrong = fits && check ? check(slice_trim(line)) : NULL;
        if (wrong) {
            http_batch_reject(b, line, COUNTS_SYNTAX, wrong);
        } else {
            http_batch_add(b, line);
        }
    }
}

/* ---- putting ----------------------------------------------------------------------------------
 */

/* Fills the batch from b->put on; returns the item behind it. Items with keys go alone. */
static size_t fill(struct http_batch *b)
{
    struct frame_records *records = &b->batch.records;
    size_t i = b->put;
    frame_records_clear(records);
    b->batch.key = b->items[i].key;
    do {
        frame_records_add(records, b->items[i++].bytes);
    } while (i < b->count && !b->items[i].wrong && !b->items[i].key.size && !b->batch.key.size &&
             records->lines.size + b->items[i].bytes.size <= INTAKE_BATCH);
    return i;
}

/* Puts what there is room for. */
static void put_some(struct http_batch *b)
{
    struct intake *intake = b->h->options.intake;
    while (b->put < b->count) {
        const struct http_batch_item *item = &b->items[b->put];
        size_t next = b->put + 1;
        enum err e;
        if (item->wrong) {
            b->batch.key = (struct slice){0};
            e = intake_reject(intake, &b->batch, item->bytes, item->why, item->wrong);
            b->position = channel_head(intake->channel);
        } else {
            next = fill(b);
            e = intake_put(intake, &b->batch, &b->position);
        }
        if (e != OK) {
            return;
        }
        b->put = next;
    }
}

/* Whether its time has come, and for what. */
static bool is_decided(const struct http_batch *b, int64_t now, enum http_batch_outcome *outcome)
{
    const struct intake *intake = b->h->options.intake;
    int64_t waited = now - b->since_ns;
    if (b->put == b->count && intake_done(intake) >= b->position) {
        *outcome = HTTP_BATCH_STORED;
        return true;
    }
    bool refusing = channel_refusing(intake->channel) != CHANNEL_OPEN;
    if (b->put == 0 && (refusing || waited >= HTTP_INTAKE_ROOM_MS * MS)) {
        *outcome = HTTP_BATCH_BUSY;
        return true;
    }
    *outcome = HTTP_BATCH_UNKNOWN;
    return waited >= HTTP_INTAKE_DONE_MS * MS;
}

static void append(struct http_batch_list *list, struct http_batch *b)
{
    b->next = NULL;
    *list->last = b;
    list->last = &b->next;
}

/* The mutex is held. Takes those whose answer is known out of the list, into *decided. */
static void look(struct http_intake *h, bool closing, struct http_batch_list *decided)
{
    struct http_batch_list *list = &h->list;
    int64_t now = h->options.steady_ns();
    struct http_batch *b = list->first;
    bool room = true; /* nobody passes by one that waits for room */
    list->first = NULL;
    list->last = &list->first;
    list->crowded = 0;
    for (struct http_batch *next; b; b = next) {
        next = b->next;
        if (b->put < b->count && room && channel_refusing(h->options.intake->channel) == 0) {
            put_some(b);
        }
        room = room && b->put == b->count;
        if (!is_decided(b, now, &b->outcome) && !closing) {
            list->crowded += b->put < b->count;
            append(list, b);
            continue;
        }
        b->waits = false;
        if (http_request_claim(b->r)) { /* the server may be stopping */
            append(decided, b);
        }
    }
}

void http_batch_turn(struct http_intake *h, bool closing)
{
    struct http_batch_list decided = {.last = &decided.first};
    pthread_mutex_lock(&h->list.mutex);
    look(h, closing, &decided);
    pthread_mutex_unlock(&h->list.mutex);
    for (struct http_batch *b = decided.first, *next; b; b = next) {
        next = b->next;
        b->finish(b, b->outcome); /* b may be gone */
    }
}

void http_batch_send(
        struct http_batch *b, void (*finish)(struct http_batch *b, enum http_batch_outcome outcome))
{
    struct http_intake *h = b->h;
    struct http_batch_list *list = &h->list;
    settle(b);
    b->finish = finish;
    b->since_ns = h->options.steady_ns();
    if (b->count == 0) {
        finish(b, b->failed ? HTTP_BATCH_BUSY : HTTP_BATCH_STORED);
        return;
    }
    http_request_wait(b->r);
    pthread_mutex_lock(&list->mutex);
    /* Where the log takes nothing it is better to say so than to hold it for a time unknown. */
    if (list->crowded == 0 && channel_refusing(h->options.intake->channel) == CHANNEL_OPEN) {
        put_some(b);
    }
    b->waits = true;
    list->crowded += b->put < b->count;
    append(list, b);
    bool decided = is_decided(b, b->since_ns, &b->outcome);
    pthread_mutex_unlock(&list->mutex);
    if (decided) { /* the turn that its commit set off may have passed already */
        http_batch_turn(h, false);
    }
}
