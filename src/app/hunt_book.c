#include "app/hunt_book.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/hunt_book_run.h"
#include "app/hunt_book_write.h"
#include "app/run.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/time.h"
#include "cli/hunt_book_text.h"
#include "cli/load.h"
#include "cli/visible.h"

#define ARENA_BYTES ((size_t)64 << 20)

struct work {
    const struct hunt_book_request *request;
    struct loaded loaded;
    struct buf inputs; /* what is searched, in words */
    struct buf out, shown;
    bool terminal; /* stdout */
    bool wrong;    /* a hunt makes no sense */
    bool partial;  /* something was left out, or could not be read or written */
};

/* A file of the book. */
struct page {
    const char *path;
    struct slice text;
    struct notebook book;
    struct buf regions[NOTEBOOK_BLOCKS]; /* of those that ran */
    struct arena arena;
};

/* ---- words ------------------------------------------------------------------------------------
 */

/* A place without a column, or without a line, is told as far as it is known. */
static void say_wrong(struct work *w, const char *path, uint32_t line, const struct diag *diag)
{
    struct diag placed = *diag;
    struct buf place = {0};
    placed.line = diag->line > 0 ? diag->line + line : 0;
    load_place(&placed, &place);
    verb_say("%s%.*s", path, SLICE_ARG(buf_slice(&place)));
    buf_fini(&place);
    w->wrong = true;
}

static void say_failed(struct work *w, const char *path, enum err e, const struct diag *diag)
{
    verb_say("%s: %s", path, diag->words[0] ? diag->words : err_name(e));
    w->partial = true;
}

static void add_place(struct buf *out, const char *word, const struct replay_place *place)
{
    if (place->timed) {
        buf_format(out, ", received %s ", word);
        time_format(out, place->ns);
    } else if (place->offset != 0 && place->offset != UINT64_MAX) {
        buf_format(out, ", %s offset %llu", word, (unsigned long long)place->offset);
    }
}

static void name_inputs(const struct hunt_input *input, struct buf *out)
{
    for (size_t i = 0; i < input->paths.count; i++) {
        buf_add(out, i ? SLICE(", ") : SLICE(""));
        buf_add(out, slice_text(input->paths.at[i]));
    }
    if (input->paths.count == 0) {
        buf_add(out, input->archive ? SLICE("archive ") : SLICE("what a centre has stored"));
        buf_add(out, slice_text(input->archive ? input->archive : ""));
    }
    if (input->tenant) {
        buf_add(out, SLICE(", tenant "));
        buf_add(out, slice_text(input->tenant));
    }
    add_place(out, "since", &input->from);
    add_place(out, "before", &input->to);
}

/* Lines to stdout; what a terminal obeys is made visible. */
static void flush_out(struct work *w)
{
    struct buf *out = &w->out;
    if (w->terminal) {
        buf_clear(&w->shown);
        visible_lines(&w->shown, buf_slice(&w->out));
        out = &w->shown;
    }
    bool written = !w->out.failed && !out->failed &&
                   fwrite(out->at, 1, out->size, stdout) == out->size && fflush(stdout) == 0;
    if (!written && !w->partial) {
        verb_say("output: it could not be written");
    }
    w->partial |= !written;
    buf_clear(&w->out);
}

/* ---- a hunt -----------------------------------------------------------------------------------
 */

static void tell(
        struct work *w, struct page *page, size_t number, const struct hunt_book_result *result)
{
    if (w->request->json) {
        hunt_book_text_json(result, &w->out);
    } else {
        hunt_book_text_report(result, &w->out);
    }
    if (w->request->write) {
        hunt_book_text_result(result, &page->regions[number]);
    }
    flush_out(w);
}

static enum err hunt(struct work *w, struct page *page, size_t number, const struct query *query,
        struct diag *diag)
{
    const struct notebook_block *block = &page->book.blocks[number];
    struct slice text = arena_copy(&page->arena, block->query);
    struct hunt_book_run run = {0};
    uint32_t columns;
    query_columns(query, &columns);
    if (!text.at) {
        return diag_say(diag, ERR_MEMORY, "no memory for a query");
    }
    int64_t now = clock_wall_ns();
    enum err e = hunt_book_run_query(w->request, text.at, columns, &run, diag);
    if (e == OK) {
        const struct hunt_book_result result = {.file = page->path,
                .book = &page->book,
                .block = block,
                .query = query,
                .inputs = buf_slice(&w->inputs),
                .run_ns = now,
                .rows = buf_slice(&run.rows),
                .kept = run.kept,
                .ended = run.ended,
                .end = run.end,
                .notes = buf_slice(&run.notes),
                .complete = run.complete};
        tell(w, page, number, &result);
        w->partial |= !run.complete;
    }
    hunt_book_run_fini(&run);
    return e;
}

