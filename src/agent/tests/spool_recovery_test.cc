// What is there again after a crash, a power cut and damage.
#include <fstream>
#include <set>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spool_fixture.h"
#include "spool_format.h"

namespace picket::agent {
namespace {

using ::testing::ElementsAre;
using SpoolRecovery = SpoolTest;

TEST_F(SpoolRecovery, ResumesAtTheAcknowledgedSequenceAfterACrash) {
  StreamId third;
  {
    Spool spool = open();
    for (const char* text : {"a", "b", "c", "d", "e"}) put(spool, text);
    for (int i = 0; i < 3; ++i) {
      const auto entry = spool.next(kNow);
      ASSERT_TRUE(entry);
      third = entry->id;
      EXPECT_TRUE(spool.acknowledge(entry->id));
    }
  }  // no close(): as after kill -9
  Spool spool = open();
  EXPECT_EQ(spool.last_acknowledged(), third);
  EXPECT_EQ(spool.pending(), 2u);
  const StreamId next = put(spool, "f");
  EXPECT_EQ(next.epoch, third.epoch);
  EXPECT_EQ(next.sequence, 6u);
  EXPECT_THAT(drain(spool), ElementsAre("d", "e", "f"));
}

TEST_F(SpoolRecovery, RemembersAcknowledgementsOutOfOrder) {
  {
    Spool spool = open();
    std::vector<StreamId> ids;
    for (const char* text : {"a", "b", "c", "d"}) ids.push_back(put(spool, text));
    take(spool);
    EXPECT_TRUE(spool.acknowledge(ids[1]));
    EXPECT_TRUE(spool.acknowledge(ids[3]));
  }
  Spool spool = open();
  EXPECT_THAT(drain(spool), ElementsAre("a", "c"));
}

TEST_F(SpoolRecovery, SequenceGoesOnAfterEverythingWasAcknowledged) {
  StreamId last;
  {
    Spool spool = open();
    for (int i = 0; i < 500; ++i) last = put(spool, std::string(1000, 'x'));
    (void)drain(spool);
  }
  Spool spool = open();
  const StreamId next = put(spool, "y");
  EXPECT_EQ(next.epoch, last.epoch);
  EXPECT_EQ(next.sequence, last.sequence + 1);
}

TEST_F(SpoolRecovery, APowerLossBeginsANewEpoch) {
  StreamId before;
  SpoolOptions first = options();
  first.boot_id.fill(std::byte{1});
  {
    Spool spool = open(first);
    before = put(spool, "a");
  }
  SpoolOptions second = options();
  second.boot_id.fill(std::byte{2});
  Spool spool = open(second, Timestamp{0});  // and the clock was lost too
  const StreamId after = put(spool, "b");
  EXPECT_GT(after.epoch, before.epoch);
  EXPECT_EQ(after.sequence, 1u);
  EXPECT_THAT(take(spool), ElementsAre("a")) << "the new epoch waits for the end of the old one";
  EXPECT_TRUE(spool.acknowledge(before));
  EXPECT_THAT(drain(spool), ElementsAre("b"));
}

TEST_F(SpoolRecovery, AProperStopKeepsTheEpochOverAReboot) {
  StreamId before;
  SpoolOptions first = options();
  {
    Spool spool = open(first);
    before = put(spool, "a");
    ASSERT_TRUE(spool.close());
  }
  SpoolOptions second = options();
  second.boot_id.fill(std::byte{2});
  Spool spool = open(second);
  EXPECT_EQ(put(spool, "b"), (StreamId{before.epoch, before.sequence + 1}));
}

TEST_F(SpoolRecovery, CutsATornTailAtEveryLength) {
  {
    Spool spool = open();
    put(spool, "first");
    put(spool, "second");
  }
  ASSERT_EQ(segments().size(), 1u);
  const auto path = segments().front();
  const auto whole = std::filesystem::file_size(path);
  const auto second_at = whole - spool_format::kEntryHeaderBytes - 6;
  const std::filesystem::path copy = directory_ + ".copy";
  std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing);
  for (auto length = second_at + 1; length < whole; ++length) {
    std::filesystem::copy_file(copy, path, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(path, length);
    Spool spool = open();
    EXPECT_EQ(spool.repaired_bytes(), length - second_at);
    EXPECT_EQ(spool.pending(), 1u) << length;
    EXPECT_EQ(spool.drops().total(), 0u);
  }
  std::filesystem::remove(copy);
}

TEST_F(SpoolRecovery, CountsDamageInTheMiddleAndGoesOnBehindIt) {
  {
    Spool spool = open();
    for (const char* text : {"first", "second", "third"}) put(spool, text);
  }
  const auto path = segments().front();
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(
        static_cast<std::streamoff>(spool_format::kSegmentHeaderBytes + 2 * spool_format::kEntryHeaderBytes + 5));
    file.put('X');
  }
  Spool spool = open();
  EXPECT_EQ(spool.drops().corrupted[static_cast<std::size_t>(Priority::medium)], 1u);
  const auto rest = drain(spool);
  EXPECT_THAT(rest, ::testing::Contains("first"));
  EXPECT_THAT(rest, ::testing::Contains("third"));
  EXPECT_EQ(rest.size(), 2u);
}

// What a power cut may leave: any length of the segment with any length of the state file.
TEST_F(SpoolRecovery, OpensAfterATornWriteAtEveryByte) {
  {
    Spool spool = open();
    for (const char* text : {"a", "bb", "ccc"}) put(spool, text);
    const auto first = spool.next(kNow);
    ASSERT_TRUE(first && spool.acknowledge(first->id));
  }
  const auto content = [](const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const auto segment = segments().front();
  const std::filesystem::path state = std::filesystem::path(directory_) / "state";
  const std::string segment_bytes = content(segment), state_bytes = content(state);
  const std::vector<std::string> whole{"a", "bb", "ccc"};
  const auto check = [&](std::size_t segment_length, std::size_t state_length) {
    for (const auto& each : segments()) std::filesystem::remove(each);
    std::ofstream(segment, std::ios::binary) << segment_bytes.substr(0, segment_length);
    std::ofstream(state, std::ios::binary) << state_bytes.substr(0, state_length);
    Spool spool = open();
    std::set<StreamId> ids;
    std::vector<std::string> given;
    while (auto entry = spool.next(kNow)) {
      EXPECT_TRUE(ids.insert(entry->id).second);
      given.emplace_back(as_text(entry->payload));
      EXPECT_TRUE(spool.acknowledge(entry->id));
    }
    EXPECT_TRUE(std::ranges::includes(whole, given)) << segment_length << " and " << state_length << " bytes";
    const StreamId next = put(spool, "new");
    EXPECT_TRUE(ids.empty() || next > *ids.rbegin()) << segment_length << " and " << state_length << " bytes";
    EXPECT_THAT(drain(spool), ElementsAre("new"));
  };
  for (std::size_t n = 0; n <= segment_bytes.size(); ++n) check(n, state_bytes.size());
  // Two slots of 1 KiB; between them nothing stands.
  for (std::size_t n = 0; n <= state_bytes.size(); n += n < 1'024 ? 5 : 101) check(segment_bytes.size(), n);
}

// kill -9 of a process that appends and acknowledges as fast as it can, many times.
TEST_F(SpoolRecovery, SurvivesKillNineUnderLoad) {
  // The child may be far ahead of what is read here; nothing shall be evicted.
  const SpoolOptions roomy{.directory = directory_, .bytes_max = 512U << 20};
  std::set<std::uint64_t> acknowledged;
  std::uint64_t appended_last = 0;
  for (int round = 0; round < 20; ++round) {
    int pipe_fds[2];
    ASSERT_EQ(::pipe(pipe_fds), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      Spool spool = open(roomy);
      for (;;) {
        const auto id = spool.append(static_cast<Priority>(round % 4), as_bytes(std::string(300, 'k')), kNow);
        std::uint64_t report[2] = {1, id->sequence};
        if (::write(pipe_fds[1], report, sizeof report) < 0) ::_exit(1);
        if (auto entry = spool.next(kNow); entry && entry->id.sequence % 3 != 0) {
          report[0] = 2;
          report[1] = entry->id.sequence;
          if (!spool.acknowledge(entry->id) || ::write(pipe_fds[1], report, sizeof report) < 0) ::_exit(1);
        }
      }
    }
    ::close(pipe_fds[1]);
    std::uint64_t report[2];
    for (int i = 0; i < 200 + round * 37 && ::read(pipe_fds[0], report, sizeof report) == sizeof report; ++i) {
      if (report[0] == 1) appended_last = std::max(appended_last, report[1]);
      if (report[0] == 2) acknowledged.insert(report[1]);
    }
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    while (::read(pipe_fds[0], report, sizeof report) == sizeof report) {
      if (report[0] == 1) appended_last = std::max(appended_last, report[1]);
      if (report[0] == 2) acknowledged.insert(report[1]);
    }
    ::close(pipe_fds[0]);
  }
  Spool spool = open(roomy);
  std::set<std::uint64_t> left;
  while (auto entry = spool.next(kNow)) {
    EXPECT_TRUE(left.insert(entry->id.sequence).second);
    EXPECT_TRUE(spool.acknowledge(entry->id));
  }
  EXPECT_EQ(spool.drops().total(), 0u);
  for (std::uint64_t sequence = 1; sequence <= appended_last; ++sequence) {
    // The one acknowledgement between the mark on disk and the report may be missing here, never both.
    EXPECT_FALSE(acknowledged.contains(sequence) && left.contains(sequence)) << sequence;
  }
  EXPECT_GE(acknowledged.size() + left.size() + 20, appended_last);
}

}  // namespace
}  // namespace picket::agent
