#include "hunt/query_rule.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "base/yaml.h"
#include "sigma/correlation.h"

void query_rule_fini(struct query_rule *r)
{
    buf_fini(&r->detection);
    buf_fini(&r->condition);
    memory_free(r->lines);
    *r = (struct query_rule){0};
}

/* ---- YAML ---------------------------------------------------------------------------------- */

/* In double quotes; what YAML may not hold, and all that is not ASCII, as escapes. */
static void write_quoted(struct buf *out, struct slice text)
{
    buf_byte(out, '"');
    for (size_t i = 0; i < text.size;) {
        unsigned char c = (unsigned char)text.at[i];
        size_t size = 1;
        if (c >= 0x80) {
            buf_format(out, "\\U%08x", utf8_decode(text.at + i, &size));
        } else if (c < 0x20 || c == 0x7f) {
            buf_format(out, "\\x%02x", c);
        } else {
            buf_add(out, c == '"' || c == '\\' ? SLICE("\\") : SLICE(""));
            buf_byte(out, (char)c);
        }
        i += size;
    }
    buf_byte(out, '"');
}

/* A bare word is what YAML takes a plain scalar for: 4624 a number, null nothing. */
static void write_value(struct buf *out, const struct query_word *word)
{
    struct yaml_node node = {.text = word->text};
    node.kind = YAML_STRING;
    if (word->kind == LEX_WORD) {
        yaml_resolve(&node);
    }
    if (node.kind == YAML_STRING) {
        write_quoted(out, word->text);
    } else {
        buf_add(out, word->text);
    }
}

/* Ends a line of the detection, which came from `at`. */
static enum err end_line(
        struct query_rule *r, const struct query_lexer *l, size_t at, struct slice field)
{
    buf_byte(&r->detection, '\n');
    if (r->detection.failed ||
            !memory_grow(&r->lines, &r->line_room, r->line_count + 1, sizeof *r->lines)) {
        return query_lex_fail(l, at, ERR_MEMORY, "no memory for the query");
    }
    r->lines[r->line_count++] = (struct query_rule_line){at, field};
    return OK;
}

/* ---- terms --------------------------------------------------------------------------------- */

static bool is_value(const struct query_lexer *l)
{
    return l->word.kind == LEX_WORD || l->word.kind == LEX_QUOTED;
}

static enum err expected(const struct query_lexer *l, const char *what)
{
    char room[80];
    struct slice shown = query_lex_shown(l, room);
    return query_lex_fail(
            l, l->word.at, ERR_SYNTAX, "expected %s, found %.*s", what, SLICE_ARG(shown));
}

/* Inside brackets, which were read. */
static enum err read_list(struct query_rule *r, struct query_lexer *l)
{
    for (;;) {
        if (!is_value(l)) {
            return expected(l, "a value of the list");
        }
        buf_add(&r->detection, SLICE("   - "));
        write_value(&r->detection, &l->word);
        TRY(end_line(r, l, l->word.at, (struct slice){0}));
        TRY(query_lex_next(l));
        if (query_lex_is_sign(l, ']')) {
            return query_lex_next(l);
        }
        if (!query_lex_is_sign(l, ',')) {
            return expected(l, "',' or ']' in the list");
        }
        TRY(query_lex_next(l));
    }
}

/* The value or the list behind `Field:`. */
static enum err read_values(struct query_rule *r, struct query_lexer *l)
{
    if (query_lex_is_sign(l, '[')) {
        TRY(query_lex_next(l));
        return read_list(r, l);
    }
    if (query_lex_is_sign(l, '(')) {
        return query_lex_fail(
                l, l->word.at, ERR_SYNTAX, "a list of values stands in [ ], not in ( )");
    }
    if (!is_value(l)) {
        return expected(l, "a value after ':'");
    }
    buf_add(&r->detection, SLICE("   "));
    write_value(&r->detection, &l->word);
    TRY(end_line(r, l, l->word.at, (struct slice){0}));
    TRY(query_lex_next(l));
    if (query_lex_is_sign(l, ',')) {
        return query_lex_fail(l, l->word.at, ERR_SYNTAX, "a list of values stands in [ ]");
    }
    if (query_lex_is_sign(l, ':')) {
        return query_lex_fail(l, l->word.at, ERR_SYNTAX, "a value with ':' stands in quotes");
    }
    return OK;
}

/* Modifiers up to `:`. *is_field: there were such; else the lexer stands where it stood. */
static enum err read_key(struct query_lexer *l, struct buf *key, bool *is_field)
{
    struct query_lexer before = *l;
    size_t size = key->size;
    while (query_lex_is_sign(l, '|')) {
        TRY(query_lex_next(l));
        if (l->word.kind != LEX_WORD) {
            break;
        }
        buf_byte(key, '|');
        buf_add(key, l->word.text);
        TRY(query_lex_next(l));
    }
    *is_field = query_lex_is_sign(l, ':');
    if (*is_field) {
        return query_lex_next(l);
    }
    key->size = size;
    *l = before;
    return OK;
}

