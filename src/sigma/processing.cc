#include "sigma/processing.h"

#include <algorithm>
#include <utility>

#include "modifiers.h"
#include "schema.h"

namespace picket::sigma {
namespace {

enum class Kind : std::uint8_t {
  field_name_mapping,
  add_condition,
  change_logsource,
  value_placeholders,
  drop_detection_item,
  rule_failure,
};
constexpr std::string_view kKinds[] = {"field_name_mapping", "add_condition",       "change_logsource",
                                       "value_placeholders", "drop_detection_item", "rule_failure"};

/// Which rules, or which fields of them, a step is for.
struct Guard {
  LogSource source;   ///< Of rule_conditions of type logsource.
  std::string field;  ///< Of type contains_field: a field that the rule reads.
  bool is_field = false;
};

bool reads(const Expression& expression, const std::string& field) {
  if (expression.kind == Expression::Kind::item) return expression.item.field == field;
  return std::ranges::any_of(expression.children, [&](const Expression& child) { return reads(child, field); });
}

}  // namespace

struct Processing::Step {
  Kind kind = Kind::rule_failure;
  std::vector<Guard> guards;
  bool any_guard = false;  ///< One guard suffices.
  bool not_guard = false;  ///< The opposite of what the guards say.
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  std::map<std::string, std::vector<std::string>> mapping;
  Expression condition;
  LogSource source;
  std::string message;

  [[nodiscard]] bool for_source_only(const LogSource& rule) const {
    return guarded([&](const Guard& guard) { return guard.is_field || guard.source.covers(rule); });
  }
  [[nodiscard]] bool is_for(const Rule& rule) const {
    return guarded([&](const Guard& guard) {
      if (!guard.is_field) return guard.source.covers(rule.source);
      const auto here = [&](const Expression& expression) { return reads(expression, guard.field); };
      return std::ranges::any_of(rule.selections, [&](const auto& selection) { return here(selection.second); }) ||
             std::ranges::any_of(rule.also, here);
    });
  }
  [[nodiscard]] bool is_for_field(const std::string& field) const {
    if (!include.empty() && std::ranges::find(include, field) == include.end()) return false;
    return std::ranges::find(exclude, field) == exclude.end();
  }

