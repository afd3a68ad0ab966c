/* choose: which rules are judged and which give findings, by --level, --exclude-rule and what
 * correlations need.
 *
 *     TRY(choose_rules(request, set, &choice, diag));
 *     choice.visible[rule->number]     // it gives findings
 *     choose_fini(&choice);
 *
 * A rule that a correlation is made of gives no findings of its own, unless some correlation of it
 * says `generate: true`; it is judged for the correlation even where the options leave it out. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "cli/detect.h"
#include "sigma/ruleset.h"

struct choice {
    /* All by rule number. */
    bool *chosen;    /* not left out by the options */
    bool *needed;    /* a part of a correlation that is run */
    bool *judged;    /* chosen, or needed */
    bool *excluded;  /* the opposite, for the engine */
    bool *visible;   /* gives findings */
    uint32_t kept;   /* rules that are chosen */
    bool correlates; /* some correlation is run */
    bool *named;     /* by word of --exclude-rule: it names a rule */
};

enum err choose_rules(const struct detect_request *request, const struct ruleset *set,
        struct choice *out, struct diag *diag) MUST_CHECK;
void choose_fini(struct choice *choice);
