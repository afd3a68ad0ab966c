#include "cli/tally.h"

#include "base/hash.h"
#include "base/memory.h"

enum { TALLY_NAME_BYTES = 64 << 20 };
#define NS_A_SECOND 1000000000

enum err tally_init(struct tally *tally, const struct ruleset *set)
{
    *tally = (struct tally){.set = set};
    uint64_t *by_rule = memory_alloc_array((size_t)set->rule_count + 1, sizeof *by_rule);
    struct tally_host *hosts = memory_alloc_array(TALLY_HOST_SLOTS, sizeof *hosts);
    if (!by_rule || !hosts) {
        memory_free(by_rule);
        memory_free(hosts);
        return ERR_MEMORY;
    }
    tally->by_rule = by_rule;
    tally->hosts = hosts;
    arena_init(&tally->names, TALLY_NAME_BYTES);
    return OK;
}

void tally_fini(struct tally *tally)
{
    memory_free(tally->by_rule);
    memory_free(tally->hosts);
    arena_fini(&tally->names);
}

static void count_host(struct tally *tally, struct slice name)
{
    if (name.size == 0) {
        return;
    }
    uint32_t i = (uint32_t)hash_bytes(name, 0) & (TALLY_HOST_SLOTS - 1);
    while (tally->hosts[i].name.at && !slice_equal(tally->hosts[i].name, name)) {
        i = (i + 1) & (TALLY_HOST_SLOTS - 1);
    }
    struct tally_host *host = &tally->hosts[i];
    if (!host->name.at) {
        struct slice kept = {0};
        if (tally->host_count < TALLY_HOSTS) {
            kept = arena_copy(&tally->names, name);
        }
        if (!kept.at) {
            tally->other_hosts++;
            return;
        }
        host->name = kept;
        tally->host_count++;
    }
    host->findings++;
}

/* The greatest multiple of `width` that is not over `s`. */
static int64_t align_down(int64_t s, int64_t width)
{
    int64_t rest = s % width;
    return s - (rest < 0 ? rest + width : rest);
}

/* Pairs of buckets become one. Buckets stay on multiples of their width, so that the result does
 * not depend on the order of what was counted. */
static void widen(struct tally_line *line)
{
    uint64_t counts[TALLY_BUCKETS] = {0};
    int64_t width = line->width_s * 2;
    int64_t start = align_down(line->start_s, width);
    for (int64_t i = 0; i < TALLY_BUCKETS; i++) {
        counts[(line->start_s + i * line->width_s - start) / width] += line->counts[i];
    }
    memcpy(line->counts, counts, sizeof counts);
    line->start_s = start;
    line->width_s = width;
}

/* Moves the window so that it begins at `start`, a multiple of the width before its start;
 * false: counts would fall out at its end. */
static bool move_back(struct tally_line *line, int64_t start)
{
    int64_t by = (line->start_s - start) / line->width_s;
    for (int64_t i = by < TALLY_BUCKETS ? TALLY_BUCKETS - by : 0; i < TALLY_BUCKETS; i++) {
        if (line->counts[i] > 0) {
            return false;
        }
    }
    if (by < TALLY_BUCKETS) {
        memmove(line->counts + by, line->counts,
                (size_t)(TALLY_BUCKETS - by) * sizeof *line->counts);
        memset(line->counts, 0, (size_t)by * sizeof *line->counts);
    }
    line->start_s = start;
    return true;
}

static void count_time(struct tally_line *line, int64_t time_ns)
{
    int64_t s = time_ns / NS_A_SECOND - (time_ns % NS_A_SECOND < 0);
    if (line->width_s == 0) {
        line->width_s = 1;
        line->start_s = s;
        line->first_ns = line->last_ns = time_ns;
    }
    line->first_ns = time_ns < line->first_ns ? time_ns : line->first_ns;
    line->last_ns = time_ns > line->last_ns ? time_ns : line->last_ns;
    while (s < line->start_s && !move_back(line, align_down(s, line->width_s))) {
        widen(line);
    }
    while ((s - line->start_s) / line->width_s >= TALLY_BUCKETS) {
        widen(line);
    }
    line->counts[(s - line->start_s) / line->width_s]++;
}

void tally_finding(struct tally *tally, const struct tally_mark *mark)
{
    tally->findings++;
    tally->by_rule[mark->rule]++;
    tally->by_level[tally->set->rules[mark->rule]->level]++;
    count_host(tally, mark->host);
    if (mark->timed) {
        count_time(&tally->line, mark->time_ns);
    } else {
        tally->untimed++;
    }
}

/* Tags of ATT&CK that are no tactic: attack.t1059.001, attack.g0016, attack.s0002, attack.ta0001.
 */
static bool is_tactic(struct slice name)
{
    if (name.size == 0) {
        return false;
    }
    for (size_t i = 0; i < name.size; i++) {
        if (name.at[i] >= '0' && name.at[i] <= '9') {
            return false;
        }
    }
    return true;
}

static bool same_tactic(struct slice a, struct slice b)
{
    if (a.size != b.size) {
        return false;
    }
    for (size_t i = 0; i < a.size; i++) {
        char x = a.at[i] == '_' ? '-' : a.at[i], y = b.at[i] == '_' ? '-' : b.at[i];
        if (x != y) {
            return false;
        }
    }
    return true;
}

static void count_tactic(struct tally *tally, struct slice name, uint64_t findings)
{
    for (uint32_t i = 0; i < tally->tactic_count; i++) {
        if (same_tactic(tally->tactics[i].name, name)) {
            tally->tactics[i].findings += findings;
            return;
        }
    }
    if (tally->tactic_count < TALLY_TACTICS) {
        tally->tactics[tally->tactic_count++] = (struct tally_tactic){name, findings};
    }
}

void tally_finish(struct tally *tally)
{
    for (uint32_t r = 0; r < tally->set->rule_count; r++) {
        const struct rule *rule = tally->set->rules[r];
        for (size_t t = 0; t < rule->tag_count && tally->by_rule[r] > 0; t++) {
            struct slice tag = rule->tags[t];
            struct slice prefix = SLICE("attack.");
            if (!slice_starts(tag, prefix)) {
                continue;
            }
            struct slice name = slice_of(tag.at + prefix.size, tag.size - prefix.size);
            if (is_tactic(name)) {
                count_tactic(tally, name, tally->by_rule[r]);
            }
        }
    }
}
