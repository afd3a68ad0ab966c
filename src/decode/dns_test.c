/* Name servers' logs: their own files, and what syslog carries of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode/dns.h"
#include "decode/syslog.h"
#include "decode/windns.h"
#include "support/records_rig.h"

static void expect(const struct decoder *decoder, const char *line, const char *expected)
{
    struct buf out = {0};
    records_rig_read(decoder, slice_text(line), 4096, 1024, &out);
    buf_byte(&out, '\0');
    assert_string_equal(out.at, expected);
    buf_fini(&out);
}

/* What stands between the client and the message's own text. */
static void expect_bind(const char *text, const char *fields)
{
    struct buf line = {0}, wanted = {0};
    buf_format(&line, "client @0x7f62 192.0.2.1#555 (q): %s", text);
    buf_format(&wanted,
            "1 {\"src_ip\":\"192.0.2.1\",\"src_port\":\"555\",%s,\"message\":\"client @0x7f62 "
            "192.0.2.1#555 (q): %s\"}\n",
            fields, text);
    buf_byte(&line, '\0');
    buf_byte(&wanted, '\0');
    expect(&dns_bind_decoder, line.at, wanted.at);
    buf_fini(&line);
    buf_fini(&wanted);
}

static void bind_says_what_clients_ask(void **state)
{
    (void)state;
    expect_bind("query: a.example IN AAAA +E(0)K (192.0.2.53)",
            "\"action\":\"query\",\"query\":\"a.example\",\"class\":\"IN\",\"record_type\":"
            "\"AAAA\","
            "\"flags\":\"+E(0)K\",\"dst_ip\":\"192.0.2.53\"");
    expect_bind("view int: query: . IN NS - (::1)",
            "\"view\":\"int\",\"action\":\"query\",\"query\":\".\",\"class\":\"IN\","
            "\"record_type\":\"NS\",\"flags\":\"-\",\"dst_ip\":\"::1\"");
    expect_bind("answer: a IN A + (192.0.2.53) -> NOERROR b. 0 A 192.0.2.7",
            "\"action\":\"answer\",\"query\":\"a\",\"class\":\"IN\",\"record_type\":\"A\","
            "\"flags\":\"+\",\"dst_ip\":\"192.0.2.53\",\"rcode\":\"NOERROR\","
            "\"answer\":\"192.0.2.7\",\"answer_type\":\"A\"");
    expect_bind("UDP: query: a IN A response: NOERROR +A a. 60 IN CNAME b.; b x. 1 IN A 192.0.2.7;",
            "\"protocol\":\"UDP\",\"action\":\"query\",\"query\":\"a\",\"class\":\"IN\","
            "\"record_type\":\"A\",\"rcode\":\"NOERROR\",\"flags\":\"+A\","
            "\"answer\":[\"b\",\"192.0.2.7\"],\"answer_type\":[\"CNAME\",\"A\"]");
    expect_bind("query (cache) 'a/ANY/IN' denied",
            "\"action\":\"denied\",\"query\":\"a\",\"record_type\":\"ANY\",\"class\":\"IN\"");
    expect_bind("query failed (SERVFAIL) for a/IN/A at query.c:1",
            "\"action\":\"failed\",\"rcode\":\"SERVFAIL\",\"query\":\"a\",\"class\":\"IN\","
            "\"record_type\":\"A\"");
    expect_bind("rpz QNAME NXDOMAIN rewrite a/A/IN via b",
            "\"action\":\"rpz\",\"trigger\":\"QNAME\",\"policy\":\"NXDOMAIN\",\"query\":\"a\","
            "\"record_type\":\"A\",\"class\":\"IN\"");
    expect_bind(
            "rpz NSIP rewrite a via b", "\"action\":\"rpz\",\"trigger\":\"NSIP\",\"query\":\"a\"");
    expect_bind("query (cache) denied", "\"action\":\"denied\"");
}

