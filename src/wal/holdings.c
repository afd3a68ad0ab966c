#include "wal/holdings.h"

#include <string.h>

#include "base/memory.h"
#include "wal/holdings_file.h"

const char *holdings_kind_name(enum holdings_kind kind)
{
    static const char *const names[HOLDINGS_KINDS] = {
            "records", "quarantine", "findings", "matches"};
    return names[kind];
}

/* ---- sums --------------------------------------------------------------------------------------
 */

static enum err find_tenant(struct holdings *h, struct slice name, uint32_t *out)
{
    for (size_t i = 0; i < h->tenant_count; i++) {
        if (slice_equal(slice_of(h->tenants[i].name, h->tenants[i].size), name)) {
            *out = (uint32_t)i;
            return OK;
        }
    }
    if (!memory_grow(&h->tenants, &h->tenant_room, h->tenant_count + 1, sizeof *h->tenants)) {
        return ERR_MEMORY;
    }
    char *copy = memory_alloc(name.size + 1);
    if (!copy) {
        return ERR_MEMORY;
    }
    if (name.size > 0) {
        memcpy(copy, name.at, name.size);
    }
    h->tenants[h->tenant_count] = (struct holdings_tenant){.name = copy, .size = name.size};
    *out = (uint32_t)h->tenant_count++;
    return OK;
}

static enum err find_holding(struct holdings_segment *segment, uint32_t tenant,
        enum holdings_kind kind, struct holding **out)
{
    for (size_t i = 0; i < segment->count; i++) {
        if (segment->at[i].tenant == tenant && segment->at[i].kind == kind) {
            *out = &segment->at[i];
            return OK;
        }
    }
    if (!memory_grow(&segment->at, &segment->room, segment->count + 1, sizeof *segment->at)) {
        return ERR_MEMORY;
    }
    *out = &segment->at[segment->count++];
    **out = (struct holding){
            .tenant = tenant, .kind = kind, .oldest_ns = INT64_MAX, .newest_ns = INT64_MIN};
    return OK;
}

enum err holdings_add(
        struct holdings *h, size_t index, struct slice tenant, const struct holding *some)
{
    struct holding *at;
    uint32_t place;
    TRY(find_tenant(h, tenant, &place));
    TRY(find_holding(&h->segments[index], place, some->kind, &at));
    at->bytes += some->bytes;
    at->records += some->records;
    at->oldest_ns = some->oldest_ns < at->oldest_ns ? some->oldest_ns : at->oldest_ns;
    at->newest_ns = some->newest_ns > at->newest_ns ? some->newest_ns : at->newest_ns;
    h->tenants[place].bytes[some->kind] += some->bytes;
    h->tenants[place].records[some->kind] += some->records;
    return OK;
}

static enum err find_ruleset(struct holdings *h, struct slice hash, uint32_t *out)
{
    size_t i = h->ruleset_count; /* what is named again was named last */
    while (i > 0 && !slice_equal(slice_text(h->rulesets[i - 1].hash), hash)) {
        i--;
    }
    if (i == 0) {
        size_t room = h->ruleset_count + 1;
        if (!memory_grow(&h->rulesets, &h->ruleset_room, room, sizeof *h->rulesets)) {
            return ERR_MEMORY;
        }
        h->rulesets[h->ruleset_count] = (struct holdings_ruleset){0};
        memcpy(h->rulesets[h->ruleset_count].hash, hash.at, hash.size);
        i = ++h->ruleset_count;
    }
    *out = (uint32_t)(i - 1);
    return OK;
}

enum err holdings_name(struct holdings *h, size_t index, struct slice hash)
{
    struct holdings_segment *segment = &h->segments[index];
    uint32_t place;
    if (hash.size != DIGEST_HEX - 1) {
        return OK;
    }
    TRY(find_ruleset(h, hash, &place));
    for (size_t i = segment->named_count; i-- > 0;) {
        if (segment->named[i] == place) {
            return OK;
        }
    }
    size_t room = segment->named_count + 1;
    if (!memory_grow(&segment->named, &segment->named_room, room, sizeof *segment->named)) {
        return ERR_MEMORY;
    }
    segment->named[segment->named_count++] = place;
    h->rulesets[place].segments++;
    return OK;
}

bool holdings_names(const struct holdings *h, const char *hash)
{
    for (size_t i = 0; i < h->ruleset_count; i++) {
        if (h->rulesets[i].segments > 0 && strcmp(h->rulesets[i].hash, hash) == 0) {
            return true;
        }
    }
    return false;
}

void holdings_clear(struct holdings *h, size_t index)
{
    struct holdings_segment *segment = &h->segments[index];
    for (size_t i = 0; i < segment->count; i++) {
        const struct holding *at = &segment->at[i];
        h->tenants[at->tenant].bytes[at->kind] -= at->bytes;
        h->tenants[at->tenant].records[at->kind] -= at->records;
    }
    for (size_t i = 0; i < segment->named_count; i++) {
        h->rulesets[segment->named[i]].segments--;
    }
    segment->count = segment->named_count = 0;
    segment->counted = false;
}

