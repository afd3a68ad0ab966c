#include "app/serve_reload.h"

#include <stdio.h>
#include <string.h>

/* ---- marks -------------------------------------------------------------------------------------
 */

void serve_reload_mark(struct serve_mark *mark, const char *hash, uint64_t at)
{
    uint64_t count = atomic_load(&mark->count), words[SERVE_MARK_WORDS] = {at};
    memcpy(&words[1], hash, strnlen(hash, DIGEST_HEX - 1));
    atomic_thread_fence(memory_order_release); /* none of what follows before the last count */
    for (size_t i = 0; i < SERVE_MARK_WORDS; i++) {
        atomic_store_explicit(&mark->slots[(count + 1) & 1][i], words[i], memory_order_relaxed);
    }
    atomic_store(&mark->count, count + 1);
}

bool serve_reload_marked(const struct serve_mark *mark, char hash[DIGEST_HEX], uint64_t *at)
{
    uint64_t count, words[SERVE_MARK_WORDS];
    do {
        count = atomic_load(&mark->count);
        for (size_t i = 0; i < SERVE_MARK_WORDS; i++) {
            words[i] = atomic_load_explicit(&mark->slots[count & 1][i], memory_order_relaxed);
        }
        atomic_thread_fence(memory_order_acquire);
        /* The other slot may be written to meanwhile, this one not before it is in force. */
    } while (atomic_load(&mark->count) != count);
    *at = words[0];
    memcpy(hash, &words[1], DIGEST_HEX - 1);
    hash[DIGEST_HEX - 1] = 0;
    return count > 0;
}

/* ---- asking and answering ----------------------------------------------------------------------
 */

uint64_t serve_reload_ask(struct serve_reload *reload)
{
    return atomic_fetch_add(&reload->asked, 1) + 1;
}

void serve_reload_answer(struct serve_reload *reload, uint64_t number)
{
    atomic_fetch_add(&reload->writing, 1);
    reload->verdict = reload->draft;
    reload->verdict.hash[DIGEST_HEX - 1] = 0;
    if (reload->verdict.size > SERVE_RELOAD_WORDS) {
        reload->verdict.size = SERVE_RELOAD_WORDS;
    }
    atomic_store(&reload->answered, number);
    atomic_fetch_add(&reload->writing, 1);
}

uint64_t serve_reload_answered(const struct serve_reload *reload, struct serve_verdict *out)
{
    uint64_t before, number;
    do {
        before = atomic_load(&reload->writing);
        *out = reload->verdict;
        number = atomic_load(&reload->answered);
        atomic_thread_fence(memory_order_acquire);
    } while (before % 2 != 0 || atomic_load(&reload->writing) != before);
    return number;
}

bool serve_reload_announce(struct serve_reload *reload, struct intake *intake)
{
    char hash[DIGEST_HEX];
    uint64_t at, position, count = atomic_load(&reload->wanted.count);
    if (count == atomic_load(&reload->told)) {
        return true;
    }
    serve_reload_marked(&reload->wanted, hash, &at);
    if (intake_rules(intake, slice_text(hash), &position) != OK) {
        return false;
    }
    /* Who ends here has it said again by the next one: the same set, once more. */
    atomic_store(&reload->told_at, position);
    atomic_store(&reload->told, count);
    return true;
}

bool serve_reload_is_told(const struct serve_reload *reload, const struct channel *intake)
{
    return atomic_load(&reload->told) == atomic_load(&reload->wanted.count) &&
           channel_done(intake) >= atomic_load(&reload->told_at);
}

/* ---- sets that are spare -----------------------------------------------------------------------
 */

uint64_t serve_reload_settled(const struct serve_reload *reload, const struct channel *intake)
{
    uint64_t answered = atomic_load(&reload->answered);
    bool settled = serve_reload_is_told(reload, intake) && atomic_load(&reload->asked) == answered;
    return settled ? answered : 0;
}

void serve_reload_set_spare(struct serve_reload *reload, const struct serve_spare *found)
{
    struct serve_spare_told *to = &reload->spare;
    uint64_t writing = atomic_load(&to->writing) | 1; /* who died in it left it odd */
    uint64_t count = found->count < SERVE_SPARE ? found->count : SERVE_SPARE;
    atomic_store(&to->writing, writing);
    atomic_thread_fence(memory_order_release); /* none of what follows before that */
    atomic_store_explicit(&to->words[0], found->answered, memory_order_relaxed);
    atomic_store_explicit(&to->words[1], count, memory_order_relaxed);
    for (size_t i = 0; i < count; i++) {
        uint64_t words[SERVE_HASH_WORDS];
        memcpy(words, found->hash[i], sizeof words);
        for (size_t w = 0; w < SERVE_HASH_WORDS; w++) {
            atomic_store_explicit(
                    &to->words[2 + i * SERVE_HASH_WORDS + w], words[w], memory_order_relaxed);
        }
    }
    atomic_store(&to->writing, writing + 1);
}

bool serve_reload_spare(const struct serve_reload *reload, struct serve_spare *out)
{
    const struct serve_spare_told *from = &reload->spare;
    uint64_t before = atomic_load(&from->writing);
    out->answered = atomic_load_explicit(&from->words[0], memory_order_relaxed);
    out->count = atomic_load_explicit(&from->words[1], memory_order_relaxed);
    out->count = out->count < SERVE_SPARE ? out->count : SERVE_SPARE;
    for (size_t i = 0; i < out->count; i++) {
        uint64_t words[SERVE_HASH_WORDS];
        for (size_t w = 0; w < SERVE_HASH_WORDS; w++) {
            words[w] = atomic_load_explicit(
                    &from->words[2 + i * SERVE_HASH_WORDS + w], memory_order_relaxed);
        }
        memcpy(out->hash[i], words, sizeof words);
        out->hash[i][DIGEST_HEX - 1] = 0;
    }
    atomic_thread_fence(memory_order_acquire);
    return before % 2 == 0 && atomic_load(&from->writing) == before && out->answered > 0 &&
           out->answered == atomic_load(&reload->answered);
}

/* What is told line by line has no line feeds and tabs of its own. */
static void add_plain(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        buf_byte(out, (unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f ? ' ' : text.at[i]);
    }
}

void serve_reload_add(struct serve_verdict *verdict, struct slice file, uint32_t line,
        uint32_t column, struct slice reason)
{
    struct buf out = {0};
    verdict->problems++;
    buf_format(&out, "%u\t%u\t", line, column);
    add_plain(&out, file);
    buf_byte(&out, '\t');
    add_plain(&out, reason);
    buf_byte(&out, '\n');
    if (!out.failed && out.size <= SERVE_RELOAD_WORDS - verdict->size) {
        memcpy(verdict->words + verdict->size, out.at, out.size);
        verdict->size += (uint32_t)out.size;
    }
    buf_fini(&out);
}