static void do_block(struct work *w, struct page *page, size_t number)
{
    const struct notebook_block *block = &page->book.blocks[number];
    struct query *query = NULL;
    struct diag diag = {0};
    enum err e = query_new(block->query, w->loaded.taxonomy, &query, &diag);
    if (e == ERR_MEMORY) {
        say_failed(w, page->path, e, &diag);
    } else if (e != OK) {
        diag.column = diag.line > 0 ? diag.column : 1;
        diag.line = diag.line > 0 ? diag.line : 1;
        say_wrong(w, page->path, block->line - 1, &diag);
    } else if (!w->request->check) {
        e = hunt(w, page, number, query, &diag);
        if (e != OK) {
            say_failed(w, page->path, e, &diag);
        }
    }
    query_free(query);
}

/* ---- a file -----------------------------------------------------------------------------------
 */

static void list(struct work *w, const struct page *page)
{
    buf_format(&w->out, "%s: ", page->path);
    visible_add(&w->out, slice_trim(page->book.title), VISIBLE_ANY);
    buf_format(
            &w->out, " (%zu %s)\n", page->book.count, page->book.count == 1 ? "query" : "queries");
    flush_out(w);
}

static void write_page(struct work *w, struct page *page)
{
    struct slice regions[NOTEBOOK_BLOCKS] = {0};
    struct buf text = {0};
    struct diag diag = {0};
    bool failed = false;
    for (size_t i = 0; i < page->book.count; i++) {
        regions[i] = buf_slice(&page->regions[i]);
        failed |= page->regions[i].failed;
    }
    notebook_write(page->text, &page->book, regions, &text);
    enum err e = failed || text.failed
                         ? diag_say(&diag, ERR_MEMORY, "no memory for the results")
                         : hunt_book_write(page->path, page->text, buf_slice(&text), &diag);
    if (e != OK) {
        say_failed(w, page->path, e, &diag);
    }
    buf_fini(&text);
}

static void do_page(struct work *w, struct page *page)
{
    if (w->request->check) {
        list(w, page);
    } else if (!w->request->json) {
        hunt_book_text_head(page->path, &page->book, &w->out);
    }
    for (size_t i = 0; i < page->book.count; i++) {
        do_block(w, page, i);
    }
    flush_out(w);
    if (w->request->write) {
        write_page(w, page);
    }
}

/* `named`: by itself, and not by its folder, where other texts may stand. */
static void do_file(struct work *w, const char *path, bool named)
{
    struct page page = {.path = path};
    struct buf text = {0};
    struct diag diag = {0};
    arena_init(&page.arena, ARENA_BYTES);
    enum err e = files_read(path, NOTEBOOK_BYTES, &text, &diag);
    if (e == OK) {
        page.text = buf_slice(&text);
        e = notebook_read(&page.arena, page.text, &page.book, &diag);
        if (e == OK) {
            do_page(w, &page);
        } else if (e == ERR_MEMORY) {
            say_failed(w, path, e, &diag);
        } else if (e != ERR_NOT_FOUND || named) {
            say_wrong(w, path, 0, &diag);
        }
    } else {
        say_failed(w, path, e, &diag);
    }
    for (size_t i = 0; i < NOTEBOOK_BLOCKS; i++) {
        buf_fini(&page.regions[i]);
    }
    arena_fini(&page.arena);
    buf_fini(&text);
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static void do_book(struct work *w, const char *path)
{
    static const char *const suffixes[] = {".md", NULL};
    struct files_list files = {0};
    struct arena arena;
    struct diag diag = {0};
    arena_init(&arena, ARENA_BYTES);
    enum err e = files_walk(&arena, path, suffixes, &files, &diag);
    if (e != OK) {
        say_failed(w, path, e, &diag);
    }
    for (size_t i = 0; i < files.refusal_count; i++) {
        verb_say("%s: %s", files.refusals[i].path, files.refusals[i].reason);
        w->partial = true;
    }
    if (e == OK && files.is_directory && files.count == 0) {
        verb_say("%s: no file of Markdown (.md) is in it", path);
        w->partial = true;
    }
    for (size_t i = 0; i < files.count; i++) {
        do_file(w, files.paths[i], !files.is_directory);
    }
    arena_fini(&arena);
}

int hunt_book_run(const struct hunt_book_request *request)
{
    struct work w = {.request = request, .terminal = run_columns() > 0};
    const struct load_request load = {.taxonomies = request->hunt.input.taxonomies};
    struct diag diag = {0};
    int code = VERB_USAGE;
    enum err e = load_rules(&load, &w.loaded, &diag);
    if (e == OK) {
        name_inputs(&request->hunt.input, &w.inputs);
        for (size_t i = 0; i < request->books.count; i++) {
            do_book(&w, request->books.at[i]);
        }
        code = w.wrong ? VERB_USAGE : w.partial ? VERB_SOME : VERB_DONE;
    } else {
        verb_say("%s", diag.words[0] ? diag.words : err_name(e));
        code = e == ERR_MEMORY || e == ERR_IO ? VERB_SOME : VERB_USAGE;
    }
    load_fini(&w.loaded);
    buf_fini(&w.inputs);
    buf_fini(&w.out);
    buf_fini(&w.shown);
    return code;
}
