#include <atomic>
#include <thread>

#include "journal_harness.h"

namespace picket::journal {
namespace {

TEST(JournalAppend, IsReadBackWithIdentityAndPropertiesInOrder) {
  const TempFolder folder;
  const auto opened = must_open(options_in(folder.path()));
  Message message = text_message("hello");
  message.identity = {"h", "d#/+%", "m", "g"};
  message.properties = {{"$.mid", "1"}, {"a", ""}, {"a", "again"}};
  message.kind = RecordKind::hub_event;
  EXPECT_EQ(append_and_wait(*opened.journal, message).value(), (RecordId{0, 1}));
  const auto read = read_all(*opened.journal);
  ASSERT_EQ(read.messages.size(), 1u);
  EXPECT_EQ(read.messages[0], message);
}

TEST(JournalAppend, CallbacksComeInOrderAfterTheRecordIsReadable) {
  const TempFolder folder;
  auto opened = must_open(options_in(folder.path()));
  Journal& journal = *opened.journal;
  std::vector<std::uint64_t> seen;
  bool readable = true;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(append_message(*opened.journal, text_message("x"), [&](Result<RecordId> id) {
                  seen.push_back(id->sequence);
                  readable = readable && journal.end().covers(*id);
                }).has_value());
  }
  opened.journal.reset();  // flush would return before the last callbacks have run
  ASSERT_EQ(seen.size(), 1000u);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i + 1);
  EXPECT_TRUE(readable);
}

TEST(JournalAppend, EnqueuedTimeNeverRunsBackwardsAlsoAfterReopening) {
  const TempFolder folder;
  {
    const auto opened = must_open(options_in(folder.path()));
    ASSERT_TRUE(append_and_wait(*opened.journal, text_message("a", 50)).has_value());
    ASSERT_TRUE(append_and_wait(*opened.journal, text_message("b", 20)).has_value());
  }
  const auto opened = must_open(options_in(folder.path()));
  ASSERT_TRUE(append_and_wait(*opened.journal, text_message("c", 30)).has_value());
  ASSERT_TRUE(append_and_wait(*opened.journal, text_message("d", 60)).has_value());
  const auto read = read_all(*opened.journal);
  std::vector<std::int64_t> times;
  for (const Message& message : read.messages) times.push_back(message.enqueued.us);
  EXPECT_EQ(times, (std::vector<std::int64_t>{50, 50, 50, 60}));
}

TEST(JournalAppend, ManyThreadsLoseNothingAndKeepTheirOwnOrder) {
  const TempFolder folder;
  const auto opened = must_open(options_in(folder.path(), 16 * 1024));
  constexpr int kThreads = 4;
  constexpr int kEach = 3000;
  std::atomic<int> durable{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const auto message = text_message(std::to_string(t) + " " + std::to_string(i));
        while (!append_message(*opened.journal, message, [&](Result<RecordId> id) {
                  durable += id.has_value() ? 1 : 0;
                }).has_value()) {
          std::this_thread::yield();
        }
        // On a slow disk everything could go out as one group, which never spans two segments.
        if (i % 500 == 0) opened.journal->flush();
      }
    });
  }
  // A reader runs along.
  auto reader = opened.journal->reader({}).value();
  std::vector<int> next(kThreads, 0);
  int read = 0;
  while (read < kThreads * kEach) {
    reader->wait(Duration::seconds(10));
    const auto batch = reader->read(64 * 1024);
    ASSERT_TRUE(batch.has_value());
    for (const RecordView& record : batch->records) {
      const std::string body(as_text(record.body));
      const auto space = body.find(' ');
      const auto t = static_cast<std::size_t>(std::stoi(body.substr(0, space)));
      EXPECT_EQ(std::stoi(body.substr(space + 1)), next[t]++);
      ++read;
    }
  }
  threads.clear();
  opened.journal->flush();
  EXPECT_EQ(opened.journal->stats().records_durable, static_cast<std::uint64_t>(kThreads * kEach));
  EXPECT_LT(opened.journal->stats().groups, static_cast<std::uint64_t>(kThreads * kEach));
  EXPECT_GT(opened.journal->stats().segments, 1u);
}

