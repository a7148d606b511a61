#include "intelligence/feed_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "intelligence/builtin_warnings.h"

namespace picket::intelligence {
namespace {

using testing::ElementsAre;

/// What a parser took, as lines "kind text", and what it said of it.
struct Taken {
  std::vector<std::string> lines;
  std::vector<Indicator> indicators;
  std::vector<std::string> anew;
  Result<ParseReport> report = ParseReport{};

  [[nodiscard]] std::uint64_t skipped(std::string_view reason) const {
    for (const Skip& skip : report->reasons) {
      if (skip.reason == reason) return skip.count;
    }
    return 0;
  }
};

Taken parse(Format format, std::string_view text) {
  Taken out;
  const FeedSink sink{.take = [&](Indicator one) -> Result<> {
                        out.lines.push_back(std::string(to_string(one.what.kind)) + " " + to_text(one.what));
                        out.indicators.push_back(std::move(one));
                        return {};
                      },
                      .anew = [&](std::string_view id) { out.anew.emplace_back(id); }};
  out.report = parse_feed(format, text, sink);
  return out;
}

TEST(PlainLists, HoldEveryFormOfEntry) {
  const auto out =
      parse(Format::automatic,
            "# a comment\n; another\n\n192.0.2.1\n192.0.2.0/24 ; SBL1\r\n2001:db8::1 # https://r.example/1\n"
            "evil.example\nhxxp://evil[.]example/x # Mirai\n/bins/sora.arm7\n192.0.2.1:4444\n" +
                std::string(64, 'a') +
                "\n0.0.0.0 hosts.example\n127.0.0.1\tlocalhost\nadd blocklist 192.0.2.7\n"
                "create blocklist hash:ip\n||ads.example^\n! filter comment\nnot one of these\n");
  EXPECT_THAT(out.lines, ElementsAre("ipv4 192.0.2.1", "network4 192.0.2.0/24", "ipv6 2001:db8::1",
                                     "domain evil.example", "url evil.example/x", "url_path /bins/sora.arm7",
                                     "endpoint4 192.0.2.1:4444", "sha256 " + std::string(64, 'a'),
                                     "domain hosts.example", "ipv4 192.0.2.7", "domain ads.example"));
  EXPECT_EQ(out.indicators[1].threat, "SBL1");
  EXPECT_EQ(out.indicators[2].reference, "https://r.example/1");
  EXPECT_EQ(out.indicators[4].threat, "Mirai");
  EXPECT_EQ(out.report->skipped, 1u);
  EXPECT_EQ(out.report->reasons[0].example, "not one of these");
}

TEST(AbuseChForms, UrlhausCsvIsReadByTheHeadingInItsComments) {
  const auto out = parse(
      Format::automatic,
      "################\n# abuse.ch URLhaus Database Dump (CSV - recent URLs only) #\n# Terms: x\n#\n"
      "# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\n"
      "\"7\",\"2026-11-20 10:11:12\",\"http://192.0.2.7/a,b.sh\",\"online\",\"\",\"malware_download\",\"elf,mirai\","
      "\"https://urlhaus.example/url/7/\",\"x\"\n");
  EXPECT_THAT(out.lines, ElementsAre("url 192.0.2.7/a,b.sh"));
  EXPECT_EQ(out.indicators[0].threat, "malware_download");
  EXPECT_EQ(out.indicators[0].reference, "https://urlhaus.example/url/7/");
  EXPECT_EQ(format_rfc3339(out.indicators[0].from), "2026-11-20T10:11:12.000000Z");
}

TEST(AbuseChForms, ThreatFoxJsonKeepsConfidenceAndFamily) {
  const auto out = parse(Format::automatic, R"({"query_status":"ok","data":[
    {"id":"1","ioc":"192.0.2.8:23","ioc_type":"ip:port","threat_type":"botnet_cc","malware":"elf.mirai",
     "malware_printable":"Mirai","confidence_level":75,"first_seen":"2026-11-20 10:11:12 UTC","reference":null},
    {"id":"2","ioc":"evil.example","ioc_type":"domain","malware":"x","confidence_level":101},
    {"id":"3","ioc":"x","ioc_type":"envelope_from"}]})");
  EXPECT_THAT(out.lines, ElementsAre("endpoint4 192.0.2.8:23", "domain evil.example"));
  EXPECT_EQ(out.indicators[0].confidence, 75);
  EXPECT_EQ(out.indicators[1].confidence, kConfidenceUnsaid);
  EXPECT_EQ(out.skipped("not a readable value of type 'envelope_from'"), 1u);
}

