#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wal/history.h"
#include "wal/segment.h"
#include "wal/suite.h"

enum { FILES = 400, FRAMES = 4000, A_LOG = 50, BLOCK = 512, PATH = 64 };

/* A frame of a log that nothing has spoilt. */
struct stand {
    size_t file, at, size;
    uint64_t offset, count;
    bool counts; /* HEAD and SEAL too; not what the next segment has again */
};

struct closed {
    struct crash_disk *disk;
    struct model model;
    char paths[FILES][PATH];
    uint64_t bases[FILES];
    size_t files;
    struct stand frames[FRAMES];
    size_t count;
    struct reader_survey survey;
};

/* Bytes [from, to) of one file are others now, or gone. */
struct harm {
    size_t file, from, to;
    bool cut;
};

static void note_frames(struct closed *log, size_t file)
{
    struct slice rest = crash_disk_file(log->disk, log->paths[file]);
    uint64_t limit = file + 1 < log->files ? log->bases[file + 1] : UINT64_MAX;
    size_t at = 0, size;
    struct frame frame;
    while (frame_read(rest, &frame, &size, NULL) == OK && log->count < FRAMES) {
        bool counts = frame.offset + frame.count <= limit;
        log->frames[log->count++] =
                (struct stand){file, at, size, frame.offset, frame.count, counts};
        rest = slice_from(rest, size);
        at += size;
    }
}

static bool note_files(struct closed *log, char *words)
{
    struct arena arena;
    struct disk_names names;
    const struct disk *calls = crash_disk_calls(log->disk);
    arena_init(&arena, 1 << 20);
    if (calls->list(calls, MODEL_LOG, &arena, &names, NULL) != OK) {
        abort();
    }
    for (size_t i = 0; i < names.count && log->files < FILES; i++) {
        if (segment_parse_name(names.at[i], &log->bases[log->files])) {
            snprintf(log->paths[log->files++], PATH, MODEL_LOG "/%.30s", names.at[i]);
        }
    }
    arena_fini(&arena);
    for (size_t i = 0; i < log->files; i++) {
        note_frames(log, i);
    }
    enum err e = reader_verify(MODEL_LOG, calls, NULL, &log->survey, NULL);
    snprintf(words, MODEL_WORDS, "a closed log has damage");
    return e == OK && log->survey.damages == 0 && log->survey.torn_bytes == 0;
}

static bool make_log(struct closed *log, uint64_t seed, char *words)
{
    *log = (struct closed){.disk = crash_disk_new()};
    crash_disk_put(log->disk, "data/settings", slice_of("", 0));
    model_init(&log->model);
    struct history history = {.disk = log->disk, .model = &log->model, .dice = dice_of(seed)};
    static const uint64_t sizes[] = {1, 3000, 20000, 1000000};
    bool open;
    history.segment_bytes = sizes[dice_below(&history.dice, 4)];
    history.faults = dice_one_in(&history.dice, 3);
    bool good = history_open(&history, &open) && history_steps(&history, 60);
    crash_disk_fail(log->disk, 0, 0, OK);
    crash_disk_fail_kind(log->disk, CRASH_DISK_SYNC, 0, OK);
    crash_disk_limit(log->disk, UINT64_MAX);
    history.hindered = false;
    good = good && history_append(&history) && history_commit(&history);
    history_end(&history, HISTORY_CLOSE);
    memcpy(words, history.words, MODEL_WORDS);
    return good && note_files(log, words);
}

static struct harm choose(const struct closed *log, struct dice *dice)
{
    struct harm harm = {.file = dice_below(dice, (uint32_t)log->files)};
    if (dice_one_in(dice, 4)) {
        harm.file = log->files - 1;
    }
    size_t size = crash_disk_file(log->disk, log->paths[harm.file]).size;
    harm.from = dice_below(dice, (uint32_t)size);
    harm.to = harm.from + 1;
    uint32_t how = dice_below(dice, 10);
    if (how < 2) {
        harm.cut = true;
        harm.to = size;
        if (how == 0) { /* between two frames, if there are such */
            const struct stand *frame = &log->frames[dice_below(dice, (uint32_t)log->count)];
            harm.from = frame->file == harm.file ? frame->at : harm.from;
        }
    } else if (how == 2) {
        harm.from -= harm.from % BLOCK;
        harm.to = harm.from + BLOCK < size ? harm.from + BLOCK : size;
    }
    return harm;
}

static struct crash_disk *spoil(const struct closed *log, struct harm harm, struct dice *dice)
{
    struct crash_disk *disk = crash_disk_new();
    for (size_t i = 0; i < log->files; i++) {
        struct slice file = crash_disk_file(log->disk, log->paths[i]);
        if (i != harm.file) {
            crash_disk_put(disk, log->paths[i], file);
            continue;
        }
        char *copy = malloc(file.size);
        memcpy(copy, file.at, file.size);
        if (!harm.cut && harm.to - harm.from == 1) {
            copy[harm.from] = (char)(copy[harm.from] ^ 1 << dice_below(dice, 8));
        } else if (!harm.cut) {
            memset(copy + harm.from, 0, harm.to - harm.from);
        }
        crash_disk_put(disk, log->paths[i], slice_of(copy, harm.cut ? harm.from : file.size));
        free(copy);
    }
    return disk;
}

static bool is_hit(const struct stand *frame, struct harm harm)
{
    return frame->file == harm.file && frame->at < harm.to && frame->at + frame->size > harm.from;
}

/* Which offsets must be given: all but those of the frames that were hit. */
static bool must_have(const struct closed *log, struct harm harm, uint64_t offset)
{
    for (size_t i = 0; i < log->count; i++) {
        const struct stand *frame = &log->frames[i];
        if (frame->counts && offset >= frame->offset && offset < frame->offset + frame->count) {
            return !is_hit(frame, harm);
        }
    }
    return false;
}

