#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "decode/evtx.h"
#include "decode/evtx_bytes.h"
#include "support/evtx_rig.h"

/* What reading a stream in windows of some size gives: R or - for each record. */
static const char *read_all(struct evtx_rig *b, struct slice bytes, size_t window)
{
    static char text[512];
    size_t n = 0;
    struct cutter cutter = {.limits = DECODE_LIMITS};
    while (bytes.size) {
        struct cut cut;
        enum err e;
        size_t size = window < bytes.size ? window : bytes.size;
        struct slice offered = slice_of(bytes.at, size);
        assert_int_equal(
                evtx_decoder.cut(&cutter, offered, size == bytes.size, &cut, &b->diag), OK);
        if (cut.skip + cut.size == 0) {
            assert_true(size < bytes.size);
            window *= 2;
            continue;
        }
        assert_true(cut.skip + cut.size <= size);
        size_t before = n;
        evtx_decoder.begin(b->reader, slice_of(bytes.at + cut.skip, cut.size), (struct slice){0});
        while ((e = evtx_decoder.next(b->reader, &b->event, &b->diag)) != ERR_END) {
            assert_true(n + 1 < sizeof text);
            text[n++] = e == OK ? 'R' : '-';
            assert_true(e != OK || agree_check(&b->agree, &b->event));
        }
        assert_int_equal(n - before, cut.records);
        bytes.at += cut.skip + cut.size;
        bytes.size -= cut.skip + cut.size;
    }
    text[n] = '\0';
    return text;
}

/* ---- records ----------------------------------------------------------------------------- */

static void each_kind_of_record_is_its_json(void **state)
{
    struct evtx_rig *b = *state;
    evtx_rig_forge_all(&b->forge, 1);
    evtx_decoder.begin(b->reader, buf_slice(&b->forge.out), (struct slice){0});
    for (size_t i = 0; i < forge_record_count; i++) {
        assert_int_equal(evtx_decoder.next(b->reader, &b->event, &b->diag), OK);
        assert_string_equal(evtx_rig_json(b), forge_record_kinds[i].json);
    }
    assert_int_equal(evtx_decoder.next(b->reader, &b->event, &b->diag), ERR_END);
    assert_false(evtx_warning(b->reader, &b->diag));
}

static void printing_gives_the_bytes_of_the_tree(void **state)
{
    struct evtx_rig *b = *state;
    struct buf tree = {0};
    evtx_rig_forge_all(&b->forge, 1);
    evtx_decoder.begin(b->reader, buf_slice(&b->forge.out), (struct slice){0});
    for (size_t i = 0; i < forge_record_count; i++) {
        assert_int_equal(evtx_decoder.next(b->reader, &b->event, &b->diag), OK);
        buf_clear(&tree);
        evtx_write_tree(&b->event, &tree);
        buf_byte(&tree, 0);
        assert_string_equal(tree.at, evtx_rig_json(b));
    }
    buf_fini(&tree);
}

static void each_kind_of_record_has_the_fields_of_its_json(void **state)
{
    struct evtx_rig *b = *state;
    evtx_rig_forge_all(&b->forge, 1);
    evtx_decoder.begin(b->reader, buf_slice(&b->forge.out), (struct slice){0});
    for (size_t i = 0; i < forge_record_count; i++) {
        assert_int_equal(evtx_decoder.next(b->reader, &b->event, &b->diag), OK);
        if (!agree_check(&b->agree, &b->event)) {
            buf_byte(&b->agree.words, 0);
            fail_msg("%s: %s", forge_record_kinds[i].name, b->agree.words.at);
        }
    }
    /* Most of them without a tree. */
    assert_true(evtx_counts(b->reader).slow < forge_record_count / 2);
}

struct trace {
    struct buf text;
};

static bool trace_leaf(void *context, struct slice path, const struct value *value)
{
    struct trace *t = context;
    buf_add(&t->text, path);
    buf_byte(&t->text, '=');
    value_text(value, &t->text);
    buf_byte(&t->text, ' ');
    return true;
}

static void the_visitor_sees_each_leaf_with_its_path(void **state)
{
    struct evtx_rig *b = *state;
    struct trace t = {0};
    evtx_rig_forge_all(&b->forge, 1);
    evtx_decoder.begin(b->reader, buf_slice(&b->forge.out), (struct slice){0});
    for (int i = 0; i < 6; i++) { /* plain_data */
        assert_int_equal(evtx_decoder.next(b->reader, &b->event, &b->diag), OK);
    }
    assert_int_equal(b->event.form->walk(&b->event, trace_leaf, &t), OK);
    buf_byte(&t.text, 0);
    assert_string_equal(t.text.at,
            "Event.System.EventID=4624 Event.System.Level=4 Event.EventData.Data.#text=A "
            "Event.EventData.Data.#text=B Event.EventData.Data.#text= "
            "Event.EventData.Data.#text=C Event.EventData.Binary=0A ");
    buf_fini(&t.text);
}

