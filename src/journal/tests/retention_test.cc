#include "journal_harness.h"

namespace picket::journal {
namespace {

/// Five segments of one record each, enqueued at 1 to 5 seconds; a sixth record stands in the newest.
OpenedJournal five_segments(const std::string& folder) {
  auto opened = must_open(options_in(folder, 1));
  for (int i = 1; i <= 6; ++i) {
    EXPECT_TRUE(append_and_wait(*opened.journal, text_message(std::to_string(i), i * 1'000'000)).has_value());
  }
  return opened;
}

TEST(JournalRetention, DeletesWholeSegmentsByAge) {
  const TempFolder folder;
  const auto opened = five_segments(folder.path());
  // At 7 s with 3 s to live: 1, 2 and 3 are over it.
  ASSERT_TRUE(opened.journal->retain({.age_max = Duration::seconds(3)}, Timestamp{7'000'000}).has_value());
  EXPECT_EQ(bodies_of(read_all(*opened.journal)), (std::vector<std::string>{"4", "5", "6"}));
  EXPECT_EQ(opened.journal->begin(), Position::at(0, 4));
  EXPECT_EQ(opened.journal->stats().segments_deleted, 3u);
  EXPECT_EQ(segment_files(folder.path()).size(), 3u);
  EXPECT_EQ(opened.journal->reader(Position::at(0, 3)).error().where, "journal.read.expired");
}

TEST(JournalRetention, DeletesBySizeButKeepsTheNewest) {
  const TempFolder folder;
  const auto opened = five_segments(folder.path());
  const auto one = opened.journal->stats().bytes_stored / 6;
  ASSERT_TRUE(opened.journal->retain({.bytes_max = 2 * one}, Timestamp{}).has_value());
  EXPECT_EQ(bodies_of(read_all(*opened.journal)), (std::vector<std::string>{"5", "6"}));
  ASSERT_TRUE(opened.journal->retain({.bytes_max = 1}, Timestamp{}).has_value());
  EXPECT_EQ(bodies_of(read_all(*opened.journal)), (std::vector<std::string>{"6"}));
}

TEST(JournalRetention, NeverPassesTheSlowestConsumer) {
  const TempFolder folder;
  {
    const auto opened = five_segments(folder.path());
    EXPECT_EQ(opened.journal->add_consumer("slow").value(), Position::at(0, 1));
    EXPECT_EQ(opened.journal->add_consumer("fast").value(), Position::at(0, 1));
    ASSERT_TRUE(opened.journal->set_position("fast", Position::at(0, 7)).has_value());
    ASSERT_TRUE(opened.journal->set_position("slow", Position::at(0, 3)).has_value());
    ASSERT_TRUE(opened.journal->retain({.bytes_max = 1}, Timestamp{}).has_value());
    EXPECT_EQ(bodies_of(read_all(*opened.journal)), (std::vector<std::string>{"3", "4", "5", "6"}));
    EXPECT_EQ(opened.journal->stats().retention_blocked, 1u);
  }
  const auto opened = must_open(options_in(folder.path(), 1));
  EXPECT_EQ(opened.journal->add_consumer("slow").value(), Position::at(0, 3)) << "stored on close";
  ASSERT_TRUE(opened.journal->remove_consumer("slow").has_value());
  ASSERT_TRUE(opened.journal->retain({.bytes_max = 1}, Timestamp{}).has_value());
  EXPECT_EQ(bodies_of(read_all(*opened.journal)), (std::vector<std::string>{"6"}));
}

TEST(JournalRetention, ReaderOfADeletedSegmentIsToldSo) {
  const TempFolder folder;
  const auto opened = five_segments(folder.path());
  auto reader = opened.journal->reader({}).value();
  EXPECT_EQ(reader->read(1).value().records.size(), 1u);
  ASSERT_TRUE(opened.journal->retain({.bytes_max = 1}, Timestamp{}).has_value());
  EXPECT_EQ(reader->read(1).error().where, "journal.read.expired");
}

TEST(JournalRetention, ConsumerNamesAndCountAreBounded) {
  const TempFolder folder;
  const auto opened = must_open(options_in(folder.path()));
  for (const std::string name : {"", "A", "with space", "new\nline"}) {
    EXPECT_EQ(opened.journal->add_consumer(name).error().where, "journal.consumer.name") << name;
  }
  for (std::size_t i = 0; i < kConsumersMax; ++i) {
    ASSERT_TRUE(opened.journal->add_consumer("c" + std::to_string(i)).has_value());
  }
  EXPECT_EQ(opened.journal->add_consumer("more").error().where, "journal.consumer.count");
  EXPECT_EQ(opened.journal->set_position("unknown", {}).error().code, Errc::not_found);
  EXPECT_EQ(opened.journal->set_position("c0", Position::at(0, 99)).error().where, "journal.consumer.position");
}

}  // namespace
}  // namespace picket::journal
