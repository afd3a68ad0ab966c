#include "cli/status_rules.h"

#include "base/json_text.h"
#include "base/time.h"
#include "cli/figures.h"
#include "cli/visible.h"

static struct slice member(struct slice object, const char *name)
{
    return json_text_get(object, slice_text(name));
}

static uint64_t number(struct slice object, const char *name)
{
    struct slice text = member(object, name);
    uint64_t value = 0;
    for (size_t i = 0; i < text.size && slice_is_digit(text.at[i]); i++) {
        value = value * 10 + (uint64_t)(text.at[i] - '0');
    }
    return value;
}

static void add_text(struct buf *out, struct slice object, const char *name)
{
    struct buf text = {0};
    json_text_add(&text, member(object, name));
    visible_add(out, buf_slice(&text), VISIBLE_ANY);
    out->failed |= text.failed;
    buf_fini(&text);
}

/* Right-aligned in a column. */
static void add_cell(struct buf *out, const struct buf *cell, size_t width)
{
    for (size_t n = cell->size; n < width; n++) {
        buf_byte(out, ' ');
    }
    buf_add(out, buf_slice(cell));
    out->failed |= cell->failed;
}

/* ---- tenants -----------------------------------------------------------------------------------
 */

static const struct {
    const char *name, *words;
} whys[] = {
        {"unseen", "no event of their logsource"},
        {"tests", "a field or value that they need is in no event"},
        {"unmapped", "a logsource that nothing maps"},
        {"parts", "correlations of rules that cannot"},
        {"never", "a condition that is never true"},
};

static void add_tenant(struct buf *out, struct slice tenant)
{
    struct slice rules = member(tenant, "rules");
    add_text(out, tenant, "tenant");
    if (!rules.at) {
        buf_add(out, SLICE(": nothing is known yet\n"));
        return;
    }
    buf_add(out, SLICE(": "));
    figures_count(out, number(rules, "can"));
    buf_add(out, SLICE(" rules can fire on what it sends ("));
    figures_count(out, number(tenant, "looked_at"));
    buf_add(out, SLICE(" of "));
    figures_count(out, number(tenant, "events"));
    buf_add(out, SLICE(" events looked at since "));
    add_text(out, tenant, "since");
    buf_add(out, SLICE("); not:\n"));
    for (size_t i = 0; i < sizeof whys / sizeof *whys; i++) {
        if (number(rules, whys[i].name) > 0) {
            buf_add(out, SLICE("  "));
            figures_count(out, number(rules, whys[i].name));
            buf_format(out, "  %s: %s\n", whys[i].name, whys[i].words);
        }
    }
}

static void add_cannot(struct buf *out, struct slice list)
{
    struct json_text_members rows = json_text_open(list);
    while (json_text_next(&rows)) {
        add_text(out, rows.value, "why");
        buf_add(out, SLICE("  "));
        add_text(out, rows.value, "id");
        buf_add(out, SLICE("  "));
        add_text(out, rows.value, "title");
        if (member(rows.value, "field").at) {
            buf_add(out, SLICE(": "));
            add_text(out, rows.value, "field");
        }
        buf_byte(out, '\n');
    }
}

/* ---- costs -------------------------------------------------------------------------------------
 */

struct top {
    struct slice rules[STATUS_RULES_SHOWN];
    uint64_t spent_us[STATUS_RULES_SHOWN];
    size_t count;
    uint64_t all_us;
};

static void keep_top(struct top *top, struct slice rule)
{
    uint64_t spent = number(rule, "spent_us");
    size_t at = top->count < STATUS_RULES_SHOWN ? top->count : STATUS_RULES_SHOWN;
    top->all_us += spent;
    while (at > 0 && top->spent_us[at - 1] < spent) {
        at--;
    }
    if (at == STATUS_RULES_SHOWN) {
        return;
    }
    top->count += top->count < STATUS_RULES_SHOWN;
    for (size_t i = top->count - 1; i > at; i--) {
        top->rules[i] = top->rules[i - 1];
        top->spent_us[i] = top->spent_us[i - 1];
    }
    top->rules[at] = rule;
    top->spent_us[at] = spent;
}

static void add_costs(struct buf *out, struct slice list)
{
    struct top top = {0};
    struct json_text_members rows = json_text_open(list);
    struct buf cell = {0};
    while (json_text_next(&rows)) {
        keep_top(&top, rows.value);
    }
    buf_add(out, SLICE("\n     SPENT  SHARE     EVALUATED       MATCHED  RULE\n"));
    for (size_t i = 0; i < top.count; i++) {
        buf_clear(&cell);
        buf_format(&cell, "%.3f s", (double)top.spent_us[i] / 1e6);
        add_cell(out, &cell, 10);
        buf_clear(&cell);
        buf_format(&cell, "%.1f %%",
                top.all_us ? 100.0 * (double)top.spent_us[i] / (double)top.all_us : 0.0);
        add_cell(out, &cell, 7);
        for (int column = 0; column < 2; column++) {
            buf_clear(&cell);
            figures_count(&cell, number(top.rules[i], column ? "matched" : "evaluated"));
            add_cell(out, &cell, 14);
        }
        buf_add(out, SLICE("  "));
        add_text(out, top.rules[i], "title");
        buf_byte(out, '\n');
    }
    buf_fini(&cell);
}

void status_rules_write(struct slice answer, struct buf *out)
{
    struct json_text_members tenants = json_text_open(member(answer, "tenants"));
    figures_count(out, number(answer, "rules"));
    buf_add(out, SLICE(" rules are in force, set "));
    add_text(out, answer, "ruleset");
    buf_byte(out, '\n');
    while (json_text_next(&tenants)) {
        add_tenant(out, tenants.value);
        add_cannot(out, member(tenants.value, "cannot_fire"));
    }
    if (member(answer, "costs").at) {
        add_costs(out, member(answer, "costs"));
    }
}
