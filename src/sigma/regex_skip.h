/* regex_skip: the next byte of a set, many at a time.
 *
 *     struct regex_skip skip;
 *     regex_skip_init(&skip);                        // stops at every byte
 *     regex_skip_pass(&skip, 'a');                   // ... but 'a'
 *     at = regex_skip_find(&skip, begin, at, end);   // the first that is not 'a', or end
 *
 * 32 bytes at a time where the processor has AVX2. */
#pragma once

#include <stdint.h>

struct regex_skip {
    /* By a byte's low half: bit n for its high half being n (low) or 8 + n (high). */
    uint8_t low[16];
    uint8_t high[16];
};

void regex_skip_init(struct regex_skip *skip);
/* Stops no more at this byte. */
void regex_skip_pass(struct regex_skip *skip, uint8_t byte);
/* begin <= at <= end; bytes from `begin` on may be read. */
const uint8_t *regex_skip_find(
        const struct regex_skip *skip, const uint8_t *begin, const uint8_t *at, const uint8_t *end);
/* The same, byte by byte: what the other way must agree with. */
const uint8_t *regex_skip_find_plain(
        const struct regex_skip *skip, const uint8_t *at, const uint8_t *end);
