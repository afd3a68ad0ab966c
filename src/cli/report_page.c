#include "cli/report_parts.h"

#include <stdlib.h>

#include "base/digest.h"
#include "base/memory.h"
#include "cli/report_asset.h"
#include "cli/report_attack.h"
#include "cli/report_html.h"
#include "cli/report_rule.h"

#define ADD(out, literal) buf_add((out), SLICE("" literal))

enum { TOP = 12 };

/* ---- the head -------------------------------------------------------------------------------- */

static struct slice asset(const char *name)
{
    for (size_t i = 0; i < report_asset_file_count; i++) {
        const struct report_asset_file *file = &report_asset_files[i];
        if (slice_equal(slice_text(file->name), slice_text(name))) {
            return slice_of(file->bytes, file->size);
        }
    }
    return (struct slice){0};
}

/* 'sha256-...': Content Security Policy Level 3, "Hash": base64 of the digest (RFC 4648). */
static void add_source(struct buf *out, struct slice text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char sum[DIGEST_SIZE + 1] = {0}; /* a multiple of three: its last digit is padding */
    struct digest digest;
    digest_init(&digest);
    digest_add(&digest, text);
    digest_bytes(&digest, sum);
    ADD(out, "'sha256-");
    for (size_t i = 0; i < sizeof sum; i += 3) {
        uint32_t three = (uint32_t)sum[i] << 16 | (uint32_t)sum[i + 1] << 8 | sum[i + 2];
        buf_byte(out, digits[three >> 18]);
        buf_byte(out, digits[three >> 12 & 63]);
        buf_byte(out, digits[three >> 6 & 63]);
        buf_byte(out, i + 3 < sizeof sum ? digits[three & 63] : '=');
    }
    buf_byte(out, '\'');
}

