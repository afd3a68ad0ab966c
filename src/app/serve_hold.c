#include "app/serve_hold.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/time.h"
#include "cli/token_store.h"
#include "source/syslog_peer.h"

enum { STEP_MS = 20 };

/* Signals are blocked while a centre starts. */
static bool is_told_to_stop(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

/* false: no more. */
static bool wait_step(int64_t until_ns)
{
    if (clock_steady_ns() >= until_ns || is_told_to_stop()) {
        return false;
    }
    (void)poll(NULL, 0, STEP_MS);
    return true;
}

static struct flock whole(short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

/* The pid of the centre that has it and is not ending; 0: there is none; < 0: not of our kind. */
static pid_t living(int fd)
{
    struct flock asked = whole(F_WRLCK);
    if (fcntl(fd, F_GETLK, &asked) != 0 || asked.l_type == F_UNLCK) {
        return 0;
    }
    return asked.l_pid > 0 ? asked.l_pid : -1;
}

static enum err say_held(pid_t pid, const char *data, struct diag *diag)
{
    if (pid > 0) {
        return diag_say(diag, ERR_LIMIT, "%s: held by process %d", data, (int)pid);
    }
    if (pid < 0) {
        return diag_say(diag, ERR_LIMIT, "%s: held by another centre", data);
    }
    return diag_say(diag, ERR_LIMIT,
            "%s: still held by what another centre has left running; `fuser %s/lock` tells", data,
            data);
}

static enum err take(int fd, const char *data, struct diag *diag)
{
    int64_t until_ns = clock_steady_ns() + SERVE_HOLD_DIRECTORY_S * TIME_SECOND;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int why = errno;
        if (why != EWOULDBLOCK && why != EINTR) {
            return diag_say(diag, ERR_IO, "%s/lock: %s", data, strerror(why));
        }
        pid_t pid = living(fd);
        if (pid != 0 || !wait_step(until_ns)) {
            return say_held(pid, data, diag);
        }
    }
    struct flock ours = whole(F_WRLCK);
    (void)fcntl(fd, F_SETLK, &ours); /* where it fails, who comes waits before he is refused */
    return OK;
}

enum err serve_hold_take(struct serve_hold *hold, const char *data, struct diag *diag)
{
    char path[DATA_PATH];
    TRY(data_path(data, "lock", path, diag));
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return diag_say(diag, ERR_IO, "%s: %s", path, strerror(errno));
    }
    enum err e = take(fd, data, diag);
    if (e != OK) {
        close(fd);
        return e;
    }
    *hold = (struct serve_hold){fd, clock_steady_ns() + SERVE_HOLD_PORTS_S * TIME_SECOND};
    return OK;
}

void serve_hold_ending(const struct serve_hold *hold)
{
    struct flock none = whole(F_UNLCK);
    (void)fcntl(hold->fd, F_SETLK, &none);
}

enum err serve_hold_bind(const struct serve_hold *hold, struct slice address, int type, int *socket,
        struct diag *diag)
{
    enum err e;
    do {
        e = syslog_peer_bind(address, type, socket, diag);
    } while (e == ERR_LIMIT && wait_step(hold->until_ns));
    return e;
}

enum err serve_hold_first_token(const char *data, char text[TOKENS_TEXT], struct diag *diag)
{
    const struct tokens_wish wish = {.name = SLICE("administrator"), .role = AUTHORIZE_ADMIN};
    struct token_store store;
    char path[DATA_PATH];
    TRY(data_path(data, "tokens.jsonl", path, diag));
    text[0] = 0;
    if (access(path, F_OK) == 0) {
        return OK;
    }
    TRY(token_store_open(&store, data, TOKEN_STORE_WRITE, diag));
    enum err e = OK;
    if (access(path, F_OK) != 0) { /* nobody was quicker */
        e = tokens_add(store.tokens, &wish, store.now_ns, text, diag);
        e = e == OK ? token_store_save(&store, diag) : e;
    }
    token_store_close(&store);
    return e;
}
