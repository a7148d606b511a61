#include "network/device_filter.h"

#include <gtest/gtest.h>

namespace picket::agent {
namespace {

struct Ignore final : RecordSink {
  void emit(const ProcessRecord&) override {}
  void emit(const ConnectionRecord&) override { ++connections; }
  void emit(const LoginRecord&) override {}
  void emit(const SystemRecord&) override {}
  void emit(const HeartbeatRecord&) override {}
  void emit(const StatisticsRecord&) override {}
  void emit(const EventRecord&) override {}
  int connections = 0;
};

ConnectionRecord from(IpAddress local) {
  ConnectionRecord record;
  record.local.address = local;
  return record;
}
constexpr IpAddress kLoopback{{127, 0, 0, 1}, 4};

TEST(DeviceFilter, WithoutAListEverythingPasses) {
  Ignore sink;
  const std::vector<std::string> devices;
  DeviceFilter filter(sink, devices);
  EXPECT_TRUE(filter.passes(from(kLoopback)));
}

TEST(DeviceFilter, AnAddressPassesOnlyWithItsInterface) {
  Ignore sink;
  std::vector<std::string> devices{"nothing-is-called-so"};
  DeviceFilter other(sink, devices);
  EXPECT_FALSE(other.passes(from(kLoopback)));
  other.emit(from(kLoopback));
  EXPECT_EQ(sink.connections, 0);
  const std::vector<std::string> loopback{"eth9", "lo"};
  DeviceFilter filter(sink, loopback);
  EXPECT_TRUE(filter.passes(from(kLoopback)));
}

TEST(DeviceFilter, UnknownAddressesPass) {
  Ignore sink;
  const std::vector<std::string> devices{"lo"};
  DeviceFilter filter(sink, devices);
  EXPECT_TRUE(filter.passes(from({{192, 0, 2, 250}, 4}))) << "of an interface that has gone";
  EXPECT_TRUE(filter.passes(from({{}, 4}))) << "not bound to an interface";
  EXPECT_TRUE(filter.passes(from({})));
}

}  // namespace
}  // namespace picket::agent
