// Conditions, log sources, filters, processing pipelines; and what is said about documents that cannot be used.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "condition_parser.h"
#include "sigma_words.h"

namespace picket::sigma {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kThree = "  sel_a: {a: 1}\n  sel_b: {b: 1}\n  _hidden: {h: 1}\n";

bool condition_hit(const std::string& condition, const Pairs& event) {
  return !matched(load_rules(rule_with(std::string(kThree) + "  condition: " + condition + "\n")), event).empty();
}
std::string condition_refused(const std::string& condition) {
  return complaints_about(rule_with(std::string(kThree) + "  condition: " + condition + "\n"));
}

TEST(SigmaCondition, BindsNotBeforeAndBeforeOr) {
  const Pairs a{{"a", number(1)}};
  const Pairs both{{"a", number(1)}, {"b", number(1)}};
  EXPECT_TRUE(condition_hit("sel_a or sel_b and sel_b", a));
  EXPECT_FALSE(condition_hit("(sel_a or sel_b) and sel_b", a));
  EXPECT_TRUE(condition_hit("sel_a and not sel_b", a));
  EXPECT_FALSE(condition_hit("sel_a AND NOT sel_b", both));
  EXPECT_TRUE(condition_hit("not not sel_a", a));
}

TEST(SigmaCondition, ThemLeavesOutNamesWithAnUnderscore) {
  const Pairs both{{"a", number(1)}, {"b", number(1)}};
  EXPECT_TRUE(condition_hit("all of them", both));
  EXPECT_FALSE(condition_hit("all of them", {{"a", number(1)}}));
  EXPECT_FALSE(condition_hit("1 of them", {{"h", number(1)}}));
  EXPECT_TRUE(condition_hit("1 of sel_*", {{"b", number(1)}}));
  EXPECT_TRUE(condition_hit("1 of *_b", {{"b", number(1)}}));
  EXPECT_TRUE(condition_hit("1 of _*", {{"h", number(1)}}));
  EXPECT_TRUE(condition_hit("sel_a and _hidden", {{"a", number(1)}, {"h", number(1)}}));
}

TEST(SigmaCondition, MayBeAListOfWhichOneSuffices) {
  EXPECT_TRUE(condition_hit("[sel_a, sel_b]", {{"b", number(1)}}));
  EXPECT_FALSE(condition_hit("[sel_a, sel_b]", {{"h", number(1)}}));
}

TEST(SigmaCondition, IsRefusedByName) {
  EXPECT_THAT(condition_refused("sel_c"), HasSubstr("there is no search identifier 'sel_c'"));
  EXPECT_THAT(condition_refused("1 of filter_*"), HasSubstr("no search identifier fits 'filter_*'"));
  EXPECT_THAT(condition_refused("2 of sel_*"), HasSubstr("'2 of' is not supported"));
  EXPECT_THAT(condition_refused("sel_a | count() > 5"),
              HasSubstr("aggregations behind '|' are no longer part of Sigma"));
  EXPECT_THAT(condition_refused("sel_a and"), HasSubstr("ends too early"));
  EXPECT_THAT(condition_refused("(sel_a"), HasSubstr("a bracket is not closed"));
  EXPECT_THAT(condition_refused("sel_a sel_b"), HasSubstr("'sel_b' is not expected here"));
  EXPECT_THAT(condition_refused("sel_*"), HasSubstr("needs '1 of' or 'all of'"));
  EXPECT_THAT(condition_refused("'" + std::string(100, '(') + "sel_a" + std::string(100, ')') + "'"),
              HasSubstr("deep"));
}

TEST(SigmaCondition, IsTheSameWhenWrittenOutAndReadAgain) {
  for (const char* text : {"a", "a and b or not c", "(a or b) and 1 of x*", "all of them and not (a or not b)"}) {
    const Condition once = parse_condition(text, 1);
    EXPECT_EQ(parse_condition(to_string(once), 1), once) << text;
  }
}

TEST(SigmaSelections, AreMapsListsOfMapsOrTexts) {
  const RuleSet rules = load_rules(rule_with("  s:\n    - {a: 1, b: 2}\n    - {c: 3}\n    - word\n  condition: s\n"));
  EXPECT_TRUE(matched(rules, {{"a", number(1)}}).empty());
  EXPECT_EQ(matched(rules, {{"a", number(1)}, {"b", number(2)}}).size(), 1u);
  EXPECT_EQ(matched(rules, {{"c", number(3)}}).size(), 1u);
  EXPECT_EQ(matched(rules, {{"z", text("a word")}}).size(), 1u);
}

TEST(SigmaLogSource, LeavesFreeWhatARuleDoesNotName) {
  const RuleSet rules = load_rules(
      "title: P\nlogsource: {product: linux}\ndetection: {s: {a: 1}, condition: s}\n---\n"
      "title: S\nlogsource: {product: linux, service: sshd}\ndetection: {s: {a: 1}, condition: s}\n---\n"
      "title: C\nlogsource: {category: dns}\ndetection: {s: {a: 1}, condition: s}\n");
  const Pairs event{{"a", number(1)}};
  EXPECT_THAT(matched(rules, event, {"", "linux", "sshd"}), ElementsAre("P", "S"));
  EXPECT_THAT(matched(rules, event, {"process_creation", "linux", ""}), ElementsAre("P"));
  EXPECT_THAT(matched(rules, event, {"dns", "anything", "x"}), ElementsAre("C"));
  EXPECT_THAT(matched(rules, event, {"", "windows", ""}), IsEmpty());
  Matcher matcher(rules);
  EXPECT_EQ(matcher.route({"", "windows", "a"}), matcher.route({"", "macos", "b"})) << "no rule tells them apart";
}

constexpr std::string_view kFiltered = R"(
title: R
id: 11111111-1111-4111-8111-111111111111
name: my_rule
logsource: {category: process_creation, product: linux}
detection: {s: {Image|endswith: /nc}, condition: s}
---
)";

