#include "setting_value.h"

#include <algorithm>
#include <limits>

namespace picket::agent {

std::string set_duration(Duration& target, const std::string& text, Duration low, Duration high) {
  const auto value = parse_duration(text);
  if (!value) return value.error();
  if (*value < low || *value > high) {
    return "must be from " + std::to_string(low.whole_ms()) + " ms to " + std::to_string(high.whole_ms()) + " ms";
  }
  target = *value;
  return {};
}

std::string set_bool(bool& target, const std::string& text) {
  if (text != "true" && text != "false") return "must be true or false";
  target = text == "true";
  return {};
}

std::string set_text(std::string& target, const std::string& text) {
  if (text.empty()) return "must not be empty";
  target = text;
  return {};
}

std::string set_any_text(std::string& target, const std::string& text) {
  if (text.size() > kSettingTextMax) return "must be at most " + std::to_string(kSettingTextMax) + " bytes";
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
    return "must not have control characters";
  }
  target = text;
  return {};
}

std::string set_list(std::vector<std::string>& target, const std::string& text) {
  std::vector<std::string> items;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    std::string_view item = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    if (item.empty()) continue;
    std::string each;
    if (auto problem = set_any_text(each, std::string(item)); !problem.empty()) return "each item " + problem;
    items.push_back(std::move(each));
    if (items.size() > kSettingItemsMax) return "must have at most " + std::to_string(kSettingItemsMax) + " items";
  }
  target = std::move(items);
  return {};
}

std::string set_priority(Priority& target, const std::string& text) {
  const auto priority = parse_priority(text);
  if (!priority || *priority == Priority::urgent) return "must be low, medium or high";
  target = *priority;
  return {};
}

std::string set_transport(UplinkTransport& target, const std::string& text) {
  constexpr std::string_view kNames[] = {"auto", "mqtt", "websocket"};
  const auto found = std::ranges::find(kNames, text);
  if (found == std::end(kNames)) return "must be auto, mqtt or websocket";
  target = static_cast<UplinkTransport>(found - std::begin(kNames));
  return {};
}

std::string set_proxy(std::optional<Proxy>& target, const std::string& text) {
  auto proxy = parse_proxy(text);
  if (!proxy) return proxy.error();
  target = *std::move(proxy);
  return {};
}

std::string set_host_port(HostPort& target, const std::string& text) {
  auto parsed = parse_host_port(text);
  if (!parsed) return "must be host or host:port: " + parsed.error();
  target = *std::move(parsed);
  return {};
}

std::string set_ring(std::uint32_t& target, const std::string& text) {
  std::size_t bytes = 0;
  if (auto problem = set_bytes(bytes, text, 4 << 10, 16 << 20); !problem.empty()) return problem;
  if ((bytes & (bytes - 1)) != 0) return "must be a power of two";
  target = static_cast<std::uint32_t>(bytes);
  return {};
}

Checked<Duration> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    Duration length;
  };
  constexpr Unit kUnits[] = {{"ms", Duration::milliseconds(1)},
                             {"s", Duration::seconds(1)},
                             {"m", Duration::minutes(1)},
                             {"h", Duration::hours(1)},
                             {"d", Duration::days(1)}};
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& each : kUnits) {
    if (error != std::errc() || number < 0 || unit != each.name) continue;
    if (number > std::numeric_limits<std::int64_t>::max() / each.length.us) break;
    return each.length * number;
  }
  return std::unexpected(std::string("must be a whole number with a unit: 75ms, 30s, 30m, 2h or 7d"));
}

Checked<std::size_t> parse_bytes(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const unsigned shift = unit == "KiB" ? 10 : unit == "MiB" ? 20 : 0;
  if (error != std::errc() || (shift == 0 && !unit.empty()) ||
      number > std::numeric_limits<std::size_t>::max() >> shift) {
    return std::unexpected(std::string("must be a number of bytes, also with KiB or MiB: 65536, 64KiB, 8MiB"));
  }
  return number << shift;
}

}  // namespace picket::agent
