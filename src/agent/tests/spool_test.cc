#include "agent/spool.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spool_format.h"

namespace picket::agent {
namespace {

constexpr Timestamp kNow{1'800'000'000'000'000};

class SpoolTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "picket-spool-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  SpoolOptions options() const { return {.directory = directory_, .bytes_max = 256 << 10}; }
  Spool open() { return open(options()); }
  static Spool open(SpoolOptions options, Timestamp now = kNow) {
    auto spool = Spool::open(std::move(options), now);
    EXPECT_TRUE(spool.has_value()) << describe(spool.error());
    return *std::move(spool);
  }
  std::vector<std::filesystem::path> segments() const {
    std::vector<std::filesystem::path> out;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      if (entry.path().extension() == ".spool") out.push_back(entry.path());
    }
    std::ranges::sort(out);
    return out;
  }
  std::string directory_;
};

StreamId put(Spool& spool, std::string_view text, Priority priority = Priority::medium, Timestamp now = kNow) {
  auto id = spool.append(priority, as_bytes(text), now);
  EXPECT_TRUE(id.has_value()) << describe(id.error());
  return id.value_or(StreamId{});
}

/// Gives out everything that can be sent now.
std::vector<std::string> take(Spool& spool, Timestamp now = kNow) {
  std::vector<std::string> out;
  while (auto entry = spool.next(now)) out.emplace_back(as_text(entry->payload));
  return out;
}

/// Sends and acknowledges until nothing is left.
std::vector<std::string> drain(Spool& spool, Timestamp now = kNow) {
  std::vector<std::string> out;
  while (auto entry = spool.next(now)) {
    out.emplace_back(as_text(entry->payload));
    EXPECT_TRUE(spool.acknowledge(entry->id));
  }
  return out;
}

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

TEST_F(SpoolTest, ResumesAtTheAcknowledgedSequenceAfterACrash) {
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

TEST_F(SpoolTest, RemembersAcknowledgementsOutOfOrder) {
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

TEST_F(SpoolTest, SequenceGoesOnAfterEverythingWasAcknowledged) {
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

TEST_F(SpoolTest, APowerLossBeginsANewEpoch) {
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

TEST_F(SpoolTest, AProperStopKeepsTheEpochOverAReboot) {
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

TEST_F(SpoolTest, CutsATornTailAtEveryLength) {
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

TEST_F(SpoolTest, CountsDamageInTheMiddleAndGoesOnBehindIt) {
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

TEST_F(SpoolTest, FullSpoolEvictsLowPriorityFirst) {
  Spool spool = open({.directory = directory_, .bytes_max = 64 << 10});
  const std::string kilobyte(1000, 'x');
  for (int i = 0; i < 20; ++i) put(spool, "high" + kilobyte, Priority::high);
  for (int i = 0; i < 200; ++i) put(spool, "low" + kilobyte, Priority::low);
  EXPECT_LE(spool.bytes(), 64u << 10);
  EXPECT_EQ(spool.drops().evicted[static_cast<std::size_t>(Priority::high)], 0u);
  EXPECT_EQ(spool.drops().evicted[static_cast<std::size_t>(Priority::low)] + spool.pending(), 220u);
  const auto left = drain(spool);
  EXPECT_EQ(std::ranges::count_if(left, [](const auto& text) { return text.starts_with("high"); }), 20);
}

TEST_F(SpoolTest, NeverDisplacesWhatIsMoreImportant) {
  Spool spool = open({.directory = directory_, .bytes_max = 64 << 10});
  const std::string kilobyte(1000, 'x');
  for (int i = 0; i < 100; ++i) put(spool, kilobyte, Priority::urgent);
  const auto refused = spool.append(Priority::low, as_bytes(std::string(20'000, 'y')), kNow);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::limit_exceeded);
  EXPECT_EQ(spool.drops().refused[static_cast<std::size_t>(Priority::low)], 1u);
}

TEST_F(SpoolTest, RefusesAPayloadAboveTheBound) {
  Spool spool = open();
  EXPECT_TRUE(spool.append(Priority::low, Buffer(kSpoolPayloadMax), kNow).has_value());
  EXPECT_FALSE(spool.append(Priority::low, Buffer(kSpoolPayloadMax + 1), kNow).has_value());
  EXPECT_EQ(spool.drops().refused[0], 1u);
}

TEST_F(SpoolTest, DropsWhatIsTooOldAndCountsIt) {
  Spool spool = open();
  put(spool, "old");
  put(spool, "edge", Priority::medium, kNow + Duration::seconds(1));
  EXPECT_THAT(drain(spool, kNow + Duration::days(7) + Duration::seconds(1)), ElementsAre("edge"));
  EXPECT_EQ(spool.drops().expired[static_cast<std::size_t>(Priority::medium)], 1u);
  EXPECT_EQ(spool.pending(), 0u);
}

TEST_F(SpoolTest, AnEntryFromBeforeTheClockWasSetHasNoAge) {
  Spool spool = open(options(), Timestamp{0});
  put(spool, "at boot", Priority::medium, Timestamp{1'000'000});
  EXPECT_THAT(drain(spool), ElementsAre("at boot"));
}

struct Losses final : SpoolLossSink {
  void lost(Bytes payload) override { texts.emplace_back(as_text(payload)); }
  std::vector<std::string> texts;
};

TEST_F(SpoolTest, TellsEachMessageThatItLosesOnce) {
  Losses losses;
  Spool spool = open();
  spool.tell_losses_to(losses);
  std::set<std::string> low;
  for (int i = 0; i < 60; ++i) {
    low.insert(std::to_string(i) + std::string(2'000, 'l'));
    put(spool, std::to_string(i) + std::string(2'000, 'l'), Priority::low);
  }
  // One is done and one on its way when their segment goes.
  const auto first = spool.next(kNow);
  ASSERT_TRUE(first);
  ASSERT_TRUE(spool.acknowledge(first->id));
  const auto second = spool.next(kNow);
  ASSERT_TRUE(second);
  for (int i = 0; i < 200; ++i) put(spool, std::string(2'000, 'h'), Priority::high);
  const std::uint64_t evicted_low = spool.drops().evicted[static_cast<std::size_t>(Priority::low)];
  const auto told_low = static_cast<std::uint64_t>(
      std::ranges::count_if(losses.texts, [&](const std::string& each) { return low.contains(each); }));
  EXPECT_EQ(evicted_low, 58u);
  EXPECT_EQ(told_low, 58u);
  EXPECT_EQ(std::ranges::count(losses.texts, std::string(as_text(first->payload))), 0);
  EXPECT_EQ(std::ranges::count(losses.texts, std::string(as_text(second->payload))), 0);
  EXPECT_EQ(losses.texts.size(), spool.drops().total());
}

TEST_F(SpoolTest, TellsWhatExpiresAndWhatItRefuses) {
  Losses losses;
  Spool spool = open();
  spool.tell_losses_to(losses);
  put(spool, "old");
  put(spool, "new", Priority::medium, kNow + Duration::days(7));
  EXPECT_THAT(take(spool, kNow + Duration::days(8)), ::testing::ElementsAre("new"));
  EXPECT_THAT(losses.texts, ::testing::ElementsAre("old"));
  EXPECT_FALSE(spool.append(Priority::urgent, Buffer(kSpoolPayloadMax + 1), kNow));
  ASSERT_EQ(losses.texts.size(), 2u);
  EXPECT_EQ(losses.texts[1].size(), kSpoolPayloadMax + 1);
}

TEST_F(SpoolTest, DropCountersSurviveARestart) {
  SpoolDrops before;
  {
    Spool spool = open({.directory = directory_, .bytes_max = 64 << 10});
    for (int i = 0; i < 200; ++i) put(spool, std::string(1000, 'x'));
    before = spool.drops();
    EXPECT_GT(before.total(), 0u);
  }
  EXPECT_EQ(open().drops(), before);
}

TEST_F(SpoolTest, MemoryOnlyModeKeepsTheSameRulesWithoutFiles) {
  Spool spool = open({.directory = "", .memory_max = 64 << 10});
  EXPECT_FALSE(spool.on_disk());
  for (int i = 0; i < 200; ++i) put(spool, "m" + std::to_string(i) + std::string(1000, ' '), Priority::low);
  put(spool, "last", Priority::urgent);
  EXPECT_LE(spool.bytes(), 64u << 10);
  EXPECT_GT(spool.drops().evicted[0], 0u);
  const auto left = drain(spool);
  EXPECT_EQ(left.back(), "last");
  EXPECT_EQ(left.size() + spool.drops().total(), 201u);
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

TEST_F(SpoolTest, AFullDiskIsSurvivedInMemory) {
  // A file-size limit makes every write beyond it fail, as a full disk does; in a child, since limits are inherited.
  const pid_t child = ::fork();
  if (child == 0) {
    Spool spool = open();
    rlimit limit{.rlim_cur = 8192, .rlim_max = 8192};
    ::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::size_t taken = 0;
    for (int i = 0; i < 100; ++i) taken += spool.append(Priority::high, Buffer(1000), kNow).has_value() ? 1 : 0;
    const bool counted = taken + spool.drops().total() == 100 && spool.pending() + spool.drops().evicted[2] == taken;
    std::size_t sent = 0;
    while (auto entry = spool.next(kNow)) sent += spool.acknowledge(entry->id) ? 1 : 0;
    ::_exit(counted && sent > 0 && spool.pending() == 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(SpoolTest, AYearAheadIsAnAgeAndIsCountedAYearBackIsNone) {
  constexpr Duration kYear = Duration::days(365);
  Spool spool = open();
  put(spool, "before");
  put(spool, "after", Priority::medium, kNow + kYear);
  EXPECT_THAT(drain(spool, kNow + kYear), ElementsAre("after"));
  EXPECT_EQ(spool.drops().expired[static_cast<std::size_t>(Priority::medium)], 1u);
  put(spool, "ahead", Priority::medium, kNow + kYear);
  put(spool, "back", Priority::medium, kNow);
  EXPECT_THAT(drain(spool, kNow), ElementsAre("ahead", "back"));
  EXPECT_EQ(spool.drops().total(), 1u);
  EXPECT_EQ(spool.pending(), 0u);
}

struct ClockThatIsSet final : Clock {
  [[nodiscard]] Timestamp now() const override { return wall; }
  [[nodiscard]] Duration monotonic() const override { return steady; }
  Timestamp wall;
  Duration steady;
};

TEST_F(SpoolTest, ItsTimeIsThatOfTheFirstLookAndNeverJumps) {
  ClockThatIsSet clock;
  clock.wall = kNow - Duration::days(366);
  Spool spool = open();
  const Timestamp first = spool.time(clock);
  EXPECT_EQ(first, clock.now());
  ASSERT_TRUE(spool.append(Priority::low, as_bytes("before the clock was set"), first));
  clock.wall = kNow;
  EXPECT_EQ(spool.time(clock), first);
  EXPECT_TRUE(spool.next(spool.time(clock)));
  clock.steady = Duration::days(3);
  EXPECT_EQ(spool.time(clock), first + Duration::days(3));
  EXPECT_EQ(spool.drops().total(), 0u);
}

TEST_F(SpoolTest, AnEpochThatBeginsAYearBackIsStillLater) {
  SpoolOptions first = options(), second = options();
  first.boot_id.fill(std::byte{1});
  second.boot_id.fill(std::byte{2});
  const StreamId ahead = [&] {
    Spool spool = open(first, kNow + Duration::days(365));
    return put(spool, "a");
  }();
  Spool spool = open(second, kNow);
  EXPECT_GT(put(spool, "b"), ahead);
}

// What a power cut may leave: any length of the segment with any length of the state file.
TEST_F(SpoolTest, OpensAfterATornWriteAtEveryByte) {
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

/// Runs `body` in a child that has a small disk of its own at `directory`; the exit code.
template <class Body>
int with_small_disk(const std::string& directory, Body&& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", directory.c_str(), "tmpfs", 0, "size=128k") != 0) {
      ::_exit(77);
    }
    ::_exit(body());
  }
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
bool may_mount() { return ::geteuid() == 0 || std::getenv("PICKET_TEST_UNPRIVILEGED") == nullptr; }

TEST_F(SpoolTest, ADiskThatIsReallyFullIsSurvivedAndUsedAgainWhenItHasRoom) {
  if (!may_mount()) GTEST_SKIP() << "mounts a disk of its own";
  EXPECT_EQ(
      with_small_disk(directory_,
                      [&] {
                        Spool spool =
                            open({.directory = directory_ + "/spool", .bytes_max = 1 << 20, .memory_max = 64 << 10});
                        const std::string ballast = directory_ + "/ballast";
                        std::ofstream(ballast) << std::string(200'000, 'x');  // as much of it as there is room for
                        std::uint64_t taken = 0;
                        for (int i = 0; i < 200; ++i)
                          taken += spool.append(Priority::high, Buffer(1'000), kNow).has_value() ? 1 : 0;
                        if (spool.on_disk() || spool.bytes() > (64 << 10) + (128 << 10)) return 1;
                        if (spool.pending() + spool.drops().total() != 200 || taken == 0) return 2;
                        std::filesystem::remove(ballast);
                        if (!spool.append(Priority::high, Buffer(1'000), kNow) || !spool.on_disk()) return 3;
                        std::uint64_t sent = 0;
                        while (auto entry = spool.next(kNow)) sent += spool.acknowledge(entry->id) ? 1 : 0;
                        return sent + spool.drops().total() == 201 && spool.pending() == 0 ? 0 : 4;
                      }),
      0);
}

TEST_F(SpoolTest, ADiskThatBecomesReadOnlyIsSurvivedInMemory) {
  if (!may_mount()) GTEST_SKIP() << "mounts a disk of its own";
  EXPECT_EQ(
      with_small_disk(
          directory_,
          [&] {
            // What is open stays writable, what is opened from now on is below a read-only mount.
            Spool spool = open({.directory = directory_ + "/spool", .bytes_max = 1 << 20, .memory_max = 64 << 10});
            put(spool, "on disk", Priority::high);
            const char* const path = directory_.c_str();
            if (::mount(path, path, nullptr, MS_BIND, nullptr) != 0 ||
                ::mount("none", path, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0) {
              return 1;
            }
            // Another priority needs another file.
            if (!spool.append(Priority::urgent, as_bytes("in memory"), kNow) || spool.on_disk()) return 2;
            const auto given = drain(spool);
            return given == std::vector<std::string>{"on disk", "in memory"} && spool.drops().total() == 0 ? 0 : 3;
          }),
      0);
}

TEST_F(SpoolTest, AReadOnlyDirectoryIsAnErrorAtTheStart) {
  if (!may_mount()) GTEST_SKIP() << "mounts a disk of its own";
  EXPECT_EQ(with_small_disk(directory_,
                            [&] {
                              if (::mount("none", directory_.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0)
                                return 1;
                              const auto opened = Spool::open({.directory = directory_ + "/spool"}, kNow);
                              return !opened && opened.error().code == Errc::io && opened.error().os_error == EROFS ? 0
                                                                                                                    : 2;
                            }),
            0);
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

// kill -9 of a process that appends and acknowledges as fast as it can, many times.
TEST_F(SpoolTest, SurvivesKillNineUnderLoad) {
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
