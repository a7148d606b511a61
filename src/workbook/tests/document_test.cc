// Files of workbooks, as they come from the original's gallery and its solutions.
#include "workbook/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket::workbook {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kNotebook = R"json({"version":"Notebook/1.0","items":[
  {"type":9,"content":{"version":"KqlParameterItem/1.0","parameters":[
    {"id":"1","name":"Help","label":"Guide","type":10,"isRequired":true,"jsonData":"[\r\n {\"value\": \"Yes\", \"label\": \"Yes\", \"selected\":true},\r\n {\"value\": \"No\"}\r\n]"},
    {"id":"2","name":"Workspace","type":5,"multiSelect":true,"quote":"'","delimiter":",","query":"resources\r\n| project id","queryType":1,"value":["value::all"]},
    {"id":"3","name":"TimeRange","type":4,"value":{"durationMs":2592000000},"typeSettings":{"selectableValues":[{"durationMs":3600000}],"allowCustom":true}}]}},
  {"type":1,"content":{"json":"# Title"},"conditionalVisibility":{"parameterName":"Help","comparison":"isEqualTo","value":"Yes"}},
  {"type":11,"content":{"version":"LinkItem/1.0","style":"tabs","links":[
    {"cellValue":"TAB","linkTarget":"parameter","linkLabel":"Alerts","subTarget":"alerts"},
    {"cellValue":"TAB","linkTarget":"parameter","linkLabel":"Inventory","subTarget":"inventory"},
    {"linkTarget":"OpenBlade","linkLabel":"Blade"}]}},
  {"type":12,"content":{"version":"NotebookGroup/1.0","groupType":"editable","items":[
    {"type":3,"content":{"version":"KqlItem/1.0","query":"SecurityAlert | summarize count()",
                     "queryType" : 0, "timeContext" : {"durationMs" : 7776000000},
                     "timeContextFromParameter" : "TimeRange",
                     "visualization" : "tiles",
                     "exportFieldName" : "AlertName",
                     "exportParameterName" : "Picked"
}
},
    {"type":3,"content":{"query":"{\"version\":\"1.0.0\"}","queryType":8}},
    {"type":10,"content":{"version":"MetricsItem/2.0"}},
    {"type":3,"content":{"query":"T","visualization":"graph"}},
    {"type":3,"content":{"query":"T","gridSettings":{"hierarchySettings":{"treeType":1},
     "formatters":[{"columnMatch":"a","formatter":8},{"columnMatch":"b","formatter":99},{"columnMatch":"c","formatter":99}]}}}]
}
}]
})json";

std::vector<std::string> constructs(const Document& document) {
  std::vector<std::string> out;
  for (const Note& note : document.notes) out.push_back(note.path + " " + note.construct);
  return out;
}

TEST(Document, OfOneChoiceOneOptionIsSelected) {
  const auto document = read_document(R"({"version":"Notebook/1.0","items":[{"type":9,"content":{"parameters":[
    {"name":"One","type":2,"jsonData":"[{\"value\":\"1h\",\"selected\":true},{\"value\":\"1d\",\"selected\":true}]"},
    {"name":"Two","type":2,"multiSelect":true,"jsonData":"[{\"value\":\"a\",\"selected\":true},{\"value\":\"b\",\"selected\":true}]"}]}}]})");
  ASSERT_TRUE(document.has_value());
  EXPECT_THAT(document->parameter("One")->defaults, ElementsAre("1h"));
  EXPECT_THAT(document->parameter("Two")->defaults, ElementsAre("a", "b"));
}

