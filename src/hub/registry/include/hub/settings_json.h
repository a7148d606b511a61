// The settings document of a hub (docs/hub.md, Hubs and identities). Pure.
#pragma once

#include <string>
#include <string_view>

#include "hub/hub_error.h"
#include "hub/hub_settings.h"

namespace picket::hub {

inline constexpr std::size_t kDiagnosticSettingsMax = 5;
inline constexpr std::size_t kCategoriesMax = 32;

/// Every member, in a stable order.
std::string to_json(const HubConfiguration& configuration);
/// Members that are absent have their defaults; unknown ones are refused, so that a typing error opens nothing.
/// Errors: 400004 names the member.
HubResult<HubConfiguration> configuration_from_json(std::string_view text);

/// A hub without secrets: name, location, tier, units, resource id, settings, etag, times.
std::string to_json(const HubSettings& hub);

}  // namespace picket::hub
