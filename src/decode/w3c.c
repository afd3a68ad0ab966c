#include "decode/w3c.h"

#include <string.h>

#include "base/memory.h"
#include "decode/columns.h"
#include "decode/fields.h"
#include "decode/lines.h"
#include "decode/web.h"

enum {
    TIMESTAMP,
    QUERY,
    AGENT,
    URI,
    EXTENSION,
};
static const char *const names[] = {
        [TIMESTAMP] = "timestamp",
        [QUERY] = "cs-uri-query",
        [AGENT] = "cs-user-agent",
        [URI] = "c-uri",
        [EXTENSION] = "c-uri-extension",
};

/* Columns of which more is made; column.type. */
enum special {
    PLAIN,
    DATE,
    TIME,
    STEM,
    QUERY_PART,
    USER_AGENT,
    SCHEME,
    HOST,
    PORT,
    PATH,
    SPECIALS
};

/* What is in force. */
struct head {
    struct slice fields; /* behind "#Fields:" */
    struct slice date;   /* behind "#Date:" */
};

struct reader {
    struct fields_reader fields;
    struct decode_limits limits;
    const struct paths *paths;
    struct head head;
    struct columns columns; /* of head.fields */
    enum err bad;           /* why these are not usable, or OK */
    struct slice block;
    size_t at;
};

/* ---- header ---------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The word at the front of *rest, which is then behind it. */
static struct slice word(struct slice *rest)
{
    if (rest->size == 0) {
        return *rest;
    }
    while (rest->size > 0 && is_blank(*rest->at)) {
        rest->at++;
        rest->size--;
    }
    size_t size = 0;
    while (size < rest->size && !is_blank(rest->at[size])) {
        size++;
    }
    struct slice w = slice_of(rest->at, size);
    rest->at += size;
    rest->size -= size;
    return w;
}

/* The text behind a directive's name, if the line is that directive. */
static bool directive(struct slice line, struct slice name, struct slice *text)
{
    if (!slice_starts(line, name)) {
        return false;
    }
    *text = slice_trim(slice_of(line.at + name.size, line.size - name.size));
    return true;
}

static void take_directive(struct head *h, struct slice line)
{
    struct slice text;
    if (directive(line, SLICE("#Fields:"), &text)) {
        h->fields = text;
    } else if (directive(line, SLICE("#Date:"), &text)) {
        h->date = text;
    }
}

static enum special special_of(struct slice name)
{
    static const struct slice specials[SPECIALS] = {[DATE] = {"date", 4},
            [TIME] = {"time", 4},
            [STEM] = {"cs-uri-stem", 11},
            [QUERY_PART] = {"cs-uri-query", 12},
            [USER_AGENT] = {"cs(User-Agent)", 14},
            [SCHEME] = {"cs-uri-scheme", 13},
            [HOST] = {"cs-host", 7},
            [PORT] = {"cs-uri-port", 11},
            [PATH] = {"cs-uri-path", 11}};
    for (size_t i = PLAIN + 1; i < SPECIALS; i++) {
        if (slice_equal(specials[i], name)) {
            return (enum special)i;
        }
    }
    return PLAIN;
}

/* The columns that a #Fields line names. */
static void set_columns(struct reader *r, struct slice fields)
{
    struct diag diag;
    columns_clear(&r->columns);
    r->bad = OK;
    for (struct slice name = word(&fields); name.size > 0 && r->bad == OK; name = word(&fields)) {
        if (r->columns.count == W3C_COLUMNS) {
            r->bad = ERR_LIMIT;
            return;
        }
        r->bad = columns_add(&r->columns, r->paths, name, &diag);
        if (r->bad == OK) {
            r->columns.at[r->columns.count - 1].type = special_of(name);
        }
    }
}

/* IIS' columns when nobody chose others: since version 8.5, 7 and 6. */
static const char *const defaults[] = {
        "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) "
        "cs(Referer) sc-status sc-substatus sc-win32-status time-taken",
        "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) "
        "sc-status sc-substatus sc-win32-status time-taken",
        "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) "
        "sc-status sc-substatus sc-win32-status"};

static bool is_date(struct slice s)
{
    return s.size == 10 && s.at[4] == '-' && s.at[7] == '-';
}

static bool is_upper(struct slice s)
{
    for (size_t i = 0; i < s.size; i++) {
        if (s.at[i] < 'A' || s.at[i] > 'Z') {
            return false;
        }
    }
    return s.size > 0;
}

