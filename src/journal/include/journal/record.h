// What the journal holds: one record for everything that can change a verdict of the pipeline.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/core/bytes.h"
#include "base/core/identity.h"
#include "base/core/time.h"
#include "journal/position.h"

namespace picket::journal {

/// Numbers are part of the file format: never reuse one. A reader passes on kinds that it does not know.
enum class RecordKind : std::uint8_t {
  message = 1,                 ///< A security message as it was received.
  hub_event = 2,               ///< What the hub reports about itself and its devices.
  tick = 3,                    ///< Time passes, also when nobody sends.
  rules_change = 4,            ///< The rule set in force from here on.
  group_change = 5,            ///< A device changed its security group.
  alert_change = 6,            ///< An alert was raised or has grown (derived journal).
  triage = 7,                  ///< A person or playbook decided about an alert.
  audit = 8,                   ///< Registry, policy, key, certificate or sink changed.
  intelligence_change = 9,     ///< The threat intelligence in force from here on.
  twin_change = 10,            ///< A twin was changed.
  recommendation_change = 11,  ///< A recommendation changed its state (derived journal).
  incident_change = 12,        ///< An incident was made or has grown (derived journal).
  table_rows = 13,             ///< Rows of a table, as they stand (derived journal).
};

/// One name and value, in the order received. Names: IoT Hub system properties as on the wire (`$.mid`, `$.ifid`,
/// `$.ct`, `$.ce`), application properties, and stamps of the hub.
struct Property {
  std::string_view name;
  std::string_view value;

  friend bool operator==(const Property&, const Property&) = default;
};

/// Identity without ownership.
struct IdentityView {
  std::string_view hub;
  std::string_view device_id;
  std::string_view module_id;
  std::string_view generation_id;

  IdentityView() = default;
  IdentityView(const Identity& identity)  // NOLINT: a view of, like string_view
      : hub(identity.hub),
        device_id(identity.device_id),
        module_id(identity.module_id),
        generation_id(identity.generation_id) {}
  [[nodiscard]] Identity to_identity() const {
    return {std::string(hub), std::string(device_id), std::string(module_id), std::string(generation_id)};
  }
  friend bool operator==(const IdentityView&, const IdentityView&) = default;
};

/// What an appender gives. Everything is borrowed for the time of the call.
struct Record {
  RecordKind kind = RecordKind::message;
  std::uint16_t partition = 0;  ///< partition_of(identity); a session computes it once.
  Timestamp enqueued;           ///< When the hub took it; the journal raises it where it would go backwards.
  IdentityView identity;
  std::span<const Property> properties;
  Bytes body;
};

/// What a reader gets: the record and its name. Views live until the reader reads again.
struct RecordView : Record {
  RecordId id;

  /// First value of that name; nullptr when there is none.
  [[nodiscard]] const std::string_view* property(std::string_view name) const {
    for (const Property& p : properties) {
      if (p.name == name) return &p.value;
    }
    return nullptr;
  }
};

inline constexpr std::size_t kRecordBytesMax = 8U << 20;  ///< Of one encoded record; a message is at most 256 KiB.
inline constexpr std::size_t kPropertiesMax = 1024;       ///< Of one record.

}  // namespace picket::journal
