#include "hunt/query_lex.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_sign(char c)
{
    return c == '(' || c == ')' || c == '[' || c == ']' || c == ',' || c == ':' || c == '|';
}

static void skip_blanks(struct query_lexer *l)
{
    struct slice t = l->text;
    while (l->at < t.size) {
        bool fresh = l->at == 0 || is_blank(t.at[l->at - 1]);
        if (is_blank(t.at[l->at])) {
            l->at++;
        } else if (t.at[l->at] == '#' && fresh) {
            l->at += slice_find_byte(slice_from(t, l->at), '\n');
        } else {
            return;
        }
    }
}

/* Quotes inside are written twice. */
static enum err read_quoted(struct query_lexer *l)
{
    size_t from = l->at + 1, twice = 0, i = from;
    char quote = l->text.at[l->at];
    for (;; i++) {
        if (i >= l->text.size) {
            return query_lex_fail(l, l->at, ERR_SYNTAX, "the quote %c has no end", quote);
        }
        if (l->text.at[i] != quote) {
            continue;
        }
        if (i + 1 >= l->text.size || l->text.at[i + 1] != quote) {
            break;
        }
        twice++;
        i++;
    }
    l->word = (struct query_word){LEX_QUOTED, slice_of(l->text.at + from, i - from), l->at};
    l->at = i + 1;
    if (twice == 0) {
        return OK;
    }
    char *copy = arena_alloc(l->arena, i - from, 1);
    if (!copy) {
        return query_lex_fail(l, l->word.at, ERR_MEMORY, "no memory for the query");
    }
    size_t n = 0;
    for (size_t k = from; k < i; k++) {
        copy[n++] = l->text.at[k];
        k += l->text.at[k] == quote;
    }
    l->word.text = slice_of(copy, n);
    return OK;
}

enum err query_lex_next(struct query_lexer *l)
{
    skip_blanks(l);
    if (l->at >= l->text.size) {
        l->word = (struct query_word){LEX_END, slice_of("", 0), l->text.size};
        return OK;
    }
    char c = l->text.at[l->at];
    if (c == '\'' || c == '"') {
        return read_quoted(l);
    }
    size_t from = l->at;
    if (is_sign(c)) {
        l->at++;
        l->word = (struct query_word){LEX_SIGN, slice_of(l->text.at + from, 1), from};
        return OK;
    }
    while (l->at < l->text.size) {
        c = l->text.at[l->at];
        if (is_blank(c) || is_sign(c) || c == '\'' || c == '"') {
            break;
        }
        if ((unsigned char)c < 0x20 || c == 0x7f) {
            return query_lex_fail(l, l->at, ERR_SYNTAX, "a control byte outside quotes");
        }
        l->at++;
    }
    l->word = (struct query_word){LEX_WORD, slice_of(l->text.at + from, l->at - from), from};
    return OK;
}

enum err query_lex_start(
        struct query_lexer *l, struct slice text, struct arena *arena, struct diag *diag)
{
    *l = (struct query_lexer){.text = text, .arena = arena, .diag = diag};
    size_t valid = utf8_valid_prefix(text);
    if (valid < text.size) {
        return query_lex_fail(l, valid, ERR_SYNTAX, "the query is not UTF-8");
    }
    return query_lex_next(l);
}

bool query_lex_is_sign(const struct query_lexer *l, char sign)
{
    return l->word.kind == LEX_SIGN && l->word.text.at[0] == sign;
}

bool query_lex_is_word(const struct query_lexer *l, struct slice word)
{
    return l->word.kind == LEX_WORD && slice_equal_nocase(l->word.text, word);
}

enum err query_lex_fail(const struct query_lexer *l, size_t at, enum err e, const char *format, ...)
{
    char words[DIAG_WORDS];
    uint32_t line = 1;
    size_t start = 0;
    for (size_t i = 0; i < at && i < l->text.size; i++) {
        if (l->text.at[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    return diag_set(l->diag, e, line, (uint32_t)(at - start) + 1, "%s", words);
}

struct slice query_lex_shown(const struct query_lexer *l, char room[80])
{
    if (l->word.kind == LEX_END) {
        return SLICE("the end");
    }
    size_t size = l->word.text.size > 60 ? 60 : l->word.text.size;
    int n = snprintf(room, 80, "'%.*s'", (int)size, l->word.text.at);
    return slice_of(room, (size_t)n);
}

enum err query_lex_expected(const struct query_lexer *l, const char *what)
{
    char room[80];
    struct slice shown = query_lex_shown(l, room);
    return query_lex_fail(
            l, l->word.at, ERR_SYNTAX, "expected %s, found %.*s", what, SLICE_ARG(shown));
}

bool query_lex_digits(struct slice word, uint64_t *number, struct slice *rest)
{
    size_t i = 0;
    *number = 0;
    for (; i < word.size && slice_is_digit(word.at[i]) && i < 18; i++) {
        *number = *number * 10 + (uint64_t)(word.at[i] - '0');
    }
    *rest = slice_from(word, i);
    return i > 0;
}
