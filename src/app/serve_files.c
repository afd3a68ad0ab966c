#include "app/serve_files.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/sandbox.h"
#include "app/serve_place.h"
#include "base/clock.h"
#include "base/memory.h"
#include "cli/formats.h"
#include "cli/verb.h"
#include "source/follow.h"
#include "source/follow_mark.h"

enum {
    SHARE = 8 << 20, /* of the channel, so that a long file holds nobody else back */
    STEP_MS = 200,
    LAST_MS = 3000,
};

struct files {
    const struct serve_files_setting *setting;
    struct intake intake;
    struct serve_place place;
    struct follow **follows;
    const struct intake_input **inputs;
    size_t count;
    struct slice *roots; /* folders that may be read */
    size_t root_count, root_room;
};

static bool is_followed(const struct intake_input *input)
{
    return slice_equal(input->kind, SLICE("file"));
}

bool serve_files_wanted(const struct config *config)
{
    for (size_t i = 0; i < config->input_count; i++) {
        if (is_followed(&config->inputs[i])) {
            return true;
        }
    }
    return false;
}

/* ---- places ------------------------------------------------------------------------------------
 */

/* A source is its input's name and an absolute path. */
static bool is_of(struct slice source, const struct intake_input *input)
{
    return slice_starts(source, input->name) && source.size > input->name.size &&
           source.at[input->name.size] == '/';
}

static bool read_key(
        void *context, struct slice source, struct slice key, struct places_place *place)
{
    const struct files *files = context;
    struct follow_place at;
    for (size_t i = 0; i < files->count; i++) {
        if (is_of(source, files->inputs[i]) && follow_mark_read(key, &at) == OK) {
            place->number = at.generation;
            place->rank = at.to;
            return true;
        }
    }
    return false;
}

static bool is_gone(const void *context, struct slice source)
{
    const struct files *files = context;
    struct stat s;
    char path[PATH_MAX];
    for (size_t i = 0; i < files->count; i++) {
        if (is_of(source, files->inputs[i])) {
            struct slice rest = slice_from(source, files->inputs[i]->name.size);
            int size = snprintf(path, sizeof path, "%.*s", SLICE_ARG(rest));
            return size > 0 && (size_t)size < sizeof path && stat(path, &s) != 0 && errno == ENOENT;
        }
    }
    return true; /* its input was removed */
}

static void resume(struct files *files)
{
    struct places_place place;
    uint64_t at = 0;
    while (places_next(files->place.places, &at, &place)) {
        for (size_t i = 0; i < files->count; i++) {
            if (is_of(place.source, files->inputs[i])) {
                follow_resume(files->follows[i], place.source, place.key);
            }
        }
    }
}

/* ---- folders that may be read ------------------------------------------------------------------
 */

/* The folder that a pattern's files are in, or the nearest above it that is there: files come and
 * go, and a folder may come later. */
static enum err add_root(struct files *files, struct slice pattern)
{
    struct stat s;
    char *path = memory_alloc(pattern.size + 2);
    if (!path || !memory_grow(&files->roots, &files->root_room, files->root_count + 1,
                         sizeof *files->roots)) {
        memory_free(path);
        return ERR_MEMORY;
    }
    memcpy(path, pattern.at, pattern.size);
    size_t size = strcspn(path, "*?[");
    bool wild = size < pattern.size;
    path[size] = 0;
    for (;;) {
        if (!wild && stat(path, &s) == 0 && S_ISDIR(s.st_mode)) {
            break;
        }
        char *slash = strrchr(path, '/');
        if (!slash || slash == path) {
            memcpy(path, "/", 2);
            break;
        }
        *slash = 0;
        wild = false;
    }
    files->roots[files->root_count++] = slice_text(path); /* as long as the process */
    return OK;
}

/* ---- the process -------------------------------------------------------------------------------
 */

