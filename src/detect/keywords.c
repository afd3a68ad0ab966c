#include "detect/keywords.h"

#include "base/memory.h"
#include "detect/literal.h"

void keywords_fini(struct keywords *k)
{
    memory_free(k->values);
    *k = (struct keywords){0};
}

struct collector {
    struct keywords *keywords;
    struct texts *texts;
};

static bool make_room(struct keywords *k)
{
    if (k->count < k->room) {
        return true;
    }
    size_t room = k->room ? k->room * 2 : 256;
    struct keyword_value *values = memory_resize(k->values, room * sizeof *values);
    if (!values) {
        return false;
    }
    k->values = values;
    k->room = room;
    return true;
}

static bool take(void *context, struct slice path, const struct value *value)
{
    struct collector *c = context;
    (void)path;
    if (value->kind == VALUE_NULL || value->kind == VALUE_OBJECT) {
        return true;
    }
    if (!make_room(c->keywords)) {
        c->keywords->failed = true;
        return false;
    }
    struct keyword_value *v = &c->keywords->values[c->keywords->count++];
    /* The walk's bytes may be gone after the visit. */
    v->plain = texts_copy(c->texts, texts_plain(c->texts, FIELD_NONE, value));
    v->folded = texts_fold(c->texts, v->plain, NULL);
    return true;
}

static void collect(struct keywords *k, const struct event *event, struct texts *texts)
{
    struct collector c = {k, texts};
    k->collected = true;
    if (event->form->walk(event, take, &c) != OK) {
        k->failed = true;
    }
}

static enum verdict test_value(const struct predicate *p, struct literal_places places,
        const struct keyword_value *v, struct regex_cache *regexes)
{
    if (p->op == OP_CONTAINS && !p->cased) {
        return literal_stands_in(v->folded, p->text, places) ? VERDICT_YES : VERDICT_NO;
    }
    return predicate_test_text(p, v->plain, v->folded, regexes);
}

enum verdict keywords_test(struct keywords *k, const struct event *event, struct texts *texts,
        const struct predicate *p, struct regex_cache *regexes)
{
    enum verdict result = VERDICT_NO;
    struct literal_places places = literal_rare_places(p->text);
    if (!k->collected) {
        collect(k, event, texts);
    }
    if (p->op == OP_PRESENT || p->op == OP_EXISTS) {
        return k->count ? VERDICT_YES : VERDICT_NO;
    }
    for (size_t i = 0; i < k->count && result != VERDICT_YES; i++) {
        enum verdict v = test_value(p, places, &k->values[i], regexes);
        result = v == VERDICT_NO ? result : v;
    }
    return result;
}
