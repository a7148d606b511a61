// From the text of a setting to a value within bounds. Each returns what would be right; empty: done.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/config.h"

namespace picket::agent {

template <class Number>
std::string set_number(Number& target, const std::string& text, std::uint64_t low, std::uint64_t high) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high) {
    return "must be a number from " + std::to_string(low) + " to " + std::to_string(high);
  }
  target = static_cast<Number>(value);
  return {};
}

template <class Number>
std::string set_bytes(Number& target, const std::string& text, std::size_t low, std::size_t high) {
  const auto value = parse_bytes(text);
  if (!value) return value.error();
  if (*value < low || *value > high) {
    return "must be from " + std::to_string(low) + " to " + std::to_string(high) + " bytes";
  }
  target = static_cast<Number>(*value);
  return {};
}

/// Publishes the bounds in milliseconds.
std::string set_duration(Duration& target, const std::string& text, Duration low, Duration high);
std::string set_bool(bool& target, const std::string& text);
/// Not empty.
std::string set_text(std::string& target, const std::string& text);
/// Any text of at most kSettingTextMax bytes without control characters, also an empty one.
inline constexpr std::size_t kSettingTextMax = 1'024;
std::string set_any_text(std::string& target, const std::string& text);
/// "a, b": at most kSettingItemsMax items, without the spaces around them and without empty ones.
inline constexpr std::size_t kSettingItemsMax = 64;
std::string set_list(std::vector<std::string>& target, const std::string& text);
/// Not urgent: that is for what happens first.
std::string set_priority(Priority& target, const std::string& text);
/// "auto", "mqtt" or "websocket".
std::string set_transport(UplinkTransport& target, const std::string& text);
std::string set_proxy(std::optional<Proxy>& target, const std::string& text);
/// "host", "host:port"; without a port MQTT's.
std::string set_host_port(HostPort& target, const std::string& text);
/// 4 KiB to 16 MiB, a power of two.
std::string set_ring(std::uint32_t& target, const std::string& text);

}  // namespace picket::agent
