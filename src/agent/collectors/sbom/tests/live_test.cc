// The software of the running machine, and a package that dpkg installs into a root directory of its own.
#include "tests/live.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <sys/utsname.h>

#include "base/core/file.h"

namespace picket::agent {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class SbomLive : public testing::Test {
 protected:
  void SetUp() override {
    PICKET_NEEDS_ROOT();
    std::string name = ::testing::TempDir() + "picket-sbom-XXXXXX";
    root_ = mkdtemp(name.data());
  }
  void TearDown() override {
    if (!root_.empty()) std::filesystem::remove_all(root_);
  }
  void run(const std::string& line) const {
    ASSERT_EQ(std::system((line + " >" + root_ + "/log 2>&1").c_str()), 0)
        << line << "\n"
        << read_file(root_ + "/log", 65536).value_or("");
  }
  static std::string all_items(const Recorder& sink) {
    std::string out;
    for (const KeptEvent& event : sink.events) out += event.items + "\n";
    return out;
  }
  std::string root_;
};

/// Version that dpkg itself says.
std::string version_of(const std::string& package, const std::string& folder) {
  EXPECT_EQ(std::system(("dpkg-query -W -f '${Version}' " + package + " >" + folder + "/version").c_str()), 0);
  return read_file(folder + "/version", 256).value_or("");
}

TEST_F(SbomLive, TheRunningMachineAsDpkgAndTheKernelSay) {
  CollectorSettings settings;
  Bench bench("sbom", settings);
  ASSERT_TRUE(bench.collector.start());
  // The walk goes through all homes: the whole is there when the last event is.
  const auto done = [&] {
    return bench.collector.counters().delivered > 0 && bench.collector.on_timer() > Duration::seconds(1);
  };
  ASSERT_TRUE(bench.run_until(done, 300));
  const std::string items = all_items(bench.sink);
  utsname names{};
  uname(&names);
  EXPECT_THAT(
      items, HasSubstr(R"({"Name":"dpkg","Version":")" + version_of("dpkg", root_) + R"(","Vendor":"Dpkg Developers)"));
  EXPECT_THAT(items, HasSubstr(R"("PackageType":"deb","SourceName":"glibc",)"));
  EXPECT_THAT(items, HasSubstr("\"Purl\":\"pkg:deb/debian/dpkg@"));
  EXPECT_THAT(items, HasSubstr(R"({"Name":"linux","Version":")" + std::string(names.release)));
  EXPECT_THAT(items, Not(HasSubstr("Change")));
  for (const KeptEvent& event : bench.sink.events)
    EXPECT_EQ(event.record.time.wall, bench.sink.events[0].record.time.wall);
  const Counters counters = bench.collector.counters();
  EXPECT_EQ(counters.seen, counters.delivered + counters.dropped_user);
}

TEST_F(SbomLive, WhatDpkgInstallsUpgradesAndRemovesIsADifference) {
  std::filesystem::create_directories(root_ + "/var/lib/dpkg/updates");
  std::filesystem::create_directories(root_ + "/var/lib/dpkg/info");
  std::filesystem::create_directories(root_ + "/etc");
  std::ofstream(root_ + "/etc/os-release") << "ID=debian\nVERSION_ID=12\n";
  std::ofstream(root_ + "/var/lib/dpkg/status")
      << "Package: base\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n";
  for (const std::string version : {"1.0", "1.1"}) {
    const std::string tree = root_ + "/tree" + version;
    std::filesystem::create_directories(tree + "/DEBIAN");
    std::ofstream(tree + "/DEBIAN/control") << "Package: picket-widget\nVersion: " << version
                                            << "\nArchitecture: all\nMaintainer: Ann <ann@example>\nDescription: x\n";
    run("dpkg-deb -b " + tree + " " + root_ + "/widget-" + version + ".deb");
  }
  const std::string dpkg = "dpkg --root=" + root_ + " --force-script-chrootless --force-not-root --log=/dev/null ";
  CollectorSettings settings;
  settings.root = root_;
  Bench bench("sbom", settings);
  ASSERT_TRUE(bench.collector.start());
  ASSERT_TRUE(bench.run_until([&] { return !bench.sink.events.empty(); }, 60));
  EXPECT_THAT(all_items(bench.sink), HasSubstr(R"({"Name":"base","Version":"1")"));
  const auto next = [&](const std::string& command, std::string_view change) {
    bench.sink.events.clear();
    run(command);
    EXPECT_TRUE(bench.run_until(
        [&] { return all_items(bench.sink).contains("\"Change\":\"" + std::string(change) + "\""); }, 60))
        << all_items(bench.sink);
    EXPECT_THAT(all_items(bench.sink), Not(HasSubstr("\"base\"")));
    return all_items(bench.sink);
  };
  EXPECT_THAT(next(dpkg + "-i " + root_ + "/widget-1.0.deb", "added"),
              HasSubstr(R"({"Name":"picket-widget","Version":"1.0","Vendor":"Ann <ann@example>","Architecture":"all",)"
                        R"("PackageType":"deb","Purl":"pkg:deb/debian/picket-widget@1.0?arch=all&distro=debian-12",)"
                        R"("Source":"snapshot","ExtraDetails":{"Change":"added"}})"));
  EXPECT_THAT(next(dpkg + "-i " + root_ + "/widget-1.1.deb", "changed"), HasSubstr(R"("Version":"1.1")"));
  EXPECT_THAT(next(dpkg + "-P picket-widget", "removed"), HasSubstr(R"({"Name":"picket-widget","Version":"1.1",)"));
}

TEST_F(SbomLive, AnOldDatabaseOfRpmLowersTheTierAndIsNamed) {
  std::filesystem::create_directories(root_ + "/var/lib/rpm");
  std::ofstream(root_ + "/var/lib/rpm/Packages") << "x";
  CollectorSettings settings;
  settings.root = root_;
  Bench bench("sbom", settings);
  ASSERT_TRUE(bench.collector.start());
  EXPECT_EQ(bench.collector.tier_in_use(), "without_rpm");
  ASSERT_EQ(bench.collector.refusals().size(), 1u);
  EXPECT_THAT(describe(bench.collector.refusals()[0].error), HasSubstr("rpm_berkeley_db"));
  ASSERT_TRUE(bench.run_until([&] { return !bench.sink.events.empty(); }));
  EXPECT_EQ(bench.sink.events[0].items, "");
}

}  // namespace
}  // namespace picket::agent
