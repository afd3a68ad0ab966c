#include "cli/report_line.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/time.h"
#include "cli/report_html.h"

#define ADD(out, literal) buf_add((out), SLICE("" literal))

enum { COLUMNS = 140, TICKS = 7, BAR = 10, HEIGHT = 40 };
/* Findings are far that stand FAR times further out than the middle half is long, and few that are
 * one of FEW. */
enum { FAR = 10, FEW = 50 };
#define FAR_LEAST_S ((int64_t)36 * 86400) /* a clock that is a year off is wrong, a day is not */

enum err report_line_init(struct report_line *line)
{
    struct report_bin *bins = memory_alloc_array(REPORT_LINE_SLOTS, sizeof *bins);
    if (!bins) {
        return ERR_MEMORY;
    }
    *line = (struct report_line){.bins = bins, .width_s = 1};
    return OK;
}

void report_line_fini(struct report_line *line)
{
    memory_free(line->bins);
    *line = (struct report_line){0};
}

static int64_t floor_to(int64_t value, int64_t by)
{
    int64_t rest = value % by;
    return value - (rest < 0 ? rest + by : rest);
}

/* ---- counting -------------------------------------------------------------------------------- */

static struct report_bin *find(struct report_bin *bins, int64_t number)
{
    uint64_t h = hash_mix((uint64_t)number ^ 0x9E3779B97F4A7C15u, 0xD1B54A32D192ED03u);
    for (uint32_t i = (uint32_t)h & (REPORT_LINE_SLOTS - 1);;
            i = (i + 1) & (REPORT_LINE_SLOTS - 1)) {
        if (!bins[i].used || bins[i].number == number) {
            return &bins[i];
        }
    }
}

static int by_number(const void *a, const void *b)
{
    const struct report_bin *x = a, *y = b;
    if (x->used != y->used) {
        return x->used ? -1 : 1;
    }
    return x->number < y->number ? -1 : x->number > y->number;
}

/* The used ones to the front, in order of time. No more can be added. */
static void sort(struct report_line *line)
{
    qsort(line->bins, REPORT_LINE_SLOTS, sizeof *line->bins, by_number);
}

/* Pairs of bins become one. In place: sorted to the front, then put again from the back. */
static bool widen(struct report_line *line)
{
    struct report_bin *bins = memory_alloc_array(REPORT_LINE_SLOTS, sizeof *bins);
    if (!bins) {
        return false;
    }
    uint32_t used = 0;
    for (uint32_t i = 0; i < REPORT_LINE_SLOTS; i++) {
        const struct report_bin *from = &line->bins[i];
        if (!from->used) {
            continue;
        }
        int64_t number = floor_to(from->number, 2) / 2;
        struct report_bin *to = find(bins, number);
        used += !to->used;
        to->used = true;
        to->number = number;
        for (int l = 0; l < LEVEL_COUNT; l++) {
            to->counts[l] += from->counts[l];
        }
    }
    memory_free(line->bins);
    line->bins = bins;
    line->used = used;
    line->width_s *= 2;
    return true;
}

void report_line_add(struct report_line *line, int64_t time_ns, enum level level)
{
    int64_t s = floor_to(time_ns / TIME_SECOND - (time_ns % TIME_SECOND < 0), line->width_s);
    struct report_bin *bin = find(line->bins, s / line->width_s);
    while (!bin->used && line->used >= REPORT_LINE_BINS) {
        if (!widen(line)) {
            return; /* the count says that one is missing */
        }
        s = floor_to(s, line->width_s);
        bin = find(line->bins, s / line->width_s);
    }
    line->used += !bin->used;
    bin->used = true;
    bin->number = s / line->width_s;
    bin->counts[level]++;
    line->findings++;
}

static uint64_t bin_sum(const struct report_bin *bin)
{
    uint64_t sum = 0;
    for (int l = 0; l < LEVEL_COUNT; l++) {
        sum += bin->counts[l];
    }
    return sum;
}

/* ---- what is drawn --------------------------------------------------------------------------- */

/* How time is divided: a column is so many seconds or so many months, a tick so many columns. */
struct scale {
    int64_t column;
    size_t per_tick;
    bool months;
};

