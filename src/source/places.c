#include "source/places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/intern.h"
#include "base/memory.h"
#include "base/point.h"
#include "base/sum.h"

/* A file: this head, then each place: sizes of source and key (2 bytes each), number and rank (8
 * each), source, key. Little-endian, as the log. */
enum {
    AT_SUM = 8, /* of all behind it */
    AT_SIZE = 12,
    AT_SEQUENCE = 20,
    AT_OFFSET = 28,
    AT_LOG = 36,
    HEAD = 68,
    FIXED = 20,
    LOG_ID = 32,
    FILES = 2,
};
static const char magic[] = "MLPLACE1";

struct kept {
    uint64_t number, rank;
    uint16_t size; /* of the key; 0: nothing stands here */
    char key[PLACES_KEY];
};

struct row {
    uint32_t count;
    size_t room;
    struct kept *kept; /* by rising numbers */
};

struct places {
    int files[FILES];
    uint64_t sequence;
    char log[LOG_ID + 1];
    uint64_t offset;
    struct intern names;
    struct row *rows; /* by number of the name */
    size_t room;
    uint32_t forgotten; /* of them */
    struct buf bytes;
};

static uint64_t get(const char *at, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, at, size);
    return value;
}

static void add(struct buf *out, uint64_t value, size_t size)
{
    buf_add(out, slice_of((const char *)&value, size));
}

/* ---- the table --------------------------------------------------------------------------------
 */

/* Where a number stands or should; NULL: it is older than all that are kept. */
static struct kept *find(struct row *row, uint64_t number)
{
    uint32_t i = 0;
    while (i < row->count && row->kept[i].number < number) {
        i++;
    }
    if (i < row->count && row->kept[i].number == number) {
        return &row->kept[i];
    }
    if (row->count == PLACES_KEPT && i == 0) {
        return NULL;
    }
    if (row->count == PLACES_KEPT) {
        i--;
        memmove(row->kept, row->kept + 1, i * sizeof *row->kept);
    } else {
        memmove(row->kept + i + 1, row->kept + i, (row->count - i) * sizeof *row->kept);
        row->count++;
    }
    row->kept[i] = (struct kept){.number = number};
    return &row->kept[i];
}

/* Names are never taken out of `names`: those in use are put into another one, in their order. */
static enum err drop_forgotten(struct places *places)
{
    struct intern names;
    uint32_t id, count = places->names.count;
    enum err e = OK;
    intern_init(&names, PLACES_SOURCES);
    for (uint32_t i = 0; e == OK && i < count; i++) {
        if (places->rows[i].count > 0) {
            e = intern_put(&names, intern_text(&places->names, i), &id, NULL);
        }
    }
    if (e != OK) {
        intern_fini(&names);
        return e;
    }
    for (uint32_t i = 0, to = 0; i < count; i++) {
        if (places->rows[i].count > 0) {
            places->rows[to++] = places->rows[i];
        } else {
            memory_free(places->rows[i].kept);
        }
    }
    intern_fini(&places->names);
    places->names = names;
    places->forgotten = 0;
    return OK;
}

static enum err name(struct places *places, struct slice source, uint32_t *id, bool *fresh)
{
    enum err e = intern_put(&places->names, source, id, fresh);
    if (e == ERR_LIMIT && places->forgotten > 0) {
        TRY(drop_forgotten(places));
        e = intern_put(&places->names, source, id, fresh);
    }
    return e;
}

enum err places_note(struct places *places, const struct places_place *place)
{
    uint32_t id;
    bool fresh;
    if (place->key.size == 0 || place->key.size > PLACES_KEY || place->source.size > UINT16_MAX) {
        return ERR_LIMIT;
    }
    TRY(name(places, place->source, &id, &fresh));
    if (!memory_grow(&places->rows, &places->room, (size_t)id + 1, sizeof *places->rows)) {
        return ERR_MEMORY;
    }
    struct row *row = &places->rows[id];
    if (fresh) {
        *row = (struct row){0};
    }
    places->forgotten -= !fresh && row->count == 0;
    if (row->count < PLACES_KEPT && row->count == row->room) {
        /* One by one: most sources have one, and there may be many. */
        struct kept *kept = memory_resize(row->kept, (row->room + 1) * sizeof *kept);
        if (!kept) {
            return ERR_MEMORY;
        }
        row->kept = kept;
        row->room++;
    }
    struct kept *kept = find(row, place->number);
    if (kept && (kept->size == 0 || place->rank >= kept->rank)) {
        kept->rank = place->rank;
        kept->size = (uint16_t)place->key.size;
        memcpy(kept->key, place->key.at, place->key.size);
    }
    return OK;
}

