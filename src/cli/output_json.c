#include "cli/output_json.h"

#include "base/time.h"
#include "cli/output_correlation.h"

#define ADD(out, literal) buf_add((out), SLICE(literal))

static void add_text(struct buf *out, struct slice text)
{
    buf_byte(out, '"');
    buf_json(out, text);
    buf_byte(out, '"');
}

/* What the rule's author did not give is null. */
static void add_optional(struct buf *out, struct slice text)
{
    if (text.size == 0) {
        ADD(out, "null");
    } else {
        add_text(out, text);
    }
}

static void write_rule(const struct output *o, const struct rule *rule, struct buf *out)
{
    (void)o;
    ADD(out, ",\"rule\":{\"id\":");
    add_optional(out, rule->id);
    ADD(out, ",\"title\":");
    add_text(out, rule->title);
    ADD(out, ",\"author\":");
    add_optional(out, rule->author);
    ADD(out, ",\"level\":");
    add_optional(out, level_name(rule->level));
    ADD(out, ",\"tags\":[");
    for (size_t i = 0; i < rule->tag_count; i++) {
        if (i > 0) {
            buf_byte(out, ',');
        }
        add_text(out, rule->tags[i]);
    }
    ADD(out, "],\"hash\":");
    add_text(out, slice_text(rule->hash));
    ADD(out, ",\"license\":");
    add_optional(out, rule->license);
    buf_add(out, rule->correlation ? SLICE("},\"group\":{") : SLICE("},\"source\":{"));
}

/* The last member, and the end of the line. */
static void write_end(const struct output *o, struct buf *out)
{
    if (o->setting.name.size > 0) {
        ADD(out, ",\"ruleset\":\"");
        buf_add(out, o->setting.name);
        buf_byte(out, '"');
    }
    ADD(out, "}\n");
}

static void write_finding(const struct output *o, struct output_finding *f, struct buf *out)
{
    if (f->time.size > 0) {
        ADD(out, "{\"time\":\"");
        buf_add(out, f->time);
        buf_byte(out, '"');
    } else {
        ADD(out, "{\"time\":null");
    }
    buf_add(out, o->rule_text[f->hit->rule->number]);
    if (f->place_json.size > 0) {
        buf_add(out, f->place_json);
    } else {
        ADD(out, "\"file\":\"");
        buf_add(out, f->file_json);
        ADD(out, "\",\"record\":");
        buf_u64(out, f->record);
    }
    ADD(out, "},\"event\":");
    if (f->event_size > 0 && buf_reserve(out, f->event_size)) {
        buf_add(out, slice_of(out->at + f->event_at, f->event_size));
    } else {
        f->event_at = out->size;
        f->event->form->write_json(f->event, out);
        f->event_size = out->size - f->event_at;
    }
    ADD(out, ",\"matched\":{");
    judge_matched(f->judge, f->event, f->hit, out);
    buf_byte(out, '}');
    write_end(o, out);
}

static void write_events(const struct output_correlation *shown, struct buf *out)
{
    const struct evidence *e = shown->finding->evidence;
    for (uint32_t i = 0; i < evidence_kept(e); i++) {
        const struct match_id *event = evidence_at(e, i);
        uint64_t record;
        buf_add(out, i > 0 ? SLICE(",{\"time\":\"") : SLICE("{\"time\":\""));
        time_format(out, event->time_ns);
        ADD(out, "\",\"source\":{");
        if (shown->place) {
            shown->place(shown->context, event, out);
        } else {
            ADD(out, "\"file\":");
            add_text(out, output_correlation_source(shown, event, &record));
            ADD(out, ",\"record\":");
            buf_u64(out, record);
        }
        ADD(out, "}}");
    }
}

static void write_correlation(
        const struct output *o, const struct output_correlation *shown, struct buf *out)
{
    const struct machine_finding *f = shown->finding;
    ADD(out, "{\"time\":\"");
    time_format(out, f->time_ns);
    buf_byte(out, '"');
    buf_add(out, o->rule_text[f->rule->number]);
    output_correlation_group(shown, out);
    ADD(out, "},\"window\":");
    output_correlation_window(shown, out);
    ADD(out, ",\"value\":");
    output_correlation_value(shown, out);
    ADD(out, ",\"events\":[");
    write_events(shown, out);
    ADD(out, "],\"events_total\":");
    buf_u64(out, f->evidence->total);
    buf_add(out, f->inexact ? SLICE(",\"inexact\":true") : SLICE(",\"inexact\":false"));
    if (shown->members.size > 0) {
        buf_byte(out, ',');
        buf_add(out, shown->members);
    }
    write_end(o, out);
}

const struct output_format output_json = {.name = "json",
        .finding = write_finding,
        .correlation = write_correlation,
        .rule = write_rule};
