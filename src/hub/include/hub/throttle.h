// How much of each operation a hub and an identity may do: token buckets that first delay and then refuse
// (spec/hub.md 1.8).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "hub/identity_key.h"

namespace picket::hub {

/// What is measured. Units: operations, but for method_bytes.
enum class Meter : std::uint8_t {
  connects,
  d2c_messages,
  c2d_messages,
  twin_reads,
  twin_updates,
  registry,
  queries,
  method_bytes,  ///< Requests and answers, in blocks of 4 KiB.
  uploads,
};
inline constexpr std::size_t kMeters = 9;

struct Rate {
  double per_second = 0;  ///< 0: no limit.
  double burst = 0;       ///< At once; at least one second's worth is a good choice.
};

struct Limits {
  std::array<Rate, kMeters> rates{};
  std::uint64_t messages_per_day = 0;  ///< In blocks of 4 KiB; 0: no limit.
  [[nodiscard]] Rate& operator[](Meter meter) { return rates[static_cast<std::size_t>(meter)]; }
  [[nodiscard]] const Rate& operator[](Meter meter) const { return rates[static_cast<std::size_t>(meter)]; }
};

/// IoT Hub's table: "F1", "S1", "S2", "S3" times units (1 to 200). Any other tier, such as "none": no limits.
Limits tier_limits(std::string_view tier, std::uint32_t units);
/// For one identity, whatever the hub has: far above what a device does, far below what hurts the others.
Limits identity_limits();

/// Messages are paid for in blocks.
inline constexpr std::size_t kMessageBlockBytes = 4096;
constexpr std::uint64_t message_blocks(std::size_t bytes) {
  return bytes <= kMessageBlockBytes ? 1 : (bytes + kMessageBlockBytes - 1) / kMessageBlockBytes;
}

struct Verdict {
  Duration delay;        ///< Do it after this; 0: at once.
  bool refused = false;  ///< Nothing was taken; answer 429001 and name `delay` as the time to wait.
};

/// A bucket may run into debt for what kShapeMax refills: so much is delayed. What goes beyond is refused, and takes
/// nothing. Memory is fixed: identities share buckets by keyed hash, so that a stranger cannot choose whom to slow
/// down. Any thread; `now` is monotonic. A hub without limits is not slowed.
class Throttle {
 public:
  Throttle();
  ~Throttle();
  Throttle(const Throttle&) = delete;
  Throttle& operator=(const Throttle&) = delete;

  /// Limits of a hub, from now on; what its buckets hold stays.
  void set_hub(std::string_view hub, const Limits& limits);
  /// Limits of each identity of every hub.
  void set_identities(const Limits& limits);

  /// Pays from the identity's bucket and the hub's. Either may delay or refuse.
  [[nodiscard]] Verdict take(const IdentityKey& identity, Meter meter, double amount, Duration now);
  /// For operations of nobody in particular.
  [[nodiscard]] Verdict take_of_hub(std::string_view hub, Meter meter, double amount, Duration now);
  /// Counts towards the day (UTC) of `time`. False: the day's messages are used up; nothing
  /// was taken, answer 403002.
  [[nodiscard]] bool take_of_day(std::string_view hub, std::uint64_t blocks, Timestamp time);
  /// Blocks taken today.
  [[nodiscard]] std::uint64_t used_today(std::string_view hub, Timestamp time) const;

  /// What a hub has used of a day; for keeping it over a restart.
  struct Day {
    std::string hub;
    std::int64_t day = 0;  ///< Since 1970.
    std::uint64_t blocks = 0;
    friend bool operator==(const Day&, const Day&) = default;
  };
  /// Of hubs that have limits (set_hub) and have taken anything.
  [[nodiscard]] std::vector<Day> days() const;
  /// What an earlier run has used; after set_hub().
  void restore(const Day& day);

  struct Stats {
    std::array<std::uint64_t, kMeters> delayed{};
    std::array<std::uint64_t, kMeters> refused{};
  };
  [[nodiscard]] Stats stats() const;

  static constexpr Duration kShapeMax = Duration::seconds(5);
  static constexpr std::size_t kIdentityBuckets = 262'144;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace picket::hub
