#include "source/follow.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "source/follow_file.h"

enum { MARKS = 1 << 20, RETRY_MS = 5 };

/* Where a file of the log's was left. */
struct left {
    struct buf name; /* with a NUL */
    struct follow_place place;
    bool found;
};

struct follow {
    struct follow_options options;
    struct buf *patterns; /* globs, with a NUL */
    size_t pattern_count;
    struct follow_file **files;
    size_t file_count, file_room;
    struct left *lefts;
    size_t left_count, left_room;
    int inotify;        /* or -1 */
    bool looked, again; /* names have changed since the last look; there was more to read */
    bool first;         /* nothing was looked at yet */
    bool held;
    int64_t looked_ms;
    struct follow_desk desk;
    struct follow_figures figures;
};

static int64_t system_ms(void *context)
{
    (void)context;
    return clock_steady_ns() / 1000000;
}

static bool is_packed(const char *path)
{
    static const char *const endings[] = {".gz", ".zst", ".xz", ".bz2", ".zip", ".lz4"};
    size_t size = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t end = strlen(endings[i]);
        if (size > end && strcasecmp(path + size - end, endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The folder of a path, with a NUL; its size without. */
static size_t folder_of(const char *path, struct buf *out)
{
    const char *slash = strrchr(path, '/');
    buf_clear(out);
    if (!slash) {
        buf_byte(out, '.');
    } else {
        buf_add(out, slice_of(path, slash == path ? 1 : (size_t)(slash - path)));
    }
    buf_byte(out, '\0');
    return out->failed ? 0 : out->size - 1;
}

static void watch_folder(struct follow *f, const char *path)
{
    struct buf folder = {0};
    if (f->inotify >= 0 && folder_of(path, &folder) > 0) {
        /* Watching twice is watching once; what cannot be watched is polled. */
        (void)inotify_add_watch(f->inotify, folder.at,
                IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_MODIFY | IN_ATTRIB |
                        IN_ONLYDIR);
    }
    buf_fini(&folder);
}

enum err follow_new(const struct follow_options *options, struct follow **out, struct diag *diag)
{
    struct follow *f = memory_alloc(sizeof *f);
    struct buf *patterns = memory_alloc_array(options->count, sizeof *patterns);
    if (!f || !patterns) {
        memory_free(f);
        memory_free(patterns);
        return diag_say(diag, ERR_MEMORY, "no memory to follow files");
    }
    *f = (struct follow){.options = *options, .patterns = patterns, .inotify = -1, .first = true};
    f->options.now_ms = options->now_ms ? options->now_ms : system_ms;
    f->desk.intake = options->intake;
    f->desk.input = options->input;
    f->desk.find = options->find;
    f->pattern_count = options->count;
    if (!options->only_poll) {
        f->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    }
    for (size_t i = 0; i < options->count; i++) {
        buf_add(&patterns[i], options->patterns[i]);
        buf_byte(&patterns[i], '\0');
        if (patterns[i].failed) {
            follow_free(f);
            return diag_say(diag, ERR_MEMORY, "no memory to follow files");
        }
    }
    *out = f;
    return OK;
}

static void drop_file(struct follow *f, size_t i)
{
    close(f->files[i]->fd);
    follow_file_free(f->files[i]);
    f->file_count--;
    memmove(f->files + i, f->files + i + 1, (f->file_count - i) * sizeof *f->files);
}

void follow_free(struct follow *f)
{
    if (!f) {
        return;
    }
    while (f->file_count > 0) {
        drop_file(f, f->file_count - 1);
    }
    for (size_t i = 0; i < f->pattern_count; i++) {
        buf_fini(&f->patterns[i]);
    }
    for (size_t i = 0; i < f->left_count; i++) {
        buf_fini(&f->lefts[i].name);
    }
    if (f->inotify >= 0) {
        close(f->inotify);
    }
    buf_fini(&f->desk.bytes);
    buf_fini(&f->desk.source);
    buf_fini(&f->desk.key);
    buf_fini(&f->desk.header);
    headed_fini(&f->desk.saved);
    headed_fini(&f->desk.start);
    frame_records_fini(&f->desk.batch.records);
    memory_free(f->patterns);
    memory_free(f->files);
    memory_free(f->lefts);
    memory_free(f);
}

/* ---- where the log left off -------------------------------------------------------------------
 */

void follow_resume(struct follow *f, struct slice source, struct slice key)
{
    struct follow_place place;
    struct slice prefix = f->options.input->name;
    if (!slice_starts(source, prefix) || follow_mark_read(key, &place) != OK) {
        return;
    }
    struct slice name = slice_from(source, prefix.size);
    for (size_t i = f->left_count; i-- > 0;) {
        struct left *left = &f->lefts[i];
        if (left->place.generation == place.generation &&
                slice_equal(slice_text(left->name.at), name)) {
            left->place = place.to >= left->place.to ? place : left->place;
            return;
        }
    }
    if (f->left_count == MARKS ||
            !memory_grow(&f->lefts, &f->left_room, f->left_count + 1, sizeof *f->lefts)) {
        return;
    }
    struct left *left = &f->lefts[f->left_count];
    *left = (struct left){.place = place};
    buf_add(&left->name, name);
    buf_byte(&left->name, '\0');
    f->left_count += !left->name.failed;
}

static uint64_t next_generation(const struct follow *f, const char *name)
{
    uint64_t next = 0;
    for (size_t i = 0; i < f->left_count; i++) {
        uint64_t g = f->lefts[i].place.generation;
        next = strcmp(f->lefts[i].name.at, name) == 0 && g >= next ? g + 1 : next;
    }
    for (size_t i = 0; i < f->file_count; i++) {
        uint64_t g = f->files[i]->mark.generation;
        next = strcmp(f->files[i]->name.at, name) == 0 && g >= next ? g + 1 : next;
    }
    return next;
}

/* May a file at this path be what was read as `name` before it was rotated? In the same folder, and
 * named after it, or so much was read of it that what it begins with is enough. */
static bool may_be(const char *path, const struct left *left)
{
    const char *name = left->name.at, *slash = strrchr(name, '/');
    size_t folder = slash ? (size_t)(slash - name) + 1 : 0;
    return strncmp(path, name, folder) == 0 && !strchr(path + folder, '/') &&
           (strncmp(path, name, strlen(name)) == 0 || left->place.to >= FOLLOW_MARK_HEAD);
}

/* The file goes on where the log has it, be it under another name: the newest place of its own path
 * first. `only`: of that path alone, or NULL. */
static bool go_on(struct follow *f, struct follow_file *file, const char *only)
{
    for (int own = 1; own >= 0; own--) {
        for (size_t i = f->left_count; i-- > 0;) {
            struct left *left = &f->lefts[i];
            bool same = strcmp(left->name.at, only ? only : file->path.at) == 0;
            if (left->found || same != (own == 1) || (only && !same) ||
                    !may_be(file->path.at, left) ||
                    !follow_mark_fits(&left->place, file->fd, &file->mark)) {
                continue;
            }
            left->found = true;
            buf_clear(&file->name);
            buf_add(&file->name, buf_slice(&left->name));
            return true;
        }
    }
    return false;
}

/* ---- which files there are --------------------------------------------------------------------
 */

static struct follow_file *add_file(struct follow *f, const char *path)
{
    struct follow_file *file;
    if (f->file_count >= FOLLOW_FILES ||
            !memory_grow(&f->files, &f->file_room, f->file_count + 1, sizeof *f->files)) {
        f->figures.unreadable++;
        return NULL;
    }
    errno = 0;
    enum err e = follow_file_new(path, &file);
    if (e != OK) {
        f->figures.unreadable += e != ERR_UNSUPPORTED && errno != ENOENT;
        return NULL;
    }
    file->quiet_ms = f->desk.now_ms;
    f->files[f->file_count++] = file;
    return file;
}

static struct follow_file *find_file(const struct follow *f, const struct stat *s)
{
    for (size_t i = 0; i < f->file_count; i++) {
        if (f->files[i]->inode == s->st_ino && f->files[i]->device == s->st_dev) {
            return f->files[i];
        }
    }
    return NULL;
}

/* One path that a pattern gave. */
static void look_at(struct follow *f, const char *path)
{
    struct stat s;
    const char *slash = strrchr(path, '/');
    if (is_packed(path) || (slash ? slash[1] : path[0]) == '.' || stat(path, &s) != 0 ||
            !S_ISREG(s.st_mode)) {
        return;
    }
    struct follow_file *file = find_file(f, &s);
    if (!file) {
        uint64_t generation = next_generation(f, path);
        file = add_file(f, path);
        if (file && !(f->left_count > 0 && go_on(f, file, NULL))) {
            file->mark.generation = generation;
            if (f->first && f->options.from_end) {
                (void)follow_mark_jump(&file->mark, file->fd, (uint64_t)s.st_size);
            }
        }
        watch_folder(f, path);
    } else if (strcmp(file->path.at, path) != 0 && !file->seen) {
        buf_clear(&file->path);
        buf_add(&file->path, slice_of(path, strlen(path) + 1));
    }
    if (file) {
        file->seen = true;
        file->rotated = strcmp(file->path.at, file->name.at) != 0;
    }
}

/* Files that were rotated to a name that no pattern has while nobody looked: beside their old one,
 * with a name that begins as it does. */
static void look_beside(struct follow *f, struct left *left)
{
    struct buf pattern = {0};
    glob_t found = {0};
    buf_add(&pattern, slice_text(left->name.at));
    buf_add(&pattern, SLICE("*\0"));
    if (!pattern.failed && !strpbrk(left->name.at, "*?[\\") &&
            glob(pattern.at, GLOB_NOSORT, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc && !left->found; i++) {
            struct stat s;
            const char *path = found.gl_pathv[i];
            if (is_packed(path) || stat(path, &s) != 0 || !S_ISREG(s.st_mode) || find_file(f, &s)) {
                continue;
            }
            struct follow_file *file = add_file(f, path);
            if (file && !go_on(f, file, left->name.at)) {
                drop_file(f, f->file_count - 1);
            } else if (file) {
                file->rotated = true;
            }
        }
    }
    globfree(&found);
    buf_fini(&pattern);
}

/* What rotation puts behind a name: ".1", "-20261123", "-2026-11-23T10:00", ".old". Anything else
 * is another file's name. */
static bool is_rotated_name(const char *suffix)
{
    return strcmp(suffix, ".old") == 0 ||
           (strchr("._-", suffix[0]) && suffix[strspn(suffix, "0123456789._-:TZ")] == 0);
}

static bool is_later(const struct stat *s, const struct stat *than)
{
    return s->st_mtim.tv_sec != than->st_mtim.tv_sec ? s->st_mtim.tv_sec > than->st_mtim.tv_sec
                                                     : s->st_mtim.tv_nsec >= than->st_mtim.tv_nsec;
}

/* The earliest of the files that were made under this name and rotated after the one at hand, and
 * of which nothing is known: it was too quick, or nobody looked. NULL: there is none. */
static struct follow_file *next_beside(
        struct follow *f, const char *name, const struct stat *than, const glob_t *found)
{
    const char *earliest = NULL;
    struct stat s, first = {0};
    for (size_t i = 0; i < found->gl_pathc; i++) {
        const char *path = found->gl_pathv[i];
        if (is_rotated_name(path + strlen(name)) && stat(path, &s) == 0 && S_ISREG(s.st_mode) &&
                is_later(&s, than) && !find_file(f, &s) && (!earliest || is_later(&first, &s))) {
            earliest = path;
            first = s;
        }
    }
    return earliest ? add_file(f, earliest) : NULL;
}

/* Files behind a rotated one, in the order in which they were written. */
static void look_behind(struct follow *f, struct follow_file *rotated)
{
    struct buf pattern = {0}, name = {0};
    glob_t found = {0};
    struct stat s;
    rotated->beside = true;
    buf_add(&name, buf_slice(&rotated->name));
    buf_add(&pattern, slice_text(rotated->name.at));
    buf_add(&pattern, SLICE("?*\0"));
    if (!pattern.failed && !name.failed && !strpbrk(name.at, "*?[\\") &&
            fstat(rotated->fd, &s) == 0 && glob(pattern.at, GLOB_NOSORT, NULL, &found) == 0) {
        struct follow_file *file;
        while ((file = next_beside(f, name.at, &s, &found))) {
            file->rotated = file->beside = true;
            if (!go_on(f, file, name.at)) {
                file->mark.generation = next_generation(f, name.at);
                buf_clear(&file->name);
                buf_add(&file->name, buf_slice(&name));
            }
        }
    }
    globfree(&found);
    buf_fini(&pattern);
    buf_fini(&name);
}

/* The file that has the name now comes behind them. */
static void look_behind_all(struct follow *f)
{
    size_t before = f->file_count;
    for (size_t i = 0; i < before; i++) {
        if (f->files[i]->rotated && !f->files[i]->beside) {
            look_behind(f, f->files[i]);
        }
    }
    for (size_t i = 0; i < before && f->file_count > before; i++) {
        struct follow_file *file = f->files[i];
        if (!file->rotated && file->mark.at == 0) {
            file->mark.generation = next_generation(f, file->name.at);
        }
    }
}

static void look_for_left(struct follow *f)
{
    for (size_t i = 0; i < f->left_count; i++) {
        struct left *left = &f->lefts[i];
        bool newest = true;
        for (size_t k = i + 1; k < f->left_count; k++) {
            newest &= strcmp(f->lefts[k].name.at, left->name.at) != 0;
        }
        if (!left->found) {
            look_beside(f, left);
        }
        /* Older ones of a path were read to their end, or the next would not have begun. */
        f->figures.missed += newest && !left->found;
    }
}

static void look_pattern(struct follow *f, const char *pattern)
{
    glob_t found = {0};
    struct stat s;
    struct buf inside = {0};
    if (stat(pattern, &s) == 0 && S_ISDIR(s.st_mode)) {
        buf_add(&inside, slice_text(pattern));
        buf_add(&inside, SLICE("/*\0"));
        pattern = inside.failed ? pattern : inside.at;
    }
    if (!strpbrk(pattern, "*?[")) {
        look_at(f, pattern);
        watch_folder(f, pattern);
    } else if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            look_at(f, found.gl_pathv[i]);
        }
    }
    const char *slash = strrchr(pattern, '/');
    const char *wild = strpbrk(pattern, "*?[");
    if (slash && wild && wild > slash) {
        watch_folder(f, pattern);
    }
    globfree(&found);
    buf_fini(&inside);
}

static void look(struct follow *f)
{
    for (size_t i = 0; i < f->file_count; i++) {
        f->files[i]->seen = false;
    }
    for (size_t i = 0; i < f->pattern_count; i++) {
        look_pattern(f, f->patterns[i].at);
    }
    if (f->first) {
        look_for_left(f);
    }
    for (size_t i = 0; i < f->file_count; i++) {
        f->files[i]->rotated |= !f->files[i]->seen;
    }
    look_behind_all(f);
    f->first = false;
    f->looked = true;
    f->looked_ms = f->desk.now_ms;
}

/* ---- rounds -----------------------------------------------------------------------------------
 */

/* Names that changed ask for a look; bytes that changed are read in any case. */
static void wait_for(struct follow *f, int wait_ms)
{
    _Alignas(struct inotify_event) char events[16 << 10];
    struct pollfd p = {.fd = f->inotify, .events = POLLIN};
    if (poll(&p, f->inotify >= 0, wait_ms) <= 0) {
        return;
    }
    for (ssize_t n; (n = read(f->inotify, events, sizeof events)) > 0;) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const struct inotify_event *)(events + at);
            f->looked &= (event->mask & (IN_MODIFY | IN_ATTRIB)) != 0;
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
}

