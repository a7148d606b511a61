#include "baseline/command.h"

#include <array>

#include "base/core/json_writer.h"
#include "baseline/content_file.h"
#include "baseline/run.h"

namespace picket::agent {
namespace {

using baseline::Rule;
using baseline::State;
using baseline::Verdict;

void add_json(JsonWriter& json, const Rule& rule, const Verdict& verdict) {
  constexpr std::string_view severities[] = {"Critical", "Important", "Warning", "Informational"};
  json.begin_object().key("id").value(rule.id).key("result").value(to_string(verdict.state));
  json.key("title").value(rule.title).key("group").value(rule.group).key("level").value(unsigned{rule.level});
  json.key("severity").value(severities[static_cast<std::size_t>(rule.severity)]);
  json.key("reference").value(rule.reference).key("observed").value(verdict.observed);
  json.key("expected").value(rule.expected);
  if (verdict.state == State::fail) json.key("remediation").value(rule.remediation);
  json.end_object();
}

void add_text(std::string& out, const Rule& rule, const Verdict& verdict) {
  out.append(to_string(verdict.state)).append(verdict.state == State::error ? " " : "  ");
  out.append(rule.id).append(rule.reference.empty() ? "" : " (").append(rule.reference);
  out.append(rule.reference.empty() ? "" : ")").append("  ").append(rule.title).append("\n");
  if (verdict.state == State::pass || verdict.state == State::skip) return;
  out.append("      seen      ").append(verdict.observed).append("\n");
  out.append("      expected  ").append(rule.expected).append("\n");
  if (verdict.state == State::fail) out.append("      do        ").append(rule.remediation).append("\n");
}

}  // namespace

BaselineReport check_baseline(const CollectorSettings& settings, std::string_view only, bool json) {
  BaselineReport report;
  const auto files = baseline::open_contents(settings);
  if (!files) {
    report.problem = settings.baseline_content + ": " + describe(files.error());
    return report;
  }
  const auto root = baseline::Root::open(settings.root);
  if (!root) {
    report.problem = settings.root + ": " + describe(root.error());
    return report;
  }
  baseline::Choice choice = baseline::choice_of(settings);
  choice.only = only;
  JsonWriter writer;
  writer.begin_object().key("content").value(files->name()).key("results").begin_array();
  std::array<std::uint64_t, 4> counts{};
  baseline::BaselineRun run(*root, files->contents(), choice, [&](const Rule& rule, const Verdict& verdict) {
    ++counts[static_cast<std::size_t>(verdict.state)];
    if (json) {
      add_json(writer, rule, verdict);
    } else {
      add_text(report.text, rule, verdict);
    }
  });
  while (run.step()) {
  }
  writer.end_array();
  std::string sum;
  for (const State state : {State::pass, State::fail, State::skip, State::error}) {
    const std::uint64_t count = counts[static_cast<std::size_t>(state)];
    writer.key(to_string(state)).value(count);
    sum.append(sum.empty() ? "" : ", ").append(std::to_string(count)).append(" ").append(to_string(state));
  }
  writer.key("BROKEN").value(run.broken_rules()).end_object();
  report.failed = counts[static_cast<std::size_t>(State::fail)] != 0;
  if (counts == decltype(counts){}) report.problem = "no rule was chosen";
  if (json) {
    report.text = writer.take() + "\n";
  } else {
    report.text += sum + "\n";
  }
  return report;
}

}  // namespace picket::agent
