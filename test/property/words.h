/* words: the texts that generated rules ask for and that generated events are made of, so that the
 * ones often stand in the others.
 *
 *     struct words words;
 *     words_make(&words, &dice);
 *     words_mutated(&words, &dice, &text);     // one of them, bent */
#pragma once

#include "base/buf.h"
#include "base/slice.h"
#include "property/dice.h"

enum { WORDS = 20, WORD_BYTES = 200 };

struct words {
    char texts[WORDS][WORD_BYTES];
    size_t sizes[WORDS];
};

void words_make(struct words *words, struct dice *dice);
struct slice words_pick(const struct words *words, struct dice *dice);
/* A value of an event: a word or several, with other letters' case, something around it, a
 * character more or less. */
void words_mutated(const struct words *words, struct dice *dice, struct buf *out);
/* The bytes of the character at `at`. */
size_t words_character(struct slice text, size_t at);
