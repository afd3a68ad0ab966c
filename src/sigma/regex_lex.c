#include "sigma/regex_lex.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "sigma/regex.h"

enum err regex_lex_fail(const struct regex_lex *lex, enum err e, size_t pos, const char *words, ...)
{
    char text[200];
    va_list arguments;
    va_start(arguments, words);
    (void)vsnprintf(text, sizeof text, words, arguments);
    va_end(arguments);
    return diag_set(lex->diag, e, 0, (uint32_t)pos + 1, "%s", text);
}

uint32_t regex_lex_code(struct regex_lex *lex)
{
    size_t size;
    uint32_t code = utf8_decode(lex->at + lex->pos, &size);
    lex->pos += size;
    return code;
}

/* ---- escapes --------------------------------------------------------------------------------- */

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
}

/* At most `most` digits; *count is how many there were. */
static uint32_t digits(struct regex_lex *lex, int base, int most, int *count)
{
    uint32_t value = 0;
    *count = 0;
    while (*count < most && digit_of(regex_lex_peek(lex, 0)) < base) {
        value = value > 0xFFFFFF
                        ? value
                        : value * (uint32_t)base + (uint32_t)digit_of(regex_lex_peek(lex, 0));
        lex->pos++;
        (*count)++;
    }
    return value;
}

static enum err code_checked(
        struct regex_lex *lex, size_t start, uint32_t code, struct regex_piece *out)
{
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
        return regex_lex_fail(lex, ERR_SYNTAX, start, "no code point: %X", code);
    }
    *out = (struct regex_piece){.kind = PIECE_CODE, .code = code};
    return OK;
}

/* \xHH \x{...} \uHHHH \o{...} \0dd, after the letter. */
static enum err escape_number(
        struct regex_lex *lex, size_t start, char letter, struct regex_piece *out)
{
    int count;
    uint32_t code;
    int base = letter == 'x' || letter == 'u' ? 16 : 8;
    if ((letter == 'x' || letter == 'o') && regex_lex_peek(lex, 0) == '{') {
        lex->pos++;
        code = digits(lex, base, 99, &count);
        if (count == 0 || regex_lex_peek(lex, 0) != '}') {
            return regex_lex_fail(
                    lex, ERR_SYNTAX, start, "expected digits and '}' in \\%c{", letter);
        }
        lex->pos++;
        return code_checked(lex, start, code, out);
    }
    code = digits(lex, base, letter == 'x' ? 2 : letter == 'u' ? 4 : 3, &count);
    if (count == 0 || (letter == 'u' && count != 4)) {
        return regex_lex_fail(lex, ERR_SYNTAX, start, "expected digits after \\%c", letter);
    }
    return code_checked(lex, start, code, out);
}

static enum err escape_control(struct regex_lex *lex, size_t start, struct regex_piece *out)
{
    char c = regex_lex_peek(lex, 0);
    if (c < 0x20 || c > 0x7E) {
        return regex_lex_fail(lex, ERR_SYNTAX, start, "expected a letter after \\c");
    }
    lex->pos++;
    char upper = c >= 'a' && c <= 'z' ? (char)(c - 0x20) : c;
    *out = (struct regex_piece){.kind = PIECE_CODE, .code = (uint32_t)(upper ^ 0x40)};
    return OK;
}

static const struct simple {
    char letter;
    char code;
} SIMPLE[] = {{'a', 7}, {'e', 27}, {'f', '\f'}, {'n', '\n'}, {'r', '\r'}, {'t', '\t'}};

static const struct place {
    char letter;
    enum regex_look look;
} PLACES[] = {
        {'A', LOOK_TEXT_START},
        {'z', LOOK_TEXT_END},
        {'Z', LOOK_LAST_LINE},
        {'b', LOOK_WORD},
        {'B', LOOK_NOT_WORD},
};

