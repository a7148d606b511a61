#include "format.h"
#include "journal_harness.h"

namespace picket::journal {
namespace {

/// A folder with records "a", "b", … and the positions file of a crash: none.
void fill(const std::string& folder, const std::vector<std::string>& bodies,
          std::uint64_t segment_bytes_max = 64 << 20) {
  {
    const auto opened = must_open(options_in(folder, segment_bytes_max));
    for (const auto& body : bodies) ASSERT_TRUE(append_and_wait(*opened.journal, text_message(body)).has_value());
  }
  std::filesystem::remove(folder + "/positions");
}

std::size_t record_bytes(const std::string& body) {
  const Message message = text_message(body);
  return encoded_size({.identity = message.identity, .body = as_bytes(message.body)}).value();
}

TEST(JournalTornTail, IsCutOffAtEveryByteAndAppendingGoesOn) {
  const TempFolder origin;
  fill(origin.path(), {"first", "second"});
  const auto file = segment_files(origin.path()).at(0);
  const std::string whole = slurp(file);
  const std::size_t keep = kFileHeaderBytes + record_bytes("first");
  for (std::size_t length = keep; length < whole.size(); ++length) {
    const TempFolder folder;
    spit(folder.path() / file.filename(), whole.substr(0, length));
    std::string log;
    auto options = options_in(folder.path());
    options.log = [&](std::string_view line) { log += line; };
    const auto opened = must_open(std::move(options));
    EXPECT_EQ(opened.report.torn_bytes, length - keep);
    EXPECT_EQ(log.empty(), length == keep) << log;
    EXPECT_EQ(append_and_wait(*opened.journal, text_message("third")).value().sequence, 2u);
    EXPECT_EQ(bodies_of(read_all(*opened.journal)), (std::vector<std::string>{"first", "third"}));
  }
}

TEST(JournalTornTail, ZeroesAreRoomThatWasPreparedAndAreCutOffWithoutAReport) {
  const TempFolder folder;
  fill(folder.path(), {"first"});
  const auto file = segment_files(folder.path()).at(0);
  const auto whole = slurp(file);
  spit(file, whole + std::string(50'000, '\0'));
  const auto opened = must_open(options_in(folder.path()));
  EXPECT_TRUE(opened.report.torn_file.empty());
  EXPECT_EQ(opened.report.torn_bytes, 0u);
  EXPECT_EQ(slurp(file), whole);
  EXPECT_EQ(append_and_wait(*opened.journal, text_message("next")).value().sequence, 2u);
  EXPECT_EQ(bodies_of(read_all(*opened.journal)), (std::vector<std::string>{"first", "next"}));
}

TEST(JournalTornTail, OneByteAmongZeroesIsATornRecord) {
  const TempFolder folder;
  fill(folder.path(), {"first"});
  const auto file = segment_files(folder.path()).at(0);
  spit(file, slurp(file) + std::string(20'000, '\0') + "x" + std::string(20'000, '\0'));
  EXPECT_EQ(must_open(options_in(folder.path())).report.torn_bytes, 40'001u);
}

TEST(JournalTornTail, WhatACrashLeavesBehindTheRecordsIsNoDamage) {
  const TempFolder folder;
  const TempFolder crashed;
  const auto live = must_open(options_in(folder.path(), 100'000));
  std::vector<std::string> bodies;
  for (int i = 0; i < 300; ++i) {
    bodies.push_back(std::to_string(i) + std::string(500, '\0'));  // a record may end with zeros
    ASSERT_TRUE(append_and_wait(*live.journal, text_message(bodies.back())).has_value());
  }
  // The files as they are now are what kill -9 would leave.
  for (const auto& file : segment_files(folder.path())) std::filesystem::copy(file, crashed.path());
  ASSERT_GE(segment_files(crashed.path()).size(), 2u);
  const auto opened = must_open(options_in(crashed.path(), 100'000));
  EXPECT_TRUE(opened.report.torn_file.empty() && opened.report.corrupt.empty());
  EXPECT_EQ(bodies_of(read_all(*opened.journal)), bodies);
}

TEST(JournalTornTail, SegmentWithoutHeaderIsRemoved) {
  for (const std::size_t length : {0U, 1U, 63U}) {
    const TempFolder folder;
    fill(folder.path(), {"first"});
    spit(folder.path() + "/" + segment_name(2), std::string(length, 'x'));
    const auto opened = must_open(options_in(folder.path()));
    EXPECT_EQ(opened.report.torn_bytes, length);
    EXPECT_EQ(append_and_wait(*opened.journal, text_message("next")).value().sequence, 2u);
    EXPECT_EQ(bodies_of(read_all(*opened.journal)), (std::vector<std::string>{"first", "next"}));
  }
}

TEST(JournalCorruption, EveryFlippedByteOfAMiddleRecordIsReportedWithItsOffsets) {
  const TempFolder origin;
  fill(origin.path(), {"first", "second", "third"});
  const auto file = segment_files(origin.path()).at(0);
  const std::string whole = slurp(file);
  const std::size_t begin = kFileHeaderBytes + record_bytes("first");
  const std::size_t end = begin + record_bytes("second");
  for (std::size_t at = begin; at < end; ++at) {
    const TempFolder folder;
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 0x5A);
    spit(folder.path() / file.filename(), bad);
    const auto opened = must_open(options_in(folder.path()));
    const Corruption expected{(folder.path() / file.filename()).string(), begin, end, 2, 3};
    ASSERT_EQ(opened.report.corrupt, std::vector{expected}) << "byte " << at;
    auto reader = opened.journal->reader({}).value();
    EXPECT_EQ(reader->read(1 << 20).value().records.size(), 1u);
    for (int again = 0; again < 2; ++again) {
      EXPECT_EQ(reader->read(1 << 20).error().where, "journal.read.corrupt");
      EXPECT_EQ(reader->corruption(), expected);
    }
    ASSERT_TRUE(opened.journal->accept_loss(expected).has_value());
    const auto batch = reader->read(1 << 20).value();
    ASSERT_EQ(batch.records.size(), 1u);
    EXPECT_EQ(as_text(batch.records[0].body), "third");
    EXPECT_EQ(opened.journal->stats().losses_accepted, 1u);
    EXPECT_EQ(slurp(folder.path() / file.filename()), bad) << "evidence is kept";
  }
}

TEST(JournalCorruption, AcceptedLossIsRememberedAndAppendingGoesOnBehindIt) {
  const TempFolder folder;
  fill(folder.path(), {"first", "second", "third"});
  const auto file = segment_files(folder.path()).at(0);
  std::string bad = slurp(file);
  bad[kFileHeaderBytes + record_bytes("first") + 20] ^= 1;
  spit(file, bad);
  {
    const auto opened = must_open(options_in(folder.path()));
    ASSERT_EQ(opened.report.corrupt.size(), 1u);
    ASSERT_TRUE(opened.journal->accept_loss(opened.report.corrupt[0]).has_value());
    EXPECT_EQ(append_and_wait(*opened.journal, text_message("fourth")).value().sequence, 4u);
  }
  const auto opened = must_open(options_in(folder.path()));
  EXPECT_EQ(bodies_of(read_all(*opened.journal)), (std::vector<std::string>{"first", "third", "fourth"}));
  // A consumer that stood inside the lost part goes on too.
  EXPECT_EQ(bodies_of(read_all(*opened.journal, Position::at(0, 2))), (std::vector<std::string>{"third", "fourth"}));
}

TEST(JournalCorruption, InAnOlderSegmentStopsTheReaderThere) {
  const TempFolder folder;
  fill(folder.path(), {"first", "second", "third"}, 1);  // one record a segment
  const auto files = segment_files(folder.path());
  ASSERT_EQ(files.size(), 3u);
  std::string bad = slurp(files[1]);
  bad.back() ^= 1;
  spit(files[1], bad);
  const auto opened = must_open(options_in(folder.path(), 1));
  const auto read = read_all(*opened.journal);
  EXPECT_EQ(bodies_of(read), (std::vector<std::string>{"first"}));
  EXPECT_EQ(read.corruption, (Corruption{files[1].string(), kFileHeaderBytes, bad.size(), 2, 3}));
  ASSERT_TRUE(opened.journal->accept_loss(*read.corruption).has_value());
  EXPECT_EQ(bodies_of(read_all(*opened.journal)), (std::vector<std::string>{"first", "third"}));
}

TEST(JournalCorruption, MissingAndHeadlessSegmentsAreReported) {
  for (const bool missing : {true, false}) {
    const TempFolder folder;
    fill(folder.path(), {"first", "second", "third"}, 1);
    const auto files = segment_files(folder.path());
    if (missing) {
      std::filesystem::remove(files[1]);
    } else {
      std::string bad = slurp(files[1]);
      bad[40] ^= 1;
      spit(files[1], bad);
    }
    const auto opened = must_open(options_in(folder.path(), 1));
    const auto read = read_all(*opened.journal);
    EXPECT_EQ(bodies_of(read), (std::vector<std::string>{"first"}));
    ASSERT_TRUE(read.corruption.has_value());
    EXPECT_EQ(read.corruption->first_sequence, 2u);
    EXPECT_EQ(read.corruption->next_sequence, 3u);
    ASSERT_TRUE(opened.journal->accept_loss(*read.corruption).has_value());
    EXPECT_EQ(bodies_of(read_all(*opened.journal)), (std::vector<std::string>{"first", "third"}));
  }
}

TEST(JournalCorruption, TailThatWasDurableIsNotCutOffAndItsSequencesAreNotReused) {
  const TempFolder folder;
  {  // A clean stop leaves DIR/positions, which knows that both records were durable.
    const auto opened = must_open(options_in(folder.path()));
    for (const auto* body : {"first", "second"}) {
      ASSERT_TRUE(append_and_wait(*opened.journal, text_message(body)).has_value());
    }
  }
  const auto file = segment_files(folder.path()).at(0);
  std::string bad = slurp(file);
  bad.back() ^= 1;
  spit(file, bad);
  const auto opened = must_open(options_in(folder.path()));
  EXPECT_EQ(opened.report.torn_bytes, 0u);
  ASSERT_EQ(opened.report.corrupt.size(), 1u);
  EXPECT_EQ(opened.report.corrupt[0].first_sequence, 2u);
  EXPECT_EQ(slurp(file), bad);
  EXPECT_EQ(append_and_wait(*opened.journal, text_message("third")).value().sequence, 3u);
  const auto read = read_all(*opened.journal);
  EXPECT_EQ(bodies_of(read), (std::vector<std::string>{"first"}));
  ASSERT_TRUE(opened.journal->accept_loss(*read.corruption).has_value());
  EXPECT_EQ(bodies_of(read_all(*opened.journal)), (std::vector<std::string>{"first", "third"}));
}

TEST(JournalCorruption, BytesOfABodyNeverPassForARecord) {
  // A sender puts an encoded record into its body and hopes that the journal breaks right before it.
  Buffer forged;
  const Identity victim{"hub", "victim", "", ""};
  encode_record({.identity = victim, .body = as_bytes("forged")}, 3, forged);
  seal_records(forged, 0);
  const TempFolder folder;
  fill(folder.path(), {"first", std::string(as_text(forged)), "third"});
  const auto file = segment_files(folder.path()).at(0);
  std::string bad = slurp(file);
  bad[kFileHeaderBytes + record_bytes("first") + 1] ^= 1;
  spit(file, bad);
  const auto opened = must_open(options_in(folder.path()));
  ASSERT_EQ(opened.report.corrupt.size(), 1u);
  ASSERT_TRUE(opened.journal->accept_loss(opened.report.corrupt[0]).has_value());
  EXPECT_EQ(bodies_of(read_all(*opened.journal)), (std::vector<std::string>{"first", "third"}));
}

TEST(JournalCorruption, NewerFormatIsRefusedByName) {
  const TempFolder folder;
  fill(folder.path(), {"first"});
  const auto file = segment_files(folder.path()).at(0);
  std::string newer = slurp(file);
  newer[8] = 2;
  spit(file, newer);
  std::string log;
  auto options = options_in(folder.path());
  options.log = [&](std::string_view line) { log += line; };
  const auto opened = open_embedded(std::move(options));
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().where, "journal.segment.format");
  EXPECT_EQ(opened.error().offset, 2u);
  EXPECT_NE(log.find(file.filename().string()), std::string::npos);
}

}  // namespace
}  // namespace picket::journal