static void bind_says_more(void **state)
{
    (void)state;
    const struct decoder *d = &dns_bind_decoder;
    expect(d, "28-Nov-2024 15:26:27.498 general: info: zone a.example/IN: Transfer started.",
            "1 {\"timestamp\":\"2024-11-28T15:26:27.498\",\"category\":\"general\","
            "\"level\":\"info\",\"zone\":\"a.example\","
            "\"message\":\"general: info: zone a.example/IN: Transfer started.\"}\n");
    expect(d, "2024-11-28T15:26:27.498Z lame server resolving 'a/A/IN' (in 'b'?): 192.0.2.1#53",
            "1 {\"timestamp\":\"2024-11-28T15:26:27.498Z\",\"action\":\"resolving\","
            "\"query\":\"a\",\"record_type\":\"A\",\"class\":\"IN\",\"dst_ip\":\"192.0.2.1\","
            "\"dst_port\":\"53\",\"message\":\"lame server resolving 'a/A/IN' (in 'b'?): "
            "192.0.2.1#53\"}\n");
    expect(d, "xfer-in: error: transfer of 'a/IN' from 192.0.2.1#53: failed",
            "1 {\"category\":\"xfer-in\",\"level\":\"error\",\"action\":\"transfer\","
            "\"zone\":\"a\",\"src_ip\":\"192.0.2.1\",\"src_port\":\"53\","
            "\"message\":\"xfer-in: error: transfer of 'a/IN' from 192.0.2.1#53: failed\"}\n");
    expect(d, "view x:  validating a/SOA: got",
            "1 {\"view\":\"x\",\"action\":\"validating\","
            "\"query\":\"a\",\"record_type\":\"SOA\","
            "\"message\":\"view x:  validating a/SOA: got\"}\n");
    expect(d, "28-Foo-2024 15:26:27.498 x", "1 {\"message\":\"x\"}\n");
}

static void unbound_speaks_for_itself(void **state)
{
    (void)state;
    const struct decoder *d = &dns_unbound_decoder;
    expect(d, "[1570526945] unbound[17265:13] info: 192.0.2.1 a.example. A IN",
            "1 {\"timestamp\":\"1570526945\",\"pid\":\"17265\",\"tid\":\"13\",\"level\":\"info\","
            "\"action\":\"query\",\"src_ip\":\"192.0.2.1\",\"query\":\"a.example\","
            "\"record_type\":\"A\",\"class\":\"IN\",\"message\":\"192.0.2.1 a.example. A IN\"}\n");
    expect(d, "[1:0] reply: ::1@5 a. AAAA IN NXDOMAIN 0.1 0 45",
            "1 {\"pid\":\"1\",\"tid\":\"0\",\"level\":\"reply\",\"action\":\"reply\","
            "\"src_ip\":\"::1\",\"src_port\":\"5\",\"query\":\"a\",\"record_type\":\"AAAA\","
            "\"class\":\"IN\",\"rcode\":\"NXDOMAIN\",\"duration\":\"0.1\",\"cached\":\"0\","
            "\"bytes\":\"45\",\"message\":\"::1@5 a. AAAA IN NXDOMAIN 0.1 0 45\"}\n");
    expect(d, "[1:0] info: x. redirect 192.0.2.1@5 a.x. A IN",
            "1 {\"pid\":\"1\",\"tid\":\"0\",\"level\":\"info\",\"action\":\"local\","
            "\"policy\":\"redirect\",\"src_ip\":\"192.0.2.1\",\"src_port\":\"5\","
            "\"query\":\"a.x\",\"record_type\":\"A\",\"class\":\"IN\","
            "\"message\":\"x. redirect 192.0.2.1@5 a.x. A IN\"}\n");
    expect(d, "[1:0] notice: init module 0",
            "1 {\"pid\":\"1\",\"tid\":\"0\",\"level\":\"notice\","
            "\"message\":\"init module 0\"}\n");
    static const char *const wrong[] = {"x", "[x] info: a", "[1:0] x: a", "[1:0", "["};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        expect(d, wrong[i], "1! no line of Unbound's log\n");
    }
}

#define SYSLOG(p) "2024-01-01T00:00:00Z " p "[1]: "
#define SYSLOG_J(p, m)                                                                             \
    "1 {\"timestamp\":\"2024-01-01T00:00:00Z\",\"program\":\"" p                                   \
    "\",\"pid\":\"1\",\"message\":\"" m "\""

