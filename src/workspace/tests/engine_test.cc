// Append, seal, query, open again: the one way of a row.
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixture.h"

namespace picket::workspace {
namespace {

using namespace testing;
using ::testing::HasSubstr;

class Engine : public ::testing::Test {
 protected:
  std::unique_ptr<Workspace> reopen() {
    workspace.reset();
    return open(small_options(folder.path()), clock);
  }
  TemporaryFolder folder;
  ManualClock clock{kStart};
  std::unique_ptr<Workspace> workspace = open(small_options(folder.path()), clock);
};

TEST_F(Engine, RowsAreVisibleWhenAppendReturns) {
  Batch batch;
  batch.process(1, 0, "pump", R"({"a":1})", 42).login(1, 0, "pump", true).process(2, 0, "valve", "x");
  ASSERT_TRUE(workspace->append("messages", 2, batch.rows()));
  EXPECT_EQ(workspace->hot_end("messages"), 2u);
  EXPECT_EQ(workspace->sealed_through("messages"), 0u);
  EXPECT_EQ(table(*workspace, "SELECT DeviceId, EventDetails, ProcessId FROM Process ORDER BY _position"),
            R"(pump|{"a":1}|42;valve|x|1)");
  EXPECT_EQ(table(*workspace, "SELECT Ok, Score FROM Login"), "true|0.500000");
}

TEST_F(Engine, AnswersAreTheSameHotSealedAndReopened) {
  Batch batch;
  batch.process(1, 0, "pump", "short")
      .process(1, 1, "pump", "a text that is longer than twelve bytes")
      .login(1, 2, "pump", false);
  batch.add(kProcess, {3, 2, 5}, {});
  batch.process(4, 0, "", "", -7);
  ASSERT_TRUE(workspace->append("messages", 9, batch.rows()));
  const std::string query = "SELECT * FROM Process ORDER BY _position, _item";
  const std::string hot = table(*workspace, query);
  EXPECT_THAT(hot, HasSubstr("3|2|5|2025-10-09T08:53:20.000000Z|-|-|-|-|-"));
  ASSERT_TRUE(workspace->flush());
  EXPECT_EQ(workspace->sealed_through("messages"), 9u);
  EXPECT_EQ(workspace->stats().streams[0].hot_rows, 0u);
  EXPECT_EQ(table(*workspace, query), hot);
  workspace = reopen();
  EXPECT_EQ(workspace->hot_end("messages"), 9u);
  EXPECT_EQ(table(*workspace, query), hot);
  EXPECT_EQ(table(*workspace, "SELECT Ok FROM Login"), "false");
}

TEST_F(Engine, ViewsUniteTheirTablesHotAndSealed) {
  Batch first;
  first.process(1, 0, "pump", "abc").login(1, 0, "valve", true);
  ASSERT_TRUE(workspace->append("messages", 1, first.rows()));
  ASSERT_TRUE(workspace->flush());
  Batch second;
  second.process(2, 0, "fan", "hello");
  ASSERT_TRUE(workspace->append("messages", 2, second.rows()));
  EXPECT_EQ(table(*workspace, "SELECT DeviceId, Type, _BilledSize, _event FROM Event ORDER BY _position, _event"),
            "pump|Event|3.000000|0;valve|Event|2.000000|1;fan|Event|5.000000|0");
}

TEST_F(Engine, StreamsHavePositionsOfTheirOwn) {
  Batch alerts;
  alerts.alert(7, "Brute force");
  ASSERT_TRUE(workspace->append("derived", 7, alerts.rows()));
  EXPECT_EQ(workspace->hot_end("messages"), 0u);
  ASSERT_TRUE(workspace->append("messages", 3, records(1, 3).rows()));
  const QueryOutcome outcome = workspace->query(sql("SELECT Name, (SELECT count(*) FROM Process) FROM Alert"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->visible_through, (std::vector<std::uint64_t>{3, 7}));
  EXPECT_EQ(outcome->at(0, 1).as_integer(), 3);
}

TEST_F(Engine, AReplayedRecordIsHeldOnce) {
  ASSERT_TRUE(workspace->append("messages", 5, records(1, 5).rows()));
  ASSERT_TRUE(workspace->append("messages", 5, records(1, 5).rows()));
  ASSERT_TRUE(workspace->append("messages", 8, records(3, 6).rows()));
  ASSERT_TRUE(workspace->flush());
  workspace = reopen();
  ASSERT_TRUE(workspace->append("messages", 10, records(1, 10).rows()));
  EXPECT_EQ(table(*workspace, "SELECT count(*), count(DISTINCT _position), max(_position) FROM Process"), "10|10|10");
  EXPECT_EQ(workspace->stats().streams[0].rows_skipped, 8u);
}

TEST_F(Engine, RecordsWithoutRowsMoveThePositionOn) {
  ASSERT_TRUE(workspace->append("messages", 40, {}));
  EXPECT_EQ(workspace->hot_end("messages"), 40u);
  ASSERT_TRUE(workspace->flush());
  EXPECT_EQ(workspace->sealed_through("messages"), 40u);
  EXPECT_EQ(files(folder.path(), "messages"), 0u);
  workspace = reopen();
  EXPECT_EQ(workspace->hot_end("messages"), 40u);
}

TEST_F(Engine, ARefusedAppendLeavesNoTrace) {
  const auto where = [&](const Batch& batch, std::uint64_t through = 9) {
    const auto result = workspace->append("messages", through, batch.rows());
    return result ? std::string_view("accepted") : result.error().where;
  };
  EXPECT_EQ(where(Batch().process(2, 0, "a", "b").process(1, 0, "a", "b")), "workspace.append.order");
  EXPECT_EQ(where(Batch().process(2, 0, "a", "b").process(2, 0, "a", "b")), "workspace.append.order");
  EXPECT_EQ(where(Batch().process(10, 0, "a", "b")), "workspace.append.order");
  EXPECT_EQ(where(Batch().alert(1, "other stream")), "workspace.append.table");
  EXPECT_EQ(where(Batch().process(1, 0, "a", "b").process(2, 0, "a", "b", 1LL << 31)), "workspace.append.int32");
  EXPECT_EQ(where(Batch().add(kProcess, {1, 0, 0}, {Cell::integer(1)})), "workspace.append.cell_type");
  EXPECT_EQ(where(Batch().add(kProcess, {1, 0, 0}, std::vector<Cell>(6))), "workspace.append.cells");
  EXPECT_EQ(where(Batch().process(1, 1U << 31, "a", "b")), "workspace.append.int32");
  EXPECT_EQ(where(Batch(), 1ULL << 63), "workspace.append.order");
  EXPECT_EQ(workspace->append("nowhere", 1, {}).error().code, Errc::not_found);
  EXPECT_EQ(workspace->hot_end("messages"), 0u);
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Event"), 0);
}

TEST_F(Engine, TextThatIsNotUtf8IsRepairedAndCounted) {
  Batch batch;
  batch
      .process(1, 0, "caf\xC3\xA9",
               "a\xFF"
               "b\xC3")
      .process(2, 0, std::string("nul\0byte", 8), "fine");
  ASSERT_TRUE(workspace->append("messages", 2, batch.rows()));
  EXPECT_EQ(table(*workspace, "SELECT DeviceId, EventDetails FROM Process WHERE _position = 1"),
            "caf\xC3\xA9|a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
  EXPECT_EQ(number(*workspace, "SELECT strlen(DeviceId) FROM Process WHERE _position = 2"), 8);
  EXPECT_EQ(workspace->stats().streams[0].texts_repaired, 1u);
}

TEST_F(Engine, TimesBeyondTheCalendarAreClamped) {
  Batch batch;
  batch.process(1, 0, "a", "b", 1, Timestamp{std::numeric_limits<std::int64_t>::max()});
  batch.process(2, 0, "a", "b", 1, Timestamp{std::numeric_limits<std::int64_t>::min()});
  ASSERT_TRUE(workspace->append("messages", 2, batch.rows()));
  EXPECT_EQ(table(*workspace, "SELECT TimeGenerated FROM Process ORDER BY _position"),
            "9999-12-31T23:59:59.999999Z;0001-01-01T00:00:00.000000Z");
}

TEST_F(Engine, ASecondOwnerIsRefused) {
  const auto second = open_duckdb_workspace(small_options(folder.path()), small_schema(), clock);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::denied);
}

TEST_F(Engine, AColumnThatCameLaterIsNullInOldSegments) {
  ASSERT_TRUE(workspace->append("messages", 2, records(1, 2).rows()));
  ASSERT_TRUE(workspace->flush());
  workspace.reset();
  Schema schema = small_schema();
  schema.tables[kProcess].columns.push_back({"Hash", ColumnType::text});
  workspace = open(small_options(folder.path()), clock, schema);
  Batch batch;
  batch.add(kProcess, {3, 0, 0},
            {Cell::timestamp(kStart), Cell::null(), Cell::null(), Cell::null(), Cell::null(), batch.text("abc")});
  ASSERT_TRUE(workspace->append("messages", 3, batch.rows()));
  EXPECT_EQ(table(*workspace, "SELECT _position, Hash FROM Process ORDER BY 1"), "1|-;2|-;3|abc");
  ASSERT_TRUE(workspace->flush());
  EXPECT_EQ(table(*workspace, "SELECT _position, Hash FROM Process ORDER BY 1"), "1|-;2|-;3|abc");
}

TEST_F(Engine, ManyChunksKeepEveryValue) {
  // More than one vector, with texts of both of DuckDB's forms and columns that begin to be used late.
  Batch batch;
  for (std::uint64_t i = 1; i <= 5'000; ++i) {
    batch.process(i, 0, i % 3 == 0 ? "d" : "a device with a long name", std::string(i % 40, 'x'),
                  static_cast<std::int64_t>(i));
    if (i > 4'000) batch.login(i, 1, "late", i % 2 == 0);
  }
  ASSERT_TRUE(workspace->append("messages", 5'000, batch.rows()));
  const std::string query =
      "SELECT count(*), sum(ProcessId)::BIGINT, sum(strlen(EventDetails))::BIGINT, count(DISTINCT DeviceId) FROM "
      "Process";
  const std::string expected = "5000|12502500|97500|2";
  EXPECT_EQ(table(*workspace, query), expected);
  EXPECT_EQ(table(*workspace, "SELECT count(*), count_if(Ok) FROM Login"), "1000|500");
  ASSERT_TRUE(workspace->flush());
  EXPECT_EQ(table(*workspace, query), expected);
  EXPECT_EQ(table(*workspace, "SELECT count(*), count_if(Ok) FROM Login"), "1000|500");
}

}  // namespace
}  // namespace picket::workspace
