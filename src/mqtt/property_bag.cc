#include "mqtt/property_bag.h"

#include <algorithm>

#include "base/core/encoding.h"

namespace picket::mqtt {
namespace {

bool is_system(std::string_view name) { return name.starts_with("$."); }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// `decoded` has room for all of the text already, so views into it stay valid.
Result<std::string_view> decode_part(std::string_view text, std::string& decoded) {
  auto at = text.find('%');
  if (at == std::string_view::npos) return text;
  const auto begin = decoded.size();
  while (at != std::string_view::npos) {
    decoded.append(text.substr(0, at));
    if (text.size() - at < 3) return fail(Errc::malformed, "mqtt.bag.percent_encoding");
    const int high = hex_value(text[at + 1]);
    const int low = hex_value(text[at + 2]);
    if (high < 0 || low < 0) return fail(Errc::malformed, "mqtt.bag.percent_encoding");
    decoded.push_back(static_cast<char>(high << 4 | low));
    text.remove_prefix(at + 3);
    at = text.find('%');
  }
  decoded.append(text);
  const auto part = std::string_view(decoded).substr(begin);
  if (part.find('\0') != std::string_view::npos || !is_utf8(part)) return fail(Errc::malformed, "mqtt.bag.text");
  return part;
}

Result<PropertyView> decode_property(std::string_view text, std::string& decoded) {
  const auto equals = text.find('=');
  PropertyView property;
  TRY(property.name, decode_part(text.substr(0, equals), decoded));
  if (property.name.empty()) return fail(Errc::malformed, "mqtt.bag.name");
  if (equals != std::string_view::npos) {
    TRY(property.value, decode_part(text.substr(equals + 1), decoded));
  }
  return property;
}

}  // namespace

std::optional<std::string_view> PropertyBag::find(std::string_view name) const {
  const auto found = std::ranges::find(properties_, name, &Property::name);
  if (found == properties_.end()) return std::nullopt;
  return found->value ? std::string_view(*found->value) : std::string_view();
}

std::size_t PropertyBag::counted_bytes() const {
  std::size_t bytes = 0;
  for (const auto& property : properties_) {
    if (!is_system(property.name)) bytes += property.name.size();
    if (property.value) bytes += property.value->size();
  }
  return bytes;
}

Result<> decode_property_views(std::string_view text, std::string& decoded, std::vector<PropertyView>& out) {
  if (text.ends_with('/')) text.remove_suffix(1);
  decoded.clear();
  if (text.find('%') != std::string_view::npos) decoded.reserve(text.size());
  const auto first = out.size();
  while (!text.empty()) {
    const auto end = text.find('&');
    if (out.size() - first == kPropertiesMax) return fail(Errc::limit_exceeded, "mqtt.bag.properties");
    TRY(const auto property, decode_property(text.substr(0, end), decoded));
    if (is_system(property.name) && std::ranges::find(out.begin() + static_cast<std::ptrdiff_t>(first), out.end(),
                                                      property.name, &PropertyView::name) != out.end()) {
      return fail(Errc::malformed, "mqtt.bag.system_property_twice");
    }
    out.push_back(property);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return {};
}

Result<PropertyBag> decode_property_bag(std::string_view text) {
  if (text.find('\0') != std::string_view::npos || !is_utf8(text)) return fail(Errc::malformed, "mqtt.bag.text");
  std::string decoded;
  std::vector<PropertyView> views;
  TRY_VOID(decode_property_views(text, decoded, views));
  std::vector<Property> properties;
  properties.reserve(views.size());
  for (const auto& view : views) {
    auto& property = properties.emplace_back(std::string(view.name), std::nullopt);
    if (view.value) property.value.emplace(*view.value);
  }
  return PropertyBag(std::move(properties));
}

std::string encode_property_bag(const PropertyBag& bag) {
  std::string out;
  for (const auto& property : bag.properties()) {
    if (!out.empty()) out += '&';
    out += percent_encode(property.name);
    if (property.value) out.append(1, '=').append(percent_encode(*property.value));
  }
  return out;
}

}  // namespace picket::mqtt
