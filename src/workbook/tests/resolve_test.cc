// What a value may be as a piece of a query, and that it can never be more.
#include "workbook/resolve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lexer.h"

namespace picket::workbook {
namespace {

using ::testing::HasSubstr;

constexpr Timestamp kNow{1'795'000'000'000'000};  // 2026-11-18T11:06:40Z

/// A workbook with one parameter of each kind.
Document sample() {
  auto out = read_document(R"({"version":"Notebook/1.0","items":[{"type":9,"content":{"parameters":[
    {"name":"Text","type":1,"isRequired":true},
    {"name":"Maybe","type":1},
    {"name":"One","type":2,"isRequired":true,"query":"T | distinct Name","queryType":0},
    {"name":"Fixed","type":2,"isRequired":true,"jsonData":"[{\"value\":\"| where N > 1\",\"label\":\"Many\"},{\"value\":\"| where Name == \\\"{Text}\\\"\"}]"},
    {"name":"Open","type":2,"jsonData":"[\"| where Name == 'x\"]"},
    {"name":"Several","type":2,"multiSelect":true,"quote":"'","delimiter":","},
    {"name":"Bare","type":2,"multiSelect":true,"delimiter":","},
    {"name":"TimeRange","type":4,"isRequired":true,"value":{"durationMs":86400000}},
    {"name":"Level","type":1,"criteriaData":[
      {"criteriaContext":{"leftOperand":"One","operator":"==","rightValType":"static","rightVal":"a","resultValType":"static","resultVal":"| where Name == '{Text}'"}},
      {"criteriaContext":{"operator":"Default","resultValType":"static","resultVal":"| take 3"}}]}
  ]}},{"type":3,"content":{"query":"T","queryType":0,"exportFieldName":"","exportParameterName":"Row"}},
  {"type":11,"content":{"links":[{"cellValue":"Tab","linkTarget":"parameter","subTarget":"first"}]}}]})");
  EXPECT_TRUE(out.has_value());
  return *std::move(out);
}

class Resolve : public testing::Test {
 protected:
  std::string text(std::string_view query) const {
    const auto out = resolve(document_, choices_, query, kNow);
    return out ? *out : "refused: " + out.error().parameter;
  }
  void choose(std::string name, std::vector<std::string> values) {
    choices_[std::move(name)] = Choice{.values = std::move(values)};
  }
  Document document_ = sample();
  Choices choices_ = initial_choices(document_);
};

TEST_F(Resolve, FormatsAreReadAsPublishedWorkbooksWriteThem) {
  choices_["One"] = Choice{.values = {"a'b"}, .labels = {"All"}};
  EXPECT_EQ(text("T | where '{One:lable}' == 'All'"), "T | where 'All' == 'All'");
  EXPECT_EQ(text("'{One:Label}'"), "'All'");
  EXPECT_EQ(text("'{One:escape}'"), R"('a\'b')");
  EXPECT_EQ(text("'{One:other}'"), "refused: One");
}

TEST_F(Resolve, ATimeRangeIsAConditionItsEndsAndAStep) {
  EXPECT_EQ(text("T | where TimeGenerated {TimeRange}"), "T | where TimeGenerated > ago(1d)");
  EXPECT_EQ(text("{TimeRange:query}"), "> ago(1d)");
  EXPECT_EQ(text("range({TimeRange:start}, {TimeRange:end}, {TimeRange:grain})"),
            "range(datetime(2026-11-17T11:06:40.000000Z), datetime(2026-11-18T11:06:40.000000Z), 30m)");
  EXPECT_EQ(text("datetime({TimeRange:start})"), "datetime(2026-11-17T11:06:40.000000Z)");
  EXPECT_EQ(text("'{TimeRange:end}'"), "'2026-11-18T11:06:40.000000Z'");
  choices_["TimeRange"] =
      read_choices(R"({"T":{"startTime":"2026-01-01T00:00:00Z","endTime":"2026-01-02T00:00:00Z"}})")->at("T");
  EXPECT_EQ(text("where t {TimeRange}"),
            "where t between (datetime(2026-01-01T00:00:00.000000Z) .. datetime(2026-01-02T00:00:00.000000Z))");
  EXPECT_EQ(text("{TimeRange:month}"), "refused: TimeRange");
}

