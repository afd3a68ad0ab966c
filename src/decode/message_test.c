/* What messages say, at the limits: JSON's depth and names, CEF's labels, names that a message must
 * not give, and names that somebody chose to mislead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "decode/message.h"
#include "decode/message_json.h"
#include "event/field.h"

static enum err parse(void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    (void)diag;
    message_read(sink, slice_text(context), text);
    return OK;
}

static const struct fields_form form = FIELDS_FORM("test", message_names, parse);

/* All that a program's message says, as JSON. The caller frees it. */
static void read_message(const char *program, struct slice text, struct buf *out)
{
    struct fields *names = field_table_new();
    const struct path_pattern patterns[] = {{SLICE("*"), SLICE("*"), false}};
    struct paths *paths;
    struct event event;
    struct fields_reader reader;
    struct diag diag;
    char copy[32] = "";
    assert_true(strlen(program) < sizeof copy);
    memcpy(copy, program, strlen(program));
    assert_int_equal(paths_build(names, patterns, 1, &paths), OK);
    assert_int_equal(event_init(&event, paths->field_count), OK);
    assert_int_equal(fields_init(&reader, &form, paths, copy), OK);
    assert_int_equal(fields_read(&reader, text, &event, &diag), OK);
    event.form->write_json(&event, out);
    buf_byte(out, '\0');
    assert_false(out->failed);
    fields_fini(&reader);
    event_fini(&event);
    paths_free(paths);
    field_table_free(names);
}

static void expect(const char *program, const char *text, const char *expected)
{
    struct buf out = {0};
    read_message(program, slice_text(text), &out);
    assert_string_equal(out.at, expected);
    buf_fini(&out);
}

static void a_chosen_name_does_not_stand_in_for_what_is_behind_it(void **state)
{
    (void)state;
    expect("sshd",
            "Failed password for invalid user a from 192.0.2.9 port 1 ssh2 from ::1 port 2 ssh2",
            "{\"event.action\":\"ssh_login\",\"event.outcome\":\"failure\",\"ssh.method\":"
            "\"password\",\"user.name\":\"a from 192.0.2.9 port 1 ssh2\",\"source.ip\":\"::1\","
            "\"source.port\":\"2\"}");
    expect("sshd", "Disconnected from authenticating user a b 192.0.2.1 port 2 [preauth]",
            "{\"event.action\":\"ssh_disconnect\",\"user.name\":\"a b\",\"source.ip\":"
            "\"192.0.2.1\",\"source.port\":\"2\"}");
    expect("sshd", "Invalid user  from 192.0.2.1 port x y", "{}");
    expect("sudo", "a : TTY=t ; PWD=/ ; USER=root ; COMMAND=/bin/x ; USER=b",
            "{\"user.name\":\"a\",\"TTY\":\"t\",\"process.tty\":\"t\",\"PWD\":\"/\","
            "\"process.working_directory\":\"/\",\"USER\":\"root\",\"user.target.name\":\"root\","
            "\"COMMAND\":\"/bin/x ; USER=b\",\"process.command_line\":\"/bin/x ; USER=b\","
            "\"event.action\":\"sudo\",\"event.outcome\":\"success\"}");
}

static void a_message_cannot_say_where_it_came_from(void **state)
{
    (void)state;
    expect("x", "{\"program\":\"sshd\",\"hosts\":1,\"pid\":2,\"a\":{\"host\":3}}",
            "{\"data.program\":\"sshd\",\"hosts\":1,\"data.pid\":2,\"a.host\":3}");
    expect("x", "facility=auth timestamp=0 f=1",
            "{\"data.facility\":\"auth\",\"data.timestamp\":\"0\",\"f\":\"1\"}");
    expect("x", "CEF:0|a|b|c|d|e|f|host=h",
            "{\"cefVersion\":\"0\",\"deviceVendor\":\"a\","
            "\"deviceProduct\":\"b\",\"deviceVersion\":\"c\",\"deviceEventClassId\":\"d\","
            "\"name\":\"e\",\"deviceSeverity\":\"f\",\"data.host\":\"h\"}");
}

