// X.509, hub policies and settings in authentication; the device's own keys are in authentication_test.cc.
#include <gtest/gtest.h>

#include "hub/authentication.h"
#include "hub/memory_identity_store.h"
#include "hub/sas_token.h"

namespace picket::hub {
namespace {

constexpr Timestamp kNow{1'790'000'000'000'000};
const std::string kSha1(40, 'a');
const std::string kSha256(64, 'b');
const std::string kCa(64, 'c');

Buffer key(std::string_view text) { return {as_bytes(text).begin(), as_bytes(text).end()}; }

net::ClientCertificate certificate(std::string common_name) {
  net::ClientCertificate out;
  out.common_name = std::move(common_name);
  out.sha1_thumbprint = kSha1;
  out.sha256_thumbprint = kSha256;
  out.issuer = "CN=fleet CA";
  out.not_before = kNow - Duration::days(1);
  out.not_after = kNow + Duration::days(1);
  out.chain_not_after = out.not_after;
  return out;
}

net::ClientCertificate chained(std::string common_name) {
  auto out = certificate(std::move(common_name));
  out.chained = out.verified = true;
  out.issuer_thumbprints = {kCa};
  return out;
}

class HubCredentials : public testing::Test {
 protected:
  HubCredentials() {
    using state::AuthType;
    store_.put("hub1", "sas", "", {.generation_id = "g", .primary_key = key("one")});
    store_.put("hub1", "sas", "m", {.generation_id = "gm", .primary_key = key("module")});
    store_.put("hub1", "self", "", {.generation_id = "g", .auth = AuthType::self_signed, .thumbprints = {kSha1, ""}});
    store_.put("hub1", "self2", "",
               {.generation_id = "g",
                .auth = AuthType::self_signed,
                .thumbprints = {std::string(64, 'f'), std::string(64, 'B')}});
    store_.put("hub1", "ca", "", {.generation_id = "g", .auth = AuthType::certificate_authority});
    store_.put("hub1", "ca", "m", {.generation_id = "gm", .auth = AuthType::certificate_authority});
    store_.put("hub1", "none", "", {.generation_id = "g", .auth = AuthType::none});
    store_.put("hub1", "off", "", {.generation_id = "g", .enabled = false, .auth = AuthType::certificate_authority});
    settings_.name = "hub1";
    settings_.authorities = {{.name = "fleet", .sha256_thumbprint = kCa}};
    settings_.policies = {{"device", kDeviceConnect, key("policy"), key("policy 2")},
                          {"service", kServiceConnect, key("service"), {}}};
  }

  std::expected<Grant, Refusal> ask(Credentials credentials) {
    hubs_settings_.put(settings_);
    if (credentials.host.empty()) credentials.host = "host";
    return authenticate(credentials, {hubs_, store_, &hubs_settings_}, kNow);
  }
  std::string check(const Credentials& credentials) {
    const auto result = ask(credentials);
    return result ? "granted" : std::string(to_string(result.error().check));
  }
  static std::string token(std::string_view device, std::string_view text,
                           Timestamp expiry = kNow + Duration::hours(1)) {
    return make_sas_token("host", device, "", as_bytes(text), expiry);
  }

  HubNames hubs_{.default_hub = "hub1"};
  MemoryIdentityStore store_;
  HubSettings settings_;
  HubSettingsStore hubs_settings_;
};

TEST_F(HubCredentials, SelfSignedIsKnownByEitherThumbprintAndEitherHash) {
  const auto shown = certificate("whatever");
  const auto first = ask({.client_id = "self", .certificate = &shown});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->method, AuthMethod::x509_thumbprint);
  EXPECT_EQ(first->key_slot, KeySlot::primary);
  EXPECT_EQ(first->token_expiry, shown.not_after);
  EXPECT_EQ(first->credential, kSha256);
  EXPECT_NE(auth_method(*first).find("x509"), std::string_view::npos);
  const auto second = ask({.client_id = "self2", .certificate = &shown});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->key_slot, KeySlot::secondary) << "thumbprints are compared without case";
}

TEST_F(HubCredentials, AnotherThumbprintIsRefusedAndLeavesTheFacts) {
  auto shown = certificate("self");
  shown.sha1_thumbprint = std::string(40, '0');
  const auto result = ask({.client_id = "self", .certificate = &shown});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().check, AuthCheck::thumbprint_mismatch);
  EXPECT_EQ(result.error().claimed.device_id, "self");
  ASSERT_TRUE(result.error().certificate);
  EXPECT_EQ(result.error().certificate->sha1_thumbprint, shown.sha1_thumbprint);
  EXPECT_EQ(result.error().certificate->issuer, "CN=fleet CA");
  EXPECT_EQ(result.error().certificate->not_after, shown.not_after);
}

