#include "differential/answers.h"

#include "base/memory.h"

void answers_clear(struct answers *answers)
{
    answers->count = 0;
    answers->rule_count = 0;
}

void answers_fini(struct answers *answers)
{
    memory_free(answers->rules);
    memory_free(answers->ends);
    *answers = (struct answers){0};
}

static bool grow(struct answers *a, size_t more)
{
    if (a->count == a->room) {
        size_t room = a->room ? a->room * 2 : 1024;
        size_t *ends = memory_resize(a->ends, room * sizeof *ends);
        if (!ends) {
            return false;
        }
        a->ends = ends;
        a->room = room;
    }
    if (a->rule_count + more > a->rule_room) {
        size_t room = (a->rule_count + more) * 2;
        uint32_t *rules = memory_resize(a->rules, room * sizeof *rules);
        if (!rules) {
            return false;
        }
        a->rules = rules;
        a->rule_room = room;
    }
    return true;
}

static uint32_t packed(const struct hit *hit)
{
    return hit->rule->number * 2 + hit->undetermined;
}

enum err answers_add(struct answers *answers, const struct hit *hits, size_t count)
{
    if (!grow(answers, count)) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        answers->rules[answers->rule_count++] = packed(&hits[i]);
    }
    answers->ends[answers->count++] = answers->rule_count;
    return OK;
}

const uint32_t *answers_of(const struct answers *answers, size_t event, size_t *count)
{
    size_t start = event ? answers->ends[event - 1] : 0;
    *count = answers->ends[event] - start;
    return answers->rules + start;
}

bool answers_equal(
        const struct answers *answers, size_t event, const struct hit *hits, size_t count)
{
    size_t n = 0;
    const uint32_t *rules = event < answers->count ? answers_of(answers, event, &n) : NULL;
    if (!rules && event >= answers->count) {
        return false;
    }
    for (size_t i = 0; i < count && n == count; i++) {
        if (rules[i] != packed(&hits[i])) {
            return false;
        }
    }
    return n == count;
}
