#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/channel.h"

enum { SIZE = 1 << 16, PIECES = 20000 };

static struct channel *make(void)
{
    struct channel *channel = NULL;
    assert_int_equal(channel_new(SIZE, &channel, NULL), OK);
    return channel;
}

/* The n-th piece of a stream that both sides can make. */
static struct slice piece(char *room, unsigned n)
{
    size_t size = n * 2654435761u % 3000;
    for (size_t i = 0; i < size; i++) {
        room[i] = (char)(n + i * 7);
    }
    return slice_of(room, size);
}

static void wait_for(int fd)
{
    uint64_t count;
    assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 20000), 1);
    (void)!read(fd, &count, sizeof count);
}

static void what_is_put_comes_out_in_order_and_byte_for_byte(void **unused)
{
    (void)unused;
    static char room[3000];
    struct channel *channel = make();
    pid_t child = fork();
    if (child == 0) {
        for (unsigned n = 0; n < PIECES;) {
            uint64_t position;
            struct slice bytes = piece(room, n);
            if (channel_put(channel, bytes, &position)) {
                n++;
            } else {
                wait_for(channel_done_fd(channel));
            }
        }
        _exit(0);
    }
    struct buf copy = {0};
    for (unsigned n = 0; n < PIECES;) {
        uint64_t position;
        enum err e = channel_take(channel, &copy, &position);
        if (e == ERR_END) {
            wait_for(channel_data_fd(channel));
            continue;
        }
        assert_int_equal(e, OK);
        assert_true(slice_equal(buf_slice(&copy), piece(room, n)));
        channel_finish(channel, position);
        n++;
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(channel_done(channel), channel_head(channel));
    buf_fini(&copy);
    channel_free(channel);
}

static void what_is_not_finished_takes_room_and_comes_again_to_a_new_taker(void **unused)
{
    (void)unused;
    struct channel *channel = make();
    struct buf copy = {0};
    static char half[SIZE / 2];
    uint64_t first, second, position;
    assert_false(channel_put(channel, slice_of(half, sizeof half + 1), &first));
    assert_true(channel_put(channel, slice_of(half, sizeof half - 8), &first));
    assert_true(channel_put(channel, slice_of(half, sizeof half - 8), &second));
    assert_false(channel_put(channel, SLICE(""), &position));
    assert_int_equal(channel_take(channel, &copy, &position), OK);
    assert_int_equal(channel_take(channel, &copy, &position), OK);
    channel_again(channel);
    assert_int_equal(channel_take(channel, &copy, &position), OK);
    assert_int_equal(position, second);
    assert_int_equal(channel_take(channel, &copy, &position), ERR_END);
    assert_false(channel_put(channel, SLICE("x"), &position));
    channel_resume(channel, first);
    assert_int_equal(channel_done(channel), first);
    assert_int_equal(channel_take(channel, &copy, &position), OK);
    assert_int_equal(position, second);
    channel_resume(channel, 0); /* what is finished stays so */
    assert_int_equal(channel_done(channel), first);
    channel_resume(channel, second + 8); /* never put */
    assert_int_equal(channel_done(channel), first);
    assert_true(channel_put(channel, SLICE("x"), &position));
    buf_fini(&copy);
    channel_free(channel);
}

/* The other side may be taken over: whatever it writes, only its own bytes come, or none. */
static void nonsense_from_the_other_side_is_passed_over(void **unused)
{
    (void)unused;
    struct channel *channel = make();
    struct buf copy = {0};
    uint64_t position, before;
    assert_true(channel_put(channel, SLICE("first"), &before));
    assert_int_equal(channel_take(channel, &copy, &position), OK);
    assert_true(channel_put(channel, SLICE("second"), &position));
    /* A piece that says that it is longer than what is there. */
    char forged[16] = {0};
    uint32_t size = 1000, check = ~size;
    memcpy(forged, &size, 4);
    memcpy(forged + 4, &check, 4);
    channel_tamper(channel, before, slice_of(forged, sizeof forged));
    assert_int_equal(channel_take(channel, &copy, &position), ERR_SYNTAX);
    assert_int_equal(channel_take(channel, &copy, &position), ERR_END);
    assert_true(channel_put(channel, SLICE("third"), &position));
    assert_int_equal(channel_take(channel, &copy, &position), OK);
    assert_true(slice_equal(buf_slice(&copy), SLICE("third")));
    buf_fini(&copy);
    channel_free(channel);
}

static void a_refusal_is_seen_and_wakes(void **unused)
{
    (void)unused;
    struct channel *channel = make();
    assert_int_equal(channel_refusing(channel), CHANNEL_OPEN);
    channel_refuse(channel, CHANNEL_NO_ROOM);
    wait_for(channel_done_fd(channel));
    assert_int_equal(channel_refusing(channel), CHANNEL_NO_ROOM);
    channel_free(channel);
}

static void odd_sizes_are_refused(void **unused)
{
    (void)unused;
    struct channel *channel;
    assert_int_equal(channel_new(2048, &channel, NULL), ERR_USAGE);
    assert_int_equal(channel_new(5000, &channel, NULL), ERR_USAGE);
}

/* Several processes put, one of them dies each time: what is there is whole, in its order. */
static void who_dies_putting_holds_nobody_back(void **unused)
{
    (void)unused;
    enum { PUTTERS = 6, EACH = 2000 };
    struct channel *channel = make();
    pid_t children[PUTTERS];
    for (unsigned p = 0; p < PUTTERS; p++) {
        children[p] = fork();
        if (children[p] == 0) {
            for (unsigned n = 0;;) {
                uint64_t position;
                unsigned words[2] = {p, n};
                n += channel_put(channel, slice_of((char *)words, sizeof words), &position);
            }
        }
    }
    struct buf copy = {0};
    unsigned next[PUTTERS] = {0};
    for (unsigned dead = 0; dead < PUTTERS;) {
        uint64_t position;
        unsigned words[2];
        if (channel_take(channel, &copy, &position) != OK) {
            wait_for(channel_data_fd(channel));
            continue;
        }
        channel_finish(channel, position);
        assert_int_equal(copy.size, sizeof words);
        memcpy(words, copy.at, sizeof words);
        assert_true(words[0] < PUTTERS && words[1] == next[words[0]]);
        next[words[0]]++;
        if (words[0] == dead && words[1] >= EACH) {
            kill(children[dead], SIGKILL);
            waitpid(children[dead++], NULL, 0);
        }
    }
    buf_fini(&copy);
    channel_free(channel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(what_is_put_comes_out_in_order_and_byte_for_byte),
            cmocka_unit_test(what_is_not_finished_takes_room_and_comes_again_to_a_new_taker),
            cmocka_unit_test(nonsense_from_the_other_side_is_passed_over),
            cmocka_unit_test(a_refusal_is_seen_and_wakes),
            cmocka_unit_test(odd_sizes_are_refused),
            cmocka_unit_test(who_dies_putting_holds_nobody_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
