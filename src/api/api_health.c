#include "api/api_health.h"

#include "api/api_parts.h"

void api_health_live(struct http_request *r, void *context)
{
    (void)context;
    buf_add(http_request_out(r), SLICE("{\"alive\":true}\n"));
    http_request_answer(r, 200, "application/json");
}

void api_health_ready(struct http_request *r, void *context)
{
    const struct api_figures f = api_parts_figures(context);
    const struct {
        bool there;
        const char *words;
    } needs[] = {{f.ready, "the logs are not open"},
            {f.watching, "the judge has not loaded its rules"},
            {f.writable, "the disk takes nothing"}};
    struct buf *out = http_request_out(r);
    bool all = f.ready && f.watching && f.writable;
    const char *between = "";
    buf_format(out, "{\"ready\":%s,\"missing\":[", all ? "true" : "false");
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        if (!needs[i].there) {
            buf_format(out, "%s\"%s\"", between, needs[i].words);
            between = ",";
        }
    }
    buf_add(out, SLICE("]}\n"));
    http_request_answer(r, all ? 200 : 503, "application/json");
}
