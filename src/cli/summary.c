#include "cli/summary.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/time.h"
#include "cli/figures.h"
#include "cli/visible.h"

enum { TOP = 10, NAME_COLUMNS = 60, PLOT_COLUMNS = 64, PLOT_STEPS = 8 };

/* ", 12 files passed over" where there are any. */
static void add_part(struct buf *out, uint64_t n, const char *thing, const char *words)
{
    if (n > 0) {
        buf_add(out, SLICE(", "));
        figures_count(out, n);
        buf_format(out, " %s%s%s", thing, n == 1 || !*thing ? "" : "s", words);
    }
}

static void write_facts(const struct summary_facts *f, struct buf *out)
{
    if (f->interrupted) {
        buf_add(out, SLICE("Interrupted: what follows is what was done so far.\n"));
    }
    buf_add(out, SLICE("Events      "));
    figures_count(out, f->events);
    buf_add(out, SLICE(" in "));
    figures_count(out, f->files);
    buf_add(out, f->files == 1 ? SLICE(" file") : SLICE(" files"));
    add_part(out, f->rejected, "record", " rejected");
    add_part(out, f->unreadable, "input", " not read");
    add_part(out, f->skipped, "file", " of no known format passed over");
    add_part(out, f->links, "link", " not followed");
    add_part(out, f->outside, "event", " outside the times asked for");
    add_part(out, f->no_time, "event", " judged without a known time");
    buf_byte(out, '\n');
    if (f->elapsed_ns > 0) {
        double seconds = (double)f->elapsed_ns / 1e9;
        buf_format(out, "Time        %.2f s: ", seconds);
        figures_count(out, (uint64_t)((double)f->events / seconds));
        buf_format(out, " events/s, %.1f MB/s\n", (double)f->bytes / 1e6 / seconds);
    }
    buf_add(out, SLICE("Rules       "));
    figures_count(out, f->rules);
    add_part(out, f->rules_refused, "", "refused");
    add_part(out, f->rules_unroutable, "", "of a logsource that nothing maps");
    add_part(out, f->rules_unseen, "", "of a logsource that no event had");
    add_part(out, f->undetermined, "result", " undetermined");
    add_part(out, f->inexact, "correlation", " not exact throughout");
    add_part(out, f->untimed, "match", " without a time not correlated");
    add_part(out, f->crowded, "value", " of crowded fields not correlated");
    buf_byte(out, '\n');
    if (f->rules_unseen + f->rules_unroutable > 0) {
        buf_add(out, SLICE("            these cannot fire here: merlon rules check --against INPUT "
                           "says why\n"));
    }
}

static void write_levels(const struct tally *tally, struct buf *out)
{
    buf_add(out, SLICE("Findings    "));
    figures_count(out, tally->findings);
    const char *before = ": ";
    for (int level = LEVEL_COUNT - 1; level >= 0; level--) {
        if (tally->by_level[level] == 0) {
            continue;
        }
        buf_add(out, slice_text(before));
        figures_count(out, tally->by_level[level]);
        buf_byte(out, ' ');
        struct slice name = level_name((enum level)level);
        buf_add(out, name.size > 0 ? name : SLICE("without level"));
        before = ", ";
    }
    buf_byte(out, '\n');
}

/* A name with its count, to be sorted: most first, then by name. */
struct line {
    uint64_t count;
    struct slice name;
    struct slice note;
};

static int by_count(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->count != y->count) {
        return x->count < y->count ? 1 : -1;
    }
    return slice_compare(x->name, y->name);
}

static void write_top(struct buf *out, const char *title, struct line *lines, size_t count)
{
    if (count == 0) {
        return;
    }
    qsort(lines, count, sizeof *lines, by_count);
    buf_format(out, "\n%s\n", title);
    for (size_t i = 0; i < count && i < TOP; i++) {
        struct buf number = {0};
        figures_count(&number, lines[i].count);
        for (size_t pad = number.size; pad < 10; pad++) {
            buf_byte(out, ' ');
        }
        buf_add(out, buf_slice(&number));
        buf_add(out, SLICE("  "));
        buf_fini(&number);
        visible_add(out, lines[i].name, NAME_COLUMNS);
        if (lines[i].note.size > 0) {
            buf_add(out, SLICE(" ("));
            visible_add(out, lines[i].note, NAME_COLUMNS);
            buf_byte(out, ')');
        }
        buf_byte(out, '\n');
    }
    if (count > TOP) {
        buf_format(out, "            and %zu more\n", count - TOP);
    }
}

