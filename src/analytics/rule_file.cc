#include "analytics/rule_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <optional>

#include <boost/json.hpp>
#include <yaml-cpp/yaml.h>

#include "base/core/hash.h"
#include "base/server/template_text.h"
#include "duration.h"

namespace picket::analytics {
namespace {

namespace json = boost::json;

bool contains(const std::vector<std::string>& texts, std::string_view text) {
  return std::ranges::find(texts, text) != texts.end();
}

constexpr int kDepthMax = 32;
constexpr std::size_t kRulesMax = 1'000;
constexpr std::size_t kNodesMax = 200'000;

/// YAML as the same tree as JSON; all scalars are texts. nullopt: too deep, or too large by way of aliases.
std::optional<json::value> tree_of(const YAML::Node& node, int depth, std::size_t& nodes) {
  if (depth > kDepthMax || ++nodes > kNodesMax) return std::nullopt;
  if (node.IsMap()) {
    json::object out;
    for (const auto& member : node) {
      if (!member.first.IsScalar()) return std::nullopt;
      auto value = tree_of(member.second, depth + 1, nodes);
      if (!value) return std::nullopt;
      out[member.first.Scalar()] = *std::move(value);
    }
    return out;
  }
  if (node.IsSequence()) {
    json::array out;
    for (const auto& item : node) {
      auto value = tree_of(item, depth + 1, nodes);
      if (!value) return std::nullopt;
      out.push_back(*std::move(value));
    }
    return out;
  }
  if (node.IsScalar()) return json::value(node.Scalar());
  return json::value(nullptr);
}

const json::value* member(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

std::string text_of(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : value.is_null() ? "" : json::serialize(value);
}

std::string text(const json::object& object, std::string_view name) {
  const json::value* found = member(object, name);
  return found == nullptr ? std::string() : text_of(*found);
}

bool flag(const json::object& object, std::string_view name, bool otherwise) {
  const std::string value = text(object, name);
  if (value.empty()) return otherwise;
  return value == "true" || value == "True" || value == "TRUE";
}

const json::object& object(const json::object& parent, std::string_view name) {
  static const json::object empty;
  const json::value* found = member(parent, name);
  return found != nullptr && found->is_object() ? found->get_object() : empty;
}

const json::array& array(const json::object& parent, std::string_view name) {
  static const json::array empty;
  const json::value* found = member(parent, name);
  return found != nullptr && found->is_array() ? found->get_array() : empty;
}

std::vector<std::string> texts(const json::object& parent, std::string_view name) {
  std::vector<std::string> out;
  for (const json::value& value : array(parent, name)) out.push_back(text_of(value));
  return out;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen != (text[i] == '-') || (!hyphen && !std::isxdigit(static_cast<unsigned char>(text[i])))) return false;
  }
  return true;
}

/// The first UUID in a text such as "[concat(parameters('workspace'),'/Microsoft.SecurityInsights/<uuid>')]".
std::string uuid_in(std::string_view text) {
  for (std::size_t at = 0; at + 36 <= text.size(); ++at) {
    if (is_uuid(text.substr(at, 36))) return std::string(text.substr(at, 36));
  }
  return {};
}

std::optional<Trigger> trigger_of(std::string_view text) {
  if (text == "gt" || text == "GreaterThan") return Trigger::greater;
  if (text == "lt" || text == "LessThan") return Trigger::less;
  if (text == "eq" || text == "Equal") return Trigger::equal;
  if (text == "ne" || text == "neq" || text == "NotEqual") return Trigger::not_equal;
  return std::nullopt;
}

Incidents incidents_of(const json::object& rule) {
  Incidents out;
  const json::object& settings = object(rule, "incidentConfiguration");
  out.create = flag(settings, "createIncident", true);
  const json::object& grouping = object(settings, "groupingConfiguration");
  out.group = flag(grouping, "enabled", false);
  out.reopen = flag(grouping, "reopenClosedIncident", false);
  if (const auto lookback = parse_duration(text(grouping, "lookbackDuration"))) out.lookback = *lookback;
  const std::string matching = text(grouping, "matchingMethod");
  if (matching == "AnyAlert") out.matching = Incidents::Matching::any_alert;
  if (matching == "Selected" || matching == "Custom") out.matching = Incidents::Matching::selected;
  out.by_entities = texts(grouping, "groupByEntities");
  out.by_details = texts(grouping, "groupByAlertDetails");
  out.by_custom = texts(grouping, "groupByCustomDetails");
  return out;
}

Overrides overrides_of(const json::object& rule) {
  const json::object& from = object(rule, "alertDetailsOverride");
  Overrides out{text(from, "alertDisplayNameFormat"),
                text(from, "alertDescriptionFormat"),
                text(from, "alertSeverityColumnName"),
                text(from, "alertTacticsColumnName"),
                {}};
  for (const json::value& one : array(from, "alertDynamicProperties")) {
    if (one.is_object())
      out.properties.emplace_back(text(one.get_object(), "alertProperty"), text(one.get_object(), "value"));
  }
  return out;
}

void add_entities(const json::object& from, Rule& rule) {
  for (const json::value& one : array(from, "entityMappings")) {
    if (!one.is_object()) continue;
    EntityMapping mapping{text(one.get_object(), "entityType"), {}};
    for (const json::value& field : array(one.get_object(), "fieldMappings")) {
      if (field.is_object())
        mapping.fields.emplace_back(text(field.get_object(), "identifier"), text(field.get_object(), "columnName"));
    }
    if (!mapping.type.empty() && !mapping.fields.empty()) rule.entities.push_back(std::move(mapping));
  }
  for (const json::value& one : array(from, "sentinelEntitiesMappings")) {
    if (one.is_object()) rule.entity_columns.push_back(text(one.get_object(), "columnName"));
  }
}

void add_techniques(const json::object& from, Rule& rule) {
  rule.tactics = texts(from, "tactics");
  auto all = texts(from, "relevantTechniques");
  for (std::string& one : texts(from, "techniques")) all.push_back(std::move(one));
  for (std::string& one : texts(from, "subTechniques")) all.push_back(std::move(one));
  for (const std::string& one : all) {
    const std::string whole = one.substr(0, one.find('.'));
    if (!contains(rule.techniques, whole)) rule.techniques.push_back(whole);
    if (one.size() > whole.size()) rule.sub_techniques.push_back(one);
  }
}

/// Empty: good.
std::string mistake_in(const json::object& from, Rule& rule) {
  if (rule.name.empty()) return "it has no name";
  if (rule.query.empty()) return "it has no query";
  static constexpr std::array kSeverities{std::string_view("Informational"), std::string_view("Low"),
                                          std::string_view("Medium"), std::string_view("High")};
  if (std::ranges::find(kSeverities, rule.severity) == kSeverities.end()) return "its severity is " + rule.severity;
  const auto duration = [&](std::string_view name, Duration& out) {
    const std::string value = text(from, name);
    if (value.empty()) return rule.near_real_time;
    const auto read = parse_duration(value);
    if (read) out = *read;
    return read.has_value();
  };
  if (rule.near_real_time) rule.frequency = rule.period = kFrequencyMin;
  if (!rule.near_real_time && text(from, "queryFrequency").empty())
    return "it has no queryFrequency: it is a query for hunting, not a rule that runs by itself";
  if (!duration("queryFrequency", rule.frequency)) return "its queryFrequency is no duration";
  if (!duration("queryPeriod", rule.period)) return "its queryPeriod is no duration";
  if (rule.frequency < kFrequencyMin || rule.period < kFrequencyMin || rule.period > kPeriodMax)
    return "its queryFrequency or queryPeriod is outside 1 minute to 14 days";
  if (rule.period < rule.frequency) return "its queryPeriod is shorter than its queryFrequency: it would miss events";
  if (const std::string name = text(from, "triggerOperator"); !name.empty()) {
    const auto trigger = trigger_of(name);
    if (!trigger) return "its triggerOperator is " + name;
    rule.trigger = *trigger;
  }
  if (const std::string number = text(from, "triggerThreshold"); !number.empty()) {
    const auto read = std::from_chars(number.data(), number.data() + number.size(), rule.threshold);
    if (read.ec != std::errc{} || rule.threshold < 0 || rule.threshold > 10'000)
      return "its triggerThreshold is " + number;
  }
  return {};
}

/// For a rule without an id: the same for the same name and query.
std::string made_id(const Rule& rule) {
  const std::string text = rule.name + "\n" + rule.query;
  char hex[17] = {};
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(fnv1a64(as_bytes(std::string_view(text)))));
  return std::string("rule-") + hex;
}

struct Reader {
  RuleFile out;
  json::object variables;
  json::object parameters;

