// The embedded journal: one writer thread, segments in one folder, readers over pread.
#pragma once

#include <array>
#include <chrono>
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
/// lock, publishes the new durable end under the lock, then runs the callbacks without it. What belongs to the writer
/// thread is marked so; everything else is under `mutex_` unless it says so.
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
  static constexpr std::size_t kGatheredBytes = 1U << 20;  // of a group that is large enough

  struct Group {
    Buffer bytes;
    std::vector<OnDurable> callbacks;
    std::uint64_t first_sequence = 0;
    Timestamp last_enqueued;
    void clear();
  };

  void write_loop();
  void gather();
  /// Under mutex_, while the writer gathers: it need not wait for more.
  [[nodiscard]] bool is_whole() const {
    return pending_.callbacks.size() >= wanted_records_ || pending_.bytes.size() >= kGatheredBytes;
  }
  Result<> write_group(Group& group);
  void prepare(std::uint64_t end);
  void cut_prepared();
  Result<> roll_segment(const Group& group);
  void finish_group(Group& group);
  void fail_group(Group& group, const Error& error);
  void check_reserve();
  void look_at_reserve(std::uint64_t written_bytes);
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
  std::size_t wanted_records_ = 0;  // 0: the writer does not gather
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

  // Writer thread only.
  UniqueFd fd_;                       // the newest segment
  bool needs_cut_ = false;            // bytes behind the durable length must go first
  std::uint64_t prepared_end_ = 0;    // up to here the newest segment holds zeros; 0: only records
  std::size_t round_records_ = 0;     // a group of this size is whole
  unsigned gathered_ = 0;             // groups
  std::uint64_t unlooked_bytes_ = 0;  // written since free space was looked at
  std::chrono::steady_clock::time_point next_look_;

  std::jthread writer_;  // last: joined before anything else goes
};

}  // namespace picket::journal
