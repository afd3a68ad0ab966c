/* evtx_scan: where the records of a chunk are, damaged or not.
 *
 *     struct evtx_scan scan;
 *     evtx_scan_begin(&scan, chunk);
 *     for (struct evtx_item item = evtx_scan_next(&scan); item.kind != EVTX_END; ...)
 *
 * Cutting counts with it and reading iterates with it, so that ordinals agree. Records follow one
 * another by their sizes; behind damage the walk goes on at the next record that is whole: its
 * signature, both copies of its size, its id. A stretch without a whole record is one item. Stale
 * records behind the live ones, left over from an earlier round of the log, are no items. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum evtx_item_kind { EVTX_END, EVTX_RECORD, EVTX_DAMAGE };

struct evtx_item {
    enum evtx_item_kind kind;
    uint32_t at; /* in the chunk */
    uint32_t size;
};

struct evtx_scan {
    struct slice chunk; /* at most 64 KiB, fewer at the end of a file that was cut off */
    uint32_t at;        /* the next item */
    uint32_t end;       /* of what is live */
    bool header;        /* the chunk's header can be used */
    bool blank_rest;    /* set at EVTX_END: the header promises records where zeros are */
    bool any;           /* a record was found: newest_id holds */
    bool torn;          /* the live records end in damage: nothing behind it is ours */
    uint64_t first_id;  /* of the header */
    uint64_t last_id;
    uint64_t newest_id; /* of the last record found */
};

void evtx_scan_begin(struct evtx_scan *scan, struct slice chunk);
struct evtx_item evtx_scan_next(struct evtx_scan *scan);
/* The chunk's header starts as one ("ElfChnk") and its offsets make sense. */
bool evtx_scan_header(struct slice chunk);
bool evtx_scan_blank(struct slice bytes);

enum evtx_sum { EVTX_SUM_OK, EVTX_SUM_NO_HEADER, EVTX_SUM_HEADER, EVTX_SUM_RECORDS };
/* Compares the CRC-32 of the header and of the records with the stored ones. */
enum evtx_sum evtx_scan_sum(struct slice chunk);
