#include "sigma/regex_step.h"

#include <string.h>

#include "base/memory.h"

void regex_step_fini(struct regex_step *step)
{
    memory_free(step->now.words);
    memory_free(step->then.words);
    memory_free(step->stack);
    *step = (struct regex_step){0};
}

enum err regex_step_begin(struct regex_step *step, const struct regex_program *program)
{
    if (program->count > step->room) {
        uint32_t room = (program->count + 255) & ~255u;
        uint64_t work = step->work;
        regex_step_fini(step);
        step->work = work;
        step->now.words = memory_alloc_array(room / 64, sizeof(uint64_t));
        step->then.words = memory_alloc_array(room / 64, sizeof(uint64_t));
        step->stack = memory_alloc_array(room, sizeof(uint32_t));
        if (!step->now.words || !step->then.words || !step->stack) {
            regex_step_fini(step);
            step->work = work;
            return ERR_MEMORY;
        }
        step->room = room;
    }
    step->program = program;
    regex_step_clear(&step->now);
    regex_step_clear(&step->then);
    return OK;
}

void regex_step_clear(struct regex_set *set)
{
    if (set->high > set->low) {
        memset(set->words + set->low, 0, (set->high - set->low) * sizeof *set->words);
    }
    set->low = UINT32_MAX;
    set->high = 0;
}

void regex_step_put(struct regex_set *set, uint32_t pc)
{
    uint32_t word = pc / 64;
    set->words[word] |= (uint64_t)1 << (pc % 64);
    set->low = word < set->low ? word : set->low;
    set->high = word >= set->high ? word + 1 : set->high;
}

static bool has(const struct regex_set *set, uint32_t pc)
{
    return set->words[pc / 64] >> (pc % 64) & 1;
}

uint8_t regex_step_context(const struct regex_program *program)
{
    return program->anchored ? REGEX_AT_START : program->contexts & REGEX_AT_START;
}

/* ---- looks ----------------------------------------------------------------------------------- */

static bool holds(
        const struct regex_program *p, enum regex_look look, uint8_t context, unsigned symbol)
{
    bool end = symbol == p->end;
    bool last = symbol == p->newline;
    bool word;
    switch (look) {
    case LOOK_TEXT_START:
        return context & REGEX_AT_START;
    case LOOK_LINE_START:
        /* pcre2pattern, "Circumflex and dollar": not after a newline that ends the text. */
        return context & REGEX_AT_START || (context & REGEX_AFTER_NEWLINE && !end);
    case LOOK_TEXT_END:
        return end;
    case LOOK_LAST_LINE:
        return end || last;
    case LOOK_LINE_END:
        return end || last || p->byte_of[symbol] == '\n';
    case LOOK_WORD:
    case LOOK_NOT_WORD:
        word = !end && !last && regex_program_is_word(p->byte_of[symbol]);
        return (((context & REGEX_AFTER_WORD) != 0) != word) == (look == LOOK_WORD);
    }
    return false;
}

/* Where a step is: for looks. NULL: they are left for the next step, which knows the symbol. */
struct place {
    uint8_t context;
    unsigned symbol;
};

/* Adds what is reached from `pc` without taking a byte. true: the end of the pattern is. */
static bool add(
        struct regex_step *step, struct regex_set *set, uint32_t pc, const struct place *place)
{
    const struct regex_program *p = step->program;
    uint32_t depth = 0;
    step->stack[depth++] = pc;
    while (depth > 0) {
        pc = step->stack[--depth];
        while (!has(set, pc)) {
            const struct regex_inst *inst = &p->at[pc];
            regex_step_put(set, pc);
            step->work++;
            if (inst->op == REGEX_OP_MATCH) {
                return true;
            }
            if (inst->op == REGEX_OP_SPLIT) {
                step->stack[depth++] = inst->other;
            } else if (inst->op != REGEX_OP_LOOK || !place ||
                       !holds(p, inst->look, place->context, place->symbol)) {
                break;
            }
            pc = inst->next;
        }
    }
    return false;
}

/* Resolves the looks that were left. */
static bool resolve(struct regex_step *step, const struct place *place)
{
    const struct regex_program *p = step->program;
    struct regex_set *now = &step->now;
    for (uint32_t w = now->low; w < now->high; w++) {
        for (uint64_t bits = now->words[w]; bits; bits &= bits - 1) {
            const struct regex_inst *inst = &p->at[w * 64 + (uint32_t)__builtin_ctzll(bits)];
            if (inst->op == REGEX_OP_LOOK && holds(p, inst->look, place->context, place->symbol) &&
                    add(step, now, inst->next, place)) {
                return true;
            }
        }
    }
    return false;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

/* Where a byte leads from an automaton's node; UINT32_MAX: nowhere. */
static uint32_t follow(
        const struct regex_program *p, const struct regex_inst *inst, uint32_t pc, uint8_t byte)
{
    const struct regex_node *node = &p->nodes.at[inst->other];
    const struct regex_arc *arc = p->nodes.arcs + node->arcs;
    for (uint32_t i = 0; i < node->count; i++) {
        if (byte <= arc[i].high) {
            if (byte < arc[i].low) {
                return UINT32_MAX;
            }
            return arc[i].to == 0 ? inst->next : pc - node->local + arc[i].to;
        }
    }
    return UINT32_MAX;
}

static bool take_byte(struct regex_step *step, uint8_t byte)
{
    const struct regex_program *p = step->program;
    const struct regex_set *now = &step->now;
    for (uint32_t w = now->low; w < now->high; w++) {
        for (uint64_t bits = now->words[w]; bits; bits &= bits - 1) {
            uint32_t pc = w * 64 + (uint32_t)__builtin_ctzll(bits);
            const struct regex_inst *inst = &p->at[pc];
            uint32_t to = UINT32_MAX;
            step->work++;
            if (inst->op == REGEX_OP_RANGE) {
                to = byte >= inst->low && byte <= inst->high ? inst->next : to;
            } else if (inst->op == REGEX_OP_NODE) {
                to = follow(p, inst, pc, byte);
            }
            if (to != UINT32_MAX && add(step, &step->then, to, NULL)) {
                return true;
            }
        }
    }
    return false;
}

static uint8_t context_after(const struct regex_program *p, uint8_t byte)
{
    unsigned context = byte == '\n'                  ? REGEX_AFTER_NEWLINE
                       : regex_program_is_word(byte) ? REGEX_AFTER_WORD
                                                     : 0;
    return (uint8_t)(context & p->contexts);
}

bool regex_step_take(struct regex_step *step, uint8_t *context, unsigned symbol)
{
    const struct regex_program *p = step->program;
    const struct place place = {*context, symbol};
    uint8_t byte = symbol < p->classes ? p->byte_of[symbol] : '\n';
    bool within = symbol < p->classes && (byte & 0xC0) == 0x80;
    step->work += 1 + (step->now.high > step->now.low ? step->now.high - step->now.low : 0);
    if (p->looks && resolve(step, &place)) {
        return true;
    }
    if ((*context & REGEX_AT_START) || (!p->anchored && !within)) {
        if (add(step, &step->now, p->start, &place)) {
            return true;
        }
    }
    if (symbol == p->end) {
        return false;
    }
    bool matched = take_byte(step, byte);
    struct regex_set taken = step->now;
    step->now = step->then;
    regex_step_clear(&taken);
    step->then = taken;
    *context = context_after(p, byte);
    return matched;
}
