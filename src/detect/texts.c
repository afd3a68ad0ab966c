#include "detect/texts.h"

#include <immintrin.h>

#include "base/fold.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "detect/literal.h"
#include "event/typed.h"

enum { FIRST_ROOM = 64 * 1024, LANES = 32 };

enum err texts_init(struct texts *texts, uint32_t field_count)
{
    struct texts t = {.field_count = field_count, .size = FIRST_ROOM};
    t.slots = memory_alloc_array(field_count + 1, sizeof *t.slots);
    t.room = memory_alloc(FIRST_ROOM);
    if (!t.slots || !t.room) {
        texts_fini(&t);
        return ERR_MEMORY;
    }
    *texts = t;
    return OK;
}

static void drop_retired(struct texts *texts)
{
    while (texts->retired_count) {
        memory_free(texts->retired[--texts->retired_count]);
    }
}

void texts_fini(struct texts *texts)
{
    drop_retired(texts);
    memory_free(texts->retired);
    memory_free(texts->room);
    memory_free(texts->slots);
    *texts = (struct texts){0};
}

void texts_begin(struct texts *texts, const struct event *event)
{
    texts->values = event->values;
    if (texts->retired_count) {
        drop_retired(texts);
    }
    texts->used = 0;
    texts->failed = false;
    if (++texts->epoch == 0) {
        memset(texts->slots, 0, texts->field_count * sizeof *texts->slots);
        texts->epoch = 1;
    }
}

static bool retire(struct texts *texts)
{
    if (texts->retired_count == texts->retired_room) {
        uint32_t room = texts->retired_room ? texts->retired_room * 2 : 8;
        char **list = memory_resize(texts->retired, room * sizeof *list);
        if (!list) {
            return false;
        }
        texts->retired = list;
        texts->retired_room = room;
    }
    texts->retired[texts->retired_count++] = texts->room;
    return true;
}

/* Room for `size` bytes and the slack behind them, or NULL. The caller adds what it used to
 * texts->used. */
static char *reserve(struct texts *texts, size_t size)
{
    if (__builtin_add_overflow(size, (size_t)LITERAL_SLACK, &size)) {
        texts->failed = true;
        return NULL;
    }
    if (size <= texts->size - texts->used) {
        return texts->room + texts->used;
    }
    size_t more = texts->size;
    while (more < size) {
        if (__builtin_mul_overflow(more, (size_t)2, &more)) {
            texts->failed = true;
            return NULL;
        }
    }
    if (__builtin_mul_overflow(more, (size_t)2, &more)) {
        texts->failed = true;
        return NULL;
    }
    char *room = memory_alloc(more);
    if (!room || !retire(texts)) {
        memory_free(room);
        texts->failed = true;
        return NULL;
    }
    texts->room = room;
    texts->size = more;
    texts->used = 0;
    return room;
}

/* ---- folding ---- */

static bool fold_bytes(const char *from, size_t size, char *to)
{
    unsigned char high = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)from[i];
        high |= c;
        to[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    return high < 0x80;
}

__attribute__((target("avx2"))) static inline __m256i fold_lanes(__m256i c)
{
    __m256i upper = _mm256_and_si256(_mm256_cmpgt_epi8(c, _mm256_set1_epi8('A' - 1)),
            _mm256_cmpgt_epi8(_mm256_set1_epi8('Z' + 1), c));
    return _mm256_or_si256(c, _mm256_and_si256(upper, _mm256_set1_epi8(0x20)));
}

/* ASCII case folding; false when there is a byte of 0x80 or more (what was written is then of no
 * use). */
