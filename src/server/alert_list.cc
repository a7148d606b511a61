#include "alert_list.h"

#include <chrono>

#include <boost/json.hpp>

#include "base/core/json_writer.h"
#include "base/server/log.h"
#include "pipeline/alert.h"

namespace picket::server {
namespace {

state::Alert alert_of(const pipeline::AlertChange& change, std::string json) {
  return {.alert_id = change.alert_id,
          .alert_type = change.alert_type,
          .display_name = change.display_name,
          .severity = change.severity,
          .hub = change.device.hub,
          .device_id = change.device.device_id,
          .module_id = change.device.module_id,
          .start = change.start,
          .end = change.end,
          .updated = change.generated,
          .change = change.change,
          .json = std::move(json)};
}

}  // namespace

Result<> AlertList::apply(const journal::RecordView& record, const journal::Position& after) {
  const std::string position = after.to_text();
  if (record.kind == journal::RecordKind::alert_change) {
    TRY_VOID(apply_change(record, position));
  } else if (record.kind == journal::RecordKind::triage) {
    TRY_VOID(apply_triage(record, position));
  }
  {
    const std::scoped_lock lock(mutex_);
    applied_ = after;
  }
  changed_.notify_all();
  return {};
}

bool AlertList::wait_applied(journal::RecordId id, Duration timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::microseconds(timeout.us), [&] { return applied_.covers(id); });
}

Result<> AlertList::apply_change(const journal::RecordView& record, const std::string& position) {
  const auto change = pipeline::parse_alert_change(as_text(record.body));
  if (!change) return reject(record, change.error(), position);
  const state::Alert alert = alert_of(*change, std::string(as_text(record.body)));
  TRY(const bool changed, alerts_.apply(alert, position));
  if (!changed) return {};
  ++changes_;
  TRY(const state::Alert stored, alerts_.find(alert.alert_id));
  listener_(change->change == 0 ? AlertEvent::raised : AlertEvent::updated, stored);
  return {};
}

Result<> AlertList::apply_triage(const journal::RecordView& record, const std::string& position) {
  const auto triage = parse_triage(as_text(record.body));
  if (!triage) return reject(record, triage.error(), position);
  const auto alert = alerts_.apply(*triage, position);
  if (!alert && alert.error().code == Errc::not_found) return {};  // older than what retention has left
  if (!alert) return std::unexpected(alert.error());
  ++triages_;
  listener_(AlertEvent::triaged, *alert);
  return {};
}

Result<> AlertList::reject(const journal::RecordView& record, const Error& error, const std::string& position) {
  ++rejected_;
  log::error("alerts", "derived record {} cannot be read: {}", to_text(record.id), describe(error));
  return alerts_.set_position(position);
}

std::string to_json(const state::Triage& triage) {
  JsonWriter json;
  json.begin_object().key("format").value(1).key("alert_id").value(triage.alert_id).key("status").value(triage.status);
  json.key("user").value(triage.user).key("comment").value(triage.comment).key("time").value(triage.time).end_object();
  return json.take();
}

Result<state::Triage> parse_triage(std::string_view json) {
  boost::system::error_code failed;
  const boost::json::value parsed = boost::json::parse(json, failed);
  const auto* fields = failed ? nullptr : parsed.if_object();
  if (fields == nullptr) return fail(Errc::malformed, "triage.json");
  const auto text = [&](const char* name) -> Result<std::string> {
    const auto* found = fields->if_contains(name);
    if (found == nullptr || !found->is_string()) return fail(Errc::malformed, "triage.field");
    return std::string(found->get_string());
  };
  state::Triage out;
  TRY(out.alert_id, text("alert_id"));
  TRY(out.status, text("status"));
  TRY(out.user, text("user"));
  TRY(out.comment, text("comment"));
  TRY(const std::string time, text("time"));
  TRY(out.time, parse_rfc3339(time));
  return out;
}

}  // namespace picket::server
