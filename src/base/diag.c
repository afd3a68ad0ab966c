#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Outside bytes are quoted in the words: what could steer a terminal becomes '?'. */
static void make_visible(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p; p++) {
        if (*p < 0x20 || *p == 0x7f) {
            *p = '?';
        }
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