TEST(Document, ItsPartsAreFoundByTheirPlace) {
  const auto document = read_document(kNotebook);
  ASSERT_TRUE(document.has_value());
  ASSERT_NE(document->query("3.0"), nullptr);
  EXPECT_EQ(document->query("3.0")->time_parameter, "TimeRange");
  EXPECT_EQ(document->query("0:Workspace")->source, Source::resources);
  EXPECT_THAT(document->parameter("Help")->defaults, ElementsAre("Yes"));
  EXPECT_EQ(document->parameter("TimeRange")->duration, Duration::days(30));
  EXPECT_THAT(document->exports.at("TAB").values, ElementsAre("alerts", "inventory"));
  EXPECT_TRUE(document->knows("Picked"));
  EXPECT_FALSE(document->knows("Else"));
}

TEST(Document, WhatStandsBeforeARowIsChosenIsTheAuthors) {
  const auto document = read_document(R"({"version":"Notebook/1.0","items":[
    {"type":3,"content":{"query":"T","exportFieldName":"Name","exportParameterName":"One","exportDefaultValue":"*"}},
    {"type":3,"content":{"query":"T","exportedParameters":[{"parameterName":"Two","defaultValue":""},{"parameterName":"Three"}]}},
    {"type":3,"content":{"query":"T","exportMultipleValues":true,"exportedParameters":[
      {"parameterName":"Rows","parameterType":1},{"parameterName":"Bare","quote":"","delimiter":";"},{"parameterType":1}]}}]})");
  ASSERT_TRUE(document.has_value());
  EXPECT_THAT(document->exports.at("One").values, ElementsAre("*"));
  EXPECT_THAT(document->exports.at("Two").values, ElementsAre(""));
  EXPECT_THAT(document->exports.at("Three").values, IsEmpty());
  EXPECT_FALSE(document->exports.at("Three").several);
  EXPECT_TRUE(document->exports.at("Rows").several);
  EXPECT_EQ(document->exports.at("Rows").quote, "'");
  EXPECT_EQ(document->exports.at("Bare").quote, "");
  EXPECT_EQ(document->exports.at("Bare").delimiter, ";");
  EXPECT_EQ(document->exports.size(), 5u);
  const auto pie = read_document(R"({"version":"Notebook/1.0","items":[
    {"type":3,"content":{"query":"T","visualization":"piechart","exportedParameters":[{"parameterName":"Part"}]}}]})");
  EXPECT_THAT(constructs(*pie), ElementsAre("0 choice in a piechart"));
}

TEST(Document, WhatCannotBeShownIsNamedInItsPlace) {
  EXPECT_THAT(constructs(*read_document(kNotebook)),
              ElementsAre("2 link OpenBlade", "3.1 JSON", "3.2 metrics", "3.3 visualization graph", "3.4 tree",
                          "3.4 formatter 99"));
}

TEST(File, OfASolutionHoldsItsWorkbooks) {
  const std::string file = R"({"$schema":"x","variables":{"name":"Plant \"floor\""},"resources":[
    {"type":"Microsoft.OperationalInsights/workspaces/providers/contentTemplates","properties":{"mainTemplate":{"resources":[
      {"type":"Microsoft.Insights/workbooks","properties":{"displayName":"[variables('name')]","description":"Of alerts.",
       "serializedData":"{\"version\":\"Notebook/1.0\",\"items\":[{\"type\":1,\"content\":{\"json\":\"hi\"}}]}"}}]}}},
    {"type":"Microsoft.Insights/workbooks","properties":{"displayName":"Second","serializedData":"{\"version\":\"Notebook/1.0\",\"items\":[]}"}}]})";
  const auto documents = read_file(file);
  ASSERT_TRUE(documents.has_value()) << documents.error();
  ASSERT_EQ(documents->size(), 2u);
  EXPECT_EQ((*documents)[0].name, "Plant \"floor\"");
  EXPECT_EQ((*documents)[0].description, "Of alerts.");
  EXPECT_EQ((*documents)[1].name, "Second");
}

