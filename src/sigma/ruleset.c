#include "sigma/ruleset.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/files.h"
#include "base/memory.h"
#include "sigma/correlation_link.h"
#include "sigma/filter.h"
#include "sigma/loader.h"
#include "sigma/placeholder.h"

struct ruleset_build {
    struct arena arena; /* inputs, and what the set points to */
    struct placeholders placeholders;
    struct loader_input *inputs;
    uint32_t input_count;
    uint32_t input_room;
    struct maker *makers;
    uint32_t maker_count;
    struct pool pool;    /* of the whole set */
    uint32_t **to_whole; /* by maker: its predicates' numbers in the set's pool */
    uint32_t **fields;   /* by maker: its fields' numbers */
    struct draft **drafts;
    uint32_t draft_count;
    struct ruleset_problem *problems; /* of loading: directories that cannot be read */
    uint32_t problem_count;
    uint32_t problem_room;
    unsigned threads;
};

#define ARENA_BYTES ((size_t)4 << 30)

enum err ruleset_new(const struct ruleset_options *options, struct ruleset **out, struct diag *diag)
{
    struct ruleset *set = memory_alloc(sizeof *set);
    struct ruleset_build *build = memory_alloc(sizeof *build);
    if (!set || !build) {
        memory_free(set);
        memory_free(build);
        return ERR_MEMORY;
    }
    set->build = build;
    arena_init(&build->arena, ARENA_BYTES);
    build->threads = options->threads ? options->threads : 1;
    if (build->threads > LOADER_THREADS) {
        build->threads = LOADER_THREADS;
    }
    enum err e = OK;
    if (options->placeholders.size) {
        e = placeholder_read(&build->arena, options->placeholders, &build->placeholders, diag);
    }
    if (e == OK) {
        e = pool_init(&build->pool);
    }
    if (e != OK) {
        ruleset_free(set);
        return e;
    }
    set->fields = build->pool.fields;
    *out = set;
    return OK;
}

void ruleset_free(struct ruleset *set)
{
    if (!set) {
        return;
    }
    struct ruleset_build *b = set->build;
    for (uint32_t i = 0; i < b->maker_count; i++) {
        maker_fini(&b->makers[i]);
    }
    memory_free(b->makers);
    memory_free(b->inputs);
    memory_free(b->problems);
    pool_fini(&b->pool);
    arena_fini(&b->arena);
    memory_free(b);
    memory_free(set);
}

/* ---- inputs -------------------------------------------------------------------------------- */

static enum err add_input(struct ruleset_build *b, struct loader_input input)
{
    if (b->input_count == b->input_room) {
        uint32_t room = b->input_room ? b->input_room * 2 : 64;
        struct loader_input *inputs = memory_resize(b->inputs, room * sizeof *inputs);
        if (!inputs) {
            return ERR_MEMORY;
        }
        b->inputs = inputs;
        b->input_room = room;
    }
    b->inputs[b->input_count++] = input;
    return OK;
}

static enum err add_problem(struct ruleset_build *b, struct ruleset_problem problem)
{
    if (b->problem_count == b->problem_room) {
        uint32_t room = b->problem_room ? b->problem_room * 2 : 64;
        struct ruleset_problem *problems = memory_resize(b->problems, room * sizeof *problems);
        if (!problems) {
            return ERR_MEMORY;
        }
        b->problems = problems;
        b->problem_room = room;
    }
    b->problems[b->problem_count++] = problem;
    return OK;
}

bool ruleset_is_test(struct slice path)
{
    static const char *const ends[] = {".test.yml", ".test.yaml"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct slice end = slice_text(ends[i]);
        if (path.size > end.size &&
                slice_equal_nocase(slice_of(path.at + path.size - end.size, end.size), end)) {
            return true;
        }
    }
    return false;
}

