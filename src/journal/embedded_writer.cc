// The writer thread of the embedded journal: group commit, and what happens when the disk refuses.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include <unistd.h>

#include "embedded_journal.h"

namespace picket::journal {
namespace {

constexpr int kGatherSteps = 4;
constexpr unsigned kDoubtEvery = 16;
/// Zeros written ahead of the records: a flush that changes neither the file's length nor its blocks writes no inode.
constexpr std::uint64_t kPreparedBytes = 256U << 10;
/// How often free space is looked at again while appends are refused.
constexpr auto kReserveRecheck = std::chrono::milliseconds(500);
/// Behind a group free space is looked at when this time has passed, or this share of the reserve was written.
constexpr auto kReserveLook = std::chrono::milliseconds(100);
constexpr std::uint64_t kReserveShare = 256;

}  // namespace

void EmbeddedJournal::write_loop() {
  Group group;
  for (;;) {
    bool recheck = false;
    {
      std::unique_lock lock(mutex_);
      const auto ready = [&] { return stopping_ || !pending_.callbacks.empty(); };
      if (reserve_reached_) {
        recheck = !work_.wait_for(lock, kReserveRecheck, ready);
      } else {
        work_.wait(lock, ready);
      }
      if (stopping_ && pending_.callbacks.empty()) return;
    }
    if (recheck) {
      check_reserve();
      continue;
    }
    if (options_.gather_delay.us > 0) gather();
    {
      const std::lock_guard lock(mutex_);
      std::swap(group, pending_);
      writing_ = true;
      writing_records_ = group.callbacks.size();
      writing_bytes_ = group.bytes.size();
    }
    if (auto written = write_group(group); written) {
      finish_group(group);
      look_at_reserve(group.bytes.size());
    } else {
      fail_group(group, written.error());
      check_reserve();
    }
    group.clear();
  }
}

/// Waits for more, as long as more keeps coming. Senders that wait for their answers come back as one round, so a group
/// as large as those before it is whole; now and then that is not believed, since two rounds can become one.
void EmbeddedJournal::gather() {
  const auto step = std::chrono::microseconds(options_.gather_delay.us / kGatherSteps);
  std::unique_lock lock(mutex_);
  wanted_records_ = ++gathered_ % kDoubtEvery == 0 ? kPendingRecordsMax : round_records_;
  const auto& records = pending_.callbacks;
  for (int i = 0; i < kGatherSteps; ++i) {
    const std::size_t seen = records.size();
    if (work_.wait_for(lock, step, [&] { return stopping_ || is_whole(); }) || records.size() == seen) break;
  }
  wanted_records_ = 0;
  round_records_ = std::max(records.size(), round_records_ - round_records_ / 8);
}

Result<> EmbeddedJournal::write_group(Group& group) {
  Segment current;
  {
    const std::lock_guard lock(mutex_);
    current = segments_.back();
  }
  if (needs_cut_) {
    if (::ftruncate(fd_.get(), static_cast<off_t>(current.bytes)) != 0) return fail_errno("journal.write.truncate");
    needs_cut_ = false;
    prepared_end_ = 0;
  }
  if (current.bytes > kFileHeaderBytes && current.bytes >= options_.segment_bytes_max) {
    TRY_VOID(roll_segment(group));
    const std::lock_guard lock(mutex_);
    current = segments_.back();
  }
  needs_cut_ = true;
  seal_records(group.bytes, current.salt);
  TRY_VOID(write_all_at(fd_.get(), group.bytes, current.bytes));
  prepare(current.bytes + group.bytes.size());
  if (::fdatasync(fd_.get()) != 0) return fail_errno("journal.write.sync");
  needs_cut_ = false;
  return {};
}

/// Room behind `end` for the next groups. Ends where the segment does, so that only the newest segment ever has any.
void EmbeddedJournal::prepare(std::uint64_t end) {
  if (end <= prepared_end_ || end >= options_.segment_bytes_max) return;
  const std::uint64_t until = std::min(end + kPreparedBytes, options_.segment_bytes_max);
  // No space for zeros is no fault of the group; the next try is some groups later.
  static_cast<void>(write_all_at(fd_.get(), Buffer(static_cast<std::size_t>(until - end)), end));
  prepared_end_ = until;
}

/// A clean stop leaves nothing behind the records.
void EmbeddedJournal::cut_prepared() {
  if (prepared_end_ == 0) return;
  if (::ftruncate(fd_.get(), static_cast<off_t>(segments_.back().bytes)) != 0) say("journal: zeros not cut off");
}

Result<> EmbeddedJournal::roll_segment(const Group& group) {
  Timestamp created;
  {
    const std::lock_guard lock(mutex_);
    created = stats_.last_enqueued;
  }
  TRY(auto made, create_segment(options_.directory, group.first_sequence, created));
  const std::lock_guard lock(mutex_);
  segments_.push_back(std::move(made.segment));
  fd_ = std::move(made.fd);
  prepared_end_ = 0;
  return {};
}

void EmbeddedJournal::look_at_reserve(std::uint64_t written_bytes) {
  unlooked_bytes_ += written_bytes;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_ && unlooked_bytes_ < options_.reserve_bytes / kReserveShare) return;
  next_look_ = now + kReserveLook;
  unlooked_bytes_ = 0;
  check_reserve();
}

void EmbeddedJournal::finish_group(Group& group) {
  {
    const std::lock_guard lock(mutex_);
    segments_.back().bytes += group.bytes.size();
    durable_end_ = group.first_sequence + group.callbacks.size();
    stats_.records_durable += group.callbacks.size();
    stats_.bytes_durable += group.bytes.size();
    stats_.last_enqueued = group.last_enqueued;
    stats_.failing = false;
    ++stats_.groups;
    writing_ = false;
    writing_records_ = writing_bytes_ = 0;
  }
  durable_.notify_all();
  std::uint64_t sequence = group.first_sequence;
  for (OnDurable& callback : group.callbacks) {
    if (callback) callback(RecordId{0, sequence});
    ++sequence;
  }
  run_listeners();
}

/// Everything behind the durable end is given up, also what was appended meanwhile: its sequences follow the failed
/// ones.
void EmbeddedJournal::fail_group(Group& group, const Error& error) {
  Group behind;
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    std::swap(behind, pending_);
    next_sequence_ = durable_end_;
    first = !stats_.failing;
    stats_.failing = true;
    stats_.last_os_error = error.os_error;
    stats_.records_failed += group.callbacks.size() + behind.callbacks.size();
    ++stats_.write_failures;
    writing_ = false;
    writing_records_ = writing_bytes_ = 0;
  }
  durable_.notify_all();
  if (first) say("journal: write refused: " + describe(error));
  for (Group* given_up : {&group, &behind}) {
    for (OnDurable& callback : given_up->callbacks) {
      if (callback) callback(std::unexpected(error));
    }
  }
  run_listeners();  // who collects answers until the end of a group waits for them too
}

}  // namespace picket::journal
