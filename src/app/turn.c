#include "app/turn.h"

#include "base/memory.h"

struct turn_slot {
    struct parcel parcel;
    bool ready; /* delivered, and not its turn yet */
};

enum err turn_init(struct turn *turn, unsigned jobs)
{
    turn->ahead = (uint64_t)jobs * TURN_AHEAD_A_JOB;
    turn->slots = memory_alloc_array(turn->ahead, sizeof *turn->slots);
    if (!turn->slots) {
        return ERR_MEMORY;
    }
    pthread_mutex_init(&turn->mutex, NULL);
    pthread_cond_init(&turn->moved, NULL);
    return OK;
}

void turn_parcel_fini(struct parcel *parcel)
{
    buf_fini(&parcel->out);
    buf_fini(&parcel->notes);
    buf_fini(&parcel->marks);
    buf_fini(&parcel->hosts);
    buf_fini(&parcel->pieces);
    buf_fini(&parcel->matches);
}

void turn_fini(struct turn *turn)
{
    if (!turn->slots) {
        return;
    }
    for (uint64_t i = 0; i < turn->ahead; i++) {
        turn_parcel_fini(&turn->slots[i].parcel);
    }
    memory_free(turn->slots);
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

void turn_parcel_clear(struct parcel *parcel)
{
    empty_buf(&parcel->out);
    empty_buf(&parcel->notes);
    empty_buf(&parcel->marks);
    empty_buf(&parcel->hosts);
    empty_buf(&parcel->pieces);
    empty_buf(&parcel->matches);
    parcel->counts = (struct turn_counts){0};
}

/* Takes a parcel whose turn it is; called and left with the mutex held. */
static void take_next(struct turn *turn, struct parcel *parcel)
{
    pthread_mutex_unlock(&turn->mutex);
    turn->take(turn->context, parcel);
    turn_parcel_clear(parcel);
    pthread_mutex_lock(&turn->mutex);
    turn->next++;
    pthread_cond_broadcast(&turn->moved);
}

static size_t weight(const struct parcel *p)
{
    return p->out.size + p->notes.size + p->marks.size + p->hosts.size + p->pieces.size +
           p->matches.size;
}

/* Whose turn it is never is. */
static bool is_too_far(const struct turn *turn, uint64_t sequence)
{
    return sequence >= turn->next + turn->ahead ||
           (sequence != turn->next && turn->waiting > TURN_WAITING);
}

void turn_deliver(struct turn *turn, uint64_t sequence, struct parcel *parcel)
{
    pthread_mutex_lock(&turn->mutex);
    while (is_too_far(turn, sequence)) {
        pthread_cond_wait(&turn->moved, &turn->mutex);
    }
    if (turn->taking || turn->next != sequence) {
        /* Whoever delivers what is next, or is taking now, comes to it. */
        struct turn_slot *slot = &turn->slots[sequence % turn->ahead];
        struct parcel spare = slot->parcel;
        slot->parcel = *parcel;
        slot->ready = true;
        turn->waiting += weight(parcel);
        *parcel = spare;
        pthread_mutex_unlock(&turn->mutex);
        return;
    }
    turn->taking = true;
    take_next(turn, parcel);
    for (struct turn_slot *slot; (slot = &turn->slots[turn->next % turn->ahead])->ready;) {
        slot->ready = false;
        turn->waiting -= weight(&slot->parcel);
        take_next(turn, &slot->parcel);
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
    turn_parcel_clear(parcel);
}