TEST(SigmaFilter, TakesAwayFromTheRulesItNames) {
  for (const char* condition : {"selection", "not selection", "1 of sel*"}) {
    const RuleSet rules = load_rules(std::string(kFiltered) +
                                     "title: F\nlogsource: {category: process_creation, product: linux}\nfilter:\n  "
                                     "rules: [my_rule]\n  selection: {User|startswith: adm_}\n  condition: " +
                                     condition + "\n");
    EXPECT_THAT(rules.rules()[0].filters, ElementsAre("F"));
    EXPECT_EQ(matched(rules, {{"Image", text("/bin/nc")}, {"User", text("bob")}}).size(), 1u) << condition;
    EXPECT_TRUE(matched(rules, {{"Image", text("/bin/nc")}, {"User", text("adm_bob")}}).empty()) << condition;
    EXPECT_TRUE(matched(rules, {{"Image", text("/bin/ls")}, {"User", text("bob")}}).empty()) << condition;
  }
}

TEST(SigmaFilter, IsRefusedWhereItFitsNoRule) {
  const auto about = [](const std::string& source, const std::string& rule) {
    return complaints_about(std::string(kFiltered) + "title: F\nlogsource: " + source + "\nfilter:\n  rules: [" + rule +
                            "]\n  selection: {a: 1}\n  condition: selection\n");
  };
  EXPECT_THAT(about("{product: linux}", "my_rule"), IsEmpty());
  EXPECT_THAT(about("{product: linux}", "other"), HasSubstr("names the rule 'other', which is not there"));
  EXPECT_THAT(about("{product: windows}", "my_rule"), HasSubstr("for another log source"));
  EXPECT_THAT(
      complaints_about("title: F\nlogsource: {product: linux}\nfilter: {selection: {a: 1}, condition: selection}\n"),
      HasSubstr("filter.rules is missing"));
}

