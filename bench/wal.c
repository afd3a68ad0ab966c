/* wal: the log's speed on the real disk: records of 600 bytes in frames of 1 to 2,048, a commit
 * (fdatasync) for each frame, beside a plain file to which the same bytes are appended and synced,
 * one that was given its space before (fallocate), and one whose space was written before.
 *
 *     build/bench/wal [DIRECTORY [SECONDS]]     (build/bench/wal-data, 2 for each row) */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "wal/wal.h"

enum { RECORD = 600, COMMITS = 200000, SPACE = 256 << 20, PIECE = 1 << 20 };

enum way { WAY_LOG, WAY_PLAIN, WAY_ALLOCATED, WAY_WRITTEN, WAYS };

static const char *const ways[] = {"log", "append", "allocated", "overwrite"};
static double took[COMMITS]; /* seconds of each commit */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void show(enum way way, uint32_t records, size_t commits, double seconds)
{
    double bytes = (double)commits * records * RECORD;
    qsort(took, commits, sizeof *took, compare);
    printf("%-10s %5u records  %8.1f MB/s  %8.0f commits/s  p50 %7.3f ms  p99 %7.3f ms\n",
            ways[way], records, bytes / seconds / 1e6, (double)commits / seconds,
            took[commits / 2] * 1e3, took[commits * 99 / 100] * 1e3);
    fflush(stdout);
}

static struct frame make_frame(struct frame_records *records, uint32_t count)
{
    char record[RECORD];
    struct frame frame = {.kind = FRAME_RECORDS};
    memset(record, 'x', sizeof record);
    frame_records_clear(records);
    for (uint32_t i = 0; i < count; i++) {
        frame_records_add(records, slice_of(record, sizeof record));
    }
    if (frame_take(&frame, records) != OK) {
        die("memory");
    }
    frame.attribute[FRAME_TENANT] = SLICE("sg/health/moh");
    frame.attribute[FRAME_SOURCE] = SLICE("syslog-tcp/10.1.2.3");
    return frame;
}

static void run_log(const char *directory, uint32_t records, double seconds)
{
    struct wal_options options = {.disk = &disk_real};
    struct frame_records collected = {0};
    struct frame frame = make_frame(&collected, records);
    struct wal *wal;
    struct diag diag = {0};
    if (wal_open(directory, &options, &wal, &diag) != OK) {
        fprintf(stderr, "%s\n", diag.words);
        exit(1);
    }
    double start = now(), last = start;
    size_t n = 0;
    while (n < COMMITS && last - start < seconds) {
        frame.receipt_ns = (int64_t)(last * 1e9);
        if (wal_append(wal, &frame, &diag) != OK || wal_commit(wal, &diag) != OK) {
            fprintf(stderr, "%s\n", diag.words);
            exit(1);
        }
        double end = now();
        took[n++] = end - last;
        last = end;
        if (n % 64 == 0) {
            uint64_t first;
            (void)!wal_remove(wal, wal_committed(wal), &first, NULL);
        }
    }
    show(WAY_LOG, records, n, last - start);
    wal_close(wal);
    frame_records_fini(&collected);
}

static int open_file(const char *path, enum way way)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0) {
        die(path);
    }
    if (way == WAY_ALLOCATED && fallocate(fd, 0, 0, SPACE) != 0) {
        die("fallocate");
    }
    static char zeros[PIECE];
    for (off_t at = 0; way == WAY_WRITTEN && at < SPACE; at += PIECE) {
        if (pwrite(fd, zeros, PIECE, at) != PIECE) {
            die("write");
        }
    }
    if (fsync(fd) != 0) {
        die("fsync");
    }
    return fd;
}

static void run_file(const char *path, enum way way, uint32_t records, double seconds)
{
    size_t size = (size_t)records * RECORD, n = 0;
    char *bytes = calloc(1, size);
    int fd = open_file(path, way);
    double start = now(), last = start;
    off_t at = 0;
    while (bytes && n < COMMITS && last - start < seconds) {
        if (at + (off_t)size > SPACE) {
            at = 0; /* over what was written: the same for all */
            if (way != WAY_WRITTEN) {
                break;
            }
        }
        if (pwrite(fd, bytes, size, at) != (ssize_t)size || fdatasync(fd) != 0) {
            die("write");
        }
        at += (off_t)size;
        double end = now();
        took[n++] = end - last;
        last = end;
    }
    show(way, records, n, last - start);
    close(fd);
    unlink(path);
    free(bytes);
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = {1, 16, 128, 512, 2048};
    const char *directory = argc > 1 ? argv[1] : "build/bench/wal-data";
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 2;
    char path[4096];
    if (mkdir(directory, 0750) != 0 && access(directory, W_OK) != 0) {
        die(directory);
    }
    snprintf(path, sizeof path, "%s/plain", directory);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        run_log(directory, sizes[i], seconds);
        for (int way = WAY_PLAIN; way < WAYS; way++) {
            run_file(path, (enum way)way, sizes[i], seconds);
        }
    }
    return 0;
}
