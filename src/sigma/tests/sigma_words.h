// Words of the engine's tests: rules from text, events from pairs.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "sigma/correlator.h"
#include "sigma/matcher.h"
#include "sigma/reader.h"

namespace picket::sigma {

/// Rules of one text; whatever is wrong with it fails the test.
inline RuleSet load_rules(std::string_view yaml, const Processing* processing = nullptr) {
  Documents documents;
  Complaints complaints;
  read_documents("test.yml", yaml, processing, documents, complaints);
  RuleSet out = RuleSet::link(std::move(documents), complaints);
  for (const Complaint& complaint : complaints) ADD_FAILURE() << to_string(complaint);
  return out;
}

/// What is said about a text that cannot be used; empty when it can.
inline std::string complaints_about(std::string_view yaml) {
  Documents documents;
  Complaints complaints;
  read_documents("test.yml", yaml, nullptr, documents, complaints);
  RuleSet::link(std::move(documents), complaints);
  std::string out;
  for (const Complaint& complaint : complaints) out += to_string(complaint) + "\n";
  return out;
}

/// A rule about process_creation on Linux around a detection section, indented by two.
inline std::string rule_with(std::string_view detection, std::string_view title = "Test") {
  return "title: " + std::string(title) + "\nlogsource: {category: process_creation, product: linux}\ndetection:\n" +
         std::string(detection);
}

using Pairs = std::vector<std::pair<std::string, Value>>;

/// The pairs outlive the result.
inline std::vector<EventField> fields_of(const RuleSet& rules, const Pairs& pairs) {
  std::vector<EventField> out;
  for (const auto& [name, value] : pairs) out.push_back({rules.field(name), value});
  return out;
}

/// Titles of the rules that an event matches.
inline std::vector<std::string> matched(const RuleSet& rules, const Pairs& pairs,
                                        const LogSource& source = {"process_creation", "linux", ""}) {
  Matcher matcher(rules);
  std::vector<std::string> out;
  const auto fields = fields_of(rules, pairs);
  for (const RuleIndex rule : matcher.match(matcher.route(source), fields))
    out.push_back(rules.rules()[rule].head.title);
  return out;
}

inline Value text(std::string_view value) { return Value::of(value); }
inline Value number(std::int64_t value) { return Value::of(value); }

}  // namespace picket::sigma
