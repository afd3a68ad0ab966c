#include "correlate/sorter.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"

enum { SIZE_BYTES = 4 };

/* A record in memory. `head`: its first eight bytes, which decide most comparisons. */
struct entry {
    uint64_t head;
    size_t at;
    size_t size;
};

/* A sorted stretch of the file; its next record stands at the front of `bytes`. */
struct run {
    uint64_t at, end; /* of the file: not yet read */
    char *bytes;
    size_t room, first, size;
    struct slice record; /* the next; .at NULL: none */
};

struct sorter {
    struct sorter_setting setting;
    struct buf bytes;
    struct entry *entries;
    size_t count, entry_room, next;
    struct run *runs;
    size_t run_count, run_room;
    uint64_t written;    /* bytes of the file */
    struct run *current; /* whose record was handed out last */
    bool in_order;
};

int sorter_temporary(void)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/merlon-XXXXXX", folder && *folder ? folder : "/tmp");
    if (n < 0 || (size_t)n >= sizeof path) {
        return -1;
    }
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) {
        unlink(path);
    }
    return fd;
}

enum err sorter_new(const struct sorter_setting *setting, struct sorter **out)
{
    struct sorter *s = memory_alloc(sizeof *s);
    if (!s) {
        return ERR_MEMORY;
    }
    s->setting = *setting;
    s->in_order = true;
    *out = s;
    return OK;
}

void sorter_free(struct sorter *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; i < s->run_count; i++) {
        memory_free(s->runs[i].bytes);
    }
    memory_free(s->runs);
    memory_free(s->entries);
    buf_fini(&s->bytes);
    if (s->setting.fd >= 0) {
        close(s->setting.fd);
    }
    memory_free(s);
}

/* ---- in memory ----------------------------------------------------------------------------- */

static uint64_t head_of(struct slice record, size_t key)
{
    uint64_t head = 0;
    for (size_t i = 0; i < 8; i++) {
        head = head << 8 | (i < key ? (unsigned char)record.at[i] : 0);
    }
    return head;
}

static int compare_entries(const void *a, const void *b, void *context)
{
    const struct entry *x = a, *y = b;
    const struct sorter *s = context;
    if (x->head != y->head) {
        return x->head < y->head ? -1 : 1;
    }
    int order = memcmp(s->bytes.at + x->at, s->bytes.at + y->at, s->setting.key);
    if (order == 0) {
        order = x->at < y->at ? -1 : x->at > y->at;
    }
    return order;
}

static void sort_entries(struct sorter *s)
{
    if (!s->in_order && s->count > 1) {
        qsort_r(s->entries, s->count, sizeof *s->entries, compare_entries, s);
    }
}

static void forget_entries(struct sorter *s)
{
    buf_clear(&s->bytes);
    s->count = 0;
    s->in_order = true;
}

/* ---- to the file --------------------------------------------------------------------------- */

static enum err write_all(struct sorter *s, struct slice bytes, struct diag *diag)
{
    while (bytes.size > 0) {
        ssize_t n = write(s->setting.fd, bytes.at, bytes.size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return diag_say(diag, ERR_IO, "the temporary file of correlations: %s",
                    n < 0 ? strerror(errno) : "nothing could be written");
        }
        s->written += (uint64_t)n;
        bytes = slice_of(bytes.at + n, bytes.size - (size_t)n);
    }
    return OK;
}

static void put_size(struct buf *out, size_t size)
{
    for (int i = SIZE_BYTES; i-- > 0;) {
        buf_byte(out, (char)(size >> 8 * i & 0xFF));
    }
}

static size_t get_size(const char *at)
{
    size_t size = 0;
    for (int i = 0; i < SIZE_BYTES; i++) {
        size = size << 8 | (unsigned char)at[i];
    }
    return size;
}

static enum err write_entries(struct sorter *s, struct buf *out, struct diag *diag)
{
    for (size_t i = 0; i < s->count; i++) {
        put_size(out, s->entries[i].size);
        buf_add(out, slice_of(s->bytes.at + s->entries[i].at, s->entries[i].size));
        if (out->failed) {
            return diag_say(diag, ERR_MEMORY, "no memory to sort events for correlations");
        }
        if (out->size >= SORTER_BUFFER || i + 1 == s->count) {
            TRY(write_all(s, buf_slice(out), diag));
            buf_clear(out);
        }
    }
    return OK;
}

/* What is in memory becomes a run of the file. */
static enum err write_run(struct sorter *s, struct diag *diag)
{
    struct buf out = {0};
    uint64_t start = s->written;
    if (!memory_grow(&s->runs, &s->run_room, s->run_count + 1, sizeof *s->runs)) {
        return diag_say(diag, ERR_MEMORY, "no memory to sort events for correlations");
    }
    sort_entries(s);
    enum err e = write_entries(s, &out, diag);
    buf_fini(&out);
    if (e != OK) {
        return e;
    }
    s->runs[s->run_count++] = (struct run){.at = start, .end = s->written};
    if (s->run_count % SORTER_RUNS == 0) {
        s->setting.budget *= 2;
    }
    forget_entries(s);
    return OK;
}

static size_t bytes_held(const struct sorter *s)
{
    return s->bytes.size + s->count * sizeof *s->entries;
}