 private:
  template <class Holds>
  bool guarded(Holds holds) const {
    if (guards.empty()) return true;
    return (any_guard ? std::ranges::any_of(guards, holds) : std::ranges::all_of(guards, holds)) != not_guard;
  }
};

namespace {

using Step = Processing::Step;

std::vector<std::string> one_or_more(const YamlNode& node, const std::string& path) {
  if (node.is_list()) return texts_of(node, path);
  return {text_of(node, path)};
}

LogSource read_parts(const YamlNode& node) {
  LogSource out;
  if (const YamlNode* value = node.find("category")) out.category = text_of(*value, "category");
  if (const YamlNode* value = node.find("product")) out.product = text_of(*value, "product");
  if (const YamlNode* value = node.find("service")) out.service = text_of(*value, "service");
  return out;
}

Guard read_guard(const YamlNode& node) {
  const std::string& type = text_of(member(node, "type", "rule_conditions.type"), "rule_conditions.type");
  Guard out;
  if (type == "logsource") {
    only_keys(node, "rule_conditions", {"type", "category", "product", "service"});
    out.source = read_parts(node);
    return out;
  }
  if (type != "contains_field") {
    refuse(node, "the rule condition '" + type + "' is not supported", "There are logsource and contains_field.");
  }
  only_keys(node, "rule_conditions", {"type", "field"});
  out.is_field = true;
  out.field = text_of(member(node, "field", "rule_conditions.field"), "rule_conditions.field");
  return out;
}

const YamlNode* either(const YamlNode& node, std::string_view a, std::string_view b) {
  const YamlNode* found = node.find(a);
  return found != nullptr ? found : node.find(b);
}

void read_guards(const YamlNode& node, Step& step) {
  if (const YamlNode* guards = node.find("rule_conditions")) {
    if (!guards->is_list()) refuse(*guards, "rule_conditions is not a list", "List conditions with a type.");
    for (const auto& guard : guards->items) step.guards.push_back(read_guard(*guard));
  }
  if (const YamlNode* linking = either(node, "rule_cond_op", "rule_condition_linking")) {
    const std::string& word = text_of(*linking, "rule_cond_op");
    if (word != "and" && word != "or") refuse(*linking, "rule_cond_op is neither 'and' nor 'or'", "Write one of them.");
    step.any_guard = word == "or";
  }
  if (const YamlNode* negated = either(node, "rule_cond_not", "rule_condition_negation"))
    step.not_guard = truth_of(*negated, "rule_cond_not");
  if (const YamlNode* fields = node.find("field_name_conditions")) {
    if (!fields->is_list()) refuse(*fields, "field_name_conditions is not a list", "List conditions with a type.");
    for (const auto& field : fields->items) {
      const std::string& type =
          text_of(member(*field, "type", "field_name_conditions.type"), "field_name_conditions.type");
      if (type != "include_fields" && type != "exclude_fields") {
        refuse(*field, "the field name condition '" + type + "' is not supported",
               "There are include_fields and exclude_fields.");
      }
      only_keys(*field, "field_name_conditions", {"type", "fields"});
      auto names = texts_of(member(*field, "fields", "field_name_conditions.fields"), "field_name_conditions.fields");
      (type == "include_fields" ? step.include : step.exclude) = std::move(names);
    }
  }
}

void read_mapping(const YamlNode& node, Step& step) {
  const YamlNode& mapping = member(node, "mapping", "field_name_mapping.mapping");
  if (!mapping.is_map()) refuse(mapping, "mapping is not a map", "Write 'old: new' below it.");
  for (std::size_t i = 0; i < mapping.keys.size(); ++i) {
    step.mapping[mapping.keys[i].first] = one_or_more(*mapping.items[i], "field_name_mapping.mapping");
    if (step.mapping[mapping.keys[i].first].empty()) refuse(mapping, "a field is mapped to nothing", "Name a field.");
  }
}

void read_added(const YamlNode& node, Step& step) {
  const YamlNode& conditions = member(node, "conditions", "add_condition.conditions");
  if (!conditions.is_map() || conditions.keys.empty())
    refuse(conditions, "add_condition.conditions is not a map", "Write 'field: value' below it.");
  step.condition = {Expression::Kind::all_of, {}, {}};
  for (std::size_t i = 0; i < conditions.keys.size(); ++i) {
    step.condition.children.push_back(read_item(conditions.keys[i].first, *conditions.items[i], {}));
  }
  const YamlNode* negated = node.find("negated");
  if (negated != nullptr && truth_of(*negated, "add_condition.negated")) {
    Expression negation{Expression::Kind::negation, {}, {}};
    negation.children.push_back(std::move(step.condition));
    step.condition = std::move(negation);
  }
}

Step read_step(const YamlNode& node) {
  const std::string& type = text_of(member(node, "type", "transformation type"), "type");
  const auto found = std::ranges::find(kKinds, type);
  if (found == std::end(kKinds)) {
    refuse(node, "the transformation '" + type + "' is not supported",
           "There are field_name_mapping, add_condition, change_logsource, value_placeholders, drop_detection_item and "
           "rule_failure.");
  }
  only_keys(node, type,
            {"id", "type", "rule_conditions", "rule_cond_op", "rule_condition_linking", "rule_cond_not",
             "rule_condition_negation", "field_name_conditions", "mapping", "conditions", "negated", "category",
             "product", "service", "include", "exclude", "message"});
  Step step;
  step.kind = static_cast<Kind>(found - std::begin(kKinds));
  read_guards(node, step);
  switch (step.kind) {
    case Kind::field_name_mapping:
      read_mapping(node, step);
      break;
    case Kind::add_condition:
      read_added(node, step);
      break;
    case Kind::change_logsource:
      step.source = read_parts(node);
      break;
    case Kind::value_placeholders:
      if (const YamlNode* names = node.find("include")) step.include = texts_of(*names, "include");
      if (const YamlNode* names = node.find("exclude")) step.exclude = texts_of(*names, "exclude");
      break;
    case Kind::drop_detection_item:
      if (step.include.empty() && step.exclude.empty())
        refuse(node, "drop_detection_item drops everything", "Name fields in field_name_conditions.");
      break;
    case Kind::rule_failure:
      step.message = text_of(member(node, "message", "rule_failure.message"), "rule_failure.message");
      break;
  }
  return step;
}

void map_fields(Expression& expression, const Step& step) {
  if (expression.kind != Expression::Kind::item) {
    for (Expression& child : expression.children) map_fields(child, step);
    return;
  }
  for (Test& test : expression.item.tests) {
    const auto other = step.mapping.find(test.other);
    if (test.kind == Test::Kind::field && other != step.mapping.end() && step.is_for_field(test.other))
      test.other = other->second.front();
  }
  const auto found = step.mapping.find(expression.item.field);
  if (found == step.mapping.end() || !step.is_for_field(expression.item.field)) return;
  if (found->second.size() == 1) {
    expression.item.field = found->second.front();
    return;
  }
  Expression out{Expression::Kind::any_of, {}, {}};
  for (const std::string& name : found->second) {
    out.children.push_back(expression);
    out.children.back().item.field = name;
  }
  expression = std::move(out);
}

/// False: nothing is left of it.
bool drop_items(Expression& expression, const Step& step) {
  if (expression.kind == Expression::Kind::item)
    return expression.item.field.empty() || !step.is_for_field(expression.item.field);
  std::erase_if(expression.children, [&](Expression& child) { return !drop_items(child, step); });
  return !expression.children.empty();
}

}  // namespace

Processing::Processing(std::vector<Step> steps) : steps_(std::move(steps)) {}
Processing::~Processing() = default;
Processing::Processing(Processing&&) noexcept = default;
Processing& Processing::operator=(Processing&&) noexcept = default;

std::optional<Processing> Processing::parse(const std::string& file, std::string_view yaml, Complaints& complaints) {
  const YamlFile read = read_yaml(yaml);
  try {
    for (const YamlFault& fault : read.faults) throw fault;
    if (read.documents.size() != 1) throw YamlFault{0, "a processing pipeline is one document", "Divide the file."};
    const YamlNode& root = *read.documents.front();
    const YamlNode& list = member(root, "transformations", "transformations");
    only_keys(root, "processing pipeline", {"name", "priority", "vars", "transformations", "allowed_backends"});
    if (!list.is_list()) refuse(list, "transformations is not a list", "List steps with a type.");
    std::vector<Step> steps;
    for (const auto& item : list.items) steps.push_back(read_step(*item));
    Processing out(std::move(steps));
    if (const YamlNode* variables = root.find("vars"); variables != nullptr && !variables->is_null()) {
      if (!variables->is_map()) refuse(*variables, "vars is not a map", "Write 'name: [value, …]' below it.");
      for (std::size_t i = 0; i < variables->keys.size(); ++i) {
        out.variables_[variables->keys[i].first] = one_or_more(*variables->items[i], "vars");
      }
    }
    return out;
  } catch (const YamlFault& fault) {
    complaints.push_back({file, fault.line, fault.what, fault.advice});
    return std::nullopt;
  }
}

const std::vector<std::string>* Processing::placeholder(std::string_view name, const LogSource& source) const {
  const std::string text(name);
  for (const Step& step : steps_) {
    if (step.kind != Kind::value_placeholders || !step.for_source_only(source) || !step.is_for_field(text)) continue;
    const auto found = variables_.find(name);
    return found == variables_.end() ? nullptr : &found->second;
  }
  return nullptr;
}

bool Processing::apply(Rule& rule, std::string& why) const {
  for (const Step& step : steps_) {
    if (step.kind == Kind::value_placeholders || !step.is_for(rule)) continue;
    switch (step.kind) {
      case Kind::field_name_mapping:
        for (auto& [name, selection] : rule.selections) map_fields(selection, step);
        for (Expression& expression : rule.also) map_fields(expression, step);
        break;
      case Kind::add_condition:
        // A filter says what is taken away; what is asked of rules in addition is not for it.
        if (!rule.selections.empty()) rule.also.push_back(step.condition);
        break;
      case Kind::change_logsource:
        rule.source = step.source;
        break;
      case Kind::drop_detection_item:
        for (auto& [name, selection] : rule.selections) {
          if (drop_items(selection, step)) continue;
          why = "nothing is left of the search identifier '" + name + "'";
          return false;
        }
        break;
      case Kind::rule_failure:
        why = step.message;
        return false;
      case Kind::value_placeholders:
        break;
    }
  }
  return true;
}

}  // namespace picket::sigma
