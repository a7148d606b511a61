// Indicators of threat intelligence as the pipeline gets them: by intelligence_change records, so that the same journal
// gives the same alerts (docs/formats/control-records.md).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/identity.h"
#include "base/core/result.h"
#include "base/core/time.h"
#include "pipeline/alert.h"

namespace picket::intelligence {
class Index;
struct Match;
}  // namespace picket::intelligence

namespace picket::pipeline {

/// Value of the property `name` of a record that puts a set in force; its property `version` names the set.
inline constexpr std::string_view kIndicators = "indicators";
/// The same of a record that tells what stored events have shown; its body is a RetroHunt.
inline constexpr std::string_view kRetroHunt = "retro-hunt";

/// The set of a version. Called from the pipeline's thread; the answer stays what it is for all time. Errors:
/// not_found.
using OpenIndicators = std::function<Result<std::shared_ptr<const intelligence::Index>>(std::string_view version)>;

/// How a device was seen with something that is listed.
enum class SightingKind : std::uint8_t {
  connection,  ///< It connected to the address: IoT_TiConnection.
  inbound,     ///< It was connected to from there: IoT_TiConnection, one alert a day.
  login,       ///< Somebody logged in from there: IoT_TiConnection.
  name,        ///< It looked the name up, or got the address for an answer: IoT_MaliciousNameQueriesDetection.
  url,         ///< A command of it names the URL: IoT_PossibleMalware.
  file,        ///< It ran or wrote the file: IoT_MaliciousFile.
};
std::string_view to_string(SightingKind kind);
std::string_view alert_type_of(SightingKind kind);

/// What an alert says of an indicator, with everything that the index knows of it.
struct IndicatorSighting {
  SightingKind kind = SightingKind::connection;
  std::string observed;        ///< "192.0.2.7:4444", as the device was seen with it.
  std::string indicator;       ///< "192.0.2.0/24", as it is listed.
  std::string indicator_kind;  ///< "network4".
  std::string feeds;           ///< Joined with ", ", the surest first.
  std::string licence;         ///< Of the surest one; so the rest.
  std::string threat;
  std::string reference;
  std::uint8_t confidence = 0;
  Timestamp listed;
  Timestamp expires;  ///< 0: does not.

  friend bool operator==(const IndicatorSighting&, const IndicatorSighting&) = default;
};
IndicatorSighting sighting_of(SightingKind kind, std::string_view observed, const intelligence::Match& match,
                              const intelligence::Index& index);

/// One device that was seen with one indicator before that was listed.
struct RetroHit {
  Identity device;
  IndicatorSighting sighting;
  Timestamp first;
  Timestamp last;
  std::uint64_t count = 1;
  std::optional<EvidenceRow> evidence;

  friend bool operator==(const RetroHit&, const RetroHit&) = default;
};
struct RetroHunt {
  std::string version;  ///< Of the set.
  std::uint32_t days = 0;
  std::vector<RetroHit> hits;

  friend bool operator==(const RetroHunt&, const RetroHunt&) = default;
};
inline constexpr std::size_t kRetroHitsMax = 2'000;  ///< In one record.

std::string to_json(const RetroHunt& hunt);
/// Errors: malformed "indicators.retro", limit_exceeded.
Result<RetroHunt> parse_retro_hunt(std::string_view json);

}  // namespace picket::pipeline
