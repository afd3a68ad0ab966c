/* match: what correlations keep of an event that one of their rules matched, as bytes that sort.
 *
 *     struct match_writer w;
 *     match_begin(&w, &out, &id, host);       // 4 bytes of size, then the record
 *     for each of rule->wanted: match_field(&w), match_value(&w, text) for each of its values
 *     match_end(&w);
 *
 *     match_read(record, &match);             // without its size
 *     struct slice rest = match_values(&match, slot);
 *     while (match_next(&rest, &text)) ...
 *
 * Records compare as bytes (MATCH_KEY of them) in the order of correlation: time, file, record,
 * rule. They live in one process's memory and temporary file; their form is nobody else's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum {
    MATCH_KEY = 24,    /* bytes that a record is ordered by */
    MATCH_TEXT = 1024, /* a longer value is its beginning and its SHA-256 */
    MATCH_SHOWN = 64,  /* bytes of that beginning */
    MATCH_VALUES = 64, /* of one field; further ones are left out, and counted */
    MATCH_HOST = 255,
};

struct match_id {
    int64_t time_ns;
    uint64_t record; /* ordinal in its file */
    uint32_t file;   /* number in the list of inputs, which is in order of paths */
    uint32_t rule;   /* number in the ruleset */
};

struct match_writer {
    struct buf *out;
    size_t start;
    size_t field;      /* where the last field's count stands */
    uint64_t left_out; /* values over MATCH_VALUES */
};

void match_begin(
        struct match_writer *w, struct buf *out, const struct match_id *id, struct slice host);
void match_field(struct match_writer *w);
void match_value(struct match_writer *w, struct slice text);
void match_end(struct match_writer *w);
/* Cuts the next record, without its size, off the front of a row of them; false: none is left. */
bool match_cut(struct slice *rest, struct slice *record);

struct match {
    struct match_id id;
    struct slice host;
    struct slice fields; /* in order of rule->wanted */
};

void match_read(struct slice record, struct match *out);
/* The values of rule->wanted[slot], for match_next. */
struct slice match_values(const struct match *match, uint32_t slot);
bool match_next(struct slice *rest, struct slice *text);
