#include "agent/connection_string.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/backoff.h"

namespace picket::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kDevice = "HostName=localhost;DeviceId=dev1;SharedAccessKey=a2V5";

TEST(ConnectionString, DerivesWhatTheSdksDerive) {
  const auto device = parse_connection_string(kDevice);
  ASSERT_TRUE(device) << device.error();
  EXPECT_EQ(device->endpoint, (HostPort{"localhost", 8883}));
  EXPECT_EQ(mqtt_client_id(*device), "dev1");
  EXPECT_EQ(mqtt_user_name(*device, "picket-agent/0.1 (x)"),
            "localhost/dev1/?api-version=2021-04-12&DeviceClientType=picket-agent%2F0.1%20%28x%29");
  EXPECT_EQ(telemetry_topic(*device), "devices/dev1/messages/events/");
}

TEST(ConnectionString, AModuleHasItsOwnIdentity) {
  const auto module = parse_connection_string(
      "SharedAccessKey=a2V5;ModuleId=DefenderIotMicroAgent;DeviceId=dev1;HostName=hub.example;");
  ASSERT_TRUE(module) << module.error();
  EXPECT_EQ(mqtt_client_id(*module), "dev1/DefenderIotMicroAgent");
  EXPECT_EQ(telemetry_topic(*module), "devices/dev1/modules/DefenderIotMicroAgent/messages/events/");
  EXPECT_THAT(make_sas_token(*module, Timestamp{}),
              HasSubstr("sr=hub.example%2Fdevices%2Fdev1%2Fmodules%2FDefenderIotMicroAgent&"));
}

// Computed with: printf 'localhost%%2Fdevices%%2Fdev1\n1900000000' | openssl dgst -sha256 -hmac key -binary | base64
TEST(ConnectionString, SignsTheLiteralResourceAndExpiry) {
  const auto device = parse_connection_string(kDevice);
  ASSERT_TRUE(device);
  EXPECT_EQ(make_sas_token(*device, Timestamp{1'900'000'000'000'000}),
            "SharedAccessSignature "
            "sr=localhost%2Fdevices%2Fdev1&sig=U0Lqd8awNtquAI3B%2FL2WtAf9PC%2FpgR1pVHxaWwKflBU%3D&se=1900000000");
}

TEST(ConnectionString, AGatewayIsConnectedToButTheHubIsNamed) {
  const auto device = parse_connection_string(std::string(kDevice) + ";GatewayHostName=127.0.0.1:18883");
  ASSERT_TRUE(device);
  EXPECT_EQ(device->endpoint, (HostPort{"127.0.0.1", 18883}));
  EXPECT_THAT(mqtt_user_name(*device, "x"), ::testing::StartsWith("localhost/dev1/"));
}

TEST(ConnectionString, APortInTheHostNameStaysInUserNameAndToken) {
  const auto device = parse_connection_string("HostName=localhost:18883;DeviceId=d;SharedAccessKey=a2V5");
  ASSERT_TRUE(device);
  EXPECT_EQ(device->endpoint.port, 18883);
  EXPECT_THAT(mqtt_user_name(*device, "x"), ::testing::StartsWith("localhost:18883/d/"));
  EXPECT_THAT(make_sas_token(*device, Timestamp{}), HasSubstr("sr=localhost%3A18883%2Fdevices%2Fd&"));
}

TEST(ConnectionString, ACertificateStandsForAKey) {
  const auto device = parse_connection_string("HostName=h;DeviceId=d;ModuleId=m;x509=true");
  ASSERT_TRUE(device);
  EXPECT_TRUE(device->x509);
  EXPECT_TRUE(device->key.empty());
  EXPECT_FALSE(parse_connection_string(kDevice)->x509);
}

TEST(ConnectionString, AKeyMayEndWithEqualSigns) {
  EXPECT_TRUE(parse_connection_string("HostName=h;DeviceId=d;SharedAccessKey=a2V5MQ=="));
}

TEST(ConnectionString, EachMistakeIsNamedAndTheKeyNeverShown) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "empty"},
      {"HostName=h;DeviceId=d", "SharedAccessKey (or x509=true) is missing"},
      {"DeviceId=d;SharedAccessKey=c2VjcmV0", "HostName is missing"},
      {"HostName=h;SharedAccessKey=c2VjcmV0", "DeviceId is missing"},
      {"HostName=h;DeviceId=d;SharedAccessKey=c2VjcmV0!", "not base64"},
      {"HostName=h;DeviceId=d;DeviceId=e;SharedAccessKey=c2VjcmV0", "twice"},
      {"HostName=h;DeviceId=;SharedAccessKey=c2VjcmV0", "DeviceId is empty"},
      {"HostName=h;DeviceId=d;SharedAccessKey=c2VjcmV0;Port=1", "unknown key 'Port'"},
      {"HostName=h;SharedAccessKeyName=iothubowner;SharedAccessKey=c2VjcmV0", "service policy"},
      {"HostName=h;DeviceId=d;x509=yes", "x509 must be true or false"},
      {"HostName=h;DeviceId=d;x509=true;SharedAccessKey=c2VjcmV0", "both x509=true and a SharedAccessKey"},
      {"HostName=h;DeviceId=d;SharedAccessSignature=c2VjcmV0", "cannot be renewed"},
      {"HostName=h:0;DeviceId=d;SharedAccessKey=c2VjcmV0", "port"},
      {"HostName=h:99999;DeviceId=d;SharedAccessKey=c2VjcmV0", "port"},
      {"nonsense", "without '='"},
  };
  for (const auto& [text, expected] : cases) {
    const auto parsed = parse_connection_string(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error(), HasSubstr(expected));
    EXPECT_THAT(parsed.error(), Not(HasSubstr("c2VjcmV0")));
  }
}

