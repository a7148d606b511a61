#include "hub/condition.h"

#include <gmock/gmock.h>

#include "case_file.h"

namespace picket::hub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const char* name_of(Truth truth) { return truth == Truth::yes ? "yes" : (truth == Truth::no ? "no" : "undefined"); }

JsonValue json(std::string_view text) {
  auto parsed = parse_json(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : JsonValue();
}

// A message for routing conditions, kept as one document with four parts.
class MessageResolver final : public Resolver {
 public:
  explicit MessageResolver(const JsonValue& message) : message_(message) {}
  [[nodiscard]] const JsonValue* resolve(const FieldPath& path) const override {
    constexpr const char* kParts[] = {"", "application", "system", "body", "twin"};
    return walk(*message_.find(kParts[static_cast<int>(path.root)]), path.steps, true);
  }

 private:
  const JsonValue& message_;
};

template <class MakeResolver>
void run_cases(const std::string& file, Dialect dialect, MakeResolver make) {
  JsonValue document;
  int cases = 0;
  for_each_line(file, [&](const std::string& line, int number) {
    const std::size_t space = line.find(' ');
    const std::string expected = line.substr(0, space);
    if (expected == "document") {
      document = json(line.substr(space));
      return;
    }
    ++cases;
    const auto condition = Condition::compile(line.substr(space + 1), dialect);
    ASSERT_TRUE(condition) << file << ":" << number << ": " << condition.error().message;
    EXPECT_EQ(name_of(condition->truth(make(document))), expected) << file << ":" << number << ": " << line;
  });
  EXPECT_GT(cases, 10);
}

TEST(Condition, AnswersTheCasesOfTwins) {
  run_cases("twins.txt", Dialect::twins, [](const JsonValue& document) { return DocumentResolver(document); });
}

TEST(Condition, AnswersTheCasesOfRoutes) {
  run_cases("routes.txt", Dialect::routes, [](const JsonValue& document) { return MessageResolver(document); });
}

TEST(Condition, SaysWhereAndWhatIsWrong) {
  for_each_line("errors.txt", [](const std::string& line, int number) {
    const std::size_t first = line.find('|');
    const std::size_t second = line.find('|', first + 1);
    const auto condition = Condition::compile(line.substr(second + 1), Dialect::twins);
    ASSERT_FALSE(condition) << number;
    EXPECT_EQ(condition.error().code, kArgumentInvalid);
    EXPECT_THAT(condition.error().message, StartsWith(line.substr(0, first))) << line;
    EXPECT_THAT(condition.error().message, HasSubstr(line.substr(first + 1, second - first - 1))) << line;
  });
}

TEST(Condition, CountsLinesAndCharacters) {
  EXPECT_THAT(Condition::compile("a = 'ä'\n  AND 'öö' ;", Dialect::twins).error().message,
              StartsWith("Line 2, column 12:"));
}

TEST(Condition, RefusesPartsOfMessagePropertiesAndWholeBodies) {
  EXPECT_FALSE(Condition::compile("severity.x = 1", Dialect::routes));
  EXPECT_FALSE(Condition::compile("$contentType.x = 1", Dialect::routes));
  EXPECT_FALSE(Condition::compile("$body = 1", Dialect::routes));
  EXPECT_FALSE(Condition::compile("$twin = 1", Dialect::routes));
}

TEST(Condition, BoundsDepthNodesAndLength) {
  const auto nested = [](int levels) {
    return std::string(static_cast<std::size_t>(levels), '(') + "a" +
           std::string(static_cast<std::size_t>(levels), ')');
  };
  EXPECT_TRUE(Condition::compile(nested(kQueryDepthMax - 1), Dialect::twins));
  EXPECT_FALSE(Condition::compile(nested(kQueryDepthMax), Dialect::twins));
  std::string nots;
  for (int i = 0; i < 100; ++i) nots += "NOT ";
  EXPECT_FALSE(Condition::compile(nots + "a", Dialect::twins));
  EXPECT_FALSE(Condition::compile(std::string(100, '-') + "1", Dialect::twins));
  std::string chain = "a";
  for (int i = 0; i < 8000; ++i) chain += " OR a";
  EXPECT_TRUE(Condition::compile(chain, Dialect::twins));
  for (int i = 0; i < 500; ++i) chain += " OR a";
  EXPECT_FALSE(Condition::compile(chain, Dialect::twins));
  EXPECT_FALSE(Condition::compile("a" + std::string(kQueryTextBytesMax, ' '), Dialect::twins));
  EXPECT_FALSE(Condition::compile(std::string_view("a\0", 2), Dialect::twins));
  EXPECT_FALSE(Condition::compile("a = '\xFF'", Dialect::twins));
}

TEST(Condition, KnowsWhichDevicesCanMatch) {
  const auto ids = [](const char* text) { return Condition::compile(text, Dialect::twins)->device_ids(); };
  EXPECT_THAT(*ids("deviceId = 'a'"), ElementsAre("a"));
  EXPECT_THAT(*ids("'a' = DEVICEID AND tags.x = 1"), ElementsAre("a"));
  EXPECT_THAT(*ids("tags.x = 1 AND deviceId IN ['b', 'a', 'b']"), ElementsAre("a", "b"));
  EXPECT_FALSE(ids("deviceId = 'a' OR tags.x = 1"));
  EXPECT_FALSE(ids("deviceId != 'a'"));
  EXPECT_FALSE(ids("NOT deviceId = 'a'"));
  EXPECT_FALSE(ids("deviceId = tags.x"));
  EXPECT_FALSE(ids("tags.deviceId = 'a'"));
}

TEST(Condition, NamesThePathsItReads) {
  const auto condition = Condition::compile("$body.a[0].b = 1 AND x = $twin.tags.t AND x IN [$y]", Dialect::routes);
  std::vector<std::string> names;
  for (const FieldPath& path : condition->paths()) names.push_back(path.to_string());
  EXPECT_THAT(names, ElementsAre("$body.a[0].b", "x", "$twin.tags.t", "$y"));
  EXPECT_TRUE(condition->reads(FieldPath::Root::body));
  EXPECT_TRUE(condition->reads(FieldPath::Root::twin));
  EXPECT_FALSE(Condition::compile("x = 'a'", Dialect::routes)->reads(FieldPath::Root::body));
}

}  // namespace
}  // namespace picket::hub
