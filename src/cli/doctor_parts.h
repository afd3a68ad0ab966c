/* doctor_parts: what the files of doctor share: the report, and who looks at what. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "cli/config.h"

struct doctor {
    struct config config;
    const char *token; /* for the API; NULL: none */
    bool runs;         /* a centre has the directory */
    unsigned wrong, doubtful;
};

/* A line of the report. What is wrong or doubtful is followed by how to mend it. */
void doctor_good(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));
void doctor_doubt(struct doctor *d, const char *what, const char *mend, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
void doctor_wrong(struct doctor *d, const char *what, const char *mend, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* doctor_system.c: the machine. */
void doctor_system_clock(struct doctor *d);
void doctor_system_kernel(struct doctor *d);
void doctor_system_limits(struct doctor *d);
void doctor_system_data(struct doctor *d);
void doctor_system_ports(struct doctor *d);
/* doctor_setup.c: what the configuration names, and what the centre says. */
void doctor_setup_rules(struct doctor *d);
void doctor_setup_certificates(struct doctor *d);
void doctor_setup_tokens(struct doctor *d);
void doctor_setup_tenants(struct doctor *d);
void doctor_setup_sources(struct doctor *d);
