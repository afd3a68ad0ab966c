#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "sigma/regex.h"
#include "sigma/regex_dfa.h"
#include "sigma/regex_parse.h"
#include "sigma/regex_program.h"
#include "sigma/regex_skip.h"

static void test_too_much_work_is_undetermined(void **state)
{
    (void)state;
    struct arena scratch;
    arena_init(&scratch, 1 << 20);
    struct regex_parsed parsed = {0};
    struct regex_program program;
    assert_int_equal(regex_parse(&scratch, SLICE("(?:a?){100}b"), 0, &parsed, NULL), OK);
    assert_int_equal(regex_program_build(&scratch, &scratch, &parsed, &program), OK);
    char text[1000];
    memset(text, 'a', sizeof text);
    struct regex_dfa_pool pool = {.work_limit = 5000};
    struct regex_dfa_run run;
    assert_int_equal(regex_dfa_start(&run, &pool, &program, 1), OK);
    assert_int_equal(regex_dfa_bytes(&run, slice_of(text, sizeof text)), REGEX_DFA_LIMIT);
    pool.work_limit = 5000000;
    assert_int_equal(regex_dfa_start(&run, &pool, &program, 1), OK);
    assert_int_equal(regex_dfa_bytes(&run, slice_of(text, sizeof text)), REGEX_DFA_ON);
    regex_dfa_fini(&pool);
    arena_fini(&scratch);
}

static void test_both_ways_to_skip_stop_at_the_same_byte(void **state)
{
    (void)state;
    uint8_t text[200];
    uint32_t random = 1;
    for (int round = 0; round < 3000; round++) {
        struct regex_skip skip;
        regex_skip_init(&skip);
        uint8_t odd = (uint8_t)round;
        for (unsigned byte = 0; byte < 256; byte++) {
            random = random * 1664525 + 1013904223;
            if (byte != odd && (round % 3 == 0 || random >> 28 != 0)) {
                regex_skip_pass(&skip, (uint8_t)byte);
            }
        }
        size_t size = random >> 8 & 127, from = size ? (random >> 16) % size : 0;
        for (size_t i = 0; i < size; i++) {
            random = random * 1664525 + 1013904223;
            text[i] = (uint8_t)(random >> 24);
        }
        const uint8_t *want = text + from;
        const uint8_t *end = text + size;
        want = regex_skip_find_plain(&skip, want, end);
        assert_ptr_equal(regex_skip_find(&skip, text, text + from, end), want);
        assert_ptr_equal(regex_skip_find(&skip, text + from, text + from, end), want);
        assert_true(want == end || round % 3 != 0 || *want == odd);
    }
}

static void test_a_cache_keeps_to_its_memory(void **state)
{
    (void)state;
    struct arena scratch;
    arena_init(&scratch, 16 << 20);
    struct regex_dfa_pool pool = {.limit = 20000, .work_limit = REGEX_WORK_LIMIT};
    size_t most = 0;
    int by_automaton = 0;
    char text[400];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)('a' + i * i % 7);
    }
    for (uint64_t id = 0; id < 300; id++) {
        static const char *const PATTERNS[] = {
                "a.{0,9}b.{3}z", "(?i)x|bc.*d", "[a-f]{9}[^a]{20}", "^ab"};
        struct regex_parsed parsed = {0};
        struct regex_program *program = ARENA_NEW(&scratch, struct regex_program);
        struct slice pattern = slice_text(PATTERNS[id % 4]);
        assert_int_equal(regex_parse(&scratch, pattern, 0, &parsed, NULL), OK);
        assert_int_equal(regex_program_build(&scratch, &scratch, &parsed, program), OK);
        struct regex_dfa_run run;
        assert_int_equal(regex_dfa_start(&run, &pool, program, id), OK);
        (void)regex_dfa_bytes(&run, slice_of(text, sizeof text));
        most = pool.used > most ? pool.used : most;
        by_automaton += run.dfa != NULL;
    }
    assert_true(by_automaton > 250); /* those that came first made room */
    assert_true(most <= 20000 && most > 10000);
    assert_true(pool.count > 1 && pool.count < 100);
    regex_dfa_fini(&pool);
    arena_fini(&scratch);
}

/* Feeds both the same bytes until a match: few letters and long rests between them, so that memory
 * fills slowly. */
static bool compare_runs(struct regex_dfa_pool *few, struct regex_dfa_pool *none,
        const struct regex_program *program, uint32_t *random, bool *automaton)
{
    struct regex_dfa_run a, b;
    assert_int_equal(regex_dfa_start(&a, few, program, 1), OK);
    assert_int_equal(regex_dfa_start(&b, none, program, 1), OK);
    enum regex_dfa_end end = REGEX_DFA_ON;
    for (int i = 0; i < 2000 && end == REGEX_DFA_ON; i++) {
        *random = *random * 1664525 + 1013904223;
        int place = i % 400;
        char byte = place < 12 ? "aabb"[*random >> 30] : place == 12 ? "cd"[*random >> 31] : '-';
        end = regex_dfa_bytes(&a, slice_of(&byte, 1));
        assert_int_equal(regex_dfa_bytes(&b, slice_of(&byte, 1)), end);
    }
    *automaton = a.dfa != NULL;
    return end == REGEX_DFA_MATCH;
}

