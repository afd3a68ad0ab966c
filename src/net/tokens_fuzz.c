#include <stdlib.h>

#include "base/buf.h"
#include "net/tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read has names and tenants that may be; what is not read has words. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tokens *tokens = NULL;
    struct diag diag = {0};
    enum err e = tokens_parse(slice_of((const char *)data, size), &tokens, &diag);
    if (e != OK && (tokens || !diag.words[0])) {
        abort();
    }
    for (size_t i = 0; e == OK && i < tokens_size(tokens); i++) {
        const struct authorize_actor *actor = &tokens_at(tokens, i)->actor;
        if (!actor->id[0] || !authorize_tenant_valid(slice_text(actor->tenant))) {
            abort();
        }
    }
    tokens_free(tokens);
    return 0;
}
