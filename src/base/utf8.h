/* utf8: reading, writing and checking UTF-8 (RFC 3629), and making it from UTF-16.
 *
 *     if (!utf8_valid(line)) ... "invalid UTF-8 at byte %zu", utf8_valid_prefix(line)
 *
 * Surrogates, overlong forms and code points over U+10FFFF are invalid. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* Bytes of the well-formed sequence at `at` (1 to 4), 0 when there is none within `size`. */
size_t utf8_sequence(const char *at, size_t size);
/* The code point of the well-formed sequence at `at`; *size is its length. Requires that
 * utf8_sequence(at, ...) > 0. */
uint32_t utf8_decode(const char *at, size_t *size);
/* Writes 1 to 4 bytes, returns how many. A surrogate or a value over U+10FFFF writes U+FFFD. */
size_t utf8_encode(uint32_t code, char *to);
/* Length of the longest well-formed prefix. */
size_t utf8_valid_prefix(struct slice text);
bool utf8_valid(struct slice text);
/* UTF-16LE to UTF-8; lone surrogates become U+FFFD. `to` needs 3 bytes for each 2 of `from`;
 * an odd last byte is ignored. Returns bytes written. */
size_t utf8_from_utf16(struct slice from, char *to);
/* UTF-16LE up to its first NUL, an odd last byte left out. */
struct slice utf8_until_nul(struct slice utf16);
