#include "sigma/ruleset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/memory.h"
#include "sigma/filter.h"
#include "sigma/tree.h"

#define HEAD "title: t\nlogsource: {category: test}\n"

static struct ruleset *load_with(const char *text, const char *placeholders)
{
    struct ruleset_options options = {.threads = 1};
    struct ruleset *set = NULL;
    struct diag diag = {0};
    if (placeholders) {
        options.placeholders = slice_text(placeholders);
    }
    assert_int_equal(ruleset_new(&options, &set, &diag), OK);
    assert_int_equal(ruleset_load_text(set, SLICE("f.yml"), slice_text(text), &diag), OK);
    assert_int_equal(ruleset_finish(set, &diag), OK);
    return set;
}

static struct ruleset *load(const char *text)
{
    return load_with(text, NULL);
}

/* The conditions of all rules, a line each; then the problems. */
static void describe(const struct ruleset *set, struct buf *out)
{
    for (uint32_t i = 0; i < set->rule_count; i++) {
        tree_write(set->rules[i]->condition, set->predicates, set->fields, out);
        buf_byte(out, '\n');
    }
    for (uint32_t i = 0; i < set->problem_count; i++) {
        const struct ruleset_problem *p = &set->problems[i];
        buf_format(out, "%u:%u %s: %.*s\n", p->line, p->column, err_name(p->err),
                SLICE_ARG(p->reason));
    }
}

static void assert_described(struct ruleset *set, const char *name, const char *want)
{
    struct buf out = {0};
    describe(set, &out);
    buf_byte(&out, '\0');
    if (strcmp(out.at, want) != 0) {
        fail_msg("%s\ngives\n%swants\n%s", name, out.at, want);
    }
    buf_fini(&out);
    ruleset_free(set);
}

struct reading {
    const char *detection; /* what stands below `detection:`, or a whole text */
    const char *want;
};

static void assert_readings(const struct reading *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct buf text = {0};
        buf_format(&text, "%sdetection:\n%s\n", HEAD, cases[i].detection);
        buf_byte(&text, '\0');
        assert_described(load(text.at), cases[i].detection, cases[i].want);
        buf_fini(&text);
    }
}

#define ASSERT_READINGS(cases) assert_readings(cases, sizeof(cases) / sizeof(cases)[0])

static void lists_and_maps_are_linked_as_specified(void **state)
{
    (void)state;
    static const struct reading cases[] = {
            {" s: {A: x, B: 1}\n condition: s", "A is 'x' and B is number 1\n"},
            {" s: {A: [x, y]}\n condition: s", "A is 'x' or A is 'y'\n"},
            {" s: [{A: x}, {B: y, C: z}]\n condition: s", "A is 'x' or (B is 'y' and C is 'z')\n"},
            {" s: [x, y*z]\n condition: s",
                    "any field contains 'x' or any field is like '*y*z*'\n"},
            {" s: x\n condition: s", "any field contains 'x'\n"},
            {" s: [x, {A: y}, [z, {B: w}]]\n condition: s",
                    "any field contains 'x' or A is 'y' or any field contains 'z' or B is 'w'\n"},
            {" s: {'|all': [x, y]}\n condition: s",
                    "any field contains 'x' and any field contains 'y'\n"},
            {" s: [1, true]\n condition: s",
                    "any field contains '1' or any field contains 'true'\n"},
            {" s: ['', '*']\n condition: s", "any field is present or any field is present\n"},
            {" s: {'|re': a.c}\n condition: s", "any field re 'a.c'\n"},
            {" s: {'|startswith': ab}\n condition: s", "any field startswith 'ab'\n"},
            {" s: {field A: x}\n condition: s", "field A is 'x'\n"},
    };
    ASSERT_READINGS(cases);
}

static void values_become_the_tests_they_mean(void **state)
{
    (void)state;
    static const struct reading cases[] = {
            {" s: {A: ''}\n condition: s", "A is ''\n"},
            {" s: {A: null}\n condition: s", "A is null\n"},
            {" s: {A: '*'}\n condition: s", "A is present\n"},
            {" s: {A: '**'}\n condition: s", "A is present\n"},
            {" s: {A: TRUE}\n condition: s", "A is 'true'\n"},
            {" s: {A: AbC}\n condition: s", "A is 'abc'\n"},
            {" s: {A: 'x*'}\n condition: s", "A startswith 'x'\n"},
            {" s: {A: '*x'}\n condition: s", "A endswith 'x'\n"},
            {" s: {A: '*x*'}\n condition: s", "A contains 'x'\n"},
            {" s: {A: '?x'}\n condition: s", "A is like '?x'\n"},
            {" s: {A: '*?x'}\n condition: s", "A is like '?*x'\n"},
            {" s: {A: 'a\\*b\\?c\\\\d\\e'}\n condition: s", "A is 'a*b?c\\d\\e'\n"},
            {" s: {A: 'C:\\\\*'}\n condition: s", "A startswith 'c:\\'\n"},
            {" s: {A: 1.0}\n condition: s", "A is number 1\n"},
            {" s: {A: 0.5}\n condition: s", "A is number 0.5\n"},
            {" s: {A: '1'}\n condition: s", "A is '1'\n"},
            {" s: {A: 9223372036854775807}\n condition: s", "A is number 9223372036854775807\n"},
            {" s: {A: .inf}\n condition: s", "A is '.inf'\n"},
    };
    ASSERT_READINGS(cases);
}

