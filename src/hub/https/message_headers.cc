#include "message_headers.h"

#include <algorithm>
#include <array>

#include "base/core/encoding.h"

namespace picket::hub {
namespace {

constexpr std::string_view kApplication = "iothub-app-";

struct SystemHeader {
  std::string_view header;
  std::string_view property;
};
constexpr std::array kSystem = {
    SystemHeader{"iothub-messageid", "$.mid"},
    SystemHeader{"iothub-correlationid", "$.cid"},
    SystemHeader{"iothub-userid", "$.uid"},
    SystemHeader{"iothub-to", "$.to"},
    SystemHeader{"iothub-expiry", "$.exp"},
    SystemHeader{"iothub-contenttype", "$.ct"},
    SystemHeader{"iothub-contentencoding", "$.ce"},
    SystemHeader{"iothub-interface-id", "$.ifid"},
    SystemHeader{"dt-subject", "$.sub"},
    SystemHeader{"iothub-outputname", "$.on"},
    SystemHeader{"iothub-creationtimeutc", "$.ctime"},
};

bool starts_without_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && http::equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

std::string to_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xc0 | byte >> 6);
      out += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return out;
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
}

/// What a header is called as a property; empty: it is none of a message.
std::string_view property_name(std::string_view header) {
  if (starts_without_case(header, kApplication)) return header.substr(kApplication.size());
  const auto* found =
      std::ranges::find_if(kSystem, [&](const auto& row) { return http::equal_ignoring_case(row.header, header); });
  return found == kSystem.end() ? std::string_view() : found->property;
}

Result<> add(mqtt::PropertyBag& bag, std::string_view name, std::string_view value) {
  if (bag.properties().size() >= mqtt::kPropertiesMax) return fail(Errc::limit_exceeded, "hub.https.properties");
  const std::string name_text = to_utf8(name);
  const std::string value_text = to_utf8(value);
  // "$." is the name space of system properties: an application property must not forge one.
  if (has_control(name_text) || has_control(value_text)) return fail(Errc::malformed, "hub.https.property");
  if (name.starts_with("$.") && bag.find(name)) return fail(Errc::malformed, "hub.https.property.twice");
  bag.add(name_text, value_text);
  return {};
}

Result<> add_header(mqtt::PropertyBag& bag, std::string_view header, std::string_view value) {
  if (starts_without_case(header, kApplication)) {
    const std::string_view name = header.substr(kApplication.size());
    if (name.empty() || name.starts_with("$.")) return fail(Errc::malformed, "hub.https.property.name");
  }
  const std::string_view name = property_name(header);
  return name.empty() ? Result<>{} : add(bag, name, value);
}

bool is_token(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").contains(c);
}

}  // namespace

Result<mqtt::PropertyBag> properties_of(std::span<const http::Header> headers, std::string_view own_path) {
  mqtt::PropertyBag bag;
  for (const auto& [name, value] : headers) {
    if (http::equal_ignoring_case(name, "iothub-to") && (value == own_path || percent_decode(value) == own_path))
      continue;
    TRY_VOID(add_header(bag, name, value));
  }
  return bag;
}

Result<mqtt::PropertyBag> properties_of(std::span<const http::Header> members) { return properties_of(members, ""); }

std::vector<http::Header> headers_of(std::span<const std::pair<std::string, std::string>> properties) {
  std::vector<http::Header> out;
  for (const auto& [name, value] : properties) {
    const auto* system = std::ranges::find(kSystem, name, &SystemHeader::property);
    if (system != kSystem.end()) {
      out.emplace_back(system->header, value);
      continue;
    }
    if (name.starts_with("$.")) continue;
    std::string header(kApplication);
    for (const char c : name) header += is_token(c) ? std::string(1, c) : percent_encode({&c, 1});
    out.emplace_back(std::move(header), value);
  }
  return out;
}

}  // namespace picket::hub
