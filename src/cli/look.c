#include "cli/look.h"

void look_close(struct look_bench *bench)
{
    survey_free(bench->look.survey);
    inputs_free(bench->inputs);
    engine_free(bench->engine);
    load_fini(&bench->loaded);
}

enum err look_inputs(const struct words *paths, struct inputs **out, struct diag *diag)
{
    enum err e = inputs_new(out);
    for (size_t i = 0; i < paths->count && e == OK; i++) {
        e = inputs_add(*out, paths->at[i]);
    }
    if (e == OK) {
        e = inputs_finish(*out);
    }
    if (e != OK) {
        return diag_say(
                diag, e, e == ERR_LIMIT ? "over %d files" : "no memory for %d files", INPUTS_LIMIT);
    }
    for (size_t i = 0; i < (*out)->problem_count; i++) {
        const struct input_problem *p = &(*out)->problems[i];
        verb_say("%.*s: %.*s", SLICE_ARG(p->path), SLICE_ARG(p->reason));
    }
    return OK;
}

static enum err open_all(const struct look_request *request, const struct verb_app *app,
        struct look_bench *bench, struct diag *diag)
{
    const struct engine_options options = {.any_source = request->any_source};
    TRY(load_rules(&request->load, &bench->loaded, diag));
    TRY(engine_new(bench->loaded.set, bench->loaded.taxonomy, &options, &bench->engine, diag));
    TRY(look_inputs(&request->inputs, &bench->inputs, diag));
    struct look *look = &bench->look;
    if (survey_new(bench->engine, &look->survey) != OK) {
        return diag_say(diag, ERR_MEMORY, "no memory for the survey");
    }
    look->inputs = bench->inputs;
    look->decoder = request->decoder;
    look->limits = request->limits;
    look->engine = bench->engine;
    look->loaded = &bench->loaded;
    return app->seal(bench->inputs, diag);
}

enum err look_open(const struct look_request *request, const struct verb_app *app,
        struct look_bench *out, struct diag *diag)
{
    struct look_bench bench = {0};
    enum err e = open_all(request, app, &bench, diag);
    if (e != OK) {
        look_close(&bench);
        return e;
    }
    *out = bench;
    out->look.loaded = &out->loaded;
    return OK;
}

bool look_whole(const struct look_bench *bench)
{
    const struct look *look = &bench->look;
    return look->unreadable == 0 && look->rejected == 0 && bench->inputs->problem_count == 0 &&
           bench->loaded.unreadable == 0 && bench->loaded.set->problem_count == 0 &&
           !atomic_load(look->stop);
}
