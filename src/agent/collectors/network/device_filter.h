// Connections of some interfaces only: the published setting NetworkActivity_Devices.
#pragma once

#include <string>
#include <vector>

#include "agent/collector.h"

namespace picket::agent {

/// Lets a connection pass when its interface is listed. Where that is not known its local address counts: it passes
/// when it is one of a listed interface, or of none that is here (it may have gone since), or is not known either.
/// Everything else a collector emits passes. One thread.
class DeviceFilter final : public RecordSink {
 public:
  static constexpr std::size_t kAddressesMax = 1'024;
  static constexpr Duration kLookAgain = Duration::seconds(10);

  /// All outlive the filter. `devices` is read at each look: the settings may change.
  DeviceFilter(RecordSink& next, const std::vector<std::string>& devices) : next_(next), devices_(devices) {}

  void emit(const ConnectionRecord& record) override {
    if (passes(record)) next_.emit(record);
  }
  void emit(const ProcessRecord& record) override { next_.emit(record); }
  void emit(const LoginRecord& record) override { next_.emit(record); }
  void emit(const SystemRecord& record) override { next_.emit(record); }
  void emit(const HeartbeatRecord& record) override { next_.emit(record); }
  void emit(const StatisticsRecord& record) override { next_.emit(record); }
  void emit(const EventRecord& record) override { next_.emit(record); }

  [[nodiscard]] bool passes(const ConnectionRecord& record);

 private:
  struct Known {
    IpAddress address;
    bool listed = false;
  };
  [[nodiscard]] const Known* find(const IpAddress& address) const;
  void look(Duration now);

  RecordSink& next_;
  const std::vector<std::string>& devices_;
  std::vector<Known> addresses_;
  std::optional<Duration> looked_;
};

}  // namespace picket::agent