TEST(AbuseChForms, ExportsWithIdsAsNamesAreTheSameRows) {
  const auto out = parse(Format::json, R"({"17":[{"ioc_value":"192.0.2.8:23","ioc_type":"ip:port"}],
    "18":[{"url":"http://evil.example/x","urlhaus_link":"https://r.example/"}]})");
  EXPECT_THAT(out.lines, ElementsAre("endpoint4 192.0.2.8:23", "url evil.example/x"));
}

TEST(AbuseChForms, FeodoSslblAndBazaarAreReadByTheirColumns) {
  EXPECT_THAT(parse(Format::automatic,
                    "# Feodo\n\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\",\"malware\"\n"
                    "\"2026-11-01 00:00:00\",\"192.0.2.9\",\"443\",\"offline\",\"2026-11-02\",\"Pikabot\"\n# END\n")
                  .lines,
              ElementsAre("endpoint4 192.0.2.9:443"));
  EXPECT_THAT(parse(Format::automatic,
                    "# Listingdate,SHA1,Listingreason\n2026-11-01 00:00:00," + std::string(40, 'c') + ",AsyncRAT C&C\n")
                  .lines,
              ElementsAre("certificate_sha1 " + std::string(40, 'c')));
  EXPECT_THAT(parse(Format::automatic, "# ja3_md5,Firstseen,Lastseen,Listingreason\n" + std::string(32, 'd') +
                                           ",2026-01-01,2026-01-02,Tofsee\n")
                  .lines,
              ElementsAre("ja3 " + std::string(32, 'd')));
  EXPECT_THAT(parse(Format::automatic, "ja4,threat\nt13d1516h2_8daaf6152771_02713d6af862,x\n").lines,
              ElementsAre("ja4 t13d1516h2_8daaf6152771_02713d6af862"));
  EXPECT_THAT(
      parse(
          Format::automatic,
          "# \"first_seen_utc\",\"sha256_hash\",\"md5_hash\",\"sha1_hash\",\"signature\"\n\"2026-01-01 00:00:00\", \"" +
              std::string(64, 'e') + "\", \"" + std::string(32, 'e') + "\", \"" + std::string(40, 'e') +
              "\", \"Mirai\"\n")
          .lines,
      ElementsAre("sha256 " + std::string(64, 'e')));
  EXPECT_THAT(
      parse(Format::json, R"([{"ip_address":"192.0.2.3","port":8080,"malware":"x"},{"ip_address":"192.0.2.4"}])").lines,
      ElementsAre("endpoint4 192.0.2.3:8080", "ipv4 192.0.2.4"));
}

TEST(JsonLines, SpamhausDropAndOthersAreReadLineByLine) {
  const auto out =
      parse(Format::automatic,
            "{\"cidr\":\"192.0.2.0/24\",\"sblid\":\"SBL1\",\"rir\":\"x\"}\n{\"cidr\":\"2001:db8::/32\"}\n{broken\n"
            "{\"type\":\"metadata\",\"timestamp\":1,\"records\":2}\n");
  EXPECT_THAT(out.lines, ElementsAre("network4 192.0.2.0/24", "network6 2001:db8::/32"));
  EXPECT_EQ(out.skipped("a line that is not JSON"), 1u);
}

constexpr std::string_view kBundle = R"({"type":"bundle","id":"bundle--1","objects":[
  {"type":"identity","id":"identity--1","name":"x"},
  {"type":"indicator","spec_version":"2.1","id":"indicator--1","name":"C2","pattern_type":"stix","confidence":85,
   "pattern":"[ipv4-addr:value = '192.0.2.1' OR domain-name:value = 'evil.example']",
   "valid_from":"2026-11-01T00:00:00Z","valid_until":"2026-12-01T00:00:00Z",
   "object_marking_refs":["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"],
   "external_references":[{"source_name":"s","url":"https://r.example/c2"}]},
  {"type":"indicator","id":"indicator--2","pattern_type":"stix","revoked":true,"pattern":"[ipv4-addr:value = '192.0.2.2']"},
  {"type":"indicator","id":"indicator--3","pattern_type":"yara","pattern":"rule x"},
  {"type":"indicator","id":"indicator--4","pattern_type":"stix","pattern":"[process:name = 'x']"},
  {"type":"indicator","id":"indicator--5","pattern_type":"stix","pattern":"[","valid_from":"2026-11-01T00:00:00Z"},
  {"type":"indicator","pattern_type":"stix","pattern":"[ipv4-addr:value = '192.0.2.3']"}]})";

