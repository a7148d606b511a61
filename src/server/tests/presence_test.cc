#include "presence.h"

#include <gtest/gtest.h>

namespace picket::server {
namespace {

struct PresenceTest : testing::Test {
  api::Live live{"1"};
  Presence presence{live};
  void connect(const Identity& identity) { presence.connected(identity, {}); }
  void disconnect(const Identity& identity) { presence.disconnected(identity, {}, hub::DisconnectReason::client); }
  Identity device{"h", "d", "", "g"}, module{"h", "d", "m", "g"};
};

TEST_F(PresenceTest, CountsDevicesThatAreConnectedThemselves) {
  connect(module);
  EXPECT_EQ(presence.connected_devices(), 0u);
  connect(device);
  connect({"h", "e", "", "g"});
  EXPECT_EQ(presence.connected_devices(), 2u);
  disconnect(device);
  EXPECT_EQ(presence.connected_devices(), 1u);
}

TEST_F(PresenceTest, ATakeoverIsOneDeviceThroughout) {
  connect(device);
  connect(device);  // the new connection may report before the old one's end
  EXPECT_EQ(presence.connected_devices(), 1u);
  disconnect(device);
  EXPECT_EQ(presence.connected_devices(), 1u);
  disconnect(device);
  EXPECT_EQ(presence.connected_devices(), 0u);
}

}  // namespace
}  // namespace picket::server
