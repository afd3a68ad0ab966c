#include "cli/tail.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/files.h"
#include "base/json_text.h"
#include "cli/data.h"
#include "cli/status_ask.h"
#include "cli/visible.h"

enum { LAST, TENANT, SOURCE, GREP, FINDINGS, LEVEL, OUTPUT, DATA, URL, TOKEN };
enum {
    USUAL = 10,   /* that come first */
    MOST = 10000, /* of these: api/api.h */
    PAGE = 1000,
    WAIT_S = 2, /* that the centre holds a question that has no answer yet */
    PAUSE_MS = 300,
};

static const struct option_row options[] = {
        [LAST] = {"last", 'n', "N", "begin with the last N (10), of the last 200,000 places"},
        [TENANT] = {"tenant", 0, "TENANT", "only this tenant's, and those of tenants below it"},
        [SOURCE] = {"source", 0, "NAME", "only records of this input, or of this input/sender"},
        [GREP] = {"grep", 0, "TEXT", "only what has these bytes in it"},
        [FINDINGS] = {"findings", 0, NULL, "follow what is found, not what comes in"},
        [LEVEL] = {"level", 0, "LEVEL", "only findings of this level and above"},
        [OUTPUT] = {"output", 'o', "HOW", "table (a line each), or json (one object a line)"},
        [DATA] = {"data", 0, "DIR",
                "where the centre keeps everything (MERLON_DATA, ./merlon-data)"},
        [URL] = {"url", 0, "URL", "its API: http://127.0.0.1:8080 (what stands in DIR/api)"},
        [TOKEN] = {"token", 0, "TOKEN", "of a reader (MERLON_TOKEN, which others do not see)"},
        {0},
};

struct tail {
    const char *data, *url, *token;
    const char *wanted[OUTPUT]; /* of the query, by option; NULL: not asked for */
    long last;
    bool json, terminal;
    uint64_t next; /* the cursor */
    bool begun;    /* it is known */
    bool lost;     /* and it was said that nobody answers */
    struct buf path, body, text, place;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

/* ---- words -------------------------------------------------------------------------------------
 */

static enum err take(struct tail *tail, int option, const char *value, struct diag *diag)
{
    switch (option) {
    case OPTION_WRONG:
        return ERR_USAGE;
    case OPTION_ARGUMENT:
        return diag_say(diag, ERR_USAGE, "takes no argument: '%.80s'", value);
    case LAST:
        return option_number(value, 0, MOST, &tail->last)
                       ? OK
                       : diag_say(diag, ERR_USAGE, "--last: '%.80s' is not 0 to 10000", value);
    case OUTPUT:
        return option_json(value, &tail->json, diag);
    case DATA:
        tail->data = value;
        return OK;
    case URL:
        tail->url = value;
        return OK;
    case TOKEN:
        tail->token = value;
        return OK;
    case FINDINGS:
        value = "";
    }
    tail->wanted[option] = value;
    return OK;
}

static enum err parse(struct tail *tail, struct option_scan *scan, struct diag *diag)
{
    const char *value;
    int option;
    tail->token = getenv("MERLON_TOKEN");
    while ((option = option_next(scan, &value, diag)) != OPTION_END) {
        TRY(take(tail, option, value, diag));
    }
    if (tail->wanted[FINDINGS] && tail->wanted[SOURCE]) {
        return diag_say(diag, ERR_USAGE, "--source is of records, not of findings");
    }
    if (!tail->wanted[FINDINGS] && tail->wanted[LEVEL]) {
        return diag_say(diag, ERR_USAGE, "--level is of findings: --findings");
    }
    if (!tail->token || !*tail->token || strpbrk(tail->token, "\r\n")) {
        return diag_say(diag, ERR_USAGE, "a token is needed: MERLON_TOKEN or --token");
    }
    return OK;
}

/* ---- the question ------------------------------------------------------------------------------
 */

/* RFC 3986: all but the unreserved characters is spelled. */
static void add_query(struct buf *path, const char *name, const char *value)
{
    buf_format(path, "&%s=", name);
    for (const char *at = value; *at; at++) {
        bool plain = slice_is_digit(*at) || (*at >= 'a' && *at <= 'z') ||
                     (*at >= 'A' && *at <= 'Z') || strchr("-._~", *at);
        if (plain) {
            buf_byte(path, *at);
        } else {
            buf_format(path, "%%%02X", (unsigned char)*at);
        }
    }
}

static void write_path(struct tail *tail)
{
    static const struct {
        int option;
        const char *name;
    } queries[] = {{TENANT, "tenant"}, {SOURCE, "source"}, {GREP, "contains"}, {LEVEL, "level"}};
    struct buf *path = &tail->path;
    buf_clear(path);
    buf_format(path, "/api/v1/%s?limit=%d", tail->wanted[FINDINGS] ? "findings" : "records", PAGE);
    if (tail->begun) {
        buf_format(path, "&after=%llu&wait=%d", (unsigned long long)tail->next, WAIT_S);
    } else {
        buf_format(path, "&last=%ld", tail->last);
    }
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        if (tail->wanted[queries[i].option]) {
            add_query(path, queries[i].name, tail->wanted[queries[i].option]);
        }
    }
    buf_byte(path, 0);
}

