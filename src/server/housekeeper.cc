#include "housekeeper.h"

#include <condition_variable>
#include <mutex>
#include <optional>

#include <boost/json.hpp>

#include "base/core/check.h"
#include "base/server/log.h"
#include "durable_group.h"
#include "pipeline/control_records.h"

namespace picket::server {
namespace {

constexpr std::size_t kOutboxBatch = 1024;
/// Of one second: an import of a fleet must not keep ticks and retention waiting.
constexpr int kOutboxBatchesMax = 64;
constexpr int kTicksPerMinute = 60;
constexpr int kTicksPerHour = 3600;
constexpr int kTicksPerDay = 86'400;

/// What the journal needs to know of an outbox record's body.
struct Subject {
  std::string hub;
  std::string module_id;
  std::optional<std::string> group;  ///< That a registry change puts the device into.
};

Subject subject_of(const state::OutboxRecord& record, const std::string& default_hub) {
  Subject out{default_hub, {}, std::nullopt};
  boost::system::error_code failed;
  const boost::json::value parsed = boost::json::parse(record.body, failed);
  if (failed || !parsed.is_object()) return out;
  const auto text = [&](std::string_view name) -> std::optional<std::string> {
    const auto* value = parsed.get_object().if_contains(name);
    return value != nullptr && value->is_string() ? std::optional<std::string>(value->get_string()) : std::nullopt;
  };
  out.hub = text("hub").value_or(default_hub);
  out.module_id = text("module").value_or("");
  if (out.module_id.empty() && (record.kind.starts_with("device.") || record.kind.starts_with("twin."))) {
    out.group = text("group");
  }
  return out;
}

}  // namespace

Housekeeper::Housekeeper(Parts parts) : parts_(std::move(parts)) {
  CHECK(parts_.each_hour && parts_.each_day, "what is due is called hours after the start");
}

void Housekeeper::start() {
  thread_ = std::jthread([this](const std::stop_token& stopping) { run(stopping); });
}

void Housekeeper::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void Housekeeper::run(const std::stop_token& stopping) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  for (std::int64_t second = 0; !stopping.stop_requested(); ++second) {
    second_passed(second);
    wake.wait_for(lock, stopping, std::chrono::seconds(1), [] { return false; });
  }
  send_outbox();
}

void Housekeeper::second_passed(std::int64_t second) {
  tick();
  send_outbox();
  if (second % kTicksPerMinute == 0) each_minute();
  if (second % kTicksPerHour == kTicksPerMinute) check(parts_.each_hour(), "scores of the day");
  if (second > 0 && second % kTicksPerDay == 0) check(parts_.each_day(), "daily renewal");
}

void Housekeeper::tick() {
  const Identity identity{parts_.hub, "", "", ""};
  const journal::Record record{.kind = journal::RecordKind::tick,
                               .partition = partition_of(identity),
                               .enqueued = parts_.clock.now(),
                               .identity = identity};
  const auto appended = parts_.messages.append(record, [](const Result<journal::RecordId>&) {});
  ++(appended ? ticks_ : ticks_refused_);
}

// The records leave the outbox only when all of them are durable in the journal. After a crash between the two they are
// appended again with the same id: readers of audit records drop the second by it.
void Housekeeper::send_outbox() {
  for (int batch = 0; batch < kOutboxBatchesMax; ++batch) {
    const auto pending = parts_.outbox.pending(kOutboxBatch);
    if (!pending) return check(std::unexpected(pending.error()), "outbox");
    if (pending->empty()) return;
    DurableGroup group;
    for (const state::OutboxRecord& one : *pending) {
      if (const auto done = append(group, one); !done) return check(done, "outbox to journal");
    }
    if (!group.wait()) return check(fail(Errc::io, "outbox.durable"), "outbox to journal");
    check(parts_.outbox.remove_through(pending->back().id), "outbox");
    outbox_sent_ += pending->size();
    if (pending->size() < kOutboxBatch) return;
  }
}

Result<> Housekeeper::append(DurableGroup& group, const state::OutboxRecord& one) {
  const Subject subject = subject_of(one, parts_.hub);
  const Identity identity{subject.hub, one.device_id, subject.module_id, ""};
  const std::string id = std::to_string(one.id);
  const std::string time = format_rfc3339(one.created);
  const journal::Property properties[] = {{"kind", one.kind}, {"outbox-id", id}, {"time", time}};
  TRY_VOID(append(group, journal::RecordKind::audit, identity, properties, one.body));
  // Detectors learn a device's group from a record of its own kind, in the same order.
  if (!subject.group) return {};
  return append(group, journal::RecordKind::group_change, identity, {}, pipeline::group_change_body(*subject.group));
}

Result<> Housekeeper::append(DurableGroup& group, journal::RecordKind kind, const Identity& identity,
                             std::span<const journal::Property> properties, std::string_view body) {
  const journal::Record record{.kind = kind,
                               .partition = partition_of(identity),
                               .enqueued = parts_.clock.now(),
                               .identity = identity,
                               .properties = properties,
                               .body = as_bytes(body)};
  return parts_.messages.append(record, group.expect());
}

void Housekeeper::each_minute() {
  const Timestamp now = parts_.clock.now();
  check(parts_.messages.store_positions(), "positions of the journal's consumers");
  const Timestamp by = parts_.retention_clock.now();
  check(parts_.messages.retain(parts_.retention, by), "retention of the journal");
  check(parts_.derived.retain(parts_.retention, by), "retention of the derived journal");
  check(parts_.users.remove_expired(now), "expired sessions");
}

void Housekeeper::check(const Result<>& done, std::string_view what) {
  if (done) return;
  if (failures_++ % 60 == 0) log::warning("housekeeper", "{}: {}", what, describe(done.error()));
}

}  // namespace picket::server
