#include "cli/report_html.h"

#include <stdbool.h>

#include "base/time.h"
#include "base/utf8.h"
#include "cli/visible.h"

#define ADD(out, literal) buf_add((out), SLICE("" literal))

enum { CONTEXT = 256 }; /* bytes shown before a marked part that stands far behind */

/* What stands for a byte that markup is made of; empty: itself. */
static struct slice entity(char c)
{
    switch (c) {
    case '&':
        return SLICE("&amp;");
    case '<':
        return SLICE("&lt;");
    case '>':
        return SLICE("&gt;");
    case '"':
        return SLICE("&quot;");
    case '\'':
        return SLICE("&#39;");
    default:
        return (struct slice){0};
    }
}

static bool plain(char c)
{
    return c >= 0x20 && c < 0x7F && entity(c).size == 0;
}

struct style {
    bool markup; /* <i> may stand here */
    bool lines;  /* line ends and tabs stay */
};

static void add_glyph(struct buf *out, const struct visible_glyph *g, const struct style *style)
{
    struct slice text = slice_of(g->text, g->size);
    struct slice name = g->size == 1 ? entity(g->text[0]) : (struct slice){0};
    if (g->spelled && style->markup) {
        ADD(out, "<i>");
        buf_add(out, text);
        ADD(out, "</i>");
    } else {
        buf_add(out, name.size > 0 ? name : text);
    }
}

static void add(struct buf *out, struct slice text, const struct style *style)
{
    unsigned marks = 0;
    size_t at = 0;
    while (at < text.size && !out->failed) {
        size_t start = at;
        while (at < text.size && plain(text.at[at])) {
            at++;
        }
        buf_add(out, slice_of(text.at + start, at - start));
        if (at > start) {
            marks = 0;
        }
        struct slice rest = slice_of(text.at + at, text.size - at);
        if (rest.size == 0) {
            return;
        }
        if (style->lines && slice_starts(rest, SLICE("\r\n"))) {
            at++;
        } else if (style->lines && (*rest.at == '\n' || *rest.at == '\t')) {
            buf_byte(out, *rest.at);
            at++;
        } else {
            struct visible_glyph g = visible_next(rest, &marks);
            add_glyph(out, &g, style);
            at += g.taken;
        }
    }
}

void report_html_text(struct buf *out, struct slice text)
{
    add(out, text, &(struct style){.markup = true});
}

void report_html_attribute(struct buf *out, struct slice text)
{
    add(out, text, &(struct style){0});
}

/* ---- values with their marks ----------------------------------------------------------------- */

/* The beginning of the character that byte `at` belongs to. */
static size_t character(struct slice text, size_t at)
{
    size_t back = at;
    while (back > 0 && at - back < 3 && back < text.size && (text.at[back] & 0xC0) == 0x80) {
        back--;
    }
    return back < text.size && utf8_sequence(text.at + back, text.size - back) > at - back ? back
                                                                                           : at;
}

static void add_left_out(struct buf *out, const char *before, uint64_t bytes, const char *after)
{
    if (bytes > 0) {
        ADD(out, "<i>");
        buf_add(out, slice_text(before));
        report_html_counted(out, bytes, "byte");
        buf_add(out, slice_text(after));
        ADD(out, "</i>");
    }
}

void report_html_value(
        struct buf *out, struct slice text, const struct mark_list *marks, size_t most)
{
    static const struct style value = {.markup = true, .lines = true};
    size_t at = 0, end = text.size;
    if (text.size > most) {
        if (marks->count > 0 && marks->parts[0].at > most / 2) {
            at = marks->parts[0].at - CONTEXT;
            at = character(text, at < text.size - most ? at : text.size - most);
        }
        end = text.size - at > most ? character(text, at + most) : text.size;
    }
    add_left_out(out, "", at, " left out\xE2\x80\xA6 ");
    for (size_t i = 0; i < marks->count && marks->parts[i].at < end; i++) {
        size_t from = marks->parts[i].at > at ? marks->parts[i].at : at;
        size_t to = marks->parts[i].at + marks->parts[i].size;
        to = to < end ? to : end;
        if (to <= from) {
            continue;
        }
        add(out, slice_of(text.at + at, from - at), &value);
        ADD(out, "<mark>");
        add(out, slice_of(text.at + from, to - from), &value);
        ADD(out, "</mark>");
        at = to;
    }
    add(out, slice_of(text.at + at, end - at), &value);
    add_left_out(out, " \xE2\x80\xA6", text.size - end, " left out");
}

/* ---- numbers, times, levels ------------------------------------------------------------------ */

void report_html_count(struct buf *out, uint64_t n)
{
    char digits[32];
    size_t size = 0;
    do {
        if (size % 4 == 3) {
            digits[sizeof digits - ++size] = ',';
        }
        digits[sizeof digits - ++size] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    buf_add(out, slice_of(digits + sizeof digits - size, size));
}

void report_html_counted(struct buf *out, uint64_t n, const char *noun)
{
    report_html_count(out, n);
    buf_byte(out, ' ');
    buf_add(out, slice_text(noun));
    if (n != 1) {
        buf_byte(out, 's');
    }
}

/* The text of a whole second without its T and Z. */
static void add_second(struct buf *out, struct slice rfc3339)
{
    struct slice date = slice_cut(&rfc3339, 'T');
    buf_add(out, date);
    buf_byte(out, ' ');
    buf_add(out, slice_of(rfc3339.at, rfc3339.size < 8 ? rfc3339.size : 8));
}

void report_html_time(struct buf *out, int64_t time_ns)
{
    struct buf text = {0};
    time_format(&text, time_ns);
    ADD(out, "<time datetime=\"");
    buf_add(out, buf_slice(&text));
    ADD(out, "\">");
    add_second(out, buf_slice(&text));
    ADD(out, "</time>");
    out->failed |= text.failed;
    buf_fini(&text);
}

void report_html_moment(struct buf *out, int64_t time_s)
{
    struct buf text = {0};
    int64_t ns;
    if (!__builtin_mul_overflow(time_s, TIME_SECOND, &ns)) {
        time_format(&text, ns);
        add_second(out, buf_slice(&text));
    }
    out->failed |= text.failed;
    buf_fini(&text);
}

struct slice report_html_level(enum level level)
{
    struct slice name = level_name(level);
    return name.size > 0 ? name : SLICE("no level");
}
