#include "app/correlated.h"

#include <string.h>

#include "base/memory.h"
#include "base/time.h"
#include "cli/report_correlation.h"
#include "cli/visible.h"
#include "correlate/machine.h"
#include "correlate/sorter.h"
#include "sigma/correlation.h"

struct correlated {
    struct correlated_setting setting;
    struct sorter *matches;
    struct sorter *findings;
    struct machine *machine;
    struct buf record; /* of the finding at hand */
    struct diag *diag;
};

/* ---- opening ------------------------------------------------------------------------------- */

static enum err open_sorter(size_t budget, struct sorter **out)
{
    struct sorter_setting setting = {.key = MATCH_KEY, .budget = budget, .fd = sorter_temporary()};
    return sorter_new(&setting, out);
}

static enum err keep_finding(void *context, const struct machine_finding *finding);

enum err correlated_open(
        const struct correlated_setting *setting, struct correlated **out, struct diag *diag)
{
    struct correlated *c = memory_alloc(sizeof *c);
    if (!c) {
        return diag_say(diag, ERR_MEMORY, "no memory for correlations");
    }
    c->setting = *setting;
    const struct machine_setting machine = {.set = setting->set,
            .judged = setting->choice->judged,
            .visible = setting->choice->visible,
            .every = setting->every,
            .state_limit = setting->state_limit,
            .finding = keep_finding,
            .context = c};
    enum err e = machine_new(&machine, &c->machine);
    if (e == OK) {
        e = open_sorter(setting->memory, &c->matches);
    }
    if (e == OK) {
        e = open_sorter(setting->memory / 4 + 1, &c->findings);
    }
    if (e != OK) {
        correlated_free(c);
        return diag_say(diag, e, "no memory for correlations");
    }
    *out = c;
    return OK;
}

void correlated_free(struct correlated *c)
{
    if (c) {
        sorter_free(c->matches);
        sorter_free(c->findings);
        machine_free(c->machine);
        buf_fini(&c->record);
        memory_free(c);
    }
}

enum err correlated_add(struct correlated *c, struct slice matches, struct diag *diag)
{
    struct slice record;
    while (match_cut(&matches, &record)) {
        TRY(sorter_add(c->matches, record, diag));
    }
    return OK;
}

/* ---- findings ------------------------------------------------------------------------------ */

enum { SIZE_BYTES = 4 };

static void set_size(char *at, size_t size)
{
    for (int i = 0; i < SIZE_BYTES; i++) {
        at[i] = (char)(size >> 8 * i & 0xFF);
    }
}

static size_t get_size(const char *at)
{
    size_t size = 0;
    for (int i = SIZE_BYTES; i-- > 0;) {
        size = size << 8 | (unsigned char)at[i];
    }
    return size;
}

/* A finding as a record that sorts like a match: its key and host, then its text with the size
 * before it, then its piece of the report. */
static enum err keep_finding(void *context, const struct machine_finding *finding)
{
    struct correlated *c = context;
    const struct output *output = c->setting.output;
    struct match_writer w;
    struct match_id id = finding->trigger;
    id.rule = finding->rule->number;
    buf_clear(&c->record);
    match_begin(&w, &c->record, &id, finding->host);
    const struct output_correlation shown = {.finding = finding, .inputs = c->setting.inputs};
    size_t start = c->record.size;
    buf_add(&c->record, slice_of("\0\0\0", SIZE_BYTES));
    if (output->format->correlation) {
        output->format->correlation(output, &shown, &c->record);
    }
    if (!c->record.failed) {
        set_size(c->record.at + start, c->record.size - start - SIZE_BYTES);
    }
    if (c->setting.report && report_wants(c->setting.report, finding->rule->number)) {
        report_correlation_write(&shown, &c->record);
    }
    match_end(&w);
    if (c->record.failed) {
        return ERR_MEMORY;
    }
    struct slice row = buf_slice(&c->record), record = {0};
    if (!match_cut(&row, &record)) {
        return ERR_MEMORY;
    }
    return sorter_add(c->findings, record, c->diag);
}