static enum err no_field(const struct query_lexer *l, const struct query_word *word)
{
    size_t sign = slice_find_byte(word->text, '=');
    if (sign < word->text.size) {
        return query_lex_fail(
                l, word->at, ERR_SYNTAX, "a test is written 'Field: value', without '='");
    }
    return query_lex_fail(l, word->at, ERR_SYNTAX,
            "expected ':' after the field '%.*s' and its modifiers (free text stands in quotes)",
            SLICE_ARG(word->text));
}

/* A keyword, or a list of them. */
static enum err read_keywords(
        struct query_rule *r, struct query_lexer *l, const struct query_word *word)
{
    if (word->kind == LEX_SIGN) {
        return read_list(r, l);
    }
    buf_add(&r->detection, SLICE("   - "));
    write_value(&r->detection, word);
    return end_line(r, l, word->at, (struct slice){0});
}

static enum err read_term(struct query_rule *r, struct query_lexer *l)
{
    struct query_word word = l->word;
    struct buf key = {0};
    bool is_field = false;
    if (r->terms == QUERY_RULE_TERMS) {
        return query_lex_fail(
                l, word.at, ERR_LIMIT, "over %d tests in one query", (int)QUERY_RULE_TERMS);
    }
    buf_format(&r->condition, "s%u ", r->terms);
    buf_format(&r->detection, " s%u:", r->terms++);
    TRY(end_line(r, l, word.at, (struct slice){0}));
    bool bare = query_lex_is_sign(l, '|'); /* modifiers without a field: of keywords */
    enum err e = bare ? OK : query_lex_next(l);
    if (e == OK && !query_lex_is_sign(&(struct query_lexer){.word = word}, '[')) {
        buf_add(&key, bare ? SLICE("") : word.text);
        e = read_key(l, &key, &is_field);
    }
    if (e == OK && is_field) {
        buf_add(&r->detection, SLICE("  "));
        write_quoted(&r->detection, buf_slice(&key));
        buf_byte(&r->detection, ':');
        e = end_line(r, l, word.at, bare ? (struct slice){0} : word.text);
        e = e == OK ? read_values(r, l) : e;
    } else if (e == OK) {
        e = word.kind == LEX_WORD || bare ? no_field(l, &word) : read_keywords(r, l, &word);
    }
    buf_fini(&key);
    return e;
}

/* ---- the expression ------------------------------------------------------------------------ */

static bool ends(const struct query_lexer *l)
{
    return l->word.kind == LEX_END || query_lex_is_sign(l, ')') || query_lex_is_sign(l, '|');
}

/* `|all: [...]`: modifiers without a field; else the bar begins a stage. */
static bool is_bare_key(const struct query_lexer *l)
{
    struct query_lexer copy = *l;
    struct buf key = {0};
    bool is_field = false;
    copy.diag = NULL;
    enum err e = query_lex_is_sign(l, '|') ? read_key(&copy, &key, &is_field) : OK;
    buf_fini(&key);
    return e == OK && is_field;
}

static bool is_operator(const struct query_lexer *l)
{
    return query_lex_is_word(l, SLICE("and")) || query_lex_is_word(l, SLICE("or"));
}

/* What may stand before an operand: not, (. *depth: brackets open. */
static enum err read_prefix(struct query_rule *r, struct query_lexer *l, size_t *open, int *depth)
{
    for (;;) {
        if (query_lex_is_word(l, SLICE("not"))) {
            buf_add(&r->condition, SLICE("not "));
        } else if (query_lex_is_sign(l, '(')) {
            if (*depth == QUERY_RULE_BRACKETS) {
                return query_lex_fail(l, l->word.at, ERR_LIMIT,
                        "brackets nested deeper than the limit of %d", (int)QUERY_RULE_BRACKETS);
            }
            open[(*depth)++] = l->word.at;
            buf_byte(&r->condition, '(');
        } else {
            return OK;
        }
        TRY(query_lex_next(l));
    }
}

static enum err read_expression(struct query_rule *r, struct query_lexer *l)
{
    size_t open[QUERY_RULE_BRACKETS];
    int depth = 0;
    for (;;) {
        TRY(read_prefix(r, l, open, &depth));
        if ((ends(l) && !is_bare_key(l)) || is_operator(l) || query_lex_is_sign(l, ':') ||
                query_lex_is_sign(l, ',') || query_lex_is_sign(l, ']')) {
            return expected(l, "a test ('Field: value') or a text in quotes");
        }
        TRY(read_term(r, l));
        while (depth > 0 && query_lex_is_sign(l, ')')) {
            depth--;
            buf_byte(&r->condition, ')');
            TRY(query_lex_next(l));
        }
        if (is_operator(l)) {
            buf_add(&r->condition,
                    query_lex_is_word(l, SLICE("and")) ? SLICE(" and ") : SLICE(" or "));
            TRY(query_lex_next(l));
            continue;
        }
        if (depth > 0) {
            return query_lex_fail(l, open[depth - 1], ERR_SYNTAX, "this bracket has no end");
        }
        return ends(l) ? OK : expected(l, "and, or, or '|'");
    }
}