static void modifiers_do_what_they_say(void **state)
{
    (void)state;
    static const struct reading cases[] = {
            {" s: {A|contains: x}\n condition: s", "A contains 'x'\n"},
            {" s: {A|contains: ''}\n condition: s", "A is present\n"},
            {" s: {A|startswith: 'a*b'}\n condition: s", "A is like 'a*b*'\n"},
            {" s: {A|endswith: 'a?'}\n condition: s", "A is like '*a?'\n"},
            {" s: {A|startswith|endswith: x}\n condition: s", "A contains 'x'\n"},
            {" s: {A|contains: 41}\n condition: s", "A contains '41'\n"},
            {" s: {A|contains|all: [x, y]}\n condition: s", "A contains 'x' and A contains 'y'\n"},
            {" s: {A|all: x}\n condition: s", "A is 'x'\n"},
            {" s: {A|contains|cased: Xy}\n condition: s", "A contains cased 'Xy'\n"},
            {" s: {A|neq: x}\n condition: s", "not A is 'x'\n"},
            {" s: {A|contains|all|neq: [x, y]}\n condition: s",
                    "not (A contains 'x' and A contains 'y')\n"},
            {" s: {A|exists: true}\n condition: s", "A exists\n"},
            {" s: {A|exists: false}\n condition: s", "not A exists\n"},
            {" s: {A|re: 'a\\.b*'}\n condition: s", "A re 'a\\.b*'\n"},
            {" s: {A|re|i|m|s: x}\n condition: s", "A re|i|m|s 'x'\n"},
            {" s: {A|re|contains: x}\n condition: s", "A re 'x'\n"},
            {" s: {A|re|startswith: x|y}\n condition: s", "A re '\\A(?:x|y)'\n"},
            {" s: {A|re|endswith: x|y}\n condition: s", "A re '(?:x|y)\\z'\n"},
            {" s: {A|cidr: 10.1.2.3/8}\n condition: s", "A cidr 10.0.0.0/8\n"},
            {" s: {A|cidr: '2001:DB8::1/32'}\n condition: s", "A cidr 2001:db8::/32\n"},
            {" s: {A|lt: 5, B|lte: '5', C|gt: 0.5, D|gte: -1}\n condition: s",
                    "A lt 5 and B lte 5 and C gt 0.5 and D gte -1\n"},
            {" s: {A|minute: 1, B|hour: 2, C|day: 3, D|week: 4, E|month: 5, F|year: 2024}\n"
             " condition: s",
                    "A minute 1 and B hour 2 and C day 3 and D week 4 and E month 5 and "
                    "F year 2024\n"},
            {" s: {A|fieldref: B}\n condition: s", "A is field B\n"},
            {" s: {A|fieldref|startswith: B}\n condition: s", "A startswith field B\n"},
            {" s: {A|fieldref|endswith: B}\n condition: s", "A endswith field B\n"},
            {" s: {A|fieldref|contains|cased: B}\n condition: s", "A contains field cased B\n"},
            {" s: {A|fieldref|neq: B}\n condition: s", "not A is field B\n"},
            {" s: {A|windash|contains: ' -a'}\n condition: s",
                    "A contains ' -a' or A contains ' /a' or A contains ' \xE2\x80\x93"
                    "a' or A contains ' \xE2\x80\x94"
                    "a' or A contains ' \xE2\x80\x95"
                    "a'\n"},
            {" s: {A|windash: a-b}\n condition: s", "A is 'a-b'\n"},
            {" s: {A|base64: foobar}\n condition: s", "A is 'zm9vymfy'\n"},
            {" s: {A|base64|cased: foobar}\n condition: s", "A is cased 'Zm9vYmFy'\n"},
            {" s: {A|cased|base64offset|contains: foobar}\n condition: s",
                    "A contains cased 'Zm9vYmFy' or A contains cased 'Zvb2Jhc' or "
                    "A contains cased 'mb29iYX'\n"},
            {" s: {A|wide|base64|cased: ab}\n condition: s", "A is cased 'YQBiAA=='\n"},
            {" s: {A|utf16le|base64|cased: ab}\n condition: s", "A is cased 'YQBiAA=='\n"},
            {" s: {A|utf16be|base64|cased: ab}\n condition: s", "A is cased 'AGEAYg=='\n"},
            {" s: {A|utf16|base64|cased: ab}\n condition: s", "A is cased '//5hAGIA'\n"},
            {" s: {A|wide|base64|cased: \xF0\x9F\x98\x80}\n condition: s",
                    "A is cased 'PdgA3g=='\n"},
            {" s: {A|base64|base64|cased: a}\n condition: s", "A is cased 'WVE9PQ=='\n"},
    };
    ASSERT_READINGS(cases);
}

