// A query of a device's events gives the same rows whether a path into EventDetails is read from the promoted column or
// from the text.
#include "query_schema.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "api/kql_request.h"
#include "kql/compile.h"
#include "kql/duckdb.h"
#include "message/decoder.h"
#include "pipeline/tables.h"
#include "row_batch.h"
#include "row_builder.h"
#include "workspace/tables.h"
#include "workspace/workspace.h"

namespace picket::server {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr Timestamp kNow{1'795'000'000'000'000};

/// What honest, careless and hostile senders put under the same keys.
const std::vector<std::pair<std::string, std::string>> kItems{
    {"ProcessCreate",
     R"({"Executable":"/bin/sh","ProcessId":7,"ParentProcessId":1,"UserId":"0","CommandLine":"sh -c id"})"},
    {"ProcessCreate",
     R"({"Executable":"/bin/ls","ProcessId":"8","ParentProcessId":1.0,"UserId":0,"CommandLine":null})"},
    {"ProcessCreate", R"({"Executable":["/bin/a"],"ProcessId":9.5,"UserId":{"a":1},"CommandLine":"","HitCount":3})"},
    {"ProcessCreate", R"({"Executable":"/x","Executable":"/y","ProcessId":18446744073709551615,"CommandLine":"5"})"},
    {"ProcessCreate",
     R"({"ProcessId":true,"UserId":"a\"b\u00e9\\","ExecutableDeleted":true,"CommandLine":"x\u0000y"})"},
    {"ProcessTerminate", R"({"Executable":"/bin/sh","ProcessId":7,"ExitStatus":-1,"ExecutableDeleted":"true"})"},
    {"ConnectionCreate",
     R"({"RemoteAddress":"192.0.2.1","RemotePort":"443","ProcessId":7,"Direction":"Out","BytesIn":12})"},
    {"ConnectionCreate", R"({"RemoteAddress":"192.0.2.2","RemotePort":443,"ProcessId":"7","BytesIn":1e3})"},
    {"Login", R"({"UserName":"root","Result":"Fail","ProcessId":3,"Executable":"/usr/sbin/sshd"})"},
    {"Login", R"({"UserName":7,"Result":true})"},
    {"ListeningPorts", R"({"LocalPort":"22","LocalAddress":"0.0.0.0","Protocol":"tcp"})"},
    {"SomethingNew", R"({"Executable":"/opt/x","ProcessId":5,"UserName":"u","RemoteAddress":"a"})"},
    {"Heartbeat", R"({})"},
};

class QuerySchemaTest : public testing::Test {
 protected:
  QuerySchemaTest() {
    std::string pattern = testing::TempDir() + "picket_query_schema_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    workspace::DuckdbOptions options;
    options.directory = folder_;
    options.background = false;
    options.register_functions = [](void* connection) {
      return kql::register_kql_functions(static_cast<duckdb_connection>(connection)).has_value();
    };
    workspace_ = *workspace::open_duckdb_workspace(std::move(options), tables_, clock_);
    add_all();
    EXPECT_TRUE(workspace_->flush().has_value());
    add_all();  // once more, where they stay in memory
  }
  ~QuerySchemaTest() override {
    workspace_.reset();
    std::filesystem::remove_all(folder_);
  }

  void add_all() {
    for (const auto& [name, details] : kItems) add(name, details);
  }
  void add(const std::string& name, const std::string& details) {
    const std::string text =
        R"({"MessageSchemaVersion":"3.0","Events":[{"Id":"e","EventType":"Security","Category":"Triggered","Name":")" +
        name +
        R"(","IsEmpty":false,"PayloadSchemaVersion":"1.0","TimestampLocal":"2026-11-18 11:00:00","TimestampUTC":"2026-11-18 11:00:00","Payload":[)" +
        details + "]}]}";
    pipeline::RowBatch batch;
    const auto& message = batch.keep(*decoder_.decode(as_bytes(text), {}));
    ASSERT_EQ(message.events.size(), 1u) << text;
    journal::RecordView record;
    record.identity.hub = "plant";
    record.identity.device_id = "press-17";
    record.enqueued = kNow - Duration::minutes(1);
    record.id = {0, ++sequence_};
    for (const auto& item : message.events[0].items)
      builder_.add_item(record, message, message.events[0], item, {sequence_, 0, 0}, kNow - Duration::minutes(2),
                        batch);
    ASSERT_TRUE(workspace_->append(workspace::kMessagesStream, sequence_, batch.rows()).has_value());
  }

  /// The rows, sorted, as text; "error: …" when there are none.
  std::vector<std::string> rows(const std::string& query, const kql::Schema& schema) {
    const auto compiled = kql::compile(query, schema, {.now = kNow, .computed = computed_});
    if (!compiled) return {"error: " + kql::render(compiled.error().front(), query)};
    sql_ = compiled->sql;
    workspace::QueryRequest request = api::request_of(*compiled);
    const auto found = workspace_->query(request);
    if (!found) return {"error: " + found.error().text + "\n" + compiled->sql};
    std::vector<std::string> out;
    for (std::size_t row = 0; row < found->rows; ++row) {
      std::string& line = out.emplace_back();
      for (std::size_t column = 0; column < found->columns.size(); ++column)
        line += text_of(found->at(row, column)) + "|";
    }
    std::ranges::sort(out);
    return out;
  }
  static std::string text_of(const workspace::Cell& cell) {
    using Kind = workspace::Cell::Kind;
    switch (cell.kind()) {
      case Kind::null:
        return "null";
      case Kind::boolean:
        return cell.as_boolean() ? "true" : "false";
      case Kind::integer:
        return std::to_string(cell.as_integer());
      case Kind::real:
        return std::to_string(cell.as_real());
      case Kind::timestamp:
        return std::to_string(cell.as_timestamp().us);
      case Kind::text:
        return std::string(cell.as_text());
    }
    return {};
  }
  static kql::Schema without_promotions(kql::Schema schema) {
    for (kql::Table& table : schema.tables)
      for (kql::Column& column : table.columns) column.promotions.clear();
    return schema;
  }

