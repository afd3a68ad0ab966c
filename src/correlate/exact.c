#include "correlate/exact.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { LEAST = 1074, MANTISSA = 52, EXPONENT = 0x7FF };

/* Adds or takes away magnitude * 2^(bit - LEAST). */
static void apply(struct exact *sum, uint64_t magnitude, int bit, bool negative)
{
    int word = bit / 64, by = bit % 64;
    uint64_t parts[2] = {magnitude << by, by ? magnitude >> (64 - by) : 0};
    unsigned carry = 0;
    for (int i = word; i < EXACT_WORDS; i++) {
        uint64_t part = i - word < 2 ? parts[i - word] : 0;
        uint64_t old = sum->words[i];
        if (i - word >= 2 && !carry) {
            return;
        }
        if (negative) {
            sum->words[i] = old - part - carry;
            carry = old < part || (old == part && carry);
        } else {
            sum->words[i] = old + part + carry;
            carry = sum->words[i] < old || (carry && sum->words[i] == old);
        }
    }
}

void exact_add(struct exact *sum, double number, int sign)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    int exponent = (int)(bits >> MANTISSA & EXPONENT);
    uint64_t mantissa = bits & (((uint64_t)1 << MANTISSA) - 1);
    if (exponent) {
        mantissa |= (uint64_t)1 << MANTISSA;
        exponent--;
    }
    apply(sum, mantissa, exponent, (bits >> 63) != (sign < 0));
}

void exact_add_whole(struct exact *sum, int64_t number, int sign)
{
    uint64_t magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    apply(sum, magnitude, LEAST, (number < 0) != (sign < 0));
}

static void negate(struct exact *sum)
{
    unsigned carry = 1;
    for (int i = 0; i < EXACT_WORDS; i++) {
        sum->words[i] = ~sum->words[i] + carry;
        carry = carry && sum->words[i] == 0;
    }
}

double exact_value(const struct exact *sum)
{
    struct exact m = *sum;
    bool negative = m.words[EXACT_WORDS - 1] >> 63;
    if (negative) {
        negate(&m);
    }
    int top = EXACT_WORDS - 1;
    while (top > 0 && m.words[top] == 0) {
        top--;
    }
    if (m.words[top] == 0) {
        return 0;
    }
    int by = __builtin_clzll(m.words[top]);
    uint64_t head = m.words[top] << by;
    if (by && top > 0) {
        head |= m.words[top - 1] >> (64 - by);
    }
    /* What lies below these 64 bits only matters as being there: it breaks ties. */
    bool rest = by && top > 0 && m.words[top - 1] << by != 0;
    for (int i = 0; i < top - (by != 0) && !rest; i++) {
        rest = m.words[i] != 0;
    }
    double value = ldexp((double)(head | rest), top * 64 - by - LEAST);
    return negative ? -value : value;
}
