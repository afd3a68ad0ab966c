/* diag: why something failed, in words for a person, with the place.
 *
 *     return diag_set(diag, ERR_SYNTAX, line, column, "expected ':' after %.*s", SLICE_ARG(key));
 *
 * Parsers fill it; they never print. A NULL diag is allowed everywhere: the words are dropped. */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum { DIAG_WORDS = 400 };

struct diag {
    uint32_t line;   /* from 1; 0: not known */
    uint32_t column; /* from 1, in bytes; 0: not known */
    char words[DIAG_WORDS];
};

/* Writes place and words (printf format; cut at DIAG_WORDS, control bytes and broken UTF-8 made
 * visible) and returns `e`, so that failing is one statement. */
enum err diag_set(struct diag *diag, enum err e, uint32_t line, uint32_t column, const char *format,
        ...) __attribute__((format(printf, 5, 6)));
/* The same without a place. */
enum err diag_say(struct diag *diag, enum err e, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
