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
  EXPECT_EQ(canonical("PKG:Deb/Debian/Zlib1G@1?Arch=amd64"), "pkg:deb/debian/zlib1g@1?arch=amd64");
  EXPECT_EQ(canonical("pkg:rpm/Fedora/ImageMagick@1"), "pkg:rpm/fedora/ImageMagick@1");
  EXPECT_EQ(canonical("pkg:pypi/Ruamel_Yaml@1.0RC1"), "pkg:pypi/ruamel-yaml@1.0rc1");
  EXPECT_EQ(canonical("pkg:pub/Http-Parser@1"), "pkg:pub/http_parser@1");
  EXPECT_EQ(canonical("pkg:cpan/someone/Time-Zone@1"), "pkg:cpan/SOMEONE/Time-Zone@1");
  EXPECT_EQ(canonical("pkg:huggingface/Some/Model@AB12"), "pkg:huggingface/Some/Model@ab12");
  EXPECT_EQ(canonical("pkg:golang/example.org//a/b#/./x/../y//z/"), "pkg:golang/example.org/a/b#x/y/z");
  EXPECT_EQ(canonical("pkg:mlflow/Model?repository_url=https://x.azuredatabricks.net/y"),
            "pkg:mlflow/model?repository_url=https:%2F%2Fx.azuredatabricks.net%2Fy");
  EXPECT_EQ(canonical("pkg:mlflow/Model"), "pkg:mlflow/Model");
}

TEST(Purl, OfGitAHostStandsBeforeTheNameOfTheRepository) {
  const auto url = parse_purl("pkg:git/git.example.org/Team/tool@v1", PurlRules::all).value_or(PackageUrl{});
  EXPECT_EQ(url.name_space, "git.example.org");
  EXPECT_EQ(url.name, "Team/tool");
  EXPECT_EQ(format_purl(url), "pkg:git/git.example.org/Team/tool@v1");
  EXPECT_EQ(parse_purl("pkg:git/github.com/Team/Tool").value_or(PackageUrl{}).name, "team/tool");
}

TEST(Purl, AVersionMayHaveASlash) {
  const auto url = parse_purl("pkg:github/team/tool@release/2.1").value_or(PackageUrl{});
  EXPECT_EQ(url.name, "tool");
  EXPECT_EQ(url.version, "release/2.1");
}

TEST(Purl, RulesOfATypeAreAskedOnlyByAllRules) {
  const auto where = [](const char* text) {
    EXPECT_TRUE(parse_purl(text)) << text;
    const auto url = parse_purl(text, PurlRules::all);
    return url ? std::string("none") : std::string(url.error().where);
  };
  EXPECT_EQ(where("pkg:swift/Alamofire@5.4.3"), "purl.namespace") << "it must have one";
  EXPECT_EQ(where("pkg:deb/openssl@3"), "purl.namespace");
  EXPECT_EQ(where("pkg:vcpkg/boost/asio@1.84.0"), "purl.namespace") << "it has none";
  EXPECT_EQ(where("pkg:cargo/a/b@1"), "purl.namespace");
  EXPECT_EQ(where("pkg:julia/Dates"), "purl.qualifiers");
  EXPECT_EQ(where("pkg:julia/Dates?uuid=1"), "none");
  EXPECT_EQ(where("pkg:swid/tool@1"), "purl.qualifiers");
  EXPECT_EQ(where("pkg:cpan/Time::Zone"), "purl.name");
  EXPECT_EQ(where("pkg:chrome-extension/aaaabbbbccccddddeeeeffffgggghhhh@1.2.3.4"), "none");
  EXPECT_EQ(where("pkg:chrome-extension/aaaabbbbccccddddeeeeffffgggghhhh@1.2.3.4.5"), "purl.version");
  EXPECT_EQ(where("pkg:chrome-extension/aaaabbbbccccddddeeeeffffgggghhhh@1.x"), "purl.version");
  EXPECT_EQ(where("pkg:chrome-extension/aaaabbbbccccddddeeeeffffgggghhhq"), "purl.name");
  EXPECT_EQ(where("pkg:rpm/fedora/curl@1?Arch=i386"), "purl.qualifiers");
  EXPECT_EQ(where("pkg:rpm/fedora/curl@1?arch=I386&distro=X"), "none") << "values are in any case";
  EXPECT_EQ(where("pkg:maven/a/b@1?Classifier=sources"), "none");
  EXPECT_EQ(where("pkg:golang/stdlib@1.22.1"), "none");
}

TEST(Purl, OfPartsThatMakeNoneIsRefused) {
  const auto where = [](const PackageUrl& url) {
    const auto made = canonical_purl(url);
    return made ? format_purl(*made) : std::string(made.error().where);
  };
  EXPECT_EQ(where({.name = "nginx"}), "purl.type");
  EXPECT_EQ(where({.type = "n&g", .name = "nginx"}), "purl.type");
  EXPECT_EQ(where({.type = "opam"}), "purl.name");
  EXPECT_EQ(where({.type = "npm", .name = "a", .qualifiers = {{"in production", "true"}}}), "purl.qualifiers");
  EXPECT_EQ(where({.type = "otp", .name_space = "x", .name = "hex"}), "purl.namespace");
  EXPECT_EQ(where({.type = "GitHub", .name_space = "Team", .name = "Tool", .qualifiers = {{"B", "2"}, {"a", "1"}}}),
            "pkg:github/team/tool?a=1&b=2");
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
  EXPECT_EQ(where("pkg:deb/x@%ff"), "purl.encoding") << "not UTF-8";
  EXPECT_EQ(where("pkg:deb/x?arch"), "purl.qualifiers");
  EXPECT_EQ(where("pkg:deb/x?in%20production=true"), "purl.qualifiers");
  EXPECT_EQ(where("pkg:deb/x?arch=a&arch=b"), "purl.qualifiers");
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
