#include "support/rig.h"

#include "base/memory.h"
#include "support/archive.h"

#define RECORD_MEMORY ((size_t)1 << 30)

static struct taxonomy *taxonomy;

const struct taxonomy *rig_taxonomy(void)
{
    return taxonomy;
}

static enum err read_taxonomy(struct diag *diag)
{
    struct taxonomy *t = NULL;
    if (taxonomy) {
        return OK;
    }
    TRY(taxonomy_new(&t));
    enum err e = taxonomy_add_builtin(t, diag);
    if (e != OK) {
        taxonomy_free(t);
        return e;
    }
    taxonomy = t;
    return OK;
}

enum err rig_add_taxonomy(struct slice file, struct slice text, struct diag *diag)
{
    TRY(read_taxonomy(diag));
    return taxonomy_add(taxonomy, file, text, diag);
}

enum err rig_begin(struct rig *rig, struct slice placeholders, struct diag *diag)
{
    const struct ruleset_options options = {.placeholders = placeholders};
    *rig = (struct rig){0};
    TRY(read_taxonomy(diag));
    TRY(ruleset_new(&options, &rig->set, diag));
    arena_init(&rig->arena, RECORD_MEMORY);
    return OK;
}

enum err rig_build(struct rig *rig, struct engine_options options, struct diag *diag)
{
    TRY(ruleset_finish(rig->set, diag));
    size_t rules = rig->set->rule_count;
    rig->said = memory_alloc_array(rules + 1, sizeof *rig->said);
    rig->fired = memory_alloc_array(rules + 1, sizeof *rig->fired);
    if (!rig->said || !rig->fired) {
        return ERR_MEMORY;
    }
    TRY(reference_new(rig->set, taxonomy, options.any_source, &rig->reference));
    return engine_new(rig->set, taxonomy, &options, &rig->engine, diag);
}

void rig_fini(struct rig *rig)
{
    engine_free(rig->engine);
    reference_free(rig->reference);
    memory_free(rig->said);
    memory_free(rig->fired);
    buf_fini(&rig->words);
    arena_fini(&rig->arena);
    ruleset_free(rig->set);
}

enum err rig_load_sigmahq(struct rig *rig, const char *prefix, struct diag *diag)
{
    struct buf bytes = {0};
    TRY(archive_read(archive_shared("data/windows/sigma-rules.tar.zst"), &bytes, diag));
    struct archive tar = {.rest = buf_slice(&bytes)};
    struct slice name, content;
    enum err e = OK;
    while (e == OK && archive_next(&tar, &name, &content)) {
        if (slice_ends(name, SLICE(".yml")) && slice_starts(name, slice_text(prefix))) {
            e = ruleset_load_text(rig->set, name, content, diag);
        }
    }
    buf_fini(&bytes);
    return e;
}

static const char *verdict_word(enum verdict v)
{
    return v == VERDICT_YES ? "yes" : v == VERDICT_NO ? "no" : "undetermined";
}

static void say_difference(struct rig *rig, uint32_t rule)
{
    const struct rule *r = rig->set->rules[rule];
    buf_format(&rig->words, "rule %.*s %.*s: engine %s, reference %s\n", SLICE_ARG(r->id),
            SLICE_ARG(r->file), verdict_word(rig->fired[rule]), verdict_word(rig->said[rule]));
}

enum err rig_compare(
        struct rig *rig, const struct tree *record, const struct hit *hits, size_t count)
{
    buf_clear(&rig->words);
    memset(rig->fired, 0, rig->set->rule_count * sizeof *rig->fired);
    for (size_t i = 0; i < count; i++) {
        uint32_t rule = hits[i].rule->number;
        rig->fired[rule] = hits[i].undetermined ? VERDICT_UNDETERMINED : VERDICT_YES;
        if (i && hits[i - 1].rule->number >= rule) {
            rig->differences++;
            buf_add(&rig->words, SLICE("hits are out of order\n"));
        }
    }
    TRY(reference_judge(rig->reference, record, rig->said));
    for (uint32_t i = 0; i < rig->set->rule_count; i++) {
        rig->hits += rig->fired[i] == VERDICT_YES;
        rig->undetermined += rig->fired[i] == VERDICT_UNDETERMINED;
        rig->pairs += reference_routed(rig->reference, i);
        if (rig->fired[i] != rig->said[i]) {
            rig->differences++;
            say_difference(rig, i);
        }
    }
    rig->events++;
    return OK;
}

enum err rig_compare_text(struct rig *rig, struct slice json, const struct hit *hits, size_t count)
{
    struct tree *record = NULL;
    arena_reset(&rig->arena);
    TRY(tree_read(&rig->arena, json, NULL, &record));
    return rig_compare(rig, record, hits, count);
}

struct one {
    struct rig *rig;
    struct slice json;
    uint64_t seen;
};

static enum err visit_one(void *context, struct pump *pump, const struct hit *hits, size_t count)
{
    struct one *one = context;
    (void)pump;
    one->seen++;
    return rig_compare_text(one->rig, one->json, hits, count);
}

enum err rig_judge_json(struct rig *rig, struct pump *pump, struct slice json, struct diag *diag)
{
    struct one one = {rig, json, 0};
    TRY(pump_bytes(pump, json, visit_one, &one, diag));
    return one.seen == 1 ? OK
                         : diag_say(diag, ERR_SYNTAX, "%llu records: %s",
                                   (unsigned long long)one.seen, pump->last_reason);
}
