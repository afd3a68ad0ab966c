#include "sigma/modifier_text.h"

#include <string.h>

#include "base/utf8.h"
#include "sigma/literal.h"
#include "sigma/placeholder.h"

static enum err put_text(struct modifier_run *run, const struct term *term, struct slice text)
{
    struct term *out;
    TRY(modifier_run_put(run, term, &out));
    out->text = text;
    return OK;
}

/* ---- windash ------------------------------------------------------------------------------- */

enum { DASHES = 5, DASH_PLACES = 8 };
static const struct slice dashes[DASHES] = {
        {"-", 1}, {"/", 1}, {"\xE2\x80\x93", 3}, {"\xE2\x80\x94", 3}, {"\xE2\x80\x95", 3}};

/* Size of the dash at the front of `text`, 0: none. */
static size_t dash_size(struct slice text)
{
    for (size_t i = 0; i < DASHES; i++) {
        if (slice_starts(text, dashes[i])) {
            return dashes[i].size;
        }
    }
    return 0;
}

/* Letters, digits and the underscore. Beyond ASCII all but the blocks of punctuation. */
static bool is_word(uint32_t code)
{
    if (code < 0x80) {
        return (code | 0x20) - 'a' < 26u || code - '0' < 10u || code == '_';
    }
    return code >= 0xC0 && code != 0xD7 && code != 0xF7 && !(code >= 0x2000 && code < 0x2070) &&
           !(code >= 0x3000 && code < 0x3004);
}

static bool word_at(struct slice text, size_t i)
{
    size_t size;
    if (i >= text.size || utf8_sequence(text.at + i, text.size - i) == 0) {
        return false;
    }
    return is_word(utf8_decode(text.at + i, &size));
}

static bool word_before(struct slice text, size_t i)
{
    for (size_t back = 1; back <= 4 && back <= i; back++) {
        if (utf8_sequence(text.at + i - back, back) == back) {
            return word_at(text, i - back);
        }
    }
    return false;
}

/* Where an option begins: a dash that no word character precedes and that one follows. */
static size_t option_places(struct slice text, size_t places[DASH_PLACES + 1])
{
    size_t count = 0;
    for (size_t i = 0; i < text.size && count <= DASH_PLACES; i++) {
        size_t size = dash_size(slice_of(text.at + i, text.size - i));
        if (size && !word_before(text, i) && word_at(text, i + size)) {
            places[count++] = i;
        }
    }
    return count;
}

static enum err put_dashed(struct modifier_run *run, const struct term *term, const size_t *places,
        size_t count, const unsigned *choice)
{
    char *to;
    TRY(modifier_run_text(run, term->text.size + 2 * count, &to));
    size_t n = 0, from = 0;
    for (size_t k = 0; k < count; k++) {
        memcpy(to + n, term->text.at + from, places[k] - from);
        n += places[k] - from;
        memcpy(to + n, dashes[choice[k]].at, dashes[choice[k]].size);
        n += dashes[choice[k]].size;
        from = places[k] +
               dash_size(slice_of(term->text.at + places[k], term->text.size - places[k]));
    }
    memcpy(to + n, term->text.at + from, term->text.size - from);
    return put_text(run, term, slice_of(to, n + term->text.size - from));
}

/* Modifiers appendix 2.1, "windash": all permutations of the five dashes, at the places where an
 * option begins. */
enum err modifier_text_windash(struct modifier_run *run, const struct term *term)
{
    size_t places[DASH_PLACES + 1];
    size_t count = option_places(term->text, places);
    if (count == 0) {
        return put_text(run, term, term->text);
    }
    if (count > DASH_PLACES) {
        return modifier_run_fail(run, ERR_LIMIT, "more than 8 options in one value");
    }
    unsigned choice[DASH_PLACES] = {0};
    for (;;) {
        TRY(put_dashed(run, term, places, count, choice));
        size_t k = 0;
        while (k < count && ++choice[k] == DASHES) {
            choice[k++] = 0;
        }
        if (k == count) {
            return OK;
        }
    }
}

/* ---- expand -------------------------------------------------------------------------------- */

/* The place of the first %name% from `from` on; *end is behind it. A backslash before the first
 * percent sign makes it a plain one. */
static size_t find_placeholder(struct slice text, size_t from, size_t *end)
{
    for (size_t i = from; i < text.size; i++) {
        if (text.at[i] != '%' || (i > from && text.at[i - 1] == '\\')) {
            continue;
        }
        size_t k = i + 1, size = 0;
        while (k < text.size && word_at(text, k)) {
            (void)utf8_decode(text.at + k, &size);
            k += size;
        }
        if (k > i + 1 && k < text.size && text.at[k] == '%') {
            *end = k + 1;
            return i;
        }
    }
    return text.size;
}

