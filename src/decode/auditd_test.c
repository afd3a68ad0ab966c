/* The Linux audit log: lines of one event are joined, however the stream comes in pieces and
 * whatever stands between them; coded values are decoded; what is no record is rejected by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "decode/auditd.h"
#include "decode/auditd_cut.h"
#include "decode/auditd_text.h"
#include "decode/syslog.h"
#include "support/records_rig.h"

static void expect(const char *stream, const char *expected)
{
    size_t size = strlen(stream);
    for (size_t piece = 1; piece <= size + 1; piece += piece < 64 ? 1 : size / 7 + 1) {
        struct buf out = {0};
        records_rig_read(&auditd_decoder, slice_text(stream), piece, 4096, &out);
        buf_byte(&out, '\0');
        assert_string_equal(out.at, expected);
        buf_fini(&out);
    }
}

#define S(n) "msg=audit(1493129355.852:" n "): "
#define T(n) "\"timestamp\":\"1493129355.852\",\"serial\":\"" n "\","

static void lines_of_a_stamp_are_one_event(void **state)
{
    (void)state;
    expect("type=SYSCALL " S("7") "arch=c000003e syscall=59 a0=1 exe=\"/bin/ls\"\n"
                                  "type=EXECVE " S("7") "argc=2 a0=\"ls\" a1=2D6C20\n"
                                                        "type=CWD " S("7") "cwd=\"/root\"\n",
            "1 {" T("7") "\"type\":[\"SYSCALL\",\"EXECVE\",\"CWD\"],\"arch\":\"c000003e\","
                         "\"syscall\":\"59\",\"syscall_a0\":\"1\",\"exe\":\"/bin/"
                         "ls\",\"ARCH\":\"x86_64\","
                         "\"SYSCALL\":\"execve\",\"argc\":\"2\",\"a0\":\"ls\",\"a1\":\"-l "
                         "\",\"cwd\":\"/root\","
                         "\"cmdline\":\"ls -l \"}\n");
    /* without an EXECVE record the numbers keep their names */
    expect("type=SYSCALL " S("7") "arch=c00000b7 syscall=116 a0=4\n",
            "1 {" T("7") "\"type\":\"SYSCALL\",\"arch\":\"c00000b7\",\"syscall\":\"116\","
                         "\"a0\":\"4\",\"ARCH\":\"aarch64\",\"SYSCALL\":\"syslog\"}\n");
}

static void events_that_overlap_are_told_apart(void **state)
{
    (void)state;
    expect("type=A " S("1") "x=1\ntype=A " S("2") "x=2\nnode=n type=B " S(
                   "1") "x=3\n"
                        "type=B " S("2") "x=4\ntype=B " S("1") "x=5\nnoise\nnode=n type=C " S(
                                "1") "x=6",
            "1 {" T("1") "\"type\":[\"A\",\"B\"],\"x\":[\"1\",\"5\"]}\n"
                         "2 {" T("2") "\"type\":[\"A\",\"B\"],\"x\":[\"2\",\"4\"]}\n"
                                      "3 {" T("1") "\"node\":\"n\",\"type\":[\"B\",\"C\"],\"x\":["
                                                   "\"3\",\"6\"]}\n"
                                                   "6! no audit record: no type=... "
                                                   "msg=audit(...)\n");
}

static void words_in_pieces_are_put_together(void **state)
{
    (void)state;
    expect("type=EXECVE " S("1") "argc=3 a0=\"sh\" a1_len=8 a1[0]=6162\n"
                                 "type=EXECVE " S("1") "a1[1]=63\n"
                                                       "type=EXECVE " S("1") "a2=\"x\"\n",
            "1 {" T("1") "\"type\":[\"EXECVE\",\"EXECVE\",\"EXECVE\"],\"argc\":\"3\",\"a0\":\"sh\","
                         "\"a1_len\":\"8\",\"a1\":\"abc\",\"a2\":\"x\",\"cmdline\":\"sh abc "
                         "x\"}\n");
    expect("type=EXECVE " S("1") "a0[0]=61 a1[0]=62\n",
            "1 {" T("1") "\"type\":\"EXECVE\",\"a0\":\"a\",\"a1\":\"b\",\"cmdline\":\"a b\"}\n");
}

