#include "decode/auditd.h"

#include "base/buf.h"
#include "base/memory.h"
#include "decode/auditd_cut.h"
#include "decode/auditd_line.h"
#include "decode/auditd_parse.h"
#include "decode/fields.h"
#include "decode/lines.h"

#define NONE UINT32_MAX

struct line {
    struct slice text;
    uint32_t next; /* of its event, or NONE */
};

/* An event, or a line that is none. */
struct group {
    uint64_t key; /* 0: no audit record */
    struct slice node, stamp;
    uint32_t first, last; /* of its lines */
    bool apart;           /* other lines stand between them */
};

struct reader {
    struct fields_reader fields;
    struct decode_limits limits;
    struct buf lines;  /* struct line: the block's, in order */
    struct buf groups; /* struct group, in the order of their first lines */
    struct buf slots;  /* uint32_t: open addressing: the last group of a key, plus one */
    struct buf joined; /* the lines of an event that stand apart */
    struct slice block;
    uint32_t mask;
    uint32_t line_count, group_count, group;
    bool failed; /* no memory for the block: its records are rejected */
};

static struct line *line_at(const struct reader *r, uint32_t i)
{
    return (struct line *)(void *)r->lines.at + i; /* aligned by memory_resize */
}

static struct group *group_at(const struct reader *r, uint32_t i)
{
    return (struct group *)(void *)r->groups.at + i;
}

/* ---- a block's events ------------------------------------------------------------------------ */

static void add_group(struct reader *r, uint64_t key, const struct auditd_line *l)
{
    struct group group = {.key = key, .first = r->line_count, .last = r->line_count};
    if (key) {
        group.node = l->node;
        group.stamp = l->stamp;
    }
    buf_add(&r->groups, slice_of((const char *)&group, sizeof group));
    r->group_count++;
}

/* The slot of an event: that of its last group, or a free one. */
static uint32_t *slot_of(struct reader *r, uint64_t key, const struct auditd_line *l)
{
    uint32_t *slots = (uint32_t *)(void *)r->slots.at;
    uint32_t i = (uint32_t)key & r->mask;
    for (; slots[i]; i = (i + 1) & r->mask) {
        const struct group *g = group_at(r, slots[i] - 1);
        if (g->key == key && slice_equal(g->stamp, l->stamp) && slice_equal(g->node, l->node)) {
            break;
        }
    }
    return &slots[i];
}

/* Adds the line to the event that it belongs to, a new one if there is none near. */
static void add_line(struct reader *r, struct slice text)
{
    struct auditd_line l;
    struct line line = {.text = text, .next = NONE};
    if (!auditd_line_parse(text, &l)) {
        add_group(r, 0, NULL);
    } else {
        uint64_t key = auditd_cut_key(&l);
        uint32_t *slot = slot_of(r, key, &l);
        struct group *g = *slot ? group_at(r, *slot - 1) : NULL;
        struct line *before = g ? line_at(r, g->last) : NULL;
        if (before && (size_t)(text.at - before->text.at) - before->text.size <= AUDITD_SPREAD) {
            g->apart |= g->last + 1 != r->line_count;
            g->last = before->next = r->line_count;
        } else {
            add_group(r, key, &l);
            *slot = r->group_count;
        }
    }
    buf_add(&r->lines, slice_of((const char *)&line, sizeof line));
    r->line_count++;
}

/* Room for all lines at once, so that nothing moves or fails while they are added. */
static bool make_room(struct reader *r, size_t lines)
{
    size_t slots = 64;
    while (slots < lines * 2) {
        slots *= 2;
    }
    r->mask = (uint32_t)slots - 1;
    buf_clear(&r->lines);
    buf_clear(&r->groups);
    buf_clear(&r->slots);
    if (lines > UINT32_MAX / 4 || !buf_reserve(&r->lines, lines * sizeof(struct line) + 1) ||
            !buf_reserve(&r->groups, lines * sizeof(struct group) + 1) ||
            !buf_reserve(&r->slots, slots * sizeof(uint32_t))) {
        return false;
    }
    memset(r->slots.at, 0, slots * sizeof(uint32_t));
    return true;
}

static void begin(struct reader *r, struct slice block, struct slice header)
{
    size_t at = 0;
    struct slice line;
    (void)header;
    r->block = block;
    r->line_count = r->group_count = r->group = 0;
    r->failed = !make_room(r, lines_count(block));
    while (!r->failed && lines_next(block, &at, &line)) {
        add_line(r, line);
    }
}

/* ---- an event -------------------------------------------------------------------------------- */

/* The event's bytes: its lines as they stand, or put together. */
static bool raw_of(struct reader *r, const struct group *g, struct slice *raw)
{
    struct slice first = line_at(r, g->first)->text, last = line_at(r, g->last)->text;
    if (!g->apart) {
        *raw = slice_of(first.at, (size_t)(last.at + last.size - first.at));
        return true;
    }
    buf_clear(&r->joined);
    for (uint32_t i = g->first; i != NONE; i = line_at(r, i)->next) {
        if (i != g->first) {
            buf_byte(&r->joined, '\n');
        }
        buf_add(&r->joined, line_at(r, i)->text);
    }
    *raw = buf_slice(&r->joined);
    return !r->joined.failed;
}

static enum err next(struct reader *r, struct event *event, struct diag *diag)
{
    struct slice raw;
    if (r->failed) {
        r->failed = false;
        event_begin(event, r->block);
        return diag_say(diag, ERR_MEMORY, "no memory to read a block of %zu bytes", r->block.size);
    }
    if (r->group >= r->group_count) {
        return ERR_END;
    }
    const struct group *g = group_at(r, r->group++);
    if (!raw_of(r, g, &raw)) {
        event_begin(event, line_at(r, g->first)->text);
        return diag_say(diag, ERR_MEMORY, "no memory to put an event's lines together");
    }
    if (raw.size > r->limits.record_bytes) {
        event_begin(event, raw);
        return diag_say(diag, ERR_LIMIT, "record longer than %zu bytes", r->limits.record_bytes);
    }
    return fields_read(&r->fields, raw, event, diag);
}

static uint64_t ordinal(const struct reader *r)
{
    return r->group > 0 ? group_at(r, r->group - 1)->first : 0;
}

static void reader_free(struct reader *r)
{
    if (r) {
        fields_fini(&r->fields);
        buf_fini(&r->lines);
        buf_fini(&r->groups);
        buf_fini(&r->slots);
        buf_fini(&r->joined);
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
    enum err e = fields_init(&r->fields, &auditd_parse_form, paths, r);
    if (e != OK) {
        reader_free(r);
        return e;
    }
    *out = r;
    return OK;
}

const struct decoder auditd_decoder = {
        .name = "auditd",
        .about = "Linux audit log: lines of one event joined, also in a syslog envelope",
        .recognise = auditd_cut_recognise,
        .cut = auditd_cut,
        .reader_new = reader_new,
        .reader_free = reader_free,
        .begin = begin,
        .next = next,
        .ordinal = ordinal,
};
