// Consumers, retention and accepted losses of the embedded journal.
#include <algorithm>
#include <cerrno>

#include <unistd.h>

#include "embedded_journal.h"

namespace picket::journal {

Result<Position> EmbeddedJournal::add_consumer(std::string_view name) {
  if (!is_consumer_name(name)) return fail(Errc::malformed, "journal.consumer.name");
  const std::lock_guard lock(mutex_);
  if (const auto known = positions_.consumers.find(name); known != positions_.consumers.end()) return known->second;
  if (positions_.consumers.size() >= kConsumersMax) return fail(Errc::limit_exceeded, "journal.consumer.count");
  const Position from = Position::at(0, segments_.front().first_sequence);
  positions_.consumers.emplace(name, from);
  return from;
}

Result<> EmbeddedJournal::set_position(std::string_view name, const Position& position) {
  const std::lock_guard lock(mutex_);
  const auto known = positions_.consumers.find(name);
  if (known == positions_.consumers.end()) return fail(Errc::not_found, "journal.consumer");
  if (position.next_of(0) > durable_end_) return fail(Errc::limit_exceeded, "journal.consumer.position");
  known->second = position;
  return {};
}

Result<> EmbeddedJournal::remove_consumer(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto known = positions_.consumers.find(name);
  if (known == positions_.consumers.end()) return fail(Errc::not_found, "journal.consumer");
  positions_.consumers.erase(known);
  return {};
}

Result<> EmbeddedJournal::store_positions() { return store_positions_now(); }

Result<> EmbeddedJournal::store_positions_now() {
  const std::lock_guard one_at_a_time(store_mutex_);
  Positions copy;
  {
    const std::lock_guard lock(mutex_);
    positions_.durable_end = durable_end_;
    copy = positions_;
  }
  return journal::store_positions(options_.directory, copy);
}

Result<> EmbeddedJournal::retain(const Retention& limits, Timestamp now) {
  // First the positions: a crash must not bring back a position whose records retention has just deleted.
  TRY_VOID(store_positions_now());
  for (;;) {
    std::string path;
    {
      const std::lock_guard lock(mutex_);
      if (segments_.size() < 2) return {};
      std::uint64_t total = 0;
      for (const Segment& segment : segments_) total += segment.bytes;
      const Segment& oldest = segments_.front();
      const Segment& second = segments_[1];
      // Nothing in the oldest segment is later than the making of the second.
      const bool too_old = limits.age_max.us > 0 && second.created < now - limits.age_max;
      const bool too_much = limits.bytes_max > 0 && total > limits.bytes_max;
      if (!too_old && !too_much) return {};
      const bool read_by_all = std::ranges::all_of(positions_.consumers, [&](const auto& consumer) {
        return consumer.second.next_of(0) >= second.first_sequence;
      });
      if (!read_by_all) {
        ++stats_.retention_blocked;
        return {};
      }
      path = oldest.path;
      ++stats_.segments_deleted;
      stats_.bytes_deleted += oldest.bytes;
      segments_.erase(segments_.begin());
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("journal.retain.remove");
    TRY_VOID(sync_directory(options_.directory));
  }
}

Result<> EmbeddedJournal::accept_loss(const Corruption& corruption) {
  const std::lock_guard one_at_a_time(store_mutex_);
  std::vector<Corruption> copy;
  {
    const std::lock_guard lock(mutex_);
    if (corruption.next_sequence <= corruption.first_sequence) return fail(Errc::malformed, "journal.loss");
    if (losses_.size() >= kLossesMax) return fail(Errc::limit_exceeded, "journal.loss.count");
    copy = losses_;
  }
  copy.push_back(corruption);
  TRY_VOID(store_losses(options_.directory, copy));
  say("journal: loss accepted: " + corruption.file + ", records " + std::to_string(corruption.first_sequence) + " to " +
      std::to_string(corruption.next_sequence - 1));
  const std::lock_guard lock(mutex_);
  losses_ = std::move(copy);
  ++stats_.losses_accepted;
  return {};
}

bool EmbeddedJournal::passes_loss(const Corruption& corruption) {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(losses_, [&](const Corruption& accepted) {
    return accepted.first_sequence <= corruption.first_sequence && accepted.next_sequence >= corruption.next_sequence;
  });
}

void EmbeddedJournal::note_corruption(const Corruption& corruption) {
  {
    const std::lock_guard lock(mutex_);
    ++stats_.corruptions;
  }
  say("journal: reader stopped at corrupt " + corruption.file + " bytes " + std::to_string(corruption.begin) + " to " +
      std::to_string(corruption.end) + ", records " + std::to_string(corruption.first_sequence) + " to " +
      std::to_string(corruption.next_sequence - 1));
}

}  // namespace picket::journal
