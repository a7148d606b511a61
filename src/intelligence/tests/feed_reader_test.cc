#include "intelligence/feed_reader.h"

#include <fstream>
#include <map>

#include <gmock/gmock.h>

#include "intelligence/feed_file.h"
#include "intelligence_words.h"

namespace picket::intelligence {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Answers from a table; what is not there is 404. Remembers what was asked.
class FakeSource final : public Fetcher {
 public:
  std::expected<Fetched, FetchFault> get(const FetchRequest& request) override {
    asked.push_back(request);
    const auto found = answers.find(request.url);
    if (found == answers.end()) return std::unexpected(FetchFault{Errc::not_found, "the server answered 404"});
    if (!request.etag.empty() && request.etag == found->second.etag) return Fetched{.status = 304};
    return found->second;
  }
  [[nodiscard]] std::vector<std::string> urls() const {
    std::vector<std::string> out;
    for (const FetchRequest& request : asked) out.push_back(request.url);
    return out;
  }
  std::map<std::string, Fetched> answers;
  std::vector<FetchRequest> asked;
};

class FeedReaderTest : public testing::Test {
 protected:
  std::expected<bool, FetchFault> read(bool force = false) {
    return read_feed({.settings = settings,
                      .status = status,
                      .secret = secret,
                      .path = folder / "feed",
                      .force = force,
                      .now = kDay},
                     source);
  }
  std::vector<std::string> held() {
    std::vector<std::string> out;
    const auto done = read_feed_file(folder / "feed", [&](const Indicator& one) -> Result<> {
      out.push_back(to_text(one.what));
      last = one;
      return {};
    });
    if (!done) out.push_back(describe(done.error()));
    return out;
  }
  TestFolder folder;
  FakeSource source;
  FeedSettings settings{.name = "feed", .source = "https://feed.example/list"};
  FeedStatus status;
  std::string secret;
  Indicator last;
};

TEST_F(FeedReaderTest, WhatAFeedSaysOfItsIndicatorsIsFilledIn) {
  settings.confidence = 55;
  settings.life_days = 10;
  settings.threat = "bots";
  source.answers["https://feed.example/list"] = {.body = "192.0.2.1\n"};
  ASSERT_EQ(read(), true);
  EXPECT_THAT(held(), ElementsAre("192.0.2.1"));
  EXPECT_EQ(last.confidence, 55);
  EXPECT_EQ(last.from, kDay);
  EXPECT_EQ(last.until, day(10));
  EXPECT_EQ(last.threat, "bots");
  EXPECT_EQ(status.indicators, 1u);
  EXPECT_EQ(status.read, kDay);
}

TEST_F(FeedReaderTest, WhatHasExpiredAlreadyIsLeftOut) {
  settings.life_days = 3;
  settings.format = Format::csv;
  source.answers["https://feed.example/list"] = {.body = "ip,first_seen\n192.0.2.1,2026-11-01\n192.0.2.2,2026-11-20\n"};
  ASSERT_EQ(read(), true);
  EXPECT_THAT(held(), ElementsAre("192.0.2.2"));
  EXPECT_EQ(status.report.skipped, 1u);
}

TEST_F(FeedReaderTest, AListThatHasNotChangedIsNotReadAgain) {
  source.answers["https://feed.example/list"] = {.body = "192.0.2.1\n", .etag = "\"1\""};
  ASSERT_EQ(read(), true);
  EXPECT_EQ(read(), false);
  EXPECT_EQ(source.asked.back().etag, "\"1\"");
  EXPECT_EQ(read(true), true) << "unless that is asked for";
}

TEST_F(FeedReaderTest, AFaultLeavesTheLastGoodListAndIsTold) {
  source.answers["https://feed.example/list"] = {.body = "192.0.2.1\n"};
  ASSERT_EQ(read(), true);
  source.answers.clear();
  EXPECT_FALSE(read());
  EXPECT_EQ(status.fault, "the server answered 404");
  EXPECT_THAT(held(), ElementsAre("192.0.2.1"));
  EXPECT_EQ(status.indicators, 1u);
}

TEST_F(FeedReaderTest, AListThatShrinksByMoreThanHalfIsRefusedUnlessForced) {
  std::string many;
  for (int i = 0; i < 40; ++i) many += "192.0.2." + std::to_string(i) + "\n";
  source.answers["https://feed.example/list"] = {.body = many};
  ASSERT_EQ(read(), true);
  source.answers["https://feed.example/list"] = {.body = "192.0.2.1\n"};
  ASSERT_FALSE(read());
  EXPECT_THAT(status.fault, HasSubstr("shrink from 40 to 1"));
  EXPECT_EQ(held().size(), 40u);
  EXPECT_EQ(read(true), true);
  EXPECT_EQ(held().size(), 1u);
}

TEST_F(FeedReaderTest, SecretsGoIntoTheHeaderOrTheUserThatTheOperatorNamed) {
  secret = "s3cret";
  source.answers["https://feed.example/list"] = {.body = "192.0.2.1\n"};
  ASSERT_TRUE(read());
  EXPECT_THAT(source.asked.back().headers, ElementsAre(testing::Pair("Authorization", "Bearer s3cret")));
  settings.auth_header = "Auth-Key";
  ASSERT_TRUE(read());
  EXPECT_THAT(source.asked.back().headers, ElementsAre(testing::Pair("Auth-Key", "s3cret")));
  settings.user = "me";
  ASSERT_TRUE(read());
  EXPECT_TRUE(source.asked.back().headers.empty());
  EXPECT_EQ(source.asked.back().user, "me");
  EXPECT_EQ(source.asked.back().password, "s3cret");
}

TEST_F(FeedReaderTest, AFolderIsAllItsFiles) {
  std::filesystem::create_directory(folder / "in");
  std::ofstream(folder / "in/a.txt") << "192.0.2.1\n";
  std::ofstream(folder / "in/b.json") << R"([{"ip":"192.0.2.2"}])";
  std::ofstream(folder / "in/.hidden") << "192.0.2.3\n";
  settings.source = folder / "in";
  const auto real = make_fetcher();
  const auto done = read_feed({.settings = settings, .status = status, .path = folder / "feed", .now = kDay}, *real);
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_THAT(held(), ElementsAre("192.0.2.1", "192.0.2.2"));
}

TEST_F(FeedReaderTest, AFileIsReadAgainWhenItHasChanged) {
  settings.source = folder / "list";
  std::ofstream(settings.source) << "192.0.2.1\n";
  const auto real = make_fetcher();
  const ReadRequest request{.settings = settings, .status = status, .path = folder / "feed", .now = kDay};
  EXPECT_EQ(read_feed(request, *real), true);
  EXPECT_EQ(read_feed(request, *real), false);
  std::ofstream(settings.source) << "192.0.2.1\n192.0.2.2\n";
  EXPECT_EQ(read_feed(request, *real), true);
  std::filesystem::remove(settings.source);
  EXPECT_FALSE(read_feed(request, *real));
}

std::string indicator(const std::string& id, const std::string& address, const std::string& more = "") {
  return R"({"type":"indicator","id":"indicator--)" + id +
         R"(","pattern_type":"stix","pattern":"[ipv4-addr:value = ')" + address + R"(']")" + more + "}";
}
Fetched envelope(const std::string& objects, const std::string& more, const std::string& last) {
  return {.body = "{" + more + "\"objects\":[" + objects + "]}",
          .headers = {{"content-type", "application/taxii+json;version=2.1"}, {"x-taxii-date-added-last", last}}};
}
const std::string kObjects = "https://taxii.example/api/collections/c1/objects/?match%5Btype%5D=indicator&limit=1000";

