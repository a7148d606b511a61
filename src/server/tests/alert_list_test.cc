#include "alert_list.h"

#include <filesystem>
#include <vector>

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "pipeline/alert.h"

namespace picket::server {
namespace {

constexpr Timestamp kNow{1'795'000'000'000'000};

pipeline::AlertChange change(std::string id, std::uint32_t number) {
  pipeline::AlertChange out;
  out.alert_id = std::move(id);
  out.change = number;
  out.rule = "ssh_brute_force";
  out.alert_type = "IoT_BruteForceFailed";
  out.display_name = "Failed brute force";
  out.severity = "Low";
  out.device = {"hub", "press-1", "", "g"};
  out.start = out.end = out.generated = kNow;
  out.count = number + 1;
  out.source = {0, 7};
  return out;
}

class AlertListTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "picket_alerts_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    database_ = *state::Database::open(folder_ + "/state.sqlite");
    alerts_.emplace(*database_);
    incidents_.emplace(*database_);
    list_.emplace(*alerts_, *incidents_,
                  [this](AlertEvent event, const state::Alert& alert) { events_.emplace_back(event, alert.status); });
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Result<> apply(journal::RecordKind kind, std::string_view body, std::uint64_t sequence) {
    journal::RecordView record;
    record.kind = kind;
    record.body = as_bytes(body);
    record.id = {0, sequence};
    return list_->apply({&record, 1}, journal::Position::at(0, sequence + 1));
  }

  void execute(const char* sql) {
    ASSERT_TRUE(database_->write([&](sqlite3* db) -> Result<> {
      EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK);
      return {};
    }));
  }

  std::string folder_;
  std::unique_ptr<state::Database> database_;
  std::optional<state::Alerts> alerts_;
  std::optional<state::Incidents> incidents_;
  std::optional<AlertList> list_;
  std::vector<std::pair<AlertEvent, std::string>> events_;
};

TEST_F(AlertListTest, TellsWhatHappenedOnceHoweverOftenItIsApplied) {
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(apply(journal::RecordKind::alert_change, to_json(change("a", 0)), 1));
    ASSERT_TRUE(apply(journal::RecordKind::alert_change, to_json(change("a", 1)), 2));
  }
  const std::vector<std::pair<AlertEvent, std::string>> expected = {{AlertEvent::raised, "New"},
                                                                    {AlertEvent::updated, "New"}};
  EXPECT_EQ(events_, expected);
  EXPECT_EQ(*alerts_->position(), "3");
  EXPECT_EQ(list_->stats().changes, 2u);
}

TEST_F(AlertListTest, AppliesTriageInTheOrderOfTheJournal) {
  ASSERT_TRUE(apply(journal::RecordKind::alert_change, to_json(change("a", 0)), 1));
  ASSERT_TRUE(
      apply(journal::RecordKind::triage, to_json(state::Triage{"a", "Resolved", "admin", "was \"me\"\n", kNow}), 2));
  EXPECT_EQ(alerts_->find("a")->status, "Resolved");
  EXPECT_EQ((*alerts_->triage_of("a"))[0].comment, "was \"me\"\n");
  EXPECT_EQ(events_.back(), std::pair(AlertEvent::triaged, std::string("Resolved")));
  EXPECT_TRUE(list_->wait_applied({0, 2}, Duration::seconds(0)));
  EXPECT_FALSE(list_->wait_applied({0, 3}, Duration::seconds(0)));
}

TEST_F(AlertListTest, TellsNothingOfABatchThatCouldNotBeStored) {
  const std::string raised = to_json(change("a", 0));
  const std::string grown = to_json(change("a", 1));
  std::vector<journal::RecordView> batch(2);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch[i].kind = journal::RecordKind::alert_change;
    batch[i].body = as_bytes(i == 0 ? raised : grown);
    batch[i].id = {0, i + 1};
  }
  execute("CREATE TRIGGER broken BEFORE UPDATE ON alert BEGIN SELECT RAISE(ABORT, 'disk'); END");
  EXPECT_FALSE(list_->apply(batch, journal::Position::at(0, 3)));
  EXPECT_TRUE(events_.empty());
  EXPECT_EQ(list_->stats().changes, 0u);
  EXPECT_FALSE(list_->wait_applied({0, 1}, Duration::seconds(0)));

  EXPECT_FALSE(alerts_->find("a"));
  execute("DROP TRIGGER broken");
  ASSERT_TRUE(list_->apply(batch, journal::Position::at(0, 3)));
  const std::vector<std::pair<AlertEvent, std::string>> expected = {{AlertEvent::raised, "New"},
                                                                    {AlertEvent::updated, "New"}};
  EXPECT_EQ(events_, expected);
  EXPECT_EQ(list_->stats().changes, 2u);
  EXPECT_TRUE(list_->wait_applied({0, 2}, Duration::seconds(0)));
}

TEST_F(AlertListTest, GoesOnBehindARecordThatCannotBeRead) {
  ASSERT_TRUE(apply(journal::RecordKind::alert_change, "{", 1));
  ASSERT_TRUE(apply(journal::RecordKind::triage, R"({"alert_id":1})", 2));
  ASSERT_TRUE(apply(journal::RecordKind::tick, "", 3));
  ASSERT_TRUE(apply(journal::RecordKind::alert_change, to_json(change("a", 0)), 4));
  EXPECT_EQ(list_->stats().rejected, 2u);
  EXPECT_EQ(list_->stats().changes, 1u);
}

}  // namespace
}  // namespace picket::server
