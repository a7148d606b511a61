#include "hub/query.h"

#include <map>

#include <gmock/gmock.h>

namespace picket::hub {
namespace {

using testing::HasSubstr;

JsonValue json(std::string_view text) {
  auto parsed = parse_json(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : JsonValue();
}

// Rows in a map, counted as they are read.
class MapRows final : public RowSource {
 public:
  std::map<std::pair<std::string, std::string>, JsonValue> rows;
  std::size_t read = 0;

  void add(const std::string& first, const std::string& document) { rows[{first, ""}] = json(document); }
  HubResult<std::vector<QueryRow>> after(std::string_view first, std::string_view second,
                                         std::size_t count_max) override {
    std::vector<QueryRow> out;
    for (auto at = rows.upper_bound({std::string(first), std::string(second)});
         at != rows.end() && out.size() < count_max; ++at) {
      out.push_back({at->first.first, at->first.second, at->second});
    }
    read += out.size();
    return out;
  }
  HubResult<std::vector<QueryRow>> of_device(std::string_view device_id) override {
    std::vector<QueryRow> out;
    for (const auto& [key, document] : rows) {
      if (key.first == device_id) out.push_back({key.first, key.second, document});
    }
    read += out.size();
    return out;
  }
};

class QueryTest : public testing::Test {
 protected:
  QueryTest() {
    rows.add("a", R"({"deviceId":"a","tags":{"site":"n","n":1}})");
    rows.add("b", R"({"deviceId":"b","tags":{"site":"s","n":2.5}})");
    rows.add("c", R"({"deviceId":"c","tags":{"site":"n","n":10}})");
    rows.add("d", R"({"deviceId":"d","tags":{}})");
    rows.add("e", R"({"deviceId":"e","tags":{"site":null,"n":"text"}})");
  }
  std::string run(const std::string& text) {
    const auto query = Query::compile(text);
    if (!query) return query.error().message;
    const auto page = run_query(*query, rows, "", kQueryPageMax);
    return page ? page->items : page.error().message;
  }
  MapRows rows;
};

TEST_F(QueryTest, SelectsWholeRows) {
  EXPECT_EQ(run("SELECT * FROM devices WHERE tags.n > 2"),
            R"([{"deviceId":"b","tags":{"n":2.5,"site":"s"}},{"deviceId":"c","tags":{"n":10,"site":"n"}}])");
  EXPECT_EQ(run("select * from devices where tags.n > 100"), "[]");
}

TEST_F(QueryTest, ProjectsWhatIsDefined) {
  EXPECT_EQ(run("SELECT deviceId, tags.site AS where_ FROM devices WHERE deviceId IN ['a','d','e']"),
            R"([{"deviceId":"a","where_":"n"},{"deviceId":"d"},{"deviceId":"e","where_":null}])");
  EXPECT_EQ(run("SELECT TOP 1 tags.n * 2 AS double_ FROM devices"), R"([{"double_":2}])");
}

TEST_F(QueryTest, NamesTheKindOfItsItems) {
  EXPECT_EQ(Query::compile("SELECT * FROM devices")->item_type(), "Twin");
  EXPECT_EQ(Query::compile("SELECT * FROM devices.modules")->item_type(), "Twin");
  EXPECT_EQ(Query::compile("SELECT * FROM devices.jobs WHERE devices.jobs.jobId = 'j'")->item_type(), "DeviceJob");
  EXPECT_EQ(Query::compile("SELECT deviceId FROM devices")->item_type(), "Raw");
  EXPECT_EQ(Query::compile("SELECT count() FROM devices")->item_type(), "Raw");
}

TEST_F(QueryTest, Aggregates) {
  EXPECT_EQ(run("SELECT COUNT() AS total, avg(tags.n) AS mean, sum(tags.n) AS s, min(tags.n) AS lo, max(tags.n) AS hi "
                "FROM devices"),
            R"([{"hi":10,"lo":1,"mean":4.5,"s":13.5,"total":5}])");
  EXPECT_EQ(run("SELECT COUNT(*) FROM devices WHERE tags.site = 'x'"), R"([{"count":0}])");
  EXPECT_EQ(run("SELECT avg(tags.n) AS m, sum(tags.n) AS s FROM devices WHERE deviceId = 'd'"), R"([{"s":0}])");
}

TEST_F(QueryTest, GroupsAndTellsUndefinedFromNull) {
  EXPECT_EQ(run("SELECT tags.site AS site, COUNT() AS n FROM devices GROUP BY tags.site"),
            R"([{"n":2,"site":"n"},{"n":1,"site":"s"},{"n":1,"site":null},{"n":1}])");
  EXPECT_EQ(run("SELECT TOP 1 tags.site FROM devices GROUP BY tags.site"), R"([{"site":"n"}])");
  EXPECT_EQ(run("SELECT COUNT() FROM devices WHERE false GROUP BY tags.site"), "[]");
}

TEST_F(QueryTest, RefusesWhatTheLanguageDoesNotHave) {
  EXPECT_THAT(run("SELECT * FROM devices ORDER BY deviceId"), HasSubstr("no ORDER BY"));
  EXPECT_THAT(run("SELECT * FROM things"), HasSubstr("devices.modules or devices.jobs"));
  EXPECT_THAT(run("SELECT * FROM devices.things"), HasSubstr("modules or jobs"));
  EXPECT_THAT(run("SELECT tags.a, COUNT() FROM devices"), HasSubstr("neither an aggregate nor in GROUP BY"));
  EXPECT_THAT(run("SELECT * FROM devices GROUP BY tags.a"), HasSubstr("needs columns"));
  EXPECT_THAT(run("SELECT COUNT() FROM devices.jobs"), HasSubstr("devices.jobs takes no aggregates"));
  EXPECT_THAT(run("SELECT tags.a, properties.a FROM devices"), HasSubstr("AS"));
  EXPECT_THAT(run("SELECT 1 + 1 FROM devices"), HasSubstr("AS"));
  EXPECT_THAT(run("SELECT TOP 0 * FROM devices"), HasSubstr("TOP"));
  EXPECT_THAT(run("DELETE FROM devices"), HasSubstr("Line 1, column 1: expected SELECT"));
  EXPECT_THAT(run("SELECT * FROM devices WHERE count() > 1"), HasSubstr("no function 'count'"));
  EXPECT_THAT(run("SELECT *\nFROM devices\nHAVING x"), HasSubstr("Line 3, column 1"));
}

TEST_F(QueryTest, ReadsOnlyTheDevicesThatAConditionNames) {
  for (int i = 0; i < 1000; ++i) rows.add("z" + std::to_string(i), R"({"deviceId":"z"})");
  EXPECT_EQ(run("SELECT deviceId FROM devices WHERE deviceId IN ['c', 'a', 'nobody']"),
            R"([{"deviceId":"a"},{"deviceId":"c"}])");
  EXPECT_EQ(rows.read, 2u);
}

TEST_F(QueryTest, PagesSurviveChangesBetweenThem) {
  MapRows many;
  for (int i = 100; i < 400; ++i)
    many.add("d" + std::to_string(i),
             "{\"deviceId\":\"d" + std::to_string(i) + "\",\"n\":" + std::to_string(i % 3) + "}");
  const auto query = Query::compile("SELECT deviceId FROM devices WHERE n = 0");
  std::map<std::string, int> seen;
  std::string continuation;
  std::size_t pages = 0;
  do {
    const auto page = run_query(*query, many, continuation, 7);
    ASSERT_TRUE(page);
    EXPECT_LE(page->count, 7u);
    for (const JsonValue& item : *json(page->items).array()) ++seen[std::string(item.text_of("deviceId"))];
    continuation = page->continuation;
    ++pages;
    many.rows.erase({"d1" + std::to_string(10 + pages), ""});  // one that was shown or passed by may go
    many.add("c" + std::to_string(pages),
             R"({"deviceId":"new","n":0})");  // one before the place does not appear
  } while (!continuation.empty());
  EXPECT_GT(pages, 10u);
  for (const auto& [id, times] : seen) EXPECT_EQ(times, 1) << id;
  for (int i = 200; i < 400; ++i) {
    if (i % 3 == 0) EXPECT_EQ(seen["d" + std::to_string(i)], 1) << i;
  }
}

TEST_F(QueryTest, TopHoldsOverAllPages) {
  const auto query = Query::compile("SELECT TOP 3 deviceId FROM devices");
  const auto first = run_query(*query, rows, "", 2);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->count, 2u);
  const auto second = run_query(*query, rows, first->continuation, 2);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->items, R"([{"deviceId":"c"}])");
  EXPECT_EQ(second->continuation, "");
}

TEST_F(QueryTest, GroupsComeInPagesToo) {
  const auto query = Query::compile("SELECT tags.site FROM devices GROUP BY tags.site");
  std::string all;
  std::string continuation;
  do {
    const auto page = run_query(*query, rows, continuation, 3);
    ASSERT_TRUE(page);
    all += page->items;
    continuation = page->continuation;
  } while (!continuation.empty());
  EXPECT_EQ(all, R"([{"site":"n"},{"site":"s"},{"site":null}][{}])");
}

TEST_F(QueryTest, RefusesContinuationsThatAreNotItsOwn) {
  const auto first = Query::compile("SELECT * FROM devices");
  const auto other = Query::compile("SELECT * FROM devices WHERE true");
  const auto page = run_query(*first, rows, "", 1);
  ASSERT_TRUE(page);
  EXPECT_EQ(run_query(*other, rows, page->continuation, 1).error().code, kArgumentInvalid);
  for (const char* bad : {"x", "AAAA", "bnVsbA==", "W10=", "WzEsMiwzLDRd"}) {
    EXPECT_EQ(run_query(*first, rows, bad, 1).error().code, kArgumentInvalid) << bad;
  }
}

TEST_F(QueryTest, LongTextsReadFewerRows) {
  std::string text = "SELECT COUNT() FROM devices WHERE deviceId NIN ['x'";
  EXPECT_EQ(Query::compile(text + "]")->rows_max(), kQueryRowsMax);
  for (int i = 0; i < 4'000; ++i) text += ",'y'";
  const auto query = Query::compile(text + "]");
  ASSERT_TRUE(query);
  EXPECT_LE(query->rows_max(), kQueryWorkMax / 4'000);
}

TEST_F(QueryTest, APageReadsABoundedNumberOfRows) {
  MapRows many;
  for (std::size_t i = 0; i < kQueryRowsPerPageMax + 300; ++i) many.add(std::to_string(1'000'000 + i), "{\"n\":1}");
  const auto query = Query::compile("SELECT * FROM devices WHERE n = 2");
  const auto first = run_query(*query, many, "", 10);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->items, "[]");
  EXPECT_NE(first->continuation, "");
  EXPECT_LE(many.read, kQueryRowsPerPageMax + 512);
  const auto second = run_query(*query, many, first->continuation, 10);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->continuation, "");
}

}  // namespace
}  // namespace picket::hub