TEST(StixBundles, IndicatorsAreTakenAndTheRestIsCountedByItsReason) {
  const auto out = parse(Format::automatic, kBundle);
  EXPECT_THAT(out.lines, ElementsAre("ipv4 192.0.2.1", "domain evil.example"));
  const Indicator& one = out.indicators[0];
  EXPECT_EQ(one.confidence, 85);
  EXPECT_EQ(one.threat, "C2 TLP:AMBER");
  EXPECT_EQ(one.reference, "https://r.example/c2");
  EXPECT_EQ(one.source_id, "indicator--1");
  EXPECT_EQ(format_rfc3339(one.until), "2026-12-01T00:00:00.000000Z");
  EXPECT_EQ(out.skipped("revoked"), 1u);
  EXPECT_EQ(out.skipped("pattern_type yara is not supported"), 1u);
  EXPECT_EQ(out.skipped("pattern: process:name is not supported"), 1u);
  EXPECT_EQ(out.skipped("broken pattern: an object path is missing"), 1u);
  EXPECT_EQ(out.skipped("an indicator without id"), 1u);
  EXPECT_THAT(out.anew, ElementsAre("indicator--1", "indicator--2", "indicator--3", "indicator--4", "indicator--5"));
}

constexpr std::string_view kEvent =
    R"({"Event":{"uuid":"5b0f7a5e-0000-4000-8000-000000000001","info":"Botnet","timestamp":"1795000000",
  "Attribute":[{"type":"ip-dst","value":"192.0.2.1","to_ids":true,"timestamp":"1795219200"},
               {"type":"ip-dst","value":"192.0.2.2","to_ids":false},
               {"type":"ip-dst|port","value":"2001:db8::1|443","to_ids":true},
               {"type":"domain|ip","value":"evil.example|192.0.2.3","to_ids":true},
               {"type":"comment","value":"x","to_ids":true},
               {"type":"url","value":"hxxp://evil[.]example/x","to_ids":"1"},
               {"type":"md5","value":"x","to_ids":true}],
  "Object":[{"name":"file","Attribute":[{"type":"filename|sha256","value":"x.arm|aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","to_ids":true}]},
            {"name":"file","deleted":true,"Attribute":[{"type":"domain","value":"gone.example","to_ids":true}]}]}})";

TEST(MispEvents, OnlyAttributesMeantForDetectionAreTaken) {
  const auto out = parse(Format::automatic, kEvent);
  EXPECT_THAT(out.lines, ElementsAre("ipv4 192.0.2.1", "endpoint6 [2001:db8::1]:443", "domain evil.example",
                                     "ipv4 192.0.2.3", "url evil.example/x", "sha256 " + std::string(64, 'a')));
  EXPECT_EQ(out.indicators[0].threat, "Botnet");
  EXPECT_EQ(out.indicators[0].source_id, "5b0f7a5e-0000-4000-8000-000000000001");
  EXPECT_EQ(out.indicators[0].from.us, 1'795'219'200'000'000);
  EXPECT_EQ(out.skipped("not meant for detection (to_ids)"), 1u);
  EXPECT_EQ(out.skipped("attribute type comment is not supported"), 1u);
  EXPECT_EQ(out.skipped("not a readable value of type md5"), 1u);
}

TEST(MispManifests, NameEventsByUuidAndNothingElse) {
  const auto out = parse_misp_manifest(R"({"5b0f7a5e-0000-4000-8000-000000000001":{"timestamp":"1795219200","info":"x"},
    "../../../../etc/passwd000000000000000":{"timestamp":"1"},"short":{}})");
  ASSERT_TRUE(out);
  ASSERT_EQ(out->size(), 1u);
  EXPECT_EQ(out->front().changed.us, 1'795'219'200'000'000);
  EXPECT_FALSE(parse_misp_manifest("[]"));
}

TEST(MispHashes, AreLinesOfMd5AndEvent) {
  std::vector<std::string> seen;
  const auto bad = parse_misp_hashes(
      std::string(32, 'a') + ",5b0f7a5e-0000-4000-8000-000000000001\nx,y\n\n",
      [&](std::string_view md5, std::string_view uuid) { seen.push_back(std::string(md5) + " " + std::string(uuid)); });
  EXPECT_THAT(seen, ElementsAre(std::string(32, 'a') + " 5b0f7a5e-0000-4000-8000-000000000001"));
  EXPECT_EQ(bad, 1u);
}

TEST(WarningListForm, NamesSpeakForThemselvesUnlessADotStandsBefore) {
  const auto list =
      parse_warning_list(R"({"name":"Top","version":1,"type":"hostname","list":["top.example",".cdn.example","x"]})");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->name, "Top");
  ASSERT_EQ(list->entries.size(), 2u);
  EXPECT_EQ(list->entries[0].kind, Kind::exact_domain);
  EXPECT_EQ(list->entries[1].kind, Kind::domain);
  EXPECT_EQ(list->report.skipped, 1u);
  const auto networks = parse_warning_list(R"({"name":"N","type":"cidr","list":["192.0.2.0/24","192.0.2.1"]})");
  ASSERT_TRUE(networks);
  EXPECT_EQ(networks->entries[0].kind, Kind::network4);
  EXPECT_EQ(networks->entries[1].kind, Kind::ipv4);
  const auto strings = parse_warning_list(R"({"name":"S","list":["192.0.2.53"]})");
  ASSERT_TRUE(strings);
  EXPECT_EQ(strings->entries[0].kind, Kind::ipv4);
}

