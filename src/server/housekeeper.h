// What must happen now and then: ticks, the outbox, retention, expired sessions, certificates. One thread.
#pragma once

#include <atomic>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "base/core/time.h"
#include "durable_group.h"
#include "journal/journal.h"
#include "state/outbox.h"
#include "state/users.h"

namespace picket::server {

/// Moves registry changes from the outbox to the journal, appends the tick record each second (detectors see time only
/// through records), applies retention and forgets expired sessions.
class Housekeeper {
 public:
  struct Parts {
    journal::Journal& messages;
    journal::Journal& derived;
    state::Outbox& outbox;
    state::Users& users;
    const Clock& clock;
    const Clock& retention_clock;
    journal::Retention retention;
    std::string hub;
    std::function<Result<>()> each_hour;  ///< First a minute after the start.
    std::function<Result<>()> each_day;   ///< First a day after the start.
  };

  explicit Housekeeper(Parts parts);
  ~Housekeeper() { stop(); }
  void start();
  void stop();
  /// What its thread does, so many seconds after the start.
  void second_passed(std::int64_t second);

  struct Stats {
    std::uint64_t ticks = 0;
    std::uint64_t ticks_refused = 0;  ///< The journal could not take one; the next carries the time.
    std::uint64_t outbox_sent = 0;
    std::uint64_t failures = 0;  ///< Of any step; logged.
  };
  [[nodiscard]] Stats stats() const { return {ticks_, ticks_refused_, outbox_sent_, failures_}; }

 private:
  void run(const std::stop_token& stopping);
  void tick();
  void send_outbox();
  Result<> append(DurableGroup& group, const state::OutboxRecord& one);
  Result<> append(DurableGroup& group, journal::RecordKind kind, const Identity& identity,
                  std::span<const journal::Property> properties, std::string_view body);
  void each_minute();
  void check(const Result<>& done, std::string_view what);

  Parts parts_;
  std::atomic<std::uint64_t> ticks_ = 0;
  std::atomic<std::uint64_t> ticks_refused_ = 0;
  std::atomic<std::uint64_t> outbox_sent_ = 0;
  std::atomic<std::uint64_t> failures_ = 0;
  std::jthread thread_;  // last: it uses what stands above
};

}  // namespace picket::server
