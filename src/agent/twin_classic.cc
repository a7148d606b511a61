// The classic agents' settings object, where its meaning maps to ours.
#include "twin_properties.h"
#include "twin_text.h"

namespace picket::agent {
namespace {

using namespace twin;
using namespace std::string_view_literals;

/// eventPriority… of the classic agents. Empty: no collector of ours has it, the value is only checked.
constexpr Pair kClassicPriorities[] = {
    {"ConfigurationError", ""},
    {"ConnectedHardware", "peripheral"},
    {"ConnectionCreate", "network"},
    {"Diagnostic", "log"},
    {"DroppedEventsStatistics", ""},
    {"FirewallConfiguration", "firewall"},
    {"ListeningPorts", "listening_ports"},
    {"LocalUsers", "local_users"},
    {"Login", "login"},
    {"MessageStatistics", "statistics"},
    {"OSBaseline", "baseline"},
    {"ProcessCreate", "process"},
    {"ProcessTerminate", ""},
    {"SystemInformation", "system"},
};
/// What the classic agents take together with snapshotFrequency.
constexpr std::string_view kSnapshots[] = {"listening_ports", "local_users", "firewall", "system", "baseline", "sbom"};
/// Classic properties without an equal here: checked for their type only.
constexpr std::string_view kClassicBooleans[] = {
    "aggregationEnabledProcessCreate", "aggregationEnabledConnectionCreate", "aggregationEnabledProcessTerminate"};
constexpr std::string_view kClassicDurations[] = {
    "aggregationIntervalProcessCreate", "aggregationIntervalConnectionCreate", "aggregationIntervalProcessTerminate"};
constexpr std::string_view kCustomChecks[] = {"baselineCustomChecksEnabled", "baselineCustomChecksFilePath",
                                              "baselineCustomChecksFileHash"};
constexpr std::string_view kCustomKey = "collectors.baseline.custom";
constexpr std::string_view kClassicOthers[] = {"highPriorityMessageFrequency", "lowPriorityMessageFrequency",
                                               "snapshotFrequency", "maxLocalCacheSizeInBytes",
                                               "maxMessageSizeInBytes"};
constexpr std::string_view kPriorityPrefix = "eventPriority";
constexpr std::size_t kEchoBytesMax = 512;  ///< Of one value; longer ones are not echoed.

}  // namespace

Checked<Duration> parse_iso_duration(std::string_view text) {
  const std::string problem = "must be an ISO 8601 duration such as PT7M";
  if (!text.starts_with('P') || text.size() < 3 || text.back() == 'T') return std::unexpected(problem);
  text.remove_prefix(1);
  std::int64_t seconds = 0;
  std::string_view units = "DHMS";  // each at most once, in this order
  bool time = false;
  while (!text.empty()) {
    if (text.front() == 'T' && !time) {
      time = true;
      text.remove_prefix(1);
      continue;
    }
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (error != std::errc() || number < 0 || number > 1'000'000'000 || text.empty()) return std::unexpected(problem);
    const auto unit = units.find(text.front());
    if (unit == std::string_view::npos || (text.front() == 'D') == time) return std::unexpected(problem);
    seconds += number * (text.front() == 'D' ? 86'400 : text.front() == 'H' ? 3'600 : text.front() == 'M' ? 60 : 1);
    units.remove_prefix(unit + 1);
    text.remove_prefix(1);
  }
  return Duration::seconds(seconds);
}

void append_classic_report(JsonWriter& json, std::string_view good) {
  json.key(kClassicTwinObject);
  const auto parsed = parse_json(good);
  const auto object = parsed ? parsed->find(kClassicTwinObject) : std::nullopt;
  bool empty = true;
  if (object) object->for_members([&](std::string_view, Json) { empty = false; });
  if (empty) {  // nobody here has a classic agent's settings
    json.null();
    return;
  }
  json.begin_object();
  const auto echo = [&](const std::string& name) {
    const auto value = object->find(name);
    json.key(name);
    if (!value || value->raw().size() > kEchoBytesMax) {
      json.null();
    } else {
      json.begin_object().key("value").raw(value->raw()).end_object();
    }
  };
  for (const std::string_view each : kClassicOthers) echo(std::string(each));
  for (const Pair& each : kClassicPriorities) echo(std::string(kPriorityPrefix) + std::string(each.published));
  for (const std::string_view each : kClassicBooleans) echo(std::string(each));
  for (const std::string_view each : kClassicDurations) echo(std::string(each));
  for (const std::string_view each : kCustomChecks) echo(std::string(each));
  json.end_object();
}

TwinOverlay::Problem TwinOverlay::apply_classic(const std::string& text) {
  if (name_ == "highPriorityMessageFrequency") return seconds({"intervals.high"}, text);
  if (name_ == "lowPriorityMessageFrequency") return seconds({"intervals.medium", "intervals.low"}, text);
  if (name_ == "snapshotFrequency") {
    std::vector<std::string> keys;
    for (const std::string_view each : kSnapshots) keys.push_back(collector_key(each, "every"));
    return seconds(std::move(keys), text);
  }
  if (name_ == "maxLocalCacheSizeInBytes") {
    key_ = "spool.bytes_max";
    const auto bytes = to_number(text);
    if (!bytes || *bytes < 8'192) return invalid("must be a number of bytes, at least 8192");
    return set_all({{key_, std::to_string(std::max<std::uint64_t>(*bytes, 64 << 10))}});
  }
  if (name_ == "maxMessageSizeInBytes") {
    const auto bytes = to_number(text);
    if (!bytes || *bytes < 8'192 || *bytes > 262'144) return invalid("must be a number of bytes, 8192 to 262144");
    return std::nullopt;  // ours are smaller
  }
  if (name_.starts_with(kPriorityPrefix)) {
    const Pair* found = find_in(kClassicPriorities, name_.substr(kPriorityPrefix.size()), &Pair::published);
    if (found != nullptr) return classic_priority(found->ours, text);
  }
  if (holds(kClassicBooleans, name_)) return to_bool(text) ? Problem() : invalid("must be true or false");
  if (holds(kClassicDurations, name_)) {
    const auto duration = parse_iso_duration(text);
    return duration ? Problem() : invalid(duration.error());
  }
  if (holds(kCustomChecks, name_)) return custom_checks(text);
  return invalid("is no setting of the classic agent");
}

/// The customer's own rules. Classic agents had them off unless they were turned on, so a path alone turns nothing on.
TwinOverlay::Problem TwinOverlay::custom_checks(const std::string& text) {
  key_ = kCustomKey;
  if (name_.ends_with("Enabled")) {
    const auto on = to_bool(text);
    return on ? set_all({{key_, *on ? "true" : "false"}}) : invalid("must be true or false");
  }
  if (name_.ends_with("Hash")) {
    key_ += "_sha256";
    const bool hex = std::ranges::all_of(lower(text), [](char c) { return "0123456789abcdef"sv.contains(c); });
    if (!text.empty() && (!hex || text.size() != 64)) return invalid("must be a SHA-256: 64 hexadecimal digits");
    return set_all({{key_, text}});
  }
  const auto chosen = config_.chosen.find(kCustomKey);
  const bool decided = chosen != config_.chosen.end() && chosen->second.source == SettingSource::twin;
  key_ += "_content";
  std::vector<Change> changes{{key_, text}};
  if (!decided) changes.push_back({std::string(kCustomKey), "false"});
  return set_all(changes);
}

TwinOverlay::Problem TwinOverlay::classic_priority(std::string_view collector, const std::string& text) {
  const std::string word = lower(text);
  if (word != "off" && word != "low" && word != "high") return invalid("must be Off, Low or High");
  if (collector.empty()) return std::nullopt;
  key_ = collector_key(collector, "enabled");
  if (word == "off") return set_all({{key_, "false"}});
  return set_all({{key_, "true"}, {collector_key(collector, "priority"), word}});
}

TwinOverlay::Problem TwinOverlay::seconds(std::vector<std::string> keys, const std::string& text) {
  key_ = keys.front();
  const auto duration = parse_iso_duration(text);
  if (!duration) return invalid(duration.error());
  std::vector<Change> changes;
  for (std::string& key : keys) changes.push_back({std::move(key), std::to_string(duration->whole_seconds()) + "s"});
  return set_all(changes);
}

}  // namespace picket::agent
