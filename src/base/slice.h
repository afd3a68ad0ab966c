/* slice: borrowed bytes with their length; never NUL-terminated, never owned.
 *
 *     struct slice name = SLICE("CommandLine");
 *     if (slice_equal(name, key)) ...
 *
 * A slice never outlives the bytes it points to. {0} is the empty slice. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *at;
    size_t size; /* bytes */
};

#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})
/* For printf("%.*s", SLICE_ARG(s)); sizes over INT_MAX are cut. */
#define SLICE_ARG(s) (int)((s).size > 0x7fffffff ? 0x7fffffff : (s).size), (s).at

static inline struct slice slice_of(const char *at, size_t size)
{
    return (struct slice){at, size};
}

/* What stands from `at` on; at <= s.size. */
static inline struct slice slice_from(struct slice s, size_t at)
{
    return slice_of(s.at + at, s.size - at);
}

static inline bool slice_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The bytes of a NUL-terminated string, without the NUL. */
static inline struct slice slice_text(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

/* Equal without regard to ASCII case. */
bool slice_equal_nocase(struct slice a, struct slice b);
/* Here, so that one of a literal is a comparison of words. */
static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.size >= prefix.size && slice_equal(slice_of(s.at, prefix.size), prefix);
}
static inline bool slice_ends(struct slice s, struct slice suffix)
{
    return s.size >= suffix.size &&
           slice_equal(slice_of(s.at + s.size - suffix.size, suffix.size), suffix);
}
/* Byte order, shorter first on a common prefix: <0, 0, >0. */
int slice_compare(struct slice a, struct slice b);
/* Without ASCII blanks (space, tab, CR, LF) at both ends. */
struct slice slice_trim(struct slice s);
/* Offset of the first `byte`, or s.size. */
static inline size_t slice_find_byte(struct slice s, char byte)
{
    const char *hit = s.size ? (const char *)memchr(s.at, byte, s.size) : NULL;
    return hit ? (size_t)(hit - s.at) : s.size;
}
/* Offset of the first occurrence of `needle`, or SIZE_MAX. */
size_t slice_find(struct slice s, struct slice needle);
/* Cuts the part before the first `byte` off the front of *rest and returns it; all of it
 * when there is none (*rest is then empty). */
struct slice slice_cut(struct slice *rest, char byte);
/* No byte of 0x80 or more. */
bool slice_is_ascii(struct slice s);