bool query_rule_begins(const struct query_lexer *l)
{
    struct query_lexer copy = *l;
    copy.diag = NULL;
    if (l->word.kind == LEX_WORD && !query_lex_is_word(l, SLICE("not")) &&
            !query_lex_is_word(l, SLICE("*"))) {
        return query_lex_next(&copy) == OK && (query_lex_is_sign(&copy, ':') || is_bare_key(&copy));
    }
    return l->word.kind != LEX_END && !ends(l);
}

enum err query_rule_read(struct query_rule *r, struct query_lexer *l)
{
    if (query_lex_is_word(l, SLICE("*"))) {
        TRY(query_lex_next(l));
        return ends(l) ? OK : expected(l, "'|' after '*'");
    }
    if (ends(l) && !is_bare_key(l)) {
        return OK;
    }
    buf_add(&r->condition, r->selections++ ? SLICE(" and (") : SLICE("("));
    TRY(read_expression(r, l));
    buf_byte(&r->condition, ')');
    return OK;
}

/* ---- loading ------------------------------------------------------------------------------- */

enum { HEAD_LINES = 7, WANTED_EACH = CORRELATION_GROUPS };

static void write_source(struct buf *out, const char *name, struct slice text)
{
    buf_format(out, " %s: ", name);
    if (text.at) {
        write_quoted(out, text);
    } else {
        buf_add(out, SLICE("null"));
    }
    buf_byte(out, '\n');
}

/* Correlations are how Sigma asks for fields of a rule's events, under the names that the rule
 * itself would use. */
static void write_wanted(struct buf *out, const struct query_rule_frame *frame)
{
    for (size_t i = 0; i < frame->wanted_count; i++) {
        if (i % WANTED_EACH == 0) {
            buf_format(out, "---\ntitle: wanted %zu\ncorrelation:\n type: event_count\n", i);
            buf_add(out,
                    SLICE(" rules: [query]\n timespan: 1h\n condition: {gte: 1}\n group-by:\n"));
        }
        buf_add(out, SLICE("  - "));
        write_quoted(out, frame->wanted[i]);
        buf_byte(out, '\n');
    }
}

static void write_rule(
        const struct query_rule *r, const struct query_rule_frame *frame, struct buf *out)
{
    const struct logsource *source = &frame->source;
    bool any = !source->product.at && !source->category.at && !source->service.at;
    buf_add(out, SLICE("title: query\nname: query\nlogsource:\n"));
    write_source(out, "product", any ? SLICE("any") : source->product);
    write_source(out, "category", source->category);
    write_source(out, "service", source->service);
    buf_add(out, SLICE("detection:\n"));
    buf_add(out, buf_slice(&r->detection));
    if (r->selections) {
        buf_add(out, SLICE(" condition: "));
        write_quoted(out, buf_slice(&r->condition));
        buf_byte(out, '\n');
    } else { /* no event has this field */
        buf_add(out, SLICE(" none:\n  \"\\x01none|exists\": true\n condition: not none\n"));
    }
    write_wanted(out, frame);
}

/* The loader's words, at the place of the query that they are about. */
static enum err say_problem(const struct query_rule *r, const struct query_lexer *l,
        const struct ruleset_problem *problem)
{
    size_t line = problem->line;
    size_t at = line > HEAD_LINES && line <= HEAD_LINES + r->line_count
                        ? r->lines[line - HEAD_LINES - 1].at
                        : 0;
    return query_lex_fail(l, at, problem->err, "%.*s", SLICE_ARG(problem->reason));
}

enum err query_rule_load(const struct query_rule *r, const struct query_lexer *l,
        const struct query_rule_frame *frame, struct ruleset **out)
{
    struct ruleset_options options = {0};
    struct ruleset *set = NULL;
    struct buf text = {0};
    write_rule(r, frame, &text);
    enum err e = text.failed || r->condition.failed || r->detection.failed
                         ? diag_say(l->diag, ERR_MEMORY, "no memory for the query")
                         : ruleset_new(&options, &set, l->diag);
    if (e == OK) {
        e = ruleset_load_text(set, SLICE("query"), buf_slice(&text), l->diag);
    }
    if (e == OK) {
        e = ruleset_finish(set, l->diag);
    }
    if (e == OK && set->problem_count) {
        e = say_problem(r, l, &set->problems[0]);
    }
    buf_fini(&text);
    if (e != OK) {
        ruleset_free(set);
        return e;
    }
    *out = set;
    return OK;
}

size_t query_rule_place(const struct query_rule *r, struct slice field, size_t otherwise)
{
    for (size_t i = 0; i < r->line_count; i++) {
        if (r->lines[i].field.size && slice_equal(r->lines[i].field, field)) {
            return r->lines[i].at;
        }
    }
    return otherwise;
}
