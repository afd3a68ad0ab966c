#include "decode/json_cut.h"

#include <string.h>

#include "decode/json_envelope.h"
#include "decode/json_span.h"

enum mode { MODE_NEW, MODE_OPENED, MODE_LINES, MODE_VALUES };

/* Between the values of a stream: what was there last. BETWEEN_LOOSE: an array that was complained
 * of. It may have ended; commas, its end and records without commas are all the same now.
 * BETWEEN_TAIL: the end of an envelope's array. */
enum between {
    BETWEEN_NOTHING,
    BETWEEN_OPEN,
    BETWEEN_VALUE,
    BETWEEN_COMMA,
    BETWEEN_LOOSE,
    BETWEEN_TAIL,
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---- what kind of stream --------------------------------------------------------------------- */

static size_t skip_blanks(struct slice bytes, size_t at)
{
    while (at < bytes.size && is_blank(bytes.at[at])) {
        at++;
    }
    return at;
}

/* The first object goes on behind its first line: whether that is how it was meant. A line that
 * was cut off is followed by one that begins a new object where only a key could stand. */
static bool goes_on(struct slice bytes, size_t newline)
{
    size_t next = skip_blanks(bytes, newline);
    size_t before = newline;
    while (before > 0 && is_blank(bytes.at[before - 1])) {
        before--;
    }
    char last = before > 0 ? bytes.at[before - 1] : '\0';
    return next == bytes.size || bytes.at[next] != '{' || last == ':' || last == '[';
}

/* The mode by the first line, of an object that begins at `start`. */
static enum mode find_line(struct slice bytes, size_t start, bool last)
{
    struct json_span span = {0};
    size_t newline = start + slice_find_byte(slice_of(bytes.at + start, bytes.size - start), '\n');
    size_t at = start;
    bool ended = json_span_over(&span, slice_of(bytes.at, newline), &at);
    if (ended) {
        return span.phase == JSON_SPAN_BEHIND && bytes.at[at] != ']' ? MODE_VALUES : MODE_LINES;
    }
    if (newline == bytes.size && !last) {
        return MODE_NEW;
    }
    if (span.phase != JSON_SPAN_INSIDE || span.string || newline == bytes.size) {
        return MODE_LINES;
    }
    if (skip_blanks(bytes, newline) == bytes.size && !last) {
        return MODE_NEW;
    }
    return goes_on(bytes, newline) ? MODE_VALUES : MODE_LINES;
}

/* MODE_LINES or MODE_VALUES; MODE_NEW: more is needed. */
static enum mode find_mode(struct slice bytes, bool last)
{
    size_t start = skip_blanks(bytes, 0);
    if (start == bytes.size) {
        return MODE_NEW;
    }
    if (bytes.at[start] == '[') {
        return MODE_VALUES;
    }
    if (bytes.at[start] != '{') {
        return MODE_LINES;
    }
    struct json_envelope_head head;
    struct slice rest = slice_of(bytes.at + start, bytes.size - start);
    enum json_envelope envelope = json_envelope_open(rest, &head);
    if (envelope == JSON_ENVELOPE_FOUND) {
        return MODE_VALUES;
    }
    return envelope == JSON_ENVELOPE_MORE && !last ? MODE_NEW : find_line(bytes, start, last);
}

static bool starts_with_bom(struct slice bytes)
{
    return slice_starts(bytes, SLICE("\xEF\xBB\xBF"));
}

/* Lines of the head that begin like an object, and all that are not blank. */
static void count_lines(struct slice head, size_t *objects, size_t *lines)
{
    *objects = 0;
    *lines = 0;
    while (head.size) {
        struct slice line = slice_trim(slice_cut(&head, '\n'));
        *lines += line.size > 0;
        *objects += line.size > 1 && line.at[0] == '{' && (line.at[1] == '"' || line.at[1] == '}');
    }
}

/* Blanks and opening brackets, as far as one can see: what comes behind may be good. */
static bool only_opens(struct slice head)
{
    size_t at = 0;
    while (at < head.size && (is_blank(head.at[at]) || head.at[at] == '[' || head.at[at] == '{')) {
        at++;
    }
    return at > 0 && at == head.size;
}

int json_cut_recognise(struct slice head, bool whole)
{
    size_t start = skip_blanks(head, starts_with_bom(head) ? 3 : 0);
    size_t next = skip_blanks(head, start < head.size ? start + 1 : start);
    if (next < head.size) {
        char second = head.at[next];
        if (head.at[start] == '{' && (second == '"' || second == '}')) {
            return 95;
        }
        if (head.at[start] == '[' && (second == '{' || second == ']')) {
            return 90;
        }
    }
    /* The first line may be the one that is broken. */
    size_t objects, lines;
    count_lines(head, &objects, &lines);
    if (objects > 0) {
        return objects * 2 > lines ? 60 : 20;
    }
    return !whole && only_opens(head) ? 5 : 0;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static enum err too_long(const struct cutter *c, struct cut *out, struct diag *diag)
{
    out->rejected++;
    (void)diag_set(diag, ERR_LIMIT, 0, 0, "record longer than %zu bytes", c->limits.record_bytes);
    return OK;
}

static uint64_t count_records(struct slice lines)
{
    uint64_t count = 0;
    const char *at = lines.at, *end = lines.at + lines.size;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *next = newline ? newline : end;
        /* nearly always the first byte is an object's brace */
        while (at < next && is_blank(*at)) {
            at++;
        }
        count += at < next;
        at = next + 1;
    }
    return count;
}

/* The stream's last line, without a newline: a block that must not be taken for several values. */
static enum err cut_last_line(struct slice bytes, struct cut *out, struct diag *diag)
{
    size_t start = skip_blanks(bytes, 0), end = start;
    out->skip = start;
    if (start == bytes.size) {
        return OK;
    }
    struct json_span span = {0};
    if (json_span_over(&span, bytes, &end)) {
        out->skip = bytes.size;
        out->rejected = 1;
        (void)diag_set(diag, ERR_SYNTAX, 0, (uint32_t)(end + 1),
                "expected nothing more behind the record's value");
        return OK;
    }
    out->size = bytes.size - start;
    out->records = 1;
    return OK;
}

/* In the middle of a line that is too long. */
static enum err skip_line(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    size_t newline = slice_find_byte(bytes, '\n');
    c->c |= skip_blanks(slice_of(bytes.at, newline), 0) < newline; /* a line of blanks is none */
    out->skip = newline < bytes.size ? newline + 1 : newline;
    if (newline == bytes.size && !last) {
        return OK;
    }
    c->b = 0;
    return c->c ? too_long(c, out, diag) : OK;
}

static enum err cut_lines(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    if (c->b) {
        return skip_line(c, bytes, last, out, diag);
    }
    const char *newline = bytes.size ? memrchr(bytes.at, '\n', bytes.size) : NULL;
    if (newline) {
        out->size = (size_t)(newline - bytes.at) + 1;
        out->records = count_records(slice_of(bytes.at, out->size));
        return OK;
    }
    if (bytes.size > c->limits.record_bytes) {
        c->b = 1;
        c->c = 0;
        return skip_line(c, bytes, last, out, diag);
    }
    return last ? cut_last_line(bytes, out, diag) : OK;
}

/* ---- values ---------------------------------------------------------------------------------- */

static const char NO_COMMA[] = "expected ',' or ']' between values";
static const char NO_BRACE[] = "expected '}' at the end of the object around the array";
static const char NOT_CLOSED[] =
        "expected ']' at the end of the array, found the end of the stream";

enum token { TOKEN_COMMA, TOKEN_CLOSE, TOKEN_OPEN, TOKEN_VALUE, TOKEN_COUNT };

static const char MORE_COMMA[] = "expected a value, found ','";
static const char LAST_COMMA[] = "expected a value behind ',', found ']'";
static const char MORE_CLOSE[] = "expected a value, found ']'";

/* What each byte means in each place: where it leads, and why it must not stand there, or NULL.
 * A bracket opens an array where none is open, and where one was not closed; elsewhere it is a
 * value, which the reader refuses. */
static const struct {
    enum between to;
    const char *error;
} moves[BETWEEN_TAIL][TOKEN_COUNT] = {
        [BETWEEN_NOTHING] = {{BETWEEN_NOTHING, MORE_COMMA}, {BETWEEN_NOTHING, MORE_CLOSE},
                {BETWEEN_OPEN, NULL}, {BETWEEN_NOTHING, NULL}},
        [BETWEEN_OPEN] = {{BETWEEN_COMMA, MORE_COMMA}, {BETWEEN_NOTHING, NULL},
                {BETWEEN_VALUE, NULL}, {BETWEEN_VALUE, NULL}},
        [BETWEEN_VALUE] = {{BETWEEN_COMMA, NULL}, {BETWEEN_NOTHING, NULL}, {BETWEEN_OPEN, NO_COMMA},
                {BETWEEN_LOOSE, NO_COMMA}},
        [BETWEEN_COMMA] = {{BETWEEN_COMMA, MORE_COMMA}, {BETWEEN_NOTHING, LAST_COMMA},
                {BETWEEN_VALUE, NULL}, {BETWEEN_VALUE, NULL}},
        [BETWEEN_LOOSE] = {{BETWEEN_LOOSE, NULL}, {BETWEEN_NOTHING, NULL}, {BETWEEN_OPEN, NULL},
                {BETWEEN_LOOSE, NULL}},
};

static enum token token_of(char c)
{
    return c == ',' ? TOKEN_COMMA : c == ']' ? TOKEN_CLOSE : c == '[' ? TOKEN_OPEN : TOKEN_VALUE;
}

/* Where a stream of values is: what cut_values keeps in c->d. */
struct place {
    enum between between;
    bool complained; /* one complaint between two values is enough, however the stream is cut */
    bool envelope;   /* inside of one */
    bool named;      /* what stands beside an envelope's array was named */
};

enum { PLACE_BETWEEN = 7 }; /* the bits of `between` */

static struct place place_load(uint64_t bits)
{
    return (struct place){.between = (enum between)(bits & PLACE_BETWEEN),
            .complained = bits & 16,
            .envelope = bits & 32,
            .named = bits & 64};
}

static uint64_t place_save(const struct place *place)
{
    return place->between | (place->complained ? 16u : 0) | (place->envelope ? 32u : 0) |
           (place->named ? 64u : 0);
}

/* In an array that must be closed. */
static bool is_open(enum between between)
{
    return between == BETWEEN_OPEN || between == BETWEEN_VALUE || between == BETWEEN_COMMA;
}

/* Blanks and punctuation up to the next value, *at, or behind an envelope's array. The first error
 * speaks for all that stand in one place. */
static const char *skip_between(struct place *place, struct slice bytes, size_t *at)
{
    const char *first = NULL;
    for (; *at < bytes.size; ++*at) {
        if (is_blank(bytes.at[*at])) {
            continue;
        }
        enum token token = token_of(bytes.at[*at]);
        first = first ? first : moves[place->between][token].error;
        place->between = moves[place->between][token].to;
        if (token == TOKEN_VALUE || (token == TOKEN_OPEN && place->between == BETWEEN_VALUE)) {
            break;
        }
        if (place->between == BETWEEN_OPEN) {
            place->envelope = false;
        }
        if (token == TOKEN_CLOSE && place->envelope) {
            place->between = BETWEEN_TAIL;
            ++*at;
            break;
        }
    }
    return first;
}

/* Whether an envelope may begin at a value. */
static bool envelope_may_open(const struct place *place, struct slice bytes, size_t at)
{
    return (place->between == BETWEEN_NOTHING || place->between == BETWEEN_LOOSE) &&
           bytes.at[at] == '{';
}

/* Blanks and commas between two values of a block; false: something else, or the end. */
static bool joined(enum between between, struct slice bytes, size_t *at)
{
    bool outside = between == BETWEEN_NOTHING, loose = between == BETWEEN_LOOSE;
    size_t i = *at;
    bool comma = outside;
    for (; i < bytes.size; i++) {
        char c = bytes.at[i];
        if (is_blank(c)) {
            continue;
        }
        if (c == ',' && !comma) {
            comma = true;
            continue;
        }
        if ((!comma && !loose) || c == ',' || c == ']' || (c == '[' && (outside || loose))) {
            return false;
        }
        *at = i;
        return true;
    }
    return false;
}

/* In c->b, beside a span's state. */
enum { SKIPPING = 16, SKIPPING_LAST = 8 };

static struct json_span span_load(const struct cutter *c)
{
    return (struct json_span){.depth = (uint32_t)c->c,
            .blanks = (uint32_t)(c->c >> 32),
            .phase = (uint8_t)(c->b & 3),
            .string = c->b & 4,
            .escape = c->b & 8,
            .front = c->b & 32,
            .last = (char)(c->b >> SKIPPING_LAST)};
}

static void span_save(struct cutter *c, const struct json_span *span)
{
    c->b = (uint64_t)SKIPPING | span->phase | (span->string ? 4u : 0) | (span->escape ? 8u : 0) |
           (span->front ? 32u : 0) | (uint64_t)(unsigned char)span->last << SKIPPING_LAST;
    c->c = (uint64_t)span->blanks << 32 | span->depth;
}

/* Behind a value that ended where it could not. */
static void broke(struct place *place)
{
    if (place->between != BETWEEN_NOTHING) {
        place->between = BETWEEN_LOOSE;
    }
}

/* In the middle of a value, or of an envelope's tail, that is too long. */
static enum err skip_value(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    struct json_span span = span_load(c);
    size_t at = 0;
    bool ended = json_span_over(&span, bytes, &at);
    span_save(c, &span);
    out->skip = at;
    if (!ended && !last) {
        return OK;
    }
    c->b = 0;
    if (span.broken) {
        struct place place = place_load(c->d);
        broke(&place);
        c->d = place_save(&place);
    }
    return too_long(c, out, diag);
}

/* Whole values from bytes[out->skip] on; the first may not be whole. True: the stream ends with a
 * whole value in an array that is not closed. That has to be said before the value, so others
 * go first. */
static bool take_values(struct slice bytes, bool last, struct place *place, struct cut *out)
{
    size_t at = out->skip, end = at;
    bool open = false;
    for (;;) {
        struct json_span span = {0};
        bool ended = json_span_over(&span, bytes, &at);
        if (!ended && !last) {
            break;
        }
        open = !ended && is_open(place->between) && span.phase == JSON_SPAN_BEHIND;
        if (open && out->records > 0) {
            open = false;
            break;
        }
        end = at;
        out->records++;
        if (span.broken) {
            broke(place);
        }
        struct json_envelope_head head;
        if (!joined(place->between, bytes, &at) ||
                (envelope_may_open(place, bytes, at) &&
                        json_envelope_open(slice_of(bytes.at + at, bytes.size - at), &head) !=
                                JSON_ENVELOPE_NONE)) {
            break;
        }
    }
    while (end > out->skip && is_blank(bytes.at[end - 1])) {
        end--;
    }
    out->size = end - out->skip;
    return open;
}

/* One place's complaint, and where that leaves us. */
static void settle(
        struct place *place, const char *error, bool value, struct cut *out, struct diag *diag)
{
    if (error && !place->complained) {
        out->rejected = 1;
        (void)diag_set(diag, ERR_SYNTAX, 0, 0, "%s", error);
    }
    place->complained = !value && (error || place->complained);
}

/* Names what no record has, once a stream. */
static void name_beside(struct place *place, struct slice key, struct cut *out, struct diag *diag)
{
    if (key.size && !place->named && !out->rejected) {
        place->named = true;
        out->said = true;
        (void)diag_say(diag, OK,
                "'%.*s', beside the array of records, belongs to no record and is not read",
                SLICE_ARG(key));
    }
}

/* Behind an envelope's array, to the envelope's end. */
static enum err cut_tail(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    struct place place = place_load(c->d);
    place.complained = false;
    struct json_span span = {.depth = 1, .phase = JSON_SPAN_INSIDE, .last = ']'};
    size_t at = 0;
    bool ended = json_span_over(&span, bytes, &at);
    if (!ended && !last && bytes.size <= c->limits.record_bytes) {
        return OK;
    }
    place.between = BETWEEN_NOTHING;
    place.envelope = false;
    if (!ended && !last) {
        c->b = SKIPPING;
        span = (struct json_span){.depth = 1, .phase = JSON_SPAN_INSIDE, .last = ']'};
        span_save(c, &span);
        c->d = place_save(&place);
        return skip_value(c, bytes, last, out, diag);
    }
    out->skip = at;
    c->d = place_save(&place);
    if (at > c->limits.record_bytes) {
        return too_long(c, out, diag);
    }
    const char *error = NULL;
    if (span.phase != JSON_SPAN_BEHIND) {
        error = span.phase == JSON_SPAN_STRAY
                        ? "expected nothing more behind the object around the array"
                        : NO_BRACE;
    }
    settle(&place, error, true, out, diag);
    name_beside(&place, json_envelope_beside(slice_of(bytes.at, at)), out, diag);
    c->d = place_save(&place);
    return OK;
}

/* Inside an envelope that begins at out->skip. */
static void enter(struct place *place, const struct json_envelope_head *head, struct cut *out,
        struct diag *diag)
{
    out->skip += head->inside;
    place->between = BETWEEN_OPEN;
    place->envelope = true;
    name_beside(place, head->beside, out, diag);
}

/* What stands at the first byte that is no punctuation. */
enum next { NEXT_END, NEXT_TAIL, NEXT_VALUE, NEXT_ENVELOPE, NEXT_UNKNOWN };

static enum next find_next(const struct place *place, struct slice bytes, struct cut *out,
        bool last, struct json_envelope_head *head)
{
    if (out->skip == bytes.size) {
        bool tail = place->between == BETWEEN_TAIL;
        return !tail ? NEXT_END : last ? NEXT_TAIL : NEXT_UNKNOWN;
    }
    if (place->between == BETWEEN_TAIL) {
        return NEXT_END;
    }
    if (!envelope_may_open(place, bytes, out->skip)) {
        return NEXT_VALUE;
    }
    struct slice rest = slice_of(bytes.at + out->skip, bytes.size - out->skip);
    switch (json_envelope_open(rest, head)) {
    case JSON_ENVELOPE_FOUND:
        return NEXT_ENVELOPE;
    case JSON_ENVELOPE_MORE:
        return last ? NEXT_VALUE : NEXT_UNKNOWN;
    case JSON_ENVELOPE_NONE:
    default:
        return NEXT_VALUE;
    }
}

static enum err cut_values(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    struct place place = place_load(c->d);
    struct json_envelope_head head;
    const char *error = skip_between(&place, bytes, &out->skip), *end = NULL;
    enum next next = find_next(&place, bytes, out, last, &head);
    if (next == NEXT_VALUE) {
        end = take_values(bytes, last, &place, out) ? NOT_CLOSED : NULL;
        bool fits = bytes.size - out->skip <= c->limits.record_bytes;
        next = out->size == 0 && fits ? NEXT_UNKNOWN : next;
    } else if (next == NEXT_TAIL) {
        end = NO_BRACE;
    } else if (next == NEXT_END && last && is_open(place.between)) {
        end = NOT_CLOSED;
    }
    if (next == NEXT_UNKNOWN) {
        /* Come back with more; what stands before is consumed only when that is enough. */
        *out = (struct cut){0};
        return OK;
    }
    if (end && !error) {
        error = end;
        place.between = BETWEEN_NOTHING;
    }
    settle(&place, error, next != NEXT_END, out, diag);
    if (next == NEXT_ENVELOPE) {
        enter(&place, &head, out, diag);
    } else if (next == NEXT_VALUE && out->size == 0) {
        c->b = SKIPPING;
        c->c = 0;
    }
    c->d = place_save(&place);
    return OK;
}

/* ---- both ------------------------------------------------------------------------------------ */

/* One step of cutting: it may consume nothing but what stands between records. */
static enum err cut_step(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    if (c->a == MODE_NEW) {
        if (bytes.size < 3 && !last) {
            return OK;
        }
        c->a = MODE_OPENED;
        if (starts_with_bom(bytes)) {
            out->skip = 3;
            return OK;
        }
    }
    if (c->a == MODE_OPENED) {
        out->skip = skip_blanks(bytes, 0);
        if (out->skip > 0) {
            return OK;
        }
        enum mode mode = find_mode(bytes, last);
        if (mode == MODE_NEW && !last && bytes.size <= c->limits.record_bytes) {
            return OK;
        }
        c->a = mode == MODE_NEW ? MODE_LINES : mode;
    }
    if (c->a == MODE_LINES) {
        return cut_lines(c, bytes, last, out, diag);
    }
    if (c->b) {
        return skip_value(c, bytes, last, out, diag);
    }
    return (c->d & PLACE_BETWEEN) == BETWEEN_TAIL ? cut_tail(c, bytes, last, out, diag)
                                                  : cut_values(c, bytes, last, out, diag);
}

enum err json_cut(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    size_t skipped = 0;
    bool idle;
    do {
        struct cut step = {0};
        struct slice rest = slice_of(bytes.at + skipped, bytes.size - skipped);
        TRY(cut_step(c, rest, last, &step, diag));
        idle = step.size == 0 && step.rejected == 0 && !step.said;
        skipped += step.skip;
        idle = idle && step.skip > 0 && skipped < bytes.size;
        *out = step;
        out->skip = skipped;
    } while (idle);
    return OK;
}
