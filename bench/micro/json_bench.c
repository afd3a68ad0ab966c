/* json_bench: how fast the JSON reader is alone, in blocks as the pipeline makes them.
 *
 *     make build/bench/micro/json_bench
 *     build/bench/micro/json_bench FIELDS FILE [ROUNDS]
 *
 * FIELDS: the names that rules use, one a line. Prints nanoseconds an event and GB/s for cutting
 * and for reading, best of the rounds. Not a test. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "decode/json.h"
#include "event/event.h"
#include "event/field.h"
#include "event/paths.h"

enum { BLOCK = 256 << 10, PIECE = 64 << 20 };

struct totals {
    uint64_t events, rejected, values, bytes;
    double cut_ns, read_ns;
};

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct slice load(const char *path, size_t most)
{
    struct stat s;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &s) != 0) {
        perror(path);
        exit(2);
    }
    size_t size = (size_t)s.st_size < most ? (size_t)s.st_size : most;
    char *at = memory_alloc(size + 64);
    size_t have = 0;
    ssize_t got;
    while (at && have < size && (got = read(fd, at + have, size - have)) > 0) {
        have += (size_t)got;
    }
    close(fd);
    while (size == most && have > 0 && at[have - 1] != '\n') {
        have--; /* whole lines of a long file */
    }
    return slice_of(at, have);
}

static struct paths *make_paths(const char *names)
{
    static const char *const patterns[] = {"Event.EventData.*", "Event.UserData.?.*", "*"};
    static const char *const system[] = {"EventID", "Channel", "Computer", "Level", "Task",
            "Keywords", "Opcode", "EventRecordID"};
    static char system_patterns[8][64];
    struct fields *fields = field_table_new();
    struct slice text = load(names, 1 << 20);
    while (text.size) {
        uint32_t id;
        struct slice name = slice_cut(&text, '\n');
        if (name.size && field_intern(fields, name, &id) != OK) {
            exit(2);
        }
    }
    struct path_pattern all[16];
    size_t count = 0;
    for (size_t i = 0; i < 3; i++) {
        all[count++] = (struct path_pattern){slice_text(patterns[i]), SLICE("*"), .weak = i == 2};
    }
    for (size_t i = 0; i < 8; i++) {
        snprintf(system_patterns[i], 64, "Event.System.%s", system[i]);
        all[count++] =
                (struct path_pattern){slice_text(system_patterns[i]), slice_text(system[i]), false};
    }
    all[count++] = (struct path_pattern){
            SLICE("Event.System.Provider.#attributes.Name"), SLICE("Provider_Name"), false};
    struct paths *paths;
    if (paths_build(fields, all, count, &paths) != OK) {
        fprintf(stderr, "paths_build failed\n");
        exit(2);
    }
    return paths;
}

static void read_block(
        struct reader *reader, struct event *event, struct slice block, struct totals *t)
{
    struct diag diag;
    enum err e;
    json_decoder.begin(reader, block, (struct slice){0});
    while ((e = json_decoder.next(reader, event, &diag)) != ERR_END) {
        t->events++;
        t->rejected += e != OK;
        for (uint32_t i = 0; i < event->present_words; i++) {
            t->values += (uint64_t)__builtin_popcountll(event->present[i]);
        }
    }
}

static struct totals run(struct reader *reader, struct event *event, struct slice file)
{
    static char block[BLOCK * 2 + 64];
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
                json_decoder.cut(&cutter, slice_of(block, have), at == file.size, &cut, NULL) !=
                        OK ||
                (cut.skip == 0 && cut.size == 0)) {
            break;
        }
        double middle = now_ns();
        read_block(reader, event, slice_of(block + cut.skip, cut.size), &t);
        t.cut_ns += middle - start;
        t.read_ns += now_ns() - middle;
        t.bytes += cut.size;
        have -= cut.skip + cut.size;
        memmove(block, block + cut.skip + cut.size, have);
    }
    return t;
}

int main(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "json_bench FIELDS FILE [ROUNDS]\n");
        return 2;
    }
    struct paths *paths = make_paths(arguments[1]);
    struct slice file = load(arguments[2], PIECE);
    struct decode_limits limits = DECODE_LIMITS;
    struct reader *reader;
    struct event event;
    if (event_init(&event, paths->field_count) != OK ||
            json_decoder.reader_new(paths, &limits, &reader) != OK) {
        return 2;
    }
    struct totals best = {0};
    int rounds = count > 3 ? (int)strtol(arguments[3], NULL, 10) : 5;
    for (int i = 0; i < rounds; i++) {
        struct totals t = run(reader, &event, file);
        if (i == 0 || t.read_ns < best.read_ns) {
            best = t;
        }
    }
    double events = (double)best.events;
    printf("%lu events (%lu rejected), %.0f bytes and %.1f fields each\n", best.events,
            best.rejected, (double)best.bytes / events, (double)best.values / events);
    printf("read %.0f ns an event, %.2f GB/s; cut %.0f ns\n", best.read_ns / events,
            (double)best.bytes / best.read_ns, best.cut_ns / events);
    json_decoder.reader_free(reader);
    event_fini(&event);
    return best.rejected != 0;
}