TEST(HostPort, ReadsNamesAndAddresses) {
  EXPECT_EQ(parse_host_port("::1"), (HostPort{"::1", 8883}));
  EXPECT_EQ(parse_host_port("[::1]:99"), (HostPort{"::1", 99}));
  EXPECT_EQ(parse_host_port("[2001:db8::1]"), (HostPort{"2001:db8::1", 8883}));
  EXPECT_EQ(parse_host_port("10.0.0.1:1"), (HostPort{"10.0.0.1", 1}));
  for (const char* text : {"", ":1", "a:b:c", "[::1", "[::1]x", "[x]:1", "h:", "h:1x"}) {
    EXPECT_FALSE(parse_host_port(text)) << text;
  }
}

TEST(Backoff, StaysBelowACeilingThatDoublesToItsCap) {
  Backoff backoff;
  Duration ceiling = Backoff::kBase;
  for (int i = 0; i < 40; ++i) {
    Backoff copy = backoff;
    EXPECT_EQ(copy.next(static_cast<std::uint64_t>(ceiling.us)), ceiling) << "the ceiling itself can be drawn";
    EXPECT_EQ(backoff.next(static_cast<std::uint64_t>(ceiling.us) + 1), Duration{}) << "and so can zero";
    ceiling = std::min(Backoff::kCap, ceiling * 2);
  }
  backoff.progress();
  EXPECT_LE(backoff.next(~std::uint64_t{0}), Duration::milliseconds(1'600));
  backoff.reset();
  EXPECT_LE(backoff.next(~std::uint64_t{0}), Backoff::kBase);
}

TEST(Backoff, ARefusalWaitsMinutes) {
  for (const std::uint64_t random : {std::uint64_t{0}, ~std::uint64_t{0}}) {
    EXPECT_GE(Backoff::refused(random), Duration::minutes(5));
    EXPECT_LE(Backoff::refused(random), Duration::minutes(10));
  }
}

}  // namespace
}  // namespace picket::agent
