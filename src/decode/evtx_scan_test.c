#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "decode/evtx_bytes.h"
#include "decode/evtx_scan.h"
#include "support/forge.h"

enum { RECORDS = 6, FIRST_ID = 100 };

/* A chunk of six records; where each is. */
struct chunk {
    struct forge forge;
    size_t at[RECORDS + 1];
};

static char *bytes_of(struct chunk *c)
{
    return c->forge.out.at;
}

static int make(void **state)
{
    static struct chunk c;
    c = (struct chunk){0};
    forge_begin(&c.forge, FIRST_ID);
    for (int i = 0; i < RECORDS; i++) {
        c.at[i] = c.forge.out.size;
        forge_record(&c.forge);
        forge_leaf(&c.forge, "Event", "some text of a record");
        forge_end_record(&c.forge);
    }
    c.at[RECORDS] = c.forge.out.size;
    forge_end(&c.forge, true);
    *state = &c;
    return c.forge.out.failed;
}

static int drop(void **state)
{
    struct chunk *c = *state;
    forge_fini(&c->forge);
    return 0;
}

/* The items as a text: R for a record, D for damage. */
static const char *items(struct slice chunk)
{
    static char text[64];
    struct evtx_scan scan;
    struct evtx_item item;
    size_t n = 0;
    uint32_t end = 0;
    evtx_scan_begin(&scan, chunk);
    while ((item = evtx_scan_next(&scan)).kind != EVTX_END && n + 1 < sizeof text) {
        assert_true(item.at >= end && item.size > 0 && item.size <= chunk.size - item.at);
        end = item.at + item.size;
        text[n++] = item.kind == EVTX_RECORD ? 'R' : 'D';
    }
    text[n++] = scan.blank_rest ? 'b' : '\0';
    text[n] = '\0';
    return text;
}

static const char *items_of(struct chunk *c)
{
    return items(buf_slice(&c->forge.out));
}

static void a_whole_chunk_has_its_records(void **state)
{
    assert_string_equal(items_of(*state), "RRRRRR");
}

static void a_lost_signature_costs_one_record(void **state)
{
    struct chunk *c = *state;
    bytes_of(c)[c->at[2]] = 'x';
    assert_string_equal(items_of(c), "RRDRRR");
}

static void a_size_of_zero_costs_one_record(void **state)
{
    struct chunk *c = *state;
    forge_patch(&c->forge, c->at[0] + 4, 0);
    assert_string_equal(items_of(c), "DRRRRR");
}

static void a_size_that_reaches_over_other_records_costs_one_record(void **state)
{
    struct chunk *c = *state;
    forge_patch(&c->forge, c->at[1] + 4, (uint32_t)(c->at[4] - c->at[1]) + 8);
    assert_string_equal(items_of(c), "RDRRRR");
}

static void a_broken_copy_of_the_size_costs_nothing_when_a_record_follows(void **state)
{
    struct chunk *c = *state;
    forge_patch(&c->forge, c->at[2] - 4, 7);
    assert_string_equal(items_of(c), "RRRRRR");
    /* Behind the last one nothing proves the size. */
    forge_patch(&c->forge, c->at[6] - 4, 7);
    assert_string_equal(items_of(c), "RRRRRD");
}

static void behind_damage_ids_rise_in_the_range_of_the_header(void **state)
{
    struct chunk *c = *state;
    bytes_of(c)[c->at[2]] = 'x';
    forge_patch(&c->forge, c->at[3] + 8, FIRST_ID + 1); /* was there already */
    assert_string_equal(items_of(c), "RRDRR");
    forge_patch(&c->forge, c->at[3] + 8, FIRST_ID + 900);
    assert_string_equal(items_of(c), "RRDRR");
    forge_patch(&c->forge, c->at[3] + 8, FIRST_ID + 3);
    assert_string_equal(items_of(c), "RRDRRR");
}

static void a_record_overwritten_to_its_end_is_damage(void **state)
{
    struct chunk *c = *state;
    memset(bytes_of(c) + c->at[2] + 30, 'z', c->at[3] - c->at[2] - 10);
    assert_string_equal(items_of(c), "RRDRR");
}

static void zeros_between_records_are_damage_and_at_the_end_a_warning(void **state)
{
    struct chunk *c = *state;
    memset(bytes_of(c) + c->at[2], 0, c->at[4] - c->at[2]);
    assert_string_equal(items_of(c), "RRDRR");
    memset(bytes_of(c) + c->at[2], 0, c->at[6] - c->at[2]);
    assert_string_equal(items_of(c), "RRb");
}

/* Six more records behind the live ones, their ids starting with `id`. */
static void add_stale(struct chunk *c, uint64_t id)
{
    for (int i = 0; i < RECORDS; i++) {
        size_t size = c->at[i + 1] - c->at[i];
        char *to = bytes_of(c) + c->at[RECORDS] + (c->at[i] - c->at[0]);
        memcpy(to, bytes_of(c) + c->at[i], size);
        forge_patch(&c->forge, (size_t)(to - bytes_of(c)) + 8, (uint32_t)(id + (uint64_t)i));
    }
}

static void stale_records_behind_the_free_space_stay_dead(void **state)
{
    struct chunk *c = *state;
    add_stale(c, 40);
    assert_string_equal(items_of(c), "RRRRRR");
    /* Even when the header's offset of the free space is too large. */
    forge_patch(&c->forge, 48, EVTX_CHUNK);
    assert_string_equal(items_of(c), "RRRRRR");
    /* And when the resynchronisation looks for more. */
    bytes_of(c)[c->at[5]] = 'x';
    assert_string_equal(items_of(c), "RRRRRD");
}