static void texts_can_be_searched_as_utf_16_but_for_constants(void **state)
{
    struct evtx_rig *b = *state;
    evtx_rig_forge_all(&b->forge, 1);
    evtx_decoder.begin(b->reader, buf_slice(&b->forge.out), (struct slice){0});
    for (size_t i = 0; i < forge_record_count; i++) {
        assert_int_equal(evtx_decoder.next(b->reader, &b->event, &b->diag), OK);
        const char *name = forge_record_kinds[i].name;
        if (strcmp(name, "user_data") == 0) {
            assert_true(b->event.wide_text);
            assert_true(slice_find(b->event.constants, SLICE("fixed")) != SIZE_MAX);
            assert_true(slice_find(b->event.raw, SLICE("A\0")) != SIZE_MAX);
        }
        if (strcmp(name, "all_types") == 0) {
            assert_false(b->event.wide_text); /* it has an ANSI string */
        }
    }
}

static void templates_are_compiled_once_for_all_chunks(void **state)
{
    struct evtx_rig *b = *state;
    evtx_rig_forge_all(&b->forge, 1);
    evtx_decoder.begin(b->reader, buf_slice(&b->forge.out), (struct slice){0});
    while (evtx_decoder.next(b->reader, &b->event, &b->diag) == OK) {
    }
    uint64_t compiled = evtx_counts(b->reader).compiled;
    /* Other offsets in the next chunk: a record stands before. */
    struct forge *f = &b->forge;
    buf_clear(&f->out);
    forge_begin(f, 50);
    forge_record(f);
    forge_leaf(f, "Unknown", "shifts what follows");
    forge_end_record(f);
    for (size_t i = 0; i < forge_record_count; i++) {
        forge_record(f);
        forge_record_kinds[i].make(f);
        forge_end_record(f);
    }
    forge_end(f, false);
    assert_non_null(buf_reserve(&f->out, 64));
    evtx_decoder.begin(b->reader, buf_slice(&f->out), (struct slice){0});
    while (evtx_decoder.next(b->reader, &b->event, &b->diag) == OK) {
        assert_true(agree_check(&b->agree, &b->event));
    }
    assert_true(compiled > 5);
    assert_int_equal(evtx_counts(b->reader).compiled, compiled);
}

static const char *template_name;

static void named_template(struct forge *f)
{
    forge_open(f, "Event", false);
    forge_start(f);
    forge_leaf(f, template_name, "x");
    forge_close(f);
}

static void named_record(struct forge *f)
{
    forge_open(f, "Event", false);
    forge_start(f);
    forge_leaf(f, template_name, "y"); /* the template's name is outside its body */
    forge_close(f);
    forge_u8(f, 0);
    uint32_t size = (uint32_t)(f->out.size - f->record_at) + 4;
    forge_u32(f, size);
    forge_patch(f, f->record_at + 4, size);
    forge_record(f);
    forge_instance(f, 1, named_template);
    forge_values(f, 0, NULL);
}

static void a_template_whose_names_differ_is_another_one(void **state)
{
    struct evtx_rig *b = *state;
    static const char *const names[] = {"A", "B", "A"};
    static const char *const jsons[] = {
            "{\"Event\":{\"A\":\"x\"}}", "{\"Event\":{\"B\":\"x\"}}", "{\"Event\":{\"A\":\"x\"}}"};
    for (int i = 0; i < 3; i++) {
        template_name = names[i];
        assert_int_equal(evtx_rig_read(b, named_record), OK);
        assert_int_equal(evtx_decoder.next(b->reader, &b->event, &b->diag), OK);
        assert_true(agree_check(&b->agree, &b->event));
        assert_string_equal(evtx_rig_json(b), jsons[i]);
    }
    assert_int_equal(evtx_counts(b->reader).compiled, 2);
}

static uint16_t name_length;

static void element_of_name_length(struct forge *f)
{
    forge_u8(f, 0x01);
    forge_u32(f, 0);
    forge_u32(f, forge_at(f) + 4);
    forge_u32(f, 0);
    forge_u16(f, 0);
    forge_u16(f, name_length);
    forge_u16(f, 0);
    forge_empty(f);
}

