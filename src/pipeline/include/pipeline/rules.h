// The Sigma rules in force, for whoever lists, checks or tries them. Pure functions over texts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace picket::pipeline {

/// Named text of an operator's file of rules.
struct RuleText {
  std::string name;
  std::string yaml;
};

/// One rule or correlation.
struct RuleListing {
  std::string id;  ///< Its id, else its name, else its title: how it is switched.
  std::string title;
  std::string kind;  ///< "rule", a kind of correlation ("event_count", …), or "behavior": a detector of this program
  std::string level;
  std::string status;
  std::string alert_type;
  std::string log_source;  ///< "process_creation/linux"; empty for correlations.
  std::string file;        ///< "content/rules": one of the program's own.
  std::uint32_t line = 0;
  std::string author;
  std::string license;
  std::string description;
  std::vector<std::string> references;
  std::vector<std::string> tags;
  std::vector<std::string> false_positives;
  std::vector<std::string> filters;  ///< Titles of filters that are put into it.
  bool own = false;
  bool enabled = true;
};

struct RuleListings {
  std::vector<RuleListing> rules;
  std::vector<std::string> complaints;  ///< "a.yml line 3: …": what could not be used, and what to do about it.
};

/// The program's own rules and those of `files`; those whose id is in `disabled` are listed as off.
RuleListings list_rules(const std::vector<RuleText>& files, const std::vector<std::string>& disabled);

/// What a file of rules would bring, without the program's own: how many documents can be used, and complaints.
struct RuleCheck {
  std::size_t documents = 0;
  std::vector<std::string> complaints;
};
RuleCheck check_rules(const RuleText& file);

/// One event with what is expected of it: a line of examples.jsonl,
/// {"event":"ProcessCreate","payload":{…},"match":true,"note":"…"}.
struct ExampleResult {
  std::size_t line = 0;
  bool expected = false;
  bool matched = false;
  std::string note;
  std::string problem;  ///< The line cannot be used, and why; then the rest says nothing.
};
/// Runs the rules of one text, filters and the program's own filters included, over the examples.
std::vector<ExampleResult> try_examples(const RuleText& rules, std::string_view examples);

}  // namespace picket::pipeline
