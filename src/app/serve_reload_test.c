#include "app/serve_reload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "base/memory.h"

static struct serve_reload *made(void)
{
    struct serve_reload *reload = memory_alloc(sizeof *reload);
    assert_non_null(reload);
    return reload;
}

static const char *hash_of(char letter)
{
    static char hash[DIGEST_HEX];
    memset(hash, letter, DIGEST_HEX - 1);
    return hash;
}

static void a_mark_is_unset_first(void **unused)
{
    (void)unused;
    char hash[DIGEST_HEX] = "?";
    uint64_t at = 9;
    struct serve_reload *reload = made();
    assert_false(serve_reload_marked(&reload->wanted, hash, &at));
    assert_string_equal(hash, "");
    assert_int_equal(at, 0);
    serve_reload_mark(&reload->wanted, hash_of('a'), 7);
    assert_true(serve_reload_marked(&reload->wanted, hash, &at));
    assert_string_equal(hash, hash_of('a'));
    assert_int_equal(at, 7);
    serve_reload_mark(&reload->wanted, "b", 8); /* nothing of a longer one stays */
    serve_reload_mark(&reload->wanted, "c", 9);
    assert_true(serve_reload_marked(&reload->wanted, hash, &at));
    assert_string_equal(hash, "c");
    memory_free(reload);
}

static void a_verdict_answers_the_asks_before_it(void **unused)
{
    (void)unused;
    struct serve_verdict verdict;
    struct serve_reload *reload = made();
    uint64_t first = serve_reload_ask(reload), second = serve_reload_ask(reload);
    assert_true(second > first && serve_reload_answered(reload, &verdict) < first);
    reload->draft.good = true;
    memset(reload->draft.hash, 'a', DIGEST_HEX); /* its writer is not to be trusted */
    reload->draft.size = UINT32_MAX;
    serve_reload_answer(reload, first);
    assert_int_equal(serve_reload_answered(reload, &verdict), first);
    assert_true(verdict.good);
    assert_int_equal(strnlen(verdict.hash, DIGEST_HEX), DIGEST_HEX - 1);
    assert_int_equal(verdict.size, SERVE_RELOAD_WORDS);
    memory_free(reload);
}

static void lines_of_a_verdict_are_whole(void **unused)
{
    (void)unused;
    static char long_reason[SERVE_RELOAD_WORDS];
    struct serve_reload *reload = made();
    struct serve_verdict *v = &reload->draft;
    serve_reload_add(v, SLICE("a\tb\n.yml"), 3, 4, SLICE("why\r\nnot\x7f"));
    assert_int_equal(v->size, strlen("3\t4\ta b .yml\twhy  not \n"));
    assert_memory_equal(v->words, "3\t4\ta b .yml\twhy  not \n", v->size);
    uint32_t before = v->size;
    memset(long_reason, 'x', sizeof long_reason);
    serve_reload_add(v, SLICE("f"), 1, 1, slice_of(long_reason, sizeof long_reason));
    assert_int_equal(v->size, before); /* it has no room: it is counted */
    assert_int_equal(v->problems, 2);
    /* The line to the last byte: "1\t1\tf\t" and a line feed are 7. */
    serve_reload_add(
            v, SLICE("f"), 1, 1, slice_of(long_reason, SERVE_RELOAD_WORDS - before - 7 + 1));
    assert_int_equal(v->size, before);
    serve_reload_add(v, SLICE("f"), 1, 1, slice_of(long_reason, SERVE_RELOAD_WORDS - before - 7));
    assert_int_equal(v->size, SERVE_RELOAD_WORDS);
    memory_free(reload);
}

static int64_t noon(void)
{
    return 12 * INT64_C(3600000000000);
}

