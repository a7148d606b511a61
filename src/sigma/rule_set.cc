#include "sigma/rule_set.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "condition_parser.h"

namespace picket::sigma {

/// Builds one RuleSet.
class Linker {
 public:
  Linker(Documents documents, Complaints& complaints) : in_(std::move(documents)), complaints_(complaints) {}

  RuleSet link() {
    for (Rule& rule : in_.rules) take_name(rule.head, false);
    for (Correlation& correlation : in_.correlations) take_name(correlation.head, true);
    for (const Filter& filter : in_.filters) put_in(filter);
    for (std::size_t i = 0; i < in_.rules.size(); ++i) add_rule(i);
    for (std::size_t i = 0; i < in_.correlations.size(); ++i) add_correlation(i, 0);
    quiet();
    return std::move(out_);
  }

 private:
  enum class State : std::uint8_t { fresh, open, done, refused };
  struct Named {
    bool correlation = false;
    std::size_t index = 0;  ///< In the documents.
  };

  void complain(const Head& head, std::string what, std::string advice) {
    complaints_.push_back({head.file, head.line, std::move(what), std::move(advice)});
  }

  void take_name(const Head& head, bool correlation) {
    auto& states = correlation ? correlation_states_ : rule_states_;
    const std::size_t index = states.size();
    states.push_back(State::fresh);
    auto& places = correlation ? correlation_places_ : rule_places_;
    places.push_back(0);
    if (index >= (correlation ? kCorrelationsMax : kRulesMax)) {
      complain(head, "there are too many documents of this kind", "Load fewer.");
      states.back() = State::refused;
      return;
    }
    for (const std::string& name : {head.id, head.name}) {
      if (name.empty()) continue;
      const auto [found, added] = named_.emplace(name, Named{correlation, index});
      if (added || (found->second.correlation == correlation && found->second.index == index)) continue;
      complain(head, "'" + name + "' is the id or name of another document, too", "Give this one its own.");
      states.back() = State::refused;
    }
  }

  void put_in(const Filter& filter) {
    for (const std::string& name : filter.rules) {
      const auto found = named_.find(name);
      if (found == named_.end() || found->second.correlation) {
        complain(filter.head, "the filter names the rule '" + name + "', which is not there",
                 "Use the id or name of a loaded rule.");
        continue;
      }
      Rule& rule = in_.rules[found->second.index];
      if (!filter.source.covers(rule.source)) {
        complain(filter.head, "the filter names the rule '" + name + "', which is for another log source",
                 "A filter and its rules have one log source.");
        continue;
      }
      Expression negation{Expression::Kind::negation, {}, {}};
      negation.children.push_back(filter.excluded);
      rule.also.push_back(std::move(negation));
      rule.filters.push_back(filter.head.title);
    }
  }

  FieldId number(const std::string& name) {
    const auto [found, added] = out_.fields_.emplace(name, static_cast<FieldId>(out_.names_.size()));
    if (added) out_.names_.push_back(name);
    return found->second;
  }
  void number_fields(const Expression& expression) {
    if (expression.kind == Expression::Kind::item) {
      if (!expression.item.field.empty()) number(expression.item.field);
      for (const Test& test : expression.item.tests) {
        if (test.kind == Test::Kind::field) number(test.other);
      }
    }
    for (const Expression& child : expression.children) number_fields(child);
  }

  void add_rule(std::size_t index) {
    if (rule_states_[index] == State::refused) return;
    Rule& rule = in_.rules[index];
    Expression any{Expression::Kind::any_of, {}, {}};
    try {
      for (const Condition& condition : rule.conditions)
        any.children.push_back(resolve(condition, rule.selections, rule.head.line));
    } catch (const YamlFault& fault) {
      complain(rule.head, fault.what, fault.advice);
      rule_states_[index] = State::refused;
      return;
    }
    LinkedRule linked;
    if (rule.also.empty()) {
      linked.expression = std::move(any);
    } else {
      linked.expression = {Expression::Kind::all_of, {}, {}};
      linked.expression.children.push_back(std::move(any));
      for (Expression& also : rule.also) linked.expression.children.push_back(std::move(also));
    }
    number_fields(linked.expression);
    linked.head = std::move(rule.head);
    linked.source = rule.source;
    linked.filters = std::move(rule.filters);
    rule_places_[index] = static_cast<std::uint32_t>(out_.rules_.size());
    rule_states_[index] = State::done;
    out_.rules_.push_back(std::move(linked));
  }