void places_forget(struct places *places, struct slice source)
{
    uint32_t id = intern_find(&places->names, source);
    if (id != INTERN_NONE && places->rows[id].count > 0) {
        places->rows[id].count = 0;
        places->forgotten++;
    }
}

void places_sweep(struct places *places, bool (*is_gone)(const void *context, struct slice source),
        const void *context)
{
    for (uint32_t i = 0; i < places->names.count; i++) {
        struct slice source = intern_text(&places->names, i);
        if (places->rows[i].count > 0 && is_gone(context, source)) {
            places_forget(places, source);
        }
    }
}

bool places_next(const struct places *places, uint64_t *at, struct places_place *out)
{
    for (; *at / PLACES_KEPT < places->names.count; ++*at) {
        uint32_t id = (uint32_t)(*at / PLACES_KEPT), i = (uint32_t)(*at % PLACES_KEPT);
        const struct row *row = &places->rows[id];
        if (i < row->count) {
            const struct kept *kept = &row->kept[i];
            *out = (struct places_place){intern_text(&places->names, id),
                    slice_of(kept->key, kept->size), kept->number, kept->rank};
            ++*at;
            return true;
        }
    }
    return false;
}

void places_clear(struct places *places)
{
    for (uint32_t i = 0; i < places->names.count; i++) {
        memory_free(places->rows[i].kept);
    }
    intern_fini(&places->names);
    intern_init(&places->names, PLACES_SOURCES);
    places->forgotten = 0;
    places->log[0] = 0;
    places->offset = 0;
}

/* ---- the files --------------------------------------------------------------------------------
 */

static bool is_whole(struct slice bytes)
{
    return bytes.size >= HEAD && memcmp(bytes.at, magic, AT_SUM) == 0 &&
           get(bytes.at + AT_SIZE, 8) == bytes.size &&
           get(bytes.at + AT_SUM, 4) == sum_add(0, slice_from(bytes, AT_SIZE));
}

static enum err take(struct places *places, struct slice bytes)
{
    memcpy(places->log, bytes.at + AT_LOG, LOG_ID);
    places->sequence = get(bytes.at + AT_SEQUENCE, 8);
    places->offset = get(bytes.at + AT_OFFSET, 8);
    for (size_t at = HEAD; bytes.size - at >= FIXED;) {
        struct places_place place = {.number = get(bytes.at + at + 4, 8),
                .rank = get(bytes.at + at + 12, 8),
                .source = slice_of(bytes.at + at + FIXED, get(bytes.at + at, 2)),
                .key = slice_of(NULL, get(bytes.at + at + 2, 2))};
        at += FIXED;
        if (bytes.size - at < place.source.size + place.key.size) {
            return ERR_SYNTAX;
        }
        place.key.at = place.source.at + place.source.size;
        at += place.source.size + place.key.size;
        TRY(places_note(places, &place));
    }
    return OK;
}

/* ERR_END: it holds no whole table. */
static enum err read_file(int file, struct buf *bytes)
{
    struct stat s;
    buf_clear(bytes);
    if (fstat(file, &s) != 0 || s.st_size < HEAD) {
        return ERR_END;
    }
    char *at = buf_reserve(bytes, (size_t)s.st_size);
    if (!at) {
        return ERR_MEMORY;
    }
    while (bytes->size < (size_t)s.st_size) {
        ssize_t n = pread(
                file, bytes->at + bytes->size, (size_t)s.st_size - bytes->size, (off_t)bytes->size);
        if (n <= 0) {
            return ERR_END;
        }
        bytes->size += (size_t)n;
    }
    return is_whole(buf_slice(bytes)) ? OK : ERR_END;
}

static enum err open_files(struct places *places, const char *directory, struct diag *diag)
{
    char path[4096];
    for (int i = 0; i < FILES; i++) {
        int size = snprintf(path, sizeof path, "%s/positions.%d", directory, i);
        if (size < 0 || (size_t)size >= sizeof path) {
            return diag_say(diag, ERR_LIMIT, "%s: the path is too long", directory);
        }
        places->files[i] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (places->files[i] < 0) {
            return diag_say(diag, ERR_IO, "%s: %s", path, strerror(errno));
        }
    }
    int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || fsync(folder) != 0) {
        enum err e = diag_say(diag, ERR_IO, "%s: %s", directory, strerror(errno));
        if (folder >= 0) {
            close(folder);
        }
        return e;
    }
    close(folder);
    return OK;
}

