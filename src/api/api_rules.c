#include "api/api_rules.h"

#include "api/api_parts.h"
#include "base/memory.h"
#include "base/time.h"

/* One that waits; in the list until it is answered or gone. */
struct api_reloading {
    struct api *api;
    struct http_request *r;
    uint64_t number; /* its ask's */
    int64_t until_ns;
    bool listed;
    struct api_reloading *next, **place;
};

/* The mutex is held. */
static void unlist(struct api_reloading *client)
{
    if (client->listed) {
        *client->place = client->next;
        if (client->next) {
            client->next->place = client->place;
        }
        client->listed = false;
        client->api->reloading_count--;
    }
}

static bool enlist(struct api_reloading *client)
{
    struct api *api = client->api;
    pthread_mutex_lock(&api->mutex);
    bool room = api->reloading_count < API_RULES_WAITING;
    if (room) {
        client->next = api->reloading;
        client->place = &api->reloading;
        if (client->next) {
            client->next->place = &client->next;
        }
        api->reloading = client;
        client->listed = true;
        api->reloading_count++;
    }
    pthread_mutex_unlock(&api->mutex);
    return room;
}

static void end_client(void *kept)
{
    struct api_reloading *client = kept;
    struct api *api = client->api;
    pthread_mutex_lock(&api->mutex);
    unlist(client);
    pthread_mutex_unlock(&api->mutex);
    memory_free(client);
}

/* ---- answers -----------------------------------------------------------------------------------
 */

static void add_number(struct buf *out, const char *name, struct slice digits)
{
    uint64_t value = 0;
    buf_format(out, ",\"%s\":", name);
    buf_u64(out, api_parts_read_number(digits, &value) ? value : 0);
}

void api_rules_problems(const struct api_reload *reload, struct buf *out)
{
    struct slice words = slice_of(reload->words, reload->size);
    const char *between = "";
    buf_byte(out, '[');
    while (words.size > 0) {
        struct slice row = slice_cut(&words, '\n');
        struct slice line = slice_cut(&row, '\t'), column = slice_cut(&row, '\t');
        buf_format(out, "%s{\"file\":\"", between);
        buf_json(out, slice_cut(&row, '\t'));
        buf_byte(out, '"');
        add_number(out, "line", line);
        add_number(out, "column", column);
        buf_add(out, SLICE(",\"reason\":\""));
        buf_json(out, row);
        buf_add(out, SLICE("\"}"));
        between = ",";
    }
    buf_byte(out, ']');
}

static void answer(struct http_request *r, const struct api_reload *reload)
{
    struct buf *out = http_request_out(r);
    if (reload->good) {
        buf_format(out, "{\"ruleset\":\"%s\",\"problems\":", reload->hash);
    } else {
        buf_format(out,
                "{\"error\":{\"code\":\"rules_refused\",\"message\":\"%u rules are refused; those "
                "in force stay\",\"status\":409},\"problems\":",
                reload->problems);
    }
    api_rules_problems(reload, out);
    buf_add(out, SLICE("}\n"));
    http_request_answer(r, reload->good ? 200 : 409, "application/json");
}

static void answer_late(struct http_request *r)
{
    buf_add(http_request_out(r), SLICE("{\"pending\":true}\n"));
    http_request_answer(r, 202, "application/json");
}

/* The mutex is held, so that the request does not end meanwhile. */
static void look_again(
        struct api_reloading *client, const struct api_reload *reload, int64_t now_ns)
{
    bool done = reload->answered >= client->number && (!reload->good || reload->told);
    if (!done && now_ns < client->until_ns) {
        return;
    }
    unlist(client);
    if (!http_request_claim(client->r)) {
        return; /* the server is stopping */
    }
    if (done) {
        answer(client->r, reload);
    } else {
        answer_late(client->r);
    }
}

void api_rules_turn(struct api *api)
{
    struct api_reload reload;
    int64_t now_ns = api->options.wall_ns();
    pthread_mutex_lock(&api->mutex);
    if (api->reloading) {
        api->options.reloaded(api->options.context, &reload);
    }
    for (struct api_reloading *client = api->reloading, *next; client; client = next) {
        next = client->next;
        look_again(client, &reload, now_ns);
    }
    pthread_mutex_unlock(&api->mutex);
}

/* ---- a request ---------------------------------------------------------------------------------
 */

void api_rules_reload(struct http_request *r, void *context)
{
    struct api *api = context;
    if (!authorize(http_request_actor(r), SLICE(""), AUTHORIZE_RULES)) {
        http_request_refuse(r, HTTP_FORBIDDEN, SLICE("rules are for a token of all tenants"));
        return;
    }
    struct api_reloading *client = memory_alloc(sizeof *client);
    if (!client) {
        http_request_refuse(r, HTTP_BUSY, SLICE("no memory"));
        return;
    }
    client->api = api;
    client->r = r;
    client->until_ns = api->options.wall_ns() + API_RULES_WAIT_S * TIME_SECOND;
    http_request_keep(r, end_client, client);
    client->number = api->options.reload(api->options.context);
    http_request_wait(r);
    if (enlist(client)) {
        api_rules_turn(api);
    } else if (http_request_claim(r)) {
        http_request_refuse(r, HTTP_BUSY, SLICE("too many are waiting"));
    }
}
