#include "decode/vpcflow.h"

#include <string.h>

#include "base/memory.h"
#include "base/time.h"
#include "decode/columns.h"
#include "decode/fields.h"
#include "decode/lines.h"

enum { LEAST = 14, HEADER_NAMES = 3 /* known ones that make a line of names */ };
enum { KIND_TEXT, KIND_NUMBER };

struct reader {
    struct fields_reader fields;
    struct columns named; /* by the header */
    struct columns usual; /* where there is none */
    struct buf header;
    const struct paths *paths;
    struct decode_limits limits;
    struct slice block;
    size_t at;
    bool changed; /* the header, since it was last read */
    enum err header_error;
    struct diag header_diag;
};

enum { TIMESTAMP };
static const char *const names[] = {[TIMESTAMP] = "cloudwatch_time"};

/* The default format's, then those of version 3, 4 and 5; behind the first USUAL those that only a
 * line of names tells. */
static const struct {
    struct slice name;
    int kind;
} known[] = {
#define KNOWN(text, kind)                                                                          \
    {                                                                                              \
        {text, sizeof(text) - 1}, kind                                                             \
    }
        KNOWN("version", KIND_NUMBER),
        KNOWN("account-id", KIND_TEXT),
        KNOWN("interface-id", KIND_TEXT),
        KNOWN("srcaddr", KIND_TEXT),
        KNOWN("dstaddr", KIND_TEXT),
        KNOWN("srcport", KIND_NUMBER),
        KNOWN("dstport", KIND_NUMBER),
        KNOWN("protocol", KIND_NUMBER),
        KNOWN("packets", KIND_NUMBER),
        KNOWN("bytes", KIND_NUMBER),
        KNOWN("start", KIND_NUMBER),
        KNOWN("end", KIND_NUMBER),
        KNOWN("action", KIND_TEXT),
        KNOWN("log-status", KIND_TEXT),
        KNOWN("vpc-id", KIND_TEXT),
        KNOWN("subnet-id", KIND_TEXT),
        KNOWN("instance-id", KIND_TEXT),
        KNOWN("tcp-flags", KIND_NUMBER),
        KNOWN("type", KIND_TEXT),
        KNOWN("pkt-srcaddr", KIND_TEXT),
        KNOWN("pkt-dstaddr", KIND_TEXT),
        KNOWN("region", KIND_TEXT),
        KNOWN("az-id", KIND_TEXT),
        KNOWN("sublocation-type", KIND_TEXT),
        KNOWN("sublocation-id", KIND_TEXT),
        KNOWN("pkt-src-aws-service", KIND_TEXT),
        KNOWN("pkt-dst-aws-service", KIND_TEXT),
        KNOWN("flow-direction", KIND_TEXT),
        KNOWN("traffic-path", KIND_NUMBER),
        KNOWN("ecs-cluster-name", KIND_TEXT),
        KNOWN("ecs-cluster-arn", KIND_TEXT),
        KNOWN("reject-reason", KIND_TEXT),
#undef KNOWN
};
enum { KNOWN_COUNT = sizeof known / sizeof *known, USUAL = 29 };

static size_t find_known(struct slice name)
{
    size_t i = 0;
    while (i < KNOWN_COUNT && !slice_equal(known[i].name, name)) {
        i++;
    }
    return i;
}

/* A line of names: the first is one of ours, and so are two more. */
static bool is_names(struct slice line)
{
    if (line.size == 0 || line.at[0] < 'a' || line.at[0] > 'z') {
        return false; /* nearly always */
    }
    size_t found = 0;
    for (size_t i = 0; line.size > 0 && i < COLUMNS_LIMIT; i++) {
        struct slice name = slice_cut(&line, ' ');
        found += find_known(name) < KNOWN_COUNT;
        if (i == 0 && found == 0) {
            return false;
        }
    }
    return found >= HEADER_NAMES;
}

static bool is_header(struct slice line, const struct decode_limits *limits)
{
    return line.size <= limits->record_bytes && line.size <= DECODE_HEADER_LIMIT && is_names(line);
}

/* ---- records --------------------------------------------------------------------------------- */

/* The time that CloudWatch puts before a record. */
static bool take_timestamp(struct slice *line, struct slice *time)
{
    int64_t ns;
    if (line->size < 11 || line->at[4] != '-') {
        return false; /* nearly always */
    }
    struct slice rest = *line, first = slice_cut(&rest, ' ');
    if (first.size < 11 || !time_parse(first, &ns)) {
        return false;
    }
    *time = first;
    *line = rest;
    return true;
}

static void put_part(struct fields_sink *sink, const struct column *column, struct slice part)
{
    struct value value = {.text = part, .kind = VALUE_STRING};
    if (part.size == 1 && *part.at == '-') {
        return;
    }
    if (column->type == KIND_NUMBER && columns_is_number(part)) {
        value.kind = VALUE_NUMBER;
    }
    columns_put(sink, column, &value);
}

