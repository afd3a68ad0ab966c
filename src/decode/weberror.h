/* weberror: error logs of Apache and nginx.
 *
 *     [Thu Feb 29 11:47:27.072780 2024] [core:error] [pid 12:tid 7] [client 192.0.2.1:5753] \
 *             AH00037: Symbolic link not allowed
 *         timestamp 2024-02-29T11:47:27.072780, module core, level error, pid 12, tid 7, c-ip,
 *         c-port, message "AH00037: Symbolic link not allowed"
 *     2015/01/08 11:31:23 [error] 80#2: *7 open() failed, client: 192.0.2.1, request: "GET /"
 *         timestamp, level, pid 80, tid 2, connection 7, message, c-ip, request
 *
 * ModSecurity's [name "value"] become fields by their names. */
#pragma once

#include "event/decoder.h"

extern const struct decoder weberror_apache_decoder;
extern const struct decoder weberror_nginx_decoder;
