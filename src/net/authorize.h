/* authorize: who may do what, for which tenant. The only place that decides it.
 *
 *     if (!authorize(&actor, SLICE("sg/health/moh"), AUTHORIZE_READ)) ... 403
 *
 * Tenants are a tree, named by paths: an actor of `sg/health` acts for it and all below, never for
 * `sg` or `sg/healthy`. The empty path is the tree itself. What a role may do is a table. */
#pragma once

#include <stdbool.h>

#include "base/slice.h"

enum authorize_role {
    AUTHORIZE_INGESTER, /* programs that send */
    AUTHORIZE_READER,
    AUTHORIZE_ANALYST,
    AUTHORIZE_ADMIN,
    AUTHORIZE_ROLES,
};

enum authorize_permission {
    AUTHORIZE_PUBLIC, /* whoever reaches the port; no token is looked at */
    AUTHORIZE_INGEST,
    AUTHORIZE_READ,   /* findings, events, quarantine */
    AUTHORIZE_STATUS, /* figures: status, metrics */
    AUTHORIZE_WORK,   /* replay, alerts, cases */
    AUTHORIZE_RULES,  /* reload, exceptions */
    AUTHORIZE_TOKENS,
    AUTHORIZE_PERMISSIONS,
};

enum {
    AUTHORIZE_NAME = 120, /* bytes of a tenant's path or a name, one more for NUL */
    AUTHORIZE_TENANT_DEPTH = 8,
};

/* Who asks: texts are NUL-terminated. */
struct authorize_actor {
    char id[AUTHORIZE_NAME]; /* of the token; empty: nobody that we know */
    char name[AUTHORIZE_NAME];
    char tenant[AUTHORIZE_NAME];
    char input[AUTHORIZE_NAME]; /* may send to this input alone, and do nothing else; empty: all */
    enum authorize_role role;
};

bool authorize(const struct authorize_actor *actor, struct slice tenant,
        enum authorize_permission permission);
/* Whether the actor may send to the input of that name. */
bool authorize_input(const struct authorize_actor *actor, struct slice input);
/* `inner` is `outer` or below it. */
bool authorize_covers(struct slice outer, struct slice inner);
/* Lower case letters, digits, - and _ in up to AUTHORIZE_TENANT_DEPTH parts; "" is valid. */
bool authorize_tenant_valid(struct slice tenant);

const char *authorize_role_name(enum authorize_role role);
/* AUTHORIZE_ROLES: there is none of that name. */
enum authorize_role authorize_role_find(struct slice name);
const char *authorize_permission_name(enum authorize_permission permission);
