// The embedded journal: one writer thread, segments in one folder, readers over pread.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "journal/journal.h"
#include "positions.h"
#include "segments.h"

namespace picket::journal {

/// Threading: append encodes into `pending_` under `mutex_`; the writer swaps it out, writes and syncs without the
/// lock, publishes the new durable end under the lock, then runs the callbacks without it. `fd_` and `needs_cut_`
/// belong to the writer thread; everything else is under `mutex_` unless it says so.
class EmbeddedJournal final : public Journal {
 public:
  EmbeddedJournal(EmbeddedOptions options, UniqueFd lock, Recovered recovered, Positions positions,
                  std::vector<Corruption> losses, NewSegment current);
  EmbeddedJournal(const EmbeddedJournal&) = delete;
  EmbeddedJournal& operator=(const EmbeddedJournal&) = delete;
  ~EmbeddedJournal() override;

  Result<> append(const Record& record, OnDurable on_durable) override;
  Result<> append_all(std::span<const Record> records, OnDurable on_durable) override;
  void flush() override;
  Position begin() const override;
  Position end() const override;
  Result<std::unique_ptr<Reader>> reader(const Position& from) override;
  std::uint64_t add_listener(std::function<void()> listener) override;
  void remove_listener(std::uint64_t id) override;
  Result<Position> add_consumer(std::string_view name) override;
  Result<> set_position(std::string_view name, const Position& position) override;
  Result<> remove_consumer(std::string_view name) override;
  Result<> store_positions() override;
  Result<> retain(const Retention& limits, Timestamp now) override;
  Result<> accept_loss(const Corruption& corruption) override;
  Stats stats() const override;

  // For EmbeddedReader.
  struct Located {
    Segment segment;                       ///< The one that holds or would hold the sequence.
    std::uint64_t next_segment_first = 0;  ///< 0: it is the newest.
  };
  /// nullopt: before the oldest segment.
  std::optional<Located> locate(std::uint64_t sequence) const;
  std::uint64_t durable_end() const;
  bool wait_durable(std::uint64_t beyond, Duration timeout, const bool& interrupted);
  void interrupt(bool& flag);
  bool passes_loss(const Corruption& corruption);
  void note_corruption(const Corruption& corruption);

 private:
  struct Group {
    Buffer bytes;
    std::vector<OnDurable> callbacks;
    std::uint64_t first_sequence = 0;
    Timestamp last_enqueued;
    void clear();
  };

  void write_loop();
  void gather();
  Result<> write_group(Group& group);
  Result<> roll_segment(const Group& group);
  void finish_group(Group& group);
  void fail_group(Group& group, const Error& error);
  void check_reserve();
  void run_listeners();
  Result<> store_positions_now();
  void say(const std::string& line) const;

  const EmbeddedOptions options_;  // fixed after construction
  const UniqueFd lock_;

  mutable std::mutex mutex_;
  std::condition_variable work_;     // for the writer
  std::condition_variable durable_;  // for readers and flush
  bool stopping_ = false;
  bool writing_ = false;  // a group is out with the writer
  Group pending_;
  std::uint64_t next_sequence_;
  std::uint64_t durable_end_;
  Timestamp last_enqueued_;
  std::uint64_t writing_records_ = 0;
  std::uint64_t writing_bytes_ = 0;
  std::vector<Segment> segments_;
  Positions positions_;
  std::vector<Corruption> losses_;
  Stats stats_;
  bool reserve_reached_ = false;

  std::mutex store_mutex_;  // one writer of the text files at a time; taken before mutex_
  std::mutex listeners_mutex_;
  std::map<std::uint64_t, std::function<void()>> listeners_;
  std::uint64_t listener_last_ = 0;

  UniqueFd fd_;             // writer thread only: the newest segment
  bool needs_cut_ = false;  // writer thread only: bytes behind the durable length must go first
  std::jthread writer_;     // last: joined before anything else goes
};

}  // namespace picket::journal
