#include "app/serve_drop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/drop_take.h"
#include "app/sandbox.h"
#include "app/serve_place.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/time.h"
#include "cli/verb.h"
#include "source/follow_mark.h"

enum {
    SHARE = 8 << 20, /* of the channel, so that a large file holds nobody else back */
    LOOK_MS = 500,
    SETTLED_MS = 2000, /* a file that has not changed for so long is complete */
    LAST_MS = 3000,
    NAMES = 10000, /* of one name in done/ or failed/ */
    PATH = 4096,
};

struct drop {
    const struct serve_drop_setting *setting;
    struct intake intake;
    struct serve_place place;
    struct drop_take *take;
    struct buf source, folder;
    char identity[64];
};

static bool is_drop(const struct intake_input *input)
{
    return slice_equal(input->kind, SLICE("drop"));
}

bool serve_drop_wanted(const struct config *config)
{
    for (size_t i = 0; i < config->input_count; i++) {
        if (is_drop(&config->inputs[i])) {
            return true;
        }
    }
    return false;
}

/* ---- what the log has --------------------------------------------------------------------------
 */

/* "INODE/CHANGED/FROM-TO": which file it was, as it was then. Its content says nothing: the same
 * may be meant twice. */
static bool read_key(
        void *context, struct slice source, struct slice key, struct places_place *place)
{
    const struct config *config = ((const struct drop *)context)->setting->config;
    uint64_t inode, changed, from, to;
    struct slice rest = key;
    bool ours = false;
    for (size_t i = 0; i < config->input_count && !ours; i++) {
        const struct intake_input *input = &config->inputs[i];
        ours = is_drop(input) && slice_starts(source, input->name) &&
               source.size > input->name.size && source.at[input->name.size] == '/';
    }
    if (!ours || !follow_mark_number(slice_cut(&rest, '/'), &inode) ||
            !follow_mark_number(slice_cut(&rest, '/'), &changed) ||
            !follow_mark_number(slice_cut(&rest, '-'), &from) || !follow_mark_number(rest, &to)) {
        return false;
    }
    place->number = changed;
    place->rank = to;
    return true;
}

/* How many of the file's records the log has. */
static uint64_t stored_of(const struct drop *drop)
{
    struct places_place place;
    struct slice identity = slice_text(drop->identity);
    uint64_t at = 0;
    while (places_next(drop->place.places, &at, &place)) {
        if (slice_equal(place.source, buf_slice(&drop->source)) &&
                slice_starts(place.key, identity) && place.key.size > identity.size &&
                place.key.at[identity.size] == '/') {
            return place.rank;
        }
    }
    return 0;
}

/* ---- where files go ----------------------------------------------------------------------------
 */

static bool join(char *out, const char *folder, const char *below, const char *name)
{
    int size = snprintf(out, PATH, "%s/%s%s%s", folder, below, *below ? "/" : "", name);
    return size > 0 && size < PATH;
}

static bool sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

/* Into a folder below, under a name that is free there; `out` is where it went. */
static bool move(const char *folder, const char *name, const char *below, char *out)
{
    char from[PATH], to[PATH], free_name[300];
    if (!join(from, folder, "", name) || !join(to, folder, below, "") ||
            (mkdir(to, 0700) != 0 && errno != EEXIST)) {
        return false;
    }
    for (int i = 0; i < NAMES; i++) {
        snprintf(free_name, sizeof free_name, i == 0 ? "%s" : "%s.%d", name, i);
        if (!join(out, folder, below, free_name)) {
            return false;
        }
        if (renameat2(AT_FDCWD, from, AT_FDCWD, out, RENAME_NOREPLACE) == 0) {
            return sync_folder(to) && sync_folder(folder);
        }
        if (errno != EEXIST) {
            return false;
        }
    }
    return false;
}