static void coded_values_are_decoded(void **state)
{
    (void)state;
    expect("type=PROCTITLE " S(
                   "1") "proctitle=76696D002F657463\n"
                        "type=SYSCALL " S(
                                "1") "key=65786563013634626974 pid=1234 comm=\"a b\" exe=(null)\n",
            "1 {" T("1") "\"type\":[\"PROCTITLE\",\"SYSCALL\"],\"proctitle\":\"vim /etc\","
                         "\"key\":[\"exec\",\"64bit\"],\"pid\":\"1234\",\"comm\":\"a "
                         "b\",\"exe\":\"(null)\"}\n");
    expect("type=USER_CMD " S(
                   "1") "pid=2 msg='cwd=\"/\" cmd=6C73202D6C acct=\"o'b\" res=success'\n",
            "1 {" T("1") "\"type\":\"USER_CMD\",\"pid\":\"2\",\"cwd\":\"/\",\"cmd\":\"ls -l\","
                         "\"acct\":\"o'b\",\"res\":\"success\"}\n");
    expect("type=AVC " S("1") "avc:  denied  { read write } for  pid=1 comm=\"x\" dev=hda7\n",
            "1 {" T("1") "\"type\":\"AVC\",\"seresult\":\"denied\",\"seperms\":\"read write\","
                         "\"pid\":\"1\",\"comm\":\"x\",\"dev\":\"hda7\"}\n");
}

static void sentences_of_old_kernels_are_read(void **state)
{
    (void)state;
    expect("type=LOGIN " S("1") "login pid=1 uid=0 old auid=4294967295 new auid=0 old ses=1\n",
            "1 {" T("1") "\"type\":\"LOGIN\",\"pid\":\"1\",\"uid\":\"0\","
                         "\"old-auid\":\"4294967295\",\"auid\":\"0\",\"old-ses\":\"1\"}\n");
    expect("type=USER_END " S("1") "user pid=1 msg='PAM: session close acct=root : exe=\"/c\" "
                                   "(hostname=?, addr=?, terminal=(none) res=success)'\n",
            "1 {" T("1") "\"type\":\"USER_END\",\"pid\":\"1\",\"acct\":\"root\","
                         "\"exe\":\"/c\",\"hostname\":\"?\",\"addr\":\"?\",\"terminal\":\"(none)\","
                         "\"res\":\"success\"}\n");
    expect("type=AVC " S("1") "avc:  denied  {\ntype=AVC " S("1") "avc:\n",
            "1 {" T("1") "\"type\":[\"AVC\",\"AVC\"],\"seresult\":\"denied\"}\n");
}

static void made_and_removed_files_have_whole_names(void **state)
{
    (void)state;
    expect("type=CWD " S(
                   "1") "cwd=\"/tmp\"\n"
                        "type=PATH " S(
                                "1") "name=\"a\" nametype=CREATE\n"
                                     "type=PATH " S(
                                             "1") "name=2F6220 nametype=DELETE\n"
                                                  "type=PATH " S(
                                                          "1") "name=\"/tmp\" nametype=PARENT\n",
            "1 {" T("1") "\"type\":[\"CWD\",\"PATH\",\"PATH\",\"PATH\"],\"cwd\":\"/tmp\","
                         "\"name\":[\"a\",\"/b "
                         "\",\"/tmp\"],\"nametype\":[\"CREATE\",\"DELETE\",\"PARENT\"],"
                         "\"file_created\":\"/tmp/a\",\"file_deleted\":\"/b \"}\n");
}

