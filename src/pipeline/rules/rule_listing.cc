#include <algorithm>

#include <boost/json.hpp>

#include "behavior/process_rule.h"
#include "builtin_content.h"
#include "detector.h"
#include "message/decoder.h"
#include "pipeline/rules.h"
#include "process_tree.h"
#include "rules/event_view.h"
#include "rules/rule_pack.h"
#include "sigma/reader.h"

namespace picket::pipeline {
namespace {

namespace json = boost::json;

std::string source_text(const sigma::LogSource& source) {
  std::string out;
  for (const std::string& part : {source.category, source.product, source.service}) {
    if (part.empty()) continue;
    if (!out.empty()) out += '/';
    out += part;
  }
  return out;
}

RuleListing listing_of(const RuleAlert& alert, std::string kind) {
  const sigma::Head& head = *alert.head;
  return {.id = head.key(),
          .title = head.title,
          .kind = std::move(kind),
          .level = std::string(to_string(head.level)),
          .status = head.status,
          .alert_type = alert.info->type,
          .log_source = {},
          .file = head.file,
          .line = head.line,
          .author = head.author,
          .license = head.license,
          .description = head.description,
          .references = head.references,
          .tags = head.tags,
          .false_positives = head.false_positives,
          .filters = {},
          .own = alert.own,
          .enabled = true};
}

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

RuleListing listing_of(const DetectorEntry& detector) {
  const std::string first(detector.raises.substr(0, detector.raises.find(',')));
  const AlertInfo* info = Catalogue::builtin().find(first);
  RuleListing out;
  out.id = detector.name;
  out.title = detector.title;
  out.kind = "behavior";
  out.level = info == nullptr ? "none" : lower_case(info->severity_default);
  out.status = "stable";
  out.alert_type = std::string(detector.raises);
  out.author = "Picket";
  if (info != nullptr) {
    out.description = info->description;
    for (const auto* list : {&info->techniques, &info->sub_techniques}) {
      for (const std::string& technique : *list) out.tags.push_back("attack." + lower_case(technique));
    }
  }
  out.own = true;
  return out;
}

std::vector<std::string> texts_of(const sigma::Complaints& complaints) {
  std::vector<std::string> out;
  for (const sigma::Complaint& complaint : complaints) out.push_back(to_string(complaint));
  return out;
}

/// A message 3.0 around one payload item, as our agent would send it.
std::string message_of(std::string_view event, const json::value& payload) {
  const json::value whole = {{"AgentVersion", "0"},
                             {"AgentId", "example"},
                             {"MessageSchemaVersion", "3.0"},
                             {"Events",
                              {{{"Id", "example"},
                                {"TimestampLocal", "2026-01-01T00:00:00Z"},
                                {"TimestampUTC", "2026-01-01T00:00:00Z"},
                                {"Category", "Triggered"},
                                {"Name", std::string(event)},
                                {"EventType", "Security"},
                                {"IsEmpty", false},
                                {"PayloadSchemaVersion", "1.0"},
                                {"Payload", json::array{payload}}}}}};
  return json::serialize(whole);
}

class Trial {
 public:
  explicit Trial(const RuleText& text) {
    sigma::Documents documents;
    sigma::read_documents(text.name, text.yaml, nullptr, documents, complaints_);
    // The program's filters belong to its rules wherever they are tried.
    sigma::Documents own;
    sigma::read_documents(std::string(kOwnRules), kRulesYaml, nullptr, own, complaints_);
    const auto is_here = [&](const std::string& name) {
      return std::ranges::any_of(documents.rules, [&](const auto& rule) { return rule.head.name == name; });
    };
    for (sigma::Filter& filter : own.filters) {
      std::erase_if(filter.rules, [&](const std::string& name) { return !is_here(name); });
      if (!filter.rules.empty()) documents.filters.push_back(std::move(filter));
    }
    rules_ = std::make_unique<sigma::RuleSet>(sigma::RuleSet::link(std::move(documents), complaints_));
    matcher_ = std::make_unique<sigma::Matcher>(*rules_);
    views_ = std::make_unique<EventViews>(*rules_, *matcher_);
  }

