#include "cli/token_add.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/time.h"
#include "cli/token_store.h"

enum { NAME, TENANT, ROLE, INPUT, EXPIRES, DATA };
enum { DAYS_LIMIT = 36500 };

static const struct option_row options[] = {
        [NAME] = {"name", 0, "NAME", "whose it is, for people"},
        [TENANT] = {"tenant", 0, "TENANT", "for this tenant and those below it; '' for all"},
        [ROLE] = {"role", 0, "ROLE", "ingest, reader, analyst or admin"},
        [INPUT] = {"input", 0, "INPUT", "may send to this input, and nothing else"},
        [EXPIRES] = {"expires", 0, "WHEN", "in so many days (90d), or a time; without it: never"},
        [DATA] = {"data", 0, "DIR",
                "where the centre keeps everything (MERLON_DATA, ./merlon-data)"},
        {0},
};

enum { OPTIONS = sizeof options / sizeof *options - 1 };

/* Options as they were given; NULL: not. */
struct add_request {
    const char *given[OPTIONS];
};

static enum err parse(struct add_request *request, struct option_scan *scan, struct diag *diag)
{
    const char *value;
    int option;
    while ((option = option_next(scan, &value, diag)) != OPTION_END) {
        if (option == OPTION_WRONG) {
            return ERR_USAGE;
        }
        if (option == OPTION_ARGUMENT) {
            return diag_say(diag, ERR_USAGE, "takes no argument, only options");
        }
        request->given[option] = value;
    }
    for (int i = NAME; i <= ROLE; i++) {
        if (!request->given[i]) {
            return diag_say(diag, ERR_USAGE, "--%s is missing", options[i].name);
        }
    }
    return OK;
}

static enum err read_role(const char *text, enum authorize_role *out, struct diag *diag)
{
    const char *names[AUTHORIZE_ROLES + 1] = {0};
    enum authorize_role role = authorize_role_find(slice_text(text));
    if (role != AUTHORIZE_ROLES) {
        *out = role;
        return OK;
    }
    for (int i = 0; i < AUTHORIZE_ROLES; i++) {
        names[i] = authorize_role_name((enum authorize_role)i);
    }
    const char *near = option_nearest(text, names);
    return diag_say(diag, ERR_USAGE,
            "--role: '%.80s' is not ingest, reader, analyst or admin%s%s%s", text,
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* 90d, or a time; both must lie ahead. */
static enum err read_expiry(const char *text, int64_t now_ns, int64_t *out, struct diag *diag)
{
    char number[16] = {0};
    struct slice s = slice_text(text);
    int64_t ns;
    long days;
    if (slice_ends(s, SLICE("d")) && s.size < sizeof number) {
        memcpy(number, s.at, s.size - 1);
        if (option_number(number, 1, DAYS_LIMIT, &days)) {
            *out = now_ns + days * TIME_DAY;
            return OK;
        }
    }
    if (!time_parse(s, &ns)) {
        return diag_say(diag, ERR_USAGE,
                "--expires: '%.80s' is neither days from now (1d to %dd) nor a time (2027-06-30)",
                text, DAYS_LIMIT);
    }
    if (ns <= now_ns) {
        return diag_say(diag, ERR_USAGE, "--expires: '%.80s' is past", text);
    }
    *out = ns;
    return OK;
}

static struct slice text_or_empty(const char *text)
{
    return slice_text(text ? text : "");
}

static enum err make_wish(const struct add_request *request, int64_t now_ns,
        struct tokens_wish *wish, struct diag *diag)
{
    wish->name = text_or_empty(request->given[NAME]);
    wish->tenant = text_or_empty(request->given[TENANT]);
    wish->input = text_or_empty(request->given[INPUT]);
    TRY(read_role(request->given[ROLE], &wish->role, diag));
    if (request->given[INPUT] && wish->input.size == 0) {
        return diag_say(diag, ERR_USAGE, "--input: a name is expected");
    }
    if (wish->input.size > 0 && wish->role != AUTHORIZE_INGESTER) {
        return diag_say(diag, ERR_USAGE, "--input is for the role ingest alone");
    }
    return request->given[EXPIRES]
                   ? read_expiry(request->given[EXPIRES], now_ns, &wish->expires_ns, diag)
                   : OK;
}

/* The text is in memory here and on stdout, and nowhere else. */
static enum err add_one(struct token_store *store, const struct add_request *request,
        char text[TOKENS_TEXT], struct diag *diag)
{
    struct tokens_wish wish = {0};
    TRY(make_wish(request, store->now_ns, &wish, diag));
    TRY(tokens_add(store->tokens, &wish, store->now_ns, text, diag));
    TRY(token_store_save(store, diag));
    const struct tokens_row *row = tokens_at(store->tokens, tokens_size(store->tokens) - 1);
    if (printf("%s\n", text) < 0 || fflush(stdout) != 0) {
        return diag_say(diag, ERR_IO,
                "token %s is there, but could not be printed: merlon token revoke %s",
                row->actor.id, row->actor.id);
    }
    verb_say("token %s", row->actor.id);
    return OK;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    (void)app;
    struct add_request request = {0};
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    struct token_store store;
    struct diag diag = {0};
    char text[TOKENS_TEXT] = {0};
    if (parse(&request, &scan, &diag) != OK) {
        return verb_usage(verb, diag.words);
    }
    if (token_store_open(&store, request.given[DATA], TOKEN_STORE_WRITE, &diag) != OK) {
        verb_say("token add: %s", diag.words);
        return VERB_SOME;
    }
    enum err e = add_one(&store, &request, text, &diag);
    explicit_bzero(text, sizeof text);
    token_store_close(&store);
    if (e == ERR_USAGE) {
        return verb_usage(verb, diag.words);
    }
    if (e != OK) {
        verb_say("token add: %s", diag.words);
    }
    return e == OK ? VERB_DONE : VERB_SOME;
}

const struct verb token_add_verb = {.name = "token add",
        .about = "make a token: who may speak to a centre",
        .arguments = "--name NAME --tenant TENANT --role ROLE [OPTION]...",
        .options = options,
        .notes = "Prints the token, this once: only its SHA-256 is kept. Its id, by which it is\n"
                 "listed and revoked, comes on standard error. A centre that runs takes it within\n"
                 "a second. Roles: ingest may send, reader look, analyst work on what was\n"
                 "found, admin all.\n",
        .examples = "  merlon token add --name 'web 3' --tenant sg/health --role ingest\n"
                    "  merlon token add --name kim --tenant sg --role analyst --expires 90d\n",
        .run = run};
