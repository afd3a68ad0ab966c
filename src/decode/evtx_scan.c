#include "decode/evtx_scan.h"

#include <string.h>

#include "base/sum.h"
#include "decode/evtx_bytes.h"

/* Offsets in a chunk's header. */
enum {
    AT_FIRST_ID = 24,
    AT_LAST_ID = 32,
    AT_HEADER_SIZE = 40,
    AT_LAST_RECORD = 44,
    AT_FREE = 48,
    AT_RECORDS_SUM = 52,
    AT_FLAGS = 120,
    AT_HEADER_SUM = 124,
    AT_TABLES = 128,
    FLAG_NO_SUM = 4,
};

static const char signature[4] = {'*', '*', 0, 0};
static const char magic[8] = "ElfChnk";

bool evtx_scan_blank(struct slice bytes)
{
    return bytes.size == 0 ||
           (bytes.at[0] == 0 && memcmp(bytes.at, bytes.at + 1, bytes.size - 1) == 0);
}

static uint32_t header_sum(struct slice chunk)
{
    char summed[AT_FLAGS + EVTX_CHUNK_HEADER - AT_TABLES];
    memcpy(summed, chunk.at, AT_FLAGS);
    /* The magic is known: a header that lost it still proves itself by its sum. */
    memcpy(summed, magic, sizeof magic);
    memcpy(summed + AT_FLAGS, chunk.at + AT_TABLES, EVTX_CHUNK_HEADER - AT_TABLES);
    return sum_add(0, slice_of(summed, sizeof summed));
}

static bool offsets_make_sense(struct slice chunk)
{
    uint32_t free_at = evtx_u32(chunk.at + AT_FREE);
    uint32_t last_at = evtx_u32(chunk.at + AT_LAST_RECORD);
    return evtx_u32(chunk.at + AT_HEADER_SIZE) == AT_TABLES && free_at >= EVTX_CHUNK_HEADER &&
           free_at <= EVTX_CHUNK && last_at <= free_at;
}

bool evtx_scan_header(struct slice chunk)
{
    return chunk.size >= EVTX_CHUNK_HEADER && memcmp(chunk.at, magic, sizeof magic) == 0 &&
           offsets_make_sense(chunk);
}

void evtx_scan_begin(struct evtx_scan *scan, struct slice chunk)
{
    *scan = (struct evtx_scan){.chunk = chunk, .end = (uint32_t)chunk.size};
    scan->header = evtx_scan_header(chunk) ||
                   (chunk.size >= EVTX_CHUNK_HEADER && offsets_make_sense(chunk) &&
                           evtx_u32(chunk.at + AT_HEADER_SUM) == header_sum(chunk));
    if (scan->header) {
        uint32_t free_at = evtx_u32(chunk.at + AT_FREE);
        scan->end = free_at < chunk.size ? free_at : (uint32_t)chunk.size;
        scan->first_id = evtx_u64(chunk.at + AT_FIRST_ID);
        scan->last_id = evtx_u64(chunk.at + AT_LAST_ID);
        scan->at = EVTX_CHUNK_HEADER;
    } else if (evtx_scan_blank(chunk)) {
        scan->at = scan->end; /* room that the log has not used yet */
    } else if (chunk.size >= EVTX_CHUNK_HEADER + sizeof signature &&
               memcmp(chunk.at + EVTX_CHUNK_HEADER, signature, sizeof signature) == 0) {
        scan->at = EVTX_CHUNK_HEADER;
    }
}

/* The size of the record at `at`, 0 when none is there. Whole: the copy of its size stands at its
 * end. */
static uint32_t record_size(const struct evtx_scan *scan, uint32_t at, bool *whole)
{
    struct slice chunk = scan->chunk;
    if (chunk.size < EVTX_RECORD_LEAST || at > chunk.size - EVTX_RECORD_LEAST ||
            memcmp(chunk.at + at, signature, sizeof signature) != 0) {
        return 0;
    }
    uint32_t size = evtx_u32(chunk.at + at + 4);
    if (size < EVTX_RECORD_LEAST || size > chunk.size - at) {
        return 0;
    }
    *whole = evtx_u32(chunk.at + at + size - 4) == size;
    return size;
}

/* A record that starts where the one before it ends: when only the copy of its size is broken, the
 * record behind it still proves the size. */
static uint32_t record_follows(const struct evtx_scan *scan, uint32_t at)
{
    bool whole = false, next_whole = false;
    uint32_t size = record_size(scan, at, &whole);
    if (size == 0 || whole) {
        return size;
    }
    return record_size(scan, at + size, &next_whole) != 0 && next_whole ? size : 0;
}