class TaxiiTest : public FeedReaderTest {
 protected:
  TaxiiTest() {
    settings.source = "https://taxii.example/taxii2/";
    settings.transport = Transport::taxii;
    source.answers["https://taxii.example/taxii2/"] = {
        .body = R"({"title":"t","api_roots":["/api/","https://elsewhere.example/api/"]})"};
    source.answers["https://taxii.example/api/collections/"] = {
        .body = R"({"collections":[{"id":"c1","title":"Good","can_read":true,"can_write":false},
                                   {"id":"c2","title":"Closed","can_read":false}]})"};
    source.answers[kObjects] =
        envelope(indicator("1", "192.0.2.1"), R"("more":true,"next":"2",)", "2026-11-01T00:00:00.000001Z");
    source.answers[kObjects + "&next=2"] = envelope(indicator("2", "192.0.2.2"), "", "2026-11-02T00:00:00.000001Z");
  }
};

TEST_F(TaxiiTest, CollectionsAreFoundAndReadPageByPage) {
  ASSERT_EQ(read(), true);
  EXPECT_THAT(held(), ElementsAre("192.0.2.1", "192.0.2.2"));
  EXPECT_EQ(status.cursors["c1"], "2026-11-02T00:00:00.000001Z");
  for (const FetchRequest& request : source.asked) {
    EXPECT_EQ(request.url.find("elsewhere"), std::string::npos) << "credentials go to no other host";
    EXPECT_THAT(request.headers, testing::Contains(testing::Pair("Accept", "application/taxii+json;version=2.1")));
  }
}