  ExampleResult run(std::string_view line) {
    ExampleResult out;
    boost::system::error_code failed;
    const json::value value = json::parse({line.data(), line.size()}, failed);
    const json::object* example = failed ? nullptr : value.if_object();
    const auto* event = example == nullptr ? nullptr : example->if_contains("event");
    const auto* payload = example == nullptr ? nullptr : example->if_contains("payload");
    const auto* match = example == nullptr ? nullptr : example->if_contains("match");
    if (event == nullptr || !event->is_string() || payload == nullptr || !payload->is_object() || match == nullptr ||
        !match->is_bool()) {
      out.problem = R"(not of the form {"event":"…","payload":{…},"match":true})";
      return out;
    }
    out.expected = match->get_bool();
    if (const auto* note = example->if_contains("note"); note != nullptr && note->is_string()) {
      out.note = std::string(note->get_string());
    }
    const std::string body = message_of(event->get_string(), *payload);
    const auto decoded = decoder_.decode(as_bytes(body), {});
    if (!decoded || decoded->events.empty()) {
      out.problem = "not an event that a device could send";
      return out;
    }
    out.matched = matches(decoded->events[0]);
    return out;
  }

 private:
  bool matches(const message::Event& event) {
    const Identity device{"hub", "example", "", ""};
    bool found = false;
    const DetectorEvent seen{event,      event.items[0], device,    "default",           "default",
                             processes_, groups_,        {1, 0, 0}, event.timestamp_utc, event.timestamp_utc,
                             {}};
    views_->see(seen, [&](sigma::RouteId route, std::span<const sigma::EventField> fields) {
      found = found || !matcher_->match(route, fields).empty();
    });
    return found;
  }

  sigma::Complaints complaints_;
  std::unique_ptr<sigma::RuleSet> rules_;
  std::unique_ptr<sigma::Matcher> matcher_;
  std::unique_ptr<EventViews> views_;
  message::Decoder decoder_;
  ProcessTree processes_;
  ProcessGroups groups_{"groups"};
};

}  // namespace

RuleListings list_rules(const std::vector<RuleText>& files, const std::vector<std::string>& disabled) {
  std::vector<RuleFile> inputs;
  for (const RuleText& file : files) inputs.push_back({file.name, file.yaml});
  const auto pack = RulePack::make(inputs, {}, Catalogue::builtin());
  RuleListings out{.rules = {}, .complaints = texts_of(pack->complaints())};
  for (std::size_t i = 0; i < pack->rules().rules().size(); ++i) {
    const sigma::LinkedRule& rule = pack->rules().rules()[i];
    RuleListing one = listing_of(pack->alert_of_rule(static_cast<sigma::RuleIndex>(i)), "rule");
    one.log_source = source_text(rule.source);
    one.filters = rule.filters;
    out.rules.push_back(std::move(one));
  }
  for (std::size_t i = 0; i < pack->rules().correlations().size(); ++i) {
    const sigma::LinkedCorrelation& linked = pack->rules().correlations()[i];
    out.rules.push_back(listing_of(pack->alert_of_correlation(static_cast<sigma::CorrelationIndex>(i)),
                                   std::string(to_string(linked.correlation.kind))));
  }
  for (const DetectorEntry& detector : all_detectors()) {
    if (!detector.raises.empty()) out.rules.push_back(listing_of(detector));
  }
  for (RuleListing& rule : out.rules) rule.enabled = std::ranges::find(disabled, rule.id) == disabled.end();
  return out;
}

RuleCheck check_rules(const RuleText& file) {
  sigma::Documents documents;
  sigma::Complaints complaints;
  RuleCheck out;
  out.documents = sigma::read_documents(file.name, file.yaml, nullptr, documents, complaints);
  out.complaints = texts_of(complaints);
  return out;
}

std::vector<ExampleResult> try_examples(const RuleText& rules, std::string_view examples) {
  Trial trial(rules);
  std::vector<ExampleResult> out;
  for (std::size_t number = 1; !examples.empty(); ++number) {
    const auto end = std::min(examples.find('\n'), examples.size());
    const std::string_view line = examples.substr(0, end);
    examples.remove_prefix(std::min(examples.size(), end + 1));
    if (line.empty()) continue;
    out.push_back(trial.run(line));
    out.back().line = number;
  }
  return out;
}

}  // namespace picket::pipeline
