#include "app/serve_listen.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "app/sandbox.h"
#include "base/memory.h"
#include "cli/verb.h"
#include "source/intake.h"
#include "source/syslog_listen.h"
#include "source/syslog_peer.h"

enum { STEP_MS = 200, LAST_STEPS = 50 };

static bool is_syslog(const struct intake_input *input)
{
    return slice_starts(input->kind, SLICE("syslog-"));
}

enum err serve_listen_bind(struct config *config, struct diag *diag)
{
    for (size_t i = 0; i < config->input_count; i++) {
        struct intake_input *input = &config->inputs[i];
        bool datagrams = slice_equal(input->kind, SLICE("syslog-udp"));
        struct diag why = {0};
        enum err e = syslog_peer_bind(
                input->address, datagrams ? SOCK_DGRAM : SOCK_STREAM, &input->listener, &why);
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

int serve_listen_run(const struct serve_listen_setting *setting)
{
    static struct intake intake;
    struct syslog_listen *syslog;
    struct diag diag = {0};
    intake_init(&intake, setting->shared->intake, setting->shared->counts, serve_shared_now);
    enum err e = open_syslog(setting->config, &intake, &syslog, &diag);
    if (e == OK) {
        e = sandbox_enter(SANDBOX_LISTEN, NULL, getenv("MERLON_SANDBOX_TEST"), &diag);
    }
    if (e != OK) {
        verb_say("listen: %s", diag.words);
        return 1;
    }
    if (syslog) {
        run_syslog(syslog, setting->stop);
    }
    while (!*setting->stop) {
        serve_shared_wait(-1, -1, STEP_MS);
    }
    intake_fini(&intake);
    return 0;
}
