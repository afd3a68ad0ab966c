#include "app/serve_place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/disk.h"
#include "base/time.h"
#include "cli/verb.h"
#include "wal/reader.h"

enum {
    WAIT_MS = 10,
    SAVE_OFFSETS = 200000, /* of the log: so much is read at a restart, and no more */
    SWEEP = PLACES_SOURCES / 8,
};

/* ---- at the start ------------------------------------------------------------------------------
 */

/* What a process before this one had put into the channel is on disk, all of it. */
static bool wait_for_log(const struct serve_place_setting *s)
{
    uint64_t head = channel_head(s->shared->intake);
    while (!atomic_load(&s->shared->page->ready) || channel_done(s->shared->intake) < head) {
        if (*s->stop) {
            return false;
        }
        serve_shared_wait(-1, -1, WAIT_MS);
    }
    return true;
}

/* Where there is no room, files that are no more make some. Not each time: it may be in vain. */
static enum err note_place(struct serve_place *place, const struct places_place *p)
{
    const struct serve_place_setting *s = &place->setting;
    enum err e = places_note(place->places, p);
    if (e == ERR_LIMIT && s->is_gone && place->refused++ % SWEEP == 0) {
        places_sweep(place->places, s->is_gone, s->context);
        e = places_note(place->places, p);
        place->refused = e == OK ? 0 : place->refused;
    }
    return e;
}

static enum err note(struct serve_place *place, struct slice source, struct slice key)
{
    const struct serve_place_setting *s = &place->setting;
    struct places_place p = {.source = source, .key = key};
    return key.size > 0 && s->read_key(s->context, source, key, &p) ? note_place(place, &p) : OK;
}

static enum err read_log(struct serve_place *place, struct diag *diag)
{
    const struct serve_place_setting *s = &place->setting;
    uint64_t committed = atomic_load(&s->shared->page->committed);
    uint64_t from = places_offset(place->places);
    struct wal_reader *log;
    struct frame frame;
    char path[4096];
    snprintf(path, sizeof path, "%s/log", s->data);
    TRY(reader_open(path, &disk_real, from <= committed ? from : 0, &log, diag));
    if (from > committed || strcmp(places_log(place->places), reader_log(log)) != 0) {
        places_clear(place->places); /* it is of another log, or there was none */
        reader_close(log);
        TRY(reader_open(path, &disk_real, 0, &log, diag));
    }
    snprintf(place->log, sizeof place->log, "%s", reader_log(log));
    enum err e = OK;
    while (e == OK || e == ERR_SYNTAX) { /* damage is the log's to tell */
        e = *s->stop ? ERR_END : reader_next(log, committed, &frame, diag);
        if (e == OK) {
            e = note(place, frame.attribute[FRAME_SOURCE], frame.attribute[FRAME_KEY]);
        }
    }
    reader_close(log);
    if (e == ERR_END && !*s->stop) {
        return places_save(place->places, place->log, committed, diag);
    }
    return e == ERR_LIMIT ? diag_say(diag, e, "too many files and topics for one table") : e;
}

enum err serve_place_open(
        const struct serve_place_setting *setting, struct serve_place *place, struct diag *diag)
{
    char path[4096];
    *place = (struct serve_place){.setting = *setting};
    snprintf(path, sizeof path, "%s/%s", setting->data, setting->folder);
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return diag_say(diag, ERR_IO, "%s: %s", path, strerror(errno));
    }
    if (!wait_for_log(setting)) {
        return ERR_END;
    }
    TRY(places_open(path, &place->places, diag));
    return read_log(place, diag);
}

/* ---- while it runs -----------------------------------------------------------------------------
 */

void serve_place_noted(void *context, const struct intake_batch *batch, uint64_t position)
{
    struct serve_place *place = context;
    place->put_to = position;
    if (note(place, batch->source, batch->key) != OK && !place->failed) {
        place->failed = true;
        verb_say("%s: positions: no room in the table", place->setting.folder);
    }
}

/* A table that says more than is on disk would lose what is not. */
static bool is_on_disk(const struct serve_place *place)
{
    return channel_done(place->setting.shared->intake) >= place->put_to;
}

static void save(struct serve_place *place)
{
    struct diag diag = {0};
    /* Read behind is_on_disk: what was put is below it. */
    uint64_t committed = atomic_load(&place->setting.shared->page->committed);
    if (committed == places_offset(place->places)) {
        return;
    }
    if (places_save(place->places, place->log, committed, &diag) != OK && !place->failed) {
        place->failed = true;
        verb_say("%s: %s", place->setting.folder, diag.words);
    }
}

bool serve_place_turn(struct serve_place *place)
{
    uint64_t committed = atomic_load(&place->setting.shared->page->committed);
    if (committed - places_offset(place->places) < SAVE_OFFSETS) {
        return true;
    }
    if (!is_on_disk(place)) {
        return false;
    }
    save(place);
    return true;
}

void serve_place_close(struct serve_place *place, int ms)
{
    int64_t until = clock_steady_ns() + ms * (TIME_SECOND / 1000);
    while (place->places && !is_on_disk(place) && clock_steady_ns() < until) {
        serve_shared_wait(-1, -1, WAIT_MS);
    }
    if (place->places && place->log[0] && is_on_disk(place)) {
        save(place);
    }
    places_close(place->places);
    place->places = NULL;
}
