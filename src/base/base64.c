#include "base/base64.h"

static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char web[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void add(struct buf *out, struct slice bytes, const char *alphabet, bool padded)
{
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i < 3 ? bytes.size - i : 3;
        uint32_t bits = 0;
        for (size_t j = 0; j < 3; j++) {
            bits = bits << 8 | (j < left ? (unsigned char)bytes.at[i + j] : 0);
        }
        for (size_t j = 0; j < 4; j++) {
            if (j <= left) {
                buf_byte(out, alphabet[bits >> (18 - 6 * j) & 63]);
            } else if (padded) {
                buf_byte(out, '=');
            }
        }
    }
}

void base64_add(struct buf *out, struct slice bytes)
{
    add(out, bytes, plain, true);
}

void base64_add_url(struct buf *out, struct slice bytes)
{
    add(out, bytes, web, false);
}

/* 64: none. */
static uint32_t digit(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (uint32_t)(c - 'A');
    }
    if (c >= 'a' && c <= 'z') {
        return (uint32_t)(c - 'a') + 26;
    }
    if (slice_is_digit(c)) {
        return (uint32_t)(c - '0') + 52;
    }
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : 64;
}

enum err base64_read(struct slice text, struct buf *out)
{
    if (text.size % 4 == 0) {
        for (int i = 0; i < 2 && text.size > 0 && text.at[text.size - 1] == '='; i++) {
            text.size--;
        }
    }
    if (text.size % 4 == 1) {
        return ERR_SYNTAX;
    }
    char *to = buf_reserve(out, text.size / 4 * 3 + 3);
    if (!to) {
        return ERR_MEMORY;
    }
    uint32_t bits = 0, have = 0;
    size_t n = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint32_t d = digit(text.at[i]);
        if (d == 64) {
            return ERR_SYNTAX;
        }
        bits = bits << 6 | d;
        have += 6;
        if (have >= 8) {
            have -= 8;
            to[n++] = (char)(bits >> have & 0xFF);
        }
    }
    if (bits & (((uint32_t)1 << have) - 1)) {
        return ERR_SYNTAX;
    }
    out->size += n;
    return OK;
}
