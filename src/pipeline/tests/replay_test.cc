// A replay: rows first, detection after, from a checkpoint that may lie behind the sealed rows.
#include <gtest/gtest.h>

#include "checkpoint.h"
#include "hub_words.h"
#include "journal/journal.h"
#include "loop.h"
#include "pipeline/control_records.h"
#include "sealing_sink.h"

namespace picket::pipeline {
namespace {

TestRecord message(int i, const std::vector<TestEvent>& events, const std::string& message_id = "",
                   const std::string& head = "") {
  TestRecord out{.body = message_json(events, head),
                 .enqueued = noon(i),
                 .identity = {"hub", "device-" + std::to_string(i % 3), "", "g"},
                 .properties = {{"$.ifid", std::string(kSecurityInterface)}}};
  if (!message_id.empty()) out.properties.emplace_back("$.mid", message_id);
  return out;
}

/// Everything that makes a record's rows depend on what was before it: messages and events that come again, by each of
/// the three ways of telling so, doubled audit records; and attacks, dead letters and control records between them.
std::vector<TestRecord> records_of_all_kinds() {
  std::vector<TestRecord> out;
  for (int i = 0; i < 60; ++i) {
    auto again = process("/bin/ls", "ls", {}, noon(i));
    again.id = "event-of-" + std::to_string(i / 6);
    const auto fresh = process("/tmp/x", "xmrig --id " + std::to_string(i / 4), {}, noon(i));
    const std::string sequence = std::to_string(i % 20 == 18 ? i - 12 : i);
    switch (i % 6) {
      case 0:
        out.push_back(message(0, {again, fresh}));
        break;
      case 1:
        out.push_back(message(0, {fresh, again, again}));
        out.back().enqueued = noon(i);
        break;
      case 2:
        out.push_back(message(i, {fresh, failed_login(noon(i))}, "m" + std::to_string(i / 12)));
        out.back().identity.device_id = "device-m";
        break;
      case 3:
        out.push_back(message(0, {fresh}, "", R"("StreamEpoch":"e","Sequence":)" + std::to_string(i / 12) + ","));
        out.back().enqueued = noon(i);
        break;
      case 4:
        out.push_back(audit("certificate.add", {{"object", "root"}}, noon(i / 12)));
        out.back().enqueued = noon(i);
        out.back().properties.emplace_back("outbox-id", std::to_string(i / 12));
        break;
      default:
        out.push_back(message(i, {failed_login(noon(i))}));
        if (i % 12 == 5) out.back().body = "{broken";
        if (i == 23) out.back() = {.body = "rubbish", .enqueued = noon(i), .kind = journal::RecordKind::hub_event};
        if (i == 35) {
          out.back() = {.body = rules_change_body(Profile::parity),
                        .enqueued = noon(i),
                        .kind = journal::RecordKind::rules_change};
        }
    }
    out.back().sequence = static_cast<std::uint64_t>(i) + 1;
  }
  return out;
}

/// An engine, and what it has put out of each record.
class Replayed {
 public:
  Replayed() : engine_({"installation", {1, 2}}, Catalogue::builtin(), schema_) {}
  /// A new engine as a checkpoint behind record `last` leaves it.
  Replayed(Replayed& saved, std::uint64_t last) : Replayed() {
    const auto from = saved.engine_.parts();
    const auto to = engine_.parts();
    for (std::size_t i = 0; i < from.size(); ++i) {
      for (const StateChange& change : from[i]->take_changes()) {
        if (change.value) EXPECT_TRUE(to[i]->load(change.key, *change.value).has_value());
      }
      to[i]->take_changes();
    }
    Buffer bytes;
    ByteWriter out(bytes);
    saved.engine_.skipped().encode(out);
    Cursor in(bytes);
    engine_.resume(last, SkippedBook::decode(in).value());
  }

  void process(const TestRecord& record, Pass pass) {
    std::vector<journal::Property> properties;
    for (const auto& [name, value] : record.properties) properties.push_back({name, value});
    journal::RecordView view;
    view.kind = record.kind;
    view.enqueued = record.enqueued;
    view.identity = record.identity;
    view.properties = properties;
    view.body = as_bytes(record.body);
    view.id = {0, record.sequence};
    RowBatch batch;
    std::vector<DerivedChange> derived;
    engine_.process(view, batch, derived, pass);
    for (const workspace::Row& row : batch.rows()) rows[record.sequence].push_back(SealingSink::text_of(row));
    for (const DerivedChange& change : derived) changes[record.sequence].push_back(body_of(change));
  }
  [[nodiscard]] Stats stats() const {
    Stats out;
    engine_.add_stats(out);
    return out;
  }
  SkippedBook& skipped() { return engine_.skipped(); }

