#include "sigma/modifier.h"

#include <string.h>

#include "sigma/address.h"
#include "sigma/literal.h"
#include "sigma/modifier_run.h"
#include "sigma/modifier_text.h"
#include "sigma/regex.h"

enum {
    TEXT = 1u << TERM_TEXT,
    REGEX = 1u << TERM_REGEX,
    FIELD = 1u << TERM_FIELD,
    NUMBER = 1u << TERM_NUMBER,
    BOOL = 1u << TERM_BOOL,
    ANY = (1u << TERM_KINDS) - 1
};

static const char *const kind_words[TERM_KINDS] = {"null", "a boolean", "a number", "a text",
        "a regular expression", "a network", "a comparison", "a field reference", "exists",
        "a part of a time"};

/* ---- steps --------------------------------------------------------------------------------- */

enum { STARTS = 1, ENDS = 2 };

/* contains, startswith and endswith open the other ends of a text with wildcards. */
static enum err place_text(struct modifier_run *run, const struct term *term, int bound)
{
    struct slice text = term->text;
    bool front = bound != STARTS && !(text.size && text.at[0] == PATTERN_MANY);
    bool back = bound != ENDS && !(text.size && text.at[text.size - 1] == PATTERN_MANY);
    char *to;
    TRY(modifier_run_text(run, text.size + 2, &to));
    size_t n = 0;
    if (front) {
        to[n++] = PATTERN_MANY;
    }
    memcpy(to + n, text.at, text.size);
    n += text.size;
    if (back && !(n == 1 && front)) {
        to[n++] = PATTERN_MANY;
    }
    struct term *out;
    TRY(modifier_run_put(run, term, &out));
    out->text = slice_of(to, n);
    return OK;
}

static enum err apply_place(struct modifier_run *run, const struct term *term)
{
    int bound = run->step->argument;
    if (term->kind == TERM_TEXT) {
        return place_text(run, term, bound);
    }
    struct term *out;
    TRY(modifier_run_put(run, term, &out));
    out->starts = out->starts || bound != ENDS;
    out->ends = out->ends || bound != STARTS;
    return OK;
}

static enum err apply_cased(struct modifier_run *run, const struct term *term)
{
    struct term *out;
    TRY(modifier_run_put(run, term, &out));
    out->cased = true;
    return OK;
}

static enum err apply_re(struct modifier_run *run, const struct term *term)
{
    struct term *out;
    TRY(modifier_run_put(run, term, &out));
    out->kind = TERM_REGEX;
    return OK;
}

static enum err apply_re_flag(struct modifier_run *run, const struct term *term)
{
    struct term *out;
    TRY(modifier_run_put(run, term, &out));
    out->regex_flags |= (unsigned)run->step->argument;
    return OK;
}

static enum err apply_cidr(struct modifier_run *run, const struct term *term)
{
    struct term *out;
    TRY(modifier_run_put(run, term, &out));
    out->kind = TERM_CIDR;
    if (!address_network(term->text, &out->cidr)) {
        return modifier_run_fail(run, ERR_SYNTAX, "value is not a network (a.b.c.d/n or v6/n)");
    }
    return OK;
}

/* A quoted number is one as well. */
static enum err take_number(struct modifier_run *run, const struct term *term, struct term **out)
{
    TRY(modifier_run_put(run, term, out));
    struct term *to = *out;
    if (term->kind == TERM_TEXT &&
            !predicate_parse_number(term->text, &to->number, &to->is_integer, &to->integer)) {
        return modifier_run_fail(run, ERR_SYNTAX, "value is not a number");
    }
    to->op = (enum op)run->step->argument;
    return OK;
}

static enum err apply_compare(struct modifier_run *run, const struct term *term)
{
    struct term *out;
    TRY(take_number(run, term, &out));
    out->kind = TERM_COMPARE;
    return OK;
}

static enum err apply_time(struct modifier_run *run, const struct term *term)
{
    struct term *out;
    TRY(take_number(run, term, &out));
    out->kind = TERM_TIME;
    if (!out->is_integer) {
        return modifier_run_fail(run, ERR_SYNTAX, "value is not a whole number");
    }
    return OK;
}

static enum err apply_exists(struct modifier_run *run, const struct term *term)
{
    struct term *out;
    TRY(modifier_run_put(run, term, &out));
    out->kind = TERM_EXISTS;
    return OK;
}

