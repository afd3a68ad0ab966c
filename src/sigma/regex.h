/* regex: searching with a regular expression in linear time, whatever the pattern.
 *
 *     struct regex *re;
 *     TRY(regex_compile(&arena, SLICE("-enc\\s+[A-Za-z0-9]{20,}"), 0, &re, diag));
 *     enum verdict v = regex_search(re, cache, text);
 *
 * The syntax is the subset of PCRE that the Sigma Rules Specification 2.1 names: alternation,
 * groups (also non-capturing, named and with inline flags), classes with ranges, negation and the
 * POSIX names, \d \w \s \b and their negations, \xHH \x{...} \uHHHH \t and the like, anchors,
 * greedy, lazy and counted repetition. What cannot be had in linear time (back-references,
 * look-around, atomic groups, possessive repetition) is refused by name with its column. `.` and
 * classes match code points of UTF-8. \d \w \s are ASCII, as in PCRE without UCP.
 *
 * Compiled to a byte automaton; determinised lazily in a bounded per-thread cache that is emptied
 * when full, with a simulation of the whole automaton as the last resort. A program has at most
 * REGEX_PROGRAM_LIMIT instructions; a search that would take over REGEX_WORK_LIMIT steps ends as
 * VERDICT_UNDETERMINED, never as "no". */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "sigma/verdict.h"

enum { REGEX_NOCASE = 1, REGEX_MULTILINE = 2, REGEX_DOTALL = 4 };
enum { REGEX_PROGRAM_LIMIT = 50000, REGEX_PATTERN_LIMIT = 64 * 1024, REGEX_GROUP_DEPTH = 250 };
#define REGEX_WORK_LIMIT ((uint64_t)1 << 27)

struct regex;       /* immutable, shared between threads */
struct regex_cache; /* one a thread, for any number of regexes */

/* Everything lives in the arena. ERR_SYNTAX, ERR_UNSUPPORTED or ERR_LIMIT: diag->column is the
 * place in the pattern, from 1. */
enum err regex_compile(struct arena *arena, struct slice pattern, unsigned flags,
        struct regex **out, struct diag *diag) MUST_CHECK;

/* memory_bytes: bound on what the automata of all regexes may take; 0: search by simulation alone.
 * Beside it the cache holds working memory of 5 bytes an instruction of the largest program that it
 * searched with. NULL: no memory. */
struct regex_cache *regex_cache_new(size_t memory_bytes);
void regex_cache_free(struct regex_cache *cache);

/* Does the pattern match anywhere in the text (UTF-8; other bytes match only `.`-like negated
 * classes)? */
enum verdict regex_search(const struct regex *re, struct regex_cache *cache, struct slice text);

/* Literals of which at least one stands in every text that matches, without regard to ASCII case
 * (folded by base/fold.h; compare in folded text). Count 0: none known. Chosen so that the
 * shortest is as long as possible; at most REGEX_LITERALS. */
enum { REGEX_LITERALS = 64 };
const struct slice *regex_literals(const struct regex *re, size_t *count);
