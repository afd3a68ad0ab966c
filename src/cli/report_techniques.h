/* report_techniques: the names of ATT&CK's tactics and techniques (Enterprise, versions 18 and 19),
 * and which tactics a technique serves.
 *
 *     const struct report_technique *t = report_techniques_find(1059);   // NULL: a newer one
 *
 * ATT&CK is a registered trademark of The MITRE Corporation. */
#pragma once

#include <stdint.h>

#include "base/slice.h"

enum { REPORT_TACTICS = 16 };

struct report_tactic {
    const char *tag;  /* "lateral-movement" */
    const char *name; /* "Lateral Movement" */
};

struct report_technique {
    uint16_t number;
    const char *name;
    uint32_t tactics; /* bits by index of report_techniques_tactics */
};

/* In the order of an attack. */
extern const struct report_tactic report_techniques_tactics[REPORT_TACTICS];
const struct report_technique *report_techniques_find(uint32_t number);
/* The index of a tactic as tags write it ("lateral-movement", "lateral_movement"), or -1. */
int report_techniques_tactic(struct slice tag);
