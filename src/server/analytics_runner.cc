#include "analytics_runner.h"

#include <condition_variable>
#include <mutex>

#include <fmt/format.h>

#include "api/kql_request.h"
#include "base/server/log.h"
#include "base/server/priority.h"
#include "durable_group.h"
#include "kql/compile.h"
#include "kql/native_functions.h"
#include "pipeline/alert.h"
#include "rule_incidents.h"

namespace picket::server {
namespace {

constexpr auto kLookEvery = std::chrono::seconds(5);
constexpr std::size_t kRowsMax = 10'000;
constexpr Duration kTimeout = Duration::minutes(2);
constexpr std::int64_t kBehindMax = 20;  ///< Runs that are made up for after the server was down.

std::string text_of(kql::Type type, const workspace::Cell& cell) {
  using Kind = workspace::Cell::Kind;
  switch (cell.kind()) {
    case Kind::null:
      return {};
    case Kind::boolean:
      return cell.as_boolean() ? "true" : "false";
    case Kind::integer:
      if (type == kql::Type::timespan) return kql::timespan_text(cell.as_integer());
      if (type == kql::Type::boolean) return cell.as_integer() != 0 ? "true" : "false";
      return std::to_string(cell.as_integer());
    case Kind::real:
      return kql::real_text(cell.as_real());
    case Kind::timestamp:
      return format_rfc3339(cell.as_timestamp());
    case Kind::text: {
      // A dynamic value that is one text reads as that text.
      const std::string_view text = cell.as_text();
      return type == kql::Type::dynamic && text.starts_with('"') ? kql::dynamic_text(text) : std::string(text);
    }
  }
  return {};
}

}  // namespace

void AnalyticsRunner::start() {
  thread_ = std::jthread([this](const std::stop_token& end) {
    lower_priority();
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    while (!end.stop_requested()) {
      run_due(end);
      wake.wait_for(lock, end, kLookEvery, [] { return false; });
    }
  });
}

void AnalyticsRunner::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

std::optional<std::string> AnalyticsRunner::problem(const analytics::Rule& rule) const {
  // Columns that depend on the rows are known when it runs.
  bool asked = false;
  kql::Options options{.now = parts_.clock.now()};
  options.discover = [&asked](const kql::CompiledQuery&) -> std::expected<std::vector<std::string>, std::string> {
    asked = true;
    return std::unexpected("known when it runs");
  };
  const auto compiled = kql::compile(rule.query, parts_.schema(), options);
  if (compiled || asked) return std::nullopt;
  return kql::render(compiled.error().front(), rule.query);
}

std::expected<analytics::Table, std::string> AnalyticsRunner::query(const analytics::Rule& rule,
                                                                    const analytics::Window& window,
                                                                    const std::stop_token& end) const {
  kql::Options options{.now = window.end,
                       .time_range = kql::TimeRange{window.start, window.end},
                       .computed = kql::ComputedColumns::allowed};
  const auto run = [&](const kql::CompiledQuery& compiled, std::size_t rows_max) {
    workspace::QueryRequest request = api::request_of(compiled);
    request.rows_max = rows_max;
    request.timeout = kTimeout;
    request.cancellation = end;
    return parts_.workspace.query(request);
  };
  options.discover = [&](const kql::CompiledQuery& asked) -> std::expected<std::vector<std::string>, std::string> {
    const auto found = run(asked, kql::kColumnsMax + 1);
    if (!found) return std::unexpected(found.error().text);
    std::vector<std::string> names;
    for (std::size_t row = 0; row < found->rows; ++row) names.emplace_back(found->at(row, 0).as_text());
    return names;
  };
  const auto compiled = kql::compile(rule.query, parts_.schema(), options);
  if (!compiled) return std::unexpected(kql::render(compiled.error().front(), rule.query));
  const auto found = run(*compiled, kRowsMax);
  if (!found) return std::unexpected(found.error().text);
  analytics::Table out;
  for (const kql::ResultColumn& column : compiled->columns) out.columns.push_back(column.name);
  for (std::size_t row = 0; row < found->rows; ++row) {
    auto& cells = out.rows.emplace_back();
    for (std::size_t i = 0; i < compiled->columns.size(); ++i)
      cells.push_back(text_of(compiled->columns[i].type, found->at(row, i)));
  }
  out.rows_total = static_cast<std::int64_t>(found->rows) + (found->truncated ? 1 : 0);
  return out;
}

std::vector<api::RuleTrial> AnalyticsRunner::try_out(const analytics::Rule& rule, Timestamp from, Timestamp to,
                                                     const std::stop_token& end) const {
  std::vector<api::RuleTrial> out;
  Timestamp suppressed_until = from;
  for (Timestamp at = from + rule.frequency; at <= to && out.size() < kTrialsMax && !end.stop_requested();
       at = at + rule.frequency) {
    api::RuleTrial& trial = out.emplace_back();
    trial.window = {at - rule.period, at};
    trial.suppressed = at < suppressed_until;
    if (trial.suppressed) continue;
    const auto table = query(rule, trial.window, end);
    if (!table) {
      trial.failure = table.error();
      return out;
    }
    trial.rows = table->rows_total;
    trial.alerts = analytics::evaluate(rule, *table, trial.window);
    if (!trial.alerts.empty() && rule.suppression) suppressed_until = at + rule.suppression_time;
  }
  return out;
}

const analytics::Rule* AnalyticsRunner::rule_of(const state::AnalyticsRuleRow& row) {
  const auto known = known_.find(row.id);
  if (known != known_.end() && known->second.changed == row.changed) return &known->second.rule;
  analytics::RuleFile file = analytics::read_rule_file(row.source);
  if (file.rules.empty()) return nullptr;
  file.rules[0].id = row.id;
  return &(known_[row.id] = {row.changed, std::move(file.rules[0])}).rule;
}

void AnalyticsRunner::run_due(const std::stop_token& end) {
  const auto rows = parts_.rules.list();
  if (!rows) return log::warning("analytics", "rules: {}", describe(rows.error()));
  for (const state::AnalyticsRuleRow& row : *rows) {
    if (end.stop_requested()) return;
    if (!row.enabled || (row.next_run && *row.next_run > parts_.clock.now())) continue;
    if (const analytics::Rule* rule = rule_of(row)) run(row, *rule, end);
  }
}

void AnalyticsRunner::run(const state::AnalyticsRuleRow& row, const analytics::Rule& rule, const std::stop_token& end) {
  const Timestamp now = parts_.clock.now();
  Timestamp due = row.next_run.value_or(now);
  if (now - due > rule.frequency * kBehindMax) due = now;  // too long ago: history is for try_out()
  const analytics::Window window{due - parts_.ingestion_delay - rule.period, due - parts_.ingestion_delay};
  state::AnalyticsRun out{.rule_id = row.id, .window_start = window.start, .window_end = window.end, .at = now};
  analytics::IncidentMemory memory(row.state);
  std::optional<Timestamp> suppressed = row.suppressed_until;
  if (suppressed && *suppressed > due) {
    out.outcome = "suppressed";
  } else {
    suppressed.reset();
    const Duration begin = parts_.clock.monotonic();
    const auto table = query(rule, window, end);
    if (end.stop_requested()) return;  // not a failure: it runs again after the start
    out.elapsed_ms = (parts_.clock.monotonic() - begin).whole_ms();
    const auto alerts = table ? analytics::evaluate(rule, *table, window) : std::vector<analytics::Alert>{};
    out.rows = table ? table->rows_total : 0;
    out.alerts = static_cast<std::int64_t>(alerts.size());
    out.outcome = !table ? "failed" : alerts.empty() ? "quiet" : "fired";
    if (!table) out.message = table.error();
    if (const auto raised = raise(rule, alerts, window, memory); !raised) {
      log::warning("analytics", "{}: alerts cannot be stored now: {}", rule.name, describe(raised.error()));
      return;  // the same run again, soon
    }
    if (!alerts.empty() && rule.suppression) suppressed = due + rule.suppression_time;
    alerts_ += alerts.size();
    if (!table) ++failures_;
  }
  ++runs_;
  const auto stored = parts_.rules.finish(out, due + rule.frequency, suppressed, memory.to_text());
  if (!stored) log::warning("analytics", "{}: {}", rule.name, describe(stored.error()));
}

pipeline::AlertChange AnalyticsRunner::change_of(const analytics::Rule& rule, const analytics::Alert& alert,
                                                 Timestamp run) const {
  const Identity identity{parts_.hub, alert.device_id, "", ""};
  pipeline::AlertChange change{.alert_id = pipeline::make_alert_id("analytics/" + rule.id, identity, alert.key, run),
                               .rule = rule.id,
                               .alert_type = parts_.installation_id + "_" + rule.id,
                               .display_name = alert.name,
                               .severity = alert.severity,
                               .description = alert.description,
                               .device = identity,
                               .start = alert.start,
                               .end = alert.end,
                               .generated = parts_.clock.now(),
                               .count = alert.rows,
                               .tactics = alert.tactics,
                               .techniques = alert.techniques,
                               .sub_techniques = alert.sub_techniques,
                               .remediation = alert.remediation,
                               .properties = alert.properties};
  change.product_name = alert.product_name;
  change.provider_name = alert.provider_name;
  change.product_component = alert.product_component;
  change.link = alert.link;
  for (const analytics::Entity& entity : alert.entities) change.entities.push_back({entity.type, entity.members});
  return change;
}

Result<> AnalyticsRunner::append(journal::RecordKind kind, const Identity& identity, const std::string& body,
                                 DurableGroup& group) {
  const journal::Record record{.kind = kind,
                               .partition = partition_of(identity),
                               .enqueued = parts_.clock.now(),
                               .identity = identity,
                               .properties = {},
                               .body = as_bytes(body)};
  TRY_VOID(parts_.derived.append(record, group.expect()));
  return {};
}

Result<> AnalyticsRunner::raise(const analytics::Rule& rule, const std::vector<analytics::Alert>& alerts,
                                const analytics::Window& window, analytics::IncidentMemory& memory) {
  if (alerts.empty()) return {};
  RuleIncidents incidents(parts_.incidents, parts_.hub, rule, memory, parts_.clock.now());
  std::vector<pipeline::AlertChange> changes;
  for (const analytics::Alert& alert : alerts) {
    changes.push_back(change_of(rule, alert, window.end));
    TRY_VOID(incidents.add(alert, changes.back(), window.end));
  }
  DurableGroup group;
  for (const pipeline::AlertChange& change : changes)
    TRY_VOID(append(journal::RecordKind::alert_change, change.device, pipeline::to_json(change), group));
  const auto made = incidents.take();
  for (const pipeline::IncidentChange& incident : made)
    TRY_VOID(append(journal::RecordKind::incident_change, incident.device, pipeline::to_json(incident), group));
  TRY_VOID(group.wait());
  incident_changes_ += made.size();
  return {};
}

}  // namespace picket::server
