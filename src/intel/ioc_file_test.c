#include "intel/ioc_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "intel/ioc_csv.h"

static struct buf said;

static void say(void *context, struct slice file, uint32_t line, const char *words)
{
    (void)context;
    (void)file;
    buf_format(&said, "%u: %s\n", line, words);
}

/* "kind:given@line[label] ..., then what was refused */
static const char *read_text(struct slice bytes, uint64_t *passed)
{
    const struct indicators_limits limits = {1000, 1 << 20};
    struct ioc_load load = {.say = say, .file = SLICE("f")};
    struct diag diag = {0};
    struct buf out = {0};
    buf_clear(&said);
    assert_int_equal(indicators_new(&limits, &load.set), OK);
    enum err e = ioc_file_bytes(&load, bytes, &diag);
    for (size_t i = 0; i < indicators_count(load.set); i++) {
        const struct indicator *it = indicators_at(load.set, i);
        buf_format(&out, "%s:%.*s@%u", observable_name((enum observable_kind)it->kind),
                SLICE_ARG(it->given), it->line);
        if (it->label.size > 0) {
            buf_format(&out, "[%.*s]", SLICE_ARG(it->label));
        }
        if (it->valid_until != INT64_MAX) {
            buf_byte(&out, '<');
            time_format(&out, it->valid_until);
        }
        buf_byte(&out, ' ');
    }
    if (e != OK) {
        buf_format(&said, "%s: %s\n", err_name(e), diag.words);
    }
    buf_add(&out, buf_slice(&said));
    buf_byte(&out, 0);
    buf_clear(&said);
    buf_add(&said, buf_slice(&out));
    if (passed) {
        *passed = load.passed;
    }
    buf_fini(&out);
    indicators_free(load.set);
    ioc_load_fini(&load);
    return said.at;
}

static void expect(const char *text, const char *want)
{
    assert_string_equal(read_text(slice_text(text), NULL), want);
}

static void lines_are_known_by_their_form(void **unused)
{
    (void)unused;
    expect("# c\n\n; c\n// c\n192.0.2.1\r\n2001:db8::/32\nevil.example # of May\n"
           "http://evil.example/a\nbob@evil.example\nd41d8cd98f00b204e9800998ecf8427e",
            "address:192.0.2.1@5 address:2001:db8::/32@6 domain:evil.example@7[of May] "
            "url:http://evil.example/a@8 email:bob@evil.example@9 "
            "hash:d41d8cd98f00b204e9800998ecf8427e@10 ");
    expect("ipv4\t192.0.2.1\nFileHash-MD5 d41d8cd98f00b204e9800998ecf8427e\nuser GOV\\bob\n"
           "0.0.0.0 evil.example\n",
            "address:192.0.2.1@1 hash:d41d8cd98f00b204e9800998ecf8427e@2 account:GOV\\bob@3 "
            "domain:evil.example@4 ");
    expect("evil\na b c\nmutex x\n1.2.3.4/5\n",
            "1: 'evil' is no domain\n2: more words than a kind and a value\n"
            "3: 'mutex' is no kind that is looked for\n"
            "4: a block of /5 is too wide to hunt for\n");
    expect("", "");
    expect("\xEF\xBB\xBF"
           "evil.example",
            "domain:evil.example@1 ");
}

static void ports_are_left_out(void **unused)
{
    (void)unused;
    expect("192.0.2.1:443\n[2001:db8::1]:443\nevil.example:8080\n[2001:db8::2]\n",
            "address:192.0.2.1:443@1 address:[2001:db8::1]:443@2 domain:evil.example:8080@3 "
            "address:[2001:db8::2]@4 ");
}

/* What a text is looked for as: that it is found by itself. */
static void finds(const char *given, const char *text, bool want)
{
    static struct observable_scan scan;
    const struct indicators_limits limits = {1000, 1 << 20};
    struct ioc_load load = {.say = say, .file = SLICE("f")};
    struct slice key;
    bool found = false;
    buf_clear(&said);
    assert_int_equal(indicators_new(&limits, &load.set), OK);
    assert_int_equal(ioc_file_bytes(&load, slice_text(given), NULL), OK);
    assert_int_equal(indicators_close(load.set, NULL), OK);
    for (int kind = 0; kind < OBSERVABLE_ACCOUNT; kind++) {
        if (observable_key(&scan, (enum observable_kind)kind, slice_text(text), &key)) {
            struct observable it = {.kind = (enum observable_kind)kind, .key = key};
            found |= indicators_maybe(load.set, &it);
        }
    }
    if (found != want) {
        fail_msg("'%s' is %s'%s'", given, want ? "not " : "", text);
    }
    indicators_free(load.set);
    ioc_load_fini(&load);
}

