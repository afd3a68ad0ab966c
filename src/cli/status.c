#include "cli/status.h"
#include "cli/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "base/json_text.h"
#include "cli/data.h"
#include "cli/status_ask.h"
#include "cli/status_rules.h"
#include "cli/visible.h"
#include "net/authorize.h"

enum { OUTPUT, RULES, TENANT_ONLY, DATA, URL, TOKEN };
enum { DEPTH = 16, CELL = 128 };

static const struct option_row options[] = {
        [OUTPUT] = {"output", 'o', "HOW", "table, or json as the API gives it"},
        [RULES] = {"rules", 0, NULL, "what the rules cost, and which can fire on what is sent"},
        [TENANT_ONLY] = {"tenant", 0, "TENANT", "with it: name those that cannot, on its events"},
        [DATA] = {"data", 0, "DIR",
                "where the centre keeps everything (MERLON_DATA, ./merlon-data)"},
        [URL] = {"url", 0, "URL", "its API: http://127.0.0.1:8080 (what stands in DIR/api)"},
        [TOKEN] = {"token", 0, "TOKEN", "of a reader (MERLON_TOKEN, which others do not see)"},
        {0},
};

struct request {
    const char *data, *url, *token, *tenant;
    bool json, rules;
};

static enum err check_tenant(const struct request *request, struct diag *diag)
{
    if (request->tenant && !request->rules) {
        return diag_say(diag, ERR_USAGE, "--tenant goes with --rules");
    }
    if (request->tenant && !authorize_tenant_valid(slice_text(request->tenant))) {
        return diag_say(diag, ERR_USAGE, "no tenant's name: '%.80s'", request->tenant);
    }
    return OK;
}

static enum err parse(struct request *request, struct option_scan *scan, struct diag *diag)
{
    const char *value;
    int option;
    while ((option = option_next(scan, &value, diag)) != OPTION_END) {
        switch (option) {
        case OPTION_WRONG:
            return ERR_USAGE;
        case OPTION_ARGUMENT:
            return diag_say(diag, ERR_USAGE, "takes no argument: '%.80s'", value);
        case RULES:
            request->rules = true;
            break;
        case TENANT_ONLY:
            request->tenant = value;
            break;
        case DATA:
            request->data = value;
            break;
        case URL:
            request->url = value;
            break;
        case TOKEN:
            request->token = value;
            break;
        default:
            TRY(option_json(value, &request->json, diag));
        }
    }
    TRY(check_tenant(request, diag));
    if (!request->token) {
        request->token = getenv("MERLON_TOKEN");
    }
    if (!request->token || !*request->token || strpbrk(request->token, "\r\n")) {
        return diag_say(diag, ERR_USAGE, "a token is needed: MERLON_TOKEN or --token");
    }
    return OK;
}

