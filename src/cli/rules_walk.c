#include "cli/rules_walk.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/visible.h"

/* On a terminal JSON too is made visible: it may hold C1 controls. */
static enum err write_out(struct buf *out, struct buf *shown)
{
    struct slice text = buf_slice(out);
    if (isatty(STDOUT_FILENO)) {
        buf_clear(shown);
        visible_lines(shown, text);
        text = buf_slice(shown);
    }
    if (out->failed || shown->failed) {
        return ERR_MEMORY;
    }
    bool whole = text.size == 0 || fwrite(text.at, 1, text.size, stdout) == text.size;
    buf_clear(out);
    return whole ? OK : ERR_IO;
}

/* Both lists are in order of files and lines: merged. */
static struct rules_walk_item next_item(const struct ruleset *set, uint32_t *r, uint32_t *p)
{
    bool problem = *r == set->rule_count;
    if (*r < set->rule_count && *p < set->problem_count) {
        const struct ruleset_problem *next = &set->problems[*p];
        int order = slice_compare(next->file, set->rules[*r]->file);
        problem = order < 0 || (order == 0 && next->line < set->rules[*r]->line);
    }
    if (problem) {
        return (struct rules_walk_item){.problem = &set->problems[(*p)++]};
    }
    return (struct rules_walk_item){.rule = set->rules[(*r)++]};
}

enum err rules_walk(const struct ruleset *set, rules_walk_write *write, void *context)
{
    struct buf out = {0}, shown = {0};
    enum err e = OK;
    uint32_t r = 0, p = 0;
    while (e == OK && (r < set->rule_count || p < set->problem_count)) {
        struct rules_walk_item item = next_item(set, &r, &p);
        write(context, &item, &out);
        e = write_out(&out, &shown);
    }
    buf_fini(&out);
    buf_fini(&shown);
    return e == OK && fflush(stdout) != 0 ? ERR_IO : e;
}

void rules_walk_member(struct buf *out, const char *name, struct slice text)
{
    buf_format(out, "\"%s\":", name);
    if (text.size == 0) {
        buf_add(out, SLICE("null"));
        return;
    }
    buf_byte(out, '"');
    buf_json(out, text);
    buf_byte(out, '"');
}

void rules_walk_place(struct buf *out, struct slice file, uint32_t line, uint32_t column)
{
    visible_add(out, file, VISIBLE_ANY);
    if (line > 0) {
        buf_format(out, ":%u", line);
    }
    if (column > 0) {
        buf_format(out, ":%u", column);
    }
}
