#include "decision.h"

#include <algorithm>
#include <array>
#include <span>

#include "../router.h"

namespace picket::api {
namespace {

constexpr std::size_t kCommentBytesMax = 4000;
constexpr std::size_t kOwnerBytesMax = 128;
constexpr std::array<std::string_view, 5> kClassifications{"", "Undetermined", "TruePositive", "BenignPositive",
                                                           "FalsePositive"};
constexpr std::array<std::string_view, 5> kReasons{"", "SuspiciousActivity", "SuspiciousButExpected",
                                                   "IncorrectAlertLogic", "InaccurateData"};

bool among(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

std::expected<Decision, ApiError> decision_of(const JsonBody& body, std::initializer_list<std::string_view> allowed) {
  Decision out;
  API_TRY(out.status, body.text("status", 32));
  API_TRY(out.comment, body.text("comment", kCommentBytesMax));
  API_TRY(out.owner, body.text("owner", kOwnerBytesMax));
  API_TRY(out.classification, body.text("classification", 32));
  API_TRY(out.classification_reason, body.text("classificationReason", 32));
  if (!out.status && !out.comment && !out.owner && !out.classification && !out.classification_reason) {
    return std::unexpected(invalid("", "Give status, comment, owner, classification or classificationReason."));
  }
  if (out.status && std::ranges::find(allowed, *out.status) == allowed.end()) {
    std::string names;
    for (const std::string_view name : allowed) names += (names.empty() ? "" : ", ") + std::string(name);
    return std::unexpected(invalid("status", "This must be one of " + names + "."));
  }
  if (out.classification && !among(kClassifications, *out.classification)) {
    return std::unexpected(
        invalid("classification", "This must be Undetermined, TruePositive, BenignPositive or FalsePositive."));
  }
  if (out.classification_reason && !among(kReasons, *out.classification_reason)) {
    return std::unexpected(invalid("classificationReason",
                                   "This must be SuspiciousActivity, SuspiciousButExpected, IncorrectAlertLogic or "
                                   "InaccurateData."));
  }
  return out;
}

}  // namespace picket::api
