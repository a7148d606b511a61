#include "agent/config.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace picket::agent {
namespace {

using ::testing::HasSubstr;

Checked<Config> from_file(std::string text) {
  return load_config({.file_path = "agent.toml", .file_text = std::move(text)});
}

std::string problem(std::string text) {
  const auto config = from_file(std::move(text));
  return config ? "no problem" : config.error();
}

TEST(Config, DefaultsAreThoseOfTheTable) {
  const auto defaults = load_config({});
  ASSERT_TRUE(defaults);
  ConfigSources all;
  for (const SettingInfo& info : setting_table()) {
    if (info.default_text.empty() || info.default_text.contains("DATA_DIR")) continue;
    all.settings.emplace_back(info.key, info.default_text);
  }
  const auto set = load_config(all);
  ASSERT_TRUE(set) << set.error();
  EXPECT_EQ(set->spool_bytes_max, defaults->spool_bytes_max);
  EXPECT_EQ(set->spool_memory_max, defaults->spool_memory_max);
  EXPECT_EQ(set->spool_age_max, defaults->spool_age_max);
  EXPECT_EQ(set->spool_sync_every, defaults->spool_sync_every);
  EXPECT_EQ(set->spool_in_memory, defaults->spool_in_memory);
  EXPECT_EQ(set->uplink.keep_alive_s, defaults->uplink.keep_alive_s);
  EXPECT_EQ(set->uplink.window, defaults->uplink.window);
  EXPECT_EQ(set->uplink.token_lifetime, defaults->uplink.token_lifetime);
  EXPECT_EQ(set->uplink.connect_timeout, defaults->uplink.connect_timeout);
  EXPECT_EQ(set->uplink.compress, defaults->uplink.compress);
  EXPECT_EQ(set->outbox.gather_urgent, defaults->outbox.gather_urgent);
  EXPECT_EQ(set->aggregate.window, defaults->aggregate.window);
  EXPECT_EQ(set->aggregate.entries_max, defaults->aggregate.entries_max);
  EXPECT_EQ(set->aggregate.bytes_max, defaults->aggregate.bytes_max);
  EXPECT_EQ(set->data_dir, defaults->data_dir);
  for (const std::string_view collector : {"process", "heartbeat"}) {
    EXPECT_TRUE(set->collectors.choice(collector).enabled);
    EXPECT_EQ(set->collectors.choice(collector).tier, "auto");
    EXPECT_FALSE(set->collectors.choice(collector).every);
  }
  EXPECT_EQ(set->collectors.process_ring_bytes, defaults->collectors.process_ring_bytes);
  EXPECT_EQ(set->collectors.network_ring_bytes, defaults->collectors.network_ring_bytes);
  EXPECT_EQ(set->collectors.procfs_poll_min, defaults->collectors.procfs_poll_min);
  EXPECT_EQ(set->collectors.procfs_poll_max, defaults->collectors.procfs_poll_max);
  EXPECT_EQ(set->collectors.socket_dump_every, defaults->collectors.socket_dump_every);
  EXPECT_EQ(set->collectors.audit_enable, defaults->collectors.audit_enable);
  EXPECT_EQ(set->collectors.process_fork_exit, defaults->collectors.process_fork_exit);
}

TEST(Config, FlagBeatsEnvironmentBeatsFile) {
  ConfigSources sources{.file_path = "f", .file_text = "[spool]\nbytes_max = \"1MiB\"\nage_max = \"1d\""};
  EXPECT_EQ(load_config(sources)->spool_bytes_max, 1u << 20);
  sources.environment["PICKET_SPOOL_BYTES_MAX"] = "2MiB";
  EXPECT_EQ(load_config(sources)->spool_bytes_max, 2u << 20);
  sources.settings.emplace_back("spool.bytes_max", "3MiB");
  const auto config = load_config(sources);
  EXPECT_EQ(config->spool_bytes_max, 3u << 20);
  EXPECT_EQ(config->spool_age_max, Duration::days(1));
}

TEST(Config, AnUnknownKeyIsAnErrorWithLineAndNearestName) {
  const std::string text = problem("[spool]\n\nbyte_max = 5");
  EXPECT_THAT(text, HasSubstr("agent.toml:3:"));
  EXPECT_THAT(text, HasSubstr("'spool.byte_max'"));
  EXPECT_THAT(text, HasSubstr("did you mean spool.bytes_max?"));
  EXPECT_THAT(problem("nothing_like_it_at_all = 1"), HasSubstr("picket-agent settings"));
  EXPECT_THAT(problem("[collectors.usb]\nenabled = true"), HasSubstr("agent.toml:2: unknown setting"));
}

TEST(Config, AWrongValueSaysWhatWouldBeRight) {
  EXPECT_THAT(problem("[spool]\nmode = \"tape\""), HasSubstr("agent.toml:2: spool.mode = 'tape': must be disk or"));
  EXPECT_THAT(problem("[uplink]\nkeep_alive = 1178"), HasSubstr("1 to 1177"));
  EXPECT_THAT(problem("[uplink]\nkeep_alive = 0"), HasSubstr("1 to 1177"));
  EXPECT_THAT(problem("[intervals]\nhigh = 30"), HasSubstr("a unit"));
  EXPECT_THAT(problem("[collectors.process]\nring_bytes = 5000"), HasSubstr("power of two"));
  EXPECT_THAT(problem("[collectors.process]\npriority = \"urgent\""), HasSubstr("low, medium or high"));
  EXPECT_THAT(problem("[collectors.login]\nenabled = \"yes\""), HasSubstr("true or false"));
  EXPECT_THAT(problem("data_dir = [\"x\"]"), HasSubstr("not a list"));
  EXPECT_THAT(problem("a = "), HasSubstr("agent.toml:1: "));
}

TEST(Config, CollectorsAreTurnedOffByName) {
  const auto config = from_file("[collectors.network]\nenabled = false\n[collectors.login]\nenabled = true");
  ASSERT_TRUE(config);
  EXPECT_FALSE(config->collectors.choice("network").enabled);
  EXPECT_TRUE(config->collectors.choice("login").enabled);
  EXPECT_THAT(problem("[collectors.netwrk]\nenabled = false"), HasSubstr("did you mean collectors.network.enabled?"));
}

TEST(Config, NeverShowsAConnectionString) {
  const auto config = load_config({.environment = {{"PICKET_SPOOL_MODE", "tape"}}});
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error(), HasSubstr("environment variable PICKET_SPOOL_MODE"));
  EXPECT_THAT(problem("connection_string = \"\""), ::testing::Not(HasSubstr("=")));
}

