#include "sigma/regex_dfa.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "sigma/regex_skip.h"

/* Values of a transition; all others are the first index of a state's row, with TO_SKIP where the
 * state skips bytes. As a signed number, whatever needs a closer look is at most TO_MATCH. */
enum { TO_UNKNOWN = 0, TO_DEAD = 1, TO_MATCH = 2 };
#define TO_SKIP 0x80000000u

enum {
    ROWS_FIRST = 8,
    BUCKETS_FIRST = 64,
    SKIPS = 31,            /* states of an automaton that skip */
    SKIP_LOOPS = 2,        /* classes of bytes that lead a state to itself before it skips */
    SKIP_TRIAL = 64,       /* skips after which it must have been worth it */
    SKIP_BYTES = 4,        /* bytes a skip, to be worth it */
    STRIKES = 3,           /* times that memory was filled too fast before automata are given up */
    BYTES_PER_STATE = 10,  /* too fast: fewer bytes read for each state made */
    SEARCHES_WITHOUT = 200 /* searches before they are tried again */
};

/* The places of a state stand in the pool of bytes as differences, 7 bits a byte. */
struct state {
    uint32_t at;
    uint32_t size;
    uint8_t context;
    uint8_t loops; /* classes known to lead back here; SKIP_NEVER: not worth it */
};

enum { SKIP_NEVER = UINT8_MAX };

/* A state that most bytes do not leave. What is not known to stay stops. */
struct skip {
    struct regex_skip stops;
    uint32_t state;
    uint32_t calls;
    uint64_t bytes;
};

/* A row has a column for each symbol, then the number of the state's skip, 0: none. */
struct regex_dfa {
    struct regex_dfa *next;              /* of the bucket */
    const struct regex_program *program; /* valid during a run: the regex may be gone before us */
    uint64_t id;
    uint32_t width; /* of a row */
    bool recent;
    uint8_t strikes;
    uint16_t without; /* searches to go by simulation */
    uint32_t count;   /* states, the unused 0th included */
    uint32_t room;
    uint32_t *rows;     /* room * width */
    struct skip *skips; /* SKIPS of them, or NULL */
    uint32_t skip_count;
    struct state *states;
    uint8_t *bytes;
    size_t bytes_used, bytes_room;
    uint32_t *table; /* state numbers by hash; 0: free */
    uint32_t table_room;
    uint32_t generation; /* how often the states were forgotten */
    uint64_t walked;     /* bytes read since the states were forgotten */
};

/* ---- memory ---------------------------------------------------------------------------------- */

static size_t footprint(const struct regex_dfa *d)
{
    return sizeof *d + d->room * (d->width * sizeof *d->rows + sizeof *d->states) + d->bytes_room +
           d->table_room * sizeof *d->table + (d->skips ? SKIPS * sizeof *d->skips : 0);
}

static void dfa_free(struct regex_dfa_pool *pool, struct regex_dfa *d)
{
    pool->used -= footprint(d);
    pool->count--;
    memory_free(d->rows);
    memory_free(d->states);
    memory_free(d->bytes);
    memory_free(d->table);
    memory_free(d->skips);
    memory_free(d);
}

void regex_dfa_fini(struct regex_dfa_pool *pool)
{
    for (uint32_t i = 0; i < pool->bucket_count; i++) {
        while (pool->buckets[i]) {
            struct regex_dfa *d = pool->buckets[i];
            pool->buckets[i] = d->next;
            dfa_free(pool, d);
        }
    }
    memory_free(pool->buckets);
    regex_step_fini(&pool->step);
    *pool = (struct regex_dfa_pool){0};
}

/* Frees automata other than `keep` until `need` more bytes fit; those not used since the hand last
 * came by go first. */
static bool make_room(struct regex_dfa_pool *pool, const struct regex_dfa *keep, size_t need)
{
    if (need > pool->limit) {
        return false;
    }
    for (uint32_t i = 0; i < 2 * pool->bucket_count && pool->used > pool->limit - need; i++) {
        struct regex_dfa **link = &pool->buckets[pool->hand];
        while (*link) {
            struct regex_dfa *d = *link;
            if (d == keep || d->recent) {
                d->recent = false;
                link = &d->next;
            } else {
                *link = d->next;
                dfa_free(pool, d);
            }
        }
        pool->hand = (pool->hand + 1) & (pool->bucket_count - 1);
    }
    return pool->used <= pool->limit - need;
}

