#include "base/server/config.h"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<Setting> kSettings = {
    {"listen.address", "127.0.0.1", "address"},
    {"listen.mqtt_port", "8883", "port"},
    {"names", "a, b", "list"},
};

class ConfigTest : public testing::Test {
 protected:
  std::string file(const std::string& content) {
    const std::string path = testing::TempDir() + "picket_config_test.toml";
    std::ofstream(path) << content;
    return path;
  }
  std::expected<Config, ConfigError> load(const std::string& path, std::map<std::string, std::string> flags = {},
                                          std::map<std::string, std::string> variables = {}) {
    return Config::load(kSettings, path, flags, [variables](const char* name) -> const char* {
      const auto found = variables.find(name);
      return found == variables.end() ? nullptr : found->second.c_str();
    });
  }
};

TEST_F(ConfigTest, TakesFlagBeforeVariableBeforeFileBeforeDefault) {
  const std::string path = file("[listen]\nmqtt_port = 1\n");
  EXPECT_EQ(load("")->text("listen.mqtt_port"), "8883");
  EXPECT_EQ(load(path)->text("listen.mqtt_port"), "1");
  EXPECT_EQ(load(path, {}, {{"PICKET_LISTEN_MQTT_PORT", "2"}})->text("listen.mqtt_port"), "2");
  EXPECT_EQ(load(path, {{"listen.mqtt_port", "3"}}, {{"PICKET_LISTEN_MQTT_PORT", "2"}})->text("listen.mqtt_port"), "3");
}

TEST_F(ConfigTest, NamesTheLineOfAnUnknownKey) {
  const auto config = load(file("[listen]\nport = 1\n"));
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().text, HasSubstr("picket_config_test.toml:2: unknown setting 'listen.port'"));
}

TEST_F(ConfigTest, NamesTheLineOfBrokenToml) {
  const auto config = load(file("a = 1\nb = = 2\n"));
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().text, HasSubstr("picket_config_test.toml:2: not TOML"));
}

TEST_F(ConfigTest, RefusesAFileThatIsNotThere) { EXPECT_FALSE(load("/nonexistent/picket.toml")); }

TEST_F(ConfigTest, ChecksNumbersAgainstTheirRange) {
  for (const char* bad : {"", "x", "1x", "-1", "65536", "99999999999999999999"}) {
    const auto config = load("", {{"listen.mqtt_port", bad}});
    const auto number = config->number("listen.mqtt_port", 0, 65'535);
    ASSERT_FALSE(number) << bad;
    EXPECT_THAT(number.error().text, HasSubstr("listen.mqtt_port"));
  }
  EXPECT_EQ(load("", {{"listen.mqtt_port", "65535"}})->number("listen.mqtt_port", 0, 65'535), 65'535);
}

TEST_F(ConfigTest, SplitsLists) {
  EXPECT_THAT(*load("")->list("names"), ElementsAre("a", "b"));
  EXPECT_THAT(*load(file("names = [\"x\", \"y\"]\n"))->list("names"), ElementsAre("x", "y"));
  EXPECT_FALSE(load("", {{"names", "a,,b"}})->list("names"));
}

}  // namespace
}  // namespace picket
