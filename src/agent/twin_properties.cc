#include "twin_properties.h"

#include <algorithm>
#include <bit>

#include "twin_text.h"

namespace picket::agent {
namespace {

using namespace twin;

/// The micro agent's collectors: "Process_Disabled", "Process_MessageFrequency", ...
constexpr Pair kCollectorNames[] = {
    {"Baseline", "baseline"}, {"FileSystem", "file_system"},  {"Heartbeat", "heartbeat"},      {"LogCollector", "log"},
    {"Login", "login"},       {"NetworkActivity", "network"}, {"Peripheral", "peripheral"},    {"Process", "process"},
    {"SBoM", "sbom"},         {"Statistics", "statistics"},   {"SystemInformation", "system"},
};
/// Prefixes of published names that belong to no collector.
constexpr std::string_view kCore[] = {"CollectorsCore", "IothubModule", "Picket"};

/// Published properties that are one setting of ours, in the same form.
enum class Form : std::uint8_t { boolean, text, list, ring, minutes };
struct Published {
  std::string_view name;
  Form form;
  std::string_view key;
};
constexpr Published kPublished[] = {
    {"Baseline_ChecksDisabled", Form::list, "collectors.baseline.checks_disabled"},
    {"Baseline_GroupsDisabled", Form::list, "collectors.baseline.groups_disabled"},
    {"FileSystem_Paths", Form::list, "collectors.file_system.paths"},
    {"FileSystem_Recursive", Form::boolean, "collectors.file_system.recursive"},
    {"IothubModule_MessageTimeout", Form::minutes, "spool.age_max"},
    {"NetworkActivity_Devices", Form::list, "collectors.network.devices"},
    {"NetworkActivity_PacketBufferSize", Form::ring, "collectors.network.ring_bytes"},
    {"SystemInformation_FirmwareVendor", Form::text, "collectors.system.firmware_vendor"},
    {"SystemInformation_FirmwareVersion", Form::text, "collectors.system.firmware_version"},
    {"SystemInformation_HardwareModel", Form::text, "collectors.system.hardware_model"},
    {"SystemInformation_HardwareSerialNumber", Form::text, "collectors.system.hardware_serial"},
    {"SystemInformation_HardwareVendor", Form::text, "collectors.system.hardware_vendor"},
};

/// Documents show these for "not set".
bool is_nothing(std::string_view text) { return text.empty() || lower(text) == "null" || lower(text) == "none"; }

/// A text, number or boolean as text; a list of texts with commas. nullopt: an object, or a list of others.
std::optional<std::string> value_text(const Json& value) {
  switch (value.kind()) {
    case Json::Kind::text: {
      std::string out = *value.text();
      while (!out.empty() && out.back() == ' ') out.pop_back();
      out.erase(0, out.find_first_not_of(' ') == std::string::npos ? 0 : out.find_first_not_of(' '));
      return out;
    }
    case Json::Kind::number:
    case Json::Kind::boolean:
      return std::string(value.raw());
    case Json::Kind::array: {
      std::string out;
      bool good = true;
      value.for_items([&](Json item) {
        const auto text = item.text();
        good = good && text;
        if (text) out += (out.empty() ? "" : ",") + *text;
      });
      return good ? std::optional(out) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

std::string twin_name(std::string_view key) {
  std::string out(kOurTwinPrefix);
  for (const char c : key) out.push_back(c == '.' ? '_' : c);
  return out;
}

const SettingInfo* find_setting(std::string_view key) {
  const auto table = setting_table();
  const auto found = std::ranges::find(table, key, &SettingInfo::key);
  return found == table.end() ? nullptr : &*found;
}

}  // namespace

bool is_agent_property(std::string_view name) {
  const std::string_view prefix = name.substr(0, name.find('_'));
  return prefix.size() < name.size() &&
         (holds(kCore, prefix) || find_in(kCollectorNames, prefix, &Pair::published) != nullptr);
}

bool twin_may_set(std::string_view key) {
  for (const std::string_view prefix : {"collectors.", "intervals.", "aggregate."}) {
    if (key.starts_with(prefix)) return true;
  }
  return key == "profile" || key == "spool.age_max" || key == "spool.bytes_max" || key == "uplink.gather";
}

void TwinOverlay::begin(std::string_view name) {
  name_ = name;
  key_.clear();
}

std::string TwinOverlay::value_in_force() const {
  const auto chosen = config_.chosen.find(key_);
  return chosen == config_.chosen.end() ? setting_default(key_) : chosen->second.text;
}

std::optional<TwinProblem> TwinOverlay::apply(std::string_view name, const Json& value, bool classic) {
  if (value.kind() == Json::Kind::null) return std::nullopt;
  const auto text = value_text(value);
  if (!text) return invalid("must be a text, a number, true or false");
  if (!config_.policy.twin) return conflict("the local policy lets the twin change nothing");
  if (classic) return apply_classic(*text);
  return name.starts_with(kOurTwinPrefix) ? apply_ours(*text) : apply_published(*text);
}

TwinOverlay::Problem TwinOverlay::apply_published(const std::string& text) {
  if (name_ == "CollectorsCore_PriorityIntervals") return intervals(text);
  if (name_ == "Process_Mode") {
    key_ = "collectors.process.tier";
    if (text == "1") return set_all({{key_, "auto"}});
    if (text == "2") return set_all({{key_, "proc-connector"}});
    if (text == "3") return set_all({{key_, "procfs"}});
    return invalid("must be 1 (auto), 2 (netlink) or 3 (polling)");
  }
  if (name_ == "Process_PollingInterval") {
    key_ = "collectors.process.poll_min";
    const auto us = to_number(text);
    if (!us || *us == 0 || *us > 60'000'000) return invalid("must be a number of microseconds from 1 to 60000000");
    const std::string ms = std::to_string(std::max<std::uint64_t>(10, *us / 1'000)) + "ms";
    return set_all({{key_, ms}, {"collectors.process.poll_max", ms}});
  }
  if (name_ == "Login_UsePAM") {
    key_ = "collectors.login.tier";
    const auto use = to_bool(text);
    if (!use) return invalid("must be true or false");
    const bool has_tier = tier_exists_ && tier_exists_("login", "pam-log");
    if (auto problem = set_all({{key_, *use && has_tier ? "pam-log" : "auto"}}); problem || !*use || has_tier) {
      return problem;
    }
    return TwinProblem{name_, TwinProblem::Kind::not_optimal, "what PAM decides is read from the kernel's audit", {}};
  }
  if (const Published* found = find_in(kPublished, name_, &Published::name)) {
    key_ = found->key;
    switch (found->form) {
      case Form::boolean: {
        const auto on = to_bool(text);
        return on ? set_all({{key_, *on ? "true" : "false"}}) : invalid("must be true or false");
      }
      case Form::text:
      case Form::list:
        return set_all({{key_, is_nothing(text) ? std::string() : text}});
      case Form::minutes: {
        const auto minutes = to_number(text);
        if (!minutes || *minutes == 0 || *minutes > 525'600) return invalid("must be a number of minutes, 1 to 525600");
        return set_all({{key_, text + "m"}});
      }
      case Form::ring: {
        const auto bytes = to_number(text);
        if (!bytes || *bytes == 0 || *bytes > 1U << 30) return invalid("must be a number of bytes, 1 to 1073741824");
        return set_all({{key_, std::to_string(std::bit_ceil(std::clamp<std::uint64_t>(*bytes, 4 << 10, 16 << 20)))}});
      }
    }
  }
  const auto split = name_.find('_');
  const Pair* collector = find_in(kCollectorNames, name_.substr(0, split), &Pair::published);
  const std::string_view what = std::string_view(name_).substr(split + 1);
  if (collector != nullptr && what == "Disabled") {
    key_ = collector_key(collector->ours, "enabled");
    const auto off = to_bool(text);
    return off ? set_all({{key_, *off ? "false" : "true"}}) : invalid("must be true or false");
  }
  if (collector != nullptr && what == "MessageFrequency") return frequency(collector->ours, text);
  if (collector != nullptr && what == "CacheSize") {
    key_ = collector_key(collector->ours, "cache");
    return set_all({{key_, text}});
  }
  return invalid("is no setting of the agent");
}

TwinOverlay::Problem TwinOverlay::intervals(const std::string& text) {
  key_ = "intervals.high";
  constexpr std::string_view kKeys[] = {"intervals.high", "intervals.medium", "intervals.low"};
  std::vector<Change> changes;
  std::vector<std::uint64_t> minutes;
  std::string_view rest = text;
  for (const std::string_view key : kKeys) {
    std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(item.size() + 1, rest.size()));
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    const auto number = to_number(item);
    if (!number || *number == 0 || *number > 10'080) break;
    minutes.push_back(*number);
    changes.push_back({std::string(key), std::string(item) + "m"});
  }
  if (minutes.size() != 3 || !rest.empty())
    return invalid("must be three numbers of minutes, 1 to 10080: High,Medium,Low");
  if (auto problem = set_all(changes)) return problem;
  if (minutes[1] % minutes[0] == 0 && minutes[2] % minutes[1] == 0) return std::nullopt;
  return TwinProblem{name_, TwinProblem::Kind::not_optimal, "each interval should be a multiple of the one before", {}};
}

TwinOverlay::Problem TwinOverlay::frequency(std::string_view collector, const std::string& text) {
  key_ = collector_key(collector, "priority");
  const std::string word = lower(text);
  if (word != "low" && word != "medium" && word != "high") return invalid("must be Low, Medium or High");
  return set_all({{key_, word}});
}

TwinOverlay::Problem TwinOverlay::apply_ours(const std::string& text) {
  for (const SettingInfo& info : setting_table()) {
    if (twin_name(info.key) != name_) continue;
    key_ = info.key;
    if (!twin_may_set(info.key)) return conflict("can only be set on the device");
    const auto boolean = info.form == "true or false" ? to_bool(text) : std::nullopt;
    return set_all({{key_, boolean ? (*boolean ? "true" : "false") : text}});
  }
  return invalid("is no setting of this agent; 'picket-agent settings' lists all");
}

TwinOverlay::Problem TwinOverlay::set_all(const std::vector<Change>& changes) {
  Config trial = config_;
  for (const Change& change : changes) {
    if (find_setting(change.key) == nullptr) continue;
    if (auto problem = refused_by_policy(change)) return problem;
    if (change.key.ends_with(".tier") && tier_exists_ && change.text != "auto" &&
        !tier_exists_(collector_of_setting(change.key), change.text)) {
      return invalid("the collector has no tier '" + change.text.substr(0, 64) + "'");
    }
    if (auto problem = change_setting(trial, change.key, change.text, SettingSource::twin); !problem.empty()) {
      return invalid(std::move(problem));
    }
  }
  config_ = std::move(trial);
  return std::nullopt;
}

TwinOverlay::Problem TwinOverlay::refused_by_policy(const Change& change) const {
  const PolicySettings& policy = config_.policy;
  for (const std::string& locked : policy.twin_locked) {
    if (change.key == locked || (change.key.starts_with(locked) && change.key[locked.size()] == '.')) {
      return conflict("the local policy locks " + locked);
    }
  }
  const std::string_view collector = collector_of_setting(change.key);
  if (change.key.ends_with(".enabled") && change.text == "false" && !holds(policy.twin_may_disable, "*") &&
      !holds(policy.twin_may_disable, collector)) {
    return conflict("the local policy keeps this collector on");
  }
  if (const auto duration = parse_duration(change.text);
      duration && (change.key.starts_with("intervals.") || change.key.ends_with(".every")) &&
      *duration > policy.twin_interval_max) {
    return conflict("the local policy allows at most " + std::to_string(policy.twin_interval_max.whole_seconds()) +
                    " s");
  }
  const SettingInfo* const info = find_setting(change.key);
  if (const auto bytes = parse_bytes(change.text);
      bytes && info != nullptr && info->form == "bytes" && *bytes > policy.twin_bytes_max) {
    return conflict("the local policy allows at most " + std::to_string(policy.twin_bytes_max) + " bytes");
  }
  return std::nullopt;
}

}  // namespace picket::agent
