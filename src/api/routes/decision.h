// What people decide about alerts and incidents: the same members in every body.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "../json_body.h"

namespace picket::api {

struct Decision {
  std::optional<std::string> status, comment, owner, classification, classification_reason;
};

/// Members status (one of `allowed`), comment, owner, classification and classificationReason (as Sentinel has them).
/// At least one is needed. Errors: invalid_argument.
std::expected<Decision, ApiError> decision_of(const JsonBody& body, std::initializer_list<std::string_view> allowed);

}  // namespace picket::api
