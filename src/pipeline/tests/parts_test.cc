// The parts on their own: duplicates, catalogue, alert records, checkpoint files.
#include <algorithm>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "checkpoint_format.h"
#include "duplicates.h"
#include "pipeline/alert.h"
#include "pipeline/catalogue.h"
#include "pipeline_harness.h"

namespace picket::pipeline {
namespace {

TEST(StreamDuplicates, EqualASetWithinTheWindow) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    StreamDuplicates duplicates;
    std::set<std::uint64_t> model;
    std::uint64_t newest = 1;
    for (int i = 0; i < 5000; ++i) {
      newest += random() % 3;
      const std::uint64_t behind = random() % 4 == 0 ? random() % 2000 : 0;
      const std::uint64_t sequence = newest > behind ? newest - behind : 1;
      EXPECT_EQ(duplicates.seen("s", "e", sequence, kNoon), !model.insert(sequence).second) << sequence;
    }
    EXPECT_GT(duplicates.stats().gaps_given_up + model.size(), 0u);
  }
}

TEST(StreamDuplicates, JumpAheadIsNeitherSlowNorADuplicate) {
  StreamDuplicates duplicates;
  EXPECT_FALSE(duplicates.seen("s", "e", 1, kNoon));
  EXPECT_FALSE(duplicates.seen("s", "e", std::uint64_t{1} << 63, kNoon));
  EXPECT_TRUE(duplicates.seen("s", "e", std::uint64_t{1} << 63, kNoon));
  EXPECT_TRUE(duplicates.seen("s", "e", 2, kNoon)) << "out of the window";
  EXPECT_EQ(duplicates.stats().gaps_given_up, (std::uint64_t{1} << 63) - kSequenceWindow - 1);
}

TEST(StreamDuplicates, FirstSeenNeedNotBeTheFirstSent) {
  StreamDuplicates duplicates;
  EXPECT_FALSE(duplicates.seen("s", "e", 1000, kNoon));
  EXPECT_FALSE(duplicates.seen("s", "e", 998, kNoon));
  EXPECT_TRUE(duplicates.seen("s", "e", 998, kNoon));
}

