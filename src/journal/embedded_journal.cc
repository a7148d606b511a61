#include "embedded_journal.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "embedded_reader.h"

namespace picket::journal {
namespace {

Result<std::uint64_t> free_bytes_of(const std::string& directory) {
  struct statvfs status{};
  if (::statvfs(directory.c_str(), &status) != 0) return fail_errno("journal.statvfs");
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

Result<UniqueFd> take_lock(const std::string& directory) {
  TRY(UniqueFd fd, open_file(directory + "/lock", O_RDWR | O_CREAT));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return fail(Errc::unavailable, "journal.lock");
  return fd;
}

}  // namespace

void EmbeddedJournal::Group::clear() {
  bytes.clear();
  callbacks.clear();
}

EmbeddedJournal::EmbeddedJournal(EmbeddedOptions options, UniqueFd lock, Recovered recovered, Positions positions,
                                 std::vector<Corruption> losses, NewSegment current)
    : options_(std::move(options)),
      lock_(std::move(lock)),
      next_sequence_(recovered.next_sequence),
      durable_end_(recovered.next_sequence),
      last_enqueued_(recovered.last_enqueued),
      segments_(std::move(recovered.segments)),
      positions_(std::move(positions)),
      losses_(std::move(losses)),
      fd_(std::move(current.fd)) {
  stats_.corruptions = recovered.report.corrupt.size();
  stats_.last_enqueued = last_enqueued_;
  check_reserve();
  writer_ = std::jthread([this] { write_loop(); });
}

EmbeddedJournal::~EmbeddedJournal() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  writer_.join();
  cut_prepared();
  if (auto stored = store_positions_now(); !stored) say("journal: positions not stored: " + describe(stored.error()));
}

void EmbeddedJournal::say(const std::string& line) const {
  if (options_.log) options_.log(line);
}

Result<> EmbeddedJournal::append(const Record& record, OnDurable on_durable) {
  return append_all({&record, 1}, std::move(on_durable));
}

Result<> EmbeddedJournal::append_all(std::span<const Record> records, OnDurable on_durable) {
  std::size_t size = 0;
  for (const Record& record : records) {
    if (record.partition >= kPartitions) return fail(Errc::malformed, "journal.append.partition");
    TRY(const std::size_t one, encoded_size(record));
    size += one;
  }
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return fail(Errc::unavailable, "journal.append.closing");
    if (reserve_reached_) {
      ++stats_.rejected_reserve;
      return fail(Errc::unavailable, "journal.append.reserve");
    }
    if (pending_.callbacks.size() + writing_records_ >= kPendingRecordsMax ||
        pending_.bytes.size() + writing_bytes_ + size > kPendingBytesMax) {
      ++stats_.rejected_full;
      return fail(Errc::limit_exceeded, "journal.append.pending");
    }
    const bool first = pending_.callbacks.empty();
    const bool gathering = wanted_records_ != 0 && !is_whole();
    if (first) pending_.first_sequence = next_sequence_;
    for (const Record& record : records) {
      // Raised for the whole journal, so for each partition too: ingestion time never runs backwards.
      last_enqueued_ = std::max(last_enqueued_, record.enqueued);
      Record stamped = record;
      stamped.enqueued = last_enqueued_;
      encode_record(stamped, next_sequence_++, pending_.bytes);
    }
    // One callback a record, so that the group can count its records; the last one speaks for all.
    pending_.callbacks.resize(pending_.callbacks.size() + records.size() - 1);
    pending_.callbacks.push_back(std::move(on_durable));
    pending_.last_enqueued = last_enqueued_;
    wake = first || (gathering && is_whole());
  }
  if (wake) work_.notify_one();
  return {};
}

void EmbeddedJournal::flush() {
  std::unique_lock lock(mutex_);
  const std::uint64_t until = next_sequence_;
  durable_.wait(lock, [&] { return durable_end_ >= until || (pending_.callbacks.empty() && !writing_); });
}

Position EmbeddedJournal::begin() const {
  const std::lock_guard lock(mutex_);
  return Position::at(0, segments_.front().first_sequence);
}

Position EmbeddedJournal::end() const { return Position::at(0, durable_end()); }