static void conditions_bind_as_specified(void **state)
{
    (void)state;
#define FOUR " a: {A: 1}\n b: {B: 1}\n _c: {C: 1}\n ab: {D: 1}\n condition: "
#define A "A is number 1"
#define B "B is number 1"
#define C "C is number 1"
#define D "D is number 1"
    static const struct reading cases[] = {
            {FOUR "a or b and not ab", A " or (" B " and not " D ")\n"},
            {FOUR "(a or b) and ab", "(" A " or " B ") and " D "\n"},
            {FOUR "not a or b", "not " A " or " B "\n"},
            {FOUR "not not a", A "\n"},
            {FOUR "not (a and b)", "not (" A " and " B ")\n"},
            {FOUR "not(not(a))", "not not " A "\n"},
            {FOUR "((a))", A "\n"},
            {FOUR "a AND b Or ab", "(" A " and " B ") or " D "\n"},
            {FOUR "1 of them", A " or " B " or " D "\n"},
            {FOUR "any of them", A " or " B " or " D "\n"},
            {FOUR "all of them", A " and " B " and " D "\n"},
            {FOUR "2 of them", "2 of (" A ", " B ", " D ")\n"},
            {FOUR "3 of them", A " and " B " and " D "\n"},
            {FOUR "4 of them", "never\n"},
            {FOUR "1 of a*", A " or " D "\n"},
            {FOUR "all of *b", B " and " D "\n"},
            {FOUR "1 of a", A "\n"},
            {FOUR "1 of x*", "never\n"},
            {FOUR "all of x*", "never\n"},
            {FOUR "a and not 1 of x*", A " and not never\n"},
            {FOUR "1 of _*", "never\n"},
            {FOUR "_c", C "\n"},
            {FOUR "[a, b and ab]", A " or (" B " and " D ")\n"},
            {" 1: {A: 1}\n all: {B: 1}\n condition: 1 or all", A " or " B "\n"},
            {" a: {A: 1}\n timeframe: 5m\n condition: 1 of them", A "\n"},
    };
    ASSERT_READINGS(cases);
}

