#include "decode/access.h"
#include "decode/auditd.h"
#include "decode/awsaccess.h"
#include "decode/csv.h"
#include "decode/dns.h"
#include "decode/evtx.h"
#include "decode/iis.h"
#include "decode/journal.h"
#include "decode/json.h"
#include "decode/squid.h"
#include "decode/syslog.h"
#include "decode/vpcflow.h"
#include "decode/w3c.h"
#include "decode/weberror.h"
#include "decode/windns.h"
#include "decode/zeek.h"
#include "event/decoder.h"

const struct decoder *const decoders[] = {
        &access_decoder,
        &weberror_apache_decoder,
        &auditd_decoder,
        &awsaccess_decoder,
        &dns_bind_decoder,
        &csv_decoder,
        &evtx_decoder,
        &iis_decoder,
        &journal_decoder,
        &json_decoder,
        &weberror_nginx_decoder,
        &squid_decoder,
        &syslog_decoder,
        &dns_unbound_decoder,
        &vpcflow_decoder,
        &w3c_decoder,
        &windns_decoder,
        &zeek_decoder,
};
const size_t decoders_count = sizeof decoders / sizeof *decoders;
