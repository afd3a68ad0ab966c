/* sum: CRC-32 (ISO 3309, as zlib's crc32) at the speed at which chunks are read.
 *
 *     uint32_t sum = sum_add(sum_add(0, a), b);    // of a and b, one after the other
 *
 * Chunks of Windows event logs and frames of our own log are summed as they are read; byte by byte
 * that would take as long as decoding. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

uint32_t sum_add(uint32_t sum, struct slice bytes);
/* Tests: with carry-less multiplication of one lane at a time, and without any. */
uint32_t sum_add_folding(uint32_t sum, struct slice bytes);
uint32_t sum_add_plain(uint32_t sum, struct slice bytes);
