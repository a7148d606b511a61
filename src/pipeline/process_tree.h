// Which process started which, on every device: what detectors need to tell an administrator's shell from one that a
// web server started.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/identity.h"
#include "base/core/time.h"
#include "message/decoder.h"
#include "state_part.h"

namespace picket::pipeline {

struct DetectorEvent;

inline constexpr std::size_t kProcessesKnownMax = 65'536;  ///< Of all devices; the longest unseen go first.
inline constexpr std::size_t kAncestorsMax = 16;
inline constexpr Duration kProcessKnown = Duration::hours(24);

/// What is known about one process since its newest exec.
struct KnownProcess {
  std::string executable;
  std::string user_id;  ///< Effective.
  std::int64_t parent = 0;
  Timestamp time;  ///< Of the exec.
  Timestamp last;  ///< Enqueued time of the record.

  void encode(ByteWriter& out) const;
  static Result<KnownProcess> decode(Cursor& in);
};

class ProcessTree final : public StatePart {
 public:
  /// Takes in a ProcessCreate or ProcessTerminate; after the detectors have seen it.
  void see(const DetectorEvent& event);
  void forget(Timestamp now);

  /// The newest exec of this process that is not after `time`; nullptr when none is known.
  [[nodiscard]] const KnownProcess* find(const Identity& device, std::int64_t pid, Timestamp time) const;
  /// Executables from the process' parent upwards, as far as they are known: the event's own words first.
  [[nodiscard]] std::vector<std::string> ancestors(const DetectorEvent& event) const;
  /// Of the process that an event of another kind names, with its own executable first.
  [[nodiscard]] std::vector<std::string> lineage(const DetectorEvent& event) const;

  [[nodiscard]] std::size_t size() const { return processes_.size(); }
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

  std::string_view part_name() const override { return "processes"; }
  std::uint16_t part_version() const override { return 1; }
  std::vector<StateChange> take_changes() override { return processes_.take_changes(); }
  Result<> load(std::string_view key, Bytes value) override { return processes_.load(key, value); }

 private:
  void add_from(const Identity& device, std::int64_t pid, Timestamp time, std::vector<std::string>& out) const;
  KeyedTable<KnownProcess> processes_;
  std::uint64_t evicted_ = 0;
};

}  // namespace picket::pipeline
