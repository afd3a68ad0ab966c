#include "net/authorize.h"

static const char *const roles[AUTHORIZE_ROLES] = {
        [AUTHORIZE_INGESTER] = "ingest",
        [AUTHORIZE_READER] = "reader",
        [AUTHORIZE_ANALYST] = "analyst",
        [AUTHORIZE_ADMIN] = "admin",
};

static const struct {
    const char *name;
    bool may[AUTHORIZE_ROLES]; /* ingest, reader, analyst, admin */
} permissions[AUTHORIZE_PERMISSIONS] = {
        [AUTHORIZE_PUBLIC] = {"public", {true, true, true, true}},
        [AUTHORIZE_INGEST] = {"ingest", {true, false, false, true}},
        [AUTHORIZE_READ] = {"read", {false, true, true, true}},
        [AUTHORIZE_STATUS] = {"status", {false, true, true, true}},
        [AUTHORIZE_WORK] = {"work", {false, false, true, true}},
        [AUTHORIZE_RULES] = {"rules", {false, false, false, true}},
        [AUTHORIZE_TOKENS] = {"tokens", {false, false, false, true}},
};

bool authorize_covers(struct slice outer, struct slice inner)
{
    if (outer.size == 0) {
        return true;
    }
    return slice_starts(inner, outer) && (inner.size == outer.size || inner.at[outer.size] == '/');
}

bool authorize(const struct authorize_actor *actor, struct slice tenant,
        enum authorize_permission permission)
{
    if (permission == AUTHORIZE_PUBLIC) {
        return true;
    }
    if (!actor || !actor->id[0] || permission >= AUTHORIZE_PERMISSIONS ||
            actor->role >= AUTHORIZE_ROLES || !authorize_tenant_valid(tenant)) {
        return false;
    }
    if (actor->input[0] && permission != AUTHORIZE_INGEST) {
        return false;
    }
    return permissions[permission].may[actor->role] &&
           authorize_covers(slice_text(actor->tenant), tenant);
}

bool authorize_input(const struct authorize_actor *actor, struct slice input)
{
    return !actor->input[0] || slice_equal(slice_text(actor->input), input);
}

static bool is_tenant_byte(char c)
{
    return (c >= 'a' && c <= 'z') || slice_is_digit(c) || c == '-' || c == '_';
}

bool authorize_tenant_valid(struct slice tenant)
{
    if (tenant.size >= AUTHORIZE_NAME) {
        return false;
    }
    size_t part = 0, parts = tenant.size > 0;
    for (size_t i = 0; i < tenant.size; i++) {
        if (tenant.at[i] == '/') {
            if (part == 0 || i + 1 == tenant.size) {
                return false;
            }
            part = 0;
            parts++;
        } else if (is_tenant_byte(tenant.at[i])) {
            part++;
        } else {
            return false;
        }
    }
    return parts <= AUTHORIZE_TENANT_DEPTH;
}

const char *authorize_role_name(enum authorize_role role)
{
    return role < AUTHORIZE_ROLES ? roles[role] : "?";
}

enum authorize_role authorize_role_find(struct slice name)
{
    for (int i = 0; i < AUTHORIZE_ROLES; i++) {
        if (slice_equal(name, slice_text(roles[i]))) {
            return (enum authorize_role)i;
        }
    }
    return AUTHORIZE_ROLES;
}

const char *authorize_permission_name(enum authorize_permission permission)
{
    return permission < AUTHORIZE_PERMISSIONS ? permissions[permission].name : "?";
}
