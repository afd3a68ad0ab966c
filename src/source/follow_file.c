#include "source/follow_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "source/follow.h"

enum { CHECK = 64, REST = 64 << 10, HEAD = 64 << 10, HEADER = 48 << 10 };

enum err follow_file_new(const char *path, struct follow_file **out)
{
    struct stat s;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        return ERR_IO;
    }
    struct follow_file *file = memory_alloc(sizeof *file);
    enum err e = !file ? ERR_MEMORY : fstat(fd, &s) != 0 ? ERR_IO : OK;
    e = e == OK && !S_ISREG(s.st_mode) ? ERR_UNSUPPORTED : e;
    if (e == OK) {
        struct slice text = slice_of(path, strlen(path) + 1);
        *file = (struct follow_file){.fd = fd, .device = s.st_dev, .inode = s.st_ino};
        buf_add(&file->path, text);
        buf_add(&file->name, text);
        e = file->path.failed || file->name.failed ? ERR_MEMORY : OK;
    }
    if (e != OK) {
        follow_file_free(file);
        close(fd);
        return e;
    }
    *out = file;
    return OK;
}

void follow_file_free(struct follow_file *file)
{
    if (file) {
        buf_fini(&file->path);
        buf_fini(&file->name);
        buf_fini(&file->rest);
        headed_fini(&file->headed);
        memory_free(file);
    }
}

static size_t limit(const struct follow_desk *desk)
{
    return desk->input->record_bytes > 0 ? desk->input->record_bytes : 16u << 20;
}

/* The batch is of this file, its records stand from the mark up to `next`. false: no memory. */
static bool address(
        struct follow_desk *desk, const struct follow_file *file, const struct follow_mark *next)
{
    buf_clear(&desk->source);
    buf_clear(&desk->key);
    buf_add(&desk->source, desk->input->name);
    buf_add(&desk->source, slice_text(file->name.at));
    follow_mark_write(next, file->mark.at, &desk->key);
    desk->batch.input = desk->input;
    desk->batch.source = buf_slice(&desk->source);
    desk->batch.key = buf_slice(&desk->key);
    desk->batch.format = desk->batch.header = (struct slice){0};
    if (file->headed.decoder) {
        desk->batch.format = slice_text(file->headed.decoder->name);
        desk->batch.header = buf_slice(&desk->header);
    }
    return !desk->source.failed && !desk->key.failed && !desk->header.failed;
}

/* What names the columns of the next records; one that does not fit into a frame is none. */
static void hold_header(const struct follow_file *file, struct follow_desk *desk)
{
    buf_clear(&desk->header);
    if (file->headed.decoder && file->headed.cutter.header.size <= HEADER) {
        buf_add(&desk->header, buf_slice(&file->headed.cutter.header));
    }
}

/* Hands over the batch, which is what stands in these bytes behind the mark, and moves the mark.
 * false: no room; all is as before. */
static bool put(struct follow_file *file, struct follow_desk *desk, struct slice bytes)
{
    struct follow_mark next = file->mark;
    uint64_t position;
    follow_mark_add(&next, bytes);
    bool done =
            desk->batch.records.count == 0 ||
            (address(desk, file, &next) && intake_put(desk->intake, &desk->batch, &position) == OK);
    frame_records_clear(&desk->batch.records);
    if (done) {
        file->mark = next;
        file->scanned = 0;
        buf_clear(&file->rest);
    }
    return done;
}

/* The file was truncated: another begins under the same name. What its last line had begun with is
 * a record as far as it goes. */
static bool begin_again(struct follow_file *file, struct follow_desk *desk)
{
    if (file->rest.size > 0) {
        hold_header(file, desk);
        frame_records_add(&desk->batch.records, buf_slice(&file->rest));
        if (!put(file, desk, buf_slice(&file->rest))) {
            return false;
        }
    }
    file->mark = (struct follow_mark){.generation = file->mark.generation + 1};
    file->scanned = 0;
    file->looked = false;
    desk->truncated++;
    return true;
}

/* Lines with their ends at the front of the bytes, into the records; how many bytes. */
static size_t collect(struct slice bytes, size_t longest, struct frame_records *records)
{
    size_t at = 0;
    while (at < bytes.size && records->lines.size < INTAKE_BATCH) {
        struct slice rest = slice_from(bytes, at);
        size_t end = slice_find_byte(rest, '\n');
        size_t size = end > 0 && rest.at[end - 1] == '\r' ? end - 1 : end;
        if (end == rest.size || size > longest) {
            break;
        }
        if (size > 0) {
            frame_records_add(records, slice_of(rest.at, size));
        }
        at += end + 1;
    }
    return at;
}

