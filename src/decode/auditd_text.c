#include "decode/auditd_text.h"

#include "decode/auditd_calls.h"

static int nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool auditd_text_is_hex(struct slice value)
{
    if (value.size < 2 || value.size % 2 != 0) {
        return false;
    }
    for (size_t i = 0; i < value.size; i++) {
        if (nibble(value.at[i]) < 0) {
            return false;
        }
    }
    return true;
}

static unsigned char byte_at(struct slice hex, size_t i)
{
    return (unsigned char)(nibble(hex.at[2 * i]) << 4 | nibble(hex.at[2 * i + 1]));
}

struct slice auditd_text_from_hex(struct arena *arena, struct slice hex)
{
    size_t size = hex.size / 2;
    char *to = arena_alloc(arena, size, 1);
    for (size_t i = 0; to && i < size; i++) {
        to[i] = (char)byte_at(hex, i);
    }
    return slice_of(to, to ? size : 0);
}

struct slice auditd_text_title(struct arena *arena, struct slice hex)
{
    size_t size = hex.size / 2;
    while (size > 0 && byte_at(hex, size - 1) == 0) {
        size--;
    }
    char *to = arena_alloc(arena, size, 1);
    for (size_t i = 0; to && i < size; i++) {
        unsigned char c = byte_at(hex, i);
        to[i] = c ? (char)c : ' ';
    }
    return slice_of(to, to ? size : 0);
}

/* ---- socket addresses ------------------------------------------------------------------------ */

enum { ADDRESS_TEXT = 48 }; /* 8 groups of 4 digits, or 4 of 3; what is between them */

static size_t put_decimal(char *to, unsigned value)
{
    char digits[10];
    size_t count = 0, size = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (count > 0) {
        to[size++] = digits[--count];
    }
    return size;
}

static struct slice ipv4(struct arena *arena, struct slice saddr, size_t at)
{
    char *to = arena_alloc(arena, ADDRESS_TEXT, 1);
    size_t size = 0;
    for (size_t i = 0; to && i < 4; i++) {
        if (i > 0) {
            to[size++] = '.';
        }
        size += put_decimal(to + size, byte_at(saddr, at + i));
    }
    return slice_of(to, size);
}

static size_t put_group(char *to, unsigned value)
{
    size_t size = 0;
    for (int shift = 12; shift >= 0; shift -= 4) {
        unsigned digit = value >> shift & 15;
        if (digit || size || shift == 0) {
            to[size++] = "0123456789abcdef"[digit];
        }
    }
    return size;
}

/* The first of the longest runs of at least two zero groups (RFC 5952, section 4.2). */
static size_t longest_zeros(const unsigned *groups, size_t *length)
{
    size_t best = 8;
    *length = 1;
    for (size_t i = 0; i < 8; i++) {
        size_t run = 0;
        while (i + run < 8 && groups[i + run] == 0) {
            run++;
        }
        if (run > *length) {
            best = i;
            *length = run;
        }
    }
    return best;
}

static struct slice ipv6(struct arena *arena, struct slice saddr, size_t at)
{
    unsigned groups[8];
    size_t size = 0, zeros, length;
    for (size_t i = 0; i < 8; i++) {
        groups[i] = (unsigned)byte_at(saddr, at + 2 * i) << 8 | byte_at(saddr, at + 2 * i + 1);
    }
    zeros = longest_zeros(groups, &length);
    char *to = arena_alloc(arena, ADDRESS_TEXT, 1);
    for (size_t i = 0; to && i < 8; i++) {
        if (i == zeros) {
            to[size++] = ':';
            to[size++] = ':';
            i += length - 1;
            continue;
        }
        if (i > 0 && to[size - 1] != ':') {
            to[size++] = ':';
        }
        size += put_group(to + size, groups[i]);
    }
    return slice_of(to, size);
}

static struct slice port(struct arena *arena, struct slice saddr)
{
    char *to = arena_alloc(arena, 8, 1);
    unsigned value = (unsigned)byte_at(saddr, 2) << 8 | byte_at(saddr, 3);
    return slice_of(to, to ? put_decimal(to, value) : 0);
}

static struct slice local_path(struct arena *arena, struct slice saddr)
{
    struct slice path = auditd_text_from_hex(arena, slice_of(saddr.at + 4, saddr.size - 4));
    char *bytes = (char *)(uintptr_t)path.at; /* ours: just made */
    if (path.size > 1 && bytes[0] == 0) {
        bytes[0] = '@';
    }
    path.size = slice_find_byte(path, '\0');
    return path;
}

bool auditd_text_address(struct arena *arena, struct slice saddr, struct auditd_address *out)
{
    struct auditd_address a = {0};
    if (!auditd_text_is_hex(saddr) || saddr.size < 4) {
        return false;
    }
    unsigned family = byte_at(saddr, 0) | (unsigned)byte_at(saddr, 1) << 8;
    if (family == 2 && saddr.size >= 16) {
        a.family = SLICE("inet");
        a.address = ipv4(arena, saddr, 4);
    } else if (family == 10 && saddr.size >= 48) {
        a.family = SLICE("inet6");
        a.address = ipv6(arena, saddr, 8);
    } else if (family == 1) {
        a.family = SLICE("local");
        a.path = local_path(arena, saddr);
        *out = a;
        return a.path.at != NULL;
    } else if (family == 16 || family == 17) {
        a.family = family == 16 ? SLICE("netlink") : SLICE("packet");
        *out = a;
        return true;
    } else {
        return false;
    }
    a.port = port(arena, saddr);
    if (!a.address.at || !a.port.at) {
        return false;
    }
    *out = a;
    return true;
}

/* ---- machines and calls ---------------------------------------------------------------------- */

/* EM_* of elf.h with the marks for 64 bit and little-endian of linux/audit.h. */
static const struct {
    struct slice code, name;
    const struct auditd_calls *calls;
} machines[] = {
        {{"c000003e", 8}, {"x86_64", 6}, &auditd_calls_x86_64},
        {{"40000003", 8}, {"i386", 4}, &auditd_calls_i386},
        {{"c00000b7", 8}, {"aarch64", 7}, &auditd_calls_aarch64},
        {{"40000028", 8}, {"arm", 3}, NULL},
        {{"c0000015", 8}, {"ppc64le", 7}, NULL},
        {{"80000015", 8}, {"ppc64", 5}, NULL},
        {{"80000016", 8}, {"s390x", 5}, NULL},
        {{"c00000f3", 8}, {"riscv64", 7}, NULL},
};
enum { MACHINES = sizeof machines / sizeof *machines };

struct slice auditd_text_arch(struct slice arch)
{
    for (size_t i = 0; i < MACHINES; i++) {
        if (slice_equal(machines[i].code, arch)) {
            return machines[i].name;
        }
    }
    return (struct slice){0};
}

struct slice auditd_text_syscall(struct slice arch, struct slice number)
{
    size_t value = 0;
    if (number.size == 0 || number.size > 4) {
        return (struct slice){0};
    }
    for (size_t i = 0; i < number.size; i++) {
        if (number.at[i] < '0' || number.at[i] > '9') {
            return (struct slice){0};
        }
        value = value * 10 + (size_t)(number.at[i] - '0');
    }
    for (size_t i = 0; i < MACHINES; i++) {
        const struct auditd_calls *calls = machines[i].calls;
        if (calls && slice_equal(machines[i].code, arch) && value < calls->count &&
                calls->names[value]) {
            return slice_text(calls->names[value]);
        }
    }
    return (struct slice){0};
}
