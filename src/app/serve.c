#include "app/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "app/notify.h"
#include "app/serve_api.h"
#include "app/serve_drop.h"
#include "app/serve_files.h"
#include "app/serve_hold.h"
#include "app/serve_judge.h"
#include "app/serve_kafka.h"
#include "app/serve_listen.h"
#include "app/serve_log.h"
#include "app/serve_outputs.h"
#include "app/serve_reload.h"
#include "app/serve_rules.h"
#include "app/serve_shared.h"
#include "base/clock.h"
#include "base/disk.h"
#include "base/files.h"
#include "base/point.h"
#include "base/time.h"
#include "cli/book.h"
#include "cli/config.h"
#include "cli/config_inputs.h"
#include "cli/data.h"
#include "net/tokens.h"

enum {
    FIRST_PAUSE_MS = 100,
    LAST_PAUSE_MS = 1000, /* what comes is found within five seconds, whoever died */
    HELD_S = 2,           /* who ran so long is not held back at all */
    PATIENCE_MS = 10000,  /* for a process that was told to stop */
    KILLS = 3,            /* deaths of a judge at one record before that is passed over */
    KILLERS = 256, /* records that are passed over at a time: all of what is not judged yet */
    LOADS = 3,     /* of the process that loads rules, before that is given up */
    RULES_PATIENCE_S = 10, /* for the first rules, before listening begins */
};

enum role {
    API,
    OUTPUT,
    FILES,
    DROP,
    KAFKA,
    LISTEN,
    RULES,
    JUDGE,
    LOG,
    ROLES
}; /* in the order in which they are stopped */

struct child {
    pid_t pid; /* 0: none */
    int64_t started_ns;
    int64_t again_ns; /* monotonic: not before */
    int pause_ms;
};

struct centre {
    struct config config;
    const char *config_path; /* NULL: none */
    struct serve_hold hold;
    struct serve_shared shared;
    struct child children[ROLES];
    struct stat tokens;        /* the file as it was read last */
    uint64_t killers[KILLERS]; /* the last ones, and one each; 0: none */
    size_t killer_next;
    uint64_t killed_at;
    unsigned kills;
    uint64_t loading; /* the ask that the rules process is about */
    unsigned loads;   /* how often it died of it */
    int64_t started_ns;
    bool stopping;
    bool told_ready;               /* the service manager */
    char first_token[TOKENS_TEXT]; /* "": nobody has just been given one */
};

static volatile sig_atomic_t stop_asked;
static bool hang_up_seen; /* SIGHUP: the rules are to be loaded anew */

static void ask_stop(int signal)
{
    (void)signal;
    stop_asked = 1;
}

/* ---- children ----------------------------------------------------------------------------------
 */

static const char *const role_names[ROLES] = {
        "api", "output", "files", "drop", "kafka", "listen", "rules", "judge", "log"};

static int run_role(struct centre *centre, enum role role)
{
    const struct config *config = &centre->config;
    if (role == LOG) {
        const struct serve_log_setting setting = {.shared = &centre->shared,
                .disk = &disk_real,
                .data = config->data,
                .segment_bytes = config->segment_bytes,
                .reserve_bytes = config->reserve_bytes,
                .retention = &config->retention,
                .forget_ns = config->forget_ns,
                .stop = &stop_asked};
        return serve_log_run(&setting);
    }
    if (role == JUDGE) {
        const struct serve_judge_setting setting = {.shared = &centre->shared,
                .data = config->data,
                .lateness_ns = config->lateness_ns,
                .wait_ns = config->wait_ns,
                .stop = &stop_asked,
                .killers = centre->killers,
                .killer_count = KILLERS};
        return serve_judge_run(&setting);
    }
    if (role == RULES) {
        const struct serve_rules_setting setting = {&centre->shared, config, centre->config_path};
        return serve_rules_run(&setting);
    }
    if (role == API) {
        const struct serve_api_setting setting = {
                .shared = &centre->shared, .config = config, .stop = &stop_asked};
        return serve_api_run(&setting);
    }
    if (role == KAFKA) {
        const struct serve_kafka_setting setting = {
                .shared = &centre->shared, .config = config, .stop = &stop_asked};
        return serve_kafka_run(&setting);
    }
    if (role == DROP) {
        const struct serve_drop_setting setting = {
                .shared = &centre->shared, .config = config, .stop = &stop_asked};
        return serve_drop_run(&setting);
    }
    if (role == OUTPUT) {
        const struct serve_outputs_setting setting = {
                .shared = &centre->shared, .config = config, .stop = &stop_asked};
        return serve_outputs_run(&setting);
    }
    if (role == FILES) {
        const struct serve_files_setting setting = {
                .shared = &centre->shared, .config = config, .stop = &stop_asked};
        return serve_files_run(&setting);
    }
    const struct serve_listen_setting setting = {
            .shared = &centre->shared, .config = config, .stop = &stop_asked};
    return serve_listen_run(&setting);
}

