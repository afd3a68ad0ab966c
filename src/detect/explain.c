#include "detect/explain.h"

#include "base/memory.h"
#include "detect/evaluate.h"

enum { DEPTH = 1024, SHOWN_BYTES = 400 };

/* ---- what matched ---- */

static void write_name(struct buf *out, struct slice name)
{
    buf_byte(out, '"');
    buf_json(out, name);
    buf_add(out, SLICE("\":"));
}

static void write_value(
        struct judge *j, const struct test *t, const struct value *v, struct buf *out)
{
    if (!v || v->kind == VALUE_NULL) {
        buf_add(out, SLICE("null"));
    } else if (v->kind == VALUE_OBJECT) {
        buf_add(out, SLICE("{}"));
    } else if (v->kind == VALUE_STRING) {
        buf_byte(out, '"');
        buf_json(out, texts_plain(&j->texts, t->field, v));
        buf_byte(out, '"');
    } else {
        value_text(v, out);
    }
}

const struct value *explain_satisfying(
        struct judge *j, const struct event *event, const struct test *t)
{
    enum op op = t->predicate->op;
    const struct value *first = event_value(event, t->field);
    if (op == OP_NULL || op == OP_PRESENT || op == OP_EXISTS ||
            (op >= OP_FIELD_EQUAL && op <= OP_FIELD_CONTAINS)) {
        return first;
    }
    for (const struct value *v = first; v; v = event_next(event, v)) {
        if (evaluate_value(j, t, v) == VERDICT_YES) {
            return v;
        }
    }
    return first;
}

static void write_keywords(const struct class *class, const struct class_rule *rule,
        const enum verdict *verdicts, struct buf *out)
{
    const struct step *steps = class->steps + rule->steps;
    const char *before = "\"keywords\":[\"";
    for (uint32_t i = 0; i < rule->step_count; i++) {
        if (steps[i].kind != NODE_PREDICATE || verdicts[i] != VERDICT_YES ||
                class->tests[steps[i].arg].field != FIELD_NONE) {
            continue;
        }
        buf_add(out, slice_text(before));
        struct buf words = {0};
        predicate_write(class->tests[steps[i].arg].predicate, NULL, &words);
        buf_json(out, buf_slice(&words));
        buf_fini(&words);
        before = "\",\"";
    }
    buf_add(out, SLICE("\"]"));
}

void explain_matched(
        struct judge *judge, const struct event *event, const struct hit *hit, struct buf *out)
{
    const struct class *class = &judge->seat->class->class;
    const struct class_rule *rule = &class->rules[hit->place];
    const struct step *steps = class->steps + rule->steps;
    const enum verdict *verdicts = evaluate_steps(judge, event, rule);
    bool keywords = false, any = false;
    if (!verdicts) {
        out->failed = true;
        return;
    }
    judge->naming++;
    for (uint32_t i = 0; i < rule->step_count; i++) {
        if (steps[i].kind == NODE_NOT || verdicts[i] != VERDICT_YES) {
            i += steps[i].size - 1; /* a part that did not make the rule true */
            continue;
        }
        const struct test *t = &class->tests[steps[i].arg];
        if (steps[i].kind != NODE_PREDICATE) {
            continue;
        }
        if (t->field == FIELD_NONE) {
            keywords = true;
        } else if (judge->named[t->predicate->field] != judge->naming) {
            judge->named[t->predicate->field] = judge->naming;
            buf_add(out, any ? SLICE(",") : SLICE(""));
            any = true;
            write_name(out, field_name(judge->engine->fields, t->predicate->field));
            write_value(judge, t, explain_satisfying(judge, event, t), out);
        }
    }
    if (keywords) {
        buf_add(out, any ? SLICE(",") : SLICE(""));
        write_keywords(class, rule, verdicts, out);
    }
}

/* ---- why, or why not ---- */

static struct slice verdict_words(enum verdict v)
{
    return v == VERDICT_YES ? SLICE("yes") : v == VERDICT_NO ? SLICE("no ") : SLICE("???");
}

/* What steers a terminal becomes '?', long texts are cut. */
static void write_shown(struct buf *out, struct slice text)
{
    size_t n = text.size < SHOWN_BYTES ? text.size : SHOWN_BYTES;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text.at[i];
        buf_byte(out, c < 0x20 || c == 0x7F ? '?' : (char)c);
    }
    if (n < text.size) {
        buf_format(out, "... (%zu bytes)", text.size);
    }
}

static void write_field_values(
        struct judge *j, const struct event *event, const struct test *t, struct buf *out)
{
    const struct value *v = event_value(event, t->field);
    struct slice name = field_name(j->engine->fields, t->field);
    buf_add(out, SLICE("   ["));
    if (name.size && name.at[0] == '\x02') {
        name = SLICE("mapped value");
    }
    buf_add(out, name);
    buf_add(out, v ? SLICE(" =") : SLICE(" is missing"));
    for (; v; v = event_next(event, v)) {
        buf_byte(out, ' ');
        if (v->kind == VALUE_NULL || v->kind == VALUE_OBJECT) {
            buf_add(out, v->kind == VALUE_NULL ? SLICE("null") : SLICE("{...}"));
        } else {
            write_shown(out, texts_plain(&j->texts, t->field, v));
        }
    }
    buf_byte(out, ']');
}

