// All published rules for devices load, and match exactly the events that two other evaluators agreed on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shared_data.h"
#include "sigma/matcher.h"

namespace picket::sigma {
namespace {

struct Loaded {
  Complaints complaints;
  RuleSet rules = RuleSet::link(read_folder(shared_data() / "sigma", complaints), complaints);
};

const Loaded& loaded() {
  static const Loaded out;
  return out;
}

TEST(SigmaGolden, LoadsAllPublishedRules) {
  for (const Complaint& complaint : loaded().complaints) ADD_FAILURE() << to_string(complaint);
  EXPECT_EQ(loaded().rules.rules().size(), 401u);
  for (const LinkedRule& rule : loaded().rules.rules()) {
    EXPECT_FALSE(rule.head.author.empty()) << rule.head.title;  // goes with every match
    EXPECT_TRUE(rule.alerts);
  }
}

TEST(SigmaGolden, TakesTheSpecificationsExamples) {
  Complaints complaints;
  const Documents documents = read_folder(shared_data() / "sigma-schema/examples", complaints);
  for (const Complaint& complaint : complaints) ADD_FAILURE() << to_string(complaint);
  EXPECT_EQ(documents.rules.size(), 2u);
  EXPECT_EQ(documents.filters.size(), 2u);
  EXPECT_EQ(documents.correlations.size(), 8u);
}

/// Every event matches the rules that the golden file names, and no other.
void expect_verdicts(const std::string& name, const std::string& suffix, std::size_t events, std::size_t pairs) {
  const auto folder = shared_data() / "sigma-witness";
  const auto inputs = json_lines(folder / (name + "-events.jsonl" + suffix));
  const auto verdicts = json_lines(folder / (name + "-verdicts.jsonl" + suffix));
  ASSERT_EQ(inputs.size(), events);
  ASSERT_EQ(verdicts.size(), events);
  const RuleSet& rules = loaded().rules;
  Matcher matcher(rules);
  std::size_t found = 0;
  for (std::size_t i = 0; i < events; ++i) {
    const auto& event = inputs[i].at("event").as_object();
    const auto fields = fields_of(event, rules);
    std::vector<std::string> actual;
    for (const RuleIndex rule :
         matcher.match(matcher.route(source_of(inputs[i].at("logsource").as_object())), fields)) {
      actual.push_back(rules.rules()[rule].head.id);
    }
    std::ranges::sort(actual);
    std::vector<std::string> expected;
    for (const auto& id : verdicts[i].at("rules").as_array()) expected.emplace_back(id.as_string());
    EXPECT_EQ(actual, expected) << boost::json::serialize(inputs[i]);
    found += actual.size();
  }
  EXPECT_EQ(found, pairs);
}

TEST(SigmaGolden, WitnessesMatchTheirRules) { expect_verdicts("witness", "", 401, 437); }
TEST(SigmaGolden, NearMissesMatchNothingMore) { expect_verdicts("near-miss", "", 1997, 74); }
TEST(SigmaGolden, EveryListedValueMatches) { expect_verdicts("alternative", ".gz", 4303, 4862); }

}  // namespace
}  // namespace picket::sigma
