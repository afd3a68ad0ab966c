#include "api/api_standing.h"

#include <string.h>

#include "api/api_metrics.h"
#include "base/time.h"

enum { TRIES = 50 };

/* ---- reading what others write ---------------------------------------------------------------
 */

static uint32_t rule_count(const struct standing *standing)
{
    return standing->rule_count < STANDING_RULES ? standing->rule_count : STANDING_RULES;
}

/* Exceptions are none. */
static uint32_t count_rules(const struct standing *standing)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < rule_count(standing); i++) {
        count += !standing->rules[i].exception;
    }
    return count;
}

static uint32_t tenant_count(const struct standing *standing)
{
    return standing->tenant_count < STANDING_TENANTS ? standing->tenant_count : STANDING_TENANTS;
}

/* A text in a place of that size, whoever wrote it. */
#define PLACE(field) slice_of((field), strnlen((field), sizeof(field)))

static bool covers(const struct http_request *r, const struct standing_tenant *tenant)
{
    return authorize_covers(slice_text(http_request_actor(r)->tenant), PLACE(tenant->name));
}

static void add_text(struct buf *out, const char *name, struct slice text)
{
    buf_format(out, "\"%s\":\"", name);
    buf_json(out, text);
    buf_byte(out, '"');
}

static void add_number(struct buf *out, const char *name, uint64_t value)
{
    buf_format(out, ",\"%s\":%llu", name, (unsigned long long)value);
}

static void add_time(struct buf *out, const char *name, int64_t ns)
{
    if (ns > 0) {
        buf_format(out, ",\"%s\":\"", name);
        time_format(out, ns);
        buf_byte(out, '"');
    }
}

/* What all evaluations took, after those that were timed. */
static uint64_t spent_ns(const struct standing_rule *rule)
{
    uint64_t timed = atomic_load(&rule->timed);
    double each = timed ? (double)atomic_load(&rule->timed_ns) / (double)timed : 0;
    return (uint64_t)(each * (double)atomic_load(&rule->asked));
}

/* ---- the answer --------------------------------------------------------------------------------
 */

static void add_rule_names(struct buf *out, const struct standing_rule *rule)
{
    buf_byte(out, '{');
    add_text(out, "id", PLACE(rule->id));
    buf_byte(out, ',');
    add_text(out, "title", PLACE(rule->title));
    buf_byte(out, ',');
    add_text(out, "level", PLACE(rule->level));
}

static void add_costs(struct buf *out, const struct standing *standing)
{
    const char *between = "";
    buf_add(out, SLICE(",\"costs\":["));
    for (uint32_t i = 0; i < rule_count(standing); i++) {
        const struct standing_rule *rule = &standing->rules[i];
        uint64_t asked = atomic_load(&rule->asked);
        if (asked == 0) {
            continue;
        }
        buf_format(out, "%s", between);
        add_rule_names(out, rule);
        add_number(out, "evaluated", asked);
        add_number(out, "matched", atomic_load(&rule->held));
        add_number(out, "spent_us", spent_ns(rule) / 1000);
        buf_byte(out, '}');
        between = ",\n";
    }
    buf_byte(out, ']');
}

static void add_cannot(
        struct buf *out, const struct standing *standing, const struct standing_tenant *tenant)
{
    const char *between = "";
    buf_add(out, SLICE(",\"cannot_fire\":["));
    for (uint32_t i = 0; i < rule_count(standing); i++) {
        const struct standing_verdict *verdict = &tenant->verdicts[i];
        if (verdict->why == STANDING_CAN || standing->rules[i].exception) {
            continue;
        }
        buf_format(out, "%s", between);
        add_rule_names(out, &standing->rules[i]);
        buf_format(out, ",\"why\":\"%s\"", standing_why_name(verdict->why));
        if (verdict->field[0]) {
            buf_byte(out, ',');
            add_text(out, "field", PLACE(verdict->field));
        }
        buf_byte(out, '}');
        between = ",\n";
    }
    buf_byte(out, ']');
}

static void count_whys(const struct standing *standing, const struct standing_tenant *tenant,
        uint64_t counts[STANDING_WHYS])
{
    memset(counts, 0, STANDING_WHYS * sizeof *counts);
    for (uint32_t i = 0; i < rule_count(standing); i++) {
        unsigned why = tenant->verdicts[i].why;
        counts[why < STANDING_WHYS ? why : STANDING_NEVER] += !standing->rules[i].exception;
    }
}

static void add_tenant(struct buf *out, const struct standing *standing,
        const struct standing_tenant *tenant, bool list)
{
    uint64_t counts[STANDING_WHYS];
    buf_byte(out, '{');
    add_text(out, "tenant", PLACE(tenant->name));
    add_number(out, "events", atomic_load(&tenant->events));
    add_number(out, "looked_at", atomic_load(&tenant->looked_at));
    add_time(out, "since", tenant->since_ns);
    if (tenant->made_ns > 0) {
        add_time(out, "as_of", tenant->made_ns);
        count_whys(standing, tenant, counts);
        buf_add(out, SLICE(",\"rules\":{"));
        for (unsigned why = 0; why < STANDING_WHYS; why++) {
            buf_format(out, "%s\"%s\":%llu", why ? "," : "", standing_why_name(why),
                    (unsigned long long)counts[why]);
        }
        buf_byte(out, '}');
        if (list) {
            add_cannot(out, standing, tenant);
        }
    }
    buf_byte(out, '}');
}

