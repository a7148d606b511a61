#include "hub/authentication.h"

#include <gtest/gtest.h>

#include "hub/memory_identity_store.h"
#include "hub/sas_token.h"

namespace picket::hub {
namespace {

constexpr Timestamp kNow{1'790'000'000'000'000};

Buffer key(std::string_view text) { return {as_bytes(text).begin(), as_bytes(text).end()}; }

class BrokenStore final : public IdentityStore {
 public:
  [[nodiscard]] Result<std::optional<StoredIdentity>> find(std::string_view, std::string_view,
                                                           std::string_view) const override {
    return fail(Errc::io, "test");
  }
};

class HubAuthentication : public testing::Test {
 protected:
  HubAuthentication() {
    store_.put("hub1", "d", "", {.generation_id = "g", .primary_key = key("one"), .secondary_key = key("two")});
    store_.put("hub1", "d", "m", {.generation_id = "gm", .primary_key = key("module")});
    store_.put("hub1", "off", "", {.generation_id = "g", .enabled = false, .primary_key = key("one")});
    store_.put("hub1", "e", "", {.generation_id = "g", .primary_key = key("e key")});
  }
  std::expected<Grant, Refusal> ask(std::string_view client_id, std::string_view user_name, std::string_view token) {
    mqtt::Connect packet{.client_id = client_id};
    packet.user_name = user_name;
    if (!token.empty()) packet.password = mqtt::Payload{as_bytes(token)};
    return authenticate(packet, hubs_, store_, kNow);
  }
  std::string check(std::string_view client_id, std::string_view user_name, std::string_view token) {
    const auto result = ask(client_id, user_name, token);
    return result ? "granted" : std::string(to_string(result.error().check));
  }
  static std::string token(std::string_view device, std::string_view module, std::string_view text,
                           Timestamp expiry = kNow + Duration::hours(1)) {
    return make_sas_token("host", device, module, as_bytes(text), expiry);
  }

  HubNames hubs_{.default_hub = "hub1", .hub_of_host = {{"other.example", "hub2"}}};
  MemoryIdentityStore store_;
};

TEST_F(HubAuthentication, GrantsADeviceWithEitherKey) {
  const auto first = ask("d", "host/d/?api-version=2021-04-12", token("d", "", "one"));
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->identity, (Identity{"hub1", "d", "", "g"}));
  EXPECT_EQ(first->key_slot, KeySlot::primary);
  const auto second = ask("d", "host/d/?api-version=2021-04-12", token("d", "", "two"));
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->key_slot, KeySlot::secondary);
}

TEST_F(HubAuthentication, GrantsAModuleWithItsOwnKey) {
  const auto grant = ask("d/m", "host/d/m/?api-version=2021-04-12", token("d", "m", "module"));
  ASSERT_TRUE(grant.has_value());
  EXPECT_EQ(grant->identity, (Identity{"hub1", "d", "m", "gm"}));
  EXPECT_NE(auth_method(*grant).find("module"), std::string_view::npos);
}

TEST_F(HubAuthentication, DeviceTokenDoesNotOpenItsModule) {
  EXPECT_EQ(check("d/m", "host/d/m/", token("d", "", "one")), "token_resource");
  EXPECT_EQ(check("d/m", "host/d/m/", token("d", "m", "one")), "token_signature");
}

TEST_F(HubAuthentication, TokenOfAnotherDeviceIsRefused) {
  EXPECT_EQ(check("d", "host/d/", token("e", "", "e key")), "token_resource");
  EXPECT_EQ(check("d", "host/d/", token("d", "", "e key")), "token_signature");
}

TEST_F(HubAuthentication, ExpiryIsExact) {
  EXPECT_EQ(check("d", "host/d/", token("d", "", "one", kNow + Duration::seconds(1))), "granted");
  EXPECT_EQ(check("d", "host/d/", token("d", "", "one", kNow)), "token_expired");
}

TEST_F(HubAuthentication, DisabledDeviceAndUnknownOne) {
  EXPECT_EQ(check("off", "host/off/", token("off", "", "one")), "disabled");
  EXPECT_EQ(check("nobody", "host/nobody/", token("nobody", "", "one")), "unknown_identity");
  EXPECT_EQ(check("D", "host/D/", token("D", "", "one")), "unknown_identity") << "ids have case";
}

TEST_F(HubAuthentication, PolicyTokensAreRefusedByName) {
  const auto result = ask("d", "host/d/", token("d", "", "one") + "&skn=iothubowner");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().check, AuthCheck::token_policy);
  EXPECT_EQ(result.error().policy_name, "iothubowner");
}