static void defanged_texts_are_made_whole(void **unused)
{
    (void)unused;
    static const char *const names[] = {"evil[.]example", "evil(.)example", "evil{.}example",
            "evil[dot]example", "evil(DOT)example", "evil[.example", "evil\\.example"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        finds(names[i], "evil.example", true);
    }
    finds("192[.]0[.]2[.]1", "192.0.2.1", true);
    finds("hxxp://evil[.]example/a", "http://evil.example/a", true);
    finds("hXXps[:]//evil[.]example/a", "https://evil.example/a", true);
    finds("hxxp[://]evil.example/a", "http://evil.example/a", true);
    finds("fxp://evil.example/a", "ftp://evil.example/a", true);
    finds("bob[at]evil[.]example", "bob@evil.example", true);
    finds("bob(@)evil.example", "bob@evil.example", true);
    finds("evil[.]example/a", "http://evil.example/a", true);
    finds("evil[.]example/a", "https://evil.example/a", true);
    finds("evil[.]example/a", "https://evil.example/b", false);
    finds("http://evil.example/a", "https://evil.example/a", false);
}

static void tables_have_a_line_of_names(void **unused)
{
    (void)unused;
    uint64_t passed;
    expect("type,value,valid_until,comment\ndomain,evil[.]example,2026-01-31T00:00:00Z,\"a, "
           "\"\"b\"\"\"\n"
           "filename|md5,a.exe|d41d8cd98f00b204e9800998ecf8427e,,\nmutex,x,,\nmd5,x,never,\n",
            "domain:evil[.]example@2[a, \"b\"]<2026-01-31T00:00:00Z "
            "hash:d41d8cd98f00b204e9800998ecf8427e@3 4: type 'mutex' is not looked for\n"
            "5: 'never' is no time\n");
    expect("################\n# \"first_seen\",\"ioc_id\",\"ioc_value\",\"ioc_type\"\n"
           "\"2026\", \"77\", \"192.0.2.1:80\", \"ip:port\"\n",
            "address:192.0.2.1:80@3[77] ");
    expect("SHA256,Name,MD5\n,x,d41d8cd98f00b204e9800998ecf8427e\nN/A,y,\n",
            "hash:d41d8cd98f00b204e9800998ecf8427e@2[x] ");
    expect("\"domain\",\"name\"\n\"evil.example\",\"two\nlines\"\n\"evil.test\",\n",
            "domain:evil.example@2[two\nlines] domain:evil.test@4 ");
    expect("type,value\n\"\",\"\"\ndomain,evil.test\n\"",
            "domain:evil.test@3 2: type '' is not looked for\n4: type '' is not looked for\n");
    read_text(SLICE("type,value,to_ids\nmd5,x,0\n"), &passed);
    assert_int_equal(passed, 1);
}

static void rows_have_a_most_of_columns(void **unused)
{
    (void)unused;
    for (int columns = IOC_CSV_COLUMNS - 1; columns <= IOC_CSV_COLUMNS; columns++) {
        struct buf text = {0};
        for (int row = 0; row < 2; row++) {
            for (int i = 0; i < columns; i++) {
                buf_add(&text, i == 0 && row == 0 ? SLICE("url,") : SLICE("x,"));
            }
            buf_add(&text, row == 0 ? SLICE("domain\n") : SLICE("evil.example\n"));
        }
        const char *have = read_text(buf_slice(&text), NULL);
        bool found = strstr(have, "domain:evil.example@2") != NULL;
        assert_int_equal(found, columns < IOC_CSV_COLUMNS);
        buf_fini(&text);
    }
}

#define INDICATOR(more)                                                                            \
    "{\"type\":\"bundle\",\"objects\":[{\"type\":\"malware\"},\n{\"type\":\"indicator\",\"id\":"   \
    "\"indicator--1\"," more "}]}"
#define PATTERN(pattern) INDICATOR("\"pattern\":\"" pattern "\"")

static void patterns_are_read(void **unused)
{
    (void)unused;
    expect(PATTERN("[domain-name:value = 'evil.example']"), "domain:evil.example@2[indicator--1] ");
    expect(PATTERN("[domain-name:value='a.example' OR ipv4-addr:value IN ('192.0.2.1','192.0.2.2')"
                   "] OR ([file:hashes.'SHA-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80709'])"),
            "domain:a.example@2[indicator--1] address:192.0.2.1@2[indicator--1] "
            "address:192.0.2.2@2[indicator--1] "
            "hash:da39a3ee5e6b4b0d3255bfef95601890afd80709@2[indicator--1] ");
    expect(PATTERN("[ipv4-addr:value ISSUBSET '192.0.2.0/24']"),
            "address:192.0.2.0/24@2[indicator--1] ");
    expect(PATTERN("[file:name = 'a' OR url:value = 'http://a/\\\\'']"),
            "url:http://a/'@2[indicator--1] 2: file:name is not looked for\n");
    expect(INDICATOR("\"valid_until\":\"2026-01-01T00:00:00Z\",\"name\":\"n\",\"pattern\":"
                     "\"[email-addr:value = 'b@evil.example']\""),
            "email:b@evil.example@2[indicator--1 n]<2026-01-01T00:00:00Z ");
}

