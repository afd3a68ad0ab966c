/* regex_tree: what a regular expression says, as regex_parse reads it and regex_program and
 * regex_literal walk it.
 *
 *     a(b|c){2}   ->   TREE_CAT: a, TREE_REPEAT 2..2: TREE_ALT: b, c
 *
 * Sizes are known bottom-up, so that a repetition over the limit is refused before it is written
 * out. */
#pragma once

#include <stdint.h>

#include "sigma/regex_class.h"

enum regex_tree_kind {
    TREE_EMPTY,
    TREE_BYTES,  /* one code point, one way */
    TREE_CLASS,  /* one of several */
    TREE_ASSERT, /* a place */
    TREE_CAT,
    TREE_ALT,
    TREE_REPEAT,
};

/* What must hold at a place. */
enum regex_look {
    LOOK_TEXT_START, /* \A, ^ */
    LOOK_LINE_START, /* (?m)^ */
    LOOK_TEXT_END,   /* \z */
    LOOK_LAST_LINE,  /* \Z, $: the end, or before a newline that ends the text */
    LOOK_LINE_END,   /* (?m)$ */
    LOOK_WORD,       /* \b */
    LOOK_NOT_WORD,   /* \B */
};

#define TREE_ENDLESS UINT32_MAX /* the high of a repetition without one */

/* A class that several places of a pattern share. */
struct regex_shared {
    struct regex_shared *next; /* of the same hash */
    uint64_t hash;
    struct regex_class set;
    uint32_t node;  /* first of its automaton */
    uint32_t count; /* nodes */
    uint32_t least; /* bytes */
};

struct regex_tree {
    enum regex_tree_kind kind;
    enum regex_look look;
    uint32_t code;                     /* TREE_BYTES: the code point */
    uint32_t low, high;                /* TREE_REPEAT */
    uint32_t size;                     /* instructions */
    uint32_t least;                    /* bytes of the shortest match */
    const struct regex_shared *shared; /* TREE_CLASS */
    struct regex_tree *last;           /* child; TREE_CAT, TREE_ALT, TREE_REPEAT */
    struct regex_tree *before;         /* the sibling before it */
};
