/* Whatever a selection matches satisfies its needs: random selections over random records. And
 * needs are not weaker than they must be, by examples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "event/decoder.h"
#include "event/field.h"
#include "hunt/query_run.h"
#include "support/need.h"

static struct taxonomy *taxonomy;

/* ---- words --------------------------------------------------------------------------------- */

static void write_need(const struct query_need *need, struct buf *out)
{
    static const char *const words[] = {"any", "and", "or", "present", "=", "^", "$", "~"};
    buf_add(out, slice_text(words[need->kind]));
    if (need->kind == NEED_AND || need->kind == NEED_OR) {
        buf_byte(out, '(');
        for (uint32_t i = 0; i < need->count; i++) {
            buf_add(out, i ? SLICE(" ") : SLICE(""));
            write_need(need->children[i], out);
        }
        buf_byte(out, ')');
    } else if (need->kind != NEED_NOTHING) {
        assert_int_equal(need->number == FIELD_NONE, need->field.size == 0);
        buf_add(out, need->field);
        buf_byte(out, ':');
        buf_add(out, need->text);
    }
}

static void check(const char *text, const char *want)
{
    struct query *query;
    struct buf out = {0};
    assert_int_equal(query_new(slice_text(text), taxonomy, &query, NULL), OK);
    write_need(query_scan(query, 0)->needs, &out);
    buf_byte(&out, 0);
    assert_string_equal(out.at, want);
    buf_fini(&out);
    query_free(query);
}

static void needs_are_what_the_condition_says(void **state)
{
    (void)state;
    check("Image|endswith: '\\A.exe' and not User: 'x'", "$Image:\\a.exe");
    check("EventID: 1 or 'WhoAmI'", "or(presentEventID: ~:whoami)");
    check("EventID: 1 or not 'x'", "any");
    check("A: [x, 'y*', '*z', '*m*']", "or(=A:x ^A:y $A:z ~A:m)");
    check("A|contains|all: [x, y] and B|cased: Q", "and(and(~A:x ~A:y) =B:q)");
    check("A: 'a*longest?b'", "~A:longest");
    check("A: 'first*b'", "^A:first");
    check("A: 'a?last'", "$A:last");
    check("A: '?*'", "presentA:");
    check("A: null or B: ''", "any");
    check("A|re: 'x' and B|cidr: 10.0.0.0/8 and C|gt: 5", "and(presentA: presentB: presentC:)");
    check("A|exists: true", "any");
    check("|all: [a, b]", "and(~:a ~:b)");
    check("| count", "any");
    check("A: x | where B: y | since 2026-01-01 | head 3 | where C: z", "and(=A:x =B:y)");
    check("from category: process_creation | Image: x and Zzz: y", "and(=:x =Zzz:y)");
}

/* ---- random selections over random records --------------------------------------------------- */

/* Numbers that look random and are the same for the same seed. */
struct dice {
    uint64_t state;
};

static uint32_t dice_below(struct dice *dice, uint32_t n)
{
    dice->state += 0x9E3779B97F4A7C15u;
    return (uint32_t)((hash_mix(dice->state, 0xBF58476D1CE4E5B9u) >> 20) % n);
}

static const char *const words[] = {"a", "B", "ab", "b\\\\c", "10", "-1.5", "abc", "\xC3\x84", "k"};
enum { WORDS = sizeof words / sizeof *words };

static const char *word(struct dice *dice)
{
    return words[dice_below(dice, WORDS)];
}

static void make_test(struct dice *dice, struct buf *out)
{
    static const char *const tests[] = {": '%s'", "|contains: '%s'", "|startswith: '%s'",
            "|endswith: '%s'", "|re: '.*%s'", "|cased: '%s'", ": '*%s?'", ": '%s*'", ": '*%s*%s'",
            "|gt: 3", ": null", "|exists: true", ": '*'", ": ''", ": 10", "|fieldref: C",
            "|contains|all: ['%s', '%s']", ": ['%s', '%s*']"};
    if (dice_below(dice, 4) == 0) {
        buf_format(out, "'%s'", word(dice));
        return;
    }
    const char *format = tests[dice_below(dice, sizeof tests / sizeof *tests)];
    buf_byte(out, "ABCD"[dice_below(dice, 4)]);
    for (const char *at = format; *at; at++) {
        if (at[0] == '%') {
            buf_add(out, slice_text(word(dice)));
            at++;
        } else {
            buf_byte(out, *at);
        }
    }
}

