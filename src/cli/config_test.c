#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/time.h"
#include "cli/config.h"

static char path[] = "/tmp/merlon-config-XXXXXX";

static enum err read_text(const char *text, struct config *config, struct diag *diag)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
    return config_read(config, path, diag);
}

static void without_a_file_the_inputs_are_on_loopback(void **unused)
{
    (void)unused;
    struct config config;
    assert_int_equal(config_read(&config, NULL, NULL), OK);
    assert_true(config.input_count > 0);
    assert_true(slice_equal(config.api.address, SLICE("127.0.0.1:8080")));
    for (size_t i = 0; i < config.input_count; i++) {
        assert_true(slice_starts(config.inputs[i].address, SLICE("127.0.0.1:")));
        assert_true(slice_equal(config.inputs[i].tenant, SLICE("default")));
        assert_int_equal(config.inputs[i].listener, -1);
    }
    config_fini(&config);
}

static void expect_limit(const struct config_retention *r, const char *tenant,
        enum holdings_kind kind, int64_t age_s, uint64_t bytes)
{
    struct retain_limit limit = config_retention_limit(r, slice_text(tenant), kind);
    assert_int_equal(limit.age_ns, age_s * TIME_SECOND);
    assert_int_equal(limit.bytes, bytes);
}

/* What a tenant leaves out is as above it; quarantine without limits is as the records. */
static void check_retention(const struct config_retention *r)
{
    expect_limit(r, "sg", HOLDINGS_RECORDS, 90 * 86400, 0);
    expect_limit(r, "sg", HOLDINGS_QUARANTINE, 90 * 86400, 0);
    expect_limit(r, "sg", HOLDINGS_FINDINGS, 0, UINT64_C(2) << 30);
    expect_limit(r, "sg/health", HOLDINGS_RECORDS, 90 * 86400, 5 << 20);
    expect_limit(r, "sg/health/moh-1", HOLDINGS_RECORDS, 90 * 86400, 5 << 20);
    expect_limit(r, "sg/healthy", HOLDINGS_RECORDS, 90 * 86400, 0);
    expect_limit(r, "sg/health/moh/x", HOLDINGS_RECORDS, 1800, 5 << 20);
    expect_limit(r, "sg/health/moh", HOLDINGS_QUARANTINE, 10, 0);
    expect_limit(r, "sg/health/moh", HOLDINGS_FINDINGS, 12 * 3600, UINT64_C(2) << 30);
    assert_int_equal(config_retention_least_age(r, false), 10 * TIME_SECOND);
    assert_int_equal(config_retention_least_age(r, true), 12 * 3600 * TIME_SECOND);
}

static void check_silences(const struct config *config)
{
    assert_true(config->silent_ns == TIME_DAY / 12 && config->forget_ns == 8 * TIME_DAY);
    assert_true(config->inputs[0].silent_ns == 7 * TIME_DAY && config->inputs[1].silent_ns == 0);
}

static void check_outputs(const struct config_outputs *outputs)
{
    assert_int_equal(outputs->count, 3);
    const struct config_output *hook = &outputs->at[0], *siem = &outputs->at[1];
    assert_true(slice_equal(hook->url, SLICE("https://h:1/x")));
    assert_true(slice_equal(hook->level, SLICE("high")));
    assert_true(slice_equal(hook->form, SLICE("json")));
    assert_true(slice_equal(siem->form, SLICE("cef")) && slice_equal(siem->tenant, SLICE("sg")));
    assert_true(slice_equal(outputs->at[2].url, SLICE("/a/b")));
    assert_int_equal(outputs->at[2].rotate_bytes, 1 << 20);
}

