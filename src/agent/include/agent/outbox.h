// Gathers encoded events into batches, and gives each batch to the spool as one message to be.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "agent/event_encoder.h"
#include "agent/spool.h"
#include "base/core/time.h"

namespace picket::agent {

struct OutboxOptions {
  Duration gather_urgent = Duration::milliseconds(75);
  Duration gather = Duration::milliseconds(500);  ///< Of the other priorities: their windows have passed already.
  std::size_t batch_bytes = 64 << 10;             ///< A batch of this size leaves at once.
};

struct OutboxCounters {
  std::uint64_t events = 0;
  std::uint64_t batches = 0;
  std::uint64_t dropped_events = 0;  ///< Larger than a message may be, or refused by the spool.
};

/// What the spool holds is a batch: encoded events joined by commas. The envelope is made when it is sent, so that
/// SentUtc is the time of sending. One thread.
class Outbox final : public EventSink {
 public:
  /// Events of one message: its size limit less the envelope's share.
  static constexpr std::size_t kEventBytesMax = kSpoolPayloadMax - 1'024;

  /// All outlive the outbox.
  Outbox(OutboxOptions options, Spool& spool, const Clock& clock) : options_(options), spool_(spool), clock_(clock) {}

  void deliver(Priority priority, std::string_view event) override;
  /// An event as a message of its own, at once. Errors: as Spool::append.
  Result<StreamId> deliver_alone(Priority priority, std::string_view event);

  /// When the next batch is due (monotonic); nullopt: none waits.
  [[nodiscard]] std::optional<Duration> next_due() const;
  /// Gives the batches that are due to the spool.
  void on_time(Duration now);
  /// Gives everything to the spool, e.g. before the agent ends.
  void flush();

  /// Batches that have begun keep their time.
  void change_options(OutboxOptions options) { options_ = options; }
  [[nodiscard]] const OutboxCounters& counters() const { return counters_; }

 private:
  struct Batch {
    std::string events;
    std::size_t count = 0;
    Duration due;
  };
  void close(std::size_t priority);

  OutboxOptions options_;
  Spool& spool_;
  const Clock& clock_;
  std::array<Batch, kPriorities> batches_;
  OutboxCounters counters_;
};

}  // namespace picket::agent