TEST(WarningListForm, OtherTypesAreRefusedByName) {
  for (const std::string_view type : {"regex", "substring"}) {
    const auto list = parse_warning_list(R"({"name":"N","type":")" + std::string(type) + R"(","list":[]})");
    ASSERT_FALSE(list);
    EXPECT_EQ(list.error().where, "intelligence.warning_list.type");
  }
  EXPECT_FALSE(parse_warning_list(R"({"type":"cidr","list":[]})"));
}

TEST(WarningListForm, EveryBuiltinListIsReadWhole) {
  EXPECT_GE(builtin_warning_lists().size(), 4u);
  for (const std::string_view text : builtin_warning_lists()) {
    const auto list = parse_warning_list(text);
    ASSERT_TRUE(list) << text;
    EXPECT_FALSE(list->entries.empty());
    EXPECT_EQ(list->report.skipped, 0u) << list->name << ": " << list->report.reasons.front().example;
  }
}

TEST(Formats, AreToldByTheirBeginning) {
  EXPECT_EQ(detect_format(kBundle), Format::stix);
  EXPECT_EQ(detect_format(kEvent), Format::misp);
  EXPECT_EQ(detect_format("192.0.2.1\n"), Format::plain);
  EXPECT_EQ(detect_format("a, b\n192.0.2.1\n"), Format::plain);
  EXPECT_EQ(detect_format("ip,port\n192.0.2.1,80\n"), Format::csv);
  EXPECT_EQ(detect_format("[{\"ip\":\"192.0.2.1\"}]"), Format::json);
  EXPECT_EQ(detect_format(R"({"name":"n","type":"cidr","list":[]})"), Format::warning_list);
  EXPECT_EQ(detect_format(""), Format::plain);
}

TEST(Formats, ADocumentThatCannotBeReadIsAnErrorAsAWhole) {
  EXPECT_FALSE(parse(Format::stix, "{").report);
  EXPECT_FALSE(parse(Format::misp, "{}").report);
  EXPECT_FALSE(parse(Format::json, "{").report);
  EXPECT_FALSE(parse(Format::csv, "192.0.2.1\n").report);
}

TEST(FeedTimes, AreReadInTheFormsOfTheSources) {
  EXPECT_EQ(parse_feed_time("2026-11-21 00:00:00 UTC")->us, 1'795'219'200'000'000);
  EXPECT_EQ(parse_feed_time("2026-11-21 00:00:00")->us, 1'795'219'200'000'000);
  EXPECT_EQ(parse_feed_time("2026-11-21")->us, 1'795'219'200'000'000);
  EXPECT_EQ(parse_feed_time("2026-11-21T01:00:00+01:00")->us, 1'795'219'200'000'000);
  EXPECT_EQ(parse_feed_time("1795219200")->us, 1'795'219'200'000'000);
  EXPECT_FALSE(parse_feed_time("yesterday"));
  EXPECT_FALSE(parse_feed_time("-1"));
  EXPECT_FALSE(parse_feed_time("99999999999999"));
}

}  // namespace
}  // namespace picket::intelligence
