// The inside of a spool, for the files that it is made of.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "agent/spool.h"
#include "base/core/file.h"
#include "spool_format.h"
#include "spool_segment.h"

namespace picket::agent {

namespace format = spool_format;

inline constexpr std::size_t kSpoolBytesMin = 64 << 10;

/// What a spool holds. Its functions stand by their reason: what a start finds and what a state must keep for the next
/// one (spool_start.cc), which segment takes an entry and which goes for it (spool_room.cc), entries and their order
/// (spool.cc).
struct Spool::Core {
  using Segment = SpoolSegment;

  /// The segments of one priority, oldest first, and where reading stands in them.
  struct Chain {
    std::deque<std::unique_ptr<Segment>> segments;
    Segment* at = nullptr;  ///< Segment that next() reads; nullptr: the first.
    std::uint64_t offset = format::kSegmentHeaderBytes;
    std::optional<format::EntryHeader> head;  ///< The entry at `offset`, once read.
  };

  struct InFlight {
    StreamId id;
    Priority priority;
    Segment* segment;  ///< nullptr: evicted after it was given out.
    std::uint64_t offset;
    format::EntryHeader header;
    bool to_send;
  };

  SpoolOptions options;
  SpoolLossSink* losses = nullptr;
  std::size_t segment_bytes = 0;
  UniqueFd lock;
  UniqueFd state_file;
  format::State state;
  std::uint64_t next_number = 1;
  std::array<Chain, kPriorities> chains;
  std::vector<InFlight> in_flight;  ///< In the order of ids.
  std::uint64_t given_through = 0;  ///< Highest sequence that next() gave, of the epoch of what is in flight.
  std::optional<StreamId> last_acknowledged;
  std::uint64_t cut_bytes = 0;
  bool disk_refuses = false;
  std::optional<Duration> clock_offset;  ///< Of the wall clock to the monotonic one, when it was first asked.

  // spool_start.cc
  Result<> open_directory(Timestamp now);
  Result<> load_segments();
  Result<std::optional<format::State>> load_state();
  void begin_epoch(const std::optional<format::State>& old, Timestamp now);
  void save_state();

  // spool_room.cc
  [[nodiscard]] std::uint64_t bytes(bool memory_only) const;
  Result<Segment*> room_for(Priority priority, std::size_t entry_bytes);
  Result<Segment*> new_segment(Priority priority, bool in_memory);
  bool make_room(Priority priority, std::size_t needed, bool memory_only);
  bool evict_below(std::size_t priority_end, bool memory_only);
  void evict(std::size_t priority, std::size_t index);
  void tell_unread(const Chain& chain, std::size_t index) const;
  void remove_segment(Chain& chain, std::size_t index);
  void remove_if_done(Priority priority, Segment* segment);

  // spool.cc
  bool is_acknowledged(StreamId id) const;
  bool load_head(std::size_t priority, Timestamp now);
  void advance(Chain& chain);
  void note_acknowledged(StreamId id);
  std::optional<SpoolEntry> give(InFlight& entry);
};

}  // namespace picket::agent
