#include "hub/event_stream.h"

#include <filesystem>
#include <future>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/core/identity.h"

namespace picket::hub {
namespace {

class EventStreamTest : public ::testing::Test {
 protected:
  EventStreamTest() {
    char name[] = "/tmp/picket-events-XXXXXX";
    folder = ::mkdtemp(name);
    journal::EmbeddedOptions options;
    options.directory = folder;
    options.reserve_bytes = 0;
    auto opened = journal::open_embedded(std::move(options));
    journal = std::move(opened->journal);
    stream = make_event_stream(*journal, plain_event_view());
  }
  ~EventStreamTest() override {
    stream.reset();
    journal.reset();
    std::filesystem::remove_all(folder);
  }

  static Identity device(const std::string& id) { return {"h", id, "", "g"}; }
  static std::uint16_t partition(const std::string& id) {
    return static_cast<std::uint16_t>(partition_of(device(id)) % kEventPartitions);
  }

  void append(const std::string& id, const std::string& body, std::vector<journal::Property> properties = {},
              std::int64_t at = 1'000'000) {
    const Identity identity = device(id);
    const journal::Record record{.kind = journal::RecordKind::message,
                                 .partition = partition_of(identity),
                                 .enqueued = {at},
                                 .identity = identity,
                                 .properties = properties,
                                 .body = as_bytes(body)};
    std::promise<void> durable;
    ASSERT_TRUE(journal->append(record, [&](Result<journal::RecordId>) { durable.set_value(); }).has_value());
    durable.get_future().wait();
  }

  static std::vector<std::string> receive(EventReader& reader, std::size_t count) {
    std::vector<std::string> out;
    while (out.size() < count) {
      std::promise<HubResult<std::vector<StreamEvent>>> answer;
      reader.receive(count - out.size(), [&](auto result) { answer.set_value(std::move(result)); });
      const auto events = answer.get_future().get();
      if (!events) {
        ADD_FAILURE() << events.error().message;
        return out;
      }
      for (const auto& event : *events) out.emplace_back(as_text(event.body));
    }
    return out;
  }

  std::string folder;
  std::unique_ptr<journal::Journal> journal;
  std::unique_ptr<EventStream> stream;
};

TEST_F(EventStreamTest, DeliversADevicesMessagesInOrderAndOnlyFromItsPartition) {
  for (int i = 0; i < 20; ++i) {
    for (const char* id : {"a", "b", "c", "d", "e"}) append(id, std::string(id) + std::to_string(i));
  }
  const auto reader = stream->open("h", partition("a"), {}).value();
  std::size_t expected = 0;
  for (const char* id : {"a", "b", "c", "d", "e"}) expected += partition(id) == partition("a") ? 20 : 0;
  std::vector<std::string> of_a;
  for (const auto& body : receive(*reader, expected)) {
    EXPECT_EQ(partition(body.substr(0, 1)), partition("a"));
    if (body[0] == 'a') of_a.push_back(body);
  }
  ASSERT_EQ(of_a.size(), 20u);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(of_a[static_cast<std::size_t>(i)], "a" + std::to_string(i));
}

TEST_F(EventStreamTest, SecurityMessagesAreNotPartOfTheStream) {
  append("a", "secret", {{"$.ifid", "urn:azureiot:Security:SecurityAgent:1"}});
  append("a", "plain", {{"$.ifid", "urn:other"}});
  const auto reader = stream->open("h", partition("a"), {}).value();
  EXPECT_EQ(receive(*reader, 1), std::vector<std::string>{"plain"});
}

TEST_F(EventStreamTest, StartsAtTheEndAtASequenceOrAtATime) {
  append("a", "1", {}, 1'000'000);
  append("a", "2", {}, 2'000'000);
  append("a", "3", {}, 3'000'000);
  const auto p = partition("a");
  const auto latest = stream->open("h", p, {.kind = EventStart::Kind::latest}).value();
  const auto after = stream->open("h", p, {.kind = EventStart::Kind::sequence, .sequence = 2}).value();
  const auto with =
      stream->open("h", p, {.kind = EventStart::Kind::sequence, .sequence = 2, .inclusive = true}).value();
  const auto time = stream->open("h", p, {.kind = EventStart::Kind::time, .time = {2'000'000}}).value();
  const auto beyond = stream->open("h", p, {.kind = EventStart::Kind::sequence, .sequence = 99}).value();
  append("a", "4", {}, 4'000'000);
  EXPECT_EQ(receive(*latest, 1), std::vector<std::string>{"4"});
  EXPECT_EQ(receive(*after, 2), (std::vector<std::string>{"3", "4"}));
  EXPECT_EQ(receive(*with, 3), (std::vector<std::string>{"2", "3", "4"}));
  EXPECT_EQ(receive(*time, 2), (std::vector<std::string>{"3", "4"}));
}

TEST_F(EventStreamTest, ClosingAReaderEndsItsWaitingReceive) {
  auto reader = stream->open("h", 0, {}).value();
  std::promise<HubResult<std::vector<StreamEvent>>> answer;
  reader->receive(1, [&](auto result) { answer.set_value(std::move(result)); });
  reader.reset();
  EXPECT_EQ(answer.get_future().get().error().code, kConnectionLost);
}

TEST_F(EventStreamTest, RefusesUnknownPartitionsAndTooManyReaders) {
  EXPECT_FALSE(stream->open("h", kEventPartitions, {}).has_value());
  std::vector<std::unique_ptr<EventReader>> readers;
  for (std::size_t i = 0; i < kEventReadersMax; ++i) readers.push_back(stream->open("h", 0, {}).value());
  EXPECT_EQ(stream->open("h", 0, {}).error().code, kQuotaExceeded);
}

TEST_F(EventStreamTest, AnotherHubsMessagesAreNotSeen) {
  append("a", "mine");
  const auto other = stream->open("other", partition("a"), {}).value();
  std::promise<HubResult<std::vector<StreamEvent>>> answer;
  auto future = answer.get_future();
  auto reader = stream->open("other", partition("a"), {}).value();
  reader->receive(1, [&](auto result) { answer.set_value(std::move(result)); });
  const auto own = stream->open("h", partition("a"), {}).value();
  EXPECT_EQ(receive(*own, 1), std::vector<std::string>{"mine"});  // by now the other one has been looked at too
  reader.reset();
  EXPECT_FALSE(future.get().has_value());
}

TEST_F(EventStreamTest, OffersNothingOlderThanTheHubKeepsForReaders) {
  append("d", "old", {}, 1'000'000);
  append("d", "young", {}, 9'000'000);
  stream.reset();
  Timestamp from{5'000'000};
  stream = make_event_stream(*journal, plain_event_view(), [&](std::string_view hub) {
    EXPECT_EQ(hub, "h");
    return from;
  });
  for (const auto start : {EventStart{.kind = EventStart::Kind::earliest},
                           EventStart{.kind = EventStart::Kind::sequence, .sequence = 1, .inclusive = true}}) {
    auto reader = stream->open("h", partition("d"), start);
    ASSERT_TRUE(reader);
    EXPECT_EQ(receive(**reader, 1), (std::vector<std::string>{"young"}));
  }
}

}  // namespace
}  // namespace picket::hub