static void names_of_one_chunk_do_not_hold_in_the_next(void **state)
{
    struct evtx_rig *b = *state;
    name_length = 0;
    assert_int_equal(evtx_rig_read(b, element_of_name_length), OK);
    name_length = 0xFFFF;
    assert_int_equal(evtx_rig_read(b, element_of_name_length), ERR_SYNTAX);
    assert_non_null(strstr(b->diag.words, "name outside"));
}

/* A typed value that the template itself holds, not a slot. */
static void typed_template(struct forge *f)
{
    forge_open(f, "Event", false);
    forge_start(f);
    forge_open(f, "EventData", false);
    forge_start(f);
    forge_open(f, "Data", true);
    forge_attribute(f, "Name");
    forge_text(f, "A");
    forge_start(f);
    forge_u8(f, 0x05);
    forge_u8(f, EVTX_UINT32);
    forge_u32(f, 77);
    forge_close(f);
    forge_close(f);
    forge_close(f);
}

static void typed_record(struct forge *f)
{
    forge_instance(f, 1, typed_template);
    forge_values(f, 0, NULL);
}

static void values_of_a_template_outlive_its_chunk(void **state)
{
    struct evtx_rig *b = *state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(evtx_rig_read(b, typed_record), OK);
        assert_string_equal(evtx_rig_json(b), "{\"Event\":{\"EventData\":{\"A\":77}}}");
        assert_true(agree_check(&b->agree, &b->event));
        buf_fini(&b->forge.out); /* the next chunk has other memory */
    }
}

static void box_template(struct forge *f)
{
    forge_open(f, "A", false);
    forge_start(f);
    forge_slot(f, 0, EVTX_BINXML);
    forge_close(f);
}

/* One slot as an attribute and as content. */
static void twice_template(struct forge *f)
{
    forge_open(f, "Event", false);
    forge_start(f);
    forge_open(f, "B", true);
    forge_attribute(f, "C");
    forge_slot(f, 0, EVTX_STRING);
    forge_start(f);
    forge_slot(f, 0, EVTX_STRING);
    forge_close(f);
    forge_close(f);
}

static uint8_t twice_type;
static bool twice_unset;

static void twice(struct forge *f)
{
    const struct forge_value values[] = {
            {twice_type, twice_unset ? (struct slice){0} : SLICE("\x0f\1\1\0")}};
    forge_instance(f, 1, twice_template);
    forge_values(f, 1, values);
}

static void a_fragment_cannot_be_an_attribute(void **state)
{
    struct evtx_rig *b = *state;
    twice_type = EVTX_BINARY;
    assert_int_equal(evtx_rig_read(b, twice), OK);
    assert_true(agree_check(&b->agree, &b->event));
    twice_type = EVTX_BINXML;
    assert_int_equal(evtx_rig_read(b, twice), ERR_SYNTAX);
    assert_non_null(strstr(b->diag.words, "inside an attribute"));
    twice_unset = true;
    assert_int_equal(evtx_rig_read(b, twice), OK);
    assert_true(agree_check(&b->agree, &b->event));
}

/* ---- broken records ---------------------------------------------------------------------- */

static void token_from_nowhere(struct forge *f)
{
    forge_leaf(f, "Event", "x");
    forge_u8(f, 0x33);
}
static void unclosed(struct forge *f)
{
    forge_open(f, "Event", false);
    forge_start(f);
}
static void closed_twice(struct forge *f)
{
    forge_leaf(f, "Event", "x");
    forge_close(f);
}
static void slot_without_template(struct forge *f)
{
    forge_open(f, "Event", false);
    forge_start(f);
    forge_slot(f, 0, EVTX_STRING);
    forge_close(f);
}
static void name_behind_the_chunk(struct forge *f)
{
    forge_u8(f, 0x01);
    forge_u32(f, 0);
    forge_u32(f, 65530);
}
static void template_behind_the_chunk(struct forge *f)
{
    forge_u8(f, 0x0c);
    forge_u8(f, 1);
    forge_u32(f, 1);
    forge_u32(f, 0xFFFFFF00);
    forge_u32(f, 0);
}
static void wrong_size(struct forge *f)
{
    const struct forge_value values[] = {{EVTX_UINT32, SLICE("abc")}};
    forge_instance(f, 1, box_template);
    forge_values(f, 1, values);
}
static void values_behind_the_record(struct forge *f)
{
    forge_instance(f, 1, box_template);
    forge_u32(f, 1);
    forge_u16(f, 50000);
    forge_u16(f, EVTX_STRING);
}
static void too_many_values(struct forge *f)
{
    forge_instance(f, 1, box_template);
    forge_u32(f, 0x40000001);
}