/* Looked up each time: a centre that was started again may have another port. */
static enum err find_url(struct tail *tail, const char **url, struct diag *diag)
{
    char path[DATA_PATH];
    *url = tail->url;
    if (tail->url) {
        return OK;
    }
    TRY(data_path(tail->data, "api", path, diag));
    if (access(path, F_OK) != 0) {
        return diag_say(
                diag, ERR_IO, "%s: no centre with an API runs there; --url names one", path);
    }
    buf_clear(&tail->place);
    TRY(files_read(path, 1000, &tail->place, diag));
    tail->place.size = slice_trim(buf_slice(&tail->place)).size;
    buf_byte(&tail->place, 0);
    *url = tail->place.at;
    return tail->place.failed ? ERR_MEMORY : OK;
}

/* ---- the answer --------------------------------------------------------------------------------
 */

static struct slice member(struct slice object, const char *name)
{
    return json_text_get(object, slice_text(name));
}

static uint64_t number(struct slice object, const char *name)
{
    struct slice text = member(object, name);
    uint64_t value = 0;
    for (size_t i = 0; i < text.size && slice_is_digit(text.at[i]); i++) {
        value = value * 10 + (uint64_t)(text.at[i] - '0');
    }
    return value;
}

/* Nothing in it can steer a terminal or make a second line. */
static void add_word(struct buf *out, struct slice value)
{
    struct buf text = {0};
    json_text_add(&text, value);
    visible_add(out, buf_slice(&text), VISIBLE_ANY);
    out->failed |= text.failed;
    buf_fini(&text);
}

static void add_record(struct buf *out, struct slice record)
{
    struct slice coded = member(record, "base64");
    struct buf bytes = {0};
    add_word(out, member(record, "received"));
    buf_byte(out, ' ');
    add_word(out, member(record, "tenant"));
    buf_byte(out, ' ');
    add_word(out, member(record, "source"));
    buf_byte(out, ' ');
    if (coded.at && base64_read(slice_of(coded.at + 1, coded.size - 2), &bytes) == OK) {
        visible_add(out, buf_slice(&bytes), VISIBLE_ANY);
    } else {
        add_word(out, member(record, "record"));
    }
    if (member(record, "size").at) {
        buf_format(out, "... (%llu bytes)", (unsigned long long)number(record, "size"));
    }
    out->failed |= bytes.failed;
    buf_fini(&bytes);
}

static void add_finding(struct buf *out, struct slice finding)
{
    struct slice rule = member(finding, "rule"), source = member(finding, "source");
    struct slice time = member(finding, "time");
    if (time.at) {
        add_word(out, time);
        buf_byte(out, ' ');
    }
    add_word(out, member(source, "tenant"));
    buf_byte(out, ' ');
    add_word(out, member(source, "source"));
    buf_byte(out, ' ');
    add_word(out, member(rule, "level"));
    buf_byte(out, ' ');
    add_word(out, member(rule, "title"));
    if (member(source, "offset").at) {
        buf_format(out, " (record %llu)", (unsigned long long)number(source, "offset"));
    }
}

static void add_row(struct tail *tail, struct slice row)
{
    struct buf *out = &tail->text;
    if (tail->json && tail->terminal) {
        visible_add(out, row, VISIBLE_ANY);
    } else if (tail->json) {
        buf_add(out, row);
    } else if (tail->wanted[FINDINGS]) {
        add_finding(out, row);
    } else {
        add_record(out, row);
    }
    buf_byte(out, '\n');
}

