/* verdict: the answer of a test, in three values (Kleene's strong logic).
 *
 * Undetermined is a result, never a silent "no": a limit stopped the evaluation. */
#pragma once

enum verdict { VERDICT_NO, VERDICT_YES, VERDICT_UNDETERMINED };

static inline enum verdict verdict_not(enum verdict v)
{
    return v == VERDICT_UNDETERMINED ? v : v == VERDICT_YES ? VERDICT_NO : VERDICT_YES;
}