static bool resize(
        struct regex_dfa_pool *pool, const struct regex_dfa *d, void *block, size_t from, size_t to)
{
    void **at = block;
    if (!make_room(pool, d, to - from)) {
        return false;
    }
    void *grown = memory_resize(*at, to);
    if (!grown) {
        return false;
    }
    *at = grown;
    return true;
}

static void table_insert(struct regex_dfa *d, uint32_t number, uint64_t hash)
{
    uint32_t mask = d->table_room - 1;
    uint32_t i = (uint32_t)hash & mask;
    while (d->table[i]) {
        i = (i + 1) & mask;
    }
    d->table[i] = number;
}

static uint64_t state_hash(const uint8_t *bytes, size_t size, uint8_t context)
{
    return hash_bytes(slice_of((const char *)bytes, size), context);
}

static bool grow_rows(struct regex_dfa_pool *pool, struct regex_dfa *d)
{
    size_t row = d->width * sizeof *d->rows;
    uint32_t room = d->room ? d->room * 2 : ROWS_FIRST;
    if ((uint64_t)room * d->width > INT32_MAX ||
            !make_room(pool, d, (room - d->room) * (row + sizeof *d->states))) {
        return false;
    }
    /* One may grow without the other: room is what both have. */
    uint32_t *rows = memory_resize(d->rows, room * row);
    if (!rows) {
        return false;
    }
    d->rows = rows;
    struct state *states = memory_resize(d->states, room * sizeof *d->states);
    if (!states) {
        return false;
    }
    d->states = states;
    pool->used += (room - d->room) * (row + sizeof *d->states);
    d->room = room;
    return true;
}

static bool grow_table(struct regex_dfa_pool *pool, struct regex_dfa *d)
{
    uint32_t room = d->table_room ? d->table_room * 2 : 4 * ROWS_FIRST;
    size_t more = (room - d->table_room) * sizeof *d->table;
    if (!resize(pool, d, &d->table, d->table_room * sizeof *d->table, room * sizeof *d->table)) {
        return false;
    }
    pool->used += more;
    d->table_room = room;
    memset(d->table, 0, room * sizeof *d->table);
    for (uint32_t i = 1; i < d->count; i++) {
        const struct state *s = &d->states[i];
        table_insert(d, i, state_hash(d->bytes + s->at, s->size, s->context));
    }
    return true;
}

static bool grow_bytes(struct regex_dfa_pool *pool, struct regex_dfa *d, size_t need)
{
    size_t room = d->bytes_room ? d->bytes_room : 256;
    while (room - d->bytes_used < need) {
        room *= 2;
    }
    if (room > UINT32_MAX || !resize(pool, d, &d->bytes, d->bytes_room, room)) {
        return false;
    }
    pool->used += room - d->bytes_room;
    d->bytes_room = room;
    return true;
}

static void forget(struct regex_dfa *d)
{
    d->count = 1;
    d->bytes_used = 0;
    d->walked = 0;
    d->skip_count = 0;
    d->generation++;
    if (d->table_room) {
        memset(d->table, 0, d->table_room * sizeof *d->table);
    }
}

/* ---- states ---------------------------------------------------------------------------------- */

/* Writes the set after the bytes in use; at most 5 bytes an instruction. */
static size_t encode(const struct regex_program *p, const struct regex_set *set, uint8_t *to)
{
    uint8_t *start = to;
    uint32_t last = 0;
    for (uint32_t w = set->low; w < set->high; w++) {
        for (uint64_t bits = set->words[w]; bits; bits &= bits - 1) {
            uint32_t pc = w * 64 + (uint32_t)__builtin_ctzll(bits);
            if (p->at[pc].op == REGEX_OP_SPLIT) {
                continue;
            }
            uint32_t delta = pc - last;
            last = pc;
            while (delta >= 0x80) {
                *to++ = (uint8_t)(delta | 0x80);
                delta >>= 7;
            }
            *to++ = (uint8_t)delta;
        }
    }
    return (size_t)(to - start);
}

static void decode(const struct regex_dfa *d, const struct state *s, struct regex_set *set)
{
    const uint8_t *at = d->bytes + s->at;
    const uint8_t *end = at + s->size;
    uint32_t pc = 0;
    while (at < end) {
        unsigned shift = 0;
        uint32_t delta = 0;
        while (*at & 0x80) {
            delta |= (uint32_t)(*at++ & 0x7F) << shift;
            shift += 7;
        }
        pc += delta | (uint32_t)*at++ << shift;
        regex_step_put(set, pc);
    }
}

