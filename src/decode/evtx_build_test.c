/* The bounds of a record's tree, each at its limit and over it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "decode/evtx_build.h"
#include "decode/evtx_bytes.h"
#include "decode/evtx_template.h"
#include "decode/evtx_tree.h"
#include "support/evtx_rig.h"

static unsigned how_many;

static void nested_elements(struct forge *f)
{
    for (unsigned i = 0; i < how_many; i++) {
        forge_open(f, "Event", false);
        forge_start(f);
    }
    for (unsigned i = 0; i < how_many; i++) {
        forge_close(f);
    }
}

static void elements_nest_to_the_limit(void **state)
{
    struct evtx_rig *b = *state;
    const struct decode_limits limits = DECODE_LIMITS;
    how_many = limits.depth;
    assert_int_equal(evtx_rig_read(b, nested_elements), OK);
    assert_true(agree_check(&b->agree, &b->event));
    how_many = limits.depth + 1;
    assert_int_equal(evtx_rig_read(b, nested_elements), ERR_SYNTAX);
    assert_non_null(strstr(b->diag.words, "nested too deeply"));
}

static void box_template(struct forge *f)
{
    forge_open(f, "A", false);
    forge_start(f);
    forge_slot(f, 0, EVTX_BINXML);
    forge_close(f);
}

/* Instances in values of instances. */
static void boxes(struct forge *f)
{
    size_t sizes[64], starts[64];
    for (unsigned i = 0; i < how_many; i++) {
        forge_instance(f, 1, box_template);
        forge_u32(f, 1);
        sizes[i] = f->out.size;
        forge_u16(f, 0);
        forge_u16(f, EVTX_BINXML);
        starts[i] = f->out.size;
    }
    for (unsigned i = how_many; i-- > 0;) {
        size_t size = f->out.size - starts[i];
        f->out.at[sizes[i]] = (char)size;
        f->out.at[sizes[i] + 1] = (char)(size >> 8);
    }
}

static void fragments_nest_to_the_limit(void **state)
{
    struct evtx_rig *b = *state;
    /* The record itself is one, and each box is a fragment with an instance. */
    how_many = 16;
    assert_int_equal(evtx_rig_read(b, boxes), OK);
    assert_true(agree_check(&b->agree, &b->event));
    how_many = 17;
    assert_int_equal(evtx_rig_read(b, boxes), ERR_SYNTAX);
    assert_non_null(strstr(b->diag.words, "nested too deeply"));
}

static void many_uses_template(struct forge *f)
{
    forge_open(f, "Event", false);
    forge_start(f);
    for (unsigned i = 0; i < how_many; i++) {
        forge_open(f, "A", false);
        forge_start(f);
        forge_slot(f, 0, EVTX_BINARY);
        forge_close(f);
    }
    forge_close(f);
}

static void many_uses(struct forge *f)
{
    static char bytes[16384];
    const struct forge_value values[] = {{EVTX_BINARY, {bytes, sizeof bytes}}};
    forge_instance(f, 1, many_uses_template);
    forge_values(f, 1, values);
}

static void a_record_of_16_mib_of_values_is_the_limit(void **state)
{
    struct evtx_rig *b = *state;
    how_many = 1022; /* and some names */
    assert_int_equal(evtx_rig_read(b, many_uses), OK);
    how_many = 1024;
    assert_int_equal(evtx_rig_read(b, many_uses), ERR_SYNTAX);
    assert_non_null(strstr(b->diag.words, "16 MiB"));
}

static void loops_template(struct forge *f)
{
    forge_open(f, "Event", false);
    forge_start(f);
    for (uint16_t i = 0; i < how_many; i++) {
        forge_slot(f, i, EVTX_ARRAY | EVTX_UINT8);
    }
    forge_close(f);
}

static void loops(struct forge *f)
{
    struct forge_value values[8];
    for (unsigned i = 0; i < how_many; i++) {
        values[i] = (struct forge_value){EVTX_ARRAY | EVTX_UINT8, SLICE("ab")};
    }
    forge_instance(f, 1, loops_template);
    forge_values(f, how_many, values);
}

