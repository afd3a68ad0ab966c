#include "conformance/excuses.h"

#include "base/memory.h"

/* The first words of a line, and what stands behind them. */
static struct slice cut_words(struct slice line, int words, struct slice *rest)
{
    size_t at = 0;
    for (int i = 0; i < words; i++) {
        while (i && at < line.size && line.at[at] == ' ') {
            at++;
        }
        at += slice_find_byte(slice_of(line.at + at, line.size - at), ' ');
    }
    *rest = slice_trim(slice_of(line.at + at, line.size - at));
    return slice_of(line.at, at);
}

static enum err add_line(struct excuses *list, struct slice line, int words, struct diag *diag)
{
    struct excuse *more = memory_resize(list->lines, (list->count + 1) * sizeof *more);
    if (!more) {
        return ERR_MEMORY;
    }
    list->lines = more;
    struct excuse *e = &more[list->count++];
    *e = (struct excuse){0};
    e->key = cut_words(line, words, &e->reason);
    return e->reason.size
                   ? OK
                   : diag_say(diag, ERR_SYNTAX, "%s: no reason: %.*s", list->name, SLICE_ARG(line));
}

enum err excuses_read(struct excuses *list, const char *name, int words, struct diag *diag)
{
    *list = (struct excuses){.name = name};
    TRY(conformance_file(name, &list->text, diag));
    struct slice rest = list->text.size ? buf_slice(&list->text) : SLICE("");
    while (rest.size) {
        struct slice line = slice_trim(slice_cut(&rest, '\n'));
        if (line.size && line.at[0] != '#') {
            TRY(add_line(list, line, words, diag));
        }
    }
    return OK;
}

void excuses_fini(struct excuses *list)
{
    buf_fini(&list->text);
    memory_free(list->lines);
}

bool excuses_take(struct excuses *list, struct slice key)
{
    for (size_t i = 0; i < list->count; i++) {
        if (slice_equal(list->lines[i].key, key)) {
            list->lines[i].used = true;
            return true;
        }
    }
    return false;
}

void excuses_unused(const struct excuses *list, struct tally *tally)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!list->lines[i].used) {
            conformance_check(tally, false, list->lines[i].key,
                    "stands in a list of differences, but there is none");
        }
    }
}