/* The columns of a line without a header; NULL: it is not IIS'. */
static const char *guess(struct slice line)
{
    struct slice words[15], w;
    size_t count = 0;
    for (w = word(&line); w.size > 0; w = word(&line)) {
        if (count == 15) {
            return NULL;
        }
        words[count++] = w;
    }
    if (count < 13 || !is_date(words[0]) || words[1].size != 8 || words[1].at[2] != ':' ||
            !web_is_address(words[2]) || !is_upper(words[3]) || words[4].at[0] != '/' ||
            !web_is_address(words[8])) {
        return NULL;
    }
    return defaults[15 - count];
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* A row's values of which more is made. */
struct row {
    struct slice at[SPECIALS];
    bool plus; /* blanks are written as '+' */
};

/* A value and its separator at the front of *rest. */
static struct slice take_value(struct slice *rest, char separator)
{
    if (*rest->at == '"') {
        struct slice quoted = slice_of(rest->at + 1, rest->size - 1);
        for (size_t i = 0; i < quoted.size; i++) {
            bool end = i + 1 == quoted.size || quoted.at[i + 1] == separator;
            if (quoted.at[i] == '"' && end) {
                size_t used = i + 2 < rest->size ? i + 3 : rest->size;
                *rest = slice_of(rest->at + used, rest->size - used);
                return slice_of(quoted.at, i);
            }
        }
    }
    return slice_cut(rest, separator);
}

static bool is_dash(struct slice s)
{
    return s.size == 1 && s.at[0] == '-';
}

/* Text put together of pieces. */
static enum err put_made(
        struct fields_sink *sink, size_t name, const struct slice *pieces, size_t count)
{
    size_t size = 0, at = 0;
    for (size_t i = 0; i < count; i++) {
        size += pieces[i].size;
    }
    char *to = arena_alloc(sink->scratch, size, 1);
    if (!to) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].size > 0) {
            memcpy(to + at, pieces[i].at, pieces[i].size);
        }
        at += pieces[i].size;
    }
    fields_made(sink, name, slice_of(to, size));
    return OK;
}

static enum err put_time(const struct head *h, const struct row *row, struct fields_sink *sink)
{
    struct slice date = row->at[DATE], time = row->at[TIME];
    if (date.size > 0 && date.at + date.size + 1 == time.at) {
        fields_put(sink, TIMESTAMP, slice_of(date.at, (size_t)(time.at + time.size - date.at)));
        return OK;
    }
    date = date.size ? date : slice_of(h->date.at, h->date.size < 10 ? 0 : 10);
    if (date.size == 0 || time.size == 0) {
        return OK;
    }
    const struct slice pieces[] = {date, SLICE(" "), time};
    return put_made(sink, TIMESTAMP, pieces, 3);
}

/* IIS writes blanks as '+'. */
static enum err put_agent(const struct row *row, struct fields_sink *sink)
{
    struct slice agent = row->at[USER_AGENT];
    if (agent.size == 0) {
        return OK;
    }
    if (!row->plus || slice_find_byte(agent, '+') == agent.size) {
        fields_put(sink, AGENT, agent);
        return OK;
    }
    char *to = arena_alloc(sink->scratch, agent.size, 1);
    if (!to) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < agent.size; i++) {
        to[i] = agent.at[i] == '+' ? ' ' : agent.at[i];
    }
    fields_made(sink, AGENT, slice_of(to, agent.size));
    return OK;
}

/* A server's path with its query; a proxy's whole address. */
static enum err put_target(const struct row *row, struct fields_sink *sink)
{
    struct slice stem = row->at[STEM], query = row->at[QUERY_PART], path = row->at[PATH];
    if (stem.size > 0 && query.size > 0) {
        const struct slice pieces[] = {stem, SLICE("?"), query};
        TRY(put_made(sink, QUERY, pieces, 3));
    } else if (stem.size > 0) {
        fields_put(sink, QUERY, stem);
    }
    if (row->at[HOST].size == 0 || row->at[SCHEME].size == 0) {
        return OK;
    }
    struct web_target t = web_target(path);
    if (t.extension.size > 0) {
        fields_put(sink, EXTENSION, t.extension);
    }
    struct slice port = row->at[PORT], colon = port.size ? SLICE(":") : (struct slice){0};
    const struct slice pieces[] = {
            row->at[SCHEME], SLICE("://"), row->at[HOST], colon, port, path, query};
    return put_made(sink, URI, pieces, sizeof pieces / sizeof *pieces);
}

static enum err parse(void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    const struct reader *r = context;
    const struct columns *c = &r->columns;
    struct row row = {0};
    struct slice rest = text;
    char separator = slice_find_byte(text, '\t') < text.size ? '\t' : ' ';
    size_t count = 0;
    row.plus = separator == ' ';
    while (rest.size > 0) {
        struct value value = {.kind = VALUE_STRING, .text = take_value(&rest, separator)};
        if (count == c->count) {
            return diag_say(diag, ERR_SYNTAX, "more values than the %zu of #Fields", c->count);
        }
        const struct column *column = &c->at[count++];
        if (value.text.size > 0 && !is_dash(value.text)) {
            columns_put(sink, column, &value);
            row.at[column->type] = value.text;
        }
    }
    if (count < c->count) {
        return diag_say(diag, ERR_SYNTAX, "%zu values where #Fields names %zu", count, c->count);
    }
    TRY(put_time(&r->head, &row, sink));
    TRY(put_agent(&row, sink));
    return put_target(&row, sink);
}