static void an_element_may_repeat_for_four_arrays(void **state)
{
    struct evtx_rig *b = *state;
    how_many = 4;
    assert_int_equal(evtx_rig_read(b, loops), OK);
    how_many = 5;
    assert_int_equal(evtx_rig_read(b, loops), ERR_SYNTAX);
    assert_non_null(strstr(b->diag.words, "too many arrays"));
}

static void wide_loops(struct forge *f)
{
    static char bytes[70];
    struct forge_value values[4];
    for (unsigned i = 0; i < 4; i++) {
        values[i] = (struct forge_value){EVTX_ARRAY | EVTX_UINT8, slice_of(bytes, how_many)};
    }
    forge_instance(f, 1, loops_template);
    forge_values(f, 4, values);
}

static void repeating_is_bounded(void **state)
{
    struct evtx_rig *b = *state;
    how_many = 4;
    assert_int_equal(evtx_rig_read(b, wide_loops), OK);
    how_many = 70; /* 24 million elements: the template of four arrays stays */
    assert_int_equal(evtx_rig_read(b, wide_loops), ERR_SYNTAX);
    assert_non_null(strstr(b->diag.words, "too many"));
}

static unsigned how_many_items;

static void repeating_template(struct forge *f)
{
    forge_open(f, "Event", false);
    forge_start(f);
    for (unsigned i = 0; i < how_many; i++) {
        forge_open(f, "A", false);
        forge_start(f);
        forge_slot(f, 0, EVTX_ARRAY | EVTX_UINT8);
        forge_close(f);
    }
    forge_close(f);
}

/* 1 + 2 * how_many * how_many_items nodes. */
static void repeating(struct forge *f)
{
    static char bytes[65536];
    const struct forge_value values[] = {
            {EVTX_ARRAY | EVTX_UINT8, slice_of(bytes, how_many_items)}};
    forge_instance(f, 1, repeating_template);
    forge_values(f, 1, values);
}

static void a_record_has_nodes_up_to_the_limit(void **state)
{
    struct evtx_rig *b = *state;
    how_many = 3;
    how_many_items = (EVTX_NODES_LIMIT - 1) / 6;
    assert_int_equal(evtx_rig_read(b, repeating), OK);
    how_many_items++;
    assert_int_equal(evtx_rig_read(b, repeating), ERR_SYNTAX);
    assert_non_null(strstr(b->diag.words, "too many nodes"));
}

static void a_chunk_has_nodes_up_to_the_limit(void **state)
{
    struct evtx_rig *b = *state;
    how_many = 100;
    how_many_items = 1310; /* four such records stay below the limit of a chunk, five do not */
    assert_int_equal(4 * (1 + 2 * how_many * how_many_items) < EVTX_CHUNK_NODES, true);
    assert_int_equal(evtx_rig_read_many(b, repeating, 4), 4);
    assert_int_equal(evtx_rig_read_many(b, repeating, 5), 4);
    assert_non_null(strstr(b->diag.words, "too much work"));
}

static void empty_template(struct forge *f)
{
    forge_open(f, "Event", false);
    forge_empty(f);
}

static void own_template(struct forge *f)
{
    forge_instance(f, (uint32_t)f->next_id, empty_template);
    forge_values(f, 0, NULL);
}

static void a_chunk_has_templates_up_to_the_limit(void **state)
{
    struct evtx_rig *b = *state;
    assert_int_equal(
            evtx_rig_read_many(b, own_template, EVTX_CHUNK_TEMPLATES), EVTX_CHUNK_TEMPLATES);
    assert_int_equal(
            evtx_rig_read_many(b, own_template, EVTX_CHUNK_TEMPLATES + 1), EVTX_CHUNK_TEMPLATES);
    assert_non_null(strstr(b->diag.words, "too many templates"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, evtx_rig_make, evtx_rig_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
            CASE(elements_nest_to_the_limit),
            CASE(fragments_nest_to_the_limit),
            CASE(a_record_of_16_mib_of_values_is_the_limit),
            CASE(an_element_may_repeat_for_four_arrays),
            CASE(repeating_is_bounded),
            CASE(a_record_has_nodes_up_to_the_limit),
            CASE(a_chunk_has_nodes_up_to_the_limit),
            CASE(a_chunk_has_templates_up_to_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
