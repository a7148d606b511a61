#include "mqtt/property_bag.h"

#include <algorithm>

#include "base/core/encoding.h"

namespace picket::mqtt {
namespace {

bool is_system(std::string_view name) { return name.starts_with("$."); }

Result<std::string> decode_part(std::string_view text) {
  const auto decoded = percent_decode(text);
  if (!decoded) return fail(Errc::malformed, "mqtt.bag.percent_encoding");
  if (decoded->find('\0') != std::string::npos || !is_utf8(*decoded)) return fail(Errc::malformed, "mqtt.bag.text");
  return *decoded;
}

Result<Property> decode_property(std::string_view text) {
  const auto equals = text.find('=');
  Property property;
  TRY(property.name, decode_part(text.substr(0, equals)));
  if (property.name.empty()) return fail(Errc::malformed, "mqtt.bag.name");
  if (equals != std::string_view::npos) {
    TRY(property.value, decode_part(text.substr(equals + 1)));
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

Result<PropertyBag> decode_property_bag(std::string_view text) {
  if (text.ends_with('/')) text.remove_suffix(1);
  std::vector<Property> properties;
  while (!text.empty()) {
    const auto end = text.find('&');
    if (properties.size() == kPropertiesMax) return fail(Errc::limit_exceeded, "mqtt.bag.properties");
    TRY(auto property, decode_property(text.substr(0, end)));
    if (is_system(property.name) && std::ranges::find(properties, property.name, &Property::name) != properties.end()) {
      return fail(Errc::malformed, "mqtt.bag.system_property_twice");
    }
    properties.push_back(std::move(property));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
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
