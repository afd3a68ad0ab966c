/* serve_place: where a process that reads files or topics goes on: the table of positions, and what
 * the log has behind it.
 *
 *     TRY(serve_place_open(&setting, &place, diag));      // waits for the log; before the seal
 *     while (places_next(place->places, &at, &p)) ...     // where each source is
 *     intake.noted = serve_place_noted, intake.context = place;
 *     serve_place_turn(place)      // now and then; false: put nothing until it says true
 *     serve_place_close(place)     // at the end
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "app/serve_shared.h"
#include "source/intake.h"
#include "source/places.h"

struct serve_place_setting {
    struct serve_shared *shared;
    const char *data;
    const char *folder; /* in it: "files" */
    const volatile sig_atomic_t *stop;
    /* What a key says; false: it is none of this process' inputs. */
    bool (*read_key)(
            void *context, struct slice source, struct slice key, struct places_place *place);
    /* Asked where the table is full: is this source no more, so that nothing of it can be read
     * again? NULL: they are forgotten otherwise. */
    bool (*is_gone)(const void *context, struct slice source);
    void *context;
};

struct serve_place {
    struct serve_place_setting setting;
    struct places *places;
    char log[33];
    uint64_t put_to;  /* of the channel: behind what this process put last */
    bool failed;      /* the table could not be saved: said once */
    uint32_t refused; /* places for which it had no room, since it was swept */
};

/* ERR_END: told to stop while it waited. */
enum err serve_place_open(const struct serve_place_setting *setting, struct serve_place *place,
        struct diag *diag) MUST_CHECK;
void serve_place_noted(void *context, const struct intake_batch *batch, uint64_t position);
bool serve_place_turn(struct serve_place *place);
/* Saves what is on disk in the log, if all is before `ms` are over. */
void serve_place_close(struct serve_place *place, int ms);
