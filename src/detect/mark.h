/* mark: the parts of a text that satisfy a test, to be shown to a person.
 *
 *     CommandLine|contains ' -enc '   on   powershell -enc AAA   ->   {10, 6}
 *
 *     struct mark_list marks = {0};
 *     mark_add(&marks, predicate, text, &tools);    // for each test that holds
 *     mark_finish(&marks);                          // in order, none overlap
 *
 * Only for show: what a rule finds never depends on it. Texts over MARK_TEXT bytes, and tests that
 * speak of the whole value (numbers, networks, parts of a time), are marked whole. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "sigma/predicate.h"
#include "sigma/regex.h"

/* MARK_WORK: bytes that one pattern may compare before the whole text is marked. */
enum { MARK_PARTS = 64, MARK_PLACES = 16, MARK_TEXT = 64 << 10, MARK_WORK = 1 << 20 };

struct mark_part {
    size_t at; /* bytes of the text as it is, not of its fold */
    size_t size;
};

struct mark_list {
    struct mark_part parts[MARK_PARTS]; /* further ones are not kept */
    size_t count;
};

struct mark_tools {
    struct regex_cache *regexes;
    struct buf *scratch; /* content is replaced; where it fails, the text is marked whole */
};

/* Adds the parts that satisfy the test; none where the text does not. A literal's first
 * MARK_PLACES places; of a regex the match that ends first. Tests of presence and of other fields
 * mark the whole text. */
void mark_add(struct mark_list *list, const struct predicate *p, struct slice text,
        const struct mark_tools *tools);
/* Sorts the parts and joins those that touch. */
void mark_finish(struct mark_list *list);