static void start(struct centre *centre, enum role role)
{
    struct child *child = &centre->children[role];
    struct serve_page *page = centre->shared.page;
    char name[16];
    if (role == RULES) {
        centre->loading = atomic_load(&centre->shared.reload->asked);
    } else if (role == LOG) {
        atomic_store(&page->ready, false);
    } else if (role == JUDGE) {
        atomic_store(&page->watching, false);
    }
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        /* Nobody outlives the parent: its successor opens the same files. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        snprintf(name, sizeof name, "merlon-%s", role_names[role]);
        prctl(PR_SET_NAME, name);
        signal(SIGHUP, SIG_IGN); /* told to the whole group */
        if (getppid() != parent) {
            _exit(1);
        }
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        _exit(run_role(centre, role));
    }
    child->started_ns = clock_steady_ns();
    if (pid < 0) {
        verb_say("%s: no process: %s", role_names[role], strerror(errno));
        child->again_ns = child->started_ns + FIRST_PAUSE_MS * TIME_SECOND / 1000;
        return;
    }
    child->pid = pid;
}

/* Three judges that die at the same record die of it: the fourth passes it over. */
static void blame_record(struct centre *centre)
{
    uint64_t at = atomic_load(&centre->shared.page->judging);
    if (at == 0) {
        return;
    }
    centre->kills = at == centre->killed_at ? centre->kills + 1 : 1;
    centre->killed_at = at;
    if (centre->kills >= KILLS) {
        centre->killers[centre->killer_next++ % KILLERS] = at;
        verb_say("record %llu of the log ended three judges: it is passed over",
                (unsigned long long)(at - 1));
    }
}

/* some: a set was in force before. */
static void say_verdict(const struct serve_verdict *verdict, bool some)
{
    struct slice words = slice_of(verdict->words, verdict->size);
    uint32_t said = 0;
    for (; words.size > 0; said++) {
        struct slice row = slice_cut(&words, '\n');
        struct slice line = slice_cut(&row, '\t'), column = slice_cut(&row, '\t');
        struct slice file = slice_cut(&row, '\t');
        if (file.size > 0) {
            verb_say("%.*s:%.*s:%.*s: rule refused: %.*s", SLICE_ARG(file), SLICE_ARG(line),
                    SLICE_ARG(column), SLICE_ARG(row));
        } else {
            verb_say("rules: %.*s", SLICE_ARG(row));
        }
    }
    if (said < verdict->problems) {
        verb_say("rules: %u more are refused", verdict->problems - said);
    }
    if (verdict->good) {
        verb_say("rules: the set %.16s", verdict->hash);
    } else {
        verb_say(some ? "rules: not taken; those in force stay"
                      : "rules: none in force: what comes is stored, and judged when there are "
                        "some");
    }
}

/* Those that the centre had last, where there were some. */
static void want_current(struct centre *centre)
{
    char directory[4096], hash[DIGEST_HEX];
    int size = snprintf(directory, sizeof directory, "%s/rulesets", centre->config.data);
    if (size > 0 && (size_t)size < sizeof directory) {
        book_current(&disk_real, directory, hash);
        if (hash[0]) {
            serve_reload_mark(&centre->shared.reload->wanted, hash, 0);
        }
    }
}

