// The durable ordered log between hub and pipeline. Interface; the embedded implementation is opened below, one over
// the Kafka protocol stands behind the same interface.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "journal/position.h"
#include "journal/record.h"

namespace picket::journal {

/// Called once, in append order, from the journal's own thread: the id after the record is durable, or the error after
/// the journal has given it up. Must be quick and must not throw; it may append.
using OnDurable = std::move_only_function<void(Result<RecordId>)>;

/// A part of the journal that cannot be read any more although it was written once.
struct Corruption {
  std::string file;                  ///< Segment that holds the damaged bytes, or follows a missing one.
  std::uint64_t begin = 0;           ///< First damaged byte; begin == end: nothing there, whole segments are missing.
  std::uint64_t end = 0;             ///< First good byte behind.
  std::uint64_t first_sequence = 0;  ///< First record lost.
  std::uint64_t next_sequence = 0;   ///< First record readable again.

  friend bool operator==(const Corruption&, const Corruption&) = default;
};

struct Batch {
  std::span<const RecordView> records;  ///< In order. Empty: nothing new is durable.
  Position next;                        ///< Where the next read goes on.
};

/// Reads forward. One thread at a time, apart from interrupt(). Must not outlive its journal.
class Reader {
 public:
  virtual ~Reader() = default;

  /// Durable records from the position on, about `bytes_max` of them, at least one if there is one. Views live until
  /// the next call. Errors: malformed "journal.read.corrupt" (see corruption(); the reader stays there until
  /// Journal::accept_loss), not_found "journal.read.expired" (retention went by), io.
  virtual Result<Batch> read(std::size_t bytes_max) = 0;
  /// Waits until there is something to read. False: time is up, or interrupt() was called.
  virtual bool wait(Duration timeout) = 0;
  /// Ends a wait now or the next one. Any thread.
  virtual void interrupt() = 0;
  [[nodiscard]] virtual Position position() const = 0;
  /// What the last read stumbled over.
  [[nodiscard]] virtual const std::optional<Corruption>& corruption() const = 0;
};

struct Stats {
  std::uint64_t records_durable = 0;   ///< Since the start.
  std::uint64_t bytes_durable = 0;     ///< Since the start.
  std::uint64_t groups = 0;            ///< fdatasync calls of the appender.
  std::uint64_t records_pending = 0;   ///< Appended, not durable yet.
  std::uint64_t bytes_pending = 0;     ///< Bound: kPendingBytesMax.
  std::uint64_t rejected_full = 0;     ///< Appends refused because too much was pending.
  std::uint64_t rejected_reserve = 0;  ///< Appends refused because the disk reserve is reached.
  std::uint64_t records_failed = 0;    ///< Appends given up because the disk refused.
  std::uint64_t write_failures = 0;    ///< Groups that the disk refused.
  bool failing = false;                ///< The last group was refused.
  bool reserve_reached = false;        ///< Free space is below the reserve now.
  int last_os_error = 0;               ///< errno of the last refusal.
  std::uint64_t segments = 0;
  std::uint64_t bytes_stored = 0;
  std::uint64_t segments_deleted = 0;   ///< By retention.
  std::uint64_t bytes_deleted = 0;      ///< By retention.
  std::uint64_t retention_blocked = 0;  ///< Times a segment was due but a consumer had not read it.
  std::uint64_t corruptions = 0;        ///< Corrupt places met by readers and at the start.
  std::uint64_t losses_accepted = 0;    ///< Of those, by decision of the operator.
  Timestamp last_enqueued;              ///< Enqueued time of the newest durable record.
};

/// Retention; 0 switches a limit off. The newest segment always stays.
struct Retention {
  std::uint64_t bytes_max = 0;
  Duration age_max;
};

/// Append-only log with group commit. All members may be called from any thread.
class Journal {
 public:
  virtual ~Journal() = default;