static const struct refused {
    char letter;
    const char *words;
} REFUSED[] = {
        {'g', "\\g (back-reference or recursion)"},
        {'k', "\\k (back-reference)"},
        {'K', "\\K (reset of the match's start)"},
        {'G', "\\G (end of the last match)"},
        {'R', "\\R (any newline; it is atomic)"},
        {'X', "\\X (grapheme cluster)"},
        {'C', "\\C (one code unit)"},
        {'p', "\\p (Unicode property)"},
        {'P', "\\P (Unicode property)"},
};

static enum err escape_refused(const struct regex_lex *lex, size_t start, char letter)
{
    if (letter >= '1' && letter <= '9') {
        return regex_lex_fail(
                lex, ERR_UNSUPPORTED, start, "\\%c (back-reference) is not supported", letter);
    }
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        if (REFUSED[i].letter == letter) {
            return regex_lex_fail(
                    lex, ERR_UNSUPPORTED, start, "%s is not supported", REFUSED[i].words);
        }
    }
    return regex_lex_fail(lex, ERR_UNSUPPORTED, start, "unknown escape \\%c", letter);
}

static bool escape_table(char letter, struct regex_piece *out)
{
    for (size_t i = 0; i < sizeof SIMPLE / sizeof *SIMPLE; i++) {
        if (SIMPLE[i].letter == letter) {
            *out = (struct regex_piece){.kind = PIECE_CODE, .code = (uint32_t)SIMPLE[i].code};
            return true;
        }
    }
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        if (PLACES[i].letter == letter) {
            *out = (struct regex_piece){.kind = PIECE_LOOK, .look = PLACES[i].look};
            return true;
        }
    }
    static const struct slice SETS = {"dDsSwWhHvVN", 11};
    if (slice_find_byte(SETS, letter) == SETS.size) {
        return false;
    }
    *out = (struct regex_piece){.kind = PIECE_SET, .letter = letter};
    return true;
}

static bool is_word(char c)
{
    char lower = (char)(c | 0x20);
    return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z');
}

enum err regex_lex_escape(struct regex_lex *lex, struct regex_piece *out)
{
    size_t start = lex->pos - 1;
    if (lex->pos == lex->size) {
        return regex_lex_fail(lex, ERR_SYNTAX, start, "\\ at the end");
    }
    if (!is_word(lex->at[lex->pos])) {
        *out = (struct regex_piece){.kind = PIECE_CODE, .code = regex_lex_code(lex)};
        return OK;
    }
    char letter = lex->at[lex->pos++];
    if (letter == 'N' && regex_lex_peek(lex, 0) == '{' && regex_lex_peek(lex, 1) == 'U') {
        return regex_lex_fail(
                lex, ERR_UNSUPPORTED, start, "\\N{U+...} is not supported: use \\x{}");
    }
    if (escape_table(letter, out)) {
        return OK;
    }
    switch (letter) {
    case 'Q':
        lex->quote = true;
        out->kind = PIECE_NOTHING;
        return OK;
    case 'E':
        out->kind = PIECE_NOTHING;
        return OK;
    case '0':
        lex->pos--;
        return escape_number(lex, start, letter, out);
    case 'x':
    case 'u':
    case 'o':
        return escape_number(lex, start, letter, out);
    case 'c':
        return escape_control(lex, start, out);
    default:
        return escape_refused(lex, start, letter);
    }
}

/* ---- counts ---------------------------------------------------------------------------------- */

