#include "source/http_elastic.h"

#include "base/memory.h"
#include "source/http_batch.h"
#include "source/http_bulk.h"

/* ---- answers -----------------------------------------------------------------------------------
 */

/* Clients of 8.x and later ask for a type of their own, with the version that they keep to. */
static void answer(struct http_request *r, int status)
{
    struct slice accept = http_request_header(r, "Accept");
    const char *type = "application/json";
    static const char *const own[] = {"application/vnd.elasticsearch+json;compatible-with=7",
            "application/vnd.elasticsearch+json;compatible-with=8",
            "application/vnd.elasticsearch+json;compatible-with=9"};
    if (slice_find(accept, SLICE("vnd.elasticsearch+json")) != SIZE_MAX) {
        for (size_t i = 0; i < 3; i++) {
            struct slice version = slice_from(slice_text(own[i]), strlen(own[i]) - 1);
            struct slice end = slice_trim(accept);
            type = slice_ends(end, version) ? own[i] : type;
        }
    }
    http_request_add_header(r, "X-Elastic-Product", "Elasticsearch");
    http_request_answer(r, status, type);
}

static void refuse_as(struct http_request *r, int status, const char *type, struct slice words)
{
    struct buf *out = http_request_out(r);
    buf_clear(out);
    buf_format(out, "{\"error\":{\"root_cause\":[{\"type\":\"%s\",\"reason\":\"", type);
    buf_json(out, words);
    buf_format(out, "\"}],\"type\":\"%s\",\"reason\":\"", type);
    buf_json(out, words);
    buf_format(out, "\"},\"status\":%d}", status);
    if (status == 401) {
        http_request_add_header(r, "WWW-Authenticate", "Basic realm=\"merlon\", ApiKey");
    } else if (status == 503) {
        http_request_add_header(r, "Retry-After", "5");
    }
    answer(r, status);
}

static void refuse(struct http_request *r, enum http_refusal why, struct slice words)
{
    int status = http_request_refusal_status(why);
    const char *type = status == 401 || status == 403 ? "security_exception"
                       : status == 413                ? "content_too_long_exception"
                       : status == 503                ? "es_rejected_execution_exception"
                                                      : "illegal_argument_exception";
    refuse_as(r, status, type, words);
}

static void say(struct http_request *r, const char *text)
{
    buf_add(http_request_out(r), slice_text(text));
    answer(r, 200);
}

static void say_root(struct http_request *r, void *context)
{
    (void)context;
    say(r, "{\"name\":\"merlon\",\"cluster_name\":\"merlon\","
           "\"cluster_uuid\":\"bWVybG9uLW1lcmxvbi1tZQ\",\"version\":{\"number\":\"8.19.0\","
           "\"build_flavor\":\"default\",\"build_type\":\"deb\",\"build_hash\":\"merlon\","
           "\"build_date\":\"2025-01-01T00:00:00Z\",\"build_snapshot\":false,"
           "\"lucene_version\":\"9.12.0\",\"minimum_wire_compatibility_version\":\"7.17.0\","
           "\"minimum_index_compatibility_version\":\"7.0.0\"},"
           "\"tagline\":\"You Know, for Search\"}");
}

static void say_license(struct http_request *r, void *context)
{
    (void)context;
    say(r, "{\"license\":{\"status\":\"active\",\"uid\":\"merlon\",\"type\":\"basic\","
           "\"issue_date\":\"2025-01-01T00:00:00.000Z\",\"issue_date_in_millis\":1735689600000,"
           "\"max_nodes\":1000,\"issued_to\":\"merlon\",\"issuer\":\"merlon\","
           "\"start_date_in_millis\":-1}}");
}

static void say_xpack(struct http_request *r, void *context)
{
    (void)context;
    say(r, "{\"build\":{\"hash\":\"merlon\",\"date\":\"2025-01-01T00:00:00.000Z\"},"
           "\"license\":{\"uid\":\"merlon\",\"type\":\"basic\",\"mode\":\"basic\","
           "\"status\":\"active\"},\"features\":{\"ilm\":{\"available\":true,\"enabled\":true}},"
           "\"tagline\":\"You know, for X\"}");
}

static void say_health(struct http_request *r, void *context)
{
    (void)context;
    say(r, "{\"cluster_name\":\"merlon\",\"status\":\"green\",\"timed_out\":false,"
           "\"number_of_nodes\":1,\"number_of_data_nodes\":1,\"active_primary_shards\":1,"
           "\"active_shards\":1,\"relocating_shards\":0,\"initializing_shards\":0,"
           "\"unassigned_shards\":0}");
}

/* What they look for or set up, we do not need. */
static void say_there(struct http_request *r, void *context)
{
    (void)context;
    say(r, "{}");
}

static void say_done(struct http_request *r, void *context)
{
    (void)context;
    say(r, "{\"acknowledged\":true}");
}

/* ---- documents ---------------------------------------------------------------------------------
 */