  /// Depth first, so that what a correlation refers to stands before it.
  bool add_correlation(std::size_t index, std::size_t depth) {
    State& state = correlation_states_[index];
    if (state == State::done) return true;
    if (state == State::refused) return false;
    const Correlation& correlation = in_.correlations[index];
    const auto refuse = [&](std::string what, std::string advice) {
      complain(correlation.head, std::move(what), std::move(advice));
      correlation_states_[index] = State::refused;
      return false;
    };
    if (state == State::open)
      return refuse("the correlation refers to itself, through others perhaps", "Break the circle.");
    if (depth > kChainDepthMax)
      return refuse("correlations are chained more than " + std::to_string(kChainDepthMax) + " deep", "Chain fewer.");
    state = State::open;
    LinkedCorrelation linked;
    for (std::size_t place = 0; place < correlation.rules.size(); ++place) {
      const std::string& name = correlation.rules[place];
      const auto found = named_.find(name);
      if (found == named_.end())
        return refuse("the correlation refers to '" + name + "', which is not there",
                      "Use the id or name of a loaded document.");
      const bool usable = found->second.correlation ? add_correlation(found->second.index, depth + 1)
                                                    : rule_states_[found->second.index] == State::done;
      if (correlation_states_[index] == State::refused) return false;
      if (!usable)
        return refuse("the correlation refers to '" + name + "', which cannot be used", "See the complaint about it.");
      linked.links.push_back(make_link(correlation, name, found->second, place));
    }
    correlation_states_[index] = State::done;
    correlation_places_[index] = static_cast<std::uint32_t>(out_.correlations_.size());
    linked.correlation = correlation;
    out_.correlations_.push_back(std::move(linked));
    return true;
  }

  Link make_link(const Correlation& correlation, const std::string& name, const Named& target, std::size_t place) {
    Link out;
    out.from_correlation = target.correlation;
    out.from = target.correlation ? correlation_places_[target.index] : rule_places_[target.index];
    out.place = static_cast<std::uint32_t>(place);
    const auto real_name = [&](const std::string& field) -> const std::string& {
      const auto alias = correlation.aliases.find(field);
      if (alias == correlation.aliases.end()) return field;
      const auto mapped = alias->second.find(name);
      return mapped == alias->second.end() ? field : mapped->second;
    };
    for (const std::string& field : correlation.group_by) out.group_by.push_back(number(real_name(field)));
    for (const std::string& field : correlation.fields) out.fields.push_back(number(real_name(field)));
    return out;
  }

  /// What only correlations without `generate` refer to raises no alert of its own.
  void quiet() {
    std::vector<bool> rule_loud(out_.rules_.size(), true);
    std::vector<bool> correlation_loud(out_.correlations_.size(), true);
    for (const bool generate : {false, true}) {
      for (const LinkedCorrelation& linked : out_.correlations_) {
        if (linked.correlation.generate != generate) continue;
        for (const Link& link : linked.links)
          (link.from_correlation ? correlation_loud : rule_loud)[link.from] = generate;
      }
    }
    for (std::size_t i = 0; i < rule_loud.size(); ++i) out_.rules_[i].alerts = rule_loud[i];
    for (std::size_t i = 0; i < correlation_loud.size(); ++i) out_.correlations_[i].alerts = correlation_loud[i];
  }

  Documents in_;
  Complaints& complaints_;
  RuleSet out_;
  std::map<std::string, Named> named_;
  std::vector<State> rule_states_;
  std::vector<State> correlation_states_;
  std::vector<std::uint32_t> rule_places_;
  std::vector<std::uint32_t> correlation_places_;
};

RuleSet RuleSet::link(Documents documents, Complaints& complaints) {
  return Linker(std::move(documents), complaints).link();
}

FieldId RuleSet::field(std::string_view name) const {
  const auto found = fields_.find(name);
  return found == fields_.end() ? kUnnamedField : found->second;
}

}  // namespace picket::sigma
