#include "cli/option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"

const char *option_nearest(const char *word, const char *const *names)
{
    const char *best = NULL;
    size_t least = 3; /* more than two slips is another word */
    if (strlen(word) < 2) {
        return NULL;
    }
    for (; *names; names++) {
        size_t d = near_distance(slice_text(word), slice_text(*names));
        if (strncmp(word, *names, strlen(word)) == 0) {
            d = 1; /* a word cut short */
        }
        if (d < least) {
            least = d;
            best = *names;
        }
    }
    return best;
}

static int wrong_name(const struct option_row *rows, const char *word, struct diag *diag)
{
    enum { NAMES = 64 };
    const char *names[NAMES + 1];
    size_t count = 0;
    for (; rows->name && count < NAMES; rows++) {
        names[count++] = rows->name;
    }
    names[count] = NULL;
    const char *near = option_nearest(word, names);
    if (near) {
        diag_say(diag, ERR_USAGE, "unknown option --%.80s; did you mean --%s?", word, near);
    } else {
        diag_say(diag, ERR_USAGE, "unknown option --%.80s", word);
    }
    return OPTION_WRONG;
}

static int long_option(
        struct option_scan *scan, const char *word, const char **value, struct diag *diag)
{
    size_t size = strcspn(word, "=");
    for (int i = 0; scan->rows[i].name; i++) {
        const struct option_row *row = &scan->rows[i];
        if (strlen(row->name) != size || memcmp(row->name, word, size) != 0) {
            continue;
        }
        *value = NULL;
        if (word[size] == '=') {
            *value = word + size + 1;
        }
        if (!row->value && *value) {
            diag_say(diag, ERR_USAGE, "--%s takes no value", row->name);
            return OPTION_WRONG;
        }
        if (row->value && !*value) {
            if (scan->at >= scan->argc) {
                diag_say(diag, ERR_USAGE, "--%s needs a value: %s", row->name, row->value);
                return OPTION_WRONG;
            }
            *value = scan->argv[scan->at++];
        }
        return i;
    }
    char name[NEAR_WORD * 2] = {0};
    memcpy(name, word, size < sizeof name ? size : sizeof name - 1);
    return wrong_name(scan->rows, name, diag);
}

static int short_option(
        struct option_scan *scan, const char *word, const char **value, struct diag *diag)
{
    for (int i = 0; scan->rows[i].name; i++) {
        const struct option_row *row = &scan->rows[i];
        if (row->letter != word[0]) {
            continue;
        }
        *value = NULL;
        if (!row->value && word[1]) {
            diag_say(diag, ERR_USAGE, "-%c takes no value: write options apart", row->letter);
            return OPTION_WRONG;
        }
        if (row->value && word[1]) {
            *value = word + 1;
        } else if (row->value && scan->at < scan->argc) {
            *value = scan->argv[scan->at++];
        } else if (row->value) {
            diag_say(diag, ERR_USAGE, "-%c needs a value: %s", row->letter, row->value);
            return OPTION_WRONG;
        }
        return i;
    }
    diag_say(diag, ERR_USAGE, "unknown option -%.80s", word);
    return OPTION_WRONG;
}

int option_next(struct option_scan *scan, const char **value, struct diag *diag)
{
    if (scan->at >= scan->argc) {
        return OPTION_END;
    }
    const char *word = scan->argv[scan->at++];
    if (!scan->only_arguments && strcmp(word, "--") == 0) {
        scan->only_arguments = true;
        return option_next(scan, value, diag); /* once at most: the flag is set */
    }
    if (scan->only_arguments || word[0] != '-' || word[1] == 0) {
        *value = word;
        return OPTION_ARGUMENT;
    }
    return word[1] == '-' ? long_option(scan, word + 2, value, diag)
                          : short_option(scan, word + 1, value, diag);
}

bool option_number(const char *text, long least, long most, long *out)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != 0 || n < least || n > most) {
        return false;
    }
    *out = n;
    return true;
}

bool option_bytes(const char *text, unsigned long most, unsigned long *out)
{
    static const char units[] = "KMG";
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (errno != 0 || end == text || text[0] == '-') {
        return false;
    }
    if (*end) {
        const char *unit = strchr(units, *end);
        if (!unit || end[1] != 0 || n > most >> 10 * (unit - units + 1)) {
            return false;
        }
        n <<= 10 * (unit - units + 1);
    }
    if (n == 0 || n > most) {
        return false;
    }
    *out = n;
    return true;
}

enum err option_json(const char *value, bool *json, struct diag *diag)
{
    *json = strcmp(value, "json") == 0;
    if (!*json && strcmp(value, "table") != 0) {
        return diag_say(diag, ERR_USAGE, "--output: '%.80s' is not table or json", value);
    }
    return OK;
}
