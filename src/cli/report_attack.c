#include "cli/report_attack.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"
#include "cli/report_html.h"
#include "cli/report_techniques.h"

#define ADD(out, literal) buf_add((out), SLICE("" literal))

enum { NO_TACTIC = REPORT_TACTICS, COLUMNS = REPORT_TACTICS + 1, RULE_TECHNIQUES = 64 };

/* "t1059.001" of a tag; sub 0: none is named. */
struct technique {
    uint32_t number;
    uint32_t sub;
};

static bool take_digits(struct slice *text, size_t count, uint32_t *out)
{
    uint32_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (i >= text->size || text->at[i] < '0' || text->at[i] > '9') {
            return false;
        }
        n = n * 10 + (uint32_t)(text->at[i] - '0');
    }
    *text = slice_of(text->at + count, text->size - count);
    *out = n;
    return true;
}

static bool cut_prefix(struct slice *tag)
{
    struct slice prefix = SLICE("attack.");
    if (tag->size <= prefix.size || !slice_equal_nocase(slice_of(tag->at, prefix.size), prefix)) {
        return false;
    }
    *tag = slice_of(tag->at + prefix.size, tag->size - prefix.size);
    return true;
}

static bool parse_technique(struct slice tag, struct technique *out)
{
    struct technique t = {0};
    if (!cut_prefix(&tag) || (tag.at[0] != 't' && tag.at[0] != 'T')) {
        return false;
    }
    tag = slice_of(tag.at + 1, tag.size - 1);
    if (!take_digits(&tag, 4, &t.number)) {
        return false;
    }
    if (tag.size > 0 && tag.at[0] == '.') {
        tag = slice_of(tag.at + 1, tag.size - 1);
        if (!take_digits(&tag, 3, &t.sub)) {
            return false;
        }
    }
    *out = t;
    return tag.size == 0;
}

/* What a rule's tags say, each thing once; a sub-technique names its parent too. */
struct tags {
    uint32_t tactics; /* bits */
    struct technique techniques[RULE_TECHNIQUES];
    size_t count;
};

static void put_technique(struct tags *tags, struct technique t)
{
    for (size_t i = 0; i < tags->count; i++) {
        if (tags->techniques[i].number == t.number && tags->techniques[i].sub == t.sub) {
            return;
        }
    }
    if (tags->count < RULE_TECHNIQUES) {
        tags->techniques[tags->count++] = t;
    }
}

static void read_tags(const struct rule *rule, struct tags *out)
{
    *out = (struct tags){0};
    for (size_t i = 0; i < rule->tag_count; i++) {
        struct slice tag = rule->tags[i];
        struct technique t;
        if (parse_technique(tag, &t)) {
            put_technique(out, (struct technique){t.number, 0});
            put_technique(out, t);
        } else if (cut_prefix(&tag)) {
            int tactic = report_techniques_tactic(tag);
            out->tactics |= tactic >= 0 ? (uint32_t)1 << tactic : 0;
        }
    }
}

static void add_id(struct buf *out, struct technique t)
{
    buf_format(out, t.sub ? "T%04u.%03u" : "T%04u", t.number, t.sub);
}

void report_attack_ids(const struct rule *rule, struct buf *out)
{
    struct tags tags;
    read_tags(rule, &tags);
    for (size_t i = 0; i < tags.count; i++) {
        buf_add(out, i > 0 ? SLICE(" ") : SLICE(""));
        add_id(out, tags.techniques[i]);
    }
}

/* ---- counting -------------------------------------------------------------------------------- */

struct cell {
    uint32_t tactic;
    struct technique technique;
    uint64_t findings;
    uint32_t rules;
};

struct matrix {
    struct cell *cells; /* sorted and merged: by tactic, then technique */
    size_t count;
    size_t room;
    uint64_t tactics[COLUMNS]; /* findings */
    uint64_t most;             /* of one technique */
};

static uint32_t columns_of(const struct tags *tags, struct technique t)
{
    const struct report_technique *known = report_techniques_find(t.number);
    uint32_t both = known ? known->tactics & tags->tactics : 0;
    uint32_t bits = both ? both : tags->tactics;
    return bits ? bits : (uint32_t)1 << NO_TACTIC;
}

static bool count_rule(struct matrix *m, const struct rule *rule, uint64_t findings)
{
    struct tags tags;
    read_tags(rule, &tags);
    for (uint32_t c = 0; c < REPORT_TACTICS; c++) {
        m->tactics[c] += tags.tactics >> c & 1 ? findings : 0;
    }
    m->tactics[NO_TACTIC] += tags.tactics == 0 && tags.count > 0 ? findings : 0;
    for (size_t i = 0; i < tags.count; i++) {
        uint32_t columns = columns_of(&tags, tags.techniques[i]);
        for (uint32_t c = 0; c < COLUMNS; c++) {
            if (!(columns >> c & 1)) {
                continue;
            }
            if (!memory_grow(&m->cells, &m->room, m->count + 1, sizeof *m->cells)) {
                return false;
            }
            m->cells[m->count++] = (struct cell){c, tags.techniques[i], findings, 1};
        }
    }
    return true;
}