/* The same where records need lines before them. A batch ends where those change. */
static size_t collect_headed(struct follow_file *file, struct slice bytes, struct follow_desk *desk)
{
    struct frame_records *records = &desk->batch.records;
    struct headed *headed = &file->headed;
    struct headed_piece piece;
    size_t at = 0;
    hold_header(file, desk);
    if (!headed_copy(&desk->start, headed)) {
        return 0;
    }
    while (at < bytes.size && records->lines.size < INTAKE_BATCH) {
        if (!headed_copy(&desk->saved, headed) ||
                !headed_next(headed, slice_from(bytes, at), &piece)) {
            break;
        }
        if (piece.record.size > limit(desk) || (piece.changed && records->count > 0)) {
            (void)headed_copy(headed, &desk->saved);
            break;
        }
        if (piece.changed) {
            hold_header(file, desk);
        }
        if (piece.record.size > 0) {
            frame_records_add(records, piece.record);
        }
        at += piece.size;
    }
    return at;
}

/* Reads at the mark, `before` bytes earlier; *out is what came. false: not even those before. */
static bool read_at(struct follow_file *file, struct follow_desk *desk, size_t before, size_t want,
        struct slice *out)
{
    buf_clear(&desk->bytes);
    char *at = buf_reserve(&desk->bytes, before + want);
    size_t have = 0;
    while (at && have < before + want) {
        ssize_t n = pread(
                file->fd, at + have, before + want - have, (off_t)(file->mark.at - before + have));
        if (n <= 0) {
            break;
        }
        have += (size_t)n;
    }
    bool good = have >= before &&
                (before == 0 || (at && memcmp(at, file->mark.tail + file->mark.tail_size - before,
                                               before) == 0));
    *out = good && at ? slice_of(at + before, have - before) : slice_of(NULL, 0);
    return good || !at;
}

/* The line at the mark, of `size` bytes with its end, is over the limit: to quarantine. */
static enum follow_file_state reject(
        struct follow_file *file, struct follow_desk *desk, uint64_t size)
{
    struct follow_mark before = file->mark, next = file->mark;
    struct slice piece = {0};
    for (uint64_t left = size; left > 0;) {
        struct slice bytes;
        file->mark = next;
        size_t want = left < FOLLOW_WINDOW ? (size_t)left : FOLLOW_WINDOW;
        bool good = read_at(file, desk, 0, want, &bytes) && bytes.size == want;
        file->mark = before;
        if (!good) {
            return FOLLOW_FILE_HELD; /* it shrank meanwhile: the next reading sees that */
        }
        follow_mark_add(&next, bytes);
        left -= want;
    }
    if (!read_at(file, desk, 0, size < FOLLOW_PIECE ? (size_t)size : FOLLOW_PIECE, &piece) ||
            !address(desk, file, &next) ||
            intake_reject(desk->intake, &desk->batch, piece, COUNTS_TOO_LONG,
                    "line over record_bytes") != OK) {
        return FOLLOW_FILE_HELD;
    }
    file->mark = next;
    file->scanned = 0;
    buf_clear(&file->rest);
    return FOLLOW_FILE_MORE;
}

/* Looks for the end of a line that is too long. */
static enum follow_file_state look_for_end(struct follow_file *file, struct follow_desk *desk)
{
    struct follow_mark before = file->mark;
    struct slice bytes;
    file->mark.at += file->scanned;
    bool good = read_at(file, desk, 0, FOLLOW_WINDOW, &bytes);
    file->mark = before;
    size_t end = slice_find_byte(bytes, '\n');
    if (good && end < bytes.size) {
        return reject(file, desk, file->scanned + end + 1);
    }
    file->scanned += bytes.size;
    return bytes.size == FOLLOW_WINDOW ? FOLLOW_FILE_MORE : FOLLOW_FILE_IDLE;
}

/* What stands behind the mark, and is no whole line yet. */
static enum follow_file_state keep_rest(struct follow_file *file, struct slice bytes, bool full)
{
    file->scanned = bytes.size;
    buf_clear(&file->rest);
    buf_add(&file->rest, slice_of(bytes.at, bytes.size < REST ? bytes.size : REST));
    return full ? FOLLOW_FILE_MORE : FOLLOW_FILE_IDLE;
}

