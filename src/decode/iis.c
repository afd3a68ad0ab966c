#include "decode/iis.h"

#include "decode/fields.h"
#include "decode/linewise.h"
#include "decode/web.h"

/* In the order of the line. */
enum {
    CLIENT,
    USER,
    DATE,
    TIME,
    SITE,
    COMPUTER,
    SERVER,
    TAKEN,
    RECEIVED,
    SENT,
    STATUS,
    WIN32,
    METHOD,
    STEM,
    QUERY,
    COLUMNS,
    TIMESTAMP = COLUMNS
};
static const char *const names[] = {
        [CLIENT] = "c-ip",
        [USER] = "cs-username",
        [DATE] = "date",
        [TIME] = "time",
        [SITE] = "s-sitename",
        [COMPUTER] = "s-computername",
        [SERVER] = "s-ip",
        [TAKEN] = "time-taken",
        [RECEIVED] = "cs-bytes",
        [SENT] = "sc-bytes",
        [STATUS] = "sc-status",
        [WIN32] = "sc-win32-status",
        [METHOD] = "cs-method",
        [STEM] = "cs-uri-stem",
        [QUERY] = "cs-uri-query",
        [TIMESTAMP] = "timestamp",
};

static bool is_number(struct slice s)
{
    for (size_t i = 0; i < s.size; i++) {
        if (!slice_is_digit(s.at[i])) {
            return false;
        }
    }
    return s.size > 0;
}

/* Cuts the line into its columns; the last takes what is left, up to its comma. */
static bool cut_columns(struct slice line, struct slice *columns)
{
    struct slice rest = slice_trim(line);
    for (size_t i = 0; i < QUERY; i++) {
        size_t comma = slice_find(rest, SLICE(", "));
        if (comma == SIZE_MAX) {
            return false;
        }
        columns[i] = slice_of(rest.at, comma);
        rest = slice_of(rest.at + comma + 2, rest.size - comma - 2);
    }
    if (rest.size > 0 && rest.at[rest.size - 1] == ',') {
        rest.size--;
    }
    columns[QUERY] = rest;
    return web_is_address(columns[CLIENT]) && columns[TIME].size >= 7 &&
           is_number(columns[TAKEN]) && is_number(columns[STATUS]) &&
           slice_find_byte(columns[DATE], '/') < columns[DATE].size;
}

static bool is_iis(struct slice line)
{
    struct slice columns[COLUMNS];
    return cut_columns(line, columns);
}

/* 11/20/2023 or 11/20/03 as 2023-11-20; false: something else. */
static bool make_date(struct slice date, char *to)
{
    struct slice month = slice_cut(&date, '/'), day = slice_cut(&date, '/'), year = date;
    if (!is_number(month) || !is_number(day) || !is_number(year) || month.size > 2 ||
            day.size > 2 || (year.size != 2 && year.size != 4)) {
        return false;
    }
    to[0] = year.size == 4 ? year.at[0] : '2';
    to[1] = year.size == 4 ? year.at[1] : '0';
    to[2] = year.at[year.size - 2];
    to[3] = year.at[year.size - 1];
    to[4] = to[7] = '-';
    to[5] = month.size == 2 ? month.at[0] : '0';
    to[6] = month.at[month.size - 1];
    to[8] = day.size == 2 ? day.at[0] : '0';
    to[9] = day.at[day.size - 1];
    return true;
}

static bool is_dash(struct slice s)
{
    return s.size == 1 && s.at[0] == '-';
}

enum { DATE_SIZE = 10 };

static enum err put_made(
        struct fields_sink *sink, size_t name, struct slice a, char between, struct slice b)
{
    char *to = arena_alloc(sink->scratch, a.size + 1 + b.size, 1);
    if (!to) {
        return ERR_MEMORY;
    }
    memcpy(to, a.at, a.size);
    to[a.size] = between;
    memcpy(to + a.size + 1, b.at, b.size);
    fields_made(sink, name, slice_of(to, a.size + 1 + b.size));
    return OK;
}

static enum err parse(void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    struct slice columns[COLUMNS];
    char date[DATE_SIZE];
    (void)context;
    if (!cut_columns(text, columns)) {
        return diag_say(diag, ERR_SYNTAX, "no line of IIS' log file format");
    }
    for (size_t i = 0; i < COLUMNS; i++) {
        if (columns[i].size > 0 && !is_dash(columns[i])) {
            fields_put(sink, i, columns[i]);
        }
    }
    if (make_date(columns[DATE], date)) {
        TRY(put_made(sink, TIMESTAMP, slice_of(date, DATE_SIZE), ' ', columns[TIME]));
    }
    if (columns[QUERY].size > 0 && !is_dash(columns[QUERY])) {
        return put_made(sink, QUERY, columns[STEM], '?', columns[QUERY]);
    }
    fields_put(sink, QUERY, columns[STEM]);
    return OK;
}

static const struct fields_form form = FIELDS_FORM("iis", names, parse);

/* ---- decoder --------------------------------------------------------------------------------- */

static int recognise(struct slice head, bool whole)
{
    return linewise_sure(head, whole, is_iis);
}

static const struct linewise kind = {.forms = {&form}};

static enum err reader_new(
        const struct paths *paths, const struct decode_limits *limits, struct reader **out)
{
    return linewise_new(&kind, paths, limits, out);
}

const struct decoder iis_decoder = {
        .name = "iis",
        .about = "IIS' own log file format (with commas)",
        .recognise = recognise,
        .reader_new = reader_new,
        LINEWISE_CALLS,
};