static void a_set_is_announced_once(void **unused)
{
    (void)unused;
    struct serve_reload *reload = made();
    struct channel *channel;
    struct counts *counts;
    struct intake intake;
    struct buf copy = {0};
    struct frame frame;
    uint64_t position;
    size_t size;
    assert_int_equal(channel_new(1 << 16, &channel, NULL), OK);
    assert_int_equal(counts_new(&counts, NULL), OK);
    intake_init(&intake, channel, counts, noon);
    assert_true(serve_reload_announce(reload, &intake));        /* none is wanted */
    assert_int_equal(serve_reload_settled(reload, channel), 0); /* never asked */
    serve_reload_answer(reload, serve_reload_ask(reload));
    assert_int_equal(serve_reload_settled(reload, channel), 1);
    assert_int_equal(channel_take(channel, &copy, &position), ERR_END);
    serve_reload_mark(&reload->wanted, hash_of('a'), 0);
    assert_false(serve_reload_is_told(reload, channel));
    assert_true(serve_reload_announce(reload, &intake));
    assert_true(serve_reload_announce(reload, &intake));
    assert_false(serve_reload_is_told(reload, channel)); /* it is on its way */
    assert_int_equal(serve_reload_settled(reload, channel), 0);
    assert_int_equal(channel_take(channel, &copy, &position), OK);
    assert_int_equal(frame_read(buf_slice(&copy), &frame, &size, NULL), OK);
    assert_int_equal(frame.kind, FRAME_RULES);
    channel_finish(channel, position);
    assert_true(serve_reload_is_told(reload, channel));
    assert_int_equal(serve_reload_settled(reload, channel), 1);
    serve_reload_ask(reload);
    assert_int_equal(serve_reload_settled(reload, channel), 0);
    assert_int_equal(channel_take(channel, &copy, &position), ERR_END);
    serve_reload_mark(&reload->wanted, hash_of('b'), 0);
    assert_false(serve_reload_is_told(reload, channel));
    buf_fini(&copy);
    intake_fini(&intake);
    counts_free(counts);
    channel_free(channel);
    memory_free(reload);
}

/* Only what was found since the last ask was answered; and nothing where its writer died in it. */
static void what_is_spare_holds_until_others_are_loaded(void **unused)
{
    (void)unused;
    static struct serve_spare found, read;
    struct serve_reload *reload = made();
    assert_false(serve_reload_spare(reload, &read));
    uint64_t asked = serve_reload_ask(reload);
    serve_reload_answer(reload, asked);
    found = (struct serve_spare){.answered = asked, .count = SERVE_SPARE};
    for (size_t i = 0; i < SERVE_SPARE; i++) {
        memcpy(found.hash[i], hash_of('a' + (char)(i % 26)), DIGEST_HEX);
    }
    serve_reload_set_spare(reload, &found);
    serve_reload_ask(reload); /* whoever looks does so for another ask */
    assert_true(serve_reload_spare(reload, &read));
    assert_int_equal(read.count, SERVE_SPARE);
    assert_memory_equal(read.hash, found.hash, sizeof found.hash);
    atomic_fetch_add(&reload->spare.writing, 1);
    assert_false(serve_reload_spare(reload, &read));
    found.count = 1;
    serve_reload_set_spare(reload, &found);
    assert_true(serve_reload_spare(reload, &read));
    assert_int_equal(read.count, 1);
    serve_reload_answer(reload, asked + 1);
    assert_false(serve_reload_spare(reload, &read));
    memory_free(reload);
}

enum { ROUNDS = 200000 };

static void *change(void *context)
{
    struct serve_reload *reload = context;
    char hash[DIGEST_HEX] = "";
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        memset(hash, 'a' + (int)(i % 26), DIGEST_HEX - 1);
        serve_reload_mark(&reload->through, hash, i);
    }
    return NULL;
}

/* Hash and place are of one moment, however often they change. */
static void what_is_read_is_of_one_moment(void **unused)
{
    (void)unused;
    struct serve_reload *reload = made();
    pthread_t thread;
    uint64_t at = 0;
    char hash[DIGEST_HEX];
    assert_int_equal(pthread_create(&thread, NULL, change, reload), 0);
    while (at < ROUNDS) {
        uint64_t before = at;
        if (serve_reload_marked(&reload->through, hash, &at)) {
            assert_true(at >= before);
            for (size_t i = 0; i < DIGEST_HEX - 1; i++) {
                assert_int_equal(hash[i], 'a' + (int)(at % 26));
            }
        }
    }
    pthread_join(thread, NULL);
    memory_free(reload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_mark_is_unset_first),
            cmocka_unit_test(a_verdict_answers_the_asks_before_it),
            cmocka_unit_test(lines_of_a_verdict_are_whole),
            cmocka_unit_test(a_set_is_announced_once),
            cmocka_unit_test(what_is_spare_holds_until_others_are_loaded),
            cmocka_unit_test(what_is_read_is_of_one_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
