#include "hunt/query_span.h"

#include "base/time.h"
#include "hunt/query_lex.h"

enum err query_span_read(struct query_reader *q, int64_t *span_ns)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
    uint64_t number;
    struct slice rest;
    if (q->lexer.word.kind == LEX_WORD && query_lex_digits(q->lexer.word.text, &number, &rest) &&
            rest.size == 1 && number > 0 && number <= 10000) {
        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
            if (units[i].unit == rest.at[0]) {
                *span_ns = (int64_t)number * units[i].seconds * TIME_SECOND;
                return query_lex_next(&q->lexer);
            }
        }
    }
    return query_lex_expected(&q->lexer, "a span of time (30s, 5m, 1h, 1d, 1w)");
}

/* `zone +05:30`: where days begin. The lexer gives +05, the colon and 30. */
enum err query_span_zone(struct query_reader *q, int64_t *zone_ns)
{
    if (!query_lex_is_word(&q->lexer, SLICE("zone"))) {
        return OK;
    }
    TRY(query_lex_next(&q->lexer));
    struct slice word = q->lexer.word.text, rest;
    uint64_t hours = 0, minutes = 0;
    bool sign = word.size == 3 && (word.at[0] == '+' || word.at[0] == '-');
    if (!sign || !query_lex_digits(slice_from(word, 1), &hours, &rest) || rest.size || hours > 18) {
        return query_lex_expected(&q->lexer, "an offset from UTC as +hh:mm");
    }
    TRY(query_lex_next(&q->lexer));
    if (query_lex_is_sign(&q->lexer, ':')) {
        TRY(query_lex_next(&q->lexer));
        struct slice part = q->lexer.word.text;
        if (part.size != 2 || !query_lex_digits(part, &minutes, &rest) || rest.size ||
                minutes > 59) {
            return query_lex_expected(&q->lexer, "an offset from UTC as +hh:mm");
        }
        TRY(query_lex_next(&q->lexer));
    }
    int64_t east = (int64_t)(hours * 3600 + minutes * 60) * TIME_SECOND;
    *zone_ns = word.at[0] == '-' ? -east : east;
    return OK;
}