static void a_broken_record_is_named_and_the_next_one_read(void **state)
{
    struct evtx_rig *b = *state;
    static const struct {
        forge_body *body;
        const char *words;
    } cases[] = {{token_from_nowhere, "unknown BinXml token"}, {unclosed, "without an end"},
            {closed_twice, "was not open"}, {slot_without_template, "slot outside"},
            {name_behind_the_chunk, "name outside"},
            {template_behind_the_chunk, "template outside"}, {wrong_size, "wrong size"},
            {values_behind_the_record, "BinXml ends too early"}, {too_many_values, "more values"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct forge *f = &b->forge;
        buf_clear(&f->out);
        forge_begin(f, 1);
        forge_record(f);
        cases[i].body(f);
        forge_end_record(f);
        forge_record(f);
        forge_leaf(f, "Event", "good");
        forge_end_record(f);
        forge_end(f, false);
        assert_non_null(buf_reserve(&f->out, 64));
        evtx_decoder.begin(b->reader, buf_slice(&f->out), (struct slice){0});
        assert_int_equal(evtx_decoder.next(b->reader, &b->event, &b->diag), ERR_SYNTAX);
        if (!strstr(b->diag.words, cases[i].words)) {
            fail_msg("\"%s\" is not in: %s", cases[i].words, b->diag.words);
        }
        assert_int_equal(evtx_decoder.next(b->reader, &b->event, &b->diag), OK);
        assert_int_equal(evtx_decoder.next(b->reader, &b->event, &b->diag), ERR_END);
    }
}

static void damage_without_a_lost_record_is_a_warning(void **state)
{
    struct evtx_rig *b = *state;
    evtx_rig_forge_all(&b->forge, 77);
    b->forge.out.at[60] ^= 1;
    evtx_decoder.begin(b->reader, buf_slice(&b->forge.out), (struct slice){0});
    for (size_t i = 0; i < forge_record_count; i++) {
        assert_int_equal(evtx_decoder.next(b->reader, &b->event, &b->diag), OK);
    }
    assert_int_equal(evtx_decoder.next(b->reader, &b->event, &b->diag), ERR_END);
    assert_true(evtx_warning(b->reader, &b->diag));
    assert_non_null(strstr(b->diag.words, "checksum of the chunk's header"));
    assert_non_null(strstr(b->diag.words, "77"));
    assert_false(evtx_warning(b->reader, &b->diag));
}

/* ---- streams ----------------------------------------------------------------------------- */

static void expect_records(char *to, size_t count)
{
    memset(to, 'R', count);
    to[count] = '\0';
}

static void windows_of_any_size_give_the_same_records(void **state)
{
    struct evtx_rig *b = *state;
    char expected[256];
    forge_file(&b->forge);
    for (uint64_t i = 0; i < 6; i++) {
        evtx_rig_forge_all(&b->forge, 1 + i * 100);
    }
    expect_records(expected, 6 * forge_record_count);
    struct slice all = buf_slice(&b->forge.out);
    static const size_t windows[] = {1, 4096, 65536, 70000, 150000, 1 << 20};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        assert_string_equal(read_all(b, all, windows[i]), expected);
    }
    /* Chunks without a file's header. */
    struct slice bare = slice_of(all.at + EVTX_FILE_HEADER, all.size - EVTX_FILE_HEADER);
    assert_string_equal(read_all(b, bare, 1000), expected);
}

static void logs_are_recognised(void **state)
{
    struct evtx_rig *b = *state;
    forge_file(&b->forge);
    evtx_rig_forge_all(&b->forge, 1);
    struct slice all = buf_slice(&b->forge.out);
    assert_int_equal(evtx_decoder.recognise(slice_of(all.at, 65536), false), 100);
    assert_int_equal(
            evtx_decoder.recognise(slice_of(all.at + EVTX_FILE_HEADER, 65536), false), 100);
    memset(b->forge.out.at, 0, EVTX_FILE_HEADER);
    assert_true(evtx_decoder.recognise(slice_of(all.at, 65536), false) > 0);
    assert_int_equal(evtx_decoder.recognise(slice_of(all.at, EVTX_FILE_HEADER), true), 0);
    assert_int_equal(evtx_decoder.recognise(SLICE("{\"a\":1}"), true), 0);
    assert_int_equal(evtx_decoder.recognise((struct slice){0}, true), 0);
}

static void bytes_lost_inside_a_file_cost_the_chunk_they_hit(void **state)
{
    struct evtx_rig *b = *state;
    char expected[256];
    forge_file(&b->forge);
    for (uint64_t i = 0; i < 4; i++) {
        evtx_rig_forge_all(&b->forge, 1 + i * 100);
    }
    /* 1000 bytes of the free space of the second chunk. */
    size_t at = EVTX_FILE_HEADER + EVTX_CHUNK + 60000;
    memmove(b->forge.out.at + at, b->forge.out.at + at + 1000, b->forge.out.size - at - 1000);
    b->forge.out.size -= 1000;
    expect_records(expected, 4 * forge_record_count);
    assert_string_equal(read_all(b, buf_slice(&b->forge.out), 100000), expected);
}

