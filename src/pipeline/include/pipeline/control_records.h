// Records that change what the pipeline does, for whoever appends them to the messages journal.
#pragma once

#include <string>
#include <string_view>

#include "pipeline/catalogue.h"

namespace picket::pipeline {

inline constexpr std::size_t kGroupBytesMax = 256;

/// Body of a group_change record; the record's identity names the device.
std::string group_change_body(std::string_view group);
/// Body of a rules_change record. Without one the profile is Profile::standard.
std::string rules_change_body(Profile profile);
/// Body of a rules_change record: a type of recommendation is switched on or off. Without one all are on.
std::string recommendation_switch_body(std::string_view type, bool enabled);
/// Body of a rules_change record: a device security group as it stands now (security_group.h); empty: deleted.
std::string security_group_body(std::string_view hub, std::string_view name, std::string_view resource_json);

}  // namespace picket::pipeline
