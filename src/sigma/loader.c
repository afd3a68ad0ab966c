#include "sigma/loader.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/files.h"
#include "base/memory.h"
#include "sigma/merge.h"

struct loader {
    struct loader_input *inputs;
    uint32_t count;
    _Atomic uint32_t next;
    _Atomic bool failed; /* no memory: all stop */
};

struct worker {
    struct loader *loader;
    struct maker *maker;
    uint32_t number;
    pthread_t thread;
};

struct drafts {
    struct draft **end;
    uint32_t worker;
};

static void append(struct drafts *drafts, struct draft *draft)
{
    draft->worker = drafts->worker;
    *drafts->end = draft;
    drafts->end = &draft->next;
}

static enum err append_problem(struct maker *m, struct drafts *drafts, const struct yaml_node *root,
        enum err e, const struct diag *diag)
{
    struct draft *draft;
    TRY(draft_problem(m, root, e, diag, &draft));
    append(drafts, draft);
    return OK;
}

static enum err read_document(
        struct maker *m, struct merge *merge, const struct yaml_node *root, struct drafts *drafts)
{
    if (!root || root->kind == YAML_NULL) {
        return OK;
    }
    struct diag diag = {0};
    const struct yaml_node *whole;
    struct draft *draft;
    maker_begin(m, &diag);
    enum err e = merge_document(m, merge, root, &whole);
    if (e != OK) {
        return append_problem(m, drafts, root, e, &diag);
    }
    if (!whole) {
        return OK;
    }
    TRY(draft_make(m, whole, &draft));
    append(drafts, draft);
    return OK;
}

static enum err read_text(struct maker *m, struct slice text, struct drafts *drafts)
{
    struct yaml_limits limits = YAML_LIMITS;
    struct yaml_document *documents;
    struct merge merge = {0};
    struct diag diag = {0};
    enum err e = yaml_read_part(&m->scratch, text, &limits, &documents, &diag);
    if (e == ERR_MEMORY) {
        return e;
    }
    uint32_t count = 0;
    for (const struct yaml_document *d = documents; d; d = d->next) {
        if (++count > LOADER_DOCUMENTS) {
            e = diag_set(&diag, ERR_LIMIT, d->root ? d->root->line : 0, 1,
                    "more documents in a file than the limit of %d", (int)LOADER_DOCUMENTS);
            break;
        }
        TRY(read_document(m, &merge, d->root, drafts));
    }
    return e == OK ? OK : append_problem(m, drafts, NULL, e, &diag);
}

static enum err read_input(struct maker *m, struct loader_input *input, uint32_t number)
{
    struct yaml_limits limits = YAML_LIMITS;
    struct drafts drafts = {&input->first, number};
    struct diag diag = {0};
    struct slice text = input->text;
    input->worker = number;
    maker_file(m, input->name);
    if (!text.at) {
        enum err e = files_read(input->path, limits.bytes, &m->text, &diag);
        if (e != OK) {
            return e == ERR_MEMORY ? e : append_problem(m, &drafts, NULL, e, &diag);
        }
        text = buf_slice(&m->text);
    }
    return read_text(m, text, &drafts);
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct loader *loader = worker->loader;
    for (;;) {
        uint32_t i = atomic_fetch_add(&loader->next, 1);
        if (i >= loader->count || atomic_load(&loader->failed)) {
            return NULL;
        }
        if (read_input(worker->maker, &loader->inputs[i], worker->number) != OK) {
            atomic_store(&loader->failed, true);
        }
    }
}

enum err loader_run(
        struct loader_input *inputs, uint32_t input_count, struct maker *makers, uint32_t count)
{
    struct loader loader = {.inputs = inputs, .count = input_count};
    struct worker *workers = memory_alloc_array(count, sizeof *workers);
    if (!workers) {
        return ERR_MEMORY;
    }
    uint32_t started = 0;
    for (uint32_t i = 0; i < count; i++) {
        workers[i] = (struct worker){.loader = &loader, .maker = &makers[i], .number = i};
    }
    /* The caller is the first worker; where no thread can be had, the only one. */
    while (started + 1 < count &&
            pthread_create(&workers[started + 1].thread, NULL, work, &workers[started + 1]) == 0) {
        started++;
    }
    (void)work(&workers[0]);
    for (uint32_t i = 1; i <= started; i++) {
        pthread_join(workers[i].thread, NULL);
    }
    memory_free(workers);
    return atomic_load(&loader.failed) ? ERR_MEMORY : OK;
}
