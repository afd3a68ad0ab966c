#include "differential/differential.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/files.h"
#include "support/archive.h"

enum { SHOWN = 5 };

/* Every how manieth event goes to the reference where time is short. */
enum { STEP_ATTACK = 2, STEP_PARSER = 6, STEP_OTRF = 250, STEP_ANY_SOURCE = 4, THIN = 19 };

static uint64_t passed, failed;

uint32_t differential_step(uint32_t step)
{
    const char *full = getenv("MERLON_FULL");
    unsigned long wanted = full ? strtoul(full, NULL, 10) : 0;
    return wanted && wanted < step ? (uint32_t)wanted : step;
}

void differential_fail(struct corpus *corpus, uint64_t event, const char *words)
{
    if (corpus->failures++ < SHOWN) {
        printf("FAIL %s, event %llu: %s\n", corpus->name, (unsigned long long)event, words);
    }
}

/* ---- engines ------------------------------------------------------------------------------- */

enum err differential_pair(struct pair *pair, bool any_source, struct diag *diag)
{
    const struct engine_options cached = {.any_source = any_source};
    const struct engine_options plain = {.any_source = any_source, .no_value_cache = true};
    *pair = (struct pair){0};
    TRY(rig_begin(&pair->rig, SLICE(""), diag));
    TRY(rig_load_sigmahq(&pair->rig, "rules", diag));
    TRY(rig_build(&pair->rig, cached, diag));
    TRY(engine_new(pair->rig.set, rig_taxonomy(), &plain, &pair->plain, diag));
    TRY(pump_init(&pair->json, pair->rig.engine, "json", diag));
    TRY(pump_init(&pair->evtx, pair->rig.engine, "evtx", diag));
    TRY(pump_init(&pair->plain_json, pair->plain, "json", diag));
    return pump_init(&pair->plain_evtx, pair->plain, "evtx", diag);
}

void differential_pair_fini(struct pair *pair)
{
    pump_fini(&pair->json);
    pump_fini(&pair->evtx);
    pump_fini(&pair->plain_json);
    pump_fini(&pair->plain_evtx);
    engine_free(pair->plain);
    rig_fini(&pair->rig);
}

/* ---- corpora ------------------------------------------------------------------------------- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct corpus corpus_start(const char *name, struct pair *pair, uint32_t step)
{
    pair->rig.events = pair->rig.hits = pair->rig.pairs = 0;
    return (struct corpus){.name = name, .pair = pair, .step = differential_step(step)};
}

/* Counts and tells. Nothing compared, or nothing found by rules that find something in every
 * corpus, is a failure too. */
static void corpus_end(struct corpus *c, double started, enum err e, const struct diag *diag)
{
    const struct rig *rig = &c->pair->rig;
    if (e != OK) {
        differential_fail(c, c->events, diag->words);
    } else if (rig->events == 0) {
        differential_fail(c, c->events, "nothing was compared");
    }
    printf("%s: %llu events, %llu of them (%llu rules to judge, %llu hits) by the reference, "
           "%llu failures, %.1f s\n",
            c->name, (unsigned long long)c->events, (unsigned long long)rig->events,
            (unsigned long long)rig->pairs, (unsigned long long)rig->hits,
            (unsigned long long)c->failures, now() - started);
    fflush(stdout);
    answers_fini(&c->plain);
    passed += c->failures == 0;
    failed += c->failures != 0;
}

static void run_evtx_set(struct pair *pair, const char *name, uint32_t step, struct diag *diag)
{
    struct expectations expected = {0};
    struct buf tar = {0};
    char words[300], path[100];
    double started = now();
    snprintf(words, sizeof words, "%s as JSON", name);
    struct corpus json = corpus_start(words, pair, step);
    snprintf(path, sizeof path, "data/windows/%s-expected-events.jsonl.zst", name);
    enum err e = differential_expectations(&expected, archive_shared(path), diag);
    if (e == OK) {
        e = differential_json(&json, buf_slice(&expected.lines), &expected.answers, diag);
    }
    corpus_end(&json, started, e, diag);
    started = now();
    struct corpus evtx = corpus_start(name, pair, step);
    snprintf(path, sizeof path, "data/windows/%s.tar.zst", name);
    if (e == OK) {
        e = archive_read(archive_shared(path), &tar, diag);
    }
    if (e == OK) {
        e = differential_evtx(&evtx, buf_slice(&tar), &expected, diag);
    }
    corpus_end(&evtx, started, e, diag);
    buf_fini(&tar);
    differential_expectations_fini(&expected);
}

