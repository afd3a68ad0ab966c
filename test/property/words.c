#include "property/words.h"

#include "base/utf8.h"

/* What is written often, and what is easily got wrong: wildcards and escapes, case folding to and
 * from ASCII, letters that grow when folded, characters of each length, blanks. */
static const char *const pieces[] = {"a", "B", "k", "S", "exe", "cmd", "x.EXE", "\\", "\\\\", "*",
        "?", "\\*", "\\?", " ", "-", "/", "--", " -enc ", "\xE2\x80\x93", "\xE2\x84\xAA",
        "\xC5\xBF", "\xC3\x9F", "\xC4\xB0", "\xC4\xB1", "\xCE\xA3", "\xCF\x82", "\xC3\x89",
        "\xC3\xA9", "\xC8\xBA", "\xE6\x97\xA5", "\xF0\x9F\x98\x80", "\"", "'", "\n", "\t", "0",
        "10", "4624", ".", ":", "%", "true", "null", "C:\\Windows\\System32\\", "\\cmd.exe",
        "\xF0\x9F\x98\x81", "\xF0\x90\x90\x80", "High", "powershell", "AppData\\Local\\Temp",
        "whoami", "0x1F", "net user"};
enum { PIECES = sizeof pieces / sizeof *pieces };

static const char *const whole[] = {"", "10.1.2.3", "10.1.200.7", "192.168.0.1", "fe80::1",
        "::ffff:10.1.2.3", "2001:db8::ff00:42:8329", "4624", "-5", "1.50", "1e3", "1000", "007",
        "0.1", "18446744073709551616", "9007199254740993", "9007199254740993.0",
        "9223372036854775808", "true", "2024-02-29T23:59:59Z", "2026-12-31 07:10",
        "2021-01-03 04:05:06", "kK", "*", "?", "\\", "High", "S-1-16-12288", "System"};
enum { WHOLE = sizeof whole / sizeof *whole };

size_t words_character(struct slice text, size_t at)
{
    size_t size = utf8_sequence(text.at + at, text.size - at);
    return size ? size : 1;
}

static void make_word(char *to, size_t *size, struct dice *dice)
{
    *size = 0;
    if (dice_one_in(dice, 5)) {
        const char *w = whole[dice_below(dice, WHOLE)];
        *size = strlen(w);
        memcpy(to, w, *size);
        return;
    }
    uint32_t count = 1 + dice_below(dice, dice_one_in(dice, 4) ? 8 : 3);
    for (uint32_t i = 0; i < count; i++) {
        const char *piece = pieces[dice_below(dice, PIECES)];
        size_t n = strlen(piece);
        if (*size + n <= WORD_BYTES) {
            memcpy(to + *size, piece, n);
            *size += n;
        }
    }
}

void words_make(struct words *words, struct dice *dice)
{
    for (int i = 0; i < WORDS; i++) {
        make_word(words->texts[i], &words->sizes[i], dice);
    }
}

struct slice words_pick(const struct words *words, struct dice *dice)
{
    uint32_t i = dice_below(dice, WORDS);
    return slice_of(words->texts[i], words->sizes[i]);
}

/* Another letter that may fold to the same. */
static void put_other_case(struct slice c, struct buf *out)
{
    if (c.size == 1 && (c.at[0] == 'k' || c.at[0] == 'K')) {
        buf_add(out, SLICE("\xE2\x84\xAA"));
    } else if (c.size == 1 && (c.at[0] == 's' || c.at[0] == 'S')) {
        buf_add(out, SLICE("\xC5\xBF"));
    } else if (c.size == 1 && ((c.at[0] | 32) >= 'a' && (c.at[0] | 32) <= 'z')) {
        buf_byte(out, (char)(c.at[0] ^ 32));
    } else if (slice_equal(c, SLICE("\xC3\x89"))) {
        buf_add(out, SLICE("\xC3\xA9"));
    } else if (slice_equal(c, SLICE("\xCE\xA3"))) {
        buf_add(out, SLICE("\xCF\x83"));
    } else if (slice_equal(c, SLICE("\xC8\xBA"))) {
        buf_add(out, SLICE("\xE2\xB1\xA5"));
    } else {
        buf_add(out, c);
    }
}

/* One word, a character at a time. `\`, `*` and `?` are often what a rule means by them. */
static void bend(struct slice word, struct dice *dice, struct buf *out)
{
    bool cases = dice_one_in(dice, 3), wild = dice_one_in(dice, 3), drops = dice_one_in(dice, 8);
    for (size_t i = 0; i < word.size;) {
        size_t size = words_character(word, i);
        struct slice c = slice_of(word.at + i, size);
        i += size;
        if (wild && slice_equal(c, SLICE("*"))) {
            buf_add(out, slice_text(pieces[dice_below(dice, PIECES)]));
        } else if (wild && slice_equal(c, SLICE("?"))) {
            struct slice p = slice_text(pieces[dice_below(dice, PIECES)]);
            buf_add(out, slice_of(p.at, words_character(p, 0)));
        } else if (wild && slice_equal(c, SLICE("\\")) && i < word.size &&
                   memchr("*?\\", word.at[i], 3)) {
            buf_byte(out, word.at[i++]);
        } else if (drops && dice_one_in(dice, 6)) {
            continue;
        } else if (cases && dice_one_in(dice, 2)) {
            put_other_case(c, out);
        } else {
            buf_add(out, c);
        }
    }
}

void words_mutated(const struct words *words, struct dice *dice, struct buf *out)
{
    uint32_t count = dice_one_in(dice, 3) ? 1 + dice_below(dice, 4) : 1;
    if (dice_one_in(dice, 40)) {
        count = 40;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (dice_one_in(dice, 4)) {
            buf_add(out, slice_text(pieces[dice_below(dice, PIECES)]));
        }
        bend(words_pick(words, dice), dice, out);
        if (dice_one_in(dice, 4)) {
            buf_add(out, slice_text(pieces[dice_below(dice, PIECES)]));
        }
    }
}
