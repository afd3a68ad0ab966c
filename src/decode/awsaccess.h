/* awsaccess: access logs of Amazon's load balancers (Application, Classic) and of S3 buckets.
 *
 *     http 2018-07-02T22:23:00.186641Z app/lb/50dc 192.0.2.1:2817 10.0.0.1:80 0.000 0.001 0.000 200
 *     200 34 366 "GET http://www.example.com:80/a?b=c HTTP/1.1" "curl/7.46.0" - - arn:...
 * "Root=1-.." type http, time, elb, c-ip 192.0.2.1, c-port 2817, sc-status 200, cs-method GET,
 *         cs-host www.example.com, cs-uri-stem /a, cs-uri-query (b=c, and /a?b=c), ...
 *
 * Names are those of W3C's extended format where it has one, else Amazon's ("Access log entries" in
 * the guides of Elastic Load Balancing and S3). "-" is no value. */
#pragma once

#include "event/decoder.h"

extern const struct decoder awsaccess_decoder;
