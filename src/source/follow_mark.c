#include "source/follow_mark.h"

#include <string.h>
#include <unistd.h>

#include "base/digest.h"

void follow_mark_add(struct follow_mark *mark, struct slice bytes)
{
    size_t head = FOLLOW_MARK_HEAD - mark->head_size;
    head = head < bytes.size ? head : bytes.size;
    if (bytes.size == 0) {
        return;
    }
    memcpy(mark->head + mark->head_size, bytes.at, head);
    mark->head_size += (uint32_t)head;
    size_t fresh = bytes.size < FOLLOW_MARK_TAIL ? bytes.size : FOLLOW_MARK_TAIL;
    size_t kept = FOLLOW_MARK_TAIL - fresh;
    kept = kept < mark->tail_size ? kept : mark->tail_size;
    memmove(mark->tail, mark->tail + mark->tail_size - kept, kept);
    memcpy(mark->tail + kept, bytes.at + bytes.size - fresh, fresh);
    mark->tail_size = (uint32_t)(kept + fresh);
    mark->at += bytes.size;
}

static void digest_of(struct slice bytes, char out[FOLLOW_MARK_DIGITS])
{
    struct digest digest;
    char hex[DIGEST_HEX];
    digest_init(&digest);
    digest_add(&digest, bytes);
    digest_hex(&digest, hex);
    memcpy(out, hex, FOLLOW_MARK_DIGITS);
}

void follow_mark_write(const struct follow_mark *mark, uint64_t from, struct buf *key)
{
    char head[FOLLOW_MARK_DIGITS], tail[FOLLOW_MARK_DIGITS];
    digest_of(slice_of(mark->head, mark->head_size), head);
    digest_of(slice_of(mark->tail, mark->tail_size), tail);
    buf_format(key, "%u:%.*s/%llu/%llu-%llu/%.*s", mark->head_size, FOLLOW_MARK_DIGITS, head,
            (unsigned long long)mark->generation, (unsigned long long)from,
            (unsigned long long)mark->at, FOLLOW_MARK_DIGITS, tail);
}

bool follow_mark_number(struct slice text, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (!slice_is_digit(text.at[i]) || __builtin_mul_overflow(value, 10, &value) ||
                __builtin_add_overflow(value, (uint64_t)(text.at[i] - '0'), &value)) {
            return false;
        }
    }
    *out = value;
    return text.size > 0;
}

static bool read_digest(struct slice text, char out[FOLLOW_MARK_DIGITS])
{
    for (size_t i = 0; i < text.size; i++) {
        if (!slice_is_digit(text.at[i]) && (text.at[i] < 'a' || text.at[i] > 'f')) {
            return false;
        }
    }
    if (text.size == FOLLOW_MARK_DIGITS) {
        memcpy(out, text.at, FOLLOW_MARK_DIGITS);
    }
    return text.size == FOLLOW_MARK_DIGITS;
}

enum err follow_mark_read(struct slice key, struct follow_place *out)
{
    struct follow_place place = {0};
    struct slice rest = key;
    uint64_t head_size;
    bool good =
            key.size <= FOLLOW_MARK_KEY && follow_mark_number(slice_cut(&rest, ':'), &head_size) &&
            read_digest(slice_cut(&rest, '/'), place.head) &&
            follow_mark_number(slice_cut(&rest, '/'), &place.generation) &&
            follow_mark_number(slice_cut(&rest, '-'), &place.from) &&
            follow_mark_number(slice_cut(&rest, '/'), &place.to) && read_digest(rest, place.tail);
    uint64_t head = place.to < FOLLOW_MARK_HEAD ? place.to : FOLLOW_MARK_HEAD;
    if (!good || place.from >= place.to || head_size != head || place.to > INT64_MAX) {
        return ERR_SYNTAX;
    }
    place.head_size = (uint32_t)head_size;
    *out = place;
    return OK;
}

static bool read_all(int fd, char *at, size_t size, uint64_t from)
{
    for (size_t have = 0; have < size;) {
        ssize_t n = pread(fd, at + have, size - have, (off_t)(from + have));
        if (n <= 0) {
            return false;
        }
        have += (size_t)n;
    }
    return true;
}

bool follow_mark_jump(struct follow_mark *mark, int fd, uint64_t to)
{
    struct follow_mark m = {.generation = mark->generation, .at = to};
    m.head_size = to < FOLLOW_MARK_HEAD ? (uint32_t)to : FOLLOW_MARK_HEAD;
    m.tail_size = to < FOLLOW_MARK_TAIL ? (uint32_t)to : FOLLOW_MARK_TAIL;
    if (!read_all(fd, m.head, m.head_size, 0) ||
            !read_all(fd, m.tail, m.tail_size, to - m.tail_size)) {
        return false;
    }
    *mark = m;
    return true;
}

bool follow_mark_fits(const struct follow_place *place, int fd, struct follow_mark *mark)
{
    struct follow_mark m = {.generation = place->generation};
    char head[FOLLOW_MARK_DIGITS], tail[FOLLOW_MARK_DIGITS];
    if (!follow_mark_jump(&m, fd, place->to)) {
        return false;
    }
    digest_of(slice_of(m.head, m.head_size), head);
    digest_of(slice_of(m.tail, m.tail_size), tail);
    if (memcmp(head, place->head, sizeof head) != 0 ||
            memcmp(tail, place->tail, sizeof tail) != 0) {
        return false;
    }
    *mark = m;
    return true;
}