static void syslog_carries_them_all(void **state)
{
    (void)state;
    const struct decoder *d = &syslog_decoder;
    expect(d, SYSLOG("dnsmasq") "query[A] a.example from 192.0.2.1",
            SYSLOG_J("dnsmasq",
                    "query[A] a.example from 192.0.2.1") ",\"action\":\"query\","
                                                         "\"record_type\":\"A\",\"query\":\"a."
                                                         "example\",\"src_ip\":\"192.0.2.1\"}\n");
    expect(d, SYSLOG("dnsmasq") "7 192.0.2.1/5 reply a is 192.0.2.7",
            SYSLOG_J("dnsmasq",
                    "7 192.0.2.1/5 reply a is 192.0.2.7") ",\"serial\":\"7\","
                                                          "\"src_ip\":\"192.0.2.1\",\"src_port\":"
                                                          "\"5\",\"action\":\"reply\",\"query\":"
                                                          "\"a\","
                                                          "\"answer\":\"192.0.2.7\"}\n");
    expect(d, SYSLOG("dnsmasq") "/etc/hosts a is ::1",
            SYSLOG_J("dnsmasq", "/etc/hosts a is ::1") ",\"action\":\"hosts\",\"query\":\"a\","
                                                       "\"answer\":\"::1\"}\n");
    expect(d, SYSLOG("dnsmasq") "forwarded a to 192.0.2.53",
            SYSLOG_J("dnsmasq",
                    "forwarded a to 192.0.2.53") ",\"action\":\"forwarded\","
                                                 "\"query\":\"a\",\"dst_ip\":\"192.0.2.53\"}\n");
    expect(d, SYSLOG("dnsmasq") "started, version 2",
            SYSLOG_J("dnsmasq", "started, version 2") "}\n");
    expect(d, SYSLOG("named") "client 192.0.2.1#5: query (cache) denied",
            SYSLOG_J("named",
                    "client 192.0.2.1#5: query (cache) denied") ",\"src_ip\":\"192.0.2.1\",\"src_"
                                                                "port\":\"5\",\"action\":"
                                                                "\"denied\"}\n");
    expect(d, SYSLOG("unbound") "[1:0] query: 192.0.2.1 a. A IN",
            SYSLOG_J("unbound",
                    "[1:0] query: 192.0.2.1 a. A IN") ",\"tid\":\"0\","
                                                      "\"level\":\"query\",\"action\":\"query\","
                                                      "\"src_ip\":\"192.0.2.1\",\"query\":\"a\","
                                                      "\"record_type\":\"A\",\"class\":\"IN\"}\n");
}

#define PACKET " 0E70 PACKET  00AA UDP Rcv 192.0.2.1  5b47   Q [0001   D   NOERROR] A      "
#define PACKET_J(time, name)                                                                       \
    "1 {\"timestamp\":\"" time "\",\"thread\":\"0E70\",\"packet\":\"00AA\",\"protocol\":\"UDP\","  \
    "\"direction\":\"Rcv\",\"src_ip\":\"192.0.2.1\",\"xid\":\"5b47\",\"action\":\"query\","        \
    "\"opcode\":\"Q\",\"flags_hex\":\"0001\",\"flags\":\"D\",\"rcode\":\"NOERROR\","               \
    "\"record_type\":\"A\",\"query\":\"" name "\"}\n"

