#include "base/fold.h"
#include "base/hash.h"
#include "base/memory.h"
#include "correlate/machine_parts.h"
#include "sigma/correlation.h"
#include "sigma/rule.h"

/* The values of one name: a row of texts, or one text of a group. */
struct values {
    struct slice rest; /* for match_next */
    struct slice one;  /* .at: this alone */
    struct slice first;
    bool missing;
};

/* One name at a time takes its next value, like the wheels of a counter. */
struct wheels {
    struct values values[CORRELATION_GROUPS + CORRELATION_FIELDS];
    struct slice rest[CORRELATION_GROUPS + CORRELATION_FIELDS];
    struct slice now[CORRELATION_GROUPS + CORRELATION_FIELDS];
    uint32_t count;
};

/* ---- values -------------------------------------------------------------------------------- */

static int32_t wanted_slot(const struct rule *rule, uint32_t field)
{
    for (uint32_t i = 0; i < rule->wanted_count; i++) {
        if (rule->wanted[i] == field) {
            return (int32_t)i;
        }
    }
    return -1;
}

/* A correlation has the values of its group; for all else its own event is asked, through its
 * aliases. */
static struct values ask_hit(const struct machine_hit *hit, uint32_t field)
{
    while (hit->group) {
        const struct correlation *c = hit->rule->correlation;
        for (uint32_t g = 0; g < c->group_count; g++) {
            if (c->name_ids[g] == field) {
                struct slice text = hit->group->shown[g];
                return (struct values){.one = text, .first = text, .missing = !text.at};
            }
        }
        field = correlation_field(c, hit->part, field);
        hit = hit->inner;
    }
    int32_t slot = wanted_slot(hit->rule, field);
    struct values v = {.missing = true};
    if (slot >= 0) {
        v.rest = match_values(hit->match, (uint32_t)slot);
        v.missing = !match_next(&v.rest, &v.first);
    }
    return v;
}

static struct values values_of(const struct machine *m, const struct machine_unit *u,
        const struct machine_input *input, uint32_t name)
{
    const struct machine_hit *hit = m->hits[input->hit];
    int32_t slot = u->slots[input->part][name];
    if (slot < 0) {
        return ask_hit(hit, u->c->parts[input->part].fields[name]);
    }
    struct values v = {.rest = match_values(hit->match, (uint32_t)slot)};
    v.missing = !match_next(&v.rest, &v.first);
    return v;
}

/* ---- tuples -------------------------------------------------------------------------------- */

static void wheels_set(struct wheels *w, const struct machine *m, const struct machine_unit *u,
        const struct machine_input *input, uint32_t first)
{
    for (uint32_t i = 0; i < w->count; i++) {
        w->values[i] = values_of(m, u, input, first + i);
        w->rest[i] = w->values[i].rest;
        w->now[i] = w->values[i].missing ? (struct slice){0} : w->values[i].first;
    }
}

/* The next tuple; false: that was the last. */
static bool wheels_turn(struct wheels *w)
{
    for (uint32_t i = w->count; i-- > 0;) {
        if (!w->values[i].one.at && match_next(&w->rest[i], &w->now[i])) {
            return true;
        }
        w->rest[i] = w->values[i].rest;
        w->now[i] = w->values[i].missing ? (struct slice){0} : w->values[i].first;
    }
    return false;
}

/* A text's fold with its size before it; what is missing is like no text. */
static void add_folded(struct buf *out, struct slice text)
{
    if (!text.at) {
        buf_byte(out, '-');
        return;
    }
    char *size = buf_reserve(out, 5 + text.size * 2);
    if (!size) {
        return;
    }
    size_t n = 0;
    char *to = size + 5;
    bool ascii = true;
    for (; n < text.size && ascii; n++) {
        char c = text.at[n];
        ascii = (unsigned char)c < 0x80;
        to[n] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    n = ascii ? n : fold_text(text, to);
    size[0] = '+';
    for (int i = 0; i < 4; i++) {
        size[i + 1] = (char)(n >> 8 * i & 0xFF);
    }
    out->size += 5 + n;
}

static bool tuple_missing(const struct wheels *w)
{
    for (uint32_t i = 0; i < w->count; i++) {
        if (w->values[i].missing) {
            return true;
        }
    }
    return false;
}

/* ---- groups -------------------------------------------------------------------------------- */

static enum err add_entry(struct machine *m, const struct machine_unit *u, const struct wheels *w,
        const struct machine_input *input)
{
    struct machine_entry entry = {.key_at = m->keys.size,
            .shown = m->shown_count,
            .part = input->part,
            .hit = input->hit};
    if (!memory_grow(&m->entries, &m->entry_room, m->entry_count + 1, sizeof entry) ||
            !memory_grow(
                    &m->shown, &m->shown_room, m->shown_count + w->count + 1, sizeof *m->shown)) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < w->count; i++) {
        add_folded(&m->keys, w->now[i]);
        m->shown[m->shown_count++] = w->now[i];
    }
    if (m->keys.failed) {
        return ERR_MEMORY;
    }
    entry.key_size = m->keys.size - entry.key_at;
    entry.hash = hash_bytes(slice_of(m->keys.at ? m->keys.at + entry.key_at : "", entry.key_size),
            u->rule->number + 1);
    m->entries[m->entry_count++] = entry;
    return OK;
}

enum err machine_join(struct machine *m, struct machine_unit *u)
{
    struct wheels w; /* large: not cleared, wheels_set fills what is used */
    w.count = u->c->group_count;
    bool missing = false;
    buf_clear(&m->keys);
    m->shown_count = 0;
    m->entry_count = 0;
    for (size_t i = 0; i < u->input_count; i++) {
        uint32_t groups = 0;
        wheels_set(&w, m, u, &u->inputs[i], 0);
        missing = missing || tuple_missing(&w);
        do {
            if (groups++ == MACHINE_SPREAD) {
                u->report.left_out++;
                break;
            }
            TRY(add_entry(m, u, &w, &u->inputs[i]));
        } while (wheels_turn(&w));
    }
    u->report.no_group += missing;
    return OK;
}

/* ---- the condition's fields ---------------------------------------------------------------- */

enum err machine_join_tuples(struct machine *m, const struct machine_unit *u,
        const struct machine_entry *entry, machine_take *take, void *context)
{
    const struct machine_input input = {entry->part, entry->hit};
    struct wheels w;
    w.count = u->c->field_count;
    wheels_set(&w, m, u, &input, u->c->group_count);
    if (tuple_missing(&w)) {
        return OK;
    }
    uint32_t tuples = 0;
    do {
        buf_clear(&m->value);
        for (uint32_t i = 0; i < w.count; i++) {
            add_folded(&m->value, w.now[i]);
        }
        if (m->value.failed) {
            return ERR_MEMORY;
        }
        TRY(take(context, buf_slice(&m->value)));
    } while (++tuples < MACHINE_SPREAD && wheels_turn(&w));
    return OK;
}

enum err machine_join_texts(struct machine *m, const struct machine_unit *u,
        const struct machine_entry *entry, machine_take *take, void *context)
{
    const struct machine_input input = {entry->part, entry->hit};
    struct wheels w;
    w.count = 1;
    wheels_set(&w, m, u, &input, u->c->group_count);
    if (w.values[0].missing) {
        return OK;
    }
    do {
        TRY(take(context, w.now[0]));
    } while (wheels_turn(&w));
    return OK;
}
