/* Any bytes as a rule file: each document becomes a rule or a named problem, the same with one
 * thread as with two, and with the same hash; each predicate answers for any text. The bytes up to
 * the first NUL are the file, those behind it a value and the placeholders. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/fold.h"
#include "base/memory.h"
#include "sigma/regex.h"
#include "sigma/ruleset.h"
#include "sigma/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ruleset *load(struct slice text, struct slice placeholders, unsigned threads)
{
    struct ruleset_options options = {.placeholders = placeholders, .threads = threads};
    struct ruleset *set = NULL;
    if (ruleset_new(&options, &set, NULL) != OK) {
        return NULL;
    }
    assert(ruleset_load_text(set, SLICE("a.yml"), text, NULL) == OK);
    assert(ruleset_load_text(set, SLICE("b.yml"), SLICE("action: reset"), NULL) == OK);
    assert(ruleset_finish(set, NULL) == OK);
    return set;
}

static void ask(const struct ruleset *set, struct slice value)
{
    char *folded = memory_alloc(value.size * 2 + 1);
    struct regex_cache *cache = regex_cache_new(1 << 20);
    assert(folded && cache);
    size_t size = fold_text(value, folded);
    for (uint32_t i = 0; i < set->predicate_count && i < 200; i++) {
        (void)predicate_test_text(&set->predicates[i], value, slice_of(folded, size), cache);
    }
    regex_cache_free(cache);
    memory_free(folded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of((const char *)data, size > 16384 ? 16384 : size);
    struct slice text = slice_cut(&rest, '\0');
    struct ruleset *one = load(text, rest, 1);
    struct ruleset *two = load(text, rest, 2);
    assert(!one == !two);
    if (!one) {
        return 0;
    }
    assert(one->rule_count == two->rule_count && one->problem_count == two->problem_count);
    assert(memcmp(one->hash, two->hash, sizeof one->hash) == 0);
    assert(one->predicate_count == two->predicate_count);
    struct buf words = {.cap = 1 << 20};
    for (uint32_t i = 0; i < one->rule_count; i++) {
        const struct rule *rule = one->rules[i];
        assert(rule->title.size && rule->condition && rule->number == i);
        buf_clear(&words);
        tree_write(rule->condition, one->predicates, one->fields, &words);
        assert(words.size > 0);
    }
    for (uint32_t i = 0; i < one->problem_count; i++) {
        assert(one->problems[i].reason.size && one->problems[i].err != OK);
        assert(one->problems[i].line > 0);
    }
    ask(one, rest);
    buf_fini(&words);
    ruleset_free(one);
    ruleset_free(two);
    return 0;
}
