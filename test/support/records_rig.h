/* records_rig: a text decoder driven over a stream in memory that arrives in pieces.
 *
 *     struct buf out = {0};
 *     records_rig_read(&squid_decoder, SLICE("..."), 7, 4096, &out);
 *     // out: "1 {"c-ip":"10.0.0.1",...}\n2! why it was rejected\n"
 *
 * Each record is its ordinal and all of it as JSON. On the way it is checked, with abort(): that
 * the values that rules would see are those that people see; that ordinals grow and stay within
 * what the cutter said; that nothing is lost and nothing read twice. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "event/decoder.h"

/* `piece`: how many more bytes there are each time the cutter asks. */
void records_rig_read(const struct decoder *decoder, struct slice stream, size_t piece,
        size_t limit, struct buf *out);
/* The first bytes' recognition. */
int records_rig_recognise(const struct decoder *decoder, const char *text);
/* For fuzz targets: any bytes as a stream. The first chooses the size of pieces, which must change
 * nothing. */
void records_rig_fuzz(const struct decoder *decoder, const uint8_t *data, size_t size);