static enum err apply_fieldref(struct modifier_run *run, const struct term *term)
{
    if (literal_has_marks(term->text)) {
        return modifier_run_fail(run, ERR_SYNTAX, "a field's name has no wildcards");
    }
    if (term->text.size == 0) {
        return modifier_run_fail(run, ERR_SYNTAX, "a field's name is not empty");
    }
    struct term *out;
    TRY(modifier_run_put(run, term, &out));
    out->kind = TERM_FIELD;
    return OK;
}

/* ---- the table ----------------------------------------------------------------------------- */

#define ROW(name, takes, step, argument)                                                           \
    {                                                                                              \
        {name, sizeof(name) - 1}, takes, step, argument                                            \
    }

static const struct modifier table[] = {
        ROW("contains", TEXT | REGEX | FIELD, apply_place, STARTS | ENDS),
        ROW("startswith", TEXT | REGEX | FIELD, apply_place, STARTS),
        ROW("endswith", TEXT | REGEX | FIELD, apply_place, ENDS),
        ROW("all", ANY, NULL, 0),
        ROW("neq", ANY, NULL, 0),
        ROW("cased", TEXT | FIELD, apply_cased, 0),
        ROW("exists", BOOL, apply_exists, 0),
        ROW("windash", TEXT, modifier_text_windash, 0),
        ROW("re", TEXT, apply_re, 0),
        ROW("i", REGEX, apply_re_flag, REGEX_NOCASE),
        ROW("m", REGEX, apply_re_flag, REGEX_MULTILINE),
        ROW("s", REGEX, apply_re_flag, REGEX_DOTALL),
        ROW("ignorecase", REGEX, apply_re_flag, REGEX_NOCASE), /* pySigma's long names */
        ROW("multiline", REGEX, apply_re_flag, REGEX_MULTILINE),
        ROW("dotall", REGEX, apply_re_flag, REGEX_DOTALL),
        ROW("base64", TEXT, modifier_text_base64, 0),
        ROW("base64offset", TEXT, modifier_text_base64offset, 1),
        ROW("wide", TEXT, modifier_text_encode, TERM_UTF16LE),
        ROW("utf16le", TEXT, modifier_text_encode, TERM_UTF16LE),
        ROW("utf16be", TEXT, modifier_text_encode, TERM_UTF16BE),
        ROW("utf16", TEXT, modifier_text_encode, TERM_UTF16),
        ROW("cidr", TEXT, apply_cidr, 0),
        ROW("lt", NUMBER | TEXT, apply_compare, OP_LESS),
        ROW("lte", NUMBER | TEXT, apply_compare, OP_LESS_EQUAL),
        ROW("gt", NUMBER | TEXT, apply_compare, OP_GREATER),
        ROW("gte", NUMBER | TEXT, apply_compare, OP_GREATER_EQUAL),
        ROW("minute", NUMBER | TEXT, apply_time, OP_MINUTE),
        ROW("hour", NUMBER | TEXT, apply_time, OP_HOUR),
        ROW("day", NUMBER | TEXT, apply_time, OP_DAY),
        ROW("week", NUMBER | TEXT, apply_time, OP_WEEK),
        ROW("month", NUMBER | TEXT, apply_time, OP_MONTH),
        ROW("year", NUMBER | TEXT, apply_time, OP_YEAR),
        ROW("expand", TEXT | REGEX, modifier_text_expand, 0),
        ROW("fieldref", TEXT, apply_fieldref, 0),
};

/* ---- chains -------------------------------------------------------------------------------- */

static const struct modifier *find(struct slice name)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (slice_equal(table[i].name, name)) {
            return &table[i];
        }
    }
    return NULL;
}

/* What a modifier says of the whole chain. */
static enum err note(struct maker *m, const struct yaml_node *key, const struct modifier *step,
        struct modifier_chain *chain)
{
    if (step->step == apply_place) {
        chain->placed = true;
    } else if (step->step == apply_re) {
        for (uint32_t i = 0; i < chain->count; i++) {
            if (chain->steps[i]->step && chain->steps[i]->step != modifier_text_expand) {
                return maker_fail(m, key, ERR_SYNTAX,
                        "modifier 're' must stand before '%.*s': it takes the value as written",
                        SLICE_ARG(chain->steps[i]->name));
            }
        }
        chain->regex = true;
    } else if (!step->step) {
        chain->all = chain->all || slice_equal(step->name, SLICE("all"));
        chain->negated = chain->negated || slice_equal(step->name, SLICE("neq"));
    }
    return OK;
}

