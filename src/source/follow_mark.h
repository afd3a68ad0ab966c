/* follow_mark: how far a followed file was read, and how that file is known again: what the frames
 * of its records have as their key.
 *
 *     "1024:9f86d081884c7d65/3/4096-8192/60303ae22b998861"
 *      the first 1,024 bytes have this digest; third file of its path; records from byte 4,096 up
 *      to 8,192; the bytes before that have this digest
 *
 *     follow_mark_add(&mark, bytes);              // what was read goes by, in order
 *     follow_mark_write(&mark, from, &key);
 *     TRY(follow_mark_read(key, &place));
 *     follow_mark_fits(&place, fd)                // is it that file, and as far still the same?
 *
 * Names and inodes change as files are rotated; what they begin with does not. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum {
    FOLLOW_MARK_HEAD = 1024, /* bytes by which a file is known */
    FOLLOW_MARK_TAIL = 256,  /* and those before the place in it */
    FOLLOW_MARK_DIGITS = 16, /* of a digest (SHA-256, its first) */
    FOLLOW_MARK_KEY = 128,   /* a key is at most so long */
};

/* What is kept of a file that is being read. {0}: at its start. */
struct follow_mark {
    uint64_t generation;
    uint64_t at; /* bytes read */
    uint32_t head_size, tail_size;
    char head[FOLLOW_MARK_HEAD];
    char tail[FOLLOW_MARK_TAIL]; /* the last tail_size bytes read */
};

/* What a key says. */
struct follow_place {
    uint64_t generation, from, to;
    uint32_t head_size;
    char head[FOLLOW_MARK_DIGITS], tail[FOLLOW_MARK_DIGITS];
};

void follow_mark_add(struct follow_mark *mark, struct slice bytes);
/* Stands at `to` in the open file, as though all before had been read. false: it is shorter. */
bool follow_mark_jump(struct follow_mark *mark, int fd, uint64_t to);
/* The key of records that stand from `from` up to the mark. */
void follow_mark_write(const struct follow_mark *mark, uint64_t from, struct buf *key);
/* Decimal digits, and nothing else, that 64 bits hold. */
bool follow_mark_number(struct slice text, uint64_t *out);
/* ERR_SYNTAX: no key of ours. */
enum err follow_mark_read(struct slice key, struct follow_place *place) MUST_CHECK;
/* The open file begins with what was read up to the place; *mark then stands there. */
bool follow_mark_fits(const struct follow_place *place, int fd, struct follow_mark *mark);