TEST(SigmaProcessing, ChangesRules) {
  Complaints complaints;
  const auto processing = Processing::parse("p.yml", R"(
name: test
transformations:
  - {id: a, type: field_name_mapping, mapping: {CommandLine: cmd, Image: [exe, path]}}
  - type: change_logsource
    category: process
    product: device
    rule_conditions: [{type: logsource, category: process_creation}]
  - type: add_condition
    conditions: {kind: exec}
    rule_conditions: [{type: contains_field, field: cmd}]
  - type: drop_detection_item
    field_name_conditions: [{type: include_fields, fields: [noise]}]
  - type: rule_failure
    message: windows is not for us
    rule_conditions: [{type: logsource, product: windows}]
)",
                                            complaints);
  ASSERT_TRUE(processing) << to_string(complaints.at(0));
  const RuleSet rules =
      load_rules(rule_with("  s: {CommandLine|contains: x, Image: /bin/y, noise: 1}\n  condition: s\n"), &*processing);
  const LogSource source{"process", "device", ""};
  EXPECT_EQ(matched(rules, {{"cmd", text("axb")}, {"path", text("/bin/y")}, {"kind", text("exec")}}, source).size(),
            1u);
  EXPECT_EQ(matched(rules, {{"cmd", text("axb")}, {"exe", text("/bin/y")}, {"kind", text("exec")}}, source).size(), 1u);
  EXPECT_TRUE(matched(rules, {{"cmd", text("axb")}, {"exe", text("/bin/y")}}, source).empty()) << "the added condition";
  Documents documents;
  EXPECT_EQ(read_documents("w.yml", "title: W\nlogsource: {product: windows}\ndetection: {s: {a: 1}, condition: s}\n",
                           &*processing, documents, complaints),
            0u);
  ASSERT_EQ(complaints.size(), 1u);
  EXPECT_THAT(to_string(complaints[0]), HasSubstr("windows is not for us"));
}

TEST(SigmaProcessing, RefusesWhatItDoesNotKnowByName) {
  const auto about = [](std::string_view yaml) {
    Complaints complaints;
    EXPECT_FALSE(Processing::parse("p.yml", yaml, complaints));
    return complaints.empty() ? std::string() : to_string(complaints[0]);
  };
  EXPECT_THAT(about("transformations: [{type: set_state, key: a}]"), HasSubstr("'set_state' is not supported"));
  EXPECT_THAT(about("transformations: [{type: rule_failure, message: x, rule_conditions: [{type: is_sigma_rule}]}]"),
              HasSubstr("'is_sigma_rule' is not supported"));
  EXPECT_THAT(about("transformations: [{type: drop_detection_item}]"), HasSubstr("drops everything"));
  EXPECT_THAT(about("name: x"), HasSubstr("transformations is missing"));
}

TEST(SigmaDocuments, StandForThemselves) {
  const std::string broken = rule_with("  s: {a|what: 1}\n  condition: s\n", "Broken");
  Documents documents;
  Complaints complaints;
  EXPECT_EQ(read_documents("f.yml",
                           rule_with("  s: {a: 1}\n  condition: s\n") + "---\n" + broken + "---\n" +
                               rule_with("  s: {b: 1}\n  condition: s\n"),
                           nullptr, documents, complaints),
            2u);
  EXPECT_EQ(documents.rules.size(), 2u);
  EXPECT_EQ(complaints.size(), 1u);
}

TEST(SigmaDocuments, CarryWhatTheLicenceAsksFor) {
  const RuleSet rules = load_rules(
      "title: T\nid: 11111111-1111-4111-8111-111111111111\nauthor: Some One\nlicense: DRL-1.1\nreferences: "
      "[https://example.org/a]\nlevel: high\ntags: [attack.t1059.004]\n"
      "logsource: {product: linux}\ndetection: {s: {a: 1}, condition: s}\n");
  const Head& head = rules.rules()[0].head;
  EXPECT_EQ(head.author, "Some One");
  EXPECT_EQ(head.license, "DRL-1.1");
  EXPECT_THAT(head.references, ElementsAre("https://example.org/a"));
  EXPECT_EQ(head.level, Level::high);
}

struct Broken {
  const char* yaml;
  const char* what;
};

class SigmaMalformed : public testing::TestWithParam<Broken> {};

TEST_P(SigmaMalformed, IsRefusedWithTheReason) {
  EXPECT_THAT(complaints_about(GetParam().yaml), HasSubstr(GetParam().what));
}