  std::string resolved(const std::string& text) const;
  json::value resolved_in(const json::value& value, int depth) const;
  void add(const json::object& from, std::string name_hint, bool near_real_time);
  void search(const json::value& value, int depth);
};

// "[variables('analyticRuleObject1').analyticRulecontentId1]" as the template's variables say; what cannot be told
// stays.
std::string Reader::resolved(const std::string& text) const {
  const auto lookup = [&](TemplateName kind, std::string_view name,
                          std::string_view called) -> std::optional<std::string> {
    const json::value* found = member(kind == TemplateName::variable ? variables : parameters, name);
    if (found != nullptr && kind == TemplateName::parameter)
      found = found->is_object() ? member(found->get_object(), "defaultValue") : nullptr;
    if (found != nullptr && !called.empty()) found = found->is_object() ? member(found->get_object(), called) : nullptr;
    return found == nullptr ? std::nullopt : std::optional(text_of(*found));
  };
  const auto found = template_text(text, lookup);
  return found && found->complete ? found->text : text;
}

// Any text of a rule in a template may be an expression.
json::value Reader::resolved_in(const json::value& value, int depth) const {
  if (depth > kDepthMax) return value;
  if (value.is_string()) return json::value(resolved(std::string(value.get_string())));
  if (value.is_array()) {
    json::array list;
    for (const json::value& one : value.get_array()) list.push_back(resolved_in(one, depth + 1));
    return list;
  }
  if (!value.is_object()) return value;
  json::object object;
  for (const auto& one : value.get_object()) object[one.key()] = resolved_in(one.value(), depth + 1);
  return object;
}

void Reader::add(const json::object& from, std::string name_hint, bool near_real_time) {
  if (out.rules.size() + out.complaints.size() >= kRulesMax) return;
  Rule rule;
  rule.name = text(from, "displayName");
  if (rule.name.empty()) rule.name = text(from, "name");
  rule.id = text(from, "id");
  if (rule.id.empty() || rule.id.starts_with('[')) rule.id = uuid_in(resolved(name_hint));
  rule.description = text(from, "description");
  if (const std::string severity = text(from, "severity"); !severity.empty()) rule.severity = severity;
  rule.version = text(from, "version");
  rule.near_real_time = near_real_time;
  // Templates say enabled: false, which tells nothing of the rule made from them: a rule that is imported is on.
  rule.query = text(from, "query");
  const std::string mistake = mistake_in(from, rule);
  if (!mistake.empty()) {
    out.complaints.push_back("The rule \"" + (rule.name.empty() ? rule.id : rule.name) +
                             "\" cannot be used: " + mistake + ".");
    return;
  }
  add_techniques(from, rule);
  add_entities(from, rule);
  for (const auto& one : object(from, "customDetails"))
    rule.custom_details.emplace_back(one.key(), text_of(one.value()));
  rule.overrides = overrides_of(from);
  rule.alert_per_result = text(object(from, "eventGroupingSettings"), "aggregationKind") == "AlertPerResult";
  const auto suppression = parse_duration(text(from, "suppressionDuration"));
  if (suppression) rule.suppression_time = *suppression;
  rule.suppression = flag(from, "suppressionEnabled", false);
  rule.incidents = incidents_of(from);
  if (rule.id.empty()) rule.id = made_id(rule);
  out.rules.push_back(std::move(rule));
}

// Rules stand anywhere in a template: as resources, as templates of a solution, nested in others' properties.
void Reader::search(const json::value& value, int depth) {
  if (depth > kDepthMax) return;
  if (value.is_array()) {
    for (const json::value& one : value.get_array()) search(one, depth + 1);
    return;
  }
  if (!value.is_object()) return;
  const json::object& here = value.get_object();
  for (const auto& [name, known] : {std::pair{"variables", &variables}, std::pair{"parameters", &parameters}}) {
    for (const auto& one : object(here, name)) {
      const json::object* parameter = one.value().if_object();
      const bool says = known == &variables || (parameter != nullptr && parameter->contains("defaultValue"));
      if (says) (*known)[one.key()] = one.value();
    }
  }
  const std::string kind = text(here, "kind");
  const json::object& properties = object(here, "properties");
  if ((kind == "Scheduled" || kind == "NRT") && member(properties, "query") != nullptr) {
    const json::value rule = resolved_in(properties, 0);
    add(rule.get_object(), text(here, "name"), kind == "NRT");
    return;
  }
  for (const auto& one : here) {
    if (one.value().is_object() || one.value().is_array()) search(one.value(), depth + 1);
  }
}

std::optional<json::value> parse_yaml(std::string_view text, std::string& why) {
  try {
    std::size_t nodes = 0;
    auto tree = tree_of(YAML::Load(std::string(text)), 0, nodes);
    if (!tree) why = "The file is nested too deep or too large.";
    return tree;
  } catch (const YAML::Exception& exception) {
    why = std::string("The file is not YAML: ") + exception.what();
    return std::nullopt;
  }
}

}  // namespace

