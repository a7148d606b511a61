#include "notification_queue.h"

#include <memory>
#include <utility>

#include "base/server/log.h"
#include "state/uploads.h"

namespace picket::hub {

using state::FileNotificationTable;

NotificationQueue::NotificationQueue(state::Database& database, const Clock& clock, const FileOptions& options)
    : database_(database), clock_(clock), options_(options), gate_(database) {
  const auto read = database_.read([&](sqlite3* db) -> Result<> {
    TRY(const auto hubs, FileNotificationTable::hubs(db));
    pending_.insert(hubs.begin(), hubs.end());
    return {};
  });
  if (!read) log::error("files", "notifications of earlier runs cannot be read: {}", describe(read.error()));
}

void NotificationQueue::added(const std::string& hub) {
  const std::scoped_lock lock(mutex_);
  pending_.insert(hub);
}

void NotificationQueue::listen(std::function<void(const std::string& hub)> listener) {
  const std::scoped_lock lock(mutex_);
  listener_ = std::move(listener);
}

Result<std::vector<std::int64_t>> NotificationQueue::ids(std::string_view hub) const {
  std::vector<std::int64_t> out;
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(out, FileNotificationTable::ids(db, hub, NotificationLocks::kLocksMax + 1));
    return {};
  }));
  return out;
}

void NotificationQueue::receive(std::string_view hub_name, Done<std::optional<FileNotification>> done) {
  const std::string hub(hub_name);
  auto waiting = ids(hub);
  if (!waiting) return done(std::unexpected(from_store(waiting.error(), "notifications")));
  for (;;) {
    const auto now = clock_.monotonic();
    const auto lock = locks_.take(hub, *waiting, now, now + options_.notification_lock);
    if (!lock) return done(std::optional<FileNotification>());
    // Read under the lock: what was settled in between must not be handed out twice.
    std::optional<state::StoredFileNotification> row;
    const auto looked = database_.look_up([&](sqlite3* db) -> Result<> {
      TRY(row, FileNotificationTable::find(db, lock->first));
      return {};
    });
    if (!looked || !row) locks_.release(hub, lock->first);
    if (!looked) return done(std::unexpected(from_store(looked.error(), "notifications")));
    if (!row) {
      std::erase(*waiting, lock->first);
      continue;
    }
    return done(std::optional(FileNotification{lock->second, row->enqueued, row->device_id, row->blob_uri,
                                               row->blob_name, row->last_updated, row->size_bytes}));
  }
}

void NotificationQueue::settle(std::string_view hub_name, std::string_view token, Settlement settlement, Done<> done) {
  const std::string hub(hub_name);
  const auto id = locks_.begin_settling(hub, token, clock_.monotonic());
  if (!id) return done(hub_fail(kLockLost, "The lock of this notification is lost."));
  if (settlement == Settlement::abandon) {
    locks_.release(hub, *id);
    return done({});
  }
  gate_.submit([id = *id](sqlite3* db) { return FileNotificationTable::remove(db, id); },
               [this, hub, id = *id, done = std::move(done)](Result<> removed) mutable {
                 locks_.release(hub, id);
                 if (!removed) return done(std::unexpected(from_store(removed.error(), "notification")));
                 done({});
               });
}

void NotificationQueue::tell_listener() {
  std::vector<std::string> hubs;
  std::function<void(const std::string&)> listener;
  {
    const std::scoped_lock lock(mutex_);
    hubs.assign(pending_.begin(), pending_.end());
    listener = listener_;
  }
  for (const auto& hub : hubs) {
    {
      const std::scoped_lock lock(mutex_);
      pending_.erase(hub);  // before looking: who adds one meanwhile puts it back
    }
    const auto waiting = ids(hub);
    if (!waiting || !waiting->empty()) added(hub);
    if (waiting && listener && locks_.any_free(hub, *waiting, clock_.monotonic())) listener(hub);
  }
}

void NotificationQueue::trim() {
  auto dropped = std::make_shared<std::uint64_t>(0);
  gate_.submit(
      [dropped, before = clock_.now() - options_.notification_kept,
       kept = options_.notifications_max](sqlite3* db) -> Result<> {
        TRY(*dropped, FileNotificationTable::trim(db, before, kept));
        return {};
      },
      [this, dropped](const Result<>& trimmed) {
        if (trimmed) dropped_ += *dropped;
      });
}

}  // namespace picket::hub