  /// Takes a copy and returns at once; `on_durable` follows (unless this call fails: then it is dropped).
  /// Errors: limit_exceeded (too much is pending: kPendingBytesMax, kPendingRecordsMax; or the record is larger than
  /// kRecordBytesMax or its strings than the format holds), unavailable (disk reserve reached, or closing).
  virtual Result<> append(const Record& record, OnDurable on_durable) = 0;
  /// Several records that stand or fall together: all are taken or none, they become durable in one group, and
  /// `on_durable` is called once, with the id of the last. At least one record. Errors as append().
  virtual Result<> append_all(std::span<const Record> records, OnDurable on_durable);
  /// Waits until everything appended before is durable or given up.
  virtual void flush() = 0;

  [[nodiscard]] virtual Position begin() const = 0;  ///< Oldest record still kept.
  [[nodiscard]] virtual Position end() const = 0;    ///< Behind the newest durable record.
  /// Errors: not_found (before begin), limit_exceeded (behind end: another journal's position).
  virtual Result<std::unique_ptr<Reader>> reader(const Position& from) = 0;
  /// Called from the journal's thread when records became durable; quick, no calls back into add/remove.
  virtual std::uint64_t add_listener(std::function<void()> listener) = 0;
  /// After it returns, the listener does not run any more.
  virtual void remove_listener(std::uint64_t id) = 0;

  /// From now on retention does not pass this consumer. Returns its stored position, or begin() for a new one.
  /// Errors: malformed (name: 1 to 64 of a-z 0-9 - _ .), limit_exceeded (kConsumersMax).
  virtual Result<Position> add_consumer(std::string_view name) = 0;
  /// Remembers how far a consumer has come. Durable with the next store_positions, retain or close. Errors: not_found.
  virtual Result<> set_position(std::string_view name, const Position& position) = 0;
  virtual Result<> remove_consumer(std::string_view name) = 0;
  virtual Result<> store_positions() = 0;

  /// Deletes whole old segments as far as limits ask and consumers allow. Call it from a timer.
  virtual Result<> retain(const Retention& limits, Timestamp now) = 0;

  /// The operator has decided to go on behind a corrupt place. Durable; readers pass it from now on, and it is counted.
  virtual Result<> accept_loss(const Corruption& corruption) = 0;

  [[nodiscard]] virtual Stats stats() const = 0;
};

inline constexpr std::size_t kPendingBytesMax = 32U << 20;
inline constexpr std::size_t kPendingRecordsMax = 65'536;
inline constexpr std::size_t kConsumersMax = 64;

struct EmbeddedOptions {
  std::string directory;                        ///< Made when absent, mode 0700.
  std::uint64_t segment_bytes_max = 64U << 20;  ///< A segment ends with the group that fills it.
  std::uint64_t reserve_bytes = 256U << 20;     ///< Free space below which appends are refused.
  Duration gather_delay;                        ///< The longest wait for a larger group; 0: none.
  std::function<void(std::string_view)> log;    ///< One line for each repair, refusal and disk failure.
  std::function<Result<std::uint64_t>(const std::string& directory)> free_bytes;  ///< Default: statvfs.
};

/// What opening had to repair or found broken; all zero after a clean stop.
struct OpenReport {
  std::string torn_file;            ///< Segment whose torn tail was cut off; empty: none.
  std::uint64_t torn_at = 0;        ///< Its length now.
  std::uint64_t torn_bytes = 0;     ///< Bytes cut off.
  std::vector<Corruption> corrupt;  ///< In the newest segment, the only one read through at the start.
  std::uint64_t records_scanned = 0;
};

struct OpenedJournal {
  std::unique_ptr<Journal> journal;
  OpenReport report;
};

/// Opens or makes a journal folder (docs/formats/journal.md). Errors: unavailable "journal.lock" (another process has
/// it), unsupported "journal.segment.format" (newer format; `offset` is its number), malformed (header), io.
Result<OpenedJournal> open_embedded(EmbeddedOptions options);

}  // namespace picket::journal
