// A delivery of telemetry as journal records. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "access.h"
#include "base/core/bytes.h"
#include "hub/hub_error.h"
#include "journal/record.h"
#include "message.h"

namespace picket::hub::amqp {

inline constexpr std::size_t kTelemetryPropertiesMax = 128;

/// One message as it will be stored: system properties by their short names ("$.mid"), then application properties.
struct TelemetryRecord {
  std::vector<std::pair<std::string, std::string>> properties;
  Buffer body;
  std::size_t reserved_dropped = 0;  ///< Properties that imitate the hub's stamps or the short names.
  /// Stamps first. Borrows from this object and from `grant`.
  journal::Record as_record(const DeviceGrant& grant, Timestamp now);

 private:
  std::vector<journal::Property> stamped_;
};

/// One message, or those of a batch (kBatchedFormat). Errors: 400004 (not a message, property that is no UTF-8, too
/// many properties), 413001 (over kMessageBytesMax together).
HubResult<std::vector<TelemetryRecord>> read_telemetry(Bytes bytes, std::uint32_t format);

}  // namespace picket::hub::amqp