enum err ruleset_load(struct ruleset *set, const char *path, struct diag *diag)
{
    static const char *const suffixes[] = {".yml", ".yaml", NULL};
    struct ruleset_build *b = set->build;
    struct files_list list;
    TRY(files_walk(&b->arena, path, suffixes, &list, diag));
    for (size_t i = 0; i < list.count; i++) {
        if (list.is_directory && ruleset_is_test(slice_text(list.paths[i]))) {
            continue;
        }
        TRY(add_input(b,
                (struct loader_input){.path = list.paths[i], .name = slice_text(list.paths[i])}));
    }
    for (size_t i = 0; i < list.refusal_count; i++) {
        TRY(add_problem(b, (struct ruleset_problem){.file = slice_text(list.refusals[i].path),
                                   .reason = slice_text(list.refusals[i].reason),
                                   .err = ERR_IO}));
    }
    return OK;
}

enum err ruleset_load_text(
        struct ruleset *set, struct slice file, struct slice text, struct diag *diag)
{
    struct ruleset_build *b = set->build;
    struct loader_input input = {
            .name = arena_copy(&b->arena, file), .text = arena_copy(&b->arena, text)};
    if (!input.name.at || !input.text.at) {
        return diag_say(diag, ERR_MEMORY, "no memory for the rules");
    }
    return add_input(b, input);
}

enum err ruleset_load_exceptions(struct ruleset *set, struct slice tenant, struct slice file,
        struct slice text, struct diag *diag)
{
    struct ruleset_build *b = set->build;
    TRY(ruleset_load_text(set, file, text, diag));
    struct loader_input *input = &b->inputs[b->input_count - 1];
    input->tenant = arena_copy(&b->arena, tenant);
    return input->tenant.at ? OK : diag_say(diag, ERR_MEMORY, "no memory for the rules");
}

static int compare_inputs(const void *a, const void *b)
{
    const struct loader_input *x = a, *y = b;
    int order = files_compare(x->name.at, y->name.at);
    order = order ? order : slice_compare(x->tenant, y->tenant);
    return order ? order : slice_compare(x->text, y->text);
}

/* By name; a file that was given twice is read once. */
static void sort_inputs(struct ruleset_build *b)
{
    if (b->input_count == 0) {
        return;
    }
    qsort(b->inputs, b->input_count, sizeof *b->inputs, compare_inputs);
    uint32_t n = 1;
    for (uint32_t i = 1; i < b->input_count; i++) {
        if (compare_inputs(&b->inputs[i], &b->inputs[n - 1]) != 0) {
            b->inputs[n++] = b->inputs[i];
        }
    }
    b->input_count = n;
}

/* ---- joining the threads' work ------------------------------------------------------------- */

static enum err make_maps(struct ruleset_build *b)
{
    b->to_whole = ARENA_ARRAY(&b->arena, uint32_t *, b->maker_count);
    b->fields = ARENA_ARRAY(&b->arena, uint32_t *, b->maker_count);
    if (!b->to_whole || !b->fields) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < b->maker_count; i++) {
        uint32_t count = b->makers[i].pool.count;
        uint32_t names = field_count(b->makers[i].pool.fields);
        b->to_whole[i] = ARENA_ARRAY(&b->arena, uint32_t, count);
        b->fields[i] = ARENA_ARRAY(&b->arena, uint32_t, names);
        if (!b->to_whole[i] || !b->fields[i]) {
            return ERR_MEMORY;
        }
        memset(b->to_whole[i], 0xFF, count * sizeof(uint32_t));
        memset(b->fields[i], 0xFF, names * sizeof(uint32_t));
    }
    return OK;
}

static enum err map_field(struct ruleset_build *b, uint32_t worker, uint32_t *field)
{
    if (*field == FIELD_NONE) {
        return OK;
    }
    uint32_t *to = &b->fields[worker][*field];
    if (*to == UINT32_MAX) {
        TRY(field_intern(b->pool.fields, field_name(b->makers[worker].pool.fields, *field), to));
    }
    *field = *to;
    return OK;
}

