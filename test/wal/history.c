#include "wal/history.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static bool fail(struct history *history, const char *what, enum err e)
{
    snprintf(history->words, sizeof history->words, "%s: %s", what, err_name(e));
    return false;
}

static uint64_t now(const struct history *history)
{
    return crash_disk_count(history->disk);
}

bool history_open(struct history *history, bool *open)
{
    struct wal_options options = {.disk = crash_disk_calls(history->disk),
            .segment_bytes = history->segment_bytes,
            .random = model_random};
    uint64_t end = 0, before = 0;
    struct model_view view = model_view(history->model, now(history));
    /* What a reader sees is what the writer must find. */
    if (!history->hindered && !model_check(&view, history->disk, &before, history->words)) {
        return false;
    }
    enum err e = wal_open(MODEL_LOG, &options, &history->wal, NULL);
    *open = e == OK;
    if (e != OK) {
        return history->hindered ? true : fail(history, "opening", e);
    }
    const struct wal_found *found = wal_found(history->wal);
    if (found->next < view.fixed || found->next > view.offered || found->damaged ||
            (!history->hindered && found->next != before) ||
            found->next != wal_committed(history->wal) ||
            (view.log[0] && strcmp(view.log, found->log) != 0)) {
        snprintf(history->words, sizeof history->words,
                "opening found next %llu, damaged %llu; committed %llu, offered %llu, read %llu",
                (unsigned long long)found->next, (unsigned long long)found->damaged,
                (unsigned long long)view.fixed, (unsigned long long)view.offered,
                (unsigned long long)before);
        return false;
    }
    model_opened(history->model, now(history), found->next, found->log);
    view = model_view(history->model, now(history));
    return history->hindered || model_check(&view, history->disk, &end, history->words);
}

bool history_append(struct history *history)
{
    enum err e = model_append(history->model, history->wal, &history->dice);
    return e == OK || history->hindered ? true : fail(history, "appending", e);
}

bool history_commit(struct history *history)
{
    enum err e = wal_commit(history->wal, NULL);
    if (e == OK) {
        model_committed(history->model, now(history));
        if (wal_committed(history->wal) != wal_next(history->wal)) {
            return fail(history, "committed is not all that was appended", e);
        }
    }
    return e == OK || history->hindered ? true : fail(history, "committing", e);
}

void history_end(struct history *history, enum history_end how)
{
    if (how == HISTORY_KILL) {
        crash_disk_freeze(history->disk, true);
    }
    wal_close(history->wal);
    history->wal = NULL;
    crash_disk_freeze(history->disk, false);
    crash_disk_kill(history->disk);
}

static bool remove_some(struct history *history)
{
    uint64_t first = 0, below = dice_next(&history->dice) % (wal_committed(history->wal) + 1);
    model_removed(history->model, now(history), below);
    enum err e = wal_remove(history->wal, below, &first, NULL);
    if (e != OK && !history->hindered) {
        return fail(history, "removing", e);
    }
    struct model_view view = model_view(history->model, now(history));
    return first <= view.removed ? true : fail(history, "removed too much", e);
}

static void plan_nothing(struct history *history)
{
    crash_disk_fail(history->disk, 0, 0, OK);
    crash_disk_fail_kind(history->disk, CRASH_DISK_SYNC, 0, OK);
    crash_disk_limit(history->disk, UINT64_MAX);
    memory_fail_after(0);
}

static bool restart(struct history *history)
{
    bool open = false, hindered = history->hindered;
    if (!history->planned) {
        plan_nothing(history);
        history->hindered = false;
    }
    history_end(history, dice_one_in(&history->dice, 2) ? HISTORY_KILL : HISTORY_CLOSE);
    bool good = history_open(history, &open);
    if (good && !open) {
        plan_nothing(history);
        crash_disk_kill(history->disk);
        history->hindered = false;
        good = history_open(history, &open);
    }
    history->hindered = hindered;
    return good;
}

static void plan_fault(struct history *history)
{
    static const enum crash_disk_kind kinds[] = {CRASH_DISK_SYNC, CRASH_DISK_SYNC, CRASH_DISK_SYNC,
            CRASH_DISK_WRITE, CRASH_DISK_SYNC_DIRECTORY, CRASH_DISK_RENAME, CRASH_DISK_CREATE,
            CRASH_DISK_REMOVE};
    struct dice *dice = &history->dice;
    enum err e = dice_one_in(dice, 3) ? ERR_LIMIT : ERR_IO;
    uint64_t nth = 1 + dice_below(dice, 3);
    if (dice_one_in(dice, 4)) {
        crash_disk_fail(history->disk, nth, dice_below(dice, 6), e);
    } else {
        crash_disk_fail_kind(
                history->disk, kinds[dice_below(dice, sizeof kinds / sizeof *kinds)], nth, e);
    }
}

static bool step(struct history *history)
{
    struct dice *dice = &history->dice;
    uint32_t choice = dice_below(dice, 100);
    if (choice < 55) {
        return history_append(history);
    }
    if (choice < 84) {
        return history_commit(history);
    }
    if (choice < 88) {
        return remove_some(history);
    }
    if (choice < 91) {
        return restart(history);
    }
    if (history->faults && choice < 97) {
        plan_fault(history);
    } else if (history->faults) {
        crash_disk_limit(history->disk, choice < 99 ? dice_below(dice, 30000) : UINT64_MAX);
    }
    return true;
}

bool history_steps(struct history *history, uint32_t steps)
{
    history->hindered = history->hindered || history->faults;
    for (uint32_t i = 0; i < steps; i++) {
        if (!step(history)) {
            return false;
        }
    }
    return true;
}