static enum err parse(void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    struct reader *r = context;
    bool named = r->header.size > 0;
    struct columns *c = named ? &r->named : &r->usual;
    struct slice line = text, time = {0};
    if (take_timestamp(&line, &time)) {
        fields_put(sink, TIMESTAMP, time);
    }
    while (line.size > 0 && line.at[line.size - 1] == ' ') {
        line.size--;
    }
    size_t parts = columns_split(c, line, ' ');
    if (named ? parts != c->count : parts < LEAST || parts > c->count) {
        return diag_say(diag, ERR_SYNTAX,
                named ? "not the %zu values that the line of names has"
                      : "not 14 to %zu values, and no line of names",
                c->count);
    }
    size_t count = sink->event ? c->wanted_count : parts;
    for (size_t i = 0; i < count; i++) {
        size_t n = sink->event ? c->wanted[i] : i;
        if (n < parts) {
            put_part(sink, &c->at[n], columns_part(c, n));
        }
    }
    return OK;
}

static const struct fields_form form = FIELDS_FORM("vpcflow", names, parse);

/* ---- the decoder ----------------------------------------------------------------------------- */

static enum err read_header(struct reader *r, struct diag *diag)
{
    columns_clear(&r->named);
    for (struct slice rest = buf_slice(&r->header); rest.size > 0;) {
        struct slice name = slice_cut(&rest, ' ');
        if (name.size == 0) {
            continue;
        }
        TRY(columns_add(&r->named, r->paths, name, diag));
        size_t i = find_known(name);
        r->named.at[r->named.count - 1].type = i < KNOWN_COUNT ? known[i].kind : KIND_TEXT;
    }
    return r->header.failed ? diag_say(diag, ERR_MEMORY, "no memory for a header") : OK;
}

static void keep_header(struct buf *header, struct slice line)
{
    buf_clear(header);
    buf_add(header, line);
}

static enum err next(struct reader *r, struct event *event, struct diag *diag)
{
    struct slice line;
    for (;;) {
        if (!lines_next(r->block, &r->at, &line)) {
            return ERR_END;
        }
        if (!is_header(line, &r->limits)) {
            break;
        }
        keep_header(&r->header, line);
        r->changed = true;
    }
    if (r->changed) {
        r->header_error = read_header(r, &r->header_diag);
        r->changed = false;
    }
    event_begin(event, line);
    TRY(lines_check(line, &r->limits, diag));
    if (r->header_error != OK) {
        return diag_say(diag, r->header_error, "%s", r->header_diag.words);
    }
    return fields_read(&r->fields, line, event, diag);
}

static void begin(struct reader *r, struct slice block, struct slice header)
{
    r->block = block;
    r->at = 0;
    keep_header(&r->header, header);
    r->changed = true;
}

static void reader_free(struct reader *r)
{
    if (r) {
        fields_fini(&r->fields);
        columns_fini(&r->named);
        columns_fini(&r->usual);
        buf_fini(&r->header);
        memory_free(r);
    }
}

static enum err reader_new(
        const struct paths *paths, const struct decode_limits *limits, struct reader **out)
{
    struct reader *r = memory_alloc(sizeof *r);
    struct diag diag;
    if (!r) {
        return ERR_MEMORY;
    }
    r->limits = *limits;
    r->paths = paths;
    enum err e = fields_init(&r->fields, &form, paths, r);
    for (size_t i = 0; i < USUAL && e == OK; i++) {
        e = columns_add(&r->usual, paths, known[i].name, &diag);
        if (e == OK) {
            r->usual.at[i].type = (uint32_t)known[i].kind;
        }
    }
    if (e != OK) {
        reader_free(r);
        return e;
    }
    *out = r;
    return OK;
}

static enum err cut(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    TRY(lines_cut(c, bytes, last, out, diag));
    struct slice block = slice_of(bytes.at + out->skip, out->size), line;
    for (size_t at = 0; lines_next(block, &at, &line);) {
        if (is_header(line, &c->limits)) {
            keep_header(&c->header, line);
            out->records--;
        }
    }
    return OK;
}

static bool all_digits(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
    }
    return text.size > 0;
}

/* A record of the default format, by the values that are never anything else. */
static bool is_usual(struct slice line)
{
    static const struct slice ends[] = {{"OK", 2}, {"NODATA", 6}, {"SKIPDATA", 8}};
    struct slice time, part[LEAST];
    (void)take_timestamp(&line, &time);
    for (size_t i = 0; i < LEAST; i++) {
        part[i] = slice_cut(&line, ' ');
        if (part[i].size == 0) {
            return false;
        }
    }
    bool status = false;
    for (size_t i = 0; i < 3; i++) {
        status |= slice_equal(part[13], ends[i]);
    }
    return status && part[0].size == 1 && all_digits(part[0]) && all_digits(part[10]) &&
           all_digits(part[11]);
}

static int recognise(struct slice head, bool whole)
{
    size_t at = slice_starts(head, SLICE("\xEF\xBB\xBF")) ? 3 : 0;
    struct slice line;
    if (lines_next(head, &at, &line) && is_names(line)) {
        return 90;
    }
    return lines_share(head, whole, is_usual) > 60 ? 85 : 0;
}

const struct decoder vpcflow_decoder = {
        .name = "vpcflow",
        .about = "flow logs of Amazon VPCs, versions 2 to 5",
        .headed = true,
        .recognise = recognise,
        .cut = cut,
        .reader_new = reader_new,
        .reader_free = reader_free,
        .begin = begin,
        .next = next,
};
