// Messages that wait for their acknowledgement, bounded, in files that survive kill -9.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/priority.h"
#include "base/core/bytes.h"
#include "base/core/file.h"
#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::agent {

/// Largest payload of one entry: a security message of full size (204,800 bytes), not compressed.
inline constexpr std::size_t kSpoolPayloadMax = 204'800;
/// Entries given out by next() and not acknowledged.
inline constexpr std::size_t kSpoolInFlightMax = 64;

/// Names a message for ever: the hub drops a second one with the same id (decisions: de-duplication).
struct StreamId {
  std::uint64_t epoch = 0;     ///< Below 2^53. A later epoch is larger.
  std::uint64_t sequence = 0;  ///< From 1, without holes but those that drops() counts.
  friend auto operator<=>(const StreamId&, const StreamId&) = default;
};

/// Messages lost on this device, by reason and priority. Kept over restarts.
struct SpoolDrops {
  std::array<std::uint64_t, kPriorities> evicted{};    ///< Pushed out by newer or more important ones.
  std::array<std::uint64_t, kPriorities> expired{};    ///< Older than the age limit.
  std::array<std::uint64_t, kPriorities> refused{};    ///< Not taken: no room, or larger than kSpoolPayloadMax.
  std::array<std::uint64_t, kPriorities> corrupted{};  ///< Found damaged on the disk.
  [[nodiscard]] std::uint64_t total() const;
  friend bool operator==(const SpoolDrops&, const SpoolDrops&) = default;
};

/// Hears of messages that are lost, while their bytes are still there: evicted, expired or refused. Not of damaged
/// ones, and not of those that were on their way when their segment was evicted. Called by the spool, which it must not
/// call.
class SpoolLossSink {
 public:
  virtual void lost(Bytes payload) = 0;

 protected:
  ~SpoolLossSink() = default;
};

struct SpoolOptions {
  std::string directory;               ///< Empty: in memory only, for read-only flash.
  std::size_t bytes_max = 8U << 20;    ///< Of all segments together, headers included. At least 64 KiB.
  std::size_t memory_max = 256 << 10;  ///< Of segments held in memory, when there is no directory or the disk is full.
  Duration age_max = Duration::days(7);
  std::array<std::byte, 16> boot_id{};  ///< Of the running kernel.
};

struct SpoolEntry {
  StreamId id;
  Priority priority = Priority::low;
  Timestamp time;  ///< When it was appended.
  Buffer payload;
};

/// One thread. Append-only segments, a chain for each priority; sequences run over all chains and entries leave in the
/// order of their ids. When full, the oldest segment of the lowest priority goes first, so that a low entry never
/// displaces a more important one. After kill -9 everything appended is there again (the page cache survives), a torn
/// tail is cut; after a power loss a new epoch begins, since sequences that left the device may be missing on the disk.
class Spool {
 public:
  /// Errors: io (the directory cannot be used at all), unsupported (written by a newer version).
  static Result<Spool> open(SpoolOptions options, Timestamp now);
  Spool(Spool&&) noexcept;
  Spool& operator=(Spool&&) noexcept;
  ~Spool();  ///< Like a crash: call close() to end an epoch's use properly.

  /// The time to give to append() and next(): the wall clock of the first call, and from there on the monotonic one.
  /// A clock that is set meanwhile, as after a start without one, does not make old what waits.
  [[nodiscard]] Timestamp time(const Clock& clock);

  /// Takes a message. Errors: limit_exceeded (larger than kSpoolPayloadMax, or everything that could make room is more
  /// important); counted in drops(). A full disk is no error while memory_max has room.
  Result<StreamId> append(Priority priority, Bytes payload, Timestamp now);

  /// The next entry that has to be sent; it is in flight until acknowledge(). nullopt: nothing to send now, or
  /// kSpoolInFlightMax reached, or the next one begins a new epoch and the old one is not done yet. Entries past the
  /// age limit or damaged are dropped and counted on the way.
  std::optional<SpoolEntry> next(Timestamp now);
  /// False: not in flight (a second acknowledgement); nothing changes.
  bool acknowledge(StreamId id);
  /// The connection is gone: next() gives everything in flight again, in order, before anything new.
  void rewind();

  /// Entries not acknowledged, bytes of all segments, entries in flight.
  [[nodiscard]] std::uint64_t pending() const;
  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] std::size_t in_flight() const;
  /// Changes with each append; says nothing else.
  [[nodiscard]] std::uint64_t append_mark() const;
  [[nodiscard]] const SpoolDrops& drops() const;
  [[nodiscard]] std::uint64_t epoch() const;
  [[nodiscard]] std::optional<StreamId> last_acknowledged() const;
  /// Whether new entries go to files now; false in memory-only mode and while the disk is full.
  [[nodiscard]] bool on_disk() const;
  /// Bytes cut from torn tails by open(), for the log.
  [[nodiscard]] std::uint64_t repaired_bytes() const;

  /// From now on `sink` hears of losses; it outlives the spool.
  void tell_losses_to(SpoolLossSink& sink);
  /// From the next append on. In memory-only mode the memory limit stays.
  void change_limits(std::size_t bytes_max, Duration age_max);

  /// fdatasync of what was appended since the last call; against power loss, not needed against kill -9.
  Result<> sync();
  /// Syncs, and marks the epoch as going on after the next start.
  Result<> close();

 private:
  struct Core;
  explicit Spool(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace picket::agent
