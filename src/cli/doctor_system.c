#include "cli/doctor_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/time.h"
#include "cli/data.h"
#include "source/syslog_peer.h"

enum {
    FILES_WANTED = 16384,      /* connections, and files of the log */
    FIRST_SECOND = 1767225600, /* 2026: no clock that is right stands before it */
    LAST_SECOND = 2145916800,  /* 2038 */
    ROOM_SEGMENTS = 4,
};

/* ---- the clock, the kernel, limits -------------------------------------------------------------
 */

void doctor_system_clock(struct doctor *d)
{
    static const char mend[] = "set it, and have it kept: chrony or systemd-timesyncd";
    struct timex state = {0};
    struct buf text = {0};
    int64_t now = clock_wall_ns();
    time_format(&text, now);
    buf_byte(&text, 0);
    const char *words = text.at ? text.at : "";
    if (now / TIME_SECOND < FIRST_SECOND || now / TIME_SECOND > LAST_SECOND) {
        doctor_wrong(d, "clock", mend, "it says %s", words);
    } else if (adjtimex(&state) == TIME_ERROR || (state.status & STA_UNSYNC)) {
        doctor_doubt(d, "clock", mend, "%s, and nothing keeps it right", words);
    } else {
        doctor_good("clock", "%s, kept right", words);
    }
    buf_fini(&text);
}

void doctor_system_kernel(struct doctor *d)
{
    uint32_t action = SECCOMP_RET_ERRNO;
    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0) {
        doctor_wrong(d, "seccomp", "a kernel with CONFIG_SECCOMP_FILTER; nothing runs without it",
                "%s", strerror(errno));
    } else {
        doctor_good("seccomp", "there");
    }
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) {
        doctor_doubt(d, "landlock",
                "start the kernel (5.13 or later) with lsm=landlock,... ; processes are held by "
                "seccomp alone",
                "%s", strerror(errno));
    } else {
        doctor_good("landlock", "version %ld", version);
    }
}

static unsigned long read_number(const char *path)
{
    struct buf text = {0};
    struct diag diag = {0};
    unsigned long number = 0;
    if (files_read(path, 100, &text, &diag) == OK) {
        buf_byte(&text, 0);
        number = text.at ? strtoul(text.at, NULL, 10) : 0;
    }
    buf_fini(&text);
    return number;
}

static bool takes_datagrams(const struct doctor *d)
{
    for (size_t i = 0; i < d->config.input_count; i++) {
        if (slice_equal(d->config.inputs[i].kind, SLICE("syslog-udp"))) {
            return true;
        }
    }
    return false;
}

void doctor_system_limits(struct doctor *d)
{
    struct rlimit files = {0};
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < FILES_WANTED) {
        doctor_doubt(d, "open files", "ulimit -n 65536, or LimitNOFILE=65536 in the unit",
                "%llu for each process: that bounds the connections",
                (unsigned long long)files.rlim_cur);
    } else {
        doctor_good("open files", "%llu", (unsigned long long)files.rlim_cur);
    }
    unsigned long most = read_number("/proc/sys/net/core/rmem_max");
    if (takes_datagrams(d) && most < SYSLOG_PEER_QUEUE) {
        doctor_doubt(d, "receive buffer", "sysctl -w net.core.rmem_max=67108864",
                "%lu KiB at most: bursts of datagrams above it are lost (counted), unless the "
                "centre may do as it likes",
                most >> 10);
    } else if (takes_datagrams(d)) {
        doctor_good("receive buffer", "%lu KiB", most >> 10);
    }
}

/* ---- the directory -----------------------------------------------------------------------------
 */

static void look_for_room(struct doctor *d, const char *path)
{
    struct statvfs room;
    if (statvfs(path, &room) != 0) {
        doctor_wrong(d, "room", "the disk cannot be asked", "%s: %s", path, strerror(errno));
        return;
    }
    uint64_t left = (uint64_t)room.f_bavail * room.f_frsize;
    uint64_t wanted = d->config.reserve_bytes;
    unsigned long long mib = (unsigned long long)(left >> 20);
    if (left <= wanted) {
        doctor_wrong(d, "room", "free some, set `retention`, or lessen `reserve`",
                "%llu MiB are left, the reserve is %llu MiB: nothing is acknowledged", mib,
                (unsigned long long)(wanted >> 20));
    } else if (left < wanted + ROOM_SEGMENTS * d->config.segment_bytes) {
        doctor_doubt(d, "room", "free some, or set `retention`",
                "%llu MiB are left: few files of the log", mib);
    } else {
        doctor_good("room", "%llu MiB", mib);
    }
}

