/* observable_marks: where in 64 bytes of text the marks stand that observables cannot be without.
 *
 *     struct observable_marks m;
 *     observable_marks_take(bytes, &m);      // bit n: of byte n
 *
 * One that uses AVX2 and one that does not, which agree. */
#pragma once

#include <stdint.h>

enum { OBSERVABLE_MARKS_BYTES = 64 };

struct observable_marks {
    uint64_t dots, colons, slashes;
    uint64_t hexes; /* 0-9 A-F a-f */
};

typedef void observable_marks_way(const char *bytes, struct observable_marks *out);

/* The quickest that this machine can do. */
observable_marks_way *observable_marks_best(void);
void observable_marks_plain(const char *bytes, struct observable_marks *out);
