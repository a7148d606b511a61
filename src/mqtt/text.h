// Rules for texts on the wire, sections 1.5.3 and 4.7.
#pragma once

#include <string_view>

#include "base/core/result.h"

namespace picket::mqtt {

/// UTF-8 without U+0000 [MQTT-1.5.3-1, MQTT-1.5.3-2].
Result<> check_text(std::string_view text, std::string_view where);

/// A topic name: a text of at least one character [MQTT-4.7.3-1] without control characters and, unless they are
/// literals, without wildcards [MQTT-3.3.2-2].
Result<> check_topic(std::string_view topic, bool literal_wildcards, std::string_view where);

/// A topic filter: like a topic, with '#' only as the whole last level [MQTT-4.7.1-2] and '+' only as a whole level
/// [MQTT-4.7.1-3], unless they are literals.
Result<> check_filter(std::string_view filter, bool literal_wildcards, std::string_view where);

}  // namespace picket::mqtt
