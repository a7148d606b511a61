// The properties that IoT Hub carries behind a topic: `k=v&k=v`, percent-encoded (spec: IoT Hub MQTT, telemetry
// topics).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/result.h"

namespace picket::mqtt {

/// One property. System properties have names that begin with "$.", such as "$.mid".
struct Property {
  std::string name;
  std::optional<std::string> value;  ///< nullopt: written as "name" without '='; empty: "name=".
  friend bool operator==(const Property&, const Property&) = default;
};

inline constexpr std::size_t kPropertiesMax = 128;

namespace system_property {
inline constexpr std::string_view kMessageId = "$.mid";
inline constexpr std::string_view kCorrelationId = "$.cid";
inline constexpr std::string_view kUserId = "$.uid";
inline constexpr std::string_view kTo = "$.to";
inline constexpr std::string_view kContentType = "$.ct";
inline constexpr std::string_view kContentEncoding = "$.ce";
inline constexpr std::string_view kExpiry = "$.exp";
inline constexpr std::string_view kInterfaceId = "$.ifid";
inline constexpr std::string_view kComponent = "$.sub";
inline constexpr std::string_view kOutput = "$.on";
}  // namespace system_property

/// What `$.ifid` of a security message says.
inline constexpr std::string_view kSecurityInterface = "urn:azureiot:Security:SecurityAgent:1";

/// Properties in the order of the topic. An application property may occur more than once, a system property not.
class PropertyBag {
 public:
  PropertyBag() = default;
  explicit PropertyBag(std::vector<Property> properties) : properties_(std::move(properties)) {}

  void add(std::string_view name, std::string_view value) {
    properties_.push_back({std::string(name), std::string(value)});
  }
  [[nodiscard]] const std::vector<Property>& properties() const { return properties_; }
  [[nodiscard]] bool empty() const { return properties_.empty(); }
  /// Value of the first property of that name; a property without a value has the empty one. nullopt: there is none.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  /// Bytes that count towards the size of a message: values of system properties, names and values of the others
  /// (spec: IoT Hub quotas, message size).
  [[nodiscard]] std::size_t counted_bytes() const;

  friend bool operator==(const PropertyBag&, const PropertyBag&) = default;

 private:
  std::vector<Property> properties_;
};

/// Reads a bag. `$` and `%24` are the same; one '/' at the end is dropped, since the Node SDK appends it to an output.
/// Errors: malformed (bad percent-encoding, not UTF-8, U+0000, property without a name, system property twice);
/// limit_exceeded (more than kPropertiesMax).
Result<PropertyBag> decode_property_bag(std::string_view text);

/// One property without copies.
struct PropertyView {
  std::string_view name;
  std::optional<std::string_view> value;
};

/// The same rules and errors, for paths where a copy a property is too much. Appends to `out`; views point into `text`,
/// and into `decoded` where percent-encoding had to be undone. `decoded` is overwritten. `text` must be part of a topic
/// that the codec has let through: UTF-8 without U+0000.
Result<> decode_property_views(std::string_view text, std::string& decoded, std::vector<PropertyView>& out);

/// Writes a bag as the SDKs do; decode_property_bag(encode_property_bag(bag)) == bag for every bag with names that are
/// not empty, texts that are UTF-8 and system properties that occur once.
std::string encode_property_bag(const PropertyBag& bag);

}  // namespace picket::mqtt