static void write_leaf(
        struct judge *j, const struct event *event, const struct test *t, struct buf *out)
{
    struct buf words = {0};
    predicate_write(t->predicate, j->engine->fields, &words);
    write_shown(out, buf_slice(&words));
    buf_fini(&words);
    if (t->field != FIELD_NONE) {
        write_field_values(j, event, t, out);
    }
    buf_byte(out, '\n');
}

static void write_inner(const struct step *s, struct buf *out)
{
    static const char *const words[] = {[NODE_AND] = "all of",
            [NODE_OR] = "any of",
            [NODE_NOT] = "not",
            [NODE_AT_LEAST] = "at least",
            [NODE_TRUE] = "always",
            [NODE_FALSE] = "never"};
    buf_add(out, slice_text(words[s->kind]));
    if (s->kind == NODE_AT_LEAST) {
        buf_format(out, " %u of", s->arg);
    }
    if (s->origin->label.size) {
        buf_add(out, SLICE("   ("));
        write_shown(out, s->origin->label);
        buf_byte(out, ')');
    }
    buf_byte(out, '\n');
}

static void write_tree(struct judge *j, const struct event *event, const struct class *class,
        const enum verdict *verdicts, struct buf *out)
{
    uint32_t ends[DEPTH], depth = 0;
    for (uint32_t i = 0; i < class->step_count; i++) {
        const struct step *s = &class->steps[i];
        while (depth && i >= ends[depth - 1]) {
            depth--;
        }
        buf_add(out, verdict_words(verdicts[i]));
        for (uint32_t d = 0; d <= depth; d++) {
            buf_add(out, SLICE("  "));
        }
        if (s->kind == NODE_PREDICATE) {
            if (s->origin->label.size) {
                write_shown(out, s->origin->label);
                buf_add(out, SLICE(": "));
            }
            write_leaf(j, event, &class->tests[s->arg], out);
        } else {
            write_inner(s, out);
        }
        if (s->size > 1 && depth < DEPTH) {
            ends[depth++] = i + s->size;
        }
    }
}

static void write_logsource_part(struct buf *out, const char *name, struct slice text)
{
    if (text.at) {
        buf_format(out, " %s=", name);
        write_shown(out, text);
    }
}

static bool belongs(const struct judge *j, uint32_t rule)
{
    const struct engine_rule *r = &j->engine->rules[rule];
    for (uint8_t t = 0; t < r->entry_count; t++) {
        if (j->seat->class->active[r->entries[t]] == ROUTE_INACTIVE) {
            return false;
        }
    }
    return r->entry_count > 0;
}

static void write_route(struct judge *j, const struct event *event, uint32_t rule, struct buf *out)
{
    const struct logsource *l = &j->engine->rules[rule].rule->logsource;
    size_t routes;
    const struct taxonomy_route *names = taxonomy_routes(j->engine->taxonomy, &routes);
    buf_add(out, SLICE("logsource:"));
    write_logsource_part(out, "product", l->product);
    write_logsource_part(out, "category", l->category);
    write_logsource_part(out, "service", l->service);
    buf_add(out, SLICE("\nevent:    "));
    for (size_t r = 0; r < routes; r++) {
        uint32_t field = route_field(j->engine->router, r);
        const struct value *v = event_value(event, field);
        if (v) {
            buf_byte(out, ' ');
            buf_add(out, names[r].name);
            buf_byte(out, '=');
            write_shown(out, texts_plain(&j->texts, field, v));
        }
    }
    if (j->engine->options.any_source) {
        buf_add(out, SLICE("\nbelongs:   any source is taken\n"));
    } else if (j->engine->rules[rule].entry_count == 0) {
        buf_add(out, SLICE("\nbelongs:   no, nothing maps this logsource\n"));
    } else {
        buf_add(out, belongs(j, rule) ? SLICE("\nbelongs:   yes\n") : SLICE("\nbelongs:   no\n"));
    }
}

static enum err write_rule(struct judge *j, const struct event *event, const struct class *class,
        uint32_t rule, struct buf *out)
{
    enum verdict *verdicts = memory_alloc_array(class->step_count + 1, sizeof *verdicts);
    if (!verdicts) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < class->step_count; i++) {
        if (class->steps[i].kind == NODE_PREDICATE) {
            verdicts[i] = evaluate_run(j, event, &class->tests[class->steps[i].arg]);
        }
    }
    evaluate_tree(class->steps, class->step_count, verdicts);
    bool fires = verdicts[0] == VERDICT_YES && (j->engine->options.any_source || belongs(j, rule));
    buf_add(out, SLICE("rule:      "));
    write_shown(out, class->rules[0].rule->title);
    buf_byte(out, '\n');
    write_route(j, event, rule, out);
    buf_add(out, fires ? SLICE("fires:     yes\n") : SLICE("fires:     no\n"));
    buf_add(out, SLICE("condition:\n"));
    write_tree(j, event, class, verdicts, out);
    memory_free(verdicts);
    return out->failed ? ERR_MEMORY : OK;
}

enum err explain_rule(
        struct judge *judge, const struct event *event, uint32_t rule, struct buf *out)
{
    struct class class;
    TRY(engine_class_of_rule(judge->engine, judge->seat->class, rule, &class));
    enum err e = write_rule(judge, event, &class, rule, out);
    class_fini(&class);
    return e;
}