static void write_reason(const struct drop *drop, const char *failed)
{
    char path[PATH];
    const struct buf *reasons = &drop->take->reasons;
    if (snprintf(path, sizeof path, "%s.reason", failed) >= PATH) {
        return;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || dprintf(fd, "%.*s%llu records were stored\n", SLICE_ARG(buf_slice(reasons)),
                          (unsigned long long)drop->take->ordinal) < 0) {
        verb_say("%s: %s", path, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* All of it is on disk in the log. */
static void put_away(struct drop *drop, const struct intake_input *input, const char *name)
{
    const char *folder = drop->folder.at;
    char path[PATH];
    bool bad = drop->take->reasons.size > 0, good;
    if (!bad && input->remove) {
        good = join(path, folder, "", name) && unlink(path) == 0 && sync_folder(folder);
    } else {
        good = move(folder, name, bad ? "failed" : "done", path);
    }
    if (!good) {
        verb_say("%s/%s: it was taken and cannot be put away: %s", folder, name, strerror(errno));
        return;
    }
    if (bad) {
        write_reason(drop, path);
        verb_say("%s: not all of it could be read", path);
    }
    places_forget(drop->place.places, buf_slice(&drop->source));
}

/* ---- one file ----------------------------------------------------------------------------------
 */

static void set_identity(struct drop *drop, const struct stat *s)
{
    snprintf(drop->identity, sizeof drop->identity, "%llu/%llu", (unsigned long long)s->st_ino,
            (unsigned long long)s->st_ctim.tv_sec * TIME_SECOND + s->st_ctim.tv_nsec);
}

/* Everything that this process has put is on disk. false: told to stop. */
static bool wait_for_log(const struct drop *drop)
{
    while (channel_done(drop->intake.channel) < drop->place.put_to) {
        if (*drop->setting->stop) {
            return false;
        }
        serve_shared_wait(-1, -1, 1);
    }
    return true;
}

static void take(struct drop *drop, const struct intake_input *input, const char *name)
{
    struct drop_take *t = drop->take;
    char path[PATH], before[sizeof drop->identity];
    struct stat s;
    int fd = join(path, drop->folder.at, "", name) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0 || fstat(fd, &s) != 0) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    buf_clear(&drop->source);
    buf_format(&drop->source, "%.*s/%s", SLICE_ARG(input->name), name);
    set_identity(drop, &s);
    snprintf(before, sizeof before, "%s", drop->identity);
    t->input = input;
    t->source = buf_slice(&drop->source);
    t->identity = slice_text(drop->identity);
    t->skip = stored_of(drop);
    enum err e = drop_take_file(t, fd);
    if (e == OK && fstat(fd, &s) == 0) {
        set_identity(drop, &s);
        if (strcmp(before, drop->identity) != 0) {
            buf_format(&t->reasons, "it was changed while it was read\n");
        }
    }
    close(fd);
    if (e == OK && wait_for_log(drop)) {
        put_away(drop, input, name);
    } else if (e != OK && e != ERR_END) {
        verb_say("%s: %s: it is tried again", path, err_name(e));
    }
}

/* Nobody writes to it any more, as far as can be told; a clock that was set back does not count. */
static bool is_complete(const char *folder, const char *name)
{
    char path[PATH];
    struct stat s;
    if (name[0] == '.' || !join(path, folder, "", name) || lstat(path, &s) != 0 ||
            !S_ISREG(s.st_mode)) {
        return false;
    }
    int64_t changed = (int64_t)s.st_ctim.tv_sec * TIME_SECOND + s.st_ctim.tv_nsec;
    int64_t age = clock_wall_ns() - changed;
    return age < -TIME_SECOND || age >= SETTLED_MS * (TIME_SECOND / 1000);
}

static void empty_folder(struct drop *drop, const struct intake_input *input, struct slice folder)
{
    buf_clear(&drop->folder);
    buf_add(&drop->folder, folder);
    buf_byte(&drop->folder, '\0');
    DIR *at = drop->folder.failed ? NULL : opendir(drop->folder.at);
    struct dirent *entry;
    while (at && !*drop->setting->stop && (entry = readdir(at))) {
        if (is_complete(drop->folder.at, entry->d_name)) {
            take(drop, input, entry->d_name);
        }
    }
    if (at) {
        closedir(at);
    }
}

/* ---- the process -------------------------------------------------------------------------------
 */

static enum err enter(const struct drop *drop, struct diag *diag)
{
    const struct config *config = drop->setting->config;
    struct slice *roots = NULL;
    size_t count = 0, room = 0;
    for (size_t i = 0; i < config->input_count; i++) {
        const struct intake_input *input = &config->inputs[i];
        for (size_t k = 0; is_drop(input) && k < input->path_count; k++) {
            struct buf path = {0};
            buf_add(&path, input->paths[k]);
            buf_byte(&path, '\0');
            if (path.failed || !memory_grow(&roots, &room, count + 1, sizeof *roots)) {
                return diag_say(diag, ERR_MEMORY, "no memory for the inputs");
            }
            roots[count++] = buf_slice(&path); /* as long as the process */
        }
    }
    const struct sandbox_places places = {.at = roots, .count = count};
    return sandbox_enter_places(SANDBOX_DROP, &places, getenv("MERLON_SANDBOX_TEST"), diag);
}

static enum err prepare(struct drop *drop, struct diag *diag)
{
    const struct serve_drop_setting *s = drop->setting;
    const struct serve_place_setting place = {.shared = s->shared,
            .data = s->config->data,
            .folder = "drop",
            .stop = s->stop,
            .read_key = read_key,
            .context = drop};
    TRY(drop_take_new(&drop->take, diag));
    drop->take->intake = &drop->intake;
    drop->take->stop = s->stop;
    TRY(serve_place_open(&place, &drop->place, diag));
    drop->intake.noted = serve_place_noted;
    drop->intake.context = &drop->place;
    return enter(drop, diag);
}

static void empty_all(struct drop *drop)
{
    const struct config *config = drop->setting->config;
    while (!*drop->setting->stop) {
        for (size_t i = 0; i < config->input_count; i++) {
            const struct intake_input *input = &config->inputs[i];
            for (size_t k = 0; is_drop(input) && k < input->path_count; k++) {
                empty_folder(drop, input, input->paths[k]);
            }
        }
        (void)serve_place_turn(&drop->place);
        serve_shared_wait(-1, -1, LOOK_MS);
    }
}

int serve_drop_run(const struct serve_drop_setting *setting)
{
    static struct drop drop;
    struct diag diag = {0};
    drop = (struct drop){.setting = setting};
    intake_init(&drop.intake, setting->shared->intake, setting->shared->counts, clock_wall_ns);
    drop.intake.share = SHARE;
    enum err e = prepare(&drop, &diag);
    if (e == OK) {
        empty_all(&drop);
    } else if (e != ERR_END) {
        verb_say("drop: %s", diag.words[0] ? diag.words : err_name(e));
    }
    serve_place_close(&drop.place, LAST_MS);
    drop_take_free(drop.take);
    buf_fini(&drop.source);
    buf_fini(&drop.folder);
    intake_fini(&drop.intake);
    return e == OK || e == ERR_END ? 0 : 1;
}