/* An object nested `depth` deep, or with a name of `depth` bytes. */
static bool is_json(size_t depth, size_t name)
{
    struct buf text = {0}, out = {0};
    for (size_t i = 0; i < depth; i++) {
        buf_add(&text, SLICE("{\"a\":"));
    }
    buf_add(&text, SLICE("{\""));
    for (size_t i = 0; i < name; i++) {
        buf_byte(&text, 'n');
    }
    buf_add(&text, SLICE("\":7}"));
    for (size_t i = 0; i < depth; i++) {
        buf_byte(&text, '}');
    }
    read_message("x", buf_slice(&text), &out);
    bool found = strstr(out.at, "7") != NULL;
    buf_fini(&text);
    buf_fini(&out);
    return found;
}

static void json_has_limits(void **state)
{
    (void)state;
    assert_true(is_json(MESSAGE_JSON_DEPTH - 1, 1));
    assert_false(is_json(MESSAGE_JSON_DEPTH, 1));
    assert_true(is_json(0, MESSAGE_JSON_NAME - 1));
    assert_false(is_json(0, MESSAGE_JSON_NAME));
}

static void json_is_valid_or_no_json(void **state)
{
    static const char *const invalid[] = {"{\"a\":1", "{\"a\":1}x", "{\"a\" 1}", "{a:1}",
            "{\"a\":01}", "{\"a\":1,}", "{\"a\":[1,]}", "{\"a\":[1}", "{\"a\":tru}",
            "{\"a\":\"\\x\"}", "{\"a\":\"\xFF\"}", "{\"a\":\"", "{\"a\":", "{", "{,}",
            "{\"a\":\"\n\"}", "{\"a\":1 2}"};
    (void)state;
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        expect("x", invalid[i], "{}");
    }
    expect("x", "{\"a\":[{\"b\":1},{\"b\":2}],\"c\":{},\"d\":[[]],\"e\":null}",
            "{\"a.b\":[1,2],\"c\":{},\"d\":{},\"e\":null}");
}

#define CEF_HEAD                                                                                   \
    "{\"cefVersion\":\"0\",\"deviceVendor\":\"a|\\\\\",\"deviceProduct\":\"b\",\"deviceVersion\":" \
    "\"c\",\"deviceEventClassId\":\"d\",\"name\":\"e\",\"deviceSeverity\":\"f\""

static void cef_has_escapes_and_words(void **state)
{
    (void)state;
    expect("x", "CEF:0|a\\|\\\\|b|c|d|e|f|msg=a\\=b\\\\c\\nd  e request=http://h/?a=b&c=d x=",
            CEF_HEAD ",\"msg\":\"a=b\\\\c\\nd  e\",\"request\":\"http://h/?a=b&c=d\",\"x\":\"\"}");
    expect("x", "CEF:0|a\\|\\\\|b|c|d|e|f|cs1=v w cs1Label=L M cs2Label=N",
            CEF_HEAD ",\"cs1\":\"v w\",\"cs1Label\":\"L M\",\"cs2Label\":\"N\",\"L M\":\"v w\"}");
    expect("x", "CEF:0|a", "{\"cefVersion\":\"0\"}");
}

static void leef_names_its_divider(void **state)
{
    static const char *const heads[] = {"^", "x5E", "0x5e", "\\x5E"};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct buf text = {0};
        buf_format(&text, "LEEF:2.0|v|p|1|9|%s|a=1=2^b=c d", heads[i]);
        buf_byte(&text, '\0');
        expect("x", text.at,
                "{\"leefVersion\":\"2.0\",\"deviceVendor\":\"v\",\"deviceProduct\":"
                "\"p\",\"deviceVersion\":\"1\",\"eventID\":\"9\",\"a\":\"1=2\",\"b\":\"c d\"}");
        buf_fini(&text);
    }
    expect("x", "LEEF:1.0|v|p|1|9|a=1#011b=2",
            "{\"leefVersion\":\"1.0\",\"deviceVendor\":\"v\","
            "\"deviceProduct\":\"p\",\"deviceVersion\":\"1\",\"eventID\":\"9\",\"a\":\"1\",\"b\":"
            "\"2\"}");
}

