/* regex_program: a regular expression as instructions over bytes, with what a search needs to know
 * about them.
 *
 *     ab*   ->   3: range 'a', next 1;  1: split to 2 or 0;  2: range 'b', next 1;  0: match
 *
 * A search asks for each byte by its class: bytes that no instruction tells apart are one. Two
 * more symbols stand for a newline that ends the text and for the end itself. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "sigma/regex_parse.h"

enum regex_op {
    REGEX_OP_MATCH,
    REGEX_OP_RANGE, /* a byte of low..high */
    REGEX_OP_NODE,  /* a byte by an automaton's node */
    REGEX_OP_SPLIT, /* next or other */
    REGEX_OP_LOOK,  /* next, where `look` holds */
};

struct regex_inst {
    uint8_t op;
    uint8_t low, high;
    uint8_t look;
    uint32_t next;
    uint32_t other; /* REGEX_OP_SPLIT: a place; REGEX_OP_NODE: a node */
};

/* What came before a place, as far as looks ask for it. */
enum { REGEX_AT_START = 1, REGEX_AFTER_WORD = 2, REGEX_AFTER_NEWLINE = 4 };

struct regex_program {
    const struct regex_inst *at;
    uint32_t count;
    uint32_t start;
    struct regex_nodes nodes;
    uint32_t least;   /* bytes of the shortest match */
    bool anchored;    /* matches begin at the start of the text only */
    bool looks;       /* there are looks */
    bool wide;        /* bytes over 0x7F make a difference: the text must be UTF-8 */
    uint8_t contexts; /* those of REGEX_AT_START... that make a difference */
    uint16_t classes; /* of bytes */
    uint16_t newline; /* symbol: a newline that ends the text */
    uint16_t end;     /* symbol: the end */
    uint16_t symbols; /* classes and those two */
    uint8_t class_of[256];
    uint8_t byte_of[256]; /* one byte of each class */
};

/* Everything of it goes into the arena. ERR_MEMORY. */
enum err regex_program_build(struct arena *arena, struct arena *scratch,
        const struct regex_parsed *parsed, struct regex_program *out) MUST_CHECK;

static inline bool regex_program_is_word(unsigned byte)
{
    unsigned lower = byte | 0x20;
    return (byte >= '0' && byte <= '9') || (lower >= 'a' && lower <= 'z') || byte == '_';
}