static void add_finding(const struct match *finding, struct parcel *parcel)
{
    size_t size = get_size(finding->fields.at);
    struct slice text = slice_of(finding->fields.at + SIZE_BYTES, size);
    struct slice piece = slice_of(text.at + size, finding->fields.size - SIZE_BYTES - size);
    struct turn_mark mark = {.rule = finding->id.rule,
            .host_size = (uint32_t)finding->host.size,
            .host_at = parcel->hosts.size,
            .time_ns = finding->id.time_ns,
            .piece_size = (uint32_t)piece.size,
            .timed = true};
    buf_add(&parcel->out, text);
    buf_add(&parcel->pieces, piece);
    buf_add(&parcel->hosts, finding->host);
    buf_add(&parcel->marks, slice_of((const char *)&mark, sizeof mark));
}

static enum err give_findings(
        struct correlated *c, correlated_take *take, void *context, struct diag *diag)
{
    struct parcel parcel = {0};
    struct slice record;
    enum err e;
    while ((e = sorter_next(c->findings, &record, diag)) == OK) {
        struct match finding;
        match_read(record, &finding);
        add_finding(&finding, &parcel);
        if (parcel.out.size + parcel.pieces.size + parcel.marks.size > CORRELATED_PARCEL) {
            take(context, &parcel);
            turn_parcel_clear(&parcel);
        }
    }
    if (e == ERR_END) {
        take(context, &parcel);
        e = OK;
    }
    turn_parcel_fini(&parcel);
    return e;
}

static enum err run_machine(struct correlated *c, struct diag *diag)
{
    struct slice record;
    enum err e;
    while ((e = sorter_next(c->matches, &record, diag)) == OK) {
        TRY(machine_match(c->machine, record));
    }
    return e == ERR_END ? machine_end(c->machine) : e;
}

enum err correlated_run(
        struct correlated *c, correlated_take *take, void *context, struct diag *diag)
{
    struct diag why = {0};
    c->diag = &why;
    enum err e = sorter_finish(c->matches, &why);
    if (e == OK) {
        e = run_machine(c, &why);
    }
    if (e == OK) {
        e = sorter_finish(c->findings, &why);
    }
    if (e == OK) {
        e = give_findings(c, take, context, &why);
    }
    if (e != OK) {
        diag_say(diag, e, "correlations stopped: %s",
                why.words[0] ? why.words : "no memory for their state");
    }
    return e;
}

/* ---- what is to be said -------------------------------------------------------------------- */

static void begin_note(const struct rule *rule, struct buf *out)
{
    buf_add(out, SLICE("merlon: rule '"));
    visible_add(out, rule->title, VISIBLE_ANY);
    buf_add(out, SLICE("': "));
}

static void note_count(
        const struct machine_report *r, uint64_t count, const char *words, struct buf *out)
{
    if (count) {
        begin_note(r->rule, out);
        buf_format(out, "%llu of %llu events %s\n", (unsigned long long)count,
                (unsigned long long)r->events, words);
    }
}

static void note_spans(const struct machine_report *r, struct buf *out)
{
    for (uint32_t i = 0; i < r->inexact->count; i++) {
        begin_note(r->rule, out);
        buf_add(out, SLICE("inexact from "));
        time_format(out, r->inexact->at[i].from_ns);
        buf_add(out, SLICE(" to "));
        time_format(out, r->inexact->at[i].to_ns);
        buf_add(out, SLICE(": the limit of --state-limit was reached\n"));
    }
}

uint32_t correlated_notes(const struct correlated *c, struct buf *notes)
{
    uint32_t inexact = 0;
    for (uint32_t i = 0; i < machine_count(c->machine); i++) {
        struct machine_report r;
        machine_report(c->machine, i, &r);
        note_spans(&r, notes);
        note_count(&r, r.left_out, "belong to more groups than are followed", notes);
        if (!c->setting.quiet) {
            note_count(&r, r.no_group, "lack a field of group-by: grouped as null", notes);
            note_count(&r, r.no_value, "hold no value for the condition: passed over", notes);
        }
        inexact += r.inexact->count > 0;
    }
    return inexact;
}