/* A rotated file that has not grown for a while is done. true: it was dropped. */
static bool retire(struct follow *f, size_t i)
{
    struct follow_file *file = f->files[i];
    if (!file->rotated || f->desk.now_ms - file->quiet_ms < f->options.rotate_ms) {
        return false;
    }
    if (!follow_file_finish(file, &f->desk)) {
        f->held = true;
        return false;
    }
    if (file->seen) {
        return false; /* it is still there under a name that a pattern has */
    }
    f->figures.rotated++;
    drop_file(f, i);
    return true;
}

static void read_all(struct follow *f)
{
    f->again = f->held = false;
    /* Rotated ones first: their records are older. */
    for (int rotated = 1; rotated >= 0; rotated--) {
        for (size_t i = 0; i < f->file_count; i++) {
            if (f->files[i]->rotated != (rotated == 1)) {
                continue;
            }
            enum follow_file_state state = follow_file_read(f->files[i], &f->desk);
            f->again |= state == FOLLOW_FILE_MORE;
            f->held |= state == FOLLOW_FILE_HELD;
            if (state == FOLLOW_FILE_IDLE && retire(f, i)) {
                i--;
            }
        }
    }
}

int follow_rest(const struct follow *f, int *fd)
{
    int64_t now = f->options.now_ms(f->options.context);
    int64_t left = f->looked ? f->looked_ms + f->options.poll_ms - now : 0;
    left = f->held && left > RETRY_MS ? RETRY_MS : left;
    *fd = f->inotify;
    return f->again || left < 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX;
}

bool follow_step(struct follow *f, int wait_ms)
{
    int fd, left = follow_rest(f, &fd);
    wait_for(f, left < wait_ms ? left : wait_ms);
    f->desk.now_ms = f->options.now_ms(f->options.context);
    if (!f->looked || f->desk.now_ms - f->looked_ms >= f->options.poll_ms) {
        look(f);
    }
    read_all(f);
    return f->again || f->held;
}

struct follow_figures follow_figures(const struct follow *f)
{
    struct follow_figures figures = f->figures;
    figures.files = f->file_count;
    figures.truncated = f->desk.truncated;
    return figures;
}
