/* dice: numbers that look random and are the same for the same seed (splitmix64).
 *
 *     struct dice dice = dice_of(seed);
 *     uint32_t n = dice_below(&dice, 6);      // 0 to 5
 *     if (dice_one_in(&dice, 10)) ... */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

static inline uint64_t dice_next(struct dice *dice)
{
    uint64_t z = dice->state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static inline uint32_t dice_below(struct dice *dice, uint32_t n)
{
    return (uint32_t)(dice_next(dice) % n);
}

static inline bool dice_one_in(struct dice *dice, uint32_t n)
{
    return dice_below(dice, n) == 0;
}

/* Streams of neighbouring seeds have nothing in common. */
static inline struct dice dice_of(uint64_t seed)
{
    struct dice dice = {.state = ~seed};
    dice.state = dice_next(&dice) ^ seed << 32;
    return dice;
}
