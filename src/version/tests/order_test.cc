// Total order over hostile texts: what makes it safe to sort an index by versions that devices and feeds sent.
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "version/compare.h"

namespace picket::version {
namespace {

constexpr Scheme kAll[] = {Scheme::dpkg, Scheme::rpm,    Scheme::apk,   Scheme::semver, Scheme::npm,
                           Scheme::go,   Scheme::pep440, Scheme::maven, Scheme::generic};

/// Texts from the pieces that the rules of all families look at, so that near misses are many.
std::vector<std::string> hostile(unsigned seed, std::size_t count) {
  static const char* const pieces[] = {"0",    "1", "00",   "01",    "9",     "10", ".",     "-",   "~",        "^",
                                       ":",    "_", "+",    "a",     "alpha", "b",  "rc",    "rc1", "p",        "-r",
                                       "-r1",  "v", "dev",  ".dev0", "post",  "ga", "final", "sp",  "snapshot", "!",
                                       "\xff", "Z", "_git", "_p",    "go",    "x",  "*",     " ",   "=",        "_pre"};
  std::mt19937 random(seed);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) {
    std::string text;
    for (auto n = random() % 7; n > 0; --n) text += pieces[random() % std::size(pieces)];
    out.push_back(std::move(text));
  }
  return out;
}

class Order : public ::testing::TestWithParam<Scheme> {};

TEST_P(Order, IsReflexiveAndAntisymmetric) {
  const auto texts = hostile(1, 300);
  for (const auto& a : texts) {
    EXPECT_TRUE(compare(GetParam(), a, a) == 0) << a;
    for (const auto& b : texts) {
      const auto there = compare(GetParam(), a, b), back = compare(GetParam(), b, a);
      ASSERT_EQ(there < 0, back > 0) << a << " | " << b;
      ASSERT_EQ(there == 0, back == 0) << a << " | " << b;
    }
  }
}

TEST_P(Order, IsTransitive) {
  if (GetParam() == Scheme::maven) return;  // its published rules are not
  for (unsigned seed = 2; seed < 12; ++seed) {
    const auto texts = hostile(seed, 60);
    const std::size_t n = texts.size();
    std::vector<int> sign(n * n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        const auto order = compare(GetParam(), texts[i], texts[j]);
        sign[i * n + j] = order < 0 ? -1 : order > 0 ? 1 : 0;
      }
    }
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t k = 0; k < n; ++k) {
          if (sign[i * n + j] > 0 || sign[j * n + k] > 0) continue;
          const int least = std::min(sign[i * n + j], sign[j * n + k]);
          ASSERT_EQ(sign[i * n + k], least) << texts[i] << " | " << texts[j] << " | " << texts[k];
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Order, ::testing::ValuesIn(kAll),
                         [](const auto& one) { return std::string(to_string(one.param)); });

}  // namespace
}  // namespace picket::version
