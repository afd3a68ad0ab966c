#include "event/counts.h"

#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"

enum { SLOTS = 4 * COUNTS_SOURCES };

/* `slots` is an open hash table of places in `sources`, counted from 1; 0: free. A place is taken
 * first and then its slot, each in one step: a process that dies on the way leaves a hole, no lock.
 */
struct counts {
    _Atomic uint32_t slots[SLOTS];
    _Atomic uint32_t size;
    _Atomic uint64_t crowded;
    _Atomic bool ready[COUNTS_SOURCES + 1];
    _Atomic uint64_t marks; /* made so far */
    int64_t marked_ns[COUNTS_MARKS];
    struct counts_source sources[COUNTS_SOURCES + 1]; /* the last: all that found no place */
};

static void set_name(char *to, struct slice name)
{
    size_t size = name.size < COUNTS_NAME - 1 ? name.size : COUNTS_NAME - 1;
    if (size > 0) {
        memcpy(to, name.at, size);
    }
    to[size] = 0;
}

enum err counts_new(struct counts **out, struct diag *diag)
{
    struct counts *counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE,
            MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (counts == MAP_FAILED) {
        return diag_say(diag, ERR_MEMORY, "no memory for the counters");
    }
    set_name(counts->sources[COUNTS_SOURCES].name, SLICE("(others)"));
    *out = counts;
    return OK;
}

void counts_free(struct counts *counts)
{
    if (counts) {
        munmap(counts, sizeof *counts);
    }
}

void *counts_memory(struct counts *counts, size_t *size)
{
    *size = sizeof *counts;
    return counts;
}

static bool is_source(const struct counts_source *s, struct slice tenant, struct slice name)
{
    return slice_equal(slice_text(s->tenant), tenant) && slice_equal(slice_text(s->name), name);
}

/* A new place with the names in it, or the place of others. */
static uint32_t make(struct counts *counts, struct slice tenant, struct slice name)
{
    uint32_t place = atomic_fetch_add(&counts->size, 1);
    if (place >= COUNTS_SOURCES) {
        atomic_store(&counts->size, COUNTS_SOURCES);
        return COUNTS_SOURCES;
    }
    set_name(counts->sources[place].tenant, tenant);
    set_name(counts->sources[place].name, name);
    return place;
}

static struct slice cut(struct slice name)
{
    return slice_of(name.at, name.size < COUNTS_NAME - 1 ? name.size : COUNTS_NAME - 1);
}

struct counts_source *counts_source(struct counts *counts, struct slice tenant, struct slice name)
{
    tenant = cut(tenant);
    name = cut(name);
    uint64_t hash = hash_bytes(name, hash_bytes(tenant, 0));
    uint32_t made = COUNTS_SOURCES;
    for (uint32_t step = 0; step < SLOTS; step++) {
        _Atomic uint32_t *slot = &counts->slots[(hash + step) % SLOTS];
        uint32_t place = atomic_load_explicit(slot, memory_order_acquire);
        if (place == 0) {
            if (made == COUNTS_SOURCES) {
                made = make(counts, tenant, name);
            }
            if (made == COUNTS_SOURCES) {
                break;
            }
            if (atomic_compare_exchange_strong(slot, &place, made + 1)) {
                atomic_store_explicit(&counts->ready[made], true, memory_order_release);
                return &counts->sources[made];
            }
        }
        /* Somebody else's, perhaps of the same name in this moment: theirs is used, ours, if one
         * was made, stays empty. */
        if (is_source(&counts->sources[place - 1], tenant, name)) {
            return &counts->sources[place - 1];
        }
    }
    counts_add(&counts->crowded, 1);
    return &counts->sources[COUNTS_SOURCES];
}

size_t counts_size(const struct counts *counts)
{
    uint32_t size = atomic_load(&counts->size);
    size = size > COUNTS_SOURCES ? COUNTS_SOURCES : size;
    return size + (counts_crowded(counts) > 0);
}

const struct counts_source *counts_at(const struct counts *counts, size_t i)
{
    if (i >= atomic_load(&counts->size) || i >= COUNTS_SOURCES) {
        return &counts->sources[COUNTS_SOURCES];
    }
    return atomic_load_explicit(&counts->ready[i], memory_order_acquire) ? &counts->sources[i]
                                                                         : NULL;
}

uint64_t counts_crowded(const struct counts *counts)
{
    return atomic_load(&counts->crowded);
}

struct counts_totals counts_totals(const struct counts_source *source)
{
    struct counts_totals t = {.stored = atomic_load(&source->stored)};
    for (size_t i = 0; i < COUNTS_REJECTIONS; i++) {
        t.rejected += atomic_load(&source->rejected[i]);
    }
    for (size_t i = 0; i < COUNTS_DROPS; i++) {
        t.dropped += atomic_load(&source->dropped[i]);
    }
    /* Last: the log may store a record a moment before it is counted as taken. */
    uint64_t taken = atomic_load(&source->taken);
    t.received = (taken > t.stored ? taken : t.stored) + t.rejected + t.dropped;
    return t;
}

void counts_hours(struct counts *counts, int64_t wall_ns)
{
    const int64_t hour_ns = INT64_C(3600) * 1000000000;
    uint64_t made = atomic_load(&counts->marks);
    uint32_t place = (uint32_t)(made % COUNTS_MARKS);
    if (made > 0 && counts->marked_ns[(made - 1) % COUNTS_MARKS] / hour_ns == wall_ns / hour_ns) {
        return;
    }
    size_t size = counts_size(counts);
    for (size_t i = 0; i < size; i++) {
        struct counts_source *source =
                &counts->sources[i < atomic_load(&counts->size) ? i : COUNTS_SOURCES];
        source->marks[place] = counts_totals(source);
    }
    counts->marked_ns[place] = wall_ns;
    atomic_store(&counts->marks, made + 1);
}

size_t counts_marks(const struct counts *counts, struct counts_mark out[COUNTS_MARKS])
{
    uint64_t made = atomic_load(&counts->marks);
    size_t count = made < COUNTS_MARKS - 1 ? made : COUNTS_MARKS - 1;
    for (size_t i = 0; i < count; i++) {
        uint32_t place = (uint32_t)((made - count + i) % COUNTS_MARKS);
        out[i] = (struct counts_mark){.ns = counts->marked_ns[place], .place = place};
    }
    return count;
}

const char *counts_rejection_name(enum counts_rejection rejection)
{
    static const char *const names[COUNTS_REJECTIONS] = {"too_long", "framing", "syntax"};
    return names[rejection];
}

const char *counts_drop_name(enum counts_drop drop)
{
    static const char *const names[COUNTS_DROPS] = {"kernel_queue", "busy", "cut"};
    return names[drop];
}