static void add_head(struct buf *out, const struct tally *tally, const struct summary_facts *facts)
{
    ADD(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
             "style-src ");
    add_source(out, asset("page.css"));
    ADD(out, "; script-src ");
    add_source(out, asset("page.js"));
    ADD(out, "; base-uri 'none'; form-action 'none'\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
             "<meta name=\"referrer\" content=\"no-referrer\">\n"
             "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    report_html_counted(out, tally->findings, "finding");
    ADD(out, " in ");
    report_html_counted(out, facts->events, "event");
    ADD(out, "</title>\n<style>");
    buf_add(out, asset("page.css"));
    ADD(out, "</style></head>\n<body>\n");
}

/* ---- what it comes to ------------------------------------------------------------------------ */

static void add_times(struct buf *out, const struct report *r)
{
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (uint32_t i = 0; i < r->set->rule_count; i++) {
        if (r->rules[i].timed > 0) {
            first = r->rules[i].first_ns < first ? r->rules[i].first_ns : first;
            last = r->rules[i].last_ns > last ? r->rules[i].last_ns : last;
        }
    }
    if (first <= last) {
        ADD(out, " They date from ");
        report_html_time(out, first);
        ADD(out, " to ");
        report_html_time(out, last);
        ADD(out, " (UTC).");
    }
}

static void add_levels(struct buf *out, const struct tally *tally)
{
    ADD(out, "<ul class=\"levels\" aria-label=\"Findings by level\">");
    for (int l = LEVEL_COUNT - 1; l >= 0; l--) {
        if (l == LEVEL_NONE && tally->by_level[l] == 0) {
            continue;
        }
        buf_format(out, "<li class=\"l%d\"><b data-level=\"%d\">", l, l);
        report_html_count(out, tally->by_level[l]);
        ADD(out, "</b> <span>");
        buf_add(out, report_html_level((enum level)l));
        ADD(out, "</span></li>");
    }
    ADD(out, "</ul>");
}

static bool is_complete(const struct summary_facts *f)
{
    return !f->interrupted && f->rejected == 0 && f->unreadable == 0 && f->rules_refused == 0 &&
           f->undetermined == 0 && f->rules_unroutable == 0 && f->inexact == 0 && f->untimed == 0 &&
           f->crowded == 0;
}

static void add_banner(struct buf *out, const struct report *r, const struct tally *tally,
        const struct summary_facts *f)
{
    size_t rules = 0;
    for (uint32_t i = 0; i < r->set->rule_count; i++) {
        rules += tally->by_rule[i] > 0;
    }
    ADD(out, "<a class=\"skip\" href=\"#findings\">To the findings</a>\n<header><p class=\"brand\">"
             "Detection report</p><h1>");
    report_html_counted(out, tally->findings, "finding");
    ADD(out, "</h1><p class=\"lead\">");
    report_html_counted(out, rules, "rule");
    ADD(out, " of ");
    report_html_count(out, f->rules);
    ADD(out, " fired, in ");
    report_html_counted(out, f->events, "event");
    ADD(out, " of ");
    report_html_counted(out, f->files, "file");
    ADD(out, ".");
    add_times(out, r);
    ADD(out, "</p>");
    add_levels(out, tally);
    if (f->interrupted) {
        ADD(out, "<p class=\"warn\"><b>Interrupted.</b> This is what was done so far.</p>");
    } else if (!is_complete(f)) {
        ADD(out, "<p class=\"warn\">Not everything could be read or judged: see <a "
                 "href=\"#reading\">what was read</a>.</p>");
    }
    ADD(out, "<nav aria-label=\"Contents\"><a href=\"#time\">Over time</a> <a href=\"#attack\">"
             "ATT&amp;CK</a> <a href=\"#rules\">Rules</a> <a href=\"#hosts\">Hosts</a> <a "
             "href=\"#users\">Users</a> <a href=\"#findings\">Findings</a> <a href=\"#reading\">"
             "What was read</a></nav></header>\n<main>\n");
}

/* ---- plots and tables ------------------------------------------------------------------------ */

static void add_time(struct buf *out, struct report *r, const struct tally *tally)
{
    ADD(out, "<section id=\"time\"><h2>Over time</h2>");
    report_line_write(&r->line, out);
    if (tally->untimed > 0) {
        ADD(out, "<p class=\"note\">");
        report_html_counted(out, tally->untimed, "finding");
        ADD(out, " without a time.</p>");
    }
    ADD(out, "</section>\n");
}

static void add_top_rule(struct buf *out, const struct rule *rule, uint64_t findings, uint64_t most)
{
    uint64_t by_level[LEVEL_COUNT] = {[0] = 0};
    by_level[rule->level] = findings;
    buf_format(out, "<tr><th scope=\"row\"><span class=\"lv l%d\">", (int)rule->level);
    buf_add(out, report_html_level(rule->level));
    buf_format(out, "</span> <a href=\"#r%u\">", rule->number);
    report_html_text(out, rule->title);
    ADD(out, "</a></th><td class=\"n\">");
    report_html_count(out, findings);
    ADD(out, "</td><td class=\"bars\">");
    report_names_bar(out, by_level, most);
    ADD(out, "</td></tr>");
}

static void add_top_rules(
        struct buf *out, const struct rule *const *rules, size_t count, const struct tally *tally)
{
    ADD(out, "<section id=\"rules\"><h2>Rules</h2>");
    if (count > 0) {
        ADD(out, "<table class=\"top\"><caption class=\"vh\">Rules with most "
                 "findings</caption><colgroup>"
                 "<col><col class=\"cn\"><col class=\"cb\"></colgroup><thead><tr><th "
                 "scope=\"col\">Title</th><th scope=\"col\" class=\"n\">Findings</th><th "
                 "scope=\"col\" class=\"bars\">Share</th></tr></thead><tbody>");
    }
    for (size_t i = 0; i < count && i < TOP; i++) {
        uint64_t most = tally->by_rule[rules[0]->number];
        add_top_rule(out, rules[i], tally->by_rule[rules[i]->number], most);
    }
    if (count > 0) {
        ADD(out, "</tbody></table>");
    }
    ADD(out, "<p class=\"note\">");
    report_html_counted(out, count, "rule");
    ADD(out, " fired.</p></section>\n");
}

static void add_names(struct buf *out, const struct report *r)
{
    static const struct report_names_words hosts = {"Hosts", "host", "host"};
    static const struct report_names_words users = {"Users", "user", "user"};
    ADD(out, "<section id=\"hosts\"><h2>Hosts</h2>");
    out->failed |= report_names_write(&r->hosts, &hosts, out) != OK;
    ADD(out, "</section>\n<section id=\"users\"><h2>Users</h2>");
    out->failed |= report_names_write(&r->users, &users, out) != OK;
    ADD(out, "</section>\n");
}

/* ---- what was read --------------------------------------------------------------------------- */

static void add_fact(struct buf *out, const char *key, const char *name, uint64_t n, bool always)
{
    if (n > 0 || always) {
        buf_format(
                out, "<tr><th scope=\"row\">%s</th><td class=\"n\" data-fact=\"%s\">", name, key);
        report_html_count(out, n);
        ADD(out, "</td></tr>");
    }
}

static void add_scope(struct buf *out, const struct report_scope *scope)
{
    if (scope->level != LEVEL_NONE) {
        ADD(out, "<p class=\"scope\">Only rules of level ");
        buf_add(out, level_name(scope->level));
        ADD(out, " and above judged.</p>");
    }
    if (scope->excluded > 0) {
        ADD(out, "<p class=\"scope\">Rules were left out by name.</p>");
    }
    if (scope->any_source) {
        ADD(out, "<p class=\"scope\">Every event was judged by every rule, whatever its "
                 "logsource.</p>");
    }
    if (scope->has_from || scope->has_to) {
        ADD(out, "<p class=\"scope\">Only events");
        if (scope->has_from) {
            ADD(out, " of ");
            report_html_time(out, scope->from_ns);
            ADD(out, " and later");
        }
        if (scope->has_to) {
            buf_add(out, scope->has_from ? SLICE(", before ") : SLICE(" before "));
            report_html_time(out, scope->to_ns);
        }
        ADD(out, " (UTC), and those without a known time.</p>");
    }
}

static void add_facts(struct buf *out, const struct report *r, const struct summary_facts *f)
{
    ADD(out, "<section id=\"reading\"><h2>What was read</h2>");
    add_scope(out, &r->scope);
    ADD(out, "<table><tbody>");
    add_fact(out, "files", "Files read", f->files, true);
    add_fact(out, "bytes", "Bytes, before unpacking", f->bytes, true);
    add_fact(out, "events", "Events judged", f->events, true);
    add_fact(out, "rejected", "Records rejected: damaged, or over a limit", f->rejected, true);
    add_fact(out, "unreadable", "Inputs that could not be read", f->unreadable, true);
    add_fact(out, "skipped", "Files of no known format, passed over", f->skipped, false);
    add_fact(out, "links", "Links, not followed", f->links, false);
    add_fact(out, "outside", "Events outside the times asked for", f->outside, false);
    add_fact(out, "no-time", "Events judged without a known time", f->no_time, false);
    add_fact(out, "rules", "Rules that judged", f->rules, true);
    add_fact(out, "unseen",
            "Of these, rules of whose logsource no event was seen: they had nothing to judge",
            f->rules_unseen, true);
    add_fact(out, "refused", "Rules refused: they could not be loaded", f->rules_refused, true);
    add_fact(out, "unroutable", "Rules whose logsource nothing maps: they cannot fire",
            f->rules_unroutable, true);
    add_fact(out, "undetermined", "Results undetermined: a limit stopped them", f->undetermined,
            true);
    add_fact(out, "inexact", "Correlations not exact throughout: a limit was reached", f->inexact,
            false);
    add_fact(
            out, "untimed", "Matches without a time, which were not correlated", f->untimed, false);
    add_fact(out, "crowded", "Values of crowded fields, which were not correlated", f->crowded,
            false);
    ADD(out, "</tbody></table><p class=\"note\">Rule set ");
    buf_add(out, slice_text(r->set->hash));
    ADD(out, ".</p></section>\n");
}

static void add_end(struct buf *out)
{
    ADD(out, "</main>\n<footer><p>Made by merlon " MERLON_VERSION
             ". Times are UTC. Characters that are "
             "not seen, or that turn text around, are spelled out <i>like this</i>. Rules name "
             "their authors and licences. ATT&amp;CK is a registered trademark of The MITRE "
             "Corporation.</p></footer>\n<script>");
    buf_add(out, asset("page.js"));
    ADD(out, "</script>\n</body></html>\n");
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* counts: findings by rule number */
static int by_findings(const void *a, const void *b, void *counts)
{
    const uint64_t *findings = counts;
    const struct rule *x = *(const struct rule *const *)a, *y = *(const struct rule *const *)b;
    if (findings[x->number] != findings[y->number]) {
        return findings[x->number] < findings[y->number] ? 1 : -1;
    }
    if (x->level != y->level) {
        return x->level < y->level ? 1 : -1;
    }
    int c = slice_compare(x->title, y->title);
    return c != 0 ? c : x->number < y->number ? -1 : 1;
}

static int by_level(const void *a, const void *b, void *counts)
{
    const struct rule *x = *(const struct rule *const *)a, *y = *(const struct rule *const *)b;
    return x->level != y->level ? (x->level < y->level ? 1 : -1) : by_findings(a, b, counts);
}

void report_page_write(struct report *report, const struct summary_facts *facts,
        const struct tally *tally, struct buf *out)
{
    size_t count = 0;
    const struct rule **rules =
            memory_alloc_array((size_t)report->set->rule_count + 1, sizeof *rules);
    if (!rules) {
        out->failed = true;
        return;
    }
    for (uint32_t i = 0; i < report->set->rule_count; i++) {
        if (tally->by_rule[i] > 0) {
            rules[count++] = report->set->rules[i];
        }
    }
    qsort_r(rules, count, sizeof *rules, by_findings, tally->by_rule);
    add_head(out, tally, facts);
    add_banner(out, report, tally, facts);
    add_time(out, report, tally);
    ADD(out, "<section id=\"attack\"><h2>ATT&amp;CK</h2>");
    out->failed |= report_attack_write(report->set, tally->by_rule, out) != OK;
    ADD(out, "</section>\n<div class=\"trio\">");
    add_top_rules(out, rules, count, tally);
    add_names(out, report);
    ADD(out, "</div>\n");
    qsort_r(rules, count, sizeof *rules, by_level, tally->by_rule);
    report_rule_write_all(report, rules, count, out);
    add_facts(out, report, facts);
    add_end(out);
    memory_free(rules);
}
