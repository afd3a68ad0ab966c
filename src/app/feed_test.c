#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/feed.h"

/* A format for the test: lines; those that begin with '!' are rejected while cutting, those with
 * '#' are the header of what follows. */
static enum err cut(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    size_t at = 0;
    while (at < bytes.size) {
        const char *end = memchr(bytes.at + at, '\n', bytes.size - at);
        if (!end) {
            break;
        }
        size_t next = (size_t)(end - bytes.at) + 1;
        if (bytes.at[at] == '!' && out->size > 0) {
            return OK;
        }
        if (bytes.at[at] == '!') {
            out->skip = next;
            out->rejected++;
            diag_say(diag, ERR_SYNTAX, "marked");
        } else if (bytes.at[at] == '#') {
            buf_clear(&c->header);
            buf_add(&c->header, slice_of(bytes.at + at, next - at));
            out->size = next - out->skip;
        } else {
            out->size = next - out->skip;
            out->records++;
        }
        at = next;
    }
    if (last && out->skip + out->size == 0) {
        out->skip = bytes.size; /* the end of a last line, of no interest */
    }
    return OK;
}

static const struct decoder lines = {.name = "lines", .cut = cut};

static char path[] = "/tmp/feed_test.XXXXXX";

/* Lines that hold their own number, of random length: "17 xxxx". Returns how many. */
static unsigned write_lines(unsigned seed, unsigned rejected_per_100, unsigned longest)
{
    FILE *f = fopen(path, "wb");
    unsigned n = 0;
    assert_non_null(f);
    srand(seed);
    for (size_t bytes = 0; bytes < 3u << 20;) {
        n++;
        bool rejected = (unsigned)rand() % 100 < rejected_per_100;
        unsigned size = (unsigned)rand() % (rand() % 50 ? 300 : longest);
        bytes += size;
        fprintf(f, "%s%u %0*d\n", rejected ? "!" : "", n, (int)size, 0);
    }
    assert_int_equal(fclose(f), 0);
    return n;
}

/* Feeds the file; each line of a block must have the block's ordinals, and none is missing. */
static void feeds(unsigned count, unsigned *blocks)
{
    static atomic_bool stop;
    struct inputs *inputs;
    assert_int_equal(inputs_new(&inputs), OK);
    assert_int_equal(inputs_add(inputs, path), OK);
    assert_int_equal(inputs_finish(inputs), OK);
    struct feed feed = {.inputs = inputs, .forced = &lines, .limits = DECODE_LIMITS, .stop = &stop};
    struct feed_block block = {0};
    uint64_t seen = 0, sequence = 0;
    feed_init(&feed);
    while (feed_next(&feed, &block)) {
        assert_int_equal(block.sequence, sequence++);
        uint64_t record = block.first;
        struct slice rest = block.records;
        while (rest.size > 0) {
            struct slice line = slice_cut(&rest, '\n');
            assert_int_equal(strtoull(line.at, NULL, 10), record);
            record++;
            seen++;
        }
        /* The bytes behind a block can be read (ASan looks). */
        for (size_t i = 0; block.records.size > 0 && i < FEED_BEHIND; i++) {
            volatile char byte = block.records.at[block.records.size + i];
            (void)byte;
        }
    }
    assert_int_equal(seen + feed.counts.rejected, count);
    assert_int_equal(feed.counts.unreadable, 0);
    assert_int_equal(feed.counts.files, 1);
    *blocks = (unsigned)sequence;
    feed_block_fini(&block);
    feed_fini(&feed);
    inputs_free(inputs);
}

static void ordinals_stay_true_through_blocks_and_rejections(void **state)
{
    (void)state;
    static const struct {
        unsigned rejected, longest;
    } cases[] = {{0, 300}, {1, 300}, {30, 2000}, {1, FEED_BLOCK * 3}, {50, FEED_BLOCK}, {100, 9}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned blocks;
        unsigned count = write_lines((unsigned)i + 1, cases[i].rejected, cases[i].longest);
        feeds(count, &blocks);
        assert_true(blocks >= 2);
    }
}

/* Headers at random places; each line must follow the last header that stands before it, in its
 * block or in what the block brings along. */
static void each_block_brings_the_header_in_force(void **state)
{
    (void)state;
    static atomic_bool stop;
    unsigned header = 0, lines_count = 0, blocks = 0, brought = 0;
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    srand(11);
    for (size_t bytes = 0; bytes < 3u << 20;) {
        if (rand() % 500 == 0) {
            fprintf(f, "#%u\n", ++header);
        }
        int size = rand() % (rand() % 100 ? 200 : 40000);
        fprintf(f, "%u %0*d\n", header, size, 0);
        bytes += (size_t)size;
        lines_count++;
    }
    assert_int_equal(fclose(f), 0);
    struct inputs *inputs;
    assert_int_equal(inputs_new(&inputs), OK);
    assert_int_equal(inputs_add(inputs, path), OK);
    assert_int_equal(inputs_finish(inputs), OK);
    struct feed feed = {.inputs = inputs, .forced = &lines, .limits = DECODE_LIMITS, .stop = &stop};
    struct feed_block block = {0};
    feed_init(&feed);
    for (; feed_next(&feed, &block); blocks++) {
        unsigned long now = 0;
        if (block.header.size > 0) {
            now = strtoul(block.header.at + 1, NULL, 10);
            brought += block.records.at[0] != '#';
        }
        for (struct slice rest = block.records; rest.size > 0;) {
            struct slice line = slice_cut(&rest, '\n');
            if (line.at[0] == '#') {
                now = strtoul(line.at + 1, NULL, 10);
                continue;
            }
            assert_int_equal(strtoul(line.at, NULL, 10), now);
            lines_count--;
        }
    }
    assert_int_equal(lines_count, 0);
    assert_true(blocks >= 8 && brought >= 4);
    feed_block_fini(&block);
    feed_fini(&feed);
    inputs_free(inputs);
}

static void an_empty_file_is_read_and_gives_nothing(void **state)
{
    (void)state;
    unsigned blocks;
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fclose(f);
    feeds(0, &blocks);
    assert_int_equal(blocks, 0);
}

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(ordinals_stay_true_through_blocks_and_rejections),
            cmocka_unit_test(each_block_brings_the_header_in_force),
            cmocka_unit_test(an_empty_file_is_read_and_gives_nothing),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
