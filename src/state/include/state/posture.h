// How secure devices are, as one number, and what people decided to live with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "state/database.h"
#include "state/devices.h"

namespace picket::state {

/// A recommendation type that somebody decided to live with, for a reason and a while.
struct Exemption {
  std::string id;  ///< UUID.
  std::string type;
  std::string hub;
  std::string device_id;       ///< Empty: not one device only.
  std::string security_group;  ///< Empty: not one group only.
  std::string reason;
  std::string user;
  Timestamp created;
  std::optional<Timestamp> until;  ///< nullopt: for good.
};

/// What weighs on a device: active recommendations without an exemption. Score and weights: docs/posture.md.
struct DeviceScore {
  std::string device_id;
  std::string security_group;
  std::uint64_t high = 0, medium = 0, low = 0, informational = 0;
  std::uint64_t exempt = 0;  ///< Active recommendations that an exemption covers.

  static constexpr std::uint64_t kHigh = 10, kMedium = 5, kLow = 2;
  /// Points at which a device is half as good as it could be.
  static constexpr double kHalf = 50;
  [[nodiscard]] std::uint64_t lost() const { return high * kHigh + medium * kMedium + low * kLow; }
  /// 0 to 100.
  [[nodiscard]] double score() const { return of_lost(lost()); }
  static double of_lost(std::uint64_t lost) { return 100 * kHalf / (kHalf + static_cast<double>(lost)); }
};

/// The score of all devices, or of one group's, at the end of a day or now.
struct DayScore {
  Timestamp day;  ///< Its midnight, UTC.
  std::uint64_t devices = 0;
  double score = 100;  ///< Mean of the devices'; 100 when there are none.
};

/// What one device had lost at the end of a day, or has now.
struct DeviceDay {
  Timestamp day;  ///< Its midnight, UTC.
  std::uint64_t lost = 0;
  [[nodiscard]] double score() const { return DeviceScore::of_lost(lost); }
};

class Posture {
 public:
  static constexpr std::size_t kExemptionsMax = 10'000;
  static constexpr std::size_t kReasonBytesMax = 1024;
  static constexpr Duration kTrend = Duration::days(400);  ///< Of all devices and of groups.
  static constexpr std::int64_t kDeviceTrendDays = 90;     ///< Of one device, today among them.

  explicit Posture(Database& database) : database_(database) {}

  /// Audit record "exemption.set". `exemption.id`, user and created are filled in. Errors: limit_exceeded.
  Result<Exemption> exempt(Exemption exemption, const Actor& actor, Timestamp now);
  /// Audit record "exemption.delete". Whether there was one.
  Result<bool> restore(std::string_view hub, std::string_view id, const Actor& actor, Timestamp now);
  /// Newest first, expired ones included.
  Result<std::vector<Exemption>> exemptions(std::string_view hub) const;

  /// Devices of a hub, the worst first; `group` empty: all groups.
  Result<std::vector<DeviceScore>> scores(std::string_view hub, std::string_view group, Timestamp now) const;
  /// nullopt: there is no such device.
  Result<std::optional<DeviceScore>> score(std::string_view hub, std::string_view device_id, Timestamp now) const;
  /// Keeps today's scores of the hub, of each group and of each device, and forgets those that are too old. Of a device
  /// only what is another than on the day before is written: a device keeps at most kDeviceTrendDays + 1 rows.
  Result<> keep_day(std::string_view hub, Timestamp now);
  /// Oldest first; `group` empty: all devices.
  Result<std::vector<DayScore>> trend(std::string_view hub, std::string_view group) const;
  /// One a day since the device was first judged, at most kDeviceTrendDays, oldest first; today's is `now_lost`, what
  /// the device has lost now. A day without a row of its own was as the one before it.
  Result<std::vector<DeviceDay>> device_trend(std::string_view hub, std::string_view device_id, std::uint64_t now_lost,
                                              Timestamp now) const;

 private:
  Database& database_;
};

/// Mean of the scores of `devices`.
DayScore mean_score(const std::vector<DeviceScore>& devices, Timestamp now);

}  // namespace picket::state
