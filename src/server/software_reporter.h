// The tables SoftwareInventory and SoftwareVulnerabilities: what the fleet runs and what is wrong with it, as rows of
// the derived journal.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/core/time.h"
#include "journal/journal.h"
#include "vulnerability/desk.h"
#include "vulnerability/report.h"

namespace picket::server {

/// Looks every few seconds at devices whose software changed, at those with software about which feeds or statements
/// now say something else, and writes the difference to what was written before; every few days a device is written as
/// a whole, so that retention does not take away what is still so. After a crash rows may be there twice, none is
/// missing. Slow on purpose: rows of alerts stand in the same line.
class SoftwareReporter {
 public:
  struct Parts {
    vulnerability::Desk& desk;
    vulnerability::ReportBook book;
    journal::Journal& derived;
    const Clock& clock;
    Duration whole_every = Duration::days(7);  ///< Well below the retention of the table.
  };
  static constexpr std::size_t kRowsOfTurn = 2'000;  ///< About; one device is not divided.
  static constexpr std::size_t kDevicesOfTurn = 2'000;

  explicit SoftwareReporter(Parts parts)
      : desk_(parts.desk),
        reports_(std::move(parts.book)),
        derived_(parts.derived),
        clock_(parts.clock),
        whole_every_(parts.whole_every) {}
  ~SoftwareReporter() { stop(); }

  void start();
  void stop();

  /// Looks at some devices, writes about kRowsOfTurn rows, waits until they are durable. Returns how many. What the
  /// thread does again and again, without a pause while devices wait. Errors: of the journal; the same is tried again
  /// with the next call.
  Result<std::size_t> turn();

  struct Stats {
    std::uint64_t rows = 0;
    std::uint64_t waiting = 0;   ///< Devices to be looked at.
    std::uint64_t left_out = 0;  ///< Devices that no room was for (ReportBook's bounds).
  };
  [[nodiscard]] Stats stats() const { return {rows_, waiting_, left_out_}; }

 private:
  void collect();
  Result<> write(const std::vector<std::string>& records, const std::vector<Identity>& identities, Timestamp now);
  void want(const sbom::DeviceKey& device);
  [[nodiscard]] bool due(const sbom::DeviceKey& device, Timestamp now) const;

  vulnerability::Desk& desk_;
  vulnerability::FleetReports reports_;
  journal::Journal& derived_;
  const Clock& clock_;
  Duration whole_every_;
  std::deque<sbom::DeviceKey> queue_;
  std::set<sbom::DeviceKey> queued_;
  Timestamp ages_seen_;
  std::atomic<std::uint64_t> rows_ = 0, waiting_ = 0, left_out_ = 0;
  std::jthread thread_;
};

}  // namespace picket::server
