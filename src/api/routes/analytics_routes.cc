// Scheduled analytics rules: import, list, switch, runs, trials over history.
#include <algorithm>

#include "../json_body.h"
#include "../result_values.h"
#include "analytics/rule_file.h"
#include "api/analytics_desk.h"
#include "base/core/json_writer.h"
#include "handlers.h"

namespace picket::api {
namespace {

constexpr std::size_t kIdBytesMax = 128;

std::unexpected<ApiError> not_offered() { return std::unexpected(ApiError{.code = "not_implemented"}); }

void write_texts(JsonWriter& out, std::string_view name, const std::vector<std::string>& texts) {
  out.key(name).begin_array();
  for (const std::string& text : texts) out.value(text);
  out.end_array();
}

void write_run(JsonWriter& out, const state::AnalyticsRun& run) {
  out.begin_object().key("windowStart").value(run.window_start).key("windowEnd").value(run.window_end);
  out.key("at").value(run.at).key("elapsedMs").value(run.elapsed_ms).key("rows").value(run.rows);
  out.key("alerts").value(run.alerts).key("outcome").value(run.outcome).key("message").value(run.message).end_object();
}

/// Members of AnalyticsRule, without the braces.
void write_rule(JsonWriter& out, const state::AnalyticsRuleRow& row, const analytics::Rule& rule) {
  out.key("id").value(row.id).key("name").value(row.name).key("description").value(rule.description);
  out.key("severity").value(rule.severity).key("version").value(rule.version);
  out.key("kind").value(rule.near_real_time ? "NRT" : "Scheduled").key("enabled").value(row.enabled);
  out.key("query").value(rule.query).key("frequencySeconds").value(rule.frequency.whole_seconds());
  out.key("periodSeconds").value(rule.period.whole_seconds()).key("threshold").value(rule.threshold);
  constexpr const char* kTriggers[] = {"gt", "lt", "eq", "ne"};
  out.key("trigger").value(kTriggers[static_cast<std::size_t>(rule.trigger)]);
  write_texts(out, "tactics", rule.tactics);
  write_texts(out, "techniques", rule.techniques);
  out.key("changed").value(row.changed);
  if (row.next_run) out.key("nextRun").value(*row.next_run);
  if (row.suppressed_until) out.key("suppressedUntil").value(*row.suppressed_until);
}

std::expected<std::pair<state::AnalyticsRuleRow, analytics::Rule>, ApiError> find_rule(const Call& call) {
  auto row = call.parts.services.analytics->find(call.path_values[0]);
  if (!row) return api_error(row.error(), "analytics rule");
  auto file = analytics::read_rule_file(row->source);
  if (file.rules.empty()) return std::unexpected(ApiError{.code = "internal"});
  return std::pair{*std::move(row), std::move(file.rules[0])};
}

void write_alert(JsonWriter& out, const analytics::Alert& alert) {
  out.begin_object().key("name").value(alert.name).key("severity").value(alert.severity);
  out.key("description").value(alert.description).key("deviceId").value(alert.device_id);
  out.key("start").value(alert.start).key("end").value(alert.end).key("rows").value(alert.rows);
  out.key("entities").begin_array();
  for (const analytics::Entity& entity : alert.entities) {
    out.begin_object().key("Type").value(entity.type);
    for (const auto& [name, value] : entity.members) out.key(name).value(value);
    out.end_object();
  }
  out.end_array().end_object();
}

std::string trials_json(const std::vector<RuleTrial>& trials) {
  JsonWriter out;
  std::uint64_t alerts = 0;
  out.begin_object().key("runs").begin_array();
  for (const RuleTrial& trial : trials) {
    alerts += trial.alerts.size();
    out.begin_object().key("windowStart").value(trial.window.start).key("windowEnd").value(trial.window.end);
    out.key("rows").value(trial.rows).key("outcome");
    out.value(!trial.failure.empty() ? "failed"
              : trial.suppressed     ? "suppressed"
              : trial.alerts.empty() ? "quiet"
                                     : "fired");
    if (!trial.failure.empty()) out.key("message").value(trial.failure);
    out.key("alerts").begin_array();
    for (const analytics::Alert& alert : trial.alerts) write_alert(out, alert);
    out.end_array().end_object();
  }
  return out.end_array().key("alerts").value(alerts).end_object().take();
}

}  // namespace

Answer list_analytics_rules(Call& call) {
  auto* store = call.parts.services.analytics;
  if (store == nullptr) return not_offered();
  const auto rows = store->list();
  if (!rows) return api_error(rows.error(), "analytics rules");
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  for (const state::AnalyticsRuleRow& row : *rows) {
    const auto file = analytics::read_rule_file(row.source);
    if (file.rules.empty()) continue;
    out.begin_object();
    write_rule(out, row, file.rules[0]);
    out.end_object();
  }
  return Response::json(out.end_array().end_object().take());
}

Answer get_analytics_rule(Call& call) {
  if (call.parts.services.analytics == nullptr) return not_offered();
  API_TRY(const auto found, find_rule(call));
  const auto runs = call.parts.services.analytics->runs(found.first.id);
  if (!runs) return api_error(runs.error(), "analytics rule");
  JsonWriter out;
  out.begin_object();
  write_rule(out, found.first, found.second);
  out.key("runs").begin_array();
  for (const state::AnalyticsRun& run : *runs) write_run(out, run);
  return Response::json(out.end_array().end_object().take());
}

// The body is the file itself, YAML or ARM. A rule whose query cannot run is refused and told; the others are taken.
Answer import_analytics_rules(Call& call) {
  auto* store = call.parts.services.analytics;
  const auto* desk = call.parts.services.analytics_desk;
  if (store == nullptr || desk == nullptr) return not_offered();
  analytics::RuleFile file = analytics::read_rule_file(call.request.body);
  std::vector<std::string> taken;
  for (const analytics::Rule& rule : file.rules) {
    if (rule.id.size() > kIdBytesMax) continue;
    if (const auto problem = desk->problem(rule)) {
      file.complaints.push_back("The query of \"" + rule.name + "\" cannot run: " + *problem);
      continue;
    }
    const auto made = store->put(rule.id, rule.name, to_json(rule), call.actor(), call.now());
    if (!made) return api_error(made.error(), "analytics rule");
    taken.push_back(rule.id);
  }
  if (taken.empty())
    return std::unexpected(invalid("rules", file.complaints.empty() ? "The file holds no rule." : file.complaints[0]));
  JsonWriter out;
  out.begin_object();
  write_texts(out, "imported", taken);
  write_texts(out, "complaints", file.complaints);
  return Response::json(out.end_object().take());
}

Answer set_analytics_rule(Call& call) {
  auto* store = call.parts.services.analytics;
  if (store == nullptr) return not_offered();
  API_TRY(const auto body, JsonBody::parse(call.request, {"enabled"}));
  API_TRY(const auto enabled, body.json("enabled", 8));
  if (!enabled || (*enabled != "true" && *enabled != "false"))
    return std::unexpected(invalid("enabled", "This must be true or false."));
  const auto done = store->set_enabled(call.path_values[0], *enabled == "true", call.actor(), call.now());
  if (!done) return api_error(done.error(), "analytics rule");
  return Response::empty();
}

Answer delete_analytics_rule(Call& call) {
  auto* store = call.parts.services.analytics;
  if (store == nullptr) return not_offered();
  const auto removed = store->remove(call.path_values[0], call.actor(), call.now());
  if (!removed) return api_error(removed.error(), "analytics rule");
  if (!*removed) return std::unexpected(ApiError{.code = "not_found", .target = "analytics rule"});
  return Response::empty();
}

// {"rule": text of a file with one rule} or {"id": …}, and the part of history.
Answer try_analytics_rule(Call& call) {
  const Services& services = call.parts.services;
  if (services.analytics == nullptr || services.analytics_desk == nullptr) return not_offered();
  API_TRY(const auto body, JsonBody::parse(call.request, {"rule", "id", "timespan"}));
  API_TRY(auto source, body.text("rule", analytics::kRuleFileBytesMax));
  API_TRY(const auto id, body.text("id", kIdBytesMax));
  API_TRY(const auto timespan, body.required_text("timespan", 128));
  if (!source && id) {
    auto row = services.analytics->find(*id);
    if (!row) return api_error(row.error(), "analytics rule");
    source = std::move(row->source);
  }
  if (!source) return std::unexpected(invalid("rule", "Give a rule, or the id of one."));
  const auto file = analytics::read_rule_file(*source);
  if (file.rules.size() != 1)
    return std::unexpected(
        invalid("rule", file.complaints.empty() ? "The file must hold one rule." : file.complaints[0]));
  const auto range = parse_timespan(timespan, call.now());
  if (!range)
    return std::unexpected(invalid("timespan", "This must be a duration such as P1D or an interval of two times."));
  const auto trials =
      services.analytics_desk->try_out(file.rules[0], range->from, std::min(range->to, call.now()), call.request.gone);
  return Response::json(trials_json(trials));
}

}  // namespace picket::api
