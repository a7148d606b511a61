// Where a receiver of events begins: the selector filter of Event Hubs. Pure.
#pragma once

#include "base/core/result.h"
#include "hub/event_stream.h"
#include "value.h"

namespace picket::hub::amqp {

/// `amqp.annotation.{x-opt-offset|x-opt-sequence-number|x-opt-enqueued-time} {>|>=} '{value}'`; offset '-1':
/// everything,
/// '@latest': what comes from now on; a time is in milliseconds since 1970. No filter: what comes from now on. Error
/// malformed "amqp.filter".
Result<EventStart> read_event_filter(const Map& filter);

}  // namespace picket::hub::amqp
