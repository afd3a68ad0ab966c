/* vpcflow: the decoder of flow logs of Amazon VPCs, versions 2 to 5, as files in S3 (with a line of
 * names) or as CloudWatch exports them (without, perhaps with a time before each record).
 *
 *     const struct decoder *d = &vpcflow_decoder;    // as the table in decoders.c has it
 *
 * A record is a line of values with blanks between. Their names are those of the last line of
 * names; before any, those of the default format, of which a record of 14 to 29 values has the
 * first ("Flow log records" in the VPC user guide, in the order of their versions). `-` is absent.
 * Flow logs as JSON or Parquet's text are read by the JSON decoder. */
#pragma once

#include "event/decoder.h"

extern const struct decoder vpcflow_decoder;
