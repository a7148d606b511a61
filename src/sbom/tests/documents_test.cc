#include "sbom/documents.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket::sbom {
namespace {

const Subject kSubject{.name = "press \"17\"",
                       .version = "1.4",
                       .serial = "3e671687-395b-41f5-a30f-a58921a69b79",
                       .tool_version = "0.1.0",
                       .created = Timestamp{1'700'000'000'000'000}};

std::vector<Component> sample() {
  std::vector<Component> out{
      {.type = "deb",
       .name = "libssl3",
       .version = "3.0.11-1~deb12u2",
       .vendor = "Debian <x@example.org>",
       .architecture = "amd64",
       .source_name = "openssl",
       .source_version = "3.0.11-1~deb12u2"},
      {.type = "binary", .name = "busybox", .version = "1.36.1", .evidence = "/bin/busybox"},
      {.type = "npm", .name = "@scope/a", .version = "1.0.0"},
  };
  out[0].purl = make_purl(out[0], "debian-12");
  out[1].purl = make_purl(out[1], "");
  out[2].purl = make_purl(out[2], "");
  return out;
}

TEST(CycloneDx, ComesBackAsItWent) {
  const auto back = read_document(to_cyclonedx(kSubject, sample()));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->format, "CycloneDX 1.6");
  EXPECT_EQ(back->name, kSubject.name);
  EXPECT_EQ(back->components, sample());
}

TEST(Spdx, ComesBackAsItWent) {
  const auto back = read_document(to_spdx(kSubject, sample()));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->format, "SPDX-2.3");
  EXPECT_EQ(back->name, kSubject.name);
  EXPECT_EQ(back->version, "1.4");
  EXPECT_EQ(back->components, sample());
}

/// Texts that somebody could put into a package: of any length up to the bound, of any characters.
std::string nasty(std::mt19937& random) {
  static const std::vector<std::string> parts{"a",
                                              "Z",
                                              "0",
                                              "-",
                                              "_",
                                              "+",
                                              "~",
                                              ":",
                                              "/",
                                              "@",
                                              "?",
                                              "#",
                                              "&",
                                              "=",
                                              "%",
                                              "%2F",
                                              " ",
                                              "\"",
                                              "\\",
                                              "\n",
                                              "\t",
                                              std::string(1, '\0'),
                                              "\x7F",
                                              "<",
                                              ">",
                                              "(",
                                              ")",
                                              "{}",
                                              "[]",
                                              "null",
                                              "NOASSERTION",
                                              "Organization: ",
                                              "pkg:deb/",
                                              "picket ",
                                              "\u00E9",
                                              "\u202E",
                                              "\u65E5\u672C",
                                              "\U0001F600",
                                              "$(id)",
                                              "'; --",
                                              "../",
                                              "\xEF\xBB\xBF"};
  std::string out;
  for (std::size_t i = random() % 12 + 1; i > 0; --i) out += parts[random() % parts.size()];
  return out;
}

TEST(Documents, WhatComesBackIsWhatWentWhateverItsTextsAre) {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    std::vector<Component> components;
    for (std::size_t i = random() % 6; i > 0; --i) {
      Component one{.type = random() % 2 == 0 ? "deb" : "npm", .name = nasty(random)};
      for (std::string Component::* const member :
           {&Component::version, &Component::vendor, &Component::architecture, &Component::source_name,
            &Component::source_version, &Component::evidence}) {
        if (random() % 2 == 0) one.*member = nasty(random);
      }
      one.purl = make_purl(one, "debian-12");
      ASSERT_TRUE(parse_purl(one.purl)) << one.purl;
      if (one.purl.size() <= kTextBytesMax) components.push_back(std::move(one));
    }
    for (const auto& text : {to_cyclonedx(kSubject, components), to_spdx(kSubject, components)}) {
      const auto back = read_document(text);
      ASSERT_TRUE(back) << text;
      EXPECT_EQ(back->components, components) << text;
      EXPECT_EQ(back->left_out, 0U);
    }
  }
}

TEST(CycloneDx, NestedComponentsCountAndFilesDoNot) {
  const auto back = read_document(R"({"bomFormat":"CycloneDX","specVersion":"1.4","components":[
    {"type":"container","name":"image","components":[{"type":"library","name":"a","version":"1","purl":"pkg:apk/alpine/a@1?distro=alpine-3.19.1"},
    {"type":"file","name":"/etc/x"}]},{"type":"library"}]})");
  ASSERT_TRUE(back);
  ASSERT_EQ(back->components.size(), 2U);
  EXPECT_EQ(back->components[1].type, "apk");
  EXPECT_EQ(back->left_out, 1U);
}

TEST(Spdx, TagsAndValues) {
  const auto back = read_document(
      "SPDXVersion: SPDX-2.2\nDocumentName: fw\n# word\n\nPackageName: zlib\nPackageVersion: 1.2.13\n"
      "PackageSupplier: Organization: X\nExternalRef: PACKAGE-MANAGER purl pkg:generic/zlib@1.2.13\n"
      "PackageName: nameless\r\n");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->name, "fw");
  ASSERT_EQ(back->components.size(), 2U);
  EXPECT_EQ(back->components[0].vendor, "X");
  EXPECT_EQ(back->components[1].purl, "pkg:generic/nameless");
}

TEST(Documents, OtherThingsAreRefusedByPlace) {
  EXPECT_EQ(read_document("<xml/>").error().code, Errc::unsupported);
  EXPECT_EQ(read_document("{}").error().where, "sbom.format");
  EXPECT_EQ(read_document(R"({"bomFormat":"CycloneDX","specVersion":"2.0"})").error().where, "cyclonedx.specVersion");
  EXPECT_EQ(read_document(R"({"bomFormat":"CycloneDX",)").error().code, Errc::truncated);
  EXPECT_EQ(read_document("").error().code, Errc::truncated);
  EXPECT_EQ(read_document("{\"a\":" + std::string(100, '[')).error().code, Errc::limit_exceeded);
}

}  // namespace
}  // namespace picket::sbom
