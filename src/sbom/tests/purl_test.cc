#include <gtest/gtest.h>

#include "sbom/component.h"

namespace picket::sbom {
namespace {

TEST(Purl, PartsAndBack) {
  for (const char* const text : {
           "pkg:deb/debian/openssl@3.0.11-1~deb12u2?arch=amd64&distro=debian-12",
           "pkg:npm/%40angular/core@17.0.1",
           "pkg:maven/org.apache.logging.log4j/log4j-core@2.17.0",
           "pkg:golang/google.golang.org/genproto@v0.1.0#googleapis/api",
           "pkg:generic/busybox@1.36.1",
           "pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386&distro=fedora-25&epoch=1",
       }) {
    const auto url = parse_purl(text);
    ASSERT_TRUE(url) << text;
    if (std::string_view(text).starts_with("pkg:npm")) {
      EXPECT_EQ(url->name_space, "@angular");
    }
    EXPECT_EQ(format_purl(*url), text);
    EXPECT_EQ(parse_purl(format_purl(*url)).value_or(PackageUrl{}), *url);
  }
}

TEST(Purl, ScopeWithoutEncodingIsNoVersion) {
  const auto url = parse_purl("pkg:npm/@angular/core");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->name, "core");
  EXPECT_EQ(url->version, "");
}

TEST(Purl, NamesWithoutCaseAndSlashesAroundASubpathAreOneForm) {
  const auto canonical = [](const char* text) { return format_purl(parse_purl(text).value_or(PackageUrl{})); };
  EXPECT_EQ(canonical("pkg:github/Package-url/purl-Spec@1"), "pkg:github/package-url/purl-spec@1");
  EXPECT_EQ(canonical("pkg:composer/Laravel/Laravel@5.5.0"), "pkg:composer/laravel/laravel@5.5.0");
  EXPECT_EQ(canonical("pkg:npm/%40babel/core#/googleapis/api/"), "pkg:npm/%40babel/core#googleapis/api");
  EXPECT_EQ(canonical("pkg:deb/debian/Capital@1"), "pkg:deb/debian/Capital@1");
}

TEST(Purl, WhatIsNoneIsRefusedByPlace) {
  const auto where = [](const char* text) { return parse_purl(text).error().where; };
  EXPECT_EQ(where("http://x"), "purl.scheme");
  EXPECT_EQ(where("pkg:deb"), "purl.type");
  EXPECT_EQ(where("pkg:d b/x"), "purl.type");
  EXPECT_EQ(where("pkg:3d/x"), "purl.type");
  EXPECT_EQ(where("pkg:deb/"), "purl.name");
  EXPECT_EQ(where("pkg:maven/@1.3.4"), "purl.name");
  EXPECT_EQ(where("pkg:swift/github.com/Alamofire/@5.4.3"), "purl.name");
  EXPECT_EQ(where("pkg:deb/x@%zz"), "purl.encoding");
  EXPECT_EQ(where("pkg:deb/x?arch"), "purl.qualifiers");
  EXPECT_EQ(parse_purl("pkg:deb/x@%zz").error().offset, 10U);
}

TEST(Component, IdentityHasTheVersionWhereSeveralMayStandBesideEachOther) {
  EXPECT_EQ(identity_of({.type = "deb", .name = "a", .version = "1"}),
            identity_of({.type = "deb", .name = "a", .version = "2"}));
  EXPECT_NE(identity_of({.type = "npm", .name = "a", .version = "1"}),
            identity_of({.type = "npm", .name = "a", .version = "2"}));
  EXPECT_NE(identity_of({.type = "deb", .name = "a", .architecture = "amd64"}),
            identity_of({.type = "deb", .name = "a", .architecture = "i386"}));
}

TEST(Component, GetsAPurlOfItsDistribution) {
  EXPECT_EQ(make_purl({.type = "deb", .name = "bash", .version = "5.2.15-2+b7", .architecture = "amd64"}, "debian-12"),
            "pkg:deb/debian/bash@5.2.15-2%2Bb7?arch=amd64&distro=debian-12");
  EXPECT_EQ(make_purl({.type = "binary", .name = "busybox", .version = "1.36.1"}, "debian-12"),
            "pkg:generic/busybox@1.36.1");
  EXPECT_EQ(make_purl({.type = "npm", .name = "@a/b", .version = "1"}, ""), "pkg:npm/%40a/b@1");
}

}  // namespace
}  // namespace picket::sbom
