/* notify: tells the service manager that started us how we are: one datagram to the socket that
 * NOTIFY_SOCKET names (sd_notify(3)).
 *
 *     notify_say("READY=1");       // nothing where nobody asked to be told */
#pragma once

#include <stdbool.h>

/* false: somebody asked, and could not be told. */
bool notify_say(const char *words);
