#include "cli/report_rule.h"

#include <stdlib.h>

#include "cli/report_attack.h"
#include "cli/report_html.h"
#include "sigma/correlation.h"

#define ADD(out, literal) buf_add((out), SLICE("" literal))

/* ---- what a rule says of itself -------------------------------------------------------------- */

static void add_text(struct buf *out, const char *name, struct slice text)
{
    if (text.size > 0) {
        buf_format(out, "<dt>%s</dt><dd>", name);
        report_html_text(out, text);
        ADD(out, "</dd>");
    }
}

static void add_list(struct buf *out, const char *name, const struct slice *texts, size_t count)
{
    if (count == 0) {
        return;
    }
    buf_format(out, "<dt>%s</dt><dd><ul>", name);
    for (size_t i = 0; i < count; i++) {
        ADD(out, "<li>");
        report_html_text(out, texts[i]);
        ADD(out, "</li>");
    }
    ADD(out, "</ul></dd>");
}

static void add_times(struct buf *out, const struct report_rule *r)
{
    if (r->timed > 0) {
        ADD(out, "<dt>Seen</dt><dd>");
        report_html_time(out, r->first_ns);
        if (r->last_ns != r->first_ns) {
            ADD(out, " to ");
            report_html_time(out, r->last_ns);
        }
        ADD(out, "</dd>");
    }
}

static void add_correlation(struct buf *out, const struct rule *rule)
{
    struct buf words = {0};
    if (rule->correlation) {
        correlation_write(rule->correlation, &words);
        add_text(out, "Correlation", buf_slice(&words));
    }
    out->failed |= words.failed;
    buf_fini(&words);
}

static void add_about(struct buf *out, const struct rule *rule, const struct report_rule *r)
{
    static const struct mark_list no_marks;
    if (rule->description.size > 0) {
        ADD(out, "<p class=\"about\">");
        report_html_value(out, slice_trim(rule->description), &no_marks, 4096);
        ADD(out, "</p>");
    }
    ADD(out, "<dl class=\"facts\">");
    add_times(out, r);
    add_correlation(out, rule);
    add_text(out, "Author", rule->author);
    add_list(out, "Tags", rule->tags, rule->tag_count);
    add_list(out, "False positives", rule->falsepositives, rule->falsepositive_count);
    ADD(out, "</dl><details class=\"more-about\"><summary>About the rule</summary><dl "
             "class=\"facts\">");
    add_text(out, "Id", rule->id);
    add_text(out, "File", rule->file);
    add_text(out, "Status", rule->status);
    add_text(out, "Licence", rule->license);
    add_text(out, "Hash", slice_text(rule->hash));
    add_list(out, "References", rule->references, rule->reference_count);
    ADD(out, "</dl></details>");
}

/* ---- its findings ---------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
    const struct report_piece *x = a, *y = b;
    if (x->timed != y->timed) {
        return x->timed ? -1 : 1;
    }
    if (x->timed && x->time_ns != y->time_ns) {
        return x->time_ns < y->time_ns ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

static void add_pieces(struct buf *out, const struct rule *rule, const struct report_rule *r,
        size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        buf_format(
                out, "\n<article class=\"f\" id=\"f%u-%u\"", rule->number, r->pieces[i].order + 1);
        buf_add(out, r->pieces[i].html);
    }
}

static void add_findings(struct buf *out, const struct rule *rule, struct report_rule *r)
{
    if (r->count > 0) {
        qsort(r->pieces, r->count, sizeof *r->pieces, by_time);
    }
    /* One more is no reason to hide it. */
    size_t open = r->count <= REPORT_RULE_OPEN + 1 ? r->count : REPORT_RULE_OPEN;
    ADD(out, "<div class=\"list\">");
    add_pieces(out, rule, r, 0, open);
    ADD(out, "</div>");
    if (open < r->count) {
        ADD(out, "<details class=\"more\"><summary>");
        report_html_count(out, r->count - open);
        ADD(out, " more</summary><div class=\"list\">");
        add_pieces(out, rule, r, open, r->count);
        ADD(out, "</div></details>");
    }
    uint64_t all = r->findings;
    if (all > r->count) {
        ADD(out, "<p class=\"note rest\">The first ");
        report_html_count(out, r->count);
        ADD(out, " of ");
        report_html_counted(out, all, "finding");
        ADD(out, " are on this page, in the order of the input; ");
        ADD(out, "<b data-rest>");
        report_html_count(out, all - r->count);
        ADD(out, "</b> are not.</p>");
    }
}

