#include "workbook/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workbook/shipped.h"

namespace picket::workbook {
namespace {

using ::testing::HasSubstr;

TEST(Check, TriesEachQueryWithEachOptionAndTellsThePlace) {
  const auto document = read_document(R"({"version":"Notebook/1.0","items":[
    {"type":9,"content":{"parameters":[{"name":"By","type":2,"isRequired":true,"jsonData":"[\"DeviceId\",\"Nope\"]"}]}},
    {"type":3,"content":{"title":"Counts","query":"T | summarize count() by {By}","queryType":0}},
    {"type":3,"content":{"title":"Elsewhere","query":"resources","queryType":1}}]})");
  std::vector<std::string> asked;
  const auto problems = check(*document, Timestamp{0}, [&](std::string_view query) -> std::optional<std::string> {
    asked.emplace_back(query);
    return query.contains("Nope") ? std::optional<std::string>("no column 'Nope'") : std::nullopt;
  });
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].path, "1");
  EXPECT_EQ(problems[0].title, "Counts");
  EXPECT_THAT(problems[0].message, HasSubstr("Nope"));
  EXPECT_EQ(asked.size(), 3u) << "not the one that is no KQL";
}

TEST(Check, GivesARowWhereAQueryReadsOne) {
  const auto document = read_document(R"json({"version":"Notebook/1.0","items":[
    {"type":3,"content":{"query":"T","queryType":0,"exportFieldName":"","exportParameterName":"Row"}},
    {"type":3,"content":{"query":"let row = dynamic({Row}); T | where Name == row.Name","queryType":0}}]})json");
  std::vector<std::string> asked;
  const auto problems = check(*document, Timestamp{0}, [&](std::string_view query) -> std::optional<std::string> {
    asked.emplace_back(query);
    return std::nullopt;
  });
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(asked.at(1), "let row = dynamic({}); T | where Name == row.Name");
}

TEST(Check, TriesListsOfRowsWithAndWithoutRows) {
  const auto document = read_document(R"json({"version":"Notebook/1.0","items":[
    {"type":3,"content":{"query":"T","exportMultipleValues":true,"exportedParameters":[{"fieldName":"Name","parameterName":"Names"}]}},
    {"type":3,"content":{"title":"Of them","query":"T | where Name in ({Names})"}}]})json");
  std::vector<std::string> asked;
  const auto problems = check(*document, Timestamp{0}, [&](std::string_view query) -> std::optional<std::string> {
    asked.emplace_back(query);
    return query.contains("()") ? std::optional<std::string>("a value is expected") : std::nullopt;
  });
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].title, "Of them");
  EXPECT_EQ(asked.at(1), R"(T | where Name in ('sample','another\'s "sample"'))");
  EXPECT_EQ(asked.at(2), "T | where Name in ()");
}

TEST(Shipped, WorkbooksAreReadAndSayWhatTheyAreFor) {
  ASSERT_GE(shipped().size(), 5u);
  for (const Shipped& one : shipped()) {
    const auto document = read_document(one.text);
    ASSERT_TRUE(document.has_value()) << one.name << ": " << document.error();
    EXPECT_TRUE(document->notes.empty()) << one.name << ": " << document->notes[0].construct << " at "
                                         << document->notes[0].path;
    EXPECT_FALSE(document->queries.empty()) << one.name;
    EXPECT_GT(one.description.size(), 20u) << one.name;
  }
}

}  // namespace
}  // namespace picket::workbook