static void other_patterns_are_refused_by_name(void **unused)
{
    (void)unused;
    static const struct {
        const char *pattern, *word;
    } wrong[] = {
            {PATTERN("[url:value = 'a' AND url:value = 'b']"), "2: AND is"},
            {PATTERN("[url:value = 'a'] AND [url:value = 'b']"), "2: AND is"},
            {PATTERN("[url:value = 'a'] FOLLOWEDBY [url:value = 'b']"), "2: FOLLOWEDBY is"},
            {PATTERN("[url:value NOT = 'a']"), "2: NOT is"},
            {PATTERN("[NOT url:value = 'a']"), "2: NOT is"},
            {PATTERN("[EXISTS url:value]"), "2: EXISTS is"},
            {PATTERN("[url:value LIKE 'a%']"), "2: LIKE is"},
            {PATTERN("[url:value MATCHES 'a']"), "2: MATCHES is"},
            {PATTERN("[url:value != 'a']"), "2: an operator"},
            {PATTERN("[url:value = 'a'] WITHIN 5 SECONDS"), "2: WITHIN is"},
            {PATTERN("[url:value = 'a'"), "2: a pattern that does not end"},
            {PATTERN("[url:value = 'a' OR]"), "2: a pattern that is not understood"},
            {PATTERN("[url:value = 5]"), "2: a comparison with what is no text"},
            {PATTERN("[url:value = 'a]"), "2: a comparison with what is no text"},
            {PATTERN("[url:value IN ('a', 5)]"), "2: a list of what is no text"},
            {PATTERN("[url:value IN ('a']"), "2: a list that does not end"},
            {PATTERN("url:value = 'a'"), "2: a pattern that is not understood"},
            {PATTERN(""), "2: a pattern that does not end"},
            {INDICATOR("\"pattern\":\"rule x {}\",\"pattern_type\":\"yara\""), "2: a pattern of"},
            {INDICATOR("\"revoked\":true,\"pattern\":\"[url:value = 'a']\""), "2: revoked"},
            {INDICATOR("\"valid_until\":\"x\",\"pattern\":\"[url:value = 'a']\""),
                    "2: valid_until"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *have = read_text(slice_text(wrong[i].pattern), NULL);
        if (strncmp(have, wrong[i].word, strlen(wrong[i].word)) != 0) {
            fail_msg("%s\n gives %s", wrong[i].pattern, have);
        }
    }
}

static void events_of_misp_are_read(void **unused)
{
    (void)unused;
    uint64_t passed;
    static const char event[] =
            "{\"response\": [{\"Event\": {\"info\": \"May\", \"Attribute\": [\n"
            "{\"type\":\"ip-dst|port\",\"to_ids\":true,\"uuid\":\"u1\",\"value\":\"192.0.2.1|80\"},"
            "\n"
            "{\"type\":\"domain|ip\",\"to_ids\":\"1\",\"comment\":\"c\",\"value\":\"a.example|192."
            "0.2.2\"},\n"
            "{\"type\":\"domain\",\"to_ids\":false,\"value\":\"b.example\"},\n"
            "{\"type\":\"domain\",\"to_ids\":true,\"deleted\":true,\"value\":\"b.example\"},\n"
            "{\"type\":\"regkey\",\"to_ids\":true,\"value\":\"HKLM\"}],\n"
            "\"Object\": [{\"Attribute\": [\n"
            "{\"type\":\"filename|md5\",\"to_ids\":true,\"value\":\"a|"
            "d41d8cd98f00b204e9800998ecf8427e\"}]}]}}]}";
    const char *have = read_text(slice_text(event), &passed);
    assert_string_equal(have,
            "address:192.0.2.1@2[u1 May] domain:a.example@3[c] address:192.0.2.2@3[c] "
            "hash:d41d8cd98f00b204e9800998ecf8427e@8[May] 6: type 'regkey' is not looked for\n");
    assert_int_equal(passed, 2);
    expect("{\"response\":{\"Attribute\":[{\"type\":\"url\",\"to_ids\":true,\"value\":\"http:\\/\\/"
           "a\\/\"}]}}",
            "url:http://a/@1 ");
}

static void other_json_is_refused(void **unused)
{
    (void)unused;
    expect("{\"a\": 1}", "unsupported: JSON, but neither STIX 2 nor MISP\n");
    const char *have = read_text(SLICE("{\"objects\": [}"), NULL);
    assert_non_null(strstr(have, "syntax error: "));
    struct buf deep = {0};
    buf_add(&deep, SLICE("[{\"a\":"));
    for (int i = 0; i < 64; i++) {
        buf_byte(&deep, '[');
    }
    have = read_text(buf_slice(&deep), NULL);
    assert_non_null(strstr(have, "limit reached: "));
    buf_fini(&deep);
}

static int clean(void **unused)
{
    (void)unused;
    buf_fini(&said);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(lines_are_known_by_their_form),
            cmocka_unit_test(ports_are_left_out),
            cmocka_unit_test(defanged_texts_are_made_whole),
            cmocka_unit_test(tables_have_a_line_of_names),
            cmocka_unit_test(rows_have_a_most_of_columns),
            cmocka_unit_test(patterns_are_read),
            cmocka_unit_test(other_patterns_are_refused_by_name),
            cmocka_unit_test(events_of_misp_are_read),
            cmocka_unit_test(other_json_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