TEST_F(HubCredentials, AnEmptyThumbprintMatchesNothing) {
  store_.put("hub1", "empty", "", {.generation_id = "g", .auth = state::AuthType::self_signed});
  net::ClientCertificate shown = certificate("empty");
  shown.sha1_thumbprint = shown.sha256_thumbprint = "";
  EXPECT_EQ(check({.client_id = "empty", .certificate = &shown}), "thumbprint_mismatch");
}

TEST_F(HubCredentials, CaSignedNeedsAProvenCaOfThisHub) {
  auto shown = chained("ca");
  const auto grant = ask({.client_id = "ca", .certificate = &shown});
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->method, AuthMethod::x509_authority);
  shown.issuer_thumbprints = {std::string(64, 'd')};
  EXPECT_EQ(check({.client_id = "ca", .certificate = &shown}), "certificate_not_trusted") << "a CA of another hub";
  shown.issuer_thumbprints = {std::string(64, 'd'), kCa};
  EXPECT_EQ(check({.client_id = "ca", .certificate = &shown}), "granted") << "through an intermediate CA";
  shown.chained = false;
  EXPECT_EQ(check({.client_id = "ca", .certificate = &shown}), "certificate_not_trusted");
}

TEST_F(HubCredentials, CaSignedCertificateOpensItsOwnNameOnly) {
  const auto other = chained("other");
  const auto device = chained("ca");
  const auto module = chained("ca/m");
  EXPECT_EQ(check({.client_id = "ca", .certificate = &other}), "certificate_name");
  EXPECT_EQ(check({.client_id = "ca/m", .certificate = &device}), "certificate_name");
  EXPECT_EQ(check({.client_id = "ca", .certificate = &module}), "certificate_name");
  EXPECT_EQ(check({.client_id = "ca/m", .certificate = &module}), "granted");
}

TEST_F(HubCredentials, CertificatesEnd) {
  auto own = certificate("self");
  own.not_after = kNow;
  EXPECT_EQ(check({.client_id = "self", .certificate = &own}), "certificate_expired");
  own.not_after = kNow + Duration::seconds(1);
  EXPECT_EQ(check({.client_id = "self", .certificate = &own}), "granted");
  own.not_before = kNow + Duration::hours(1);
  EXPECT_EQ(check({.client_id = "self", .certificate = &own}), "certificate_not_trusted");
  auto shown = chained("ca");
  shown.chain_not_after = kNow - Duration::seconds(1);
  EXPECT_EQ(check({.client_id = "ca", .certificate = &shown}), "certificate_expired") << "the CA above it has ended";
}

TEST_F(HubCredentials, AStrangersCertificateIsNotCalledExpired) {
  auto shown = certificate("self");
  shown.sha1_thumbprint = std::string(40, '0');
  shown.not_after = kNow - Duration::days(1);
  EXPECT_EQ(check({.client_id = "self", .certificate = &shown}), "thumbprint_mismatch");
}

