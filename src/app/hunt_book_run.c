#include "app/hunt_book_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/hunt_run.h"

enum { ROWS, NOTES, PIPES };
enum { PIECE = 64 << 10, NOTES_MOST = 64 << 10 };

struct taking {
    const struct hunt_book_request *request;
    uint32_t columns;
    struct hunt_book_run *run;
    struct buf bytes; /* of rows, not yet whole */
    bool notes_cut;
};

/* ---- the process that hunts -------------------------------------------------------------------
 */

static _Noreturn void child(const struct hunt_book_request *request, const char *query,
        const int pipes[PIPES], pid_t parent)
{
    struct hunt_request hunt = request->hunt;
    hunt.query = query;
    hunt.form = HUNT_FRAMES;
    hunt.quiet = true;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
            dup2(pipes[ROWS], STDOUT_FILENO) < 0 || dup2(pipes[NOTES], STDERR_FILENO) < 0) {
        _exit(VERB_SOME);
    }
    int code = hunt_run(&hunt);
    _exit(fflush(stdout) == 0 ? code : VERB_SOME);
}

/* ---- taking what it sends ---------------------------------------------------------------------
 */

static enum err check_row(const struct taking *t, struct slice cells, struct diag *diag)
{
    for (uint32_t i = 0; i < t->columns; i++) {
        struct hunt_frames_cell cell;
        TRY(hunt_frames_cell(&cells, &cell, diag));
    }
    return cells.size == 0 ? OK : diag_say(diag, ERR_SYNTAX, "a row of other columns");
}

static enum err take_frames(struct taking *t, struct diag *diag)
{
    struct slice bytes = buf_slice(&t->bytes);
    struct hunt_frame frame;
    enum err e;
    while ((e = hunt_frames_next(&bytes, &frame, diag)) == OK) {
        if (!frame.row) {
            t->run->ended = true;
            t->run->end = frame.end;
        } else if (t->run->kept < t->request->rows) {
            TRY(check_row(t, frame.cells, diag));
            buf_add(&t->run->rows, frame.cells);
            t->run->kept++;
        }
    }
    if (bytes.size > 0 && bytes.at != t->bytes.at) {
        memmove(t->bytes.at, bytes.at, bytes.size);
    }
    t->bytes.size = bytes.size;
    if (t->run->rows.failed) {
        return diag_say(diag, ERR_MEMORY, "no memory for the rows");
    }
    return e == ERR_END ? OK : e;
}

static void take_notes(struct taking *t, struct slice bytes)
{
    struct buf *notes = &t->run->notes;
    size_t room = NOTES_MOST - notes->size;
    t->notes_cut |= bytes.size > room;
    bytes.size = bytes.size < room ? bytes.size : room;
    buf_add(notes, bytes);
}

/* *open: false when it has no more to send. */
static enum err take_some(struct taking *t, int from, bool rows, bool *open, struct diag *diag)
{
    char piece[PIECE];
    ssize_t n = read(from, piece, sizeof piece);
    if (n < 0) {
        return errno == EINTR ? OK : diag_say(diag, ERR_IO, "%s", strerror(errno));
    }
    *open = n > 0;
    if (!rows) {
        take_notes(t, slice_of(piece, (size_t)n));
        return OK;
    }
    buf_add(&t->bytes, slice_of(piece, (size_t)n));
    return t->bytes.failed ? diag_say(diag, ERR_LIMIT, "a row over %d bytes", HUNT_FRAMES_MOST)
                           : take_frames(t, diag);
}

static enum err take_all(struct taking *t, const int from[PIPES], struct diag *diag)
{
    struct pollfd polled[PIPES] = {
            {.fd = from[ROWS], .events = POLLIN}, {.fd = from[NOTES], .events = POLLIN}};
    while (polled[ROWS].fd >= 0 || polled[NOTES].fd >= 0) {
        if (poll(polled, PIPES, -1) < 0 && errno != EINTR) {
            return diag_say(diag, ERR_IO, "%s", strerror(errno));
        }
        for (size_t i = 0; i < PIPES; i++) {
            bool open = true;
            if (polled[i].fd >= 0 && polled[i].revents) {
                TRY(take_some(t, polled[i].fd, i == ROWS, &open, diag));
            }
            polled[i].fd = open ? polled[i].fd : -1;
        }
    }
    return OK;
}

static void note(struct hunt_book_run *run, const char *words)
{
    if (run->notes.size > 0 && run->notes.at[run->notes.size - 1] != '\n') {
        buf_byte(&run->notes, '\n');
    }
    buf_format(&run->notes, "%s\n", words);
}

/* How it ended. */
static void finish(struct taking *t, pid_t pid, enum err taken, const struct diag *why)
{
    struct hunt_book_run *run = t->run;
    char words[64];
    int status = 0;
    if (taken != OK) {
        kill(pid, SIGKILL);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (t->notes_cut) {
        note(run, "more was said than is shown");
    }
    if (taken != OK) {
        note(run, why->words[0] ? why->words : err_name(taken));
    } else if (WIFSIGNALED(status)) {
        snprintf(words, sizeof words, "the process that hunted was ended by signal %d",
                WTERMSIG(status));
        note(run, words);
    }
    run->ended = run->ended && taken == OK;
    run->complete = run->ended && WIFEXITED(status) && WEXITSTATUS(status) == VERB_DONE;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static void close_all(const int ends[PIPES])
{
    for (size_t i = 0; i < PIPES; i++) {
        if (ends[i] >= 0) {
            close(ends[i]);
        }
    }
}

static bool make_pipes(int from[PIPES], int to[PIPES])
{
    for (size_t i = 0; i < PIPES; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) {
            return false;
        }
        from[i] = ends[0];
        to[i] = ends[1];
    }
    return true;
}

enum err hunt_book_run_query(const struct hunt_book_request *request, const char *query,
        uint32_t columns, struct hunt_book_run *run, struct diag *diag)
{
    struct taking t = {.request = request, .columns = columns, .run = run};
    int from[PIPES] = {-1, -1}, to[PIPES] = {-1, -1};
    pid_t parent = getpid(), pid = -1;
    t.bytes.cap = HUNT_FRAMES_MOST;
    fflush(NULL); /* nothing that waits is written twice */
    if (make_pipes(from, to)) {
        pid = fork();
    }
    if (pid == 0) {
        close_all(from);
        child(request, query, to, parent);
    }
    int failed = errno;
    close_all(to);
    if (pid > 0) {
        struct diag why = {0};
        enum err e = take_all(&t, from, &why);
        finish(&t, pid, e, &why);
    }
    close_all(from);
    buf_fini(&t.bytes);
    return pid > 0 ? OK : diag_say(diag, ERR_IO, "no process to hunt: %s", strerror(failed));
}

void hunt_book_run_fini(struct hunt_book_run *run)
{
    buf_fini(&run->rows);
    buf_fini(&run->notes);
}
