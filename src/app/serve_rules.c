#include "app/serve_rules.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/sandbox.h"
#include "app/serve_set.h"
#include "base/point.h"
#include "cli/book.h"
#include "cli/verb.h"

enum { CHECK_SECONDS = 60 }; /* of processor time, for parsing */

struct loading {
    const struct serve_rules_setting *setting;
    struct serve_verdict *verdict;
    char directory[4096];
    struct buf book;
    char hash[DIGEST_HEX];
    struct buf before;        /* the book that is current, or nothing */
    char current[DIGEST_HEX]; /* its hash; "": none */
};

static void refuse(struct loading *l, const char *words)
{
    serve_reload_add(l->verdict, (struct slice){0}, 0, 0, slice_text(words));
}

/* ---- the child: parses, and can do nothing else ------------------------------------------------
 */

static bool is_same(const struct ruleset_problem *a, const struct ruleset_problem *b)
{
    return a->line == b->line && a->column == b->column && slice_equal(a->file, b->file) &&
           slice_equal(a->reason, b->reason);
}

/* Refused in the set before, too: nothing has become worse. */
static bool is_known(const struct ruleset *before, const struct ruleset_problem *problem)
{
    for (uint32_t i = 0; before && i < before->problem_count; i++) {
        if (is_same(&before->problems[i], problem)) {
            return true;
        }
    }
    return false;
}

static void judge_problems(
        struct serve_verdict *verdict, const struct ruleset *set, const struct ruleset *before)
{
    for (uint32_t i = 0; i < set->problem_count; i++) {
        const struct ruleset_problem *p = &set->problems[i];
        if (!is_known(before, p)) {
            serve_reload_add(verdict, p->file, p->line, p->column, p->reason);
        }
    }
}

/* All that the judge will do with it. */
static enum err try_set(struct loading *l, struct diag *diag)
{
    struct loaded loaded, before = {0};
    struct serve_set *set;
    TRY(book_load(buf_slice(&l->book), &loaded, diag));
    if (l->before.size > 0 && book_load(buf_slice(&l->before), &before, diag) != OK) {
        before = (struct loaded){0};
    }
    judge_problems(l->verdict, loaded.set, before.set);
    load_fini(&before);
    enum err e = serve_set_new(&loaded, l->hash, &set, diag);
    if (e != OK) {
        load_fini(&loaded);
        return e;
    }
    serve_set_free(set);
    return OK;
}

static int run_child(struct loading *l, pid_t parent)
{
    const struct rlimit seconds = {CHECK_SECONDS, CHECK_SECONDS};
    struct diag diag = {0};
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it has the directory's lock, too */
    if (getppid() != parent) {
        return 1;
    }
    prctl(PR_SET_NAME, "merlon-check");
    setrlimit(RLIMIT_CPU, &seconds);
    enum err e = sandbox_enter(
            SANDBOX_CHECK, (const char *[]){NULL}, getenv("MERLON_SANDBOX_TEST"), &diag);
    if (e == OK) {
        e = try_set(l, &diag);
    }
    if (e != OK) {
        refuse(l, diag.words[0] ? diag.words : err_name(e));
        return 1;
    }
    return l->verdict->problems == 0 || !l->current[0] ? 0 : 1;
}

/* ---- the process -------------------------------------------------------------------------------
 */

