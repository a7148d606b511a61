#include "agent/migrate.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/config.h"

namespace picket::agent {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class MigrateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "picket-migrate-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }
  void put(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  static std::string read(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  Migration plan() const { return plan_migration(root_.string(), to()); }
  std::string to() const { return (root_ / "new").string(); }
  static std::string said(const Migration& plan) {
    std::string out;
    for (const auto& line : plan.lines)
      out += std::string(line.taken ? "+" : "-") + line.what + ": " + line.text + "\n";
    return out;
  }
  Config applied(const Migration& plan) const {
    EXPECT_EQ(apply_migration(plan), "");
    auto config = load_config({.file_path = "agent.toml", .file_text = read(to() + "/agent.toml")});
    EXPECT_TRUE(config) << config.error();
    return *config;
  }
  fs::path root_;
};

constexpr const char* kKey = "c2VjcmV0LWtleQ==";

TEST_F(MigrateTest, TakesOverAMicroAgent) {
  put("etc/defender_iot_micro_agent/connection_string.txt",
      std::string("HostName=h.azure-devices.net;DeviceId=d1;ModuleId=DefenderIotMicroAgent;SharedAccessKey=") + kKey +
          "\n");
  put("etc/defender_iot_micro_agent/conf.json",
      R"({"IothubModule_ProxyConfig":"10.0.0.1,3128,user,pass","IothubModule_TransportProtocol":"MQTT_WebSocket_Protocol"})");
  put("etc/defender_iot_micro_agent/sysinfo.json",
      R"("HardwareVendor": "Acme", "HardwareModel": "X \"1\"", "FirmwareVersion": "2.0")");
  put("var/lib/defender_iot_micro_agent/cache.json", "{}");
  put("var/lib/defender_iot_micro_agent/pam.log", "");
  const Migration found = plan();
  EXPECT_TRUE(found.found);
  EXPECT_EQ(found.problem, "");
  EXPECT_THAT(said(found), HasSubstr("the identity of d1/DefenderIotMicroAgent"));
  EXPECT_THAT(said(found), Not(HasSubstr(kKey))) << "no secret is shown";
  EXPECT_THAT(said(found), Not(HasSubstr("pass")));
  EXPECT_THAT(said(found), HasSubstr("cache.json"));
  EXPECT_THAT(said(found), HasSubstr("pam.log"));
  EXPECT_FALSE(fs::exists(to())) << "a plan writes nothing";
  const Config config = applied(found);
  EXPECT_EQ(config.collectors.system_hardware_vendor, "Acme");
  EXPECT_EQ(config.collectors.system_hardware_model, "X \"1\"");
  EXPECT_EQ(config.collectors.system_firmware_version, "2.0");
  EXPECT_EQ(config.chosen.at("uplink.transport").text, "websocket");
  EXPECT_EQ(config.chosen.at("uplink.proxy").text, "10.0.0.1,3128,user,pass");
  EXPECT_EQ(config.connection_string_file, to() + "/connection");
  EXPECT_THAT(read(to() + "/connection"), HasSubstr(kKey));
  for (const char* name : {"/connection", "/agent.toml"}) {
    struct stat info{};
    ASSERT_EQ(::stat((to() + name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
  EXPECT_TRUE(fs::exists(root_ / "etc/defender_iot_micro_agent/connection_string.txt")) << "never deletes";
}

TEST_F(MigrateTest, TheOldPlaceCertificatesAndTheFolderItselfAreFound) {
  put("var/defender_iot_micro_agent/connection_string.txt", "HostName=h;DeviceId=d2;ModuleId=m;x509=true");
  put("var/defender_iot_micro_agent/certificate_public.pem", "certificate");
  put("var/defender_iot_micro_agent/certificate_private.pem", "key");
  const Migration found = plan();
  EXPECT_EQ(found.problem, "") << said(found);
  const Config config = applied(found);
  EXPECT_EQ(config.chosen.at("certificate_file").text, to() + "/device.pem");
  EXPECT_EQ(read(to() + "/device.key"), "key");
  const Migration folder = plan_migration((root_ / "var/defender_iot_micro_agent").string(), to());
  EXPECT_THAT(said(folder), HasSubstr("the identity of d2/m"));
}

TEST_F(MigrateTest, TakesOverTheClassicCAgent) {
  put("var/ASCIoTAgent/LocalConfiguration.json",
      R"({"Configuration":{"AgentId":"x","Authentication":{"Identity":"SecurityModule",
      "AuthenticationMethod":"SymmetricKey","FilePath":"/keys/k","DeviceId":"d3","HostName":"h3"}},"Logging":{}})");
  put("keys/k", kKey);
  const Migration found = plan();
  EXPECT_EQ(found.problem, "") << said(found);
  EXPECT_THAT(said(found), HasSubstr("the identity of d3/azureiotsecurity"));
  EXPECT_THAT(said(found), HasSubstr("-" + (root_ / "var/ASCIoTAgent/LocalConfiguration.json").string() + " Logging"));
}

TEST_F(MigrateTest, TakesOverTheClassicCSharpAgent) {
  put("var/ASCIoTAgent/Authentication.config",
      R"(<Authentication><add key="deviceId" value="d4"/><add key="gatewayHostName" value="h4"/>
      <add key="filePath" value="/keys/k"/><add key="type" value="SymmetricKey"/>
      <add key="identity" value="Device"/></Authentication>)");
  put("var/ASCIoTAgent/General.config", "<General/>");
  put("keys/k", kKey);
  const Migration found = plan();
  EXPECT_EQ(found.problem, "") << said(found);
  EXPECT_THAT(said(found), HasSubstr("the identity of d4,"));
}

TEST_F(MigrateTest, IsIdempotentAndKeepsWhatWasThere) {
  put("etc/defender_iot_micro_agent/connection_string.txt",
      std::string("HostName=h;DeviceId=d1;SharedAccessKey=") + kKey);
  put("new/agent.toml", "# mine\n");
  (void)applied(plan());
  EXPECT_EQ(read(to() + "/agent.toml.before-migrate"), "# mine\n");
  const std::string first = read(to() + "/agent.toml");
  const auto written = fs::last_write_time(to() + "/connection");
  (void)applied(plan());
  EXPECT_EQ(read(to() + "/agent.toml"), first);
  EXPECT_EQ(read(to() + "/agent.toml.before-migrate"), "# mine\n");
  EXPECT_EQ(fs::last_write_time(to() + "/connection"), written);
}

TEST_F(MigrateTest, NothingThereIsSaid) { EXPECT_FALSE(plan().found); }

TEST_F(MigrateTest, BrokenFilesAreNamedAndWithoutAnIdentityItCannotBeApplied) {
  put("etc/defender_iot_micro_agent/connection_string.txt", "HostName=h");
  put("etc/defender_iot_micro_agent/conf.json", "{");
  put("etc/defender_iot_micro_agent/sysinfo.json", "[");
  put("etc/defender_iot_micro_agent/certificate_public.pem", "x");
  put("var/ASCIoTAgent/LocalConfiguration.json", R"({"Authentication":{"HostName":"h","DeviceId":"d"}})");
  const Migration found = plan();
  EXPECT_TRUE(found.found);
  EXPECT_NE(found.problem, "");
  EXPECT_THAT(said(found), HasSubstr("conf.json: is no JSON object"));
  EXPECT_THAT(said(found), HasSubstr("sysinfo.json: is no JSON object"));
  EXPECT_THAT(said(found), HasSubstr("one of them is missing"));
  EXPECT_THAT(said(found), HasSubstr("cannot be read"));
}

TEST_F(MigrateTest, ASettingOfALaterFileDoesNotCollide) {
  put("etc/defender_iot_micro_agent/connection_string.txt",
      std::string("HostName=h;DeviceId=d1;SharedAccessKey=") + kKey);
  put("etc/defender_iot_micro_agent/sysinfo.json", R"({"HardwareVendor":"A"})");
  put("var/defender_iot_micro_agent/sysinfo.json", R"({"HardwareVendor":"B"})");
  const Migration found = plan();
  EXPECT_EQ(applied(found).collectors.system_hardware_vendor, "A");
  EXPECT_THAT(said(found), HasSubstr("set by another file already"));
}

}  // namespace
}  // namespace picket::agent