static const struct reading faults[] = {
        {" s: {A|conatins: x}\n condition: s", "4:6 syntax error: unknown modifier 'conatins'\n"},
        {" s: {A|: x}\n condition: s", "4:6 syntax error: unknown modifier ''\n"},
        {" s: {A: x}\n condition: s and t",
                "5:19 not found: condition: unknown search identifier 't'\n"},
        {" s: {A: x}\n condition: 1 of t",
                "5:18 not found: condition: unknown search identifier 't'\n"},
        {" s: {A: x}\n condition: 0 of s*",
                "5:13 syntax error: condition: expected 1, any, all or a number before 'of', "
                "not '0'\n"},
        {" s: {A: x}\n condition: s and",
                "5:18 syntax error: condition: ends where an operand is expected\n"},
        {" s: {A: x}\n condition: (s", "5:13 syntax error: condition: '(' without ')'\n"},
        {" s: {A: x}\n condition: s)", "5:14 syntax error: condition: ')' without '('\n"},
        {" s: {A: x}\n condition: s s",
                "5:15 syntax error: condition: expected 'and', 'or' or the end, not 's'\n"},
        {" s: {A: x}\n condition: ''",
                "5:14 syntax error: condition: ends where an operand is expected\n"},
        {" s: {A: x}\n condition: s | count() > 5",
                "5:15 unsupported: condition: aggregation after '|' was replaced by "
                "correlation rules\n"},
        {" s: {A: x}", "4:2 syntax error: no condition\n"},
        {" condition: s", "4:2 syntax error: no search identifier\n"},
        {" s: {}\n condition: s", "4:5 syntax error: empty map in a detection\n"},
        {" s: []\n condition: s", "4:5 syntax error: empty list in a detection\n"},
        {" s:\n condition: s", "4:4 syntax error: empty search identifier\n"},
        {" s: {A: []}\n condition: s", "4:9 syntax error: empty list of values\n"},
        {" s: {A: {B: c}}\n condition: s",
                "4:9 syntax error: expected a value or a list of values\n"},
        {" s: [null]\n condition: s", "4:6 syntax error: null needs a field\n"},
        {" s: {'|exists': true}\n condition: s",
                "4:17 syntax error: modifier 'exists' needs a field\n"},
        {" s: {A|exists: x}\n condition: s",
                "4:16 syntax error: modifier 'exists' does not apply to a text\n"},
        {" s: {A|contains: null}\n condition: s",
                "4:18 syntax error: modifier 'contains' does not apply to null\n"},
        {" s: {A|contains|re: x}\n condition: s",
                "4:6 syntax error: modifier 're' must stand before 'contains': it takes the "
                "value as written\n"},
        {" s: {A|i: x}\n condition: s",
                "4:11 syntax error: modifier 'i' does not apply to a text\n"},
        {" s: {A|cidr: 10.0.0.0/33}\n condition: s",
                "4:14 syntax error: modifier 'cidr': value is not a network (a.b.c.d/n or "
                "v6/n)\n"},
        {" s: {A|lt: x}\n condition: s",
                "4:12 syntax error: modifier 'lt': value is not a number\n"},
        {" s: {A|hour: 1.5}\n condition: s",
                "4:14 syntax error: modifier 'hour': value is not a whole number\n"},
        {" s: {A|base64: 'a*'}\n condition: s",
                "4:16 syntax error: modifier 'base64': wildcards cannot be encoded\n"},
        {" s: {A|contains|base64: a}\n condition: s",
                "4:25 syntax error: modifier 'base64': wildcards cannot be encoded\n"},
        {" s: {A|wide: \xC3\xA9}\n condition: s",
                "4:14 syntax error: UTF-16 of other text than ASCII needs base64 behind it\n"},
        {" s: {A|expand: '%x%'}\n condition: s",
                "4:16 not found: placeholder '%x%' has no value\n"},
        {" s: {A|fieldref: 'x*'}\n condition: s",
                "4:18 syntax error: modifier 'fieldref': a field's name has no wildcards\n"},
        {" s: {A: x}\n t: {A|bad: x}\n condition: s", "5:6 syntax error: unknown modifier 'bad'\n"},
};

static void faults_are_named_with_their_place(void **state)
{
    (void)state;
    ASSERT_READINGS(faults);
}

/* The words are those of sigma/regex.h. */
static void a_bad_regex_is_named_with_its_character(void **state)
{
    (void)state;
    struct ruleset *set = load(HEAD "detection:\n s: {A|re: 'a('}\n condition: s\n");
    assert_int_equal(set->problem_count, 1);
    assert_int_equal(set->problems[0].line, 4);
    assert_int_equal(set->problems[0].column, 12);
    assert_int_equal(set->problems[0].err, ERR_SYNTAX);
    assert_true(slice_starts(set->problems[0].reason, SLICE("regular expression, character 2: ")));
    ruleset_free(set);
}

