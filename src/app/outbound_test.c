#include "app/outbound.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define FINDING                                                                                    \
    SLICE("{\"time\":\"2024-01-02T03:04:05.678901234Z\",\"rule\":{\"id\":\"a|b\\\\c\","            \
          "\"title\":\"one\\ntwo | three=\",\"level\":\"high\"},"                                  \
          "\"source\":{\"source\":\"s=1\\\\|\\r\\n<13>1 forged\",\"log\":null,\"offset\":7}}")

static const struct outbound_item item = {.cursor = 137, .tenant = {"sg/moh", 6}};

static struct config_output output_of(const char *kind, const char *url, const char *form)
{
    return (struct config_output){.name = SLICE("o"),
            .kind = slice_text(kind),
            .url = slice_text(url),
            .form = slice_text(form)};
}

static void add(struct outbound *out, struct slice finding)
{
    struct outbound_item one = item;
    one.finding = finding;
    outbound_add(out, &one);
}

static void assert_load(struct outbound *out, const char *text)
{
    struct egress_load load;
    assert_int_equal(outbound_finish(out, &load), OK);
    assert_int_equal(load.number, 137);
    if (load.bytes.size != strlen(text) || memcmp(load.bytes.at, text, load.bytes.size) != 0) {
        print_error("%.*s\n", SLICE_ARG(load.bytes));
        fail();
    }
}

/* No byte of a finding ends a message, or begins a field. */
static void cef_is_escaped(void **unused)
{
    (void)unused;
    const struct config_output o = output_of("syslog", "udp://127.0.0.1:514", "cef");
    struct outbound out = {.output = &o, .host = "centre1"};
    outbound_begin(&out);
    add(&out, FINDING);
    assert_true(outbound_full(&out)); /* a datagram takes one */
    assert_load(&out, "<107>1 2024-01-02T03:04:05.678901Z centre1 merlon - 137 - "
                      "CEF:0|Merlon|Merlon|" MERLON_VERSION "|a\\|b\\\\c|one two \\| three=|8|"
                      "externalId=137 rt=1704164645678 cs1Label=tenant cs1=sg/moh "
                      "cs2Label=source cs2=s\\=1\\\\|  <13>1 forged cs3Label=log cs3= "
                      "cs4Label=offset cs4=7");
    outbound_fini(&out);
}

static void a_finding_without_parts_is_sent_too(void **unused)
{
    (void)unused;
    const struct config_output o = output_of("syslog", "udp://127.0.0.1:514", "cef");
    struct outbound out = {.output = &o, .host = "h"};
    outbound_begin(&out);
    add(&out, SLICE("{}"));
    assert_load(&out, "<110>1 - h merlon - 137 - CEF:0|Merlon|Merlon|" MERLON_VERSION
                      "|||1|externalId=137 cs1Label=tenant cs1=sg/moh");
    outbound_fini(&out);
}

static void a_stream_counts_octets(void **unused)
{
    (void)unused;
    const struct config_output o = output_of("syslog", "tcp://127.0.0.1:514", "json");
    struct outbound out = {.output = &o, .host = "h"};
    const char *one = "<110>1 - h merlon - 137 - "
                      "{\"cursor\":137,\"tenant\":\"sg/moh\",\"finding\":{\"a\":\"\\n\"}}";
    char both[400];
    outbound_begin(&out);
    add(&out, SLICE("{\"a\":\"\\n\"}"));
    assert_false(outbound_full(&out));
    add(&out, SLICE("{\"a\":\"\\n\"}"));
    snprintf(both, sizeof both, "%zu %s%zu %s", strlen(one), one, strlen(one), one);
    assert_load(&out, both);
    outbound_fini(&out);
}

static void a_file_has_lines(void **unused)
{
    (void)unused;
    const struct config_output o = output_of("file", "/tmp/x", "");
    struct outbound out = {.output = &o};
    outbound_begin(&out);
    add(&out, SLICE("{}"));
    add(&out, SLICE("{\"a\":\"\\n\"}"));
    assert_load(&out, "{\"cursor\":137,\"tenant\":\"sg/moh\",\"finding\":{}}\n"
                      "{\"cursor\":137,\"tenant\":\"sg/moh\",\"finding\":{\"a\":\"\\n\"}}\n");
    outbound_fini(&out);
}

static const char *header(const struct egress_load *load, const char *name)
{
    for (size_t i = 0; i < EGRESS_HEADERS && load->headers[i]; i++) {
        if (strncmp(load->headers[i], name, strlen(name)) == 0) {
            return load->headers[i] + strlen(name);
        }
    }
    return NULL;
}

static void a_webhook_s_request_is_keyed_and_signed(void **unused)
{
    (void)unused;
    const struct config_output o = output_of("webhook", "http://127.0.0.1/", "");
    struct outbound out = {.output = &o, .secret = SLICE("key")};
    struct egress_load load;
    for (int turn = 0; turn < 2; turn++) { /* nothing stays of the one before */
        outbound_begin(&out);
        add(&out, SLICE("{}"));
        struct outbound_item second = {.cursor = 140, .tenant = SLICE("a"), .finding = SLICE("{}")};
        outbound_add(&out, &second);
        assert_load(&out, "{\"output\":\"o\",\"findings\":["
                          "{\"cursor\":137,\"tenant\":\"sg/moh\",\"finding\":{}},"
                          "{\"cursor\":140,\"tenant\":\"a\",\"finding\":{}}]}\n");
    }
    outbound_begin(&out);
    add(&out, SLICE("{}"));
    assert_int_equal(outbound_finish(&out, &load), OK);
    assert_string_equal(header(&load, "Merlon-Cursor: "), "137-137");
    /* openssl dgst -sha256 -hmac key */
    assert_string_equal(header(&load, "Merlon-Signature: "),
            "sha256=771335976239641899c13872b3469f2bdcf4aba453d88d48cfc6abc58aa47c0f");
    out.secret = (struct slice){0};
    outbound_begin(&out);
    add(&out, SLICE("{}"));
    assert_int_equal(outbound_finish(&out, &load), OK);
    assert_null(header(&load, "Merlon-Signature: "));
    outbound_fini(&out);
}

static void a_batch_has_its_limits(void **unused)
{
    (void)unused;
    static char large[OUTBOUND_BYTES];
    const struct config_output o = output_of("webhook", "http://127.0.0.1/", "");
    struct outbound out = {.output = &o};
    outbound_begin(&out);
    for (int i = 0; i < OUTBOUND_ITEMS; i++) {
        assert_false(outbound_full(&out));
        add(&out, SLICE("{}"));
    }
    assert_true(outbound_full(&out));
    outbound_begin(&out);
    assert_false(outbound_full(&out));
    memset(large, ' ', sizeof large);
    add(&out, slice_of(large, sizeof large)); /* alone it goes, whatever its size */
    assert_true(outbound_full(&out));
    outbound_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(cef_is_escaped),
            cmocka_unit_test(a_finding_without_parts_is_sent_too),
            cmocka_unit_test(a_stream_counts_octets),
            cmocka_unit_test(a_file_has_lines),
            cmocka_unit_test(a_webhook_s_request_is_keyed_and_signed),
            cmocka_unit_test(a_batch_has_its_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
