#include "sigma/correlation_meaning.h"

#include <stdlib.h>

#include "base/digest.h"
#include "base/memory.h"
#include "sigma/rule.h"

/* A part's hash, and all aliases of it in order of their names. */
struct line {
    uint32_t part;
    struct slice text; /* in one buffer */
    size_t at;
};

static void add_text(struct buf *out, struct slice text)
{
    buf_u64(out, text.size);
    buf_byte(out, ':');
    buf_add(out, text);
}

static int by_alias(const void *a, const void *b)
{
    const struct correlation_alias *x = a, *y = b;
    return slice_compare(x->name, y->name);
}

static void add_part(const struct correlation *c, uint32_t part,
        const struct correlation_alias *sorted, struct buf *out)
{
    buf_add(out, slice_of(c->parts[part].rule->hash, 64));
    for (uint32_t i = 0; i < c->alias_count; i++) {
        if (sorted[i].part == part && !slice_equal(sorted[i].name, sorted[i].field)) {
            add_text(out, sorted[i].name);
            add_text(out, sorted[i].field);
        }
    }
}

static int by_text(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    return slice_compare(x->text, y->text);
}

/* Parts in an order that does not depend on how they were listed; *place: by part, its number. */
static enum err add_parts(const struct correlation *c, uint32_t *place, struct buf *out)
{
    struct line *lines = memory_alloc_array(c->part_count, sizeof *lines);
    struct correlation_alias *sorted = memory_alloc_array(c->alias_count + 1, sizeof *sorted);
    struct buf text = {0};
    enum err e = lines && sorted ? OK : ERR_MEMORY;
    if (e == OK && c->alias_count) {
        memcpy(sorted, c->aliases, c->alias_count * sizeof *sorted);
        qsort(sorted, c->alias_count, sizeof *sorted, by_alias);
    }
    for (uint32_t i = 0; i < c->part_count && e == OK; i++) {
        lines[i] = (struct line){.part = i, .at = text.size};
        add_part(c, i, sorted, &text);
        lines[i].text.size = text.size - lines[i].at;
    }
    e = e == OK && text.failed ? ERR_MEMORY : e;
    for (uint32_t i = 0; i < c->part_count && e == OK; i++) {
        lines[i].text.at = text.at + lines[i].at;
    }
    if (e == OK && c->type != CORRELATION_TEMPORAL_ORDERED) {
        qsort(lines, c->part_count, sizeof *lines, by_text);
    }
    for (uint32_t i = 0; i < c->part_count && e == OK; i++) {
        add_text(out, lines[i].text);
        place[lines[i].part] = i;
    }
    memory_free(lines);
    memory_free(sorted);
    buf_fini(&text);
    return e;
}

static void add_rest(const struct correlation *c, const uint32_t *place, struct buf *out)
{
    buf_format(out, "\ntimespan %lld\n", (long long)c->timespan_ns);
    for (uint32_t i = 0; i < c->group_count + c->field_count; i++) {
        buf_add(out, i < c->group_count ? SLICE("group ") : SLICE("field "));
        add_text(out, c->names[i]);
    }
    for (int op = 0; op < CORRELATION_OPS; op++) {
        for (uint32_t i = 0; i < c->bound_count; i++) {
            if (c->bounds[i].op == (enum correlation_op)op) {
                buf_format(out, "\nop %d %.17g", op, c->bounds[i].number);
            }
        }
    }
    if (c->type == CORRELATION_VALUE_PERCENTILE) {
        buf_format(out, "\npercentile %.17g", c->percentile);
    }
    for (uint32_t i = 0; i < c->step_count; i++) {
        const struct correlation_step *s = &c->steps[i];
        buf_format(out, "\nstep %u %u %u", s->kind, s->kind == STEP_PART ? place[s->arg] : s->arg,
                s->threshold);
    }
}

enum err correlation_meaning(const struct correlation *c, char out[65])
{
    struct buf text = {0};
    uint32_t place[CORRELATION_RULES];
    buf_add(&text, SLICE("merlon correlation 1\n"));
    buf_add(&text, correlation_type_name(c->type));
    buf_byte(&text, '\n');
    enum err e = add_parts(c, place, &text);
    if (e == OK) {
        add_rest(c, place, &text);
        e = text.failed ? ERR_MEMORY : OK;
    }
    if (e == OK) {
        struct digest digest;
        digest_init(&digest);
        digest_add(&digest, buf_slice(&text));
        digest_hex(&digest, out);
    }
    buf_fini(&text);
    return e;
}