static void documents_that_are_no_rules_are_named(void **state)
{
    (void)state;
    static const struct reading cases[] = {
            {"- a\n", "1:1 syntax error: not a map, hence no Sigma rule\n"},
            {"a: 1\n", "1:1 syntax error: neither detection nor filter nor correlation\n"},
            {"detection: {s: {A: x}, condition: s}\nlogsource: {product: x}\n",
                    "1:1 syntax error: no title\n"},
            {"title: x\ndetection: {s: {A: x}, condition: s}\n",
                    "1:1 syntax error: no logsource\n"},
            {"title: x\nlogsource: {definition: x}\ndetection: {s: {A: x}, condition: s}\n",
                    "2:12 syntax error: logsource has neither category nor product nor service\n"},
            {HEAD "level: hihg\ndetection: {s: {A: x}, condition: s}\n",
                    "3:8 syntax error: level 'hihg' is none of informational, low, medium, high, "
                    "critical\n"},
            {HEAD "detection: x\n", "3:12 syntax error: detection is not a map\n"},
            {"title: x\ncorrelation: {type: event_count}\n",
                    "2:14 syntax error: correlation: no rules\n"},
            {HEAD "detection: {s: {A: x, A: y}, condition: s}\n",
                    "3:23 syntax error: key 'A' stands twice in this map\n"},
            {HEAD "detection: {s: {A: x}, condition: s}\n---\na: ]\n",
                    "A is 'x'\n5:4 syntax error: did not find expected node content\n"},
            {"\n---\n# nothing\n---\n" HEAD "detection: {s: {A: x}, condition: s}\n", "A is 'x'\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_described(load(cases[i].detection), cases[i].detection, cases[i].want);
    }
}

static void a_bad_rule_does_not_stop_the_others(void **state)
{
    (void)state;
    assert_described(
            load("title: a\nlogsource: {product: p}\ndetection: {s: {A: x}, condition: t}\n"
                 "---\n" HEAD "detection: {s: {B: y}, condition: s}\n"),
            "two documents",
            "B is 'y'\n3:35 not found: condition: unknown search identifier 't'\n");
}

static void placeholders_expand_to_their_values(void **state)
{
    (void)state;
    static const char *const values = "one: x*\nmany: [a, 'b?']\nnumber: 7\n";
    static const struct reading cases[] = {
            {"A|expand: '%one%'", "A startswith 'x'\n"},
            {"A|expand: '%many%'", "A is 'a' or A is like 'b?'\n"},
            {"A|expand: '1%many%2%number%3'", "A is '1a273' or A is like '1b?273'\n"},
            {"A|contains|expand: '%number%'", "A contains '7'\n"},
            {"A|expand|contains: '%number%'", "A contains '7'\n"},
            {"A|expand|all: ['%many%', '%number%']", "(A is 'a' or A is like 'b?') and A is '7'\n"},
            {"A|expand: '\\%plain%number%'", "A is '%plain7'\n"},
            {"A|expand: '50%'", "A is '50%'\n"},
            {"A|expand: '%a b%'", "A is '%a b%'\n"},
            {"A|re|expand: '^%one%$'", "A re '^x*$'\n"},
            {"A: '%one%'", "A is '%one%'\n"},
            {"A|expand: '%none%'", "4:17 not found: placeholder '%none%' has no value\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf text = {0};
        buf_format(&text, "%sdetection:\n  s: {%s}\n  condition: s\n", HEAD, cases[i].detection);
        buf_byte(&text, '\0');
        assert_described(load_with(text.at, values), cases[i].detection, cases[i].want);
        buf_fini(&text);
    }
}

static void bad_placeholder_files_are_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
            "- a", "a: {b: c}", "a: []", "a:", "a: [[b]]", "a: ]", "a: 1\n---\nb: 1"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ruleset_options options = {.placeholders = slice_text(cases[i])};
        struct ruleset *set = NULL;
        struct diag diag = {0};
        assert_int_equal(ruleset_new(&options, &set, &diag), ERR_SYNTAX);
        assert_null(set);
        assert_true(diag.words[0]);
    }
}

static void actions_share_content_between_documents(void **state)
{
    (void)state;
    assert_described(load("action: global\ntitle: g\nlogsource: {product: p}\n"
                          "detection: {s: {A: x}, condition: s and t}\n"
                          "---\ndetection: {t: {B: 1}}\n"
                          "---\naction: repeat\ndetection: {t: {B: 2}}\n"
                          "---\naction: reset\n"
                          "---\n" HEAD "detection: {s: {C: x}, condition: s}\n"),
            "actions", "A is 'x' and B is number 1\nA is 'x' and B is number 2\nC is 'x'\n");
    assert_described(load("action: repeat\n"), "repeat",
            "1:1 syntax error: action 'repeat' without a rule before it\n");
    assert_described(load("action: x\n"), "x", "1:1 syntax error: unknown action 'x'\n");
}

#define RULE                                                                                       \
    "title: r\nid: I-1\nname: n\nlogsource: {product: p, category: c}\n"                           \
    "detection: {s: {A: x}, condition: s}\n---\n"
#define FILTER(source, rules)                                                                      \
    "title: f\nlogsource: {" source "}\nfilter: {rules: " rules ", s: {B: y}, condition: not s}\n"

