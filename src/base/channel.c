#include "base/channel.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/point.h"

enum { PAGE = 4096, PREFIX = 8, ALIGN = 8 };

/* What the counters are behind the piece that ends at `head`: written before that piece is put,
 * stored into them behind it, by its putter or, when that dies, by the next who has the lock. Sums
 * and no addends: it does not matter how often they are stored. */
struct owed {
    _Atomic uint64_t head; /* 0: none */
    struct {
        _Atomic uint64_t place, sum; /* place in the counters' memory, and one; 0: none */
    } at[CHANNEL_SUMS];
};

/* What both sides see. Putters write `head` and `owed`, the taker the others. */
struct shared {
    pthread_mutex_t putting; /* robust: what who dies with it left half done is in `owed` */
    struct owed owed;
    _Alignas(64) _Atomic uint64_t head;
    _Alignas(64) _Atomic uint64_t done;
    _Atomic uint32_t refusing;
};

struct channel {
    uint64_t id;
    size_t size; /* of the data, a power of two */
    struct shared *shared;
    char *data; /* mapped twice, one behind the other: every piece is in one */
    int data_fd, done_fd;
    _Atomic uint64_t *sums; /* the counters' memory, and how many fit */
    size_t sum_count;
    uint64_t taken;  /* the taker's own, as is the next */
    uint64_t before; /* the last piece */
};

