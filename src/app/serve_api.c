#include "app/serve_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/api.h"
#include "app/sandbox.h"
#include "app/serve_web.h"
#include "base/clock.h"
#include "base/memory.h"
#include "cli/verb.h"
#include "net/http.h"

enum { STEP_MS = 100 };

struct answering {
    const struct serve_api_setting *setting;
    char findings[4096], records[4096]; /* directories */
    struct buf certificate, key;
    struct api_silence *silences;
    size_t silence_count;
    struct api *api;
    struct http_table table;
    struct http *http;
    struct serve_web_held held; /* tokens */
};

enum err serve_api_bind(struct config *config, const struct serve_hold *hold, struct diag *diag)
{
    struct diag why = {0};
    if (config->api.address.size == 0) {
        return OK;
    }
    enum err e =
            serve_hold_bind(hold, config->api.address, SOCK_STREAM, &config->api.listener, &why);
    return e == OK ? OK : diag_say(diag, e, "api: %s", why.words);
}

/* ---- figures -----------------------------------------------------------------------------------
 */

static void read_figures(void *context, struct api_figures *out)
{
    const struct serve_shared *shared = context;
    const struct serve_page *page = shared->page;
    const struct serve_unread_counts unread = serve_unread_read(&page->unread);
    *out = (struct api_figures){.ready = atomic_load(&page->ready),
            .watching = atomic_load(&page->watching),
            .writable = channel_refusing(shared->intake) == CHANNEL_OPEN &&
                        channel_refusing(shared->results) == CHANNEL_OPEN,
            .start = atomic_load(&page->start),
            .through = atomic_load(&page->through),
            .findings = atomic_load(&page->findings),
            .damaged = atomic_load(&page->damaged),
            .failures = atomic_load(&page->failures),
            .judged = atomic_load(&page->judged),
            .found = atomic_load(&page->found),
            .undecodable = unread.undecodable,
            .undetermined = atomic_load(&page->undetermined),
            .passed_over = unread.passed_over,
            .matches = atomic_load(&page->matches),
            .late = atomic_load(&page->late),
            .moved = atomic_load(&page->moved),
            .left_out = atomic_load(&page->left_out),
            .started_ns = page->started_ns};
    /* Behind `through`, so that nothing seems judged that is not on disk. */
    out->committed = atomic_load(&page->committed);
    uint64_t at;
    serve_reload_marked(&shared->reload->judging, out->ruleset, &at);
}

static uint64_t ask_reload(void *context)
{
    const struct serve_shared *shared = context;
    return serve_reload_ask(shared->reload);
}

static void read_reload(void *context, struct api_reload *out)
{
    const struct serve_shared *shared = context;
    struct serve_verdict verdict;
    out->answered = serve_reload_answered(shared->reload, &verdict);
    out->told = serve_reload_is_told(shared->reload, shared->intake);
    out->good = verdict.good;
    out->problems = verdict.problems;
    out->size = verdict.size;
    memcpy(out->hash, verdict.hash, sizeof out->hash);
    memcpy(out->words, verdict.words, verdict.size);
}

/* ---- the process -------------------------------------------------------------------------------
 */

/* The seal can name the log's directory only when there is one. */
static bool wait_directory(const struct answering *a)
{
    while (access(a->findings, R_OK | X_OK) != 0) {
        if (*a->setting->stop) {
            return false;
        }
        serve_shared_wait(-1, -1, STEP_MS);
    }
    return true;
}

/* Inputs that have a silent_after of their own. */
static enum err take_silences(struct answering *a, struct diag *diag)
{
    const struct config *config = a->setting->config;
    a->silences = memory_alloc_array(config->input_count + 1, sizeof *a->silences);
    if (!a->silences) {
        return diag_say(diag, ERR_MEMORY, "no memory for the inputs");
    }
    for (size_t i = 0; i < config->input_count; i++) {
        const struct intake_input *input = &config->inputs[i];
        if (input->silent_ns > 0) {
            a->silences[a->silence_count++] = (struct api_silence){input->name, input->silent_ns};
        }
    }
    return OK;
}

static enum err open_api(struct answering *a, struct diag *diag)
{
    const struct config *config = a->setting->config;
    TRY(take_silences(a, diag));
    const struct api_options options = {.counts = a->setting->shared->counts,
            .silent_ns = config->silent_ns,
            .silences = a->silences,
            .silence_count = a->silence_count,
            .sent = a->setting->shared->sent,
            .kept = a->setting->shared->kept,
            .standing = a->setting->shared->standing,
            .held = &a->setting->shared->page->held,
            .late = &a->setting->shared->page->late_by,
            .figures = read_figures,
            .reload = ask_reload,
            .reloaded = read_reload,
            .context = a->setting->shared,
            .findings = a->findings,
            .records = a->records,
            .disk = &disk_real,
            .wall_ns = clock_wall_ns};
    int size = snprintf(a->findings, sizeof a->findings, "%s/findings", config->data);
    snprintf(a->records, sizeof a->records, "%s/log", config->data); /* shorter */
    if (size < 0 || (size_t)size >= sizeof a->findings) {
        return diag_say(diag, ERR_LIMIT, "the path is too long");
    }
    TRY(serve_web_pem(config->api.certificate, &a->certificate, diag));
    TRY(serve_web_pem(config->api.key, &a->key, diag));
    TRY(api_new(&options, &a->api, diag));
    a->table = api_table(a->api);
    if (!wait_directory(a)) {
        return ERR_END;
    }
    TRY(sandbox_enter(SANDBOX_API, (const char *[]){a->findings, a->records, NULL},
            getenv("MERLON_SANDBOX_TEST"), diag));
    struct tokens *tokens = serve_web_tokens(
            &a->held, a->setting->shared); /* first: nobody is refused while they are loaded */
    const struct http_options server = {.listener = config->api.listener,
            .input = SLICE("api"),
            .tables = &a->table,
            .table_count = 1,
            .tokens = tokens,
            .certificate = a->certificate.at,
            .key = a->key.at};
    return http_start(&server, &a->http, diag);
}

static void renew_tokens(struct answering *a)
{
    struct tokens *tokens = serve_web_tokens(&a->held, a->setting->shared);
    if (tokens) {
        http_use_tokens(a->http, tokens);
        api_end_streams(a->api);
    }
}

int serve_api_run(const struct serve_api_setting *setting)
{
    static struct answering answering;
    struct answering *a = &answering;
    struct diag diag = {0};
    *a = (struct answering){.setting = setting};
    enum err e = open_api(a, &diag);
    if (e != OK) {
        if (e != ERR_END) {
            verb_say("api: %s", diag.words);
        }
        return e != ERR_END;
    }
    while (!*setting->stop) {
        renew_tokens(a);
        api_turn(a->api);
        http_sweep(a->http);
        serve_shared_wait(-1, -1, STEP_MS);
    }
    http_stop(a->http);
    api_free(a->api);
    memory_free(a->silences);
    return 0;
}