/* ERR_END: nobody reads it any more. */
static enum err print(struct tail *tail, struct slice answer, struct diag *diag)
{
    struct json_text_members rows =
            json_text_open(member(answer, tail->wanted[FINDINGS] ? "findings" : "records"));
    buf_clear(&tail->text);
    while (json_text_next(&rows)) {
        add_row(tail, rows.value);
    }
    if (tail->text.failed) {
        return diag_say(diag, ERR_MEMORY, "no memory");
    }
    if (tail->text.size > 0 &&
            (fwrite(tail->text.at, 1, tail->text.size, stdout) != tail->text.size ||
                    fflush(stdout) != 0)) {
        return errno == EPIPE || stopped ? ERR_END
                                         : diag_say(diag, ERR_IO, "output: %s", strerror(errno));
    }
    return OK;
}

/* ---- the verb ----------------------------------------------------------------------------------
 */

/* Waits; true: whoever read our output is gone. */
static bool reader_gone(int wait_ms)
{
    struct pollfd out = {.fd = STDOUT_FILENO};
    return poll(&out, 1, wait_ms) > 0 && (out.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

/* ERR_IO: the centre does not answer now. */
static enum err ask(struct tail *tail, struct diag *diag)
{
    const char *url;
    write_path(tail);
    TRY(tail->path.failed ? ERR_MEMORY : OK);
    TRY(find_url(tail, &url, diag));
    return status_ask(url, tail->path.at, tail->token, &tail->body, diag);
}

static enum err take_answer(struct tail *tail, struct diag *diag)
{
    struct slice answer = buf_slice(&tail->body);
    TRY(json_text_check_whole(answer, JSON_TEXT_DEPTH, diag));
    TRY(print(tail, answer, diag));
    if (number(answer, "unreadable") > 0) {
        verb_say("tail: %llu places were passed over: damaged, or removed by retention",
                (unsigned long long)number(answer, "unreadable"));
    }
    /* Behind the print, and only here: what is not printed is asked for again. */
    tail->next = number(answer, "next");
    tail->begun = true;
    tail->lost = false;
    return OK;
}

static enum err follow(struct tail *tail, struct diag *diag)
{
    int pause_ms = 0;
    while (!stopped && !reader_gone(pause_ms)) {
        *diag = (struct diag){0};
        enum err e = ask(tail, diag);
        pause_ms = 0;
        if (e == OK) {
            TRY(take_answer(tail, diag));
        } else if (e != ERR_IO || !tail->begun) {
            return stopped ? OK : e;
        } else if (!stopped) {
            pause_ms = PAUSE_MS;
            if (!tail->lost) {
                verb_say("tail: %s: waiting for the centre", diag->words);
                tail->lost = true;
            }
        }
    }
    return OK;
}

static void catch_signals(void)
{
    struct sigaction end = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGINT, &end, NULL);
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    (void)app;
    struct tail tail = {.last = USUAL, .terminal = isatty(STDOUT_FILENO)};
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    struct diag diag = {0};
    if (parse(&tail, &scan, &diag) != OK) {
        return verb_usage(verb, diag.words);
    }
    catch_signals();
    enum err e = follow(&tail, &diag);
    e = e == ERR_END ? OK : e;
    if (e != OK) {
        verb_say("tail: %s", diag.words[0] ? diag.words : err_name(e));
    }
    buf_fini(&tail.path);
    buf_fini(&tail.body);
    buf_fini(&tail.text);
    buf_fini(&tail.place);
    return e == OK ? VERB_DONE : VERB_SOME;
}

const struct verb tail_verb = {.name = "tail",
        .about = "what comes in at a centre, as it is stored",
        .arguments = "[-n N] [--tenant TENANT] [--source NAME] [--grep TEXT] [--findings]",
        .options = options,
        .notes = "Asks the API of a centre that runs (doc/serve.md), with a reader's token, and "
                 "goes on\nuntil it is interrupted. Over restarts of the centre each comes once. A "
                 "line has the\ntime of receipt, tenant, source and the record, in which control "
                 "bytes are spelled.\n",
        .examples = "  MERLON_TOKEN=merlon_... merlon tail --source web -n 100\n"
                    "  merlon tail --findings --level high -o json | jq .rule.title\n",
        .run = run};