TEST(JournalAppend, ListenerRunsAndWaitIsInterrupted) {
  const TempFolder folder;
  const auto opened = must_open(options_in(folder.path()));
  std::promise<void> heard;
  std::atomic<int> calls{0};
  const auto id = opened.journal->add_listener([&] {
    if (calls++ == 0) heard.set_value();
  });
  ASSERT_TRUE(append_and_wait(*opened.journal, text_message("x")).has_value());
  heard.get_future().wait();
  opened.journal->remove_listener(id);
  const int before = calls;
  ASSERT_TRUE(append_and_wait(*opened.journal, text_message("y")).has_value());
  EXPECT_EQ(calls, before);

  auto reader = opened.journal->reader(opened.journal->end()).value();
  std::jthread other([&] { reader->interrupt(); });
  EXPECT_FALSE(reader->wait(Duration::hours(1)));
}

TEST(JournalAppend, OneWriterAFolder) {
  const TempFolder folder;
  const auto opened = must_open(options_in(folder.path()));
  const auto second = open_embedded(options_in(folder.path()));
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().where, "journal.lock");
}

std::vector<Record> records_of(std::span<const std::string> bodies) {
  std::vector<Record> out;
  for (const std::string& body : bodies) {
    out.push_back({.identity = {}, .properties = {}, .body = as_bytes(body)});
  }
  return out;
}

TEST(JournalAppend, SeveralRecordsHaveOneAnswerWithTheIdOfTheLast) {
  const TempFolder folder;
  auto options = options_in(folder.path());
  options.gather_delay = Duration::milliseconds(4);
  auto opened = must_open(std::move(options));
  const std::vector<std::string> bodies = {"a", "b", "c"};
  std::vector<RecordId> answers;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(
        opened.journal->append_all(records_of(bodies), [&](Result<RecordId> id) { answers.push_back(id.value()); })
            .has_value());
  }
  opened.journal->flush();
  EXPECT_EQ(bodies_of(read_all(*opened.journal)), (std::vector<std::string>{"a", "b", "c", "a", "b", "c"}));
  opened.journal.reset();
  EXPECT_EQ(answers, (std::vector<RecordId>{{0, 3}, {0, 6}}));
}

TEST(JournalAppend, SeveralRecordsAreTakenAllOrNotAtAll) {
  const TempFolder folder;
  auto opened = must_open(options_in(folder.path()));
  const std::vector<std::string> bodies = {"a", std::string(kRecordBytesMax, 'x'), "c"};
  bool answered = false;
  EXPECT_FALSE(
      opened.journal->append_all(records_of(bodies), [&](const Result<RecordId>&) { answered = true; }).has_value());
  ASSERT_TRUE(append_and_wait(*opened.journal, text_message("next")).has_value());
  EXPECT_EQ(bodies_of(read_all(*opened.journal)), (std::vector<std::string>{"next"}));
  opened.journal.reset();
  EXPECT_FALSE(answered);
}

TEST(JournalAppend, PositionOfAnotherJournalIsRefused) {
  const TempFolder folder;
  const auto opened = must_open(options_in(folder.path()));
  EXPECT_TRUE(opened.journal->reader(opened.journal->end()).has_value());
  EXPECT_EQ(opened.journal->reader(Position::at(0, 2)).error().where, "journal.read.position");
}

TEST(JournalRounds, ALoneSenderDoesNotWaitForOthers) {
  const TempFolder folder;
  auto options = options_in(folder.path());
  options.gather_delay = Duration::minutes(60);
  const auto opened = must_open(std::move(options));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(append_and_wait(*opened.journal, text_message("alone")).has_value());
  EXPECT_EQ(opened.journal->stats().groups, 10u);
}

TEST(JournalRounds, SendersThatWaitForTheirAnswersAreWrittenWhenAllAreBack) {
  const TempFolder folder;
  auto options = options_in(folder.path());
  options.gather_delay = Duration::minutes(60);
  const auto opened = must_open(std::move(options));
  std::promise<void> entered;
  std::promise<void> release;
  auto held = release.get_future().share();
  ASSERT_TRUE(append_message(*opened.journal, text_message("first"), [&](Result<RecordId>) {
                entered.set_value();
                held.wait();
              }).has_value());
  entered.get_future().wait();
  const auto round = [&] {  // of three
    std::promise<void> last;
    for (const bool is_last : {false, false, true}) {
      ASSERT_TRUE(append_message(*opened.journal, text_message("x"), [&last, is_last](Result<RecordId>) {
                    if (is_last) last.set_value();
                  }).has_value());
    }
    release.set_value();
    last.get_future().wait();
    release = {};
  };
  round();  // together while the writer is held
  EXPECT_EQ(opened.journal->stats().groups, 2u);
  for (int i = 0; i < 5; ++i) round();  // one by one
  EXPECT_EQ(opened.journal->stats().groups, 7u);
}

}  // namespace
}  // namespace picket::journal
