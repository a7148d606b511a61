// What a module twin wants of this agent: the micro agent's published properties, the classic agents' object, and ours
// (docs/agent.md, "Settings from the module twin"; spec: the desired properties of DefenderIotMicroAgent).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config.h"
#include "agent/twin_client.h"
#include "base/core/json_reader.h"

namespace picket::agent {

/// The classic agents' settings: {"name": {"value": …}, …} below this name.
inline constexpr std::string_view kClassicTwinObject = "ms_iotn:urn_azureiot_Security_SecurityAgentConfiguration";
/// Ours: "Picket_" and the key of `picket-agent settings` with '_' for '.': "Picket_spool_age_max".
inline constexpr std::string_view kOurTwinPrefix = "Picket_";
/// Longest "desired" section that is looked at.
inline constexpr std::size_t kTwinBytesMax = 128 << 10;
inline constexpr std::size_t kTwinProblemsMax = 64;

/// A property that could not be used as it stands.
struct TwinProblem {
  enum class Kind : std::uint8_t {
    type,         ///< Not a value of its type, or out of bounds.
    conflict,     ///< The local policy forbids it.
    not_optimal,  ///< Used all the same.
  };
  std::string name;  ///< As in the twin.
  Kind kind = Kind::type;
  std::string reason;  ///< For people.
  std::string used;    ///< The value in force instead.
};

struct TwinSettings {
  Config config;                      ///< The local one with what the twin changed.
  std::vector<TwinProblem> problems;  ///< At most kTwinProblemsMax; more are only counted.
  std::size_t invalid = 0;            ///< Properties that are not in force: all problems but not_optimal ones.
  std::string good;                   ///< JSON: what was accepted; the `last_good` of the next call.
};

/// What status says about the twin.
struct TwinStatus {
  TwinClient::Status link;
  std::uint64_t changes = 0;  ///< Times that settings have changed while this agent ran.
  std::vector<TwinProblem> problems;
  std::size_t invalid = 0;
};

/// Whether a collector of this build has a tier of this name.
using TierCheck = std::function<bool(std::string_view collector, std::string_view tier)>;

/// `local` as the twin's desired section changes it. A property that is invalid keeps its value of `last_good` (JSON,
/// or empty), else the local one. Names that are not of an agent are not ours to judge. Pure.
TwinSettings overlay_twin(const Config& local, const Json& desired, std::string_view last_good,
                          const TierCheck& tier_exists);

/// Settings that only the device itself may have: identity, places, connection, policy, response.
bool twin_may_set(std::string_view key);

/// Keys whose values differ, in order.
std::vector<std::string> changed_settings(const Config& before, const Config& after);
/// The collector that `key` belongs to: "process" of "collectors.process.tier"; empty: none.
std::string_view collector_of_setting(std::string_view key);

/// The reported section: latest_state and latest_invalid_fields as published, the classic object as the classic agents
/// echo it, and ours: Picket_AgentVersion,
/// Picket_Settings (what is not at its default, with its source), Picket_Problems, Picket_Collectors.
/// `collectors_json` is CollectorSet::coverage_json(). Lists are replaced whole by the hub, so nothing old stays.
std::string reported_twin(const TwinSettings& settings, std::string_view agent_version,
                          std::string_view collectors_json);

/// "PT7M", "P1DT2H": ISO 8601 in days, hours, minutes and whole seconds.
Checked<Duration> parse_iso_duration(std::string_view text);

}  // namespace picket::agent
