#include "cli/reach_words.h"

#include "cli/figures.h"

void reach_words_source(struct buf *out, const struct logsource *l)
{
    static const char *const names[] = {"product", "category", "service"};
    const struct slice parts[] = {l->product, l->category, l->service};
    const char *before = "";
    for (size_t i = 0; i < 3; i++) {
        if (parts[i].at) {
            buf_format(out, "%s%s ", before, names[i]);
            buf_add(out, parts[i]);
            before = ", ";
        }
    }
}

static void add_quoted(struct buf *out, struct slice name)
{
    buf_byte(out, '\'');
    buf_add(out, name);
    buf_byte(out, '\'');
}

/* The names that are in the records are the records': nearest to the one that is looked for there,
 * else to the rule's own. */
static bool find_near(struct reach_near *near, const struct rule *rule,
        const struct reach_fault *fault, struct reach_near_hit *hit)
{
    if (fault->kind != REACH_ABSENT) {
        return false;
    }
    return (fault->stands.size > 0 && reach_near_find(near, rule->number, fault->stands, hit)) ||
           reach_near_find(near, rule->number, fault->field, hit);
}

static void add_field(struct buf *out, const struct reach_fault *fault)
{
    buf_add(out, SLICE("field "));
    add_quoted(out, fault->field);
    if (fault->stands.size > 0) {
        buf_add(out, SLICE(" (here "));
        add_quoted(out, fault->stands);
        buf_byte(out, ')');
    }
}

static void add_fault(const struct reach *reach, struct reach_near *near, const struct rule *rule,
        const struct reach_fault *fault, struct buf *out)
{
    static const char *const all[] = {[REACH_ABSENT] = " is in none of its ",
            [REACH_NO_VALUE] = " never has a value in its ",
            [REACH_NO_NUMBER] = " is never a number in its ",
            [REACH_PRESENT] = " must be absent, and is in all of its "};
    static const char *const some[] = {[REACH_ABSENT] = " is missing in ",
            [REACH_NO_VALUE] = " has no value in ",
            [REACH_NO_NUMBER] = " is no number in ",
            [REACH_PRESENT] = " must be absent, and is there in "};
    struct reach_near_hit hit;
    add_field(out, fault);
    if (fault->events < reach->events) {
        buf_add(out, slice_text(some[fault->kind]));
        figures_count(out, fault->events);
        buf_add(out, SLICE(" of its "));
    } else {
        buf_add(out, slice_text(all[fault->kind]));
    }
    figures_count(out, reach->events);
    buf_add(out, reach->events == 1 ? SLICE(" event") : SLICE(" events"));
    if (find_near(near, rule, fault, &hit)) {
        buf_add(out, SLICE(", nearest is "));
        add_quoted(out, hit.name);
        buf_format(out, " (%s)", hit.how);
    }
}

static void add_parts(const struct reach *reach, struct buf *out)
{
    buf_add(out, SLICE("of the rules that it is made of, "));
    for (uint32_t i = 0; i < reach->fault_count; i++) {
        buf_add(out, i ? SLICE(", ") : SLICE(""));
        add_quoted(out, reach->faults[i].field);
    }
    buf_add(out, reach->more ? SLICE(" and more") : SLICE(""));
    buf_add(out, SLICE(" cannot fire"));
}

void reach_words_text(const struct reach *reach, struct reach_near *near, const struct rule *rule,
        struct buf *out)
{
    switch (reach->why) {
    case REACH_CAN:
        return;
    case REACH_UNMAPPED:
        buf_add(out, SLICE("the taxonomy maps no events to its logsource: "));
        reach_words_source(out, &rule->logsource);
        return;
    case REACH_UNSEEN:
        buf_add(out, SLICE("no event is of its logsource: "));
        reach_words_source(out, &rule->logsource);
        return;
    case REACH_NEVER:
        buf_add(out, SLICE("its condition is never true"));
        return;
    case REACH_TESTS:
        break;
    case REACH_PARTS:
        add_parts(reach, out);
        return;
    }
    for (uint32_t i = 0; i < reach->fault_count; i++) {
        buf_add(out, i ? SLICE("; ") : SLICE(""));
        add_fault(reach, near, rule, &reach->faults[i], out);
    }
    buf_add(out, reach->more ? SLICE("; and more") : SLICE(""));
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void add_member(struct buf *out, const char *name, struct slice text)
{
    buf_format(out, ",\"%s\":", name);
    if (text.size == 0) {
        buf_add(out, SLICE("null"));
        return;
    }
    buf_byte(out, '"');
    buf_json(out, text);
    buf_byte(out, '"');
}

static void json_fault(struct reach_near *near, const struct rule *rule,
        const struct reach_fault *fault, struct buf *out)
{
    static const char *const kinds[] = {[REACH_ABSENT] = "field absent",
            [REACH_NO_VALUE] = "field without value",
            [REACH_NO_NUMBER] = "field never a number",
            [REACH_PRESENT] = "field always there",
            [REACH_PART] = "rule that cannot fire"};
    struct reach_near_hit hit = {0};
    buf_format(out, "{\"kind\":\"%s\"", kinds[fault->kind]);
    add_member(out, "field", fault->field);
    add_member(out, "stands", fault->stands);
    buf_format(out, ",\"events\":%llu", (unsigned long long)fault->events);
    bool found = find_near(near, rule, fault, &hit);
    add_member(out, "nearest", found ? hit.name : (struct slice){0});
    add_member(out, "nearest_by", found ? slice_text(hit.how) : (struct slice){0});
    buf_byte(out, '}');
}

void reach_words_json(const struct reach *reach, struct reach_near *near, const struct rule *rule,
        struct buf *out)
{
    static const char *const why[] = {[REACH_CAN] = "",
            [REACH_UNMAPPED] = "logsource not mapped",
            [REACH_UNSEEN] = "logsource not seen",
            [REACH_NEVER] = "condition never true",
            [REACH_TESTS] = "fields",
            [REACH_PARTS] = "rules of a correlation"};
    buf_format(out, "\"verdict\":\"%s\"", reach->why == REACH_CAN ? "can fire" : "cannot");
    add_member(out, "why", slice_text(why[reach->why]));
    buf_format(out, ",\"events\":%llu,\"faults\":[", (unsigned long long)reach->events);
    for (uint32_t i = 0; i < reach->fault_count; i++) {
        buf_add(out, i ? SLICE(",") : SLICE(""));
        json_fault(near, rule, &reach->faults[i], out);
    }
    buf_byte(out, ']');
}
