#include "app/turn.h"

void turn_init(struct turn *turn)
{
    pthread_mutex_init(&turn->mutex, NULL);
    pthread_cond_init(&turn->moved, NULL);
}

void turn_parcel_fini(struct parcel *parcel)
{
    buf_fini(&parcel->out);
    buf_fini(&parcel->notes);
    buf_fini(&parcel->marks);
    buf_fini(&parcel->hosts);
}

void turn_fini(struct turn *turn)
{
    for (size_t i = 0; i < TURN_AHEAD; i++) {
        turn_parcel_fini(&turn->parcels[i]);
    }
    pthread_cond_destroy(&turn->moved);
    pthread_mutex_destroy(&turn->mutex);
}

static void empty_buf(struct buf *b)
{
    if (b->room > TURN_KEPT) {
        buf_fini(b);
    } else {
        buf_clear(b);
    }
}

static void empty(struct parcel *parcel)
{
    empty_buf(&parcel->out);
    empty_buf(&parcel->notes);
    empty_buf(&parcel->marks);
    empty_buf(&parcel->hosts);
    parcel->counts = (struct turn_counts){0};
}

void turn_deliver(struct turn *turn, uint64_t sequence, struct parcel *parcel)
{
    size_t slot = sequence % TURN_AHEAD;
    pthread_mutex_lock(&turn->mutex);
    while (sequence >= turn->next + TURN_AHEAD) {
        pthread_cond_wait(&turn->moved, &turn->mutex);
    }
    struct parcel spare = turn->parcels[slot];
    turn->parcels[slot] = *parcel;
    *parcel = spare;
    turn->ready[slot] = true;
    if (turn->taking) {
        pthread_mutex_unlock(&turn->mutex); /* whoever takes comes to it */
        return;
    }
    turn->taking = true;
    while (turn->ready[turn->next % TURN_AHEAD]) {
        slot = turn->next % TURN_AHEAD;
        pthread_mutex_unlock(&turn->mutex);
        turn->take(turn->context, &turn->parcels[slot]);
        empty(&turn->parcels[slot]);
        pthread_mutex_lock(&turn->mutex);
        turn->ready[slot] = false;
        turn->next++;
        pthread_cond_broadcast(&turn->moved);
    }
    turn->taking = false;
    pthread_cond_broadcast(&turn->moved);
    pthread_mutex_unlock(&turn->mutex);
}

void turn_flush(struct turn *turn, uint64_t sequence, struct parcel *parcel)
{
    pthread_mutex_lock(&turn->mutex);
    while (turn->next != sequence || turn->taking) {
        pthread_cond_wait(&turn->moved, &turn->mutex);
    }
    /* Nobody else takes: what is next is ours, and not delivered yet. */
    pthread_mutex_unlock(&turn->mutex);
    turn->take(turn->context, parcel);
    empty(parcel);
}
