// Recommendations as a projection, switches and device security groups.
#include "state/recommendations.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "state/outbox.h"

namespace picket::state {
namespace {

constexpr Timestamp kNow{1'790'000'000'000'000};
const Actor kAlice{"alice", "192.0.2.1"};

class RecommendationsTest : public testing::Test {
 protected:
  RecommendationsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "recommendations-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    auto opened = Database::open(folder_ + "/state.db");
    EXPECT_TRUE(opened.has_value());
    database_ = *std::move(opened);
  }
  ~RecommendationsTest() override {
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  static Recommendation one(const std::string& id, std::uint64_t source, const std::string& state = "Active",
                            std::uint32_t change = 0) {
    return {.recommendation_id = id,
            .type = "IoT_SharedCredentials",
            .display_name = "Shared",
            .severity = "High",
            .state = state,
            .hub = "hub",
            .device_id = "d-" + id,
            .first = kNow,
            .updated = kNow,
            .source = source,
            .change = change,
            .json = "{}"};
  }
  [[nodiscard]] std::vector<OutboxRecord> sent() { return Outbox(*database_).pending(100).value(); }

  std::string folder_;
  std::unique_ptr<Database> database_;
};

TEST_F(RecommendationsTest, ProjectionIsIdempotentAndNeverGoesBack) {
  Recommendations all(*database_);
  EXPECT_EQ(all.position().value(), "");
  EXPECT_TRUE(all.apply(one("a", 10), "p1").value());
  EXPECT_FALSE(all.apply(one("a", 10), "p1").value());
  EXPECT_TRUE(all.apply(one("a", 20, "Resolved", 1), "p2").value());
  EXPECT_FALSE(all.apply(one("a", 10), "p3").value());
  EXPECT_TRUE(all.apply(one("a", 20, "Active", 2), "p3").value()) << "two changes of one record";
  EXPECT_TRUE(all.apply(one("a", 30, "Active", 0), "p4").value()) << "numbers begin anew when the pipeline forgot";
  EXPECT_EQ(all.position().value(), "p4");
  EXPECT_EQ(all.find("a").value().state, "Active");
  EXPECT_EQ(all.find("b").error().code, Errc::not_found);
}

TEST_F(RecommendationsTest, ListsFilterAndGoPageByPage) {
  Recommendations all(*database_);
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(all.apply(one(std::to_string(i), 10, i % 2 == 0 ? "Active" : "Resolved"), "p").has_value());
  }
  const RecommendationFilter active{.state = "Active", .type = "iot_sharedcredentials"};
  const auto first = all.list(active, "", 3).value();
  EXPECT_EQ(first.total, 4u);
  ASSERT_EQ(first.recommendations.size(), 3u);
  const auto second = all.list(active, first.next, 3).value();
  ASSERT_EQ(second.recommendations.size(), 1u);
  EXPECT_EQ(second.recommendations[0].recommendation_id, "6");
  EXPECT_EQ(second.next, "");
  EXPECT_EQ(all.list({.device_id = "d-3"}, "", 10).value().total, 1u);
  EXPECT_EQ(all.list({.hub = "other"}, "", 10).value().total, 0u);
  const auto counts = all.count_by_type("hub").value();
  ASSERT_EQ(counts.size(), 1u);
  EXPECT_EQ(counts[0].active, 4u);
  EXPECT_EQ(counts[0].resolved, 3u);
}

TEST_F(RecommendationsTest, SwitchIsToldOnceByAnAuditRecord) {
  Recommendations all(*database_);
  ASSERT_TRUE(all.set_enabled("IoT_InstallAgent", false, kAlice, kNow).has_value());
  ASSERT_TRUE(all.set_enabled("IoT_InstallAgent", false, kAlice, kNow).has_value());
  EXPECT_EQ(all.disabled().value(), std::vector<std::string>{"IoT_InstallAgent"});
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].kind, "recommendation.set");
  EXPECT_EQ(sent()[0].body, R"({"actor":"alice","source":"192.0.2.1","type":"IoT_InstallAgent","enabled":false})");
  ASSERT_TRUE(all.set_enabled("IoT_InstallAgent", true, kAlice, kNow).has_value());
  EXPECT_TRUE(all.disabled().value().empty());
}

TEST_F(RecommendationsTest, SecurityGroupsArePutFoundAndRemoved) {
  SecurityGroups groups(*database_);
  EXPECT_TRUE(groups.put("hub", "plant", "{\"a\":1}", kAlice, kNow).value());
  EXPECT_FALSE(groups.put("hub", "plant", "{\"a\":2}", kAlice, kNow).value());
  EXPECT_EQ(groups.find("hub", "plant").value().json, "{\"a\":2}");
  EXPECT_EQ(groups.list("hub").value().size(), 1u);
  EXPECT_EQ(groups.list("other").value().size(), 0u);
  EXPECT_TRUE(groups.remove("hub", "plant", kAlice, kNow).value());
  EXPECT_FALSE(groups.remove("hub", "plant", kAlice, kNow).value());
  EXPECT_EQ(groups.find("hub", "plant").error().code, Errc::not_found);
  const auto records = sent();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[1].body,
            R"({"actor":"alice","source":"192.0.2.1","hub":"hub","object":"plant","resource":{"a":2}})");
  EXPECT_EQ(records[2].kind, "security_group.delete");
}

}  // namespace
}  // namespace picket::state