enum err sorter_add(struct sorter *s, struct slice record, struct diag *diag)
{
    assert(record.size >= s->setting.key);
    if (record.size > SORTER_RECORD) {
        return diag_say(diag, ERR_LIMIT, "an event's values for correlations are over %d bytes",
                (int)SORTER_RECORD);
    }
    if (s->count > 0 && s->setting.fd >= 0 && bytes_held(s) + record.size > s->setting.budget) {
        TRY(write_run(s, diag));
    }
    struct entry entry = {head_of(record, s->setting.key), s->bytes.size, record.size};
    buf_add(&s->bytes, record);
    if (s->bytes.failed || !memory_grow(&s->entries, &s->entry_room, s->count + 1, sizeof entry)) {
        return diag_say(diag, ERR_MEMORY, "no memory to sort events for correlations");
    }
    s->entries[s->count++] = entry;
    if (s->in_order && s->count > 1) {
        s->in_order = compare_entries(&s->entries[s->count - 2], &entry, s) < 0;
    }
    return OK;
}

/* ---- from the file ------------------------------------------------------------------------- */

static enum err read_more(struct sorter *s, struct run *run, struct diag *diag)
{
    memmove(run->bytes, run->bytes + run->first, run->size);
    run->first = 0;
    if (lseek(s->setting.fd, (off_t)run->at, SEEK_SET) < 0) {
        return diag_say(diag, ERR_IO, "the temporary file of correlations: %s", strerror(errno));
    }
    while (run->size < run->room && run->at < run->end) {
        uint64_t left = run->end - run->at;
        size_t wanted = run->room - run->size < left ? run->room - run->size : (size_t)left;
        ssize_t n = read(s->setting.fd, run->bytes + run->size, wanted);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return diag_say(diag, ERR_IO, "the temporary file of correlations: %s",
                    n < 0 ? strerror(errno) : "it became shorter");
        }
        run->size += (size_t)n;
        run->at += (uint64_t)n;
    }
    return OK;
}

/* The next record of a run, wholly in its buffer, which grows for a long one. */
static enum err advance(struct sorter *s, struct run *run, struct diag *diag)
{
    run->first += run->record.at ? SIZE_BYTES + run->record.size : 0;
    run->size -= run->record.at ? SIZE_BYTES + run->record.size : 0;
    run->record = (struct slice){0};
    if (run->size < SIZE_BYTES && run->at < run->end) {
        TRY(read_more(s, run, diag));
    }
    if (run->size < SIZE_BYTES) {
        return OK;
    }
    size_t size = get_size(run->bytes + run->first);
    if (size > run->room - SIZE_BYTES) {
        char *bytes = memory_resize(run->bytes, size + SIZE_BYTES);
        if (!bytes) {
            return diag_say(diag, ERR_MEMORY, "no memory to sort events for correlations");
        }
        run->bytes = bytes;
        run->room = size + SIZE_BYTES;
    }
    if (run->size < SIZE_BYTES + size) {
        TRY(read_more(s, run, diag));
    }
    run->record = slice_of(run->bytes + run->first + SIZE_BYTES, size);
    return OK;
}

/* Does run a's record come before run b's? Runs were written in the order of arrival. */
static bool comes_first(const struct sorter *s, const struct run *a, const struct run *b)
{
    if (!a->record.at || !b->record.at) {
        return a->record.at != NULL;
    }
    int order = memcmp(a->record.at, b->record.at, s->setting.key);
    return order < 0 || (order == 0 && a < b);
}

/* Restores the heap of runs below `at`; runs are moved in an order of their own. */
static void sift(struct sorter *s, struct run **heap, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= s->run_count) {
            return;
        }
        if (child + 1 < s->run_count && comes_first(s, heap[child + 1], heap[child])) {
            child++;
        }
        if (!comes_first(s, heap[child], heap[at])) {
            return;
        }
        struct run *moved = heap[at];
        heap[at] = heap[child];
        heap[child] = moved;
        at = child;
    }
}

static struct run **heap_of(struct sorter *s)
{
    return (struct run **)(void *)s->entries; /* no entry is left in memory */
}

static enum err open_runs(struct sorter *s, struct diag *diag)
{
    static_assert(sizeof(struct run *) <= sizeof(struct entry), "the heap fits");
    if (!memory_grow(&s->entries, &s->entry_room, s->run_count, sizeof *s->entries)) {
        return diag_say(diag, ERR_MEMORY, "no memory to sort events for correlations");
    }
    for (size_t i = 0; i < s->run_count; i++) {
        struct run *run = &s->runs[i];
        run->room = SORTER_BUFFER;
        run->bytes = memory_alloc(run->room);
        if (!run->bytes) {
            return diag_say(diag, ERR_MEMORY, "no memory to sort events for correlations");
        }
        TRY(advance(s, run, diag));
        heap_of(s)[i] = run;
    }
    for (size_t i = s->run_count / 2 + 1; i-- > 0;) {
        sift(s, heap_of(s), i);
    }
    return OK;
}

enum err sorter_finish(struct sorter *s, struct diag *diag)
{
    if (s->run_count == 0) {
        sort_entries(s);
        return OK;
    }
    if (s->count > 0) {
        TRY(write_run(s, diag));
    }
    buf_fini(&s->bytes);
    return open_runs(s, diag);
}

enum err sorter_next(struct sorter *s, struct slice *record, struct diag *diag)
{
    if (s->run_count == 0) {
        if (s->next == s->count) {
            return ERR_END;
        }
        const struct entry *entry = &s->entries[s->next++];
        *record = slice_of(s->bytes.at + entry->at, entry->size);
        return OK;
    }
    struct run **heap = heap_of(s);
    if (s->current) {
        TRY(advance(s, s->current, diag));
        sift(s, heap, 0);
    }
    s->current = heap[0];
    if (!heap[0]->record.at) {
        return ERR_END;
    }
    *record = heap[0]->record;
    return OK;
}

uint32_t sorter_runs(const struct sorter *s)
{
    return (uint32_t)s->run_count;
}