struct result {
    struct http_bulk_item item;
    struct slice index;
    size_t key_at, key_size; /* in batch->text */
    size_t place;            /* among the batch's items; SIZE_MAX: none */
    uint64_t made;           /* the _id that it gets, where it has none */
};

struct work {
    struct result *results;
    size_t count, room;
    bool single;
};

static void end_work(struct http_batch *b)
{
    struct work *work = b->more;
    memory_free(work->results);
}

static struct http_batch *open_batch(struct http_request *r, void *context)
{
    struct work *work = ARENA_NEW(http_request_arena(r), struct work);
    struct http_batch *b = work ? http_batch_new(context, r) : NULL;
    if (b) {
        b->more = work;
        b->end = end_work;
    }
    return b;
}

static void add(struct http_batch *b, const struct http_bulk_item *item, struct slice index)
{
    struct work *work = b->more;
    if (work->count == HTTP_ELASTIC_ITEMS ||
            !memory_grow(&work->results, &work->room, work->count + 1, sizeof *work->results)) {
        b->failed = true;
        return;
    }
    struct result *result = &work->results[work->count++];
    *result = (struct result){.item = *item, .index = index, .place = SIZE_MAX};
    if (item->index.at) {
        result->index = item->index;
    }
    if (!item->wrong && result->index.size == 0) {
        result->item.wrong = "index is missing";
    }
    size_t rejected = b->rejected;
    result->place = b->count;
    if (result->item.wrong) {
        struct slice bytes = item->source.size ? item->source : item->line;
        http_batch_reject(b, bytes, COUNTS_SYNTAX, result->item.wrong);
    } else {
        http_batch_add(b, item->source);
        result->item.wrong = b->rejected > rejected ? "the document is longer than may be" : NULL;
        result->item.broken = b->rejected > rejected;
    }
    if (item->id.at && !result->item.wrong) {
        result->key_at = b->text.size;
        result->key_size = result->index.size + 1 + item->id.size;
        buf_add(&b->text, result->index);
        buf_byte(&b->text, '/');
        buf_add(&b->text, item->id);
    } else {
        result->made = atomic_fetch_add(&b->h->made, 1);
    }
}

/* b->text does not move any more. */
static void set_keys(struct http_batch *b)
{
    const struct work *work = b->more;
    b->failed = b->failed || b->text.failed;
    for (size_t i = 0; i < work->count && !b->failed; i++) {
        const struct result *result = &work->results[i];
        if (result->key_size) {
            b->items[result->place].key = slice_of(b->text.at + result->key_at, result->key_size);
        }
    }
}

static void write_error(struct buf *out, const struct result *result)
{
    const char *type =
            result->item.broken ? "document_parsing_exception" : "illegal_argument_exception";
    buf_format(out, "\"status\":400,\"error\":{\"type\":\"%s\",\"reason\":\"%s\"}}", type,
            result->item.wrong);
}

static void write_result(struct http_batch *b, struct buf *out, const struct result *result)
{
    buf_add(out, SLICE("{\"_index\":\""));
    buf_add(out, result->index); /* as it was written: valid inside of quotes */
    buf_add(out, SLICE("\",\"_id\":"));
    if (result->item.id.at) {
        buf_byte(out, '"');
        buf_add(out, result->item.id);
        buf_add(out, SLICE("\","));
    } else if (result->item.wrong) {
        buf_add(out, SLICE("null,"));
    } else {
        buf_format(out, "\"%016llx%08llx\",", (unsigned long long)b->h->boot,
                (unsigned long long)result->made);
    }
    if (result->item.wrong) {
        write_error(out, result);
        return;
    }
    buf_add(out, SLICE("\"_version\":1,\"result\":\"created\",\"_shards\":{\"total\":1,"
                       "\"successful\":1,\"failed\":0},\"_seq_no\":0,\"_primary_term\":1,"
                       "\"status\":201}"));
}

static void finish_single(struct http_batch *b, const struct result *result)
{
    if (!result->item.wrong) {
        write_result(b, http_request_out(b->r), result);
        answer(b->r, 201);
    } else if (b->items[0].why == COUNTS_TOO_LONG) {
        refuse(b->r, HTTP_TOO_LARGE, slice_text(result->item.wrong));
    } else {
        refuse_as(b->r, 400, "document_parsing_exception", slice_text(result->item.wrong));
    }
}

static void finish(struct http_batch *b, enum http_batch_outcome outcome)
{
    const struct work *work = b->more;
    struct buf *out = http_request_out(b->r);
    if (outcome != HTTP_BATCH_STORED) {
        refuse(b->r, HTTP_BUSY, SLICE("the log does not take it at present: send again"));
        return;
    }
    if (b->wrong.at) {
        refuse(b->r, b->refusal, b->wrong);
        return;
    }
    if (work->single) {
        finish_single(b, &work->results[0]);
        return;
    }
    bool errors = false;
    for (size_t i = 0; i < work->count; i++) {
        errors = errors || work->results[i].item.wrong;
    }
    buf_format(out, "{\"took\":1,\"errors\":%s,\"items\":[", errors ? "true" : "false");
    for (size_t i = 0; i < work->count; i++) {
        const struct result *result = &work->results[i];
        buf_format(out, "%s{\"%s\":", i ? "," : "", http_bulk_action_name(result->item.action));
        write_result(b, out, result);
        buf_byte(out, '}');
    }
    buf_add(out, SLICE("]}"));
    answer(b->r, 200);
}

