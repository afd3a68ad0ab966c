#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "wal/history.h"
#include "wal/suite.h"

enum { STEPS = 40, ALLOCATIONS = 40, BEHIND = 5 };

/* What one run is to meet: the n-th call of the disk fails, or at one step the n-th allocation. */
struct plan {
    uint64_t call, more;
    enum err e;
    uint32_t step;
    uint64_t allocation;
};

static bool run_steps(struct history *history, const struct plan *plan)
{
    for (uint32_t i = 0; i < STEPS; i++) {
        memory_fail_after(i == plan->step ? plan->allocation : 0);
        bool good = history_steps(history, 1);
        memory_fail_after(0);
        if (!good) {
            return false;
        }
    }
    return true;
}

/* The same history each time, but for what fails. *calls: how many it made. */
static bool run(uint64_t seed, const struct plan *plan, uint64_t *calls, char *words)
{
    struct crash_disk *disk = crash_disk_new();
    struct model model;
    bool open = false;
    crash_disk_put(disk, "data/settings", slice_of("", 0));
    model_init(&model);
    struct history history = {.disk = disk, .model = &model, .dice = dice_of(seed)};
    history.segment_bytes = 4000;
    history.hindered = true;
    history.planned = true;
    crash_disk_fail(disk, plan->call, plan->more, plan->e);
    bool good = history_open(&history, &open);
    if (good && !open) {
        crash_disk_kill(disk);
        crash_disk_fail(disk, 0, 0, OK);
        good = history_open(&history, &open);
    }
    good = good && open && run_steps(&history, plan);
    crash_disk_fail(disk, 0, 0, OK);
    *calls = crash_disk_count(disk);
    if (history.wal) {
        history_end(&history, HISTORY_KILL);
    }
    memcpy(words, history.words, MODEL_WORDS);
    struct model_view view = model_view(&model, crash_disk_count(disk));
    struct crash_disk *after = crash_disk_crash(disk, crash_disk_count(disk), seed + 2);
    good = good && suite_check_state(after, &view, seed, 1, words) &&
           suite_check_state(disk, &view, seed, 1, words);
    crash_disk_free(after);
    crash_disk_free(disk);
    model_fini(&model);
    return good;
}

static void fail_calls(struct suite *suite, uint64_t seed, uint64_t stride)
{
    static const struct plan plans[] = {
            {.more = 0, .e = ERR_IO}, {.more = 0, .e = ERR_LIMIT}, {.more = BEHIND, .e = ERR_IO}};
    uint64_t calls, unused;
    char words[MODEL_WORDS] = "", where[100];
    struct plan none = {.step = UINT32_MAX};
    suite_count(suite, run(seed, &none, &calls, words), "a history without failures", words);
    for (uint64_t n = 1 + seed % stride; n <= calls; n += stride) {
        for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
            struct plan plan = plans[i];
            plan.call = n;
            plan.step = UINT32_MAX;
            snprintf(where, sizeof where, "history %llu, call %llu fails, %llu more (%s)",
                    (unsigned long long)seed, (unsigned long long)n, (unsigned long long)plan.more,
                    err_name(plan.e));
            bool good = run(seed, &plan, &unused, words);
            suite_count(suite, good, where, words);
        }
    }
}

static void fail_memory(struct suite *suite, uint64_t seed, uint64_t stride)
{
    char words[MODEL_WORDS] = "", where[100];
    uint64_t unused;
    for (uint32_t step = (uint32_t)(seed % stride); step < STEPS; step += (uint32_t)stride) {
        for (uint64_t n = 1; n <= ALLOCATIONS; n += n < 8 ? 1 : 5) {
            struct plan plan = {.step = step, .allocation = n};
            snprintf(where, sizeof where, "history %llu, step %u, allocation %llu fails",
                    (unsigned long long)seed, step, (unsigned long long)n);
            bool good = run(seed, &plan, &unused, words);
            suite_count(suite, good, where, words);
        }
    }
}

void suite_failures(struct suite *suite, uint64_t seed, uint64_t stride)
{
    fail_calls(suite, seed, stride);
    fail_calls(suite, seed + 1, stride);
    fail_memory(suite, seed, stride);
}
