// Each modifier of Sigma 2.1: what matches, what does not, what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sigma_words.h"

namespace picket::sigma {
namespace {

using testing::HasSubstr;

bool hit(const std::string& line, const Pairs& event) {
  const RuleSet rules = load_rules(rule_with("  s:\n    " + line + "\n  condition: s\n"));
  return !matched(rules, event).empty();
}
std::string refused(const std::string& line) {
  return complaints_about(rule_with("  s:\n    " + line + "\n  condition: s\n"));
}

TEST(SigmaValues, IgnoreCaseAndAskForTheWholeText) {
  EXPECT_TRUE(hit("f: AbC", {{"f", text("aBc")}}));
  EXPECT_FALSE(hit("f: abc", {{"f", text("abcd")}}));
  EXPECT_FALSE(hit("f: abc", {{"f", text("xabc")}}));
  EXPECT_FALSE(hit("f: abc", {{"F", text("abc")}})) << "field names keep their case";
}

TEST(SigmaValues, HaveWildcardsAndThreeWaysToEscapeThem) {
  EXPECT_TRUE(hit("f: 'a*c?e'", {{"f", text("abbbcde")}}));
  EXPECT_FALSE(hit("f: 'a?c'", {{"f", text("ac")}})) << "? is exactly one character";
  EXPECT_TRUE(hit("f: 'a?c'", {{"f", text("a\xC3\xA9"
                                          "c")}}))
      << "of several bytes, perhaps";
  EXPECT_TRUE(hit(R"(f: 'a\*c')", {{"f", text("a*c")}}));
  EXPECT_FALSE(hit(R"(f: 'a\*c')", {{"f", text("abc")}}));
  EXPECT_TRUE(hit(R"(f: 'a\\*')", {{"f", text(R"(a\anything)")}})) << "an escaped backslash, then a wildcard";
  EXPECT_FALSE(hit(R"(f: 'a\\*')", {{"f", text("a*")}}));
  EXPECT_TRUE(hit(R"(f: 'a\\\*')", {{"f", text(R"(a\*)")}})) << "both escaped";
  EXPECT_TRUE(hit(R"(f: 'C:\dir\x')", {{"f", text(R"(C:\dir\x)")}})) << "other backslashes are plain";
  EXPECT_TRUE(hit(R"(f: 'a\\b')", {{"f", text(R"(a\b)")}}));
  EXPECT_TRUE(hit(R"(f|contains: 'dir\')", {{"f", text(R"(C:\dir\x)")}})) << "what the modifier adds is not escaped";
}

TEST(SigmaValues, TellNullEmptyAndAbsentApart) {
  EXPECT_TRUE(hit("f: null", {}));
  EXPECT_TRUE(hit("f: null", {{"f", Value{}}}));
  EXPECT_FALSE(hit("f: null", {{"f", text("")}}));
  EXPECT_TRUE(hit("f: ''", {{"f", text("")}}));
  EXPECT_FALSE(hit("f: ''", {}));
  EXPECT_FALSE(hit("f: ''", {{"f", Value{}}}));
  EXPECT_TRUE(hit("f: '*'", {{"f", text("")}}));
  EXPECT_FALSE(hit("f: '*'", {}));
  EXPECT_TRUE(hit("f: 'null'", {{"f", text("null")}})) << "in quotation marks it is a text";
  EXPECT_THAT(refused("f: [a, null]"), HasSubstr("null inside a list"));
  EXPECT_THAT(refused("f|contains: null"), HasSubstr("null with modifiers"));
}

TEST(SigmaValues, CompareNumbersAsValues) {
  EXPECT_TRUE(hit("f: 26", {{"f", number(26)}}));
  EXPECT_TRUE(hit("f: 26", {{"f", text("26")}}));
  EXPECT_TRUE(hit("f: '26'", {{"f", number(26)}}));
  EXPECT_TRUE(hit("f: 26", {{"f", Value::of(26.0)}}));
  EXPECT_TRUE(hit("f: 26.0", {{"f", number(26)}}));
  EXPECT_TRUE(hit("f: 0x1A", {{"f", number(26)}}));
  EXPECT_TRUE(hit("f: 2.50", {{"f", Value::of(2.5)}}));
  EXPECT_FALSE(hit("f: 26", {{"f", number(126)}}));
  EXPECT_FALSE(hit("f: 26", {{"f", text("26x")}}));
  EXPECT_TRUE(hit("f: 0777", {{"f", text("0777")}})) << "no number has a needless zero";
}

TEST(SigmaValues, OfOneFieldMayBeMany) {
  EXPECT_TRUE(hit("f: b", {{"f", text("a")}, {"f", text("b")}}));
  EXPECT_TRUE(hit("f|contains|all: [x, y]", {{"f", text("x")}, {"f", text("y")}}));
  EXPECT_FALSE(hit("f: c", {{"f", text("a")}, {"f", text("b")}}));
}

TEST(SigmaModifiers, PlaceTheValue) {
  EXPECT_TRUE(hit("f|contains: bc", {{"f", text("abcd")}}));
  EXPECT_TRUE(hit("f|startswith: ab", {{"f", text("abcd")}}));
  EXPECT_FALSE(hit("f|startswith: bc", {{"f", text("abcd")}}));
  EXPECT_TRUE(hit("f|endswith: cd", {{"f", text("abcd")}}));
  EXPECT_FALSE(hit("f|endswith: bc", {{"f", text("abcd")}}));
  EXPECT_TRUE(hit("f|contains: 44", {{"f", number(1444)}}));
  EXPECT_THAT(refused("f|contains|endswith: x"), HasSubstr("both 'contains' and 'endswith'"));
  EXPECT_THAT(refused("f|contains|contains: x"), HasSubstr("'contains' twice"));
}

TEST(SigmaModifiers, AllAsksForEveryValue) {
  EXPECT_TRUE(hit("f|contains|all: [a, b]", {{"f", text("xbxa")}}));
  EXPECT_FALSE(hit("f|contains|all: [a, b]", {{"f", text("xbx")}}));
  EXPECT_THAT(refused("f|contains|all: a"), HasSubstr("'all' with a single value"));
  EXPECT_THAT(refused("f|contains|all: [a]"), HasSubstr("'all' with a single value"));
}

TEST(SigmaModifiers, ExistsTestsPresenceOnly) {
  EXPECT_TRUE(hit("f|exists: true", {{"f", text("")}}));
  EXPECT_TRUE(hit("f|exists: true", {{"f", Value{}}}));
  EXPECT_FALSE(hit("f|exists: true", {}));
  EXPECT_TRUE(hit("f|exists: false", {}));
  EXPECT_FALSE(hit("f|exists: false", {{"f", text("x")}}));
  EXPECT_THAT(refused("f|exists: maybe"), HasSubstr("neither true nor false"));
  EXPECT_THAT(refused("f|exists|contains: true"), HasSubstr("do not go together"));
}

TEST(SigmaModifiers, CasedMindsCase) {
  EXPECT_TRUE(hit("f|cased: AbC", {{"f", text("AbC")}}));
  EXPECT_FALSE(hit("f|cased: AbC", {{"f", text("abc")}}));
  EXPECT_TRUE(hit("f|contains|cased: bC", {{"f", text("xbCx")}}));
  EXPECT_FALSE(hit("f|contains|cased: bC", {{"f", text("xBCx")}}));
  EXPECT_TRUE(hit("f|contains|cased: bC", {{"f", text("BCbC")}})) << "a later place counts, too";
  EXPECT_THAT(refused("f|re|cased: x"), HasSubstr("do not go together"));
}

TEST(SigmaModifiers, NeqIsTheOpposite) {
  EXPECT_TRUE(hit("f|neq: a", {{"f", text("b")}}));
  EXPECT_FALSE(hit("f|neq: a", {{"f", text("A")}}));
  EXPECT_FALSE(hit("f|neq: [a, b]", {{"f", text("b")}}));
  EXPECT_TRUE(hit("f|neq: 5", {{"f", number(6)}}));
  EXPECT_FALSE(hit("f|neq: 5", {{"f", text("5")}}));
  EXPECT_TRUE(hit("f|neq: a", {})) << "as under not";
  EXPECT_THAT(refused("f|neq|all: [a, b]"), HasSubstr("do not go together"));
}

TEST(SigmaModifiers, ExpressionsMindCaseAndAreFoundAnywhere) {
  EXPECT_TRUE(hit("f|re: 'b[0-9]+c'", {{"f", text("ab12cd")}}));
  EXPECT_FALSE(hit("f|re: 'B[0-9]+c'", {{"f", text("ab12cd")}}));
  EXPECT_TRUE(hit("f|re|i: 'B[0-9]+c'", {{"f", text("ab12cd")}}));
  EXPECT_TRUE(hit("f|re: '(?i)B'", {{"f", text("ab")}}));
  EXPECT_FALSE(hit("f|re: '^b'", {{"f", text("a\nb")}}));
  EXPECT_TRUE(hit("f|re|m: '^b'", {{"f", text("a\nb")}}));
  EXPECT_FALSE(hit("f|re: 'a.b'", {{"f", text("a\nb")}}));
  EXPECT_TRUE(hit("f|re|s: 'a.b'", {{"f", text("a\nb")}}));
  EXPECT_TRUE(hit("f|re|i|m|s: '^B.C'", {{"f", text("a\nb\nc")}}));
  EXPECT_TRUE(hit("f|re|i: 'ask'", {{"f", text("a\xC5\xBFk")}})) << "a long s is an s without regard to case";
  EXPECT_TRUE(hit("f|re: '(wget|curl) .*chmod'", {{"f", text("wget x; chmod y")}}));
  EXPECT_FALSE(hit("f|re: '(wget|curl) .*chmod'", {{"f", text("chmod y; wget x")}}));
  EXPECT_THAT(refused("f|re: '(?=a)b'"), HasSubstr("cannot be used"));
  EXPECT_THAT(refused("f|re: '(a'"), HasSubstr("cannot be used"));
  EXPECT_THAT(refused("f|re: '(a{900}){900}'"), HasSubstr("cannot be used")) << "too large";
  EXPECT_THAT(refused("f|i: a"), HasSubstr("'i' without 're'"));
}

TEST(SigmaModifiers, CidrKnowsBothFamilies) {
  EXPECT_TRUE(hit("f|cidr: 10.0.0.0/8", {{"f", text("10.255.1.2")}}));
  EXPECT_FALSE(hit("f|cidr: 10.0.0.0/8", {{"f", text("11.0.0.1")}}));
  EXPECT_TRUE(hit("f|cidr: 2001:db8::/33", {{"f", text("2001:db8:7fff::1")}}));
  EXPECT_FALSE(hit("f|cidr: 2001:db8::/33", {{"f", text("2001:db8:8000::1")}}));
  EXPECT_TRUE(hit("f|cidr: 192.0.2.7", {{"f", text("192.0.2.7")}}));
  EXPECT_TRUE(hit("f|cidr: 10.0.0.0/8", {{"f", text("::ffff:10.1.1.1")}}));
  EXPECT_TRUE(hit("f|cidr: 0.0.0.0/0", {{"f", text("203.0.113.1")}}));
  EXPECT_FALSE(hit("f|cidr: 0.0.0.0/0", {{"f", text("2001:db8::1")}}));
  EXPECT_FALSE(hit("f|cidr: 10.0.0.0/8", {{"f", text("10.0.0")}}));
  for (const char* wrong : {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "host", "::/129"}) {
    EXPECT_THAT(refused("f|cidr: '" + std::string(wrong) + "'"), HasSubstr("which is none")) << wrong;
  }
}

TEST(SigmaModifiers, CompareNumbers) {
  EXPECT_TRUE(hit("f|lt: 10", {{"f", number(9)}}));
  EXPECT_FALSE(hit("f|lt: 10", {{"f", number(10)}}));
  EXPECT_TRUE(hit("f|lte: 10", {{"f", number(10)}}));
  EXPECT_TRUE(hit("f|gt: 10", {{"f", text("10.5")}})) << "texts that are numbers are compared as numbers";
  EXPECT_FALSE(hit("f|gt: 9", {{"f", text("1x")}}));
  EXPECT_TRUE(hit("f|gte: -2", {{"f", number(-2)}}));
  EXPECT_FALSE(hit("f|gt: 9", {}));
  EXPECT_THAT(refused("f|gt: many"), HasSubstr("which is no number"));
  EXPECT_THAT(refused("f|gt|contains: 5"), HasSubstr("compares numbers and has modifiers of texts"));
  EXPECT_THAT(refused("f|gt|lt: 5"), HasSubstr("two comparisons"));
}

TEST(SigmaModifiers, TakeAPartOfATime) {
  const Pairs event{{"f", text("2024-12-30T23:59:07Z")}};
  EXPECT_TRUE(hit("f|minute: 59", event));
  EXPECT_TRUE(hit("f|hour: 23", event));
  EXPECT_TRUE(hit("f|day: 30", event));
  EXPECT_TRUE(hit("f|week: 1", event)) << "ISO 8601";
  EXPECT_TRUE(hit("f|month: 12", event));
  EXPECT_TRUE(hit("f|year: 2024", event));
  EXPECT_FALSE(hit("f|hour: 22", event));
  EXPECT_TRUE(hit("f|hour|gte: 22", event));
  EXPECT_TRUE(hit("f|hour|neq: 5", event));
  EXPECT_TRUE(hit("f|hour: 23", {{"f", number(1'735'603'147)}})) << "seconds";
  EXPECT_TRUE(hit("f|hour: 23", {{"f", number(1'735'603'147'000)}})) << "milliseconds";
  EXPECT_FALSE(hit("f|hour: 23", {{"f", text("yesterday")}}));
  EXPECT_THAT(refused("f|hour: noon"), HasSubstr("which is no number"));
  EXPECT_THAT(refused("f|hour|day: 1"), HasSubstr("two parts of a time"));
}

TEST(SigmaModifiers, ReferToAnotherField) {
  EXPECT_TRUE(hit("f|fieldref: g", {{"f", text("Abc")}, {"g", text("aBC")}}));
  EXPECT_FALSE(hit("f|fieldref: g", {{"f", text("abc")}, {"g", text("abcd")}}));
  EXPECT_FALSE(hit("f|fieldref: g", {{"f", text("abc")}}));
  EXPECT_TRUE(hit("f|fieldref|neq: g", {{"f", text("abc")}, {"g", text("x")}}));
  EXPECT_FALSE(hit("f|fieldref|neq: g", {{"f", text("abc")}, {"g", text("abc")}}));
  EXPECT_TRUE(hit("f|fieldref|startswith: g", {{"f", text("abc")}, {"g", text("ab")}}));
  EXPECT_TRUE(hit("f|fieldref|endswith: g", {{"f", text("abc")}, {"g", text("bc")}}));
  EXPECT_TRUE(hit("f|fieldref|contains: g", {{"f", text("abc")}, {"g", text("b")}}));
  EXPECT_TRUE(hit("f|fieldref: g", {{"f", number(7)}, {"g", text("7")}}));
  EXPECT_THAT(refused("f|fieldref|re: g"), HasSubstr("both 'fieldref' and 're'"));
}

TEST(SigmaModifiers, WindashTakesEveryDash) {
  for (const char* dash : {"-", "/", "\xE2\x80\x93", "\xE2\x80\x94", "\xE2\x80\x95"}) {
    EXPECT_TRUE(hit("f|windash|contains: ' -f '", {{"f", text(std::string("run ") + dash + "f x")}})) << dash;
  }
  EXPECT_TRUE(hit("f|windash|contains: '-a /b'", {{"f", text("x /a -b")}}));
  EXPECT_FALSE(hit("f|windash|contains: 'a-b'", {{"f", text("a/b")}})) << "inside a word it is no option";
  EXPECT_FALSE(hit("f|contains: ' -f '", {{"f", text("run /f x")}}));
  EXPECT_THAT(refused("f|windash|contains: ' -a -b -c -d -e -f'"), HasSubstr("too many dashes"));
  EXPECT_THAT(refused("f|contains|windash: x"), HasSubstr("behind 'contains'"));
}

TEST(SigmaModifiers, EncodeInBase64) {
  EXPECT_TRUE(hit("f|base64: foobar", {{"f", text("Zm9vYmFy")}}));
  EXPECT_FALSE(hit("f|base64: foobar", {{"f", text("foobar")}}));
  // "/bin/bash" behind zero, one and two bytes.
  for (const char* encoded : {"L2Jpbi9iYXNo", "eC9iaW4vYmFzaCB4", "eHgvYmluL2Jhc2ggeA=="}) {
    EXPECT_TRUE(hit("f|base64offset|contains: /bin/bash", {{"f", text(encoded)}})) << encoded;
  }
  EXPECT_FALSE(hit("f|base64offset|contains: /bin/bash", {{"f", text("L3Vzci9iaW4=")}}));
  EXPECT_TRUE(hit("f|wide|base64offset|contains: ping", {{"f", text("cABpAG4AZwA=")}}));
  EXPECT_TRUE(hit("f|utf16le|base64: hi", {{"f", text("aABpAA==")}}));
  EXPECT_TRUE(hit("f|utf16be|base64: hi", {{"f", text("AGgAaQ==")}}));
  EXPECT_TRUE(hit("f|utf16|base64: hi", {{"f", text("//5oAGkA")}}));
  EXPECT_THAT(refused("f|base64: 'a*'"), HasSubstr("'base64' and a wildcard"));
  EXPECT_THAT(refused("f|wide|contains: a"), HasSubstr("without base64"));
  EXPECT_THAT(refused("f|base64offset|contains: a"), HasSubstr("too short"));
}

TEST(SigmaModifiers, ExpandPlaceholders) {
  Complaints complaints;
  const auto processing = Processing::parse(
      "p.yml", "vars: {admins: ['root*', adm]}\ntransformations: [{type: value_placeholders}]\n", complaints);
  ASSERT_TRUE(processing);
  const RuleSet rules =
      load_rules(rule_with("  s: {User|expand: '%admins%', x|expand: 'a\\%b'}\n  condition: s\n"), &*processing);
  EXPECT_EQ(matched(rules, {{"User", text("rooty")}, {"x", text("a%b")}}).size(), 1u);
  EXPECT_EQ(matched(rules, {{"User", text("adm")}, {"x", text("a%b")}}).size(), 1u);
  EXPECT_EQ(matched(rules, {{"User", text("bob")}, {"x", text("a%b")}}).size(), 0u);
  EXPECT_TRUE(hit("f: '%admins%'", {{"f", text("%admins%")}})) << "without expand it is a text";
  EXPECT_THAT(refused("f|expand: '%admins%'"), HasSubstr("placeholder '%admins%'"));
  EXPECT_THAT(refused("f|contains|expand: '%a%'"), HasSubstr("'expand' behind another"));
}

TEST(SigmaModifiers, UnknownOnesAreRefusedByName) {
  const std::string about = refused("f|containz: a");
  EXPECT_THAT(about, HasSubstr("test.yml line 5: 'f|containz' has the modifier 'containz', which is unknown."));
  EXPECT_THAT(about, HasSubstr("startswith")) << "says what there is";
}

TEST(SigmaKeywords, LookThroughTheWholeEvent) {
  const RuleSet rules = load_rules(rule_with("  k: [Evil*thing, 200]\n  condition: k\n") + "---\n" +
                                   rule_with("  k: {'|all': [one, two]}\n  condition: k\n", "Both"));
  EXPECT_EQ(matched(rules, {{"any", text("an evil big thing!")}}), std::vector<std::string>{"Test"});
  EXPECT_TRUE(matched(rules, {{"any", text("evil")}, {"other", text("thing")}}).empty()) << "one value must hold it";
  EXPECT_EQ(matched(rules, {{"any", number(200)}}), std::vector<std::string>{"Test"});
  EXPECT_TRUE(matched(rules, {{"any", number(2005)}}).empty());
  EXPECT_EQ(matched(rules, {{"a", text("one")}, {"b", text("x two")}}), std::vector<std::string>{"Both"});
}

}  // namespace
}  // namespace picket::sigma
