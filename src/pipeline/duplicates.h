// Messages and events that were here before (decisions: de-duplication).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include "base/core/hash.h"
#include "state_part.h"

namespace picket::pipeline {

/// Sequence numbers ahead of the first gap that are told apart. What falls behind is taken for a duplicate.
inline constexpr std::uint64_t kSequenceWindow = 4096;
/// Boots (stream epochs) remembered of one sender; a message of an older one counts as a new stream.
inline constexpr std::size_t kEpochsMax = 4;
inline constexpr std::size_t kStreamSendersMax = 65'536;

/// Our agents: they number their messages. One entry a sender, a watermark and a bitmap of what came after a gap.
class StreamDuplicates final : public StatePart {
 public:
  struct Stats {
    std::uint64_t gaps_given_up = 0;  ///< Sequence numbers that fell out of the window without having come.
    std::uint64_t epochs_forgotten = 0;
    std::uint64_t senders_evicted = 0;  ///< Bound kStreamSendersMax.
  };

  /// True: this message was here before. `sender` is a state_key of the identity.
  bool seen(std::string_view sender, std::string_view epoch, std::uint64_t sequence, Timestamp enqueued);
  [[nodiscard]] const Stats& stats() const { return stats_; }
  [[nodiscard]] std::size_t senders() const { return senders_.size(); }

  std::string_view part_name() const override { return "duplicates.streams"; }
  std::uint16_t part_version() const override { return 1; }
  std::vector<StateChange> take_changes() override { return senders_.take_changes(); }
  Result<> load(std::string_view key, Bytes value) override { return senders_.load(key, value); }

  /// Which sequences of one epoch have come: all up to the watermark, and those in the bitmap behind it.
  struct Stream {
    std::string epoch;
    std::uint64_t watermark = 0;
    std::vector<std::uint64_t> ahead;  ///< Bit n: watermark + 1 + n. Empty or kSequenceWindow / 64 words.

    bool seen(std::uint64_t sequence, Stats& stats);

   private:
    void advance(std::uint64_t by);
  };
  struct Sender {
    std::vector<Stream> streams;  ///< Oldest first.
    Timestamp last;
    void encode(ByteWriter& out) const;
    static Result<Sender> decode(Cursor& in);
  };

 private:
  KeyedTable<Sender> senders_;
  Stats stats_;
};

inline constexpr Duration kFingerprintLife = Duration::minutes(10);
inline constexpr std::size_t kFingerprintsMax = 4U << 20;

/// Everybody else: keyed fingerprints of (identity, message id or event id), kept for kFingerprintLife of record time.
class FingerprintDuplicates final : public StatePart {
 public:
  FingerprintDuplicates();

  /// Forgets what is older than kFingerprintLife at `now` (enqueued time, which never runs backwards).
  void advance(Timestamp now);
  [[nodiscard]] bool contains(std::uint64_t fingerprint) const;
  void add(std::uint64_t fingerprint);
  [[nodiscard]] std::size_t size() const { return count_; }
  /// Fingerprints forgotten before their time: bound kFingerprintsMax.
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

  std::string_view part_name() const override { return "duplicates.fingerprints"; }
  std::uint16_t part_version() const override { return 1; }
  std::vector<StateChange> take_changes() override;
  Result<> load(std::string_view key, Bytes value) override;

 private:
  /// Those that came in the same half minute: they are forgotten together, and written to a checkpoint together.
  struct Slice {
    std::uint64_t number = 0;
    std::int64_t period = 0;
    std::vector<std::uint64_t> fingerprints;
    bool dirty = true;
  };
  void insert(std::uint64_t fingerprint);
  void remove(std::uint64_t fingerprint);
  void drop_oldest();
  void grow();

  std::vector<std::uint64_t> slots_;  // open addressing, linear probing; 0 is free
  std::size_t count_ = 0;
  std::deque<Slice> slices_;  // oldest first
  std::vector<std::uint64_t> dropped_;
  std::uint64_t next_number_ = 0;
  std::int64_t period_ = 0;
  std::uint64_t evicted_ = 0;
};

}  // namespace picket::pipeline