static void enriched_records_add_no_second_names(void **state)
{
    (void)state;
    expect("type=SYSCALL " S(
                   "1") "arch=c000003e syscall=42 uid=0\x1d"
                        "ARCH=x86_64 SYSCALL=connect UID=\"ro ot\"\n"
                        "type=SOCKADDR " S(
                                "1") "saddr=02000050A9FEA9FE0000000000000000\x1d"
                                     "SADDR={ saddr_fam=inet laddr=169.254.169.254 lport=80 }\n",
            "1 {" T("1") "\"type\":[\"SYSCALL\",\"SOCKADDR\"],\"arch\":\"c000003e\","
                         "\"syscall\":\"42\",\"uid\":\"0\",\"ARCH\":\"x86_64\",\"SYSCALL\":"
                         "\"connect\","
                         "\"UID\":\"ro ot\",\"saddr\":\"02000050A9FEA9FE0000000000000000\","
                         "\"saddr_fam\":\"inet\",\"laddr\":\"169.254.169.254\",\"lport\":\"80\"}"
                         "\n");
}

static void records_stand_in_syslog_too(void **state)
{
    (void)state;
    expect("<13>Nov 22 18:40:36 web1 audispd: type=CWD " S(
                   "1") "cwd=\"/\"\n"
                        "2021-10-20T13:39:12Z web1 audispd: type=EOE " S(
                                "1") "\n"
                                     "Nov 22 18:40:36 web2 kernel: [1.5] audit: type=1307 "
                                     "audit(1493129355.852:1): cwd=\"/\"\n"
                                     "Nov 22 18:40:36 x audispd: node=web3 type=CWD " S(
                                             "1") "cwd=\"/\"#035OUID=\"a\"\n",
            "1 {" T("1") "\"node\":\"web1\",\"type\":[\"CWD\",\"EOE\"],\"cwd\":\"/\"}\n"
                         "3 {" T("1") "\"node\":\"web2\",\"type\":\"CWD\",\"cwd\":\"/\"}\n"
                                      "4 {" T("1") "\"node\":\"web3\",\"type\":\"CWD\",\"cwd\":\"/"
                                                   "\",\"OUID\":\"a\"}\n");
}

