#include "cli/report.h"

#include <stdlib.h>

#include "base/memory.h"
#include "cli/report_parts.h"

enum err report_new(
        const struct ruleset *set, const struct report_scope *scope, struct report **out)
{
    struct report *r = memory_alloc(sizeof *r);
    if (!r) {
        return ERR_MEMORY;
    }
    r->set = set;
    r->scope = *scope;
    report_names_init(&r->hosts);
    report_names_init(&r->users);
    r->rules = memory_alloc_array((size_t)set->rule_count + 1, sizeof *r->rules);
    for (int l = 0; l < LEVEL_COUNT; l++) {
        atomic_init(&r->keep[l], REPORT_A_RULE);
    }
    if (!r->rules || report_line_init(&r->line) != OK) {
        report_free(r);
        return ERR_MEMORY;
    }
    *out = r;
    return OK;
}

void report_free(struct report *r)
{
    if (!r) {
        return;
    }
    for (uint32_t i = 0; r->rules && i < r->set->rule_count; i++) {
        for (size_t p = 0; p < r->rules[i].count; p++) {
            memory_free((char *)r->rules[i].pieces[p].html.at);
        }
        memory_free(r->rules[i].pieces);
    }
    memory_free(r->rules);
    report_line_fini(&r->line);
    report_names_fini(&r->hosts);
    report_names_fini(&r->users);
    memory_free(r);
}

static uint32_t kept_of(const struct report *r, uint32_t rule)
{
    return atomic_load_explicit(&r->keep[r->set->rules[rule]->level], memory_order_relaxed);
}

/* A worker that asks stands at a finding behind all that were taken, and fewer are kept as time
 * goes on: an old answer can only be true for too long, and report_take looks again. */
bool report_wants(const struct report *r, uint32_t rule)
{
    return atomic_load_explicit(&r->rules[rule].findings, memory_order_relaxed) < kept_of(r, rule);
}

static void drop(struct report *r, struct report_rule *rule, uint32_t keep)
{
    while (rule->count > keep) {
        struct slice html = rule->pieces[--rule->count].html;
        r->bytes -= html.size;
        r->shown--;
        memory_free((char *)html.at);
    }
}

/* Halves what is kept of the level that keeps most, the lowest of these; false: one of each. */
static bool keep_less(struct report *r)
{
    int level = 0;
    for (int l = 1; l < LEVEL_COUNT; l++) {
        level = atomic_load(&r->keep[l]) > atomic_load(&r->keep[level]) ? l : level;
    }
    uint32_t keep = atomic_load(&r->keep[level]) / 2;
    if (keep == 0) {
        return false;
    }
    atomic_store(&r->keep[level], keep);
    for (uint32_t i = 0; i < r->set->rule_count; i++) {
        if ((int)r->set->rules[i]->level == level) {
            drop(r, &r->rules[i], keep);
        }
    }
    return true;
}

static enum err keep_piece(struct report *r, struct report_rule *rule,
        const struct report_mark *mark, struct slice piece)
{
    char *html = memory_alloc(piece.size + 1);
    if (!html || !memory_grow(&rule->pieces, &rule->room, rule->count + 1, sizeof *rule->pieces)) {
        memory_free(html);
        return ERR_MEMORY;
    }
    memcpy(html, piece.at, piece.size);
    rule->pieces[rule->count] = (struct report_piece){.time_ns = mark->time_ns,
            .timed = mark->timed,
            .order = (uint32_t)rule->count,
            .html = slice_of(html, piece.size)};
    rule->count++;
    r->shown++;
    r->bytes += piece.size;
    while ((r->shown > REPORT_FINDINGS || r->bytes > REPORT_BYTES) && keep_less(r)) {
    }
    return OK;
}

static void count_time(struct report_rule *rule, int64_t time_ns)
{
    rule->first_ns = rule->timed == 0 || time_ns < rule->first_ns ? time_ns : rule->first_ns;
    rule->last_ns = rule->timed == 0 || time_ns > rule->last_ns ? time_ns : rule->last_ns;
    rule->timed++;
}

enum err report_take(struct report *r, const struct report_mark *mark, struct slice piece)
{
    struct report_rule *rule = &r->rules[mark->rule];
    enum level level = r->set->rules[mark->rule]->level;
    uint64_t before = atomic_load_explicit(&rule->findings, memory_order_relaxed);
    TRY(report_names_add(&r->hosts, mark->host, level));
    TRY(report_names_add(&r->users, mark->user, level));
    if (mark->timed) {
        report_line_add(&r->line, mark->time_ns, level);
        count_time(rule, mark->time_ns);
    }
    atomic_store_explicit(&rule->findings, before + 1, memory_order_relaxed);
    if (piece.size > 0 && before < kept_of(r, mark->rule)) {
        return keep_piece(r, rule, mark, piece);
    }
    return OK;
}

enum err report_write(struct report *r, const struct summary_facts *facts,
        const struct tally *tally, struct buf *out)
{
    report_page_write(r, facts, tally, out);
    return out->failed ? ERR_MEMORY : OK;
}