/* "\%" is a plain percent sign; only under expand. */
static enum err put_without_escapes(struct modifier_run *run, const struct term *term)
{
    if (slice_find(term->text, SLICE("\\%")) == SIZE_MAX) {
        return put_text(run, term, term->text);
    }
    char *to;
    TRY(modifier_run_text(run, term->text.size, &to));
    size_t n = 0;
    for (size_t i = 0; i < term->text.size; i++) {
        char next = i + 1 < term->text.size ? term->text.at[i + 1] : '\0';
        if (term->text.at[i] != '\\' || next != '%') {
            to[n++] = term->text.at[i];
        }
    }
    return put_text(run, term, slice_of(to, n));
}

static enum err join(struct modifier_run *run, const struct slice pieces[3], struct slice *out)
{
    char *to;
    TRY(modifier_run_text(run, pieces[0].size + pieces[1].size + pieces[2].size, &to));
    size_t n = 0;
    for (int i = 0; i < 3; i++) {
        memcpy(to + n, pieces[i].at, pieces[i].size);
        n += pieces[i].size;
    }
    *out = slice_of(to, n);
    return OK;
}

/* A term whose text is done up to `done`. */
struct partial {
    struct slice text;
    size_t done;
};

struct partials {
    struct partial *items;
    uint32_t count;
    uint32_t room;
};

static enum err push(struct modifier_run *run, struct partials *to, struct partial item)
{
    if (to->count == MODIFIER_TERMS) {
        return modifier_run_fail(run, ERR_LIMIT, "more values than the limit of 20000");
    }
    if (to->count == to->room) {
        uint32_t room = to->room ? to->room * 4 : 16;
        struct partial *items = ARENA_ARRAY(&run->maker->scratch, struct partial, room);
        if (!items) {
            return maker_no_memory(run->maker);
        }
        if (to->count) {
            memcpy(items, to->items, to->count * sizeof *items);
        }
        to->items = items;
        to->room = room;
    }
    to->items[to->count++] = item;
    return OK;
}

/* Every value of the placeholder at [at, end) in place of it, the first one on top. */
static enum err replace(struct modifier_run *run, const struct partial *from, size_t at, size_t end,
        struct partials *to)
{
    struct slice name = slice_of(from->text.at + at + 1, end - at - 2);
    const struct placeholder *p = placeholder_find(run->maker->placeholders, name);
    if (!p) {
        return maker_fail(run->maker, run->value, ERR_NOT_FOUND,
                "placeholder '%%%.*s%%' has no value", SLICE_ARG(name));
    }
    for (size_t i = p->count; i > 0; i--) {
        struct slice value = p->values[i - 1];
        if (!run->chain->regex && literal_parse(&run->maker->scratch, value, &value) != OK) {
            return maker_no_memory(run->maker);
        }
        struct slice pieces[3] = {slice_of(from->text.at, at), value,
                slice_of(from->text.at + end, from->text.size - end)};
        struct partial next = {.done = at + value.size};
        TRY(join(run, pieces, &next.text));
        TRY(push(run, to, next));
    }
    return OK;
}

/* Rules Specification 2.1, "Placeholders": several values are linked by OR; without a value the
 * rule must be rejected. Works off a stack, a placeholder a step. */
enum err modifier_text_expand(struct modifier_run *run, const struct term *term)
{
    struct partials stack = {0};
    TRY(push(run, &stack, (struct partial){term->text, 0}));
    while (stack.count > 0) {
        struct partial top = stack.items[--stack.count];
        size_t end = 0, at = find_placeholder(top.text, top.done, &end);
        if (at < top.text.size) {
            TRY(replace(run, &top, at, end, &stack));
            continue;
        }
        struct term done = *term;
        done.text = top.text;
        TRY(put_without_escapes(run, &done));
    }
    return OK;
}

/* ---- encodings ----------------------------------------------------------------------------- */

