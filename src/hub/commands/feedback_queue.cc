#include "feedback_queue.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/core/random.h"
#include "base/server/log.h"

namespace picket::hub {
namespace {

constexpr Duration kTrimEvery = Duration::minutes(1);

FeedbackRecord record_of(state::StoredFeedback&& row) {
  return {std::move(row.original_message_id),
          row.created,
          std::move(row.status),
          std::move(row.description),
          std::move(row.device_id),
          std::move(row.generation_id)};
}

}  // namespace

FeedbackQueue::FeedbackQueue(state::Database& database, const Clock& clock, const CommandOptions& options)
    : database_(database), clock_(clock), options_(options), trimmed_(clock.monotonic()), gate_(database) {
  const auto read = database_.read([&](sqlite3* db) -> Result<> {
    TRY(const auto hubs, state::FeedbackTable::hubs(db));
    pending_.insert(hubs.begin(), hubs.end());
    return {};
  });
  if (!read) log::error("commands", "feedback of earlier runs cannot be read: {}", describe(read.error()));
}

void FeedbackQueue::added(const std::string& hub) {
  const std::scoped_lock lock(mutex_);
  pending_.insert(hub);
}

void FeedbackQueue::listen(std::function<void(const std::string& hub)> listener) {
  const std::scoped_lock lock(mutex_);
  listener_ = std::move(listener);
}

Result<std::vector<state::FeedbackHead>> FeedbackQueue::heads(const std::string& hub) const {
  std::vector<state::FeedbackHead> out;
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(out, state::FeedbackTable::heads(db, hub, kFeedbackBatchMax * (kLocksMax + 1)));
    return {};
  }));
  return out;
}

std::vector<state::FeedbackHead> FeedbackQueue::ready(const std::string& hub,
                                                      const std::vector<state::FeedbackHead>& heads) {
  auto& locks = locks_[hub];
  const auto now = clock_.monotonic();
  std::erase_if(locks, [&](const Lock& lock) { return !lock.settling && lock.until <= now; });
  if (locks.size() >= kLocksMax) return {};
  const auto held = [&](std::int64_t id) {
    return std::ranges::any_of(locks, [id](const Lock& lock) { return lock.first <= id && id <= lock.last; });
  };
  std::vector<state::FeedbackHead> out;
  for (const auto& head : heads) {
    if (held(head.id)) {
      if (!out.empty()) break;  // a batch is one run
      continue;
    }
    out.push_back(head);
    if (out.size() == kFeedbackBatchMax) return out;
  }
  // A run that ends at another's lock will not grow; but it is as young as it is.
  if (out.empty() || clock_.now() - out.front().created < options_.feedback_age) return {};
  return out;
}

Result<std::optional<FeedbackBatch>> FeedbackQueue::take(const std::string& hub) {
  TRY(const auto known, heads(hub));
  Lock lock;
  {
    const std::scoped_lock guard(mutex_);
    const auto run = ready(hub, known);
    if (run.empty()) return std::optional<FeedbackBatch>();
    lock = {random_uuid(), run.front().id, run.back().id, clock_.monotonic() + options_.feedback_lock, false};
    locks_[hub].push_back(lock);
  }
  // Read again under the lock: what was settled in between must not be handed out twice.
  FeedbackBatch batch{lock.token, clock_.now(), {}};
  const auto read = database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(auto rows, state::FeedbackTable::range(db, hub, lock.first, lock.last));
    for (auto& row : rows) batch.records.push_back(record_of(std::move(row)));
    return {};
  });
  if (!read || batch.records.empty()) release(hub, lock.token);
  if (!read) return std::unexpected(read.error());
  if (batch.records.empty()) return std::optional<FeedbackBatch>();
  return std::optional(std::move(batch));
}

void FeedbackQueue::receive(std::string_view hub, Done<std::optional<FeedbackBatch>> done) {
  auto batch = take(std::string(hub));
  if (!batch) return done(std::unexpected(from_store(batch.error(), "feedback")));
  done(*std::move(batch));
}

void FeedbackQueue::release(const std::string& hub, std::string_view token) {
  const std::scoped_lock guard(mutex_);
  const auto found = locks_.find(hub);
  if (found == locks_.end()) return;
  std::erase_if(found->second, [&](const Lock& lock) { return lock.token == token; });
}

void FeedbackQueue::settle(std::string_view hub_name, std::string_view token, Settlement settlement, Done<> done) {
  const std::string hub(hub_name);
  Lock held;
  {
    const std::scoped_lock guard(mutex_);
    auto& locks = locks_[hub];
    const auto found = std::ranges::find(locks, token, &Lock::token);
    if (found != locks.end() && !found->settling && found->until > clock_.monotonic()) {
      found->settling = true;
      held = *found;
    }
  }
  if (held.token.empty()) return done(hub_fail(kLockLost, "The lock of this feedback is lost."));
  if (settlement == Settlement::abandon) {
    release(hub, token);
    return done({});
  }
  gate_.submit(
      [hub, held](sqlite3* db) -> Result<> {
        TRY_VOID(state::FeedbackTable::remove_range(db, hub, held.first, held.last));
        return {};
      },
      [this, hub, held, done = std::move(done)](Result<> removed) mutable {
        release(hub, held.token);
        if (!removed) return done(std::unexpected(from_store(removed.error(), "feedback")));
        done({});
      });
}

void FeedbackQueue::run_due() {
  std::set<std::string> hubs;
  std::function<void(const std::string&)> listener;
  {
    const std::scoped_lock guard(mutex_);
    hubs.swap(pending_);  // before looking: who adds records meanwhile puts his hub back
    listener = listener_;
  }
  for (const auto& hub : hubs) {
    const auto known = heads(hub);
    bool tell = false;
    {
      const std::scoped_lock guard(mutex_);
      if (!known || !known->empty()) pending_.insert(hub);
      tell = known && !ready(hub, *known).empty();
    }
    if (tell && listener) listener(hub);
  }
  if (clock_.monotonic() - trimmed_ >= kTrimEvery) trim();
}

void FeedbackQueue::trim() {
  trimmed_ = clock_.monotonic();
  auto removed = std::make_shared<std::uint64_t>(0);
  gate_.submit(
      [removed, before = clock_.now() - options_.feedback_kept, kept = options_.feedback_max](sqlite3* db) -> Result<> {
        TRY(*removed, state::FeedbackTable::trim(db, before, kept));
        return {};
      },
      [this, removed](const Result<>& trimmed) {
        if (trimmed) dropped_ += *removed;
      });
}

}  // namespace picket::hub
