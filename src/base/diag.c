#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Outside bytes are quoted in the words: what could steer a terminal (C0, DEL, C1) and what is not
 * UTF-8 (a sequence cut at the end, too) becomes '?'. */
static void make_visible(char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t n = utf8_sequence(text, left);
        size_t size = n;
        uint32_t code = n ? utf8_decode(text, &size) : 0;
        size_t step = n ? n : 1;
        if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
            memset(text, '?', step);
        }
        text += step;
        left -= step;
    }
}

static void set_words(
        struct diag *diag, uint32_t line, uint32_t column, const char *format, va_list args)
{
    if (!diag) {
        return;
    }
    /* The arguments may be parts of *diag itself. */
    char words[DIAG_WORDS];
    vsnprintf(words, sizeof words, format, args);
    make_visible(words);
    memcpy(diag->words, words, sizeof words);
    diag->line = line;
    diag->column = column;
}

enum err diag_set(
        struct diag *diag, enum err e, uint32_t line, uint32_t column, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_words(diag, line, column, format, args);
    va_end(args);
    return e;
}

enum err diag_say(struct diag *diag, enum err e, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_words(diag, 0, 0, format, args);
    va_end(args);
    return e;
}
