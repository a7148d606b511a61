// Reading fields of JSON from outside, with IoT Hub's error for the one that is wrong. Private to this module.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/core/json_writer.h"
#include "hub/hub_error.h"
#include "hub/identity_json.h"

/// As TRY, for HubResult.
#define HUB_TRY(declaration, ...) \
  PICKET_TRY_IMPL(PICKET_CONCAT(hub_try_, __COUNTER__), declaration, (__VA_ARGS__), return)
#define HUB_TRY_VOID(...) PICKET_TRY_VOID_IMPL(PICKET_CONCAT(hub_try_, __COUNTER__), (__VA_ARGS__), return)

namespace picket::hub {

std::unexpected<HubError> invalid(std::string_view member, std::string_view expected);

/// At most 1 MiB and 16 levels.
HubResult<boost::json::value> parse_value(std::string_view text);
HubResult<boost::json::object> parse_object(std::string_view text);

/// nullopt: absent or null.
HubResult<std::optional<std::string>> text_member(const boost::json::object& in, std::string_view name,
                                                  std::size_t bytes_max);
/// nullptr: absent or null.
HubResult<const boost::json::object*> object_member(const boost::json::object& in, std::string_view name);

/// No control characters.
bool is_line(std::string_view text);

void write_authentication(JsonWriter& json, state::AuthType type, const state::Keys& keys,
                          const state::Thumbprints& thumbprints, bool with_keys);
void write_scopes(JsonWriter& json, const state::Device& device);

/// Of an object whose names were read already.
HubResult<DeviceSpec> device_spec(const boost::json::object& in, std::string_view device_id);
HubResult<ModuleSpec> module_spec(const boost::json::object& in, std::string_view device_id,
                                  std::string_view module_id);

}  // namespace picket::hub
