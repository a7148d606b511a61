#include "lexer.h"

#include <gtest/gtest.h>

#include "kql/compile.h"

namespace picket::kql {

namespace {

std::vector<std::string> texts(std::string_view query) {
  const auto tokens = tokenize(query);
  EXPECT_TRUE(tokens.has_value()) << query;
  std::vector<std::string> out;
  if (!tokens) return out;
  for (const auto& token : *tokens) {
    if (token.kind != TokenKind::end) out.emplace_back(token.text);
  }
  return out;
}

Value only_value(std::string_view query) {
  const auto tokens = tokenize(query);
  EXPECT_TRUE(tokens.has_value() && tokens->size() == 2) << query;
  return tokens && !tokens->empty() ? tokens->front().value : Value{};
}

Diagnostic error_of(std::string_view query) {
  const auto tokens = tokenize(query);
  EXPECT_FALSE(tokens.has_value()) << query;
  return tokens ? Diagnostic{} : tokens.error();
}

using Texts = std::vector<std::string>;

}  // namespace

TEST(KqlLexer, SeparatesNamesOperatorsAndBrackets) {
  EXPECT_EQ(texts("T|where a.b[0]!=5"), (Texts{"T", "|", "where", "a", ".", "b", "[", "0", "]", "!=", "5"}));
  EXPECT_EQ(texts("a!has b !in~(c) in~(d)"), (Texts{"a", "!has", "b", "!in~", "(", "c", ")", "in~", "(", "d", ")"}));
  EXPECT_EQ(texts("1..5"), (Texts{"1", "..", "5"}));
  EXPECT_EQ(texts("$left.a == $right.b"), (Texts{"$left", ".", "a", "==", "$right", ".", "b"}));
}

TEST(KqlLexer, LeavesCommentsAndBlanksOut) {
  EXPECT_EQ(texts("a // b | c\n\t| d\r\n//e"), (Texts{"a", "|", "d"}));
  EXPECT_TRUE(texts(" \n// only a comment").empty());
}

TEST(KqlLexer, NumbersAreLongUnlessTheyHaveAPointOrExponent) {
  EXPECT_EQ(only_value("5"), (Value{Type::int64, std::int64_t{5}}));
  EXPECT_EQ(only_value("0x1F"), (Value{Type::int64, std::int64_t{31}}));
  EXPECT_EQ(only_value("1.5"), (Value{Type::real, 1.5}));
  EXPECT_EQ(only_value("1e3"), (Value{Type::real, 1000.0}));
  EXPECT_EQ(only_value("9223372036854775807"), (Value{Type::int64, INT64_MAX}));
  EXPECT_EQ(error_of("9223372036854775808").code, code::kLiteral);
}

TEST(KqlLexer, TimespansAreTicks) {
  EXPECT_EQ(only_value("1d"), (Value{Type::timespan, kTicksPerDay}));
  EXPECT_EQ(only_value("1.5h"), (Value{Type::timespan, 90 * kTicksPerMinute}));
  EXPECT_EQ(only_value("5microseconds"), (Value{Type::timespan, std::int64_t{50}}));
  EXPECT_EQ(only_value("timespan(1.02:03:04)"),
            (Value{Type::timespan, kTicksPerDay + 2 * kTicksPerHour + 184 * kTicksPerSecond}));
  EXPECT_EQ(error_of("99999999999999d").code, code::kLiteral);
}

TEST(KqlLexer, NamesMayStartWithADigit) {
  const auto tokens = tokenize("1x");
  ASSERT_TRUE(tokens.has_value());
  EXPECT_EQ(tokens->front().kind, TokenKind::identifier);
}

TEST(KqlLexer, TypedLiteralsHaveTheirValue) {
  EXPECT_EQ(only_value("datetime(1970-01-01 00:00:01)"), (Value{Type::datetime, std::int64_t{1'000'000}}));
  EXPECT_EQ(only_value("int(null)"), (Value{Type::int32, std::monostate{}}));
  EXPECT_EQ(only_value("bool(true)"), (Value{Type::boolean, true}));
  EXPECT_EQ(error_of("int(3000000000)").code, code::kLiteral);
  EXPECT_EQ(error_of("datetime(x)").span, (Span{0, 11}));
}

TEST(KqlLexer, StringsResolveTheirEscapes) {
  EXPECT_EQ(only_value(R"("a\tb\"c\\")"), (Value{Type::string, std::string("a\tb\"c\\")}));
  EXPECT_EQ(only_value(R"('\u00e4\x41')"), (Value{Type::string, std::string("\xC3\xA4"
                                                                            "A")}));
  EXPECT_EQ(only_value(R"("\uD83D\uDE00")"), (Value{Type::string, std::string("\xF0\x9F\x98\x80")}));
  EXPECT_EQ(only_value(R"(@"c:\d""e")"), (Value{Type::string, std::string("c:\\d\"e")}));
  EXPECT_EQ(only_value("```a\nb```"), (Value{Type::string, std::string("a\nb")}));
  EXPECT_EQ(only_value("h'x'"), (Value{Type::string, std::string("x")}));
}

TEST(KqlLexer, RefusesWhatHasNoEndOrNoMeaning) {
  EXPECT_EQ(error_of("\"abc\n\"").span, (Span{0, 4}));
  EXPECT_EQ(error_of(R"("\q")").span, (Span{1, 2}));
  EXPECT_EQ(error_of(R"("\uD800")").code, code::kSyntax);
  EXPECT_EQ(error_of("a # b").span, (Span{2, 1}));
  EXPECT_EQ(error_of("a \xC3\xA4").span, (Span{2, 2}));
  EXPECT_EQ(error_of("a\xFF").code, code::kSyntax);
  EXPECT_EQ(error_of("decimal(1x)").code, code::kLiteral);
}

TEST(KqlLexer, TextAtTheBoundIsReadAndBeyondItIsNot) {
  EXPECT_TRUE(tokenize(std::string(kQueryBytesMax, ' ')).has_value());
  EXPECT_EQ(error_of(std::string(kQueryBytesMax + 1, ' ')).code, code::kLimit);
}

}  // namespace picket::kql