static void a_broken_id_does_not_end_the_chunk(void **state)
{
    struct chunk *c = *state;
    forge_patch(&c->forge, c->at[1] + 8, FIRST_ID + RECORDS - 1); /* that of the last one */
    assert_string_equal(items_of(c), "RRRRRR");
    forge_patch(&c->forge, c->at[1] + 8, 7);
    assert_string_equal(items_of(c), "RRRRRR");
}

static void the_next_ids_behind_an_old_header_are_live(void **state)
{
    struct chunk *c = *state;
    add_stale(c, FIRST_ID + RECORDS);
    assert_string_equal(items_of(c), "RRRRRRRRRRRR");
    add_stale(c, FIRST_ID + RECORDS + 1);
    assert_string_equal(items_of(c), "RRRRRR");
}

static void a_lost_magic_is_forgiven_when_the_checksum_proves_the_header(void **state)
{
    struct chunk *c = *state;
    add_stale(c, FIRST_ID + 50);
    memset(bytes_of(c), 0, 8);
    assert_string_equal(items_of(c), "RRRRRR");
    assert_false(evtx_scan_header(buf_slice(&c->forge.out)));
}

static void without_a_header_rising_ids_are_live(void **state)
{
    struct chunk *c = *state;
    memset(bytes_of(c), 0, EVTX_CHUNK_HEADER);
    assert_string_equal(items_of(c), "RRRRRR");
    add_stale(c, 40);
    assert_string_equal(items_of(c), "RRRRRR");
    add_stale(c, FIRST_ID + 40);
    assert_string_equal(items_of(c), "RRRRRRRRRRRR");
    memset(bytes_of(c), 'x', EVTX_CHUNK_HEADER + 1);
    assert_string_equal(items_of(c), "DRRRRRRRRRRR");
    bytes_of(c)[c->at[4]] = 'x';
    assert_string_equal(items_of(c), "DRRRDRRRRRRR");
}

static void garbage_is_one_item_and_an_unused_chunk_none(void **state)
{
    struct chunk *c = *state;
    memset(bytes_of(c), 'x', EVTX_CHUNK);
    assert_string_equal(items_of(c), "D");
    memset(bytes_of(c), 0, EVTX_CHUNK);
    assert_string_equal(items_of(c), "");
}

static void a_chunk_that_is_cut_off_keeps_its_whole_records(void **state)
{
    struct chunk *c = *state;
    for (size_t size = EVTX_CHUNK_HEADER; size <= c->at[RECORDS]; size++) {
        int whole = 0;
        while (whole < RECORDS && c->at[whole + 1] <= size) {
            whole++;
        }
        char expected[RECORDS + 2];
        memset(expected, 'R', sizeof expected);
        expected[whole] = size > c->at[whole] ? 'D' : '\0';
        expected[whole + 1] = '\0';
        assert_string_equal(items(slice_of(bytes_of(c), size)), expected);
    }
}

static void sums_tell_what_they_cover(void **state)
{
    struct chunk *c = *state;
    assert_int_equal(evtx_scan_sum(buf_slice(&c->forge.out)), EVTX_SUM_OK);
    bytes_of(c)[c->at[1] + 40] ^= 1;
    assert_int_equal(evtx_scan_sum(buf_slice(&c->forge.out)), EVTX_SUM_RECORDS);
    bytes_of(c)[200] ^= 1;
    assert_int_equal(evtx_scan_sum(buf_slice(&c->forge.out)), EVTX_SUM_HEADER);
    bytes_of(c)[120] |= 4; /* the log has none */
    assert_int_equal(evtx_scan_sum(buf_slice(&c->forge.out)), EVTX_SUM_OK);
    bytes_of(c)[0] = 'x';
    assert_int_equal(evtx_scan_sum(buf_slice(&c->forge.out)), EVTX_SUM_NO_HEADER);
}

static void any_flipped_bit_costs_at_most_one_record(void **state)
{
    struct chunk *c = *state;
    for (size_t i = 0; i < c->at[RECORDS]; i++) {
        for (int bit = 0; bit < 8; bit++) {
            bytes_of(c)[i] ^= (char)(1 << bit);
            const char *found = items_of(c);
            size_t records = 0, damage = 0;
            for (; *found; found++) {
                records += *found == 'R';
                damage += *found == 'D';
            }
            assert_true(records >= RECORDS - 1 && damage <= 1);
            bytes_of(c)[i] ^= (char)(1 << bit);
        }
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
            CASE(a_whole_chunk_has_its_records),
            CASE(a_lost_signature_costs_one_record),
            CASE(a_size_of_zero_costs_one_record),
            CASE(a_size_that_reaches_over_other_records_costs_one_record),
            CASE(a_broken_copy_of_the_size_costs_nothing_when_a_record_follows),
            CASE(behind_damage_ids_rise_in_the_range_of_the_header),
            CASE(a_record_overwritten_to_its_end_is_damage),
            CASE(zeros_between_records_are_damage_and_at_the_end_a_warning),
            CASE(stale_records_behind_the_free_space_stay_dead),
            CASE(a_broken_id_does_not_end_the_chunk),
            CASE(the_next_ids_behind_an_old_header_are_live),
            CASE(a_lost_magic_is_forgiven_when_the_checksum_proves_the_header),
            CASE(without_a_header_rising_ids_are_live),
            CASE(garbage_is_one_item_and_an_unused_chunk_none),
            CASE(a_chunk_that_is_cut_off_keeps_its_whole_records),
            CASE(sums_tell_what_they_cover),
            CASE(any_flipped_bit_costs_at_most_one_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
