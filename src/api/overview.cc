#include "overview.h"

#include <algorithm>

#include <fmt/format.h>

#include "api/server.h"
#include "base/core/json_writer.h"
#include "facts.h"

namespace picket::api {
namespace {

constexpr std::size_t kNewestAlerts = 10;
constexpr std::size_t kTopDevices = 5;

void write_lag(JsonWriter& out, const Lag& lag) {
  out.begin_object().key("lag_records").value(lag.records).key("lag_ms").value(lag.milliseconds).end_object();
}

void write_dead_letters(JsonWriter& out, const DeadLetters& dead) {
  out.begin_object().key("total").value(dead.total).key("last_hour").value(dead.last_hour).end_object();
}

void write_minute(JsonWriter& out, const MinuteCount& minute) {
  out.begin_object().key("start").value(minute.start).key("count").value(minute.count).end_object();
}

std::string_view highest(const SeverityCounts& counts) {
  if (counts.high > 0) return "High";
  if (counts.medium > 0) return "Medium";
  return counts.low > 0 ? "Low" : "Informational";
}

std::vector<CounterGroup> all_counters(const Parts& parts) {
  auto groups = parts.services.health.counters();
  groups.push_back(parts.own_counters());
  return groups;
}

}  // namespace

void write_alert_summary(JsonWriter& out, const state::Alert& alert) {
  out.key("id")
      .value(alert.alert_id)
      .key("alertType")
      .value(alert.alert_type)
      .key("displayName")
      .value(alert.display_name);
  out.key("severity")
      .value(alert.severity)
      .key("status")
      .value(alert.status)
      .key("startTime")
      .value(alert.start)
      .key("endTime")
      .value(alert.end);
  // The first change is the raising one; later ones move `updated`, so then the time is not known here.
  if (alert.change == 0 && alert.status == "New") out.key("raisedTime").value(alert.updated);
  out.key("deviceId").value(alert.device_id).key("compromisedEntity").value(alert.device_id);
  out.key("count").value(alert.count);
  if (!alert.owner.empty()) out.key("owner").value(alert.owner);
  if (!alert.classification.empty()) out.key("classification").value(alert.classification);
  if (!alert.classification_reason.empty()) out.key("classificationReason").value(alert.classification_reason);
  if (!alert.suppressed_by.empty()) out.key("suppressedBy").value(alert.suppressed_by);
}

std::string alert_change_json(std::string_view change, const state::Alert& alert) {
  JsonWriter out;
  out.begin_object().key("change").value(change).key("alert").begin_object();
  write_alert_summary(out, alert);
  return out.end_object().end_object().take();
}

Result<std::string> overview_json(const Parts& parts) {
  const Services& services = parts.services;
  const Timestamp now = services.clock.now();
  TRY(const auto devices, parts.facts.device_counts());
  TRY(const auto open, services.alerts.open_by_severity());
  TRY(const auto newest, services.alerts.list({}, "", kNewestAlerts));
  TRY(const auto by_device, services.alerts.open_by_device(services.hub));
  JsonWriter out;
  out.begin_object().key("generated_at").value(now).key("devices");
  write_device_counts(out, devices);
  out.key("events_per_minute").begin_array();
  for (const MinuteCount& minute : services.health.events_per_minute(now)) write_minute(out, minute);
  out.end_array().key("alerts").begin_object().key("open_by_severity");
  write_counts(out, counts_of(open));
  out.key("newest").begin_array();
  for (const state::Alert& alert : newest.alerts) {
    out.begin_object();
    write_alert_summary(out, alert);
    out.end_object();
  }
  out.end_array().end_object().key("top_devices").begin_array();
  for (std::size_t i = 0; i < by_device.size() && i < kTopDevices; ++i) {
    const SeverityCounts counts = counts_of(by_device[i].severities);
    out.begin_object().key("deviceId").value(by_device[i].device_id);
    out.key("openAlerts").value(counts.high + counts.medium + counts.low + counts.informational);
    out.key("highestSeverity").value(highest(counts)).end_object();
  }
  out.end_array().key("pipeline");
  write_lag(out, services.health.lag());
  out.key("dead_letters");
  write_dead_letters(out, services.health.dead_letters());
  return out.end_object().take();
}

Result<std::string> live_stats_json(const Parts& parts) {
  const Services& services = parts.services;
  const Timestamp now = services.clock.now();
  TRY(const auto devices, parts.facts.device_counts());
  TRY(const auto open, services.alerts.open_by_severity());
  const auto minutes = services.health.events_per_minute(now);
  JsonWriter out;
  out.begin_object()
      .key("time")
      .value(now)
      .key("events_per_second")
      .value(services.health.events_per_second(now))
      .key("minute");
  write_minute(out, minutes.empty() ? MinuteCount{now, 0} : minutes.back());
  out.key("devices");
  write_device_counts(out, devices);
  out.key("open_by_severity");
  write_counts(out, counts_of(open));
  out.key("pipeline");
  write_lag(out, services.health.lag());
  out.key("dead_letters");
  write_dead_letters(out, services.health.dead_letters());
  return out.end_object().take();
}

std::string status_json(const Parts& parts) {
  const Timestamp now = parts.services.clock.now();
  JsonWriter out;
  out.begin_object().key("version").value(parts.services.version).key("started_at").value(parts.started_at);
  out.key("uptime_s").value(static_cast<double>((now - parts.started_at).us) / 1e6);
  out.key("installation_id").value(parts.services.installation_id);
  for (const CounterGroup& group : all_counters(parts)) {
    out.key(group.part).begin_object();
    for (const auto& [name, value] : group.counters) out.key(name).value(value);
    out.end_object();
  }
  return out.end_object().take();
}

namespace {

/// As the exposition format wants it between quotes. Ids of rules are somebody's text.
std::string label_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

/// Rules that never matched have no series of matches: most of hundreds never do.
void write_rule_metrics(std::string& out, const std::vector<pipeline::RuleLoad>& loads) {
  const auto family = [&](std::string_view name, auto value_of) {
    out += fmt::format("# TYPE picket_rule_{} counter\n", name);
    for (const pipeline::RuleLoad& load : loads) {
      if (const auto value = value_of(load); value > 0) {
        out += fmt::format("picket_rule_{}{{rule=\"{}\"}} {}\n", name, label_value(load.id), value);
      }
    }
  };
  family("matches_total", [](const auto& load) { return load.matches; });
  family("throttled_total", [](const auto& load) { return load.throttled; });
  family("cpu_microseconds_total", [](const auto& load) { return load.cpu_us; });
}

}  // namespace

std::string metrics_text(const Parts& parts) {
  std::string out = fmt::format("# TYPE picket_info gauge\npicket_info{{version=\"{}\"}} 1\n", parts.services.version);
  for (const CounterGroup& group : all_counters(parts)) {
    for (const auto& [name, value] : group.counters) {
      std::string plain = name;  // Azure's names have dots, Prometheus' may not
      std::ranges::replace(plain, '.', '_');
      out += fmt::format("# TYPE picket_{0}_{1} untyped\npicket_{0}_{1} {2}\n", group.part, plain, value);
    }
  }
  write_rule_metrics(out, parts.services.health.rule_loads());
  return out;
}

}  // namespace picket::api
