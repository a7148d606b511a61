#include "sbom/documents.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/bytes.h"
#include "base/core/encoding.h"

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
    {"type":"file","name":"/etc/x"}]},{"type":"library","name":"of-tests","scope":"excluded"}]})");
  ASSERT_TRUE(back);
  ASSERT_EQ(back->components.size(), 2U);
  EXPECT_EQ(back->components[1].type, "apk");
  EXPECT_EQ(back->left_out, 1U) << "what is not in the product";
}

std::string cyclonedx(std::string_view component, std::string_view head = {}) {
  return R"({"bomFormat":"CycloneDX","specVersion":"1.6",)" + std::string(head) + R"("components":[)" +
         std::string(component) + "]}";
}

TEST(CycloneDx, WhatIsWrongAboutTheSoftwareIsRefusedByPlace) {
  const auto where = [](const std::string& text) {
    const auto document = read_document(text);
    if (document) return std::string("taken");
    EXPECT_LT(document.error().offset, text.size());
    return std::string(document.error().where);
  };
  EXPECT_EQ(where(cyclonedx(R"({"type":"library","name":"a"})")), "taken");
  EXPECT_EQ(where(cyclonedx(R"({"type":"library"})")), "cyclonedx.component.name");
  EXPECT_EQ(where(cyclonedx(R"({"name":"a"})")), "cyclonedx.component.type");
  EXPECT_EQ(where(cyclonedx(R"({"type":"gadget","name":"a"})")), "cyclonedx.component.type");
  EXPECT_EQ(where(cyclonedx(R"({"type":"library","name":"a","version":1})")), "cyclonedx.component.version");
  EXPECT_EQ(where(cyclonedx(R"({"type":"library","name":"a","scope":"maybe"})")), "cyclonedx.component.scope");
  EXPECT_EQ(where(cyclonedx(R"("a")")), "cyclonedx.component");
  EXPECT_EQ(where(cyclonedx(R"({"type":"library","name":"a","components":[{"type":"library"}]})")),
            "cyclonedx.component.name")
      << "deeper";
  EXPECT_EQ(where(R"({"bomFormat":"Another","specVersion":"1.6"})"), "cyclonedx.bomFormat");
  for (const char* const version : {"1.1", "1.8", "2.0", "1.10", ""}) {
    EXPECT_EQ(where(R"({"bomFormat":"CycloneDX","specVersion":")" + std::string(version) + "\"}"),
              "cyclonedx.specVersion");
  }
}

TEST(CycloneDx, WhatIsWrongAboutOtherThingsIsARemark) {
  const auto where = [](const std::string& text) {
    const auto document = read_document(text);
    EXPECT_TRUE(document) << text;
    return document && !document->remarks.empty() ? std::string(document->remarks.front().where) : "none";
  };
  const auto of = [&](std::string_view member) {
    return where(cyclonedx(R"({"type":"library","name":"a",)" + std::string(member) + "}"));
  };
  EXPECT_EQ(of(R"("hashes":[{"alg":"MD5","content":"3942447fac867ae5cdb3229b658f4d48"}])"), "none");
  EXPECT_EQ(of(R"("hashes":[{"alg":"MD5","content":"3942447fac867ae5cdb3229b658f4d4"}])"), "cyclonedx.hash");
  EXPECT_EQ(of(R"("hashes":[{"alg":"SUM","content":"3942447fac867ae5cdb3229b658f4d48"}])"), "cyclonedx.hash");
  EXPECT_EQ(of(R"("licenses":[{"license":{"id":"MIT"}},{"expression":"MIT OR Zlib"}])"), "none");
  EXPECT_EQ(of(R"("licenses":[{"license":{"id":"MIT"},"expression":"MIT"}])"), "cyclonedx.licenses");
  EXPECT_EQ(of(R"("licenses":[{"license":{}}])"), "cyclonedx.license");
  EXPECT_EQ(of(R"("properties":[{"value":"x"}])"), "cyclonedx.properties");
  EXPECT_EQ(of(R"("swid":{"name":"a"})"), "cyclonedx.component.swid");
  EXPECT_EQ(of(R"("pedigree":{"patches":[{"type":"foo"}]})"), "cyclonedx.patch.type");
  EXPECT_EQ(of(R"("pedigree":{"patches":[{"type":"backport","resolves":[{"type":"foo"}]}]})"), "cyclonedx.issue.type");
  EXPECT_EQ(of(R"("purl":"pkg:deb/openssl@1")"), "purl.namespace");
  EXPECT_EQ(of(R"("bom-ref":"")"), "cyclonedx.component.bom-ref");
  EXPECT_EQ(of(R"("bom-ref":"1","components":[{"type":"file","name":"b","bom-ref":"1"}])"),
            "cyclonedx.component.bom-ref");
  EXPECT_EQ(where(cyclonedx("", R"("serialNumber":"urn:uuid:3e671687-395b-41f5-a30f",)")), "cyclonedx.serialNumber");
  EXPECT_EQ(where(cyclonedx("", R"("serialNumber":"urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",)")), "none");
  EXPECT_EQ(where(cyclonedx("", R"("metadata":{"timestamp":"2020-04-13"},)")), "cyclonedx.metadata.timestamp");
  EXPECT_EQ(where(cyclonedx("", R"("dependencies":[{"dependsOn":[]}],)")), "cyclonedx.dependency.ref");
}