static void add_group(struct buf *out, const struct rule *rule, struct report_rule *r)
{
    buf_format(out, "\n<section class=\"g\" id=\"r%u\" data-l=\"%d\" data-n=\"%llu\" data-k=\"",
            rule->number, (int)rule->level, (unsigned long long)r->findings);
    report_attack_ids(rule, out);
    buf_format(out, "\" aria-labelledby=\"t%u\"><h3 id=\"t%u\"><span class=\"lv l%d\">",
            rule->number, rule->number, (int)rule->level);
    buf_add(out, report_html_level(rule->level));
    ADD(out, "</span> <span class=\"title\">");
    report_html_text(out, rule->title);
    ADD(out, "</span> <span class=\"n\">");
    report_html_counted(out, r->findings, "finding");
    ADD(out, "</span></h3>");
    add_about(out, rule, r);
    add_findings(out, rule, r);
    ADD(out, "</section>");
}

/* ---- the filter ------------------------------------------------------------------------------ */

/* Shown by the page's script, which alone can do what it says. */
static void add_filter(struct buf *out, bool unlevelled)
{
    ADD(out, "<form id=\"filter\" hidden aria-label=\"Filter and sort\"><div class=\"field "
             "wide-field\"><label for=\"q\">Text</label><input id=\"q\" type=\"search\" "
             "autocomplete=\"off\" spellcheck=\"false\"></div><fieldset><legend>Level</legend>");
    for (int l = LEVEL_COUNT - 1; l >= (unlevelled ? LEVEL_NONE : LEVEL_INFORMATIONAL); l--) {
        buf_format(out,
                "<label class=\"check\"><input type=\"checkbox\" name=\"level\" "
                "value=\"%d\" checked> ",
                l);
        buf_add(out, report_html_level((enum level)l));
        ADD(out, "</label>");
    }
    ADD(out, "</fieldset>"
             "<div class=\"field\"><label for=\"rule\">Rule</label><input id=\"rule\" "
             "list=\"rule-list\" autocomplete=\"off\"><datalist id=\"rule-list\"></datalist></div>"
             "<div class=\"field\"><label for=\"host\">Host</label><input id=\"host\" "
             "list=\"host-list\" autocomplete=\"off\"><datalist id=\"host-list\"></datalist></div>"
             "<div class=\"field\"><label for=\"user\">User</label><input id=\"user\" "
             "list=\"user-list\" autocomplete=\"off\"><datalist id=\"user-list\"></datalist></div>"
             "<div class=\"field\"><label for=\"technique\">Technique</label><input "
             "id=\"technique\" autocomplete=\"off\" placeholder=\"T1059\"></div>"
             "<div class=\"field\"><label for=\"from\">From (UTC)</label><input id=\"from\" "
             "autocomplete=\"off\" placeholder=\"2024-03-01 12:00\"></div>"
             "<div class=\"field\"><label for=\"to\">Before (UTC)</label><input id=\"to\" "
             "autocomplete=\"off\" placeholder=\"2024-03-02\"></div>"
             "<div class=\"field\"><label for=\"sort\">Order</label><select id=\"sort\"><option "
             "value=\"level\">Rules by level<option value=\"count\">Rules by findings<option "
             "value=\"title\">Rules by title<option value=\"time\">All findings by time<option "
             "value=\"late\">All findings, latest first</select></div>"
             "<button type=\"reset\">Clear</button><p id=\"status\" role=\"status\"></p></form>");
}

static void add_intro(struct buf *out, const struct report *report, uint64_t all)
{
    ADD(out, "<section id=\"findings\" tabindex=\"-1\"><h2>Findings</h2><p class=\"note\">By "
             "rule, the highest level first. What made a rule true is <mark>marked</mark>.");
    if (all > report->shown) {
        ADD(out, " <b>This page shows ");
        report_html_count(out, report->shown);
        ADD(out, " of ");
        report_html_counted(out, all, "finding");
        ADD(out, ", the first of each rule; <span data-hidden>");
        report_html_count(out, all - report->shown);
        ADD(out, "</span> are counted in every figure but not shown.</b>");
    }
    ADD(out, "</p>");
}

void report_rule_write_all(
        struct report *report, const struct rule *const *rules, size_t count, struct buf *out)
{
    uint64_t all = 0;
    for (size_t i = 0; i < count; i++) {
        all += report->rules[rules[i]->number].findings;
    }
    add_intro(out, report, all);
    if (count > 0) {
        add_filter(out, rules[count - 1]->level == LEVEL_NONE); /* the last has the lowest */
        ADD(out, "<div id=\"flat\" class=\"list\" hidden></div><div id=\"groups\">");
        for (size_t i = 0; i < count; i++) {
            add_group(out, rules[i], &report->rules[rules[i]->number]);
        }
        ADD(out, "</div><p id=\"none\" class=\"note\" hidden>Nothing fits the filter.</p>");
    } else {
        ADD(out, "<p>No rule fired.</p>");
    }
    ADD(out, "</section>\n");
}