/* By name or by content; the records of most formats stand by themselves. */
static const struct decoder *find_headed(const struct intake_input *input, struct slice head)
{
    char name[64] = {0};
    if (input->format.size > 0 && input->format.size < sizeof name) {
        memcpy(name, input->format.at, input->format.size);
    }
    const struct decoder *decoder = name[0] ? formats_find(name) : formats_recognise(head, false);
    return decoder && decoder->headed ? decoder : NULL;
}

static enum err open_input(struct files *files, const struct intake_input *input, struct diag *diag)
{
    struct follow_options options = FOLLOW_OPTIONS;
    options.intake = &files->intake;
    options.input = input;
    options.find = find_headed;
    options.patterns = input->paths;
    options.count = input->path_count;
    TRY(follow_new(&options, &files->follows[files->count], diag));
    files->inputs[files->count++] = input;
    for (size_t i = 0; i < input->path_count; i++) {
        if (add_root(files, input->paths[i]) != OK) {
            return diag_say(diag, ERR_MEMORY, "no memory for the inputs");
        }
    }
    return OK;
}

static enum err open_inputs(struct files *files, struct diag *diag)
{
    const struct config *config = files->setting->config;
    files->follows = memory_alloc_array(config->input_count, sizeof *files->follows);
    files->inputs = memory_alloc_array(config->input_count, sizeof *files->inputs);
    if (!files->follows || !files->inputs) {
        return diag_say(diag, ERR_MEMORY, "no memory for the inputs");
    }
    for (size_t i = 0; i < config->input_count; i++) {
        if (is_followed(&config->inputs[i])) {
            TRY(open_input(files, &config->inputs[i], diag));
        }
    }
    return OK;
}

static enum err prepare(struct files *files, struct diag *diag)
{
    const struct serve_files_setting *s = files->setting;
    const struct serve_place_setting place = {.shared = s->shared,
            .data = s->config->data,
            .folder = "files",
            .stop = s->stop,
            .read_key = read_key,
            .is_gone = is_gone,
            .context = files};
    TRY(open_inputs(files, diag));
    TRY(serve_place_open(&place, &files->place, diag));
    resume(files);
    files->intake.noted = serve_place_noted;
    files->intake.context = &files->place;
    const struct sandbox_places roots = {.at = files->roots, .count = files->root_count};
    return sandbox_enter_places(SANDBOX_FILES, &roots, getenv("MERLON_SANDBOX_TEST"), diag);
}

/* Until the first of them has something to do. */
static void rest(const struct files *files)
{
    struct pollfd fds[64];
    nfds_t count = 0;
    int least = STEP_MS;
    for (size_t i = 0; i < files->count; i++) {
        int fd, ms = follow_rest(files->follows[i], &fd);
        least = ms < least ? ms : least;
        if (fd >= 0 && count < sizeof fds / sizeof *fds) {
            fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
        }
    }
    poll(fds, count, least);
}

static void follow_all(struct files *files)
{
    while (!*files->setting->stop) {
        if (serve_place_turn(&files->place)) {
            for (size_t i = 0; i < files->count; i++) {
                follow_step(files->follows[i], 0);
            }
            rest(files);
        } else {
            serve_shared_wait(-1, -1, 1);
        }
    }
}

int serve_files_run(const struct serve_files_setting *setting)
{
    static struct files files;
    struct diag diag = {0};
    files = (struct files){.setting = setting};
    intake_init(&files.intake, setting->shared->intake, setting->shared->counts, clock_wall_ns);
    files.intake.share = SHARE;
    enum err e = prepare(&files, &diag);
    if (e == OK) {
        follow_all(&files);
    } else if (e != ERR_END) {
        verb_say("files: %s", diag.words[0] ? diag.words : err_name(e));
    }
    serve_place_close(&files.place, LAST_MS);
    for (size_t i = 0; i < files.count; i++) {
        follow_free(files.follows[i]);
    }
    intake_fini(&files.intake);
    return e == OK || e == ERR_END ? 0 : 1;
}
