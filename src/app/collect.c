#include "app/collect.h"

#include "sigma/rule.h"

void collect_hit(struct collect *c, const struct hit *hit)
{
    struct match_writer w;
    c->id.rule = hit->rule->number;
    match_begin(&w, c->out, &c->id, c->host);
    for (uint32_t i = 0; i < hit->rule->wanted_count; i++) {
        const struct value *v = judge_wanted(c->judge, c->event, hit, i);
        match_field(&w);
        for (; v; v = event_next(c->event, v)) {
            if (v->kind != VALUE_NULL && v->kind != VALUE_OBJECT) {
                match_value(&w, value_slice(v, c->scratch));
            }
        }
    }
    match_end(&w);
    c->left_out += w.left_out;
}