__attribute__((target("avx2"))) static bool fold_wide(const char *from, size_t size, char *to)
{
    if (size < LANES) {
        return fold_bytes(from, size, to);
    }
    __m256i high = _mm256_setzero_si256();
    size_t at = 0;
    for (;;) {
        __m256i c = _mm256_loadu_si256((const __m256i *)(const void *)(from + at));
        high = _mm256_or_si256(high, c);
        _mm256_storeu_si256((__m256i *)(void *)(to + at), fold_lanes(c));
        if (at + LANES == size) {
            break;
        }
        at = at + 2 * LANES <= size ? at + LANES : size - LANES;
    }
    return _mm256_movemask_epi8(high) == 0;
}

static bool fold_ascii(const char *from, size_t size, char *to)
{
    return __builtin_cpu_supports("avx2") ? fold_wide(from, size, to) : fold_bytes(from, size, to);
}

struct slice texts_fold(struct texts *texts, struct slice text, bool *ascii)
{
    char *to = reserve(texts, text.size);
    bool plain = to && fold_ascii(text.at, text.size, to);
    size_t size = text.size;
    if (to && !plain) {
        to = reserve(texts, text.size * 2);
        size = to ? fold_text(text, to) : 0;
    }
    if (ascii) {
        *ascii = plain;
    }
    if (!to) {
        return (struct slice){0};
    }
    texts->used += size;
    return slice_of(to, size);
}

/* ---- conversion ---- */

/* UTF-16LE to bytes, its high bytes left out; false when some unit is not ASCII. */
static bool halve_bytes(const char *from, size_t units, char *to)
{
    unsigned all = 0;
    for (size_t i = 0; i < units; i++) {
        uint16_t unit;
        memcpy(&unit, from + 2 * i, 2);
        all |= unit;
        to[i] = (char)unit;
    }
    return all < 0x80;
}

__attribute__((target("avx2"))) static bool halve_wide(const char *from, size_t units, char *to)
{
    const __m256i *p = (const __m256i *)(const void *)from;
    __m256i all = _mm256_setzero_si256();
    size_t done = 0;
    for (; done + LANES <= units; done += LANES, p += 2) {
        __m256i a = _mm256_loadu_si256(p), b = _mm256_loadu_si256(p + 1);
        all = _mm256_or_si256(all, _mm256_or_si256(a, b));
        __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi16(a, b), 0xD8);
        _mm256_storeu_si256((__m256i *)(void *)(to + done), packed);
    }
    const __m256i beyond = _mm256_set1_epi16((short)0xFF80);
    return halve_bytes(from + 2 * done, units - done, to + done) && _mm256_testz_si256(all, beyond);
}

static struct slice narrow(struct texts *texts, struct slice wide)
{
    size_t units = wide.size / 2;
    char *to = reserve(texts, units * 3);
    if (!to) {
        return (struct slice){0};
    }
    bool ascii = __builtin_cpu_supports("avx2") ? halve_wide(wide.at, units, to)
                                                : halve_bytes(wide.at, units, to);
    const char *nul = ascii && units ? memchr(to, 0, units) : NULL;
    size_t size = !ascii ? utf8_from_utf16(utf8_until_nul(wide), to)
                  : nul  ? (size_t)(nul - to)
                         : units;
    texts->used += size;
    return slice_of(to, size);
}

/* What a backslash and this letter stand for; 0: needs more than a look (\u). */
static char escaped(char letter)
{
    switch (letter) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'u':
        return 0;
    default:
        return letter;
    }
}

/* Unescapes and folds a JSON string's inside in one pass, to `to`, which has LANES bytes more than
 * json.size. Returns the size; SIZE_MAX where there is \u or a byte beyond ASCII. */
