#include "cli/archive_each.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/rules_walk.h"
#include "cli/visible.h"
#include "net/authorize.h"

enum { TENANT, DATA, OUTPUT };

const struct option_row archive_each_options[] = {
        [TENANT] = {"tenant", 0, "TENANT", "only this tenant's, and those of tenants below it"},
        [DATA] = {"data", 0, "DIR", "beside which the archive is (MERLON_DATA, ./merlon-data)"},
        [OUTPUT] = {"output", 'o', "HOW", "table or json (a line a file)"},
        {0},
};
const struct option_row archive_each_no_output[] = {
        [TENANT] = {"tenant", 0, "TENANT", "only this tenant's, and those of tenants below it"},
        [DATA] = {"data", 0, "DIR", "beside which the archive is (MERLON_DATA, ./merlon-data)"},
        {0},
};

static enum err parse(struct archive_each *it, struct option_scan *scan, struct diag *diag)
{
    const char *value;
    int option;
    while ((option = option_next(scan, &value, diag)) != OPTION_END) {
        switch (option) {
        case OPTION_WRONG:
            return ERR_USAGE;
        case OPTION_ARGUMENT:
            return diag_say(diag, ERR_USAGE, "takes no argument: '%.80s'", value);
        case TENANT:
            it->tenant = value;
            break;
        case DATA:
            it->data = value;
            break;
        default:
            TRY(option_json(value, &it->json, diag));
        }
    }
    TRY(data_path(it->data, "archive", it->archive, diag));
    return catalog_read(&disk_real, it->archive, &it->catalog, diag);
}

bool archive_each_flush(struct archive_each *it)
{
    struct buf shown = {0};
    struct buf *out = &it->out;
    if (it->terminal) {
        visible_lines(&shown, buf_slice(&it->out));
        out = &shown;
    }
    bool good = !out->failed && !it->out.failed &&
                fwrite(out->at ? out->at : "", 1, out->size, stdout) == out->size &&
                fflush(stdout) == 0;
    buf_clear(&it->out);
    buf_fini(&shown);
    return good;
}

void archive_each_add(struct archive_each *it, const struct catalog_entry *entry,
        const struct check_result *result, const char *wrong)
{
    struct buf *out = &it->out;
    if (!it->json) {
        buf_add(out, slice_text(entry->path));
        if (wrong) {
            buf_format(out, ": %s", wrong);
        } else if (result) {
            buf_format(out, ": %" PRIu64 " events, %" PRIu64 " bytes of records", result->rows,
                    result->raw_bytes);
        }
        buf_byte(out, '\n');
        return;
    }
    buf_byte(out, '{');
    rules_walk_member(out, "file", slice_text(entry->path));
    buf_byte(out, ',');
    rules_walk_member(out, "tenant", entry->tenant);
    buf_byte(out, ',');
    rules_walk_member(out, "log", slice_text(entry->log));
    buf_format(out, ",\"first\":%" PRIu64, entry->first);
    if (wrong) {
        buf_byte(out, ',');
        rules_walk_member(out, "damage", slice_text(wrong));
    } else if (result) {
        buf_format(out, ",\"last\":%" PRIu64 ",\"events\":%" PRIu64 ",\"bytes\":%" PRIu64,
                result->last, result->rows, result->raw_bytes);
    }
    buf_add(out, SLICE("}\n"));
}

static void say_strays(struct archive_each *it)
{
    const struct catalog *c = &it->catalog;
    if (c->strays > 0) {
        verb_say("%s: names that are no sealed files: %zu; the first: %s", it->archive, c->strays,
                c->stray);
        it->partial = true;
    }
}

int archive_each_run(const struct verb *verb, struct archive_each *it, int argc, char *const *argv)
{
    struct option_scan scan = {.rows = verb->options, .argc = argc, .argv = argv};
    struct diag diag = {0};
    bool written = true;
    enum err e = parse(it, &scan, &diag);
    if (e == ERR_USAGE) {
        return verb_usage(verb, diag.words);
    }
    if (e != OK) {
        verb_say("%s", diag.words[0] ? diag.words : err_name(e));
        return VERB_SOME;
    }
    it->terminal = isatty(STDOUT_FILENO);
    for (size_t i = 0; i < it->catalog.count && written; i++) {
        const struct catalog_entry *entry = &it->catalog.at[i];
        if (!it->tenant || authorize_covers(slice_text(it->tenant), entry->tenant)) {
            written = it->each(it, entry);
        }
    }
    written = archive_each_flush(it) && written;
    say_strays(it);
    catalog_fini(&it->catalog);
    buf_fini(&it->out);
    return written && !it->partial ? VERB_DONE : VERB_SOME;
}