static bool touches_what_counts(const struct closed *log, struct harm harm)
{
    for (size_t i = 0; i < log->count; i++) {
        if (log->frames[i].counts && is_hit(&log->frames[i], harm)) {
            return true;
        }
    }
    return false;
}

static bool say(char *words, const char *what, uint64_t offset)
{
    snprintf(words, MODEL_WORDS, "%s, offset %llu", what, (unsigned long long)offset);
    return false;
}

/* Frames with their bytes, damage where a frame was hit and nowhere else. */
static bool read_one(const struct closed *log, struct harm harm, struct wal_reader *reader,
        uint64_t *at, char *words)
{
    struct model_view view = model_view(&log->model, crash_disk_count(log->disk));
    struct frame frame = {0};
    enum err e = reader_next(reader, READER_ALL, &frame, NULL);
    if (e != OK && e != ERR_SYNTAX) {
        return e != ERR_END ? say(words, err_name(e), *at) : false;
    }
    uint64_t next = e == OK ? *at + frame.count : reader_damage(reader)->to;
    if (e == OK && !model_check_frame(&view, &frame, *at, words)) {
        return false;
    }
    if (e == ERR_SYNTAX && (reader_damage(reader)->from != *at || next <= *at)) {
        return say(words, "damage that does not begin where it should", *at);
    }
    for (; *at < next; ++*at) {
        if (must_have(log, harm, *at) != (e == OK)) {
            return say(words, e == OK ? "given though it was hit" : "whole, called damage", *at);
        }
    }
    return true;
}

/* Every offset from the first on is given with its bytes, or told as damage, or behind the end. */
static bool read_spoilt(const struct closed *log, struct harm harm, struct wal_reader *reader,
        uint64_t *end, char *words)
{
    uint64_t at = reader_first(reader);
    words[0] = '\0';
    while (read_one(log, harm, reader, &at, words)) {
    }
    if (words[0]) {
        return false;
    }
    *end = at;
    for (; at < log->survey.next; at++) {
        if (must_have(log, harm, at)) {
            return say(words, "whole, but behind the end", at);
        }
    }
    if (*end < log->survey.next && harm.file + 1 < log->files) {
        return say(words, "the log ends early", *end);
    }
    return true;
}

static bool found(const struct closed *log, struct crash_disk *disk, char *words)
{
    struct reader_survey now, before = log->survey;
    enum err e = reader_verify(MODEL_LOG, crash_disk_calls(disk), NULL, &now, NULL);
    if (e != OK) {
        return say(words, err_name(e), 0);
    }
    if (now.damages || now.torn_bytes || now.strange_bytes > before.strange_bytes ||
            now.sealed < before.sealed || now.heads < before.heads ||
            now.spare_bytes != before.spare_bytes) {
        return true;
    }
    return say(words, "the harm was not found", 0);
}

/* A writer goes on behind it. */
static bool write_on(struct crash_disk *disk, uint64_t end, char *words)
{
    struct wal_options options = {.disk = crash_disk_calls(disk), .random = model_random};
    struct wal *wal;
    struct frame frame = {.kind = FRAME_TICK, .receipt_ns = 7};
    enum err e = wal_open(MODEL_LOG, &options, &wal, NULL);
    if (e != OK) {
        return say(words, err_name(e), end);
    }
    e = wal_append(wal, &frame, NULL);
    if (e == OK) {
        e = wal_commit(wal, NULL);
    }
    wal_close(wal);
    if (e != OK || frame.offset != end) {
        return say(words, "the writer does not go on where the log ends", frame.offset);
    }
    struct wal_reader *reader;
    if (reader_open(MODEL_LOG, crash_disk_calls(disk), end, &reader, NULL) != OK) {
        return say(words, "no reader", end);
    }
    e = reader_next(reader, READER_ALL, &frame, NULL);
    bool good = e == OK && frame.offset == end && frame.receipt_ns == 7;
    reader_close(reader);
    return good || say(words, "what was written behind it is not read", end);
}

static bool check(const struct closed *log, struct harm harm, struct dice *dice, char *words)
{
    struct crash_disk *disk = spoil(log, harm, dice);
    struct wal_reader *reader;
    uint64_t end = 0;
    bool good = false;
    enum err e = reader_open(MODEL_LOG, crash_disk_calls(disk), 0, &reader, NULL);
    if (e != OK) {
        say(words, err_name(e), 0);
    } else {
        good = read_spoilt(log, harm, reader, &end, words);
        reader_close(reader);
        good = good && (!touches_what_counts(log, harm) || found(log, disk, words)) &&
               write_on(disk, end, words);
    }
    crash_disk_free(disk);
    return good;
}

static void close_log(struct closed *log)
{
    crash_disk_free(log->disk);
    model_fini(&log->model);
}

void suite_rot(struct suite *suite, uint64_t seed, uint64_t flips)
{
    static struct closed log;
    for (uint64_t i = 0; i < flips; i++) {
        char words[MODEL_WORDS] = "", where[160];
        if (i % A_LOG == 0) {
            bool good = make_log(&log, seed + i, words);
            suite_count(suite, good, "a log to spoil", words);
        }
        struct dice dice = dice_of(seed + i);
        struct harm harm = choose(&log, &dice);
        snprintf(where, sizeof where, "rot %llu: %s, bytes %zu to %zu%s",
                (unsigned long long)(seed + i), log.paths[harm.file], harm.from, harm.to,
                harm.cut ? " cut off" : "");
        bool good = check(&log, harm, &dice, words);
        suite_count(suite, good, where, words);
        if (i + 1 == flips || i % A_LOG == A_LOG - 1) {
            close_log(&log);
        }
    }
}