/* Small, so that it can be broken everywhere. */
static void forge_small(struct forge *f, bool whole)
{
    buf_clear(&f->out);
    forge_file(f);
    forge_begin(f, 1);
    for (size_t i = 0; i < forge_record_count; i++) {
        forge_record(f);
        forge_record_kinds[i].make(f);
        forge_end_record(f);
    }
    forge_end(f, whole);
    buf_reserve(&f->out, 64);
}

static void a_log_cut_off_anywhere_keeps_what_is_whole(void **state)
{
    struct evtx_rig *b = *state;
    forge_small(&b->forge, false);
    size_t size = b->forge.out.size;
    size_t last = 0;
    for (size_t cut = EVTX_FILE_HEADER; cut <= size; cut++) {
        const char *read = read_all(b, slice_of(b->forge.out.at, cut), SIZE_MAX);
        size_t records = strspn(read, "R");
        assert_true(records >= last && strlen(read) <= records + 1);
        last = records;
    }
    assert_int_equal(last, forge_record_count);
}

static void flipped_bits_cost_only_what_they_hit(void **state)
{
    struct evtx_rig *b = *state;
    uint32_t dice = 12345;
    for (int i = 0; i < 10000; i++) {
        if (i % 500 == 0) {
            forge_small(&b->forge, false);
        }
        size_t room = b->forge.out.size - EVTX_FILE_HEADER;
        dice = dice * 1664525 + 1013904223;
        size_t at = b->forge.out.size - 1 - (dice >> 4) % room;
        b->forge.out.at[at] ^= (char)(1 << (dice & 7));
        const char *read = read_all(b, buf_slice(&b->forge.out), SIZE_MAX);
        b->forge.out.at[at] ^= (char)(1 << (dice & 7));
        /* A bit of a template or a name breaks all that use it. */
        assert_true(strlen(read) >= forge_record_count - 1);
    }
}

static void memory_that_runs_out_is_an_error_and_no_more(void **state)
{
    struct evtx_rig *b = *state;
    const struct decode_limits limits = DECODE_LIMITS;
    forge_small(&b->forge, false);
    struct slice block =
            slice_of(b->forge.out.at + EVTX_FILE_HEADER, b->forge.out.size - EVTX_FILE_HEADER);
    bool whole = false;
    for (uint64_t after = 1; !whole; after++) {
        struct reader *reader = NULL;
        assert_true(after < 1000);
        memory_fail_after(after);
        whole = evtx_decoder.reader_new(b->agree.paths, &limits, &reader) == OK;
        for (size_t i = 0; reader && i < forge_record_count; i++) {
            if (i == 0) {
                evtx_decoder.begin(reader, block, (struct slice){0});
            }
            bool ok = evtx_decoder.next(reader, &b->event, &b->diag) == OK;
            buf_clear(&b->json);
            if (ok) {
                b->event.form->write_json(&b->event, &b->json);
            }
            whole = whole && ok && !b->json.failed;
        }
        memory_fail_after(0);
        evtx_decoder.reader_free(reader);
        buf_fini(&b->json);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, evtx_rig_make, evtx_rig_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
            CASE(each_kind_of_record_is_its_json),
            CASE(printing_gives_the_bytes_of_the_tree),
            CASE(each_kind_of_record_has_the_fields_of_its_json),
            CASE(the_visitor_sees_each_leaf_with_its_path),
            CASE(texts_can_be_searched_as_utf_16_but_for_constants),
            CASE(templates_are_compiled_once_for_all_chunks),
            CASE(a_template_whose_names_differ_is_another_one),
            CASE(names_of_one_chunk_do_not_hold_in_the_next),
            CASE(values_of_a_template_outlive_its_chunk),
            CASE(a_fragment_cannot_be_an_attribute),
            CASE(a_broken_record_is_named_and_the_next_one_read),
            CASE(damage_without_a_lost_record_is_a_warning),
            CASE(windows_of_any_size_give_the_same_records),
            CASE(logs_are_recognised),
            CASE(bytes_lost_inside_a_file_cost_the_chunk_they_hit),
            CASE(a_log_cut_off_anywhere_keeps_what_is_whole),
            CASE(flipped_bits_cost_only_what_they_hit),
            CASE(memory_that_runs_out_is_an_error_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