static void write_rules(struct http_request *r, const struct standing *standing, struct buf *out)
{
    struct slice wanted = http_request_query(r, "tenant");
    const char *between = "";
    buf_byte(out, '{');
    add_text(out, "ruleset", PLACE(standing->ruleset));
    add_number(out, "rules", count_rules(standing));
    buf_add(out, SLICE(",\"tenants\":["));
    for (uint32_t i = 0; i < tenant_count(standing); i++) {
        const struct standing_tenant *tenant = &standing->tenants[i];
        bool named = slice_equal(wanted, PLACE(tenant->name));
        if (covers(r, tenant) && (!wanted.at || named)) {
            buf_format(out, "%s", between);
            add_tenant(out, standing, tenant, named);
            between = ",\n";
        }
    }
    buf_byte(out, ']');
    if (api_parts_sees_all(r) && !wanted.at) {
        add_number(out, "not_looked_at", atomic_load(&standing->not_looked_at));
        add_costs(out, standing);
    }
    buf_add(out, SLICE("}\n"));
}

void api_standing_rules(struct http_request *r, void *context)
{
    const struct api *api = context;
    struct buf *out = http_request_out(r);
    struct slice wanted = http_request_query(r, "tenant");
    if (wanted.at &&
            (!authorize_tenant_valid(wanted) ||
                    !authorize_covers(slice_text(http_request_actor(r)->tenant), wanted))) {
        http_request_refuse(r, HTTP_FORBIDDEN, SLICE("not a tenant of this token"));
        return;
    }
    for (int i = 0; i < TRIES; i++) {
        uint64_t generation = standing_read(api->options.standing);
        write_rules(r, api->options.standing, out);
        if (standing_is(api->options.standing, generation)) {
            http_request_answer(r, 200, "application/json");
            return;
        }
        buf_clear(out);
    }
    http_request_refuse(r, HTTP_BUSY, SLICE("the figures are being changed"));
}

/* ---- counters ----------------------------------------------------------------------------------
 */

enum cost { ASKED, HELD, SPENT, COSTS };

static const struct {
    const char *name, *help;
} costs[COSTS] = {
        [ASKED] = {"merlon_rule_evaluated_total", "how often the rule's condition was evaluated"},
        [HELD] = {"merlon_rule_matched_total", "how often it held"},
        [SPENT] = {"merlon_rule_seconds_total", "what that took, after a sample"},
};

static void add_cost(struct buf *out, const struct standing_rule *rule, enum cost cost)
{
    char id[STANDING_ID + 1] = {0}, title[STANDING_NAME + 1] = {0};
    memcpy(id, rule->id, strnlen(rule->id, STANDING_ID));
    memcpy(title, rule->title, strnlen(rule->title, STANDING_NAME));
    buf_format(out, "%s{", costs[cost].name);
    api_metrics_label(out, "rule", id);
    buf_byte(out, ',');
    api_metrics_label(out, "title", title);
    if (cost == SPENT) {
        buf_format(out, "} %.6f\n", (double)spent_ns(rule) / TIME_SECOND);
    } else {
        uint64_t value = atomic_load(cost == ASKED ? &rule->asked : &rule->held);
        buf_format(out, "} %llu\n", (unsigned long long)value);
    }
}

static void write_metrics(struct http_request *r, const struct standing *standing, struct buf *out)
{
    uint64_t counts[STANDING_WHYS];
    for (enum cost cost = 0; api_parts_sees_all(r) && cost < COSTS; cost++) {
        api_metrics_head(out, costs[cost].name, "counter", costs[cost].help);
        for (uint32_t i = 0; i < rule_count(standing); i++) {
            if (atomic_load(&standing->rules[i].asked) > 0) {
                add_cost(out, &standing->rules[i], cost);
            }
        }
    }
    api_metrics_head(
            out, "merlon_rules", "gauge", "rules by whether they can fire on what is sent");
    for (uint32_t i = 0; i < tenant_count(standing); i++) {
        const struct standing_tenant *tenant = &standing->tenants[i];
        if (tenant->made_ns == 0 || !covers(r, tenant)) {
            continue;
        }
        char name[STANDING_NAME + 1] = {0};
        memcpy(name, tenant->name, strnlen(tenant->name, STANDING_NAME));
        count_whys(standing, tenant, counts);
        for (unsigned why = 0; why < STANDING_WHYS; why++) {
            buf_add(out, SLICE("merlon_rules{"));
            api_metrics_label(out, "tenant", name);
            buf_format(out, ",fire=\"%s\"} %llu\n", standing_why_name(why),
                    (unsigned long long)counts[why]);
        }
    }
}

/* All or nothing: what was changed meanwhile is left out. */
void api_standing_metrics(struct http_request *r, const struct standing *standing, struct buf *out)
{
    size_t size = out->size;
    for (int i = 0; i < TRIES; i++) {
        uint64_t generation = standing_read(standing);
        write_metrics(r, standing, out);
        if (standing_is(standing, generation)) {
            return;
        }
        out->size = size;
    }
}