TEST_F(Resolve, AValueStaysInItsLiteral) {
  choose("Text", {"a\" or 1 == 1 //\\'\n\t\x01"});
  EXPECT_EQ(text("N == \"{Text}\""), "N == \"a\\\" or 1 == 1 //\\\\'\\n\\t\\u0001\"");
  EXPECT_EQ(text("N == '{Text}'"), "N == 'a\" or 1 == 1 //\\\\\\'\\n\\t\\u0001'");
  EXPECT_EQ(text("N == @\"{Text}\""), "refused: Text") << "a verbatim literal has no line ends";
  choose("Text", {R"(C:\"x")"});
  EXPECT_EQ(text("N == @\"{Text}\""), R"(N == @"C:\""x""")");
  EXPECT_EQ(text("N == ```{Text}```"), R"(N == ```C:\"x"```)");
  choose("Text", {"```"});
  EXPECT_EQ(text("N == ```{Text}```"), "refused: Text");
  choose("Text", {"x\n| take 1"});
  EXPECT_EQ(text("T // {Text}\n| count"), "T // x | take 1\n| count");
}

TEST_F(Resolve, InCodeAValueIsOneWordOrNothing) {
  for (const char* good : {"5", "1.5", "1h", "DeviceId", "d.name", "true", "7b0272a3-1eca-4fca-b9d8-8bcbfb4be5b5"}) {
    choose("Text", {good});
    EXPECT_EQ(text("where a == {Text}"), std::string("where a == ") + good);
  }
  for (const char* bad : {"1 or true", "x | take 1", "a;b", "f()", "'x'", "a//b", "or", "not", "..", "a.", ".a", "1,2",
                          "x)", "--1", "a b"}) {
    choose("Text", {bad});
    EXPECT_EQ(text("where a == {Text}"), "refused: Text") << bad;
  }
  choose("Text", {"-5"});
  EXPECT_EQ(text("where a == {Text}"), "where a == -5");
  EXPECT_EQ(text("where a {Text} > 0"), "refused: Text") << "there it would be a subtraction";
  choose("Text", {"2026-01-01T00:00:00Z"});
  EXPECT_EQ(text("datetime({Text})"), "datetime(2026-01-01T00:00:00Z)");
  EXPECT_EQ(text("todatetime({Text})"), "refused: Text");
}

TEST_F(Resolve, SeveralValuesAreLiteralsOfTheirOwn) {
  choose("Several", {"a", "it's", "b') or ('x' == 'x"});
  EXPECT_EQ(text("where N in ({Several})"), R"(where N in ('a','it\'s','b\') or (\'x\' == \'x'))");
  EXPECT_EQ(text("split(\"{Several}\", ',')"), R"(split("'a','it's','b') or ('x' == 'x'", ','))");
  choose("Bare", {"1", "2"});
  EXPECT_EQ(text("in ({Bare})"), "in (1,2)");
  choose("Bare", {"1", "2) or (1 == 1"});
  EXPECT_EQ(text("in ({Bare})"), "refused: Bare");
  choose("Several", {});
  EXPECT_EQ(text("in ({Several})"), "in ()") << "nothing is required of it";
}

TEST_F(Resolve, OnlyTheAuthorWritesPiecesOfAQuery) {
  choose("Fixed", {"| where N > 1"});
  EXPECT_EQ(text("T {Fixed} | count"), "T | where N > 1 | count");
  choose("Fixed", {"| where N > 1 | take 5"});
  EXPECT_EQ(text("T {Fixed} | count"), "refused: Fixed");
  choose("Fixed", {"| where Name == \"{Text}\""});
  choose("Text", {"\" | take 1 //"});
  EXPECT_EQ(text("T {Fixed}"), "T | where Name == \"\\\" | take 1 //\"");
  choose("Open", {"| where Name == 'x"});
  EXPECT_EQ(text("T {Open} | where '1' == '1'"), "refused: Open") << "the author's literal has no end";
  choose("One", {"| count"});
  EXPECT_EQ(text("T {One}"), "refused: One") << "that came from rows, not from the author";
}

TEST_F(Resolve, ATextThatFollowsFromOthersIsTheAuthorsWithValuesInIt) {
  choose("One", {"a"});
  choose("Text", {"x' or '1' == '1"});
  EXPECT_EQ(text("T {Level}"), R"(T | where Name == 'x\' or \'1\' == \'1')");
  choose("One", {"b"});
  EXPECT_EQ(text("T {Level}"), "T | take 3");
}

TEST_F(Resolve, ARowGivesItsCellsAndItsJson) {
  choose("Row", {R"({"Name":"a\"b","n":{"x":[1,{"y z":2}]}})"});
  EXPECT_EQ(text("where N == \"{Row:$.Name}\""), R"(where N == "a\"b")");
  EXPECT_EQ(text("take {Row:$.n.x[1]['y z']}"), "take 2");
  EXPECT_EQ(text("print dynamic({Row})"), R"(print dynamic({"Name":"a\"b","n":{"x":[1,{"y z":2}]}}))");
  EXPECT_EQ(text("print {Row}"), "refused: Row");
  EXPECT_EQ(text("print '{Row:$.none}'"), "print ''");
}

TEST_F(Resolve, EscapesAskedForAreNotDoubled) {
  choose("Text", {"a\"b\nc"});
  EXPECT_EQ(text("parse_json(\"{Text:escapejson}\")"), R"(parse_json("a\"b\nc"))");
  EXPECT_EQ(text("'{Text:base64}'"), "'YSJiCmM='");
  EXPECT_EQ(text("'{Text:rot13}'"), "refused: Text");
}

TEST_F(Resolve, WhatIsUnsetWaitsAndUnknownNamesAreBraces) {
  const auto waits = resolve(document_, {}, "where N == '{Text}'", kNow);
  ASSERT_FALSE(waits.has_value());
  EXPECT_TRUE(waits.error().unset);
  EXPECT_EQ(waits.error().parameter, "Text");
  EXPECT_EQ(text("where N == '{Maybe}'"), "where N == ''");
  EXPECT_EQ(text("let f = () {T}; dynamic({\"a\":1}) {unknown} {unknown:x}"),
            "let f = () {T}; dynamic({\"a\":1}) {unknown} {unknown:x}");
  EXPECT_TRUE(resolve(document_, choices_, "'{Row}'", kNow).error().unset);
  EXPECT_EQ(text("'{Tab}'"), "'first'");
}

TEST(Rows, ThatAreChosenTogetherAreAListWhichIsEmptyAtFirst) {
  const auto document = read_document(R"({"version":"Notebook/1.0","items":[
    {"type":3,"content":{"query":"T","exportMultipleValues":true,"exportedParameters":[{"fieldName":"Name","parameterName":"Names"}]}},
    {"type":3,"content":{"query":"T","exportFieldName":"Name","exportParameterName":"Name","exportDefaultValue":"*"}}]})");
  ASSERT_TRUE(document.has_value());
  Choices choices = initial_choices(*document);
  const auto text = [&](std::string_view query) {
    return resolve(*document, choices, query, kNow).value_or("refused");
  };
  EXPECT_EQ(text("let n = dynamic('{Names}'); T | where isempty(n)"), "let n = dynamic(''); T | where isempty(n)");
  EXPECT_EQ(text("dynamic([{Names}])"), "dynamic([])");
  EXPECT_EQ(text("'{Name}' == '*'"), "'*' == '*'") << "the author's value for no row";
  choices["Names"] = Choice{.values = {"press", "o'brien') or ('1' == '1"}};
  EXPECT_EQ(text("in ({Names})"), R"(in ('press','o\'brien\') or (\'1\' == \'1'))");
  EXPECT_EQ(text("dynamic(\"{Names}\")"), R"(dynamic("'press','o'brien') or ('1' == '1'"))");
  choices["Name"] = Choice{.values = {"') or ('1' == '1"}};
  EXPECT_EQ(text("'{Name}' == '*'"), R"('\') or (\'1\' == \'1' == '*')");
}

TEST_F(Resolve, ALoopOfAuthorsTextsEnds) {
  const auto loop = read_document(R"({"version":"Notebook/1.0","items":[{"type":9,"content":{"parameters":[
    {"name":"A","type":2,"jsonData":"[\"{A}{A}\"]","value":"{A}{A}"}]}}]})");
  const auto out = resolve(*loop, initial_choices(*loop), "{A}", kNow);
  ASSERT_FALSE(out.has_value());
  EXPECT_THAT(out.error().message, HasSubstr("itself"));
}

TEST(Choices, OfWrongShapesAreRefused) {
  EXPECT_TRUE(
      read_choices(R"({"a":"x","b":["1",2],"c":null,"d":{"durationMs":1000},"e":{"values":["x"],"labels":["X"]}})")
          .has_value());
  for (const char* bad :
       {"", "[]", R"({"a":{"durationMs":-1}})", R"({"a":{"durationMs":99999999999999999}})", R"({"a":{}})",
        R"({"a":{"startTime":"2026-01-02T00:00:00Z","endTime":"2026-01-01T00:00:00Z"}})",
        R"({"a":{"startTime":"x","endTime":"y"}})"})
    EXPECT_FALSE(read_choices(bad).has_value()) << bad;
}

TEST(TimeOf, IsTheParametersThenTheItemsOwn) {
  const Document document = sample();
  Query query{.path = "1", .title = "", .text = "T", .time_parameter = "TimeRange", .duration = Duration::hours(1)};
  EXPECT_EQ(time_of(document, initial_choices(document), query, kNow)->from, kNow - Duration::days(1));
  query.time_parameter.clear();
  EXPECT_EQ(time_of(document, {}, query, kNow)->from, kNow - Duration::hours(1));
  query.duration.reset();
  EXPECT_FALSE(time_of(document, {}, query, kNow).has_value());
}

/// Whatever stands in a parameter, the words of the query around it are those of the workbook.
TEST_F(Resolve, HostileValuesLeaveTheTokensAroundThemAlone) {
  const std::vector<std::string> hostile{"'",
                                         "\"",
                                         "\\",
                                         "\\'",
                                         "//",
                                         "*/",
                                         "`",
                                         "```",
                                         "~~~",
                                         "\n",
                                         "\r\n",
                                         "');",
                                         "{Text}",
                                         "@\"",
                                         "h'",
                                         "\"\"",
                                         "'; T | count //",
                                         "\\\\' | take 1",
                                         "\xE2\x80\xA8",
                                         "]]",
                                         "| union T",
                                         "set x=1;",
                                         "{TimeRange:start}"};
  const std::vector<std::string> queries{"T | where N == '{Text}' | count",
                                         "T | where N == \"a{Text}b\" | count",
                                         "T | where N == @'{Text}' | count",
                                         "T | where N == ```{Text}``` | count",
                                         "T // {Text}\n| count",
                                         "T | where N in ({Several}) | count",
                                         "T | where N == {Text} | count"};
  for (const std::string& query : queries) {
    choose("Text", {"x"});
    choose("Several", {"x"});
    const std::string harmless = text(query);
    const auto expected = kql::tokenize(harmless);
    ASSERT_TRUE(expected.has_value()) << query;
    for (const std::string& value : hostile) {
      choose("Text", {value});
      choose("Several", {value});
      const std::string made = text(query);
      if (made.starts_with("refused")) continue;
      const auto tokens = kql::tokenize(made);
      ASSERT_TRUE(tokens.has_value()) << made;
      ASSERT_EQ(tokens->size(), expected->size()) << made;
      for (std::size_t i = 0; i < tokens->size(); ++i) {
        EXPECT_EQ((*tokens)[i].kind, (*expected)[i].kind) << made;
        if ((*tokens)[i].kind != kql::TokenKind::string) EXPECT_EQ((*tokens)[i].text, (*expected)[i].text) << made;
      }
    }
  }
}

}  // namespace
}  // namespace picket::workbook