static void on_rules(struct centre *centre, int status)
{
    struct serve_reload *reload = centre->shared.reload;
    char wanted[DIGEST_HEX];
    uint64_t at;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        if (++centre->loads < LOADS) {
            return; /* once more */
        }
        reload->draft = (struct serve_verdict){0};
        serve_reload_add(&reload->draft, (struct slice){0}, 0, 0,
                SLICE("the process that loads them ended again and again"));
    }
    bool some = serve_reload_marked(&reload->wanted, wanted, &at);
    if (reload->draft.good && (!some || strcmp(wanted, reload->draft.hash) != 0)) {
        serve_reload_mark(&reload->wanted, reload->draft.hash, 0);
    } else if (!some) {
        want_current(centre);
    }
    some = serve_reload_marked(&reload->wanted, wanted, &at);
    serve_reload_answer(reload, centre->loading);
    say_verdict(&reload->verdict, some);
    centre->loads = 0;
}

static void on_end(struct centre *centre, enum role role, int status)
{
    struct child *child = &centre->children[role];
    int64_t now = clock_steady_ns();
    child->pid = 0;
    if (centre->stopping) {
        return;
    }
    if (role == RULES) {
        on_rules(centre, status);
        if (centre->loads == 0) {
            child->again_ns = 0;
            return;
        }
    }
    if (WIFSIGNALED(status)) {
        verb_say("%s: ended by signal %d; it is started again", role_names[role], WTERMSIG(status));
    } else {
        verb_say("%s: ended with %d; it is started again", role_names[role], WEXITSTATUS(status));
    }
    if (role == JUDGE && WIFSIGNALED(status)) {
        blame_record(centre);
    }
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; /* not by its own fault */
    bool held = killed || now - child->started_ns > HELD_S * TIME_SECOND;
    child->pause_ms = held || child->pause_ms == 0 ? FIRST_PAUSE_MS : child->pause_ms * 2;
    child->pause_ms = child->pause_ms > LAST_PAUSE_MS ? LAST_PAUSE_MS : child->pause_ms;
    child->again_ns = now + child->pause_ms * (TIME_SECOND / 1000);
}

static void reap(struct centre *centre)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (enum role role = 0; role < ROLES; role++) {
            if (centre->children[role].pid == pid) {
                on_end(centre, role, status);
            }
        }
    }
}

/* ---- the parent --------------------------------------------------------------------------------
 */

static void wait_signal(int timeout_ms)
{
    sigset_t set;
    struct timespec time = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    int signal = sigtimedwait(&set, NULL, &time);
    if (signal == SIGTERM || signal == SIGINT) {
        stop_asked = 1;
    } else if (signal == SIGHUP) {
        hang_up_seen = true;
    }
}

static void stop_role(struct centre *centre, enum role role)
{
    struct child *child = &centre->children[role];
    int64_t until = clock_steady_ns() + PATIENCE_MS * (TIME_SECOND / 1000);
    if (child->pid > 0) {
        kill(child->pid, SIGTERM);
    }
    while (child->pid > 0 && clock_steady_ns() < until) {
        wait_signal(50);
        reap(centre);
    }
    if (child->pid > 0) {
        verb_say("%s: does not end; it is killed", role_names[role]);
        kill(child->pid, SIGKILL);
        waitpid(child->pid, NULL, 0);
        child->pid = 0;
    }
}

static void catch_signals(void)
{
    sigset_t set;
    struct sigaction end = {.sa_handler = ask_stop};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGINT, &end, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

/* A directory for its owner alone: logs hold personal data. */
static enum err make_directory(const char *path, struct diag *diag)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return diag_say(diag, ERR_IO, "%s: %s", path, strerror(errno));
    }
    if (access(path, R_OK | W_OK | X_OK) != 0) {
        return diag_say(diag, ERR_IO, "%s: %s", path, strerror(errno));
    }
    return OK;
}

/* Nothing in the directory is touched before it is ours. */
static enum err make_data(struct centre *centre, struct diag *diag)
{
    char rulesets[DATA_PATH];
    const char *path = centre->config.data;
    TRY(data_path(path, "rulesets", rulesets, diag));
    TRY(make_directory(path, diag));
    TRY(serve_hold_take(&centre->hold, path, diag));
    return make_directory(rulesets, diag);
}