TEST(File, ItsNamesAreWhatTheTemplateSaysOfThem) {
  const std::string file =
      R"json({"parameters":{"name":{"defaultValue":"Plant floor"},"now":{"defaultValue":"[utcNow('g')]"}},
    "variables":{"content":{"version":"Notebook/1.0","items":[{"type":1,"content":{"json":"hi"}}]},"outer":"Outer"},"resources":[
    {"type":"Microsoft.Insights/workbooks","properties":{"displayName":"[concat(parameters('name'), ' - ', parameters('now'))]",
     "description":"[newGuid()]","serializedData":"[string(variables('content'))]"}},
    {"type":"Microsoft.Resources/deployments","properties":{"template":{"variables":{"inner":"[toUpper('inner')]"},"resources":[
      {"type":"Microsoft.Insights/workbooks","properties":{"displayName":"[format('{0} {1}', variables('outer'), variables('inner'))]",
       "serializedData":"{\"version\":\"Notebook/1.0\",\"items\":[]}"}}]}}}]})json";
  const auto documents = read_file(file);
  ASSERT_TRUE(documents.has_value()) << documents.error();
  ASSERT_EQ(documents->size(), 2u);
  EXPECT_EQ((*documents)[0].name, "Plant floor") << "the time of a deployment is not part of it";
  EXPECT_EQ((*documents)[0].description, "");
  EXPECT_THAT((*documents)[0].json, HasSubstr("\"hi\""));
  EXPECT_EQ((*documents)[1].name, "Outer INNER");
}

TEST(File, OfOneResourceOrOneNotebookIsTakenToo) {
  EXPECT_EQ(read_file(kNotebook)->size(), 1u);
  EXPECT_EQ(
      read_file(
          R"({"type":"Microsoft.Insights/workbooks","properties":{"displayName":"R","serializedData":"{\"version\":\"Notebook/1.0\",\"items\":[]}"}})")
          ->at(0)
          .name,
      "R");
  EXPECT_TRUE(read_file(std::string("\xEF\xBB\xBF") + kNotebook).has_value()) << "with a byte order mark";
}

TEST(File, ThatIsNoWorkbookIsRefusedInWords) {
  EXPECT_THAT(read_file("{").error(), HasSubstr("not JSON"));
  EXPECT_THAT(read_file("[]").error(), HasSubstr("not JSON"));
  EXPECT_THAT(read_file("{}").error(), HasSubstr("no workbook"));
  EXPECT_THAT(read_file(R"({"items":[]})").error(), HasSubstr("Notebook/1.0"));
  EXPECT_THAT(read_file(R"({"resources":[{"properties":{"serializedData":"{"}}]})").error(),
              HasSubstr("serializedData"));
  EXPECT_THAT(read_file(std::string(kFileBytesMax + 1, ' ')).error(), HasSubstr("8 MiB"));
}

TEST(Document, DeepAndLongOnesEndAtTheirBounds) {
  std::string deep = R"({"type":1,"content":{"json":"x"}})";
  for (int i = 0; i < kDepthMax + 1; ++i) deep = R"({"type":12,"content":{"items":[)" + deep + "]}}";
  EXPECT_FALSE(read_document(R"({"version":"Notebook/1.0","items":[)" + deep + "]}").has_value());
  std::string items;
  for (std::size_t i = 0; i <= kItemsMax; ++i) items += std::string(i == 0 ? "" : ",") + R"({"type":1})";
  EXPECT_FALSE(read_document(R"({"version":"Notebook/1.0","items":[)" + items + "]}").has_value());
}

TEST(Document, OddShapesAreEmptyNotFatal) {
  const auto odd = read_document(
      R"({"version":"Notebook/1.0","items":[1,null,{},{"type":"x"},{"type":9,"content":{"parameters":[1,{},{"name":"A"}]}},
    {"type":3},{"type":11,"content":{"links":[3]}},{"type":12,"content":{"items":7}}]})");
  ASSERT_TRUE(odd.has_value());
  EXPECT_EQ(odd->parameters.size(), 1u);
  EXPECT_EQ(odd->queries.size(), 1u);
}

}  // namespace
}  // namespace picket::workbook
