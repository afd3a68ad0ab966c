/* regex_lex: the small pieces of a pattern: escapes, classes, numbers.
 *
 *     case '\\': TRY(regex_lex_escape(lex, &piece)); ...
 *     case '[':  TRY(regex_lex_class(lex, flags, &set)); ...
 *
 * Each reads from lex->pos, which stands after what announced it, and moves it on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "sigma/regex_class.h"
#include "sigma/regex_tree.h"

/* (?x), beside REGEX_NOCASE and the others. */
enum { REGEX_LEX_EXTENDED = 8 };
enum { REGEX_LEX_COUNT_LIMIT = 65535 };

struct regex_lex {
    const char *at;
    size_t size;
    size_t pos;
    bool quote; /* between \Q and \E */
    struct arena *arena;
    struct diag *diag;
    struct regex_class_folds folds;
};

struct regex_piece {
    enum { PIECE_CODE, PIECE_SET, PIECE_LOOK, PIECE_NOTHING } kind;
    uint32_t code;
    char letter; /* of regex_class_add_escape */
    enum regex_look look;
};

/* The byte `ahead` bytes on, 0 past the end. */
static inline char regex_lex_peek(const struct regex_lex *lex, size_t ahead)
{
    return ahead < lex->size - lex->pos ? lex->at[lex->pos + ahead] : '\0';
}

/* Failure at a place of the pattern. */
enum err regex_lex_fail(const struct regex_lex *lex, enum err e, size_t pos, const char *words, ...)
        __attribute__((format(printf, 4, 5)));
/* The next code point. Requires that there is one. */
uint32_t regex_lex_code(struct regex_lex *lex);
enum err regex_lex_escape(struct regex_lex *lex, struct regex_piece *out) MUST_CHECK;
enum err regex_lex_class(struct regex_lex *lex, unsigned flags, struct regex_class *out) MUST_CHECK;
/* {n}, {n,}, {n,m} after the brace. *is false and nothing moved: a literal brace. */
enum err regex_lex_counts(
        struct regex_lex *lex, bool *is, uint32_t *low, uint32_t *high) MUST_CHECK;
