/* model: what a log must hold, known without it: the content of each offset that was ever offered,
 * which offsets must be there, and which may be gone. Content follows from a salt and the offset.
 *
 *     model_append(&model, wal, &dice, &e)          // a frame, to both
 *     model_committed(&model, point);               // all of it must be there from now on
 *     struct model_view view = model_view(&model, point);
 *     model_check(&view, disk, &words)              // NULL, or what is wrong
 *
 * A log that was opened begins an era: what it found is what counts from there on. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "property/dice.h"
#include "support/crash_disk.h"
#include "wal/reader.h"
#include "wal/wal.h"

#define MODEL_LOG "data/log"

struct model_mark {
    uint64_t point; /* calls of the disk when it became so */
    uint64_t fixed, removed;
};

struct model_era {
    uint64_t start;
    char log[33];    /* "": none was opened yet */
    uint64_t *salts; /* of each offset offered */
    size_t offered, room;
    struct model_mark *marks;
    size_t count, marks_room;
};

struct model {
    struct model_era *eras;
    size_t count, room;
};

/* At one point. */
struct model_view {
    const uint64_t *salts;
    uint64_t offered; /* below: may be there */
    uint64_t fixed;   /* below: must be there */
    uint64_t removed; /* below: may be gone */
    const char *log;
};

void model_init(struct model *model);
void model_fini(struct model *model);
/* A model that begins with what the view has; its first era is that of the view. */
void model_from(struct model *model, const struct model_view *view);
/* A new era: the log was opened and found offsets up to `next`. */
void model_opened(struct model *model, uint64_t point, uint64_t next, const char *log);
enum err model_append(struct model *model, struct wal *wal, struct dice *dice);
void model_committed(struct model *model, uint64_t point);
void model_removed(struct model *model, uint64_t point, uint64_t below);
struct model_view model_view(const struct model *model, uint64_t point);

enum { MODEL_WORDS = 300 };
/* Reads the log as one that nobody writes to; *end is the offset behind what is there. false: what
 * is wrong stands in words. */
bool model_check(
        const struct model_view *view, struct crash_disk *disk, uint64_t *end, char *words);
/* Has the frame the content that it should have? */
bool model_check_frame(
        const struct model_view *view, const struct frame *frame, uint64_t at, char *words);

/* Bytes that nobody has given before. */
enum err model_random(char *to, size_t size, struct diag *diag);