static void make_selection(struct dice *dice, struct buf *out)
{
    uint32_t depth = 0;
    for (uint32_t left = 1 + (uint32_t)dice_below(dice, 5); left > 0; left--) {
        buf_add(out, dice_below(dice, 4) == 0 ? SLICE("not ") : SLICE(""));
        if (dice_below(dice, 3) == 0) {
            buf_byte(out, '(');
            depth++;
        }
        make_test(dice, out);
        if (depth && (left == 1 || dice_below(dice, 2))) {
            for (; depth; depth--) {
                buf_byte(out, ')');
            }
        }
        if (left > 1) {
            buf_add(out, dice_below(dice, 2) ? SLICE(" and ") : SLICE(" or "));
        }
    }
}

static void make_record(struct dice *dice, struct buf *out)
{
    buf_byte(out, '{');
    for (int i = 0; i < 4; i++) {
        buf_format(out, "%s\"%c\":", i ? "," : "", "ABCX"[i]);
        switch (dice_below(dice, 7)) {
        case 0:
            buf_add(out, SLICE("null"));
            break;
        case 1:
            buf_add(out, SLICE("{}"));
            break;
        case 2:
            buf_format(out, "%d", (int)dice_below(dice, 12));
            break;
        case 3:
            buf_format(out, "[\"%s\",\"%s%s\"]", word(dice), word(dice), word(dice));
            break;
        case 4:
            buf_add(out, SLICE("\"\""));
            break;
        default:
            buf_format(out, "\"%s%s\"", word(dice), dice_below(dice, 2) ? word(dice) : "");
        }
    }
    buf_add(out, SLICE("}\n"));
}

struct tally {
    uint64_t matched, refused;
};

static enum err drop(void *context, const struct row_cell *cells, uint32_t width, struct diag *diag)
{
    (void)context, (void)cells, (void)width, (void)diag;
    return OK;
}

static void try_records(const struct query *query, struct slice lines, struct tally *tally)
{
    struct decode_limits limits = DECODE_LIMITS;
    struct query_run_options options = {1 << 20, drop, NULL, false};
    const struct query_scan *scan = query_scan(query, 0);
    const struct decoder *decoder = NULL;
    struct query_run *run;
    struct reader *reader;
    struct event event;
    for (size_t i = 0; i < decoders_count; i++) {
        decoder = strcmp(decoders[i]->name, "json") == 0 ? decoders[i] : decoder;
    }
    assert_int_equal(query_run_new(query, &options, &run, NULL), OK);
    assert_int_equal(query_run_begin(run, 0, NULL), OK);
    assert_int_equal(decoder->reader_new(scan->paths, &limits, &reader), OK);
    assert_int_equal(event_init(&event, scan->field_count), OK);
    decoder->begin(reader, lines, (struct slice){0});
    while (decoder->next(reader, &event, NULL) == OK) {
        uint64_t before = query_run_counts(run).matched;
        struct query_event row = {&event, SLICE(""), SLICE("")};
        assert_int_equal(query_run_event(run, &row, NULL), OK);
        bool matched = query_run_counts(run).matched > before;
        bool needed = need_holds(scan->needs, &event);
        if (matched && !needed) {
            print_error("matched: %.*s", SLICE_ARG(event.raw));
            fail();
        }
        tally->matched += matched;
        tally->refused += !needed;
    }
    event_fini(&event);
    decoder->reader_free(reader);
    query_run_free(run);
}

static void what_matches_satisfies_the_needs(void **state)
{
    struct tally tally = {0};
    (void)state;
    for (uint64_t seed = 1; seed <= 600; seed++) {
        struct dice dice = {seed << 32};
        struct buf text = {0}, lines = {0};
        struct query *query;
        struct diag diag = {0};
        make_selection(&dice, &text);
        for (int i = 0; i < 40; i++) {
            make_record(&dice, &lines);
        }
        size_t size = lines.size;
        for (int i = 0; i < 64; i++) {
            buf_byte(&lines, 0);
        }
        if (query_new(buf_slice(&text), taxonomy, &query, &diag) != OK) {
            print_error("%.*s: %s\n", SLICE_ARG(buf_slice(&text)), diag.words);
            fail();
        }
        uint64_t before = tally.matched;
        try_records(query, slice_of(lines.at, size), &tally);
        assert_true(tally.matched - before <= 40);
        query_free(query);
        buf_fini(&text);
        buf_fini(&lines);
    }
    assert_true(tally.matched > 2000 && tally.refused > 2000);
}

static int begin(void **state)
{
    (void)state;
    return taxonomy_new(&taxonomy) == OK && taxonomy_add_builtin(taxonomy, NULL) == OK ? 0 : 1;
}

static int end(void **state)
{
    (void)state;
    taxonomy_free(taxonomy);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(needs_are_what_the_condition_says),
            cmocka_unit_test(what_matches_satisfies_the_needs),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
