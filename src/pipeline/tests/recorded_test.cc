// Events of real executions, told by a real agent, through the whole pipeline; and the examples of the catalogue's
// rules.
#include "recorded.h"

#include <fstream>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "base/core/json_reader.h"
#include "rules/rule_pack.h"

namespace picket::pipeline {
namespace {

namespace fs = std::filesystem;

std::vector<Recording> recordings() {
  std::vector<Recording> out;
  for (const auto& entry : fs::directory_iterator(fs::path(PICKET_SOURCE_DIR) / "src/pipeline/tests/recorded")) {
    if (entry.path().extension() == ".events") out.push_back(read_recording(entry.path()));
  }
  std::ranges::sort(out, {}, &Recording::name);
  return out;
}

std::string told(const EngineHarness& pipeline, const std::string& device) {
  std::string out;
  for (const AlertChange& alert : pipeline.alerts()) {
    if (alert.device.device_id != device) continue;
    out += alert.severity + " " + alert.alert_type + ": " + property_of(alert, "CommandLine") + "\n";
  }
  return out;
}

TEST(Recorded, ToolsOfAttackersRaiseTheRightAlertWithTheRightTechnique) {
  EngineHarness pipeline;  // one for all, each recording a device of its own
  std::size_t attacks = 0;
  for (const Recording& recording : recordings()) {
    if (recording.expected.empty()) continue;
    ++attacks;
    replay(pipeline, recording, Duration::minutes(10), recording.name);
    for (const auto& [type, technique] : recording.expected) {
      auto alerts = pipeline.alerts(type);
      std::erase_if(alerts, [&](const AlertChange& alert) { return alert.device.device_id != recording.name; });
      EXPECT_TRUE(std::ranges::any_of(alerts, [&](const auto& one) { return names_technique(one, technique); }))
          << recording.name << ": no " << type << " with " << technique << "; raised:\n"
          << told(pipeline, recording.name);
    }
  }
  EXPECT_GE(attacks, 8u);
}

TEST(Recorded, AWorkingDayOfAHealthyDeviceIsQuiet) {
  EngineHarness pipeline;
  std::size_t events = 0;
  for (const Recording& recording : recordings()) {
    if (!recording.quiet) continue;
    events += recording.events.size();
    replay(pipeline, recording, Duration::minutes(10), "healthy");
  }
  std::vector<std::string> loud;
  for (const AlertChange& alert : pipeline.alerts()) {
    if (alert.severity != "Medium" && alert.severity != "High") continue;
    loud.push_back(alert.alert_type + ": " + property_of(alert, "CommandLine"));
  }
  EXPECT_GE(events, 200u);
  EXPECT_LE(loud.size(), 1u) << ::testing::PrintToString(loud);
}

std::vector<std::string> texts_of(const EngineHarness& pipeline) {
  std::vector<std::string> out;
  for (const AlertChange& change : pipeline.changes) out.push_back(to_json(change));
  for (const IncidentChange& change : pipeline.incidents) out.push_back(to_json(change));
  return out;
}

// What a detector forgot to save would be missing behind a restart, or be told again.
TEST(Recorded, ARestartAnywhereChangesNothing) {
  std::mt19937 random(11);
  std::size_t told = 0;
  for (const Recording& recording : recordings()) {
    EngineHarness through, interrupted;
    replay(through, recording);
    std::set<std::size_t> stops;
    for (int i = 0; i < 3; ++i) stops.insert(1 + random() % recording.events.size());
    std::size_t sent = 0;
    replay(interrupted, recording, Duration::minutes(10), "device-1", [&] {
      if (stops.contains(++sent)) interrupted.restart();
    });
    EXPECT_EQ(texts_of(interrupted), texts_of(through)) << recording.name << " " << ::testing::PrintToString(stops);
    told += through.changes.size();
  }
  EXPECT_GT(told, 100u);
}

/// How many examples of a rule must match, and how many must not.
std::pair<std::size_t, std::size_t> examples_of(const std::string& rule) {
  std::pair<std::size_t, std::size_t> out;
  std::ifstream file(fs::path(PICKET_SOURCE_DIR) / "content/rules" / rule / "examples.jsonl");
  for (std::string line; std::getline(file, line);) {
    const auto json = parse_json(line);
    const auto match = json ? json->find("match") : std::nullopt;
    if (match) ++(match->boolean().value_or(false) ? out.first : out.second);
  }
  return out;
}

TEST(RuleExamples, EveryRuleHasTwoExamplesAndTwoNearMisses) {
  const auto pack = RulePack::make({}, {}, Catalogue::builtin());
  for (const sigma::LinkedRule& rule : pack->rules().rules()) {
    const std::string folder = rule.head.name.substr(std::string("picket_").size());
    const auto [matching, other] = examples_of(folder);
    EXPECT_GE(matching, 2u) << folder;
    EXPECT_GE(other, 2u) << folder;
  }
}

TEST(RuleExamples, ARuleSaysWhichTechniqueItSees) {
  const auto pack = RulePack::make({}, {}, Catalogue::builtin());
  for (std::size_t i = 0; i < pack->rules().rules().size(); ++i) {
    EXPECT_FALSE(pack->alert_of_rule(static_cast<sigma::RuleIndex>(i)).info->techniques.empty())
        << pack->rules().rules()[i].head.title;
  }
}

TEST(SlowScan, IsSeenOverHoursHoweverSlow) {
  // A recorded scan of sixty ports, an attempt every ten minutes instead of at once.
  Recording slow = read_recording(fs::path(PICKET_SOURCE_DIR) / "src/pipeline/tests/recorded/nmap-sT.events");
  std::erase_if(slow.events, [](const RecordedEvent& event) { return event.name != "ConnectionCreate"; });
  std::ranges::sort(slow.events, {}, &RecordedEvent::time);
  ASSERT_GE(slow.events.size(), 20u);
  slow.events.resize(20);
  Timestamp time = slow.events.front().time;
  for (RecordedEvent& event : slow.events) event.time = time = time + Duration::minutes(10);
  EngineHarness pipeline;
  replay(pipeline, slow);
  const auto alerts = pipeline.alerts("IoT_NetworkScan");
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(property_of(alerts.front(), "Window"), "24 h");
  EXPECT_TRUE(names_technique(alerts.front(), "T1046"));
}

TEST(SlowScan, AClientThatIsMostlyAnsweredIsNone) {
  EngineHarness pipeline;
  for (int i = 0; i < 60; ++i) {
    const bool fails = i % 3 == 0;
    pipeline.feed({{"ConnectionCreate",
                    {{"RemoteAddress", "198.51.100." + std::to_string(i + 1)},
                     {"RemotePort", "443"},
                     {"Direction", "Out"},
                     {"Protocol", "tcp"},
                     {"Result", fails ? "Fail" : "Success"},
                     {"FailCount", fails ? "1" : "0"}},
                    noon(i * 600),
                    ""}},
                  noon(i * 600));
  }
  pipeline.feed(std::vector<TestEvent>{{"Heartbeat", {}, noon(60 * 600), ""}}, noon(60 * 600));
  EXPECT_TRUE(pipeline.alerts("IoT_NetworkScan").empty());
}

RecordedEvent ended(int seconds, std::int64_t lasted_ms, std::int64_t used_ms) {
  return {noon(seconds), "ProcessTerminate",
          R"({"Executable":"/tmp/x","ProcessId":77,"ExitStatus":0,"DurationMs":)" + std::to_string(lasted_ms) +
              R"(,"CpuTimeMs":)" + std::to_string(used_ms) + "}"};
}

RecordedEvent flow(int seconds, const std::string& port) {
  return {noon(seconds), "ConnectionCreate",
          R"({"RemoteAddress":"198.51.100.9","RemotePort":")" + port + R"(","Direction":"Out","Result":"Success"})"};
}

RecordedEvent command(int seconds, const std::string& line) {
  return {noon(seconds), "ProcessCreate",
          R"({"Executable":"/usr/sbin/sysctl","ProcessId":78,"CommandLine":")" + line + "\"}"};
}

TEST(Miner, TwoOfThreeSigns) {
  EngineHarness pipeline;
  int devices = 0;
  const auto count = [&](const std::vector<RecordedEvent>& events) {
    const std::string device = "device-" + std::to_string(++devices);
    replay(pipeline, {.name = device, .expected = {}, .events = events}, Duration::minutes(10), device);
    const auto alerts = pipeline.alerts("IoT_MinerBehavior");
    return std::ranges::count_if(alerts, [&](const AlertChange& alert) { return alert.device.device_id == device; });
  };
  const auto tuned = command(5, "sysctl -w vm.nr_hugepages=1280");
  EXPECT_EQ(count({tuned, flow(60, "3333")}), 1);
  EXPECT_EQ(count({flow(60, "3333"), command(70, "sysctl -w vm.nr_hugepages=1280")}), 1) << "in whatever order";
  EXPECT_EQ(count({tuned, flow(60, "443")}), 0);
  EXPECT_EQ(count({flow(60, "3333"), flow(90, "4444")}), 0) << "one sign twice";
  EXPECT_EQ(count({tuned, flow(60 + 25 * 3600, "3333")}), 0) << "not within a day";
  EXPECT_EQ(count({command(5, "sysctl vm.nr_hugepages"), flow(60, "3333")}), 0) << "only read";
  EXPECT_EQ(count({flow(0, "14444"), ended(700, 700'000, 690'000)}), 1);
  EXPECT_EQ(count({flow(0, "14444"), ended(700, 700'000, 90'000)}), 0) << "not busy";
  EXPECT_EQ(count({flow(0, "14444"), ended(700, 60'000, 60'000)}), 0) << "not for long";
}

/// Feeds commands to one engine, each on a device of its own: making an engine compiles all rules.
class Commands {
 public:
  /// The alerts of this type that the command raised.
  std::vector<AlertChange> run(const std::string& executable, const std::string& line, std::string_view type) {
    const std::string device = "device-" + std::to_string(++devices_);
    pipeline_.feed({.body = message_json({process(executable, line, {{"UserId", "0"}, {"UserName", "root"}})}),
                    .identity = {"hub", device, "DefenderIotMicroAgent", "g1"}});
    std::vector<AlertChange> out = pipeline_.alerts(type);
    std::erase_if(out, [&](const AlertChange& alert) { return alert.device.device_id != device; });
    return out;
  }

