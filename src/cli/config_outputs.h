/* config_outputs: where findings are sent: doc/serve.md has the keys.
 *
 *     outputs:
 *       - {name: hook, kind: webhook, url: "https://soc.example/in", secret: /etc/merlon/hook.key}
 *       - {name: siem, kind: syslog, url: "tls://10.0.0.9:6514", form: cef, level: high}
 *       - {name: archive, kind: file, path: /var/log/merlon/findings.jsonl, size: 100M}
 *
 *     TRY(config_outputs_read(&outputs, arena, node, diag)); */
#pragma once

#include "base/arena.h"
#include "base/yaml.h"
#include "event/sent.h"

struct config_output {
    struct slice name, kind;
    struct slice url; /* of a file: its path */
    struct slice tenant;
    struct slice level; /* empty: all */
    struct slice form;  /* of syslog: json or cef */
    struct slice secret, authority, certificate, key;
    uint64_t rotate_bytes;
};

struct config_outputs {
    struct config_output *at;
    size_t count;
};

enum err config_outputs_read(struct config_outputs *out, struct arena *arena,
        const struct yaml_node *list, struct diag *diag) MUST_CHECK;