enum err regex_lex_counts(struct regex_lex *lex, bool *is, uint32_t *low, uint32_t *high)
{
    size_t start = lex->pos;
    int count, more = 0;
    *is = false;
    *low = digits(lex, 10, 99, &count);
    *high = *low;
    bool comma = regex_lex_peek(lex, 0) == ',';
    if (comma) {
        lex->pos++;
        *high = digits(lex, 10, 99, &more);
    }
    bool closed = regex_lex_peek(lex, 0) == '}';
    if (!closed || count == 0) {
        lex->pos = start;
        if (closed && comma && more > 0) {
            return regex_lex_fail(lex, ERR_UNSUPPORTED, start - 1,
                    "{,n} is text in some engines and a count in others: write {0,n}");
        }
        return OK;
    }
    lex->pos++;
    *is = true;
    if (*low > REGEX_LEX_COUNT_LIMIT || *high > REGEX_LEX_COUNT_LIMIT) {
        return regex_lex_fail(lex, ERR_LIMIT, start - 1, "a count over %d", REGEX_LEX_COUNT_LIMIT);
    }
    if (comma && more == 0) {
        *high = TREE_ENDLESS;
    }
    if (*high < *low) {
        return regex_lex_fail(lex, ERR_SYNTAX, start - 1, "counts out of order");
    }
    return OK;
}

/* ---- classes --------------------------------------------------------------------------------- */

struct set {
    struct regex_class written; /* characters and ranges: subject to case folding */
    struct regex_class named;   /* \w, [:alpha:]: not */
};

/* The size of "[:name:]" at pos, 0 when it is none. */
static size_t posix_size(const struct regex_lex *lex)
{
    char mark = regex_lex_peek(lex, 1);
    if (mark != ':' && mark != '.' && mark != '=') {
        return 0;
    }
    size_t n = 2;
    while (regex_lex_peek(lex, n) == '^' || (is_word(regex_lex_peek(lex, n)))) {
        n++;
    }
    return regex_lex_peek(lex, n) == mark && regex_lex_peek(lex, n + 1) == ']' ? n + 2 : 0;
}

static enum err class_posix(struct regex_lex *lex, unsigned flags, size_t size, struct set *set)
{
    struct slice name = slice_of(lex->at + lex->pos + 2, size - 4);
    if (regex_lex_peek(lex, 1) != ':') {
        return regex_lex_fail(
                lex, ERR_UNSUPPORTED, lex->pos, "collating elements are not supported");
    }
    bool negate = slice_starts(name, SLICE("^"));
    if (negate) {
        name = slice_of(name.at + 1, name.size - 1);
    }
    enum err e = regex_class_add_posix(
            lex->arena, &set->named, name, negate, (flags & REGEX_NOCASE) != 0);
    if (e == ERR_NOT_FOUND) {
        return regex_lex_fail(
                lex, ERR_SYNTAX, lex->pos, "no POSIX class \"%.*s\"", SLICE_ARG(name));
    }
    TRY(e);
    lex->pos += size;
    return OK;
}

/* One character, or a set: *single tells. Handles \Q...\E; PIECE_NOTHING for its ends. */
static enum err class_atom(struct regex_lex *lex, struct regex_piece *piece)
{
    size_t start = lex->pos;
    if (lex->quote) {
        if (regex_lex_peek(lex, 0) == '\\' && regex_lex_peek(lex, 1) == 'E') {
            lex->pos += 2;
            lex->quote = false;
            piece->kind = PIECE_NOTHING;
            return OK;
        }
    } else if (lex->at[lex->pos] == '\\') {
        char letter = regex_lex_peek(lex, 1);
        if (letter >= '1' && letter <= '7') {
            /* pcre2pattern, "Non-printing characters": in a class these are octal. */
            lex->pos++;
            return escape_number(lex, start, letter, piece);
        }
        lex->pos++;
        TRY(regex_lex_escape(lex, piece));
        if (piece->kind == PIECE_LOOK && piece->look == LOOK_WORD) {
            *piece = (struct regex_piece){.kind = PIECE_CODE, .code = '\b'};
        }
        if (piece->kind == PIECE_LOOK || (piece->kind == PIECE_SET && piece->letter == 'N')) {
            return regex_lex_fail(lex, ERR_SYNTAX, start, "\\%c in a class", letter);
        }
        return OK;
    }
    *piece = (struct regex_piece){.kind = PIECE_CODE, .code = regex_lex_code(lex)};
    return OK;
}

