#include "source/http_intake.h"

#include <stdio.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/memory.h"
#include "source/http_batch.h"
#include "source/http_elastic.h"
#include "source/http_otlp.h"
#include "source/http_splunk.h"

/* ---- JSON lines and others ---------------------------------------------------------------------
 */

static void finish_lines(struct http_batch *b, enum http_batch_outcome outcome)
{
    if (outcome != HTTP_BATCH_STORED) {
        http_request_refuse(b->r, HTTP_BUSY,
                outcome == HTTP_BATCH_BUSY
                        ? SLICE("the log has no room at present; nothing was stored")
                        : SLICE("not known to be on disk yet; send again"));
        return;
    }
    if (b->wrong.at) {
        http_request_refuse(b->r, b->refusal, b->wrong);
        return;
    }
    buf_format(http_request_out(b->r), "{\"accepted\":%zu,\"rejected\":%zu}\n",
            b->count - b->rejected, b->rejected);
    http_request_answer(b->r, 200, "application/json");
}

/* The tenant that the records are for: the token's, or one below it that is asked for. */
static bool choose_tenant(struct http_batch *b)
{
    struct slice wanted = http_request_query(b->r, "tenant");
    if (!wanted.at) {
        return true;
    }
    if (!authorize(http_request_actor(b->r), wanted, AUTHORIZE_INGEST)) {
        http_request_refuse(b->r, HTTP_FORBIDDEN, SLICE("not a tenant of this token"));
        return false;
    }
    b->batch.tenant = wanted;
    return true;
}

static bool choose_format(struct http_batch *b)
{
    struct slice wanted = http_request_query(b->r, "format");
    struct slice format = b->h->options.input->format;
    if (wanted.at) {
        bool known = slice_equal(wanted, SLICE("json")) ||
                     (b->h->options.is_format && b->h->options.is_format(wanted));
        if (!known) {
            http_request_refuse(b->r, HTTP_BAD_REQUEST, SLICE("no such format"));
            return false;
        }
        format = wanted;
    }
    b->input.format = format.size ? format : SLICE("json");
    return true;
}

static void take_lines(struct http_request *r, void *context)
{
    struct http_batch *b = http_batch_new(context, r);
    if (!b || !choose_tenant(b) || !choose_format(b)) {
        return;
    }
    bool json = slice_equal(b->input.format, SLICE("json"));
    http_batch_add_lines(b, http_request_body(r), json ? http_batch_check_object : NULL);
    if (b->failed) {
        http_batch_reject_whole(b, HTTP_TOO_LARGE, SLICE("too many lines in one request"));
    }
    http_batch_send(b, finish_lines);
}

/* ---- bodies that cannot be read ----------------------------------------------------------------
 */

/* Into quarantine as one record, before the sender hears of it. Routes that take no records have
 * another limit. */
static bool spoiled(struct http_request *r, void *context, enum http_refusal why,
        struct slice there, struct slice words)
{
    const struct http_intake *h = context;
    struct slice wanted = http_request_query(r, "tenant"), peer = http_request_peer(r);
    struct intake_batch batch = {
            .input = h->options.input, .tenant = slice_text(http_request_actor(r)->tenant)};
    char source[400], said[160];
    if (http_request_body_limit(r) != HTTP_INTAKE_BODY) {
        return true;
    }
    if (wanted.size > 0 && authorize(http_request_actor(r), wanted, AUTHORIZE_INGEST)) {
        batch.tenant = wanted;
    }
    snprintf(source, sizeof source, "%.*s/%.*s", SLICE_ARG(batch.input->name), SLICE_ARG(peer));
    batch.source = slice_text(source);
    size_t kept = there.size < HTTP_INTAKE_KEPT ? there.size : HTTP_INTAKE_KEPT;
    snprintf(said, sizeof said, "%.*s; its first %zu bytes are kept", SLICE_ARG(words), kept);
    return channel_refusing(h->options.intake->channel) == CHANNEL_OPEN &&
           intake_reject(h->options.intake, &batch, slice_of(there.at, kept),
                   why == HTTP_TOO_LARGE ? COUNTS_TOO_LONG : COUNTS_SYNTAX, said) == OK;
}

/* ---- the table ---------------------------------------------------------------------------------
 */

static const struct http_route own[] = {
        {HTTP_POST, "/api/v1/ingest", AUTHORIZE_INGEST, HTTP_INTAKE_BODY, take_lines, NULL},
};

static enum err add_routes(struct http_intake *h, const struct http_route *routes, size_t count)
{
    size_t room = h->route_count;
    if (!memory_grow(&h->routes, &room, h->route_count + count, sizeof *routes)) {
        return ERR_MEMORY;
    }
    memcpy(h->routes + h->route_count, routes, count * sizeof *routes);
    h->route_count += count;
    return OK;
}

static enum err fill_routes(struct http_intake *h)
{
    TRY(add_routes(h, own, sizeof own / sizeof *own));
    TRY(add_routes(h, http_splunk_routes, http_splunk_route_count));
    TRY(add_routes(h, http_otlp_routes, http_otlp_route_count));
    /* Last: a path that is a name is an index to them. */
    TRY(add_routes(h, http_elastic_routes, http_elastic_route_count));
    return OK;
}

enum err http_intake_new(
        const struct http_intake_options *options, struct http_intake **out, struct diag *diag)
{
    struct http_intake *h = memory_alloc(sizeof *h);
    if (!h) {
        return diag_say(diag, ERR_MEMORY, "no memory for the HTTP intake");
    }
    h->options = *options;
    h->options.steady_ns = options->steady_ns ? options->steady_ns : clock_steady_ns;
    h->list.last = &h->list.first;
    if (getrandom(&h->boot, sizeof h->boot, 0) != sizeof h->boot) {
        h->boot = (uint64_t)h->options.steady_ns();
    }
    pthread_mutex_init(&h->list.mutex, NULL);
    if (fill_routes(h) != OK || http_splunk_new(&h->splunk) != OK) {
        http_intake_free(h);
        return diag_say(diag, ERR_MEMORY, "no memory for the HTTP intake");
    }
    *out = h;
    return OK;
}

struct http_table http_intake_table(struct http_intake *h)
{
    return (struct http_table){h->routes, h->route_count, h, spoiled};
}

void http_intake_turn(struct http_intake *h)
{
    http_batch_turn(h, false);
}

void http_intake_close(struct http_intake *h)
{
    http_batch_turn(h, true);
}

void http_intake_free(struct http_intake *h)
{
    if (h) {
        http_splunk_free(h->splunk);
        pthread_mutex_destroy(&h->list.mutex);
        memory_free(h->routes);
        memory_free(h);
    }
}