TEST(CycloneDx, SourcePackagesAreReadAsBuildersWriteThem) {
  const auto back = read_document(cyclonedx(
      R"({"type":"library","name":"login","purl":"pkg:deb/debian/login@4.5-1.1?distro=debian-10.2&epoch=1","properties":[
          {"name":"aquasecurity:trivy:SrcName","value":"shadow"},{"name":"aquasecurity:trivy:SrcVersion","value":"4.5"},
          {"name":"aquasecurity:trivy:SrcRelease","value":"1.1"},{"name":"aquasecurity:trivy:SrcEpoch","value":"1"}]},
         {"type":"library","name":"acl","purl":"pkg:rpm/centos/libacl@2.2.53-1.el8?upstream=acl-2.2.53-1.el8.src.rpm"},
         {"type":"library","name":"m","purl":"pkg:apk/alpine/ssl_client@1.30.1-r5?upstream=busybox"})"));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->components[0].source_name, "shadow");
  EXPECT_EQ(back->components[0].source_version, "1:4.5-1.1");
  EXPECT_EQ(back->components[1].source_name, "acl");
  EXPECT_EQ(back->components[1].source_version, "2.2.53-1.el8");
  EXPECT_EQ(back->components[2].source_name, "busybox");
}

TEST(Documents, PackagesAreOfTheSystemThatIsNamed) {
  const auto back = read_document(cyclonedx(
      R"({"type":"library","name":"bash","purl":"pkg:deb/debian/bash@5.2.15-2"},
         {"type":"operating-system","name":"Debian","version":"12.5"},
         {"type":"library","name":"dash","purl":"pkg:deb/ubuntu/dash@1"},
         {"type":"library","name":"mawk","purl":"pkg:deb/debian/mawk@1?distro=debian-11"})"));
  ASSERT_TRUE(back);
  ASSERT_EQ(back->components.size(), 3U);
  EXPECT_EQ(back->components[0].purl, "pkg:deb/debian/bash@5.2.15-2?distro=debian-12.5");
  EXPECT_EQ(back->components[1].purl, "pkg:deb/ubuntu/dash@1") << "another's";
  EXPECT_EQ(back->components[2].purl, "pkg:deb/debian/mawk@1?distro=debian-11") << "says it itself";
}

TEST(Documents, InsideOfAnEnvelopeAreTheSame) {
  const std::string inner = cyclonedx(R"({"type":"library","name":"a","version":"1"})");
  const std::string statement =
      R"({"_type":"https://in-toto.io/Statement/v1","predicateType":"https://cyclonedx.org/bom","predicate":)" + inner +
      "}";
  const std::string envelope = R"({"payloadType":"application/vnd.in-toto+json","payload":")" +
                               to_base64(as_bytes(std::string_view(statement))) + R"(","signatures":[]})";
  const std::string github =
      R"({"sbom":{"spdxVersion":"SPDX-2.3","name":"x","packages":[{"name":"a","versionInfo":"1"}]}})";
  for (const std::string& text : {inner, statement, envelope, github}) {
    const auto document = read_document(text);
    ASSERT_TRUE(document) << text;
    ASSERT_EQ(document->components.size(), 1U);
    EXPECT_EQ(document->components[0].name, "a");
  }
  EXPECT_EQ(read_document(R"({"payloadType":"x","payload":"***"})").error().where, "sbom.envelope.payload");
}

