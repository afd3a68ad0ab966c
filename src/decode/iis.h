/* iis: IIS' own log file format, with commas.
 *
 *     192.0.2.1, -, 11/20/2023, 15:44:03, W3SVC1, HOST, 192.0.2.8, 2, 769, 143, 304, 0, GET, /, -,
 *         c-ip, date, time, s-sitename, s-computername, s-ip, time-taken 2, cs-bytes 769,
 *         sc-bytes 143, sc-status 304, sc-win32-status 0, cs-method GET, cs-uri-stem /,
 *         timestamp 2023-11-20 15:44:03, cs-uri-query
 *
 * The month stands first; a year of two digits is of this century. "-" is no value. */
#pragma once

#include "event/decoder.h"

extern const struct decoder iis_decoder;