static void filters_are_laid_over_the_rules_they_name(void **state)
{
    (void)state;
    static const struct reading cases[] = {
            {RULE FILTER("product: p", "[i-1]"), "A is 'x' and not B is 'y'\n"},
            {RULE FILTER("product: p", "[n]"), "A is 'x' and not B is 'y'\n"},
            {RULE FILTER("product: p", "n"), "A is 'x' and not B is 'y'\n"},
            {RULE FILTER("product: p", "any"), "A is 'x' and not B is 'y'\n"},
            {RULE FILTER("product: p", "[]"), "A is 'x' and not B is 'y'\n"},
            {RULE FILTER("product: p, category: c", "any"), "A is 'x' and not B is 'y'\n"},
            {RULE FILTER("product: p", "[r]"), "A is 'x'\n"},
            {RULE FILTER("product: q", "any"), "A is 'x'\n"},
            {RULE FILTER("service: s", "any"), "A is 'x'\n"},
            {RULE "title: f\nlogsource: {product: p}\nfilter: {s: {B: y}, condition: s}\n",
                    "A is 'x'\n9:9 syntax error: filter: 'rules' is not a list of rules or "
                    "'any'\n"},
            {RULE FILTER("product: p", "any") "---\n" FILTER("product: p", "any"),
                    "A is 'x' and not B is 'y' and not B is 'y'\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_described(load(cases[i].detection), cases[i].detection, cases[i].want);
    }
}

/* ---- hashes -------------------------------------------------------------------------------- */

static void hash_of(const char *source, const char *detection, char out[65])
{
    struct buf text = {0};
    buf_format(&text, "title: t\nlogsource: {%s}\ndetection:\n%s\n", source, detection);
    buf_byte(&text, '\0');
    struct ruleset *set = load(text.at);
    assert_int_equal(set->rule_count, 1);
    memcpy(out, set->rules[0]->hash, 65);
    ruleset_free(set);
    buf_fini(&text);
}

static void the_hash_is_of_the_meaning_alone(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
            {" s: {A: x, B: y}\n condition: s", " q: {B: Y, A: X}\n condition: q", true},
            {" s: {A: [x, y]}\n condition: s", " a: {A: y}\n b: {A: x}\n condition: a or b or a",
                    true},
            {" s: {A|contains: x}\n condition: s", " s: {A: '*x*'}\n condition: s", true},
            {" s: {A: x}\n condition: s", " s: [{A: x}]\n condition: (s)", true},
            {" s: {A: 1}\n condition: s", " s: {A: 1.0}\n condition: s", true},
            {" s: {A|cidr: 10.0.0.1/8}\n condition: s", " s: {A|cidr: 10.0.0.0/8}\n condition: s",
                    true},
            {" s: {A: x}\n condition: s", " s: {A: x}\n u: {B: y}\n condition: s", true},
            {" s: {A: x}\n condition: s", " s: {A: x}\n condition: not s", false},
            {" s: {A: x}\n condition: s", " s: {A|cased: x}\n condition: s", false},
            {" s: {A: x}\n condition: s", " s: {a: x}\n condition: s", false},
            {" s: {A: 1}\n condition: s", " s: {A: '1'}\n condition: s", false},
            {" s: {A: [x, y]}\n condition: s", " s: {A|all: [x, y]}\n condition: s", false},
            {" s: {A: xB, C: d}\n condition: s", " s: {A: x, BC: d}\n condition: s", false},
            {" s: {A|re: x}\n condition: s", " s: {A|re|i: x}\n condition: s", false},
            {" s: {A|lt: 1}\n condition: s", " s: {A|lte: 1}\n condition: s", false},
            {" s: {A|fieldref: B}\n condition: s", " s: {A|fieldref: C}\n condition: s", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char a[65], b[65];
        hash_of("product: p", cases[i].a, a);
        hash_of("product: p", cases[i].b, b);
        if ((strcmp(a, b) == 0) != cases[i].same) {
            fail_msg("%s\n%s", cases[i].a, cases[i].b);
        }
    }
    char a[65], b[65];
    hash_of("product: p", cases[0].a, a);
    hash_of("category: p", cases[0].a, b);
    assert_string_not_equal(a, b);
}

static void a_filter_changes_the_hash(void **state)
{
    (void)state;
    struct ruleset *plain = load(RULE), *filtered = load(RULE FILTER("product: p", "any"));
    assert_string_not_equal(plain->rules[0]->hash, filtered->rules[0]->hash);
    assert_string_not_equal(plain->hash, filtered->hash);
    ruleset_free(plain);
    ruleset_free(filtered);
}

static struct ruleset *load_exceptions(const char *rules, const char *exceptions)
{
    const struct ruleset_options options = {.threads = 1};
    struct ruleset *set = NULL;
    assert_int_equal(ruleset_new(&options, &set, NULL), OK);
    assert_int_equal(ruleset_load_text(set, SLICE("r.yml"), slice_text(rules), NULL), OK);
    assert_int_equal(ruleset_load_exceptions(
                             set, SLICE("sg/moh"), SLICE("e.yml"), slice_text(exceptions), NULL),
            OK);
    assert_int_equal(ruleset_finish(set, NULL), OK);
    return set;
}

static void an_exception_leaves_the_rule_as_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *source, *rules;
        size_t excepted, missing;
    } cases[] = {{"product: p", "[i-1]", 1, 0}, {"product: p", "[n]", 1, 0},
            {"product: p", "any", 1, 0}, {"product: q", "any", 0, 0}, {"product: p", "[r]", 0, 1},
            {"product: p", "[gone, n, f]", 1, 2}};
    struct ruleset *plain = load(RULE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        snprintf(text, sizeof text, "title: f\nlogsource: {%s}\n%s%s%s", cases[i].source,
                "filter: {rules: ", cases[i].rules, ", s: {B: y}, condition: not s}\n");
        struct ruleset *set = load_exceptions(RULE, text);
        assert_int_equal(set->rule_count, 2);
        const struct rule *e = set->rules[0]->exception.at ? set->rules[0] : set->rules[1];
        const struct rule *rule = set->rules[1 - e->number];
        assert_true(slice_equal(e->exception, SLICE("sg/moh")));
        assert_string_equal(rule->hash, plain->rules[0]->hash);
        assert_int_equal(e->excepted_count, cases[i].excepted);
        assert_int_equal(e->missing_count, cases[i].missing);
        assert_int_equal(filter_excepts(e, rule), cases[i].excepted == 1);
        assert_false(filter_excepts(e, e));
        ruleset_free(set);
    }
    ruleset_free(plain);
    assert_described(
            load_exceptions(RULE, FILTER("product: p", "any")), "not", "B is 'y'\nA is 'x'\n");
    assert_described(load_exceptions(RULE, "title: f\nlogsource: {product: p}\n"
                                           "filter: {rules: any, s: {B: y}, condition: s}\n"),
            "only", "not B is 'y'\nA is 'x'\n");
    assert_described(load_exceptions(RULE, RULE), "a rule",
            "A is 'x'\n1:1 syntax error: a tenant's exceptions are filters, and this is none\n");
}

