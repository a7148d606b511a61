#include "hub/session_store.h"

#include <future>

#include <gtest/gtest.h>

#include "hub/testing/temporary_state.h"
#include "state/devices.h"

namespace picket::hub {
namespace {

HubResult<> stored(Sessions& sessions, const Identity& identity, std::uint32_t mask) {
  std::promise<HubResult<>> answer;
  sessions.store(identity, mask, [&](HubResult<> result) { answer.set_value(std::move(result)); });
  return answer.get_future().get();
}

struct SessionStore : testing::Test {
  TemporaryState state;
  Identity device = state.add_device("dev1");
  Identity module{device.hub, device.device_id, std::string(state::kSecurityModule),
                  state.devices().find("hub1", "dev1")->modules.front().generation_id};
};

TEST_F(SessionStore, RemembersTheMaskAcrossARestart) {
  {
    auto sessions = make_sessions(*state);
    ASSERT_TRUE(stored(*sessions, device, 0x0503));
    ASSERT_TRUE(stored(*sessions, module, 0x0001));
    ASSERT_TRUE(stored(*sessions, device, 0x0701));
  }
  state.reopen();
  auto sessions = make_sessions(*state);
  EXPECT_EQ(sessions->load(device).value(), 0x0701U);
  EXPECT_EQ(sessions->load(module).value(), 0x0001U);
}

TEST_F(SessionStore, KnowsNothingOfAnotherGeneration) {
  auto sessions = make_sessions(*state);
  ASSERT_TRUE(stored(*sessions, device, 7));
  auto other = device;
  other.generation_id = "another";
  EXPECT_EQ(sessions->load(other).value(), 0U);
  EXPECT_EQ(stored(*sessions, other, 1).error().code, kDeviceNotFound);
  EXPECT_TRUE(stored(*sessions, other, 0)) << "removing nothing is no error";
  EXPECT_EQ(sessions->load(device).value(), 7U) << "and takes nothing from the living one";
}

TEST_F(SessionStore, MaskZeroRemovesIt) {
  auto sessions = make_sessions(*state);
  ASSERT_TRUE(stored(*sessions, device, 7));
  ASSERT_TRUE(stored(*sessions, device, 0));
  EXPECT_EQ(sessions->load(device).value(), 0U);
}

TEST_F(SessionStore, GoesWithTheIdentity) {
  auto sessions = make_sessions(*state);
  ASSERT_TRUE(stored(*sessions, device, 7));
  ASSERT_TRUE(stored(*sessions, module, 3));
  ASSERT_TRUE(state.devices().remove_module("hub1", "dev1", module.module_id, state::Actor{"t", ""}, {}));
  EXPECT_EQ(sessions->load(module).value(), 0U);
  ASSERT_TRUE(state.devices().remove("hub1", "dev1", state::Actor{"t", ""}, {}));
  EXPECT_EQ(sessions->load(device).value(), 0U);
}

TEST_F(SessionStore, IdsAreLiterals) {
  auto sessions = make_sessions(*state);
  const auto wild = state.add_device("de%");
  ASSERT_TRUE(stored(*sessions, device, 7));
  EXPECT_EQ(sessions->load(wild).value(), 0U);
  ASSERT_TRUE(stored(*sessions, wild, 0));
  EXPECT_EQ(sessions->load(device).value(), 7U);
}

}  // namespace
}  // namespace picket::hub