static uint64_t record_id(const struct evtx_scan *scan, uint32_t at)
{
    return evtx_u64(scan->chunk.at + at + 8);
}

/* The next whole record at or behind `from` that belongs here: ids rise, and stay in the range
 * that the header names; a chunk that is in its second round holds older ones too. 0: none. */
static uint32_t find_record(const struct evtx_scan *scan, uint32_t from)
{
    const char *base = scan->chunk.at;
    while (from < scan->end) {
        const char *hit = memmem(base + from, scan->end - from, signature, sizeof signature);
        if (!hit) {
            return 0;
        }
        uint32_t at = (uint32_t)(hit - base);
        bool whole = false;
        uint32_t size = record_size(scan, at, &whole);
        if (size && whole && size <= scan->end - at) {
            uint64_t id = record_id(scan, at);
            bool rising = !scan->any || id > scan->newest_id;
            bool named = !scan->header || (id >= scan->first_id && id <= scan->last_id);
            if (rising && named) {
                return at;
            }
        }
        from = at + 1;
    }
    return 0;
}

/* The last record that the header names: what is behind it is stale, whatever "free" says; unless
 * it has an id of this chunk, then an id is broken here. */
static bool is_last(const struct evtx_scan *scan)
{
    bool whole = false;
    if (!scan->header || scan->newest_id != scan->last_id) {
        return false;
    }
    if (!record_size(scan, scan->at, &whole) || !whole) {
        return true;
    }
    uint64_t id = record_id(scan, scan->at);
    return id < scan->first_id || id > scan->last_id;
}

static struct evtx_item take_record(struct evtx_scan *scan, uint32_t size)
{
    struct evtx_item item = {EVTX_RECORD, scan->at, size};
    scan->newest_id = record_id(scan, scan->at);
    scan->any = true;
    scan->at += size;
    if (scan->at < scan->end && is_last(scan)) {
        scan->end = scan->at;
    }
    return item;
}

/* Behind the live records. A log that was not closed has a header that is older than its records,
 * and a header may be broken: the next id right behind the last one is live too. */
static struct evtx_item scan_free(struct evtx_scan *scan)
{
    bool whole = false;
    uint32_t size = 0;
    if (scan->header && scan->any && !scan->torn) {
        size = record_size(scan, scan->at, &whole);
    }
    if (size && whole && record_id(scan, scan->at) == scan->newest_id + 1) {
        return take_record(scan, size);
    }
    return (struct evtx_item){EVTX_END, scan->at, 0};
}

struct evtx_item evtx_scan_next(struct evtx_scan *scan)
{
    if (scan->at >= scan->end) {
        return scan_free(scan);
    }
    uint32_t size = record_follows(scan, scan->at);
    uint32_t at = scan->at;
    if (size && (scan->header || !scan->any || record_id(scan, at) > scan->newest_id)) {
        return take_record(scan, size);
    }
    if (size) {
        scan->at = scan->end; /* no header says where the live ones end, but ids fall */
        return (struct evtx_item){EVTX_END, at, 0};
    }
    uint32_t next = find_record(scan, at + 1);
    struct slice rest = slice_of(scan->chunk.at + at, scan->end - at);
    if (!next && evtx_scan_blank(rest)) {
        scan->blank_rest = scan->header;
        scan->torn = true;
        scan->at = scan->end;
        return (struct evtx_item){EVTX_END, at, 0};
    }
    scan->at = next ? next : scan->end;
    scan->torn = !next;
    return (struct evtx_item){EVTX_DAMAGE, at, scan->at - at};
}

enum evtx_sum evtx_scan_sum(struct slice chunk)
{
    if (chunk.size < EVTX_CHUNK_HEADER || memcmp(chunk.at, magic, sizeof magic) != 0) {
        return EVTX_SUM_NO_HEADER;
    }
    if (evtx_u32(chunk.at + AT_FLAGS) & FLAG_NO_SUM) {
        return EVTX_SUM_OK;
    }
    if (evtx_u32(chunk.at + AT_HEADER_SUM) != header_sum(chunk)) {
        return EVTX_SUM_HEADER;
    }
    uint32_t free_at = evtx_u32(chunk.at + AT_FREE);
    if (free_at < EVTX_CHUNK_HEADER || free_at > chunk.size) {
        return EVTX_SUM_RECORDS;
    }
    uint32_t sum = sum_add(0, slice_of(chunk.at + EVTX_CHUNK_HEADER, free_at - EVTX_CHUNK_HEADER));
    return evtx_u32(chunk.at + AT_RECORDS_SUM) == sum ? EVTX_SUM_OK : EVTX_SUM_RECORDS;
}
