// A root directory of a device that never was, and rpm's real database.
#include "sbom/scan.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace picket::agent {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

class SoftwareScanTest : public testing::Test {
 protected:
  SoftwareScanTest() {
    std::string name = ::testing::TempDir() + "picket-sbom-XXXXXX";
    root_ = mkdtemp(name.data());
  }
  ~SoftwareScanTest() override { std::filesystem::remove_all(root_); }
  void write(const std::string& path, std::string_view text) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path, std::ios::binary) << text;
  }
  /// "type name version" of all that is found.
  std::vector<std::string> scan() const {
    std::vector<std::string> out;
    SoftwareScan scan(root_, "", [&](const Package& package) {
      out.push_back(std::string(package.type) + ' ' + package.name + ' ' + package.version +
                    (package.evidence.empty() ? "" : " in " + package.evidence));
    });
    int steps = 0;
    while (scan.step() && ++steps < 100'000) {
    }
    return out;
  }
  std::string root_;
};

TEST_F(SoftwareScanTest, FindsWhatEachManagerLanguageAndProgramSays) {
  write("/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
  write("/var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\n");
  write("/var/lib/dpkg/status.d/b", "Package: b\nVersion: 2\n");
  write("/var/lib/dpkg/status.d/b.md5sums", "0 Package\n");
  write("/usr/lib/python3/dist-packages/six-1.16.0.dist-info/METADATA", "Name: six\nVersion: 1.16.0\n\n");
  write("/usr/lib/python3/dist-packages/old.egg-info", "Name: old\nVersion: 0.1\n\n");
  write("/opt/app/node_modules/left-pad/package.json", R"({"name":"left-pad","version":"1.3.0"})");
  write("/opt/app/node_modules/left-pad/test/package.json", R"({"name":"fixture","version":"9"})");
  write("/opt/app/node_modules/@s/x/package.json", R"({"name":"@s/x","version":"2.0.0"})");
  write("/opt/app/package.json", R"({"name":"app","version":"1"})");
  write("/lib/modules/5.15.0-yocto/modules.dep", "");
  write("/bin/busybox", std::string(70'000, 'x') + "BusyBox v1.36.1 (2023)" + std::string(10'000, '\0'));
  EXPECT_THAT(scan(), UnorderedElementsAre("deb a 1", "deb b 2", "binary linux 5.15.0-yocto in /lib/modules",
                                           "pypi six 1.16.0 in /usr/lib/python3/dist-packages/six-1.16.0.dist-info",
                                           "pypi old 0.1 in /usr/lib/python3/dist-packages/old.egg-info",
                                           "npm left-pad 1.3.0 in /opt/app/node_modules/left-pad",
                                           "npm @s/x 2.0.0 in /opt/app/node_modules/@s/x",
                                           "binary busybox 1.36.1 in /bin/busybox"));
}

TEST_F(SoftwareScanTest, AVersionAcrossTwoPiecesOfAProgramIsFoundWhole) {
  for (std::size_t before = SoftwareScan::kReadBytes - 24; before <= SoftwareScan::kReadBytes + 1; ++before) {
    write("/bin/busybox", std::string(before, 'x') + "BusyBox v1.36.1 (2023)");
    ASSERT_THAT(scan(), ElementsAre("binary busybox 1.36.1 in /bin/busybox")) << before;
  }
}

TEST_F(SoftwareScanTest, AProgramOfAPackageIsNotReportedAgain) {
  write("/bin/busybox", "BusyBox v1.36.1 (2023)");
  write("/usr/lib/opkg/status", "Package: busybox\nStatus: install user installed\nVersion: 1.36.1-1\n");
  EXPECT_THAT(scan(), ElementsAre("opkg busybox 1.36.1-1"));
}

TEST_F(SoftwareScanTest, LinksAreNotFollowedAndPipesDoNotBlock) {
  write("/opt/real/node_modules/a/package.json", R"({"name":"a","version":"1"})");
  std::filesystem::create_directory_symlink(root_ + "/opt/real", root_ + "/opt/again");
  std::filesystem::create_directory_symlink("..", root_ + "/opt/real/up");
  std::filesystem::create_directories(root_ + "/opt/real/node_modules/pipe");
  ASSERT_EQ(mkfifo((root_ + "/opt/real/node_modules/pipe/package.json").c_str(), 0600), 0);
  EXPECT_THAT(scan(), ElementsAre("npm a 1 in /opt/real/node_modules/a"));
}

TEST_F(SoftwareScanTest, ADatabaseWithoutEndIsLeft) {
  write("/var/lib/dpkg/status", "Package: bash\nStatus: install ok installed\nVersion: 5\n\n");
  std::filesystem::resize_file(root_ + "/var/lib/dpkg/status", std::uintmax_t{8} << 30);
  std::vector<std::string> names;
  SoftwareScan scan(root_, "", [&](const Package& package) { names.push_back(package.name); });
  std::uint64_t steps = 0;
  while (scan.step()) ++steps;
  EXPECT_LT(steps, SoftwareScan::kDatabaseBytesMax / SoftwareScan::kReadBytes + 100);
  EXPECT_THAT(names, ElementsAre("bash"));
  EXPECT_EQ(scan.unreadable(), 1u) << "that there was more is counted";
}

TEST_F(SoftwareScanTest, TheWalkEndsAtItsDepth) {
  std::string path = "/opt";
  for (std::size_t i = 0; i < FileWalk::kDepthMax + 5; ++i) path += "/d";
  write(path + "/node_modules/deep/package.json", R"({"name":"deep","version":"1"})");
  SoftwareScan scan(root_, "", [](const Package&) { FAIL(); });
  while (scan.step()) {
  }
  EXPECT_EQ(scan.unreadable(), 1u) << "the folder past the bound is counted";
}

TEST_F(SoftwareScanTest, OldDatabasesOfRpmAreNamed) {
  write("/var/lib/rpm/Packages", "");
  EXPECT_EQ(RpmDatabase::open(root_).error().where, "agent.sbom.rpm_berkeley_db");
  write("/usr/lib/sysimage/rpm/Packages.db", "");
  EXPECT_EQ(RpmDatabase::open(root_).error().where, "agent.sbom.rpm_ndb");
}

TEST_F(SoftwareScanTest, PackagesThatRpmInstalled) {
  write(
      "/spec/widget.spec",
      "Name: widget-libs\nEpoch: 2\nVersion: 1.4\nRelease: 3\nSummary: x\nLicense: x\nBuildArch: noarch\nVendor: Acme\n"
      "%description\nx\n%install\nmkdir -p %{buildroot}/opt\nseq 1 20000 > "
      "%{buildroot}/opt/widget\n%files\n/opt/widget\n");
  const std::string top = root_ + "/build", log = " >" + root_ + "/log 2>&1";
  ASSERT_EQ(std::system(("rpmbuild -bb --define '_topdir " + top + "' " + root_ + "/spec/widget.spec" + log).c_str()),
            0)
      << std::ifstream(root_ + "/log").rdbuf();
  const std::string install = "rpm --root " + root_ +
                              " --define '_dbpath /var/lib/rpm' --define '_db_backend sqlite' --nodeps "
                              "--noscripts -i " +
                              top + "/RPMS/noarch/*.rpm";
  ASSERT_EQ(std::system((install + log).c_str()), 0) << std::ifstream(root_ + "/log").rdbuf();
  auto database = RpmDatabase::open(root_);
  ASSERT_TRUE(database) << describe(database.error());
  std::vector<Package> packages;
  for (;;) {
    const auto more = database->step([&](const Package& package) { packages.push_back(package); });
    ASSERT_TRUE(more) << describe(more.error());
    if (!*more) break;
  }
  ASSERT_EQ(packages.size(), 1u);
  EXPECT_EQ(packages[0].name, "widget-libs");
  EXPECT_EQ(packages[0].version, "1.4-3");
  EXPECT_EQ(packages[0].epoch, "2");
  EXPECT_EQ(packages[0].architecture, "noarch");
  EXPECT_EQ(packages[0].vendor, "Acme");
  EXPECT_EQ(packages[0].source_name, "") << "the source has the same name and version";
}

}  // namespace
}  // namespace picket::agent
