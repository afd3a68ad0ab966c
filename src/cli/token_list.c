#include "cli/token_list.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/time.h"
#include "cli/rules_walk.h"
#include "cli/token_store.h"
#include "cli/visible.h"

enum { OUTPUT, DATA };
enum { ID, NAME, TENANT, ROLE, INPUT, CREATED, EXPIRES, STATE, COLUMNS };

static const struct option_row options[] = {
        [OUTPUT] = {"output", 'o', "HOW", "table or json (a line a token)"},
        [DATA] = {"data", 0, "DIR",
                "where the centre keeps everything (MERLON_DATA, ./merlon-data)"},
        {0},
};

static const char *const columns[COLUMNS] = {
        "id", "name", "tenant", "role", "input", "created", "expires", "state"};

struct list_request {
    const char *data;
    bool json;
};

static enum err parse(struct list_request *request, struct option_scan *scan, struct diag *diag)
{
    const char *value;
    int option;
    while ((option = option_next(scan, &value, diag)) != OPTION_END) {
        switch (option) {
        case OPTION_WRONG:
            return ERR_USAGE;
        case OPTION_ARGUMENT:
            return diag_say(diag, ERR_USAGE, "takes no argument, only options");
        case DATA:
            request->data = value;
            break;
        default:
            TRY(option_json(value, &request->json, diag));
        }
    }
    return OK;
}

static void add_time(struct buf *out, int64_t ns)
{
    if (ns) {
        time_format(out, ns / TIME_SECOND * TIME_SECOND);
    }
}

static const char *state_of(const struct tokens_row *row, int64_t now_ns)
{
    if (row->revoked_ns) {
        return "revoked";
    }
    return row->expires_ns && now_ns >= row->expires_ns ? "expired" : "valid";
}

/* One token's texts by column; the sum is none of them. */
static void make_cells(const struct tokens_row *row, int64_t now_ns, struct buf cells[COLUMNS])
{
    for (int i = 0; i < COLUMNS; i++) {
        buf_clear(&cells[i]);
    }
    buf_add(&cells[ID], slice_text(row->actor.id));
    buf_add(&cells[NAME], slice_text(row->actor.name));
    buf_add(&cells[TENANT], slice_text(row->actor.tenant));
    buf_add(&cells[ROLE], slice_text(authorize_role_name(row->actor.role)));
    buf_add(&cells[INPUT], slice_text(row->actor.input));
    add_time(&cells[CREATED], row->created_ns);
    add_time(&cells[EXPIRES], row->expires_ns);
    buf_add(&cells[STATE], slice_text(state_of(row, now_ns)));
}

static void write_json(const struct tokens_row *row, struct buf cells[COLUMNS], struct buf *out)
{
    struct buf revoked = {0};
    add_time(&revoked, row->revoked_ns);
    for (int i = 0; i < COLUMNS; i++) {
        buf_byte(out, i ? ',' : '{');
        if (i == TENANT && cells[i].size == 0) { /* the tree itself: a tenant, not none */
            buf_add(out, SLICE("\"tenant\":\"\""));
        } else {
            rules_walk_member(out, columns[i], buf_slice(&cells[i]));
        }
    }
    buf_byte(out, ',');
    rules_walk_member(out, "revoked", buf_slice(&revoked));
    buf_add(out, SLICE("}\n"));
    buf_fini(&revoked);
}

/* Widths first, for which `out` is NULL. */
static void write_cells(struct buf cells[COLUMNS], size_t widths[COLUMNS], struct buf *out)
{
    for (int i = 0; i < COLUMNS; i++) {
        static const char *const empty[COLUMNS] = {[TENANT] = "(all)", [EXPIRES] = "never"};
        const char *instead = empty[i] ? empty[i] : "-";
        struct slice text = cells[i].size ? buf_slice(&cells[i]) : slice_text(instead);
        size_t width = visible_width(text);
        if (!out) {
            widths[i] = width > widths[i] ? width : widths[i];
            continue;
        }
        visible_add(out, text, VISIBLE_ANY);
        for (size_t n = width; n < widths[i] + 2 && i < COLUMNS - 1; n++) {
            buf_byte(out, ' ');
        }
    }
    if (out) {
        buf_byte(out, '\n');
    }
}

static void write_table(const struct token_store *store, struct buf cells[COLUMNS], struct buf *out)
{
    size_t widths[COLUMNS] = {0};
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < COLUMNS; i++) {
            buf_clear(&cells[i]);
            for (const char *c = columns[i]; *c; c++) {
                buf_byte(&cells[i], (char)(*c - 'a' + 'A'));
            }
        }
        write_cells(cells, widths, pass ? out : NULL);
        for (size_t i = 0; i < tokens_size(store->tokens); i++) {
            make_cells(tokens_at(store->tokens, i), store->now_ns, cells);
            write_cells(cells, widths, pass ? out : NULL);
        }
    }
}

static enum err list(const struct list_request *request, struct diag *diag)
{
    struct token_store store;
    struct buf cells[COLUMNS] = {0}, out = {0}, shown = {0};
    TRY(token_store_open(&store, request->data, TOKEN_STORE_READ, diag));
    if (request->json) {
        for (size_t i = 0; i < tokens_size(store.tokens); i++) {
            make_cells(tokens_at(store.tokens, i), store.now_ns, cells);
            write_json(tokens_at(store.tokens, i), cells, &out);
        }
    } else {
        write_table(&store, cells, &out);
    }
    const struct buf *text = &out;
    if (isatty(STDOUT_FILENO)) {
        visible_lines(&shown, buf_slice(&out));
        text = &shown;
    }
    bool failed = out.failed || shown.failed;
    for (int i = 0; i < COLUMNS; i++) {
        failed |= cells[i].failed;
        buf_fini(&cells[i]);
    }
    enum err e = failed ? diag_say(diag, ERR_MEMORY, "no memory for the list") : OK;
    if (e == OK && (fwrite(text->at, 1, text->size, stdout) != text->size || fflush(stdout) != 0)) {
        e = diag_say(diag, ERR_IO, "cannot write the list");
    }
    buf_fini(&out);
    buf_fini(&shown);
    token_store_close(&store);
    return e;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    (void)app;
    struct list_request request = {0};
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    struct diag diag = {0};
    if (parse(&request, &scan, &diag) != OK) {
        return verb_usage(verb, diag.words);
    }
    if (list(&request, &diag) != OK) {
        verb_say("token list: %s", diag.words);
        return VERB_SOME;
    }
    return VERB_DONE;
}

const struct verb token_list_verb = {.name = "token list",
        .about = "who may speak to a centre",
        .arguments = "[-o HOW] [--data DIR]",
        .options = options,
        .notes = "Shows ids, never the tokens' texts, which nobody keeps.\n",
        .examples = "  merlon token list\n"
                    "  merlon token list -o json | jq 'select(.state == \"valid\").name'\n",
        .run = run};
