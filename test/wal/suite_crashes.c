#include <stdio.h>
#include <string.h>

#include "wal/history.h"
#include "wal/suite.h"

enum { LIVES = 3, OPENINGS = 50 };

static bool append_some(struct history *history)
{
    uint32_t frames = 1 + dice_below(&history->dice, 4);
    for (uint32_t i = 0; i < frames; i++) {
        if (!history_append(history)) {
            return false;
        }
    }
    return history_commit(history);
}

/* The log opens and goes on. */
static bool goes_on(struct history *history)
{
    bool open;
    uint64_t end;
    if (!history_open(history, &open) || !append_some(history)) {
        return false;
    }
    struct model_view view = model_view(history->model, crash_disk_count(history->disk));
    return model_check(&view, history->disk, &end, history->words);
}

/* The state of a crash, and that of a second one behind it, perhaps during recovery. */
bool suite_check_state(struct crash_disk *disk, const struct model_view *view, uint64_t seed,
        unsigned crashes, char *words)
{
    struct model model;
    uint64_t start = crash_disk_count(disk);
    model_from(&model, view);
    struct history history = {.disk = disk, .model = &model, .dice = dice_of(seed)};
    history.segment_bytes = dice_one_in(&history.dice, 2) ? 3000 : 1;
    bool good = goes_on(&history);
    if (history.wal) {
        history_end(&history, HISTORY_KILL);
    }
    if (!good) {
        memcpy(words, history.words, MODEL_WORDS);
    }
    if (good && crashes > 0) {
        uint64_t calls = crash_disk_count(disk) - start;
        uint64_t point = start + dice_next(&history.dice) % (calls + 1);
        struct model_view later = model_view(&model, point);
        struct crash_disk *second = crash_disk_crash(disk, point, dice_next(&history.dice));
        good = suite_check_state(second, &later, seed + 1, crashes - 1, words);
        crash_disk_free(second);
    }
    model_fini(&model);
    return good;
}

/* One process's life: opened, perhaps against failing calls, and used. */
static bool live(struct history *history, bool first)
{
    struct dice *dice = &history->dice;
    static const uint64_t sizes[] = {1, 700, 5000, 100000};
    history->segment_bytes = sizes[dice_below(dice, 4)];
    bool open = false;
    for (int i = 0; !open && i < OPENINGS; i++) {
        history->hindered = !first && dice_one_in(dice, 2);
        if (history->hindered) {
            crash_disk_fail(history->disk, 1 + dice_below(dice, 25), dice_below(dice, 2), ERR_IO);
        }
        bool good = history_open(history, &open);
        crash_disk_fail(history->disk, 0, 0, OK);
        if (!good) {
            return false;
        }
        if (!open) {
            crash_disk_kill(history->disk);
        }
    }
    history->hindered = false;
    history->faults = dice_one_in(dice, 2);
    return history_steps(history, 20 + dice_below(dice, 40));
}

/* States at points of the record so far; the last one is what the next life finds. */
static void crash_often(struct suite *suite, struct history *history, struct model *next,
        struct crash_disk **after, const char *where)
{
    uint64_t count = crash_disk_count(history->disk);
    for (int i = 0; i < SUITE_STATES / LIVES + 1; i++) {
        uint64_t point = dice_next(&history->dice) % (count + 1);
        uint64_t seed = i < 2 ? (uint64_t)i : dice_next(&history->dice);
        struct model_view view = model_view(history->model, point);
        struct crash_disk *disk = crash_disk_crash(history->disk, point, seed);
        if (i == SUITE_STATES / LIVES) {
            model_from(next, &view);
            *after = disk;
            return;
        }
        char words[MODEL_WORDS] = "", place[200];
        snprintf(place, sizeof place, "%s, point %llu of %llu, state %d", where,
                (unsigned long long)point, (unsigned long long)count, i);
        suite_count(suite, suite_check_state(disk, &view, seed, 2, words), place, words);
        crash_disk_free(disk);
    }
}

static void chain(struct suite *suite, uint64_t seed)
{
    struct crash_disk *disk = crash_disk_new(), *next = NULL;
    struct model model, next_model;
    /* "data" stands there, as it does when a server starts. */
    crash_disk_put(disk, "data/settings", slice_of("", 0));
    model_init(&model);
    for (int life = 0; life < LIVES; life++) {
        char where[80];
        snprintf(where, sizeof where, "chain %llu, life %d", (unsigned long long)seed, life);
        struct history history = {.disk = disk, .model = &model};
        history.dice = dice_of(seed * LIVES + (uint64_t)life);
        bool good = live(&history, life == 0);
        suite_count(suite, good, where, history.words);
        if (history.wal) {
            history_end(&history, HISTORY_KILL);
        }
        if (!good) {
            break;
        }
        crash_often(suite, &history, &next_model, &next, where);
        crash_disk_free(disk);
        model_fini(&model);
        disk = next;
        model = next_model;
    }
    crash_disk_free(disk);
    model_fini(&model);
}

void suite_crashes(struct suite *suite, uint64_t seed, uint64_t chains)
{
    for (uint64_t i = 0; i < chains; i++) {
        chain(suite, seed + i);
    }
}
