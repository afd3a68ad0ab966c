#include "sigma/regex.h"

#include <stdatomic.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "sigma/regex_dfa.h"
#include "sigma/regex_literal.h"
#include "sigma/regex_parse.h"
#include "sigma/regex_program.h"

struct regex {
    uint64_t id; /* of the process: a freed regex's place may be taken by another */
    struct regex_program program;
    const struct slice *literals;
    size_t literal_count;
};

struct regex_cache {
    struct regex_dfa_pool pool;
};

/* While compiling; a pattern of 64 KiB takes well under this. */
enum { SCRATCH_LIMIT = 256 << 20 };

static enum err compile(struct arena *arena, struct arena *scratch,
        const struct regex_parsed *parsed, struct regex **out)
{
    static _Atomic uint64_t ids;
    struct regex *re = ARENA_NEW(arena, struct regex);
    if (!re) {
        return ERR_MEMORY;
    }
    TRY(regex_program_build(arena, scratch, parsed, &re->program));
    TRY(regex_literal_find(arena, scratch, parsed->root, &re->literals, &re->literal_count));
    re->id = atomic_fetch_add_explicit(&ids, 1, memory_order_relaxed);
    *out = re;
    return OK;
}

enum err regex_compile(struct arena *arena, struct slice pattern, unsigned flags,
        struct regex **out, struct diag *diag)
{
    struct arena scratch;
    arena_init(&scratch, SCRATCH_LIMIT);
    struct regex_parsed parsed = {0};
    enum err e = regex_parse(&scratch, pattern, flags, &parsed, diag);
    if (e == OK) {
        e = compile(arena, &scratch, &parsed, out);
        if (e == ERR_MEMORY) {
            (void)diag_say(diag, e, "no memory for the regular expression");
        }
    }
    arena_fini(&scratch);
    return e;
}

struct regex_cache *regex_cache_new(size_t memory_bytes)
{
    struct regex_cache *cache = memory_alloc(sizeof *cache);
    if (cache) {
        cache->pool =
                (struct regex_dfa_pool){.limit = memory_bytes, .work_limit = REGEX_WORK_LIMIT};
    }
    return cache;
}

void regex_cache_free(struct regex_cache *cache)
{
    if (cache) {
        regex_dfa_fini(&cache->pool);
        memory_free(cache);
    }
}

/* Text that is not UTF-8, piece by piece: each byte that is part of none becomes
 * REGEX_BYTES_INVALID, as the program expects it. */
static enum regex_dfa_end search_broken(struct regex_dfa_run *run, struct slice text)
{
    char piece[1024];
    size_t at = 0;
    while (at < text.size) {
        size_t used = 0;
        while (at < text.size && used + 4 <= sizeof piece) {
            size_t n = utf8_sequence(text.at + at, text.size - at);
            if (n == 0) {
                piece[used++] = (char)REGEX_BYTES_INVALID;
                at++;
            } else {
                memcpy(piece + used, text.at + at, n);
                used += n;
                at += n;
            }
        }
        enum regex_dfa_end end = regex_dfa_bytes(run, slice_of(piece, used));
        if (end != REGEX_DFA_ON) {
            return end;
        }
    }
    return REGEX_DFA_ON;
}

static enum regex_dfa_end search(struct regex_dfa_run *run, struct slice text)
{
    const struct regex_program *program = run->program;
    bool newline = text.size > 0 && text.at[text.size - 1] == '\n';
    struct slice rest = slice_of(text.at, text.size - newline);
    enum regex_dfa_end end = program->wide && !utf8_valid(rest) ? search_broken(run, rest)
                                                                : regex_dfa_bytes(run, rest);
    if (end == REGEX_DFA_ON && newline) {
        end = regex_dfa_symbol(run, program->newline);
    }
    return end == REGEX_DFA_ON ? regex_dfa_symbol(run, program->end) : end;
}

enum verdict regex_search(const struct regex *re, struct regex_cache *cache, struct slice text)
{
    if (text.size < re->program.least) {
        return VERDICT_NO;
    }
    struct regex_dfa_run run;
    if (regex_dfa_start(&run, &cache->pool, &re->program, re->id) != OK) {
        return VERDICT_UNDETERMINED;
    }
    switch (search(&run, text)) {
    case REGEX_DFA_MATCH:
        return VERDICT_YES;
    case REGEX_DFA_DEAD:
        return VERDICT_NO;
    default:
        return VERDICT_UNDETERMINED;
    }
}

const struct slice *regex_literals(const struct regex *re, size_t *count)
{
    *count = re->literal_count;
    return re->literals;
}
