#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/point.h"

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

/* ---- counted as they are put -------------------------------------------------------------------
 */

enum { COUNTERS = 5, RECORDS = 1, BYTES = 4 }; /* two of them are used */

static _Atomic uint64_t *make_counters(struct channel *channel)
{
    _Atomic uint64_t *counters = mmap(NULL, COUNTERS * sizeof *counters, PROT_READ | PROT_WRITE,
            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(counters != MAP_FAILED);
    channel_sums_in(channel, counters, COUNTERS * sizeof *counters);
    return counters;
}

static bool put_counted(struct channel *channel, _Atomic uint64_t *counters, struct slice bytes)
{
    uint64_t position;
    const struct channel_sum sums[CHANNEL_SUMS] = {
            {&counters[RECORDS], 1}, {&counters[BYTES], bytes.size}};
    return channel_put_counted(channel, bytes, sums, &position);
}

/* As much is counted as came through: at[0] pieces of at[1] bytes until the last call. */
static void expect_exact(struct channel *channel, const _Atomic uint64_t *counters, uint64_t at[2])
{
    struct buf copy = {0};
    uint64_t position;
    while (channel_take(channel, &copy, &position) == OK) {
        channel_finish(channel, position);
        at[0]++;
        at[1] += copy.size;
    }
    buf_fini(&copy);
    assert_int_equal(counters[RECORDS], at[0]);
    assert_int_equal(counters[BYTES], at[1]);
    assert_true(counters[0] == 0 && counters[2] == 0 && counters[3] == 0);
}

static void what_is_put_is_counted(void **unused)
{
    (void)unused;
    struct channel *channel = make();
    _Atomic uint64_t *counters = make_counters(channel);
    uint64_t position, at[2] = {0};
    static char half[SIZE / 2];
    const struct channel_sum one[CHANNEL_SUMS] = {{&counters[RECORDS], 1}, {NULL, 7}};
    assert_true(put_counted(channel, counters, SLICE("one")));
    assert_true(put_counted(channel, counters, SLICE("three")));
    assert_false(put_counted(channel, counters, slice_of(half, sizeof half + 1)));
    assert_true(channel_put_counted(channel, SLICE(""), one, &position));
    expect_exact(channel, counters, at);
    assert_int_equal(counters[RECORDS], 3);
    munmap(counters, COUNTERS * sizeof *counters);
    channel_free(channel);
}

/* The child dies by itself at a named place of its second put. */
static void who_dies_at_a_point_has_counted_what_it_put(void **unused)
{
    (void)unused;
    static const struct {
        const char *point;
        uint64_t records;
    } rows[] = {{"intake.owed:2", 1}, {"intake.put:2", 2}, {"intake.counted:2", 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct channel *channel = make();
        _Atomic uint64_t *counters = make_counters(channel);
        uint64_t at[2] = {0};
        int status;
        pid_t child = fork();
        if (child == 0) {
            setenv("MERLON_POINT", rows[i].point, 1);
            point_arm();
            _exit(put_counted(channel, counters, SLICE("one")) +
                    put_counted(channel, counters, SLICE("another")));
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        channel_sums_in(channel, counters, COUNTERS * sizeof *counters);
        assert_int_equal(counters[RECORDS], rows[i].records);
        expect_exact(channel, counters, at);
        assert_true(put_counted(channel, counters, SLICE("last")));
        expect_exact(channel, counters, at);
        munmap(counters, COUNTERS * sizeof *counters);
        channel_free(channel);
    }
}

/* In a child: stops before it puts once, and behind it. */
static void put_stepwise(struct channel *channel, _Atomic uint64_t *counters)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
        _exit(2);
    }
    raise(SIGSTOP);
    bool put = put_counted(channel, counters, SLICE("once"));
    raise(put ? SIGSTOP : SIGABRT);
}

/* So many instructions further; false: it has put before. */
static bool step(pid_t child, unsigned steps, int *status)
{
    for (unsigned n = 0; n < steps; n++) {
        if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0 ||
                waitpid(child, status, 0) != child || !WIFSTOPPED(*status) ||
                WSTOPSIG(*status) != SIGTRAP) {
            return false;
        }
    }
    return true;
}

/* A kill behind the first, second, third ... instruction of a put, until it comes to its end. */
static void who_dies_at_any_instruction_has_counted_what_it_put(void **unused)
{
    (void)unused;
    struct channel *channel = make();
    _Atomic uint64_t *counters = make_counters(channel);
    assert_true(put_counted(channel, counters, SLICE("first"))); /* names are bound */
    uint64_t at[2] = {0};
    int status;
    bool there = true;
    unsigned steps = 0;
    /* With a sanitizer's instructions between them there are many: not each then. */
    for (; there; steps += steps < 600 ? 1 : 7) {
        pid_t child = fork();
        if (child == 0) {
            put_stepwise(channel, counters);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status)) {
            assert_int_equal(steps, 0);
            skip(); /* nobody may be traced here */
        }
        there = step(child, steps, &status);
        assert_true(there || WSTOPSIG(status) == SIGSTOP);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        channel_sums_in(channel, counters, COUNTERS * sizeof *counters);
        expect_exact(channel, counters, at);
    }
    assert_true(steps > 100 && at[0] > 10 && at[0] < steps); /* it was seen before and behind it */
    munmap(counters, COUNTERS * sizeof *counters);
    channel_free(channel);
}

/* Whoever puts may have been taken over: it names no memory but the counters'. */
static void sums_elsewhere_are_not_stored(void **unused)
{
    (void)unused;
    struct channel *channel = make();
    _Atomic uint64_t *counters = make_counters(channel);
    channel_sums_in(channel, counters, BYTES * sizeof *counters);
    assert_true(put_counted(channel, counters, SLICE("one")));
    assert_int_equal(counters[RECORDS], 1);
    assert_int_equal(counters[BYTES], 0);
    munmap(counters, COUNTERS * sizeof *counters);
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
            cmocka_unit_test(what_is_put_is_counted),
            cmocka_unit_test(who_dies_at_a_point_has_counted_what_it_put),
            cmocka_unit_test(who_dies_at_any_instruction_has_counted_what_it_put),
            cmocka_unit_test(sums_elsewhere_are_not_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
