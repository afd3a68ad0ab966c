#include "detect/handle.h"

#include "detect/keyword.h"
#include "detect/literal.h"

struct slice handle_run(struct slice pattern, enum anchor_kind *kind, bool *anchored)
{
    struct slice best = {0};
    double least = 2;
    size_t start = 0;
    *anchored = false;
    for (size_t i = 0; i <= pattern.size; i++) {
        if (i < pattern.size && pattern.at[i] != PATTERN_MANY && pattern.at[i] != PATTERN_ONE) {
            continue;
        }
        struct slice run = slice_of(pattern.at + start, i - start);
        double f = run.size ? literal_frequency(run) : 2;
        if (f < least || (f <= least && run.size > best.size)) {
            least = f;
            best = run;
            *anchored = start == 0 || i == pattern.size;
            *kind = start == 0 ? ANCHOR_PREFIX : ANCHOR_SUFFIX;
        }
        start = i + 1;
    }
    return best;
}

static float literal_cost(struct slice text)
{
    return text.size >= 7 ? 0.2f : text.size >= 5 ? 1 : text.size == 4 ? 2 : 15;
}

static struct handle plain(bool direct, float prior, float search_cost, float run_cost)
{
    return (struct handle){
            .direct = direct, .prior = prior, .search_cost = search_cost, .run_cost = run_cost};
}

static struct handle of_text(const struct predicate *p)
{
    struct handle h = {.search_cost = 0.4f, .run_cost = 5};
    h.direct = p->text.size == 0 && p->op != OP_EQUAL;
    h.prior = p->op == OP_EQUAL ? 0.004f : p->op == OP_SUFFIX ? 0.003f : 0.01f;
    if (p->op == OP_CONTAINS) {
        h.prior = (float)literal_frequency(p->text);
        h.search_cost = literal_cost(p->text);
        h.run_cost = 15;
        h.places = literal_rare_places(p->text);
    }
    return h;
}

static struct handle of_pattern(const struct predicate *p)
{
    enum anchor_kind kind;
    bool anchored;
    struct slice run = handle_run(p->text, &kind, &anchored);
    if (run.size == 0) {
        return plain(true, 0.4f, 0, 50);
    }
    return plain(false, (float)literal_frequency(run), 1 + literal_cost(run), 50);
}

static struct handle of_regex(const struct predicate *p)
{
    size_t count;
    const struct slice *literals = regex_literals(p->regex, &count);
    struct handle h = plain(count == 0, 0, 1, 300);
    for (size_t i = 0; i < count; i++) {
        h.prior += (float)literal_frequency(literals[i]);
        h.search_cost += literal_cost(literals[i]);
    }
    if (count == 0 || h.prior > 1) {
        h.prior = count ? 1 : 0.1f;
    }
    return h;
}

static struct handle of_keyword(const struct predicate *p)
{
    struct slice part = p->op == OP_CONTAINS ? keyword_part(p->text) : (struct slice){0};
    return part.size ? plain(false, 0.01f, 1, 500) : plain(false, 0.5f, 500, 500);
}

struct handle handle_of(const struct predicate *p)
{
    if (p->field == FIELD_NONE) {
        return of_keyword(p);
    }
    switch (p->op) {
    case OP_EQUAL:
    case OP_PREFIX:
    case OP_SUFFIX:
    case OP_CONTAINS:
        return of_text(p);
    case OP_PATTERN:
        return of_pattern(p);
    case OP_REGEX:
        return of_regex(p);
    case OP_NUMBER:
        return plain(!p->is_integer, 0.05f, 0.4f, 20);
    case OP_NULL:
        return plain(true, 0.6f, 0, 3);
    case OP_PRESENT:
    case OP_EXISTS:
        return plain(true, 0.5f, 0, 3);
    case OP_CIDR:
        return plain(true, 0.1f, 0, 40);
    default:
        return plain(true, 0.3f, 0, 40);
    }
}