/* Who writes to the log has a lock on it. */
static bool is_locked(const char *data)
{
    char path[DATA_PATH];
    struct diag diag;
    if (data_path(data, "log/lock", path, &diag) != OK) {
        return false;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool locked = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return locked;
}

static void look_at_missing(struct doctor *d, const char *path)
{
    char above[DATA_PATH];
    snprintf(above, sizeof above, "%s", path);
    char *slash = strrchr(above, '/');
    if (slash) {
        slash[slash == above] = 0;
    }
    const char *parent = slash ? above : ".";
    if (access(parent, W_OK | X_OK) != 0) {
        doctor_wrong(d, "data", "make it, owned by who runs the centre, with mode 700",
                "%s is not there, and %s: %s", path, parent, strerror(errno));
        return;
    }
    doctor_good("data", "%s is not there yet: it will be made", path);
    look_for_room(d, parent);
}

void doctor_system_data(struct doctor *d)
{
    const char *path = d->config.data;
    struct stat stat_;
    if (stat(path, &stat_) != 0) {
        look_at_missing(d, path);
        return;
    }
    d->runs = is_locked(path);
    if (!S_ISDIR(stat_.st_mode)) {
        doctor_wrong(d, "data", "name a directory", "%s is none", path);
    } else if (access(path, R_OK | W_OK | X_OK) != 0) {
        doctor_wrong(d, "data", "chown it to who runs the centre; run doctor as that user",
                "%s: %s", path, strerror(errno));
    } else if (stat_.st_mode & 077) {
        doctor_wrong(d, "data", "chmod 700: logs hold personal data", "%s: others may enter (%03o)",
                path, (unsigned)stat_.st_mode & 0777);
    } else {
        doctor_good("data", "%s%s", path, d->runs ? ", a centre runs there" : "");
    }
    look_for_room(d, path);
}

/* ---- ports -------------------------------------------------------------------------------------
 */

static void look_at_port(struct doctor *d, const char *what, struct slice address, int type)
{
    struct diag diag = {0};
    int fd = -1;
    enum err e = syslog_peer_bind(address, type, &fd, &diag);
    if (e == OK) {
        close(fd);
        doctor_good(what, "%.*s%s", SLICE_ARG(address),
                d->runs ? ": free, though a centre runs: it has another configuration"
                        : " is free");
    } else if (strstr(diag.words, strerror(EADDRINUSE)) && d->runs) {
        doctor_good(what, "%.*s, by the centre that runs", SLICE_ARG(address));
    } else if (strstr(diag.words, strerror(EADDRINUSE))) {
        doctor_wrong(d, what, "ss -lntup says who has it: stop that, or take another port", "%s",
                diag.words);
    } else if (strstr(diag.words, strerror(EACCES))) {
        doctor_wrong(d, what,
                "CAP_NET_BIND_SERVICE (as packaging/merlon.service), or a port above "
                "1023",
                "%s", diag.words);
    } else {
        doctor_wrong(d, what, "name an address of this machine", "%s", diag.words);
    }
}

void doctor_system_ports(struct doctor *d)
{
    for (size_t i = 0; i < d->config.input_count; i++) {
        const struct intake_input *input = &d->config.inputs[i];
        char what[200];
        if (input->address.size == 0) {
            continue; /* files */
        }
        snprintf(what, sizeof what, "input %.*s", SLICE_ARG(input->name));
        bool datagrams = slice_equal(input->kind, SLICE("syslog-udp"));
        look_at_port(d, what, input->address, datagrams ? SOCK_DGRAM : SOCK_STREAM);
    }
    if (d->config.api.address.size > 0) {
        look_at_port(d, "api", d->config.api.address, SOCK_STREAM);
    }
}