static const struct fields_form form = FIELDS_FORM("w3c", names, parse);

/* ---- decoder --------------------------------------------------------------------------------- */

static bool is_guessed(struct slice line)
{
    return guess(line) != NULL;
}

static int recognise(struct slice head, bool whole)
{
    size_t at = slice_starts(head, SLICE("\xEF\xBB\xBF")) ? 3 : 0;
    struct slice line, text;
    bool software = false;
    for (int i = 0; i < LINES_SURVEYED && lines_next(head, &at, &line); i++) {
        if (line.at[0] != '#') {
            break;
        }
        if (directive(line, SLICE("#Fields:"), &text)) {
            return 95;
        }
        software |=
                slice_starts(line, SLICE("#Software:")) || slice_starts(line, SLICE("#Version:"));
    }
    return software ? 60 : lines_share(head, whole, is_guessed) >= 50 ? 70 : 0;
}

/* Where the next line with a directive begins, at or behind `at`; size: nowhere. */
static size_t find_directive(struct slice bytes, size_t at)
{
    if (at < bytes.size && bytes.at[at] == '#') {
        return at;
    }
    size_t found = slice_find(slice_of(bytes.at + at, bytes.size - at), SLICE("\n#"));
    return found == SIZE_MAX ? bytes.size : at + found + 1;
}

/* Keeps what is in force as two lines. */
static void keep(struct buf *header, const struct head *h)
{
    struct buf next = {0};
    if (h->fields.size + h->date.size < DECODE_HEADER_LIMIT) {
        buf_add(&next, SLICE("#Fields: "));
        buf_add(&next, h->fields);
        buf_add(&next, SLICE("\n#Date: "));
        buf_add(&next, h->date);
        buf_byte(&next, '\n');
    }
    buf_fini(header);
    *header = next;
}

static void take_header(struct head *h, struct slice header)
{
    size_t at = 0;
    struct slice line;
    while (lines_next(header, &at, &line)) {
        take_directive(h, line);
    }
}

static enum err cut(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    TRY(lines_cut(c, bytes, last, out, diag));
    struct slice block = slice_of(bytes.at + out->skip, out->size);
    struct head now;
    bool read = false;
    for (size_t at = find_directive(block, 0); at < block.size; at = find_directive(block, at)) {
        struct slice line;
        if (!read) {
            now = (struct head){0};
            take_header(&now, buf_slice(&c->header));
            read = true;
        }
        if (lines_next(block, &at, &line)) {
            take_directive(&now, line);
            out->records--;
        }
    }
    if (read) {
        keep(&c->header, &now);
    }
    return OK;
}

static void begin(struct reader *r, struct slice block, struct slice header)
{
    r->block = block;
    r->at = 0;
    r->head = (struct head){0};
    take_header(&r->head, header);
    set_columns(r, r->head.fields);
}

static enum err check(struct reader *r, struct slice line, struct diag *diag)
{
    TRY(lines_check(line, &r->limits, diag));
    if (r->bad == ERR_LIMIT) {
        return diag_say(diag, ERR_LIMIT, "over %d columns in #Fields", W3C_COLUMNS);
    }
    if (r->bad != OK) {
        return diag_say(diag, r->bad, "no memory for the columns of #Fields");
    }
    if (r->head.fields.size == 0) { /* each line by itself: a block may begin anywhere */
        const char *columns = guess(line);
        if (!columns) {
            return diag_say(diag, ERR_SYNTAX, "no #Fields line before it");
        }
        set_columns(r, slice_text(columns));
    }
    return r->bad;
}

static enum err next(struct reader *r, struct event *event, struct diag *diag)
{
    struct slice line;
    for (;;) {
        if (!lines_next(r->block, &r->at, &line)) {
            return ERR_END;
        }
        if (line.at[0] != '#') {
            break;
        }
        take_directive(&r->head, line);
        set_columns(r, r->head.fields);
    }
    enum err e = check(r, line, diag);
    if (e != OK) {
        event_begin(event, line);
        return e;
    }
    return fields_read(&r->fields, line, event, diag);
}

static void reader_free(struct reader *r)
{
    if (r) {
        fields_fini(&r->fields);
        columns_fini(&r->columns);
        memory_free(r);
    }
}

static enum err reader_new(
        const struct paths *paths, const struct decode_limits *limits, struct reader **out)
{
    struct reader *r = memory_alloc(sizeof *r);
    if (!r) {
        return ERR_MEMORY;
    }
    r->limits = *limits;
    r->paths = paths;
    enum err e = fields_init(&r->fields, &form, paths, r);
    if (e != OK) {
        reader_free(r);
        return e;
    }
    *out = r;
    return OK;
}

const struct decoder w3c_decoder = {
        .name = "w3c",
        .about = "W3C extended log format: IIS, Blue Coat, CloudFront, Windows firewall",
        .headed = true,
        .recognise = recognise,
        .cut = cut,
        .reader_new = reader_new,
        .reader_free = reader_free,
        .begin = begin,
        .next = next,
};