static void single_records_stand_among_other_messages(void **state)
{
    (void)state;
    static const struct {
        const char *line, *fields;
    } cases[] = {{"2024-01-01T00:00:00Z h audit[1]: SERVICE_STOP pid=1 uid=0 msg='unit=ufw host=x'",
                         "\"type\":\"SERVICE_STOP\",\"data.pid\":\"1\",\"uid\":\"0\","
                         "\"unit\":\"ufw\",\"data.host\":\"x\"}\n"},
            {"2024-01-01T00:00:00Z h audispd: type=EXECVE msg=audit(1.2:3): argc=2 a0=\"ls\" "
             "a1=2D6C",
                    "\"serial\":\"3\",\"type\":\"EXECVE\",\"argc\":\"2\",\"a0\":\"ls\","
                    "\"a1\":\"-l\",\"cmdline\":\"ls -l\"}\n"},
            {"2024-01-01T00:00:00Z h auditd[1]: Audit daemon rotating log files",
                    "\"message\":\"Audit daemon rotating log files\"}\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = {0};
        records_rig_read(&syslog_decoder, slice_text(cases[i].line), 4096, 4096, &out);
        assert_true(slice_ends(buf_slice(&out), slice_text(cases[i].fields)));
        buf_fini(&out);
    }
}

static void what_is_no_record_is_rejected_by_name(void **state)
{
    (void)state;
    static const char *const lines[] = {"type= " S("1"), "type=A msg=audit(1.2:)", "type=A",
            "type=A msg=audit(.2:3): x=1", "msg=audit(1.2:3): x=1", "type=A msg=audit(1.2:3",
            "xtype=A msg=audit(1.2:3): x=1", "type=A msg=audit(12:3): x=1"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        expect(lines[i], "1! no audit record: no type=... msg=audit(...)\n");
    }
    expect("type=A msg=audit(1.2:3)",
            "1 {\"timestamp\":\"1.2\",\"serial\":\"3\",\"type\":\"A\"}\n");
    expect("type=A msg=audit(1.2:3): \xff= =\x01 =\"", "1 {\"timestamp\":\"1.2\",\"serial\":\"3\","
                                                       "\"type\":\"A\",\"\xEF\xBF\xBD\":\"\"}\n");
}

/* ---- limits ---------------------------------------------------------------------------------- */

/* Lines of one event with `gap` bytes of others between two of them; how many events that is. */
static size_t count_events(size_t gap, size_t before)
{
    struct buf stream = {0}, out = {0};
    for (size_t i = 0; i < before; i++) {
        buf_format(&stream, "type=A msg=audit(1.2:%d): x=1\n", (int)i + 100);
    }
    size_t start = stream.size;
    buf_add(&stream, SLICE("type=A msg=audit(1.2:1): x=1"));
    for (size_t left = gap; left > 0;) {
        /* the newline before it, behind the last one its own too */
        size_t size = left > 8000 ? 4000 : left;
        buf_add(&stream, SLICE("\ntype=A msg=audit(1.3:2):"));
        for (size_t i = 25; i < size - (size == left); i++) {
            buf_byte(&stream, ' ');
        }
        left -= size;
    }
    buf_byte(&stream, '\n');
    buf_add(&stream, SLICE("type=B msg=audit(1.2:1): x=1\n"));
    assert_true(stream.size > start + gap);
    records_rig_read(&auditd_decoder, buf_slice(&stream), 1 << 18, 1 << 24, &out);
    size_t joined = slice_find(buf_slice(&out), SLICE("[\"A\",\"B\"]")) != SIZE_MAX;
    buf_fini(&stream);
    buf_fini(&out);
    return joined ? 1 : 2;
}

static void lines_join_up_to_the_spread_wherever_blocks_end(void **state)
{
    (void)state;
    for (size_t before = 0; before < 24000; before += 3001) {
        assert_int_equal(count_events(AUDITD_SPREAD, before), 1);
        assert_int_equal(count_events(AUDITD_SPREAD + 1, before), 2);
    }
}

/* Events that hold each other open to the end: the stream is cut all the same. */
static void endless_overlap_is_cut(void **state)
{
    (void)state;
    struct buf stream = {0}, out = {0};
    for (int i = 0; i < 150000; i++) {
        buf_format(&stream, "type=A msg=audit(1.2:%d): x=%d\n", i % 2, i);
    }
    assert_true(stream.size > 4 * AUDITD_CHAIN);
    records_rig_read(&auditd_decoder, buf_slice(&stream), 1 << 18, 1 << 24, &out);
    size_t events = 0;
    for (size_t i = 0; i < out.size; i++) {
        events += out.at[i] == '\n';
    }
    assert_in_range(events, 4, 20);
    buf_fini(&stream);
    buf_fini(&out);
}

static void an_event_over_the_limit_is_rejected(void **state)
{
    (void)state;
    const char *stream = "type=A msg=audit(1.2:3): x=12345\ntype=B msg=audit(1.2:3): x=1";
    struct buf out = {0};
    records_rig_read(&auditd_decoder, slice_text(stream), 4096, strlen(stream), &out);
    assert_memory_equal(out.at, "1 {", 3);
    buf_clear(&out);
    records_rig_read(&auditd_decoder, slice_text(stream), 4096, strlen(stream) - 1, &out);
    assert_memory_equal(out.at, "1! record longer than", 21);
    buf_fini(&out);
}

/* ---- texts ----------------------------------------------------------------------------------- */

static void socket_addresses_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *saddr, *family, *address, *port, *path;
    } cases[] = {
            {"02000050A9FEA9FE0000000000000000", "inet", "169.254.169.254", "80", ""},
            {"0A000016000000000000000000000000000000000000000000000000", "inet6", "::", "22", ""},
            {"0A00FFFF0000000020010DB8000000000001000000000001", "inet6", "2001:db8::1:0:0:1",
                    "65535", ""},
            {"0A0000010000000000010002000300040005000600000008", "inet6", "1:2:3:4:5:6:0:8", "1",
                    ""},
            {"0A0000010000000000000002000300040005000000000000", "inet6", "0:2:3:4:5::", "1", ""},
            {"01002F7661722F72756E0041", "local", "", "", "/var/run"},
            {"010000414243", "local", "", "", "@ABC"},
            {"0100", "local", "", "", ""},
            {"100000000000000000000000", "netlink", "", "", ""},
    };
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct auditd_address a;
        assert_true(auditd_text_address(&arena, slice_text(cases[i].saddr), &a));
        assert_true(slice_equal(a.family, slice_text(cases[i].family)));
        assert_true(slice_equal(a.address, slice_text(cases[i].address)));
        assert_true(slice_equal(a.port, slice_text(cases[i].port)));
        assert_true(slice_equal(a.path, slice_text(cases[i].path)));
    }
    static const char *const wrong[] = {
            "", "02", "0200", "02000050A9FEA9", "0A000016", "00000000", "020000500000000g", "FF00"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct auditd_address a;
        assert_false(auditd_text_address(&arena, slice_text(wrong[i]), &a));
    }
    arena_fini(&arena);
}

