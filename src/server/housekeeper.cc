#include "housekeeper.h"

#include <condition_variable>
#include <future>
#include <mutex>

#include "base/server/log.h"

namespace picket::server {
namespace {

constexpr std::size_t kOutboxBatch = 256;
constexpr int kTicksPerMinute = 60;

}  // namespace

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
  for (int second = 0; !stopping.stop_requested(); ++second) {
    tick();
    send_outbox();
    if (second % kTicksPerMinute == 0) each_minute();
    wake.wait_for(lock, stopping, std::chrono::seconds(1), [] { return false; });
  }
  send_outbox();
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
  const auto pending = parts_.outbox.pending(kOutboxBatch);
  if (!pending) return check(std::unexpected(pending.error()), "outbox");
  if (pending->empty()) return;
  std::vector<std::future<bool>> durable;
  for (const state::OutboxRecord& one : *pending) {
    const Identity identity{parts_.hub, one.device_id, "", ""};
    const std::string id = std::to_string(one.id);
    const journal::Property properties[] = {{"kind", one.kind}, {"outbox-id", id}};
    const journal::Record record{.kind = journal::RecordKind::audit,
                                 .partition = partition_of(identity),
                                 .enqueued = parts_.clock.now(),
                                 .identity = identity,
                                 .properties = properties,
                                 .body = as_bytes(one.body)};
    auto promise = std::make_shared<std::promise<bool>>();
    durable.push_back(promise->get_future());
    const auto appended = parts_.messages.append(record, [promise](const Result<journal::RecordId>& id_or_error) {
      promise->set_value(id_or_error.has_value());
    });
    if (!appended) return check(appended, "outbox to journal");
  }
  for (auto& one : durable) {
    if (!one.get()) return check(fail(Errc::io, "outbox.durable"), "outbox to journal");
  }
  check(parts_.outbox.remove_through(pending->back().id), "outbox");
  outbox_sent_ += pending->size();
}

void Housekeeper::each_minute() {
  const Timestamp now = parts_.clock.now();
  check(parts_.messages.store_positions(), "positions of the journal's consumers");
  check(parts_.messages.retain(parts_.retention, now), "retention of the journal");
  check(parts_.derived.retain(parts_.retention, now), "retention of the derived journal");
  check(parts_.users.remove_expired(now), "expired sessions");
}

void Housekeeper::check(const Result<>& done, std::string_view what) {
  if (done) return;
  if (failures_++ % 60 == 0) log::warning("housekeeper", "{}: {}", what, describe(done.error()));
}

}  // namespace picket::server
