/* access: access logs of web servers: the common log format and what is made of it.
 *
 *     192.0.2.1 - eve [17/May/2015:10:05:03 +0000] "GET /a?b=c HTTP/1.1" 200 203 "-" "curl/8"
 *         c-ip, cs-username, time_local, cs-method GET, request_uri /a?b=c, cs-uri-stem /a,
 *         cs-uri-query (b=c, and /a?b=c), cs-version HTTP/1.1, sc-status 200, sc-bytes 203,
 *         cs-user-agent curl/8
 *
 * Apache's and nginx's: common, combined, with the virtual host in front, with a list of
 * forwarders in front or in quotes at the end; Squid's emulation of both, which ends in
 * TCP_MISS:HIER_DIRECT and is of the format `squid`. "-" is no value. */
#pragma once

#include "event/decoder.h"

extern const struct decoder access_decoder;
