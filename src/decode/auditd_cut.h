/* auditd_cut: where an audit log may be cut: between lines, and not within an event.
 *
 *     type=SYSCALL msg=audit(1493129355.852:624): ...
 *     type=SYSCALL msg=audit(1493129355.852:625): ...      another processor's event
 *     type=CWD msg=audit(1493129355.852:624): ...          no cut before here
 *     type=CWD msg=audit(1493129355.852:625): ...          nor here
 *                                                          but here
 *
 * Lines of one stamp and node are one event while no two neighbours of them stand more than
 * AUDITD_SPREAD bytes apart. A block ends where no event is open, as far as AUDITD_SPREAD bytes
 * behind it tell. Where events overlap so that no such place comes within AUDITD_CHAIN bytes, the
 * block ends at some line's end, and the events that are open there come in two parts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "decode/auditd_line.h"
#include "event/decoder.h"

enum { AUDITD_SPREAD = 32 << 10, AUDITD_CHAIN = 1 << 20 };

/* As struct decoder wants them. Each line is an ordinal. */
int auditd_cut_recognise(struct slice head, bool whole);
enum err auditd_cut(struct cutter *c, struct slice bytes, bool last, struct cut *out,
        struct diag *diag) MUST_CHECK;

/* The number by which lines are told to be one event's, never 0. Lines of different events may
 * share one. */
uint64_t auditd_cut_key(const struct auditd_line *line);