__attribute__((target("avx2"))) static size_t fold_json(struct slice json, char *to)
{
    const char *p = json.at, *end = json.at + json.size;
    char *start = to;
    unsigned char high = 0;
    while (end - p >= LANES) {
        __m256i c = _mm256_loadu_si256((const __m256i *)(const void *)p);
        unsigned slashes =
                (unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(c, _mm256_set1_epi8('\\')));
        if (_mm256_movemask_epi8(c)) {
            return SIZE_MAX;
        }
        _mm256_storeu_si256((__m256i *)(void *)to, fold_lanes(c));
        unsigned plain = slashes ? (unsigned)__builtin_ctz(slashes) : LANES;
        p += plain;
        to += plain;
        if (!slashes) {
            continue;
        }
        char letter = p + 1 < end ? escaped(p[1]) : 0;
        if (letter <= 0) {
            return SIZE_MAX;
        }
        *to++ = letter;
        p += 2;
    }
    while (p < end) {
        char c = *p++;
        if (c == '\\') {
            c = p < end ? escaped(*p++) : 0;
            if (c == 0) {
                return SIZE_MAX;
            }
            *to++ = c;
            continue;
        }
        high |= (unsigned char)c;
        *to++ = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    return high < 0x80 ? (size_t)(to - start) : SIZE_MAX;
}

/* The fold without the plain text, where that is quick. */
static bool fold_directly(struct texts *texts, const struct value *value, struct text *text)
{
    if (value->form != FORM_JSON || !__builtin_cpu_supports("avx2")) {
        return false;
    }
    char *to = reserve(texts, value->text.size + LANES);
    size_t size = to ? fold_json(value->text, to) : SIZE_MAX;
    if (size == SIZE_MAX) {
        return false;
    }
    text->folded = slice_of(to, size);
    text->ascii = true;
    texts->used += size;
    return true;
}

static struct slice convert(struct texts *texts, const struct value *value)
{
    if (value->kind == VALUE_NULL || value->kind == VALUE_OBJECT) {
        return SLICE("");
    }
    if (value->form == FORM_TEXT) {
        return value->text;
    }
    if (value->form == FORM_UTF16) {
        return narrow(texts, value->text);
    }
    uint8_t type = (uint8_t)(value->form - FORM_TYPED);
    bool json = value->form == FORM_JSON;
    char *to = reserve(texts, json ? value->text.size : typed_room(type, value->text.size));
    if (!to) {
        return (struct slice){0};
    }
    size_t size = json ? value_unescape(value->text, to) : typed_write(type, value->text, to);
    texts->used += size;
    return slice_of(to, size);
}

static void fill_plain(struct texts *texts, const struct value *value, struct text *text)
{
    if (text->plain_epoch != texts->epoch) {
        text->plain = convert(texts, value);
        text->plain_epoch = texts->epoch;
    }
}

static struct text *slot_of(
        struct texts *texts, uint32_t field, const struct value *value, struct text *spare)
{
    /* Values after the first stand in event->more: no slot is theirs. */
    if (field != FIELD_NONE && value == texts->values + field) {
        return &texts->slots[field];
    }
    *spare = (struct text){0};
    return spare;
}

const struct text *texts_get(
        struct texts *texts, uint32_t field, const struct value *value, struct text *spare)
{
    struct text *text = slot_of(texts, field, value, spare);
    if (text->folded_epoch != texts->epoch) {
        if (text->plain_epoch == texts->epoch || !fold_directly(texts, value, text)) {
            fill_plain(texts, value, text);
            text->folded = texts_fold(texts, text->plain, &text->ascii);
        }
        text->folded_epoch = texts->epoch;
    }
    return text;
}

struct slice texts_plain(struct texts *texts, uint32_t field, const struct value *value)
{
    struct text spare, *text = slot_of(texts, field, value, &spare);
    fill_plain(texts, value, text);
    return text->plain;
}

struct slice texts_folded(struct texts *texts, uint32_t field, const struct value *value)
{
    struct text spare;
    return texts_get(texts, field, value, &spare)->folded;
}

struct slice texts_copy(struct texts *texts, struct slice text)
{
    char *to = reserve(texts, text.size);
    if (!to) {
        return (struct slice){0};
    }
    if (text.size) {
        memcpy(to, text.at, text.size);
    }
    texts->used += text.size;
    return slice_of(to, text.size);
}