  std::map<std::uint64_t, std::vector<std::string>> rows;
  std::map<std::uint64_t, std::vector<std::string>> changes;

 private:
  workspace::Schema schema_ = make_workspace_schema();
  Engine engine_;
};

template <class T>
std::map<std::uint64_t, T> after(const std::map<std::uint64_t, T>& all, std::size_t sequence) {
  return {all.upper_bound(sequence), all.end()};
}

TEST(Replay, RowsFirstAndDetectionAfterMakeWhatOnePassMakes) {
  const auto records = records_of_all_kinds();
  Replayed whole;
  for (const TestRecord& record : records) whole.process(record, Pass::whole);
  ASSERT_GT(whole.stats().duplicate_messages, 5u);
  ASSERT_GT(whole.stats().duplicate_events, 10u);
  ASSERT_GT(whole.stats().hub_records_double, 2u);
  ASSERT_GT(whole.changes.size(), 10u);

  // Rows are sealed up to `sealed`, the checkpoint is behind `saved`, the journal ended at `end` when the process did.
  for (const auto& [sealed, saved, end] : std::vector<std::array<std::size_t, 3>>{
           {0, 0, 60}, {0, 30, 60}, {7, 30, 45}, {20, 21, 22}, {20, 20, 60}, {40, 13, 50}, {0, 60, 60}, {29, 59, 60}}) {
    SCOPED_TRACE(testing::Message() << sealed << ' ' << saved << ' ' << end);
    Replayed before;
    for (std::size_t i = 0; i < saved; ++i) before.process(records[i], Pass::whole);
    before.skipped().forget_through(std::min(sealed, saved));
    Replayed again(before, saved);
    for (std::size_t i = std::min(sealed, saved); i < end; ++i) again.process(records[i], Pass::rows);
    EXPECT_TRUE(again.changes.empty());
    for (std::size_t i = saved; i < end; ++i) again.process(records[i], Pass::detection);
    for (std::size_t i = end; i < records.size(); ++i) again.process(records[i], Pass::whole);
    EXPECT_EQ(after(again.rows, sealed), after(whole.rows, sealed));
    EXPECT_EQ(after(again.changes, saved), after(whole.changes, saved));
    EXPECT_EQ(again.stats().records, records.size() - saved);
    EXPECT_EQ(again.stats().events + before.stats().events, whole.stats().events);
    EXPECT_EQ(again.stats().dead_letters + before.stats().dead_letters, whole.stats().dead_letters);
  }
}

TEST(SkippedBook, FindsTheDuplicatesOfARecordAndForgetsFromBelow) {
  SkippedBook book;
  book.add({5, 1});
  book.add({5, 3});
  book.add({9});
  EXPECT_EQ(book.of(5).size(), 2u);
  EXPECT_EQ(book.of(9).front().event, Skipped::kWholeRecord);
  EXPECT_TRUE(book.of(7).empty());
  book.forget_through(5);
  EXPECT_EQ(book.from(), 5u);
  EXPECT_TRUE(book.of(5).empty());
  EXPECT_EQ(book.of(9).size(), 1u);
  book.forget_through(3);
  EXPECT_EQ(book.from(), 5u);
}

TEST(SkippedBook, IsBoundedAndSaysWhatItDoesNotKnow) {
  SkippedBook book;
  for (std::uint64_t i = 1; i <= 3 * SkippedBook::kEntriesMax; ++i) {
    book.add({i});
    ASSERT_LE(book.entries().size(), SkippedBook::kEntriesMax);
  }
  EXPECT_GT(book.from(), SkippedBook::kEntriesMax);
  EXPECT_EQ(book.entries().front().sequence, book.from() + 1) << "everything above from() is known";
  EXPECT_EQ(book.entries().back().sequence, 3 * SkippedBook::kEntriesMax);
}

TEST(SkippedBook, RefusesWhatDoesNotAscend) {
  const auto decoded = [](std::uint64_t from, std::vector<std::uint64_t> sequences) {
    Buffer bytes;
    ByteWriter out(bytes);
    out.le(from).le(static_cast<std::uint32_t>(sequences.size()));
    for (const std::uint64_t sequence : sequences) out.le(sequence).le(std::uint32_t{0});
    Cursor in(bytes);
    return SkippedBook::decode(in).has_value();
  };
  EXPECT_TRUE(decoded(4, {5, 5, 6}));
  EXPECT_FALSE(decoded(4, {6, 5}));
  EXPECT_FALSE(decoded(4, {4}));
  EXPECT_FALSE(decoded(0, std::vector<std::uint64_t>(SkippedBook::kEntriesMax + 1, 7)));
}

journal::Position at(std::uint64_t next) { return journal::Position::at(0, next); }

SkippedBook known_from(std::uint64_t from) {
  SkippedBook out;
  out.forget_through(from);
  return out;
}

TEST(CheckpointStore, GoesOnFromTheNewestWhoseSkippedReachBackToTheSealedRows) {
  const TempFolder folder;
  {
    auto store = CheckpointStore::open(folder.path()).value();
    ASSERT_TRUE(store.commit(at(10), at(1), known_from(5), {}).has_value());
    ASSERT_TRUE(store.commit(at(20), at(2), known_from(5), {}).has_value());
    ASSERT_TRUE(store.commit(at(30), at(3), known_from(15), {}).has_value());
    ASSERT_TRUE(store.commit(at(90), at(4), known_from(15), {}).has_value());
  }
  const auto chosen = [&](std::uint64_t sealed_through, std::uint64_t end) {
    const TempFolder copy;
    std::filesystem::copy(folder.path(), copy.path(), std::filesystem::copy_options::recursive);
    auto store = CheckpointStore::open(copy.path()).value();
    const auto restored = store.restore(at(sealed_through + 1), at(end), {}).value();
    return restored ? restored->position.next_of(0) : 0;
  };
  EXPECT_EQ(chosen(15, 100), 90u);
  EXPECT_EQ(chosen(15, 50), 30u) << "the journal knows nothing of the newest";
  EXPECT_EQ(chosen(14, 100), 20u) << "a duplicate in record 15 is not known any more";
  EXPECT_EQ(chosen(5, 100), 20u);
  EXPECT_EQ(chosen(4, 100), 0u);
  EXPECT_EQ(chosen(9, 100), 20u);
  EXPECT_EQ(chosen(100, 200), 90u);
}

TEST(CheckpointStore, FormatOneIsReadAndKnowsOfNothingSkipped) {
  const TempFolder folder;
  CheckpointFile file{.number = 1, .previous = 0, .position = "17", .derived = "2"};
  file.skipped = known_from(9);
  Buffer bytes = encode_checkpoint(file);
  // magic 8, format 4, number 8, previous 8, "17" 4 + 2, "2" 4 + 1; then the list: 8 + 4
  bytes.erase(bytes.begin() + 39, bytes.begin() + 51);
  bytes[8] = std::byte{1};
  bytes.resize(bytes.size() - 4);
  const std::uint32_t crc = crc32c(bytes);
  ByteWriter(bytes).le(crc);
  EXPECT_EQ(parse_checkpoint(bytes).value().skipped.from(), 16u);
  ASSERT_TRUE(replace_file(folder.path() + "/1.checkpoint", bytes).has_value());
  auto store = CheckpointStore::open(folder.path()).value();
  EXPECT_EQ(store.restore(at(17), at(30), {}).value()->position, at(17));
  EXPECT_FALSE(store.restore(at(16), at(30), {}).value().has_value());
}

class LoopReplay : public ::testing::Test {
 protected:
  void SetUp() override {
    messages_ = open("/journal");
    derived_ = open("/derived");
    for (int i = 0; i < kRecords; ++i) {
      const bool attack = i % 5 == 0;
      const std::string line = (attack ? "xmrig --id " : "ls ") + std::to_string(i);
      TestRecord record = message(0, {process(attack ? "/tmp/x" : "/bin/ls", line)}, "m" + std::to_string(i / 2));
      record.enqueued = noon(i);
      append(record);
    }
    messages_->flush();
  }
  std::unique_ptr<journal::Journal> open(const std::string& name) {
    return std::move(journal::open_embedded({.directory = folder_.path() + name, .reserve_bytes = 0})->journal);
  }
  void append(const TestRecord& record) {
    std::vector<journal::Property> properties;
    for (const auto& [name, value] : record.properties) properties.push_back({name, value});
    ASSERT_TRUE(messages_
                    ->append({.partition = partition_of(record.identity),
                              .enqueued = record.enqueued,
                              .identity = record.identity,
                              .properties = properties,
                              .body = as_bytes(record.body)},
                             {})
                    .has_value());
  }
  std::unique_ptr<Loop> start(SealingSink& sink) {
    return Loop::open({.checkpoint_directory = folder_.path() + "/checkpoints",
                       .installation_id = "inst",
                       .fingerprint_key = {3, 4},
                       .batch_bytes = 1},
                      *messages_, *derived_, sink, clock_)
        .value();
  }
  void turn(Loop& loop) { ASSERT_TRUE(loop.turn(Duration::milliseconds(1)).has_value()); }
  static std::uint64_t next_of(const Loop& loop) {
    return journal::Position::parse(loop.stats().position).value().next_of(0);
  }