static void every_key_is_taken(void **unused)
{
    (void)unused;
    struct config config;
    const char *text = "data: /var/lib/merlon\n"
                       "rules: [a, b]\n"
                       "taxonomy: c.yml\n"
                       "tenant: sg\n"
                       "segment_size: 64M\n"
                       "reserve: 1G\n"
                       "sources: {silent_after: 2h, forget_after: 8d}\n"
                       "outputs:\n"
                       "  - {name: hook-1, kind: webhook, url: 'https://h:1/x', secret: s, "
                       "level: high}\n"
                       "  - {name: s_2, kind: syslog, url: 'tls://h:6514', form: cef, tenant: sg, "
                       "authority: a, certificate: c, key: k}\n"
                       "  - {name: f, kind: file, path: /a/b, size: 1M}\n"
                       "retention:\n"
                       "  age: 90d\n"
                       "  findings: {size: 2G}\n"
                       "  tenants:\n"
                       "    sg/health: {size: 5M, findings: {age: 12h}}\n"
                       "    sg/health/moh: {age: 30m, quarantine: {age: 10s}}\n"
                       "api: {listen: '[::1]:8443', certificate: c.pem, key: k.pem}\n"
                       "inputs:\n"
                       "  - name: one\n"
                       "    kind: syslog-tls\n"
                       "    listen: '[::1]:6514'\n"
                       "    tenant: sg/health/moh-1\n"
                       "    format: syslog\n"
                       "    certificate: c.pem\n"
                       "    key: k.pem\n"
                       "    authority: a.pem\n"
                       "    max_record: 1K\n"
                       "    silent_after: 7d\n"
                       "  - {name: two, kind: syslog-udp, listen: '127.0.0.1:1'}\n";
    assert_int_equal(read_text(text, &config, NULL), OK);
    assert_string_equal(config.data, "/var/lib/merlon");
    assert_int_equal(config.rules.count, 2);
    assert_string_equal(config.rules.at[1], "b");
    assert_int_equal(config.taxonomies.count, 1);
    assert_int_equal(config.segment_bytes, 64 << 20);
    assert_int_equal(config.reserve_bytes, 1 << 30);
    check_retention(&config.retention);
    check_outputs(&config.outputs);
    assert_int_equal(config.input_count, 2);
    assert_true(slice_equal(config.api.address, SLICE("[::1]:8443")));
    assert_true(slice_equal(config.api.certificate, SLICE("c.pem")));
    assert_true(slice_equal(config.api.key, SLICE("k.pem")));
    const struct intake_input *one = &config.inputs[0], *two = &config.inputs[1];
    assert_true(slice_equal(one->name, SLICE("one")));
    assert_true(slice_equal(one->address, SLICE("[::1]:6514")));
    assert_true(slice_equal(one->tenant, SLICE("sg/health/moh-1")));
    assert_true(slice_equal(one->authority, SLICE("a.pem")));
    assert_int_equal(one->record_bytes, 1024);
    check_silences(&config);
    assert_true(slice_equal(two->tenant, SLICE("sg")));
    assert_int_equal(two->record_bytes, 16 << 20);
    config_fini(&config);
}

#define OUTPUT(members) "outputs:\n  - {name: a, " members "}\n"
#define INPUT(members) "inputs:\n  - {name: a, kind: syslog-udp, listen: x, " members "}\n"

struct wrong {
    const char *text, *words;
    uint32_t line;
};

static void expect_wrong(const struct wrong *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct config config;
        struct diag diag = {0};
        assert_int_equal(read_text(rows[i].text, &config, &diag), ERR_SYNTAX);
        if (!strstr(diag.words, rows[i].words) || diag.line != rows[i].line) {
            fail_msg("%s gave line %u: %s", rows[i].text, diag.line, diag.words);
        }
    }
}

static void wrong_outputs_and_retentions_are_named(void **unused)
{
    (void)unused;
    static const struct wrong rows[] = {
            {OUTPUT("kind: pigeon"), "kind is webhook, syslog or file", 2},
            {OUTPUT("colour: red"), "no key 'colour'", 2},
            {OUTPUT("url: 'http://x'"), "needs a kind", 2},
            {OUTPUT("kind: webhook"), "a webhook needs a url", 2},
            {OUTPUT("kind: webhook, url: 'ftp://x'"), "a webhook needs a url", 2},
            {OUTPUT("kind: webhook, path: /x"), "those of a file", 2},
            {OUTPUT("kind: syslog, url: 'http://x'"), "syslog needs a url", 2},
            {OUTPUT("kind: file, path: x"), "a path from / on", 2},
            {OUTPUT("kind: file, url: /x"), "a path from / on", 2},
            {OUTPUT("kind: syslog, url: 'udp://x:1', form: xml"), "form is json or cef", 2},
            {OUTPUT("kind: syslog, url: 'udp://x:1', level: red"), "level is", 2},
            {OUTPUT("kind: syslog, url: 'udp://x:1', key: k"), "go together", 2},
            {"outputs:\n  - {name: ../x, kind: file, path: /x}\n", "a name of letters", 2},
            {"outputs:\n  - {name: x, kind: file, path: /x}\n  - {name: x, kind: file, path: "
             "/y}\n",
                    "the same name", 3},
            {"outputs: x\n", "a list of at most 64", 1},
            {"sources: {silent_after: 90}\n", "a span of time", 1},
            {"sources: {silent: 90s}\n", "the sources has no key 'silent'", 1},
            {"data: x\nsources: {silent_after: 1d, forget_after: 24h}\n", "each silent_after", 2},
            {"data: x\nsources: {forget_after: 59m}\n", "each silent_after", 2},
            {INPUT("silent_after: 30d"), "each silent_after", 1},
            {"retention: {age: 90}\n", "a span of time", 1},
            {"retention: {age: 0d}\n", "a span of time", 1},
            {"retention: {age: 36501d}\n", "a span of time", 1},
            {"retention: {records: {age: 1d}}\n", "no key 'records'", 1},
            {"retention:\n  findings: {ages: 1d}\n", "did you mean 'age'", 2},
            {"retention:\n  tenants: [sg]\n", "tenants is a map", 2},
            {"retention:\n  tenants:\n    sg//x: {age: 1d}\n", "a tenant is expected", 3},
            {"retention:\n  tenants:\n    sg: {ag: 1d}\n", "did you mean 'age'", 3},
    };
    expect_wrong(rows, sizeof rows / sizeof *rows);
}