static void calls_have_names(void **state)
{
    (void)state;
    static const struct {
        const char *arch, *number, *name;
    } cases[] = {{"c000003e", "59", "execve"}, {"c000003e", "0", "read"},
            {"c000003e", "322", "execveat"}, {"c000003e", "319", "memfd_create"},
            {"40000003", "11", "execve"}, {"c00000b7", "221", "execve"}, {"c000003e", "9999", ""},
            {"c000003e", "400", ""}, {"c000003e", "", ""}, {"c000003e", "5x", ""},
            {"deadbeef", "59", ""}, {"c000003e", "10000", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice name =
                auditd_text_syscall(slice_text(cases[i].arch), slice_text(cases[i].number));
        assert_true(slice_equal(name, slice_text(cases[i].name)));
    }
}

static void it_is_recognised_among_others(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool mine;
    } cases[] = {{"type=CWD " S("1") "cwd=\"/\"\n", true},
            {"node=a type=CWD " S("1") "cwd=\"/\"\n", true},
            {"<13>Nov 22 18:40:36 web1 audispd: type=CWD " S("1") "\n", true}, {"", false},
            {"Nov 22 18:40:36 web1 sshd[1]: Accepted password\n", false}, {"{\"type\":1}\n", false},
            {"type=CWD cwd=\"/\"\n", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(records_rig_recognise(&auditd_decoder, cases[i].text) > 0, cases[i].mine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(lines_of_a_stamp_are_one_event),
            cmocka_unit_test(events_that_overlap_are_told_apart),
            cmocka_unit_test(words_in_pieces_are_put_together),
            cmocka_unit_test(coded_values_are_decoded),
            cmocka_unit_test(sentences_of_old_kernels_are_read),
            cmocka_unit_test(made_and_removed_files_have_whole_names),
            cmocka_unit_test(enriched_records_add_no_second_names),
            cmocka_unit_test(records_stand_in_syslog_too),
            cmocka_unit_test(single_records_stand_among_other_messages),
            cmocka_unit_test(what_is_no_record_is_rejected_by_name),
            cmocka_unit_test(lines_join_up_to_the_spread_wherever_blocks_end),
            cmocka_unit_test(endless_overlap_is_cut),
            cmocka_unit_test(an_event_over_the_limit_is_rejected),
            cmocka_unit_test(socket_addresses_are_read),
            cmocka_unit_test(calls_have_names),
            cmocka_unit_test(it_is_recognised_among_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
