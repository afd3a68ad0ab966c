/* err: the one way in which a function says that it failed.
 *
 *     enum err rule_parse(struct slice text, struct rule *out, struct diag *diag) MUST_CHECK;
 *     TRY(rule_parse(text, &rule, diag));        // only while nothing is owned
 *
 * Outputs are untouched on failure. Words for people go into a struct diag. */
#pragma once

enum err {
    OK = 0,
    ERR_MEMORY,      /* the system or an arena's cap refused memory */
    ERR_LIMIT,       /* a named limit was reached; the diag names it */
    ERR_IO,          /* the operating system refused; the diag has its words */
    ERR_SYNTAX,      /* the input is not what its format asks for */
    ERR_UNSUPPORTED, /* valid, but not something that we do: refused by name */
    ERR_NOT_FOUND,   /* nothing of that name */
    ERR_END,         /* no more input: not a failure for a reader's caller */
    ERR_USAGE,       /* the caller's arguments do not fit together */
};

#define MUST_CHECK __attribute__((warn_unused_result))

#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum err try_err_ = (call);                                                                \
        if (try_err_ != OK) {                                                                      \
            return try_err_;                                                                       \
        }                                                                                          \
    } while (0)

/* A short English name, never NULL: "limit". */
const char *err_name(enum err e);
