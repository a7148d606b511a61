// Operations of devices, counted instead of logged one by one.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "hub/operations_log.h"

namespace picket::hub {

/// Of an operation, as records and custom alerts name it; transports do not matter here.
enum class Protocol : std::uint8_t { mqtt, amqp, https, service };
inline constexpr std::size_t kProtocols = 4;
std::string_view to_string(Protocol protocol);

/// What a head says about an operation that failed.
struct FailedOperation {
  const Identity& identity;
  bool authenticated = true;  ///< False: `identity` is only claimed.
  Operation operation{};
  Protocol protocol{};
  int code = 0;  ///< IoT Hub's six-digit code.
  std::string_view reason;
  std::string_view source_address;
  std::string_view actor;
  std::string_view object;
};

/// Of one operation over one protocol, since the start.
struct OperationTotal {
  std::uint64_t ok = 0;
  std::uint64_t failed = 0;     ///< For any reason, refusals by a rate among them.
  std::uint64_t throttled = 0;  ///< Those: codes 429xxx, and 403002 for the day's quota.
  std::uint64_t bytes = 0;      ///< Of those that went well.
  OperationTotal& operator+=(const OperationTotal& other);
};

/// Counts operations by identity, operation, protocol and code, and turns the counts into records of the operations
/// log: one for each 5 minutes of the hub's clock, which begin at whole 5 minutes. So the windows of custom alerts
/// (PT5M and its multiples) are sums of whole records. A key that has collected much is written every 30 s already:
/// limits that matter are noticed before the window is over. count() and fail() are for any thread, and cheap: one
/// hash, one lock of a shard that is held for a few instructions.
class OperationCounters {
 public:
  /// `log` outlives it.
  explicit OperationCounters(OperationsLog& log);
  ~OperationCounters();
  OperationCounters(const OperationCounters&) = delete;
  OperationCounters& operator=(const OperationCounters&) = delete;

  /// `count` operations that went well, of `bytes` altogether. `identity` is proven.
  void count(const Identity& identity, Operation operation, Protocol protocol, std::uint64_t bytes = 0,
             std::uint64_t count = 1);
  /// Counted, and the first kSinglesMax of a key and window are also written as records of their own, at once.
  void fail(const FailedOperation& failed, Timestamp now);

  /// Writes what is due; call it about once a second, from one thread. At most kRecordsPerTick records a call, so that
  /// a large fleet does not fill the log's queue; the rest follows with the next calls.
  void tick(Timestamp now);
  /// Writes everything now: before a stop, and in tests.
  void flush(Timestamp now);

  struct Stats {
    std::uint64_t keys = 0;     ///< Now; bound kKeysMax.
    std::uint64_t dropped = 0;  ///< Operations that were not counted: too many keys.
    std::uint64_t records = 0;
    std::array<std::array<OperationTotal, kProtocols>, kOperations> totals{};
    [[nodiscard]] const OperationTotal& of(Operation operation, Protocol protocol) const {
      return totals[static_cast<std::size_t>(operation)][static_cast<std::size_t>(protocol)];
    }
    /// By devices, over any protocol.
    [[nodiscard]] OperationTotal by_devices(Operation operation) const;
    [[nodiscard]] OperationTotal by_all(Operation operation) const;
  };
  [[nodiscard]] Stats stats() const;

  static constexpr Duration kWindow = Duration::minutes(5);
  static constexpr Duration kEarly = Duration::seconds(30);
  /// Early records: of telemetry and reported properties when this many wait; of rarer operations always.
  static constexpr std::uint64_t kEarlyCount = 100;
  static constexpr std::size_t kKeysMax = 131'072;
  static constexpr std::size_t kRecordsPerTick = 2048;
  static constexpr std::uint64_t kSinglesMax = 10;

 private:
  struct Parts;
  void close(Timestamp until, bool all);
  void write(std::size_t count_max, Timestamp now);
  std::unique_ptr<Parts> parts_;
};

}  // namespace picket::hub