/* A '-' that stands between two things: not before the closing bracket. */
static bool range_follows(const struct regex_lex *lex)
{
    return !lex->quote && regex_lex_peek(lex, 0) == '-' && lex->size - lex->pos > 1 &&
           regex_lex_peek(lex, 1) != ']';
}

static enum err class_range(struct regex_lex *lex, uint32_t low, struct set *set)
{
    size_t start = lex->pos;
    struct regex_piece piece;
    lex->pos++;
    do {
        if (lex->pos == lex->size) {
            return regex_lex_fail(lex, ERR_SYNTAX, start, "a range without its end");
        }
        if (regex_lex_peek(lex, 0) == '[' && posix_size(lex)) {
            return regex_lex_fail(lex, ERR_SYNTAX, start, "a range to a class");
        }
        TRY(class_atom(lex, &piece));
    } while (piece.kind == PIECE_NOTHING);
    if (piece.kind != PIECE_CODE) {
        return regex_lex_fail(lex, ERR_SYNTAX, start, "a range to a class");
    }
    if (piece.code < low) {
        return regex_lex_fail(lex, ERR_SYNTAX, start, "a range out of order");
    }
    return regex_class_add(lex->arena, &set->written, low, piece.code);
}

static enum err class_item(struct regex_lex *lex, unsigned flags, struct set *set)
{
    size_t start = lex->pos;
    struct regex_piece piece = {.kind = PIECE_SET};
    size_t posix = !lex->quote && lex->at[lex->pos] == '[' ? posix_size(lex) : 0;
    if (posix) {
        TRY(class_posix(lex, flags, posix, set));
    } else {
        TRY(class_atom(lex, &piece));
        if (piece.kind == PIECE_NOTHING) {
            return OK;
        }
        if (piece.kind == PIECE_SET) {
            TRY(regex_class_add_escape(lex->arena, &set->named, piece.letter));
        }
    }
    if (piece.kind == PIECE_CODE) {
        return range_follows(lex)
                       ? class_range(lex, piece.code, set)
                       : regex_class_add(lex->arena, &set->written, piece.code, piece.code);
    }
    if (range_follows(lex)) {
        return regex_lex_fail(lex, ERR_SYNTAX, start, "a range from a class: escape the '-'");
    }
    return OK;
}

enum err regex_lex_class(struct regex_lex *lex, unsigned flags, struct regex_class *out)
{
    size_t start = lex->pos - 1;
    if (posix_size(&(struct regex_lex){.at = lex->at, .size = lex->size, .pos = start})) {
        return regex_lex_fail(lex, ERR_SYNTAX, start, "a POSIX class outside of [ ]");
    }
    struct set set = {0};
    bool negate = regex_lex_peek(lex, 0) == '^';
    lex->pos += negate;
    bool first = true;
    while (lex->pos < lex->size && (first || lex->quote || lex->at[lex->pos] != ']')) {
        size_t before = lex->pos;
        TRY(class_item(lex, flags, &set));
        /* \Q and \E are no item: a ']' after them is still the first. */
        first = first && before + 2 == lex->pos && lex->at[before] == '\\' &&
                (lex->at[before + 1] == 'Q' || lex->at[before + 1] == 'E');
    }
    if (lex->pos == lex->size) {
        return regex_lex_fail(lex, ERR_SYNTAX, start, "a class without its ]");
    }
    lex->pos++;
    if (flags & REGEX_NOCASE) {
        TRY(regex_class_fold(lex->arena, &set.written, &lex->folds));
    }
    TRY(regex_class_join(lex->arena, &set.written, &set.named));
    regex_class_order(&set.written);
    if (negate) {
        TRY(regex_class_negate(lex->arena, &set.written));
    }
    *out = set.written;
    return OK;
}