enum err modifier_parse(struct maker *m, const struct yaml_node *key, struct slice names,
        struct modifier_chain *out)
{
    struct modifier_chain chain = {0};
    bool more = true;
    while (more) {
        size_t end = slice_find_byte(names, '|');
        struct slice name = slice_of(names.at, end);
        more = end < names.size;
        names = more ? slice_of(names.at + end + 1, names.size - end - 1) : names;
        const struct modifier *step = find(name);
        if (!step) {
            return maker_fail(m, key, ERR_SYNTAX, "unknown modifier '%.*s'", SLICE_ARG(name));
        }
        if (chain.count == MODIFIER_CHAIN) {
            return maker_fail(
                    m, key, ERR_LIMIT, "more modifiers than the limit of %d", (int)MODIFIER_CHAIN);
        }
        TRY(note(m, key, step, &chain));
        chain.steps[chain.count++] = step;
    }
    *out = chain;
    return OK;
}

static enum err first_term(struct modifier_run *run, struct term *term)
{
    const struct yaml_node *value = run->value;
    *term = (struct term){.kind = TERM_TEXT, .text = value->text};
    if (value->text.size > MODIFIER_VALUE) {
        return maker_fail(run->maker, value, ERR_LIMIT, "value longer than the limit of %d bytes",
                (int)MODIFIER_VALUE);
    }
    bool finite = value->number - value->number == 0;
    if (value->kind == YAML_NULL) {
        term->kind = TERM_NULL;
    } else if (value->kind == YAML_BOOL) {
        term->kind = TERM_BOOL;
        term->yes = value->integer != 0;
        term->text = term->yes ? SLICE("true") : SLICE("false");
    } else if ((value->kind == YAML_INT || value->kind == YAML_FLOAT) && finite) {
        term->kind = TERM_NUMBER;
        term->number = value->number;
        term->integer = value->integer;
        term->is_integer = value->kind == YAML_INT && (value->integer || value->number == 0);
    } else if (!run->chain->regex &&
               literal_parse(&run->maker->scratch, value->text, &term->text) != OK) {
        return maker_no_memory(run->maker);
    }
    return OK;
}

static enum err run_step(
        struct modifier_run *run, const struct modifier_terms *in, struct modifier_terms *out)
{
    run->out = out;
    for (uint32_t i = 0; i < in->count; i++) {
        struct term term = in->items[i];
        /* A number or boolean is the text that it was written as, where a text is asked for. */
        if (!(run->step->takes & 1u << term.kind) && (run->step->takes & TEXT) &&
                (term.kind == TERM_NUMBER || term.kind == TERM_BOOL)) {
            term.kind = TERM_TEXT;
        }
        if (!(run->step->takes & 1u << term.kind)) {
            return maker_fail(run->maker, run->value, ERR_SYNTAX,
                    "modifier '%.*s' does not apply to %s", SLICE_ARG(run->step->name),
                    kind_words[term.kind]);
        }
        TRY(run->step->step(run, &term));
    }
    return OK;
}

enum err modifier_apply(struct maker *m, const struct modifier_chain *chain,
        const struct yaml_node *value, struct modifier_terms *out)
{
    struct modifier_terms terms = {0};
    struct modifier_run run = {.maker = m, .chain = chain, .value = value, .out = &terms};
    struct term first, *put;
    TRY(first_term(&run, &first));
    TRY(modifier_run_put(&run, &first, &put));
    for (uint32_t i = 0; i < chain->count; i++) {
        if (chain->steps[i]->step) {
            struct modifier_terms next = {.bytes = terms.bytes};
            run.step = chain->steps[i];
            TRY(run_step(&run, &terms, &next));
            terms = next;
        }
    }
    run.step = NULL;
    run.out = &terms;
    for (uint32_t i = 0; i < terms.count; i++) {
        TRY(modifier_text_settle(&run, &terms.items[i]));
    }
    *out = terms;
    return OK;
}
