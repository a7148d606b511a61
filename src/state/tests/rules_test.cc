// Files of rules and switches, and what the pipeline is told of them.
#include "state/rules.h"

#include <gtest/gtest.h>

#include "state/outbox.h"
#include "temporary_database.h"

namespace picket::state {
namespace {

constexpr Timestamp kNow{1'790'000'000'000'000};
const Actor kAlice{"alice", "192.0.2.1"};

std::vector<OutboxRecord> sent(Database& database) { return Outbox(database).pending(100).value(); }

TEST(Rules, FilesAreKeptReplacedAndTakenAway) {
  TemporaryDatabase database;
  Rules rules(*database);
  EXPECT_TRUE(rules.put("a.yml", "title: A", kAlice, kNow).value());
  EXPECT_FALSE(rules.put("a.yml", "title: \"B\"\n", kAlice, kNow).value());
  EXPECT_EQ(rules.find("a.yml").value().yaml, "title: \"B\"\n");
  EXPECT_EQ(rules.list().value().size(), 1u);
  EXPECT_TRUE(rules.remove("a.yml", kAlice, kNow).value());
  EXPECT_FALSE(rules.remove("a.yml", kAlice, kNow).value());
  EXPECT_EQ(rules.find("a.yml").error().code, Errc::not_found);
  const auto records = sent(*database);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[1].kind, "rule.set");
  EXPECT_EQ(records[1].body, R"({"actor":"alice","source":"192.0.2.1","object":"a.yml","rules":"title: \"B\"\n"})");
  EXPECT_EQ(records[2].kind, "rule.delete");
}

TEST(Rules, SwitchesAreToldOnceAndSurviveAReopening) {
  TemporaryDatabase database;
  Rules(*database).set_enabled("id-1", false, kAlice, kNow).value();
  Rules(*database).set_enabled("id-1", false, kAlice, kNow).value();
  database.reopen();
  EXPECT_EQ(Rules(*database).disabled().value(), std::vector<std::string>{"id-1"});
  Rules(*database).set_enabled("id-1", true, kAlice, kNow).value();
  EXPECT_TRUE(Rules(*database).disabled().value().empty());
  const auto records = sent(*database);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].body, R"({"actor":"alice","source":"192.0.2.1","object":"id-1","enabled":false})");
}

}  // namespace
}  // namespace picket::state