struct plot {
    struct scale scale;
    int64_t first; /* column, counted from 1970 or the year 0; a multiple of per_tick */
    size_t columns;
    uint64_t counts[COLUMNS][LEVEL_COUNT];
    uint64_t before, after;  /* findings that are not drawn */
    int64_t first_s, last_s; /* of all findings */
};

#define HOURS(n) ((int64_t)(n)*3600)
static const struct scale scales[] = {{1, 5, false}, {1, 10, false}, {1, 15, false}, {5, 6, false},
        {5, 12, false}, {30, 10, false}, {30, 20, false}, {60, 15, false}, {300, 6, false},
        {300, 12, false}, {600, 18, false}, {1800, 12, false}, {3600, 12, false},
        {HOURS(2), 12, false}, {HOURS(4), 12, false}, {HOURS(12), 14, false},
        {HOURS(24), 14, false}, {1, 3, true}, {1, 6, true}, {1, 12, true}, {2, 12, true},
        {3, 20, true}, {6, 20, true}, {12, 20, true}, {60, 20, true}};

/* Months since the year 0, as time_format writes its year and month. */
static int64_t month_of(int64_t s)
{
    struct buf text = {0};
    int64_t n = 0, ns;
    if (!__builtin_mul_overflow(s, TIME_SECOND, &ns)) {
        time_format(&text, ns);
    }
    for (size_t i = 0; i < 4 && i < text.size; i++) {
        n = n * 10 + (text.at[i] - '0');
    }
    n *= 12;
    n += text.size > 6 ? (text.at[5] - '0') * 10 + text.at[6] - '0' - 1 : 0;
    buf_fini(&text);
    return n;
}

static int64_t column_of(const struct scale *scale, int64_t s)
{
    int64_t n = scale->months ? month_of(s) : s;
    return floor_to(n, scale->column) / scale->column;
}

static int64_t column_start(const struct scale *scale, int64_t column)
{
    int64_t n = column * scale->column;
    return scale->months ? time_days(n / 12, (int)(n % 12) + 1, 1) * 86400 : n;
}

/* The time of the finding that stands at `part` quarters of all. */
static int64_t quarter(const struct report_line *line, uint64_t part)
{
    uint64_t want = (line->findings - 1) * part / 4, seen = 0;
    uint32_t i = 0;
    while (i + 1 < line->used && (seen += bin_sum(&line->bins[i])) <= want) {
        i++;
    }
    return line->bins[i].number * line->width_s;
}

/* The first scale that needs few ticks, and columns no narrower than what was counted. */
static void choose_scale(struct plot *plot, int64_t first, int64_t last, int64_t least)
{
    const size_t count = sizeof scales / sizeof *scales;
    for (size_t i = 0; i < count; i++) {
        const struct scale *scale = &scales[i];
        int64_t per = (int64_t)scale->per_tick;
        int64_t start = floor_to(column_of(scale, first), per);
        int64_t ticks = (column_of(scale, last) - start) / per + 1;
        bool narrow = !scale->months && scale->column < least;
        if (i + 1 == count || (ticks <= TICKS && !narrow)) {
            plot->scale = *scale;
            plot->first = start;
            plot->columns = (size_t)(ticks < TICKS ? ticks : TICKS) * scale->per_tick;
            return;
        }
    }
}

static void count_columns(const struct report_line *line, struct plot *plot)
{
    for (uint32_t i = 0; i < line->used; i++) {
        const struct report_bin *bin = &line->bins[i];
        int64_t column = column_of(&plot->scale, bin->number * line->width_s) - plot->first;
        if (column < 0) {
            plot->before += bin_sum(bin);
        } else if (column >= (int64_t)plot->columns) {
            plot->after += bin_sum(bin);
        } else {
            for (int l = 0; l < LEVEL_COUNT; l++) {
                plot->counts[column][l] += bin->counts[l];
            }
        }
    }
}

/* The first bin from an end that is worth drawing: a few findings far from all others, whose clock
 * may have been wrong, would press all else into one bar. `step`: 1 from the front, -1 from the
 * back; `from`: the middle half's nearer end. */
static int64_t draw_from(const struct report_line *line, int step, int64_t from, int64_t reach)
{
    uint64_t most = line->findings / FEW > 1 ? line->findings / FEW : 1, dropped = 0;
    uint32_t end = step > 0 ? 0 : line->used - 1;
    for (uint32_t i = end; i < line->used; i += (uint32_t)step) {
        int64_t s = line->bins[i].number * line->width_s;
        if ((from - s) * step <= FAR * reach) {
            return s;
        }
        dropped += bin_sum(&line->bins[i]);
        if (dropped > most) {
            break;
        }
    }
    return line->bins[end].number * line->width_s;
}

