// The writer thread of the embedded journal: group commit, and what happens when the disk refuses.
#include <cerrno>
#include <chrono>
#include <thread>

#include <unistd.h>

#include "embedded_journal.h"

namespace picket::journal {
namespace {

constexpr int kGatherSteps = 4;
/// A group of this size is large enough.
constexpr std::size_t kGatheredBytes = 1U << 20;
/// How often free space is looked at again while appends are refused.
constexpr auto kReserveRecheck = std::chrono::milliseconds(500);

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
    } else {
      fail_group(group, written.error());
    }
    group.clear();
    check_reserve();
  }
}

/// Waits for more, as long as more keeps coming: many senders that answer each other's groups grow into one group, and
/// a lone message waits for one step only.
void EmbeddedJournal::gather() {
  std::size_t seen = 0;
  for (int step = 0; step < kGatherSteps; ++step) {
    {
      const std::lock_guard lock(mutex_);
      const std::size_t records = pending_.callbacks.size();
      if (stopping_ || records == seen || pending_.bytes.size() >= kGatheredBytes) return;
      seen = records;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(options_.gather_delay.us / kGatherSteps));
  }
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
  }
  if (current.bytes > kFileHeaderBytes && current.bytes >= options_.segment_bytes_max) {
    TRY_VOID(roll_segment(group));
    const std::lock_guard lock(mutex_);
    current = segments_.back();
  }
  needs_cut_ = true;
  seal_records(group.bytes, current.salt);
  TRY_VOID(write_all_at(fd_.get(), group.bytes, current.bytes));
  if (::fdatasync(fd_.get()) != 0) return fail_errno("journal.write.sync");
  needs_cut_ = false;
  return {};
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
  return {};
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
