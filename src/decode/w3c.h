/* w3c: logs in the W3C extended format (https://www.w3.org/TR/WD-logfile.html): IIS, proxies of
 * Blue Coat, CloudFront, the Windows firewall.
 *
 *     #Fields: date time c-ip cs-method cs-uri-stem cs-uri-query cs(User-Agent) sc-status
 *     2015-03-11 21:59:09 192.0.2.1 GET /a b=c curl/8+(x) 404
 *         the columns by their names; "-" is no value; and timestamp 2015-03-11 21:59:09,
 *         cs-uri-query also /a?b=c (as SigmaHQ's rules expect it), cs-user-agent curl/8 (x)
 *
 * Values are divided by blanks or tabs, and may stand in double quotes. Lines that begin with '#'
 * are no records; "#Fields:" and "#Date:" hold until the next ones. IIS' default columns are known
 * where a stream has no such line. */
#pragma once

#include "event/decoder.h"

extern const struct decoder w3c_decoder;

enum { W3C_COLUMNS = 256 }; /* more in a #Fields line make its rows rejected */
