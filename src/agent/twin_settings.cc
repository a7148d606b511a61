#include "agent/twin_settings.h"

#include <algorithm>
#include <bit>
#include <charconv>

#include "base/core/json_writer.h"
#include "twin_properties.h"

namespace picket::agent {
namespace {

constexpr std::size_t kReportedListMax = 8 << 10;  ///< Bytes of each of our lists; the hub takes 32 KB in all.

/// One property on its way into the settings.
struct Property {
  std::string name;
  Json value;
  bool classic = false;
};

std::vector<Property> properties_of(const Json& desired) {
  std::vector<Property> classic, flat;
  desired.for_members([&](std::string_view name, Json value) {
    if (name == kClassicTwinObject) {
      value.for_members([&](std::string_view each, Json wrapped) {
        if (each.starts_with('$')) return;
        classic.push_back({std::string(each), wrapped.find("value").value_or(wrapped), true});
      });
    } else if (is_agent_property(name)) {
      flat.push_back({std::string(name), value, false});
    }
  });
  std::ranges::move(flat, std::back_inserter(classic));  // the newer names win
  return classic;
}

std::optional<Json> find_good(const std::optional<Json>& good, const Property& property) {
  if (!good) return std::nullopt;
  const auto object = property.classic ? good->find(kClassicTwinObject) : good;
  return object ? object->find(property.name) : std::nullopt;
}

/// The good properties as JSON, in the shape of a desired section.
class GoodWriter {
 public:
  void add(const Property& property, const Json& value) {
    auto& json = property.classic ? classic_ : flat_;
    if (!json.empty()) json += ',';
    append_json_string(json, property.name);
    json.append(":").append(value.raw());
  }
  std::string take() {
    std::string out = "{";
    append_json_string(out, kClassicTwinObject);
    out.append(":{").append(classic_).append("}");
    if (!flat_.empty()) out.append(",").append(flat_);
    return out + "}";
  }

 private:
  std::string classic_, flat_;
};

}  // namespace

TwinSettings overlay_twin(const Config& local, const Json& desired, std::string_view last_good,
                          const TierCheck& tier_exists) {
  TwinSettings out{.config = local};
  std::optional<Json> good_before;
  if (const auto parsed = parse_json(last_good)) good_before = *parsed;
  GoodWriter good;
  TwinOverlay overlay(out.config, tier_exists);
  for (const Property& property : properties_of(desired)) {
    overlay.begin(property.name);
    auto problem = overlay.apply(property.name, property.value, property.classic);
    if (!problem || problem->kind == TwinProblem::Kind::not_optimal) {
      good.add(property, property.value);
    } else {
      ++out.invalid;
      const auto before = find_good(good_before, property);
      if (before && !overlay.apply(property.name, *before, property.classic)) good.add(property, *before);
    }
    if (!problem || out.problems.size() == kTwinProblemsMax) continue;
    problem->used = overlay.value_in_force();
    out.problems.push_back(*std::move(problem));
  }
  out.good = good.take();
  return out;
}

std::vector<std::string> changed_settings(const Config& before, const Config& after) {
  std::vector<std::string> out;
  const auto text = [](const Config& config, const std::string& key) {
    const auto found = config.chosen.find(key);
    return found == config.chosen.end() ? setting_default(key) : found->second.text;
  };
  const auto add = [&](const Config& from) {
    for (const auto& [key, value] : from.chosen) {
      if (text(before, key) != text(after, key) && std::ranges::find(out, key) == out.end()) out.push_back(key);
    }
  };
  add(before);
  add(after);
  std::ranges::sort(out);
  return out;
}

std::string_view collector_of_setting(std::string_view key) {
  constexpr std::string_view kPrefix = "collectors.";
  if (!key.starts_with(kPrefix)) return {};
  key.remove_prefix(kPrefix.size());
  return key.substr(0, key.find('.'));
}

std::string reported_twin(const TwinSettings& settings, std::string_view agent_version,
                          std::string_view collectors_json) {
  JsonWriter json;
  json.begin_object();
  json.key("latest_state").value(settings.invalid == 0 ? "success" : "failed");
  json.key("latest_invalid_fields").begin_array();
  for (const TwinProblem& problem : settings.problems) {
    if (problem.kind != TwinProblem::Kind::not_optimal) json.value(problem.name.substr(0, 256));
  }
  json.end_array();
  append_classic_report(json, settings.good);
  json.key("Picket_AgentVersion").value(agent_version);
  json.key("Picket_Problems").begin_array();
  std::size_t bytes = 0;
  for (const TwinProblem& problem : settings.problems) {
    if ((bytes += problem.name.size() + problem.reason.size()) > kReportedListMax) break;
    json.begin_object().key("Name").value(problem.name.substr(0, 256)).key("Reason").value(problem.reason);
    json.end_object();
  }
  json.end_array();
  json.key("Picket_Settings").begin_array();
  bytes = 0;
  for (const auto& [key, value] : settings.config.chosen) {
    if (!twin_may_set(key) || value.text == setting_default(key)) continue;
    if ((bytes += key.size() + value.text.size() + 48) > kReportedListMax) break;
    json.begin_object().key("Name").value(key).key("Value").value(value.text);
    json.key("Source").value(to_string(value.source)).end_object();
  }
  json.end_array();
  json.key("Picket_Collectors").raw(collectors_json.size() <= kReportedListMax ? collectors_json : "[]");
  return json.end_object().take();
}

}  // namespace picket::agent