static void pairs_need_two_and_keep_quoted_blanks(void **state)
{
    (void)state;
    expect("x", "a=1 and nothing more", "{}");
    expect("x", "then a=1 b=2", "{}");
    expect("x", "a=\"1 \\\" 2\" b='x y' c= d", "{\"a\":\"1 \\\" 2\",\"b\":\"x y\",\"c\":\"\"}");
    expect("x", "a=\"open b=2", "{\"a\":\"\\\"open\",\"b\":\"2\"}");
    expect("x", "a=1 2,b=3;x,c=4", "{\"a\":\"1\",\"b\":\"3;x,c=4\"}");
    expect("x", "a=1,b=3 x,c=4", "{\"a\":\"1\",\"b\":\"3 x\",\"c\":\"4\"}");
}

/* ---- tables ---------------------------------------------------------------------------------- */

static struct message_sentence table[] = {
        {"\1 elsewhere", {MESSAGE_USER}, {0}, {0}},
        {"open door \1 in", {MESSAGE_REASON}, {0}, {0}},
        {"open door \1", {MESSAGE_HOST}, {0}, {0}},
        {"open doors", {0}, MESSAGE_TEXT("doors"), {0}},
        {"open", {0}, MESSAGE_TEXT("open"), {0}},
        {"open window", {0}, MESSAGE_TEXT("window"), {0}},
        {"shut window", {0}, MESSAGE_TEXT("shut"), {0}},
};

static enum err parse_table(
        void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    (void)diag;
    (void)context;
    if (!message_match(sink, text, table, sizeof table / sizeof *table)) {
        fields_put(sink, MESSAGE_MESSAGE, SLICE("none"));
    }
    return OK;
}

static bool look(void *context, struct slice name, const struct value *value)
{
    struct buf *out = context;
    buf_add(out, name);
    buf_byte(out, '=');
    buf_add(out, value->text);
    buf_byte(out, ';');
    return true;
}

/* What the table says of texts that leave its sentences at every place. */
static void read_table(struct buf *out)
{
    static const struct fields_form of_table = FIELDS_FORM("test", message_names, parse_table);
    static const char *const texts[] = {"", "o", "open", "open ", "open door", "open door ",
            "open door 7", "open door 7 in", "open door 7 out", "open doors", "open doorst",
            "open window", "open windows", "shut", "shut window", "shut door", "7 elsewhere",
            "open elsewhere", "opens elsewhere"};
    struct fields_reader reader = {.form = &of_table};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct event event = {.raw = slice_text(texts[i]), .decoder = &reader};
        assert_int_equal(fields_walk(&event, look, out), OK);
        buf_byte(out, '\n');
    }
    assert_false(out->failed);
    buf_byte(out, '\0');
}

static void a_settled_table_says_the_same(void **state)
{
    struct buf before = {0}, after = {0};
    (void)state;
    read_table(&before);
    message_settle(table, sizeof table / sizeof *table);
    assert_int_equal(table[2].parts[MESSAGE_SHARED], 10);
    assert_int_equal(table[3].parts[MESSAGE_SHARED], 9);
    assert_int_equal(table[6].parts[MESSAGE_SHARED], 0);
    read_table(&after);
    assert_string_equal(before.at, after.at);
    assert_non_null(strstr(after.at, "event.action=doors;\n"));
    assert_non_null(strstr(after.at, "event.action=window;\n"));
    buf_fini(&before);
    buf_fini(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_chosen_name_does_not_stand_in_for_what_is_behind_it),
            cmocka_unit_test(a_message_cannot_say_where_it_came_from),
            cmocka_unit_test(json_has_limits),
            cmocka_unit_test(json_is_valid_or_no_json),
            cmocka_unit_test(cef_has_escapes_and_words),
            cmocka_unit_test(leef_names_its_divider),
            cmocka_unit_test(pairs_need_two_and_keep_quoted_blanks),
            cmocka_unit_test(a_settled_table_says_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