/* ---- the set ------------------------------------------------------------------------------- */

static void equal_tests_are_one_predicate(void **state)
{
    (void)state;
    struct ruleset *set = load(HEAD "detection: {s: {A: [x, X, x]}, condition: s}\n---\n" HEAD
                                    "detection: {s: {A: x, B: x}, u: {C: z}, condition: s}\n");
    assert_int_equal(set->rule_count, 2);
    assert_int_equal(set->predicate_count, 2);
    assert_int_equal(field_count(set->fields), 2);
    assert_false(set->rules[0]->has_keywords);
    ruleset_free(set);
    set = load(HEAD "detection: {s: [x], u: {A: y}, condition: s and u}\n");
    assert_true(set->rules[0]->has_keywords);
    ruleset_free(set);
}

static void what_a_rule_says_of_itself_is_kept(void **state)
{
    (void)state;
    struct ruleset *set =
            load("# comment\ntitle: T\nid: i\nauthor: [a, b]\nlicense: MIT\ndescription: d\n"
                 "status: test\ndate: 2024-01-02\nlevel: High\ntags: [x.y, z]\nreferences: r\n"
                 "falsepositives: [p, q, r]\nlogsource: {product: windows, service: 7}\n"
                 "detection: {s: {A: x}, condition: s}\n");
    assert_int_equal(set->rule_count, 1);
    const struct rule *r = set->rules[0];
    assert_true(slice_equal(r->file, SLICE("f.yml")));
    assert_int_equal(r->line, 2);
    assert_true(slice_equal(r->title, SLICE("T")));
    assert_true(slice_equal(r->id, SLICE("i")));
    assert_true(slice_equal(r->author, SLICE("a, b")));
    assert_true(slice_equal(r->license, SLICE("MIT")));
    assert_true(slice_equal(r->description, SLICE("d")));
    assert_true(slice_equal(r->status, SLICE("test")));
    assert_true(slice_equal(r->date, SLICE("2024-01-02")));
    assert_int_equal(r->level, LEVEL_HIGH);
    assert_int_equal(r->tag_count, 2);
    assert_int_equal(r->reference_count, 1);
    assert_int_equal(r->falsepositive_count, 3);
    assert_true(slice_equal(r->logsource.product, SLICE("windows")));
    assert_null(r->logsource.category.at);
    assert_true(slice_equal(r->logsource.service, SLICE("7")));
    assert_true(slice_equal(r->condition->label, SLICE("s")));
    ruleset_free(set);
}

static void write_rule(const char *directory, const char *name, const char *value)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, HEAD "detection: {s: {A: %s, F%s: 1}, condition: s}\n", value, value);
    assert_int_equal(fclose(file), 0);
}

