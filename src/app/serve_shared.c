#include "app/serve_shared.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/time.h"

enum { INTAKE_BYTES = 64 << 20, RESULTS_BYTES = 64 << 20 };

/* Zeroed memory of all processes to come, or NULL. */
static void *share(size_t size)
{
    void *at = mmap(
            NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

enum err serve_shared_new(struct serve_shared *shared, struct diag *diag)
{
    *shared = (struct serve_shared){.committed_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    shared->page = share(sizeof *shared->page);
    shared->tokens = share(sizeof *shared->tokens);
    shared->reload = share(sizeof *shared->reload);
    enum err e = OK;
    if (!shared->page || !shared->tokens || !shared->reload || shared->committed_fd < 0) {
        e = diag_say(diag, ERR_IO, "no memory between processes: %s", strerror(errno));
    }
    if (e == OK) {
        shared->page->started_ns = clock_wall_ns();
        e = counts_new(&shared->counts, diag);
    }
    if (e == OK) {
        e = kept_new(&shared->kept, diag);
    }
    if (e == OK) {
        e = sent_new(&shared->sent, diag);
    }
    if (e == OK) {
        e = standing_new(&shared->standing, diag);
    }
    if (e == OK) {
        e = channel_new(INTAKE_BYTES, &shared->intake, diag);
    }
    if (e == OK) {
        e = channel_new(RESULTS_BYTES, &shared->results, diag);
    }
    if (e != OK) {
        serve_shared_free(shared);
    }
    return e;
}

void serve_shared_free(struct serve_shared *shared)
{
    channel_free(shared->intake);
    channel_free(shared->results);
    counts_free(shared->counts);
    kept_free(shared->kept);
    sent_free(shared->sent);
    standing_free(shared->standing);
    if (shared->page) {
        munmap(shared->page, sizeof *shared->page);
    }
    if (shared->tokens) {
        munmap(shared->tokens, sizeof *shared->tokens);
    }
    if (shared->reload) {
        munmap(shared->reload, sizeof *shared->reload);
    }
    if (shared->committed_fd >= 0) {
        close(shared->committed_fd);
    }
    *shared = (struct serve_shared){.committed_fd = -1};
}

void serve_shared_set_tokens(struct serve_shared *shared, struct slice text)
{
    struct serve_tokens *tokens = shared->tokens;
    if (text.size > SERVE_TOKENS) {
        return;
    }
    atomic_fetch_add(&tokens->generation, 1);
    if (text.size > 0) {
        memcpy(tokens->at, text.at, text.size);
    }
    atomic_store(&tokens->size, text.size);
    atomic_fetch_add(&tokens->generation, 1);
}

bool serve_shared_tokens(const struct serve_shared *shared, uint64_t *generation, struct buf *text)
{
    const struct serve_tokens *tokens = shared->tokens;
    uint64_t before = atomic_load(&tokens->generation), size = atomic_load(&tokens->size);
    if (before == *generation || before % 2 == 1 || size > SERVE_TOKENS) {
        return false;
    }
    buf_clear(text);
    buf_add(text, slice_of(tokens->at, size));
    if (text->failed || atomic_load(&tokens->generation) != before) {
        return false; /* in a moment */
    }
    *generation = before;
    return true;
}

void serve_shared_wake(int fd)
{
    (void)!write(fd, &(uint64_t){1}, sizeof(uint64_t));
}

void serve_shared_wait(int fd, int other, int timeout_ms)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = other, .events = POLLIN}};
    uint64_t count;
    if (poll(fds, 2, timeout_ms) <= 0) {
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        if (fds[i].revents & POLLIN) {
            (void)!read(fds[i].fd, &count, sizeof count);
        }
    }
}