TEST(Documents, OtherFormsAreRefusedByName) {
  const auto where = [](std::string_view text) { return std::string(read_document(text).error().where); };
  EXPECT_EQ(where(R"(<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>)"), "cyclonedx.xml");
  EXPECT_EQ(where("<Document><spdxVersion>SPDX-2.3</spdxVersion></Document>"), "spdx.xml");
  EXPECT_EQ(where("---\nSPDXID: SPDXRef-DOCUMENT\n"), "spdx.yaml");
  EXPECT_EQ(where("hello"), "sbom.format");
  EXPECT_EQ(where("[]"), "sbom.format");
  EXPECT_EQ(where("{}"), "sbom.format");
}

TEST(Documents, ARefusalSaysWhatWouldBeRead) {
  const auto said = [](std::string_view text) { return describe_refusal(read_document(text).error()); };
  EXPECT_THAT(said("<bom xmlns='http://cyclonedx.org/schema/bom/1.6'/>"),
              ::testing::StartsWith("CycloneDX as XML is not read"));
  EXPECT_THAT(said("hello"), ::testing::AllOf(::testing::StartsWith("this is no document of software"),
                                              ::testing::HasSubstr("SPDX 3.0 as JSON")));
  EXPECT_THAT(said(R"({"bomFormat":"CycloneDX","specVersion":"9.9"})"), ::testing::StartsWith("this version"));
  EXPECT_EQ(said(cyclonedx(R"({"type":"library"})")), "cyclonedx.component.name: malformed at byte 59");
}

TEST(Spdx, OfVersionThreeTakesWhatIsInstalled) {
  const auto graph = [](std::string_view version) {
    return R"({"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
      {"type":"CreationInfo","@id":"_:c","specVersion":")" +
           std::string(version) + R"("},{"type":"Organization","spdxId":"urn:org","name":"Maker"},
      {"type":"SpdxDocument","spdxId":"urn:doc","name":"title","rootElement":["urn:bill"]},
      {"type":"software_Sbom","spdxId":"urn:bill","rootElement":["urn:image"]},
      {"type":"software_Package","spdxId":"urn:image","name":"fw","software_primaryPurpose":"archive","software_packageVersion":"7"},
      {"type":"software_Package","spdxId":"urn:1","name":"libacl1","software_primaryPurpose":"install",
       "software_packageVersion":"2.3.2","suppliedBy":"urn:org"},
      {"type":"software_Package","spdxId":"urn:2","name":"acl-2.3.2.tar.gz","software_primaryPurpose":"source"},
      {"type":"software_Package","spdxId":"urn:3","name":"zlib","externalIdentifier":[
       {"type":"ExternalIdentifier","externalIdentifierType":"packageUrl","identifier":"pkg:deb/debian/zlib1g@1.2.13"}]},
      {"type":"software_Package","spdxId":"urn:4","name":"debian","software_primaryPurpose":"operatingSystem","software_packageVersion":"12"},
      {"type":"software_File","spdxId":"urn:5","name":"x"}]})";
  };
  const auto back = read_document(graph("3.0.1"));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->format, "SPDX-3.0.1");
  EXPECT_EQ(back->name, "fw");
  EXPECT_EQ(back->version, "7");
  ASSERT_EQ(back->components.size(), 2U);
  EXPECT_EQ(back->components[0].purl, "pkg:generic/libacl1@2.3.2");
  EXPECT_EQ(back->components[0].vendor, "Maker");
  EXPECT_EQ(back->components[1].purl, "pkg:deb/debian/zlib1g@1.2.13?distro=debian-12");
  EXPECT_EQ(read_document(graph("4.0")).error().where, "spdx.specVersion");
}

TEST(Spdx, PackageWithoutANameIsRefusedAndTheSystemIsNoPackage) {
  const auto text = [](std::string_view package) {
    return R"({"spdxVersion":"SPDX-2.3","name":"x","packages":[)" + std::string(package) + "]}";
  };
  EXPECT_EQ(read_document(text(R"({"packageName":"a","SPDXID":"SPDXRef-a"})")).error().where, "spdx.package.name");
  const auto back =
      read_document(text(R"({"name":"alpine","versionInfo":"3.19.1","primaryPackagePurpose":"OPERATING-SYSTEM"},
              {"name":"musl","versionInfo":"1.2.4-r2","externalRefs":[{"referenceType":"purl",
               "referenceLocator":"pkg:apk/alpine/musl@1.2.4-r2"}]})"));
  ASSERT_TRUE(back);
  ASSERT_EQ(back->components.size(), 1U);
  EXPECT_EQ(back->components[0].purl, "pkg:apk/alpine/musl@1.2.4-r2?distro=alpine-3.19.1");
  EXPECT_EQ(read_document(R"({"spdxVersion":"SPDX-2.0","packages":[]})").error().where, "spdx.spdxVersion");
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