static enum err map_predicate(struct ruleset_build *b, uint32_t worker, uint32_t *id)
{
    uint32_t *to = &b->to_whole[worker][*id];
    if (*to == UINT32_MAX) {
        struct predicate p = b->makers[worker].pool.predicates[*id];
        TRY(map_field(b, worker, &p.field));
        TRY(map_field(b, worker, &p.other));
        TRY(pool_add(&b->pool, &p, to));
    }
    *id = *to;
    return OK;
}

static enum err join_draft(struct ruleset_build *b, struct draft *draft)
{
    for (uint32_t i = 0; i < draft->leaf_count; i++) {
        TRY(map_predicate(b, draft->worker, &draft->leaves[i]->predicate));
    }
    return OK;
}

/* All drafts in order, and how many there are of each kind. */
static enum err gather(struct ruleset_build *b, uint32_t counts[3])
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < b->input_count; i++) {
        for (const struct draft *d = b->inputs[i].first; d; d = d->next) {
            total++;
        }
    }
    b->drafts = ARENA_ARRAY(&b->arena, struct draft *, total);
    if (!b->drafts) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < b->input_count; i++) {
        for (struct draft *d = b->inputs[i].first; d; d = d->next) {
            counts[d->kind]++;
            b->drafts[b->draft_count++] = d;
        }
    }
    return OK;
}

/* More names of fields than a table holds: the rule that needs them is refused, not the set. */
static enum err join_all(struct ruleset_build *b, uint32_t counts[3])
{
    for (uint32_t i = 0; i < b->draft_count; i++) {
        struct draft *d = b->drafts[i];
        if (d->kind == DRAFT_PROBLEM) {
            continue;
        }
        enum err e = join_draft(b, d);
        if (e == ERR_LIMIT) {
            counts[d->kind]--;
            counts[DRAFT_PROBLEM]++;
            d->kind = DRAFT_PROBLEM;
            d->problem = (struct ruleset_problem){.file = d->rule.file,
                    .id = d->rule.id,
                    .title = d->rule.title,
                    .line = d->rule.line,
                    .column = 1,
                    .reason = SLICE("more field names or predicates in all rules than the limit"),
                    .err = e};
        } else if (e != OK) {
            return e;
        }
    }
    return OK;
}

static enum err apply_filters(struct ruleset_build *b, uint32_t filter_count, struct diag *diag)
{
    struct draft **filters = ARENA_ARRAY(&b->arena, struct draft *, filter_count);
    uint32_t n = 0;
    if (!filters) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < b->draft_count; i++) {
        if (b->drafts[i]->kind == DRAFT_FILTER) {
            filters[n++] = b->drafts[i];
        }
    }
    struct maker *m = &b->makers[0];
    maker_file(m, SLICE(""));
    maker_begin(m, diag);
    for (uint32_t i = 0; n > 0 && i < b->draft_count; i++) {
        if (b->drafts[i]->kind == DRAFT_RULE && !b->drafts[i]->correlation &&
                !b->drafts[i]->rule.exception.at) {
            arena_reset(&m->scratch);
            TRY(filter_apply(m, &b->pool, b->drafts[i], filters, n));
        }
    }
    return OK;
}

/* A file of exceptions holds filters, nothing else. */
static enum err make_exception(struct ruleset_build *b, struct draft *d, struct slice tenant)
{
    if (d->kind == DRAFT_FILTER) {
        return filter_except(&b->makers[0], &b->pool, d, tenant);
    }
    if (d->kind == DRAFT_RULE) {
        d->kind = DRAFT_PROBLEM;
        d->problem = (struct ruleset_problem){.file = d->rule.file,
                .id = d->rule.id,
                .title = d->rule.title,
                .line = d->rule.line,
                .column = 1,
                .reason = SLICE("a tenant's exceptions are filters, and this is none"),
                .err = ERR_SYNTAX};
    }
    return OK;
}

