// What happens when the disk is full, nearly full, or slower than the senders.
#include <atomic>
#include <csignal>
#include <thread>

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal_harness.h"

namespace picket::journal {
namespace {

TEST(JournalRefusal, BelowTheReserveAppendsAreRefusedUntilSpaceIsBack) {
  const TempFolder folder;
  std::atomic<std::uint64_t> free{100};
  auto options = options_in(folder.path());
  options.reserve_bytes = 100;
  options.free_bytes = [&](const std::string&) -> Result<std::uint64_t> { return free.load(); };
  const auto opened = must_open(std::move(options));
  ASSERT_TRUE(append_and_wait(*opened.journal, text_message("a")).has_value());
  free = 99;
  ASSERT_TRUE(append_and_wait(*opened.journal, text_message("b")).has_value());
  while (!opened.journal->stats().reserve_reached) std::this_thread::yield();
  EXPECT_EQ(append_message(*opened.journal, text_message("c")).error().where, "journal.append.reserve");
  EXPECT_EQ(opened.journal->stats().rejected_reserve, 1u);
  free = 100;
  while (opened.journal->stats().reserve_reached) std::this_thread::yield();
  ASSERT_TRUE(append_and_wait(*opened.journal, text_message("d")).has_value());
  EXPECT_EQ(bodies_of(read_all(*opened.journal)), (std::vector<std::string>{"a", "b", "d"}));
}

TEST(JournalRefusal, TooMuchPendingIsRefusedAndCounted) {
  const TempFolder folder;
  std::promise<void> entered;
  std::promise<void> release;
  auto held = release.get_future().share();
  const auto opened = must_open(options_in(folder.path()));
  // The first callback holds the writer, so that everything behind it stays pending.
  ASSERT_TRUE(append_message(*opened.journal, text_message("first"), [&](Result<RecordId>) {
                entered.set_value();
                held.wait();
              }).has_value());
  entered.get_future().wait();
  std::size_t taken = 0;
  while (append_message(*opened.journal, text_message("x")).has_value()) ++taken;
  EXPECT_EQ(taken, kPendingRecordsMax);
  EXPECT_EQ(append_message(*opened.journal, text_message("x")).error().code, Errc::limit_exceeded);
  EXPECT_EQ(opened.journal->stats().rejected_full, 2u);
  release.set_value();
  opened.journal->flush();
  EXPECT_EQ(opened.journal->stats().records_durable, 1 + kPendingRecordsMax);
}

TEST(JournalRefusal, BytesPendingAreBoundedToo) {
  const TempFolder folder;
  std::promise<void> entered;
  std::promise<void> release;
  auto held = release.get_future().share();
  const auto opened = must_open(options_in(folder.path()));
  ASSERT_TRUE(append_message(*opened.journal, text_message("first"), [&](Result<RecordId>) {
                entered.set_value();
                held.wait();
              }).has_value());
  entered.get_future().wait();
  const auto message = text_message(std::string(1U << 20, 'x'));
  std::size_t taken = 0;
  while (append_message(*opened.journal, message).has_value()) ++taken;
  EXPECT_LE(taken, kPendingBytesMax >> 20);
  EXPECT_GE(taken, (kPendingBytesMax >> 20) - 1);
  release.set_value();
}

/// Appends until one is refused; true when every durable record, and only those, is there afterwards.
bool survives_refusal(Journal& journal, const std::function<void()>& make_room) {
  std::vector<std::string> durable;
  bool refused = false;
  for (int i = 0; i < 5000 && !refused; ++i) {
    const std::string body = std::to_string(i) + std::string(1000, 'x');
    refused = !append_and_wait(journal, text_message(body)).has_value();
    if (!refused) durable.push_back(body);
  }
  if (!refused || !journal.stats().failing || journal.stats().records_failed == 0) return false;
  if (bodies_of(read_all(journal)) != durable) return false;
  make_room();
  if (!append_and_wait(journal, text_message("after")).has_value()) return false;
  durable.emplace_back("after");
  return bodies_of(read_all(journal)) == durable && !journal.stats().failing;
}

TEST(JournalRefusal, FileSizeLimitLosesNothingAcknowledged) {
  // In a child, since the limit holds for the whole process.
  const TempFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{300'000, RLIM_INFINITY};
    const rlimit wide{RLIM_INFINITY, RLIM_INFINITY};
    bool good = false;
    if (auto opened = open_embedded(options_in(folder.path())); opened && ::setrlimit(RLIMIT_FSIZE, &small) == 0) {
      good = survives_refusal(*opened->journal, [&] { ::setrlimit(RLIMIT_FSIZE, &wide); });
    }
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  const auto opened = must_open(options_in(folder.path()));
  EXPECT_TRUE(opened.report.corrupt.empty());
  EXPECT_EQ(read_all(*opened.journal).messages.back().body, "after");
}

TEST(JournalRefusal, FullDiskLosesNothingAcknowledged) {
  const TempFolder folder;
  if (::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=512k") != 0) GTEST_SKIP() << "needs CAP_SYS_ADMIN";
  spit(folder.path() + "/ballast", std::string(150'000, 'b'));
  {
    const auto opened = must_open(options_in(folder.path() + "/journal", 64 * 1024));
    EXPECT_TRUE(survives_refusal(*opened.journal, [&] { std::filesystem::remove(folder.path() + "/ballast"); }));
  }
  EXPECT_EQ(::umount(folder.path().c_str()), 0);
}

}  // namespace
}  // namespace picket::journal
