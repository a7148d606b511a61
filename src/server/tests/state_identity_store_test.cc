#include "state_identity_store.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/core/encoding.h"

namespace picket::server {
namespace {

constexpr Timestamp kNow{1'795'000'000'000'000};
const state::Actor kActor{"tester", ""};

class StateIdentityStoreTest : public testing::Test {
 protected:
  StateIdentityStoreTest() {
    std::string pattern = testing::TempDir() + "picket_identities_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    database_ = *state::Database::open(folder_ + "/state.sqlite");
  }
  ~StateIdentityStoreTest() override {
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::string folder_;
  std::unique_ptr<state::Database> database_;
};

TEST_F(StateIdentityStoreTest, GivesWhatProvesAnIdentity) {
  state::Devices devices(*database_);
  const StateIdentityStore store(*database_);
  const auto made = devices.add("hub", "d", "", kActor, kNow);
  ASSERT_TRUE(made);
  const auto device = store.find("hub", "d", "");
  ASSERT_TRUE(device && *device);
  EXPECT_EQ((*device)->generation_id, made->generation_id);
  EXPECT_EQ((*device)->primary_key, *from_base64(made->keys.primary));
  EXPECT_EQ((*device)->auth, state::AuthType::sas);
  const auto module = store.find("hub", "d", state::kSecurityModule);
  ASSERT_TRUE(module && *module);
  EXPECT_EQ((*module)->secondary_key, *from_base64(made->modules[0].keys.secondary));
  EXPECT_FALSE(*store.find("hub", "D", ""));
  EXPECT_FALSE(*store.find("other", "d", ""));
  EXPECT_FALSE(*store.find("hub", "d", "m"));
}

TEST_F(StateIdentityStoreTest, AModuleIsEnabledWhenItsDeviceIs) {
  state::Devices devices(*database_);
  const StateIdentityStore store(*database_);
  ASSERT_TRUE(devices.add("hub", "d", "", kActor, kNow));
  ASSERT_TRUE(devices.change("hub", "d", {.enabled = false}, kActor, kNow));
  EXPECT_FALSE((*store.find("hub", "d", ""))->enabled);
  EXPECT_FALSE((*store.find("hub", "d", state::kSecurityModule))->enabled);
}

TEST_F(StateIdentityStoreTest, KnowsThumbprintsInsteadOfKeys) {
  state::Devices devices(*database_);
  const StateIdentityStore store(*database_);
  const std::string thumbprint(40, 'a');
  ASSERT_TRUE(devices.add("hub", "d", "", kActor, kNow, std::nullopt,
                          state::X509Proof{state::AuthType::self_signed, {thumbprint, ""}}));
  const auto device = *store.find("hub", "d", "");
  EXPECT_TRUE(device->primary_key.empty());
  EXPECT_EQ(device->auth, state::AuthType::self_signed);
  EXPECT_EQ(device->thumbprints.primary, thumbprint);
  EXPECT_EQ((*store.find("hub", "d", state::kSecurityModule))->thumbprints.primary, thumbprint);
  EXPECT_FALSE(
      devices.add("hub", "e", "", kActor, kNow, std::nullopt, state::X509Proof{state::AuthType::self_signed, {}}));
}

}  // namespace
}  // namespace picket::server