/* Predicates and fields have numbers; everything that is seen outside must not depend on them. */
static void threads_and_order_of_paths_change_nothing(void **state)
{
    (void)state;
    char directory[] = "/tmp/merlon-ruleset-XXXXXX";
    assert_non_null(mkdtemp(directory));
    char name[32], value[32];
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "%02d.yml", i);
        (void)snprintf(value, sizeof value, "v%d", i % 7);
        write_rule(directory, name, i % 10 == 9 ? "]" : value);
    }
    struct buf first = {0};
    for (unsigned threads = 0; threads <= 4; threads++) {
        struct ruleset_options options = {.threads = threads};
        struct ruleset *set;
        char path[64];
        (void)snprintf(path, sizeof path, "%s/50.yml", directory);
        assert_int_equal(ruleset_new(&options, &set, NULL), OK);
        assert_int_equal(ruleset_load(set, threads % 2 ? path : directory, NULL), OK);
        assert_int_equal(ruleset_load(set, threads % 2 ? directory : path, NULL), OK);
        assert_int_equal(ruleset_finish(set, NULL), OK);
        assert_int_equal(set->files_read, 100);
        assert_int_equal(set->rule_count, 90);
        assert_int_equal(set->problem_count, 10);
        struct buf now = {0};
        describe(set, &now);
        buf_add(&now, slice_of(set->hash, 64));
        if (threads == 0) {
            first = now;
        } else {
            assert_true(slice_equal(buf_slice(&first), buf_slice(&now)));
            buf_fini(&now);
        }
        ruleset_free(set);
    }
    buf_fini(&first);
    for (int i = 0; i < 100; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "%s/%02d.yml", directory, i);
        (void)unlink(path);
    }
    (void)rmdir(directory);
}

static void a_path_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct ruleset_options options = {0};
    struct ruleset *set;
    struct diag diag = {0};
    assert_int_equal(ruleset_new(&options, &set, &diag), OK);
    assert_int_equal(ruleset_load(set, "/nonexistent/rules", &diag), ERR_IO);
    assert_non_null(strstr(diag.words, "/nonexistent/rules"));
    assert_int_equal(ruleset_finish(set, &diag), OK);
    assert_int_equal(set->rule_count, 0);
    ruleset_free(set);
}

static void no_memory_is_an_error_and_no_crash(void **state)
{
    (void)state;
    enum err e = ERR_MEMORY;
    int64_t n = 1;
    for (; e != OK && n < 10000; n++) {
        struct ruleset_options options = {0};
        struct ruleset *set = NULL;
        memory_fail_after((uint64_t)n);
        e = ruleset_new(&options, &set, NULL);
        if (e == OK) {
            e = ruleset_load_text(set, SLICE("f"),
                    SLICE(HEAD "detection: {s: {A|re: x, B|contains: [y, z]}, condition: s}\n"),
                    NULL);
        }
        if (e == OK) {
            e = ruleset_finish(set, NULL);
        }
        memory_fail_after(0);
        /* Where the fault hit the rule alone, it is a problem that says so. */
        assert_true(e == ERR_MEMORY || (e == OK && set->rule_count + set->problem_count == 1));
        if (e == OK && set->problem_count) {
            assert_int_equal(set->problems[0].err, ERR_MEMORY);
            e = ERR_MEMORY;
        }
        ruleset_free(set);
    }
    assert_int_equal(e, OK);
    assert_true(n > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(lists_and_maps_are_linked_as_specified),
            cmocka_unit_test(values_become_the_tests_they_mean),
            cmocka_unit_test(modifiers_do_what_they_say),
            cmocka_unit_test(conditions_bind_as_specified),
            cmocka_unit_test(faults_are_named_with_their_place),
            cmocka_unit_test(a_bad_regex_is_named_with_its_character),
            cmocka_unit_test(documents_that_are_no_rules_are_named),
            cmocka_unit_test(a_bad_rule_does_not_stop_the_others),
            cmocka_unit_test(placeholders_expand_to_their_values),
            cmocka_unit_test(bad_placeholder_files_are_refused),
            cmocka_unit_test(actions_share_content_between_documents),
            cmocka_unit_test(filters_are_laid_over_the_rules_they_name),
            cmocka_unit_test(the_hash_is_of_the_meaning_alone),
            cmocka_unit_test(a_filter_changes_the_hash),
            cmocka_unit_test(an_exception_leaves_the_rule_as_it_is),
            cmocka_unit_test(equal_tests_are_one_predicate),
            cmocka_unit_test(what_a_rule_says_of_itself_is_kept),
            cmocka_unit_test(threads_and_order_of_paths_change_nothing),
            cmocka_unit_test(a_path_that_is_not_there_is_an_error),
            cmocka_unit_test(no_memory_is_an_error_and_no_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