/* ---- the table ---------------------------------------------------------------------------------
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

static bool is_true(struct slice object, const char *name)
{
    return slice_equal(member(object, name), SLICE("true"));
}

/* "3 s", "12 min", "5 h", "4 d". */
static void add_span(struct buf *out, uint64_t seconds)
{
    static const struct {
        uint64_t size;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    size_t i = 0;
    while (i < 3 && seconds < 2 * units[i].size) {
        i++;
    }
    buf_format(out, "%llu %s", (unsigned long long)(seconds / units[i].size), units[i].name);
}

static void add_number(struct buf *out, struct slice object, const char *name, const char *words)
{
    buf_format(out, "%llu %s", (unsigned long long)number(object, name), words);
}

static void add_centre(struct buf *out, struct slice status)
{
    struct slice centre = member(status, "centre");
    buf_format(out, "%s, up ", is_true(status, "ready") ? "ready" : "NOT READY");
    add_span(out, number(status, "up_seconds"));
    buf_byte(out, '\n');
    if (!centre.at) {
        return; /* for tokens of the whole tree alone */
    }
    if (!is_true(centre, "logs_open") || !is_true(centre, "watching") ||
            !is_true(centre, "disk_writable")) {
        buf_format(out, "missing:%s%s%s\n", is_true(centre, "logs_open") ? "" : " open logs",
                is_true(centre, "watching") ? "" : " rules in the judge",
                is_true(centre, "disk_writable") ? "" : " a disk that takes writes");
    }
    buf_add(out, SLICE("log       "));
    add_number(out, centre, "log_committed", "records on disk, ");
    add_number(out, centre, "log_damaged", "unreadable, ");
    add_number(out, centre, "log_failures", "failures of the disk\n");
    buf_add(out, SLICE("judge     "));
    add_number(out, centre, "judge_lag", "behind, ");
    add_number(out, centre, "judged", "judged since the start, ");
    add_number(out, centre, "undecodable", "undecodable, ");
    add_number(out, centre, "passed_over", "passed over\n");
    buf_add(out, SLICE("findings  "));
    add_number(out, centre, "findings", "since the start\n");
}

enum {
    TENANT,
    SOURCE,
    RATE,
    SILENT,
    CLOCK,
    RECEIVED,
    STORED,
    REJECTED,
    DROPPED,
    IN_FLIGHT,
    COLUMNS,
    FIGURES = RECEIVED,
};

static const char *const heads[COLUMNS] = {"TENANT", "SOURCE", "PER SECOND", "SILENT FOR", "CLOCK",
        "RECEIVED", "= STORED", "+ REJECTED", "+ DROPPED", "+ IN FLIGHT"};
static const char *const figures[COLUMNS] = {[RECEIVED] = "received",
        [STORED] = "stored",
        [REJECTED] = "rejected",
        [DROPPED] = "dropped",
        [IN_FLIGHT] = "in_flight"};

struct table {
    struct buf cells[COLUMNS];
    size_t widths[COLUMNS];
    uint64_t sums[COLUMNS];
    uint64_t seconds; /* since the start */
};

static void clear_cells(struct table *t)
{
    for (int i = 0; i < COLUMNS; i++) {
        buf_clear(&t->cells[i]);
    }
}

/* Widths first, for which `out` is NULL. Figures stand at the right. */
static void write_cells(struct table *t, struct buf *out)
{
    for (int i = 0; i < COLUMNS; i++) {
        size_t width = visible_width(buf_slice(&t->cells[i]));
        if (!out) {
            t->widths[i] = width > t->widths[i] ? width : t->widths[i];
            continue;
        }
        size_t blanks = t->widths[i] - width;
        for (size_t n = 0; n < blanks && i >= RATE; n++) {
            buf_byte(out, ' ');
        }
        visible_add(out, buf_slice(&t->cells[i]), VISIBLE_ANY);
        for (size_t n = 0; n < blanks && i < RATE; n++) {
            buf_byte(out, ' ');
        }
        buf_add(out, i + 1 < COLUMNS ? SLICE("  ") : SLICE("\n"));
    }
    clear_cells(t);
}

static void set_rate(struct table *t, uint64_t received)
{
    double seconds = t->seconds > 0 ? (double)t->seconds : 1;
    buf_format(&t->cells[RATE], "%.1f", (double)received / seconds);
}

/* How far the source's clock is from ours: "-3 s", "+2 h". */
static void set_clock(struct buf *cell, struct slice skew)
{
    bool behind = skew.size > 0 && skew.at[0] == '-';
    uint64_t seconds = 0;
    for (size_t i = behind; i < skew.size && slice_is_digit(skew.at[i]); i++) {
        seconds = seconds * 10 + (uint64_t)(skew.at[i] - '0');
    }
    if (!skew.at) {
        buf_byte(cell, '-');
        return;
    }
    buf_byte(cell, behind ? '-' : '+');
    add_span(cell, seconds);
}

static void write_source(struct table *t, struct slice source, struct buf *out)
{
    json_text_add(&t->cells[TENANT], member(source, "tenant"));
    json_text_add(&t->cells[SOURCE], member(source, "source"));
    set_rate(t, number(source, "received"));
    if (member(source, "last").at) {
        bool silent = slice_equal(member(source, "silent"), SLICE("true"));
        buf_add(&t->cells[SILENT], silent ? SLICE("! ") : SLICE(""));
        add_span(&t->cells[SILENT], number(source, "silent_seconds"));
    } else {
        buf_byte(&t->cells[SILENT], '-');
    }
    set_clock(&t->cells[CLOCK], member(source, "clock_skew_seconds"));
    for (int i = FIGURES; i < COLUMNS; i++) {
        uint64_t value = number(source, figures[i]);
        buf_u64(&t->cells[i], value);
        t->sums[i] += value;
    }
    write_cells(t, out);
}

static void write_sources(struct table *t, struct slice status, struct buf *out)
{
    for (int i = 0; i < COLUMNS; i++) {
        buf_add(&t->cells[i], slice_text(heads[i]));
        t->sums[i] = 0;
    }
    write_cells(t, out);
    struct json_text_members sources = json_text_open(member(status, "sources"));
    while (json_text_next(&sources)) {
        write_source(t, sources.value, out);
    }
    buf_add(&t->cells[TENANT], SLICE("all"));
    set_rate(t, t->sums[RECEIVED]);
    for (int i = FIGURES; i < COLUMNS; i++) {
        buf_u64(&t->cells[i], t->sums[i]);
    }
    write_cells(t, out);
}

/* A line for each tenant and kind. */
static void add_kept(struct buf *out, struct slice status)
{
    struct json_text_members rows = json_text_open(member(status, "kept"));
    struct buf text = {0};
    while (json_text_next(&rows)) {
        json_text_add(&text, member(rows.value, "tenant"));
        buf_byte(&text, ' ');
        json_text_add(&text, member(rows.value, "kind"));
        buf_add(&text, SLICE(": "));
        figures_count(&text, number(rows.value, "records"));
        buf_add(&text, SLICE(" records, "));
        figures_size(&text, number(rows.value, "bytes"));
        if (number(rows.value, "beyond_bytes") > 0) {
            buf_add(&text, SLICE(", "));
            figures_size(&text, number(rows.value, "beyond_bytes"));
            buf_add(&text, SLICE(" past its limits"));
        }
        if (member(rows.value, "oldest").at) {
            buf_add(&text, SLICE(", from "));
            json_text_add(&text, member(rows.value, "oldest"));
        }
        buf_add(out, SLICE("kept      "));
        visible_add(out, buf_slice(&text), VISIBLE_ANY);
        buf_byte(out, '\n');
        out->failed |= text.failed;
        buf_clear(&text);
    }
    buf_fini(&text);
}

static void write_status(struct slice status, struct buf *out)
{
    struct table table = {.seconds = number(status, "up_seconds")};
    add_centre(out, status);
    add_kept(out, status);
    write_sources(&table, status, NULL);
    write_sources(&table, status, out);
    for (int i = 0; i < COLUMNS; i++) {
        out->failed |= table.cells[i].failed;
        buf_fini(&table.cells[i]);
    }
}

static enum err print(const struct request *request, struct slice answer, struct diag *diag)
{
    struct buf out = {0};
    if (request->json) {
        buf_add(&out, answer);
    } else if (request->rules) {
        status_rules_write(answer, &out);
    } else {
        write_status(answer, &out);
    }
    enum err e = out.failed ? ERR_MEMORY : OK;
    if (e == OK && (fwrite(out.at, 1, out.size, stdout) != out.size || fflush(stdout) != 0)) {
        e = diag_say(diag, ERR_IO, "cannot write the figures");
    }
    buf_fini(&out);
    return e;
}

/* ---- the verb ----------------------------------------------------------------------------------
 */

static enum err find_url(struct request *request, struct buf *text, struct diag *diag)
{
    char path[DATA_PATH];
    if (request->url) {
        return OK;
    }
    TRY(data_path(request->data, "api", path, diag));
    if (access(path, F_OK) != 0) {
        return diag_say(diag, ERR_NOT_FOUND,
                "%s: no centre with an API runs there; --url names one that does", path);
    }
    TRY(files_read(path, 1000, text, diag));
    text->size = slice_trim(buf_slice(text)).size;
    buf_byte(text, 0);
    request->url = text->at;
    return text->failed ? ERR_MEMORY : OK;
}

static enum err show(struct request *request, struct diag *diag)
{
    struct buf url = {0}, body = {0};
    char path[AUTHORIZE_NAME + 40];
    enum err e = find_url(request, &url, diag);
    if (e == OK) {
        snprintf(path, sizeof path, "/api/v1/%s%s%s", request->rules ? "rules" : "status",
                request->tenant ? "?tenant=" : "", request->tenant ? request->tenant : "");
        e = status_ask(request->url, path, request->token, &body, diag);
    }
    if (e == OK) {
        e = json_text_check_whole(buf_slice(&body), DEPTH, diag);
    }
    if (e == OK) {
        e = print(request, buf_slice(&body), diag);
    }
    buf_fini(&url);
    buf_fini(&body);
    return e;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    (void)app;
    struct request request = {0};
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    struct diag diag = {0};
    if (parse(&request, &scan, &diag) != OK) {
        return verb_usage(verb, diag.words);
    }
    enum err e = show(&request, &diag);
    if (e != OK) {
        verb_say("status: %s", diag.words[0] ? diag.words : err_name(e));
    }
    return e == OK ? VERB_DONE : VERB_SOME;
}

const struct verb status_verb = {.name = "status",
        .about = "how a centre is doing: what came, what became of it, how far it is judged",
        .arguments = "[-o HOW] [--rules [--tenant T]] [--data DIR | --url URL] [--token TOKEN]",
        .options = options,
        .notes = "Asks the API of a centre that runs (doc/serve.md), with a reader's token.\n",
        .examples = "  MERLON_TOKEN=merlon_... merlon status\n"
                    "  merlon status --rules --tenant sg/moh\n"
                    "  merlon status --url http://127.0.0.1:8080 -o json | jq .sources\n",
        .run = run};
