/* evtx_bench: how fast the reader of event logs is alone, in blocks as the pipeline makes them.
 *
 *     build/bench/evtx_bench FIELDS FILE [ROUNDS [json]]
 *
 * FIELDS: the names that rules use, one a line. Prints records a second and nanoseconds a record
 * for cutting, for reading the named fields, and for writing JSON; best of the rounds. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "decode/evtx.h"
#include "event/event.h"
#include "event/field.h"
#include "event/paths.h"
#include "event/taxonomy.h"

enum { BLOCK = 512 << 10, MARGIN = 64 };

struct totals {
    uint64_t records, rejected, values;
    double cut_ns, read_ns, json_ns;
};

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct slice load(const char *path)
{
    struct stat s;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &s) != 0) {
        perror(path);
        exit(2);
    }
    char *at = memory_alloc((size_t)s.st_size + MARGIN);
    size_t have = 0;
    ssize_t got;
    while (at && (got = read(fd, at + have, (size_t)s.st_size - have)) > 0) {
        have += (size_t)got;
    }
    close(fd);
    return slice_of(at, have);
}

static struct paths *make_paths(const char *names)
{
    struct fields *fields = field_table_new();
    struct taxonomy *taxonomy;
    struct diag diag = {0};
    struct paths *paths;
    struct slice text = load(names);
    uint32_t id;
    while (fields && text.size) {
        struct slice name = slice_cut(&text, '\n');
        if (name.size && field_intern(fields, name, &id) != OK) {
            exit(2);
        }
    }
    size_t count;
    if (taxonomy_new(&taxonomy) != OK || taxonomy_add_builtin(taxonomy, &diag) != OK) {
        fprintf(stderr, "taxonomy: %s\n", diag.words);
        exit(2);
    }
    const struct path_pattern *patterns = taxonomy_patterns(taxonomy, &count);
    if (paths_build(fields, patterns, count, &paths) != OK) {
        fprintf(stderr, "paths_build failed\n");
        exit(2);
    }
    return paths;
}

static void read_block(
        struct reader *reader, struct event *event, struct totals *t, struct buf *json)
{
    struct diag diag;
    enum err e;
    while ((e = evtx_decoder.next(reader, event, &diag)) != ERR_END) {
        t->records++;
        t->rejected += e != OK;
        for (uint32_t i = 0; i < event->present_words; i++) {
            t->values += (uint64_t)__builtin_popcountll(event->present[i]);
        }
        if (json && e == OK) {
            buf_clear(json);
            event->form->write_json(event, json);
        }
    }
}

static struct totals run(
        struct reader *reader, struct event *event, struct slice file, struct buf *json)
{
    static char block[BLOCK + MARGIN];
    struct totals t = {0};
    struct cutter cutter = {.limits = DECODE_LIMITS};
    size_t have = 0, at = 0;
    for (;;) {
        size_t more = BLOCK - have < file.size - at ? BLOCK - have : file.size - at;
        memcpy(block + have, file.at + at, more); /* what read(2) does */
        have += more;
        at += more;
        struct cut cut;
        double start = now_ns();
        if (have == 0 ||
                evtx_decoder.cut(&cutter, slice_of(block, have), at == file.size, &cut, NULL) !=
                        OK ||
                cut.skip + cut.size == 0) {
            break;
        }
        double middle = now_ns();
        evtx_decoder.begin(reader, slice_of(block + cut.skip, cut.size), (struct slice){0});
        read_block(reader, event, &t, json);
        t.cut_ns += middle - start;
        t.read_ns += now_ns() - middle;
        have -= cut.skip + cut.size;
        memmove(block, block + cut.skip + cut.size, have);
    }
    return t;
}

int main(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "evtx_bench FIELDS FILE [ROUNDS]\n");
        return 2;
    }
    struct paths *paths = make_paths(arguments[1]);
    struct slice file = load(arguments[2]);
    struct decode_limits limits = DECODE_LIMITS;
    struct reader *reader;
    struct event event;
    struct buf json = {0};
    if (event_init(&event, paths->field_count) != OK ||
            evtx_decoder.reader_new(paths, &limits, &reader) != OK) {
        return 2;
    }
    struct totals best = {0};
    int rounds = count > 3 ? (int)strtol(arguments[3], NULL, 10) : 5;
    for (int i = 0; i < rounds; i++) {
        struct totals t = run(reader, &event, file, NULL);
        if (i == 0 || t.read_ns < best.read_ns) {
            best = t;
        }
    }
    struct evtx_counts counts = evtx_counts(reader);
    best.json_ns = count > 4 ? run(reader, &event, file, &json).read_ns : 0;
    double records = (double)best.records;
    printf("%llu records (%llu rejected, %.1f %% by the tree), %.1f fields each, %llu templates\n",
            (unsigned long long)best.records, (unsigned long long)best.rejected,
            100.0 * (double)counts.slow / (double)counts.records, (double)best.values / records,
            (unsigned long long)counts.compiled);
    printf("read %.0f ns a record, %.2f M/s; cut %.0f ns; read and write as JSON %.0f ns\n",
            best.read_ns / records, 1e3 * records / best.read_ns, best.cut_ns / records,
            best.json_ns / records);
    evtx_decoder.reader_free(reader);
    event_fini(&event);
    buf_fini(&json);
    return best.rejected != 0;
}
