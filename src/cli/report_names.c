#include "cli/report_names.h"

#include <stdlib.h>

#include "base/memory.h"
#include "cli/report_html.h"

#define ADD(out, literal) buf_add((out), SLICE("" literal))

enum { BAR = 1000 };

void report_names_init(struct report_names *names)
{
    *names = (struct report_names){0};
    intern_init(&names->texts, REPORT_NAMES_LIMIT);
}

void report_names_fini(struct report_names *names)
{
    intern_fini(&names->texts);
    memory_free(names->counts);
    *names = (struct report_names){0};
}

enum err report_names_add(struct report_names *names, struct slice name, enum level level)
{
    uint32_t id;
    bool fresh;
    if (name.size == 0) {
        names->without++;
        return OK;
    }
    enum err e = intern_put(&names->texts, name, &id, &fresh);
    if (e == ERR_LIMIT) {
        names->others++;
        return OK;
    }
    if (e != OK ||
            !memory_grow(&names->counts, &names->room, names->texts.count, sizeof *names->counts)) {
        return ERR_MEMORY;
    }
    struct report_name *n = &names->counts[id];
    if (fresh) {
        *n = (struct report_name){0};
    }
    n->findings++;
    n->by_level[level]++;
    names->most = n->findings > names->most ? n->findings : names->most;
    return OK;
}

/* ---- the table ------------------------------------------------------------------------------- */

struct row {
    const struct report_name *counts;
    struct slice name;
};

static int by_findings(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->counts->findings != y->counts->findings) {
        return x->counts->findings < y->counts->findings ? 1 : -1;
    }
    return slice_compare(x->name, y->name);
}

void report_names_bar(struct buf *out, const uint64_t *by_level, uint64_t all)
{
    uint64_t sum = 0, at = 0;
    buf_format(out,
            "<svg class=\"bar\" viewBox=\"0 0 %d 8\" preserveAspectRatio=\"none\" "
            "aria-hidden=\"true\">",
            BAR);
    for (int l = LEVEL_COUNT - 1; l >= 0; l--) {
        sum += by_level[l];
        uint64_t end = all > 0 ? sum * BAR / all : 0;
        /* However few: to be seen. */
        end = by_level[l] > 0 && end < at + 4 ? at + 4 : end;
        if (end > at && by_level[l] > 0) {
            buf_format(out, "<rect class=\"l%d\" x=\"%llu\" width=\"%llu\" height=\"8\"/>", l,
                    (unsigned long long)at, (unsigned long long)(end - at));
            at = end;
        }
    }
    ADD(out, "</svg>");
}

static void add_row(const struct report_names *names, const struct report_names_words *words,
        const struct row *row, struct buf *out)
{
    ADD(out, "<tr><th scope=\"row\"><a href=\"#findings\" data-");
    buf_add(out, slice_text(words->attribute));
    ADD(out, "=\"");
    report_html_attribute(out, row->name);
    ADD(out, "\">");
    report_html_text(out, row->name);
    ADD(out, "</a></th><td class=\"n\">");
    report_html_count(out, row->counts->findings);
    ADD(out, "</td><td class=\"bars\">");
    report_names_bar(out, row->counts->by_level, names->most);
    ADD(out, "</td></tr>");
}

static void add_rest(const struct report_names *names, const char *one, struct buf *out)
{
    ADD(out, "<p class=\"note\">");
    report_html_counted(out, names->texts.count, one);
    buf_add(out, names->others > 0 ? SLICE(" told apart") : SLICE(" in all"));
    if (names->others > 0) {
        ADD(out, "; further ones have ");
        report_html_counted(out, names->others, "finding");
    }
    if (names->without > 0) {
        ADD(out, "; ");
        report_html_counted(out, names->without, "finding");
        ADD(out, " without");
    }
    ADD(out, ".</p>");
}

enum err report_names_write(
        const struct report_names *names, const struct report_names_words *words, struct buf *out)
{
    uint32_t count = names->texts.count;
    if (count == 0) {
        ADD(out, "<p class=\"note\">No finding names one.</p>");
        return OK;
    }
    struct row *rows = memory_alloc_array(count, sizeof *rows);
    if (!rows) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = (struct row){&names->counts[i], intern_text(&names->texts, i)};
    }
    qsort(rows, count, sizeof *rows, by_findings);
    buf_format(out,
            "<table class=\"top\"><caption class=\"vh\">%s with most findings</caption>"
            "<colgroup><col><col class=\"cn\"><col class=\"cb\"></colgroup>"
            "<thead><tr><th scope=\"col\">%s</th><th scope=\"col\" class=\"n\">Findings"
            "</th><th scope=\"col\" class=\"bars\">By level</th></tr></thead><tbody>",
            words->title, words->title);
    for (uint32_t i = 0; i < count && i < REPORT_NAMES_TOP; i++) {
        add_row(names, words, &rows[i], out);
    }
    ADD(out, "</tbody></table>");
    add_rest(names, words->one, out);
    memory_free(rows);
    return OK;
}
