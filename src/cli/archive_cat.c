#include <stdio.h>

#include "archive/rows_read.h"
#include "cli/archive.h"
#include "cli/archive_each.h"

static enum err cat_rows(struct archive_each *it, struct rows_read *rows, struct diag *diag)
{
    for (uint32_t g = 0; g < rows_read_groups(rows); g++) {
        TRY(rows_read_group(rows, g, diag));
        for (uint32_t row = 0; row < rows_read_count(rows); row++) {
            struct rows_read_row shown;
            TRY(rows_read_row(rows, row, &shown, diag));
            if (shown.raw.at) {
                buf_add(&it->out, shown.raw);
                buf_byte(&it->out, '\n');
            }
            if (it->out.size > 1 << 16 && !archive_each_flush(it)) {
                return diag_say(diag, ERR_END, "cannot write");
            }
        }
    }
    return archive_each_flush(it) ? OK : diag_say(diag, ERR_END, "cannot write");
}

static bool each_shown(struct archive_each *it, const struct catalog_entry *entry)
{
    char path[DATA_PATH * 2];
    struct rows_read *rows;
    struct diag diag = {0};
    snprintf(path, sizeof path, "%s/%s", it->archive, entry->path);
    enum err e = rows_read_open(&disk_real, path, &rows, &diag);
    if (e == OK) {
        e = cat_rows(it, rows, &diag);
        rows_read_close(rows);
    }
    if (e != OK) {
        (void)archive_each_flush(it);
        verb_say("%s: %s", entry->path, diag.words[0] ? diag.words : err_name(e));
        it->partial = true;
    }
    return e != ERR_END;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct archive_each it = {.each = each_shown};
    (void)app;
    return archive_each_run(verb, &it, argc, argv);
}

const struct verb archive_cat_verb = {.name = "archive cat",
        .about = "the records of an archive, as they were received",
        .arguments = "[--data DIR] [--tenant TENANT]",
        .options = archive_each_no_output,
        .notes = "In the order of `merlon archive list`, a line feed behind each.\n",
        .examples = "  merlon archive cat --tenant sg/health | head\n",
        .run = run};
