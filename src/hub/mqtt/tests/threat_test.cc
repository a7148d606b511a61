// Each threat class of spec/hub.md, section 4, tried on the head.
#include "head_harness.h"

namespace picket::hub {
namespace {

TEST_F(HubTest, Cve_2021_34432_EmptyTopicIsAProtocolError) {
  start();
  const auto client = connect();
  client->send(from_hex("30020000").value());
  expect_end(*client, DisconnectReason::protocol);
}

}  // namespace
}  // namespace picket::hub
