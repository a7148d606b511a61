#include "agent/toml.h"

#include <gtest/gtest.h>

namespace picket::agent {
namespace {

std::string value_of(std::string_view text) {
  const auto entries = parse_toml(text);
  if (!entries) return "error in line " + std::to_string(entries.error().line) + ": " + entries.error().text;
  if (entries->size() != 1) return std::to_string(entries->size()) + " entries";
  const TomlValue& value = entries->front().value;
  if (const auto* each = std::get_if<std::string>(&value)) return "text " + *each;
  if (const auto* each = std::get_if<std::int64_t>(&value)) return "number " + std::to_string(*each);
  if (const auto* each = std::get_if<bool>(&value)) return *each ? "true" : "false";
  std::string out = "list";
  for (const auto& each : std::get<std::vector<std::string>>(value)) out += " " + each;
  return out;
}

bool fails(std::string_view text, std::size_t line = 1) {
  const auto entries = parse_toml(text);
  return !entries && entries.error().line == line && !entries.error().text.empty();
}

TEST(Toml, ReadsTheValuesThatSettingsUse) {
  EXPECT_EQ(value_of("a = \"b\""), "text b");
  EXPECT_EQ(value_of("a = 'C:\\d'"), "text C:\\d");
  EXPECT_EQ(value_of("a = \"\\t\\\"\\\\\\u00e9\\U0001F600\""), "text \t\"\\\u00e9\U0001F600");
  EXPECT_EQ(value_of("a=1_000"), "number 1000");
  EXPECT_EQ(value_of("a = -5"), "number -5");
  EXPECT_EQ(value_of("a = +5"), "number 5");
  EXPECT_EQ(value_of("a = true # yes"), "true");
  EXPECT_EQ(value_of("a = [ \"x\", # one\n  'y',\n]"), "list x y");
  EXPECT_EQ(value_of("a = []\r\n"), "list");
  EXPECT_EQ(value_of("# nothing\n\n"), "0 entries");
}

TEST(Toml, KeysCarryTheirTablesAndLines) {
  const auto entries = parse_toml("top = 1\n[a . b]\nc.d = 2\r\n\n[e]\nf = \"x\"");
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_EQ((*entries)[1].key, "a.b.c.d");
  EXPECT_EQ((*entries)[1].line, 3u);
  EXPECT_EQ((*entries)[2].key, "e.f");
  EXPECT_EQ((*entries)[2].line, 6u);
}

TEST(Toml, WhatItDoesNotReadIsAnErrorWithItsLine) {
  for (const char* text : {"a",
                           "a =",
                           "a = b",
                           "= 1",
                           "a = 1 b = 2",
                           "a = \"x",
                           "a = \"\"\"x\"\"\"",
                           "a = {b = 1}",
                           "[[a]]",
                           "[a",
                           "\"a\" = 1",
                           "a = 1.5",
                           "a = 2026-01-01",
                           "a = [1]",
                           "a = [\"x\"",
                           "a = 0x10",
                           "a = 01",
                           "a = 1__0",
                           "a = _1",
                           "a = 99999999999999999999",
                           "a = \"\\q\"",
                           "a = \"\\ud800\"",
                           "a = \"\xff\"",
                           "a. = 1",
                           "a = True",
                           "a = [\"x\" \"y\"]",
                           "a = +-1"}) {
    EXPECT_TRUE(fails(text)) << text;
  }
  EXPECT_TRUE(fails("a = 1\n\na = 2", 3));
  EXPECT_TRUE(fails("[t]\na = 1\n[t]", 3));
  EXPECT_TRUE(fails("a = 1\nb = \"x\nc = 1", 2));
}

TEST(Toml, HasItsBounds) {
  EXPECT_FALSE(parse_toml(std::string(kTomlBytesMax + 1, '\n')));
  std::string many;
  for (std::size_t i = 0; i <= kTomlEntriesMax; ++i) many += "k" + std::to_string(i) + "=1\n";
  EXPECT_TRUE(fails(many, kTomlEntriesMax + 1));
}

}  // namespace
}  // namespace picket::agent
