#include "wal/suite.h"

void suite_disk(struct suite *suite)
{
    (void)suite;
}
