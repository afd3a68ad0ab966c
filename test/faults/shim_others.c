#include "shim.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* ---- memory: the C library's own under other names, for dlsym asks for memory itself -----------
 */

void *__libc_malloc(size_t size);               // NOLINT
void *__libc_calloc(size_t count, size_t size); // NOLINT
void *__libc_realloc(void *at, size_t size);    // NOLINT
void *__libc_memalign(size_t by, size_t size);  // NOLINT

/* true: memory fails now; errno is set. */
static bool refused(void)
{
    struct fate fate = shim_fate(MALLOC, "");
    struct told told = {.file = -1};
    return fate.over && shim_after(&fate, fate.value, &told) != 0;
}

void *malloc(size_t size)
{
    return refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return refused() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *at, size_t size)
{
    return refused() ? NULL : __libc_realloc(at, size);
}

void *reallocarray(void *at, size_t count, size_t size)
{
    size_t whole;
    if (__builtin_mul_overflow(count, size, &whole)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(at, whole);
}

void *aligned_alloc(size_t by, size_t size)
{
    return refused() ? NULL : __libc_memalign(by, size);
}

int posix_memalign(void **out, size_t by, size_t size)
{
    if (refused()) {
        return ENOMEM;
    }
    *out = __libc_memalign(by, size);
    return *out ? 0 : ENOMEM;
}

void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset)
{
    CALL(MMAP, shim_path(file), REAL(mmap)(at, size, protection, flags, file, offset), .file = file,
            .number = (int64_t)size);
}

void *mmap64(void *at, size_t size, int protection, int flags, int file, off64_t offset)
{
    return mmap(at, size, protection, flags, file, offset);
}

/* ---- network ------------------------------------------------------------------------------- */

int socket(int family, int type, int protocol)
{
    CALL(SOCKET, "socket", (int)shim_name(REAL(socket)(family, type, protocol), "socket"),
            .file = -1);
}

int bind(int file, __CONST_SOCKADDR_ARG address, socklen_t size)
{
    CALL(BIND, "socket", REAL(bind)(file, address, size), .file = file);
}

int listen(int file, int backlog)
{
    CALL(LISTEN, "socket", REAL(listen)(file, backlog), .file = file);
}

int connect(int file, __CONST_SOCKADDR_ARG address, socklen_t size)
{
    CALL(CONNECT, "socket", REAL(connect)(file, address, size), .file = file);
}

int accept4(int file, __SOCKADDR_ARG address, socklen_t *size, int flags)
{
    CALL(ACCEPT, "socket", (int)shim_name(REAL(accept4)(file, address, size, flags), "socket"),
            .file = file);
}

int accept(int file, __SOCKADDR_ARG address, socklen_t *size)
{
    CALL(ACCEPT, "socket", (int)shim_name(REAL(accept)(file, address, size), "socket"),
            .file = file);
}

ssize_t recv(int file, void *to, size_t size, int flags)
{
    CALL(RECV, "socket", REAL(recv)(file, to, shim_cut(&fate, size), flags), .file = file);
}

ssize_t recvfrom(
        int file, void *to, size_t size, int flags, __SOCKADDR_ARG address, socklen_t *address_size)
{
    CALL(RECV, "socket",
            REAL(recvfrom)(file, to, shim_cut(&fate, size), flags, address, address_size),
            .file = file);
}

ssize_t recvmsg(int file, struct msghdr *message, int flags)
{
    CALL(RECV, "socket", REAL(recvmsg)(file, message, flags), .file = file);
}

int recvmmsg(int file, struct mmsghdr *messages, unsigned count, int flags, struct timespec *wait)
{
    CALL(RECV, "socket",
            REAL(recvmmsg)(file, messages, (unsigned)shim_cut(&fate, count), flags, wait),
            .file = file);
}

ssize_t send(int file, const void *from, size_t size, int flags)
{
    CALL(SEND, "socket", REAL(send)(file, from, shim_cut(&fate, size), flags), .file = file);
}

ssize_t sendto(int file, const void *from, size_t size, int flags, __CONST_SOCKADDR_ARG address,
        socklen_t address_size)
{
    CALL(SEND, "socket",
            REAL(sendto)(file, from, shim_cut(&fate, size), flags, address, address_size),
            .file = file);
}

ssize_t sendmsg(int file, const struct msghdr *message, int flags)
{
    CALL(SEND, "socket", REAL(sendmsg)(file, message, flags), .file = file);
}

int poll(struct pollfd *files, nfds_t count, int wait_ms)
{
    CALL(POLL, "", REAL(poll)(files, count, wait_ms), .file = -1);
}

int epoll_wait(int file, struct epoll_event *events, int count, int wait_ms)
{
    CALL(POLL, "", REAL(epoll_wait)(file, events, count, wait_ms), .file = file);
}

/* ---- processes and clocks ------------------------------------------------------------------ */

pid_t fork(void)
{
    CALL(FORK, "", REAL(fork)(), .file = -1);
}

int prctl(int option, ...)
{
    va_list more;
    va_start(more, option);
    unsigned long a = va_arg(more, unsigned long), b = va_arg(more, unsigned long);
    unsigned long c = va_arg(more, unsigned long), d = va_arg(more, unsigned long);
    va_end(more);
    if (option == PR_SET_NAME) {
        shim_set_role((const char *)a); // NOLINT
    }
    return REAL(prctl)(option, a, b, c, d);
}

static bool wall(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

int clock_gettime(clockid_t clock, struct timespec *to)
{
    int result = REAL(clock_gettime)(clock, to);
    if (wall(clock) && result == 0) {
        to->tv_sec += (time_t)shim_fate(CLOCK, "").bytes;
    }
    return result;
}

int gettimeofday(struct timeval *restrict to, void *restrict zone)
{
    int result = REAL(gettimeofday)(to, zone);
    to->tv_sec += (time_t)shim_fate(CLOCK, "").bytes;
    return result;
}

time_t time(time_t *to)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (to) {
        *to = now.tv_sec;
    }
    return now.tv_sec;
}