static enum err read_newest(struct places *places, struct diag *diag)
{
    int newest = -1;
    uint64_t highest = 0;
    for (int i = 0; i < FILES; i++) {
        if (read_file(places->files[i], &places->bytes) == OK) {
            uint64_t sequence = get(places->bytes.at + AT_SEQUENCE, 8);
            newest = newest < 0 || sequence > highest ? i : newest;
            highest = newest == i ? sequence : highest;
        }
    }
    enum err e = newest < 0 ? OK : read_file(places->files[newest], &places->bytes);
    if (e == OK && newest >= 0) {
        e = take(places, buf_slice(&places->bytes));
    }
    return e == OK ? OK : diag_say(diag, e, "no table of positions: %s", err_name(e));
}

enum err places_open(const char *directory, struct places **out, struct diag *diag)
{
    struct places *places = memory_alloc(sizeof *places);
    if (!places) {
        return diag_say(diag, ERR_MEMORY, "no memory for positions");
    }
    *places = (struct places){.files = {-1, -1}};
    intern_init(&places->names, PLACES_SOURCES);
    enum err e = open_files(places, directory, diag);
    if (e == OK) {
        e = read_newest(places, diag);
    }
    if (e != OK) {
        places_close(places);
        return e;
    }
    *out = places;
    return OK;
}

void places_close(struct places *places)
{
    if (!places) {
        return;
    }
    places_clear(places);
    for (int i = 0; i < FILES; i++) {
        if (places->files[i] >= 0) {
            close(places->files[i]);
        }
    }
    intern_fini(&places->names);
    buf_fini(&places->bytes);
    memory_free(places->rows);
    memory_free(places);
}

const char *places_log(const struct places *places)
{
    return places->log;
}

uint64_t places_offset(const struct places *places)
{
    return places->offset;
}

static void write_all(const struct places *places, struct buf *out, uint64_t sequence)
{
    struct places_place place;
    uint64_t at = 0;
    buf_clear(out);
    buf_add(out, slice_of(magic, AT_SUM));
    add(out, 0, 4);
    add(out, 0, 8);
    add(out, sequence, 8);
    add(out, places->offset, 8);
    buf_add(out, slice_of(places->log, LOG_ID));
    while (places_next(places, &at, &place)) {
        add(out, place.source.size, 2);
        add(out, place.key.size, 2);
        add(out, place.number, 8);
        add(out, place.rank, 8);
        buf_add(out, place.source);
        buf_add(out, place.key);
    }
    if (!out->failed) {
        uint64_t size = out->size;
        memcpy(out->at + AT_SIZE, &size, 8);
        uint32_t sum = sum_add(0, slice_from(buf_slice(out), AT_SIZE));
        memcpy(out->at + AT_SUM, &sum, 4);
    }
}

/* The older one is written over: the newer one stands until this is on disk. */
static enum err write_file(int file, struct slice bytes, struct diag *diag)
{
    for (size_t at = 0; at < bytes.size;) {
        ssize_t n = pwrite(file, bytes.at + at, bytes.size - at, (off_t)at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return diag_say(diag, ERR_IO, "positions: %s", strerror(errno));
        }
        at += (size_t)n;
    }
    point_pass("places.before_sync");
    if (ftruncate(file, (off_t)bytes.size) != 0 || fdatasync(file) != 0) {
        return diag_say(diag, ERR_IO, "positions: %s", strerror(errno));
    }
    point_pass("places.saved");
    return OK;
}

enum err places_save(struct places *places, const char *log, uint64_t offset, struct diag *diag)
{
    uint64_t sequence = places->sequence + 1;
    snprintf(places->log, sizeof places->log, "%s", log);
    places->offset = offset;
    write_all(places, &places->bytes, sequence);
    if (places->bytes.failed) {
        buf_fini(&places->bytes);
        return diag_say(diag, ERR_MEMORY, "no memory to save positions");
    }
    TRY(write_file(places->files[sequence % FILES], buf_slice(&places->bytes), diag));
    places->sequence = sequence;
    return OK;
}