static size_t most_bytes(const struct regex_set *set)
{
    size_t n = 0;
    for (uint32_t w = set->low; w < set->high; w++) {
        n += (size_t)__builtin_popcountll(set->words[w]);
    }
    /* A difference under 2^14 takes two bytes; programs have under 2^16 instructions. */
    return 3 * n + 1;
}

/* The state whose places stand after the bytes in use; 0: there is none. */
static uint32_t lookup(const struct regex_dfa *d, size_t size, uint8_t context, uint64_t hash)
{
    const uint8_t *bytes = d->bytes + d->bytes_used;
    uint32_t mask = d->table_room - 1;
    for (uint32_t i = (uint32_t)hash & mask; d->table_room && d->table[i]; i = (i + 1) & mask) {
        const struct state *s = &d->states[d->table[i]];
        if (s->size == size && s->context == context &&
                memcmp(d->bytes + s->at, bytes, size) == 0) {
            return d->table[i];
        }
    }
    return 0;
}

/* The state of the set at hand, made when it is new. 0: no memory. */
static uint32_t intern(struct regex_dfa_pool *pool, struct regex_dfa *d, uint8_t context)
{
    const struct regex_set *set = &pool->step.now;
    size_t most = most_bytes(set);
    if (d->bytes_room - d->bytes_used < most && !grow_bytes(pool, d, most)) {
        return 0;
    }
    uint8_t *bytes = d->bytes + d->bytes_used;
    size_t size = encode(d->program, set, bytes);
    uint64_t hash = state_hash(bytes, size, context);
    uint32_t number = lookup(d, size, context, hash);
    if (number) {
        return number;
    }
    if ((d->count >= d->room && !grow_rows(pool, d)) ||
            (2 * d->count >= d->table_room && !grow_table(pool, d))) {
        return 0;
    }
    number = d->count++;
    d->states[number] = (struct state){(uint32_t)d->bytes_used, (uint32_t)size, context, 0};
    d->bytes_used += size;
    memset(d->rows + (size_t)number * d->width, 0, d->width * sizeof *d->rows);
    table_insert(d, number, hash);
    return number;
}

/* The run's set is in the step: on by simulation. */
static void give_up(struct regex_dfa_run *run, uint8_t context)
{
    run->dfa = NULL;
    run->context = context;
}

/* Makes the set at hand the run's state; when memory is full, all states are forgotten first. */
static void enter(struct regex_dfa_run *run, uint8_t context)
{
    struct regex_dfa *d = run->dfa;
    uint32_t number = intern(run->pool, d, context);
    if (number == 0) {
        if (d->walked < (uint64_t)d->count * BYTES_PER_STATE && ++d->strikes >= STRIKES) {
            d->strikes = 0;
            d->without = SEARCHES_WITHOUT;
        }
        forget(d);
        number = d->without ? 0 : intern(run->pool, d, context);
    }
    if (number == 0) {
        give_up(run, context);
        return;
    }
    run->state = number * d->width;
}

/* ---- skipping -------------------------------------------------------------------------------- */

/* Marks or unmarks all that lead to the state from others. */
static void mark(struct regex_dfa *d, uint32_t state, bool skips)
{
    for (uint32_t i = 1; i < d->count; i++) {
        uint32_t row = i * d->width;
        for (uint32_t s = 0; s + 1 < d->width; s++) {
            uint32_t *to = &d->rows[row + s];
            if ((*to & ~TO_SKIP) == state && row != state) {
                *to = skips ? state | TO_SKIP : state;
            }
        }
    }
}

static void pass_class(struct regex_dfa *d, struct skip *skip, unsigned symbol)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        if (d->program->class_of[byte] == symbol) {
            regex_skip_pass(&skip->stops, (uint8_t)byte);
        }
    }
}

static void skip_make(struct regex_dfa_pool *pool, struct regex_dfa *d, uint32_t state)
{
    if (!d->skips && make_room(pool, d, SKIPS * sizeof *d->skips)) {
        d->skips = memory_alloc_array(SKIPS, sizeof *d->skips);
        pool->used += d->skips ? SKIPS * sizeof *d->skips : 0;
    }
    if (!d->skips || d->skip_count == SKIPS) {
        return;
    }
    struct skip *skip = &d->skips[d->skip_count++];
    *skip = (struct skip){.state = state};
    regex_skip_init(&skip->stops);
    d->rows[state + d->width - 1] = d->skip_count;
    for (unsigned symbol = 0; symbol < d->program->classes; symbol++) {
        if (d->rows[state + symbol] == state) {
            pass_class(d, skip, symbol);
        }
    }
    mark(d, state, true);
}