  static constexpr int kRecords = 30;
  TempFolder folder_;
  ManualClock clock_{kNoon};
  std::unique_ptr<journal::Journal> messages_;
  std::unique_ptr<journal::Journal> derived_;
};

TEST_F(LoopReplay, RowsAreThereBeforeDetectionGoesOn) {
  std::vector<std::string> rows;
  {
    SealingSink sink(folder_.path());
    const auto loop = start(sink);
    while (loop->stats().replaying) turn(*loop);
    rows = sink.rows();
    ASSERT_TRUE(loop->checkpoint().has_value());
  }
  const auto derived_end = derived_->end();
  SealingSink sink(folder_.path());
  const auto loop = start(sink);
  EXPECT_EQ(next_of(*loop), kRecords + 1u) << "detection goes on behind the checkpoint, although nothing is sealed";
  for (int i = 0; sink.end() < kRecords; ++i) {
    ASSERT_LT(i, 2 * kRecords);
    turn(*loop);
  }
  EXPECT_EQ(sink.rows(), rows);
  EXPECT_EQ(derived_->end(), derived_end);
  append(message(kRecords, {process("/tmp/x", "xmrig --new", {}, noon(kRecords))}, "m" + std::to_string(kRecords)));
  messages_->flush();
  while (next_of(*loop) < kRecords + 2u) turn(*loop);
  EXPECT_EQ(sink.rows().size(), rows.size() + 1);
  EXPECT_FALSE(derived_end.covers(derived_->end()));
}

TEST_F(LoopReplay, NoCheckpointIsWrittenWhileDetectionIsBehindTheRows) {
  SealingSink sink(folder_.path());
  const auto loop = start(sink);
  while (sink.end() < kRecords) turn(*loop);
  EXPECT_EQ(next_of(*loop), 1u);
  ASSERT_TRUE(loop->checkpoint().has_value());
  EXPECT_EQ(loop->stats().checkpoints, 0u);
  while (loop->stats().replaying) turn(*loop);
  ASSERT_TRUE(loop->checkpoint().has_value());
  EXPECT_EQ(loop->stats().checkpoints, 1u);
}

TEST_F(LoopReplay, ACheckpointFollowsASealSoon) {
  SealingSink sink(folder_.path());
  const auto loop = start(sink);
  while (loop->stats().replaying) turn(*loop);
  ASSERT_TRUE(sink.seal().has_value());
  turn(*loop);
  EXPECT_EQ(loop->stats().checkpoints, 0u) << "not with each of many seals";
  clock_.advance(Duration::seconds(5));
  turn(*loop);
  EXPECT_EQ(loop->stats().checkpoints, 1u);
  clock_.advance(Duration::seconds(5));
  turn(*loop);
  EXPECT_EQ(loop->stats().checkpoints, 1u) << "nothing was sealed behind it";
}

TEST_F(LoopReplay, WaitsForASinkThatIsFullAndLosesNothing) {
  SealingSink sink(folder_.path());
  const auto loop = start(sink);
  sink.be_full_once();
  while (loop->stats().replaying) turn(*loop);
  EXPECT_EQ(sink.rows().size(), static_cast<std::size_t>(kRecords / 2));
  EXPECT_EQ(loop->stats().sink_full_waits, 1u);
}

}  // namespace
}  // namespace picket::pipeline