TEST(Config, UnitsHaveTheirLimits) {
  EXPECT_EQ(parse_duration("75ms"), Duration::milliseconds(75));
  EXPECT_EQ(parse_duration("2h"), Duration::hours(2));
  for (const char* text : {"", "5", "s", "-5s", "5 s", "1.5h", "9999999999999d", "99999999999999999999s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
  EXPECT_EQ(parse_bytes("8MiB"), 8u << 20);
  EXPECT_EQ(parse_bytes("5"), 5u);
  for (const char* text : {"", "MiB", "8MB", "-1", "18446744073709551615KiB"}) EXPECT_FALSE(parse_bytes(text)) << text;
}

TEST(ConnectionStringFile, MustBeClosedToOthers) {
  const std::string path = ::testing::TempDir() + "picket-connection-" + std::to_string(::getpid());
  std::ofstream(path) << "HostName=h;DeviceId=d;SharedAccessKey=a2V5\n";
  Config config;
  config.connection_string_file = path;
  for (const mode_t mode : {0644, 0640, 0604, 0660}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    const auto refused = resolve_connection_string(config);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error(), HasSubstr("chmod 600 " + path));
  }
  for (const mode_t mode : {0600, 0400}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    EXPECT_TRUE(resolve_connection_string(config)) << mode;
  }
  std::filesystem::remove(path);
  EXPECT_THAT(resolve_connection_string(config).error(), HasSubstr("cannot be read"));
  EXPECT_THAT(resolve_connection_string({}).error(), HasSubstr("picket device connection-string"));
}

}  // namespace
}  // namespace picket::agent
