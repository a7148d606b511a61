#include "address.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/core/encoding.h"

namespace picket::hub::amqp {
namespace {

constexpr std::size_t kSegmentsMax = 12;

std::string decoded(std::string_view text) {
  auto out = percent_decode(text);
  return out ? *std::move(out) : std::string(text);
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view a, std::string_view b) { return same_without_case(a, b); }

std::string_view without_scheme(std::string_view text) {
  const auto at = text.find("://");
  return at == std::string_view::npos ? text : text.substr(at + 3);
}

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> out;
  while (out.size() <= kSegmentsMax) {
    const auto slash = path.find('/');
    out.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return out;
}

bool is(const std::vector<std::string_view>& segments, std::size_t from,
        std::initializer_list<std::string_view> names) {
  if (segments.size() != from + names.size()) return false;
  return std::equal(names.begin(), names.end(), segments.begin() + static_cast<std::ptrdiff_t>(from), same);
}

AddressKind device_kind(const std::vector<std::string_view>& segments, std::size_t from) {
  if (is(segments, from, {"messages", "events"})) return AddressKind::telemetry;
  if (is(segments, from, {"messages", "devicebound"})) return AddressKind::commands;
  if (is(segments, from, {"methods", "devicebound"})) return AddressKind::methods;
  if (is(segments, from, {"twin"})) return AddressKind::twin;
  return AddressKind::unknown;
}

/// devices/{d}[/modules/{m}]: how many segments that is; 0: none.
std::size_t read_identity(const std::vector<std::string_view>& segments, bool encoded, std::string& device,
                          std::string& module) {
  const auto id = [encoded](std::string_view text) { return encoded ? decoded(text) : std::string(text); };
  if (segments.size() < 2 || segments[0] != "devices" || segments[1].empty()) return 0;
  device = id(segments[1]);
  if (segments.size() < 4 || segments[2] != "modules" || segments[3].empty()) return 2;
  module = id(segments[3]);
  return 4;
}

bool read_partition(const std::vector<std::string_view>& segments, Address& out) {
  const auto n = segments.size();
  if (n < 5 || !same(segments[n - 4], "ConsumerGroups") || !same(segments[n - 2], "Partitions")) return false;
  const auto number = segments[n - 1];
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), out.partition);
  if (error != std::errc() || end != number.data() + number.size()) return false;
  out.group = decoded(segments[n - 3]);
  return true;
}

}  // namespace

bool same_without_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

Address parse_address(std::string_view text) {
  Address out;
  if (text.find("://") != std::string_view::npos) {
    text = without_scheme(text);
    const auto slash = text.find('/');
    text = slash == std::string_view::npos ? std::string_view() : text.substr(slash + 1);
  } else if (text.starts_with('/')) {
    text.remove_prefix(1);
  }
  out.path = std::string(text);
  if (text == "$cbs") {
    out.kind = AddressKind::cbs;
    return out;
  }
  if (text == "$management") {
    out.kind = AddressKind::management;
    return out;
  }
  out.path.insert(0, "/");
  const auto segments = segments_of(text);
  if (segments.size() > kSegmentsMax) return out;
  if (const auto used = read_identity(segments, true, out.device_id, out.module_id); used > 0) {
    out.kind = device_kind(segments, used);
  } else if (is(segments, 0, {"messages", "devicebound"})) {
    out.kind = AddressKind::devicebound;
  } else if (is(segments, 0, {"messages", "servicebound", "feedback"})) {
    out.kind = AddressKind::feedback;
  } else if (is(segments, 0, {"messages", "servicebound", "filenotifications"})) {
    out.kind = AddressKind::file_notifications;
  } else if (segments.size() >= 2 && same(segments[0], "messages") && same(segments[1], "events")) {
    out.kind = AddressKind::events_redirect;
  } else if (segments.size() == 5 && read_partition(segments, out)) {
    out.kind = AddressKind::events;
    out.entity = decoded(segments[0]);
  } else if (segments.size() == 2 && same(segments[1], "$management")) {
    out.kind = AddressKind::management;
    out.entity = decoded(segments[0]);
  }
  return out;
}

Resource split_resource(std::string_view text) {
  // Encoded as a whole: then there is no '/' in it. Decode only once, so that an id with a '%' stays itself.
  const bool whole_encoded = text.find('/') == std::string_view::npos;
  const auto whole = whole_encoded ? decoded(text) : std::string(text);
  const auto rest = without_scheme(whole);
  const auto slash = rest.find('/');
  Resource out;
  out.host = std::string(rest.substr(0, slash));
  out.host.resize(std::min(out.host.size(), out.host.find(':')));
  std::ranges::transform(out.host, out.host.begin(), lower);
  if (slash == std::string_view::npos) return out;
  out.path = std::string(rest.substr(slash + 1));
  while (out.path.ends_with('/')) out.path.pop_back();
  read_identity(segments_of(out.path), !whole_encoded, out.device_id, out.module_id);
  return out;
}

bool covers(std::string_view outer, std::string_view inner) {
  const auto a = split_resource(outer);
  const auto b = split_resource(inner);
  if (a.host.empty() || a.host != b.host) return false;
  if (a.path.empty() || a.path == b.path) return true;
  return b.path.starts_with(a.path) && b.path[a.path.size()] == '/';
}

}  // namespace picket::hub::amqp
