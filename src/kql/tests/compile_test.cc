// Bounds, diagnostics, parameters, and the shape of what comes out. What queries answer is in tests/cases.
#include "kql/compile.h"

#include <gtest/gtest.h>

#include "duckdb_templates.h"
#include "functions.h"
#include "kql/emitter.h"

namespace picket::kql {

namespace {

constexpr Timestamp kNow{1'795'255'200'000'000};

Schema schema() {
  Schema out;
  out.tables.push_back(
      {.name = "T",
       .columns = {{"TimeGenerated", Type::datetime, "", true}, {"s", Type::string}, {"l", Type::int64}},
       .time_column = "TimeGenerated"});
  return out;
}

CompiledQuery good(std::string_view text, Options options = {.now = kNow}) {
  auto out = compile(text, schema(), options);
  EXPECT_TRUE(out.has_value()) << text << "\n" << (out ? "" : render(out.error().front(), text));
  return out ? *std::move(out) : CompiledQuery{};
}

Diagnostic bad(std::string_view text, Options options = {.now = kNow}) {
  const auto out = compile(text, schema(), options);
  EXPECT_FALSE(out.has_value()) << text.substr(0, 200);
  return out ? Diagnostic{} : out.error().front();
}

std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

TEST(KqlCompile, BindsEveryValueAndSplicesNone) {
  const auto query = good("T | where s == \"x'; drop\" and l > 4711 and TimeGenerated > datetime(2026-01-02)");
  EXPECT_EQ(query.sql.find("drop"), std::string::npos);
  EXPECT_EQ(query.sql.find("4711"), std::string::npos);
  ASSERT_EQ(query.binds.size(), 3U);
  EXPECT_EQ(query.binds[0], (Value{Type::string, std::string("x'; drop")}));
}

TEST(KqlCompile, TheSameTextGivesTheSameSql) {
  const std::string text = "T | summarize n=count(), arg_max(TimeGenerated, *) by s, bin(l, 10) | sort by n | take 5";
  EXPECT_EQ(good(text).sql, good(text).sql);
}

TEST(KqlCompile, AnEqualValueIsBoundOnce) { EXPECT_EQ(good("T | where s has 'x' or s == 'x'").binds.size(), 1U); }

/// "2 1": nothing of the tables from before two hours ago, or from later than one hour ago, changes the answer.
std::string hours(std::string_view text) {
  const auto query = good(text);
  const auto ago = [](std::optional<Timestamp> time) {
    return time ? std::to_string((kNow - *time).whole_seconds() / 3600) : "-";
  };
  return ago(query.time_from) + " " + ago(query.time_to);
}

TEST(KqlCompile, SaysWhichTimesMatter) {
  EXPECT_EQ(hours("T | where TimeGenerated > ago(2h)"), "2 -");
  EXPECT_EQ(hours("T | where s == 'x' and TimeGenerated between (ago(2h) .. ago(1h))"), "2 1");
  EXPECT_EQ(hours("T | where ago(2h) <= TimeGenerated | where TimeGenerated < ago(1h)"), "2 1");
  EXPECT_EQ(hours("T | where TimeGenerated > ago(2h) | where TimeGenerated > ago(3h)"), "2 -");
  EXPECT_EQ(hours("T | extend d = parse_json(s) | where TimeGenerated > ago(2h) | summarize count() by s"), "2 -");
  EXPECT_EQ(hours("T | extend d = parse_json(s) | mv-expand d.a | where TimeGenerated > ago(2h)"), "2 -");
  EXPECT_EQ(hours("union T, (T | where l > 1) | where TimeGenerated > ago(2h)"), "2 -");
  EXPECT_EQ(hours("T | where TimeGenerated > ago(1h) | join (T | where TimeGenerated > ago(3h)) on s"), "3 -");
  EXPECT_EQ(hours("print x = 1"), "- -");
}

TEST(KqlCompile, LeavesOutNoTimeThatMatters) {
  EXPECT_EQ(hours("T"), "- -");
  EXPECT_EQ(hours("T | where TimeGenerated > ago(2h) or l > 1"), "- -");
  EXPECT_EQ(hours("T | where not(TimeGenerated > ago(2h))"), "- -");
  EXPECT_EQ(hours("T | where TimeGenerated != ago(2h)"), "- -");
  EXPECT_EQ(hours("T | take 5 | where TimeGenerated > ago(2h)"), "- -");
  EXPECT_EQ(hours("T | top 5 by l | where TimeGenerated > ago(2h)"), "- -");
  EXPECT_EQ(hours("T | sort by TimeGenerated asc | extend before = prev(l) | where TimeGenerated > ago(2h)"), "- -");
  EXPECT_EQ(hours("T | summarize TimeGenerated = max(TimeGenerated) by s | where TimeGenerated > ago(2h)"), "- -");
  EXPECT_EQ(hours("T | where TimeGenerated > ago(2h) | join T on s"), "- -");
  EXPECT_EQ(hours("let t = T; t | where TimeGenerated > ago(2h) and s in ((t | project s))"), "- -");
  EXPECT_EQ(hours("let t = T; t | where TimeGenerated > ago(2h) and l < toscalar(t | count)"), "- -");
  EXPECT_EQ(hours("let t = T; union (t | where TimeGenerated > ago(2h)), t"), "- -");
  EXPECT_EQ(hours("let t = T; t | where TimeGenerated > ago(2h) | join kind=leftanti t on s"), "- -");
}

TEST(KqlCompile, ReadsOnlyTheColumnsThatAreNeeded) {
  const auto query = good("T | where l > 5 | count");
  EXPECT_EQ(query.sql.find("\"s\""), std::string::npos);
  EXPECT_NE(query.sql.find("\"l\""), std::string::npos);
}

TEST(KqlCompile, NowIsOneInstant) {
  const auto query = good("print now(), now() - 1h");
  ASSERT_EQ(query.binds.size(), 2U);
  EXPECT_EQ(query.binds[0], (Value{Type::datetime, kNow.us}));
  EXPECT_EQ(query.binds[1], (Value{Type::datetime, kNow.us - 3'600'000'000}));
}

TEST(KqlCompile, TimeRangeLimitsEveryScan) {
  const Options options{.now = kNow, .time_range = TimeRange{{1000}, {2000}}};
  const auto query = good("T | union (T)", options);
  const auto first = query.sql.find(" WHERE ");
  ASSERT_NE(first, std::string::npos);
  EXPECT_NE(query.sql.find(" WHERE ", first + 1), std::string::npos);
  EXPECT_EQ(query.binds,
            (std::vector<Value>{{Type::datetime, std::int64_t{1000}}, {Type::datetime, std::int64_t{2000}}}));
}

TEST(KqlCompile, NamesTheTablesItReads) {
  EXPECT_EQ(good("let a = T | take 1; a | union (T)").plan->tables, (std::vector<std::string>{"T"}));
  EXPECT_TRUE(good("print 1").plan->tables.empty());
}

TEST(KqlCompile, ATableOfPartsAsksEachForWhatIsNeeded) {
  Schema parts = schema();
  parts.tables[0].hidden = {{.name = "Type", .type = Type::string, .sql = "'T'", .not_null = true}};
  parts.tables[0].parts = std::make_shared<const std::vector<TablePart>>(
      std::vector<TablePart>{{"\"A\"", {}}, {"\"B\"", {{"\"l\"", "CAST(NULL AS BIGINT)"}}}});
  const auto query = compile("T | where l > 1 | project l, Type", parts, {.now = kNow});
  ASSERT_TRUE(query.has_value());
  EXPECT_NE(query->sql.find("FROM \"A\" UNION ALL SELECT 'T' AS c0, CAST(NULL AS BIGINT)"), std::string::npos)
      << query->sql;
  EXPECT_EQ(query->sql.find("TimeGenerated"), std::string::npos) << query->sql;
  EXPECT_EQ(query->plan->tables, std::vector<std::string>{"T"});
}

TEST(KqlCompile, HiddenColumnsAnswerToTheirNamesAlone) {
  Schema hidden = schema();
  hidden.tables[0].hidden = {{.name = "Type", .type = Type::string, .sql = "'T'", .not_null = true}};
  const auto compiles = [&](std::string_view text) { return compile(text, hidden, {.now = kNow}).has_value(); };
  const auto plain = compile("T", hidden, {.now = kNow});
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->columns.size(), 3U);
  EXPECT_TRUE(compiles("T | where Type == 'T' | summarize count() by Type"));
  EXPECT_TRUE(compiles("union T, (T | extend x = 1) | where Type == 'T'"));
  EXPECT_TRUE(compiles("T | extend Type = 1 | where Type == 1")) << "a column of the query wins";
  EXPECT_FALSE(compiles("T | summarize by s | where Type == 'T'"));
  EXPECT_FALSE(compiles("T | project-away Type"));
}

TEST(KqlFunctionText, IsCheckedAsIfItWereCalled) {
  const auto problem = [](std::string_view text) {
    const auto checked = check_function("f", text, schema(), {.now = kNow});
    if (checked) return std::string();
    const Span span = checked.error().front().span;
    return std::string(checked.error().front().code) + " " + std::string(text.substr(span.start, span.length));
  };
  EXPECT_EQ(problem("(a:long, b:string = 'x') { T | where l == a and s == b | take a }"), "");
  EXPECT_EQ(problem("(a:long) { a + 1 }"), "");
  EXPECT_EQ(problem("() { T }"), "");
  EXPECT_EQ(problem("(part:string) { T | extend p = datetime_part(part, TimeGenerated) }"), "") << "a call may fit";
  EXPECT_EQ(problem("(X:(s:string, n:long)) { X | summarize sum(n) by s }"), "");
  EXPECT_EQ(problem("(X:(*)) { X | where Anything == 1 }"), "") << "only a call can tell";
  EXPECT_EQ(problem("() { T | extend d = parse_json(s) | evaluate bag_unpack(d) | where Made == 1 }"), "");
  EXPECT_EQ(problem("(a:long) { T | where L == a } // note"), "unknown_name L");
  EXPECT_EQ(problem("(X:(s:string)) { X | where n == 1 }"), "unknown_name n");
  EXPECT_EQ(problem("() { T | where f() }"), "unknown_name f") << "not itself";
  EXPECT_EQ(problem("() { s + 1 }"), "unknown_name s");
  EXPECT_EQ(problem("() { T | "), "syntax ");
}

TEST(KqlFunctionText, IsTakenApart) {
  const auto read = read_function("(X:(s:string), a:string = ') {', n:long = 5) /* c */ { X | take n }");
  ASSERT_FALSE(read.has_value()) << "the language has no such comments";
  const auto text = read_function("(X:(s:string), a:string = ') {', n:long = 5)\n{ X | take n }");
  ASSERT_TRUE(text.has_value());
  ASSERT_EQ(text->parameters.size(), 3U);
  EXPECT_TRUE(text->parameters[0].tabular);
  EXPECT_EQ(text->parameters[1].fallback, "') {'");
  EXPECT_EQ(text->head, "(X:(s:string), a:string = ') {', n:long = 5)");
  EXPECT_EQ(text->body, "{ X | take n }");
}

TEST(KqlCompile, RenderIsPassedOn) {
  const auto query = good("T | summarize count() by s | render timechart with (title='x', ycolumns=a, b)");
  ASSERT_TRUE(query.plan->render.has_value());
  EXPECT_EQ(query.plan->render->chart, "timechart");
  EXPECT_EQ(query.plan->render->properties,
            (std::vector<std::pair<std::string, std::string>>{{"title", "x"}, {"ycolumns", "a,b"}}));
}

TEST(KqlCompile, ParametersComeFromTheCallerOrTheirDefault) {
  const std::string text = "declare query_parameters(a:string='x', n:long=5); T | where s == a and l == n";
  EXPECT_EQ(good(text).binds[0], (Value{Type::string, std::string("x")}));
  EXPECT_EQ(good(text, {.now = kNow, .parameters = {{"a", {Type::string, std::string("y")}}}}).binds[0],
            (Value{Type::string, std::string("y")}));
  EXPECT_EQ(bad(text, {.now = kNow, .parameters = {{"a", {Type::int64, std::int64_t{1}}}}}).code, code::kType);
  EXPECT_EQ(bad(text, {.now = kNow, .parameters = {{"z", {Type::int64, std::int64_t{1}}}}}).code, code::kUnknownName);
  EXPECT_EQ(bad("declare query_parameters(a:string); print a").code, code::kArguments);
}

TEST(KqlCompile, RequestPropertiesAreAccepted) {
  EXPECT_EQ(good("set notruncation; set query_bin_auto_size=1h; print 1").columns.size(), 1U);
}

// --- diagnostics

TEST(KqlDiagnostics, SpanLineAndColumnPointAtTheText) {
  const std::string text = "T\n| where ä == 5 or\n  Foo == 1";
  const auto missing = bad("T\n| where l == 5 or\n  Foo == 1");
  EXPECT_EQ(missing.span, (Span{22, 3}));
  EXPECT_EQ(missing.line, 3U);
  EXPECT_EQ(missing.column, 3U);
  EXPECT_EQ(bad(text).span, (Span{10, 2}));
}

TEST(KqlDiagnostics, ColumnCountsCharacters) {
  const auto diagnostic = bad("T | where s == 'ää' and Foo");
  EXPECT_EQ(diagnostic.column, 25U);
}

TEST(KqlDiagnostics, RenderUnderlinesTheSpan) {
  const std::string text = "T\n| where l == 5 or Foo == 1\n| take 1";
  EXPECT_EQ(render(bad(text), text),
            "line 2, column 19: error unknown_name: there is no column 'Foo'\n"
            "  | where l == 5 or Foo == 1\n"
            "                    ^^^\n");
}

TEST(KqlDiagnostics, RenderMarksTheEndAndCutsLongLines) {
  EXPECT_NE(render(bad("T | where"), "T | where").find("\n           ^\n"), std::string::npos);
  const auto text = "T | where s == '" + std::string(500, 'x') + "' and Foo";
  const auto shown = render(bad(text), text);
  EXPECT_LT(shown.size(), 500U);
  EXPECT_NE(shown.find("^^^"), std::string::npos);
}

TEST(KqlDiagnostics, SuggestTheNameThatWasMeant) {
  EXPECT_NE(bad("T | where L == 1").message.find("did you mean 'l'"), std::string::npos);
  EXPECT_NE(bad("T | extend x = Strlen(s)").message.find("strlen()"), std::string::npos);
}

// --- bounds

TEST(KqlBounds, NestingIsLimited) {
  EXPECT_TRUE(compile("print " + repeat("(", 90) + "1" + repeat(")", 90), schema(), {.now = kNow}).has_value());
  EXPECT_EQ(bad("print " + repeat("(", 200) + "1" + repeat(")", 200)).code, code::kLimit);
  EXPECT_EQ(bad("print " + repeat("-(", 5000) + "1").code, code::kLimit);
  EXPECT_EQ(bad("print dynamic(" + repeat("[", 5000)).code, code::kLimit);
  EXPECT_EQ(bad(repeat("(", 5000) + "T").code, code::kLimit);
}

TEST(KqlBounds, LongChainsAreLimitedOrFlat) {
  EXPECT_EQ(good("T | where " + repeat("l == 1 or ", 2000) + "l == 2").columns.size(), 3U);
  EXPECT_EQ(bad("print 1" + repeat("+1.5", 5000)).code, code::kLimit);
  EXPECT_EQ(bad("print dynamic({})" + repeat(".a", 5000)).code, code::kLimit);
}

TEST(KqlBounds, LetCannotBlowAQueryUp) {
  std::string text = "let x0 = now();";
  for (int i = 1; i < 40; ++i) {
    text += "let x" + std::to_string(i) + " = iff(now() > x" + std::to_string(i - 1) + ", x" + std::to_string(i - 1) +
            ", x" + std::to_string(i - 1) + ");";
  }
  EXPECT_EQ(bad(text + "print x39").code, code::kLimit);
  std::string tables = "let t0 = T | take 1;";
  for (int i = 1; i < 40; ++i) {
    const auto below = "t" + std::to_string(i - 1);
    tables += "let t" + std::to_string(i) + " = " + below + " | union (" + below + ");";
  }
  EXPECT_EQ(bad(tables + "t39").code, code::kLimit);
}

TEST(KqlBounds, OpsThatRepeatTheirArgumentsCannotBlowTheSqlUp) {
  std::string nested = "l";
  for (int i = 0; i < 80; ++i) nested = "(7 % " + nested + ")";
  EXPECT_EQ(bad("T | extend x = " + nested).code, code::kLimit);
}

TEST(KqlBounds, ColumnsAndOperatorsAreLimited) {
  std::string columns;
  for (int i = 0; i < 1100; ++i) columns += (i > 0 ? "," : "") + std::string("c") + std::to_string(i) + "=1";
  EXPECT_EQ(bad("print " + columns).code, code::kLimit);
  EXPECT_EQ(bad("T" + repeat("|take 1", 600)).code, code::kLimit);
}

// --- tables of functions

TEST(KqlFunctions, EveryOpHasSql) {
  for (const auto all : {scalar_functions(), family_functions()}) {
    for (const auto& function : all) {
      for (const auto& overload : function.overloads) {
        EXPECT_NE(find_template(overload.op), nullptr) << function.name << " " << overload.op;
      }
    }
  }
}

TEST(KqlFunctions, PlacesOfAddressesAreRefusedWithWhatToDoWhereThereIsNoDatabase) {
  const auto diagnostic = bad("print geo_info_from_ip_address('192.0.2.1')");
  EXPECT_EQ(diagnostic.code, code::kUnsupported);
  EXPECT_TRUE(diagnostic.message.contains("geo_database")) << diagnostic.message;
}

TEST(KqlFunctions, NoNameIsListedTwice) {
  for (const auto& function : scalar_functions()) {
    EXPECT_FALSE(is_known_unsupported_function(function.name)) << function.name;
    EXPECT_EQ(find_aggregate(function.name), nullptr) << function.name;
  }
}

}  // namespace picket::kql