/* In a path bytes may stand that JSON does not allow in a string. */
static struct slice index_of(struct http_request *r)
{
    struct buf text = {0};
    buf_json(&text, http_request_path(r, "index"));
    struct slice kept = arena_copy(http_request_arena(r), buf_slice(&text));
    buf_fini(&text);
    return kept;
}

static void take_bulk(struct http_request *r, void *context)
{
    struct http_batch *b = open_batch(r, context);
    struct http_bulk bulk = {.rest = http_request_body(r)};
    struct http_bulk_item item;
    if (!b) {
        return;
    }
    struct slice index = index_of(r);
    while (!b->failed && http_bulk_next(&bulk, &item)) {
        add(b, &item, index);
    }
    if (bulk.wrong) {
        struct buf words = {0};
        buf_format(&words, "%s (line [%zu])", bulk.wrong, bulk.line);
        http_batch_reject_whole(b, HTTP_BAD_REQUEST, buf_slice(&words));
        buf_fini(&words);
        http_batch_send(b, finish);
        return;
    }
    set_keys(b);
    const struct work *work = b->more;
    if (b->failed) {
        http_batch_reject_whole(b, HTTP_TOO_LARGE, SLICE("too many items in one request"));
    } else if (work->count == 0) {
        refuse_as(r, 400, "parse_exception", SLICE("request body is required"));
        return;
    }
    http_batch_send(b, finish);
}

static void take_document(struct http_request *r, void *context)
{
    struct http_batch *b = open_batch(r, context);
    struct http_bulk_item item = {.source = http_request_body(r)};
    if (!b) {
        return;
    }
    struct work *work = b->more;
    struct slice id = http_request_path(r, "id");
    work->single = true;
    item.id = id.size ? id : (struct slice){0};
    item.wrong = id.size ? http_bulk_check_id(id) : NULL;
    item.wrong = item.wrong ? item.wrong : http_batch_check_object(slice_trim(item.source));
    add(b, &item, index_of(r));
    set_keys(b);
    if (b->failed) {
        refuse(r, HTTP_BUSY, SLICE("no memory"));
        return;
    }
    http_batch_send(b, finish);
}

/* ---- the table ---------------------------------------------------------------------------------
 */

#define BODY HTTP_INTAKE_BODY
#define SETUP_BODY (4 << 20)
#define MAY AUTHORIZE_INGEST
#define SETUP(path)                                                                                \
    {HTTP_GET, path, MAY, 0, say_there, refuse},                                                   \
    {                                                                                              \
        HTTP_PUT, path, MAY, SETUP_BODY, say_done, refuse                                          \
    }

const struct http_route http_elastic_routes[] = {
        {HTTP_GET, "/", MAY, 0, say_root, refuse},
        {HTTP_POST, "/_bulk", MAY, BODY, take_bulk, refuse},
        {HTTP_PUT, "/_bulk", MAY, BODY, take_bulk, refuse},
        {HTTP_GET, "/_license", MAY, 0, say_license, refuse},
        {HTTP_GET, "/_xpack", MAY, 0, say_xpack, refuse},
        {HTTP_GET, "/_cluster/health", MAY, 0, say_health, refuse},
        SETUP("/_ilm/policy/{name}"),
        SETUP("/_index_template/{name}"),
        SETUP("/_component_template/{name}"),
        SETUP("/_template/{name}"),
        SETUP("/_ingest/pipeline/{name}"),
        SETUP("/_data_stream/{name}"),
        SETUP("/_alias/{name}"),
        {HTTP_POST, "/{index}/_bulk", MAY, BODY, take_bulk, refuse},
        {HTTP_PUT, "/{index}/_bulk", MAY, BODY, take_bulk, refuse},
        {HTTP_POST, "/{index}/_doc", MAY, BODY, take_document, refuse},
        {HTTP_POST, "/{index}/_doc/{id}", MAY, BODY, take_document, refuse},
        {HTTP_PUT, "/{index}/_doc/{id}", MAY, BODY, take_document, refuse},
        {HTTP_POST, "/{index}/_create/{id}", MAY, BODY, take_document, refuse},
        {HTTP_PUT, "/{index}/_create/{id}", MAY, BODY, take_document, refuse},
        SETUP("/{index}"),
        SETUP("/{index}/_alias/{name}"),
};
const size_t http_elastic_route_count = sizeof http_elastic_routes / sizeof *http_elastic_routes;