enum err modifier_text_settle(struct modifier_run *run, struct term *term)
{
    if (term->encoding == TERM_UTF8) {
        return OK;
    }
    bool mark = term->encoding == TERM_UTF16;
    char *to;
    TRY(modifier_run_text(run, term->text.size * 2 + (mark ? 3 : 0), &to));
    size_t n = 0;
    if (mark) {
        n = utf8_encode(0xFEFF, to);
    }
    for (size_t i = 0; i < term->text.size; i++) {
        char c = term->text.at[i];
        if (c == PATTERN_MANY || c == PATTERN_ONE) {
            to[n++] = c;
            continue;
        }
        if ((unsigned char)c >= 0x80) {
            return modifier_run_fail(
                    run, ERR_SYNTAX, "UTF-16 of other text than ASCII needs base64 behind it");
        }
        if (term->encoding == TERM_UTF16BE) {
            to[n++] = '\0';
        }
        to[n++] = c;
        if (term->encoding != TERM_UTF16BE) {
            to[n++] = '\0';
        }
    }
    term->text = slice_of(to, n);
    term->encoding = TERM_UTF8;
    return OK;
}

enum err modifier_text_encode(struct modifier_run *run, const struct term *term)
{
    struct term *out;
    TRY(modifier_run_put(run, term, &out));
    TRY(modifier_text_settle(run, out));
    out->encoding = (enum term_encoding)run->step->argument;
    return OK;
}

static size_t put_unit(char *to, uint32_t unit, bool big)
{
    to[0] = (char)(big ? unit >> 8 : unit);
    to[1] = (char)(big ? unit : unit >> 8);
    return 2;
}

/* The bytes that base64 encodes. */
static enum err bytes_of(struct modifier_run *run, const struct term *term, struct slice *out)
{
    if (literal_has_marks(term->text)) {
        return modifier_run_fail(run, ERR_SYNTAX, "wildcards cannot be encoded");
    }
    if (term->encoding == TERM_UTF8) {
        *out = term->text;
        return OK;
    }
    bool big = term->encoding == TERM_UTF16BE;
    char *to;
    TRY(modifier_run_text(run, term->text.size * 2 + 2, &to));
    size_t n = term->encoding == TERM_UTF16 ? put_unit(to, 0xFEFF, false) : 0;
    for (size_t i = 0, size; i < term->text.size; i += size) {
        if (utf8_sequence(term->text.at + i, term->text.size - i) == 0) {
            return modifier_run_fail(run, ERR_SYNTAX, "value is not UTF-8");
        }
        uint32_t code = utf8_decode(term->text.at + i, &size);
        if (code >= 0x10000) {
            n += put_unit(to + n, 0xD7C0 + (code >> 10), big);
            code = 0xDC00 + (code & 0x3FF);
        }
        n += put_unit(to + n, code, big);
    }
    *out = slice_of(to, n);
    return OK;
}

/* RFC 4648 section 4, with `shift` zero bytes in front; returns the size, padding included. */
static size_t base64(struct slice bytes, size_t shift, char *to)
{
    static const char letters[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = bytes.size + shift, n = 0;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t word = 0;
        for (size_t k = 0; k < 3; k++) {
            bool there = i + k >= shift && i + k < size;
            word = word << 8 | (there ? (unsigned char)bytes.at[i + k - shift] : 0);
        }
        for (size_t k = 0; k < 4; k++) {
            to[n++] = i + k > size ? '=' : letters[word >> (18 - 6 * k) & 63];
        }
    }
    return n;
}

static enum err put_base64(
        struct modifier_run *run, const struct term *term, struct slice bytes, size_t shift)
{
    /* Letters that depend on neighbours are cut: those that hold bits of the bytes in front, and
     * those that hold bits of what follows. */
    static const size_t front[] = {0, 2, 3}, back[] = {0, 3, 2};
    bool cut = run->step->argument != 0;
    char *to;
    TRY(modifier_run_text(run, (bytes.size + shift + 2) / 3 * 4, &to));
    size_t size = base64(bytes, shift, to);
    size_t from = cut ? front[shift] : 0;
    size_t off = cut ? back[(bytes.size + shift) % 3] : 0;
    if (size <= from + off) {
        return modifier_run_fail(run, ERR_SYNTAX, "value is too short");
    }
    struct term done = *term;
    done.encoding = TERM_UTF8;
    return put_text(run, &done, slice_of(to + from, size - from - off));
}

enum err modifier_text_base64(struct modifier_run *run, const struct term *term)
{
    struct slice bytes;
    TRY(bytes_of(run, term, &bytes));
    return put_base64(run, term, bytes, 0);
}

enum err modifier_text_base64offset(struct modifier_run *run, const struct term *term)
{
    struct slice bytes;
    TRY(bytes_of(run, term, &bytes));
    for (size_t shift = 0; shift < 3; shift++) {
        TRY(put_base64(run, term, bytes, shift));
    }
    return OK;
}