static void make_plot(const struct report_line *line, struct plot *plot)
{
    *plot = (struct plot){.first_s = line->bins[0].number * line->width_s,
            .last_s = line->bins[line->used - 1].number * line->width_s};
    int64_t low = quarter(line, 1), high = quarter(line, 3);
    int64_t reach = high - low > FAR_LEAST_S ? high - low : FAR_LEAST_S;
    int64_t first = draw_from(line, 1, low, reach);
    int64_t last = draw_from(line, -1, high, reach);
    choose_scale(plot, first, last, line->width_s);
    count_columns(line, plot);
}

/* ---- drawing --------------------------------------------------------------------------------- */

static void add_span(struct buf *out, const struct scale *scale)
{
    static const struct {
        int64_t size;
        const char *name;
    } seconds[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}},
      months[] = {{12, "year"}, {1, "month"}};
    size_t u = 0;
    if (scale->months) {
        u = scale->column % 12 != 0;
        report_html_counted(out, (uint64_t)(scale->column / months[u].size), months[u].name);
        return;
    }
    while (scale->column % seconds[u].size != 0) {
        u++;
    }
    report_html_counted(out, (uint64_t)(scale->column / seconds[u].size), seconds[u].name);
}

static void add_bar(
        struct buf *out, const struct plot *plot, size_t column, enum level level, uint64_t most)
{
    uint64_t n = plot->counts[column][level];
    uint64_t height = n * HEIGHT / most;
    int64_t start = column_start(&plot->scale, plot->first + (int64_t)column);
    int64_t end = column_start(&plot->scale, plot->first + (int64_t)column + 1);
    height = height < 2 ? 2 : height;
    buf_format(out,
            "<rect x=\"%zu\" y=\"%llu\" width=\"%d\" height=\"%llu\" data-a=\"%lld\" "
            "data-b=\"%lld\"><title>",
            column * BAR + 1, (unsigned long long)(HEIGHT - height), BAR - 2,
            (unsigned long long)height, (long long)start, (long long)end);
    report_html_moment(out, start);
    ADD(out, ": ");
    report_html_counted(out, n, "finding");
    ADD(out, "</title></rect>");
}

/* One level's lane: its own scale, so that a rare level is seen beside a frequent one. */
static void add_lane(struct buf *out, const struct plot *plot, enum level level)
{
    uint64_t sum = 0, most = 0;
    for (size_t c = 0; c < plot->columns; c++) {
        uint64_t n = plot->counts[c][level];
        sum += n;
        most = n > most ? n : most;
    }
    if (most == 0) {
        return;
    }
    struct slice name = report_html_level(level);
    buf_format(out, "<div class=\"lane\"><span class=\"lv l%d\">", (int)level);
    buf_add(out, name);
    buf_format(out,
            "</span><svg class=\"l%d\" viewBox=\"0 0 %zu %d\" preserveAspectRatio=\"none\" "
            "role=\"img\" aria-label=\"",
            (int)level, plot->columns * BAR, HEIGHT);
    buf_add(out, name);
    ADD(out, ": ");
    report_html_counted(out, sum, "finding");
    ADD(out, ", at most ");
    report_html_count(out, most);
    ADD(out, " a column\">");
    ADD(out, "<path class=\"grid\" d=\"");
    for (size_t c = 0; c <= plot->columns; c += plot->scale.per_tick) {
        buf_format(out, "M%zu 0V%d", c * BAR, HEIGHT);
    }
    ADD(out, "\"/>");
    for (size_t c = 0; c < plot->columns; c++) {
        if (plot->counts[c][level] > 0) {
            add_bar(out, plot, c, level, most);
        }
    }
    ADD(out, "</svg><span class=\"most\">");
    report_html_count(out, most);
    ADD(out, "</span></div>");
}

