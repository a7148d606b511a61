// Pairs of real packages with their order, by those who published them (reference data, not part of the repository).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vectors.h"

namespace picket::version {
namespace {

struct Fixture {
  Scheme scheme;
  const char* file;
  std::size_t count;
};

class Golden : public ::testing::TestWithParam<Fixture> {};

TEST_P(Golden, AgreesOnEveryPair) {
  const auto vectors =
      testing::read_vectors(std::string(PICKET_SHARED_DATA "/version-fixtures/") + GetParam().file + ".txt");
  EXPECT_EQ(vectors.size(), GetParam().count);
  EXPECT_THAT(testing::disagreements(GetParam().scheme, vectors), ::testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    All, Golden,
    ::testing::Values(
        Fixture{Scheme::dpkg, "debian-versions", 30}, Fixture{Scheme::dpkg, "debian-versions-generated", 14'442},
        Fixture{Scheme::apk, "alpine-versions", 778}, Fixture{Scheme::apk, "alpine-versions-generated", 13'979},
        Fixture{Scheme::rpm, "redhat-versions", 165}, Fixture{Scheme::semver, "semver-versions", 86},
        Fixture{Scheme::npm, "semver-versions", 86}, Fixture{Scheme::go, "semver-versions", 86},
        Fixture{Scheme::pep440, "pypi-versions", 37}, Fixture{Scheme::pep440, "pypi-versions-generated", 12'375},
        Fixture{Scheme::maven, "maven-versions", 102}, Fixture{Scheme::maven, "maven-versions-generated", 14'752}));

}  // namespace
}  // namespace picket::version