TEST(FingerprintDuplicates, EqualASetUntilTheyExpire) {
  FingerprintDuplicates duplicates;
  std::mt19937_64 random(3);
  std::vector<std::uint64_t> early;
  std::vector<std::uint64_t> late;
  duplicates.advance(noon(0));
  for (int i = 0; i < 100'000; ++i) duplicates.add(early.emplace_back(random() << 4 | 7));  // crowded slots
  duplicates.advance(noon(300));
  for (int i = 0; i < 100'000; ++i) duplicates.add(late.emplace_back(random()));
  EXPECT_EQ(duplicates.size(), 200'000u);
  duplicates.advance(noon(600));
  for (const auto print : early) EXPECT_TRUE(duplicates.contains(print));
  duplicates.advance(noon(660));
  for (const auto print : early) ASSERT_FALSE(duplicates.contains(print));
  for (const auto print : late) ASSERT_TRUE(duplicates.contains(print));
  EXPECT_EQ(duplicates.size(), 100'000u);
  EXPECT_EQ(duplicates.evicted(), 0u);
}

TEST(FingerprintDuplicates, AreBoundedAndCounted) {
  FingerprintDuplicates duplicates;
  duplicates.advance(noon(0));
  for (std::uint64_t i = 1; i <= kFingerprintsMax + 1; ++i) duplicates.add(i * 0x9E37'79B9'7F4A'7C15ULL);
  EXPECT_LE(duplicates.size(), kFingerprintsMax);
  EXPECT_GT(duplicates.evicted(), 0u);
  EXPECT_TRUE(duplicates.contains((kFingerprintsMax + 1) * 0x9E37'79B9'7F4A'7C15ULL));
}

TEST(Catalogue, OfThisBuildIsValidAndKnowsEveryAlert) {
  for (const std::string type :
       {"IoT_BruteForceFailed", "IoT_BruteForceSuccess", "IoT_ReverseShell", "IoT_CryptoMiner", "IoT_SelfTest"}) {
    const AlertInfo* info = Catalogue::builtin().find(type);
    ASSERT_NE(info, nullptr) << type;
    EXPECT_FALSE(info->remediation.empty());
  }
  EXPECT_EQ(Catalogue::builtin().find("IoT_CryptoMiner")->severity(Profile::parity), "High");
}

TEST(Catalogue, SaysWhatIsWrongAndWhere) {
  const std::string good =
      "format: 1\nalerts:\n  - type: T\n    name: N\n    severity: {parity: High, default: Low}\n    description: D\n"
      "    tactics: [Impact]\n    techniques: [T1496.001]\n    window: 1h\n    remediation: [do it]\n";
  ASSERT_TRUE(Catalogue::parse(good).has_value());
  const auto broken = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    std::string detail;
    const auto parsed = Catalogue::parse(text, &detail);
    EXPECT_FALSE(parsed.has_value()) << to;
    return detail;
  };
  EXPECT_EQ(broken("parity: High", "parity: Huge"),
            "alerts.yaml line 5: 'Huge' is not one of High, Medium, Low, Informational");
  EXPECT_EQ(broken("T1496.001", "T14"), "alerts.yaml line 8: 'T14' is not an ATT&CK technique");
  EXPECT_EQ(broken("window: 1h", "window: soon"), "alerts.yaml line 9: 'soon' is not a time such as 10m, 1h or 7d");
  EXPECT_EQ(broken("    name: N\n", ""), "alerts.yaml line 3: 'name' is missing");
  EXPECT_EQ(broken("[do it]", "[]"), "alerts.yaml line 10: at least one step is needed");
  EXPECT_NE(broken("format: 1", "format: 2").find("format 1"), std::string::npos);
  EXPECT_NE(broken("tactics: [Impact]", "tactics: [Impact").find("line"), std::string::npos);
}

AlertChange example() {
  return {.alert_id = "id",
          .change = 3,
          .rule = "r",
          .alert_type = "t",
          .display_name = "n \"quoted\"",
          .severity = "High",
          .description = "d",
          .device = {"h", "d", "m", "g"},
          .group = "grp",
          .start = kNoon,
          .end = noon(1),
          .generated = noon(2),
          .count = 9,
          .tactics = {"A"},
          .techniques = {"T1"},
          .sub_techniques = {"T1.1"},
          .remediation = {"x", "y"},
          .properties = {{"k", "v"}},
          .entities = {{"ip", {{"Address", "1"}}}},
          .evidence = {{{5, 6, 7}, "raw", kNoon}},
          .evidence_count = 40,
          .source = {0, 99}};
}

TEST(AlertChange, RoundTripsThroughItsRecord) {
  EXPECT_EQ(parse_alert_change(to_json(example())).value(), example());
  EXPECT_EQ(parse_alert_change(to_json(AlertChange{})).value(), AlertChange{});
}

TEST(AlertChange, RefusesOtherFormatsAndRubbish) {
  auto json = to_json(example());
  json.replace(json.find("\"Format\":1"), 10, "\"Format\":2");
  EXPECT_EQ(parse_alert_change(json).error().code, Errc::unsupported);
  for (const std::string text : {"", "[]", "{}", "{\"Format\":1}"}) EXPECT_FALSE(parse_alert_change(text).has_value());
}

TEST(AlertId, DependsOnEachOfItsParts) {
  const Identity device{"h", "d", "m", "g"};
  std::set<std::string> ids{make_alert_id("r", device, "k", kNoon),
                            make_alert_id("r2", device, "k", kNoon),
                            make_alert_id("r", {"h", "d2", "m", "g"}, "k", kNoon),
                            make_alert_id("r", {"h", "d", "m", "g2"}, "k", kNoon),
                            make_alert_id("r", device, "k2", kNoon),
                            make_alert_id("r", device, "k", noon(1)),
                            make_alert_id("rd", {"h", "", "m", "g"}, "k", kNoon)};
  EXPECT_EQ(ids.size(), 7u);
  EXPECT_EQ(make_alert_id("r", {"h", "d", "other module", "g"}, "k", kNoon), make_alert_id("r", device, "k", kNoon));
  EXPECT_EQ(ids.begin()->size(), 36u);
}

TEST(SecurityAlertRow, OnlyTheFirstRowOfAnAlertIsNew) {
  const auto properties = [](const AlertChange& change, std::optional<Timestamp> decided) {
    std::deque<std::string> texts;
    std::vector<workspace::Cell> cells;
    security_alert_cells(change, "inst", texts, cells, "New", decided);
    const auto schema = make_workspace_schema();
    const auto& columns = schema.tables[*schema.find_table("SecurityAlert")].columns;
    const auto at = std::ranges::find(columns, "ExtendedProperties", &workspace::Column::name) - columns.begin();
    return std::string(cells[static_cast<std::size_t>(at)].as_text());
  };
  AlertChange change = example();
  EXPECT_EQ(properties(change, std::nullopt), R"({"k":"v","isNew":"False"})");
  change.change = 0;
  EXPECT_EQ(properties(change, std::nullopt), R"({"k":"v","isNew":"True"})");
  EXPECT_EQ(properties(change, noon(3)), R"({"k":"v","isNew":"False"})") << "a decision of an analyst";
  change.properties = {{"isNew", "as the rule says"}};
  EXPECT_EQ(properties(change, std::nullopt), R"({"isNew":"as the rule says"})");
}

TEST(SecurityAlertRow, FillsEveryColumnOfTheTable) {
  std::deque<std::string> texts;
  std::vector<workspace::Cell> cells;
  const AlertChange change = example();
  security_alert_cells(change, "inst", texts, cells);
  const auto schema = make_workspace_schema();
  const auto& table = schema.tables[*schema.find_table("SecurityAlert")];
  ASSERT_EQ(cells.size(), table.columns.size());
  std::map<std::string, std::string> row;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const bool time = table.columns[i].type == workspace::ColumnType::timestamp;
    const bool text = table.columns[i].type == workspace::ColumnType::text;
    if (time) EXPECT_EQ(cells[i].kind(), workspace::Cell::Kind::timestamp) << table.columns[i].name;
    if (text) EXPECT_EQ(cells[i].kind(), workspace::Cell::Kind::text) << table.columns[i].name;
    if (text) row[table.columns[i].name] = cells[i].as_text();
  }
  EXPECT_EQ(row["SystemAlertId"], "id");
  EXPECT_EQ(row["AlertType"], "t");
  EXPECT_EQ(row["ExtendedProperties"], R"({"k":"v","isNew":"False"})");  // its third change
  EXPECT_EQ(row["RemediationSteps"], R"(["x","y"])");
  EXPECT_EQ(row["Entities"], R"([{"$id":"1","Type":"ip","Address":"1"}])");
  EXPECT_EQ(row["CompromisedEntity"], "d");
  EXPECT_EQ(row["SubTechniques"], "T1.1");
}

TEST(CheckpointFile, RoundTripsAndSeesDamage) {
  CheckpointFile file{.number = 4, .previous = 3, .position = "17", .derived = "2", .parts = {{"a", 1}, {"b", 2}}};
  file.skipped.add({11});
  file.skipped.add({12, 3});
  file.changes = {{{"k", Buffer{std::byte{1}}}, {"gone", std::nullopt}}, {}};
  const Buffer bytes = encode_checkpoint(file);
  const auto parsed = parse_checkpoint(bytes).value();
  EXPECT_EQ(parsed.number, 4u);
  EXPECT_EQ(parsed.previous, 3u);
  EXPECT_EQ(parsed.position, "17");
  EXPECT_EQ(parsed.parts, file.parts);
  EXPECT_EQ(parsed.changes, file.changes);
  EXPECT_EQ(parsed.skipped, file.skipped);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    Buffer bad = bytes;
    bad[i] ^= std::byte{0x10};
    EXPECT_FALSE(parse_checkpoint(bad).has_value()) << i;
    EXPECT_FALSE(parse_checkpoint(Bytes(bytes).first(i)).has_value()) << i;
  }
}

}  // namespace
}  // namespace picket::pipeline
