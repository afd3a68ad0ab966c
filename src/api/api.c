#include "api/api.h"

#include "api/api_findings.h"
#include "api/api_health.h"
#include "api/api_metrics.h"
#include "api/api_parts.h"
#include "api/api_rules.h"
#include "api/api_standing.h"
#include "api/api_status.h"
#include "base/memory.h"

static const struct http_route routes[] = {
        {HTTP_GET, "/healthz", AUTHORIZE_PUBLIC, 0, api_health_live, NULL},
        {HTTP_GET, "/readyz", AUTHORIZE_PUBLIC, 0, api_health_ready, NULL},
        {HTTP_GET, "/metrics", AUTHORIZE_STATUS, 0, api_metrics, NULL},
        {HTTP_GET, "/api/v1/status", AUTHORIZE_STATUS, 0, api_status, NULL},
        {HTTP_GET, "/api/v1/findings", AUTHORIZE_READ, 0, api_findings, NULL},
        {HTTP_GET, "/api/v1/quarantine", AUTHORIZE_READ, 0, api_findings_quarantine, NULL},
        {HTTP_GET, "/api/v1/rules", AUTHORIZE_STATUS, 0, api_standing_rules, NULL},
        {HTTP_GET, "/api/v1/records", AUTHORIZE_READ, 0, api_findings_records, NULL},
        {HTTP_POST, "/api/v1/rules/reload", AUTHORIZE_RULES, 0, api_rules_reload, NULL},
};

enum err api_new(const struct api_options *options, struct api **out, struct diag *diag)
{
    struct api *api = memory_alloc(sizeof *api);
    if (!api) {
        return diag_say(diag, ERR_MEMORY, "no memory for the API");
    }
    api->options = *options;
    pthread_mutex_init(&api->mutex, NULL);
    *out = api;
    return OK;
}

void api_free(struct api *api)
{
    if (api) {
        pthread_mutex_destroy(&api->mutex);
        memory_free(api);
    }
}

struct http_table api_table(struct api *api)
{
    return (struct http_table){routes, sizeof routes / sizeof *routes, api, NULL};
}

void api_turn(struct api *api)
{
    api_findings_turn(api);
    api_rules_turn(api);
}

void api_end_streams(struct api *api)
{
    atomic_fetch_add(&api->ends, 1);
    api_findings_wake(api);
}
