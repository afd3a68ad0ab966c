#include "base/err.h"

const char *err_name(enum err e)
{
    static const char *const names[] = {"ok", "out of memory", "limit reached",
            "input/output error", "syntax error", "unsupported", "not found", "end of input",
            "usage error"};
    unsigned i = (unsigned)e;
    return i < sizeof names / sizeof *names ? names[i] : "unknown error";
}