/* The address that the system gave, where port 0 was asked for. */
static void address_of(int listener, struct slice asked, char *out, size_t size)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char host[64], port[16];
    if (getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
            getnameinfo((struct sockaddr *)&address, length, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        snprintf(out, size, "%.*s", SLICE_ARG(asked));
        return;
    }
    snprintf(out, size, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

static void say_where(const struct config *config)
{
    char address[96];
    verb_say("data in %s", config->data);
    for (size_t i = 0; i < config->input_count; i++) {
        const struct intake_input *input = &config->inputs[i];
        if (input->listener < 0) {
            struct buf where = {0};
            config_inputs_where(input, &where);
            verb_say("input %.*s: %.*s %.*s, tenant %.*s", SLICE_ARG(input->name),
                    SLICE_ARG(input->kind), SLICE_ARG(buf_slice(&where)), SLICE_ARG(input->tenant));
            buf_fini(&where);
            continue;
        }
        address_of(input->listener, input->address, address, sizeof address);
        verb_say("input %.*s: %.*s at %s, tenant %.*s", SLICE_ARG(input->name),
                SLICE_ARG(input->kind), address, SLICE_ARG(input->tenant));
    }
}

/* To who has just been given a token: what to do with it. */
static void say_first_event(const struct config *config, const char *token)
{
    char address[96];
    for (size_t i = 0; i < config->input_count; i++) {
        const struct intake_input *input = &config->inputs[i];
        if (input->listener >= 0 && slice_equal(input->kind, SLICE("http"))) {
            address_of(input->listener, input->address, address, sizeof address);
            verb_say("send a first event: curl%s -H 'Authorization: Bearer %s' -d "
                     "'{\"EventID\":1102,\"Channel\":\"Security\"}' http%s://%s/api/v1/ingest",
                    input->certificate.size > 0 ? " -k" : "", token,
                    input->certificate.size > 0 ? "s" : "", address);
            return;
        }
    }
}

static bool api_path(const struct config *config, char *out, size_t size)
{
    int length = snprintf(out, size, "%s/api", config->data);
    return length > 0 && (size_t)length < size;
}

/* In DATA/api, for `merlon status --data`. */
static void say_api(const struct config *config)
{
    const struct config_api *api = &config->api;
    char address[96], path[4096], fresh[4096 + 4];
    if (api->listener < 0 || !api_path(config, path, sizeof path)) {
        return;
    }
    address_of(api->listener, api->address, address, sizeof address);
    verb_say("api: http%s://%s", api->certificate.size > 0 ? "s" : "", address);
    snprintf(fresh, sizeof fresh, "%s.new", path); /* whoever reads it reads all of it */
    unlink(fresh);
    int file = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 ||
            dprintf(file, "http%s://%s\n", api->certificate.size > 0 ? "s" : "", address) < 0 ||
            rename(fresh, path) != 0) {
        verb_say("%s: %s", path, strerror(errno));
    }
    if (file >= 0) {
        close(file);
    }
}

static void forget_api(const struct config *config)
{
    char path[4096];
    if (config->api.listener >= 0 && api_path(config, path, sizeof path)) {
        unlink(path);
    }
}

/* Shown this once. */
static enum err make_first_token(struct centre *centre, struct diag *diag)
{
    TRY(serve_hold_first_token(centre->config.data, centre->first_token, diag));
    if (centre->first_token[0]) {
        verb_say("the administrator's token, shown this once: %s", centre->first_token);
    }
    return OK;
}

static enum err prepare(
        const struct serve_request *request, struct centre *centre, struct diag *diag)
{
    TRY(config_read(&centre->config, request->config, diag));
    centre->config_path = request->config;
    if (request->data) {
        centre->config.data = request->data;
    }
    if (request->rules.count > 0) {
        words_fini(&centre->config.rules);
        for (size_t i = 0; i < request->rules.count; i++) {
            TRY(words_add(&centre->config.rules, request->rules.at[i]));
        }
    }
    TRY(make_data(centre, diag));
    TRY(make_first_token(centre, diag));
    TRY(serve_listen_bind(&centre->config, &centre->hold, diag));
    TRY(serve_api_bind(&centre->config, &centre->hold, diag));
    TRY(serve_shared_new(&centre->shared, diag));
    serve_outputs_name(&centre->config, centre->shared.sent);
    return OK;
}

/* What `merlon token` writes comes into force within a second. */
static void renew_tokens(struct centre *centre)
{
    struct stat now;
    struct buf text = {0};
    struct diag diag = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s/tokens.jsonl", centre->config.data);
    if (stat(path, &now) != 0 || (now.st_ino == centre->tokens.st_ino &&
                                         now.st_mtim.tv_sec == centre->tokens.st_mtim.tv_sec &&
                                         now.st_mtim.tv_nsec == centre->tokens.st_mtim.tv_nsec)) {
        return;
    }
    centre->tokens = now;
    if (files_read(path, SERVE_TOKENS, &text, &diag) == OK) {
        serve_shared_set_tokens(&centre->shared, buf_slice(&text));
    } else {
        verb_say("%s", diag.words);
    }
    buf_fini(&text);
}

/* Does the configuration ask for the process? */
static bool has_work(const struct config *config, enum role role)
{
    return !((role == OUTPUT && config->outputs.count == 0) ||
             (role == FILES && !serve_files_wanted(config)) ||
             (role == DROP && !serve_drop_wanted(config)) ||
             (role == KAFKA && !serve_kafka_wanted(config)));
}

static bool is_wanted(const struct centre *centre, enum role role)
{
    const struct serve_reload *reload = centre->shared.reload;
    uint64_t answered = atomic_load(&reload->answered);
    if (role == RULES) { /* when the directory is known to be ours */
        return atomic_load(&reload->asked) > answered && atomic_load(&centre->shared.page->ready);
    }
    if (!has_work(&centre->config, role)) {
        return false;
    }
    if (role == LISTEN || role == FILES || role == DROP || role == KAFKA) {
        return answered > 0 ||
               clock_steady_ns() - centre->started_ns > RULES_PATIENCE_S * TIME_SECOND;
    }
    return role != API || centre->config.api.listener >= 0;
}

/* Once the logs are open and events are judged. A manager that cannot be told would end us. */
static void tell_ready(struct centre *centre)
{
    const struct serve_page *page = centre->shared.page;
    if (centre->told_ready || !atomic_load(&page->ready) || !atomic_load(&page->watching)) {
        return;
    }
    centre->told_ready = true;
    if (!notify_say("READY=1")) {
        verb_say("NOTIFY_SOCKET: nobody can be told there that we are ready");
    }
}

static void hold_together(struct centre *centre)
{
    serve_reload_ask(centre->shared.reload);
    centre->started_ns = clock_steady_ns();
    while (!stop_asked) {
        renew_tokens(centre);
        if (hang_up_seen) {
            hang_up_seen = false;
            atomic_fetch_add(&centre->shared.page->reopen, 1);
            serve_reload_ask(centre->shared.reload);
        }
        for (enum role role = 0; role < ROLES; role++) {
            struct child *child = &centre->children[role];
            if (child->pid == 0 && clock_steady_ns() >= child->again_ns &&
                    is_wanted(centre, role)) {
                start(centre, role);
            }
        }
        counts_hours(centre->shared.counts, clock_wall_ns());
        wait_signal(100);
        reap(centre);
        tell_ready(centre);
    }
    centre->stopping = true;
    serve_hold_ending(&centre->hold);
    (void)notify_say("STOPPING=1");
    for (enum role role = 0; role < ROLES; role++) {
        stop_role(centre, role);
    }
}

static void say_problem(const struct serve_request *request, const struct diag *diag)
{
    if (diag->line > 0) {
        verb_say("%s:%u:%u: %s", request->config, diag->line, diag->column, diag->words);
    } else {
        verb_say("serve: %s", diag->words);
    }
}

int serve_run(const struct serve_request *request)
{
    static struct centre centre;
    struct diag diag = {0};
    catch_signals();
    point_arm();
    if (prepare(request, &centre, &diag) != OK) {
        say_problem(request, &diag);
        return VERB_SOME;
    }
    say_where(&centre.config);
    if (centre.first_token[0]) {
        say_first_event(&centre.config, centre.first_token);
        explicit_bzero(centre.first_token, sizeof centre.first_token);
    }
    say_api(&centre.config);
    hold_together(&centre);
    forget_api(&centre.config);
    serve_shared_free(&centre.shared);
    config_fini(&centre.config);
    return VERB_DONE;
}