/* By its first bytes; what stands before the mark has gone by. */
static void look_for_header(struct follow_file *file, struct follow_desk *desk, struct slice bytes)
{
    struct buf head = {0};
    file->looked = true;
    if (!desk->find) {
        return;
    }
    if (file->mark.at > 0) {
        char *at = buf_reserve(&head, HEAD);
        ssize_t n = at ? pread(file->fd, at, HEAD, 0) : -1;
        bytes = slice_of(at, n > 0 ? (size_t)n : 0);
    }
    headed_begin(&file->headed, desk->find(desk->input, bytes));
    if (file->headed.decoder && !headed_catch_up(&file->headed, file->fd, file->mark.at)) {
        file->headed.decoder = NULL;
    }
    buf_fini(&head);
}

static enum follow_file_state read_lines(
        struct follow_file *file, struct follow_desk *desk, struct slice bytes)
{
    const bool headed = file->headed.decoder != NULL;
    size_t used = headed ? collect_headed(file, bytes, desk)
                         : collect(bytes, limit(desk), &desk->batch.records);
    if (used == 0) {
        return FOLLOW_FILE_IDLE;
    }
    if (put(file, desk, slice_of(bytes.at, used))) {
        return FOLLOW_FILE_MORE;
    }
    if (headed && !headed_copy(&file->headed, &desk->start)) {
        file->looked = false; /* what came before goes by again */
    }
    return FOLLOW_FILE_HELD;
}

static enum follow_file_state read_window(struct follow_file *file, struct follow_desk *desk)
{
    size_t most = limit(desk) + 2, want = FOLLOW_WINDOW;
    size_t check = file->mark.tail_size < CHECK ? file->mark.tail_size : CHECK;
    struct slice bytes;
    if (file->scanned >= most) {
        return look_for_end(file, desk);
    }
    want = file->scanned * 2 > want ? (size_t)file->scanned * 2 : want;
    want = want > most && most > FOLLOW_WINDOW ? most : want;
    if (!read_at(file, desk, check, want, &bytes)) {
        return begin_again(file, desk) ? FOLLOW_FILE_MORE : FOLLOW_FILE_HELD;
    }
    if (bytes.size == 0) {
        return desk->bytes.failed ? FOLLOW_FILE_HELD : FOLLOW_FILE_IDLE;
    }
    size_t end = slice_find_byte(bytes, '\n');
    if (!file->looked && (end < bytes.size || bytes.size == want)) {
        look_for_header(file, desk, bytes);
    }
    enum follow_file_state state = read_lines(file, desk, bytes);
    if (state != FOLLOW_FILE_IDLE) {
        return state;
    }
    return end < bytes.size ? reject(file, desk, end + 1)
                            : keep_rest(file, bytes, bytes.size == want);
}

enum follow_file_state follow_file_read(struct follow_file *file, struct follow_desk *desk)
{
    enum follow_file_state state = FOLLOW_FILE_MORE;
    struct stat s;
    if (fstat(file->fd, &s) == 0) {
        file->quiet_ms = (uint64_t)s.st_size == file->size ? file->quiet_ms : desk->now_ms;
        file->size = (uint64_t)s.st_size;
    }
    if (file->size == file->mark.at + file->scanned) {
        return FOLLOW_FILE_IDLE;
    }
    if (file->size < file->mark.at + file->scanned && !begin_again(file, desk)) {
        return FOLLOW_FILE_HELD;
    }
    for (int turn = 0; turn < FOLLOW_TURN && state == FOLLOW_FILE_MORE; turn++) {
        state = read_window(file, desk);
    }
    return state;
}

bool follow_file_finish(struct follow_file *file, struct follow_desk *desk)
{
    struct slice bytes;
    size_t most = limit(desk) + 2;
    if (file->scanned == 0 || !read_at(file, desk, 0, most, &bytes) || bytes.size == 0) {
        return true;
    }
    if (bytes.size > limit(desk)) {
        return reject(file, desk, file->scanned) != FOLLOW_FILE_HELD;
    }
    hold_header(file, desk);
    frame_records_add(&desk->batch.records, bytes);
    return put(file, desk, bytes);
}