TEST_F(HubCredentials, TheIdentityDecidesWhatProvesIt) {
  const auto shown = chained("sas");
  EXPECT_EQ(check({.client_id = "sas", .certificate = &shown}), "token_missing");
  EXPECT_EQ(check({.client_id = "self"}), "certificate_missing");
  EXPECT_EQ(check({.client_id = "self", .token = token("self", "any")}), "certificate_missing");
  EXPECT_EQ(check({.client_id = "sas", .token = token("sas", "one"), .certificate = &shown}), "granted");
  EXPECT_EQ(check({.client_id = "none", .token = token("none", "")}), "token_signature");
  EXPECT_EQ(check({.client_id = "none"}), "token_missing");
  EXPECT_EQ(check({.client_id = "who"}), "unknown_identity");
}

TEST_F(HubCredentials, DisabledIsToldOnlyToWhoHasProvenToBeIt) {
  const auto right = chained("off");
  const auto wrong = chained("ca");
  EXPECT_EQ(check({.client_id = "off", .certificate = &right}), "disabled");
  EXPECT_EQ(check({.client_id = "off", .certificate = &wrong}), "certificate_name");
}

TEST_F(HubCredentials, PolicyWithDeviceConnectSpeaksForEveryIdentity) {
  const auto expiry = kNow + Duration::hours(1);
  for (const std::string_view resource :
       {"host", "host/devices", "host/devices/sas", "host/devices/sas/modules/m", "HOST/devices/"}) {
    const auto text = make_policy_token(resource, "device", as_bytes("policy"), expiry);
    const auto grant = ask({.client_id = "sas/m", .token = text});
    ASSERT_TRUE(grant) << resource;
    EXPECT_EQ(grant->identity.generation_id, "gm");
    EXPECT_EQ(grant->policy_name, "device");
    EXPECT_EQ(grant->method, AuthMethod::policy);
    EXPECT_NE(auth_method(*grant).find("\"hub\""), std::string_view::npos);
  }
  const auto text = make_policy_token("host", "device", as_bytes("policy 2"), expiry);
  EXPECT_EQ(ask({.client_id = "sas", .token = text})->key_slot, KeySlot::secondary);
}

TEST_F(HubCredentials, PolicyTokenOpensWholeSegmentsBelowItsResourceOnly) {
  const auto expiry = kNow + Duration::hours(1);
  for (const std::string_view resource : {"host/devices/sa", "host/devices/other", "host/device",
                                          "host/devices/sas/modules/x", "hos", "host2", "other/devices/sas"}) {
    const auto text = make_policy_token(resource, "device", as_bytes("policy"), expiry);
    EXPECT_EQ(check({.client_id = "sas/m", .token = text}), "token_resource") << resource;
  }
}

TEST_F(HubCredentials, OtherPoliciesConnectNoDevice) {
  const auto expiry = kNow + Duration::hours(1);
  EXPECT_EQ(check({.client_id = "sas", .token = make_policy_token("host", "service", as_bytes("service"), expiry)}),
            "token_policy");
  EXPECT_EQ(check({.client_id = "sas", .token = make_policy_token("host", "gone", as_bytes("policy"), expiry)}),
            "token_policy");
  EXPECT_EQ(check({.client_id = "sas", .token = make_policy_token("host", "device", as_bytes("x"), expiry)}),
            "token_signature");
  EXPECT_EQ(check({.client_id = "who", .token = make_policy_token("host", "device", as_bytes("policy"), expiry)}),
            "unknown_identity");
}

TEST_F(HubCredentials, TheTokenNamesTheHostWhereNothingElseDoes) {
  hubs_settings_.put(settings_);
  const auto text = token("sas", "one");
  const Credentials credentials{.client_id = "sas", .token = text};
  const auto grant = authenticate(credentials, {hubs_, store_, &hubs_settings_}, kNow);
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->claim.host, "host");
}

TEST_F(HubCredentials, AHostNamesItsHub) {
  hubs_settings_.put({.name = "hub2"});
  store_.put("hub2", "d", "", {.generation_id = "g2", .primary_key = key("one")});
  const auto text = make_sas_token("HUB2.example.com", "d", "", as_bytes("one"), kNow + Duration::hours(1));
  const auto grant = ask({.client_id = "d", .host = "hub2.example.com", .token = text});
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->identity.hub, "hub2");
}

