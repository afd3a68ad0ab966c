#include "decode/auditd.h"
#include "decode/evtx.h"
#include "decode/json.h"
#include "decode/syslog.h"
#include "event/decoder.h"

const struct decoder *const decoders[] = {
        &auditd_decoder,
        &evtx_decoder,
        &json_decoder,
        &syslog_decoder,
};
const size_t decoders_count = sizeof decoders / sizeof *decoders;