TEST_F(HubAuthentication, TokenMustBeThereAndBeOne) {
  EXPECT_EQ(check("d", "host/d/", ""), "token_missing");
  EXPECT_EQ(check("d", "host/d/", "password"), "token_malformed");
}

TEST_F(HubAuthentication, UserNameMayHaveTheOlderForms) {
  for (const auto* name : {"host/d", "host/d/", "host/d/?api-version=2021-04-12", "host/d/api-version=2016-11-14",
                           "host/d/api-version=2017-06-30/DeviceClientType=x", "host/d/DeviceClientType=x"}) {
    EXPECT_EQ(check("d", name, token("d", "", "one")), "granted") << name;
  }
}

TEST_F(HubAuthentication, UserNameMustAgreeWithTheClientId) {
  for (const auto* name :
       {"", "d", "host", "/d/", "host/e/", "host/d1/", "host/d/m/", "host/d/m/?api-version=1", "host/dx"}) {
    EXPECT_EQ(check("d", name, token("d", "", "one")), "user_name") << name;
  }
  EXPECT_EQ(check("d/m", "host/d/", token("d", "m", "module")), "user_name");
}

TEST_F(HubAuthentication, ClientIdIsOneOrTwoIdentifiers) {
  for (const auto* id : {"/", "d/", "/m", "d/m/x", "d e", "d\xc3\xa9"})
    EXPECT_EQ(check(id, "host/d/", "x"), "client_id") << id;
  EXPECT_EQ(check(std::string(129, 'a'), "host/d/", "x"), "client_id");
}

TEST_F(HubAuthentication, IdsAreLiteralsAlsoWithWildcardCharacters) {
  store_.put("hub1", "a+#%$b", "", {.generation_id = "g", .primary_key = key("k")});
  EXPECT_EQ(check("a+#%$b", "host/a+#%$b/", token("a+#%$b", "", "k")), "granted");
  EXPECT_EQ(check("+", "host/+/", token("+", "", "one")), "unknown_identity");
  EXPECT_EQ(check("#", "host/#/", token("#", "", "one")), "unknown_identity");
}

TEST_F(HubAuthentication, HostNamesTheHub) {
  const auto result = ask("d", "OTHER.example/d/",
                          make_sas_token("other.example", "d", "", as_bytes("one"), kNow + Duration::hours(1)));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().claimed.hub, "hub2") << "keys of hub1 mean nothing there";
  EXPECT_EQ(check("d", "elsewhere/d/", token("d", "", "one")), "token_resource") << "signed for another host";
}

TEST_F(HubAuthentication, RefusalCarriesTheFactsButNoSecret) {
  const auto result =
      ask("d", "host/d/?api-version=1&DeviceClientType=sdk%2F1", token("d", "", "one", kNow - Duration::days(1)));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().claimed.device_id, "d");
  EXPECT_EQ(result.error().sdk, "sdk/1");
  EXPECT_EQ(result.error().token_expiry, kNow - Duration::days(1));
}

TEST_F(HubAuthentication, StoreThatCannotAnswerIsNoVerdict) {
  mqtt::Connect packet{.client_id = "d"};
  const auto text = token("d", "", "one");
  packet.user_name = "host/d/";
  packet.password = mqtt::Payload{as_bytes(text)};
  EXPECT_EQ(authenticate(packet, hubs_, BrokenStore(), kNow).error().check, AuthCheck::store_unavailable);
}

TEST_F(HubAuthentication, WillMustBeOwnTelemetry) {
  mqtt::Connect packet{.client_id = "d", .will = mqtt::Will{.topic = "devices/e/messages/events/"}};
  const auto text = token("d", "", "one");
  packet.user_name = "host/d/";
  packet.password = mqtt::Payload{as_bytes(text)};
  EXPECT_EQ(authenticate(packet, hubs_, store_, kNow).error().check, AuthCheck::will_topic);
  packet.will->topic = "devices/d/messages/events/";
  EXPECT_TRUE(authenticate(packet, hubs_, store_, kNow).has_value());
}

}  // namespace
}  // namespace picket::hub