TEST_F(HubCredentials, IpFilterComesBeforeEverythingElse) {
  settings_.configuration.ip_rules = {{"office", IpAction::accept, *parse_cidr("10.0.0.0/8")},
                                      {"rest", IpAction::reject, *parse_cidr("0.0.0.0/0")}};
  const auto text = token("sas", "one");
  const auto refused = ask({.client_id = "sas", .token = text, .source_address = "192.0.2.1"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().check, AuthCheck::ip_filter);
  EXPECT_EQ(refused.error().ip_rule, "rest");
  EXPECT_EQ(ask({.client_id = "sas", .token = text, .source_address = "10.1.1.1"})->ip_rule, "office");
}

TEST_F(HubCredentials, TlsMinimumIsTheHubs) {
  settings_.configuration.tls_minimum = TlsVersion::tls13;
  const auto text = token("sas", "one");
  EXPECT_EQ(check({.client_id = "sas", .token = text, .tls_version = "TLSv1.2"}), "tls_policy");
  EXPECT_EQ(check({.client_id = "sas", .token = text, .tls_version = "TLSv1.3"}), "granted");
}

TEST_F(HubCredentials, CipherPolicyIsTheHubs) {
  const auto text = token("sas", "one");
  EXPECT_EQ(check({.client_id = "sas", .token = text, .tls_cipher = "TLS_AES_128_GCM_SHA256"}), "granted");
  settings_.configuration.ciphers = CipherPolicy::strict;
  for (const std::string_view cipher : {"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
                                        "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"}) {
    EXPECT_EQ(check({.client_id = "sas", .token = text, .tls_cipher = cipher}), "granted") << cipher;
  }
  for (const std::string_view cipher : {"TLS_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"}) {
    EXPECT_EQ(check({.client_id = "sas", .token = text, .tls_cipher = cipher}), "tls_policy") << cipher;
  }
}

TEST_F(HubCredentials, TokenLifetimeIsTheHubs) {
  settings_.configuration.sas_lifetime_max = Duration::hours(24);
  EXPECT_EQ(check({.client_id = "sas", .token = token("sas", "one", kNow + Duration::hours(24))}), "granted");
  EXPECT_EQ(check({.client_id = "sas", .token = token("sas", "one", kNow + Duration::hours(25))}), "token_lifetime");
}

TEST_F(HubCredentials, ClientCertificatesCanBeRequiredOrOff) {
  const auto shown = chained("ca");
  settings_.configuration.client_certificates = ClientCertificatePolicy::required;
  EXPECT_EQ(check({.client_id = "sas", .token = token("sas", "one")}), "certificate_missing");
  EXPECT_EQ(check({.client_id = "sas", .token = token("sas", "one"), .certificate = &shown}), "certificate_missing");
  EXPECT_EQ(check({.client_id = "ca", .certificate = &shown}), "granted");
  settings_.configuration.client_certificates = ClientCertificatePolicy::off;
  EXPECT_EQ(check({.client_id = "ca", .certificate = &shown}), "certificate_not_trusted");
  EXPECT_EQ(check({.client_id = "sas", .token = token("sas", "one")}), "granted");
}

TEST_F(HubCredentials, ASharedKeyHasOneFingerprintAndTellsNothingOfTheKey) {
  store_.put("hub1", "twin", "", {.generation_id = "g", .primary_key = key("one")});
  const auto first = ask({.client_id = "sas", .token = token("sas", "one")});
  const auto second = ask({.client_id = "twin", .token = token("twin", "one")});
  EXPECT_EQ(first->credential, second->credential);
  EXPECT_EQ(first->credential.size(), 16u);
}

TEST(AuthCheckNames, EachHasOne) {
  for (std::size_t i = 0; i < kAuthChecks; ++i) EXPECT_FALSE(to_string(static_cast<AuthCheck>(i)).empty()) << i;
  EXPECT_EQ(to_string(AuthCheck::certificate_expired), "certificate_expired");
}

}  // namespace
}  // namespace picket::hub
