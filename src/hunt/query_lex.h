/* query_lex: a query cut into words.
 *
 *     Image|endswith: '\cmd.exe' | head 3      Image  |  endswith  :  '\cmd.exe'  |  head  3
 *
 * A quoted text stands in ' or in "; the quote itself is written twice, nothing else is special in
 * it. Signs are ( ) [ ] , : and |; a bare word is a run of anything else but blanks and quotes. A
 * line's rest after blank # is a comment. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

enum lex_kind { LEX_END, LEX_WORD, LEX_QUOTED, LEX_SIGN };

struct query_word {
    enum lex_kind kind;
    struct slice text; /* of a quoted one: without its quotes */
    size_t at;         /* offset in the query */
};

struct query_lexer {
    struct slice text;
    size_t at; /* behind `word` */
    struct query_word word;
    struct arena *arena; /* quoted texts with a quote in them */
    struct diag *diag;
};

/* The text must be UTF-8. Stands at the first word. */
enum err query_lex_start(struct query_lexer *l, struct slice text, struct arena *arena,
        struct diag *diag) MUST_CHECK;
/* Goes on to the next word. */
enum err query_lex_next(struct query_lexer *l) MUST_CHECK;
bool query_lex_is_sign(const struct query_lexer *l, char sign);
/* The bare word, without regard to case. */
bool query_lex_is_word(const struct query_lexer *l, struct slice word);
/* Failing at an offset of the query: line, and column in bytes from 1. */
enum err query_lex_fail(const struct query_lexer *l, size_t at, enum err e, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
/* "expected WHAT, found" the word that stands there. */
enum err query_lex_expected(const struct query_lexer *l, const char *what);
/* A whole number at the front of a word; behind it `rest`. */
bool query_lex_digits(struct slice word, uint64_t *number, struct slice *rest);
/* The word as a person would name it: "'head'", "the end". */
struct slice query_lex_shown(const struct query_lexer *l, char room[80]);
