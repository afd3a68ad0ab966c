#include "event/standing.h"

#include <string.h>
#include <sys/mman.h>

enum err standing_new(struct standing **out, struct diag *diag)
{
    struct standing *standing = mmap(NULL, sizeof *standing, PROT_READ | PROT_WRITE,
            MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (standing == MAP_FAILED) {
        return diag_say(diag, ERR_MEMORY, "no memory for the figures of rules");
    }
    *out = standing;
    return OK;
}

void standing_free(struct standing *standing)
{
    if (standing) {
        munmap(standing, sizeof *standing);
    }
}

void standing_write(struct standing *standing)
{
    atomic_fetch_or(&standing->generation, 1);
}

void standing_written(struct standing *standing)
{
    atomic_fetch_add(&standing->generation, 1);
}

void standing_text(char *to, size_t room, struct slice text)
{
    size_t size = text.size < room ? text.size : room - 1;
    while (size < text.size && size > 0 && ((unsigned char)text.at[size] & 0xC0) == 0x80) {
        size--;
    }
    if (size > 0) {
        memcpy(to, text.at, size);
    }
    memset(to + size, 0, room - size);
}

void standing_clear(struct standing *standing, const char *ruleset)
{
    for (uint32_t i = 0; i < standing->rule_count && i < STANDING_RULES; i++) {
        memset(&standing->rules[i], 0, sizeof standing->rules[i]);
    }
    for (uint32_t i = 0; i < standing->tenant_count && i < STANDING_TENANTS; i++) {
        memset(&standing->tenants[i], 0, offsetof(struct standing_tenant, verdicts));
    }
    standing->rule_count = standing->tenant_count = 0;
    atomic_store(&standing->not_looked_at, 0);
    standing_text(standing->ruleset, sizeof standing->ruleset, slice_text(ruleset));
}

uint64_t standing_read(const struct standing *standing)
{
    return atomic_load(&standing->generation);
}

bool standing_is(const struct standing *standing, uint64_t generation)
{
    atomic_thread_fence(memory_order_acquire);
    return generation % 2 == 0 && atomic_load(&standing->generation) == generation;
}

const char *standing_why_name(unsigned why)
{
    static const char *const names[STANDING_WHYS] = {
            "can", "unmapped", "unseen", "never", "tests", "parts"};
    return names[why < STANDING_WHYS ? why : STANDING_NEVER];
}