static void windows_names_and_times_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *written, *read;
    } times[] = {{"6/5/2013 10:00:32 AM", "2013-06-05T10:00:32"},
            {"6/5/2013 12:00:32 AM", "2013-06-05T00:00:32"},
            {"6/5/2013 12:00:32 PM", "2013-06-05T12:00:32"},
            {"25/5/2013 1:00:32 pm", "2013-05-25T13:00:32"},
            {"05/06/2013 10:00:32", "2013-06-05T10:00:32"},
            {"05/26/2013 10:00:32", "2013-05-26T10:00:32"},
            {"05.06.2013 10:00:32", "2013-06-05T10:00:32"},
            {"2013-06-05 10:00:32", "2013-06-05T10:00:32"},
            {"20130605 10:00:32", "2013-06-05T10:00:32"}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct buf line = {0}, wanted = {0};
        buf_format(&line, "%s" PACKET "(1)a(7)example(0)", times[i].written);
        buf_format(&wanted, PACKET_J("%s", "a.example"), times[i].read);
        buf_byte(&line, '\0');
        buf_byte(&wanted, '\0');
        expect(&windns_decoder, line.at, wanted.at);
        buf_fini(&line);
        buf_fini(&wanted);
    }
    static const struct {
        const char *written, *read;
    } names[] = {{"(0)", "."}, {"(1)a(0)", "a"}, {"(9)a(0)", "(9)a(0)"}, {"(1)a", "(1)a"},
            {"a.b", "a.b"}, {"(3)a.b(1)c(0)", "a.b.c"}, {"(99999999999)a(0)", "(99999999999)a(0)"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct buf line = {0}, wanted = {0};
        buf_format(&line, "20130605 10:00:32" PACKET "%s", names[i].written);
        buf_format(&wanted, PACKET_J("2013-06-05T10:00:32", "%s"), names[i].read);
        buf_byte(&line, '\0');
        buf_byte(&wanted, '\0');
        expect(&windns_decoder, line.at, wanted.at);
        buf_fini(&line);
        buf_fini(&wanted);
    }
}

static void windows_other_lines_are_messages(void **state)
{
    (void)state;
    static const char *const lines[] = {"DNS Server log", "20130605 10:00:32 0E70 EVENT x",
            "20130605 10:00:32 0E70 PACKET 0 UDP Rcv 1.2.3.4 5 Q x", "20130605 10:00 1"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct buf wanted = {0};
        buf_format(&wanted, "1 {\"message\":\"%s\"}\n", lines[i]);
        buf_byte(&wanted, '\0');
        expect(&windns_decoder, lines[i], wanted.at);
        buf_fini(&wanted);
    }
    expect(&windns_decoder,
            "20130605 10:00:32 0E70 PACKET  00AA TCP Snd ::1 5b47 R U [8385 A DR NXDOMAIN] SOA (0)",
            "1 {\"timestamp\":\"2013-06-05T10:00:32\",\"thread\":\"0E70\",\"packet\":\"00AA\","
            "\"protocol\":\"TCP\",\"direction\":\"Snd\",\"dst_ip\":\"::1\",\"xid\":\"5b47\","
            "\"action\":\"reply\",\"opcode\":\"U\",\"flags_hex\":\"8385\",\"flags\":\"A DR\","
            "\"rcode\":\"NXDOMAIN\",\"record_type\":\"SOA\",\"query\":\".\"}\n");
}

static void they_are_recognised_among_others(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool bind, unbound, windows;
    } cases[] = {{"client @0x1 192.0.2.1#5 (a): query: a IN A + ()\n", true, false, false},
            {"28-Nov-2024 15:26:27.498 queries: info: x\n", true, false, false},
            {"[1570526945] unbound[1:0] info: x\n", false, true, false},
            {"20130605 10:00:32" PACKET "(0)\n", false, false, true},
            {"DNS Server log file creation at 1/1/2013\n", false, false, true},
            {"", false, false, false}, {"28-Nov-2024 15:26:27.498 x\n", false, false, false},
            {"client said hello\n", false, false, false}, {"[1:0] x\n", false, false, false},
            {"2024-01-01T00:00:00Z h named[1]: client 192.0.2.1#5: x\n", false, false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = cases[i].text;
        assert_int_equal(records_rig_recognise(&dns_bind_decoder, text) > 0, cases[i].bind);
        assert_int_equal(records_rig_recognise(&dns_unbound_decoder, text) > 0, cases[i].unbound);
        assert_int_equal(records_rig_recognise(&windns_decoder, text) > 0, cases[i].windows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(bind_says_what_clients_ask),
            cmocka_unit_test(bind_says_more),
            cmocka_unit_test(unbound_speaks_for_itself),
            cmocka_unit_test(syslog_carries_them_all),
            cmocka_unit_test(windows_names_and_times_are_read),
            cmocka_unit_test(windows_other_lines_are_messages),
            cmocka_unit_test(they_are_recognised_among_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