INSTANTIATE_TEST_SUITE_P(
    Documents, SigmaMalformed,
    testing::Values(
        Broken{"a: [", "this is not YAML"}, Broken{"- a", "the document is not a map"},
        Broken{"title: T\nlogsource: {product: l}", "not exactly one of detection, correlation, filter"},
        Broken{"logsource: {product: l}\ndetection: {s: {a: 1}, condition: s}", "title is missing"},
        Broken{"title: T\ndetection: {s: {a: 1}, condition: s}", "logsource is missing"},
        Broken{"title: T\nlogsource: {definition: x}\ndetection: {s: {a: 1}, condition: s}",
               "neither category, product nor service"},
        Broken{"title: T\nlogsource: {product: l}\ndetection: {s: {a: 1}}", "detection.condition is missing"},
        Broken{"title: T\nlogsource: {product: l}\ndetection: {condition: s}", "no search identifier"},
        Broken{"title: T\nlogsource: {product: l}\ndetection: {s: text, condition: s}", "neither a map nor a list"},
        Broken{"title: T\nlogsource: {product: l}\ndetection: {s: {}, condition: s}", "a selection is empty"},
        Broken{"title: T\nlogsource: {product: l}\ndetection: {s: {a: []}, condition: s}", "empty list"},
        Broken{"title: T\nlogsource: {product: l}\ndetection: {s: {a: {b: 1}}, condition: s}",
               "a list or map inside its values"},
        Broken{"title: T\nlogsource: {product: l}\ndetection: {s: {a: 1}, condition: s, timeframe: 5m}",
               "'timeframe' is no longer part"},
        Broken{"action: global\ntitle: T", "'action' is not supported"},
        Broken{"title: T\nid: nope\nlogsource: {product: l}\ndetection: {s: {a: 1}, condition: s}", "is not a UUID"},
        Broken{"title: T\nlevel: severe\nlogsource: {product: l}\ndetection: {s: {a: 1}, condition: s}",
               "level 'severe' is unknown"},
        Broken{"title: T\nstatus: done\nlogsource: {product: l}\ndetection: {s: {a: 1}, condition: s}",
               "status 'done' is unknown"},
        Broken{"title: T\ndate: 2024/01/01\nlogsource: {product: l}\ndetection: {s: {a: 1}, condition: s}",
               "is not a date"},
        Broken{"title: T\ntags: [Attack]\nlogsource: {product: l}\ndetection: {s: {a: 1}, condition: s}",
               "has not the form namespace.name"},
        Broken{"title: T\nrelated: [{id: 11111111-1111-4111-8111-111111111111, type: cousin}]\nlogsource: {product: "
               "l}\ndetection: {s: {a: 1}, condition: s}",
               "type 'cousin' is unknown"},
        Broken{"title: T\ntitle: U", "stands twice in one map"}, Broken{"title: &a {x: *a}", "an alias stands inside"},
        Broken{"base: &b {x: 1}\ntitle: {<<: *b}", "merge key"}, Broken{"title: !python/object x", "tag"},
        Broken{"{[a]: b}", "used as a key"}, Broken{",a: b", "belongs to nothing"},
        Broken{"a: b\n]", "this is not YAML"}));

TEST(SigmaMalformed, TitlesHaveABound) {
  const auto about = [](std::size_t size) {
    return complaints_about(rule_with("  s: {a: 1}\n  condition: s\n", std::string(size, 't')));
  };
  EXPECT_THAT(about(256), IsEmpty());
  EXPECT_THAT(about(257), HasSubstr("title has more than 256 characters"));
}

TEST(SigmaMalformed, AliasesCannotGrowWithoutBound) {
  std::string yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    yaml += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) yaml += (j == 0 ? "*a" : ", *a") + std::to_string(i - 1);
    yaml += "]\n";
  }
  EXPECT_THAT(complaints_about(yaml), HasSubstr("values, aliases written out"));
}

TEST(SigmaMalformed, DepthAndSizeHaveBounds) {
  EXPECT_THAT(complaints_about("a: " + std::string(40, '[') + std::string(40, ']')), HasSubstr("deep"));
  EXPECT_THAT(complaints_about(std::string(5'000'000, ' ')), HasSubstr("bytes"));
  EXPECT_THAT(complaints_about("title: " + std::string(70'000, 'x')), HasSubstr("bytes"));
}

TEST(SigmaMalformed, IdsAndNamesAreGivenOnce) {
  const std::string rule = "title: T\nname: n\nlogsource: {product: l}\ndetection: {s: {a: 1}, condition: s}\n";
  EXPECT_THAT(complaints_about(rule + "---\n" + rule), HasSubstr("'n' is the id or name of another document"));
}

}  // namespace
}  // namespace picket::sigma
