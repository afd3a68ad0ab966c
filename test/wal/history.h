/* history: what one process does to a log, by seed: appends of many sizes, group commits, rolls,
 * removals, restarts, and calls of the disk that fail.
 *
 *     struct history history = {.disk = disk, .model = &model, .dice = dice_of(seed)};
 *     if (!history_open(&history)) ... history.words
 *     history_steps(&history, 40)                   // false: history.words
 *     history_end(&history, HISTORY_KILL) */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wal/model.h"

enum history_end { HISTORY_CLOSE, HISTORY_KILL };

struct history {
    struct crash_disk *disk;
    struct model *model;
    struct dice dice;
    uint64_t segment_bytes;
    bool faults;   /* plan some */
    bool hindered; /* calls may fail: errors are no fault of the log */
    bool planned;  /* by the caller: what is to fail is left as it is */
    struct wal *wal;
    char words[MODEL_WORDS];
};

/* Opens the log and checks what it found. Where calls may fail, *open is whether it was opened. */
bool history_open(struct history *history, bool *open);
bool history_steps(struct history *history, uint32_t steps);
bool history_append(struct history *history);
bool history_commit(struct history *history);
void history_end(struct history *history, enum history_end how);
