/* doctor: the verb that looks at a centre's set-up, says what is wrong and how to mend it.
 *
 *     merlon doctor -c /etc/merlon/serve.yml
 *     ok    data: /var/lib/merlon, 61 GiB free
 *     WRONG input syslog: port 514 may not be bound: Permission denied
 *           give it CAP_NET_BIND_SERVICE, or a port above 1023 */
#pragma once

#include "cli/verb.h"

extern const struct verb doctor_verb;
