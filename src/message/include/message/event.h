// What every event of a security message has, whatever it reports.
#pragma once

#include <cstdint>
#include <string_view>

namespace picket::message {

/// Periodic: a snapshot on a timer, may be empty. Triggered: something happened.
enum class Category : std::uint8_t { Periodic, Triggered };
enum class EventType : std::uint8_t { Security, Operational, Diagnostic };

std::string_view to_string(Category category);
std::string_view to_string(EventType type);

/// How an event is announced in the envelope.
struct EventName {
  std::string_view name;
  Category category;
  EventType type;
};

/// One entry of ExtraDetails.
struct Detail {
  std::string_view key;
  std::string_view value;
};

}  // namespace picket::message