/* What each byte of a text leads to, of an automaton that holds few of its 2^9 states at a time,
 * against the simulation. */
static void test_an_automaton_that_forgets_goes_on_rightly(void **state)
{
    (void)state;
    struct arena scratch;
    arena_init(&scratch, 1 << 20);
    struct regex_parsed parsed = {0};
    struct regex_program program;
    assert_int_equal(regex_parse(&scratch, SLICE("a[ab]{8}c|bb[ab]{5}ad"), 0, &parsed, NULL), OK);
    assert_int_equal(regex_program_build(&scratch, &scratch, &parsed, &program), OK);
    uint32_t random = 3;
    int matches = 0, by_automaton = 0;
    for (size_t limit = 2000; limit < 10000; limit += 500) {
        struct regex_dfa_pool few = {.limit = limit, .work_limit = REGEX_WORK_LIMIT};
        struct regex_dfa_pool none = {.limit = 0, .work_limit = REGEX_WORK_LIMIT};
        for (int round = 0; round < 60; round++) {
            bool automaton;
            matches += compare_runs(&few, &none, &program, &random, &automaton);
            by_automaton += automaton;
        }
        assert_true(few.used <= limit);
        regex_dfa_fini(&few);
        regex_dfa_fini(&none);
    }
    assert_true(matches > 50 && matches < 900);
    assert_true(by_automaton > 500);
    arena_fini(&scratch);
}

/* The state that is left when memory is full is forgotten with the others: what was learnt of it
 * must not be written to whatever has its number then. */
static void test_what_was_learnt_of_a_forgotten_state_is_dropped(void **state)
{
    (void)state;
    struct arena scratch;
    arena_init(&scratch, 1 << 20);
    struct regex_parsed parsed = {0};
    struct regex_program program;
    assert_int_equal(regex_parse(&scratch, SLICE("a[ab]{8}c|bb[ab]{5}ad"), 0, &parsed, NULL), OK);
    assert_int_equal(regex_program_build(&scratch, &scratch, &parsed, &program), OK);
    int by_automaton = 0;
    for (size_t limit = 1000; limit < 5000; limit += 50) {
        struct regex_dfa_pool pool = {.limit = limit, .work_limit = REGEX_WORK_LIMIT};
        struct regex_dfa_run run;
        assert_int_equal(regex_dfa_start(&run, &pool, &program, 1), OK);
        /* Seven states, which are all that fit, back to the first, and from there to a new one. */
        assert_int_equal(regex_dfa_bytes(&run, SLICE("aaaaaa-")), REGEX_DFA_ON);
        enum regex_dfa_end end = regex_dfa_bytes(&run, SLICE("bbaaaaaa"));
        assert_int_equal(end, REGEX_DFA_ON);
        by_automaton += run.dfa != NULL;
        assert_int_equal(regex_dfa_bytes(&run, SLICE("d")), REGEX_DFA_MATCH);
        regex_dfa_fini(&pool);
    }
    assert_true(by_automaton > 20);
    arena_fini(&scratch);
}

struct searcher {
    struct regex *const *regexes;
    size_t count;
    int matches;
};

static void *search_much(void *argument)
{
    struct searcher *s = argument;
    struct regex_cache *cache = regex_cache_new(s->matches ? 1 << 20 : 4000);
    s->matches = 0;
    uint32_t random = 5;
    char text[100];
    for (int round = 0; round < 300 && cache; round++) {
        for (size_t i = 0; i < sizeof text; i++) {
            random = random * 1664525 + 1013904223;
            text[i] = "abk -+.\n"[random >> 29];
        }
        struct slice all = slice_of(text, sizeof text);
        for (size_t i = 0; i < s->count; i++) {
            s->matches += regex_search(s->regexes[i], cache, all) == VERDICT_YES;
        }
    }
    regex_cache_free(cache);
    return NULL;
}

static void test_threads_share_a_regex_each_with_its_cache(void **state)
{
    (void)state;
    static const char *const PATTERNS[] = {"(?i)K-\\+", "a.{3,9}b\\.", "\\bab\\b", "(?m)^[ab]+$"};
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct regex *regexes[4];
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(regex_compile(&arena, slice_text(PATTERNS[i]), 0, &regexes[i], NULL), OK);
    }
    struct searcher searchers[2] = {{regexes, 4, 0}, {regexes, 4, 1}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, search_much, &searchers[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(searchers[0].matches, searchers[1].matches);
    assert_true(searchers[0].matches > 50 && searchers[0].matches < 1150);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_too_much_work_is_undetermined),
            cmocka_unit_test(test_both_ways_to_skip_stop_at_the_same_byte),
            cmocka_unit_test(test_a_cache_keeps_to_its_memory),
            cmocka_unit_test(test_an_automaton_that_forgets_goes_on_rightly),
            cmocka_unit_test(test_what_was_learnt_of_a_forgotten_state_is_dropped),
            cmocka_unit_test(test_threads_share_a_regex_each_with_its_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