TEST_F(TaxiiTest, LaterOnlyWhatWasAddedIsReadAndReplacesWhatItNames) {
  ASSERT_EQ(read(), true);
  const std::string later = kObjects + "&added_after=2026-11-02T00%3A00%3A00.000001Z";
  source.answers[later] =
      envelope(indicator("1", "192.0.2.10") + "," + indicator("2", "192.0.2.2", R"(,"revoked":true)") + "," +
                   indicator("3", "192.0.2.3"),
               "", "2026-11-03T00:00:00Z");
  ASSERT_EQ(read(), true);
  EXPECT_THAT(held(), testing::UnorderedElementsAre("192.0.2.10", "192.0.2.3"));
  source.answers
      ["https://taxii.example/api/collections/c1/objects/?match%5Btype%5D=indicator&limit=1000&added_after="
       "2026-11-03T00%3A00%3A00Z"] = envelope("", "", "");
  EXPECT_EQ(read(), false);
  EXPECT_EQ(status.cursors["c1"], "2026-11-03T00:00:00Z");
}

TEST_F(TaxiiTest, ACollectionIsChosenByIdOrTitleAndAMissingOneIsAFault) {
  settings.collection = "Good";
  EXPECT_EQ(read(), true);
  settings.collection = "Closed";
  EXPECT_FALSE(read(true));
  EXPECT_THAT(status.fault, HasSubstr("no collection"));
}

TEST_F(TaxiiTest, TheSourceMayBeARootOrACollectionItself) {
  settings.source = "https://taxii.example/api/collections/c1/";
  EXPECT_EQ(read(), true);
  EXPECT_EQ(held().size(), 2u);
  source.answers["https://taxii.example/api/"] = {.body = R"({"title":"root","versions":[]})"};
  settings.source = "https://taxii.example/api";
  EXPECT_EQ(read(true), true);
  EXPECT_EQ(held().size(), 2u);
}

TEST_F(TaxiiTest, AServerWithoutTokensIsReadOnFromTheNewest) {
  source.answers[kObjects] = envelope(indicator("1", "192.0.2.1"), R"("more":true,)", "2026-11-01T00:00:00Z");
  source.answers[kObjects + "&added_after=2026-11-01T00%3A00%3A00Z"] =
      envelope(indicator("2", "192.0.2.2"), R"("more":false,)", "2026-11-02T00:00:00Z");
  ASSERT_EQ(read(), true);
  EXPECT_EQ(held().size(), 2u);
}