static void what_is_wrong_is_named_with_its_line(void **unused)
{
    (void)unused;
    static const struct wrong rows[] = {
            {"dta: x\n", "no key 'dta'; did you mean 'data'?", 1},
            {"data: [x]\n", "a text is expected", 1},
            {"data: x\nreserve: much\n", "a size is expected", 2},
            {"inputs: {}\n", "inputs is a list", 1},
            {INPUT("colour: red"), "no key 'colour'", 2},
            {INPUT("tenant: sg//moh"), "a tenant is expected", 2},
            {INPUT("tenant: /sg"), "a tenant is expected", 2},
            {INPUT("tenant: sg/"), "a tenant is expected", 2},
            {INPUT("tenant: 'a b'"), "a tenant is expected", 2},
            {INPUT("format: morse"), "no format of that name", 2},
            {INPUT("max_record: 19M"), "at most 18M", 2},
            {INPUT("max_record: 0"), "a size is expected", 2},
            {"inputs:\n  - {name: a, kind: fax, listen: x}\n", "kind is", 2},
            {"inputs:\n  - {name: a, kind: file}\n", "file needs paths", 2},
            {"inputs:\n  - {name: a, kind: drop, paths: /a, done: burn}\n", "keep or remove", 2},
            {"inputs:\n  - {name: a, kind: kafka, brokers: b, topics: t}\n", "kafka needs", 2},
            {"inputs:\n  - {name: a, kind: kafka, listen: b, topics: t, group: g}\n", "another", 2},
            {"inputs:\n  - {name: a, kind: file, topics: t}\n", "another kind", 2},
            {"inputs:\n  - {name: a, kind: file, paths: /a, group: g}\n", "another kind", 2},
            {"inputs:\n  - {name: a, kind: file, paths: [/a, b]}\n", "begins with '/'", 2},
            {"inputs:\n  - {name: a, kind: file, paths: /a, listen: x}\n", "another kind", 2},
            {"inputs:\n  - {name: a, kind: http, listen: x, paths: /a}\n", "another kind", 2},
            {"inputs:\n  - {name: a, kind: syslog-udp, listen: x, key: k}\n", "another kind", 2},
            {"inputs:\n  - {name: a/b, kind: syslog-udp, listen: x}\n", "without '/'", 2},
            {"inputs:\n  - {name: a, kind: syslog-udp}\n", "an address", 2},
            {"inputs:\n  - {name: a, kind: syslog-tls, listen: x}\n", "a certificate", 2},
            {"inputs:\n  - {name: a, kind: syslog-udp, listen: x}\n  - {name: a, kind: syslog-udp, "
             "listen: "
             "y}\n",
                    "the same name", 3},
            {"api: {}\n", "an address", 1},
            {"api: {listen: x, port: 1}\n", "no key 'port'", 1},
            {"api: {listen: x, key: k}\n", "go together", 1},
            {"a\n", "keys and values", 1},
            {"data: x\ndata: y\n", "data", 2},
            {"tenants: {tenant: sg}\n", "tenants is a list", 1},
            {"tenants:\n  - {rules: {}}\n", "whose?", 2},
            {"tenants:\n  - {tenant: a}\n  - {tenant: a}\n", "same tenant", 3},
            {"tenants:\n  - {tenant: a, rules: {levle: low}}\n", "did you mean 'level'", 2},
            {"tenants:\n  - {tenant: a, rules: {level: lowest}}\n", "level is", 2},
            {"tenants:\n  - {tenant: a, exceptions: ['']}\n", "one line", 2},
    };
    expect_wrong(rows, sizeof rows / sizeof *rows);
}

static void without_memory_it_says_so(void **unused)
{
    (void)unused;
    struct config config;
    for (uint64_t n = 1;; n++) {
        memory_fail_after(n);
        enum err e = read_text("rules: [a]\nretention: {age: 1d}\ninputs:\n  - {name: a, kind: "
                               "syslog-udp, listen: x}\ntenants: [{tenant: a, rules: {include: b, "
                               "exclude: [c]}, exceptions: d}]\n",
                &config, NULL);
        memory_fail_after(0);
        if (e == OK) {
            assert_true(n > 3);
            config_fini(&config);
            return;
        }
        assert_int_equal(e, ERR_MEMORY);
    }
}

static int make_file(void **unused)
{
    (void)unused;
    return close(mkstemp(path));
}

static int remove_file(void **unused)
{
    (void)unused;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(without_a_file_the_inputs_are_on_loopback),
            cmocka_unit_test(every_key_is_taken),
            cmocka_unit_test(what_is_wrong_is_named_with_its_line),
            cmocka_unit_test(wrong_outputs_and_retentions_are_named),
            cmocka_unit_test(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