static int by_place(const void *a, const void *b)
{
    const struct cell *x = a, *y = b;
    if (x->tactic != y->tactic) {
        return x->tactic < y->tactic ? -1 : 1;
    }
    if (x->technique.number != y->technique.number) {
        return x->technique.number < y->technique.number ? -1 : 1;
    }
    return x->technique.sub < y->technique.sub ? -1 : x->technique.sub > y->technique.sub;
}

static void merge(struct matrix *m)
{
    size_t kept = 0;
    if (m->count > 0) {
        qsort(m->cells, m->count, sizeof *m->cells, by_place);
    }
    for (size_t i = 0; i < m->count; i++) {
        if (kept > 0 && by_place(&m->cells[kept - 1], &m->cells[i]) == 0) {
            m->cells[kept - 1].findings += m->cells[i].findings;
            m->cells[kept - 1].rules += m->cells[i].rules;
        } else {
            m->cells[kept++] = m->cells[i];
        }
    }
    m->count = kept;
    for (size_t i = 0; i < kept; i++) {
        m->most = m->cells[i].findings > m->most ? m->cells[i].findings : m->most;
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

/* How dark: of four steps, by powers of four below the most frequent. */
static int shade(uint64_t n, uint64_t most)
{
    int step = 4;
    while (step > 1 && n <= most / 4) {
        most /= 4;
        step--;
    }
    return step;
}

static void add_link(struct buf *out, struct technique t, const char *shown)
{
    ADD(out, "<a href=\"#findings\" data-technique=\"");
    add_id(out, t);
    ADD(out, "\"><b>");
    if (t.sub) {
        buf_format(out, ".%03u", t.sub);
    } else {
        add_id(out, t);
    }
    ADD(out, "</b>");
    if (*shown) {
        buf_byte(out, ' ');
        buf_add(out, slice_text(shown));
    }
    ADD(out, "</a> <span class=\"n\">");
}

/* The cell's technique with the sub-techniques that follow it; returns the next cell. */
static size_t add_technique(struct buf *out, const struct matrix *m, size_t at)
{
    const struct cell *cell = &m->cells[at];
    const struct report_technique *known = report_techniques_find(cell->technique.number);
    buf_format(out, "<li class=\"s%d\">", shade(cell->findings, m->most));
    add_link(out, cell->technique, known ? known->name : "");
    report_html_count(out, cell->findings);
    ADD(out, "</span>");
    bool open = false;
    for (at++; at < m->count && m->cells[at].technique.sub > 0; at++) {
        buf_add(out, open ? SLICE("<li>") : SLICE("<ul><li>"));
        open = true;
        add_link(out, m->cells[at].technique, "");
        report_html_count(out, m->cells[at].findings);
        ADD(out, "</span></li>");
    }
    buf_add(out, open ? SLICE("</ul></li>") : SLICE("</li>"));
    return at;
}

static void add_column(struct buf *out, const struct matrix *m, uint32_t column, size_t *at)
{
    const char *name =
            column == NO_TACTIC ? "No tactic named" : report_techniques_tactics[column].name;
    buf_format(out, "<li><h3>%s <span class=\"n\">", name);
    report_html_count(out, m->tactics[column]);
    ADD(out, "</span></h3><ul>");
    while (*at < m->count && m->cells[*at].tactic == column) {
        *at = add_technique(out, m, *at);
    }
    ADD(out, "</ul></li>");
}

static void add_unseen(struct buf *out, const struct matrix *m)
{
    const char *before = "Not seen: ";
    ADD(out, "<p class=\"note\">Each figure counts findings; a finding counts under every tactic "
             "and technique that its rule is tagged with. ");
    for (int t = 0; t < REPORT_TACTICS; t++) {
        /* One of its old and its new names is enough. */
        bool old = t == 6;
        if (m->tactics[t] > 0 || old) {
            continue;
        }
        buf_add(out, slice_text(before));
        buf_add(out, slice_text(report_techniques_tactics[t].name));
        before = ", ";
    }
    ADD(out, ".</p>");
}

static void write(const struct matrix *m, struct buf *out)
{
    bool any = false;
    for (uint32_t c = 0; c < COLUMNS; c++) {
        any |= m->tactics[c] > 0;
    }
    if (!any) {
        ADD(out, "<p class=\"note\">No rule that fired is tagged with ATT&amp;CK.</p>");
        return;
    }
    size_t at = 0;
    ADD(out, "<ol class=\"matrix\">");
    for (uint32_t c = 0; c < COLUMNS; c++) {
        if (m->tactics[c] > 0) {
            add_column(out, m, c, &at);
        }
    }
    ADD(out, "</ol>");
    add_unseen(out, m);
}

enum err report_attack_write(const struct ruleset *set, const uint64_t *by_rule, struct buf *out)
{
    struct matrix m = {0};
    enum err e = OK;
    for (uint32_t r = 0; r < set->rule_count && e == OK; r++) {
        if (by_rule[r] > 0 && !count_rule(&m, set->rules[r], by_rule[r])) {
            e = ERR_MEMORY;
        }
    }
    if (e == OK) {
        merge(&m);
        write(&m, out);
    }
    memory_free(m.cells);
    return e;
}
