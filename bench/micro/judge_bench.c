/* judge_bench: decoding and judging alone, without reading and writing: where the time goes.
 *
 *     judge_bench RULES FILE [FORMAT [ROUNDS [no-cache]]]
 *
 * Reads FILE into memory, cuts it into blocks of 256 KiB, and prints, for each round, nanoseconds
 * an event for decoding alone and for decoding and judging, with the judge's counts. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/files.h"
#include "base/memory.h"
#include "detect/judge.h"
#include "event/decoder.h"

enum { BLOCK = 256 * 1024, BLOCKS = 100000 };

struct bench {
    const struct decoder *decoder;
    struct engine *engine;
    struct slice blocks[BLOCKS];
    struct slice headers[BLOCKS]; /* in force where they begin; of `texts` */
    struct arena texts;
    size_t block_count;
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void need(enum err e, const struct diag *diag, const char *what)
{
    if (e != OK) {
        fprintf(stderr, "judge_bench: %s: %s: %s\n", what, err_name(e), diag ? diag->words : "");
        exit(1);
    }
}

static void cut_all(struct bench *b, struct slice text)
{
    struct cutter cutter = {.limits = DECODE_LIMITS};
    struct diag diag = {0};
    for (size_t at = 0; at < text.size && b->block_count < BLOCKS;) {
        size_t left = text.size - at, n = left < BLOCK ? left : BLOCK;
        struct cut cut;
        b->headers[b->block_count] = arena_copy(&b->texts, buf_slice(&cutter.header));
        for (;; n = n * 2 < left ? n * 2 : left) {
            enum err e =
                    b->decoder->cut(&cutter, slice_of(text.at + at, n), n == left, &cut, &diag);
            need(e, &diag, "cut");
            if (cut.skip + cut.size || n == left) {
                break;
            }
        }
        b->blocks[b->block_count++] = slice_of(text.at + at + cut.skip, cut.size);
        at += cut.skip + cut.size;
        cutter.offset += cut.skip + cut.size;
        if (cut.skip + cut.size == 0) {
            break;
        }
    }
    buf_fini(&cutter.header);
}

static void round_of(struct bench *b, bool judged)
{
    struct decode_limits limits = DECODE_LIMITS;
    struct diag diag = {0};
    struct reader *reader;
    struct judge *judge;
    struct event event;
    uint64_t events = 0, rejected = 0;
    need(b->decoder->reader_new(engine_paths(b->engine), &limits, &reader), NULL, "reader");
    need(judge_new(b->engine, &judge), NULL, "judge");
    need(event_init(&event, engine_field_count(b->engine)), NULL, "event");
    double start = seconds();
    for (size_t i = 0; i < b->block_count; i++) {
        b->decoder->begin(reader, b->blocks[i], b->headers[i]);
        for (enum err e; (e = b->decoder->next(reader, &event, &diag)) != ERR_END;) {
            const struct hit *hits;
            size_t count;
            if (e != OK) {
                rejected++;
                continue;
            }
            events++;
            if (judged) {
                need(judge_event(judge, &event, &hits, &count, &diag), &diag, "judge");
            }
        }
    }
    double ns = (seconds() - start) * 1e9 / (double)(events ? events : 1);
    struct judge_counts c = judge_counts(judge);
    printf("%-8s %8.1f ns/event  events %llu rejected %llu", judged ? "judge" : "decode", ns,
            (unsigned long long)events, (unsigned long long)rejected);
    if (judged) {
        double n = (double)events;
        printf("  routed %.3f candidates %.3f hits %.3f asked %.2f found %.2f",
                (double)c.routed / n, (double)c.candidates / n, (double)c.hits / n,
                (double)c.cache_asked / n, (double)c.cache_found / n);
    }
    printf("\n");
    event_fini(&event);
    judge_free(judge);
    b->decoder->reader_free(reader);
}

int main(int argc, char **argv)
{
    static struct bench b;
    struct diag diag = {0};
    struct ruleset *set;
    struct taxonomy *taxonomy;
    struct ruleset_options rules = {0};
    struct engine_options options = {.no_value_cache = argc > 5};
    memory_settle();
    if (argc < 3) {
        fprintf(stderr, "usage: judge_bench RULES FILE [FORMAT [ROUNDS [no-cache]]]\n");
        return 2;
    }
    for (size_t i = 0; i < decoders_count; i++) {
        if (strcmp(decoders[i]->name, argc > 3 ? argv[3] : "json") == 0) {
            b.decoder = decoders[i];
        }
    }
    FILE *file = fopen(argv[2], "rb");
    if (!file || !b.decoder) {
        fprintf(stderr, "judge_bench: no such file or format\n");
        return 1;
    }
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *text = memory_alloc(size + 64);
    if (!text || fread(text, 1, size, file) != size) {
        return 1;
    }
    double start = seconds();
    need(ruleset_new(&rules, &set, &diag), &diag, "rules");
    need(ruleset_load(set, argv[1], &diag), &diag, argv[1]);
    need(ruleset_finish(set, &diag), &diag, "rules");
    double loaded = seconds();
    need(taxonomy_new(&taxonomy), NULL, "taxonomy");
    need(taxonomy_add_builtin(taxonomy, &diag), &diag, "taxonomy");
    double mapped = seconds();
    need(engine_new(set, taxonomy, &options, &b.engine, &diag), &diag, "engine");
    printf("rules %.3f s, taxonomy %.3f s, engine %.3f s; %u rules, %u predicates, %u fields\n",
            loaded - start, mapped - loaded, seconds() - mapped, set->rule_count,
            set->predicate_count, engine_field_count(b.engine));
    arena_init(&b.texts, 1 << 30);
    cut_all(&b, slice_of(text, size));
    for (int i = 0; i < (argc > 4 ? atoi(argv[4]) : 3); i++) {
        round_of(&b, false);
        round_of(&b, true);
    }
    arena_fini(&b.texts);
    return 0;
}