static void write_rules(const struct tally *tally, struct line *lines, struct buf *out)
{
    size_t count = 0;
    for (uint32_t i = 0; i < tally->set->rule_count; i++) {
        const struct rule *rule = tally->set->rules[i];
        if (tally->by_rule[i] > 0) {
            lines[count++] = (struct line){tally->by_rule[i], rule->title, level_name(rule->level)};
        }
    }
    write_top(out, "Top rules", lines, count);
}

static void write_hosts(const struct tally *tally, struct line *lines, struct buf *out)
{
    size_t count = 0;
    for (uint32_t i = 0; i < TALLY_HOST_SLOTS; i++) {
        if (tally->hosts[i].name.at) {
            lines[count++] = (struct line){tally->hosts[i].findings, tally->hosts[i].name, {0}};
        }
    }
    write_top(out, "Top hosts", lines, count);
    if (tally->other_hosts > 0) {
        buf_add(out, SLICE("            further hosts, not told apart: "));
        figures_count(out, tally->other_hosts);
        buf_byte(out, '\n');
    }
}

static void write_tactics(const struct tally *tally, struct line *lines, struct buf *out)
{
    for (uint32_t i = 0; i < tally->tactic_count; i++) {
        lines[i] = (struct line){tally->tactics[i].findings, tally->tactics[i].name, {0}};
    }
    write_top(out, "ATT&CK tactics", lines, tally->tactic_count);
}

static void add_time(struct buf *out, int64_t time_ns)
{
    time_format(out, time_ns);
}

/* One column stands for `group` buckets; its height is its share of the highest. */
static void write_plot(const struct summary_facts *f, const struct tally *tally, struct buf *out)
{
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const plain[] = {" ", ".", ".", ":", ":", "+", "+", "#", "#"};
    const char *const *steps = f->utf8 ? blocks : plain;
    const struct tally_line *line = &tally->line;
    if (line->width_s == 0) {
        return;
    }
    size_t first = 0, last = 0;
    while (line->counts[first] == 0) {
        first++;
    }
    for (size_t i = first; i < TALLY_BUCKETS; i++) {
        last = line->counts[i] > 0 ? i : last;
    }
    size_t group = (last - first) / PLOT_COLUMNS + 1;
    size_t columns = (last - first) / group + 1;
    uint64_t sums[PLOT_COLUMNS] = {0};
    uint64_t most = 0;
    for (size_t i = first; i <= last; i++) {
        uint64_t *sum = &sums[(i - first) / group];
        *sum += line->counts[i];
        most = *sum > most ? *sum : most;
    }
    buf_add(out, SLICE("\nFindings over time, "));
    add_time(out, line->first_ns);
    buf_add(out, SLICE(" to "));
    add_time(out, line->last_ns);
    buf_add(out, SLICE("\n  |"));
    for (size_t i = 0; i < columns; i++) {
        uint64_t step = sums[i] == 0 ? 0 : 1 + (sums[i] * (PLOT_STEPS - 1)) / most;
        buf_add(out, slice_text(steps[step]));
    }
    buf_add(out, SLICE("|  "));
    figures_count(out, most);
    buf_add(out, SLICE(" at most in "));
    figures_count(out, (uint64_t)line->width_s * group);
    buf_add(out, SLICE(" s\n"));
    if (tally->untimed > 0) {
        buf_add(out, SLICE("  without a time: "));
        figures_count(out, tally->untimed);
        buf_byte(out, '\n');
    }
}

void summary_write(const struct summary_facts *facts, const struct tally *tally, struct buf *out)
{
    size_t most = TALLY_TACTICS;
    most = tally->set->rule_count > most ? tally->set->rule_count : most;
    most = tally->host_count > most ? tally->host_count : most;
    struct line *lines = memory_alloc_array(most, sizeof *lines);
    if (!lines) {
        out->failed = true;
        return;
    }
    write_facts(facts, out);
    write_levels(tally, out);
    write_rules(tally, lines, out);
    write_hosts(tally, lines, out);
    write_tactics(tally, lines, out);
    write_plot(facts, tally, out);
    memory_free(lines);
}
