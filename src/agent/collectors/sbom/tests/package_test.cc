#include "sbom/package.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sbom/metadata.h"
#include "sbom/rpm.h"
#include "sbom/stanzas.h"

namespace picket::agent {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

std::vector<Package> parse(StanzaForm form, std::string_view text, bool status_needed = true) {
  std::vector<Package> out;
  StanzaParser parser(form, status_needed, [&](const Package& package) { out.push_back(package); });
  parser.feed(text);
  parser.finish();
  return out;
}

constexpr std::string_view kStatus =
    "Package: libc6\n"
    "Status: install ok installed\n"
    "Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>\n"
    "Architecture: amd64\n"
    "Source: glibc (2.36-9)\n"
    "Version: 2.36-9+deb12u14\n"
    "Description: GNU C Library\n"
    " Package: not a field\n"
    "\n"
    "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n"
    "\n"
    "Package: curl\nStatus: install ok installed\nVersion: 7.88.1-10\nSource: curl\n";

TEST(Stanzas, InstalledPackagesOfDpkgWithTheirSource) {
  const auto packages = parse(StanzaForm::deb, kStatus);
  ASSERT_THAT(packages, SizeIs(2));
  EXPECT_EQ(packages[0].type, "deb");
  EXPECT_EQ(packages[0].name, "libc6");
  EXPECT_EQ(packages[0].version, "2.36-9+deb12u14");
  EXPECT_EQ(packages[0].vendor, "GNU Libc Maintainers <debian-glibc@lists.debian.org>");
  EXPECT_EQ(packages[0].architecture, "amd64");
  EXPECT_EQ(packages[0].source_name, "glibc");
  EXPECT_EQ(packages[0].source_version, "2.36-9");
  EXPECT_EQ(packages[1].name, "curl");
  EXPECT_EQ(packages[1].source_name, "") << "a source of the same name is not repeated";
}

TEST(Stanzas, WhatIsOnDiskCountsWhateverIsWantedOfIt) {
  const auto there = [](std::string_view status) {
    return parse(StanzaForm::deb, "Package: a\nStatus: " + std::string(status) + "\nVersion: 1\n").size() == 1;
  };
  for (const char* const status :
       {"install ok installed", "hold ok installed", "deinstall ok installed", "purge ok installed",
        "install reinstreq installed", "install ok triggers-pending", "install ok triggers-awaited",
        "install ok half-configured", "install ok unpacked"}) {
    EXPECT_TRUE(there(status)) << status;
  }
  for (const char* const status : {"deinstall ok config-files", "purge ok not-installed", "unknown ok not-installed",
                                   "install reinstreq half-installed", ""}) {
    EXPECT_FALSE(there(status)) << status;
  }
}

TEST(Stanzas, CuttingTheTextDoesNotMatter) {
  const auto whole = parse(StanzaForm::deb, kStatus);
  for (std::size_t cut = 0; cut <= kStatus.size(); ++cut) {
    std::vector<Package> packages;
    StanzaParser parser(StanzaForm::deb, true, [&](const Package& package) { packages.push_back(package); });
    parser.feed(kStatus.substr(0, cut));
    parser.feed(kStatus.substr(cut));
    parser.finish();
    ASSERT_THAT(packages, SizeIs(whole.size())) << cut;
    EXPECT_EQ(packages[0].vendor, whole[0].vendor) << cut;
    EXPECT_EQ(packages[0].source_version, whole[0].source_version) << cut;
    EXPECT_EQ(packages[1].version, whole[1].version) << cut;
  }
}

TEST(Stanzas, AVeryLongLineLosesOnlyItsEnd) {
  const std::string text = "Package: a\nStatus: install ok installed\nDepends: " + std::string(100'000, 'x') +
                           "\nVersion: 1\nMaintainer: " + std::string(5000, 'm') + "\n";
  const auto packages = parse(StanzaForm::deb, text);
  ASSERT_THAT(packages, SizeIs(1));
  EXPECT_EQ(packages[0].version, "1");
  EXPECT_EQ(packages[0].vendor.size(), Package::kTextMax);
}

TEST(Stanzas, FilesOfStatusDNeedNoStatus) {
  EXPECT_THAT(parse(StanzaForm::deb, "Package: base-files\nVersion: 11\n", false), SizeIs(1));
  EXPECT_THAT(parse(StanzaForm::deb, "Package: base-files\nVersion: 11\n", true), IsEmpty());
}

TEST(Stanzas, ApkAndOpkg) {
  const auto apk = parse(StanzaForm::apk,
                         "C:Q1abc\nP:musl\nV:1.2.4-r2\nA:aarch64\no:musl\nm:Timo\nF:lib\n\nP:libcrypto3\nV:3.1.4-r1\nA:"
                         "aarch64\no:openssl\n");
  ASSERT_THAT(apk, SizeIs(2));
  EXPECT_EQ(apk[0].vendor, "Timo");
  EXPECT_EQ(apk[1].source_name, "openssl");
  const auto opkg =
      parse(StanzaForm::opkg,
            "Package: busybox\nVersion: 1.36.1-1\nStatus: install user installed\nArchitecture: mips_24kc\nSource: "
            "package/utils/busybox\n\nPackage: half\nVersion: 1\nStatus: install ok half-installed\n");
  ASSERT_THAT(opkg, SizeIs(1));
  EXPECT_EQ(opkg[0].type, "opkg");
  EXPECT_EQ(opkg[0].source_name, "");
}

TEST(PackageUrl, OfEachKind) {
  const Distribution debian{"debian", "12"};
  EXPECT_EQ(
      package_url({.type = "deb", .name = "libstdc++6", .version = "1:12.2.0-14", .architecture = "amd64"}, debian),
      "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14?arch=amd64&distro=debian-12");
  EXPECT_EQ(
      package_url({.type = "rpm", .name = "bash", .version = "5.2-3.fc38", .architecture = "x86_64", .epoch = "1"},
                  {"fedora", "38"}),
      "pkg:rpm/fedora/bash@5.2-3.fc38?arch=x86_64&distro=fedora-38&epoch=1");
  EXPECT_EQ(package_url({.type = "opkg", .name = "dropbear", .version = "2022.83-1", .architecture = "all"},
                        {"openwrt", "23"}),
            "pkg:opkg/dropbear@2022.83-1?arch=all");
  EXPECT_EQ(package_url({.type = "pypi", .name = "Typing_Extensions", .version = "4.4"}, debian),
            "pkg:pypi/typing-extensions@4.4");
  EXPECT_EQ(package_url({.type = "npm", .name = "@types/node", .version = "18.0.1"}, debian),
            "pkg:npm/%40types/node@18.0.1");
  EXPECT_EQ(package_url({.type = "binary", .name = "linux", .version = "6.1.0+"}, debian),
            "pkg:generic/linux@6.1.0%2B");
}

TEST(PythonMetadata, NameVersionAndAuthor) {
  const auto package = parse_python_metadata(
      "Metadata-Version: 2.1\nName: PyYAML\nVersion: 6.0\nAuthor: Kirill Simonov\n\nName: of the text below\n");
  ASSERT_TRUE(package);
  EXPECT_EQ(package->name, "PyYAML");
  EXPECT_EQ(package->version, "6.0");
  EXPECT_EQ(package->vendor, "Kirill Simonov");
  EXPECT_FALSE(parse_python_metadata("Name: nameless\n\nVersion: 1\n"));
}

TEST(PackageJson, OutermostNameAndVersionOnly) {
  const auto package =
      parse_package_json(R"({"scripts": {"name": "no", "a": [1, {"version": "no"}]}, "name": "@s\/left-pad",
    "author": {"name": "no"}, "private": true, "n": -1.5e3, "version": "1.3.0", "description": "a \"quoted\" }"})");
  ASSERT_TRUE(package);
  EXPECT_EQ(package->name, "@s/left-pad");
  EXPECT_EQ(package->version, "1.3.0");
  EXPECT_EQ(package->vendor, "");
  EXPECT_EQ(parse_package_json(R"({"name":"a","version":"1","author":"Ann <a@b>"})")->vendor, "Ann <a@b>");
  EXPECT_TRUE(parse_package_json(R"({"name":"a","version":"1","readme":"cut off her)"));
  for (const std::string_view bad : {"", "[]", "{", R"({"name":"a"})", R"({"name":"a","version":)",
                                     R"({"version":"1","name":"cut)", R"({"a":}})", R"({"name" "a","version":"1"})"}) {
    EXPECT_FALSE(parse_package_json(bad)) << bad;
  }
  EXPECT_FALSE(parse_package_json(R"({"a":)" + std::string(1000, '[') + std::string(1000, ']') +
                                  R"(,"name":"a","version":"1"})"))
      << "deeper than anybody's package";
}

TEST(Versions, BehindTheMarkOfAProgram) {
  EXPECT_EQ(version_behind("xx BusyBox v1.36.1 (2023-05-18)", "BusyBox v"), "1.36.1");
  EXPECT_EQ(version_behind("OpenSSL is a toolkit. OpenSSL 3.0.11 19 Sep 2023", "OpenSSL "), "3.0.11");
  EXPECT_EQ(version_behind("SSH-2.0-dropbear_2022.83\r\n", "SSH-2.0-dropbear_"), "2022.83");
  EXPECT_EQ(version_behind("BusyBox v%s", "BusyBox v"), "");
}

}  // namespace
}  // namespace picket::agent
