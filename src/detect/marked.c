#include "detect/marked.h"

#include "detect/evaluate.h"
#include "detect/explain.h"

enum { VALUE_COST = 64, REGEX_COST = 32 };

/* The tests that hold and stand under no negation, in the order of the condition. */
struct holding {
    const struct test *tests[MARKED_TESTS];
    size_t count;
};

static enum err find_holding(
        struct judge *judge, const struct event *event, const struct hit *hit, struct holding *out)
{
    const struct class *class = &judge->seat->class->class;
    const struct class_rule *rule = &class->rules[hit->place];
    const struct step *steps = class->steps + rule->steps;
    const enum verdict *verdicts = evaluate_steps(judge, event, rule);
    if (!verdicts) {
        return ERR_MEMORY;
    }
    out->count = 0;
    for (uint32_t i = 0; i < rule->step_count && out->count < MARKED_TESTS; i++) {
        if (steps[i].kind == NODE_NOT || verdicts[i] != VERDICT_YES) {
            i += steps[i].size - 1;
        } else if (steps[i].kind == NODE_PREDICATE) {
            out->tests[out->count++] = &class->tests[steps[i].arg];
        }
    }
    return OK;
}

/* To whom it is shown. */
struct viewer {
    marked_show *show;
    void *context;
};

/* ---- the fields of the rule ------------------------------------------------------------------ */

static bool named_before(const struct holding *holding, size_t test)
{
    for (size_t i = 0; i < test; i++) {
        if (holding->tests[i]->field != FIELD_NONE &&
                holding->tests[i]->predicate->field == holding->tests[test]->predicate->field) {
            return true;
        }
    }
    return false;
}

static bool show_field(struct judge *judge, const struct event *event,
        const struct holding *holding, size_t test, const struct viewer *viewer)
{
    const struct test *t = holding->tests[test];
    const struct value *value = explain_satisfying(judge, event, t);
    struct mark_list marks = {0};
    struct buf scratch = {0};
    struct mark_tools tools = {judge->regexes, &scratch};
    struct marked m = {.name = field_name(judge->engine->fields, t->predicate->field),
            .kind = value ? value->kind : VALUE_NULL,
            .marks = &marks};
    if (value && value->kind != VALUE_NULL && value->kind != VALUE_OBJECT) {
        m.text = texts_plain(&judge->texts, t->field, value);
    }
    for (size_t i = test; i < holding->count; i++) {
        const struct test *other = holding->tests[i];
        if (other->field != FIELD_NONE && other->predicate->field == t->predicate->field) {
            mark_add(&marks, other->predicate, m.text, &tools);
        }
    }
    mark_finish(&marks);
    bool on = viewer->show(viewer->context, &m);
    buf_fini(&scratch);
    return on;
}

static bool show_keyword(const struct predicate *p, const struct viewer *viewer)
{
    struct buf words = {0};
    struct mark_list none = {0};
    predicate_write(p, NULL, &words);
    bool on = viewer->show(viewer->context, &(struct marked){.name = SLICE("keywords"),
                                                    .kind = VALUE_STRING,
                                                    .text = buf_slice(&words),
                                                    .marks = &none,
                                                    .keyword = true});
    buf_fini(&words);
    return on;
}

enum err marked_fields(struct judge *judge, const struct event *event, const struct hit *hit,
        marked_show *show, void *context)
{
    struct viewer viewer = {show, context};
    struct holding holding;
    bool on = true;
    TRY(find_holding(judge, event, hit, &holding));
    for (size_t i = 0; i < holding.count && on; i++) {
        if (holding.tests[i]->field != FIELD_NONE && !named_before(&holding, i)) {
            on = show_field(judge, event, &holding, i, &viewer);
        }
    }
    for (size_t i = 0; i < holding.count && on; i++) {
        if (holding.tests[i]->field == FIELD_NONE) {
            on = show_keyword(holding.tests[i]->predicate, &viewer);
        }
    }
    return OK;
}

/* ---- the whole event ------------------------------------------------------------------------- */

struct walk {
    struct judge *judge;
    const struct holding *holding;
    marked_show *show;
    void *context;
    struct buf plain;
    struct buf scratch;
    size_t work;
};

/* A regex is asked again and again until its match is found. */
static size_t cost_of(const struct predicate *p, struct slice text)
{
    return (text.size + VALUE_COST) * (p->op == OP_REGEX ? REGEX_COST : 1);
}

/* Does a value at the path belong to the field? The path is divided at its dots: where a key had
 * dots itself, it leads to the same node (event/paths.h). */
static bool leads_to(const struct paths *paths, struct slice path, uint32_t field)
{
    const struct path_edge *edge = NULL;
    uint32_t node = PATHS_ROOT;
    while (path.size > 0) {
        struct slice key = slice_cut(&path, '.');
        edge = node >= paths->node_count ? NULL : paths_find(paths, node, key);
        if (!edge) {
            return false;
        }
        node = edge->child;
    }
    for (int i = 0; edge && i < PATHS_TARGETS && edge->field[i] != FIELD_NONE; i++) {
        if (edge->field[i] == field) {
            return true;
        }
    }
    return false;
}

static bool visit(void *context, struct slice path, const struct value *value)
{
    struct walk *w = context;
    struct mark_list marks = {0};
    struct mark_tools tools = {w->judge->regexes, &w->scratch};
    struct marked m = {.name = path, .kind = value->kind, .marks = &marks};
    if (value->kind != VALUE_NULL && value->kind != VALUE_OBJECT) {
        m.text = value_slice(value, &w->plain);
    }
    for (size_t i = 0; i < w->holding->count && m.text.size > 0 && w->work < MARKED_WORK; i++) {
        const struct test *t = w->holding->tests[i];
        w->work += cost_of(t->predicate, m.text);
        if (t->field == FIELD_NONE || leads_to(w->judge->engine->paths, path, t->field)) {
            mark_add(&marks, t->predicate, m.text, &tools);
        }
    }
    mark_finish(&marks);
    return w->show(w->context, &m);
}

enum err marked_event(struct judge *judge, const struct event *event, const struct hit *hit,
        marked_show *show, void *context)
{
    struct holding holding;
    TRY(find_holding(judge, event, hit, &holding));
    struct walk w = {.judge = judge, .holding = &holding, .show = show, .context = context};
    enum err e = event->form->walk(event, visit, &w);
    buf_fini(&w.plain);
    buf_fini(&w.scratch);
    return e;
}
