#include "decode/csv_look.h"

#include <string.h>

#include "decode/csv_text.h"

enum {
    LEAST_COLUMNS = 3,
    MOST_COLUMNS = 512, /* that are looked at */
    NAME_BYTES = 100,
    RECORDS = 50, /* looked at */
    SURE = 40,    /* any format that says more has a mark of its own */
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

/* Sentences, addresses, pairs and brackets of log lines are no names. */
static bool is_odd(struct slice name, size_t i)
{
    static const char odd[] = "=\"<>\\[{\x7F";
    char c = name.at[i];
    bool colon = c == ':' && i + 1 < name.size && name.at[i + 1] == ' ';
    return colon || (unsigned char)c < ' ' || memchr(odd, c, sizeof odd - 1);
}

static bool is_name(struct slice name)
{
    bool letter = false;
    if (name.size == 0 || name.size > NAME_BYTES || name.at[name.size - 1] == ' ' ||
            !(is_letter(name.at[0]) || name.at[0] == '_' || name.at[0] == '@')) {
        return false;
    }
    for (size_t i = 0; i < name.size; i++) {
        letter |= is_letter(name.at[i]);
        if (is_odd(name, i)) {
            return false;
        }
    }
    return letter;
}

/* How many names the record at *at is; 0: it is something else. */
static size_t count_names(struct slice head, size_t *at, char separator, bool whole)
{
    struct slice names[MOST_COLUMNS];
    size_t count = 0;
    enum csv_end how;
    do {
        struct csv_cell cell;
        how = csv_text_cell(head, at, separator, &cell);
        if (how == CSV_OPEN || (how == CSV_BYTES && !whole) || count == MOST_COLUMNS ||
                !is_name(cell.text)) {
            return 0;
        }
        for (size_t i = 0; i < count; i++) {
            if (slice_equal(names[i], cell.text)) {
                return 0;
            }
        }
        names[count++] = cell.text;
    } while (how == CSV_CELL);
    return count;
}

/* Whether the records from `at` on have so many cells. */
static bool all_fit(struct slice head, size_t at, char separator, size_t columns, bool whole)
{
    for (int record = 0; record < RECORDS; record++) {
        at += csv_text_blank(slice_of(head.at + at, head.size - at), whole);
        if (at >= head.size) {
            return record > 0 || whole;
        }
        size_t cells = 0;
        enum csv_end how;
        do {
            struct csv_cell cell;
            how = csv_text_cell(head, &at, separator, &cell);
            cells++;
        } while (how == CSV_CELL);
        if ((how == CSV_BYTES || how == CSV_OPEN) && (!whole || record > 0)) {
            return cells <= columns; /* cut off, or a file that was */
        }
        if (how == CSV_OPEN || cells != columns) {
            return false;
        }
    }
    return true;
}

int csv_look(struct slice head, bool whole)
{
    size_t at = slice_starts(head, SLICE("\xEF\xBB\xBF")) ? 3 : 0;
    char separator = 0;
    for (int prologue = 0; prologue < 3; prologue++) {
        at += csv_text_blank(slice_of(head.at + at, head.size - at), whole);
        struct slice rest = slice_of(head.at + at, head.size - at);
        size_t newline = slice_find_byte(rest, '\n');
        struct slice line = csv_text_bare(slice_of(rest.at, newline));
        if (!csv_text_is_prologue(line, &separator)) {
            separator = separator ? separator : csv_text_separator(line);
            break;
        }
        at += newline + (newline < rest.size);
    }
    size_t columns = separator ? count_names(head, &at, separator, whole) : 0;
    bool fits = columns >= LEAST_COLUMNS && all_fit(head, at, separator, columns, whole);
    return fits ? SURE : 0;
}
