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

}  // namespace picket::pipeline
