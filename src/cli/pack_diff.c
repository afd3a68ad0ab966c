#include "cli/pack_diff.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/packs.h"
#include "cli/rules_walk.h"
#include "cli/visible.h"
#include "sigma/compare.h"

static const char *const kinds[] = {[COMPARE_ADDED] = "added",
        [COMPARE_REMOVED] = "removed",
        [COMPARE_CHANGED] = "changed",
        [COMPARE_RENAMED] = "renamed"};

static const struct {
    unsigned bit;
    const char *name;
} parts[] = {{COMPARE_MEANING, "meaning"}, {COMPARE_LEVEL, "level"}, {COMPARE_TITLE, "title"},
        {COMPARE_STATUS, "status"}, {COMPARE_FILE, "file"}};
enum { PARTS = sizeof parts / sizeof *parts };

/* What the part was or is; nothing for the meaning. */
static struct slice part_text(const struct rule *rule, unsigned bit)
{
    switch (bit) {
    case COMPARE_LEVEL:
        return rule->level == LEVEL_NONE ? SLICE("none") : level_name(rule->level);
    case COMPARE_TITLE:
        return rule->title;
    case COMPARE_STATUS:
        return rule->status.size > 0 ? rule->status : SLICE("none");
    case COMPARE_FILE:
        return rule->file;
    default:
        return (struct slice){0};
    }
}

static void add_parts(const struct compare_change *c, struct buf *out)
{
    const char *before = ": ";
    for (size_t i = 0; i < PARTS; i++) {
        if (!(c->what & parts[i].bit)) {
            continue;
        }
        buf_format(out, "%s%s", before, parts[i].name);
        before = "; ";
        if (parts[i].bit != COMPARE_MEANING) {
            buf_byte(out, ' ');
            visible_add(out, part_text(c->before, parts[i].bit), VISIBLE_ANY);
            buf_add(out, SLICE(" -> "));
            visible_add(out, part_text(c->after, parts[i].bit), VISIBLE_ANY);
        }
    }
}

static void write_text(const struct compare_change *c, struct buf *out)
{
    const struct rule *rule = c->after ? c->after : c->before;
    buf_format(out, "%-8s  ", kinds[c->kind]);
    rules_walk_place(out, rule->file, rule->line, 0);
    buf_add(out, SLICE("  "));
    visible_add(out, rule->title, VISIBLE_ANY);
    if (c->before && c->after) {
        add_parts(c, out);
    } else {
        buf_add(out, SLICE(" ("));
        buf_add(out, part_text(rule, COMPARE_LEVEL));
        buf_byte(out, ')');
    }
    buf_byte(out, '\n');
}

static void add_state(struct buf *out, const char *name, const struct rule *rule)
{
    buf_format(out, ",\"%s\":", name);
    if (!rule) {
        buf_add(out, SLICE("null"));
        return;
    }
    buf_byte(out, '{');
    rules_walk_member(out, "title", rule->title);
    buf_byte(out, ',');
    rules_walk_member(out, "level", level_name(rule->level));
    buf_byte(out, ',');
    rules_walk_member(out, "status", rule->status);
    buf_byte(out, ',');
    rules_walk_member(out, "file", rule->file);
    buf_byte(out, ',');
    rules_walk_member(out, "hash", slice_text(rule->hash));
    buf_byte(out, '}');
}

static void write_json(const struct compare_change *c, struct buf *out)
{
    const struct rule *rule = c->after ? c->after : c->before;
    const char *before = "";
    buf_format(out, "{\"change\":\"%s\",", kinds[c->kind]);
    rules_walk_member(out, "id", rule->id);
    buf_add(out, SLICE(",\"what\":["));
    for (size_t i = 0; i < PARTS; i++) {
        if (c->what & parts[i].bit) {
            buf_format(out, "%s\"%s\"", before, parts[i].name);
            before = ",";
        }
    }
    buf_byte(out, ']');
    add_state(out, "before", c->before);
    add_state(out, "after", c->after);
    buf_add(out, SLICE("}\n"));
}

static void write_counts(const struct compare *c, const struct ruleset *before,
        const struct ruleset *after, struct buf *out)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        buf_format(out, "%zu %s, ", c->counts[i], kinds[i]);
    }
    buf_format(out, "%zu as before", c->same);
    if (before->problem_count + after->problem_count > 0) {
        buf_format(
                out, "; refused: %u before, %u after", before->problem_count, after->problem_count);
    }
    buf_byte(out, '\n');
}

static enum err show(
        const struct ruleset *before, const struct ruleset *after, bool json, struct diag *diag)
{
    struct compare c;
    struct buf out = {0}, shown = {0};
    if (compare_rulesets(before, after, &c) != OK) {
        return diag_say(diag, ERR_MEMORY, "no memory to compare");
    }
    for (size_t i = 0; i < c.count; i++) {
        (json ? write_json : write_text)(&c.changes[i], &out);
    }
    if (!json) {
        write_counts(&c, before, after, &out);
    }
    visible_lines(&shown, isatty(STDOUT_FILENO) ? buf_slice(&out) : (struct slice){0});
    struct slice text = isatty(STDOUT_FILENO) ? buf_slice(&shown) : buf_slice(&out);
    enum err e = OK;
    if (out.failed || shown.failed) {
        e = diag_say(diag, ERR_MEMORY, "no memory to compare");
    } else if ((text.size > 0 && fwrite(text.at, 1, text.size, stdout) != text.size) ||
               fflush(stdout) != 0) {
        e = diag_say(diag, ERR_IO, "cannot write");
    }
    buf_fini(&out);
    buf_fini(&shown);
    compare_fini(&c);
    return e;
}

enum err pack_diff_show(const struct content *before, const struct content *after,
        struct slice name, bool json, struct diag *diag)
{
    struct ruleset *old = NULL, *new = NULL;
    enum err e = packs_ruleset(before, name, &old, diag);
    e = e == OK ? packs_ruleset(after, name, &new, diag) : e;
    e = e == OK ? show(old, new, json, diag) : e;
    ruleset_free(old);
    ruleset_free(new);
    return e;
}