std::uint64_t EmbeddedJournal::durable_end() const {
  const std::lock_guard lock(mutex_);
  return durable_end_;
}

Result<std::unique_ptr<Reader>> EmbeddedJournal::reader(const Position& from) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t first = segments_.front().first_sequence;
  const std::uint64_t sequence = from == Position{} ? first : from.next_of(0);
  if (sequence < first) return fail(Errc::not_found, "journal.read.expired", sequence);
  if (sequence > durable_end_) return fail(Errc::limit_exceeded, "journal.read.position", sequence);
  return std::make_unique<EmbeddedReader>(*this, sequence);
}

std::optional<EmbeddedJournal::Located> EmbeddedJournal::locate(std::uint64_t sequence) const {
  const std::lock_guard lock(mutex_);
  const auto after = std::ranges::upper_bound(segments_, sequence, {}, &Segment::first_sequence);
  if (after == segments_.begin()) return std::nullopt;
  return Located{*std::prev(after), after == segments_.end() ? 0 : after->first_sequence};
}

bool EmbeddedJournal::wait_durable(std::uint64_t beyond, Duration timeout, const bool& interrupted) {
  std::unique_lock lock(mutex_);
  durable_.wait_for(lock, std::chrono::microseconds(timeout.us),
                    [&] { return durable_end_ > beyond || interrupted || stopping_; });
  return durable_end_ > beyond && !interrupted;
}

void EmbeddedJournal::interrupt(bool& flag) {
  {
    const std::lock_guard lock(mutex_);
    flag = true;
  }
  durable_.notify_all();
}

std::uint64_t EmbeddedJournal::add_listener(std::function<void()> listener) {
  const std::lock_guard lock(listeners_mutex_);
  listeners_.emplace(++listener_last_, std::move(listener));
  return listener_last_;
}

void EmbeddedJournal::remove_listener(std::uint64_t id) {
  const std::lock_guard lock(listeners_mutex_);
  listeners_.erase(id);
}

void EmbeddedJournal::run_listeners() {
  const std::lock_guard lock(listeners_mutex_);
  for (const auto& [id, listener] : listeners_) listener();
}

Stats EmbeddedJournal::stats() const {
  const std::lock_guard lock(mutex_);
  Stats out = stats_;
  out.records_pending = pending_.callbacks.size() + writing_records_;
  out.bytes_pending = pending_.bytes.size() + writing_bytes_;
  out.reserve_reached = reserve_reached_;
  out.segments = segments_.size();
  for (const Segment& segment : segments_) out.bytes_stored += segment.bytes;
  return out;
}

void EmbeddedJournal::check_reserve() {
  const auto free = options_.free_bytes ? options_.free_bytes(options_.directory) : free_bytes_of(options_.directory);
  // Space that cannot be asked for is not taken for space that is there.
  const bool reached = !free || *free < options_.reserve_bytes;
  bool changed = false;
  {
    const std::lock_guard lock(mutex_);
    changed = reached != reserve_reached_;
    reserve_reached_ = reached;
  }
  if (changed) say(reached ? "journal: disk reserve reached, appends are refused" : "journal: space is back");
}

Result<OpenedJournal> open_embedded(EmbeddedOptions options) {
  TRY_VOID(make_directories(options.directory));
  TRY(UniqueFd lock, take_lock(options.directory));
  TRY(auto positions, load_positions(options.directory));
  TRY(auto losses, load_losses(options.directory));
  std::uint64_t known = positions.durable_end;
  for (const auto& [name, position] : positions.consumers) known = std::max(known, position.next_of(0));
  TRY(auto recovered, recover_segments(options.directory, known, options.log));
  NewSegment current;
  if (recovered.needs_new_segment) {
    TRY(current, create_segment(options.directory, recovered.next_sequence, recovered.last_enqueued));
    recovered.segments.push_back(current.segment);
  } else {
    current.segment = recovered.segments.back();
    TRY(current.fd, open_file(current.segment.path, O_RDWR));
  }
  OpenedJournal out;
  out.report = recovered.report;
  out.journal = std::make_unique<EmbeddedJournal>(std::move(options), std::move(lock), std::move(recovered),
                                                  std::move(positions), std::move(losses), std::move(current));
  return out;
}

}  // namespace picket::journal