static enum err make_exceptions(struct ruleset_build *b, uint32_t counts[3], struct diag *diag)
{
    struct maker *m = &b->makers[0];
    maker_file(m, SLICE(""));
    maker_begin(m, diag);
    for (uint32_t i = 0; i < b->input_count; i++) {
        const struct loader_input *input = &b->inputs[i];
        for (struct draft *d = input->first; d && input->tenant.at; d = d->next) {
            counts[d->kind]--;
            arena_reset(&m->scratch);
            TRY(make_exception(b, d, input->tenant));
            counts[d->kind]++;
        }
    }
    return OK;
}

/* Those that cannot be linked become problems. */
static enum err link_correlations(struct ruleset_build *b)
{
    const struct correlation_link link = {.arena = &b->arena,
            .fields = b->pool.fields,
            .drafts = b->drafts,
            .count = b->draft_count};
    return correlation_link(&link);
}

/* ---- the set ------------------------------------------------------------------------------- */

static enum err publish_rules(struct ruleset *set, uint32_t count)
{
    struct ruleset_build *b = set->build;
    const struct rule **rules = ARENA_ARRAY(&b->arena, const struct rule *, count);
    if (!rules) {
        return ERR_MEMORY;
    }
    struct digest digest;
    digest_init(&digest);
    for (uint32_t i = 0; i < b->draft_count; i++) {
        struct draft *d = b->drafts[i];
        if (d->kind == DRAFT_RULE) {
            d->rule.number = set->rule_count;
            rules[set->rule_count++] = &d->rule;
            digest_add(&digest, slice_of(d->rule.hash, 64));
        }
    }
    digest_hex(&digest, set->hash);
    set->rules = rules;
    for (uint32_t i = 0; i < b->draft_count; i++) {
        if (b->drafts[i]->kind == DRAFT_RULE && b->drafts[i]->rule.exception.at) {
            TRY(filter_link(&b->arena, b->drafts[i], b->drafts, b->draft_count));
        }
    }
    return OK;
}

static enum err publish_problems(struct ruleset *set)
{
    struct ruleset_build *b = set->build;
    for (uint32_t i = 0; i < b->draft_count; i++) {
        if (b->drafts[i]->kind == DRAFT_PROBLEM) {
            TRY(add_problem(b, b->drafts[i]->problem));
        }
    }
    set->problems = b->problems;
    set->problem_count = b->problem_count;
    return OK;
}

static enum err start_makers(struct ruleset_build *b)
{
    uint32_t count = b->threads < b->input_count ? b->threads : b->input_count ? b->input_count : 1;
    b->makers = memory_alloc_array(count, sizeof *b->makers);
    if (!b->makers) {
        return ERR_MEMORY;
    }
    while (b->maker_count < count) {
        /* Counted first: a maker that could not start is ended all the same. */
        TRY(maker_init(
                &b->makers[b->maker_count++], b->placeholders.count ? &b->placeholders : NULL));
    }
    return OK;
}

static enum err finish(struct ruleset *set, struct diag *diag)
{
    struct ruleset_build *b = set->build;
    uint32_t counts[3] = {0};
    sort_inputs(b);
    TRY(start_makers(b));
    TRY(loader_run(b->inputs, b->input_count, b->makers, b->maker_count));
    TRY(gather(b, counts));
    TRY(make_maps(b));
    TRY(join_all(b, counts));
    TRY(make_exceptions(b, counts, diag));
    TRY(apply_filters(b, counts[DRAFT_FILTER], diag));
    TRY(link_correlations(b));
    TRY(publish_rules(set, counts[DRAFT_RULE]));
    TRY(publish_problems(set));
    set->predicates = b->pool.predicates;
    set->predicate_count = b->pool.count;
    set->files_read = b->input_count;
    return OK;
}

enum err ruleset_finish(struct ruleset *set, struct diag *diag)
{
    enum err e = finish(set, diag);
    return e == ERR_MEMORY ? diag_say(diag, e, "no memory for the rules") : e;
}
