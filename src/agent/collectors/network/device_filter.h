// Connections of some interfaces only: the published setting NetworkActivity_Devices.
#pragma once

#include <string>
#include <vector>

#include "agent/collector.h"
#include "network/own_addresses.h"

namespace picket::agent {

/// Lets a connection pass when its interface is listed. Where that is not known its local address counts: it passes
/// when it is one of a listed interface, or of none that is here (it may have gone since), or is not known either.
/// Everything else a collector emits passes. One thread.
class DeviceFilter final : public RecordSink {
 public:
  static constexpr Duration kLookAgain = Duration::minutes(1);

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
  RecordSink& next_;
  const std::vector<std::string>& devices_;
  OwnAddresses addresses_;
};

}  // namespace picket::agent