/* A class of bytes is now known to lead from a state to itself. */
static void learn_loop(
        struct regex_dfa_pool *pool, struct regex_dfa *d, uint32_t row, unsigned symbol)
{
    struct state *s = &d->states[row / d->width];
    uint32_t number = d->rows[row + d->width - 1];
    if (number) {
        pass_class(d, &d->skips[number - 1], symbol);
    } else if (s->loops != SKIP_NEVER && ++s->loops == SKIP_LOOPS) {
        skip_make(pool, d, row);
    }
}

/* Runs over the bytes that do not leave the state. Where that is mostly none, no more. */
static const uint8_t *skip_over(struct regex_dfa *d, uint32_t state, const uint8_t *begin,
        const uint8_t *at, const uint8_t *end)
{
    struct skip *skip = &d->skips[d->rows[state + d->width - 1] - 1];
    const uint8_t *to = regex_skip_find(&skip->stops, begin, at, end);
    skip->bytes += (uint64_t)(to - at);
    if (++skip->calls == SKIP_TRIAL) {
        if (skip->bytes < SKIP_TRIAL * SKIP_BYTES) {
            d->rows[state + d->width - 1] = 0;
            d->states[state / d->width].loops = SKIP_NEVER;
            mark(d, state, false);
        }
        skip->calls = 0;
        skip->bytes = 0;
    }
    return to;
}

/* ---- runs ------------------------------------------------------------------------------------ */

static bool grow_buckets(struct regex_dfa_pool *pool)
{
    uint32_t count = pool->bucket_count ? pool->bucket_count * 2 : BUCKETS_FIRST;
    size_t more = (count - pool->bucket_count) * sizeof *pool->buckets;
    if (!make_room(pool, NULL, more)) {
        return false;
    }
    struct regex_dfa **buckets = memory_alloc_array(count, sizeof *buckets);
    if (!buckets) {
        return false;
    }
    pool->used += more;
    for (uint32_t i = 0; i < pool->bucket_count; i++) {
        while (pool->buckets[i]) {
            struct regex_dfa *d = pool->buckets[i];
            pool->buckets[i] = d->next;
            d->next = buckets[d->id & (count - 1)];
            buckets[d->id & (count - 1)] = d;
        }
    }
    memory_free(pool->buckets);
    pool->buckets = buckets;
    pool->bucket_count = count;
    return true;
}

static struct regex_dfa *dfa_find(
        struct regex_dfa_pool *pool, const struct regex_program *program, uint64_t id)
{
    if (pool->bucket_count) {
        struct regex_dfa *d = pool->buckets[id & (pool->bucket_count - 1)];
        while (d && d->id != id) {
            d = d->next;
        }
        if (d) {
            return d;
        }
    }
    if (pool->count >= pool->bucket_count && !grow_buckets(pool)) {
        return NULL;
    }
    if (!make_room(pool, NULL, sizeof(struct regex_dfa))) {
        return NULL;
    }
    struct regex_dfa *d = memory_alloc(sizeof *d);
    if (!d) {
        return NULL;
    }
    *d = (struct regex_dfa){.id = id, .width = program->symbols + 1u, .count = 1};
    struct regex_dfa **bucket = &pool->buckets[id & (pool->bucket_count - 1)];
    d->next = *bucket;
    *bucket = d;
    pool->count++;
    pool->used += sizeof *d;
    return d;
}

enum err regex_dfa_start(struct regex_dfa_run *run, struct regex_dfa_pool *pool,
        const struct regex_program *program, uint64_t id)
{
    *run = (struct regex_dfa_run){
            .pool = pool, .program = program, .work_end = pool->step.work + pool->work_limit};
    uint8_t context = regex_step_context(program);
    struct regex_dfa *d = pool->limit == 0 ? NULL : dfa_find(pool, program, id);
    if (d && d->without == 0) {
        d->recent = true;
        d->program = program;
        run->dfa = d;
        if (d->count > 1 && d->states[1].size == 0 && d->states[1].context == context) {
            run->state = d->width; /* the first state made is nearly always the start */
            return OK;
        }
    } else if (d) {
        d->without--;
    }
    TRY(regex_step_begin(&pool->step, program));
    if (run->dfa) {
        enter(run, context);
    } else {
        run->context = context;
    }
    return OK;
}

