#include "cli/hunt_frames.h"

enum { HEAD = 5, NUMBERS = 7 };
enum { SENT_ROW = 'R', SENT_END = 'Z' };

/* ---- writing ----------------------------------------------------------------------------------
 */

static void put(struct buf *out, uint64_t n, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        buf_byte(out, (char)(n >> (8 * i)));
    }
}

/* What is kept of a text that is too long: no half of a character is at its end. */
static struct slice cut_text(struct slice text)
{
    size_t size = HUNT_FRAMES_VALUE;
    for (unsigned i = 0; i < 3 && ((unsigned char)text.at[size] & 0xC0) == 0x80; i++) {
        size--;
    }
    return slice_of(text.at, size);
}

static void put_cell(struct buf *out, const struct row_cell *cell)
{
    bool cut = cell->count > HUNT_FRAMES_VALUES;
    uint32_t count = cut ? HUNT_FRAMES_VALUES : cell->count;
    size_t head = out->size;
    put(out, 0, 1);
    put(out, count, 1);
    for (uint32_t i = 0; i < count; i++) {
        const struct row_value *v = &cell->values[i];
        struct row_value some = *v;
        if (v->kind == ROW_TEXT && v->text.size > HUNT_FRAMES_VALUE) {
            some.text = cut_text(v->text);
            cut = true;
        }
        put(out, v->kind == ROW_NUMBER || v->kind == ROW_DECIMAL, 1);
        size_t at = out->size;
        put(out, 0, 4);
        row_write(&some, out);
        for (unsigned k = 0; k < 4 && !out->failed; k++) {
            out->at[at + k] = (char)((out->size - at - 4) >> (8 * k));
        }
    }
    if (!out->failed) {
        out->at[head] = (char)cut;
    }
}

void hunt_frames_row(struct buf *out, const struct row_cell *cells, uint32_t count)
{
    size_t at = out->size;
    put(out, SENT_ROW, 1);
    put(out, 0, 4);
    for (uint32_t i = 0; i < count; i++) {
        put_cell(out, &cells[i]);
    }
    for (unsigned k = 0; k < 4 && !out->failed; k++) {
        out->at[at + 1 + k] = (char)((out->size - at - HEAD) >> (8 * k));
    }
}

void hunt_frames_end(struct buf *out, const struct hunt_frames_end *end)
{
    const struct query_run_counts *c = &end->counts;
    put(out, SENT_END, 1);
    put(out, NUMBERS * 8, 4);
    const uint64_t numbers[NUMBERS] = {end->events, c->matched, c->undetermined, c->rows, c->timed,
            (uint64_t)c->first_ns, (uint64_t)c->last_ns};
    for (size_t i = 0; i < NUMBERS; i++) {
        put(out, numbers[i], 8);
    }
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static uint64_t number_of(const char *at, unsigned bytes)
{
    uint64_t n = 0;
    for (unsigned i = bytes; i-- > 0;) {
        n = n << 8 | (unsigned char)at[i];
    }
    return n;
}

static enum err broken(struct diag *diag)
{
    return diag_say(diag, ERR_SYNTAX, "the process that hunted sent what is no row");
}

enum err hunt_frames_next(struct slice *bytes, struct hunt_frame *out, struct diag *diag)
{
    if (bytes->size < HEAD) {
        return ERR_END;
    }
    uint64_t size = number_of(bytes->at + 1, 4);
    char kind = bytes->at[0];
    bool end = kind == SENT_END && size == NUMBERS * 8;
    if ((kind != SENT_ROW && !end) || size > HUNT_FRAMES_MOST) {
        return broken(diag);
    }
    if (bytes->size - HEAD < size) {
        return ERR_END;
    }
    struct slice body = slice_of(bytes->at + HEAD, size);
    *out = (struct hunt_frame){.row = !end, .cells = body};
    if (end) {
        uint64_t n[NUMBERS];
        for (size_t i = 0; i < NUMBERS; i++) {
            n[i] = number_of(body.at + i * 8, 8);
        }
        out->end = (struct hunt_frames_end){{.matched = n[1],
                                                    .undetermined = n[2],
                                                    .rows = n[3],
                                                    .timed = n[4],
                                                    .first_ns = (int64_t)n[5],
                                                    .last_ns = (int64_t)n[6]},
                n[0]};
    }
    *bytes = slice_from(*bytes, HEAD + size);
    return OK;
}

static bool take_digits(struct slice *text)
{
    size_t count = 0;
    while (count < text->size && slice_is_digit(text->at[count])) {
        count++;
    }
    *text = slice_from(*text, count);
    return count > 0;
}

/* It stands in JSON as it is (RFC 8259 section 6). */
static bool is_number(struct slice text)
{
    text = slice_from(text, slice_starts(text, SLICE("-")));
    bool zero = slice_starts(text, SLICE("0"));
    size_t before = text.size;
    if (!take_digits(&text) || (zero && before - text.size > 1)) {
        return false;
    }
    if (slice_starts(text, SLICE("."))) {
        text = slice_from(text, 1);
        return take_digits(&text) && text.size == 0;
    }
    return text.size == 0;
}

enum err hunt_frames_cell(struct slice *cells, struct hunt_frames_cell *out, struct diag *diag)
{
    struct slice rest = *cells;
    if (rest.size < 2 || (unsigned char)rest.at[1] > HUNT_FRAMES_VALUES) {
        return broken(diag);
    }
    out->cut = rest.at[0];
    out->count = (unsigned char)rest.at[1];
    rest = slice_from(rest, 2);
    for (uint32_t i = 0; i < out->count; i++) {
        uint64_t size = rest.size < HEAD ? UINT64_MAX : number_of(rest.at + 1, 4);
        if (rest.size < HEAD || rest.size - HEAD < size) {
            return broken(diag);
        }
        out->values[i] =
                (struct hunt_frames_value){rest.at[0] != 0, slice_of(rest.at + HEAD, size)};
        if (out->values[i].number && !is_number(out->values[i].text)) {
            return broken(diag);
        }
        rest = slice_from(rest, HEAD + size);
    }
    *cells = rest;
    return OK;
}
