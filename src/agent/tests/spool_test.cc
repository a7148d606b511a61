// What is put into a spool comes out of it, in order and once.
#include <fstream>
#include <map>
#include <memory>
#include <random>

#include "spool_fixture.h"

namespace picket::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(SpoolTest, GivesEntriesInOrderOfTheirSequenceOverAllPriorities) {
  Spool spool = open();
  put(spool, "a", Priority::low);
  put(spool, "b", Priority::urgent);
  put(spool, "c", Priority::low);
  put(spool, "d", Priority::high);
  EXPECT_THAT(take(spool), ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(spool.in_flight(), 4u);
  EXPECT_EQ(spool.pending(), 4u);
}

TEST_F(SpoolTest, KeepsAnEntryUntilItIsAcknowledged) {
  Spool spool = open();
  const StreamId id = put(spool, "a");
  EXPECT_THAT(take(spool), ElementsAre("a"));
  EXPECT_THAT(take(spool), IsEmpty());
  spool.rewind();
  EXPECT_THAT(take(spool), ElementsAre("a"));
  EXPECT_TRUE(spool.acknowledge(id));
  EXPECT_FALSE(spool.acknowledge(id)) << "a second acknowledgement changes nothing";
  spool.rewind();
  EXPECT_THAT(take(spool), IsEmpty());
  EXPECT_EQ(spool.pending(), 0u);
}

TEST_F(SpoolTest, RewindSendsWhatIsInFlightBeforeWhatIsNew) {
  Spool spool = open();
  put(spool, "a");
  put(spool, "b");
  EXPECT_THAT(take(spool), ElementsAre("a", "b"));
  put(spool, "c");
  spool.rewind();
  EXPECT_THAT(take(spool), ElementsAre("a", "b", "c"));
}

TEST_F(SpoolTest, SequencesHaveNoHoles) {
  Spool spool = open();
  for (std::uint64_t i = 1; i <= 10; ++i) EXPECT_EQ(put(spool, "x").sequence, i);
}

TEST_F(SpoolTest, TwoAgentsCannotShareADirectory) {
  Spool spool = open();
  const auto second = Spool::open(options(), kNow);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::exists);
}

TEST_F(SpoolTest, RefusesASegmentOfANewerVersionByName) {
  {
    Spool spool = open();
    put(spool, "a");
  }
  {
    std::fstream file(segments().front(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(8);
    file.put(2);
  }
  const auto opened = Spool::open(options(), kNow);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Errc::unsupported);
  EXPECT_EQ(opened.error().where, "spool.segment.version");
}

// The claim of the whole thing, against a model: what was appended and neither acknowledged nor counted as dropped is
// there again after any crash, in order, with its own id and bytes.
TEST_F(SpoolTest, EqualsAModelUnderAnyOperations) {
  std::mt19937 random(20'261'121);
  std::map<StreamId, std::string> model;  // appended, not acknowledged
  auto spool = std::make_unique<Spool>(open());
  std::vector<SpoolEntry> out;
  for (int step = 0; step < 20'000; ++step) {
    switch (random() % 8) {
      case 0:
      case 1:
      case 2: {
        const std::string text(random() % 40, static_cast<char>('a' + random() % 26));
        const StreamId id = put(*spool, text, static_cast<Priority>(random() % kPriorities));
        ASSERT_TRUE(model.emplace(id, text).second) << "an id names one message for ever";
        break;
      }
      case 3:
      case 4:
        if (auto entry = spool->next(kNow)) {
          ASSERT_EQ(model.at(entry->id), as_text(entry->payload));
          out.push_back(*std::move(entry));
        }
        break;
      case 5:
      case 6:
        if (!out.empty()) {
          const std::size_t pick = random() % out.size();
          ASSERT_TRUE(spool->acknowledge(out[pick].id));
          model.erase(out[pick].id);
          out.erase(out.begin() + static_cast<std::ptrdiff_t>(pick));
        }
        break;
      default:
        if (random() % 8 == 0) {
          spool.reset();  // crash
          out.clear();
          spool = std::make_unique<Spool>(open());
        } else if (random() % 4 == 0) {
          spool->rewind();
          out.clear();
        }
    }
    ASSERT_EQ(spool->pending(), model.size());
  }
  spool.reset();
  Spool last = open();
  std::vector<std::string> expected;
  for (const auto& [id, text] : model) expected.push_back(text);
  EXPECT_EQ(drain(last), expected);
  EXPECT_EQ(last.drops().total(), 0u);
}

}  // namespace
}  // namespace picket::agent
