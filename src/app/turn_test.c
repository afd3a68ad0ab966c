#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "app/turn.h"

enum { PARCELS = 3000, THREADS = 4 };

/* What the end of the pipeline sees. */
struct sink {
    struct buf all;
    atomic_int inside;
    bool overlapped;
};

static void take(void *context, const struct parcel *parcel)
{
    struct sink *sink = context;
    sink->overlapped |= atomic_fetch_add(&sink->inside, 1) > 0;
    buf_add(&sink->all, buf_slice(&parcel->out));
    atomic_fetch_sub(&sink->inside, 1);
}

struct crew {
    struct turn turn;
    struct sink sink;
    atomic_uint next;
};

/* Delivers numbers as it gets them, some in two parts, at its own pace. */
static void *deliver(void *context)
{
    struct crew *crew = context;
    struct parcel parcel = {0};
    unsigned seed = 1;
    for (;;) {
        unsigned n = atomic_fetch_add(&crew->next, 1);
        if (n >= PARCELS) {
            break;
        }
        for (int i = rand_r(&seed) % 50; i > 0; i--) {
            sched_yield();
        }
        buf_format(&parcel.out, "%u", n);
        if (n % 7 == 0) {
            turn_flush(&crew->turn, n, &parcel);
            assert(parcel.out.size == 0);
        }
        buf_add(&parcel.out, SLICE("\n"));
        turn_deliver(&crew->turn, n, &parcel);
        assert(parcel.out.size == 0 && parcel.counts.events == 0);
    }
    turn_parcel_fini(&parcel);
    return NULL;
}

static void parcels_come_out_in_order_one_at_a_time(void **state)
{
    (void)state;
    static struct crew crew;
    pthread_t threads[THREADS];
    struct buf expected = {0};
    crew.turn.take = take;
    crew.turn.context = &crew.sink;
    assert_int_equal(turn_init(&crew.turn, THREADS), OK);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, deliver, &crew), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (unsigned n = 0; n < PARCELS; n++) {
        buf_format(&expected, "%u\n", n);
    }
    assert_true(slice_equal(buf_slice(&crew.sink.all), buf_slice(&expected)));
    assert_false(crew.sink.overlapped);
    turn_fini(&crew.turn);
    buf_fini(&expected);
    buf_fini(&crew.sink.all);
}

enum { LARGE = 1 << 20, LARGE_PARCELS = 40 };

static size_t waiting(struct turn *turn)
{
    pthread_mutex_lock(&turn->mutex);
    size_t bytes = turn->waiting;
    pthread_mutex_unlock(&turn->mutex);
    assert(bytes <= TURN_WAITING + LARGE);
    return bytes;
}

/* The first number comes when the others cannot go on. */
static void *deliver_large(void *context)
{
    struct crew *crew = context;
    struct parcel parcel = {0};
    for (unsigned n; (n = atomic_fetch_add(&crew->next, 1)) < LARGE_PARCELS;) {
        while (n == 0 && waiting(&crew->turn) <= TURN_WAITING) {
            sched_yield();
        }
        char *to = buf_reserve(&parcel.out, LARGE);
        assert(to);
        memset(to, (int)n, LARGE);
        parcel.out.size = LARGE;
        turn_deliver(&crew->turn, n, &parcel);
        (void)waiting(&crew->turn);
    }
    turn_parcel_fini(&parcel);
    return NULL;
}

static void waiting_parcels_are_bounded(void **state)
{
    (void)state;
    static struct crew crew;
    pthread_t other;
    crew.turn.take = take;
    crew.turn.context = &crew.sink;
    assert_int_equal(turn_init(&crew.turn, 2), OK);
    assert_int_equal(pthread_create(&other, NULL, deliver_large, &crew), 0);
    (void)deliver_large(&crew);
    pthread_join(other, NULL);
    assert_int_equal(crew.sink.all.size, (size_t)LARGE * LARGE_PARCELS);
    for (size_t n = 0; n < LARGE_PARCELS; n++) {
        assert_int_equal(crew.sink.all.at[n * LARGE], n);
    }
    assert_int_equal(crew.turn.waiting, 0);
    turn_fini(&crew.turn);
    buf_fini(&crew.sink.all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(parcels_come_out_in_order_one_at_a_time),
            cmocka_unit_test(waiting_parcels_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
