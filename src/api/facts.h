// What is known of the fleet beyond the registry, gathered now and then: the newest system information, counts.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "api/services.h"
#include "base/core/json_writer.h"

namespace picket::api {

inline constexpr Duration kReportingWithin = Duration::minutes(15);
/// How old system information of the list may be, and how far back it is looked for.
inline constexpr Duration kFactsAge = Duration::seconds(30);
inline constexpr Duration kFactsBack = Duration::days(7);

struct DeviceFacts {
  std::string os;  ///< "Debian GNU/Linux 12 (bookworm), x86_64"
  std::string agent_version;
};

/// Numbers of open alerts, High first: the order in which devices sort by them.
struct SeverityCounts {
  std::uint64_t high = 0;
  std::uint64_t medium = 0;
  std::uint64_t low = 0;
  std::uint64_t informational = 0;
  friend auto operator<=>(const SeverityCounts&, const SeverityCounts&) = default;
};
SeverityCounts counts_of(const std::vector<state::SeverityCount>& severities);
void write_counts(JsonWriter& out, const SeverityCounts& counts);

/// A device as lists show it.
struct DeviceView {
  state::Device device;
  Activity activity;
  SeverityCounts open_alerts;
  DeviceFacts facts;
};

std::string_view reporting_of(const Activity& activity, Timestamp now);
/// Members of DeviceSummary, without the braces.
void write_summary(JsonWriter& out, const DeviceView& view, Timestamp now);

struct DeviceCounts {
  std::uint64_t total = 0;
  std::uint64_t reporting = 0;
  std::uint64_t silent = 0;
  std::uint64_t never = 0;
  std::uint64_t disabled = 0;
  std::uint64_t connected = 0;
};
void write_device_counts(JsonWriter& out, const DeviceCounts& counts);

/// Any thread; may block on the workspace.
class Facts {
 public:
  Facts(const Services& services, std::stop_token stopping) : services_(services), stopping_(std::move(stopping)) {}

  /// All devices of the hub.
  Result<std::vector<DeviceView>> devices();
  /// Errors: not_found.
  Result<DeviceView> device(std::string_view device_id);
  /// Newest SystemInformation event of a device as JSON text; empty: none is known.
  std::string system_information(std::string_view device_id);
  Result<DeviceCounts> device_counts();

 private:
  using ByDevice = std::map<std::string, DeviceFacts, std::less<>>;

  std::shared_ptr<const ByDevice> facts();
  [[nodiscard]] std::shared_ptr<const ByDevice> gather() const;

  const Services& services_;
  std::stop_token stopping_;
  std::mutex mutex_;
  std::shared_ptr<const ByDevice> facts_ = std::make_shared<ByDevice>();
  std::optional<Duration> gathered_;
  bool gathering_ = false;
};

}  // namespace picket::api
