#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/places.h"

static char root[] = "/tmp/merlon-places-XXXXXX";
static const char a_log[] = "0123456789abcdef0123456789abcdef";

static struct places *open_places(void)
{
    struct places *places = NULL;
    assert_int_equal(places_open(root, &places, NULL), OK);
    return places;
}

static void note(struct places *places, const char *source, uint64_t number, uint64_t rank)
{
    char key[40];
    snprintf(key, sizeof key, "%llu/%llu", (unsigned long long)number, (unsigned long long)rank);
    const struct places_place place = {slice_text(source), slice_text(key), number, rank};
    assert_int_equal(places_note(places, &place), OK);
}

/* "a:1/5 a:2/7 ..." */
static const char *all(const struct places *places)
{
    static char text[4096];
    struct places_place place;
    size_t size = 0;
    text[0] = 0;
    for (uint64_t at = 0; places_next(places, &at, &place);) {
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%.*s:%.*s", size ? " " : "",
                SLICE_ARG(place.source), SLICE_ARG(place.key));
    }
    return text;
}

static void file_of(char *path, size_t size, int number)
{
    snprintf(path, size, "%s/positions.%d", root, number);
}

static int clear(void **unused)
{
    char path[64];
    (void)unused;
    for (int i = 0; i < 2; i++) {
        file_of(path, sizeof path, i);
        unlink(path);
    }
    return 0;
}

static void the_furthest_of_the_newest_is_kept(void **unused)
{
    (void)unused;
    struct places *places = open_places();
    assert_string_equal(places_log(places), "");
    note(places, "a", 2, 5);
    note(places, "b", 0, 1);
    note(places, "a", 1, 9);
    note(places, "a", 2, 7);
    note(places, "a", 2, 6);
    assert_string_equal(all(places), "a:1/9 a:2/7 b:0/1");
    for (uint64_t n = 3; n < 3 + PLACES_KEPT; n++) {
        note(places, "a", n, 1);
    }
    note(places, "a", 1, 10);
    const char *kept = all(places);
    assert_null(strstr(kept, "a:2/"));
    assert_null(strstr(kept, "a:1/"));
    assert_non_null(strstr(kept, "a:3/1 "));
    places_close(places);
}

static void what_was_saved_is_there_again(void **unused)
{
    (void)unused;
    struct places *places = open_places();
    note(places, "a", 1, 9);
    note(places, "b\nc", 0, 1);
    assert_int_equal(places_save(places, a_log, 17, NULL), OK);
    note(places, "a", 1, 20);
    places_close(places);
    places = open_places();
    assert_string_equal(all(places), "a:1/9 b\nc:0/1");
    assert_string_equal(places_log(places), a_log);
    assert_int_equal(places_offset(places), 17);
    places_clear(places);
    assert_string_equal(all(places), "");
    assert_int_equal(places_offset(places), 0);
    note(places, "a", 1, 1);
    places_close(places);
}

/* Whatever of the newer file a crash leaves: all of it, or the older one. */
static void a_torn_file_leaves_the_one_before(void **unused)
{
    (void)unused;
    char path[64], bytes[400];
    struct places *places = open_places();
    note(places, "a", 1, 1);
    assert_int_equal(places_save(places, a_log, 1, NULL), OK);
    note(places, "a", 1, 2);
    assert_int_equal(places_save(places, a_log, 2, NULL), OK);
    places_close(places);
    file_of(path, sizeof path, 0); /* the second, its number is even */
    int fd = open(path, O_RDWR);
    ssize_t size = pread(fd, bytes, sizeof bytes, 0);
    assert_true(size > 60 && size < 400);
    for (ssize_t at = 0; at < 2 * size; at++) {
        if (at < size) {
            assert_int_equal(ftruncate(fd, at), 0);
        } else {
            char wrong = (char)(bytes[at - size] ^ 0x20);
            assert_int_equal(pwrite(fd, bytes, (size_t)size, 0), size);
            assert_int_equal(pwrite(fd, &wrong, 1, at - size), 1);
        }
        places = open_places();
        assert_int_equal(places_offset(places), 1);
        assert_string_equal(all(places), "a:1/1");
        places_close(places);
    }
    assert_int_equal(pwrite(fd, bytes, (size_t)size, 0), size);
    close(fd);
    places = open_places();
    assert_int_equal(places_offset(places), 2);
    places_close(places);
}

static void what_is_too_long_is_refused(void **unused)
{
    (void)unused;
    static char key[PLACES_KEY + 1];
    memset(key, 'k', sizeof key);
    struct places *places = open_places();
    struct places_place place = {SLICE("a"), slice_of(key, PLACES_KEY), 0, 0};
    assert_int_equal(places_note(places, &place), OK);
    place.key.size++;
    assert_int_equal(places_note(places, &place), ERR_LIMIT);
    places_close(places);
    assert_int_equal(places_open("/nonexistent/merlon", &places, NULL), ERR_IO);
}

static void note_many(struct places *places, unsigned from, unsigned to)
{
    char source[32];
    for (unsigned n = from; n < to; n++) {
        snprintf(source, sizeof source, "drop/%u", n);
        note(places, source, n, 1);
    }
}

static bool ends_in_zero(const void *context, struct slice source)
{
    (void)context;
    return source.at[source.size - 1] == '0';
}

static unsigned how_many(const struct places *places)
{
    struct places_place place;
    unsigned count = 0;
    for (uint64_t at = 0; places_next(places, &at, &place);) {
        count++;
        assert_int_equal(place.number, strtoull(place.source.at + sizeof "drop/" - 1, NULL, 10));
    }
    return count;
}

static void who_is_forgotten_gives_his_room_to_others(void **unused)
{
    (void)unused;
    const struct places_place more = {SLICE("drop/999999"), SLICE("1/1"), 999999, 1};
    struct places *places = open_places();
    note_many(places, 0, PLACES_SOURCES);
    assert_int_equal(places_note(places, &more), ERR_LIMIT);
    assert_int_equal(how_many(places), PLACES_SOURCES);
    for (unsigned n = PLACES_SOURCES; n < PLACES_SOURCES + 9; n++) { /* one goes, one comes */
        char source[32];
        snprintf(source, sizeof source, "drop/%u", n - PLACES_SOURCES);
        places_forget(places, slice_text(source));
        places_forget(places, slice_text(source));
        note_many(places, n, n + 1);
    }
    places_forget(places, SLICE("drop/77")); /* and is there again */
    note_many(places, 77, 78);
    assert_int_equal(places_note(places, &more), ERR_LIMIT);
    assert_int_equal(how_many(places), PLACES_SOURCES);
    places_sweep(places, ends_in_zero, NULL);
    unsigned left = how_many(places);
    assert_in_range(left, PLACES_SOURCES / 10 * 9 - 9, PLACES_SOURCES / 10 * 9 + 9);
    note_many(places, 200001, 200002);
    assert_int_equal(places_save(places, a_log, 1, NULL), OK);
    places_close(places);
    places = open_places();
    assert_int_equal(how_many(places), left + 1);
    places_close(places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup(the_furthest_of_the_newest_is_kept, clear),
            cmocka_unit_test_setup(what_was_saved_is_there_again, clear),
            cmocka_unit_test_setup(a_torn_file_leaves_the_one_before, clear),
            cmocka_unit_test_setup(what_is_too_long_is_refused, clear),
            cmocka_unit_test_setup(who_is_forgotten_gives_his_room_to_others, clear),
    };
    if (!mkdtemp(root)) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    clear(NULL);
    rmdir(root);
    return failed;
}