/// As medallion does it: one token for the whole read.
TEST_F(TaxiiTest, AServerThatKeepsItsTokenIsReadAsLongAsObjectsCome) {
  class Pages final : public Fetcher {
   public:
    explicit Pages(FakeSource& source) : source_(source) {}
    std::expected<Fetched, FetchFault> get(const FetchRequest& request) override {
      if (!request.url.ends_with("&next=2") || ++pages_ > 2) return source_.get(request);
      return envelope(indicator("9" + std::to_string(pages_), "192.0.2.9" + std::to_string(pages_)),
                      R"("more":true,"next":"2",)", "2026-11-01T12:00:00Z");
    }

   private:
    FakeSource& source_;
    int pages_ = 0;
  };
  Pages pages(source);
  const auto done = read_feed({.settings = settings, .status = status, .path = folder / "feed", .now = kDay}, pages);
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_THAT(held(), ElementsAre("192.0.2.1", "192.0.2.91", "192.0.2.92", "192.0.2.2"));
}

TEST_F(TaxiiTest, AServerThatTurnsInCirclesIsAFaultAndMovesNoCursor) {
  source.answers[kObjects + "&next=2"] = envelope("", R"("more":true,"next":"2",)", "2026-11-01T00:00:00Z");
  EXPECT_FALSE(read());
  EXPECT_THAT(status.fault, HasSubstr("does not say where"));
  EXPECT_TRUE(status.cursors.empty());
}

TEST_F(TaxiiTest, AnAnswerThatIsNoJsonIsAFault) {
  source.answers[kObjects] = {.body = "<html>"};
  EXPECT_FALSE(read());
  EXPECT_THAT(status.fault, HasSubstr("no JSON object"));
}

std::string event(const std::string& uuid, const std::string& address) {
  return R"({"Event":{"uuid":")" + uuid + R"(","info":"i","Attribute":[{"type":"ip-dst","value":")" + address +
         R"(","to_ids":true}]}})";
}
const std::string kOne = "5b0f7a5e-0000-4000-8000-000000000001";
const std::string kTwo = "5b0f7a5e-0000-4000-8000-000000000002";

TEST_F(FeedReaderTest, AMispFeedReadsOnlyEventsThatChangedAndForgetsThoseThatAreGone) {
  settings.source = "https://misp.example/feed";
  settings.transport = Transport::misp_feed;
  auto& answers = source.answers;
  answers["https://misp.example/feed/manifest.json"] = {.body = R"({")" + kOne + R"(":{"timestamp":"1"},")" + kTwo +
                                                                R"(":{"timestamp":"1"}})"};
  answers["https://misp.example/feed/" + kOne + ".json"] = {.body = event(kOne, "192.0.2.1")};
  answers["https://misp.example/feed/" + kTwo + ".json"] = {.body = event(kTwo, "192.0.2.2")};
  ASSERT_EQ(read(), true);
  EXPECT_THAT(held(), ElementsAre("192.0.2.1", "192.0.2.2"));
  source.asked.clear();
  EXPECT_EQ(read(), false);
  EXPECT_THAT(source.urls(), ElementsAre("https://misp.example/feed/manifest.json"));
  answers["https://misp.example/feed/manifest.json"].body =
      R"({")" + kOne + R"(":{"timestamp":"2"},")" + kTwo + R"(":{"timestamp":"1"}})";
  answers["https://misp.example/feed/" + kOne + ".json"] = {.body = event(kOne, "192.0.2.11")};
  source.asked.clear();
  ASSERT_EQ(read(), true);
  EXPECT_EQ(source.asked.size(), 2u);
  EXPECT_THAT(held(), testing::UnorderedElementsAre("192.0.2.11", "192.0.2.2"));
  answers["https://misp.example/feed/manifest.json"].body = R"({")" + kOne + R"(":{"timestamp":"2"}})";
  ASSERT_EQ(read(), true);
  EXPECT_THAT(held(), ElementsAre("192.0.2.11"));
}