  std::string folder_;
  ManualClock clock_{kNow};
  workspace::Schema tables_ = pipeline::make_workspace_schema();
  kql::Schema schema_ = make_query_schema(tables_);
  std::unique_ptr<workspace::Workspace> workspace_;
  pipeline::RowBuilder builder_{tables_, "0b5e2a52"};
  message::Decoder decoder_;
  std::uint64_t sequence_ = 0;
  kql::ComputedColumns computed_ = kql::ComputedColumns::none;
  std::string sql_;
};

/// The same with columns that are computed in each piece of a table.
class QuerySchemaPiecesTest : public QuerySchemaTest {
 protected:
  QuerySchemaPiecesTest() {
    // Sealed with hostile rows, sealed without, hot with them.
    EXPECT_TRUE(workspace_->flush().has_value());
    for (const auto item : {0, 6, 8, 12}) add(kItems[item].first, kItems[item].second);
    EXPECT_TRUE(workspace_->flush().has_value());
    add_all();
  }
};

TEST_F(QuerySchemaPiecesTest, APathIsReadFromItsColumnWithTheSameAnswer) {
  const kql::Schema plain = without_promotions(schema_);
  constexpr const char* kEverything =
      "project RawEventName, tostring(p), tolong(p), todouble(p), tobool(p), a = p == 7, b = p > 4, c = p == true, "
      "isnull(p), d = isempty(tostring(p)), e = p == 'root' or p == '443', f = p has 'sh', g = p in ('0', '22')";
  for (const std::string table : {"SecurityIoTRawEvent", "DefenderIoTRawEvent", "ProcessEvents", "DeviceEvents"}) {
    const std::string event = table == "DefenderIoTRawEvent" ? "EventDetails" : "parse_json(EventDetails)";
    for (const std::string key : {"Executable", "ProcessId", "UserId", "UserName", "CommandLine", "RemotePort",
                                  "BytesIn", "HitCount", "ExecutableDeleted", "ExitStatus", "Result", "LocalPort"}) {
      for (const std::string end : {kEverything, "where p == '/bin/sh' or p == 7 | count",
                                    "extend q = tostring(p) | where q startswith '/bin' | summarize count() by q"}) {
        std::string query = table;
        query += " | extend p = " + event + "." + key + " | " + end;
        const auto slow = rows(query, plain);
        for (const auto computed : {kql::ComputedColumns::none, kql::ComputedColumns::allowed}) {
          if (computed == kql::ComputedColumns::none && table != "SecurityIoTRawEvent") continue;
          computed_ = computed;
          EXPECT_EQ(rows(query, schema_), slow) << query << "\n" << sql_;
        }
        ASSERT_THAT(slow, testing::Each(Not(testing::StartsWith("error")))) << query;
      }
    }
  }
}

TEST_F(QuerySchemaTest, TheColumnsAreReallyUsed) {
  ASSERT_THAT(rows("SecurityIoTRawEvent | where parse_json(EventDetails).UserName == 'root'", schema_), Not(IsEmpty()));
  EXPECT_THAT(sql_, HasSubstr("\"UserName\""));
  computed_ = kql::ComputedColumns::allowed;
  ASSERT_THAT(rows("SecurityIoTRawEvent | where parse_json(EventDetails).UserName == 'root'", schema_), Not(IsEmpty()));
  EXPECT_THAT(sql_, HasSubstr("\"_k"));
}

TEST_F(QuerySchemaTest, HiddenColumnsAnswerWhenTheyAreNamed) {
  EXPECT_EQ(rows("SecurityIoTRawEvent | summarize count() by Type", schema_),
            (std::vector<std::string>{"SecurityIoTRawEvent|26|"}));
  EXPECT_EQ(rows("union LoginEvents, NetworkEvents | summarize count() by Type", schema_),
            (std::vector<std::string>{"LoginEvents|4|", "NetworkEvents|6|"}));
  EXPECT_EQ(rows("SecurityIoTRawEvent | where _BilledSize > 0 and _IsBillable == 'false' | count", schema_),
            (std::vector<std::string>{"26|"}));
  EXPECT_EQ(rows("SecurityIoTRawEvent | getschema | where ColumnName startswith '_' or ColumnName == 'Type'", schema_),
            std::vector<std::string>{});
  EXPECT_THAT(rows("SecurityIoTRawEvent | summarize by DeviceId | where Type == 'x'", schema_)[0],
              testing::StartsWith("error"))
      << "a summary has no table";
}

TEST_F(QuerySchemaTest, IngestionTimeIsWhenTheHubTookTheMessage) {
  const std::string taken = std::to_string((kNow - Duration::minutes(1)).us);
  EXPECT_EQ(rows("SecurityIoTRawEvent | summarize by t = ingestion_time()", schema_),
            (std::vector<std::string>{taken + "|"}));
  EXPECT_EQ(rows("union LoginEvents, NetworkEvents | summarize by t = ingestion_time()", schema_),
            (std::vector<std::string>{taken + "|"}));
}

}  // namespace
}  // namespace picket::server