/* Works out one transition. The answer is remembered unless the state itself was forgotten. */
static enum regex_dfa_end learn(struct regex_dfa_run *run, unsigned symbol)
{
    struct regex_dfa *d = run->dfa;
    struct regex_step *step = &run->pool->step;
    uint32_t from = run->state;
    const struct state *s = &d->states[from / d->width];
    uint8_t context = s->context;
    if (regex_step_begin(step, d->program) != OK) {
        return REGEX_DFA_LIMIT;
    }
    decode(d, s, &step->now);
    if (regex_step_take(step, &context, symbol)) {
        d->rows[from + symbol] = TO_MATCH;
        return REGEX_DFA_MATCH;
    }
    if (symbol == d->program->end || (d->program->anchored && step->now.high == 0)) {
        d->rows[from + symbol] = TO_DEAD;
        return REGEX_DFA_DEAD;
    }
    uint32_t generation = d->generation;
    enter(run, context);
    if (run->dfa && d->generation == generation) {
        uint32_t to = run->state;
        bool skips = to != from && d->rows[to + d->width - 1] != 0;
        d->rows[from + symbol] = skips ? to | TO_SKIP : to;
        if (to == from && symbol < d->program->classes) {
            learn_loop(run->pool, d, from, symbol);
        }
    }
    return step->work > run->work_end ? REGEX_DFA_LIMIT : REGEX_DFA_ON;
}

static enum regex_dfa_end simulate(struct regex_dfa_run *run, unsigned symbol)
{
    struct regex_step *step = &run->pool->step;
    if (regex_step_take(step, &run->context, symbol)) {
        return REGEX_DFA_MATCH;
    }
    if (step->work > run->work_end) {
        return REGEX_DFA_LIMIT;
    }
    bool dead = run->program->anchored && step->now.high == 0;
    return dead || symbol == run->program->end ? REGEX_DFA_DEAD : REGEX_DFA_ON;
}

enum regex_dfa_end regex_dfa_symbol(struct regex_dfa_run *run, unsigned symbol)
{
    if (!run->dfa) {
        return simulate(run, symbol);
    }
    uint32_t to = run->dfa->rows[run->state + symbol];
    if (to == TO_UNKNOWN) {
        return learn(run, symbol);
    }
    if (to <= TO_MATCH) {
        return to == TO_MATCH ? REGEX_DFA_MATCH : REGEX_DFA_DEAD;
    }
    run->state = to & ~TO_SKIP;
    return REGEX_DFA_ON;
}

/* Follows known transitions of states that do not skip. */
static const uint8_t *walk(struct regex_dfa_run *run, const uint8_t *at, const uint8_t *end)
{
    const uint32_t *rows = run->dfa->rows;
    const uint8_t *class_of = run->program->class_of;
    uint32_t state = run->state;
    while (end - at >= 2) {
        uint32_t a = rows[state + class_of[at[0]]];
        if ((int32_t)a <= TO_MATCH) {
            break;
        }
        uint32_t b = rows[a + class_of[at[1]]];
        if ((int32_t)b <= TO_MATCH) {
            state = a;
            at += 1;
            break;
        }
        state = b;
        at += 2;
    }
    while (at < end) {
        uint32_t to = rows[state + class_of[*at]];
        if ((int32_t)to <= TO_MATCH) {
            break;
        }
        state = to;
        at++;
    }
    run->state = state;
    return at;
}

/* Follows known transitions; stops before the first that is not to a state. */
static const uint8_t *follow(struct regex_dfa_run *run, struct slice bytes, const uint8_t *at)
{
    struct regex_dfa *d = run->dfa;
    const uint8_t *begin = (const uint8_t *)bytes.at;
    const uint8_t *end = begin + bytes.size;
    const uint8_t *from = at;
    if (d->rows[run->state + d->width - 1] != 0) {
        at = skip_over(d, run->state, begin, at, end);
    }
    for (;;) {
        at = walk(run, at, end);
        if (at == end) {
            break;
        }
        uint32_t to = d->rows[run->state + run->program->class_of[*at]];
        if (!(to & TO_SKIP)) {
            break;
        }
        run->state = to & ~TO_SKIP;
        at = skip_over(d, run->state, begin, at + 1, end);
    }
    d->walked += (uint64_t)(at - from);
    return at;
}

enum regex_dfa_end regex_dfa_bytes(struct regex_dfa_run *run, struct slice bytes)
{
    const uint8_t *at = (const uint8_t *)bytes.at;
    const uint8_t *end = at + bytes.size;
    while (at < end) {
        if (run->dfa) {
            at = follow(run, bytes, at);
            if (at == end) {
                break;
            }
        }
        enum regex_dfa_end result = regex_dfa_symbol(run, run->program->class_of[*at++]);
        if (result != REGEX_DFA_ON) {
            return result;
        }
    }
    return REGEX_DFA_ON;
}