 private:
  EngineHarness pipeline_;
  int devices_ = 0;
};

TEST(Persistence, TheTextOfACommandIsEnough) {
  Commands commands;
  const auto techniques = [&](const std::string& executable, const std::string& line) {
    std::string out;
    for (const AlertChange& alert : commands.run(executable, line, "IoT_Persistence")) {
      for (const std::string& one : alert.sub_techniques) out += one;
    }
    return out;
  };
  EXPECT_EQ(techniques("/bin/sh", "sh -c echo x >> ~/.bashrc"), "T1546.004");
  EXPECT_EQ(techniques("/bin/sh", "sh -c echo '* * * * * root x' > /etc/cron.d/x"), "T1053.003");
  EXPECT_EQ(techniques("/usr/bin/tee", "tee -a /etc/rc.local"), "T1037.004");
  EXPECT_EQ(techniques("/usr/bin/cp", "cp /tmp/x.service /etc/systemd/system/"), "T1543.002");
  EXPECT_EQ(techniques("/usr/bin/cp", "cp /tmp/x.timer /etc/systemd/system/x.timer"), "T1053.006");
  EXPECT_EQ(techniques("/usr/bin/sed", "sed -i 1iauth /etc/pam.d/su"), "T1556.003");
  EXPECT_EQ(techniques("/usr/bin/crontab", "crontab /tmp/tab"), "T1053.003");
  EXPECT_EQ(techniques("/bin/busybox", "busybox cp /tmp/x /etc/init.d/x"), "T1037.004");
  EXPECT_EQ(techniques("/usr/bin/cp", "cp /etc/profile /tmp/x"), "") << "read";
  EXPECT_EQ(techniques("/usr/bin/sed", "sed -n 1p /etc/pam.d/su"), "") << "read";
  EXPECT_EQ(techniques("/bin/cat", "cat /etc/cron.d/x"), "");
  EXPECT_EQ(techniques("/bin/sh", "sh -c cat /etc/cron.d/x > /tmp/copy"), "");
  EXPECT_EQ(techniques("/usr/bin/crontab", "crontab -l"), "");
  EXPECT_EQ(techniques("/usr/bin/cp", "cp /tmp/x /srv/root/etc/cron.d/x"), "") << "another root";
}

TEST(Persistence, FilesThatNobodyIsKnownForBelongToThePackageManagerAtWork) {
  EngineHarness pipeline;
  const auto file = [](int seconds) {
    return RecordedEvent{noon(seconds), "FileSystem",
                         R"({"Path":"/etc/cron.d/x","Mask":"Created","Source":"inotify"})"};
  };
  const RecordedEvent manager{noon(0), "ProcessCreate",
                              R"({"Executable":"/usr/bin/dpkg","ProcessId":9,"CommandLine":"dpkg -i x.deb"})"};
  const auto count = [&](const std::string& device, const std::vector<RecordedEvent>& events) {
    replay(pipeline, {.name = device, .expected = {}, .events = events}, Duration::minutes(10), device);
    const auto alerts = pipeline.alerts("IoT_Persistence");
    return std::ranges::count_if(alerts, [&](const AlertChange& alert) { return alert.device.device_id == device; });
  };
  EXPECT_EQ(count("working", {manager, file(30)}), 0);
  EXPECT_EQ(count("done", {manager, file(1200)}), 1);
  EXPECT_EQ(count("none", {file(30)}), 1);
}

TEST(Privilege, ACommandThatMakesAWayToRoot) {
  Commands commands;
  const auto raised = [&](const std::string& executable, const std::string& line) {
    return commands.run(executable, line, "IoT_PrivilegeEscalation").size();
  };
  for (const std::string mode : {"u+s", "+s", "4755", "u+xs", "06755", "a=rxs", "go-w,u+s"}) {
    EXPECT_EQ(raised("/usr/bin/chmod", "chmod " + mode + " /tmp/x"), 1u) << mode;
  }
  for (const std::string mode : {"755", "0755", "u+x", "g+s", "2755", "1777", "u-s", "a+t"}) {
    EXPECT_EQ(raised("/usr/bin/chmod", "chmod " + mode + " /tmp/x"), 0u) << mode;
  }
  EXPECT_EQ(raised("/bin/busybox", "busybox chmod u+s /tmp/x"), 1u);
  EXPECT_EQ(raised("/usr/bin/install", "install -m 4755 x /usr/local/bin/x"), 1u);
  EXPECT_EQ(raised("/usr/sbin/setcap", "setcap cap_setuid+ep /tmp/x"), 1u);
  EXPECT_EQ(raised("/usr/sbin/setcap", "setcap cap_net_bind_service=+e /usr/bin/node"), 0u);
}

}  // namespace
}  // namespace picket::pipeline
