// The table, the timers and preflight: what needs no privilege.
#include <set>

#include <fcntl.h>
#include <sys/stat.h>

#include "agent/preflight.h"
#include "network/diag_message.h"
#include "support/program_cache.h"
#include "support/tail_file.h"
#include "tests/live.h"

namespace picket::agent {
namespace {

TEST(CollectorTable, NamesAreUniqueAndEachCollectorHasATier) {
  std::set<std::string_view> names;
  for (const CollectorSpec& spec : collector_table()) {
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
    std::set<std::string_view> tiers;
    EXPECT_FALSE(spec.tiers.empty());
    for (const Tier& tier : spec.tiers) EXPECT_TRUE(tiers.insert(tier.name).second) << tier.name;
  }
  EXPECT_THAT(names, testing::IsSupersetOf({"process", "network", "login", "system", "heartbeat"}));
}

TEST(Heartbeat, CountsFromOneAtEachInterval) {
  ManualClock clock{Timestamp{}};
  CollectorSettings settings;
  Recorder sink;
  Collector collector(spec_named("heartbeat"), {settings, clock, sink});
  ASSERT_TRUE(collector.start());
  EXPECT_EQ(collector.on_timer(), spec_named("heartbeat").every);
  collector.on_timer();
  clock.advance(spec_named("heartbeat").every);
  collector.on_timer();
  EXPECT_THAT(sink.heartbeats, testing::ElementsAre(1u, 2u));
}

TEST(System, IsReportedAtStartAndOnSchedule) {
  ManualClock clock{Timestamp{}};
  CollectorSettings settings;
  Recorder sink;
  Collector collector(spec_named("system"), {settings, clock, sink});
  ASSERT_TRUE(collector.start());
  collector.on_timer();
  collector.on_timer();
  EXPECT_EQ(sink.systems, 1);
  clock.advance(spec_named("system").every);
  collector.on_timer();
  EXPECT_EQ(sink.systems, 2);
}

TEST(Preflight, HasARowForEveryTierAndMarksOneInUse) {
  const auto rows = preflight({}, system_clock());
  for (const CollectorSpec& spec : collector_table()) {
    int used = 0;
    std::size_t count = 0;
    for (const PreflightRow& row : rows) {
      if (row.topic != spec.name) continue;
      ++count;
      used += row.in_use ? 1 : 0;
      if (row.state == PreflightRow::State::missing) EXPECT_FALSE(row.in_use);
      EXPECT_FALSE(row.detail.empty());
    }
    EXPECT_EQ(count, spec.tiers.size()) << spec.name;
    EXPECT_LE(used, 1) << spec.name;
  }
  const auto table = preflight_table(rows);
  EXPECT_NE(table.find("process: "), std::string::npos);
  EXPECT_EQ(preflight_json(rows).substr(0, 9), "{\"rows\":[");
}

TEST(Preflight, AForcedTierIsTheOneInUse) {
  CollectorSettings settings;
  settings.choose("process").tier = "procfs";
  for (const PreflightRow& row : preflight(settings, system_clock())) {
    if (row.topic == "process") EXPECT_EQ(row.in_use, row.name == "procfs") << row.name;
  }
}

TEST(ProgramCache, ForgetsTheOldestAndReplacesWhatExecutedAnew) {
  ProgramCache cache;
  for (std::uint32_t pid = 0; pid <= ProgramCache::kEntriesMax; ++pid) cache.put(pid, 1, "/bin/a", "a");
  EXPECT_EQ(cache.find(0, 1), nullptr);
  ASSERT_NE(cache.find(1, 1), nullptr);
  cache.put(1, 1, "/bin/b", std::string(ProgramCache::kArgvKept + 1, 'x'));
  EXPECT_EQ(cache.find(1, 1)->executable, "/bin/b");
  EXPECT_EQ(cache.find(1, 1)->argv.size(), ProgramCache::kArgvKept);
  EXPECT_EQ(cache.find(1, 2), nullptr) << "another process with the same pid";
}

TEST(TailFile, FollowsThroughRotationAndTruncation) {
  const std::string path = testing::TempDir() + "picket-tail-" + std::to_string(getpid());
  const auto write_file = [&](std::string_view text, int flags) {
    auto fd = open_file(path, O_WRONLY | O_CREAT | flags);
    ASSERT_TRUE(fd);
    ASSERT_TRUE(write_all(fd->get(), as_bytes(text)));
  };
  write_file("old\n", O_TRUNC);
  auto tail = TailFile::open(path);
  ASSERT_TRUE(tail);
  const auto news = [&] {
    Buffer out;
    EXPECT_TRUE(tail->poll(1 << 16, out));
    return std::string(as_text(out));
  };
  EXPECT_EQ(news(), "") << "what stood there before is not news";
  write_file("one\n", O_APPEND);
  EXPECT_EQ(news(), "one\n");
  ASSERT_EQ(rename(path.c_str(), (path + ".1").c_str()), 0);
  write_file("two\n", O_TRUNC);
  EXPECT_EQ(news(), "two\n");
  write_file("3\n", O_TRUNC);
  EXPECT_EQ(news(), "3\n");
  unlink(path.c_str());
  unlink((path + ".1").c_str());
}

TEST(DiagMessage, StopsAtWhatIsCutOff) {
  Buffer raw(16, std::byte{0});
  int count = 0;
  raw[0] = std::byte{200};  // longer than the datagram
  EXPECT_FALSE(for_each_diag(raw, [&](const DiagSocket&) { ++count; }));
  raw[0] = std::byte{3};  // shorter than its header
  EXPECT_FALSE(for_each_diag(raw, [&](const DiagSocket&) { ++count; }));
  EXPECT_EQ(count, 0);
}

}  // namespace
}  // namespace picket::agent