TEST_F(FeedReaderTest, UploadedContentIsReadAsASourceWouldBe) {
  settings.source.clear();
  const auto done = read_content({.settings = settings, .status = status, .path = folder / "feed", .now = kDay},
                                 "192.0.2.1\nevil.example\n");
  ASSERT_EQ(done, true);
  EXPECT_THAT(held(), ElementsAre("192.0.2.1", "evil.example"));
}

TEST(FeedFile, DamageAndTruncationAreErrorsAndNotFewerIndicators) {
  TestFolder folder;
  const std::string path = folder / "feed";
  auto writer = *FeedFileWriter::make(path);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(writer->add({.what = what("192.0.2." + std::to_string(i))}));
  ASSERT_TRUE(writer->finish());
  std::ifstream in(path, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  const auto readable = [&](std::string_view bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    std::size_t count = 0;
    const auto done = read_feed_file(path, [&](const Indicator&) -> Result<> {
      ++count;
      return {};
    });
    return done.has_value() && count == 200;
  };
  EXPECT_TRUE(readable(whole));
  for (std::size_t cut = 0; cut < whole.size(); cut += 97)
    EXPECT_FALSE(readable(std::string_view(whole).substr(0, cut)));
  for (std::size_t at = 0; at < whole.size(); at += 101) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x5A);
    EXPECT_FALSE(readable(damaged)) << at;
  }
}

TEST(FeedSettings, AreReadAsTheyWereWritten) {
  const auto read = parse_feed_settings(
      "urlhaus.recent",
      R"({"source":"https://feed.example/","format":"csv","intervalMinutes":60,"confidence":90,"lifeDays":30,
          "decay":"linear","licence":"CC0","authHeader":"Auth-Key","enabled":false})");
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->decay, Decay::linear);
  EXPECT_EQ(parse_feed_settings("urlhaus.recent", to_json(*read)), *read);
}

TEST(FeedSettings, EachMistakeNamesItsMember) {
  const auto member = [](std::string_view json, std::string_view name = "feed") {
    const auto read = parse_feed_settings(name, json);
    return read ? std::string("none") : read.error().member;
  };
  EXPECT_EQ(member("{}"), "none");
  EXPECT_EQ(member("{}", "../x"), "name");
  EXPECT_EQ(member("[]"), "settings");
  EXPECT_EQ(member(R"({"source":"gopher://x/"})"), "source");
  EXPECT_EQ(member(R"({"source":"relative/path"})"), "source");
  EXPECT_EQ(member(R"({"transport":"taxii"})"), "source");
  EXPECT_EQ(member(R"({"transport":"ftp"})"), "transport");
  EXPECT_EQ(member(R"({"format":"openioc"})"), "format");
  EXPECT_EQ(member(R"({"intervalMinutes":4})"), "intervalMinutes");
  EXPECT_EQ(member(R"({"confidence":0})"), "confidence");
  EXPECT_EQ(member(R"({"confidence":101})"), "confidence");
  EXPECT_EQ(member(R"({"lifeDays":0,"decay":"late"})"), "decay");
  EXPECT_EQ(member(R"({"authHeader":"X: y"})"), "authHeader");
  EXPECT_EQ(member(R"({"enabled":1})"), "enabled");
  EXPECT_EQ(member(R"({"licence":"a\nb"})"), "licence");
  EXPECT_EQ(member(R"({"colour":"red"})"), "colour");
}

TEST(FeedStatusText, IsReadAsItWasWritten) {
  FeedStatus status{.tried = kDay, .changed = day(1), .fault = "x", .etag = "\"1\"", .indicators = 7};
  status.cursors["c1"] = "2026";
  status.report.skip("reason", "example");
  const FeedStatus again = parse_feed_status(to_json(status));
  EXPECT_EQ(to_json(again), to_json(status));
  EXPECT_EQ(again.read.us, 0);
  EXPECT_EQ(parse_feed_status("rubbish").indicators, 0u);
}

}  // namespace
}  // namespace picket::intelligence
