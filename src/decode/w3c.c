#include "decode/w3c.h"

#include <string.h>

#include "base/memory.h"
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

/* What is in force. */
struct columns {
    struct slice fields; /* behind "#Fields:" */
    struct slice date;   /* behind "#Date:" */
    struct slice at[W3C_COLUMNS];
    size_t count;
    bool overflow;
    bool guessed; /* for one line, without a header */
};

struct reader {
    struct fields_reader fields;
    struct decode_limits limits;
    struct columns columns;
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

static void set_fields(struct columns *c, struct slice fields)
{
    c->fields = fields;
    c->count = 0;
    c->overflow = c->guessed = false;
    for (struct slice name = word(&fields); name.size > 0; name = word(&fields)) {
        if (c->count == W3C_COLUMNS) {
            c->overflow = true;
            return;
        }
        c->at[c->count++] = name;
    }
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

static void take_directive(struct columns *c, struct slice line)
{
    struct slice text;
    if (directive(line, SLICE("#Fields:"), &text)) {
        set_fields(c, text);
    } else if (directive(line, SLICE("#Date:"), &text)) {
        c->date = text;
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

/* The values that more is made of. */
struct row {
    struct slice date, time, stem, query, agent;
    struct slice scheme, host, port, path;
    bool plus; /* blanks are written as '+' */
};

static void remember(struct row *row, struct slice name, struct slice value)
{
    const struct {
        struct slice name;
        struct slice *to;
    } wanted[] = {{{"date", 4}, &row->date}, {{"time", 4}, &row->time},
            {{"cs-uri-stem", 11}, &row->stem}, {{"cs-uri-query", 12}, &row->query},
            {{"cs(User-Agent)", 14}, &row->agent}, {{"cs-uri-scheme", 13}, &row->scheme},
            {{"cs-host", 7}, &row->host}, {{"cs-uri-port", 11}, &row->port},
            {{"cs-uri-path", 11}, &row->path}};
    if (name.size > 14 || (name.at[0] != 'c' && name.at[0] != 'd' && name.at[0] != 't')) {
        return;
    }
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (slice_equal(wanted[i].name, name)) {
            *wanted[i].to = value;
        }
    }
}

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

static enum err put_time(const struct columns *c, const struct row *row, struct fields_sink *sink)
{
    if (row->date.size > 0 && row->date.at + row->date.size + 1 == row->time.at) {
        size_t size = (size_t)(row->time.at + row->time.size - row->date.at);
        fields_put(sink, TIMESTAMP, slice_of(row->date.at, size));
        return OK;
    }
    struct slice date =
            row->date.size ? row->date : slice_of(c->date.at, c->date.size < 10 ? 0 : 10);
    if (date.size == 0 || row->time.size == 0) {
        return OK;
    }
    const struct slice pieces[] = {date, SLICE(" "), row->time};
    return put_made(sink, TIMESTAMP, pieces, 3);
}

/* IIS writes blanks as '+'. */
static enum err put_agent(const struct row *row, struct fields_sink *sink)
{
    struct slice agent = row->agent;
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
    if (row->stem.size > 0 && row->query.size > 0) {
        const struct slice pieces[] = {row->stem, SLICE("?"), row->query};
        TRY(put_made(sink, QUERY, pieces, 3));
    } else if (row->stem.size > 0) {
        fields_put(sink, QUERY, row->stem);
    }
    if (row->host.size == 0 || row->scheme.size == 0) {
        return OK;
    }
    struct web_target t = web_target(row->path);
    if (t.extension.size > 0) {
        fields_put(sink, EXTENSION, t.extension);
    }
    const struct slice pieces[] = {row->scheme, SLICE("://"), row->host,
            row->port.size ? SLICE(":") : (struct slice){0}, row->port, row->path, row->query};
    return put_made(sink, URI, pieces, sizeof pieces / sizeof *pieces);
}

static enum err parse(void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    const struct columns *c = context;
    struct row row = {0};
    struct slice rest = text;
    char separator = slice_find_byte(text, '\t') < text.size ? '\t' : ' ';
    size_t count = 0;
    row.plus = separator == ' ';
    while (rest.size > 0) {
        struct slice value = take_value(&rest, separator);
        if (count == c->count) {
            return diag_say(diag, ERR_SYNTAX, "more values than the %zu of #Fields", c->count);
        }
        struct slice name = c->at[count++];
        if (value.size > 0 && !is_dash(value)) {
            fields_named(sink, name, value);
            remember(&row, name, value);
        }
    }
    if (count < c->count) {
        return diag_say(diag, ERR_SYNTAX, "%zu values where #Fields names %zu", count, c->count);
    }
    TRY(put_time(c, &row, sink));
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
static void keep(struct buf *header, const struct columns *c)
{
    struct buf next = {0};
    if (c->fields.size + c->date.size < DECODE_HEADER_LIMIT) {
        buf_add(&next, SLICE("#Fields: "));
        buf_add(&next, c->fields);
        buf_add(&next, SLICE("\n#Date: "));
        buf_add(&next, c->date);
        buf_byte(&next, '\n');
    }
    buf_fini(header);
    *header = next;
}

static void take_header(struct columns *c, struct slice header)
{
    size_t at = 0;
    struct slice line;
    while (lines_next(header, &at, &line)) {
        take_directive(c, line);
    }
}

static enum err cut(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    TRY(lines_cut(c, bytes, last, out, diag));
    struct slice block = slice_of(bytes.at + out->skip, out->size);
    struct columns now;
    bool read = false;
    for (size_t at = find_directive(block, 0); at < block.size; at = find_directive(block, at)) {
        struct slice line;
        if (!read) {
            now = (struct columns){0};
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
    r->columns = (struct columns){0};
    take_header(&r->columns, header);
}

static enum err check(struct reader *r, struct slice line, struct diag *diag)
{
    TRY(lines_check(line, &r->limits, diag));
    if (r->columns.overflow) {
        return diag_say(diag, ERR_LIMIT, "over %d columns in #Fields", W3C_COLUMNS);
    }
    if (r->columns.count == 0) {
        const char *columns = guess(line);
        if (!columns) {
            return diag_say(diag, ERR_SYNTAX, "no #Fields line before it");
        }
        set_fields(&r->columns, slice_text(columns));
        r->columns.guessed = true;
    }
    return OK;
}

static enum err next(struct reader *r, struct event *event, struct diag *diag)
{
    struct slice line;
    do {
        if (!lines_next(r->block, &r->at, &line)) {
            return ERR_END;
        }
        if (line.at[0] == '#') {
            take_directive(&r->columns, line);
        }
    } while (line.at[0] == '#');
    if (r->columns.guessed) {
        r->columns.count = 0; /* each line by itself: a block may begin anywhere */
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
    enum err e = fields_init(&r->fields, &form, paths, &r->columns);
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
        .recognise = recognise,
        .cut = cut,
        .reader_new = reader_new,
        .reader_free = reader_free,
        .begin = begin,
        .next = next,
};
