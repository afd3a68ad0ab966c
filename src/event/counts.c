#include "event/counts.h"

#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"

enum { SLOTS = 4 * COUNTS_SOURCES };
#define GONE UINT32_MAX /* in a slot: the place that stood here was forgotten; a search goes on */

enum state { MADE, STANDS, LEAVING, FREE };

/* `slots` is an open hash table of places in `sources`, counted from 1; 0: free. A place is taken
 * first and then its slot, each in one step: a process that dies on the way leaves a hole, no lock.
 */
struct counts {
    _Atomic uint32_t slots[SLOTS];
    _Atomic uint32_t size;
    _Atomic uint32_t free; /* places below it that are FREE, or a few more */
    _Atomic uint64_t crowded, forgotten;
    _Atomic uint8_t states[COUNTS_SOURCES + 1];
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

/* One that was given back. */
static uint32_t take_free(struct counts *counts)
{
    for (uint32_t i = 0; i < COUNTS_SOURCES && atomic_load(&counts->free) > 0; i++) {
        uint8_t state = FREE;
        if (atomic_compare_exchange_strong(&counts->states[i], &state, MADE)) {
            atomic_fetch_sub(&counts->free, 1);
            return i;
        }
    }
    return COUNTS_SOURCES;
}

static void give_back(struct counts *counts, uint32_t place)
{
    atomic_store(&counts->states[place], FREE);
    atomic_fetch_add(&counts->free, 1);
}

/* A new place with the names in it, or the place of others. */
static uint32_t make(struct counts *counts, struct slice tenant, struct slice name)
{
    uint32_t place = take_free(counts);
    if (place == COUNTS_SOURCES) {
        place = atomic_fetch_add(&counts->size, 1);
    }
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

static uint64_t hash_of(struct slice tenant, struct slice name)
{
    return hash_bytes(name, hash_bytes(tenant, 0));
}

/* The source's place; COUNTS_SOURCES: it has none, *spot is where its slot may be, and *was what
 * stood there. */
static uint32_t find(struct counts *counts, struct slice tenant, struct slice name,
        _Atomic uint32_t **spot, uint32_t *was)
{
    uint64_t hash = hash_of(tenant, name);
    *spot = NULL;
    for (uint32_t step = 0; step < SLOTS; step++) {
        _Atomic uint32_t *slot = &counts->slots[(hash + step) % SLOTS];
        uint32_t place = atomic_load_explicit(slot, memory_order_acquire);
        if ((place == 0 || place == GONE) && !*spot) {
            *spot = slot;
            *was = place;
        }
        if (place == 0) {
            break;
        }
        if (place != GONE && is_source(&counts->sources[place - 1], tenant, name)) {
            return place - 1;
        }
    }
    return COUNTS_SOURCES;
}

struct counts_source *counts_source(struct counts *counts, struct slice tenant, struct slice name)
{
    tenant = cut(tenant);
    name = cut(name);
    uint32_t made = COUNTS_SOURCES, was;
    _Atomic uint32_t *spot;
    for (;;) {
        uint32_t place = find(counts, tenant, name, &spot, &was);
        if (place < COUNTS_SOURCES) {
            if (made < COUNTS_SOURCES) { /* another process was quicker */
                give_back(counts, made);
            }
            return &counts->sources[place];
        }
        if (made == COUNTS_SOURCES && spot) {
            made = make(counts, tenant, name);
        }
        if (made == COUNTS_SOURCES || !spot) {
            break;
        }
        if (atomic_compare_exchange_strong(spot, &was, made + 1)) {
            atomic_store_explicit(&counts->states[made], STANDS, memory_order_release);
            return &counts->sources[made];
        }
    }
    counts_add(&counts->crowded, 1);
    return &counts->sources[COUNTS_SOURCES];
}

uint32_t counts_number(const struct counts *counts, const struct counts_source *source)
{
    return (uint32_t)(source - counts->sources);
}

struct counts_source *counts_of(struct counts *counts, uint32_t number)
{
    return &counts->sources[number < COUNTS_SOURCES ? number : COUNTS_SOURCES];
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
    return atomic_load_explicit(&counts->states[i], memory_order_acquire) == STANDS
                   ? &counts->sources[i]
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

/* ---- from before, and no more ------------------------------------------------------------------
 */

static void hear(struct counts_source *source, int64_t last_ns)
{
    int64_t known = atomic_load(&source->last_ns);
    while (known < last_ns && !atomic_compare_exchange_weak(&source->last_ns, &known, last_ns)) {
    }
}

void counts_recall(struct counts *counts, struct slice tenant, struct slice name, int64_t last_ns)
{
    hear(counts_source(counts, tenant, name), last_ns);
}

static uint64_t came(const struct counts_source *source)
{
    uint64_t sum = atomic_load(&source->taken);
    for (size_t i = 0; i < COUNTS_REJECTIONS; i++) {
        sum += atomic_load(&source->rejected[i]);
    }
    for (size_t i = 0; i < COUNTS_DROPS; i++) {
        sum += atomic_load(&source->dropped[i]);
    }
    return sum;
}

bool counts_forget(struct counts *counts, size_t i)
{
    if (i >= COUNTS_SOURCES || atomic_load(&counts->states[i]) != STANDS) {
        return false;
    }
    struct counts_source *source = &counts->sources[i];
    struct counts_totals t = counts_totals(source);
    if (atomic_load(&source->last_ns) == 0 || t.received != t.stored + t.rejected + t.dropped) {
        return false;
    }
    source->left = came(source);
    struct slice tenant = slice_text(source->tenant), name = slice_text(source->name);
    uint64_t hash = hash_of(tenant, name);
    for (uint32_t step = 0; step < SLOTS; step++) {
        _Atomic uint32_t *slot = &counts->slots[(hash + step) % SLOTS];
        uint32_t place = atomic_load(slot);
        if (place == i + 1) {
            atomic_store(slot, GONE);
        }
        if (place == 0 || place == i + 1) { /* 0: who did this before died here */
            break;
        }
    }
    atomic_store(&counts->states[i], LEAVING);
    counts_add(&counts->forgotten, 1);
    return true;
}

bool counts_is_leaving(const struct counts *counts, size_t i)
{
    return i < COUNTS_SOURCES && atomic_load(&counts->states[i]) == LEAVING;
}

/* Somebody who had found it before counted there. */
static void move(struct counts *counts, struct counts_source *from)
{
    struct counts_source *to =
            counts_source(counts, slice_text(from->tenant), slice_text(from->name));
    counts_add(&to->taken, atomic_load(&from->taken));
    counts_add(&to->taken_bytes, atomic_load(&from->taken_bytes));
    counts_add(&to->stored, atomic_load(&from->stored));
    for (size_t i = 0; i < COUNTS_REJECTIONS; i++) {
        counts_add(&to->rejected[i], atomic_load(&from->rejected[i]));
    }
    for (size_t i = 0; i < COUNTS_DROPS; i++) {
        counts_add(&to->dropped[i], atomic_load(&from->dropped[i]));
    }
    hear(to, atomic_load(&from->last_ns));
}

void counts_settle(struct counts *counts, size_t i)
{
    if (!counts_is_leaving(counts, i)) {
        return;
    }
    struct counts_source *source = &counts->sources[i];
    if (came(source) != source->left) {
        move(counts, source);
    }
    memset(source, 0, sizeof *source);
    give_back(counts, (uint32_t)i);
}

uint64_t counts_forgotten(const struct counts *counts)
{
    return atomic_load(&counts->forgotten);
}

/* ---- hours -------------------------------------------------------------------------------------
 */

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
