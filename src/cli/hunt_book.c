#include "cli/hunt_book.h"

#include <string.h>

#include "base/slice.h"

enum { ROWS = 50, ROWS_MOST = 10000 };
enum { CHECK, WRITE, ROWS_KEPT, OUTPUT, STATE_LIMIT, INPUT };

static const struct option_row options[] = {
        [CHECK] = {"check", 0, NULL, "only read the hunts: run none, list them"},
        [WRITE] = {"write", 'w', NULL, "write the results into the files, behind each query"},
        [ROWS_KEPT] = {"rows", 0, "N", "of each table, at most (50); what there were is told"},
        [OUTPUT] = {"output", 'o', "HOW", "markdown or json"},
        [STATE_LIMIT] = {"state-limit", 0, "SIZE", "memory that each stage may keep (1G)"},
        HUNT_INPUT_ROWS,
        {0},
};

static enum err take_output(struct hunt_book_request *r, const char *value, struct diag *diag)
{
    r->json = strcmp(value, "json") == 0;
    return r->json || strcmp(value, "markdown") == 0
                   ? OK
                   : diag_say(diag, ERR_USAGE, "--output: '%.80s' is no markdown or json", value);
}

static enum err take_rows(struct hunt_book_request *r, const char *value, struct diag *diag)
{
    long rows;
    if (!option_number(value, 1, ROWS_MOST, &rows)) {
        return diag_say(diag, ERR_USAGE, "--rows: '%.80s' is no number from 1 to %d", value,
                (int)ROWS_MOST);
    }
    r->rows = (size_t)rows;
    return OK;
}

/* The first one is a book, and so are files of Markdown directly behind it. */
static enum err take_argument(struct hunt_book_request *r, const char *value)
{
    bool first = r->books.count == 0;
    bool more = r->hunt.input.paths.count == 0 && slice_ends(slice_text(value), SLICE(".md"));
    return words_add(first || more ? &r->books : &r->hunt.input.paths, value);
}

static enum err take(struct hunt_book_request *r, int option, const char *value, struct diag *diag)
{
    switch (option) {
    case OPTION_ARGUMENT:
        return take_argument(r, value);
    case OPTION_WRONG:
        return ERR_USAGE;
    case CHECK:
        r->check = true;
        return OK;
    case WRITE:
        r->write = true;
        return OK;
    case ROWS_KEPT:
        return take_rows(r, value, diag);
    case OUTPUT:
        return take_output(r, value, diag);
    case STATE_LIMIT:
        return hunt_take_state(&r->hunt, value, diag);
    default:
        return hunt_input_take(&r->hunt.input, option - INPUT, value, diag);
    }
}

static enum err parse(struct hunt_book_request *r, int argc, char *const *argv, struct diag *diag)
{
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    const char *value;
    int option;
    while ((option = option_next(&scan, &value, diag)) != OPTION_END) {
        TRY(take(r, option, value, diag));
    }
    if (r->books.count == 0) {
        return diag_say(diag, ERR_USAGE, "name a book: a folder of hunts, or a file");
    }
    if (r->check && r->write) {
        return diag_say(diag, ERR_USAGE, "--check runs nothing, so there is nothing to --write");
    }
    return hunt_input_check(&r->hunt.input, diag);
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct hunt_book_request request = {.hunt = hunt_defaults(), .rows = ROWS};
    struct diag diag = {0};
    int code = VERB_SOME;
    enum err e = parse(&request, argc, argv, &diag);
    if (e == ERR_USAGE) {
        code = verb_usage(verb, diag.words);
    } else if (e != OK) {
        verb_say("%s", diag.words[0] ? diag.words : err_name(e));
    } else {
        code = app->hunt_book(&request);
    }
    words_fini(&request.books);
    words_fini(&request.hunt.input.paths);
    words_fini(&request.hunt.input.taxonomies);
    return code;
}

const struct verb hunt_book_verb = {.name = "hunt book",
        .about = "run a folder of hunts, fill in what they found",
        .arguments = "[OPTION]... BOOK [FILE.md]... [INPUT]...",
        .options = options,
        .notes =
                "BOOK is a folder of Markdown files, or one: each a hunt with its title, its\n"
                "hypothesis, techniques of ATT&CK, owner, status and outcome, and its queries in\n"
                "blocks ```merlon-hunt (doc/hunt.md). Further files of Markdown behind it are of\n"
                "the book, what follows is what `merlon hunt` takes: files, or an archive, or "
                "what\n"
                "a centre has stored. Each query is run as `merlon hunt` does.\n"
                "A report goes to standard output; with --write results go into the files, "
                "between\n"
                "two marked lines behind each query, in place of those that stood there: nothing\n"
                "else in a file is touched. The exit code is 2 where a hunt makes no sense (it is\n"
                "named, the others run), 1 where something was left out.\n",
        .examples = "  merlon hunt book hunts/cloud logs/\n"
                    "  merlon hunt book --write our-hunts/ --tenant sg --from 2026-11-01\n"
                    "  merlon hunt book --check our-hunts/\n",
        .run = run};
