/* json_text: JSON (RFC 8259) checked and taken apart without being stored, for messages between
 * programs: requests, tokens, envelopes around records.
 *
 *     size_t size;
 *     TRY(json_text_check(bytes, 64, &size, diag));          // one value stands at the front
 *     struct json_text_members m = json_text_open(slice_of(bytes.at, size));
 *     while (json_text_next(&m))
 *         use m.key, m.value                                 // slices into bytes
 *
 * What json_text_check has accepted may be walked; nothing else may. No recursion: depth is
 * limited. Keys are compared as they stand: one with escapes is another key. Of two members with
 * one name json_text_get takes the last. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

enum { JSON_TEXT_DEPTH = 128 }; /* the most that may be asked for */

/* Reads the value at the front, behind blanks. *size: the bytes up to its end, blanks before it
 * included. ERR_END: nothing but blanks. ERR_SYNTAX, ERR_LIMIT: diag has line and column. Numbers,
 * strings (UTF-8, escapes) and what stands between are checked; lone surrogates are let pass. */
enum err json_text_check(
        struct slice bytes, uint32_t depth, size_t *size, struct diag *diag) MUST_CHECK;
/* The same, with nothing but blanks behind it. */
enum err json_text_check_whole(struct slice bytes, uint32_t depth, struct diag *diag) MUST_CHECK;

struct json_text_members {
    struct slice rest;
    struct slice key;   /* inside of the quotes, as written; of an array's element: empty */
    struct slice value; /* as written, without blanks around */
    bool array;
};

/* The inside of an object or array; of anything else there is none. */
struct json_text_members json_text_open(struct slice value);
bool json_text_next(struct json_text_members *m);
/* The value of a member; .at NULL: there is none, or `object` is none. */
struct slice json_text_get(struct slice object, struct slice key);
/* Appends the text of a string (with its quotes), escapes resolved, lone surrogates as U+FFFD; of
 * any other value its bytes. */
void json_text_add(struct buf *out, struct slice value);
static inline bool json_text_is_object(struct slice value)
{
    return value.size > 0 && value.at[0] == '{';
}
static inline bool json_text_is_array(struct slice value)
{
    return value.size > 0 && value.at[0] == '[';
}
static inline bool json_text_is_string(struct slice value)
{
    return value.size > 0 && value.at[0] == '"';
}
