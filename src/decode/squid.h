/* squid: Squid's native access.log.
 *
 *     1565598801.353     24 192.0.2.7 TCP_MISS/200 394 GET http://example.org/a.exe - \
 *             HIER_DIRECT/192.0.2.80 text/html
 *         timestamp, time-taken 24, c-ip, s-action TCP_MISS, sc-status 200, sc-bytes 394,
 *         cs-method GET, c-uri, c-uri-stem /a.exe, c-uri-extension exe, cs-host example.org,
 *         r-dns example.org, s-hierarchy HIER_DIRECT, dst_ip 192.0.2.80,
 *         cs-content-type text/html
 *
 * with or without the MIME type, and what else is configured behind it: referer and user agent in
 * quotes are read. decode/access.h has Squid's emulation of web servers' logs. */
#pragma once

#include "event/decoder.h"

extern const struct decoder squid_decoder;