RuleFile read_rule_file(std::string_view text_in) {
  Reader reader;
  const auto refuse = [&](std::string why) {
    reader.out.complaints.push_back(std::move(why));
    return reader.out;
  };
  if (text_in.size() > kRuleFileBytesMax) return refuse("The file is larger than 8 MiB.");
  if (text_in.starts_with("\xEF\xBB\xBF")) text_in.remove_prefix(3);
  const std::size_t first = text_in.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return refuse("The file is empty.");
  if (text_in[first] == '{' || text_in[first] == '[') {
    boost::system::error_code failed;
    const json::parse_options options{
        .max_depth = 2 * kDepthMax, .allow_comments = true, .allow_trailing_commas = true};
    const json::value value = json::parse({text_in.data(), text_in.size()}, failed, {}, options);
    if (failed) return refuse("The file is not JSON: " + failed.message() + ".");
    if (value.is_object() && member(value.get_object(), "query") != nullptr) {
      const json::object& rule = value.get_object();
      reader.add(rule, text(rule, "name"), text(rule, "kind") == "NRT");
    } else {
      reader.search(value, 0);
    }
  } else {
    std::string why;
    const auto value = parse_yaml(text_in, why);
    if (!value) return refuse(why);
    if (!value->is_object()) return refuse("The file holds no rule.");
    const json::object& rule = value->get_object();
    const std::string kind = text(rule, "kind");
    if (!kind.empty() && kind != "Scheduled" && kind != "NRT")
      return refuse("Rules of kind " + kind + " are not run here.");
    reader.add(rule, text(rule, "name"), kind == "NRT");
  }
  if (reader.out.rules.empty() && reader.out.complaints.empty()) return refuse("The file holds no scheduled rule.");
  return std::move(reader.out);
}

}  // namespace picket::analytics