/* A frame that says only how far was judged is of nobody. */
static bool is_held(const struct frame *frame, struct holding *out)
{
    static const enum holdings_kind kinds[FRAME_KINDS] = {[FRAME_REJECTED] = HOLDINGS_QUARANTINE,
            [FRAME_UNREAD] = HOLDINGS_QUARANTINE,
            [FRAME_FINDINGS] = HOLDINGS_FINDINGS,
            [FRAME_MATCHES] = HOLDINGS_MATCHES};
    bool some = frame->kind == FRAME_RECORDS || frame->kind == FRAME_REJECTED ||
                frame->kind == FRAME_MATCHES || frame->kind == FRAME_UNREAD ||
                (frame->kind == FRAME_FINDINGS && frame->lines.size > 1);
    if (!some) {
        return false;
    }
    *out = (struct holding){.kind = kinds[frame->kind],
            .bytes = FRAME_FIXED + frame->sizes.size + frame->lines.size,
            .records = frame->count,
            .oldest_ns = frame->receipt_ns,
            .newest_ns = frame->receipt_ns};
    for (size_t tag = 1; tag < FRAME_TAGS; tag++) {
        out->bytes += frame->attribute[tag].at ? 3 + frame->attribute[tag].size : 0;
    }
    return true;
}

/* ---- segments ----------------------------------------------------------------------------------
 */

static void forget_first(struct holdings *h)
{
    holdings_clear(h, 0);
    holdings_file_remove(h, h->segments[0].base);
    memory_free(h->segments[0].at);
    memory_free(h->segments[0].named);
    h->segment_count--;
    memmove(h->segments, h->segments + 1, h->segment_count * sizeof *h->segments);
}

static enum err add_segment(struct holdings *h, uint64_t base)
{
    if (!memory_grow(&h->segments, &h->segment_room, h->segment_count + 1, sizeof *h->segments)) {
        return ERR_MEMORY;
    }
    h->segments[h->segment_count++] = (struct holdings_segment){.base = base};
    return OK;
}

/* The segments are those of the directory. What was finished before this process began may have
 * been counted by another. */
static enum err look(struct holdings *h, struct diag *diag)
{
    const struct names *names = &h->names;
    TRY(names_list(&h->names, h->disk, h->directory, diag));
    while (h->segment_count > 0 && (names->count == 0 || h->segments[0].base < names->at[0])) {
        forget_first(h);
    }
    for (size_t i = h->segment_count; i < names->count; i++) {
        TRY(add_segment(h, names->at[i]));
        if (!h->reader && i + 1 < names->count) {
            enum err e = holdings_file_read(h, i, names->at[i + 1]);
            if (e == ERR_MEMORY) {
                return e;
            }
        }
    }
    if (!h->looked) {
        TRY(holdings_file_sweep(h, diag));
        h->looked = true;
    }
    return OK;
}

static enum err open_reader(struct holdings *h, struct diag *diag)
{
    size_t first = 0;
    while (first + 1 < h->segment_count && h->segments[first].counted) {
        first++;
    }
    return reader_open(h->directory, h->disk, h->segments[first].base, &h->reader, diag);
}

static enum err count_frame(struct holdings *h, const struct frame *frame)
{
    struct holding some;
    struct slice tenant = frame->attribute[FRAME_TENANT];
    size_t index = names_find(&h->names, frame->offset);
    h->newest_ns = frame->receipt_ns;
    if (index >= h->segment_count || h->segments[index].counted) {
        return OK;
    }
    TRY(holdings_name(h, index, frame->attribute[FRAME_RULESET]));
    if (!is_held(frame, &some)) {
        return OK;
    }
    return holdings_add(h, index, tenant, &some);
}

/* All behind which the reader stands is counted. */
static void finish(struct holdings *h)
{
    uint64_t position = reader_position(h->reader);
    for (size_t i = 0; i + 1 < h->segment_count && h->segments[i + 1].base <= position; i++) {
        if (!h->segments[i].counted) {
            h->segments[i].counted = true;
            enum err e = holdings_file_write(h, i, h->segments[i + 1].base);
            (void)e; /* it is counted again after a restart */
        }
    }
}

enum err holdings_turn(
        struct holdings *h, uint64_t committed, size_t frames, bool *more, struct diag *diag)
{
    *more = false;
    TRY(look(h, diag));
    if (h->segment_count == 0) {
        return OK;
    }
    if (!h->reader) {
        TRY(open_reader(h, diag));
    }
    enum err e = OK;
    for (size_t n = 0; n < frames && e == OK; n++) {
        struct frame frame;
        e = reader_next(h->reader, committed, &frame, diag);
        if (e == OK) {
            e = count_frame(h, &frame);
        } else if (e == ERR_SYNTAX) {
            e = OK; /* what cannot be read is held by nobody */
        }
    }
    *more = e == OK;
    finish(h);
    return e == ERR_END ? OK : e;
}

enum err holdings_new(
        const char *directory, const struct disk *disk, struct holdings **out, struct diag *diag)
{
    struct holdings *h = memory_alloc(sizeof *h);
    size_t size = strlen(directory) + 1;
    char *copy = memory_alloc(size);
    if (!h || !copy) {
        memory_free(h);
        memory_free(copy);
        return diag_say(diag, ERR_MEMORY, "no memory for the sums of a log");
    }
    memcpy(copy, directory, size);
    h->directory = copy;
    h->disk = disk;
    *out = h;
    return OK;
}

void holdings_free(struct holdings *h)
{
    if (!h) {
        return;
    }
    for (size_t i = 0; i < h->segment_count; i++) {
        memory_free(h->segments[i].at);
        memory_free(h->segments[i].named);
    }
    for (size_t i = 0; i < h->tenant_count; i++) {
        memory_free(h->tenants[i].name);
    }
    reader_close(h->reader);
    names_fini(&h->names);
    memory_free(h->segments);
    memory_free(h->tenants);
    memory_free(h->rulesets);
    memory_free(h->directory);
    memory_free(h);
}