/* What the child wrote was written by somebody who may have been taken over: only as words. */
static bool check(struct loading *l)
{
    char words[80];
    int status;
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        _exit(run_child(l, parent));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        refuse(l, "no process to read the rules in");
        return false;
    }
    l->verdict->size =
            l->verdict->size < SERVE_RELOAD_WORDS ? l->verdict->size : SERVE_RELOAD_WORDS;
    if (WIFSIGNALED(status)) {
        snprintf(words, sizeof words, "reading them ended by signal %d", WTERMSIG(status));
        refuse(l, words);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Here, for nobody else adds sets: what is spare now stays so meanwhile. What cannot be removed is
 * tried again with the next change. */
static void remove_spare(struct loading *l)
{
    static struct serve_spare spare;
    struct diag diag = {0};
    enum err e = OK;
    if (!serve_reload_spare(l->setting->shared->reload, &spare)) {
        return;
    }
    for (uint32_t i = 0; i < spare.count && e == OK; i++) {
        if (strcmp(spare.hash[i], l->hash) != 0 && strcmp(spare.hash[i], l->current) != 0) {
            e = book_remove(&disk_real, l->directory, spare.hash[i], &diag);
        }
    }
    if (e == OK && spare.count > 0) {
        e = disk_real.sync_directory(&disk_real, l->directory, &diag);
    }
    if (e != OK) {
        verb_say("rules: sets that nobody needs: %s", diag.words);
    }
}

static enum err keep(struct loading *l, struct diag *diag)
{
    TRY(book_publish(&disk_real, l->directory, buf_slice(&l->book), diag));
    point_pass("rules.published");
    TRY(book_set_current(&disk_real, l->directory, l->hash, diag));
    remove_spare(l);
    return OK;
}

/* Which rules are whose stands in the configuration: as it is now. */
static enum err collect(struct loading *l, const struct load_request *request, struct diag *diag)
{
    struct config fresh;
    struct diag why = {0};
    const char *path = l->setting->path;
    if (!path) {
        return book_collect(request, &l->setting->config->tenants, &l->book, diag);
    }
    enum err e = config_read(&fresh, path, &why);
    if (e != OK) {
        return diag_say(diag, e, "%s:%u:%u: %s", path, why.line, why.column, why.words);
    }
    e = book_collect(request, &fresh.tenants, &l->book, diag);
    config_fini(&fresh);
    return e;
}

static enum err read_files(struct loading *l, struct diag *diag)
{
    const struct config *config = l->setting->config;
    const struct load_request request = {
            .rules = config->rules, .taxonomies = config->taxonomies, .packs = true};
    TRY(collect(l, &request, diag));
    book_hash(buf_slice(&l->book), l->hash);
    book_current(&disk_real, l->directory, l->current);
    if (l->current[0] && book_read(&disk_real, l->directory, l->current, &l->before, NULL) != OK) {
        buf_clear(&l->before);
        l->current[0] = 0;
    }
    return OK;
}

static enum err load(struct loading *l, struct diag *diag)
{
    TRY(read_files(l, diag));
    if (strcmp(l->current, l->hash) == 0) {
        l->verdict->good = true;
        return OK;
    }
    if (!check(l)) {
        return OK;
    }
    TRY(sandbox_enter(SANDBOX_RULES, (const char *[]){l->directory, NULL},
            getenv("MERLON_SANDBOX_TEST"), diag));
    TRY(keep(l, diag));
    l->verdict->good = true;
    return OK;
}

static void close_sockets(const struct config *config)
{
    for (size_t i = 0; i < config->input_count; i++) {
        close(config->inputs[i].listener);
    }
    if (config->api.listener >= 0) {
        close(config->api.listener);
    }
}

int serve_rules_run(const struct serve_rules_setting *setting)
{
    static struct loading loading;
    struct diag diag = {0};
    signal(SIGTERM, SIG_DFL); /* nothing is lost with it */
    close_sockets(setting->config);
    loading = (struct loading){.setting = setting, .verdict = &setting->shared->reload->draft};
    *loading.verdict = (struct serve_verdict){0};
    int size = snprintf(
            loading.directory, sizeof loading.directory, "%s/rulesets", setting->config->data);
    if (size < 0 || (size_t)size >= sizeof loading.directory) {
        return 1;
    }
    if (load(&loading, &diag) != OK) {
        refuse(&loading, diag.words[0] ? diag.words : "no memory");
    }
    memcpy(loading.verdict->hash, loading.hash, sizeof loading.hash);
    buf_fini(&loading.book);
    buf_fini(&loading.before);
    return 0;
}
