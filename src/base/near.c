#include "base/near.h"

size_t near_distance(struct slice a, struct slice b)
{
    size_t row[NEAR_WORD + 1];
    if (a.size > NEAR_WORD || b.size > NEAR_WORD) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= b.size; j++) {
        row[j] = j;
    }
    for (size_t i = 0; i < a.size; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b.size; j++) {
            size_t best = corner + (a.at[i] != b.at[j]);
            corner = row[j + 1];
            best = best < row[j] + 1 ? best : row[j] + 1;
            best = best < corner + 1 ? best : corner + 1;
            row[j + 1] = best;
        }
    }
    return row[b.size];
}

static bool is_between(char c)
{
    return c == '_' || c == '-' || c == '.' || c == ' ';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static size_t skip_between(struct slice s, size_t at)
{
    while (at < s.size && is_between(s.at[at])) {
        at++;
    }
    return at;
}

bool near_letters(struct slice a, struct slice b)
{
    size_t i = skip_between(a, 0), j = skip_between(b, 0);
    while (i < a.size && j < b.size && lower(a.at[i]) == lower(b.at[j])) {
        i = skip_between(a, i + 1);
        j = skip_between(b, j + 1);
    }
    return i == a.size && j == b.size;
}

/* SIZE_MAX: too long. */
static size_t letters_of(struct slice s, char to[NEAR_WORD])
{
    size_t n = 0;
    for (size_t i = skip_between(s, 0); i < s.size; i = skip_between(s, i + 1)) {
        if (n == NEAR_WORD) {
            return SIZE_MAX;
        }
        to[n++] = lower(s.at[i]);
    }
    return n;
}

size_t near_slips(struct slice a, struct slice b)
{
    char x[NEAR_WORD], y[NEAR_WORD];
    size_t m = letters_of(a, x), n = letters_of(b, y);
    return m == SIZE_MAX || n == SIZE_MAX ? SIZE_MAX
                                          : near_distance(slice_of(x, m), slice_of(y, n));
}