/* The header's page, and behind it the same data twice. */
static char *map(size_t size)
{
    int fd = memfd_create("merlon", MFD_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    size_t all = PAGE + 2 * size;
    char *at = MAP_FAILED;
    if (ftruncate(fd, (off_t)(PAGE + size)) == 0) {
        at = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    const int both = PROT_READ | PROT_WRITE, how = MAP_SHARED | MAP_FIXED;
    if (at != MAP_FAILED &&
            (mmap(at, PAGE + size, both, how, fd, 0) == MAP_FAILED ||
                    mmap(at + PAGE + size, size, both, how, fd, PAGE) == MAP_FAILED)) {
        munmap(at, all);
        at = MAP_FAILED;
    }
    close(fd);
    return at == MAP_FAILED ? NULL : at;
}

static void init_lock(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(mutex, &attr);
    pthread_mutexattr_destroy(&attr);
}

enum err channel_new(size_t bytes, struct channel **out, struct diag *diag)
{
    struct channel *channel = NULL;
    if (bytes < PAGE || (bytes & (bytes - 1)) != 0) {
        return diag_say(diag, ERR_USAGE, "a channel holds a power of two of bytes, 4,096 or more");
    }
    channel = memory_alloc(sizeof *channel);
    if (!channel) {
        return diag_say(diag, ERR_MEMORY, "no memory for a channel");
    }
    channel->size = bytes;
    channel->data_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    channel->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    char *at = map(bytes);
    if (at) {
        channel->shared = (struct shared *)(void *)at;
        channel->data = at + PAGE;
        init_lock(&channel->shared->putting);
    }
    if (!at || channel->data_fd < 0 || channel->done_fd < 0 ||
            getrandom(&channel->id, sizeof channel->id, 0) != sizeof channel->id) {
        enum err e = diag_say(diag, ERR_IO, "no channel between processes: %s", strerror(errno));
        channel_free(channel);
        return e;
    }
    *out = channel;
    return OK;
}

void channel_free(struct channel *channel)
{
    if (!channel) {
        return;
    }
    if (channel->shared) {
        munmap(channel->shared, PAGE + 2 * channel->size);
    }
    if (channel->data_fd >= 0) {
        close(channel->data_fd);
    }
    if (channel->done_fd >= 0) {
        close(channel->done_fd);
    }
    memory_free(channel);
}

uint64_t channel_id(const struct channel *channel)
{
    return channel->id;
}

static void wake(int fd)
{
    /* Full means that it is readable, which is all that is wanted. */
    (void)!write(fd, &(uint64_t){1}, sizeof(uint64_t));
}

static size_t whole(size_t size)
{
    return (PREFIX + size + ALIGN - 1) / ALIGN * ALIGN;
}

static void owe(struct channel *channel, const struct channel_sum *sums, uint64_t head)
{
    struct owed *owed = &channel->shared->owed;
    /* Nothing is in force while it is written. */
    atomic_store_explicit(&owed->head, 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    for (size_t i = 0; i < CHANNEL_SUMS; i++) {
        uint64_t place = sums[i].at ? (uint64_t)(sums[i].at - channel->sums) + 1 : 0;
        uint64_t sum = sums[i].at ? atomic_load_explicit(sums[i].at, memory_order_relaxed) : 0;
        atomic_store_explicit(&owed->at[i].place, place, memory_order_relaxed);
        atomic_store_explicit(&owed->at[i].sum, sum + sums[i].add, memory_order_relaxed);
    }
    atomic_store_explicit(&owed->head, head, memory_order_release);
}

/* Nothing is owed for a piece that was not put. Places are checked: whoever puts may have written
 * them. */
static void pay(struct channel *channel)
{
    const struct owed *owed = &channel->shared->owed;
    uint64_t head = atomic_load_explicit(&owed->head, memory_order_relaxed);
    if (head == 0 || head != atomic_load_explicit(&channel->shared->head, memory_order_relaxed)) {
        return;
    }
    for (size_t i = 0; i < CHANNEL_SUMS; i++) {
        uint64_t place = atomic_load_explicit(&owed->at[i].place, memory_order_relaxed);
        uint64_t sum = atomic_load_explicit(&owed->at[i].sum, memory_order_relaxed);
        if (place > 0 && place <= channel->sum_count) {
            atomic_store_explicit(&channel->sums[place - 1], sum, memory_order_relaxed);
        }
    }
}

static void lock(struct channel *channel)
{
    pthread_mutex_t *putting = &channel->shared->putting;
    if (pthread_mutex_lock(putting) == EOWNERDEAD) {
        pay(channel);
        pthread_mutex_consistent(putting);
    }
}

void channel_sums_in(struct channel *channel, void *memory, size_t size)
{
    channel->sums = memory;
    channel->sum_count = size / sizeof *channel->sums;
    lock(channel);
    pthread_mutex_unlock(&channel->shared->putting);
}

/* A piece is there when `head` is behind it: of a putter that died before that nothing is left. */
static bool put(struct channel *channel, struct slice bytes, const struct channel_sum *sums,
        uint64_t *position)
{
    uint64_t head = atomic_load_explicit(&channel->shared->head, memory_order_relaxed);
    uint64_t done = atomic_load_explicit(&channel->shared->done, memory_order_acquire);
    if (bytes.size > channel->size / 2 || whole(bytes.size) > channel->size - (head - done)) {
        return false;
    }
    char *to = channel->data + (head & (channel->size - 1));
    uint32_t size = (uint32_t)bytes.size, check = ~size;
    memcpy(to, &size, sizeof size);
    memcpy(to + sizeof size, &check, sizeof check);
    if (bytes.size > 0) {
        memcpy(to + PREFIX, bytes.at, bytes.size);
    }
    head += whole(bytes.size);
    if (sums) {
        owe(channel, sums, head);
        point_pass("intake.owed");
    }
    atomic_store_explicit(&channel->shared->head, head, memory_order_release);
    if (sums) {
        point_pass("intake.put");
        pay(channel);
        point_pass("intake.counted");
    }
    *position = head;
    return true;
}

bool channel_put_counted(struct channel *channel, struct slice bytes,
        const struct channel_sum *sums, uint64_t *position)
{
    lock(channel);
    bool done = put(channel, bytes, sums, position);
    pthread_mutex_unlock(&channel->shared->putting);
    if (done) {
        wake(channel->data_fd);
    }
    return done;
}

bool channel_put(struct channel *channel, struct slice bytes, uint64_t *position)
{
    return channel_put_counted(channel, bytes, NULL, position);
}

uint64_t channel_done(const struct channel *channel)
{
    return atomic_load_explicit(&channel->shared->done, memory_order_acquire);
}

uint64_t channel_head(const struct channel *channel)
{
    return atomic_load_explicit(&channel->shared->head, memory_order_acquire);
}

enum channel_refusal channel_refusing(const struct channel *channel)
{
    return (enum channel_refusal)atomic_load(&channel->shared->refusing);
}

int channel_done_fd(const struct channel *channel)
{
    return channel->done_fd;
}

int channel_data_fd(const struct channel *channel)
{
    return channel->data_fd;
}

enum err channel_take(struct channel *channel, struct buf *copy, uint64_t *position)
{
    uint64_t head = channel_head(channel);
    uint64_t there = head - channel->taken;
    uint32_t size, check;
    if (there == 0) {
        return ERR_END;
    }
    const char *at = channel->data + (channel->taken & (channel->size - 1));
    memcpy(&size, at, sizeof size);
    memcpy(&check, at + sizeof size, sizeof check);
    if (there > channel->size || check != (uint32_t)~size || size > channel->size / 2 ||
            whole(size) > there) {
        channel->taken = channel->before = head;
        *position = head;
        return ERR_SYNTAX;
    }
    buf_clear(copy);
    buf_add(copy, slice_of(at + PREFIX, size));
    if (copy->failed) {
        return ERR_MEMORY;
    }
    channel->before = channel->taken;
    channel->taken += whole(size);
    *position = channel->taken;
    return OK;
}

void channel_again(struct channel *channel)
{
    channel->taken = channel->before;
}

void channel_finish(struct channel *channel, uint64_t position)
{
    atomic_store_explicit(&channel->shared->done, position, memory_order_release);
    wake(channel->done_fd);
}

void channel_refuse(struct channel *channel, enum channel_refusal why)
{
    if (channel_refusing(channel) != why) {
        atomic_store(&channel->shared->refusing, (uint32_t)why);
        wake(channel->done_fd);
    }
}

void channel_resume(struct channel *channel, uint64_t position)
{
    uint64_t done = channel_done(channel);
    channel->taken = position > done && position <= channel_head(channel) ? position : done;
    channel->before = channel->taken;
    channel_finish(channel, channel->taken);
    wake(channel->data_fd);
}

void channel_tamper(struct channel *channel, uint64_t position, struct slice bytes)
{
    memcpy(channel->data + (position & (channel->size - 1)), bytes.at, bytes.size);
}