/* The date, and the time of day where columns are shorter than a day. */
static void add_tick(struct buf *out, const struct scale *scale, int64_t start)
{
    struct buf text = {0};
    report_html_moment(&text, start); /* empty where no time is so late */
    struct slice time = text.size > 0 ? buf_slice(&text) : SLICE("");
    struct slice date = slice_cut(&time, ' ');
    ADD(out, "<li><b>");
    buf_add(out, scale->months && date.size > 7 ? slice_of(date.at, 7) : date);
    ADD(out, "</b>");
    if (!scale->months && scale->column % 86400 != 0) {
        bool minutes = scale->column * (int64_t)scale->per_tick % 60 == 0 && time.size > 5;
        buf_byte(out, ' ');
        buf_add(out, minutes ? slice_of(time.at, 5) : time);
    }
    ADD(out, "</li>");
    out->failed |= text.failed;
    buf_fini(&text);
}

static void add_axis(struct buf *out, const struct plot *plot)
{
    ADD(out, "<div class=\"lane axis\" aria-hidden=\"true\"><span></span><ol>");
    for (size_t c = 0; c <= plot->columns; c += plot->scale.per_tick) {
        add_tick(out, &plot->scale, column_start(&plot->scale, plot->first + (int64_t)c));
    }
    ADD(out, "</ol><span></span></div>");
}

static void add_head(struct buf *out, const bool *shown, const struct plot *plot)
{
    ADD(out, "<details class=\"figures\"><summary>The same in figures</summary><div "
             "class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Findings over time\">"
             "<table><caption>Findings by ");
    add_span(out, &plot->scale);
    ADD(out, ", where there are some</caption><thead><tr><th scope=\"col\">From (UTC)</th>");
    for (int l = LEVEL_COUNT - 1; l >= 0; l--) {
        if (shown[l]) {
            ADD(out, "<th scope=\"col\" class=\"n\">");
            buf_add(out, report_html_level((enum level)l));
            ADD(out, "</th>");
        }
    }
    ADD(out, "</tr></thead><tbody>");
}

static void add_figures(struct buf *out, const struct plot *plot)
{
    bool shown[LEVEL_COUNT] = {0};
    for (size_t c = 0; c < plot->columns; c++) {
        for (int l = 0; l < LEVEL_COUNT; l++) {
            shown[l] |= plot->counts[c][l] > 0;
        }
    }
    add_head(out, shown, plot);
    for (size_t c = 0; c < plot->columns; c++) {
        uint64_t sum = 0;
        for (int l = 0; l < LEVEL_COUNT; l++) {
            sum += plot->counts[c][l];
        }
        if (sum == 0) {
            continue;
        }
        ADD(out, "<tr><th scope=\"row\">");
        report_html_moment(out, column_start(&plot->scale, plot->first + (int64_t)c));
        ADD(out, "</th>");
        for (int l = LEVEL_COUNT - 1; l >= 0; l--) {
            if (shown[l]) {
                buf_format(out, "<td class=\"n\" data-l=\"%d\">", l);
                report_html_count(out, plot->counts[c][l]);
                ADD(out, "</td>");
            }
        }
        ADD(out, "</tr>");
    }
    ADD(out, "</tbody></table></div></details>");
}

static void add_outside(struct buf *out, uint64_t n, const char *where, int64_t far_s)
{
    if (n > 0) {
        ADD(out, " <b>");
        report_html_counted(out, n, "finding");
        ADD(out, " ");
        buf_add(out, slice_text(where));
        ADD(out, " ");
        report_html_moment(out, far_s);
        ADD(out, ")</b> not drawn: so far from the others that a clock may have been wrong.");
    }
}

void report_line_write(struct report_line *line, struct buf *out)
{
    if (line->used == 0) {
        ADD(out, "<p class=\"note\">No finding has a time.</p>");
        return;
    }
    struct plot plot;
    sort(line);
    make_plot(line, &plot);
    ADD(out, "<div class=\"plot\">");
    for (int l = LEVEL_COUNT - 1; l >= 0; l--) {
        add_lane(out, &plot, (enum level)l);
    }
    add_axis(out, &plot);
    ADD(out, "</div><p class=\"note\">Each bar stands for ");
    add_span(out, &plot.scale);
    ADD(out, "; times are UTC. Each level has its own scale: the figure at its right is the "
             "highest bar.");
    add_outside(out, plot.before, "earlier (the first at", plot.first_s);
    add_outside(out, plot.after, "later (the last at", plot.last_s);
    ADD(out, "</p>");
    add_figures(out, &plot);
}
