/* message_sysmon: what Sysmon for Linux sends to syslog: the event in the XML of Windows' event
 * log.
 *
 *     <Event><System><EventID>1</EventID><Channel>Linux-Sysmon/Operational</Channel>...</System>
 *     <EventData><Data Name="Image">/usr/bin/curl</Data>...</EventData></Event>
 *
 * gives EventID 1, Channel, Provider_Name..., Image: the names that rules for Sysmon use. Elements
 * and attributes of <System> are NAME and NAME_ATTRIBUTE. A message that is not such an event from
 * its first byte to its last is text like any other. Of XML it knows elements, attributes and
 * references. */
#pragma once

#include "decode/message.h"

bool message_sysmon(struct fields_sink *sink, struct slice program, struct slice text);