static bool is_windows_json(const char *path)
{
    struct slice p = slice_text(path);
    return slice_ends(p, SLICE(".json.zst")) && slice_find(p, SLICE("manifest")) == SIZE_MAX;
}

static void run_otrf(struct pair *pair, struct diag *diag)
{
    double started = now();
    struct corpus c = corpus_start("otrf", pair, STEP_OTRF);
    struct arena arena;
    struct files_list list = {0};
    struct buf bytes = {0};
    arena_init(&arena, (size_t)16 << 20);
    enum err e = files_walk(
            &arena, archive_shared("data/windows/otrf-security-datasets"), NULL, &list, diag);
    for (size_t i = 0; e == OK && i < list.count; i++) {
        if (is_windows_json(list.paths[i])) {
            e = archive_read(list.paths[i], &bytes, diag);
            e = e == OK && bytes.size ? differential_json(&c, buf_slice(&bytes), NULL, diag) : e;
        }
    }
    corpus_end(&c, started, e, diag);
    buf_fini(&bytes);
    arena_fini(&arena);
}

static void run_derived(struct pair *pair, const char *name, struct diag *diag)
{
    struct buf tar = {0};
    char words[100], path[100];
    double started = now();
    snprintf(words, sizeof words, "%s, rules from its values", name);
    struct corpus c = corpus_start(words, pair, 1);
    snprintf(path, sizeof path, "data/windows/%s.tar.zst", name);
    enum err e = archive_read(archive_shared(path), &tar, diag);
    if (e == OK) {
        e = differential_derived(&c, buf_slice(&tar), diag);
    }
    corpus_end(&c, started, e, diag);
    buf_fini(&tar);
}

/* All rules on every event take long: one line of THIN. */
static struct slice thinned(struct slice lines, struct buf *out)
{
    for (uint64_t n = 0; lines.size; n++) {
        struct slice line = slice_cut(&lines, '\n');
        if (n % differential_step(THIN) == 0) {
            buf_add(out, line);
            buf_byte(out, '\n');
        }
    }
    return buf_slice(out);
}

static void run_any_source(struct diag *diag)
{
    struct buf lines = {0};
    struct pair pair;
    struct expectations expected = {0};
    double started = now();
    enum err e = differential_pair(&pair, true, diag);
    struct corpus c = corpus_start("evtx-attack as JSON, any source", &pair, STEP_ANY_SOURCE);
    if (e == OK) {
        e = differential_expectations(&expected,
                archive_shared("data/windows/evtx-attack-expected-events.jsonl.zst"), diag);
    }
    if (e == OK) {
        e = differential_json(&c, thinned(buf_slice(&expected.lines), &lines), NULL, diag);
    }
    buf_fini(&lines);
    corpus_end(&c, started, e, diag);
    differential_expectations_fini(&expected);
    differential_pair_fini(&pair);
}

/* Parts by name, to run some of them alone. */
static bool wanted(int argc, char **argv, const char *name)
{
    bool any = argc < 2;
    for (int i = 1; i < argc; i++) {
        any = any || strcmp(argv[i], name) == 0;
    }
    return any;
}

static enum err run_routed(int argc, char **argv, struct diag *diag)
{
    struct pair pair;
    TRY(differential_pair(&pair, false, diag));
    if (wanted(argc, argv, "attack")) {
        run_evtx_set(&pair, "evtx-attack", STEP_ATTACK, diag);
    }
    if (wanted(argc, argv, "parser")) {
        run_evtx_set(&pair, "evtx-parser", STEP_PARSER, diag);
    }
    if (wanted(argc, argv, "otrf")) {
        run_otrf(&pair, diag);
    }
    if (wanted(argc, argv, "derived")) {
        run_derived(&pair, "evtx-attack", diag);
        run_derived(&pair, "evtx-parser", diag);
    }
    differential_pair_fini(&pair);
    return OK;
}

int main(int argc, char **argv)
{
    struct diag diag = {0};
    struct buf probe = {0};
    if (archive_read(archive_shared("README.md"), &probe, &diag) != OK) {
        printf("SKIP differential: no shared test data: %s\n0 passed, 0 failed, 1 skipped\n",
                diag.words);
        return 0;
    }
    buf_fini(&probe);
    enum err e = run_routed(argc, argv, &diag);
    if (e != OK) {
        printf("FAIL differential: %s: %s\n", err_name(e), diag.words);
        failed++;
    } else if (wanted(argc, argv, "any-source")) {
        run_any_source(&diag);
    }
    printf("%llu passed, %llu failed\n", (unsigned long long)passed, (unsigned long long)failed);
    return failed != 0;
}
