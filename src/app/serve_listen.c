#include "app/serve_listen.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "app/sandbox.h"
#include "app/serve_web.h"
#include "base/clock.h"
#include "base/memory.h"
#include "cli/formats.h"
#include "cli/verb.h"
#include "source/http_intake.h"
#include "source/intake.h"
#include "source/syslog_listen.h"

enum { STEP_MS = 200, LAST_STEPS = 50 };

static bool is_syslog(const struct intake_input *input)
{
    return slice_starts(input->kind, SLICE("syslog-"));
}

enum err serve_listen_bind(struct config *config, const struct serve_hold *hold, struct diag *diag)
{
    for (size_t i = 0; i < config->input_count; i++) {
        struct intake_input *input = &config->inputs[i];
        if (input->address.size == 0 || input->path_count > 0) {
            continue; /* nothing is listened at: files */
        }
        bool datagrams = slice_equal(input->kind, SLICE("syslog-udp"));
        struct diag why = {0};
        enum err e = serve_hold_bind(
                hold, input->address, datagrams ? SOCK_DGRAM : SOCK_STREAM, &input->listener, &why);
        if (e != OK) {
            return diag_say(diag, e, "input %.*s: %s", SLICE_ARG(input->name), why.words);
        }
    }
    return OK;
}

/* ---- syslog ------------------------------------------------------------------------------------
 */

/* NULL in *out where no input is syslog. */
static enum err open_syslog(const struct config *config, struct intake *intake,
        struct syslog_listen **out, struct diag *diag)
{
    struct syslog_listen_options options = SYSLOG_LISTEN_OPTIONS;
    struct intake_input *inputs = memory_alloc_array(config->input_count, sizeof *inputs);
    *out = NULL;
    if (!inputs && config->input_count > 0) {
        return diag_say(diag, ERR_MEMORY, "no memory for the inputs");
    }
    for (size_t i = 0; i < config->input_count; i++) {
        if (is_syslog(&config->inputs[i])) {
            inputs[options.input_count++] = config->inputs[i];
        }
    }
    options.intake = intake;
    options.inputs = inputs; /* lives as long as the process */
    return options.input_count > 0 ? syslog_listen_new(&options, out, diag) : OK;
}

/* ---- HTTP --------------------------------------------------------------------------------------
 */

/* What one input has. The PEM files are read before the process gives up reading. */
struct web {
    const struct intake_input *input;
    struct buf certificate, key, authority;
    struct http_intake *taker;
    struct http_table table;
    struct http *http;
};

struct webs {
    struct web *at;
    size_t count;
    const struct serve_listen_setting *setting;
    struct intake *intake;
    struct serve_web_held held; /* tokens */
};

static bool is_format(struct slice name)
{
    char word[64] = {0};
    if (name.size < sizeof word) {
        memcpy(word, name.at, name.size);
    }
    return formats_find(word) != NULL;
}

static enum err read_web(
        struct webs *webs, const struct intake_input *input, struct web *web, struct diag *diag)
{
    struct http_intake_options options = {
            .intake = webs->intake, .input = input, .is_format = is_format};
    web->input = input;
    TRY(serve_web_pem(input->certificate, &web->certificate, diag));
    TRY(serve_web_pem(input->key, &web->key, diag));
    TRY(serve_web_pem(input->authority, &web->authority, diag));
    TRY(http_intake_new(&options, &web->taker, diag));
    web->table = http_intake_table(web->taker);
    return OK;
}

static enum err read_webs(struct webs *webs, struct diag *diag)
{
    const struct config *config = webs->setting->config;
    webs->at = memory_alloc_array(config->input_count, sizeof *webs->at);
    if (!webs->at && config->input_count > 0) {
        return diag_say(diag, ERR_MEMORY, "no memory for the inputs");
    }
    for (size_t i = 0; i < config->input_count; i++) {
        if (slice_equal(config->inputs[i].kind, SLICE("http"))) {
            TRY(read_web(webs, &config->inputs[i], &webs->at[webs->count++], diag));
        }
    }
    return OK;
}

