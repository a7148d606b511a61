#include "sigma/reader.h"

#include <algorithm>

#include "detection.h"
#include "schema.h"

namespace picket::sigma {
namespace {

Placeholders placeholders_of(const Processing* processing, const LogSource& source) {
  if (processing == nullptr) return {};
  return [processing, &source](std::string_view name) { return processing->placeholder(name, source); };
}

void read_rule(const YamlNode& document, Head head, const Processing* processing, Documents& out) {
  Rule rule;
  rule.head = std::move(head);
  rule.source = read_source(document);
  const YamlNode& detection = member(document, "detection", "detection");
  read_detection(detection, placeholders_of(processing, rule.source), rule);
  std::string why;
  if (processing != nullptr && !processing->apply(rule, why))
    refuse(detection, why, "The processing pipeline says so.");
  out.rules.push_back(std::move(rule));
}

void read_filter(const YamlNode& document, Head head, const Processing* processing, Documents& out) {
  Filter filter;
  filter.head = std::move(head);
  filter.source = read_source(document);
  const YamlNode& node = member(document, "filter", "filter");
  const YamlNode& rules = member(node, "rules", "filter.rules");
  filter.rules = texts_of(rules, "filter.rules");
  if (filter.rules.empty()) refuse(rules, "filter.rules is empty", "Name the rules that the filter is for.");
  member(node, "selection", "filter.selection");
  // The processing sees a filter as it sees a rule: its fields are mapped, too.
  Rule rule;
  rule.source = filter.source;
  rule.also.push_back(read_excluded(node, placeholders_of(processing, filter.source)));
  std::string why;
  if (processing != nullptr && !processing->apply(rule, why)) refuse(node, why, "The processing pipeline says so.");
  filter.source = rule.source;
  filter.excluded = std::move(rule.also.front());
  out.filters.push_back(std::move(filter));
}

void read_document(const YamlNode& document, const std::string& file, const Processing* processing, Documents& out) {
  const DocumentKind kind = kind_of(document);
  Head head = read_head(document, kind, file);
  switch (kind) {
    case DocumentKind::rule:
      return read_rule(document, std::move(head), processing, out);
    case DocumentKind::filter:
      return read_filter(document, std::move(head), processing, out);
    case DocumentKind::correlation:
      out.correlations.push_back(read_correlation(document, std::move(head)));
      return;
  }
}

}  // namespace

std::size_t read_documents(const std::string& file, std::string_view yaml, const Processing* processing, Documents& out,
                           Complaints& complaints) {
  const YamlFile read = read_yaml(yaml);
  std::size_t taken = 0;
  const auto complain = [&](const YamlFault& fault) {
    complaints.push_back({file, fault.line, fault.what, fault.advice});
  };
  for (const auto& document : read.documents) {
    try {
      read_document(*document, file, processing, out);
      ++taken;
    } catch (const YamlFault& fault) {
      complain(fault);
    }
  }
  for (const YamlFault& fault : read.faults) complain(fault);
  return taken;
}

std::string to_string(const Complaint& complaint) {
  std::string out = complaint.file;
  if (complaint.line != 0) out += " line " + std::to_string(complaint.line);
  out += ": " + complaint.what;
  if (!out.ends_with('.')) out += '.';
  return complaint.advice.empty() ? out : out + " " + complaint.advice;
}

std::string_view to_string(Level level) {
  static constexpr std::string_view kNames[] = {"none", "informational", "low", "medium", "high", "critical"};
  return kNames[static_cast<std::size_t>(level)];
}

std::string_view to_string(CorrelationKind kind) {
  static constexpr std::string_view kNames[] = {"event_count", "value_count", "temporal",        "temporal_ordered",
                                                "value_sum",   "value_avg",   "value_percentile"};
  return kNames[static_cast<std::size_t>(kind)];
}

bool holds(Comparison comparison, double left, double right) {
  switch (comparison) {
    case Comparison::less:
      return left < right;
    case Comparison::less_equal:
      return left <= right;
    case Comparison::greater:
      return left > right;
    case Comparison::greater_equal:
      return left >= right;
    case Comparison::equal:
      return left == right;
    case Comparison::not_equal:
      return left != right;
  }
  return false;
}

}  // namespace picket::sigma
