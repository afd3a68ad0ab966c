#include "app/serve_set.h"

#include <string.h>

#include "base/memory.h"
#include "cli/detect.h"
#include "cli/formats.h"
#include "detect/judge.h"

static enum err make(struct serve_set *set, struct diag *diag)
{
    const struct detect_request request = detect_defaults();
    const struct output_setting setting = {.set = set->loaded.set, .name = slice_text(set->hash)};
    struct engine_options options = {0};
    TRY(choose_rules(&request, set->loaded.set, &set->choice, diag));
    TRY(serve_tenants_new(&set->loaded, &set->tenants, diag));
    options.excluded = set->choice.excluded;
    TRY(engine_new(set->loaded.set, set->loaded.taxonomy, &options, &set->engine, diag));
    TRY(output_new(output_find("json"), &setting, &set->output));
    TRY(event_init(&set->event, engine_field_count(set->engine)));
    TRY(judge_new(set->engine, &set->judge));
    for (size_t i = 0; i < decoders_count && i < SERVE_SET_DECODERS; i++) {
        TRY(decoders[i]->reader_new(engine_paths(set->engine), &request.limits, &set->readers[i]));
    }
    return OK;
}

enum err serve_set_new(
        struct loaded *loaded, const char *hash, struct serve_set **out, struct diag *diag)
{
    struct serve_set *set = memory_alloc(sizeof *set);
    if (!set) {
        return diag_say(diag, ERR_MEMORY, "no memory for the rules");
    }
    memcpy(set->hash, hash, strnlen(hash, sizeof set->hash - 1));
    set->loaded = *loaded;
    enum err e = make(set, diag);
    if (e != OK) {
        set->loaded = (struct loaded){0};
        serve_set_free(set);
        return e == ERR_MEMORY ? diag_say(diag, e, "no memory for the rules") : e;
    }
    *loaded = (struct loaded){0};
    *out = set;
    return OK;
}

void serve_set_free(struct serve_set *set)
{
    if (!set) {
        return;
    }
    for (size_t i = 0; i < decoders_count && i < SERVE_SET_DECODERS; i++) {
        if (set->readers[i]) {
            decoders[i]->reader_free(set->readers[i]);
        }
    }
    judge_free(set->judge);
    event_fini(&set->event);
    output_free(set->output);
    engine_free(set->engine);
    serve_tenants_free(set->tenants);
    choose_fini(&set->choice);
    load_fini(&set->loaded);
    memory_free(set);
}

struct reader *serve_set_reader(const struct serve_set *set, const struct decoder *decoder)
{
    for (size_t i = 0; decoder && i < decoders_count && i < SERVE_SET_DECODERS; i++) {
        if (decoders[i] == decoder) {
            return set->readers[i];
        }
    }
    return NULL;
}
