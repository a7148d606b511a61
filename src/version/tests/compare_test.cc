#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vectors.h"

namespace picket::version {
namespace {

using testing::disagreements;
using ::testing::IsEmpty;
using testing::read_vectors;

std::string file(const char* name) { return std::string(PICKET_SOURCE_DIR "/src/version/tests/vectors/") + name; }

struct Family {
  Scheme scheme;
  const char* file;
};

class Vectors : public ::testing::TestWithParam<Family> {};

TEST_P(Vectors, HaveTheStatedOrderBothWays) {
  const auto vectors = read_vectors(file(GetParam().file));
  EXPECT_GE(vectors.size(), 12U);
  EXPECT_THAT(disagreements(GetParam().scheme, vectors), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(All, Vectors,
                         ::testing::Values(Family{Scheme::dpkg, "dpkg.txt"}, Family{Scheme::rpm, "rpm.txt"},
                                           Family{Scheme::apk, "apk.txt"}, Family{Scheme::semver, "semver.txt"},
                                           Family{Scheme::npm, "semver.txt"}, Family{Scheme::go, "go.txt"},
                                           Family{Scheme::pep440, "pep440.txt"}, Family{Scheme::maven, "maven.txt"},
                                           Family{Scheme::generic, "generic.txt"}),
                         [](const auto& one) { return std::string(to_string(one.param.scheme)); });

TEST(Ecosystem, NamesItsSchemeWhateverTheRelease) {
  EXPECT_EQ(scheme_of_ecosystem("Debian:12"), Scheme::dpkg);
  EXPECT_EQ(scheme_of_ecosystem("Ubuntu:Pro:18.04:LTS"), Scheme::dpkg);
  EXPECT_EQ(scheme_of_ecosystem("Alpine:v3.19"), Scheme::apk);
  EXPECT_EQ(scheme_of_ecosystem("Red Hat:enterprise_linux:9::baseos"), Scheme::rpm);
  EXPECT_EQ(scheme_of_ecosystem("PyPI"), Scheme::pep440);
  EXPECT_EQ(scheme_of_ecosystem("Go"), Scheme::go);
}

TEST(Ecosystem, ThatNobodyKnowsHasNone) {
  EXPECT_EQ(scheme_of_ecosystem("debian"), std::nullopt) << "names are case-sensitive";
  EXPECT_EQ(scheme_of_ecosystem("CRAN"), std::nullopt);
  EXPECT_EQ(scheme_of_ecosystem(""), std::nullopt);
}

TEST(Compare, OfAMillionDigitsIsLinear) {
  const std::string a(1'000'000, '9'), b = "1" + std::string(1'000'000, '0');
  for (const Scheme scheme :
       {Scheme::dpkg, Scheme::rpm, Scheme::apk, Scheme::semver, Scheme::pep440, Scheme::maven, Scheme::generic}) {
    EXPECT_TRUE(compare(scheme, a, b) < 0) << to_string(scheme);
  }
}

TEST(Compare, OfAMillionPartsEnds) {
  std::string a;
  for (int i = 0; i < 1'000'000; ++i) a += i % 2 == 0 ? "1." : "a-";
  const std::string b = a + "~1";
  for (const Scheme scheme :
       {Scheme::dpkg, Scheme::rpm, Scheme::apk, Scheme::semver, Scheme::pep440, Scheme::maven, Scheme::generic}) {
    EXPECT_TRUE(compare(scheme, a, a) == 0) << to_string(scheme);
    EXPECT_TRUE((compare(scheme, a, b) < 0) == (compare(scheme, b, a) > 0)) << to_string(scheme);
  }
}

}  // namespace
}  // namespace picket::version
