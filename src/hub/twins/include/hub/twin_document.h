// The twin of a device or module as a pure value: sections, their metadata and versions, patches and their rules
// (spec/hub.md 1.1 and 1.4, "twin rules").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/time.h"
#include "hub/hub_error.h"
#include "hub/json_value.h"

namespace picket::hub {

inline constexpr std::size_t kTwinSectionBytesMax = 32 * 1024;  ///< Desired and reported, each; see twin_size().
inline constexpr std::size_t kTwinTagsBytesMax = 8 * 1024;
inline constexpr std::size_t kTwinKeyBytesMax = 1024;
inline constexpr std::size_t kTwinStringBytesMax = 4 * 1024;
inline constexpr int kTwinDepthMax = 10;  ///< Objects and arrays below the section's own object.
inline constexpr std::int64_t kTwinIntegerMin = -(std::int64_t{1} << 52);
inline constexpr std::int64_t kTwinIntegerMax = (std::int64_t{1} << 52) - 1;
inline constexpr std::size_t kTwinBodyBytesMax = 256 * 1024;  ///< JSON text of one request, white space included.

enum class TwinSection : std::uint8_t { tags, desired, reported };
std::string_view to_string(TwinSection section);  ///< "tags", "desired", "reported"

/// When a node was last changed, and in which version of its section. One for each member, at every level; arrays and
/// plain values have no children.
struct TwinMetadata {
  using Child = std::pair<std::string, TwinMetadata>;
  Timestamp updated;
  std::uint64_t version = 1;
  std::vector<Child> children;  ///< Sorted by key: the keys of the object beside it.
  friend bool operator==(const TwinMetadata&, const TwinMetadata&) = default;
};

/// Desired or reported.
struct TwinPart {
  JsonObject value;
  TwinMetadata metadata;
  std::uint64_t version = 1;
};

struct TwinDocument {
  JsonObject tags;
  TwinPart desired;
  TwinPart reported;
  std::uint64_t version = 1;  ///< Of the whole: grows with each change of any section.
  std::string etag;
};

/// What counts against the limits: keys and strings in bytes without control characters, numbers 8, booleans and
/// null 4.
std::size_t twin_size(const JsonObject& section);
std::size_t twin_size(const JsonValue& value);

/// Checks keys, depth, strings and integers of a section or of a patch for it. Errors: 400 with the path of the value.
HubResult<> check_twin_section(const JsonObject& section, TwinSection where);

/// Merges `patch` into the part: null deletes, objects merge, everything else replaces. The part's version grows by one
/// and each node on the way is stamped. Members "$metadata" and "$version" at the patch's root are left out. Errors:
/// 400 when the patch breaks a rule, 413 when the section would grow over its limit; the part is unchanged then.
HubResult<> patch_part(TwinPart& part, const JsonObject& patch, TwinSection where, Timestamp now);
/// The same for tags, which have neither version nor metadata.
HubResult<> patch_tags(JsonObject& tags, const JsonObject& patch);

/// Puts `content` in the place of the whole part; nulls in it mean "not there". Returns the merge patch that has the
/// same effect: with a null for each member that goes.
HubResult<JsonObject> replace_part(TwinPart& part, const JsonObject& content, TwinSection where, Timestamp now);
HubResult<> replace_tags(JsonObject& tags, const JsonObject& content);

/// A change asked for by a service: sections that are absent stay as they are.
struct TwinChange {
  std::optional<JsonObject> tags;
  std::optional<JsonObject> desired;
  bool clear_tags = false;     ///< "tags": null
  bool clear_desired = false;  ///< "desired": null
};
/// Reads the body of a PATCH or PUT: {"tags": {...}, "properties": {"desired": {...}}}. What a service cannot set
/// (reported properties, identity fields) is ignored, since SDKs send whole twins back. Errors: 400, 413.
HubResult<TwinChange> parse_twin_change(std::string_view body);
/// Reads the body of a device's patch of reported properties. Errors: 400, 413.
HubResult<JsonObject> parse_reported_patch(std::string_view body);

/// {"desired":{...,"$version":n},"reported":{...,"$version":n}}: what the device itself reads.
std::string device_view(const TwinDocument& twin);
/// The patch with "$version" as its last member: what a device is notified with.
std::string patch_with_version(const JsonObject& patch, std::uint64_t version);
/// Members with "$metadata" and "$version", without braces: `"a":1,"$metadata":{...},"$version":3`.
JsonObject part_with_metadata(const TwinPart& part);

/// Compact text of metadata for storage, and back. Errors: malformed "twin.metadata".
std::string store_metadata(const TwinMetadata& metadata);
Result<TwinMetadata> load_metadata(std::string_view text);

}  // namespace picket::hub