/* Behind the seal: threads that were there before would not be behind it. */
static enum err start_webs(struct webs *webs, struct diag *diag)
{
    /* Before the first request: nobody is refused while they are loaded. */
    bool some = serve_web_changed(&webs->held, webs->setting->shared);
    for (size_t i = 0; i < webs->count; i++) {
        struct web *web = &webs->at[i];
        struct tokens *tokens = some ? serve_web_parse(&webs->held) : NULL;
        const struct http_options options = {.listener = web->input->listener,
                .input = web->input->name,
                .tables = &web->table,
                .table_count = 1,
                .tokens = tokens,
                .certificate = web->certificate.at,
                .key = web->key.at,
                .authority = web->authority.at};
        TRY(http_start(&options, &web->http, diag));
    }
    return OK;
}

static void renew_tokens(struct webs *webs)
{
    if (!serve_web_changed(&webs->held, webs->setting->shared)) {
        return;
    }
    for (size_t i = 0; i < webs->count; i++) {
        struct tokens *tokens = serve_web_parse(&webs->held);
        if (!tokens) {
            return;
        }
        http_use_tokens(webs->at[i].http, tokens);
    }
}

static void *run_webs(void *context)
{
    struct webs *webs = context;
    while (!*webs->setting->stop) {
        renew_tokens(webs);
        serve_reload_announce(webs->setting->shared->reload, webs->intake);
        serve_shared_wait(channel_done_fd(webs->intake->channel), -1, STEP_MS);
        for (size_t i = 0; i < webs->count; i++) {
            http_intake_turn(webs->at[i].taker);
            http_sweep(webs->at[i].http);
        }
    }
    for (size_t i = 0; i < webs->count; i++) {
        http_intake_close(webs->at[i].taker);
        http_stop(webs->at[i].http);
        http_intake_free(webs->at[i].taker);
    }
    return NULL;
}

/* ---- both --------------------------------------------------------------------------------------
 */

static void run_syslog(struct syslog_listen *listen, const volatile sig_atomic_t *stop)
{
    while (!*stop) {
        syslog_listen_step(listen, STEP_MS);
    }
    syslog_listen_stop(listen);
    for (int i = 0; i < LAST_STEPS && !syslog_listen_is_done(listen); i++) {
        syslog_listen_step(listen, STEP_MS / 2);
    }
    syslog_listen_free(listen);
}

/* Before anything is received: the rules that the centre starts with. */
static void announce_rules(const struct serve_listen_setting *setting, struct intake *intake)
{
    while (!*setting->stop && !serve_reload_announce(setting->shared->reload, intake)) {
        serve_shared_wait(channel_done_fd(setting->shared->intake), -1, STEP_MS);
    }
}

int serve_listen_run(const struct serve_listen_setting *setting)
{
    static struct intake intake;
    static struct webs webs;
    struct syslog_listen *syslog;
    struct diag diag = {0};
    pthread_t thread;
    intake_init(&intake, setting->shared->intake, setting->shared->counts, clock_wall_ns);
    webs = (struct webs){.setting = setting, .intake = &intake};
    enum err e = open_syslog(setting->config, &intake, &syslog, &diag);
    if (e == OK) {
        e = read_webs(&webs, &diag);
    }
    if (e == OK) {
        e = sandbox_enter(
                SANDBOX_LISTEN, (const char *[]){NULL}, getenv("MERLON_SANDBOX_TEST"), &diag);
    }
    if (e == OK) {
        announce_rules(setting, &intake);
        e = start_webs(&webs, &diag);
    }
    if (e == OK && pthread_create(&thread, NULL, run_webs, &webs) != 0) {
        e = diag_say(&diag, ERR_IO, "no thread");
    }
    if (e != OK) {
        verb_say("listen: %s", diag.words);
        return 1;
    }
    if (syslog) {
        run_syslog(syslog, setting->stop);
    }
    pthread_join(thread, NULL);
    intake_fini(&intake);
    return 0;
}
