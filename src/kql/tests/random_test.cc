// Random valid queries against a slow, obvious evaluation of each of their steps (random_query.h).
#include <algorithm>
#include <cstdlib>

#include <gtest/gtest.h>

#include "duckdb_runner.h"
#include "random_query.h"

namespace picket::kql::testing {

/// KQL_RANDOM_QUERIES=100000 for a long run; KQL_RANDOM_SEED to begin elsewhere.
TEST(KqlRandom, QueriesGiveWhatTheirStepsMean) {
  const auto number = [](const char* name, std::uint64_t otherwise) {
    const char* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
  };
  const auto first = number("KQL_RANDOM_SEED", 1);
  const auto count = number("KQL_RANDOM_QUERIES", 150);
  DuckdbRunner runner;
  const Schema schema;
  for (auto seed = first; seed < first + count; ++seed) {
    const RandomQuery random(seed);
    const auto compiled = compile(random.query(), schema, Options{.now = {0}});
    ASSERT_TRUE(compiled) << "seed " << seed << "\n" << render(compiled.error().front(), random.query());
    auto rows = runner.run(*compiled);
    ASSERT_TRUE(rows) << "seed " << seed << "\n" << random.query() << "\n" << rows.error();
    std::ranges::sort(*rows);
    ASSERT_EQ(*rows, random.rows()) << "seed " << seed << "\n" << random.query() << "\n" << compiled->sql;
  }
}

}  // namespace picket::kql::testing
